"""What the tests share: real servers, a browser, and apps."""

from __future__ import annotations

import contextlib
import gc
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from apps import ORMS
from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache
from required import MISSING, required
from sqlalchemy.engine import make_url
from werkzeug.routing import Rule

TESTS = Path(__file__).parent


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [r for name in ("skipped", "error") for r in terminalreporter.stats.get(name, ())]
    missing: dict[str, int] = {}
    for report in reports:
        _, found, rest = str(report.longrepr).partition(MISSING)
        if found:
            program = rest.split()[0].strip("')")
            missing[program] = missing.get(program, 0) + 1
    if missing:
        terminalreporter.section("missing on this machine")
        for program, count in sorted(missing.items()):
            terminalreporter.line(f"{program}: {count} tests could not run")
        terminalreporter.line("scripts/servers installs them, or says what to install.")


#: The files that take longest, the longest first. Workers begin with them, so that none is left
#: with such a file when the others have done all.
LONGEST = [
    "servers/test_app_servers.py",
    "servers/test_watch_faults.py",
    "servers/test_processes.py",
    "state/test_state_machine.py",
    "store/test_store.py",
    "sync/test_forks.py",
    "servers/test_faults.py",
    "state/test_history.py",
    "browser/test_browser_screens.py",
    "servers/test_deploy.py",
    "sync/test_postgresql.py",
    "store/test_many_writers.py",
    "browser/test_browser_saving.py",
    "package/test_site.py",
    "files/test_values.py",
    "browser/test_browser_types.py",
    "state/test_ends_of_processes.py",
    "package/test_demo.py",
    "package/test_package.py",
    "admin/test_history_page.py",
    "codec/test_json.py",
    "servers/test_side_by_side.py",
    "codec/test_unpickler.py",
    "browser/test_browser_surroundings.py",
    "admin/test_bodies.py",
    "browser/test_browser_finding.py",
    "admin/test_templates.py",
    "browser/test_browser_sending.py",
    "state/test_history_killed.py",
    "state/test_guesses.py",
    "admin/test_undo.py",
    "state/test_history_plans.py",
    "servers/test_workers.py",
    "codec/test_texts.py",
    "codec/test_round_trip.py",
    "servers/test_servers.py",
    "servers/test_leaks.py",
    "servers/test_upgrading.py",
    "admin/test_csrf.py",
    "forms/test_merge.py",
    "browser/test_browser_editing.py",
    "package/test_type_checkers.py",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {TESTS / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(LONGEST)))


def pytest_collection_finish() -> None:
    """Let the garbage collector leave alone what was imported: it takes a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class Compiled(BytecodeCache):
    """The compiled templates of all apps of a process."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


@pytest.fixture(scope="session", autouse=True)
def compiled_templates() -> None:
    """Compile each template once, not once for each app."""
    Flask.jinja_options = {"bytecode_cache": Compiled()}


@pytest.fixture(scope="session", autouse=True)
def compiled_addresses() -> None:
    """Compile the functions that build an address once, not once for each app.

    Werkzeug makes two for each rule, in a fifth of the time that an app and its page take.
    """
    compile_builder, made = Rule._compile_builder, {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Any:
        key = (rule.rule, tuple(rule._trace), append_unknown)
        if rule.defaults:  # they pass through converters
            return compile_builder(rule, append_unknown)
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    Rule._compile_builder = compile_once  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def short_polls() -> None:
    """Let watchers ask ten times a second whether to stop, so that tests need not wait for it; and
    processes report as soon as they have read the settings.
    """
    from waffleconf_admin.sync import postgresql, redis, reporter

    redis.POLL = postgresql.POLL = 0.1
    reporter.FIRST = 0.0


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    with required(), servers.redis_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    with required(), servers.postgres_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_replica(postgres_server: str) -> Iterator[str]:
    with required(), servers.postgres_replica(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def pgbouncer(postgres_server: str) -> Iterator[str]:
    with required(), servers.pgbouncer(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[str]:
    with required(), servers.mariadb_server() as url:
        yield url


_numbers = itertools.count()


@pytest.fixture
def tmp_path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new folder. pytest's own fixture lists the folders of all earlier tests each time."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    path = tmp_path_factory.getbasetemp() / f"{name}{next(_numbers)}"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of a new, empty PostgreSQL database."""
    import psycopg

    name = f"test_{next(_numbers)}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    return make_url(postgres_server).set(database=name).render_as_string()


@pytest.fixture
def mariadb_url(mariadb_server: str) -> str:
    """The URL of a new, empty MariaDB database."""
    import pymysql

    name, url = f"test_{next(_numbers)}", make_url(mariadb_server)
    server = {"host": url.host, "port": url.port, "user": url.username, "ssl_disabled": True}
    with pymysql.connect(**server) as connection:
        connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return url.set(database=name).render_as_string()


@pytest.fixture(scope="module")
def server_url(request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """A function that gives the URL of a server's database without tables, "postgres" or "mariadb".

    The database is made once for all tests of a module: PostgreSQL takes its time for that.
    """
    engines: dict[str, sa.Engine] = {}

    def url(database: str) -> str:
        if database not in engines:
            server = make_url(request.getfixturevalue(f"{database}_server"))
            name = request.module.__name__.rpartition(".")[2]
            engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                charset = " CHARACTER SET utf8mb4" if database == "mariadb" else ""
                connection.exec_driver_sql(f"CREATE DATABASE {name}{charset}")
            engine.dispose()
            # No connection stays open between tests: some count those of the database.
            engines[database] = sa.create_engine(server.set(database=name), poolclass=sa.NullPool)
        with engines[database].begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS confs, conf_changes, conf_workers")
        return engines[database].url.render_as_string()

    yield url
    for engine in engines.values():
        engine.dispose()


# For a module, no longer: while it is there an event loop runs in the main thread, where tests of
# other modules call asynchronous functions.
@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, as installed by the system; playwright's own download is not needed.

    Its headless shell takes a third of the processor time.
    """
    from playwright.sync_api import sync_playwright

    with required():
        path = servers.find_first("chromium-headless-shell", "chromium")
    quiet = ["disable-gpu", "disable-quic", "disable-background-networking", "disable-sync"]
    options = ["no-sandbox", "no-first-run", "disable-component-update", *quiet]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=[f"--{option}" for option in options]
        )
        yield chromium
        chromium.close()


@pytest.fixture(params=["sqlalchemy", "peewee"])
def orm(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """A function that makes an app with the extension; all that it made ends with the test.

    `url` is that of a database, ":memory:", or None for an SQLite file that all apps of the test
    share; `create` makes the tables; `history`: who changed what is kept; `workers`: that, and
    processes report; `config` goes into app.config. The state is app.extensions["waffleconf"];
    app.waffle, app.waffle_model and app.waffle_db are the extension, the model and the database.
    """
    from waffleconf_admin import WaffleConf

    with contextlib.ExitStack() as stack:

        def make(
            confs: Any,
            orm: str = "sqlalchemy",
            url: str | None = None,
            create: bool = True,
            validate: Any = None,
            history: bool = False,
            workers: bool = False,
            **config: Any,
        ) -> Flask:
            app = Flask("shop", root_path=str(tmp_path))
            app.config.from_mapping(
                TESTING=True,
                SECRET_KEY="test",
                WTF_CSRF_ENABLED=False,
                WAFFLE_WATCHER_FILE=str(tmp_path / "waffleconf.txt"),
            )
            app.config.from_mapping(config, WAFFLE_CONFS=confs)
            url = {None: f"sqlite:///{tmp_path / 'test.db'}", ":memory:": "sqlite://"}.get(url, url)
            db, model, store = ORMS[orm](app, url, create, history, stack, workers=workers)
            waffle = WaffleConf(app, store, validate=validate)
            stack.callback(app.extensions["waffleconf"].stop)
            app.waffle_db, app.waffle_model, app.waffle = db, model, waffle  # type: ignore[attr-defined]
            return app

        yield make
