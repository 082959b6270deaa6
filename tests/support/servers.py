"""Real servers on free loopback ports, each started for the tests that ask and gone afterwards."""

from __future__ import annotations

import contextlib
import glob
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_CHANCE = random.SystemRandom()  # other seeds than those that a test sets


class Missing(Exception):
    """A program that a server or browser needs isn't installed."""


def free_port() -> int:
    """A loopback port that nobody listens on.

    It is none of those that the system gives to connections: one of them could take it before the
    server does. And it is chosen by chance, because several workers may want one at once.
    """
    while True:
        port = _CHANCE.randrange(10_000, 32_000)
        with socket.socket() as sock, contextlib.suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def find(program: str, *folders: str) -> str:
    """The path of a program on PATH or in one of the folders (patterns); raises Missing."""
    more = [path for pattern in folders for path in glob.glob(pattern)]
    found = shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *more]))
    if found is None:
        raise Missing(program)
    return found


def find_first(*programs: str) -> str:
    """The path of the first of these programs that is there; raises Missing, with the last name."""
    for program in programs[:-1]:
        with contextlib.suppress(Missing):
            return find(program)
    return find(programs[-1])


def wait_until(ready: Callable[[], Any], process: subprocess.Popen[Any], log: Path) -> None:
    """Return once ready() raises nothing; RuntimeError if the process ends or 30 s pass."""
    deadline = time.monotonic() + 30
    while True:
        try:
            ready()
            return
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args} did not start: {log.read_text()}") from error
        time.sleep(0.02)


@contextlib.contextmanager
def folder() -> Iterator[tuple[Path, dict[str, Any]]]:
    """A folder for a server's files, and the options that make subprocess run it unprivileged.

    PostgreSQL refuses to run as root, so root becomes nobody.
    """
    path = Path(tempfile.mkdtemp(prefix="waffle-server-"))
    options: dict[str, Any] = {"cwd": path, "env": {**os.environ, "HOME": str(path)}}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)
        options |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    try:
        yield path, options
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(
    command: list[str], ready: Callable[[], Any], log: Path, **options: Any
) -> Iterator[subprocess.Popen[Any]]:
    """The command as a process, from when it is ready until the end of the block."""
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, **options
        ) as process,
    ):
        try:
            wait_until(ready, process, log)
            yield process
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def prepare(command: list[str], **options: Any) -> None:
    """Run a command to its end; RuntimeError with what it printed if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise RuntimeError(f"{command} failed: {done.stdout}{done.stderr}")


@contextlib.contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """A Redis server without persistence, on a free port by default; gives its URL."""
    import redis

    program, port = find("redis-server"), port or free_port()
    url = f"redis://127.0.0.1:{port}/0"

    def ready() -> None:
        with contextlib.closing(redis.Redis.from_url(url)) as client:
            client.ping()

    with folder() as (path, options):
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(path)]
        command += ["--save", "", "--appendonly", "no"]
        with running(command, ready, path / "log", **options):
            yield url


@contextlib.contextmanager
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server; gives the URL of its maintenance database."""
    import psycopg

    program = os.path.realpath(find("postgres", "/usr/lib/postgresql/*/bin"))
    initdb, port = find("initdb", os.path.dirname(program)), free_port()
    url = f"postgresql://postgres@127.0.0.1:{port}/postgres"
    with folder() as (path, options):
        data = str(path / "data")
        setup = [initdb, "-D", data, "-U", "postgres", "--auth=trust", "--no-sync"]
        prepare([*setup, "--encoding=UTF8", "--locale=C"], **options)
        command = [program, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(path), "-F"]
        with running(
            command, lambda: psycopg.connect(url).close(), path / "log", **options
        ) as process:
            yield url
            process.send_signal(signal.SIGQUIT)  # at once: the data are thrown away


@contextlib.contextmanager
def postgres_replica(primary: str) -> Iterator[str]:
    """A read-only replica of a whole PostgreSQL server; gives the URL of its maintenance database.

    `pg_wal_replay_pause()` on it lets it lag behind.
    """
    import psycopg
    from sqlalchemy.engine import make_url

    program = os.path.realpath(find("postgres", "/usr/lib/postgresql/*/bin"))
    copy, port, url = (
        find("pg_basebackup", os.path.dirname(program)),
        free_port(),
        make_url(primary),
    )
    replica = url.set(port=port).render_as_string()
    with folder() as (path, options):
        data = str(path / "data")
        where = ["-h", str(url.host), "-p", str(url.port), "-U", str(url.username)]
        prepare([copy, "-D", data, *where, "-R", "-c", "fast", "--no-sync"], **options)
        command = [program, "-D", data, "-h", "127.0.0.1", "-p", str(port), "-k", str(path), "-F"]
        with running(
            command, lambda: psycopg.connect(replica).close(), path / "log", **options
        ) as process:
            yield replica
            process.send_signal(signal.SIGQUIT)


@contextlib.contextmanager
def pgbouncer(primary: str) -> Iterator[str]:
    """PgBouncer in transaction mode before a PostgreSQL server; gives the URL to use instead.

    All of its clients share two connections: what one leaves behind, another one meets.
    """
    import psycopg
    from sqlalchemy.engine import make_url

    program, port, url = find("pgbouncer", "/usr/sbin"), free_port(), make_url(primary)
    pooled = url.set(port=port).render_as_string()
    with folder() as (path, options):
        settings = path / "pgbouncer.ini"
        settings.write_text(
            f"[databases]\n* = host={url.host} port={url.port} user={url.username}\n"
            f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nauth_type = any\n"
            "unix_socket_dir =\npool_mode = transaction\ndefault_pool_size = 2\n"
        )
        os.chmod(settings, 0o644)
        with running(
            [program, str(settings)],
            lambda: psycopg.connect(pooled).close(),
            path / "log",
            **options,
        ):
            yield pooled


@contextlib.contextmanager
def mariadb_server() -> Iterator[str]:
    """A MariaDB server; gives the URL of its system database."""
    import pymysql

    program, port = find("mariadbd", "/usr/sbin"), free_port()
    install = find("mariadb-install-db")
    with folder() as (path, options):
        data, temporary = path / "data", path / "tmp"
        common = ["--no-defaults", f"--datadir={data}", f"--tmpdir={temporary}"]
        prepare(["mkdir", str(data), str(temporary)], **options)
        setup = [*common, "--auth-root-authentication-method=normal", "--skip-test-db"]
        prepare([install, *setup], **options)

        def ready() -> None:
            pymysql.connect(host="127.0.0.1", port=port, user="root", ssl_disabled=True).close()

        command = [program, *common, "--bind-address=127.0.0.1", f"--port={port}"]
        command += [f"--socket={path}/socket", "--innodb-flush-log-at-trx-commit=0"]
        with running(command, ready, path / "log", **options) as process:
            # Without TLS: PyMySQL would read all certificates of the machine for each connection.
            yield f"mysql+pymysql://root@127.0.0.1:{port}/mysql?ssl_disabled=true"
            process.kill()
