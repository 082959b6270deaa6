"""When the database fails: what was reported saved is there, what was reported failed is not."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from proxy import Proxy
from required import required
from writers import KEYS, count_up, forks, outgrow, state_on

from waffleconf_admin import BusyError, StoreError

A, B = KEYS[:2]


@pytest.fixture(params=["postgres", "mariadb"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=["file", "wal", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param in ("postgres", "mariadb"):
        return str(request.getfixturevalue(f"{request.param}_url"))
    if request.param == "wal":
        with contextlib.closing(sqlite3.connect(tmp_path / "test.db")) as raw:
            raw.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def proxy(server: str) -> Iterator[Proxy]:
    with Proxy(server) as proxy:
        yield proxy


@pytest.fixture
def state(orm: str, server: str, proxy: Proxy) -> Iterator[Any]:
    """A state whose connections go through the proxy."""
    with state_on(orm, server, create=True) as direct:
        direct.update_db({A: 1, B: 1})
    with state_on(orm, proxy.url) as state:
        state.update_conf()
        yield state


# The connection is cut


@pytest.mark.parametrize("words", [b"UPDATE", b"INSERT", b"COMMIT"])
@pytest.mark.parametrize("arrives", [True, False])
def test_a_save_whose_connection_is_cut_is_made_once(
    state: Any, proxy: Proxy, words: bytes, arrives: bool
) -> None:
    proxy.cut_at(words, arrives=arrives)
    assert state.update_db({A: 2, B: 2, KEYS[2]: 2}) == {A: 2, B: 2, KEYS[2]: 2}
    assert proxy.cuts == 1
    records = state.read()
    assert [records[key].value for key in KEYS[:4]] == [2, 2, 2, 0]
    assert state.update_db({A: 3}, expected={A: 2}) == {A: 3}


@pytest.mark.parametrize("arrives", [True, False])
def test_compare_and_set_is_no_conflict_with_itself(
    state: Any, proxy: Proxy, arrives: bool
) -> None:
    proxy.cut_at(b"COMMIT", arrives=arrives)
    assert state.update_db({A: 2}, expected={A: 1}) == {A: 2}
    assert proxy.cuts == 1
    assert state.read([A])[A].value == state.app.config[A] == 2


@pytest.mark.parametrize("arrives", [True, False])
def test_an_unknown_outcome_is_said_to_be_unknown(state: Any, proxy: Proxy, arrives: bool) -> None:
    proxy.cut_at(b"COMMIT", arrives=arrives, stays_away=True)
    with pytest.raises(StoreError, match="unknown: check them before"):
        state.update_db({A: 2, B: 2})
    proxy.restore()
    assert [state.read()[key].value for key in (A, B)] in ([2, 2], [1, 1])
    assert state.update_conf()
    assert state.update_db({A: 3, B: 3}) == {A: 3, B: 3}


def test_before_the_commit_an_unreachable_database_has_saved_nothing(
    state: Any, proxy: Proxy
) -> None:
    proxy.cut_at(b"UPDATE", arrives=True, stays_away=True)
    with pytest.raises(StoreError, match="can't be reached"):
        state.update_db({A: 2, B: 2})
    assert not state.update_conf()
    assert state.app.config[A] == 1
    proxy.restore()
    assert [state.read()[key].value for key in (A, B)] == [1, 1]
    assert state.update_db({A: 3, B: 3}) == {A: 3, B: 3}


def test_after_a_cut_between_two_saves_both_are_there(state: Any, proxy: Proxy) -> None:
    for number in range(2, 5):
        assert state.update_db({A: number}) == {A: number}
        proxy.cut()
    assert state.read([A])[A].value == 4


# The server is restarted


def _postgres(path: Path, options: Any) -> tuple[list[str], str, Callable[[], None]]:
    import psycopg

    program = os.path.realpath(servers.find("postgres", "/usr/lib/postgresql/*/bin"))
    initdb = servers.find("initdb", os.path.dirname(program))
    data, port = str(path / "data"), servers.free_port()
    setup = [initdb, "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
    servers.prepare([*setup, "--encoding=UTF8", "--locale=C"], **options)
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    command = [program, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(path)]
    return command, url, lambda: psycopg.connect(url).close()


def _mariadb(path: Path, options: Any) -> tuple[list[str], str, Callable[[], None]]:
    import pymysql

    program, install = servers.find("mariadbd", "/usr/sbin"), servers.find("mariadb-install-db")
    port, common = servers.free_port(), ["--no-defaults", f"--datadir={path}/data"]
    servers.prepare(["mkdir", f"{path}/data"], **options)
    setup = ["--auth-root-authentication-method=normal", "--skip-test-db"]
    servers.prepare([install, *common, *setup], **options)
    command = [program, *common, "--bind-address=127.0.0.1", f"--port={port}"]
    return (
        [*command, f"--socket={path}/socket"],
        f"mysql+pymysql://root@127.0.0.1:{port}/mysql?ssl_disabled=true",
        lambda: pymysql.connect(host="127.0.0.1", port=port, user="root").close(),
    )


@pytest.mark.parametrize("install", [_postgres, _mariadb])
def test_a_server_that_was_killed_and_started_again_is_used_again(install: Any) -> None:
    with required(), servers.folder() as (path, options), contextlib.ExitStack() as stack:
        command, url, ready = install(path, options)
        with servers.running(command, ready, path / "log", **options) as process:
            states = [
                stack.enter_context(state_on(orm, url, create=True))
                for orm in ("sqlalchemy", "peewee")
            ]
            for number, state in enumerate(states):
                state.update_db({KEYS[number]: 1})
            process.send_signal(signal.SIGQUIT if install is _postgres else signal.SIGKILL)
            process.wait(20)
            for number, state in enumerate(states):
                with pytest.raises(StoreError, match="can't be reached"):
                    state.update_db({KEYS[number]: 2})
                assert not state.update_conf()
                assert state.app.config[KEYS[number]] == 1
        with servers.running(command, ready, path / "log", **options) as process:
            for number, state in enumerate(states):
                assert state.read()[KEYS[number]].value == 1
                assert state.update_db({KEYS[number]: 3}) == {KEYS[number]: 3}
            stack.close()
            process.kill()


# A writer is killed


@pytest.mark.parametrize("seen", [3, 60])
def test_a_writer_killed_in_the_middle_leaves_whole_saves(orm: str, url: str, seen: int) -> None:
    with state_on(orm, url, create=True) as state:
        state.update_db({A: 0, B: 0})
        saved, printed = forks().Pipe(duplex=False)
        writer = forks().Process(target=count_up, args=(orm, url, printed), daemon=True)
        writer.start()
        printed.close()
        last = next(number for number in iter(saved.recv, None) if number == seen)
        writer.kill()
        with contextlib.suppress(EOFError, OSError):  # the last may be half sent
            while True:
                last = saved.recv()
        writer.join()
        values = state.parse_conf([A, B])
        assert values[A] == values[B]
        assert values[A] in (last, last + 1)
        assert state.update_db({A: 1000, B: 1000}) == {A: 1000, B: 1000}


# SQLite: locked, full, read-only


@pytest.fixture
def file_state(orm: str, tmp_path: Path) -> Iterator[Any]:
    with state_on(orm, f"sqlite:///{tmp_path}/test.db?timeout=0.3", create=True) as state:
        state.update_db({A: 1, B: 1})
        yield state


def test_a_file_locked_by_another_program_is_busy_until_it_lets_go(
    file_state: Any, tmp_path: Path
) -> None:
    code = (
        f"import sqlite3; c = sqlite3.connect({str(tmp_path / 'test.db')!r}); "
        "c.execute('BEGIN IMMEDIATE'); print('locked', flush=True); input(); c.rollback()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=pipe, stdout=pipe, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(BusyError, match="holds the database"):
            file_state.update_db({A: 2, B: 2})
        assert [file_state.read()[key].value for key in (A, B)] == [1, 1]
        other.communicate("\n")
    assert file_state.update_db({A: 2, B: 2}) == {A: 2, B: 2}


@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_file_that_may_not_grow_keeps_what_it_has(orm: str, journal: str, tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "test.db")) as raw:
        raw.execute(f"PRAGMA journal_mode = {journal}")
    said, saying = forks().Pipe(duplex=False)
    url = f"sqlite:///{tmp_path}/test.db"
    writer = forks().Process(target=outgrow, args=(orm, url, saying), daemon=True)
    writer.start()
    saying.close()
    assert "make room" in said.recv()
    writer.join(60)
    assert writer.exitcode == 0


def test_a_full_database_keeps_what_it_has(tmp_path: Path) -> None:
    import peewee

    from waffleconf_admin import PeeweeWaffleStore

    db = peewee.SqliteDatabase(tmp_path / "test.db", pragmas={"max_page_count": 20})
    meta = type("Meta", (), {"database": db})
    fields = {"key": peewee.CharField(unique=True), "value": peewee.TextField()}
    model = type("Conf", (peewee.Model,), {"Meta": meta, **fields})
    with db.connection_context():
        db.create_tables([model])
        store = PeeweeWaffleStore(model=model)
        assert store.swap({"A": (None, "a"), "B": (None, "b")})
        with pytest.raises(StoreError, match="make room"):
            store.swap({"A": ("a", "new"), "B": ("b", "x" * 200_000)})
        assert sorted(store.read()) == [("A", "a"), ("B", "b")]
        db.pragma("max_page_count", 1000)
        assert store.swap({"A": ("a", "new"), "B": ("b", "x" * 200_000)})


def test_a_server_made_read_only_says_so_and_is_written_again_after(orm: str, server: str) -> None:
    engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")

    def switch(on: str) -> None:
        name = "tx_read_only"
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                database, name = engine.url.database, "default_transaction_read_only"
                connection.exec_driver_sql(f"ALTER DATABASE {database} SET {name} = {on}")
            else:
                connection.exec_driver_sql(f"SET GLOBAL {name} = {on}")

    with state_on(orm, server, create=True) as state:
        state.update_db({A: 1})
    try:
        switch("on")
        with state_on(orm, server) as state:
            assert state.parse_conf([A, B]) == {A: 1, B: 0}
            with pytest.raises(StoreError, match="read-only"):
                state.update_db({A: 2})
            assert state.read([A])[A].value == 1
    finally:
        switch("off")
        engine.dispose()
    with state_on(orm, server) as state:
        assert state.update_db({A: 2}) == {A: 2}


def test_a_table_without_its_unique_index_is_served_and_mended(
    orm: str, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sa.create_engine(url)
    serial = {"postgresql": "SERIAL", "mysql": "INTEGER AUTO_INCREMENT"}
    kind = serial.get(engine.dialect.name, "INTEGER")
    table = sa.table("confs", sa.column("key"), sa.column("value"))
    key = engine.dialect.identifier_preparer.quote("key")
    with engine.begin() as connection:
        connection.exec_driver_sql(
            f"CREATE TABLE confs (id {kind} PRIMARY KEY, {key} VARCHAR(255), value TEXT)"
        )
        connection.execute(sa.insert(table), [{"key": A, "value": "gAJLAS4="}] * 3)
    with state_on(orm, url) as state:
        assert state.parse_conf([A]) == {A: 1}
        assert f"several rows for {A}" in caplog.text
        assert state.update_db({A: 2}, expected={A: 1}) == {A: 2}
        with engine.connect() as connection:
            texts = connection.scalars(sa.select(table.c.value).where(table.c.key == A)).all()
        assert len(texts) == 3
        assert len(set(texts)) == 1
        state.reset([A])
        assert state.read([A])[A].text is None
    engine.dispose()


# A pool of one


@pytest.mark.parametrize("database", ["file", "postgres", "mariadb"])
def test_a_pool_of_one_says_so_while_the_view_has_its_connection(
    request: pytest.FixtureRequest, database: str, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    if database != "file":
        url = request.getfixturevalue(f"{database}_url")
    options = {"poolclass": sa.QueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 0.1}
    with state_on("sqlalchemy", url, create=True, engine=options) as state, state.app.app_context():
        assert state.update_db({A: 1}) == {A: 1}
        session = state.configstore.db.session
        session.execute(sa.text("SELECT 1"))
        with pytest.raises(BusyError, match="Enlarge the pool, or commit"):
            state.update_db({A: 2})
        session.commit()
        assert state.update_db({A: 2}) == {A: 2}
