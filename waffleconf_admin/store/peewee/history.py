"""The rows of the history, kept with peewee."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

import peewee

from ...models import WaffleChangeMixin, WaffleMixin
from .. import locks
from ..base import WaffleStore
from ..history import HistoryQuery, HistoryRow, fields_of, moment, newest_first, row_of
from .rows import has_hooks

# Rows of one INSERT: every database limits a statement's parameters, SQLite at 999 once.
_TOGETHER = 100

_T = TypeVar("_T")


class PeeweeHistory(WaffleStore):
    """The part of the store that keeps the history."""

    @staticmethod
    def make_models(db: Any) -> tuple[Any, Any]:
        """Return a new model of the settings and one of their history, for the two arguments.

        :param db: a database of peewee, a DatabaseProxy, a FlaskDB, or a base class of models.
        :raises TypeError: it is none of these.
        """
        return make_models(base_class(db))

    def add_history(self, rows: Sequence[HistoryRow]) -> None:
        self._changes.add(rows)

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        return self._ask(lambda database: self._changes.read(query))

    def read_latest(self, keys: Sequence[str]) -> list[HistoryRow]:
        return self._ask(lambda database: self._changes.latest(keys))

    def prune_history(self, until: datetime, limit: int) -> int:
        return self._ask(
            lambda database: self._changes.prune(until, limit), write=True, wait=locks.BESIDE
        )

    @cached_property
    def _changes(self) -> History:
        return History(self.history)

    def _ask(self, work: Callable[[Any], _T], write: bool = False, wait: float | None = None) -> _T:
        raise NotImplementedError


class History:
    """The rows of a history model: its statements, on the connection of the thread."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def add(self, rows: Sequence[HistoryRow]) -> None:
        """Insert rows, a hundred with one statement where nothing else is to happen."""
        if has_hooks(self.model):
            for row in rows:
                self.model.create(**fields_of(row, self._zoned))
            return
        records = [self.model(**fields_of(row, self._zoned)).__data__ for row in rows]
        for some in peewee.chunked(records, _TOGETHER):
            self.model.insert_many(some).execute()

    def read(self, query: HistoryQuery) -> list[HistoryRow]:
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
            before = query.before
            if query.by_time:
                at = model.select(model.at).where(model.id == before).scalar()
                if at is None:  # pruned meanwhile, and what is older with it
                    return []
                wanted += [model.at <= at, (model.at < at) | (model.id < before)]
            else:
                wanted.append(model.id < before)
        order = (model.at.desc(), model.id.desc()) if query.by_time else (model.id.desc(),)
        ids = model.select(model.id).order_by(*order).limit(query.limit)
        # The ids first: an index has all that this asks for, and MariaDB reads a range of it then.
        found = (ids.where(*wanted) if wanted else ids).alias("found")
        records = model.select().join(found, on=(model.id == found.c.id))
        return newest_first(map(row_of, records), query)

    def latest(self, keys: Sequence[str]) -> list[HistoryRow]:
        model = self.model
        # One look into the index for each key; GROUP BY would read all of it.
        newest = []
        for key in keys:
            other = model.alias()
            newest.append(other.select(peewee.fn.MAX(other.id)).where(other.key == key))
        return [row_of(record) for record in model.select().where(model.id.in_(newest))]

    def prune(self, until: datetime, limit: int) -> int:
        model = self.model
        old = model.select(model.id).where(model.at < self._at(until)).order_by(model.at)
        ids = [record.id for record in old.limit(limit)]
        model.delete().where(model.id.in_(ids)).execute()
        return len(ids)

    def _at(self, at: datetime) -> datetime:
        return moment(at, self._zoned)

    @property
    def _zoned(self) -> bool:
        return bool(self.model.at.field_type == "TIMESTAMPTZ")


class AnyScript(peewee.Field):
    """A column whose texts may be in every script, whatever the database has as a rule."""

    def ddl_datatype(self, ctx: Any) -> Any:
        kind = super().ddl_datatype(ctx)
        counted = (ctx.state.field_types or {}).get("AUTO", "")
        return self.on_mysql(kind.sql) if "AUTO_INCREMENT" in counted else kind

    def on_mysql(self, kind: str) -> Any:
        return peewee.SQL(f"{kind} CHARACTER SET utf8mb4")


class Line(AnyScript, peewee.CharField):
    """A line of text."""


class Text(AnyScript, peewee.TextField):
    """A text of up to 64 kB."""


class LargeText(AnyScript, peewee.TextField):
    """Text of any length: MariaDB's TEXT ends at 64 kB."""

    def on_mysql(self, kind: str) -> Any:
        return super().on_mysql("LONGTEXT")


def base_class(db: Any) -> Any:
    """Return a base class for models.

    :param db: what `PeeweeHistory.make_models` takes.
    :raises TypeError: it can't have one.
    """
    if not isinstance(db, (type, peewee.Database, peewee.Proxy)):
        db = getattr(db, "Model", None)  # a FlaskDB's
    if isinstance(db, type) and issubclass(db, peewee.Model):
        return db
    if not isinstance(db, (peewee.Database, peewee.Proxy)):
        raise TypeError(
            "make_models(db): db is a peewee database, a DatabaseProxy, a FlaskDB, or a base class "
            "of models, such as flask_db.Model"
        )

    class Base(peewee.Model):
        class Meta:
            database = db

    return Base


def make_models(base: Any) -> tuple[Any, Any]:
    """Return new models below a base class."""

    class Conf(WaffleMixin, base):
        class Meta:
            table_name = "confs"

        key = Line(unique=True)
        value = LargeText()

    class ConfChange(WaffleChangeMixin, base):
        class Meta:
            table_name = "conf_changes"
            indexes = [
                ((column, order), False)
                for column in ("key", "actor", "source")
                for order in ("id", "at")
            ]

        change_set = Line(32, index=True)
        key = Line()
        old = LargeText(null=True)
        new = LargeText(null=True)
        actor = Line()
        at = peewee.DateTimeField(index=True)
        note = Text()
        source = Line(32)

    return Conf, ConfChange
