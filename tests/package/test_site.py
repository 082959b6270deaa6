"""The site of the documentation: it builds, its reference is complete, and its links work."""

from __future__ import annotations

import html
import importlib
import inspect
import re
import subprocess
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin

import pytest

import waffleconf_admin
from waffleconf_admin import cli
from waffleconf_admin.defaults import DEFAULTS
from waffleconf_admin.settings.attributes import READERS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "waffleconf_admin"
TEMPLATES = "".join(path.read_text() for path in PACKAGE.glob("templates/waffleconf/*.html"))
#: The rule with the properties that an app may set.
ROOT_STYLES = (PACKAGE / "static" / "base.css").read_text().partition("}")[0]

#: Modules whose names are public, beside those that `waffleconf_admin` itself exports.
MODULES = [
    "contexts", "core", "exceptions", "fields", "models", "signals", "store", "testing", "util",
    "watcher",
]  # fmt: skip


class Site(NamedTuple):
    """A site that was built."""

    problems: str  #: what Sphinx has written on standard error
    code: int
    folder: Path

    def objects(self) -> dict[str, dict[str, str]]:
        """The names in its inventory by what they are, each with its address."""
        content = (self.folder / "objects.inv").read_bytes().split(b"\n", 4)[4]
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for line in zlib.decompress(content).decode().splitlines():
            name, what, _, address, _ = line.split(" ", 4)
            found[what][name] = address.removesuffix("$") + name * address.endswith("$")
        return found

    def pages(self) -> Iterator[tuple[str, str]]:
        """The addresses of its pages, each with its HTML."""
        for path in sorted(self.folder.rglob("*.html")):
            yield path.relative_to(self.folder).as_posix(), path.read_text()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """The site, built once, as `scripts/docs` builds it."""
    folder = tmp_path_factory.mktemp("site")
    options = [
        "--quiet",
        "--fail-on-warning",
        "--keep-going",
        "--doctree-dir",
        str(folder / "read"),
    ]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder / "html")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    return Site(done.stderr, done.returncode, folder / "html")


@pytest.fixture(scope="module")
def objects(site: Site) -> dict[str, dict[str, str]]:
    return site.objects()


def test_the_site_builds_without_a_warning(site: Site) -> None:
    assert site.problems == ""
    assert site.code == 0


# The reference


def public_names() -> dict[str, object]:
    """Each public name with what it stands for."""
    found = {
        f"waffleconf_admin.{name}": getattr(waffleconf_admin, name)
        for name in {*waffleconf_admin.__all__, *waffleconf_admin._MODULES}
    }
    for suffix in MODULES:
        module = importlib.import_module(f"waffleconf_admin.{suffix}")
        for name in getattr(module, "__all__", None) or defined(module):
            found[f"{module.__name__}.{name}"] = getattr(module, name)
    return found


def defined(module: object) -> list[str]:
    """The public classes and functions of a module that has no `__all__`."""
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isroutine(value))
        and value.__module__ == module.__name__  # type: ignore[attr-defined]
    ]


def test_every_public_name_is_in_the_reference(objects: dict[str, dict[str, str]]) -> None:
    types = ("py:class", "py:data", "py:exception", "py:function")
    names = {name for what in types for name in objects[what]}
    documented = {id(resolve(name)) for name in names}
    public = public_names()
    assert [n for n in public if n not in names and id(public[n]) not in documented] == []


def resolve(dotted: str) -> object:
    module, _, name = dotted.rpartition(".")
    return getattr(importlib.import_module(module), name)


def test_every_member_that_a_page_names_is_in_the_reference(
    objects: dict[str, dict[str, str]],
) -> None:
    types = ("py:attribute", "py:method", "py:property")
    members = {name for what in types for name in objects[what]}
    text = "".join(path.read_text() for path in DOCS.rglob("*.md"))
    named = re.findall(r"^(waffleconf_admin\.[\w.]+): (.*)$", text, re.M)
    listed = {f"{owner}.{member}" for owner, line in named for member in line.split()}
    assert listed
    assert sorted(listed - members) == []


@pytest.mark.parametrize(
    ("what", "names"),
    [
        ("std:setting", DEFAULTS),
        ("std:attribute", READERS),
        ("std:pageoption", inspect.signature(waffleconf_admin.WaffleAdmin).parameters),
        ("std:block", re.findall(r"{% block (\w+)", TEMPLATES)),
        ("std:property", re.findall(r"(--wf-[\w-]+):", ROOT_STYLES)),
        ("std:logfield", ["keys", "change_set", "actor", "source"]),
    ],
    ids=["setting", "attribute", "option", "block", "property", "field of a record"],
)
def test_every_name_of_a_table_is_in_the_reference(
    objects: dict[str, dict[str, str]], what: str, names: dict[str, object]
) -> None:
    missing = set(names) - objects[what].keys() - {"blueprint_options"}
    assert sorted(missing) == []


def test_every_command_and_option_is_in_the_reference(
    site: Site, objects: dict[str, dict[str, str]]
) -> None:
    options = objects["std:cmdoption"]
    page = (site.folder / "reference" / "commands.html").read_text()
    missing = [
        f"{name} {option}"
        for name, command in cli.waffle.commands.items()
        for parameter in command.params
        if parameter.param_type_name == "option"
        for option in parameter.opts
        if f"flask-waffle-{name}.{option}" not in options
    ]
    missing += [name for name in cli.waffle.commands if f'id="flask-waffle-{name}"' not in page]
    assert missing == []


# Pages and links


def test_every_page_is_in_the_sidebar(site: Site) -> None:
    start = (site.folder / "index.html").read_text()
    sidebar = start.partition('class="sidebar-tree"')[2].partition("</aside>")[0]
    linked = set(re.findall(r'href="([\w/-]+)\.html"', sidebar))
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert pages - linked == {"index"}


def test_every_link_within_the_site_leads_somewhere(site: Site) -> None:
    pages = dict(site.pages())
    anchors = {page: {"", *re.findall(r'\sid="([^"]+)"', text)} for page, text in pages.items()}
    broken = []
    for page, text in pages.items():
        for link in re.findall(r'<a[^>]*\shref="([^"]+)"', text):
            path, _, anchor = unquote(html.unescape(link)).partition("#")
            if re.match(r"[a-z]+:", path):
                continue
            target = urljoin(page, path) if path else page
            known = anchors.get(target, {""} if (site.folder / target).is_file() else set())
            if anchor not in known:
                broken.append(f"{page}: {link}")
    assert broken == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_a_page_is_plain_markdown(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)
    assert not re.search(r"^:::|^\(.*\)=$|{[a-z:]+}`", text, re.M)
    assert "```{" not in page.read_text()
