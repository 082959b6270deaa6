"""Stores and databases for the tests of the contract."""

from __future__ import annotations

import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import Any

import flask_sqlalchemy_lite
import peewee
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playhouse.db_url import connect
from sqlalchemy import orm

from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store import AlchemyWaffleStore, PeeweeWaffleStore, WaffleStore

DATABASES = ["file", "wal", "memory", "postgres", "mariadb"]


class Case:
    """A store on an empty database, and a way to talk to that database past the store."""

    store: WaffleStore
    db: Any
    model: Any
    sql: Callable[..., Any]
    counting: Callable[[], Any]

    def __init__(self, setup: str, database: str) -> None:
        self.setup, self.database = setup, database

    def rows(self) -> list[tuple[str, str]]:
        return sorted(self.store.read(["A", "B", "C"]))


class FourMethods(WaffleStore):
    """A store as it was written for Flask-WaffleConf 0.3.1: without read and swap."""

    def commit(self) -> None:
        self.db.commit()

    def delete(self, key: str) -> Any:
        record = self.get(key)
        if record is not None:
            self.db.delete(record)
        return record

    def get(self, key: str) -> Any:
        return self.db.scalars(sa.select(self.model).where(self.model.key == key)).first()

    def put(self, key: str, value: str) -> Any:
        record = self.get(key) or self.model(key=key)
        record.value = value
        self.db.add(record)
        return record


def _count(statements: list[str], engine: sa.Engine) -> None:
    @sa.event.listens_for(engine, "before_cursor_execute")
    def _statement(_c: Any, _r: Any, statement: str, _p: Any, _x: Any, many: bool) -> None:
        statements.append(statement.split()[0] + (" many" if many else ""))

    @sa.event.listens_for(engine, "commit")
    def _commit(_connection: Any) -> None:
        statements.append("COMMIT")


@contextmanager
def released_soon(free: Callable[[], Any]) -> Iterator[None]:
    """Release a lock after four seconds: sooner than SQLite gives up, later than we should."""
    timer = threading.Timer(4.0, free)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()


def write_refused(path: str) -> bool:
    """Whether somebody holds the lock of an SQLite file that a write needs."""
    with closing(sqlite3.connect(path, timeout=0)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return True
        return False


@contextmanager
def _flask_sqlalchemy(case: Case, url: str, bind: str | None = None) -> Iterator[None]:
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://" if bind else url
    app.config["SQLALCHEMY_BINDS"] = {bind: url} if bind else {}
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __tablename__ = "confs"
        __bind_key__ = bind
        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    with app.app_context():
        db.create_all()
        _alchemy(case, AlchemyWaffleStore, db, Conf, db.engines[bind])
        yield
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


@contextmanager
def _bound(case: Case, url: str) -> Iterator[None]:
    with _flask_sqlalchemy(case, url, bind="settings"):
        yield


@functools.cache
def _model() -> Any:
    """The model of all stores that need none of their own: mapping a class takes its time."""

    class Base(orm.DeclarativeBase):
        pass

    class Conf(WaffleMixin, Base):
        __tablename__ = "confs"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
        value: orm.Mapped[str | None] = orm.mapped_column(sa.Text)

    return Conf


@contextmanager
def _lite(case: Case, url: str) -> Iterator[None]:
    app, db, conf = Flask("shop"), flask_sqlalchemy_lite.SQLAlchemy(), _model()
    app.config["SQLALCHEMY_ENGINES"] = {"default": url}
    db.init_app(app)
    with app.app_context():
        engine = db.engine
        conf.metadata.create_all(engine)
        _alchemy(case, AlchemyWaffleStore, db, conf, engine)
        yield
    engine.dispose()  # the end of the context has closed the session


@contextmanager
def _scoped(
    case: Case, url: str, store: type[WaffleStore] = AlchemyWaffleStore, **options: Any
) -> Iterator[None]:
    engine, conf = sa.create_engine(url, **options), _model()
    conf.metadata.create_all(engine)
    session = orm.scoped_session(orm.sessionmaker(engine))
    _alchemy(case, store, session, conf, engine)
    yield
    session.remove()
    engine.dispose()


@contextmanager
def _autocommit(case: Case, url: str) -> Iterator[None]:
    with _scoped(case, url, isolation_level="AUTOCOMMIT"):
        yield


def _commit_each(connection: Any, _record: object) -> None:
    """Have a driver commit each statement, which SQLAlchemy does not know then."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
    elif callable(connection.autocommit):  # PyMySQL's
        connection.autocommit(True)
    else:
        connection.autocommit = True


@contextmanager
def _autocommit_of_the_driver(case: Case, url: str) -> Iterator[None]:
    with _scoped(case, url):
        engine = case.db.get_bind()
        sa.event.listen(engine, "connect", _commit_each)
        engine.dispose()  # it connects anew
        yield


@contextmanager
def _rolled_back(case: Case, url: str) -> Iterator[None]:
    """An app whose tests run in one transaction, which is rolled back."""
    engine, conf = sa.create_engine(url), _model()
    conf.metadata.create_all(engine)
    with engine.connect() as connection:
        outer = connection.begin()
        session = orm.scoped_session(
            orm.sessionmaker(connection, join_transaction_mode="create_savepoint")
        )
        _alchemy(case, AlchemyWaffleStore, session, conf, engine)

        def sql(statement: str, *rows: dict[str, Any]) -> None:
            connection.execute(sa.text(statement), rows or None)

        case.sql = sql
        yield
        session.remove()
        if outer.is_active:
            outer.rollback()
    engine.dispose()


@contextmanager
def _four(case: Case, url: str) -> Iterator[None]:
    with _scoped(case, url, FourMethods):
        yield


def _alchemy(case: Case, store: type[WaffleStore], db: Any, model: Any, engine: sa.Engine) -> None:
    def sql(statement: str, *rows: dict[str, Any]) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(statement), rows or None)

    if case.database == "wal":
        sql("PRAGMA journal_mode = WAL")
    case.store, case.db, case.model, case.sql = store(db=db, model=model), db, model, sql
    case.statements = []  # type: ignore[attr-defined]
    _count(case.statements, engine)  # type: ignore[attr-defined]


@contextmanager
def _peewee(case: Case, url: str, scheme: str = "", proxy: Any = None) -> Iterator[None]:
    url = url.replace("mysql+pymysql", "mysql").replace("postgresql+psycopg", "postgresql")
    pragmas = {"pragmas": {"journal_mode": "wal"}} if case.database == "wal" else {}
    url = "sqlite:///:memory:" if url == "sqlite://" else url
    db = connect(url.replace(":", f"{scheme}:", 1), **pragmas)

    class Conf(peewee.Model, WaffleMixin):  # type: ignore[misc]
        class Meta:
            database = proxy or db
            table_name = "confs"

        key = peewee.CharField(unique=True)
        value = peewee.TextField(null=True)

    if proxy is not None:
        proxy.initialize(db)
    db.connect()
    db.create_tables([Conf])
    case.store, case.db, case.model, case.sql = (
        PeeweeWaffleStore(model=Conf),
        db,
        Conf,
        db.execute_sql,
    )
    yield
    db.close()
    if scheme:
        db.close_all()


@contextmanager
def _pool_behind_a_proxy(case: Case, url: str) -> Iterator[None]:
    with _peewee(case, url, "+pool", peewee.DatabaseProxy()):
        yield


FOUR = "four methods"
SETUPS: dict[str, Any] = {
    "sqlalchemy": _flask_sqlalchemy,
    "scoped_session": _scoped,
    "bind key": _bound,
    "lite": _lite,
    "autocommit": _autocommit,
    "driver's autocommit": _autocommit_of_the_driver,
    "rolled back": _rolled_back,
    "peewee": _peewee,
    "pool behind a proxy": _pool_behind_a_proxy,
    FOUR: _four,
}


def open_case(stack: ExitStack, setup: str, database: str, url: str) -> Case:
    """Return a case that ends with the stack."""
    case = Case(setup, database)
    stack.enter_context(SETUPS[setup](case, url))
    return case


def wait_until(done: Callable[[], bool]) -> None:
    """Return once a condition is true; fail after ten seconds."""
    deadline = time.monotonic() + 10
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)
