"""Threads that share the one connection of a database take turns: no save is lost or seen early."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from waffleconf_admin.exceptions import BusyError, ConflictError
from waffleconf_admin.store import (
    AlchemyWaffleStore,
    PeeweeWaffleStore,
    Settlement,
    WaffleStore,
    WorkerRow,
)
from waffleconf_admin.store.locks import RLock
from waffleconf_admin.store.rows import SettingRows

PLACES = [
    "sqlalchemy in memory",
    "sqlalchemy on a file",
    "sqlalchemy on postgres",
    "peewee in memory",
    "peewee on a file",
]
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WORKER = WorkerRow("w", "host", 1, NOW, NOW, "", "", "")


def on_sqlalchemy(stack: ExitStack, url: str) -> WaffleStore:
    file = {"connect_args": {"check_same_thread": False}} if url.startswith("sqlite") else {}
    engine = sa.create_engine(url, poolclass=sa.StaticPool, **file)
    base = orm.declarative_base()
    conf, change, worker = AlchemyWaffleStore.make_models(base, workers=True)
    base.metadata.create_all(engine)
    session = orm.scoped_session(orm.sessionmaker(engine))
    stack.callback(engine.dispose)
    return AlchemyWaffleStore(session, conf, change, worker)


def on_peewee(stack: ExitStack, path: str) -> WaffleStore:
    database = peewee.SqliteDatabase(path, thread_safe=False, check_same_thread=False)
    conf, change = PeeweeWaffleStore.make_models(database)
    database.create_tables([conf, change])
    if path != ":memory:":
        database.close()
    stack.callback(database.close)
    return PeeweeWaffleStore(database, conf, change)


@pytest.fixture(params=PLACES)
def store(
    request: pytest.FixtureRequest, tmp_path: Path, server_url: Callable[[str], str]
) -> Iterator[WaffleStore]:
    library, _, database = request.param.split(" ", 2)
    path = ":memory:" if database == "memory" else str(tmp_path / "test.db")
    with ExitStack() as stack:
        if library == "peewee":
            made = on_peewee(stack, path)
        else:
            url = server_url("postgres") if database == "postgres" else f"sqlite:///{path}"
            made = on_sqlalchemy(stack, url)
        assert made.swap({"A": (None, "old")})
        yield made


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Is set when a thread begins to wait for another one."""
    blocked = threading.Event()

    class Watched:
        def __init__(self) -> None:
            self._lock = RLock()
            self.release = self._lock.release

        def acquire(self, **options: Any) -> bool:
            if self._lock.acquire(blocking=False):
                return True
            blocked.set()
            return self._lock.acquire(**options)

    monkeypatch.setattr("waffleconf_admin.store.locks.RLock", Watched)
    monkeypatch.setattr("waffleconf_admin.store.locks._shared", {})
    return blocked


@pytest.fixture
def within_save(
    store: WaffleStore, blocked: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Future[Any]]]:
    """A function that has another thread do something once the save of "A" has written, and goes on
    when that is done or waits. Its result is a future of what the thread returns.
    """
    write, works = SettingRows.write, list[Any]()

    def write_and_wait(self: Any, connection: Any, swaps: Any) -> bool:
        done = write(self, connection, swaps)
        while works and "A" in swaps:
            works.pop()()
            assert blocked.wait(10)
        return done

    monkeypatch.setattr(SettingRows, "write", write_and_wait)
    with ThreadPoolExecutor(1) as executor:

        def do(work: Callable[..., Any], *given: Any) -> Future[Any]:
            future: Future[Any] = Future()

            def run() -> None:
                try:
                    future.set_result(work(*given))
                except Exception as error:
                    future.set_exception(error)
                blocked.set()

            works.append(lambda: executor.submit(run))
            return future

        yield do


def test_a_save_waits_for_the_one_of_another_thread(
    store: WaffleStore, within_save: Callable[..., Future[Any]]
) -> None:
    other = within_save(store.swap, {"B": (None, "b")})
    assert store.swap({"A": ("old", "new")})
    assert other.result(10)
    assert sorted(store.read()) == [("A", "new"), ("B", "b")]


def test_a_read_does_not_see_what_another_thread_has_not_saved(
    store: WaffleStore, within_save: Callable[..., Future[Any]]
) -> None:
    other = within_save(store.read)
    with pytest.raises(ConflictError):  # no row of the history has this id
        store.swap({"A": ("old", "new")}, ends=[Settlement((99,), "back", NOW)])
    assert other.result(10) == [("A", "old")]


def test_a_read_does_not_undo_what_another_thread_saves(
    store: WaffleStore, blocked: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, read, write = threading.Event(), SettingRows.read, SettingRows.write

    def read_slowly(self: Any, connection: Any, keys: Any) -> dict[str, str]:
        found = read(self, connection, keys)
        if threading.current_thread() is not threading.main_thread():
            reading.set()
            assert blocked.wait(10)
        return found

    def write_and_wait(self: Any, connection: Any, swaps: Any) -> bool:
        done = write(self, connection, swaps)
        blocked.set()
        other.result(10)
        return done

    monkeypatch.setattr(SettingRows, "read", read_slowly)
    monkeypatch.setattr(SettingRows, "write", write_and_wait)
    with ThreadPoolExecutor(1) as executor:
        other = executor.submit(store.read)
        assert reading.wait(10)
        assert store.swap({"A": ("old", "new")})
    assert store.read() == [("A", "new")]


@pytest.mark.parametrize("store", ["sqlalchemy on a file", "sqlalchemy on postgres"], indirect=True)
def test_a_report_waits_for_no_other_thread(
    store: WaffleStore, within_save: Callable[..., Future[Any]]
) -> None:
    other = within_save(store.report_worker, WORKER, NOW)
    assert store.swap({"A": ("old", "new")})
    with pytest.raises(BusyError, match="Another thread uses the database's only connection"):
        other.result(10)
    store.report_worker(WORKER, NOW)
    assert store.read_workers(NOW) == [WORKER]


@pytest.mark.parametrize(
    "store", ["sqlalchemy in memory", "sqlalchemy on a file", "peewee in memory"], indirect=True
)
def test_a_forked_child_waits_for_no_thread_of_its_parent(
    store: WaffleStore, blocked: threading.Event, within_save: Callable[..., Future[Any]]
) -> None:
    def has_waited() -> bool:
        store.after_fork()  # as a child does, where the thread that saves is not any more
        store.read(["Z"])
        return blocked.is_set()

    other = within_save(has_waited)
    store.swap({"A": ("old", "new")})
    assert not other.result(10)
