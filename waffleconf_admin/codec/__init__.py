"""Codec: values as stored texts, and back."""
