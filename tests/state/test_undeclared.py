"""Rows of keys that the app does not declare."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from waffleconf_admin import InvalidValue, StoreError, WaffleConf, WaffleStore
from waffleconf_admin.state.task import Origin

CONFS: dict[str, Any] = {"A": {"default": 1}, "B": {"default": 1}}
ANA = Origin("ana", "gone", "cli")


@pytest.fixture(params=["sqlalchemy", "peewee", "sqlalchemy postgres", "peewee mariadb"])
def state(
    request: pytest.FixtureRequest,
    make_app: Callable[..., Flask],
    server_url: Callable[[str], str],
) -> Any:
    orm, _, database = request.param.partition(" ")
    url = server_url(database) if database else None
    app = make_app(CONFS, orm=orm, url=url, history=True, WAFFLE_STORE_DEFAULTS=False)
    state = app.extensions["waffleconf"]
    state.update_db({"A": 2, "B": 2})
    app.config["WAFFLE_CONFS"] = {"B": CONFS["B"]}
    return state


def declare_again(state: Any) -> Any:
    state.app.config["WAFFLE_CONFS"] = CONFS
    return state


def test_they_are_listed(state: Any) -> None:
    assert state.undeclared.list_keys() == ["A"]
    assert declare_again(state).undeclared.list_keys() == []


def test_they_are_deleted_by_name(state: Any) -> None:
    assert state.undeclared.delete(["A", "C", "A", "\0"], ANA) == ["A"]
    assert state.undeclared.list_keys() == []
    assert state.undeclared.delete(["A"], ANA) == []


def test_what_is_declared_is_not_deleted(state: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        state.undeclared.delete(["A", "B"], ANA)
    assert [*caught.value.errors] == ["B"]
    assert state.undeclared.list_keys() == ["A"]


def test_a_value_that_the_history_has_can_come_back(state: Any) -> None:
    state.undeclared.delete(["A"], ANA)
    (change, *_) = declare_again(state).history.list("A")
    assert (change.old, change.new, change.actor, change.note) == (2, None, "ana", "gone")
    assert state.history.undo(change.change_set) == {"A": 2}


def test_a_value_that_may_have_been_a_secret_is_not_in_the_history(state: Any) -> None:
    state.app.config["WAFFLE_CONFS"] = {"A": {"default": 1, "secret": True}}
    state.update_db({"A": 7})
    state.app.config["WAFFLE_CONFS"] = {"B": CONFS["B"]}
    state.undeclared.delete(["A"], ANA)
    row = state._repository.history.read_latest(["A"])[0]
    assert (row.old, row.new, row.actor) == (None, None, "ana")


def test_a_row_that_others_write_meanwhile_is_deleted_as_they_left_it(
    state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = state._repository
    read, texts = repository.read_fresh, iter(["x", "y"])

    def read_then_write(keys: list[str]) -> Any:
        found = read(keys)
        for text in texts:
            with state.app.app_context():
                state.configstore.put("A", text)
                state.configstore.commit()
            break
        return found

    monkeypatch.setattr(repository, "read_fresh", read_then_write)
    assert state.undeclared.delete(["A"], ANA) == ["A"]
    assert state.undeclared.list_keys() == []


class Rows(dict[str, str], WaffleStore):
    """A store of the four documented methods."""

    needs_model = False

    def __init__(self) -> None:
        WaffleStore.__init__(self)

    def commit(self) -> None: ...

    def delete(self, key: str) -> object:
        return self.pop(key, None)

    def put(self, key: str, value: str) -> object:
        self[key] = value
        return value


def test_a_store_that_cannot_list_its_keys_says_so() -> None:
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    WaffleConf(app, Rows())
    with pytest.raises(StoreError, match="can't list its keys"):
        app.extensions["waffleconf"].undeclared.list_keys()
