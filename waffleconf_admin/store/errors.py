"""Errors of database drivers: what each means, and the StoreError that says what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple, NoReturn

from ..exceptions import BusyError, NotReadyError, StoreError

COMMIT_FIRST = (
    "The caller's own transaction holds the database, so nothing can be saved beside it: commit it "
    "(or leave its atomic() block), then save."
)

IN_USE = "Another thread uses the database's only connection: try again."

UNKNOWN = (
    "The connection was lost while the settings were being saved, and whether they were is "
    "unknown: check them before you save again."
)

#: How often a save that others keep overtaking is tried before it is given up.
ATTEMPTS = 20

#: Characters of an SQLSTATE, which may be digits; MariaDB's numbers have fewer.
SQLSTATE_LENGTH = 5

# A deadlock, a serialization failure, a row changed since it was read.
_TRANSIENT = {"40001", "40P01", "1020", "1213"}


class _Fault(NamedTuple):
    """A kind of fault, recognised by the driver's code or a pattern in its message.

    Codes are MariaDB's numbers, and SQLite's names and SQLSTATEs or their beginnings.
    """

    codes: tuple[str, ...]
    pattern: str
    message: str
    error: type[StoreError] = StoreError


_LOST = _Fault(
    ("08", "57P", "1040", "1927", "2002", "2003", "2006", "2013", "2055", "4031", "53300"),
    r"(?i)connection (already |is |was |has been )?(closed|lost|failed|refused|timed out|reset)"
    r"|closed the connection|gone away|not connect|broken pipe|the connection is|^\(0, ''\)",
    "The database can't be reached: check that it runs, its address and the network.",
)

_FAULTS = (
    _Fault(
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "1205"),
        r"database (table )?is locked",
        "Somebody else holds the database: if it is an open transaction of this request, commit it "
        "first; else try again.",
        BusyError,
    ),
    _Fault(
        (),
        r"QueuePool limit|(?i:max\w* connections)",
        "Every connection of the pool is in use: settings need one beside the view's own. Enlarge "
        "the pool, or commit before you read or save settings.",
        BusyError,
    ),
    _Fault(
        ("42P01", "1146"),
        r"no such table",
        "A table of the settings, or of their history, does not exist: create the tables, both in "
        "one database (your migration, db.create_all(), or with peewee "
        "database.create_tables([…])).",
        NotReadyError,
    ),
    _Fault(
        ("42703", "1054"),
        r"no such column|has no column",
        "The table of the settings lacks a column of the model: run your migration.",
    ),
    _Fault(
        ("SQLITE_READONLY", "25006", "1290", "1792", "1836"),
        r"readonly database",
        "The database is read-only: give the app a database it may write to; for an SQLite file "
        "that is the file and its folder.",
    ),
    _Fault(
        ("42501", "1044", "1045", "1142", "28"),
        # Of a connection that is refused psycopg has no code.
        r"denied (for|to)|authentication failed|role \".*\" does not exist|no pg_hba\.conf entry",
        "The database refuses this user: check name, password and rights.",
    ),
    _Fault(
        ("3D000", "1049"),
        r"database \".*\" does not exist",
        "The server has no such database: check the name in its address, or create it.",
    ),
    _Fault(
        ("SQLITE_FULL", "53100", "1021", "1114"),
        r"disk is full|No space left",
        "The disk of the database is full: make room, then save again.",
    ),
    _Fault(
        ("SQLITE_IOERR",),
        r"disk I/O error",
        "The disk of the database failed: make room on it, look at quotas and limits of the size "
        "of a file, and check the disk itself.",
    ),
    _Fault(
        ("SQLITE_CANTOPEN",),
        r"unable to open database",
        "The database file can't be opened: check its path, its folder and their permissions.",
    ),
    _Fault(
        (),
        r"objects created in a thread",
        "A pool gives one thread the connection to SQLite of another: connect with "
        "check_same_thread=False, PooledSqliteDatabase(path, check_same_thread=False) say.",
    ),
    _Fault(
        ("SQLITE_CORRUPT", "SQLITE_NOTADB"),
        r"malformed|not a database",
        "The database file is damaged: restore it from a backup.",
    ),
    _Fault(
        ("SQLITE_CONSTRAINT", "23", "1048", "1062", "1364", "1451", "1452", "4025"),
        r"constraint",
        "A rule of the table (a unique index, NOT NULL, a check) refuses what should be saved: "
        "look at the table's other columns, and for a key that differs in upper and lower case.",
    ),
    _Fault(
        ("1406", "22001"),
        r"too long",
        "A value is too long for its column: make the column larger (TEXT; on MariaDB LONGTEXT).",
    ),
    _Fault(
        (),
        r"memoryview: a bytes-like|bytes or buffer expected, got <class 'str'>"
        r"|string argument without an encoding|can't escape str to binary|is of type bytea but",
        "A column of the settings, or of their history, is binary, and it should hold text: "
        "declare it as Text (in the database TEXT), or let its type make bytes of texts, and texts "
        "of bytes, as a TypeDecorator does.",
    ),
    _Fault(
        ("22P05",),
        r"Incorrect string value|Illegal mix of collations|character maps to|ordinal not in range",
        "A text has letters that its column or the connection can't hold. On MySQL and MariaDB "
        "connect with charset=utf8mb4, and convert the tables of the settings and of their "
        "history: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4; on PostgreSQL take a database "
        "whose encoding is UTF8.",
    ),
    _LOST,
)


def overtaken(keys: Iterable[str]) -> BusyError:
    """Return the error of a save that others have overtaken at each of its `ATTEMPTS`."""
    return BusyError(
        f"Others kept saving {', '.join(keys)} at the same moment; nothing was saved: try again."
    )


def ignored(keys: Iterable[str]) -> StoreError:
    """Return the error of a save of which the database has written nothing, without an error."""
    return StoreError(
        f"Nothing was saved: the database does not write {', '.join(keys)}, and reports no error. "
        "A policy of the table (row-level security), a trigger or a rule may keep this user from "
        "it."
    )


def is_transient(error: BaseException) -> bool:
    """Whether the same transaction may succeed at the next try."""
    return _code(_origin(error)) in _TRANSIENT


def is_connection_lost(error: BaseException) -> bool:
    """Whether the connection is gone, and with it whatever was not committed."""
    return bool(getattr(error, "connection_invalidated", False)) or _is(_origin(error), _LOST)


def fail(error: BaseException, texts: Iterable[str | None] = ()) -> NoReturn:
    """Raise the StoreError that an error means; one of our own, or NotImplementedError, as it is.

    :param error: what was caught.
    :param texts: what was to be read or written: no message may repeat it.
    """
    if isinstance(error, StoreError | NotImplementedError):
        raise error
    raise explain(error, texts) from error


def explain(error: BaseException, texts: Iterable[str | None] = ()) -> StoreError:
    """Return the StoreError (or BusyError) to raise ``from`` a driver's error.

    The driver's error is changed too, for a traceback prints it with ours.

    :param error: what was caught.
    :param texts: what was to be read or written: no message may repeat it.
    """
    cause = _origin(error)
    given = [text for text in texts if text]
    for link in _chain(error):
        _remove(given, link)
    fault = next((fault for fault in _FAULTS if _is(cause, fault)), None)
    if fault is None:
        return StoreError(f"The database failed: {describe(cause)}")
    return fault.error(f"{fault.message} (It said: {describe(cause)})")


def describe(error: BaseException) -> str:
    """Return the type of an error and the first line of its message."""
    return f"{type(error).__name__}: {_first_line(error)}"


def _origin(error: BaseException) -> BaseException:
    """Return the driver's own error within that of an ORM."""
    # When SQLite has ended a transaction itself (the disk is full), the ORM's own rollback fails.
    while "no transaction is active" in str(error) and error.__context__ is not None:
        error = error.__context__
    inner = getattr(error, "orig", None)
    return inner if isinstance(inner, BaseException) else error


def _is(cause: BaseException, fault: _Fault) -> bool:
    code = _code(cause)
    is_number = code.isdigit() and len(code) < SQLSTATE_LENGTH
    if code in fault.codes or (not is_number and code.startswith(fault.codes)):
        return True
    return bool(fault.pattern and re.search(fault.pattern, _first_line(cause)))


def _code(cause: BaseException) -> str:
    # Other errors have other numbers: an OSError that of the operating system.
    is_of_driver = any(cls.__name__ == "Error" for cls in type(cause).__mro__)  # PEP 249
    if is_of_driver and cause.args and isinstance(cause.args[0], int):
        return str(cause.args[0])
    names = ("sqlite_errorname", "sqlstate", "pgcode")
    return next((str(code) for name in names if (code := getattr(cause, name, None))), "")


def _first_line(cause: BaseException) -> str:
    # PostgreSQL's further lines (DETAIL: Failing row contains …) show values.
    texts = [text for text in cause.args if isinstance(text, str) and text.strip()]
    return texts[-1].strip().splitlines()[0] if texts else str(cause)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error, its causes and contexts, and errors that are arguments of these."""
    waiting, visited = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in visited:
            continue
        visited.add(id(link))
        yield link
        further = (link.__cause__, link.__context__, *link.args)
        waiting += [item for item in further if isinstance(item, BaseException)]


def _remove(texts: list[str], error: BaseException) -> None:
    """Replace what an error's arguments quote of texts."""

    def replace(match: re.Match[str]) -> str:
        return "…" if any(match[0] in text for text in texts) else match[0]

    error.args = tuple(
        re.sub(r"[A-Za-z0-9+/=]{6,}", replace, part) if isinstance(part, str) else part
        for part in error.args
    )
    if hasattr(error, "hide_parameters"):  # else SQLAlchemy prints the parameters of the statement
        error.hide_parameters = True
