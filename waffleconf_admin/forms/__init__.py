"""The settings as a form, and the ways to read, show and check one value."""

from __future__ import annotations

from .cleaning import check_values, clean_values
from .form import SettingsForm
from .values import choice_texts, exact_text, parse_text, show_text

__all__ = [
    "SettingsForm",
    "check_values",
    "choice_texts",
    "clean_values",
    "exact_text",
    "parse_text",
    "show_text",
]
