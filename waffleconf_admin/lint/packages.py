"""Packages: which settings the packages name that an app has imported, Flask itself among them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

#: Strings that are names: what reads a key of a configuration has its name in one.
_NAME = re.compile(rb"""["']([A-Za-z_]\w*)["']""")
_SKIPPED = {*sys.stdlib_module_names, __name__.partition(".")[0], "__main__"}


def named_by_packages(names: Iterable[str], modules: Iterable[ModuleType], root: Path) -> set[str]:
    """Return those names that stand in the code of imported modules.

    :param names: of settings.
    :param modules: those of the standard library and of this package are left out.
    :param root: the folder of the app's own code, which is left out too.
    """
    wanted = {name.encode() for name in names}
    found: set[bytes] = set()
    own = root.resolve()
    for module in modules:
        path = Path(getattr(module, "__file__", None) or "")
        if module.__name__.partition(".")[0] in _SKIPPED or path.suffix != ".py":
            continue
        if path.is_relative_to(own) and "site-packages" not in path.parts:
            continue
        try:
            text = path.read_bytes()
        except OSError:
            continue
        if b"config" in text:
            found |= wanted.intersection(_NAME.findall(text))
    return {name.decode() for name in found}
