"""What is measured: an app with so many settings on a database, and the bare driver beside it.

The driver has a table of its own, with the texts of 0.3.1, whatever format the app stores.
"""

from __future__ import annotations

import base64
import contextlib
import pickle
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Flask
from measure import ROOT, Options, Row, Work, timed

sys.path.insert(0, str(ROOT / "tests" / "support"))

import apps
from writers import on_peewee, on_sqlalchemy

from waffleconf_admin import WaffleConf
from waffleconf_admin.util import serialize

ORMS = {"SQLAlchemy": on_sqlalchemy, "peewee": on_peewee}
JSON = "SQLAlchemy with JSON"  #: the same, and WAFFLE_SERIALIZER is 'json'
HISTORY = "SQLAlchemy with a history"  #: the same, where no end is open
#: With a history, and a model of the workers.
WORKERS = "SQLAlchemy with workers"

#: Gives the value of a setting by its number; another one for each variant.
Values = Callable[[int, int], Any]


def mixed(number: int, variant: int) -> Any:
    """Half scalars, a quarter lists and dicts, a quarter others."""
    n = number + variant
    return (
        f"Some words of text {n}",
        n,
        ["jpg", "png", n],
        date(2026, 1, 1) + timedelta(n),
        n + 0.5,
        variant % 2 == 0,
        {"width": n, "height": 2 * n},
        UUID(int=n),
        f"Other words {n}",
        -n,
        [n, n + 1, n + 2, n + 3],
        Decimal(n) / 4,
        1 / (n + 1),
        f"{n}",
        {"name": f"Name {n}", "sizes": [n, 2 * n]},
        datetime(2026, 1, 1) + timedelta(minutes=n),
    )[number % 16]


def scalars(number: int, variant: int) -> Any:
    n = number + variant
    return (f"Some words of text {n}", n, n + 0.5, variant % 2 == 0)[number % 4]


def encode(value: Any) -> str:
    """The text that 0.3.1 stores, by the standard library alone."""
    return base64.b64encode(pickle.dumps(value, 2)).decode()


def decode(text: str) -> Any:
    return pickle.loads(base64.b64decode(text))


class Raw:
    """A table and one open connection of the database's driver, and nothing above it."""

    def __init__(self, url: str, table: str) -> None:
        self.table = table
        self.mark = "%s" if url.startswith("postgresql") else "?"
        self.connection: Any
        if url.startswith("postgresql"):
            import psycopg

            self.connection = psycopg.connect(url, autocommit=True)
        else:
            path = url.removeprefix("sqlite:///")
            self.connection = sqlite3.connect(path, isolation_level=None)

    def select(self, key: str | None = None) -> list[tuple[str, str]]:
        sql = f"SELECT key, value FROM {self.table}"
        if key is None:
            return self.connection.execute(sql).fetchall()  # type: ignore[no-any-return]
        where = f"{sql} WHERE key = {self.mark}"
        return self.connection.execute(where, [key]).fetchall()  # type: ignore[no-any-return]

    def insert(self, texts: Mapping[str, str]) -> None:
        sql = f"INSERT INTO {self.table} (key, value) VALUES ({self.mark}, {self.mark})"
        self._in_transaction(sql, list(texts.items()))

    def update(self, texts: Mapping[str, str]) -> None:
        sql = f"UPDATE {self.table} SET value = {self.mark} WHERE key = {self.mark}"
        self._in_transaction(sql, [(text, key) for key, text in texts.items()])

    def delete(self) -> None:
        self.connection.execute(f"DELETE FROM {self.table}")

    def _in_transaction(self, sql: str, parameters: list[tuple[str, str]]) -> None:
        self.connection.execute("BEGIN")
        self.connection.cursor().executemany(sql, parameters)
        self.connection.execute("COMMIT")


class Subject:
    """An app whose settings all have a row, within its application context.

    Nothing is loaded, and nothing will be before somebody asks.

    :param name: one of ORMS, JSON, HISTORY or WORKERS.
    """

    def __init__(
        self, name: str, url: str, count: int, values: Values, stack: contextlib.ExitStack
    ) -> None:
        self.name, self.url = name, url
        self.keys = [f"SETTING_{number}" for number in range(count)]
        self.values = values
        self.app = Flask("benchmark")
        self.app.config["SQLALCHEMY_DATABASE_URI"] = url
        self.app.config["WAFFLE_AUTOLOAD"] = False
        self.app.config["WAFFLE_CONFS"] = {
            key: {"desc": f"Setting {key}", "default": value}
            for key, value in self.variant(0).items()
        }
        self.format: dict[str, Any] = {}
        if name == JSON:
            self.app.config["WAFFLE_SERIALIZER"] = self.format["format"] = "json"
        self.raw, self.floor = Raw(url, "confs"), Raw(url, "floors")
        for raw in (self.raw, self.floor):
            stack.callback(raw.connection.close)
            raw.connection.execute(f"DROP TABLE IF EXISTS {raw.table}")
        self.floor.connection.execute(
            "CREATE TABLE floors (key VARCHAR(255) PRIMARY KEY, value TEXT)"
        )
        if name in (HISTORY, WORKERS):
            make, workers = apps.ORMS["sqlalchemy"], name == WORKERS
            _, _, store = make(self.app, url, True, True, stack, workers=workers)
        else:
            store = ORMS["peewee" if name == "peewee" else "SQLAlchemy"](self.app, url, True, stack)
        WaffleConf(self.app, store)
        self.state = self.app.extensions["waffleconf"]
        self.raw.insert(self.texts(self.variant(1)))
        self.floor.insert({key: encode(value) for key, value in self.variant(1).items()})
        stack.callback(self.state.stop)
        stack.enter_context(self.app.app_context())

    def variant(self, variant: int) -> dict[str, Any]:
        """A value for each setting; those of two variants differ."""
        return {key: self.values(number, variant) for number, key in enumerate(self.keys)}

    def texts(self, values: Mapping[str, object]) -> dict[str, str]:
        """What the app would store."""
        return {key: serialize(value, **self.format) for key, value in values.items()}


@contextlib.contextmanager
def subject(name: str, url: str, count: int, values: Values = mixed) -> Iterator[Subject]:
    """A subject on a database of its own.

    :param name: one of ORMS, JSON, HISTORY or WORKERS.
    :param url: that of a server, or empty: a new SQLite file.
    """
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        yield Subject(name, url or f"sqlite:///{Path(folder) / 'db'}", count, values, stack)


def rows(
    benchmark: str,
    works: Callable[[Subject], Iterable[Work]],
    options: Options,
    values: Values = mixed,
    names: Iterable[str] = (*ORMS, JSON),
) -> Iterator[Row]:
    """Time works with each ORM, on each database, for each number of settings.

    On SQLite all is done in this process, so its processor time is measured; a server's work is
    seen in time on the wall only.
    """
    for database, url in options.databases.items():
        clock = time.perf_counter if url else time.process_time
        for name in names:
            who = f"{name}, {database}"
            for count in options.sizes:
                with subject(name, url, count, values) as measured:
                    for work in works(measured):
                        yield timed(benchmark, work, who, count, options.seconds, clock)
