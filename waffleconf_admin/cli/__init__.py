"""The command line: ``flask waffle``. A module holds the commands of one subject."""

from __future__ import annotations

# Each module adds its commands to the group.
from . import (  # noqa: F401
    check,
    ends,
    explain,
    files,
    history,
    lint,
    listing,
    prune,
    rewriting,
    values,
    workers,
)
from .group import waffle

__all__ = ["waffle"]
