"""Engines: tables of MySQL and MariaDB that have no transactions, such as those of MyISAM."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import SupportsFloat

from .locks import Execute

log = logging.getLogger(__name__)

#: The name of a table, and its schema; None: that of the connection.
TableName = tuple[str | None, str]


def warn_of_engines(execute: Execute, tables: Iterable[TableName]) -> None:
    """Log a warning if a rollback would not reach all of these tables.

    :param execute: on a connection to MySQL or MariaDB.
    """
    wanted = ", ".join(f"({_literal(schema)}, {_literal(name)})" for schema, name in tables)
    found: Sequence[SupportsFloat] = execute(
        "SELECT COUNT(*) FROM information_schema.TABLES AS ours"  # nosec B608  in it are digits
        " JOIN information_schema.ENGINES AS theirs ON theirs.ENGINE = ours.ENGINE"
        " WHERE theirs.TRANSACTIONS = 'NO'"
        f" AND (ours.TABLE_SCHEMA, ours.TABLE_NAME) IN ({wanted})"
    )
    if found and float(found[0]):
        log.warning(
            "A table of the settings, or of their history, has an engine without transactions, "
            "such as MyISAM: a save that fails may leave a part of it, in spite of its error. "
            "ALTER TABLE … ENGINE = InnoDB."
        )


def _literal(name: str | None) -> str:
    return "DATABASE()" if name is None else f"CONVERT(X'{name.encode().hex()}' USING utf8mb4)"
