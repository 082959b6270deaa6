"""AlchemyWaffleStore beside a view's own session."""

from __future__ import annotations

import gc
import logging
import os
import time
import traceback
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from psycopg.errors import SerializationFailure
from sqlalchemy import orm
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.pool import QueuePool, SingletonThreadPool
from store_cases import Case, open_case, released_soon, write_refused
from werkzeug.local import LocalProxy

from waffleconf_admin.exceptions import BusyError, StoreError
from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store import (
    AlchemyWaffleStore,
    HistoryQuery,
    HistoryRow,
    WorkerRow,
    locks,
)


class Base(orm.DeclarativeBase):
    pass


class Conf(WaffleMixin, Base):
    __tablename__ = "confs"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(sa.Text)


class Item(Base):
    __tablename__ = "items"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]


class KeyedConf(WaffleMixin, Base):
    __tablename__ = "keyed"
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), primary_key=True)
    value: orm.Mapped[str] = orm.mapped_column(sa.Text)


class RenamedConf(WaffleMixin, Base):
    """Has columns of other names, and their present ones as synonyms."""

    __tablename__ = "renamed"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column("of", sa.String(255), unique=True)
    text: orm.Mapped[str] = orm.mapped_column(sa.Text)
    key: orm.Mapped[str] = orm.synonym("name")
    value: orm.Mapped[str] = orm.synonym("text")


class HybridConf(WaffleMixin, Base):
    __tablename__ = "hybrid"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(sa.Text)

    @hybrid_property
    def key(self) -> str:
        return self.name

    @key.inplace.setter
    def _set_key(self, key: str) -> None:
        self.name = key


class ReversedConf(WaffleMixin, Base):
    """Stores its texts back to front."""

    __tablename__ = "reversed"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    stored: orm.Mapped[str] = orm.mapped_column(sa.Text)

    @property
    def value(self) -> str:
        return self.stored[::-1]

    @value.setter
    def value(self, text: str) -> None:
        self.stored = text[::-1]

    def get_value(self) -> str:
        return self.value


class Backwards(sa.types.TypeDecorator[str]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and f"{time.perf_counter_ns()}:{value}"

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return value and value.partition(":")[2]


class SaltedConf(WaffleMixin, Base):
    """Stores the same text differently each time, as encryption does."""

    __tablename__ = "salted"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(Backwards)


class Salted(sa.Text):
    """Does so without a TypeDecorator."""

    cache_ok = inherit_cache = True

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return lambda value: value and f"{time.perf_counter_ns()}:{value}"

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return lambda value: value and value.partition(":")[2]


class SubclassedConf(WaffleMixin, Base):
    __tablename__ = "subclassed"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(Salted)


class VariantConf(WaffleMixin, Base):
    __tablename__ = "variant"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(
        sa.Text().with_variant(Backwards(), "sqlite", "postgresql", "mysql")
    )


class Prefixed(sa.String):
    """Lets several apps share a table."""

    cache_ok = inherit_cache = True

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        return "shop:{}".format

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        return lambda key: key.removeprefix("shop:")


class PrefixedConf(WaffleMixin, Base):
    __tablename__ = "prefixed"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(Prefixed(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(sa.Text)


class LooseConf(WaffleMixin, Base):
    """Lacks its unique index, and has rules of its own."""

    __tablename__ = "loose"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255))
    value: orm.Mapped[str] = orm.mapped_column(sa.Text)
    __table_args__ = (sa.CheckConstraint("length(value) < 20", name="short"),)


def begin_by_event(engine: sa.Engine) -> None:
    """The recipe that makes sqlite3 begin where SQLAlchemy does."""

    @sa.event.listens_for(engine, "connect")
    def _connect(raw: Any, _record: Any) -> None:
        raw.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")


#: Pools whose connection a view shares with its saves.
SHARED: dict[str, Any] = {"one connection": sa.StaticPool, "one a thread": SingletonThreadPool}


@pytest.fixture(params=["file", "wal", "memory", *SHARED])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    if request.param == "memory":
        engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    else:
        pool = SHARED.get(request.param)
        engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db", poolclass=pool)
    if request.param == "wal":
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


def session_of(bind: Any, **options: Any) -> Any:
    return orm.scoped_session(orm.sessionmaker(bind, **options))


@pytest.fixture
def session(engine: sa.Engine) -> Iterator[Any]:
    session = session_of(engine)
    yield session
    session.remove()


@pytest.fixture
def store(session: Any) -> AlchemyWaffleStore:
    return AlchemyWaffleStore(session, Conf)


# The view's objects


def test_pending_and_dirty_objects_stay_as_they_are(
    store: AlchemyWaffleStore, session: Any
) -> None:
    session.add(Item(name="old"))
    session.commit()
    dirty = session.scalars(sa.select(Item)).one()
    session.rollback()
    dirty.name, pending = "new", Item(name="pending")
    session.add(pending)
    assert store.swap({"A": (None, "a")})
    assert store.read(["A"]) == [("A", "a")]
    assert pending in session.new
    assert dirty in session.dirty
    assert dirty.name == "new"
    session.rollback()
    assert session.scalars(sa.select(Item.name)).all() == ["old"]


def test_flushed_objects_survive_a_read_and_make_a_write_busy_at_once(
    store: AlchemyWaffleStore, session: Any
) -> None:
    session.add(Item(name="flushed"))
    session.flush()
    assert store.read(["A"]) == []
    raw = session.connection().connection.dbapi_connection
    with released_soon(raw.rollback), pytest.raises(BusyError, match="commit"):
        store.swap({"A": (None, "a")})
    session.commit()
    assert session.scalars(sa.select(Item.name)).all() == ["flushed"]
    session.commit()
    assert store.swap({"A": (None, "a")})


def test_a_flushed_change_is_not_committed_by_a_read(
    store: AlchemyWaffleStore, session: Any
) -> None:
    session.add(Item(name="flushed"))
    session.flush()
    store.read(["A"])
    session.rollback()
    assert session.scalars(sa.select(Item)).all() == []


def test_reading_makes_no_session(store: AlchemyWaffleStore, session: Any) -> None:
    store.swap({"A": (None, "a")})
    store.read(["A"])
    assert store.in_memory() in (True, False)
    assert not session.registry.has()


def test_get_shows_what_was_swapped(store: AlchemyWaffleStore, session: Any) -> None:
    store.swap({"A": (None, "a"), "B": (None, "b")})
    item = Item(name="new")
    session.add(item)
    session.commit()
    a, b, _ = store.get("A"), store.get("B"), item.name
    assert store.swap({"A": ("a", "new")})
    assert sa.inspect(a).expired
    assert not sa.inspect(b).expired
    assert not sa.inspect(item).expired
    assert store.get("A").value == "new"


def test_a_views_own_change_of_an_instance_is_not_lost(
    store: AlchemyWaffleStore, session: Any
) -> None:
    store.swap({"A": (None, "a")})
    store.get("A").value = "the view's"
    assert store.swap({"A": ("a", "new")})
    session.commit()
    assert store.read(["A"]) == [("A", "the view's")]


@pytest.mark.parametrize("engine", ["file", "wal"], indirect=True)
def test_rows_that_decide_a_swap_are_locked_before_they_are_read(
    store: AlchemyWaffleStore, engine: sa.Engine
) -> None:
    store.swap({"A": (None, "a"), "B": (None, "b")})
    refused = []

    @sa.event.listens_for(engine, "after_cursor_execute")
    def check(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("SELECT"):
            refused.append(write_refused(str(engine.url.database)))

    assert store.swap({"A": ("a", "aa"), "B": ("b", "b")})
    assert refused == [True]


def test_a_view_that_only_read_can_save_under_the_begin_recipe(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")
    begin_by_event(engine)
    with engine.connect() as connection:
        connection.connection.execute("PRAGMA journal_mode = WAL")  # type: ignore[attr-defined]
    Base.metadata.create_all(engine)
    session = session_of(engine)
    store = AlchemyWaffleStore(session, Conf)
    session.scalars(sa.select(Item)).all()
    session.add(Item(name="pending"))
    assert store.swap({"A": (None, "a")})
    session.rollback()
    session.add(Item(name="flushed"))
    session.flush()
    with pytest.raises(BusyError, match="commit"):
        store.swap({"A": ("a", "b")})
    session.commit()
    assert store.swap({"A": ("a", "b")})
    # The short timeout of the refused write must not stay with a pooled connection.
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000
    session.remove()
    engine.dispose()


@pytest.mark.parametrize("database", ["sqlite", "postgresql", "mysql"])
def test_a_connection_keeps_its_autocommit(
    request: pytest.FixtureRequest, database: str, tmp_path: Path
) -> None:
    servers = {"postgresql": "postgres_url", "mysql": "mariadb_url"}
    url = f"sqlite:///{tmp_path}/test.db"
    if database in servers:
        url = request.getfixturevalue(servers[database])
    with ExitStack() as stack:
        case = open_case(stack, "driver's autocommit", database, url)
        # The pool lends the connection that was given back last.
        assert case.store.swap({"A": (None, "a")})
        assert not case.store.swap({"A": (None, "b")})
        engine = case.db.get_bind()
        with engine.connect() as connection:
            table = case.model.__table__
            connection.execute(sa.insert(table).values(key="B", value="b"))
            connection.rollback()
        assert case.store.read(["B"]) == [("B", "b")]


def test_a_pending_object_takes_no_connection_of_a_pool_of_one(tmp_path: Path) -> None:
    engine = sa.create_engine(
        f"sqlite:///{tmp_path}/test.db",
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=0.1,
    )
    Base.metadata.create_all(engine)
    session = session_of(engine)
    store = AlchemyWaffleStore(session, Conf)
    session.add(Item(name="pending"))
    assert store.swap({"A": (None, "a")})
    session.flush()
    with pytest.raises(BusyError, match="pool"):
        store.read(["A"])
    session.rollback()
    assert store.read(["A"]) == [("A", "a")]
    session.remove()
    engine.dispose()


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_row_that_the_view_holds_is_busy_and_no_deadlock(
    request: pytest.FixtureRequest, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "WAIT_BESIDE_CALLER", 0.2)
    url = request.getfixturevalue(f"{database}_url")
    with ExitStack() as stack:
        case = open_case(stack, "scoped_session", database, url)
        case.store.swap({"A": (None, "a")})
        case.store.put("A", "the view's")
        case.db.flush()
        assert case.store.read(["A"]) == [("A", "a")]
        with pytest.raises(BusyError, match="commit"):
            case.store.swap({"A": ("a", "b")})
        case.db.commit()
        assert case.store.swap({"A": ("the view's", "b")})


# Where it works


def test_a_transaction_of_a_test_is_joined_and_rolled_back(file: sa.Engine) -> None:
    file.dispose()
    begin_by_event(file)
    with file.connect() as connection:
        outer = connection.begin()
        session = session_of(connection, join_transaction_mode="create_savepoint")
        store = AlchemyWaffleStore(session, Conf)
        session.add(Item(name="flushed"))
        session.flush()
        assert store.swap({"A": (None, "a")})
        assert not store.swap({"A": ("other", "b"), "B": (None, "b")})
        assert store.read(["A", "B"]) == [("A", "a")]
        session.commit()
        assert session.scalars(sa.select(Item.name)).all() == ["flushed"]
        session.remove()
        outer.rollback()
    assert AlchemyWaffleStore(session_of(file), Conf).read() == []


def test_a_first_write_in_a_tests_transaction_is_rolled_back_too(file: sa.Engine) -> None:
    with file.connect() as connection:
        outer = connection.begin()
        assert AlchemyWaffleStore(session_of(connection), Conf).swap({"A": (None, "a")})
        outer.rollback()
    assert AlchemyWaffleStore(session_of(file), Conf).read() == []


def test_a_bound_connection_without_a_transaction_commits(file: sa.Engine) -> None:
    with file.connect() as connection:
        store = AlchemyWaffleStore(session_of(connection), Conf)
        assert store.swap({"A": (None, "a")})
        assert store.read() == [("A", "a")]
        assert not connection.in_transaction()
    assert AlchemyWaffleStore(session_of(file), Conf).read() == [("A", "a")]


def test_the_bind_of_the_model_is_used(tmp_path: Path) -> None:
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/main.db"
    app.config["SQLALCHEMY_BINDS"] = {"settings": f"sqlite:///{tmp_path}/settings.db"}
    db = SQLAlchemy(app)

    class BoundConf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __bind_key__ = "settings"
        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    with app.app_context():
        db.create_all()
        store = AlchemyWaffleStore(db, BoundConf)
        assert store.swap({"A": (None, "a")})
        assert store.read() == [("A", "a")]
        assert store.get("A").value == "a"
        assert [e for e in db.engines.values() if sa.inspect(e).has_table("bound_conf")] == [
            db.engines["settings"]
        ]
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


def test_a_session_behind_a_property_will_do(file: sa.Engine) -> None:
    class Lite:
        session = orm.Session(file)

    store = AlchemyWaffleStore(Lite(), Conf)
    assert store.swap({"A": (None, "a")})
    assert (store.read(), store.get("A").value) == ([("A", "a")], "a")
    Lite.session.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", True),
        ("sqlite:///:memory:", True),
        ("sqlite:///file:x?mode=memory&cache=shared&uri=true", True),
        ("sqlite:///test.db", False),
        ("postgresql+psycopg://localhost/x", False),
    ],
)
def test_in_memory(url: str, expected: bool) -> None:
    engine = sa.create_engine(url, poolclass=sa.StaticPool)
    assert AlchemyWaffleStore(session_of(engine), Conf).in_memory() is expected


@pytest.mark.parametrize("pool", SHARED.values(), ids=SHARED)
def test_a_worker_reports_on_a_shared_connection_that_no_view_uses(
    tmp_path: Path, pool: type[sa.Pool]
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db", poolclass=pool)
    base = orm.declarative_base()
    conf, change, worker = AlchemyWaffleStore.make_models(base, workers=True)
    base.metadata.create_all(engine)
    session = session_of(engine)
    store, now = AlchemyWaffleStore(session, conf, change, worker), datetime.now(UTC)
    row = WorkerRow("a", "host", 1, now, now, "", "", "")
    store.report_worker(row, now)
    session.add(conf(key="A", value="a"))
    session.flush()
    with pytest.raises(BusyError):
        store.report_worker(row, now)
    session.commit()
    assert [each.name for each in store.read_workers(now)] == ["a"]
    session.remove()
    engine.dispose()


def test_a_session_behind_a_proxy_is_one_bound_or_not(session: Any) -> None:
    current: ContextVar[Any] = ContextVar("current")
    store = AlchemyWaffleStore(SimpleNamespace(session=LocalProxy(current)), Conf)
    store.check_arguments()
    current.set(session)
    store.check_arguments()


# Models


@pytest.mark.parametrize(
    "model",
    [
        KeyedConf,
        RenamedConf,
        HybridConf,
        ReversedConf,
        SaltedConf,
        SubclassedConf,
        VariantConf,
        PrefixedConf,
    ],
)
def test_other_models_keep_the_contract(session: Any, engine: sa.Engine, model: Any) -> None:
    store = AlchemyWaffleStore(session, model)
    assert store.swap({"A": (None, "abc"), "B": (None, "b")})
    assert not store.swap({"A": ("cba", "new"), "B": ("b", "new")})
    assert not store.swap({"A": (None, "new")})
    assert sorted(store.read()) == [("A", "abc"), ("B", "b")]
    assert store.swap({"A": ("abc", "xyz"), "B": ("b", None)})
    assert store.read(["A", "B"]) == [("A", "xyz")]
    assert store.put("A", "123").get_value() == "123"
    store.commit()
    assert store.read(["A"]) == [("A", "123")]
    read = store.get("A").get_value()
    assert read == "123" and store.swap({"A": ("123", "456")})
    assert store.get("A").get_value() == "456"


def test_doubled_keys_are_reported_once_and_become_equal(
    file: sa.Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with file.begin() as connection:
        rows = [{"key": "A", "value": text} for text in ("one", "two", "one")]
        connection.execute(sa.insert(LooseConf), [*rows, {"key": "B", "value": "b"}])
    store = AlchemyWaffleStore(session_of(file), LooseConf)
    for _ in range(2):
        assert sorted(store.read()) == [("A", "one"), ("B", "b")]
    assert store.get("A").value == "one"
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "several rows for A" in record.getMessage()
    store.commit()
    assert not store.swap({"A": ("two", "new"), "B": ("b", "new")})
    assert store.swap({"A": ("one", "new"), "B": ("b", "new")})
    with file.begin() as connection:
        assert set(connection.scalars(sa.select(LooseConf.value))) == {"new"}
    assert store.swap({"A": ("new", None)})
    assert store.read() == [("B", "new")]


# Statements


@pytest.mark.parametrize("setup", ["sqlalchemy", "scoped_session"])
def test_statements_do_not_grow_with_the_number_of_keys(setup: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        case: Any = open_case(stack, setup, "file", f"sqlite:///{tmp_path}/test.db")
        case.store.swap({"FIRST": (None, "a")})
        # Once a process: what the columns of the table are like.
        assert _taken(case) == ["INSERT", "SELECT", "COMMIT"]
        case.store.swap({f"K{n}": (None, "a") for n in range(1000)})
        assert _taken(case) == ["INSERT many", "COMMIT"]
        case.store.read([f"K{n}" for n in range(1000)])
        assert _taken(case) == ["SELECT"]
        case.store.swap(
            {**{f"K{n}": ("a", "b") for n in range(500)}, "N1": (None, "n"), "N2": (None, "n")}
        )
        assert _taken(case) == ["UPDATE many", "INSERT many", "COMMIT"]
        case.store.swap({"K1": ("a", "c")})
        assert "COMMIT" not in _taken(case)


def _taken(case: Case) -> list[str]:
    statements: list[str] = case.statements  # type: ignore[attr-defined]
    taken = statements[:]
    statements.clear()
    return [s for s in taken if not s.startswith(("PRAGMA", "CREATE"))] if taken else []


# Faults


def test_a_rule_of_the_table_is_an_error_that_shows_no_value(file: sa.Engine) -> None:
    store = AlchemyWaffleStore(session_of(file), LooseConf)
    secret = "gASVc2VjcmV0c2VjcmV0c2VjcmV0"
    with pytest.raises(StoreError, match="short") as caught:
        store.swap({"A": (None, secret), "B": (None, "b")})
    assert not isinstance(caught.value, BusyError)
    assert secret not in "".join(traceback.format_exception(caught.value))
    assert "refuses" in str(caught.value)
    assert store.read() == []


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
@pytest.mark.parametrize("setup", ["scoped_session", "peewee"])
def test_no_message_of_a_server_shows_a_value(
    request: pytest.FixtureRequest, database: str, setup: str
) -> None:
    url = request.getfixturevalue(f"{database}_url")
    secret = "gASVc2VjcmV0c2VjcmV0c2VjcmV0"
    with ExitStack() as stack:
        case = open_case(stack, setup, database, url)
        case.sql("ALTER TABLE confs ADD COLUMN author INTEGER")
        case.sql("ALTER TABLE confs ADD CONSTRAINT named CHECK (author IS NOT NULL)")
        case.sql("CREATE UNIQUE INDEX once ON confs (author)")
        with pytest.raises(StoreError, match="named") as caught:
            case.store.swap({"A": (None, secret)})
        assert secret[:8] not in "".join(traceback.format_exception(caught.value))


def test_a_database_held_by_somebody_else_is_busy(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db", connect_args={"timeout": 0.1})
    Base.metadata.create_all(engine)
    store = AlchemyWaffleStore(session_of(engine), Conf)
    with engine.begin() as other:
        other.execute(sa.insert(Item).values(name="held"))
        assert store.read() == []
        with pytest.raises(BusyError, match="holds the database"):
            store.swap({"A": (None, "a")})
    assert store.swap({"A": (None, "a")})
    engine.dispose()


def test_a_read_only_database_says_so(file: sa.Engine, tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///file:{tmp_path}/test.db?mode=ro&uri=true")
    store = AlchemyWaffleStore(session_of(engine), Conf)
    assert store.read() == []
    with pytest.raises(StoreError, match="read-only"):
        store.swap({"A": (None, "a")})
    engine.dispose()


def test_a_file_that_cannot_be_opened_says_so() -> None:
    engine = sa.create_engine("sqlite:////no/such/folder/test.db")
    with pytest.raises(StoreError, match="can't be opened"):
        AlchemyWaffleStore(session_of(engine), Conf).read()


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_connection_lost_in_the_commit_saves_once(
    request: pytest.FixtureRequest, database: str, arrives: bool
) -> None:
    url = request.getfixturevalue(f"{database}_url")
    with ExitStack() as stack:
        case = open_case(stack, "scoped_session", database, url)
        engine = case.db.session_factory.kw["bind"]

        @sa.event.listens_for(engine, "commit", once=True)
        def cut(connection: sa.Connection) -> None:
            if arrives:
                connection.connection.dbapi_connection.commit()  # type: ignore[union-attr]
            _kill(connection)

        assert case.store.swap({"A": (None, "a")})
        assert case.store.read(["A"]) == [("A", "a")]


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_lost_commit_is_not_taken_for_done_by_one_of_its_rows(
    request: pytest.FixtureRequest, database: str
) -> None:
    with ExitStack() as stack:
        case = open_case(
            stack, "scoped_session", database, request.getfixturevalue(f"{database}_url")
        )

        @sa.event.listens_for(case.db.session_factory.kw["bind"], "commit", once=True)
        def cut(connection: sa.Connection) -> None:
            _kill(connection)
            with sa.create_engine(connection.engine.url).begin() as another:
                another.exec_driver_sql("INSERT INTO confs VALUES (7, 'A', 'a')")
            another.engine.dispose()

        with pytest.raises(StoreError, match="unknown"):
            case.store.swap({"A": (None, "a"), "B": (None, "b")})
        assert case.store.read() == [("A", "a")]


def test_a_commit_that_was_refused_is_not_the_one_that_is_lost(postgres_url: str) -> None:
    with ExitStack() as stack:
        case = open_case(stack, "scoped_session", "postgres", postgres_url)
        case.store.swap({"A": (None, "a")})
        engine = case.db.session_factory.kw["bind"]

        @sa.event.listens_for(engine, "commit", once=True)
        def refuse(connection: sa.Connection) -> None:
            sa.event.listen(engine, "before_cursor_execute", cut, once=True)
            raise sa.exc.OperationalError("COMMIT", {}, SerializationFailure())

        def cut(connection: sa.Connection, *rest: Any) -> None:
            _kill(connection)
            with sa.create_engine(postgres_url).begin() as another:
                another.exec_driver_sql("UPDATE confs SET value = 'theirs'")
            another.engine.dispose()

        assert case.store.swap({"A": ("a", "mine")}) is False  # read again, and decide again


@pytest.mark.parametrize("setup", ["scoped_session", "peewee"])
@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_connection_that_died_unnoticed_is_renewed(
    request: pytest.FixtureRequest, database: str, setup: str
) -> None:
    url = request.getfixturevalue(f"{database}_url")
    with ExitStack() as stack:
        case = open_case(stack, setup, database, url)
        case.store.read(["A"])
        _kill_others(url)
        assert case.store.read(["A"]) == []
        _kill_others(url)
        assert not case.store.swap({"A": (None, "a")})
        assert case.store.swap({"A": (None, "a")})
        assert case.store.read(["A"]) == [("A", "a")]


def _kill(connection: sa.Connection) -> None:
    ask = {"postgresql": "SELECT pg_backend_pid()", "mysql": "SELECT CONNECTION_ID()"}
    number = connection.exec_driver_sql(ask[connection.dialect.name]).scalar()
    other = sa.create_engine(connection.engine.url, isolation_level="AUTOCOMMIT")
    with other.connect() as killer:
        if connection.dialect.name == "mysql":
            killer.exec_driver_sql(f"KILL {number}")
        else:
            killer.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)")
    other.dispose()


def _kill_others(url: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as killer:
        if engine.dialect.name == "mysql":
            mine = "ID <> CONNECTION_ID() AND DB = DATABASE()"
            query = f"SELECT ID FROM information_schema.PROCESSLIST WHERE {mine}"
            for number in killer.exec_driver_sql(query).scalars().all():
                killer.exec_driver_sql(f"KILL {number}")
        else:
            killer.exec_driver_sql(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    engine.dispose()


def connection_of(case: Case) -> Any:
    """The driver's connection that the store uses as long as it is alive."""
    if case.setup == "peewee":
        return case.db.connection()
    with case.db.get_bind().connect() as connection:
        return connection.connection.dbapi_connection


@pytest.mark.parametrize("setup", ["scoped_session", "peewee"])
@pytest.mark.parametrize("database", ["file", "postgres", "mariadb"])
def test_a_forked_child_leaves_the_parents_connection_alone(
    request: pytest.FixtureRequest, database: str, setup: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    if database != "file":
        url = request.getfixturevalue(f"{database}_url")
    with ExitStack() as stack:
        case = open_case(stack, setup, database, url)
        assert case.store.swap({"A": (None, "a")})
        before = connection_of(case)
        if not (child := os.fork()):
            try:
                case.store.after_fork()
                # Both talk at once: on one connection each would get the other's answers.
                done = case.store.swap({"B": (None, "b0")}) and all(
                    case.store.swap({"B": (f"b{n}", f"b{n + 1}")}) for n in range(30)
                )
                os._exit(0 if done and case.store.swap({"B": ("b30", "b")}) else 1)
            finally:
                os._exit(2)
        ended = 0
        while not ended:
            assert case.store.read(["A"]) == [("A", "a")]
            ended, status = os.waitpid(child, os.WNOHANG)
        assert os.waitstatus_to_exitcode(status) == 0
        assert case.store.swap({"A": ("a", "aa")})
        assert connection_of(case) is before  # had the child closed it, there were a new one
        assert sorted(case.store.read()) == [("A", "aa"), ("B", "b")]


@pytest.mark.parametrize("setup", ["scoped_session", "peewee"])
@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_forked_child_does_not_let_the_parents_connection_be_collected(
    request: pytest.FixtureRequest, database: str, setup: str
) -> None:
    """A driver may then end the parent's session on the server."""
    with ExitStack() as stack:
        case = open_case(stack, setup, database, request.getfixturevalue(f"{database}_url"))
        assert case.store.swap({"A": (None, "a")})
        connection = weakref.ref(connection_of(case))
        case.store.after_fork()
        gc.collect()
        inherited = connection()
        assert inherited is not None
        inherited.close()


def test_a_fork_does_not_empty_a_database_in_memory() -> None:
    with ExitStack() as stack:
        case = open_case(stack, "sqlalchemy", "memory", "sqlite://")
        case.store.swap({"A": (None, "a")})
        case.store.after_fork()
        assert case.store.read() == [("A", "a")]


class DataBase(orm.MappedAsDataclass, orm.DeclarativeBase):
    pass


class DataConf(WaffleMixin, DataBase):
    __tablename__ = "data"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, init=False)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    value: orm.Mapped[str] = orm.mapped_column(sa.Text, init=False)


class DataBackwards(WaffleMixin, DataBase):
    __tablename__ = "data_reversed"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, init=False)
    key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
    stored: orm.Mapped[str] = orm.mapped_column(sa.Text, init=False)

    value = ReversedConf.value
    get_value = ReversedConf.get_value


class BareDataBase(orm.MappedAsDataclass, orm.DeclarativeBase, init=False):
    pass


MADE = AlchemyWaffleStore.make_models(DataBase)
MADE_BARE = AlchemyWaffleStore.make_models(BareDataBase)


@pytest.mark.parametrize(
    ("model", "history"),
    [MADE, MADE_BARE, (DataConf, MADE[1]), (DataBackwards, MADE[1])],
    ids=lambda model: f"{model.__module__}.{model.__name__}",
)
def test_models_may_be_dataclasses(model: Any, history: Any, tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")
    model.metadata.create_all(engine)
    session = orm.scoped_session(orm.sessionmaker(engine))
    store = AlchemyWaffleStore(session, model, history=history)
    row = HistoryRow("set", "a", None, "1", "ana", datetime.now(UTC), "why", "code")
    try:
        assert store.swap({"a": (None, "1")}, [row])
        assert store.swap({"a": ("1", "2")}, [row._replace(old="1", new="2")])
        store.put("b", "3")
        store.commit()
        assert sorted(store.read()) == [("a", "2"), ("b", "3")]
        changes = [(row.key, row.old, row.new) for row in store.read_history(HistoryQuery())]
        assert changes == [("a", "1", "2"), ("a", None, "1")]
    finally:
        session.remove()
        engine.dispose()
