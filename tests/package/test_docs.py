"""The README and docs/: their tables are complete, their links resolve."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import os
import re
from typing import Any

import pytest
import wtforms
from documentation import DOCS, PAGES, ROOT

from waffleconf_admin import WaffleAdmin, cli
from waffleconf_admin.codec import deserialize
from waffleconf_admin.codec.json_tags import ENUM, MARK, TAGS
from waffleconf_admin.codec.values import ADDRESSES, PATHS
from waffleconf_admin.defaults import DEFAULTS
from waffleconf_admin.settings import attributes, declarations
from waffleconf_admin.settings.setting import Setting
from waffleconf_admin.sync.health import Health


def page(name: str) -> str:
    return PAGES[f"docs/{name}.md"]


def cells(text: str, heading: str) -> dict[str, list[str]]:
    """The rows of the table below a heading, by the code in their first cell."""
    section = re.split(rf"^#+ {re.escape(heading)}$", text, flags=re.M)[1]
    section = re.split(r"^## ", section, flags=re.M)[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line[:3] == "| `"]
    assert rows, heading
    return {re.sub("`", "", row[0]): row[1:] for row in rows}


# Tables


def test_every_setting_of_the_extension_is_documented_with_its_default() -> None:
    table = cells(page("configuration"), "Settings of the extension")
    assert {key: ast.literal_eval(row[0].strip("`")) for key, row in table.items()} == DEFAULTS


def test_every_attribute_of_a_declaration_is_documented_with_its_default() -> None:
    table = cells(page("declarations"), "Attributes")
    assert table.keys() == attributes.READERS.keys()
    for name, field in Setting.__dataclass_fields__.items():
        if name in table and name != "default":
            assert ast.literal_eval(table[name][0].strip("`")) == field.default, name


def test_the_example_of_each_attribute_is_a_declaration() -> None:
    for name, (_, example, _) in cells(page("declarations"), "Attributes").items():
        attributes: dict[str, Any] = eval("{" + example.strip("`") + "}", {"wtforms": wtforms})
        assert name in attributes
        confs = {"SITENAME": {"default": "Waffle"} | attributes, "MAIL_MODE": {"default": "smtp"}}
        assert declarations.declare(confs).keys() == confs.keys()


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
    assert len(PAGES["README.md"].splitlines()) <= 150


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
