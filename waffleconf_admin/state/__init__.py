"""State: one app's settings."""
