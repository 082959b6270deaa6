"""Saves that are decided by rows that are not there: no other save can add these meanwhile."""

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

LEVELS = {
    "file": [""],
    "wal": [""],
    "postgres": ["read committed", "repeatable read", "serializable"],
    "mariadb": ["read uncommitted", "read committed", "repeatable read", "serializable"],
}
PLACES = [
    (setup, database, level)
    for setup in ("scoped_session", "peewee")
    for database, levels in LEVELS.items()
    for level in levels
]
# Such an engine's saves have the default level of the database.
PLACES += [("autocommit", database, "") for database in LEVELS]


def with_level(url: str, database: str, level: str) -> str:
    """The URL of connections whose transactions have an isolation level; "" for the default."""
    if not level:
        return url
    if database == "postgres":
        escaped = level.replace(" ", "\\ ")
        option = {"options": f"-c default_transaction_isolation={escaped}"}
    else:
        option = {"init_command": f"SET SESSION TRANSACTION ISOLATION LEVEL {level}"}
    return make_url(url).update_query_dict(option).render_as_string()


@pytest.fixture
def reading() -> threading.Event:
    """Set once a save has read what it is decided by."""
    return threading.Event()


@pytest.fixture(params=PLACES, ids="-".join)
def writers(
    request: pytest.FixtureRequest,
    server_url: Callable[[str], str],
    tmp_path: Path,
    reading: threading.Event,
) -> Iterator[list[Case]]:
    """Two stores on one database: where reading takes no lock, both read before either writes."""
    setup, database, level = request.param
    url = f"sqlite:///{tmp_path}/test.db"
    if database in ("postgres", "mariadb"):
        url = server_url(database)
    url = with_level(url, database, level)
    together = threading.Barrier(2)
    with ExitStack() as stack:
        cases = [open_case(stack, setup, database, url) for _ in range(2)]
        for case in cases:
            rows: Any = case.store._settings  # type: ignore[attr-defined]

            def lock(*args: Any, lock: Any = rows.lock) -> Any:
                found = lock(*args)
                reading.set()
                with contextlib.suppress(threading.BrokenBarrierError):
                    together.wait(0.2)
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
def test_one_of_two_saves_that_contradict_each_other_is_refused(
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


def test_a_transaction_that_has_begun_keeps_its_level(
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
def test_an_absent_row_that_decides_costs_one_statement(
    server_url: Callable[[str], str], watched: dict[str, str | None], statements: list[str]
) -> None:
    with ExitStack() as stack:
        case: Any = open_case(stack, "scoped_session", "postgres", server_url("postgres"))
        case.store.swap({"B": (None, "b")})
        case.statements.clear()
        unwritten = {key: (text, text) for key, text in watched.items()}
        assert case.store.swap({"A": (None, "a")} | unwritten)
        assert case.statements == statements


def test_present_rows_are_only_locked(server_url: Callable[[str], str]) -> None:
    with ExitStack() as stack:
        case: Any = open_case(stack, "scoped_session", "postgres", server_url("postgres"))
        case.store.swap({"A": (None, "a"), "B": (None, "b")})
        case.statements.clear()
        assert case.store.swap({"A": ("a", "aa"), "B": ("b", "b")})
        assert case.statements == ["SELECT", "UPDATE", "COMMIT"]
