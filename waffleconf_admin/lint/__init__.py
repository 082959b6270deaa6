"""Lint: what code and templates read of an app's settings, and what is wrong with it.

Files are read, never imported or run. `files` finds them, `python` and `templates` make a `Source`
of each, `rules` makes findings of all of them.
"""

from __future__ import annotations

from .finding import Finding, Remark
from .names import AppNames
from .report import Report, lint

__all__ = ["AppNames", "Finding", "Remark", "Report", "lint"]
