"""What people type is read in time linear in its length. These tests count work;
benchmarks/worst_texts.py measures time.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from re import _constants, _parser  # type: ignore[attr-defined]
from typing import Any
from uuid import UUID

import pytest
from controls import field
from flask import Flask, request
from pages import sent, state_of
from werkzeug.datastructures import MultiDict

import waffleconf_admin
from waffleconf_admin import WaffleAdmin
from waffleconf_admin.admin.search import LONGEST
from waffleconf_admin.admin.settings_filter import SettingsFilter
from waffleconf_admin.admin.submission import RESET_KEY, PageSubmission
from waffleconf_admin.codec import serialize
from waffleconf_admin.fields import JsonField, MultipleChoiceField
from waffleconf_admin.fields.binding import process_values
from waffleconf_admin.fields.json_text import JSON_LIMIT, _without_repeats
from waffleconf_admin.fields.optional import LineField

PACKAGE = Path(waffleconf_admin.__file__).parent
URL = "/admin/config"
PRIME = 2**61 - 1  # numbers are hashed modulo this


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app({key: {"default": default} for key, default in LINES.items()})
    app.register_blueprint(WaffleAdmin())
    return app


def read(made: Any, text: str) -> str:
    """What a field says of a text; blank where it takes it."""
    process_values(made, [text])
    return " ".join(map(str, made.process_errors))


# Patterns

COMPILED = """
import re, sys
compile = re.compile
def record(pattern, flags=0):
    module = sys._getframe(1).f_globals["__name__"]
    if module.startswith("waffleconf_admin") and not module.endswith((".store.errors", ".assets")):
        print(ascii((pattern, int(flags))))
    return compile(pattern, flags)
re.compile = record
import waffleconf_admin.admin, waffleconf_admin.watcher
"""
#: Their patterns are for messages of databases, which are short, and for our own files.
NOT_TYPED = {"store/errors.py", "admin/assets.py"}


def patterns() -> Iterator[tuple[str | bytes, int]]:
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, check=True)
    for line in done.stdout.decode().splitlines():
        yield ast.literal_eval(line)


def repeats(tree: Any) -> Iterator[Any]:
    """Yield what is repeated without a limit and backtracks where the rest fails."""
    for operation, argument in tree:
        backtracks = operation in (_constants.MAX_REPEAT, _constants.MIN_REPEAT)
        if backtracks and argument[1] is _constants.MAXREPEAT:
            yield operation
        for part in argument if isinstance(argument, (tuple, list)) else [argument]:
            if isinstance(part, _parser.SubPattern):
                yield from repeats(part)
            elif isinstance(part, list):
                for branch in part:
                    if isinstance(branch, _parser.SubPattern):
                        yield from repeats(branch)


def test_no_pattern_for_typed_text_backtracks() -> None:
    found = [*patterns()]
    assert len(found) > 12
    assert [text for text, flags in found if [*repeats(_parser.parse(text, flags))]] == []


def test_backtracking_patterns_are_found() -> None:
    for text in (r"[0-9]+\.?[0-9]*", r"(a|b+)c", r"a{2,}", r"(?:a*)+?", r"\s*x"):
        assert [*repeats(_parser.parse(text))], text
    assert [*repeats(_parser.parse(r"[0-9]++(\.[0-9]*+)?a{1,30}"))] == []


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.name)
def test_patterns_are_compiled_at_import(path: Path) -> None:
    if str(path.relative_to(PACKAGE)) in NOT_TYPED:
        return
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == "re":
            assert node.attr in ("compile", "escape", "I", "A", "Pattern"), node.lineno


# Lines

LINES: dict[str, Any] = {
    "int": 1,
    "float": 1.5,
    "Decimal": Decimal("1.5"),
    "date": date(2026, 1, 1),
    "time": time(1),
    "datetime": datetime(2026, 1, 1),
    "timedelta": timedelta(1),
    "UUID": UUID(int=1),
    "path": PurePosixPath("/"),
    "address": ip_address("::1"),
}


@pytest.mark.parametrize("default", LINES.values(), ids=LINES)
def test_a_long_line_is_refused_before_it_is_parsed(
    default: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = field(default=default)
    assert isinstance(made, LineField)
    parsed: list[str] = []
    monkeypatch.setattr(type(made), "parse_value", lambda self, text: parsed.append(text))
    message = f"This is too long: enter at most {made.longest} characters."
    assert read(made, "1" * (made.longest + 1)) == message
    assert parsed == []
    read(made, "1" * made.longest)
    assert parsed


@pytest.mark.parametrize("digits", [4300, 4301])
def test_a_number_has_as_many_digits_as_can_be_stored(digits: int) -> None:
    said = read(field(default=1), "9" * digits)
    assert said == ("" if digits == 4300 else "This number has too many digits.")
    if not said:
        assert serialize(int("9" * digits))


# JSON


class Counted(str):
    """A name that counts comparisons."""

    compared = 0

    def __eq__(self, other: object) -> bool:
        Counted.compared += 1
        return str.__eq__(self, other)

    __hash__ = str.__hash__


def test_a_name_is_not_compared_with_all_others() -> None:
    Counted.compared = 0
    names = [Counted(f"name {n}") for n in range(2000)]
    with pytest.raises(ValueError, match="“name 1999” is there twice"):
        _without_repeats([(name, 1) for name in (*names, Counted("name 1999"))])
    assert Counted.compared < 4000


def chained(size: int) -> list[int]:
    """Return numbers that a table of so many slots looks for in the slots of all others."""
    at, found = 1, [1 + size]
    while len(found) < size // 4:
        at = (at * 5 + 1) % size
        found += [at + step for step in range(10)]
    return [*found, *[1] * (size // 2)]


NUMBERS = {
    "with one hash": [n * PRIME for n in range(1000)],
    "with one hash, as decimals": [float(2.0 ** (61 * n)) for n in range(16)] * 2000,
    "in the slots of others": chained(2**16),
}


@pytest.mark.parametrize("set_type", [set, frozenset])
@pytest.mark.parametrize("items", NUMBERS.values(), ids=NUMBERS)
def test_a_set_of_colliding_numbers_is_refused_before_it_is_made(
    set_type: Any, items: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = field(default=set_type())
    sets: list[Any] = []
    monkeypatch.setattr(JsonField, "container", property(lambda self: sets.append))
    with pytest.raises(ValueError, match="because the value has too many keys"):
        made.parse(json.dumps(items))
    assert sets == []


@pytest.mark.parametrize("items", [[*range(10_000)], [2**60 + n for n in range(10_000)]])
def test_a_large_set_of_numbers_is_accepted(items: Any) -> None:
    made = field(default={1})
    assert read(made, json.dumps(items)) == ""
    assert made.data == {*items}


def deep(levels: int, inside: str) -> str:
    return "[" * levels + inside + "]" * levels


@pytest.mark.parametrize("levels", [101, 500, 100_000])
def test_too_many_brackets_are_refused(levels: int) -> None:
    said = read(field(default=[]), deep(levels, "1"))
    assert said == "There are too many brackets inside each other."


def test_as_many_brackets_as_can_be_stored_are_accepted() -> None:
    made = field(default=[])
    assert read(made, deep(100, "1")) == ""
    assert serialize(made.data)


def test_a_deep_value_is_written_without_indents() -> None:
    text = deep(90, ", ".join(["1"] * 50_000))
    made = field(default=[])
    assert read(made, text) == ""
    assert made.format(made.data) == text and len(text) < JSON_LIMIT
    few = field(default=[])
    process_values(few, [deep(3, ", ".join(["1"] * 50))])
    assert few.format(few.data).count("\n") > 50


# Choices, searches and comparisons


def test_the_values_of_checkboxes_are_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made = field(default=["a"], choices=["a", *map(str, range(100))])
    process_values(made, ["x"] * 1000)
    times: list[int] = []
    chosen = MultipleChoiceField.chosen
    monkeypatch.setattr(
        MultipleChoiceField, "chosen", lambda self: (times.append(1), chosen(self))[1]
    )
    assert len([*made]) == 101
    assert times == [1]


def test_a_reset_that_is_asked_for_often_is_one(app: Flask) -> None:
    with app.test_request_context(method="POST", data={RESET_KEY: ["int"] * 1000}):
        assert PageSubmission(request.form).resets == {"int": None}


def test_a_search_has_few_words() -> None:
    wanted = SettingsFilter(MultiDict({"q": "a b " * 100_000}))
    assert len(wanted.search.text) <= LONGEST
    assert len(wanted.search._typed) == 2


# The whole page

TEXTS = {
    "digits": "1" * 3000 + "x",
    "a clock": "00:00" + " " * 3000 + "\nx",
    "lengths": "1s" * 1500,
    "names": "{" + ",".join(f'"a{n}":1' for n in range(300)) + ',"z":1,"z":1}',
    "numbers": json.dumps([n * PRIME for n in range(150)]),
    "brackets": deep(1000, ""),
    "words": "a " * 1500 + "a",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_refused_text_comes_back_whole(app: Flask, text: str) -> None:
    client = app.test_client()
    form = sent(client.get(URL).text) | dict.fromkeys(LINES, text)
    page = client.post(URL, data=form)
    back = sent(page.text)
    assert page.status_code == 422
    assert {re.sub(r"\s+", " ", back[key]) for key in ("int", "UUID")} == {
        re.sub(r"\s+", " ", text)
    }
    assert state_of(app).read()["int"].value == 1
