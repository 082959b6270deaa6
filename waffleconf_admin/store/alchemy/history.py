"""The rows of the history, kept with SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from ...models import WaffleChangeMixin, WaffleMixin
from .. import locks
from ..base import WaffleStore
from ..history import HistoryQuery, HistoryRow, fields_of, moment, newest_first, row_of
from .rows import has_hooks, record_of, session_on

_T = TypeVar("_T")


class AlchemyHistory(WaffleStore):
    """The part of the store that keeps the history."""

    @staticmethod
    def make_models(db: Any) -> tuple[Any, Any]:
        """Return a new model of the settings and one of their history, for the two arguments.

        :param db: Flask-SQLAlchemy's ``db``, or a declarative base class.
        :raises TypeError: it is neither.
        """
        base = db if isinstance(db, type) else getattr(db, "Model", None)
        if not isinstance(getattr(base, "metadata", None), sa.MetaData) or hasattr(
            base, "__mapper__"
        ):
            raise TypeError(
                "make_models(db): db is Flask-SQLAlchemy's db, or a declarative base class of "
                "models, such as db.Model"
            )
        return make_models(base)

    def add_history(self, rows: Sequence[HistoryRow]) -> None:
        self._changes.add(self._registry, rows)

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        return self._ask(lambda connection: self._changes.read(connection, query), query.fresh)

    def read_latest(self, keys: Sequence[str]) -> list[HistoryRow]:
        return self._ask(lambda connection: self._changes.latest(connection, keys), fresh=True)

    def prune_history(self, until: datetime, limit: int) -> int:
        try:
            with self._transaction(wait=locks.BESIDE) as connection:
                return self._changes.prune(connection, until, limit)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error)

    @cached_property
    def _changes(self) -> History:
        return History(self.history)

    @property
    def _registry(self) -> Any:
        raise NotImplementedError

    def _ask(self, work: Callable[[sa.Connection], _T], fresh: bool = False) -> _T:
        raise NotImplementedError

    def _transaction(self, wait: float | None = None) -> AbstractContextManager[sa.Connection]:
        raise NotImplementedError


class History:
    """The rows of a history model: its statements, and what they do on a connection."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def add(self, session: Any, rows: Sequence[HistoryRow]) -> None:
        """Insert rows, with one statement where nothing else is to happen."""
        records = [record_of(self.model, **fields_of(row, self._zoned)) for row in rows]
        if has_hooks(sa.inspect(self.model)):
            session.add_all(records)
            session.flush()
        else:
            session.bulk_save_objects(records)

    def read(self, connection: sa.Connection, query: HistoryQuery) -> list[HistoryRow]:
        model = self.model
        wanted = [
            getattr(model, name) == value
            for name in ("change_set", "actor", "source")
            if (value := getattr(query, name)) is not None
        ]
        if query.keys is not None:
            wanted.append(model.key.in_(query.keys))
        if query.since is not None:
            wanted.append(model.at >= self._at(query.since))
        if query.until is not None:
            wanted.append(model.at < self._at(query.until))
        if query.before is not None:
            # Of its own type: PostgreSQL refuses a number that is too large for the column's.
            before = sa.literal(query.before, sa.BigInteger)
            if query.by_time:
                at = connection.scalar(sa.select(model.at).where(model.id == before))
                if at is None:  # pruned meanwhile, and what is older with it
                    return []
                wanted += [model.at <= at, sa.or_(model.at < at, model.id < before)]
            else:
                wanted.append(model.id < before)
        order = (model.at.desc(), model.id.desc()) if query.by_time else (model.id.desc(),)
        # The ids first: an index has all that this asks for, and MariaDB reads a range of it then.
        found = sa.select(model.id).where(*wanted).order_by(*order).limit(query.limit).subquery()
        select = sa.select(model).join(found, model.id == found.c.id)
        return newest_first(self._rows(connection, select), query)

    def latest(self, connection: sa.Connection, keys: Sequence[str]) -> list[HistoryRow]:
        model = self.model
        # One look into the index for each key; GROUP BY would read all of it.
        newest = [
            sa.select(sa.func.max(model.id)).where(model.key == key).scalar_subquery()
            for key in keys
        ]
        return self._rows(connection, sa.select(model).where(model.id.in_(newest)))

    def prune(self, connection: sa.Connection, until: datetime, limit: int) -> int:
        model = self.model
        old = sa.select(model.id).where(model.at < self._at(until)).order_by(model.at)
        ids = connection.scalars(old.limit(limit)).all()
        connection.execute(sa.delete(model).where(model.id.in_(ids)))
        return len(ids)

    def _rows(self, connection: sa.Connection, select: sa.Select[Any]) -> list[HistoryRow]:
        with session_on(connection) as session:
            return [row_of(record) for record in session.scalars(select)]

    def _at(self, at: datetime) -> datetime:
        return moment(at, self._zoned)

    @cached_property
    def _zoned(self) -> bool:
        column = sa.inspect(self.model).columns["at"]
        return bool(getattr(column.type, "timezone", False))


def make_models(base: Any) -> tuple[Any, Any]:
    """Return new models below a declarative base class."""
    # On MariaDB, TEXT ends at 64 kB.
    text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

    class Conf(WaffleMixin, base):
        __tablename__ = "confs"

        id = sa.Column(sa.Integer, primary_key=True)
        key = sa.Column(sa.String(255), unique=True, nullable=False)
        value = sa.Column(text, nullable=False)

    class ConfChange(WaffleChangeMixin, base):
        __tablename__ = "conf_changes"

        id = sa.Column(sa.Integer, primary_key=True)
        change_set = sa.Column(sa.String(32), nullable=False, index=True)
        key = sa.Column(sa.String(255), nullable=False)
        old = sa.Column(text)
        new = sa.Column(text)
        actor = sa.Column(sa.String(255), nullable=False)
        at = sa.Column(sa.DateTime, nullable=False, index=True)
        note = sa.Column(sa.Text, nullable=False)
        source = sa.Column(sa.String(32), nullable=False)
        __table_args__ = (
            sa.Index("ix_conf_changes_key_id", "key", "id"),
            sa.Index("ix_conf_changes_actor_id", "actor", "id"),
            sa.Index("ix_conf_changes_source_id", "source", "id"),
            sa.Index("ix_conf_changes_key_at", "key", "at"),
            sa.Index("ix_conf_changes_actor_at", "actor", "at"),
            sa.Index("ix_conf_changes_source_at", "source", "at"),
            # SQLite would give the ids of deleted rows again.
            {"sqlite_autoincrement": True},
        )

    for model in (Conf, ConfChange):
        for option in ("mysql_charset", "mariadb_charset"):
            # Whatever the database has: people write notes and have names in every script.
            model.__table__.dialect_kwargs.setdefault(option, "utf8mb4")
    return Conf, ConfChange
