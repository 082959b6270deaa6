"""What the tests share: real servers, a browser, and apps."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import make_url

REQUIRE_ALL = os.environ.get("CI") == "true" or os.environ.get("WAFFLE_REQUIRE_ALL") == "1"
MISSING = "Missing here: "


@contextlib.contextmanager
def required() -> Iterator[None]:
    """Skips the test when a program is missing, or fails it where everything is required."""
    try:
        yield
    except servers.Missing as error:
        (pytest.fail if REQUIRE_ALL else pytest.skip)(f"{MISSING}{error}")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    reports = [r for kind in ("skipped", "error") for r in terminalreporter.stats.get(kind, ())]
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
    with pymysql.connect(host=url.host, port=url.port or 0, user=url.username) as connection:
        connection.cursor().execute(f"CREATE DATABASE {name} CHARACTER SET utf8mb4")
    return url.set(database=name).render_as_string()


@pytest.fixture(scope="module")
def server_url(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A function that gives the URL of a server's database without tables, "postgres" or "mariadb".

    The database is made once for all tests of a module: PostgreSQL takes its time for that.
    """
    made: dict[str, str] = {}

    def url(database: str) -> str:
        if database not in made:
            server = make_url(request.getfixturevalue(f"{database}_server"))
            name = request.module.__name__
            engine = sa.create_engine(server, isolation_level="AUTOCOMMIT")
            with engine.connect() as connection:
                charset = " CHARACTER SET utf8mb4" if database == "mariadb" else ""
                connection.exec_driver_sql(f"CREATE DATABASE {name}{charset}")
            engine.dispose()
            made[database] = server.set(database=name).render_as_string()
        engine = sa.create_engine(made[database])
        with engine.begin() as connection:
            for table in ("confs", "conf_changes"):
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {table}")
        engine.dispose()
        return made[database]

    return url


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium, as installed by the system; playwright's own download is not needed."""
    from playwright.sync_api import sync_playwright

    with required():
        path = servers.find("chromium")
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


def _alchemy(app: Flask, url: str, create: bool, history: bool, stack: contextlib.ExitStack) -> Any:
    from flask_sqlalchemy import SQLAlchemy

    from waffleconf_admin import AlchemyWaffleStore, WaffleMixin

    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(app)
    Change: Any = None
    if history:
        Conf, Change = AlchemyWaffleStore.make_models(db)
    else:

        class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc, no-redef]
            __tablename__ = "confs"

            id = db.Column(db.Integer, primary_key=True)
            key = db.Column(db.String(255), unique=True)
            value = db.Column(db.Text)

    with app.app_context():
        engine = db.engine
        if create:
            db.create_all()
    stack.callback(engine.dispose)
    return db, Conf, AlchemyWaffleStore(db=db, model=Conf, history=Change)


def _peewee(app: Flask, url: str, create: bool, history: bool, stack: contextlib.ExitStack) -> Any:
    import peewee
    from playhouse.db_url import connect

    from waffleconf_admin import PeeweeWaffleStore, WaffleMixin

    db = connect(_peewee_url(url))
    Change: Any = None
    if history:
        Conf, Change = PeeweeWaffleStore.make_models(db)
    else:

        class Conf(peewee.Model, WaffleMixin):  # type: ignore[misc, no-redef]
            class Meta:
                database = db
                table_name = "confs"

            key = peewee.CharField(unique=True)
            value = peewee.TextField()

    models = [Conf, Change] if history else [Conf]
    if create and url == "sqlite://":
        db.connect()
        db.create_tables(models)  # an in-memory database lasts as long as its connection
    elif create:
        with db.connection_context():
            db.create_tables(models)
    stack.callback(db.close)
    return db, Conf, PeeweeWaffleStore(db=db, model=Conf, history=Change)


def _peewee_url(url: str) -> str:
    """SQLAlchemy's spelling of a database URL in peewee's words."""
    if url == "sqlite://":
        return "sqlite:///:memory:"
    return url.replace("mysql+pymysql:", "mysql:").replace("postgresql:", "psycopg3:")


ORMS: dict[str, Callable[..., Any]] = {"sqlalchemy": _alchemy, "peewee": _peewee}


@pytest.fixture
def make_app(tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """A function that makes an app with the extension; all that it made ends with the test.

    `url` is that of a database, ":memory:", or None for an SQLite file that all apps of the test
    share; `create` makes the tables; `history`: who changed what is kept; `config` goes into
    app.config. The state is app.extensions["waffleconf"]; app.waffle, app.waffle_model and
    app.waffle_db are the extension, the model and the database.
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
            db, model, store = ORMS[orm](app, url, create, history, stack)
            waffle = WaffleConf(app, store, validate=validate)
            stack.callback(app.extensions["waffleconf"].stop)
            app.waffle_db, app.waffle_model, app.waffle = db, model, waffle  # type: ignore[attr-defined]
            return app

        yield make
