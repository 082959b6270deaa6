"""The signal conf_changed."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, current_app
from states import CONFS, MakeApp, put, state_of

from waffleconf_admin import (
    conf_changed,
)
from waffleconf_admin.codec import serialize
from waffleconf_admin.state.state import State


def test_receivers_hear_of_saves_and_reloads(app: Flask, state: State) -> None:
    state.update_conf()
    received: list[Any] = []

    def receiver(sender: Any, changes: Any, origin: str, **_: Any) -> None:
        assert current_app._get_current_object() is app  # type: ignore[attr-defined]
        received.append((sender, changes, origin))

    with conf_changed.connected_to(receiver, app):
        state.update_db({"SITENAME": "A"})
        state.update_db({"SITENAME": "A"})
        put(app, "MAX_FILESIZE", serialize(7))
        state.update_conf()
        state.reset(["SITENAME"])
    assert received == [
        (app, {"SITENAME": ("Waffle", "A")}, "local"),
        (app, {"MAX_FILESIZE": (1000, 7)}, "remote"),
        (app, {"SITENAME": ("A", "Waffle")}, "local"),
    ]


def test_receivers_hear_of_what_a_save_found_changed_too(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=lambda values: {})  # so that it reads all settings
    state = state_of(app)
    state.update_conf()
    put(app, "MAX_FILESIZE", serialize(7))
    received: list[Any] = []

    def receiver(sender: Any, changes: Any, origin: str, **_: Any) -> None:
        received.append((changes, origin))

    with conf_changed.connected_to(receiver, app):
        state.update_db({"SITENAME": "A"})
    assert received == [
        ({"SITENAME": ("Waffle", "A")}, "local"),
        ({"MAX_FILESIZE": (1000, 7)}, "remote"),
    ]


def test_a_muted_signal_is_not_sent(app: Flask, state: State) -> None:
    received: list[Any] = []

    def receiver(sender: Any, **_: Any) -> None:
        received.append(sender)

    with conf_changed.connected_to(receiver, app), conf_changed.muted():
        state.update_db({"SITENAME": "A"})
    assert received == []


def test_a_receiver_that_fails_neither_stops_a_save_nor_the_next_receiver(
    app: Flask, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    received = []

    def broken(sender: Any, **_: Any) -> None:
        raise ZeroDivisionError

    def fine(sender: Any, **_: Any) -> None:
        received.append(sender)

    with conf_changed.connected_to(broken, app), conf_changed.connected_to(fine, app):
        assert state.update_db({"SITENAME": "A"}) == {"SITENAME": "A"}
    assert received == [app]
    assert "A receiver of conf_changed failed" in caplog.text
