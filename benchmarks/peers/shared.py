"""What every app here has in common: its settings, and its configuration.

An app is a module with a function `create_app()` that makes a WSGI application: `/` reads ten
settings, `/save?value=…` saves one, and PAGE, where the module has one, is the page that edits all.
This module and `timer` run in each peer's own environment: the standard library only.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

#: settings: how many; folder: for files; redis: URL; others are an app's own.
CONFIG: dict[str, Any] = json.loads(os.environ["BENCHMARK"])
FOLDER = Path(CONFIG["folder"])
DATABASE = FOLDER / "db.sqlite"

DEFAULTS: dict[str, Any] = {
    f"SETTING_{number}": number if number % 2 else "Some words of text"
    for number in range(CONFIG["settings"])
}
READ = list(DEFAULTS)[:10]
SAVED = "SETTING_0"


def shown(values: list[Any]) -> str:
    """The body of `/`."""
    return ", ".join(map(str, values))
