"""The shape of the package: imports go one way, and no ORM is imported by the way."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import waffleconf_admin

PACKAGE = Path(waffleconf_admin.__file__).parent

#: What a module may import of the package; a line may name what stands below it only.
MAY_IMPORT = {
    "__init__": {
        "admin", "core", "exceptions", "forms", "health", "history", "live", "models", "saving",
        "setting", "signals", "store",
    },
    "core": {"calls", "cli", "hooks", "saving", "state", "store"},
    "hooks": {"contexts"},
    "admin": {
        "calls", "declarations", "exceptions", "fields", "forms", "health", "history", "kinds",
        "saving", "setting", "util", "words",
    },
    "state": {
        "contexts", "declarations", "exceptions", "health", "history", "live", "rows", "runner",
        "saving", "setting", "signals", "store",
    },
    "history": {"exceptions", "forms", "kinds", "rows", "saving", "store", "words"},
    "saving": {
        "calls", "contexts", "exceptions", "forms", "live", "rows", "signals", "store", "util",
        "words",
    },
    "cli": {"exceptions", "fields", "forms", "util"},
    "runner": {"errand", "forks", "health", "missed", "outage", "pulse", "watcher"},
    "pulse": {"forks"},
    "errand": {"forks"},
    "forks": set(),
    "outage": set(),
    "missed": {"health"},
    "watcher": {"inotify", "watchfile"},
    "watchfile": {"exceptions", "health"},
    "health": {"words"},
    "inotify": set(),
    "rows": {"contexts", "exceptions", "setting", "store", "unpickle", "util", "words"},
    "live": {"exceptions", "setting", "util", "words"},
    "forms": {
        "calls", "contexts", "exceptions", "fields", "merge", "setting", "util", "widgets", "words",
    },
    "merge": set(),
    "fields": {
        "bounds", "calls", "choices", "conversion", "exceptions", "kinds", "measures", "setting",
        "util", "widgets", "words",
    },
    "widgets": {"words"},
    "declarations": {"calls", "choices", "exceptions", "kinds", "setting"},
    "setting": {"calls", "choices", "conversion", "kinds", "util", "words"},
    "choices": set(),
    "conversion": {"kinds", "measures", "util"},
    "kinds": {"measures", "words"},
    "measures": {"words"},
    "store": {"exceptions", "models"},
    "models": set(),
    "signals": {"calls", "contexts"},
    "calls": {"contexts"},
    "contexts": set(),
    "util": {"bounds", "exceptions", "unpickle", "words"},
    "unpickle": {"bounds", "builders", "exceptions", "opcodes", "words"},
    "builders": {"bounds", "exceptions", "opcodes", "words"},
    "opcodes": {"bounds", "exceptions", "words"},
    "bounds": {"exceptions", "words"},
    "words": set(),
    "exceptions": set(),
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """The modules of the package that a file imports when it runs."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    for node in list(ast.walk(tree)):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    inside = path.parent != PACKAGE
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            names = [node.module] if node.module else [alias.name for alias in node.names]
            if inside and node.level == 1:
                names = [path.parent.name]
            found |= {str(name).split(".")[0] for name in names}
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("waffleconf_admin"):
            found.add(f"{node.module}: import it relatively")
    return found


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_go_one_way(path: Path) -> None:
    module = path.stem if path.parent == PACKAGE else path.parent.name
    assert imported(path) <= MAY_IMPORT[module] | {path.parent.name}


def test_the_order_of_the_table_is_one_way() -> None:
    order = list(MAY_IMPORT)
    for module, others in MAY_IMPORT.items():
        below = order[order.index(module) :]
        assert others - {"store"} <= set(below), module


@pytest.mark.parametrize("library", ["sqlalchemy", "peewee", "redis"])
def test_importing_the_package_imports_no_optional_library(library: str) -> None:
    code = f"import sys, waffleconf_admin.watcher; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("store", "extra"), [("AlchemyWaffleStore", "sqlalchemy"), ("PeeweeWaffleStore", "peewee")]
)
def test_a_missing_library_is_named_with_its_extra(store: str, extra: str) -> None:
    code = (
        f"import sys; sys.modules[{extra!r}] = None\n"
        "try:\n"
        f"    from waffleconf_admin import {store}\n"
        "except ImportError as error:\n"
        f"    sys.exit('waffleconf-admin[{extra}]' not in str(error))\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_import_star_works_without_any_orm() -> None:
    code = (
        "import sys; sys.modules['peewee'] = sys.modules['sqlalchemy'] = None\n"
        "from waffleconf_admin import *; WaffleConf"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in [*waffleconf_admin.__all__, "AlchemyWaffleStore", "PeeweeWaffleStore"]:
        assert getattr(waffleconf_admin, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = waffleconf_admin.Nothing


TYPED = """
from flask import Flask
from waffleconf_admin import Can, Change, Health, Saved, Setting, SettingsForm
from waffleconf_admin import WaffleConf, build_form

def may(action: str, setting: Setting) -> bool:
    return action == "view" and not setting.secret

can: Can = may
waffle = WaffleConf(Flask("shop"))
waffle.state.update_conf()
saved: Saved = waffle.state.update_db({"SITENAME": "Bar"})
health: Health = waffle.state.health()
form: SettingsForm = build_form(waffle.state)
if waffle.state.history:
    changes: list[Change] = waffle.state.history.list("SITENAME")
"""


def test_a_strict_type_checker_takes_what_the_readme_shows(tmp_path: Path) -> None:
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir=/dev/null"]
    done = subprocess.run(
        [*mypy, "--follow-imports=silent", "-c", TYPED],
        cwd=tmp_path,  # not where our own configuration is
        env={**os.environ, "MYPYPATH": str(PACKAGE.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
