"""WAFFLE_SERIALIZER: an app saves in one format, and reads both."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from flask import Flask
from states import CONFS, put, rows, state_of, statements

from waffleconf_admin import InvalidValue, build_form
from waffleconf_admin.codec import FORMATS, Format, deserialize, format_of, serialize

MakeApp = Callable[..., Flask]

formats = pytest.mark.parametrize("format", FORMATS)


class Pair(NamedTuple):
    a: int
    b: int


class Theme(enum.Enum):
    DARK = "dark"


@formats
def test_an_app_writes_its_format_and_reads_both(
    make_app: MakeApp, orm: str, format: Format
) -> None:
    app = make_app(CONFS, orm, WAFFLE_SERIALIZER=format)
    for other in FORMATS:
        put(app, "SITENAME", serialize(f"of {other}", format=other))
        assert state_of(app).parse_conf(["SITENAME"]) == {"SITENAME": f"of {other}"}
        assert state_of(app).update_db({"SITENAME": other}, expected={"SITENAME": f"of {other}"})
        assert format_of(rows(app)["SITENAME"]) == format


@formats
def test_an_equal_value_in_the_other_format_is_not_written_again(
    make_app: MakeApp, orm: str, format: Format
) -> None:
    app = make_app(CONFS, orm, WAFFLE_SERIALIZER=format, WAFFLE_STORE_DEFAULTS=False)
    for other in FORMATS:
        text = serialize({"mon": [8, 12]}, format=other)
        put(app, "HOURS", text)
        assert state_of(app).update_db({"HOURS": {"mon": [8, 12]}}) == {}
        assert rows(app)["HOURS"] == text


@pytest.mark.parametrize(
    ("value", "remedy"),
    [
        (Pair(1, 2), "JSON can't hold a value of type Pair: use a dict or a list, or set WAFFLE_S"),
        ({"a": [Pair(1, 2)]}, "JSON can't hold a value of type Pair: "),
        (Theme.DARK, r"Theme is not allowed; nothing was saved. To allow it: WAFFLE_CLASSES = \["),
        ([Theme.DARK], r"WAFFLE_CLASSES = \[Theme\]"),
    ],
    ids=repr,
)
def test_what_json_cannot_hold_is_refused_at_the_save(
    make_app: MakeApp, orm: str, value: object, remedy: str
) -> None:
    app = make_app({"ANY": {"default": None}, "N": {"default": 1}}, orm, WAFFLE_SERIALIZER="json")
    with statements(app) as seen, pytest.raises(InvalidValue, match=remedy) as caught:
        state_of(app).update_db({"ANY": value, "N": 2})
    assert list(caught.value.errors) == ["ANY"]
    assert "nothing was saved" in str(caught.value)
    assert not [statement for statement in seen if statement.startswith(("INSERT", "UPDATE"))]
    with pytest.raises(InvalidValue, match="pickle"):
        state_of(app).update_db({"ANY": {Pair(1, 2)}})


@formats
def test_a_typed_secret_is_always_written(make_app: MakeApp, orm: str, format: Format) -> None:
    app = make_app(CONFS, orm, WAFFLE_SERIALIZER=format)
    texts = set()
    for _ in range(3):
        assert state_of(app).update_db({"TOKEN": "hunter2"}, source="page") == {"TOKEN": "hunter2"}
        texts.add(rows(app)["TOKEN"])
    assert len(texts) == 3
    assert {deserialize(text) for text in texts} == {"hunter2"}


@formats
@pytest.mark.parametrize("source", ["code", "page"])
def test_a_secret_that_somebody_has_typed_differs_from_its_default(
    make_app: MakeApp, orm: str, format: Format, source: str
) -> None:
    confs: dict[str, Any] = {"TOKEN": {"default": "none", "secret": True}}
    app = make_app(confs, orm, WAFFLE_SERIALIZER=format)
    state = state_of(app)
    state.update_db({"TOKEN": "none"}, source=source)  # its default
    assert format_of(state.read()["TOKEN"].text or "") == format
    with app.test_request_context():
        (field,) = build_form(state)
    assert field.differs == (source == "page")
