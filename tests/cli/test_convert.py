"""flask waffle convert: all stored texts in one format, the history's too, or none."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from click.testing import Result
from every_type import CONFS as EVERY_CONF
from flask import Flask
from states import put, state_of

from waffleconf_admin import StoreError
from waffleconf_admin.codec import FORMATS, Format, format_of, serialize
from waffleconf_admin.codec import texts as codec_texts
from waffleconf_admin.settings.equality import same

MakeApp = Callable[..., Flask]


class Theme(enum.Enum):
    LIGHT = "light"
    DARK = "dark"


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and self.x == other.x

    __hash__ = None  # type: ignore[assignment]


CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle"},
    "THEME": {"default": Theme.LIGHT},
    "PRICES": {"default": {}},
    "SINCE": {"default": date(2026, 1, 1)},
    "TOKEN": {"default": "", "secret": True},
}
SAVES: list[dict[str, Any]] = [
    {"SITENAME": "Crêperie", "THEME": Theme.DARK, "TOKEN": "hunter2"},
    {"PRICES": {"crêpe": Decimal("4.50"), "sizes": (1, 2)}, "SITENAME": "Crêperie du Port"},
    {"SINCE": date(2026, 2, 1)},
]
OTHER: dict[Format, Format] = {"json": "pickle", "pickle": "json"}

formats = pytest.mark.parametrize("format", FORMATS)


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["waffle", "convert", *args])


def texts(app: Flask) -> dict[str, str]:
    return {key: rec.text for key, rec in state_of(app).read().items() if rec.text is not None}


def changes(app: Flask) -> list[Any]:
    history = state_of(app).history
    assert history is not None
    return history.list(limit=1000)


def formats_of(app: Flask) -> set[str]:
    """Those of all stored texts, and of all texts of the history."""
    found = list(texts(app).values())
    found += [
        text for change in changes(app) for text in (change.old_text, change.new_text) if text
    ]
    return {format_of(text) for text in found}


def saved(make_app: MakeApp, orm: str, format: Format, confs: Any = CONFS, **options: Any) -> Flask:
    """An app that has saved its settings in a format."""
    app = make_app(confs, orm, history=True, WAFFLE_SERIALIZER=format, **options)
    for values in SAVES if confs is CONFS else ():
        state_of(app).update_db(values, actor="ana")
    return app


@formats
def test_texts_and_their_history_are_converted_and_values_stay(
    make_app: MakeApp, orm: str, format: Format
) -> None:
    app = saved(make_app, orm, OTHER[format])
    values, before = state_of(app).parse_conf(), changes(app)
    assert formats_of(app) == {OTHER[format]}
    shown = run(app, format)
    assert (shown.exit_code, formats_of(app)) == (2, {OTHER[format]})
    assert shown.stdout == f"5 settings, 5 changes to convert to {format}.\n"
    assert f"flask waffle convert {format} --apply" in shown.stderr
    done = run(app, format, "--apply")
    assert (done.exit_code, formats_of(app)) == (0, {format})
    assert done.stdout == f"5 settings, 5 changes converted to {format}.\n"
    assert same(state_of(app).parse_conf(), values)
    after = changes(app)
    for one, other in zip(before, after, strict=True):
        assert (one.id, one.actor, one.at, one.note) == (
            other.id,
            other.actor,
            other.at,
            other.note,
        )
        assert same((one.old, one.new), (other.old, other.new))
    again = run(app, format, "--apply")
    assert (again.exit_code, again.stdout) == (0, "")
    assert f"There is nothing to convert to {format}.\n" in again.stderr


@formats
def test_a_save_is_undone_after_the_conversion(make_app: MakeApp, orm: str, format: Format) -> None:
    app = saved(make_app, orm, OTHER[format])
    run(app, format, "--apply")
    state = state_of(app)
    assert state.history is not None
    last = next(change for change in changes(app) if change.key == "PRICES")
    state.history.undo(last.change_set)
    assert state.parse_conf(["PRICES", "SITENAME"]) == {"PRICES": {}, "SITENAME": "Crêperie"}


@formats
def test_every_type_of_value_is_converted(make_app: MakeApp, orm: str, format: Format) -> None:
    app = saved(make_app, orm, OTHER[format], EVERY_CONF, WAFFLE_STORE_DEFAULTS=True)
    values = state_of(app).parse_conf()
    assert run(app, format, "--apply").exit_code == 0
    assert formats_of(app) == {format}
    assert same(state_of(app).parse_conf(), values)


def test_what_cannot_be_converted_is_named_and_left(make_app: MakeApp, orm: str) -> None:
    confs = CONFS | {"AT": {"default": Point(1)}, "BROKEN": {"default": 1}}
    app = saved(make_app, orm, "pickle", confs)
    state_of(app).update_db({"AT": Point(5), "SITENAME": "Port"})
    state_of(app).update_db({"AT": Point(6)})
    put(app, "BROKEN", "gAR!")
    for arguments in (["json"], ["json", "--apply"], ["json", "--apply"]):
        result = run(app, *arguments)
        assert result.exit_code == 2
        assert "AT is left as it is: JSON can't hold a value of type Point" in result.stdout
        assert "BROKEN is left as it is: the stored text is not base64" in result.stdout
        assert "SITENAME" not in result.stdout
    now = {key: format_of(text) for key, text in texts(app).items()}
    assert now == {"SITENAME": "json", "AT": "pickle", "BROKEN": "pickle"}
    assert texts(app)["BROKEN"] == "gAR!"
    assert state_of(app).parse_conf(["AT"]) == {"AT": Point(6)}


def test_a_text_that_would_be_too_long_to_be_read_is_left(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}}, WAFFLE_SERIALIZER="json")
    state_of(app).update_db({"SITENAME": "é" * 900})  # a byte more each as a pickle, and base64
    monkeypatch.setattr(codec_texts, "MAX_TEXT", 1000)
    answer = run(app, "pickle", "--apply")
    assert answer.exit_code == 2 and "longer than 1000 characters" in answer.stdout
    assert {format_of(text) for text in texts(app).values()} == {"json"}


def test_it_says_when_the_app_saves_in_the_other_format(make_app: MakeApp) -> None:
    app = saved(make_app, "sqlalchemy", "pickle")
    assert "WAFFLE_SERIALIZER = 'json'" in run(app, "json").stderr
    assert "WAFFLE_SERIALIZER" not in run(app, "pickle").stderr


def test_an_unknown_format_is_an_error(make_app: MakeApp) -> None:
    result = run(make_app(CONFS), "yaml")
    assert result.exit_code == 1 and "'pickle', 'json'" in result.stderr


def test_a_typed_secret_still_has_a_text_like_no_other(make_app: MakeApp, orm: str) -> None:
    """Otherwise a guess of the default would be confirmed: the page would show it as unmodified."""
    app = saved(make_app, orm, "pickle")
    state = state_of(app)
    state.update_db({"TOKEN": ""}, source="page")
    run(app, "json", "--apply")
    assert texts(app)["TOKEN"] != serialize("", format="json")
    assert texts(app)["TOKEN"].strip() == serialize("", format="json")


def test_nothing_is_converted_when_the_history_cannot_be(
    make_app: MakeApp, orm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = saved(make_app, orm, "pickle")
    history = state_of(app).configstore._history  # type: ignore[attr-defined]

    def fail(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(history, "rewrite", fail)
    result = run(app, "json", "--apply")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the disk is full" in result.stderr
    assert formats_of(app) == {"pickle"}


def test_a_save_that_comes_first_is_not_lost(
    make_app: MakeApp, orm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = saved(make_app, orm, "pickle")
    store = state_of(app).configstore
    rewrite = store.rewrite

    def overtaken(*arguments: Any) -> bool:
        monkeypatch.undo()
        state_of(app).update_db({"SITENAME": "newer"})
        return rewrite(*arguments)

    monkeypatch.setattr(store, "rewrite", overtaken)
    assert run(app, "json", "--apply").exit_code == 0
    assert state_of(app).parse_conf(["SITENAME"]) == {"SITENAME": "newer"}
    assert formats_of(app) == {"json"}


def test_workers_of_both_settings_share_the_table(make_app: MakeApp, orm: str) -> None:
    """During a conversion each reads, compares and overwrites what the other has saved."""
    old = saved(make_app, orm, "pickle")
    new = make_app(CONFS, orm, history=True, WAFFLE_SERIALIZER="json")
    for number, app in enumerate([new, old, new, new, old]):
        other = old if app is new else new
        state = state_of(app)
        seen = state.parse_conf(["SITENAME"])
        assert state.update_db({"SITENAME": f"name {number}"}, expected=seen)
        assert format_of(texts(app)["SITENAME"]) == app.config["WAFFLE_SERIALIZER"]
        assert not state_of(other).update_db({"SITENAME": f"name {number}"})  # it has this value
        assert state_of(other).update_conf() and other.config["SITENAME"] == f"name {number}"
        if number == 2:
            assert run(new, "json", "--apply").exit_code == 0
    history = state_of(old).history
    assert history is not None
    assert [change.new for change in history.list("SITENAME", limit=3)] == [
        "name 4", "name 3", "name 2",
    ]  # fmt: skip
    assert history.undo(changes(old)[0].change_set) == {"SITENAME": "name 3"}


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_it_works_on_servers(
    make_app: MakeApp, orm: str, database: str, request: pytest.FixtureRequest
) -> None:
    app = saved(make_app, orm, "pickle", url=request.getfixturevalue(f"{database}_url"))
    values = state_of(app).parse_conf()
    for format in ("json", "pickle"):
        assert run(app, format, "--apply").exit_code == 0
        assert formats_of(app) == {format}
        assert same(state_of(app).parse_conf(), values)
