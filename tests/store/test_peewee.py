"""PeeweeWaffleStore beside a view's own connection and transaction."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import peewee
import pytest
from flask import Flask, current_app
from playhouse.pool import PooledSqliteDatabase
from playhouse.postgres_ext import PostgresqlExtDatabase
from sqlalchemy.engine import make_url
from store_cases import released_soon, write_refused

from waffleconf_admin.exceptions import BusyError, StoreError
from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store import PeeweeWaffleStore


def conf_on(database: Any, **fields: Any) -> Any:
    """A model of settings, with its table if the database is there."""
    meta = type("Meta", (), {"database": database, "table_name": "confs"})
    columns = {"key": peewee.CharField(unique=True), "value": peewee.TextField(), **fields}
    model = type("Conf", (WaffleMixin, peewee.Model), {"Meta": meta, **columns})
    if not isinstance(database, peewee.Proxy):
        create(model)
    return model


def create(model: Any) -> None:
    with model._meta.database.connection_context():
        model.create_table()


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "test.db")


@pytest.fixture(params=["rollback journal", "wal"])
def db(request: pytest.FixtureRequest, path: str) -> Iterator[peewee.SqliteDatabase]:
    wal = {"journal_mode": "wal"} if request.param == "wal" else {}
    db = peewee.SqliteDatabase(path, pragmas=wal)
    yield db
    db.close()


@pytest.fixture
def store(db: Any) -> PeeweeWaffleStore:
    return PeeweeWaffleStore(model=conf_on(db))


@pytest.mark.parametrize("opened", [True, False])
def test_the_threads_connection_is_left_as_it_was_found(
    db: Any, store: PeeweeWaffleStore, opened: bool
) -> None:
    raw = db.connection() if opened else None
    assert store.swap({"A": (None, "a")})
    assert store.read(["A"]) == [("A", "a")]
    assert db.is_closed() is not opened
    assert not opened or db.connection() is raw


def test_a_view_may_still_open_its_connection(db: Any, store: PeeweeWaffleStore) -> None:
    store.read(["A"])
    db.connect()


def test_inside_atomic_a_read_sees_what_is_committed_and_rolls_nothing_back(
    db: Any, store: PeeweeWaffleStore
) -> None:
    store.swap({"A": (None, "a")})
    with db.atomic():
        store.put("A", "the view's")
        assert store.read(["A"]) == [("A", "a")]
    assert store.read(["A"]) == [("A", "the view's")]


def test_inside_atomic_the_models_own_code_has_the_callers_context(path: str) -> None:
    class Signed(WaffleMixin, peewee.Model):  # type: ignore[misc]
        class Meta:
            database = peewee.SqliteDatabase(path, pragmas={"journal_mode": "wal"})

        key, value = peewee.CharField(unique=True), peewee.TextField()

        def get_value(self) -> str:
            return str(self.value).removesuffix(current_app.name)

        def save(self, *args: Any, **options: Any) -> Any:
            self.value += current_app.name
            return super().save(*args, **options)

    create(Signed)
    store = PeeweeWaffleStore(model=Signed)
    with Flask("shop").app_context(), Signed._meta.database.atomic():
        assert store.swap({"A": (None, "a")})
        assert store.read(["A"]) == [("A", "a")]
    assert [row.value for row in Signed.select()] == ["ashop"]
    Signed._meta.database.close()


@pytest.mark.parametrize("begin", ["atomic", "by hand"])
def test_a_write_beside_an_open_write_is_busy_at_once(
    db: Any, store: PeeweeWaffleStore, begin: str
) -> None:
    db.connect()
    outer = db.atomic()
    outer.__enter__() if begin == "atomic" else db.execute_sql("BEGIN")
    store.put("A", "the view's")
    with released_soon(db.connection().rollback), pytest.raises(BusyError, match="commit"):
        store.swap({"B": (None, "b")})
    outer.__exit__(None, None, None) if begin == "atomic" else db.execute_sql("COMMIT")
    assert store.swap({"B": (None, "b")})
    assert store.read(["A", "B"]) == [("A", "the view's"), ("B", "b")]


def test_rows_that_decide_a_swap_are_locked_before_they_are_read(
    db: Any, store: PeeweeWaffleStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.swap({"A": (None, "a"), "B": (None, "b")})
    execute, refused = db.execute_sql, []

    def check(sql: str, *arguments: Any, **options: Any) -> Any:
        done = execute(sql, *arguments, **options)
        if sql.startswith("SELECT"):
            refused.append(write_refused(db.database))
        return done

    monkeypatch.setattr(db, "execute_sql", check)
    assert store.swap({"A": ("a", "aa"), "B": ("b", "b")})
    assert refused == [True]


def test_beside_a_transaction_that_has_not_written_a_write_succeeds(
    db: Any, store: PeeweeWaffleStore
) -> None:
    with db.atomic():
        assert store.swap({"A": (None, "a")})
    assert store.read() == [("A", "a")]


def test_in_memory_inside_atomic_reads_join_and_writes_are_busy() -> None:
    db = peewee.SqliteDatabase(":memory:")
    db.connect()
    store = PeeweeWaffleStore(model=conf_on(db))
    store.model.create_table()
    with db.atomic():
        store.put("A", "the view's")
        assert store.read(["A"]) == [("A", "the view's")]
        with pytest.raises(BusyError, match="commit"):
            store.swap({"B": (None, "b")})
    assert store.swap({"B": (None, "b")})
    db.close()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (":memory:", True),
        ("", True),
        ("file:x?mode=memory&cache=shared", True),
        ("test.db", False),
    ],
)
def test_in_memory(name: str, expected: bool) -> None:
    proxy = peewee.DatabaseProxy()
    store = PeeweeWaffleStore(model=conf_on(proxy))
    proxy.initialize(peewee.SqliteDatabase(name))
    assert store.in_memory() is expected


def test_another_database_is_not_in_memory() -> None:
    proxy = peewee.DatabaseProxy()
    proxy.initialize(peewee.PostgresqlDatabase("x"))
    assert not PeeweeWaffleStore(model=conf_on(proxy)).in_memory()


def test_a_proxy_is_resolved_when_it_is_used(path: str) -> None:
    proxy = peewee.DatabaseProxy()
    store = PeeweeWaffleStore(model=conf_on(proxy))
    with pytest.raises(StoreError, match=r"initialize\(\)"):
        store.read()
    proxy.initialize(peewee.SqliteDatabase(path))
    create(store.model)
    assert store.swap({"A": (None, "a")})
    assert store.read() == [("A", "a")]


def test_every_thread_has_a_connection_of_its_own(db: Any, store: PeeweeWaffleStore) -> None:
    found: list[Any] = []

    def work() -> None:
        store.swap({"A": (None, "a")})
        found.append((store.read(), db.is_closed()))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [([("A", "a")], True)]


def test_a_full_pool_says_so(path: str) -> None:
    db = PooledSqliteDatabase(path, max_connections=1)
    store = PeeweeWaffleStore(model=conf_on(db))
    assert store.swap({"A": (None, "a")})
    with db.connection_context():
        assert store.read() == [("A", "a")]
        with db.atomic(), pytest.raises(BusyError, match="pool"):
            store.read()
    assert store.read() == [("A", "a")]
    db.close_all()


def test_a_pool_that_gives_a_connection_to_another_thread_says_what_it_needs(path: str) -> None:
    def read_twice(pool: PooledSqliteDatabase) -> list[tuple[str, str]]:
        store = PeeweeWaffleStore(model=conf_on(pool))
        with ThreadPoolExecutor(1) as executor:
            found = executor.submit(store.read).result()
        pool.close_all()
        return found

    with pytest.raises(StoreError, match="check_same_thread=False"):
        read_twice(PooledSqliteDatabase(path))
    assert read_twice(PooledSqliteDatabase(path, check_same_thread=False)) == []


def test_a_connection_with_a_short_timeout_does_not_stay_in_a_pool(path: str) -> None:
    # peewee 3.17 closes the other thread's connection from here.
    db = PooledSqliteDatabase(path, max_connections=2, check_same_thread=False)
    store = PeeweeWaffleStore(model=conf_on(db))
    with db.connection_context():
        with db.atomic():
            assert store.swap({"A": (None, "a")})
        timeouts = []
        thread = threading.Thread(target=lambda: timeouts.append(db.pragma("busy_timeout")))
        thread.start()
        thread.join()
    assert timeouts == [5000]
    db.close_all()


def test_statements_are_built_and_logged_once(
    store: PeeweeWaffleStore, caplog: pytest.LogCaptureFixture
) -> None:
    def taken() -> list[str]:
        verbs = [record.args or record.msg for record in caplog.records]
        caplog.clear()
        verbs_used = [str(verb[0]).split()[0] for verb in verbs]
        return [word for word in verbs_used if word != "BEGIN"]  # peewee 3 logs it, 4 doesn't

    caplog.set_level(logging.DEBUG, logger="peewee")
    store.swap({"FIRST": (None, "a")})
    assert taken() == ["INSERT", "SELECT"]  # once a process: what the columns are like
    store.swap({f"K{n}": (None, "a") for n in range(1000)})
    assert taken() == ["INSERT"]
    store.read([f"K{n}" for n in range(1000)])
    assert taken() == ["SELECT"]
    store.swap({**{f"K{n}": ("a", "b") for n in range(500)}, "N1": (None, "n")})
    assert taken() == ["UPDATE", "INSERT"]
    store.swap({"K1": ("a", "c")})
    assert taken() == ["UPDATE"]


def test_our_log_lines_show_no_value(
    store: PeeweeWaffleStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    store.swap({"K": (None, "s3cr3t"), "L": (None, "s3cr3t")})
    store.swap({"K": ("s3cr3t", "0ther"), "L": ("s3cr3t", None)})
    assert "INSERT" in caplog.text and "2 rows" in caplog.text
    assert "s3cr3t" not in caplog.text and "0ther" not in caplog.text


class Backwards(peewee.TextField):
    """Stores the same text differently each time, as encryption does."""

    def db_value(self, value: str) -> str:
        return f"{time.perf_counter_ns()}:{value}"

    def python_value(self, value: str) -> str:
        return value.partition(":")[2]


class Prefixed(peewee.CharField):
    """Lets several apps share a table."""

    def db_value(self, value: str) -> str:
        return f"shop:{value}"

    def python_value(self, value: str) -> str:
        return value.removeprefix("shop:")


class LongTextField(peewee.TextField):
    field_type = "LONGTEXT"


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"key": peewee.CharField(primary_key=True)}, id="key is the primary key"),
        pytest.param({"key": Prefixed(unique=True)}, id="a field of its own for the key"),
        pytest.param({"value": Backwards()}, id="a field of its own"),
        pytest.param({"value": LongTextField()}, id="a larger field"),
        pytest.param({"get_value": lambda self: self.value}, id="its own get_value"),
        pytest.param({"by": peewee.CharField(default="nobody")}, id="a default"),
    ],
)
def test_other_models_keep_the_contract(db: Any, fields: dict[str, Any]) -> None:
    store = PeeweeWaffleStore(model=conf_on(db, **fields))
    assert store.swap({"A": (None, "abc"), "B": (None, "b")})
    assert not store.swap({"A": ("cba", "new"), "B": ("b", "new")})
    assert not store.swap({"A": (None, "new")})
    assert sorted(store.read()) == [("A", "abc"), ("B", "b")]
    assert store.swap({"A": ("abc", "xyz"), "B": ("b", None)})
    assert store.read(["A", "B"]) == [("A", "xyz")]
    assert store.put("A", "123").get_value() == "123"
    assert store.read(["A"]) == [("A", "123")]
    assert store.put("B", "new").get_value() == "new"
    assert getattr(store.get("B"), "by", "nobody") == "nobody"


def test_doubled_keys_become_equal(db: Any, caplog: pytest.LogCaptureFixture) -> None:
    store = PeeweeWaffleStore(model=conf_on(db, key=peewee.CharField()))
    for text in ("one", "two", "one"):
        store.model.create(key="A", value=text)
    assert store.read() == [("A", "one")]
    assert "several rows for A" in caplog.text
    assert not store.swap({"A": ("two", "new")})
    assert store.swap({"A": ("one", "new")})
    assert [record.value for record in store.model.select()] == ["new"] * 3


def test_a_rule_of_the_table_is_an_error(db: Any) -> None:
    checked = peewee.TextField(constraints=[peewee.Check("length(value) < 5")])
    store = PeeweeWaffleStore(model=conf_on(db, value=checked))
    with pytest.raises(StoreError, match="A rule of the table"):
        store.swap({"A": (None, "too long"), "B": (None, "b")})
    assert store.read() == []


def test_a_forked_child_does_not_wait_for_a_pool_that_the_parent_was_asking(path: str) -> None:
    """A pool holds a lock while it connects; nobody releases the one in the child."""
    pool = PooledSqliteDatabase(path)
    store = PeeweeWaffleStore(model=conf_on(pool))
    locks = [lock for lock in (getattr(pool, "_pool_lock", None), pool._lock) if lock]
    held, free = threading.Event(), threading.Event()

    def hold() -> None:
        for lock in locks:
            lock.acquire()
        held.set()
        free.wait()
        for lock in locks:
            lock.release()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(10)
    store.after_fork()  # as a child does, where the holder is not any more
    with ThreadPoolExecutor(1) as executor:
        try:
            assert executor.submit(store.swap, {"A": (None, "a")}).result(10)
        finally:
            free.set()
    holder.join()


def test_rows_are_locked_where_peewee_reads_by_cursors_of_the_server(
    server_url: Callable[[str], str],
) -> None:
    url = make_url(server_url("postgres"))
    db = PostgresqlExtDatabase(
        url.database, host=url.host, port=url.port, user=url.username, server_side_cursors=True
    )
    store = PeeweeWaffleStore(model=conf_on(db))
    assert store.swap({"A": (None, "1"), "B": (None, "2")})
    assert store.swap({"A": ("1", "one"), "B": ("2", "2")})
    assert not store.swap({"A": ("one", "1"), "B": ("3", "3")})
    assert sorted(store.read()) == [("A", "one"), ("B", "2")]
    db.close()
