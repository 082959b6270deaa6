"""Imports that take long, in processes that have this folder in PYTHONPATH.

SLOW_IMPORTS names the modules, each with the seconds that it stays half imported: "name=1.5 …".
"""

from __future__ import annotations

import importlib.abc
import os
import sys
import threading
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

SLOW = {
    name: float(seconds)
    for name, seconds in (item.split("=") for item in os.environ.get("SLOW_IMPORTS", "").split())
}
#: Set once the import of a module has begun.
BEGUN = {name: threading.Event() for name in SLOW}


class Finder(importlib.abc.MetaPathFinder):
    """Finds what others find."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in SLOW:
            return None
        others: list[Any] = [finder for finder in sys.meta_path if finder is not self]
        spec: Any = next(filter(None, (f.find_spec(name, path, target) for f in others)))
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            BEGUN[name].set()
            time.sleep(SLOW[name])
            execute(module)

        spec.loader.exec_module = exec_module
        return spec  # type: ignore[no-any-return]


if SLOW:
    sys.meta_path.insert(0, Finder())
