"""Fields for values with a unit: lengths of time and sizes of files."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ..settings.units import duration_text, parse_duration, parse_size, size_text
from .base import LineField, expect


class DurationField(LineField):
    """A length of time."""

    longest = 200

    def show_some(self, value: Any) -> str:
        expect(value, timedelta)
        return duration_text(value)

    def parse_some(self, text: str) -> timedelta:
        return parse_duration(text)


class FileSizeField(LineField):
    """A number of bytes, with a unit."""

    def show_some(self, value: Any) -> str:
        expect(value, int)
        return size_text(value)

    def parse_some(self, text: str) -> int:
        return parse_size(text)
