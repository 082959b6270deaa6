"""Saves that the database asks to try again: deadlocks and serialization failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from store_cases import Case, open_case

from waffleconf_admin import BusyError
from waffleconf_admin.store.errors import ATTEMPTS

#: A trigger that refuses so many inserts; no rollback takes back what a sequence has counted.
REFUSE = {
    "postgres": [
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF nextval('tries') <= {} THEN RAISE 'again' USING ERRCODE = '40001'; END IF; "
        "RETURN NEW; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON confs FOR EACH ROW EXECUTE FUNCTION refuse()",
    ],
    "mariadb": [
        "CREATE TRIGGER refuse BEFORE INSERT ON confs FOR EACH ROW BEGIN "
        "IF nextval(tries) <= {} THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = 1213; END IF; END"
    ],
}
FORGET = {
    "postgres": ["DROP FUNCTION refuse() CASCADE", "DROP SEQUENCE tries"],
    "mariadb": ["DROP TRIGGER refuse", "DROP SEQUENCE tries"],
}


@pytest.fixture(params=[(orm, db) for orm in ("scoped_session", "peewee") for db in REFUSE])
def case(request: pytest.FixtureRequest, server_url: Callable[[str], str]) -> Iterator[Case]:
    orm, database = request.param
    with ExitStack() as stack:
        yield open_case(stack, orm, database, server_url(database))


@pytest.fixture
def refuse(case: Case) -> Iterator[Callable[[int], None]]:
    """A function that lets so many saves fail."""

    def refuse(number: int) -> None:
        case.sql("CREATE SEQUENCE tries")
        for statement in REFUSE[case.database]:
            case.sql(statement.format(number))

    yield refuse
    for statement in FORGET[case.database]:
        case.sql(statement)


def test_the_same_save_is_tried_again(case: Case, refuse: Callable[[int], None]) -> None:
    refuse(ATTEMPTS - 1)
    assert case.store.swap({"A": (None, "a")})
    assert case.rows() == [("A", "a")]


def test_a_save_that_fails_each_time_is_busy(case: Case, refuse: Callable[[int], None]) -> None:
    refuse(ATTEMPTS)
    with pytest.raises(BusyError, match="Others kept saving A at the same moment"):
        case.store.swap({"A": (None, "a")})
    assert case.rows() == []
