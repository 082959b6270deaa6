"""Enums whose members auto() numbers: pickles store the numbers."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.numbered import find_numbered


class Auto(enum.Enum):
    FREE = enum.auto()
    GOLD = enum.auto()


class Rights(enum.IntFlag):
    READ = enum.auto()
    WRITE = enum.auto()


class Written(enum.Enum):
    FREE = 1
    GOLD = 2


class Named(enum.StrEnum):
    FREE = enum.auto()


MADE = enum.Enum("MADE", "FREE GOLD")


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"default": Auto.FREE}, "Auto"),
        ({"default": None, "type": Auto}, "Auto"),
        ({"default": [Auto.FREE], "choices": Auto}, "Auto"),
        ({"default": Rights.READ}, "Rights"),
        ({"default": Written.FREE}, None),
        ({"default": Named.FREE}, None),
        ({"default": MADE.FREE}, None),  # type: ignore[attr-defined]  # it has no source
        ({"default": 1}, None),
    ],
)
def test_an_enum_that_auto_numbers_is_found(entry: dict[str, Any], name: str | None) -> None:
    assert find_numbered(declare({"PLAN": entry})).get("PLAN") == name


@pytest.mark.parametrize(("format", "warned"), [("pickle", True), ("json", False)])
def test_the_start_and_check_warn_where_pickles_store_the_numbers(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture, format: str, warned: bool
) -> None:
    app = make_app({"PLAN": {"default": Auto.FREE}}, WAFFLE_SERIALIZER=format)
    output = app.test_cli_runner().invoke(args=["waffle", "check"]).output
    for text in (caplog.text, output):
        assert ("of its Enum Auto, auto() numbers its members" in text) == warned
