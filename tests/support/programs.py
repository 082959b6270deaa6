"""Programs that the tests start, or import from a folder of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


def environment(**variables: str) -> dict[str, str]:
    """The environment in which a program imports what this process imports.

    Neither its folder nor the one in which it is started need be on its path: with a wheel they are
    not, for the sources are there.
    """
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, **variables}


def import_from(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports find the modules of a folder first, until the end of the test.

    Two examples have a module of the same name: one that another test has imported is forgotten.
    """
    monkeypatch.syspath_prepend(str(folder))
    forget_others(folder, monkeypatch)


def forget_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no module of another folder stand for one of this, until the end of the test."""
    own = {path.stem for path in folder.iterdir()}
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        monkeypatch.delitem(sys.modules, name)
