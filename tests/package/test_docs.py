"""The README and docs/: their code runs, their tables are complete, their links resolve."""

from __future__ import annotations

import ast
import html
import importlib
import inspect
import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import Mock

import pytest
from flask import Flask, current_app
from jinja2 import DictLoader

from waffleconf_admin import WaffleAdmin, WaffleConf, cli
from waffleconf_admin.codec import deserialize
from waffleconf_admin.codec.json_tags import ENUM, MARK, TAGS
from waffleconf_admin.codec.values import ADDRESSES, PATHS
from waffleconf_admin.defaults import DEFAULTS
from waffleconf_admin.settings import attributes, declarations
from waffleconf_admin.settings.setting import Setting
from waffleconf_admin.sync.health import Health

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
README = (ROOT / "README.md").read_text()
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
}
CONFS = {"SITENAME": {"default": "Waffle"}, "MAX_FILESIZE": {"default": 1000}}

#: The tests that run the code of pages which need other libraries or a server.
RUN_ELSEWHERE = {
    "docs/apps.md": "tests/admin/test_apps.py",
    "docs/permissions.md": "tests/admin/test_permission_examples.py",
    "docs/history.md": "tests/state/test_history.py",
    "docs/ends.md": "tests/state/test_ends.py",
    "docs/hooks.md": "tests/state/test_hook_examples.py",
    "docs/processes.md": "tests/sync/test_watch_types.py",
    "docs/databases.md": "tests/store/test_tenants.py",
    "docs/api.md": "tests/api/test_examples.py",
    "docs/testing.md": "tests/testing/test_examples.py",
    "docs/observing.md": "tests/state/test_observing.py",
    "docs/workers.md": "tests/state/test_workers.py",
    "docs/lint.md": "tests/cli/test_lint.py",
}


class Block(NamedTuple):
    """A block of code, and where it is."""

    page: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    return [
        Block(page, text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for page, text in PAGES.items()
        for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S)
        if found[1] in languages
    ]


PYTHON = blocks("python")
PROGRAMS = [block for block in PYTHON if "WaffleAdmin(can=anyone)" in block.code]
FRAGMENTS = [b for b in PYTHON if b not in PROGRAMS and b.page not in RUN_ELSEWHERE]


def page(name: str) -> str:
    return PAGES[f"docs/{name}.md"]


def run(block: Block, **names: Any) -> dict[str, Any]:
    namespace = {"__name__": "docs", **names}
    exec(compile("\n" * block.line + block.code, block.page, "exec", dont_inherit=True), namespace)
    return namespace


def cells(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by the code in their first cell."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.M)[1]
    section = re.split(r"^## ", section, flags=re.M)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    assert rows, heading
    return {re.sub("`", "", row[0]): row[1:] for row in rows}


def inputs(page: str) -> dict[str, str]:
    """The names of a page's input elements, with what a browser would send for each."""
    sent = {}
    for tag in re.findall(r"<input[^>]*>", page):
        attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
        sent[html.unescape(attributes["name"])] = html.unescape(attributes.get("value", ""))
    return sent


# Code


def test_there_is_a_quickstart_for_each_orm() -> None:
    assert [block.page for block in PROGRAMS] == ["README.md", "docs/databases.md"]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
def test_a_quickstart_serves_its_page_and_uses_what_is_saved(
    program: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "quickstart.py").write_text(program.code)
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
    if "peewee" in program.code:
        names["db"].close()
    else:
        with app.app_context():
            names["db"].engine.dispose()


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Flask-Admin has tests of its own; here its names are enough."""
    for name in ("flask_admin", "flask_admin.menu"):
        monkeypatch.setitem(sys.modules, name, Mock())
    yield


@pytest.mark.parametrize("block", FRAGMENTS, ids=str)
def test_a_fragment_runs_in_an_app(
    block: Block, make_app: Callable[..., Flask], libraries: None
) -> None:
    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False)
    app.jinja_loader = DictLoader({"settings_layout.html": ""})  # of another fragment
    names: dict[str, Any] = {"current_app": current_app, "can": lambda action, setting: True}
    # Names that earlier code of the page has imported or defined.
    names |= {"WaffleAdmin": WaffleAdmin, "WaffleConf": WaffleConf}
    with app.app_context():
        run(block, app=app, **names)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_code_parses_and_fits_in_100_columns(block: Block) -> None:
    ast.parse(block.code)
    assert max(map(len, block.code.splitlines())) <= 100


@pytest.mark.parametrize(("page", "test"), RUN_ELSEWHERE.items())
def test_the_other_tests_read_their_page(page: str, test: str) -> None:
    assert f'"{page.rpartition("/")[2]}"' in (ROOT / test).read_text()


def test_the_rule_across_settings_refuses_what_it_says(make_app: Callable[..., Flask]) -> None:
    (block,) = [block for block in FRAGMENTS if "def validate(values)" in block.code]
    validate = run(block, WaffleConf=WaffleConf)["validate"]
    app = make_app(CONFS, validate=validate)
    with pytest.raises(ValueError, match="Give the site a name"):
        app.extensions["waffleconf"].update_db({"MAX_FILESIZE": 20_000})
    app.extensions["waffleconf"].update_db({"MAX_FILESIZE": 20_000, "SITENAME": "Crêperie"})


def test_the_example_of_declarations_is_a_declaration() -> None:
    page = [block for block in FRAGMENTS if block.page == "docs/declarations.md"]
    (block,) = [block for block in page if 'app.config["WAFFLE_CONFS"]' in block.code]
    app = Flask("shop")
    run(block, app=app)
    assert len(declarations.declare(app.config["WAFFLE_CONFS"])) == 5


def test_the_short_template_is_a_complete_page(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    (block,) = blocks("html")
    folder = tmp_path / "templates" / "waffleconf"
    folder.mkdir(parents=True)
    (folder / "waffle_form.html").write_text(block.code)
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    client = app.test_client()
    sent = inputs(client.get("/admin/config").text)
    assert set(CONFS) <= set(sent)
    refused = client.post("/admin/config", data={**sent, "MAX_FILESIZE": "many"})
    assert refused.status_code == 422
    assert client.post("/admin/config", data={**sent, "SITENAME": "Bar"}).status_code == 303
    assert app.config["SITENAME"] == "Bar"


@pytest.mark.parametrize("block", blocks("jinja"), ids=str)
def test_a_template_compiles(block: Block) -> None:
    Flask("shop").jinja_env.parse(block.code)


# Tables


def test_every_setting_of_the_extension_is_documented_with_its_default() -> None:
    table = cells(page("declarations"), "Settings of the extension")
    assert {key: ast.literal_eval(row[0].strip("`")) for key, row in table.items()} == DEFAULTS


def test_every_attribute_of_a_declaration_is_documented_with_its_default() -> None:
    table = cells(page("declarations"), "Attributes")
    assert table.keys() == attributes.READERS.keys()
    for name, field in Setting.__dataclass_fields__.items():
        if name in table and name != "default":
            assert ast.literal_eval(table[name][0].strip("`")) == field.default, name


def test_every_option_of_the_page_is_documented_with_its_default() -> None:
    table = cells(page("page"), "Options")
    parameters = dict(inspect.signature(WaffleAdmin).parameters)
    del parameters["blueprint_options"]
    documented = {name: ast.literal_eval(row[0].strip("`")) for name, row in table.items()}
    assert documented == {name: parameter.default for name, parameter in parameters.items()}


def test_every_tag_of_json_is_documented_with_an_example() -> None:
    table = cells(page("stored-format"), "JSON")
    others = {cls.__name__ for cls in (*PATHS, *ADDRESSES)} - {"PosixPath", "IPv4Address"}
    assert table.keys() == {tag.name for tag in TAGS if tag.type.__name__ not in others} | {ENUM}
    for tag, (_, example) in table.items():
        text = re.sub("`", "", example)
        assert list(json.loads(text)) == [tag]
        if tag != ENUM:
            assert type(deserialize(text)).__name__ == tag.removeprefix(MARK)


def test_every_attribute_of_health_is_documented() -> None:
    assert cells(page("processes"), "Health").keys() == set(Health._fields)


def test_every_command_is_documented() -> None:
    documented = set(re.findall(r"flask waffle ([\w-]+)", page("command-line")))
    assert documented == set(cli.waffle.commands)


# Shape


def test_the_readme_has_at_most_150_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", page("index")))
    assert linked == {path.name for path in DOCS.glob("*.md")} - {"index.md"}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_a_title_and_begins_with_a_sentence(name: str) -> None:
    if name == "docs/performance.md":  # made by the benchmarks
        return
    title, blank, first = re.sub(r"^```.*?^```$", "", PAGES[name], flags=re.M | re.S).split("\n", 2)
    assert title.startswith("# ") and not blank and re.match(r"[A-Z`]", first)


def slugs(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    without_code = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", without_code, re.M)
    }


@pytest.mark.parametrize("name", PAGES)
def test_links_and_anchors_resolve(name: str) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", PAGES[name]):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if anchor:
            assert anchor in slugs(target.read_text()), link


@pytest.mark.parametrize("name", PAGES)
def test_scripts_and_benchmarks_that_are_named_exist(name: str) -> None:
    for path in re.findall(r"\b(?:scripts|benchmarks|tests)/[\w/.]*\w", PAGES[name]):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\bscripts/\w+", PAGES[name]):
        assert os.access(ROOT / path, os.X_OK), path


def test_pages_that_the_package_names_exist() -> None:
    named = {
        page
        for path in (ROOT / "waffleconf_admin").rglob("*.py")
        for page in re.findall(r"docs/[\w-]+\.md", path.read_text())
    }
    assert named and all((ROOT / page).exists() for page in named), named


# CONTRIBUTING.md


def test_the_functions_of_the_walks_exist() -> None:
    section = PAGES["CONTRIBUTING.md"].split("\n## Four walks")[1].split("\n## ")[0]
    named = re.findall(r"`([a-z_]+(?:\.\w+)+)`", section)
    ours = [name for name in named if resolve(name.partition(".")[0]) is not None]
    assert len(ours) > 20
    for name in ours:
        assert resolve(name) is not None, name


def resolve(name: str) -> Any:
    """What a dotted name below waffleconf_admin stands for."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(["waffleconf_admin", *parts[:count]]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found
    return None


def test_the_paths_of_contributing_exist() -> None:
    paths = re.findall(r"`([a-z_]+/[\w/]*(?:\.py|/)?)`", PAGES["CONTRIBUTING.md"])
    assert paths
    for path in paths:
        assert (ROOT / "waffleconf_admin" / path).exists() or (ROOT / path).exists(), path
