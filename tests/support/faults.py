"""What can go wrong with a fleet, for tests/servers/test_watch_faults.py and benchmarks/soak.py."""

from __future__ import annotations

import contextlib
import itertools
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import redis
import servers
from fleet import Database, Process, confs, end, until

Config = dict[str, Any]
Fault = Callable[[Config, list[Process]], AbstractContextManager[None]]


class Restartable:
    """A server that can be killed and started again, with the data and the port that it had."""

    def __init__(self, command: list[str], log: Path, ready: Callable[[], Any], **options: Any):
        self.command, self.log, self.ready, self.options = command, log, ready, options
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, **self.options)
        servers.wait_until(self.ready, self.process, self.log)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        self.send(number)
        self.process.wait()


@contextlib.contextmanager
def restartable_redis() -> Iterator[tuple[str, Restartable]]:
    program, port = servers.find("redis-server"), servers.free_port()
    url = f"redis://:secret@127.0.0.1:{port}/0"

    def ready() -> None:
        with redis.Redis.from_url(url) as client:
            client.ping()

    with servers.folder() as (path, options):
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--requirepass", "secret"]
        command += ["--save", "", "--appendonly", "no", "--dir", str(path)]
        server = Restartable(command, path / "log", ready, **options)
        server.start()
        yield url, server
        server.kill()


@contextlib.contextmanager
def restartable_postgres() -> Iterator[tuple[str, Restartable]]:
    import psycopg

    program = os.path.realpath(servers.find("postgres", "/usr/lib/postgresql/*/bin"))
    initdb, port = servers.find("initdb", os.path.dirname(program)), servers.free_port()
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    with servers.folder() as (path, options):
        data = str(path / "data")
        setup = [initdb, "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        servers.prepare([*setup, "--encoding=UTF8", "--locale=C"], **options)
        command = [program, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(path), "-F"]
        server = Restartable(command, path / "log", lambda: psycopg.connect(url).close(), **options)
        server.start()
        yield url, server
        server.kill(signal.SIGQUIT)


# The faults


def redis_restarts(seconds: float) -> Fault:
    @contextlib.contextmanager
    def fault(config: Config, processes: list[Process]) -> Iterator[None]:
        config["redis"].kill()
        time.sleep(seconds)
        yield
        config["redis"].start()

    return fault


@contextlib.contextmanager
def redis_is_stopped(config: Config, processes: list[Process]) -> Iterator[None]:
    config["redis"].send(signal.SIGSTOP)
    time.sleep(1)
    yield
    config["redis"].send(signal.SIGCONT)


@contextlib.contextmanager
def redis_cuts_connections(config: Config, processes: list[Process]) -> Iterator[None]:
    with redis.Redis.from_url(config["WAFFLE_REDIS_URL"]) as client:
        for _ in range(5):
            client.client_kill_filter(_type="pubsub")
            time.sleep(0.1)
        yield


@contextlib.contextmanager
def redis_wants_another_password(config: Config, processes: list[Process]) -> Iterator[None]:
    with redis.Redis.from_url(config["WAFFLE_REDIS_URL"]) as client:
        client.config_set("requirepass", "another")
        client.client_kill_filter(_type="pubsub")
        time.sleep(1.5)
        yield
        client.config_set("requirepass", "secret")


@contextlib.contextmanager
def the_file_is_removed(config: Config, processes: list[Process]) -> Iterator[None]:
    for _ in range(5):
        with contextlib.suppress(FileNotFoundError):
            os.remove(config["WAFFLE_WATCHER_FILE"])
        time.sleep(0.05)
    yield


@contextlib.contextmanager
def the_file_is_replaced(config: Config, processes: list[Process]) -> Iterator[None]:
    path = config["WAFFLE_WATCHER_FILE"]
    for _ in range(5):
        Path(path + ".new").write_text("")
        os.replace(path + ".new", path)
        time.sleep(0.05)
    yield


@contextlib.contextmanager
def the_file_is_out_of_reach(config: Config, processes: list[Process]) -> Iterator[None]:
    # Not chmod: these tests may run as root.
    folder = os.path.dirname(config["WAFFLE_WATCHER_FILE"])
    for number in itertools.count():
        os.rename(folder, f"{folder}.away{number}")
        with contextlib.suppress(IsADirectoryError):  # a process has made it anew meanwhile
            Path(folder).write_text("no folder")
            break
    time.sleep(0.5)
    yield
    os.remove(folder)
    os.rename(f"{folder}.away0", folder)


@contextlib.contextmanager
def the_disk_is_full(config: Config, processes: list[Process]) -> Iterator[None]:
    path = Path(config["WAFFLE_WATCHER_FILE"])
    with path.open("ab") as file:
        file.truncate(500_000)
    for process in processes:
        process.do("limit_files", 500_000)
    time.sleep(0.3)
    yield
    os.truncate(path, 0)


@contextlib.contextmanager
def reloads_fail(config: Config, processes: list[Process]) -> Iterator[None]:
    for process in processes:
        process.do("fail_reads", 1)
    time.sleep(0.3)
    yield


@contextlib.contextmanager
def clocks_are_stepped(config: Config, processes: list[Process]) -> Iterator[None]:
    for seconds in (-86_400.0, 90_000.0, -3_600.5):
        for process in processes:
            process.do("step_clock", seconds)
        time.sleep(0.1)
    yield


@contextlib.contextmanager
def sqlite_is_locked(config: Config, processes: list[Process]) -> Iterator[None]:
    path = config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    with contextlib.closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield  # which is until the writers have given up, after the driver's 5 seconds
        connection.execute("ROLLBACK")


def postgres_restarts(how: signal.Signals) -> Fault:
    @contextlib.contextmanager
    def fault(config: Config, processes: list[Process]) -> Iterator[None]:
        config["postgres"].kill(how)
        time.sleep(0.5)
        yield
        config["postgres"].start()

    return fault


@contextlib.contextmanager
def postgres_cuts_connections(config: Config, processes: list[Process]) -> Iterator[None]:
    import psycopg

    with psycopg.connect(config["SQLALCHEMY_DATABASE_URI"], autocommit=True) as connection:
        for _ in range(5):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE query LIKE '%LISTEN%' AND pid <> pg_backend_pid()"
            )
            time.sleep(0.1)
        yield


ANY = ("file", "redis", "postgresql", "database")
BOTH = ("sqlite", "postgresql")
#: Each fault, and the watch types and databases that it may harm.
FAULTS: dict[str, tuple[Fault, tuple[str, ...], tuple[str, ...]]] = {
    "redis killed for a second": (redis_restarts(1), ("redis",), BOTH),
    "redis killed for ten seconds": (redis_restarts(10), ("redis",), BOTH),
    "redis stopped": (redis_is_stopped, ("redis",), BOTH),
    "redis cuts connections": (redis_cuts_connections, ("redis",), BOTH),
    "redis wants another password": (redis_wants_another_password, ("redis",), BOTH),
    "file removed": (the_file_is_removed, ("file",), BOTH),
    "file replaced": (the_file_is_replaced, ("file",), BOTH),
    "file out of reach": (the_file_is_out_of_reach, ("file",), BOTH),
    "disk full": (the_disk_is_full, ("file",), BOTH),
    "reloads fail": (reloads_fail, ANY, BOTH),
    "clocks stepped": (clocks_are_stepped, ANY, BOTH),
    "postgres cuts connections": (postgres_cuts_connections, ("postgresql",), ("postgresql",)),
    "database locked": (sqlite_is_locked, ("file",), ("sqlite",)),
    "database killed": (postgres_restarts(signal.SIGQUIT), ANY, ("postgresql",)),
    "database restarted": (postgres_restarts(signal.SIGINT), ANY, ("postgresql",)),
}
#: These take long, or do nearly what another one does.
SELDOM = {"redis killed for ten seconds", "database restarted"}


def database_for(watch_type: str, databases: tuple[str, ...]) -> str:
    """Return which of the databases to try a fault of a watch type on."""
    return "postgresql" if watch_type == "postgresql" else databases[0]


class Fleet:
    """Two processes that write and one that only follows, which live through one fault after
    another. They follow by notifications alone, because no resync is due for long.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        self.database = Database(config)
        self.processes: list[Process] = []

    def start(self, **changes: Any) -> Process:
        config = {k: v for k, v in self.config.items() if k.startswith(("WAFFLE_", "SQLALCHEMY_"))}
        self.processes.append(Process(config | changes))
        return self.processes[-1]

    def differing(self) -> list[tuple[int, str]]:
        return self.database.differing(self.processes)

    def agrees(self) -> bool:
        return until(lambda: not self.differing())


@contextlib.contextmanager
def fleet_of(
    watch_type: str, folder: Path, settings: int = 10, **servers: tuple[str, Restartable]
) -> Iterator[Fleet]:
    """A fleet without processes yet.

    :param servers: "redis", "postgres": their URLs and what restarts them; without the latter the
        database is a file of SQLite.
    """
    config: Config = {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'test.db'}",
        "WAFFLE_CONFS": confs(shared=settings),
        "WAFFLE_MULTIPROC": True,
        "WAFFLE_WATCHTYPE": watch_type,
        "WAFFLE_WATCH_INTERVAL": 0.1,
        "WAFFLE_RESYNC_INTERVAL": 600,
        "WAFFLE_WATCHER_FILE": str(folder / "watch" / "changed"),
        "WAFFLE_REDIS_CHANNEL": str(folder),
        "WAFFLE_STORE_DEFAULTS": False,
    }
    if "redis" in servers:
        config["WAFFLE_REDIS_URL"], config["redis"] = servers["redis"]
    if "postgres" in servers:
        config["SQLALCHEMY_DATABASE_URI"], config["postgres"] = servers["postgres"]
    fleet = Fleet(config)
    yield fleet
    end(fleet.processes)
    if "postgres" in servers:
        with fleet.database.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM confs")


def stream_through(fleet: Fleet, fault: Fault) -> None:
    """Let two processes save without a pause, the last time during the fault; AssertionError when
    afterwards anybody holds anything else than the database, or that lacks a save which returned.
    """
    before, writers = fleet.database.values(), fleet.processes[:2]
    for number, writer in enumerate(writers):
        writer.do("write", f"COUNTER_{number}", 0.03)

    def both_have_saved() -> bool:
        now = fleet.database.values()
        return all(now[key] > before[key] for key in ("COUNTER_0", "COUNTER_1"))

    assert until(both_have_saved)
    with fault(fleet.config, fleet.processes):
        for writer in writers:
            writer.send("halt")
        counts = [writer.answer() for writer in writers]
    assert fleet.agrees(), fleet.differing()
    stored = fleet.database.values()
    for number, (returned, tried, _failed) in enumerate(counts):
        # Of a save that failed nothing is known: its commit may have arrived.
        assert returned <= stored[f"COUNTER_{number}"] <= tried
    writers[0].do("save", f"after {counts}")
    assert all(process.comes_to_serve(f"after {counts}") for process in fleet.processes)
