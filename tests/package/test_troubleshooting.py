"""docs/troubleshooting.md has every message of the package, and none that the package lacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from documentation import PAGES
from flask import Flask
from messages import Message, error_classes, messages, without_places

PAGE = PAGES["docs/troubleshooting.md"]

#: What the page leaves out: the beginning of a path, the errors (none: all), and the reason.
LEFT_OUT = [
    ("fields/", "ValueError UnsupportedValue", "stands beside a control, and says what to write"),
    ("settings/", "ValueError", "a mistake in a declaration, which says what to write"),
    ("time_zones.py", "ValueError LookupError", "stands beside a control, and says what to write"),
    ("codec/", "ValueError UnpicklingError", "becomes “the stored text is damaged (…)”"),
    ("api/", "Problem", "an answer of the API: the page links its table"),
    ("cli/", "", "a command says what to type; what `check` finds is on the page"),
    ("files/", "", "about a file of settings: says what to write, and in which line"),
    ("lint/", "", "the name of a rule: docs/lint.md explains them"),
    ("admin/", "InvalidValue BadRequest", "stands on the page, and says what to choose"),
    ("store/contract.py", "NotImplementedError", "names the method that a store of the app lacks"),
    ("store/optional.py", "NotImplementedError", "names the method that a store of the app lacks"),
    ("", "AssertionError", "never comes"),
]
#: Python's own words for a name that a module lacks.
PYTHONS = "module … has no attribute …"
#: So many letters a quote of a beginning has.
LETTERS = 8


def cells(heading: str, column: int) -> list[list[str]]:
    """The code in one column of the tables with a heading, row by row."""
    tables = re.findall(rf"^\| {heading} \|.*\n\|[- |]*\n((?:\|.*\n)+)", PAGE, re.M)
    rows = [row[1:-1].split("|") for table in tables for row in table.splitlines()]
    return [re.findall(r"`([^`]+)`", row[column]) for row in rows if len(row) > column]


QUOTES = [without_places(quote) for row in cells("message", 0) for quote in row]


@cache
def all_messages() -> dict[str, Message]:
    """The messages of the package by their texts: not at import, for it takes a second."""
    return {message.text: message for message in messages() if re.search(r"\w", message.text)}


@cache
def begin_of(quote: str) -> str | None:
    """What a quote is the beginning of; None: it is a whole text."""
    begin = quote.removesuffix("…").rstrip()
    return begin if begin != quote and len(re.findall(r"\w", begin)) >= LETTERS else None


def is_quoted(text: str, quote: str) -> bool:
    """Whether a quote is a text, or its beginning where … follows."""
    begin = begin_of(quote)
    return text == quote if begin is None else text.startswith(begin)


def is_left_out(message: Message) -> bool:
    if message.path == "cli/check.py":
        return False
    return message.text == PYTHONS or any(
        message.path.startswith(path) and (not errors or message.raised in errors.split())
        for path, errors, _ in LEFT_OUT
    )


def test_every_message_is_on_the_page() -> None:
    looked_up = [message for message in all_messages().values() if not is_left_out(message)]
    assert len(looked_up) > 150
    missing = [m for m in looked_up if not any(is_quoted(m.text, quote) for quote in QUOTES)]
    assert not missing


def test_the_page_quotes_only_messages_that_the_package_has() -> None:
    stale = [
        quote for quote in QUOTES if not any(is_quoted(text, quote) for text in all_messages())
    ]
    assert set(stale) <= error_classes()


def test_every_error_is_on_the_page() -> None:
    assert {name for name in error_classes() if f"`{name}`" not in PAGE} == set()


@pytest.mark.parametrize(("path", "errors", "reason"), LEFT_OUT)
def test_a_reason_to_leave_messages_out_is_needed(path: str, errors: str, reason: str) -> None:
    found = {m.raised for m in all_messages().values() if m.path.startswith(path)}
    assert set(errors.split()) <= found if errors else found


def test_a_message_that_changes_is_no_longer_on_the_page() -> None:
    text = "The disk of the database is full: make room, then save again."
    assert text in all_messages()
    assert any(is_quoted(text, quote) for quote in QUOTES)
    assert not any(is_quoted(text.replace("disk", "drive"), quote) for quote in QUOTES)


# "My value doesn't change"

CONFS = {
    "SITENAME": {"default": "Waffle"},
    "PAGE_SIZE": {"default": 10, "min": 1},
    "MAIL_SERVER": {"default": "localhost"},
    "REGION": {"default": "eu"},
}
CODE = """
from flask import current_app
from waffleconf_admin import conf

NAME = conf.SITENAME

def rename():
    current_app.config["SITENAME"] = "Crêperie"
    conf.PAGE_SIZE.append(Config.PAGE_SIZE)

class Config:
    PAGE_SIZE = 10
"""


def test_each_step_shows_what_the_page_says(
    make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_REGION", "us")
    (tmp_path / "shop.py").write_text(CODE)
    app = make_app(
        CONFS,
        WAFFLE_MULTIPROC=True,
        WAFFLE_STORE_DEFAULTS=False,
        WAFFLE_ENV_PREFIX="SHOP_",
    )
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Crêperie"})
    with app.app_context():
        app.waffle_db.session.add(app.waffle_model(key="PAGE_SIZE", value='"many"'))  # type: ignore[attr-defined]
        app.waffle_db.session.commit()  # type: ignore[attr-defined]
    state.update_conf()
    commands = ["check", "lint", *(f"explain {key}" for key in CONFS)]
    said = ""
    for command in commands:
        said += app.test_cli_runner().invoke(args=["waffle", *command.split()]).output
    shown = [text for row in cells("step", 2) for text in row]
    assert len(shown) > 8
    # In the log, in a process's health, and in tests of these commands with another app.
    elsewhere = {"This app runs in several processes …", "alive", "False"}
    elsewhere |= {"has stored values", "lagging", "other code"}
    assert {text for text in shown if text not in said} == elsewhere
