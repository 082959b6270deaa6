"""What the README says is so."""

from __future__ import annotations

import ast
import html
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from flask import Flask, current_app, session

from waffleconf_admin import WaffleAdmin, WaffleConf, cli
from waffleconf_admin.defaults import DEFAULTS
from waffleconf_admin.settings import declarations

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.M | re.S)
PROGRAMS = [block for block in BLOCKS if "Flask(__name__)" in block]
FRAGMENTS = [block for block in BLOCKS if "Flask(__name__)" not in block]
CONFS = {"SITENAME": {"default": "Waffle"}, "MAX_FILESIZE": {"default": 1000}}


def run(block: str, **names: Any) -> dict[str, Any]:
    namespace = {"__name__": "readme", **names}
    exec(compile(block, "README.md", "exec"), namespace)
    return namespace


def inputs(page: str) -> dict[str, str]:
    """The names of a page's input elements, with what a browser would send for each."""
    sent = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        sent[html.unescape(attributes["name"])] = html.unescape(attributes.get("value", ""))
    return sent


@pytest.fixture
def flask_login(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Flask-Login isn't ours to install: the README only imports its current_user."""
    module = ModuleType("flask_login")
    module.current_user = None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "flask_login", module)
    yield


def test_there_are_two_quickstarts() -> None:
    assert [("sqlalchemy" in program, "peewee" in program) for program in PROGRAMS] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.parametrize("program", PROGRAMS, ids=["sqlalchemy", "peewee"])
def test_a_quickstart_serves_its_page_and_uses_what_is_saved(
    program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "quickstart.py").write_text(program)
    monkeypatch.delitem(sys.modules, "quickstart", raising=False)
    names = vars(importlib.import_module("quickstart"))
    app = names["app"]
    client = app.test_client()
    assert client.get("/").text == "<h1>Waffle</h1>"
    page = client.get("/admin/config").text
    assert "Name of the site appearing in the header" in page
    answer = client.post("/admin/config", data={**inputs(page), "SITENAME": "Crêperie"})
    assert answer.status_code == 303, answer.text
    assert client.get("/").text == "<h1>Crêperie</h1>"
    app.extensions["waffleconf"].stop()
    if "peewee" in program:
        names["db"].close()
    else:
        with app.app_context():
            names["db"].engine.dispose()


@pytest.mark.parametrize("block", FRAGMENTS, ids=lambda block: block.strip().splitlines()[0])
def test_a_piece_of_the_readme_runs(
    block: str, make_app: Callable[..., Flask], flask_login: None
) -> None:
    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False)
    state = app.extensions["waffleconf"]
    names = {"WaffleAdmin": WaffleAdmin, "WaffleConf": WaffleConf, "current_app": current_app}
    names |= {"session": session, "can": lambda action, setting: True}
    with app.app_context():
        run(block, app=app, state=state, **names)


def test_the_rule_across_settings_refuses_what_it_says(make_app: Callable[..., Flask]) -> None:
    (block,) = [block for block in FRAGMENTS if "def validate(values)" in block]
    validate = run(block, WaffleConf=WaffleConf)["validate"]
    app = make_app(CONFS, validate=validate)
    with pytest.raises(ValueError, match="Give the site a name"):
        app.extensions["waffleconf"].update_db({"MAX_FILESIZE": 20_000})
    app.extensions["waffleconf"].update_db({"MAX_FILESIZE": 20_000, "SITENAME": "Crêperie"})


def test_the_ten_line_template_is_a_complete_page(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    (template,) = re.findall(r"^```html\n(.*?)^```$", README, re.M | re.S)
    folder = tmp_path / "templates" / "waffleconf"
    folder.mkdir(parents=True)
    (folder / "waffle_form.html").write_text(template)
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    client = app.test_client()
    sent = inputs(client.get("/admin/config").text)
    assert set(CONFS) <= set(sent)
    refused = client.post("/admin/config", data={**sent, "MAX_FILESIZE": "many"})
    assert refused.status_code == 422
    assert client.post("/admin/config", data={**sent, "SITENAME": "Bar"}).status_code == 303
    assert app.config["SITENAME"] == "Bar"


def test_every_setting_of_the_extension_is_documented_with_its_default() -> None:
    table = dict(re.findall(r"^\| `(WAFFLE_\w+)` \| `(.*?)` \|", README, re.M))
    assert {key: ast.literal_eval(default) for key, default in table.items()} == DEFAULTS


def test_every_command_is_documented() -> None:
    documented = set(re.findall(r"flask waffle ([\w-]+)", README))
    assert documented == set(cli.waffle.commands)


def test_every_attribute_of_a_declaration_is_documented() -> None:
    section = README.split("## Declaring a setting")[1].split("\n## ")[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.M)
    documented = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert documented == declarations._NAMES


def test_what_the_readme_links_and_runs_is_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    scripts = re.findall(r"\bscripts/\w+", README)
    for path in {*links, *scripts}:
        assert (ROOT / path).exists(), path
    for script in scripts:
        assert os.access(ROOT / script, os.X_OK), script


def test_the_headings_that_the_readme_points_at_exist() -> None:
    slugs = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", README, re.M)
    }
    assert set(re.findall(r"\]\(#([^)]+)\)", README)) <= slugs
