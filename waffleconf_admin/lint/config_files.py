"""Configuration files: which names stand in those below a folder."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from .files import folders_below

ENDINGS = {".cfg", ".conf", ".env", ".ini", ".json", ".toml", ".yaml", ".yml"}
#: In bytes. What is larger is data.
MOST = 256 * 1024
#: ``FLASK_KEY`` in the environment is ``app.config["KEY"]``.
_NAME = re.compile(rb"\b(?:FLASK_)?([A-Za-z_]\w*)")


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
                    found |= wanted.intersection(_NAME.findall(path.read_bytes()))
            except OSError:
                continue
    return {name.decode() for name in found}


def _is_configuration(path: Path) -> bool:
    return path.suffix in ENDINGS or path.name.startswith((".env", ".flaskenv"))
