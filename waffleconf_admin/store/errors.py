"""What a driver's error means, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ..exceptions import BusyError, NotReadyError, StoreError

COMMIT_FIRST = (
    "The caller's own transaction holds the database, so nothing can be saved beside it: commit it "
    "(or leave its atomic() block), then save."
)

UNKNOWN = (
    "The connection was lost while the settings were being saved, and whether they were is "
    "unknown: look at them before you save again."
)

# A deadlock, a serialization failure, a row changed since it was read: trying again helps.
_AGAIN = {"40001", "40P01", "1020", "1213"}


class _Kind(NamedTuple):
    """One kind of fault, told by its code or the words of its text.

    Codes are SQLite's names, SQLSTATEs and MariaDB's numbers, or how they start.
    """

    codes: tuple[str, ...]
    words: str
    message: str
    error: type[StoreError] = StoreError


_LOST = _Kind(
    ("08", "57P", "1040", "1927", "2002", "2003", "2006", "2013", "2055", "4031", "53300"),
    r"(?i)connection (already |is |was |has been )?(closed|lost|failed|refused|timed out|reset)"
    r"|closed the connection|gone away|not connect|broken pipe|the connection is|^\(0, ''\)",
    "The database can't be reached: check that it runs, its address and the network.",
)

_KINDS = (
    _Kind(
        ("SQLITE_BUSY", "SQLITE_LOCKED", "55P03", "1205"),
        r"database (table )?is locked",
        "Somebody else holds the database: if it is an open transaction of this request, commit it "
        "first; else try again.",
        BusyError,
    ),
    _Kind(
        (),
        r"QueuePool limit|(?i:max\w* connections)",
        "Every connection of the pool is in use: settings need one beside the view's own. Enlarge "
        "the pool, or commit before you read or save settings.",
        BusyError,
    ),
    _Kind(
        ("42P01", "1146"),
        r"no such table",
        "The table of the settings does not exist: create the tables (db.create_all() or your "
        "migration).",
        NotReadyError,
    ),
    _Kind(
        ("42703", "1054"),
        r"no such column|has no column",
        "The table of the settings lacks a column of the model: run your migration.",
    ),
    _Kind(
        ("SQLITE_READONLY", "25006", "1290", "1792", "1836"),
        r"readonly database",
        "The database is read-only: give the app a database it may write to; for an SQLite file "
        "that is the file and its folder.",
    ),
    _Kind(
        ("42501", "1044", "1045", "1142", "28"),
        r"denied",
        "The database refuses this user: check name, password and rights.",
    ),
    _Kind(
        ("SQLITE_FULL", "53100", "1021", "1114"),
        r"disk is full|No space left",
        "The disk of the database is full: make room, then save again.",
    ),
    _Kind(
        ("SQLITE_IOERR",),
        r"disk I/O error",
        "The disk of the database failed: make room on it, look at quotas and limits of the size "
        "of a file, and check the disk itself.",
    ),
    _Kind(
        ("SQLITE_CANTOPEN",),
        r"unable to open database",
        "The database file can't be opened: check its path, its folder and their permissions.",
    ),
    _Kind(
        ("SQLITE_CORRUPT", "SQLITE_NOTADB"),
        r"malformed|not a database",
        "The database file is damaged: restore it from a backup.",
    ),
    _Kind(
        ("SQLITE_CONSTRAINT", "23", "1048", "1062", "1364", "1451", "1452", "4025"),
        r"constraint",
        "A rule of the table (a unique index, NOT NULL, a check) refuses what should be saved: "
        "look at the table's other columns, and for a key that differs in upper and lower case.",
    ),
    _Kind(
        ("1406", "22001"),
        r"too long",
        "A value is too long for its column: make the column larger (TEXT; on MariaDB LONGTEXT).",
    ),
    _Kind(
        ("22P05",),
        r"Incorrect string value|Illegal mix of collations|character maps to|ordinal not in range",
        "A text has letters that its column or the connection can't hold. On MySQL and MariaDB "
        "connect with charset=utf8mb4, and convert the tables of the settings and of their "
        "history: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4; on PostgreSQL take a database "
        "whose encoding is UTF8.",
    ),
    _LOST,
)


def again(error: BaseException) -> bool:
    """Whether the transaction may succeed when it is tried once more."""
    return _code(origin(error)) in _AGAIN


def lost(error: BaseException) -> bool:
    """Whether the connection is gone, and with it whatever was not committed."""
    return _is(origin(error), _LOST)


def origin(error: BaseException) -> BaseException:
    """The driver's own error within that of an ORM."""
    # When SQLite has ended a transaction itself (the disk is full), the ORM's own rollback fails.
    while "no transaction is active" in str(error) and error.__context__ is not None:
        error = error.__context__
    inner = getattr(error, "orig", None)
    return inner if isinstance(inner, BaseException) else error


def explain(error: BaseException, texts: Iterable[str | None] = ()) -> StoreError:
    """Make the StoreError (or BusyError) to raise ``from`` a driver's error.

    The error is cleaned on the way, for it would be printed below ours in a traceback.

    :param error: what was caught.
    :param texts: what was to be read or written: no message may repeat it.
    """
    cause = origin(error)
    for link in _chain(error):
        _clean(link, texts)
    kind = next((kind for kind in _KINDS if _is(cause, kind)), None)
    if kind is None:
        return StoreError(f"The database failed: {describe(cause)}")
    return kind.error(f"{kind.message} (It said: {describe(cause)})")


def describe(error: BaseException) -> str:
    """The type of an error and its first line."""
    return f"{type(error).__name__}: {_words(error)}"


def _is(cause: BaseException, kind: _Kind) -> bool:
    code = _code(cause)
    return (code.startswith(kind.codes) if code else False) or bool(
        kind.words and re.search(kind.words, _words(cause))
    )


def _code(cause: BaseException) -> str:
    if cause.args and isinstance(cause.args[0], int):
        return str(cause.args[0])
    names = ("sqlite_errorname", "sqlstate", "pgcode")
    return next((str(code) for name in names if (code := getattr(cause, name, None))), "")


def _words(cause: BaseException) -> str:
    # PostgreSQL's further lines (DETAIL: Failing row contains …) show values.
    texts = [text for text in cause.args if isinstance(text, str) and text.strip()]
    return texts[-1].strip().splitlines()[0] if texts else str(cause)


def _chain(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], set[int]()
    while waiting:
        link = waiting.pop()
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        further = (link.__cause__, link.__context__, *link.args)
        waiting += [item for item in further if isinstance(item, BaseException)]


def _clean(error: BaseException, texts: Iterable[str | None]) -> None:
    def clean(match: re.Match[str]) -> str:
        return "…" if any(text and match[0] in text for text in texts) else match[0]

    error.args = tuple(
        re.sub(r"[A-Za-z0-9+/=]{6,}", clean, part) if isinstance(part, str) else part
        for part in error.args
    )
    if hasattr(error, "hide_parameters"):  # SQLAlchemy prints what it sent, unless told
        error.hide_parameters = True
