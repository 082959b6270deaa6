"""The first load: it waits for no lock, leaves no connection open and configures no mapper."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.engine import make_url
from sqlalchemy.ext.declarative import DeferredReflection
from store_cases import Case, open_case, wait_until

from waffleconf_admin.exceptions import BusyError, NotReadyError
from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store import AlchemyWaffleStore, PeeweeWaffleStore

SETUPS = ["scoped_session", "autocommit", "peewee", "pool behind a proxy"]
DATABASES = ["file", "postgres", "mariadb"]


@pytest.fixture
def url(database: str, server_url: Callable[[str], str], tmp_path: Path) -> str:
    if database == "file":
        return f"sqlite:///{tmp_path}/test.db?timeout=600"
    return server_url(database)


@pytest.fixture(params=SETUPS)
def case(request: pytest.FixtureRequest, database: str, url: str) -> Iterator[Case]:
    with ExitStack() as stack:
        case = open_case(stack, request.param, database, url)
        case.store.swap({"A": (None, "a")})
        yield case


@pytest.fixture
def connect(url: str) -> Iterator[Callable[[], sa.Connection]]:
    """A function that makes a connection of somebody else's."""
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(engine.connect())
    engine.dispose()


# Locks

HOLD = {
    "file": ["BEGIN EXCLUSIVE"],
    "postgres": ["BEGIN", "LOCK TABLE confs IN ACCESS EXCLUSIVE MODE"],
    "mariadb": ["LOCK TABLES confs WRITE"],
}
FREE = {"file": "ROLLBACK", "postgres": "ROLLBACK", "mariadb": "UNLOCK TABLES"}


def read(case: Case) -> Any:
    """Read in a thread; fails, instead of waiting for ever, if a lock is waited for."""
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(case.store.read_promptly, ["A"]).result(20)


@pytest.mark.parametrize("database", DATABASES)
def test_a_lock_is_not_waited_for(case: Case, database: str, connect: Any) -> None:
    other = connect()
    for statement in HOLD[database]:
        other.exec_driver_sql(statement)
    try:
        with pytest.raises(BusyError):
            read(case)
    finally:
        other.exec_driver_sql(FREE[database])
    assert read(case) == [("A", "a")]


@pytest.mark.parametrize("database", ["mariadb"])
def test_a_migration_that_waits_for_others_is_not_waited_for(case: Case, connect: Any) -> None:
    reader, migration, watch = connect(), connect(), connect()
    reader.exec_driver_sql("BEGIN")
    reader.exec_driver_sql("SELECT * FROM confs").all()
    with ThreadPoolExecutor(1) as executor:
        altered = executor.submit(
            migration.exec_driver_sql, "ALTER TABLE confs ADD COLUMN author INT"
        )
        waiting = (
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST "
            "WHERE STATE LIKE 'Waiting for table metadata lock' AND DB = DATABASE()"
        )
        try:
            wait_until(lambda: watch.exec_driver_sql(waiting.replace("%", "%%")).scalar() == 1)
            with pytest.raises(BusyError):
                read(case)
        finally:
            reader.exec_driver_sql("ROLLBACK")
            altered.result(20)


SERIALIZABLE = "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"


@pytest.mark.parametrize("database", ["mariadb"])
@pytest.mark.parametrize("setup", ["scoped_session", "peewee"])
def test_a_row_that_somebody_writes_is_not_waited_for(setup: str, url: str, connect: Any) -> None:
    """Under SERIALIZABLE, MariaDB's reads lock what they read."""
    strict = make_url(url).update_query_dict({"init_command": SERIALIZABLE})
    with ExitStack() as stack:
        case = open_case(stack, setup, "mariadb", strict.render_as_string())
        case.store.swap({"A": (None, "a")})
        writer = connect()
        writer.exec_driver_sql("BEGIN")
        writer.exec_driver_sql("UPDATE confs SET value = 'b'")
        try:
            with pytest.raises(BusyError):
                read(case)
        finally:
            writer.exec_driver_sql("ROLLBACK")


ASK = {
    "file": "PRAGMA busy_timeout",
    "postgres": "SHOW lock_timeout",
    "mariadb": "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout",
}


@pytest.mark.parametrize("database", DATABASES)
@pytest.mark.parametrize("holds", [False, True], ids=["read", "busy"])
def test_the_apps_own_connection_waits_afterwards_as_before(
    database: str, url: str, connect: Any, holds: bool
) -> None:
    with ExitStack() as stack:
        case = open_case(stack, "peewee", database, url)  # whose connection the thread has open
        before = case.sql(ASK[database]).fetchone()
        if holds:
            other = connect()
            for statement in HOLD[database]:
                other.exec_driver_sql(statement)
            with pytest.raises(BusyError):
                case.store.read_promptly(["A"])
            other.exec_driver_sql(FREE[database])
        else:
            case.store.read_promptly(["A"])
        assert case.sql(ASK[database]).fetchone() == before


# Connections


@pytest.mark.parametrize("database", DATABASES)
def test_no_connection_stays_open(
    case: Case, database: str, url: str, connect: Any, tmp_path: Path
) -> None:
    if hasattr(case.db, "close") and not isinstance(case.db, orm.scoped_session):
        case.db.close()
    assert case.store.read_promptly(["A"]) == [("A", "a")]
    wait_until(lambda: open_connections(database, tmp_path, connect) == 0)


def open_connections(database: str, tmp_path: Path, connect: Any) -> int:
    if database == "file":
        folder = "/proc/self/fd"
        paths = [os.path.realpath(f"{folder}/{fd}") for fd in os.listdir(folder)]
        return paths.count(str(tmp_path / "test.db"))
    count = {
        "postgres": "SELECT COUNT(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        "mariadb": "SELECT COUNT(*) FROM information_schema.PROCESSLIST "
        "WHERE ID <> CONNECTION_ID() AND DB = DATABASE()",
    }
    with connect() as connection:
        return int(connection.exec_driver_sql(count[database]).scalar() or 0)


@pytest.mark.parametrize("setup", ["sqlalchemy", "peewee"])
def test_a_database_in_memory_is_still_there(setup: str) -> None:
    with ExitStack() as stack:
        case = open_case(stack, setup, "memory", "sqlite://")
        case.store.swap({"A": (None, "a")})
        for _ in range(2):
            assert case.store.read_promptly(["A"]) == [("A", "a")]


@pytest.mark.parametrize("database", ["file"])
def test_the_transaction_of_a_test_is_joined(database: str, url: str) -> None:
    with ExitStack() as stack:
        case = open_case(stack, "rolled back", database, url)
        case.store.swap({"A": (None, "a")})
        assert case.store.read_promptly(["A"]) == [("A", "a")]


# Models that are still being declared


def incomplete(**columns: Any) -> tuple[Any, Any]:
    """A model of settings beside one that refers to a third, which is declared later; its base."""

    class Base(orm.DeclarativeBase):
        pass

    common = {
        "__tablename__": "confs",
        "id": sa.Column(sa.Integer, primary_key=True),
        "key": sa.Column(sa.String(255), unique=True),
        "value": sa.Column(sa.Text),
    }
    Conf = type("Conf", (WaffleMixin, Base), {**common, **columns})
    items = {"__tablename__": "items", "id": sa.Column(sa.Integer, primary_key=True)}
    owner = orm.relationship("Owner", back_populates="items")
    Item = type("Item", (Base,), {**items, "owner": owner})
    Base.item = Item  # type: ignore[attr-defined]  # SQLAlchemy alone would let it go
    return Conf, Base


def complete(Base: Any) -> None:
    class Owner(Base):
        __tablename__ = "owners"
        id = sa.Column(sa.Integer, primary_key=True)
        item_id = sa.Column(sa.ForeignKey("items.id"))
        items = orm.relationship("Item", back_populates="owner")

    orm.configure_mappers()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE confs (id INTEGER PRIMARY KEY, key TEXT, value TEXT)"
        )
        connection.exec_driver_sql("INSERT INTO confs (key, value) VALUES ('A', 'a')")
    yield engine
    engine.dispose()


CALLS: dict[str, Callable[[AlchemyWaffleStore], Any]] = {
    "read_promptly": lambda store: store.read_promptly(["A"]),
    "read_fresh": lambda store: store.read_fresh(["A"]),
    "in_memory": lambda store: store.in_memory(),
    "after_fork": lambda store: store.after_fork(),
    "location": lambda store: store.location(),
}


@pytest.mark.parametrize("call", CALLS)
def test_incomplete_models_are_not_configured(engine: sa.Engine, call: str) -> None:
    Conf, Base = incomplete()
    CALLS[call](AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), Conf))
    complete(Base)


def test_instances_are_read_once_the_models_are_complete(engine: sa.Engine) -> None:
    Conf, Base = incomplete(get_value=lambda self: self.value.upper())
    store = AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), Conf)
    with pytest.raises(NotReadyError, match="not complete"):
        store.read_promptly(["A"])
    complete(Base)
    assert store.read_promptly(["A"]) == [("A", "A")]


def test_a_class_that_is_mapped_later_is_not_ready(engine: sa.Engine) -> None:
    class Reflected(DeferredReflection):
        __abstract__ = True

    class Base(orm.DeclarativeBase):
        pass

    class Conf(WaffleMixin, Reflected, Base):
        __tablename__ = "confs"

    store = AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), Conf)
    with pytest.raises(NotReadyError, match="no mapped class"):
        store.read_promptly(["A"])
    Reflected.prepare(engine)
    assert store.read_promptly(["A"]) == [("A", "a")]


@pytest.mark.parametrize("database", [peewee.DatabaseProxy(), peewee.SqliteDatabase(None)])
def test_a_database_that_is_not_initialised_is_not_ready(database: Any) -> None:
    class Conf(WaffleMixin, peewee.Model):  # type: ignore[misc]
        class Meta:
            pass

        key = peewee.CharField(unique=True)
        value = peewee.TextField()

    Conf._meta.database = database
    store = PeeweeWaffleStore(model=Conf)
    for call in (store.read_promptly, store.read_fresh):
        with pytest.raises(NotReadyError, match="initialize"):
            call(["A"])


def test_a_session_without_a_bind_is_not_ready() -> None:
    store = AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker()), incomplete()[0])
    with pytest.raises(NotReadyError, match="UnboundExecutionError"):
        store.read_promptly(["A"])
