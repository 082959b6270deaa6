"""`lint`."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from documentation import block
from flask import Flask
from programs import import_from

from waffleconf_admin.settings.typed import as_declarations

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo"
#: In two parts: in one, this module would be a loaded one that names it, and so may read it.
UNREAD = "_".join(("GIFT", "WRAP"))


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """A function that writes shop.py into the current folder, which is that of the app."""
    monkeypatch.chdir(tmp_path)

    def write(code: str) -> Path:
        path = tmp_path / "shop.py"
        path.write_text(textwrap.dedent(code))
        return path

    return write


def test_the_demo_has_no_mistakes_and_planted_ones_are_found(
    make_app: Callable[..., Flask],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import_from(DEMO, monkeypatch)
    from shop.settings import CONFS

    monkeypatch.chdir(tmp_path)
    shutil.copytree(DEMO / "shop", tmp_path / "shop")
    run = make_app(CONFS).test_cli_runner().invoke
    fine = run(args=["waffle", "lint"])
    assert (fine.exit_code, fine.output) == (0, "0 findings in 6 files.\n")

    for page in (block("docs/lint.md", "# shop/offers.py"), block("docs/lint.md", "{# shop/")):
        path = re.search(r"shop/\S+", page.code)
        assert path
        Path(path[0]).write_text(page.code)
    settings = Path("shop/settings.py")
    first = '    "SITENAME": {\n'
    planted = f'    "{UNREAD}": {{"default": False}},\n'
    settings.write_text(settings.read_text().replace(first, planted + first))
    run = make_app(CONFS | {UNREAD: {"default": False}}).test_cli_runner().invoke
    found = run(args=["waffle", "lint"])
    transcript = block("docs/lint.md", "$ flask --app shop waffle lint").code
    shown = transcript.partition("$ echo")[0].partition("\n")[2]
    assert found.output.splitlines() == shown.splitlines()
    assert found.exit_code == 1


def test_json_has_what_is_printed(run: Run, app: Flask, write: Callable[[str], Path]) -> None:
    app.config["WAFFLE_CONFS"] = app.config["WAFFLE_CONFS"] | {UNREAD: {"default": False}}
    write("""
        from waffleconf_admin import conf
        def view(name): return conf.SITENAM, conf[name]
    """)
    result = run("lint", "--json")
    assert result.exit_code == 1
    printed: dict[str, Any] = json.loads(result.stdout)
    assert printed["findings"] == [
        {
            "path": "shop.py",
            "line": 3,
            "rule": "unknown",
            "name": "SITENAM",
            "text": "SITENAM is not declared. Did you mean SITENAME?",
        }
    ]
    assert "names are computed at shop.py:3" in printed["remarks"][0]["text"]


def test_remarks_change_no_exit_code(run: Run, write: Callable[[str], Path]) -> None:
    path = write("print 'x'\n")
    result = run("lint", str(path))
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"{path}:1: not read, for this Python" in result.stderr


def test_a_missing_path_is_an_error(run: Run) -> None:
    result = run("lint", "nowhere")
    assert result.exit_code == 1 and "nowhere" in result.stderr


@pytest.mark.parametrize(
    ("declared", "line", "printed"),
    [
        ({"restart": True}, 'THEME = current_app.config["THEME"]', ""),
        (
            {"was": "STYLE"},
            'def view(): return current_app.config["STYLE"]',
            "shop.py:2: STYLE is the former name of THEME. [renamed]\n",
        ),
    ],
)
def test_declarations_say_what_may_be_copied_and_which_names_are_former(
    run: Run,
    app: Flask,
    write: Callable[[str], Path],
    declared: dict[str, Any],
    line: str,
    printed: str,
) -> None:
    write(f"from flask import current_app\n{line}\n")
    confs = app.config["WAFFLE_CONFS"]
    app.config["WAFFLE_CONFS"] = confs | {"THEME": confs["THEME"] | declared}
    result = run("lint", "shop.py")
    assert result.stdout == printed


def test_classes_of_settings_are_known_by_what_the_app_declares(
    run: Run, app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    Path("typed_shop").mkdir()
    Path("typed_shop/__init__.py").write_text("from .settings import Shop\n")
    Path("typed_shop/settings.py").write_text(
        "from waffleconf_admin import Settings, setting\n"
        "class Base(Settings):\n"
        "    PAGE: int = setting(3, was='SHEET')\n"
        "    def double(self): return self.PAGE * 2\n"
        "class Shop(Base):\n"
        "    SITENAME: str = setting('Waffle')\n"
        "class Other(Settings):\n"
        "    PAGES: int = setting(3)\n"
    )
    Path("typed_shop/views.py").write_text(
        "from . import Shop\n"
        "from .settings import Base, Other\n"
        "def view(base: Base):\n"
        "    shop = Shop.now()\n"
        "    return shop.double(), Base.PAGE, Other.PAGES, shop.SITENAME\n"
        "def wrong(base: Base): return base.PAEG, Shop.SHEET\n"
        "PAGE = Shop.PAGE\n"
    )
    app.config["WAFFLE_CONFS"] = as_declarations(importlib.import_module("typed_shop").Shop)
    result = run("lint", "typed_shop")
    assert [line.partition(": ")[2] for line in result.stdout.splitlines()] == [
        "SHEET is the former name of PAGE. [renamed]",
        "PAEG is not declared. Did you mean PAGE? [unknown]",
        "PAGE is copied at module level, where it can't follow changes. [copied]",
    ]
