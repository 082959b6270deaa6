"""Outside: which names stand in configuration files, and in packages that the app has imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable
from pathlib import Path
from types import ModuleType

from .files import folders_below

ENDINGS = {".cfg", ".conf", ".env", ".ini", ".json", ".toml", ".yaml", ".yml"}
#: In bytes. What is larger is data.
MOST = 256 * 1024
#: ``FLASK_KEY`` in the environment is ``app.config["KEY"]``.
_WORD = re.compile(rb"\b(?:FLASK_)?([A-Za-z_]\w*)")

#: Strings that are names: what reads a key of a configuration has its name in one.
_NAME = re.compile(rb"""["']([A-Za-z_]\w*)["']""")
_SKIPPED = {*sys.stdlib_module_names, __name__.partition(".")[0], "__main__"}


def named_in_files(names: Collection[str], root: Path) -> set[str]:
    """Return those names that stand in configuration files, which an app may load.

    :param names: keys of ``app.config``; if there are none, no file is opened.
    :param root: where the code is: a folder, or a file, whose neighbours are read.
    """
    wanted = {name.encode() for name in names}
    found: set[bytes] = set()
    folders = folders_below(root) if root.is_dir() else [(root.parent, [*root.parent.iterdir()])]
    for _, paths in folders if wanted else ():
        for path in filter(_is_configuration, paths):
            try:
                if path.is_file() and path.stat().st_size <= MOST:
                    found |= wanted.intersection(_WORD.findall(path.read_bytes()))
            except OSError:
                continue
    return {name.decode() for name in found}


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


def _is_configuration(path: Path) -> bool:
    return path.suffix in ENDINGS or path.name.startswith((".env", ".flaskenv"))
