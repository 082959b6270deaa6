"""The StoreError for each error of a driver."""

from __future__ import annotations

import sqlite3
from typing import Any

import psycopg
import psycopg2
import pymysql
import pytest
import sqlalchemy as sa

from waffleconf_admin.exceptions import BusyError, NotReadyError, StoreError
from waffleconf_admin.store import errors


def of_sqlite(name: str, text: str = "it failed") -> sqlite3.Error:
    error = sqlite3.OperationalError(text)
    error.sqlite_errorname = name
    return error


def of_postgres(code: str) -> psycopg.Error:
    return psycopg.errors.lookup(code)("it failed")


def of_mariadb(code: int) -> pymysql.Error:
    return pymysql.OperationalError(code, "it failed")


@pytest.mark.parametrize(
    ("error", "raised", "remedy"),
    [
        (of_sqlite("SQLITE_BUSY"), BusyError, "commit it first"),
        (of_sqlite("SQLITE_BUSY_SNAPSHOT"), BusyError, "commit it first"),
        (of_sqlite("SQLITE_LOCKED"), BusyError, "commit it first"),
        (of_postgres("55P03"), BusyError, "commit it first"),
        (of_mariadb(1205), BusyError, "commit it first"),
        (of_sqlite("SQLITE_ERROR", "no such table: confs"), NotReadyError, "create the tables"),
        (of_postgres("42P01"), NotReadyError, "create the tables"),
        (of_mariadb(1146), NotReadyError, "create the tables"),
        (of_sqlite("SQLITE_ERROR", "no such column: value"), StoreError, "run your migration"),
        (of_postgres("42703"), StoreError, "run your migration"),
        (of_mariadb(1054), StoreError, "run your migration"),
        (of_sqlite("SQLITE_READONLY_DBMOVED"), StoreError, "read-only"),
        (of_postgres("25006"), StoreError, "read-only"),
        (of_mariadb(1290), StoreError, "read-only"),
        (of_postgres("42501"), StoreError, "name, password and rights"),
        (of_mariadb(1045), StoreError, "name, password and rights"),
        (of_mariadb(1049), StoreError, "no such database"),
        (TypeError("bytes or buffer expected, got <class 'str'>"), StoreError, "as Text"),
        (TypeError("string argument without an encoding"), StoreError, "as Text"),
        (of_sqlite("SQLITE_FULL"), StoreError, "make room"),
        (of_postgres("53100"), StoreError, "make room"),
        (of_mariadb(1021), StoreError, "make room"),
        (of_sqlite("SQLITE_IOERR_WRITE"), StoreError, "make room"),
        (of_sqlite("SQLITE_CANTOPEN"), StoreError, "check its path"),
        (of_sqlite("SQLITE_NOTADB"), StoreError, "from a backup"),
        (of_sqlite("SQLITE_CONSTRAINT_CHECK"), StoreError, "A rule of the table"),
        (of_postgres("23514"), StoreError, "A rule of the table"),
        (of_mariadb(4025), StoreError, "A rule of the table"),
        (of_mariadb(1406), StoreError, "column larger"),
        (pymysql.DataError(1366, "Incorrect string value: '\\xE2'"), StoreError, "utf8mb4"),
        (pymysql.OperationalError(1267, "Illegal mix of collations"), StoreError, "utf8mb4"),
        (of_postgres("22P05"), StoreError, "UTF8"),
        (of_postgres("57P01"), StoreError, "check that it runs"),
        (of_mariadb(2006), StoreError, "check that it runs"),
        (pymysql.InterfaceError(0, ""), StoreError, "check that it runs"),
        (psycopg.OperationalError("connection failed: refused"), StoreError, "check that it runs"),
        (RuntimeError("something else"), StoreError, "RuntimeError: something else"),
        (OSError(28, "No space left on device"), StoreError, "make room"),
        (OSError(23, "Too many open files"), StoreError, "failed: OSError: Too many open files"),
        (OSError(13, "Permission denied"), StoreError, "failed: PermissionError: Permission den"),
        (KeyError(28), StoreError, "failed: KeyError: 28"),
        (of_mariadb(2802), StoreError, "failed: OperationalError: it failed"),
    ],
)
def test_an_error_says_what_to_do(error: Exception, raised: Any, remedy: str) -> None:
    explained = errors.explain(error)
    assert type(explained) is raised
    assert remedy in str(explained)


@pytest.mark.parametrize("driver", [psycopg, psycopg2])
@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"dbname": "nope"}, "no such database"),
        ({"user": "nobody_of_that_name"}, "name, password and rights"),
        ({"port": 1}, "check that it runs"),
    ],
)
def test_a_connection_that_is_refused_says_what_is_wrong_in_its_address(
    driver: Any, postgres_url: str, wrong: dict[str, Any], remedy: str
) -> None:
    url = sa.make_url(postgres_url)
    address = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    with pytest.raises(driver.OperationalError) as caught:
        driver.connect(**(address | wrong))
    assert remedy in str(errors.explain(caught.value))


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (of_postgres("40001"), True),
        (of_postgres("40P01"), True),
        (of_mariadb(1213), True),
        (of_mariadb(1020), True),
        (of_mariadb(1205), False),
        (of_sqlite("SQLITE_BUSY"), False),
        (RuntimeError("40001"), False),
        (OSError(1213, "it failed"), False),
    ],
)
def test_only_transient_errors_are_tried_again(error: Exception, again: bool) -> None:
    assert errors.is_transient(error) is again


def test_a_message_repeats_no_value_and_no_detail() -> None:
    error = psycopg.DataError('invalid: "gASVc2VjcmV0"\nDETAIL:  Failing row contains (1, x).')
    explained = str(errors.explain(error, texts=[None, "gASVc2VjcmV0Lg=="]))
    assert 'invalid: "…"' in explained
    assert "DETAIL" not in explained
    assert "gASV" not in str(error)
