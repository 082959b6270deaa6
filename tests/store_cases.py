"""The stores and the databases that the contract is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

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

    def __init__(self, kind: str, database: str) -> None:
        self.kind, self.database = kind, database

    def rows(self) -> list[tuple[str, str]]:
        return sorted(self.store.read(["A", "B", "C"]))


class FourMethods(WaffleStore):
    """What somebody may have written for Flask-WaffleConf 0.3.1: no read, no swap."""

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
def _flask_sqlalchemy(case: Case, url: str) -> Iterator[None]:
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __tablename__ = "confs"
        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    with app.app_context():
        db.create_all()
        _alchemy(case, AlchemyWaffleStore, db, Conf, db.engine)
        yield
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _scoped(case: Case, url: str, kind: type[WaffleStore] = AlchemyWaffleStore) -> Iterator[None]:
    class Base(orm.DeclarativeBase):
        pass

    class Conf(WaffleMixin, Base):
        __tablename__ = "confs"
        id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
        key: orm.Mapped[str] = orm.mapped_column(sa.String(255), unique=True)
        value: orm.Mapped[str | None] = orm.mapped_column(sa.Text)

    engine = sa.create_engine(url)
    Base.metadata.create_all(engine)
    session = orm.scoped_session(orm.sessionmaker(engine))
    _alchemy(case, kind, session, Conf, engine)
    yield
    session.remove()
    engine.dispose()


@contextmanager
def _four(case: Case, url: str) -> Iterator[None]:
    with _scoped(case, url, FourMethods):
        yield


def _alchemy(case: Case, kind: type[WaffleStore], db: Any, model: Any, engine: sa.Engine) -> None:
    def sql(statement: str, *rows: dict[str, Any]) -> None:
        with engine.begin() as connection:
            connection.execute(sa.text(statement), rows or None)

    if case.database == "wal":
        sql("PRAGMA journal_mode = WAL")
    case.store, case.db, case.model, case.sql = kind(db=db, model=model), db, model, sql
    case.statements = []  # type: ignore[attr-defined]
    _count(case.statements, engine)  # type: ignore[attr-defined]


@contextmanager
def _peewee(case: Case, url: str) -> Iterator[None]:
    url = url.replace("mysql+pymysql", "mysql").replace("postgresql+psycopg", "postgresql")
    pragmas = {"pragmas": {"journal_mode": "wal"}} if case.database == "wal" else {}
    db = connect("sqlite:///:memory:" if url == "sqlite://" else url, **pragmas)

    class Conf(peewee.Model, WaffleMixin):  # type: ignore[misc]
        class Meta:
            database = db
            table_name = "confs"

        key = peewee.CharField(unique=True)
        value = peewee.TextField(null=True)

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


KINDS: dict[str, Any] = {
    "sqlalchemy": _flask_sqlalchemy,
    "scoped_session": _scoped,
    "peewee": _peewee,
    "four methods": _four,
}


def open_case(stack: ExitStack, kind: str, database: str, url: str) -> Case:
    """A case that lasts as long as the stack."""
    case = Case(kind, database)
    stack.enter_context(KINDS[kind](case, url))
    return case
