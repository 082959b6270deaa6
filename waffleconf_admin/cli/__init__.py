"""The command line: ``flask waffle``. A module holds the commands of one subject."""

from __future__ import annotations

from . import convert, history, values
from .group import waffle

__all__ = ["convert", "history", "values", "waffle"]
