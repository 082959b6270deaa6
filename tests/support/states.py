"""One app's settings and the statements that they take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from waffleconf_admin import (
    StoreError,
    WaffleStore,
)
from waffleconf_admin.codec import serialize
from waffleconf_admin.contexts import quiet_context
from waffleconf_admin.state.state import State

MakeApp = Callable[..., Flask]


CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"desc": "Name of the site", "default": "Waffle"},
    "MAX_FILESIZE": {"desc": "Max upload filesize (in bytes)", "default": 1000},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18]}},
    "TOKEN": {"desc": "A secret", "default": "", "secret": True},
}


VALUES = {key: entry["default"] for key, entry in CONFS.items()}


def state_of(app: Flask) -> State:
    state: State = app.extensions["waffleconf"]
    return state


def rows(app: Flask) -> dict[str, str]:
    """The stored texts, read past the extension."""
    with quiet_context(app):
        store = state_of(app).configstore
        records = [store.get(key) for key in CONFS]
        return {r.get_key(): r.get_value() for r in records if r is not None}


def put(app: Flask, key: str, text: str) -> None:
    """Write a row past the extension."""
    with quiet_context(app):
        store = state_of(app).configstore
        store.put(key, text)
        store.commit()


def execute(app: Flask, sql: str) -> None:
    """Execute a statement past the extension."""
    db = app.waffle_db  # type: ignore[attr-defined]
    with quiet_context(app):
        if hasattr(db, "session"):
            db.session.execute(sa.text(sql))
            db.session.commit()
        else:
            db.execute_sql(sql)


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL that reaches the database; "COMMIT" for each commit of a write."""
    seen: list[str] = []
    db = app.waffle_db  # type: ignore[attr-defined]
    if hasattr(db, "session"):
        with app.app_context():
            engine = db.engine

        def execute(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        def commit(_c: Any) -> None:
            seen.append("COMMIT")

        sa.event.listen(engine, "before_cursor_execute", execute)
        sa.event.listen(engine, "commit", commit)
        yield seen
        sa.event.remove(engine, "before_cursor_execute", execute)
        sa.event.remove(engine, "commit", commit)
        return

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(str(record.msg[0] if isinstance(record.msg, tuple) else record.msg))

    logger, listener = logging.getLogger("peewee"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield seen
    logger.removeHandler(listener)
    logger.setLevel(level)


def kinds(seen: list[str]) -> list[str]:
    """What was done, without how transactions are opened: SELECT, INSERT, UPDATE, DELETE."""
    words = [statement.split()[0].upper() for statement in seen]
    return [word for word in words if word in ("SELECT", "INSERT", "UPDATE", "DELETE")]


def commits(seen: list[str]) -> int:
    return [statement.split()[0].upper() for statement in seen].count("COMMIT")


def away(*arguments: Any) -> Any:
    raise StoreError("the database is away")


def overtake(app: Flask, key: str, value: Any) -> None:
    """Between the next save's reading and its writing, somebody else saves."""
    store = state_of(app).configstore
    swap = store.swap

    def overtaken(*arguments: Any) -> bool:
        del store.swap  # type: ignore[method-assign]
        put(app, key, serialize(value))
        return swap(*arguments)

    store.swap = overtaken  # type: ignore[method-assign]


class Memory(WaffleStore):
    """All that 0.3.1 asked of a store."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Any] = {}

    def commit(self) -> None:
        pass

    def get(self, key: str) -> Any:
        return self.kept.get(key)

    def put(self, key: str, value: str) -> Any:
        record = self.kept[key] = Record(key, value)
        return record

    def delete(self, key: str) -> Any:
        return self.kept.pop(key, None)


class Record:
    def __init__(self, key: str, value: str) -> None:
        self.key, self.value = key, value

    def get_key(self) -> str:
        return self.key

    def get_value(self) -> str:
        return self.value
