"""A table's collation may ignore case: a save compares texts and keys byte by byte all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import sqlalchemy as sa
from apps import connect_peewee
from sqlalchemy import orm as sqlalchemy_orm
from sqlalchemy.engine import make_url

from waffleconf_admin.store import AlchemyWaffleStore, PeeweeWaffleStore, WaffleStore

#: The settings in a table whose columns ignore case, without a unique index; or add blanks.
TABLES = {
    "sqlite": [
        "CREATE TABLE confs (id INTEGER PRIMARY KEY, key VARCHAR(255) COLLATE NOCASE,"
        " value TEXT COLLATE NOCASE)"
    ],
    "postgres": [
        "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2',"
        " deterministic = false)",
        "CREATE TABLE confs (id SERIAL PRIMARY KEY, key VARCHAR(255) COLLATE caseless,"
        " value TEXT COLLATE caseless)",
    ],
    "citext": [
        "CREATE EXTENSION IF NOT EXISTS citext",
        "CREATE TABLE confs (id SERIAL PRIMARY KEY, key CITEXT, value CITEXT)",
    ],
    "char": ["CREATE TABLE confs (id SERIAL PRIMARY KEY, key VARCHAR(255), value CHAR(100))"],
}
CASELESS = [name for name in TABLES if name != "char"]


@pytest.fixture(params=CASELESS)
def url(
    request: pytest.FixtureRequest, tmp_path: Path, server_url: Callable[[str], str]
) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/test.db"
    if request.param != "sqlite":
        url = server_url("postgres")
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        for statement in TABLES[request.param]:
            connection.exec_driver_sql(statement)
    yield url
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE confs")
        if request.param == "postgres":
            connection.exec_driver_sql("DROP COLLATION caseless")
    engine.dispose()


@pytest.fixture
def store(url: str, orm: str) -> Iterator[WaffleStore]:
    with ExitStack() as stack:
        if orm == "peewee":
            scheme = "psycopg3" if url.startswith("postgresql") else "sqlite"
            made = make_url(url).set(drivername=scheme)
            database = connect_peewee(made.render_as_string(hide_password=False))
            stack.callback(database.close)
            conf, _ = PeeweeWaffleStore.make_models(database)
            yield PeeweeWaffleStore(database, conf)
        else:
            engine = sa.create_engine(url)
            stack.callback(engine.dispose)
            conf, _ = AlchemyWaffleStore.make_models(sqlalchemy_orm.declarative_base())
            session = sqlalchemy_orm.scoped_session(sqlalchemy_orm.sessionmaker(engine))
            stack.callback(session.remove)
            yield AlchemyWaffleStore(session, conf)


@pytest.mark.parametrize("new", ["new", None])
def test_a_text_that_was_changed_in_case_only_is_not_overwritten(
    store: WaffleStore, new: str | None
) -> None:
    store.swap({"A": (None, "gAJLGi4=")})
    assert store.swap({"A": ("gAJLGi4=", "gAJLgi4=")})
    assert not store.swap({"A": ("gAJLGi4=", new)})
    assert store.read(["A"]) == [("A", "gAJLgi4=")]


@pytest.mark.parametrize("new", ["new", None])
def test_a_row_whose_key_differs_in_case_only_is_left_alone(
    store: WaffleStore, new: str | None
) -> None:
    assert store.swap({"A": (None, "text")})
    assert store.swap({"a": (None, "text")})
    assert store.swap({"A": ("text", new)})
    assert store.read(["a"]) == [("a", "text")]


@pytest.mark.parametrize("new", ["new", None])
def test_a_text_that_was_changed_in_blanks_only_is_not_overwritten(
    store: WaffleStore, new: str | None
) -> None:
    store.swap({"A": (None, "text")})
    assert store.swap({"A": ("text", "text ")})
    assert not store.swap({"A": ("text", new)})
    assert store.read(["A"]) == [("A", "text ")]


@pytest.mark.parametrize("url", ["char"], indirect=True)
def test_a_text_that_its_column_fills_with_blanks_is_overwritten(store: WaffleStore) -> None:
    store.swap({"A": (None, "text")})
    [(_, text)] = store.read(["A"])
    assert text != "text"
    assert store.swap({"A": (text, "new")})
