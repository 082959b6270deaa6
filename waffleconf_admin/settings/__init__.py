"""Settings: what is declared, and what a declaration says of a value."""
