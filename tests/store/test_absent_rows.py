"""A save that is decided by rows that are not there: nobody adds them meanwhile."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import make_url
from store_cases import Case, open_case

KINDS = ["scoped_session", "autocommit", "peewee"]
LEVELS = {
    "file": [""],
    "wal": [""],
    "postgres": ["read committed", "repeatable read", "serializable"],
    "mariadb": ["read uncommitted", "read committed", "repeatable read", "serializable"],
}
PLACES = [(database, level) for database, levels in LEVELS.items() for level in levels]


def with_level(url: str, database: str, level: str) -> str:
    """The URL of connections whose transactions are of an isolation level."""
    if database == "postgres":
        escaped = level.replace(" ", "\\ ")
        option = {"options": f"-c default_transaction_isolation={escaped}"}
    elif database == "mariadb":
        option = {"init_command": f"SET SESSION TRANSACTION ISOLATION LEVEL {level}"}
    else:
        return url
    return make_url(url).update_query_dict(option).render_as_string()


@pytest.fixture(params=PLACES, ids="-".join)
def url(request: pytest.FixtureRequest, server_url: Callable[[str], str], tmp_path: Path) -> str:
    database, level = request.param
    url = f"sqlite:///{tmp_path}/test.db"
    if database in ("postgres", "mariadb"):
        url = server_url(database)
    return with_level(url, database, level)


@pytest.fixture
def reading() -> threading.Event:
    """Set once a save has read what it is decided by."""
    return threading.Event()


@pytest.fixture(params=KINDS)
def writers(
    request: pytest.FixtureRequest, url: str, reading: threading.Event
) -> Iterator[list[Case]]:
    """Two stores on one database: where reading takes no lock, both read before either writes."""
    database = request.node.callspec.params["url"][0]
    together = threading.Barrier(2)
    with ExitStack() as stack:
        cases = [open_case(stack, request.param, database, url) for _ in range(2)]
        for case in cases:
            rows: Any = case.store._rows  # type: ignore[attr-defined]

            def lock(*args: Any, lock: Any = rows.lock) -> Any:
                found = lock(*args)
                reading.set()
                with contextlib.suppress(threading.BrokenBarrierError):
                    together.wait(0.5)
                return found

            rows.lock = lock
        yield cases


RESET = {"A": ("6", None), "B": (None, None)}
SET = {"B": (None, "6"), "A": ("6", "6")}
SAVES = [
    pytest.param(
        {},
        [{"A": (None, "6"), "B": (None, None)}, {"B": (None, "6"), "A": (None, None)}],
        id="set and set",
    ),
    pytest.param({"A": "6"}, [RESET, SET], id="reset and set"),
    pytest.param({"A": "6"}, [SET, RESET], id="set and reset"),
    pytest.param(
        {},
        [
            {"A": (None, "6"), "B": (None, "6"), "C": (None, None)},
            {"C": (None, "6"), "A": (None, None), "B": (None, None)},
        ],
        id="two and one",
    ),
]


@pytest.mark.parametrize(("before", "saves"), SAVES)
def test_of_two_that_decide_by_what_the_other_one_writes_one_is_refused(
    writers: list[Case], reading: threading.Event, before: dict[str, str], saves: list[Any]
) -> None:
    writers[0].store.swap({key: (None, text) for key, text in before.items()})
    with ThreadPoolExecutor(2) as executor:
        first = executor.submit(writers[0].store.swap, saves[0])
        assert reading.wait(10)
        second = executor.submit(writers[1].store.swap, saves[1])
        done = [first.result(30), second.result(30)]
    assert sorted(done) == [False, True]
    written = {key: new for key, (_, new) in saves[done.index(True)].items()}
    assert writers[0].rows() == sorted((key, text) for key, text in written.items() if text)


def test_in_the_transaction_of_a_test_it_is_too_late_and_no_harm(
    server_url: Callable[[str], str],
) -> None:
    with ExitStack() as stack:
        case = open_case(stack, "rolled back", "postgres", server_url("postgres"))
        assert case.store.swap({"A": (None, "6"), "B": (None, None)})
        assert not case.store.swap({"B": (None, "6"), "A": (None, None)})


@pytest.mark.parametrize(
    ("watched", "statements"),
    [
        pytest.param({}, ["INSERT", "COMMIT"], id="none"),
        pytest.param({"B": "b"}, ["SET", "SELECT", "INSERT", "COMMIT"], id="a row that is there"),
        pytest.param({"C": None}, ["SET", "SELECT", "INSERT", "COMMIT"], id="an absent row"),
    ],
)
def test_an_absent_row_costs_a_statement_and_only_where_others_decide(
    server_url: Callable[[str], str], watched: dict[str, str | None], statements: list[str]
) -> None:
    with ExitStack() as stack:
        case: Any = open_case(stack, "scoped_session", "postgres", server_url("postgres"))
        case.store.swap({"B": (None, "b")})
        case.statements.clear()
        unwritten = {key: (text, text) for key, text in watched.items()}
        assert case.store.swap({"A": (None, "a")} | unwritten)
        assert case.statements == statements


def test_rows_that_are_there_are_locked_and_no_more(server_url: Callable[[str], str]) -> None:
    with ExitStack() as stack:
        case: Any = open_case(stack, "scoped_session", "postgres", server_url("postgres"))
        case.store.swap({"A": (None, "a"), "B": (None, "b")})
        case.statements.clear()
        assert case.store.swap({"A": ("a", "aa"), "B": ("b", "b")})
        assert case.statements == ["SELECT", "UPDATE", "COMMIT"]
