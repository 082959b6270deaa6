"""HistoryRows: the history in the database, by the app's model of it, whatever the ORM."""

from __future__ import annotations

import contextlib
import operator
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Generic

from ..exceptions import StoreError
from .engines import TableName
from .history_rows import DEPLOY, HistoryQuery, HistoryRow, Settlement
from .instances import Model, as_text, column_time, read_time
from .rows import C, chunks

#: A condition, or an order. Any: columns of SQLAlchemy and of peewee overload the same operators,
#: and have no type in common.
Condition = Any

_FILTERS: tuple[tuple[str, str, Callable[[Model, Any], Condition]], ...] = (
    ("change_set", "change_set", operator.eq),
    ("actor", "actor", operator.eq),
    ("actor_part", "actor", lambda column, part: _contains(column, part)),
    ("source", "source", operator.eq),
    ("keys", "key", lambda column, keys: column.in_(keys)),
    ("since", "at", operator.ge),
    ("until", "at", operator.lt),
    ("saves", "source", lambda column, _: column != DEPLOY),
    ("replacing", "old", lambda column, _: column != None),  # noqa: E711  # becomes SQL
)

#: The fields before the id, which the database counts; a model may lack columns for those behind.
WRITTEN = HistoryRow._fields[: HistoryRow._fields.index("id")]
#: Keys that one statement looks up: each is a query in it, with parameters of its own.
LOOKUPS = 100


class HistoryRows(ABC, Generic[C]):
    """The rows of the history: a model's statements."""

    def __init__(self, model: Model) -> None:
        self.model = model

    @property
    @abstractmethod
    def table_name(self) -> TableName:
        """The table, as the database knows it."""

    @property
    @abstractmethod
    def is_zoned(self) -> bool:
        """Whether the columns of times have a time zone."""

    @abstractmethod
    def may_alter(self, connection: C) -> bool:
        """As `SettingRows.may_alter`."""

    @abstractmethod
    def add(self, connection: C, rows: Sequence[HistoryRow]) -> bool:
        """Insert rows; return whether the database has counted each of them, as `SettingRows.write`
        does.
        """

    @abstractmethod
    def rewrite(self, connection: C, rows: Sequence[HistoryRow]) -> bool:
        """Give the rows with these ids the old and new texts of these; absent ones are left out.

        Return whether the database has counted each of the others, as `SettingRows.write` does.
        """

    @abstractmethod
    def read(self, connection: C, query: HistoryQuery) -> list[HistoryRow]:
        """Return what `WaffleStore.read_history` does."""

    @abstractmethod
    def latest(self, connection: C, keys: Sequence[str]) -> list[HistoryRow]:
        """Return what `WaffleStore.read_latest` does."""

    @abstractmethod
    def actors(self, connection: C, keys: Sequence[str] | None, limit: int) -> list[str]:
        """Return what `WaffleStore.read_actors` does."""

    @abstractmethod
    def prune(self, connection: C, until: datetime, limit: int) -> int:
        """Do what `WaffleStore.prune_history` does."""

    @abstractmethod
    def open_ends(self, connection: C) -> list[HistoryRow]:
        """Return what `WaffleStore.read_ends` does."""

    @abstractmethod
    def update(self, connection: C, wanted: Sequence[Condition], values: dict[str, object]) -> int:
        """Give the columns of rows values; return how many rows that were."""

    def settle(self, connection: C, settlement: Settlement) -> bool:
        """Settle ends; False: some of the rows are settled already, so roll this back."""
        model = self.model
        values: dict[str, object] = {
            "ended_at": settlement.at and self.column_time(settlement.at),
            "outcome": settlement.outcome,
            "remark": settlement.remark,
        }
        unsettled = [operator.eq(model.ended_at, None)]
        if settlement.at is None:  # once, by one process
            unsettled.append(operator.eq(model.outcome, None))
        count = 0
        for ids in chunks(settlement.ids):
            count += self.update(connection, [model.id.in_(ids), *unsettled], values)
        return count == len(settlement.ids)

    # What the statements of an ORM are made of

    def column_time(self, at: datetime) -> datetime:
        """Return a time as the columns take it."""
        return column_time(at, zoned=self.is_zoned)

    def attributes_of(self, row: HistoryRow) -> dict[str, object]:
        """Return the attributes of a new instance of the model."""
        attributes: dict[str, object] = dict(zip(WRITTEN, row, strict=False))
        attributes["at"] = self.column_time(row.at)
        if row.ends_at is not None:
            attributes["ends_at"] = self.column_time(row.ends_at)
        return attributes

    def conditions(self, query: HistoryQuery) -> list[Condition]:
        """Return what a query asks of the columns, but for `HistoryQuery.before`."""
        given = query._asdict()
        for name in ("since", "until"):
            if given[name] is not None:
                given[name] = self.column_time(given[name])
        return [
            compare(getattr(self.model, column), given[name])
            for name, column, compare in _FILTERS
            if given[name] is not None
        ]

    def follows(self, id: object, at: object) -> list[Condition]:
        """Return the conditions of what follows a row in the answer.

        :param id: that of the row.
        :param at: its time where the answer is ordered by time; else None.
        """
        model = self.model
        if at is None:
            return [model.id < id]
        return [model.at <= at, (model.at < at) | (model.id < id)]

    def order(self, query: HistoryQuery) -> list[Condition]:
        """Return the order of the answer to a query."""
        by_id = self.model.id.desc()
        return [self.model.at.desc(), by_id] if query.by_time else [by_id]

    def is_open(self) -> list[Condition]:
        """Return the conditions of the rows whose ends are still to come, or were refused."""
        earliest = self.column_time(datetime(1970, 1, 2, tzinfo=UTC))  # earlier than every end
        return [operator.eq(self.model.ended_at, None), self.model.ends_at > earliest]

    def is_prunable(self) -> list[Condition]:
        """Return the conditions of the rows that need not be there for their ends."""
        model = self.model
        if not has_ends(model):
            return []
        return [operator.eq(model.ends_at, None) | operator.ne(model.ended_at, None)]


def has_ends(model: object) -> bool:
    """Whether a history model has the columns that saves with an end need."""
    return all(hasattr(model, name) for name in ("ends_at", "ended_at", "outcome", "remark"))


def row_of(instance: Model) -> HistoryRow:
    """Return what an instance of a history model says."""
    overridable = hasattr(instance, "get_old")
    row = HistoryRow(
        change_set=as_text(instance.change_set),
        key=as_text(instance.key),
        old=instance.get_old() if overridable else instance.old,
        new=instance.get_new() if overridable else instance.new,
        actor=as_text(instance.actor),
        at=read_time(instance.at),
        note=as_text(instance.note),
        source=as_text(instance.source),
        id=instance.id,
    )
    ends_at = getattr(instance, "ends_at", None)
    if ends_at is None:
        return row
    return row._replace(
        ends_at=read_time(ends_at),
        ended_at=instance.ended_at and read_time(instance.ended_at),
        outcome=as_text(instance.outcome),
        remark=as_text(instance.remark),
    )


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Report rows that hold what their columns can't: SQLite takes that from other programs.

    :raises StoreError: a row can't be read.
    """
    try:
        yield
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        raise StoreError(
            "A row of the history can't be read: another program has written it. Its times must be "
            "times, and its texts text: correct or delete the row."
        ) from error


def newest_first(rows: Iterable[HistoryRow], query: HistoryQuery) -> list[HistoryRow]:
    """Return the rows that a query has found in the order of its answer."""
    by_time = query.by_time
    return sorted(rows, key=lambda row: (row.at if by_time else 0, row.id), reverse=True)


def _contains(column: Model, part: str) -> object:
    """Whether a column has a text in it, in capitals or not."""
    if hasattr(column, "icontains"):  # of SQLAlchemy
        return column.icontains(part, autoescape=True)
    return column.contains(part)
