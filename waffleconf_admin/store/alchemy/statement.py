"""Statement: one that writes, compiled once and then given to the driver as a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from ..swaps import PARAMETERS, Parameters, taker

#: The databases that this is tested on; drivers of others may have to know the types of parameters.
_DIALECTS = ("sqlite", "postgresql", "mysql", "mariadb")


class _Compiled(NamedTuple):
    """A statement as a driver takes it."""

    text: str
    #: Makes the driver's parameters of a row.
    arrange: Callable[[Parameters], Parameters | dict[str, str | None]]


class Statement:
    """An INSERT, UPDATE or DELETE with some of `PARAMETERS`.

    SQLAlchemy walks over the parameters of each row, which takes longer than what the driver does.
    Only where an execution needs more than the text of the statement, SQLAlchemy executes it: a
    type converts values, a column has a default in Python, a schema is translated, or the app
    listens to the execution of constructs.

    :param construct: what SQLAlchemy makes the text of.
    :param types: those of the parameters.
    """

    def __init__(self, construct: sa.UpdateBase, types: Iterable[TypeEngine[str]]) -> None:
        self.construct = construct
        self._types = tuple(types)
        # None: SQLAlchemy executes it. Weak, for an app may make new engines again and again.
        self._compiled: WeakKeyDictionary[sa.Dialect, _Compiled | None] = WeakKeyDictionary()

    def execute(self, connection: sa.Connection, rows: Sequence[Parameters]) -> int:
        """Execute the statement for each row of parameters; return how many rows it has changed."""
        if len(rows) > 1 and not connection.dialect.supports_sane_multi_rowcount:
            # psycopg2 may be set to send them in batches, and then counts those of the last one.
            return sum(self.execute(connection, [row]) for row in rows)
        compiled = None if _is_adapted(connection) else self._compiled_for(connection.dialect)
        if compiled is None:
            given = [dict(zip(PARAMETERS, row, strict=False)) for row in rows]
            return connection.execute(self.construct, given).rowcount
        arranged = list(map(compiled.arrange, rows))
        return connection.exec_driver_sql(
            compiled.text, arranged[0] if len(arranged) == 1 else arranged
        ).rowcount

    def _compiled_for(self, dialect: sa.Dialect) -> _Compiled | None:
        if dialect not in self._compiled:
            self._compiled[dialect] = self._compile(dialect)
        return self._compiled[dialect]

    def _compile(self, dialect: sa.Dialect) -> _Compiled | None:
        if dialect.name not in _DIALECTS or any(_converts(each, dialect) for each in self._types):
            return None
        compiled = self.construct.compile(dialect=dialect)
        assert isinstance(compiled, SQLCompiler)  # nosec B101 # for the type checker
        if not compiled.params.keys() <= set(PARAMETERS):  # defaults are parameters too
            return None
        if compiled.positiontup is not None:
            return _Compiled(str(compiled), taker(compiled.positiontup))
        names = tuple(compiled.params)
        take = taker(names)
        return _Compiled(str(compiled), lambda row: dict(zip(names, take(row), strict=True)))


def alters(given: sa.types.TypeEngine[object], dialect: sa.Dialect) -> bool:
    """Whether a type may give other texts to the database, or take others from it."""
    return (
        not isinstance(given, sa.String)  # a type of the app's own
        or given._has_bind_expression
        or given._has_column_expression
        or _converts(given, dialect)
        or given.dialect_impl(dialect).result_processor(dialect, None) is not None
    )


def _is_adapted(connection: sa.Connection) -> bool:
    """Whether the constructs that a connection executes are changed or listened to."""
    listeners = connection.dispatch
    schemas = connection.get_execution_options().get("schema_translate_map")
    return bool(schemas or listeners.before_execute or listeners.after_execute)


def _converts(given: TypeEngine[str], dialect: sa.Dialect) -> bool:
    """Whether a type converts the values of parameters."""
    return given.dialect_impl(dialect).bind_processor(dialect) is not None
