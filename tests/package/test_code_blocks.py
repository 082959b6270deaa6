"""Every code block of the pages is run by a test, or at least checked.

- A Python block runs here, in an app, unless another test runs it. That test gets the block by
  `documentation.block(page, text)` or `documentation.blocks(page, language)`. The arguments are
  literals: they are read here from the code of the tests.
- Transcripts (`console`) are run by such a test, which compares what is printed.
- A block below `<!-- examples/… -->` is a file of examples/, or a part of one, which a test runs.
- Some languages have a check, below.
- For the rest a comment says why nothing runs it: `<!-- not run: it needs a domain -->`. There are
  few: NOT_RUN counts them.
"""

from __future__ import annotations

import ast
import configparser
import importlib
import json
import re
import shlex
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import click
import documentation
import pytest
import yaml
from documentation import BLOCKS, PAGES, ROOT, Block, block
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from jinja2 import DictLoader
from packaging.requirements import Requirement
from pages import sent

from waffleconf_admin import WaffleAdmin, WaffleConf, cli
from waffleconf_admin.settings import declarations

TESTS = ROOT / "tests"
CONFS = {"SITENAME": {"default": "Waffle"}, "MAX_FILESIZE": {"default": 1000}}
#: How many blocks of a page nothing runs. Each has a comment with the reason.
NOT_RUN: dict[str, int] = {}


def gone_through(tree: ast.AST) -> list[ast.expr]:
    """The expressions of which code uses every item."""
    found: list[ast.expr] = []
    for node in ast.walk(tree):
        match node:
            case ast.For(iter=items) | ast.comprehension(iter=items):
                found.append(items)
            case ast.Assign(targets=[ast.Tuple()], value=items):
                found.append(items)
            case ast.Call(func=ast.Attribute(attr="parametrize"), args=arguments):
                found += arguments
    return found


def constants(tree: ast.Module) -> dict[str, object]:
    return {
        node.targets[0].id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
    }


def blocks_that_a_test_gets(path: Path) -> Iterator[Block]:
    """The blocks that the code of a test file asks for."""
    tree = ast.parse(path.read_text())
    known, every = constants(tree), gone_through(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="block" | "blocks" as name), args=[page, wanted]):
                of = known[page.id] if isinstance(page, ast.Name) else ast.literal_eval(page)
                text = ast.literal_eval(wanted)
                if name == "block":
                    yield documentation.block(of, text)
                else:
                    place = f"{path}:{node.lineno}"
                    assert node in every, f"{place} has to go through all blocks: or use block()"
                    yield from (b for b in BLOCKS if (b.page, b.language) == (of, text))


GOT = {
    block: path
    for path in sorted(TESTS.rglob("test_*.py"))
    if "from documentation import" in path.read_text()
    for block in blocks_that_a_test_gets(path)
}
EXAMPLES = [block for block in BLOCKS if block.comment.startswith("examples/")]
REASONS = [block for block in BLOCKS if block.comment.startswith("not run: ")]
HERE = [b for b in BLOCKS if b not in GOT and b not in EXAMPLES and b not in REASONS]
PROGRAMS = [b for b in HERE if b.language == "python" and "WaffleAdmin(can=anyone)" in b.code]
FRAGMENTS = [b for b in HERE if b.language == "python" and b not in PROGRAMS]


# Shell


def check_pip(words: list[str]) -> None:
    """What is installed is named right, and our extras exist."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    extras = parser["options.extras_require"].keys()
    assert words[1] == "install"
    for word in words[2:]:
        if not word.startswith((".", "-")):
            required = Requirement(word)
            assert required.name != "waffleconf-admin" or required.extras <= extras, word


def check_path(words: list[str]) -> None:
    """The program exists, and its code is Python."""
    if words[1:2] == ["-c"]:
        exec(words[2], {})
        return
    path = words[1] if words[0] == "python" else words[0]
    assert (ROOT / path).is_file(), path


def check_flask_waffle(words: list[str]) -> None:
    """The command has these arguments and options."""
    assert words[1] == "waffle", words
    command = cli.waffle.commands[words[2]]
    command.make_context(words[2], words[3:], resilient_parsing=False)


COMMANDS: dict[str, Callable[[list[str]], None]] = {
    "pip": check_pip,
    "python": check_path,
    "scripts": check_path,
    "flask": check_flask_waffle,
}


def check_shell(code: str) -> None:
    """Each line is one command that can be checked without running it."""
    for line in code.splitlines():
        command = line.partition(">")[0]
        words = [w for w in shlex.split(command, comments=True) if not re.match(r"[A-Z_]+=", w)]
        program = words[0].partition("/")[0]
        assert program in COMMANDS, f"a test has to run this: {line}"
        COMMANDS[program](words)


# Other languages


def check_jinja(code: str) -> None:
    Flask("shop").jinja_env.parse(code)


def check_css(code: str) -> None:
    """Braces match, and each property of the theme exists."""
    styles = "".join(path.read_text() for path in ROOT.glob("waffleconf_admin/static/*.css"))
    assert re.fullmatch(r"(?:[^{}]+\{(?:\s*[\w-]+: [^;{}]+;?(?: */\*.*?\*/)?)+\s*\}\s*)+", code)
    for name in re.findall(r"--wf-[\w-]+", code):
        assert f"{name}:" in styles, name


def check_ini(code: str) -> None:
    configparser.ConfigParser(strict=True).read_string(code)


def check_diff(code: str) -> None:
    """What a diff adds is Python that runs."""
    lines = code.splitlines()
    assert all(line[0] in "+- " for line in lines)
    exec("\n".join(line[1:] for line in lines if line[0] != "-"), {})


CHECKS: dict[str, Callable[[str], object]] = {
    "css": check_css,
    "diff": check_diff,
    "ini": check_ini,
    "jinja": check_jinja,
    "json": json.loads,
    "sh": check_shell,
    "toml": tomllib.loads,
    "yaml": yaml.safe_load,
}


#: Directives of docs/extensions: the test of the site builds them.
SITE = ("api", "commands")


# The rule


@pytest.mark.parametrize("block", HERE, ids=str)
def test_a_block_is_run_or_checked(block: Block) -> None:
    if block.language in SITE:
        return
    assert block.language in {"python", *CHECKS}, (
        f"Nothing runs this {block.language or 'block without a language'} ({__doc__})"
    )
    CHECKS.get(block.language, ast.parse)(block.code)


@pytest.mark.parametrize(
    "line",
    [
        "celery worker",
        "flask run",
        "flask waffle lits",
        "flask waffle set",
        "flask waffle list --jsn",
        'pip install "waffleconf-admin[postgres]"',
        "scripts/no-such-script",
    ],
)
def test_a_command_that_is_wrong_or_has_no_check_is_found(line: str) -> None:
    with pytest.raises((AssertionError, KeyError, click.UsageError)):
        check_shell(f"scripts/test\n{line}")


@pytest.mark.parametrize("block", EXAMPLES, ids=str)
def test_a_block_of_an_example_is_in_its_file(block: Block) -> None:
    folder = block.comment.split("/")[1]
    text = (ROOT / block.comment).read_text()
    assert any(textwrap.indent(block.code, " " * count) in text for count in (0, 2, 4))
    paths = [path for path in TESTS.rglob("test_*.py") if path != Path(__file__)]
    assert any(f'"examples" / "{folder}"' in path.read_text() for path in paths), folder


def test_blocks_that_nothing_runs_are_few_and_say_why() -> None:
    counted: dict[str, int] = {}
    for each in REASONS:
        assert 10 <= len(each.comment.removeprefix("not run: ")) <= 100, each
        counted[each.page] = counted.get(each.page, 0) + 1
    assert counted == NOT_RUN and sum(counted.values()) <= 10


@pytest.mark.parametrize("page", PAGES)
def test_all_code_of_a_page_is_in_fences(page: str) -> None:
    without = re.sub(r"^( *)```.*?^\1```$", "", PAGES[page], flags=re.M | re.S)
    assert "```" not in without and "~~~" not in without
    assert re.findall(r"(?:\A|\n\n)(    \S.*)", without) == []


@pytest.mark.parametrize("block", [b for b in BLOCKS if b.language == "python"], ids=str)
def test_python_code_fits_in_100_columns(block: Block) -> None:
    assert max(map(len, block.code.splitlines())) <= 100


# Programs


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
    answer = client.post("/admin/config", data=sent(page, SITENAME="Crêperie"))
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
    layout = "{% block content %}{% endblock %}"
    app.jinja_loader = DictLoader({"settings_layout.html": layout})  # of another fragment
    names: dict[str, Any] = {"current_app": current_app, "can": lambda action, setting: True}
    # Names that earlier code of the page has imported or defined.
    names |= {"WaffleAdmin": WaffleAdmin, "WaffleConf": WaffleConf, "db": SQLAlchemy()}
    with app.app_context():
        block.run(app=app, **names)


# Single blocks


def test_the_rule_across_settings_refuses_what_it_says(make_app: Callable[..., Flask]) -> None:
    code = block("docs/declarations.md", "def validate(values)")
    app = make_app(CONFS, validate=code.run(WaffleConf=WaffleConf)["validate"])
    with pytest.raises(ValueError, match="Give the site a name"):
        app.extensions["waffleconf"].update_db({"MAX_FILESIZE": 20_000})
    app.extensions["waffleconf"].update_db({"MAX_FILESIZE": 20_000, "SITENAME": "Crêperie"})


def test_the_example_of_declarations_is_a_declaration() -> None:
    app = Flask("shop")
    block("docs/declarations.md", "from enum import Enum").run(app=app)
    assert len(declarations.declare(app.config["WAFFLE_CONFS"])) == 5


def test_the_short_template_is_a_complete_page(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    folder = tmp_path / "templates" / "waffleconf"
    folder.mkdir(parents=True)
    template = block("docs/templates.md", '<form method="post">').code
    (folder / "waffle_form.html").write_text(template)
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    client = app.test_client()
    data = sent(client.get("/admin/config").text)
    assert set(CONFS) <= set(data)
    refused = client.post("/admin/config", data={**data, "MAX_FILESIZE": "many"})
    assert refused.status_code == 422
    assert client.post("/admin/config", data={**data, "SITENAME": "Bar"}).status_code == 303
    assert app.config["SITENAME"] == "Bar"


def test_the_page_shows_the_policy_that_is_sent(make_app: Callable[..., Flask]) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    policy = app.test_client().get("/admin/config").headers["Content-Security-Policy"]
    assert block("docs/templates.md", "connect-src").code.split() == policy.split()
