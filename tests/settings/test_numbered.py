"""Enums whose members auto() numbers: pickles store the numbers."""

from __future__ import annotations

import enum
import importlib.util
import sys
from collections.abc import Callable
from enum import auto as next_number
from pathlib import Path
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


class Renamed(enum.Enum):
    FREE = next_number()


class Annotated(enum.Enum):
    FREE: int = enum.auto()


class Labelled(enum.Enum):
    FREE = enum.auto(), "free of charge"

    def __new__(cls, number: int, label: str) -> Labelled:
        member = object.__new__(cls)
        member._value_ = number
        return member


class Counted(enum.Enum):
    FREE = "free".count("e")
    GOLD = len("gold")


class Described(enum.Enum):
    """Its numbers are stored: nobody may write auto() here."""

    FREE = 1  # was auto()
    GOLD = 2


def within_a_function() -> enum.Enum:
    class Inner(enum.Enum):
        """A text
                at the margin:
        auto()"""

        FREE = enum.auto()

    return Inner.FREE


def with_an_import_of_its_own() -> enum.Enum:
    from enum import auto

    class Local(enum.Enum):
        FREE = auto()

    return Local.FREE


MADE = enum.Enum("MADE", "FREE GOLD")


@pytest.mark.parametrize(
    ("entry", "name"),
    [
        ({"default": Auto.FREE}, "Auto"),
        ({"default": None, "type": Auto}, "Auto"),
        ({"default": [Auto.FREE], "choices": Auto}, "Auto"),
        ({"default": [Auto.FREE]}, "Auto"),
        ({"default": Rights.READ}, "Rights"),
        ({"default": Renamed.FREE}, "Renamed"),
        ({"default": within_a_function()}, "Inner"),
        ({"default": with_an_import_of_its_own()}, "Local"),
        ({"default": Annotated.FREE}, "Annotated"),
        ({"default": Labelled.FREE}, "Labelled"),
        ({"default": [], "choices": [Auto.FREE]}, "Auto"),
        ({"default": Counted.FREE}, None),
        ({"default": Described.FREE}, None),
        ({"default": None, "type": enum.Enum}, None),
        ({"default": Written.FREE}, None),
        ({"default": Named.FREE}, None),
        ({"default": MADE.FREE}, None),  # type: ignore[attr-defined]  # it has no source
        ({"default": 1}, None),
    ],
)
def test_an_enum_that_auto_numbers_is_found(entry: dict[str, Any], name: str | None) -> None:
    assert find_numbered(declare({"PLAN": entry})).get("PLAN") == name


@pytest.mark.parametrize(
    "source", ["<<<<<<< HEAD\nclass Level(Enum):", "(defclass Level [Enum])", "\0"]
)
def test_an_enum_whose_source_is_no_python_is_unknown(tmp_path: Path, source: str) -> None:
    path = tmp_path / "levels.py"
    path.write_text("import enum\n\nclass Level(enum.Enum):\n    LOW = enum.auto()\n")
    spec = importlib.util.spec_from_file_location("levels", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "levels", module)
        spec.loader.exec_module(module)
        path.write_text(source)
        assert find_numbered(declare({"LEVEL": {"default": module.Level.LOW}})) == {}


@pytest.mark.parametrize(("format", "warned"), [("pickle", True), ("json", False)])
def test_the_start_and_check_warn_where_pickles_store_the_numbers(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture, format: str, warned: bool
) -> None:
    app = make_app({"PLAN": {"default": Auto.FREE}}, WAFFLE_SERIALIZER=format)
    output = app.test_cli_runner().invoke(args=["waffle", "check"]).output
    for text in (caplog.text, output):
        assert ("of its Enum Auto, auto() numbers its members" in text) == warned
