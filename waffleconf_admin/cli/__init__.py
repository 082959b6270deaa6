"""The command line: ``flask waffle``. A module holds the commands of one subject."""

from __future__ import annotations

from . import (
    check,
    convert,
    deployed,
    ends,
    explain,
    files,
    history,
    importing,
    lint,
    listing,
    prune,
    rotate,
    values,
    workers,
)
from .group import waffle

__all__ = [
    "check",
    "convert",
    "deployed",
    "ends",
    "explain",
    "files",
    "history",
    "importing",
    "lint",
    "listing",
    "prune",
    "rotate",
    "values",
    "waffle",
    "workers",
]
