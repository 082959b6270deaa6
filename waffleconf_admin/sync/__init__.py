"""Sync: how the processes of an app follow each other."""
