"""Which rows a save locks, when and in which order: step by step, on real databases."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from store_cases import Case, open_case, wait_until, write_refused

#: How many statements wait for a lock, by database.
WAITING = {
    "postgres": "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
    # The table of transactions is out of date for whoever reads it ten times a second.
    "mariadb": (
        "SELECT CAST(variable_value AS INT) FROM information_schema.global_status"
        " WHERE variable_name = 'INNODB_ROW_LOCK_CURRENT_WAITS'"
    ),
}
ORMS = ["scoped_session", "peewee"]
CONFS = sa.table("confs", sa.column("key", sa.String), sa.column("value", sa.String))


class Race:
    """A save, and somebody else's transaction on the same rows."""

    def __init__(self, case: Case, other: sa.Connection, executor: ThreadPoolExecutor) -> None:
        self.case, self.other, self.executor = case, other, executor

    def lock(self, key: str) -> None:
        """Lock a row in the other transaction; an error if the save has locked it."""
        wanted = sa.select(CONFS).where(CONFS.c.key == key)
        assert self.other.execute(wanted.with_for_update(nowait=True)).one()

    def add(self, key: str, text: str) -> None:
        """Add a row in the other transaction."""
        self.other.execute(sa.insert(CONFS).values(key=key, value=text))

    def set(self, key: str, text: str | None) -> None:
        """Write a row in the other transaction."""
        self.other.execute(sa.update(CONFS).where(CONFS.c.key == key).values(value=text))

    def save(self, swaps: Any) -> Future[bool]:
        """Begin a save, and return once it waits for the other transaction."""
        saving = self.executor.submit(self.case.store.swap, swaps)
        engine = self.other.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as watching:
            query = sa.text(WAITING[self.case.database])
            wait_until(lambda: saving.done() or bool(watching.execute(query).scalar()))
        assert not saving.done()
        return saving


@pytest.fixture(params=[(orm, database) for orm in ORMS for database in WAITING], ids="-".join)
def race(request: pytest.FixtureRequest, server_url: Callable[[str], str]) -> Iterator[Race]:
    orm, database = request.param
    url = server_url(database)
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with ExitStack() as stack:
        case = open_case(stack, orm, database, url)
        for key in "BA":  # a table without an order has A last
            case.store.swap({key: (None, "old")})
        executor = stack.enter_context(ThreadPoolExecutor(1))
        yield Race(case, stack.enter_context(engine.connect()), executor)


@pytest.mark.parametrize(
    "swaps",
    [
        pytest.param({"B": ("old", "new"), "A": ("old", "new")}, id="written"),
        pytest.param({"B": ("old", "old"), "A": ("old", "new")}, id="one decides"),
        pytest.param({"B": ("old", "new"), "A": ("old", "old")}, id="the other decides"),
    ],
)
def test_a_save_that_waits_for_a_row_holds_none_that_comes_later(race: Race, swaps: Any) -> None:
    race.lock("A")
    saving = race.save(swaps)
    race.lock("B")  # which can't end in a deadlock
    race.other.rollback()
    assert saving.result(30)


@pytest.mark.parametrize(("end", "saved"), [("commit", False), ("rollback", True)])
def test_a_row_that_another_save_is_adding_is_waited_for(race: Race, end: str, saved: bool) -> None:
    race.add("C", "theirs")
    saving = race.save({"C": (None, "mine")})
    getattr(race.other, end)()
    assert saving.result(30) is saved
    assert ("C", "mine" if saved else "theirs") in race.case.rows()


def test_instances_are_locked_before_they_are_compared(race: Race) -> None:
    race.set("A", None)  # no statement compares NULL with a text
    race.other.commit()
    (seen,) = dict(race.case.store.read(["A"])).values()
    race.set("A", "theirs")
    saving = race.save({"A": (seen, "mine")})
    race.other.commit()
    assert not saving.result(30)
    assert ("A", "theirs") in race.case.rows()


def test_rows_that_decide_a_save_are_locked_before_it_writes(
    race: Race, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: Any = race.case.store._settings  # type: ignore[attr-defined]
    write = rows.write

    def look_and_write(*args: Any) -> bool:
        with pytest.raises(sa.exc.OperationalError, match=r"(?i)lock"):
            race.lock("B")
        race.other.rollback()
        return bool(write(*args))

    monkeypatch.setattr(rows, "write", look_and_write)
    assert race.case.store.swap({"A": ("old", "new"), "B": ("old", "old")})


@pytest.mark.parametrize("orm", ["scoped_session", "autocommit", "peewee", "pool behind a proxy"])
@pytest.mark.parametrize("database", ["file", "wal"])
def test_sqlites_lock_is_taken_before_a_save_reads(
    orm: str, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        case = open_case(stack, orm, database, f"sqlite:///{tmp_path}/test.db")
        case.store.swap({"A": (None, "old"), "B": (None, "old")})
        rows: Any = case.store._settings  # type: ignore[attr-defined]
        lock, refused = rows.lock, list[bool]()

        def lock_and_look(*args: Any) -> Any:
            found = lock(*args)
            refused.append(write_refused(f"{tmp_path}/test.db"))
            return found

        monkeypatch.setattr(rows, "lock", lock_and_look)
        assert case.store.swap({"A": ("old", "new"), "B": ("old", "old")})
    assert refused == [True]
