"""Catalog: asks a database whether its tables store texts exactly as they are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

# Each lists the names and types of a table's columns; of a view, or of a table with triggers or
# rules, nothing. Their only parameter is the table.
_COLUMNS = {
    "sqlite": (
        "SELECT name_and_type.name, name_and_type.type FROM sqlite_master AS of_table"
        " JOIN pragma_table_info(of_table.name) AS name_and_type"
        " WHERE of_table.type = 'table' AND of_table.name = {table} COLLATE NOCASE"
        " AND NOT EXISTS (SELECT 1 FROM sqlite_master AS other WHERE other.type = 'trigger'"
        " AND other.tbl_name = of_table.name COLLATE NOCASE)"
    ),
    "postgresql": (
        "SELECT pg_attribute.attname, pg_type.typname FROM pg_class"
        " JOIN pg_attribute ON pg_attribute.attrelid = pg_class.oid"
        " JOIN pg_type ON pg_type.oid = pg_attribute.atttypid"
        " WHERE pg_class.oid = to_regclass({table}) AND pg_class.relkind = 'r'"
        " AND NOT pg_class.relhastriggers AND NOT pg_class.relhasrules"
    ),
}
# SQLite goes by parts of a type's name: INT comes first, and what has none of them is numeric.
_TEXT_TYPES = {
    "sqlite": re.compile(r"(?i)^(?!.*INT)(.*(CHAR|CLOB|TEXT|BLOB).*)?$"),
    "postgresql": re.compile(r"^(text|varchar)$"),
}


def keeps_texts(
    dialect: str,
    table: str,
    columns: Iterable[str],
    execute: Callable[[str, str], Iterable[Sequence[str]]],
) -> bool:
    """Return whether columns of a table store texts as they are written; False: that is unknown.

    :param table: its name, with a schema, as this database writes it.
    :param columns: their names in the database.
    :param execute: executes a SELECT with ``{table}`` for its parameter, and that parameter.
    """
    if dialect not in _COLUMNS:
        return False
    types = {row[0]: row[1] for row in execute(_COLUMNS[dialect], table)}
    is_text = _TEXT_TYPES[dialect].search
    return all(name in types and is_text(types[name]) for name in columns)
