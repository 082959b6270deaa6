"""The shape of the package: imports go one way, and no ORM is imported by the way."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import waffleconf_admin

PACKAGE = Path(waffleconf_admin.__file__).parent

#: The rooms (folders, and modules beside them), from the top down. Each may import the rooms that
#: are named; all of these stand below it.
ROOMS = {
    "testing": {"core", "state"},
    "__init__": {
        "admin", "core", "exceptions", "forms", "models", "permissions", "settings", "signals",
        "state", "store", "sync",
    },
    "core": {"calls", "cli", "defaults", "hooks", "settings", "state", "store", "watcher"},
    "hooks": {"contexts", "log_once"},
    "cli": {
        "admin", "codec", "exceptions", "fields", "files", "forms", "i18n", "lint", "settings",
        "state",
    },
    "lint": set(),
    "admin": {
        "api", "calls", "contexts", "exceptions", "fields", "files", "forms", "i18n", "log_once",
        "permissions", "settings", "state", "sync", "time_zones",
    },
    "api": {
        "exceptions", "fields", "files", "forms", "i18n", "permissions", "settings", "state",
    },
    "permissions": {"calls", "log_once", "settings"},
    "files": {
        "codec", "contexts", "exceptions", "fields", "forms", "i18n", "settings", "state",
    },
    "state": {
        "calls", "codec", "contexts", "exceptions", "fields", "forms", "i18n", "log_once",
        "plain", "settings", "signals", "snapshot", "spread", "store", "sync",
    },
    "watcher": {"sync"},
    "sync": {"contexts", "defaults", "exceptions", "i18n", "spread", "store"},
    "forms": {"calls", "contexts", "exceptions", "fields", "i18n", "log_once", "settings"},
    "fields": {"calls", "codec", "exceptions", "i18n", "settings", "time_zones"},
    "store": {"exceptions", "models", "spread"},
    "util": {"codec"},
    "codec": {"exceptions", "i18n", "plain", "time_zones"},
    "settings": {"calls", "exceptions", "i18n", "plain", "snapshot", "time_zones"},
    "plain": set(),
    "time_zones": {"i18n"},
    "snapshot": set(),
    "models": set(),
    "defaults": {"calls"},
    "signals": {"calls", "contexts"},
    "calls": {"contexts"},
    "contexts": set(),
    "log_once": set(),
    "spread": set(),
    "i18n": set(),
    "exceptions": set(),
}  # fmt: skip


#: The modules that may say `Any`, each with the reason, by room.
ANY = {
    "admin": {
        "blueprints": "a blueprint of Flask takes options of several types",
        "history_filter": "among the keywords of url_for are options of other types",
        "options": "users read a value",
    },
    "api": {"history": "among the keywords of url_for are options of other types"},
    "state": {
        "conf": "users read a value",
        "former_names": "users read a value",
        "state": "users read a value",
    },
    "sync": {
        "custom": "functions of the app annotate their parameter as they like",
        "watch_type": "a value of the configuration has the type that defaults.py checks",
    },
    "store": {
        "history": "columns of two ORMs have no type in common",
        "instances": "the app declares its models",
        "peewee.connections": "peewee keeps its connections in attributes of its own",
        "postgresql": "connections of two drivers have no type in common",
    },
    "codec": {
        "json_reader": "the type stubs do not know scan_once",
        "json_tags": "each tag takes values of its own type",
        "json_writer": "each function takes values of its own type",
        "objects": "objects of the app's classes have attributes of any type",
        "texts": "users read a value",
        "unpickler": "the stack of the standard library has parts of any value",
    },
    "settings": {
        "annotation": "an annotation may be no type; typing.Any itself is one",
        "attributes": "each attribute has values of its own type",
        "conversion": "each function takes values of its own type",
        "declaration": "functions of the app annotate their parameters as they like",
        "equality": "that two values have one type is found out while they are compared",
        "limits": "each type has an order or a length of its own",
        "setting": "users read a value",
        "value_types": "each function takes values of its own type",
    },
    "defaults": {"": "each setting of the extension has a type of its own"},
    "signals": {"": "users read a value"},
    "forms": {
        "form_fields": "WTForms has no types: any field",
        "values": "WTForms has no types: any field",
    },
    "fields": {
        "base": "WTForms has no types: flags",
        "binding": "WTForms has no types: any field",
        "dates": "a time and a datetime have no type in common",
        "factory": "WTForms has no types: any field, bound or not",
        "foreign": "WTForms has no types: any field",
        "number_widgets": "WTForms has no types: flags",
        "widgets": "WTForms has no types: labels and flags",
    },
}


def module_of(path: Path) -> str:
    """The name of a module within the package; "" for the package itself."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(PACKAGE.rglob("*.py"))}


def imports_of(module: str) -> set[str]:
    """The modules of the package that a module imports, for annotations too."""
    path, found = MODULES[module], set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            parts = package.split(".") if package else []
            parts = parts[: len(parts) - node.level + 1] + ([node.module] if node.module else [])
            base = ".".join(parts)
            names = [".".join([*parts, alias.name]) for alias in node.names]
            found |= {name if name in MODULES else base for name in names}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", None) or "", *(alias.name for alias in node.names)]
            assert not any(name.split(".")[0] == PACKAGE.name for name in names), (
                f"{module}: import the package relatively"
            )
    return found - {module}


def room_of(module: str) -> str:
    return module.split(".")[0] or "__init__"


@pytest.mark.parametrize("module", MODULES)
def test_a_room_imports_what_the_table_allows(module: str) -> None:
    room = room_of(module)
    assert {room_of(other) for other in imports_of(module)} <= ROOMS[room] | {room}


def test_the_rooms_stand_in_one_order() -> None:
    order = list(ROOMS)
    for room, below in ROOMS.items():
        assert below <= set(order[order.index(room) + 1 :]), room


def test_no_module_imports_itself_by_others() -> None:
    """No circle, not of annotations either."""
    left = {module: imports_of(module) for module in MODULES}
    while free := [module for module, others in left.items() if not others & left.keys()]:
        for module in free:
            del left[module]
    assert not left, "in a circle, or above one"


def says_any(module: str) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(alias.name == "Any" for alias in node.names)
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
    )


@pytest.mark.parametrize("room", ROOMS)
def test_a_module_says_any_for_a_reason(room: str) -> None:
    found = [module for module in MODULES if room_of(module) == room and says_any(module)]
    assert found == sorted(f"{room}.{module}" if module else room for module in ANY.get(room, {}))


@pytest.mark.parametrize(
    "library", ["sqlalchemy", "peewee", "redis", "psycopg", "psycopg2", "yaml"]
)
def test_importing_the_package_imports_no_optional_library(library: str) -> None:
    code = (
        "import sys, waffleconf_admin.watcher; package = sys.modules['waffleconf_admin']\n"
        "stores = {'AlchemyWaffleStore', 'PeeweeWaffleStore'}\n"
        "[getattr(package, name) for name in {*package.__all__} - stores]\n"
        f"sys.exit({library!r} in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_page_is_imported_only_where_it_is_used() -> None:
    code = "import sys; from waffleconf_admin import WaffleConf, conf\n"
    code += "sys.exit('waffleconf_admin.admin' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


REQUESTS = """
import sys
from pathlib import Path
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, anyone, conf

app = Flask("shop")
app.config.update(
    SECRET_KEY="test",
    SQLALCHEMY_DATABASE_URI="sqlite:///" + sys.argv[1] + "/db",
    WAFFLE_CONFS={"SITENAME": {"default": "Waffle"}},
    WAFFLE_MULTIPROC=True,
    WAFFLE_WATCHER_FILE=sys.argv[1] + "/changed",
)
db = SQLAlchemy(app)
models = AlchemyWaffleStore.make_models(db)
WaffleConf(app, AlchemyWaffleStore(db, *models))
app.register_blueprint(WaffleAdmin(can=anyone, api=True))
app.add_url_rule("/", view_func=lambda: conf.SITENAME)
with app.app_context():
    db.create_all()
before = set(sys.modules)
client, state = app.test_client(), app.extensions["waffleconf"]
for path in ("/", "/admin/config", "/admin/config/history", "/admin/config/api/openapi.json"):
    assert client.get(path).status_code == 200, path
state.update_db({"SITENAME": "Ours"})
Path(sys.argv[1], "changed").write_text("by another process")
assert client.get("/").text == "Ours"
late = sorted(name for name in set(sys.modules) - before if name.startswith("waffleconf_admin"))
sys.exit(f"imported late: {late}" if late else 0)
"""


def test_a_request_waits_for_no_import_of_ours(tmp_path: Path) -> None:
    command = [sys.executable, "-c", REQUESTS, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


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


def test_import_star_has_the_stores_of_the_orms_that_are_installed() -> None:
    code = (
        "import sys; sys.modules['peewee'] = None\n"
        "from waffleconf_admin import *; AlchemyWaffleStore\n"
        "sys.exit('PeeweeWaffleStore' in globals())"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_name_is_there() -> None:
    for name in {*waffleconf_admin.__all__, *waffleconf_admin._MODULES}:
        assert getattr(waffleconf_admin, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = waffleconf_admin.Nothing
