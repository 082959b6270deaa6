"""The command line: ``flask waffle``. A module holds the commands of one subject."""

from __future__ import annotations

from . import history, values
from .group import waffle

__all__ = ["history", "values", "waffle"]
