"""Poolers share connections, so what a save or a load sets on one ends with its transaction."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from playhouse.db_url import connect
from sqlalchemy import orm
from sqlalchemy.engine import make_url

from waffleconf_admin.store import AlchemyWaffleStore, PeeweeWaffleStore, WaffleStore

#: A store, its connections that nobody uses, and a transaction of the caller's on its database.
Place = tuple[WaffleStore, Callable[[], list[Any]], Callable[[], Any]]


def on_sqlalchemy(stack: ExitStack, url: str, **options: Any) -> Place:
    engine, idle = sa.create_engine(url, **options), dict[int, Any]()
    session = orm.scoped_session(orm.sessionmaker(engine))
    base = orm.declarative_base()
    models = AlchemyWaffleStore.make_models(base)
    base.metadata.create_all(engine)

    @sa.event.listens_for(engine, "checkin")
    def checkin(raw: Any, _record: Any) -> None:
        idle[id(raw)] = raw

    @sa.event.listens_for(engine, "detach")
    def detach(raw: Any, _record: Any) -> None:
        idle.pop(id(raw), None)

    stack.callback(engine.dispose)
    stack.callback(session.remove)
    store = AlchemyWaffleStore(session, models[0], models[1])
    return store, lambda: list(idle.values()), lambda: session.execute(sa.text("SELECT 1"))


def on_autocommit(stack: ExitStack, url: str) -> Place:
    return on_sqlalchemy(stack, url, isolation_level="AUTOCOMMIT")


def on_peewee(stack: ExitStack, url: str) -> Place:
    scheme, rest = url.split(":", 1)
    scheme = {"mysql+pymysql": "mysql", "postgresql+psycopg": "postgresql"}.get(scheme, scheme)
    database = connect(f"{scheme}+pool:{rest}")
    models = PeeweeWaffleStore.make_models(database)
    with database.connection_context():
        database.create_tables(models)
    stack.callback(database.close_all)

    def begin() -> None:
        database.connect()
        stack.callback(database.close)
        stack.enter_context(database.atomic())
        database.execute_sql("SELECT 1")

    store = PeeweeWaffleStore(database, *models)
    return store, lambda: [entry[-1] for entry in database._connections], begin


ACTIONS: dict[str, Callable[[WaffleStore], Any]] = {
    "save": lambda store: store.swap({"A": (None, "a")}),
    "save decided by an absent row": lambda store: store.swap({"A": ("a", "b"), "B": (None, None)}),
    "prune": lambda store: store.prune_history(datetime.now(UTC), 10),
    "first load": lambda store: store.read_promptly(["A"]),
    "read": lambda store: store.read_fresh(["A"]),
}
ASK = {
    "sqlite": ["PRAGMA busy_timeout"],
    "postgresql": ["SHOW lock_timeout", "SHOW default_transaction_isolation"],
    "mysql": [
        "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout, "
        "@@SESSION.tx_isolation"
    ],
}


def session_settings(raw: Any, statements: list[str]) -> list[Any]:
    found = []
    with closing(raw.cursor()) as cursor:
        for statement in statements:
            cursor.execute(statement)
            found.append(tuple(cursor.fetchone()))
    raw.rollback()  # the pool gets it back without a transaction
    return found


@pytest.fixture(params=["file", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, server_url: Callable[[str], str], tmp_path: Path) -> str:
    if request.param == "file":
        return f"sqlite:///{tmp_path}/test.db"
    return server_url(request.param)


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a transaction"])
@pytest.mark.parametrize("place", [on_sqlalchemy, on_autocommit, on_peewee])
def test_a_pooled_connection_is_returned_as_it_was(
    url: str, beside: bool, place: Callable[..., Place]
) -> None:
    url = url.replace("postgresql:", "postgresql+psycopg:")
    statements = ASK[make_url(url).get_backend_name()]
    with ExitStack() as stack:
        fresh = sa.create_engine(url)
        with fresh.connect() as connection:
            before = session_settings(connection.connection.dbapi_connection, statements)
        fresh.dispose()
        store, idle, begin = place(stack, url)
        if beside:
            begin()
        for action, work in ACTIONS.items():
            work(store)
            for raw in idle():
                assert session_settings(raw, statements) == before, action


@pytest.fixture
def pooled(pgbouncer: str, server_url: Callable[[str], str]) -> str:
    url = make_url(pgbouncer).set(database=make_url(server_url("postgres")).database)
    return url.set(drivername="postgresql+psycopg").render_as_string()


@pytest.mark.parametrize("beside", [False, True], ids=["alone", "beside a transaction"])
@pytest.mark.parametrize("place", [on_sqlalchemy, on_autocommit, on_peewee])
def test_another_program_behind_the_same_pgbouncer_has_its_own_settings(
    pooled: str, beside: bool, place: Callable[..., Place]
) -> None:
    statements = ASK["postgresql"]
    with ExitStack() as stack:
        store, _, begin = place(stack, pooled)
        if beside:
            begin()
        for work in ACTIONS.values():
            work(store)
    direct = pooled.replace("+psycopg", "")
    with (
        psycopg.connect(direct) as one,
        psycopg.connect(direct) as other,
    ):  # both of its connections
        for connection in (one, other):
            assert session_settings(connection, statements) == [("0",), ("read committed",)]
