"""Flask-Migrate makes and changes both tables, while the app runs: docs/databases.md."""

from __future__ import annotations

import logging.config
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from documentation import Block, block
from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from fleet import WAIT, until
from sqlalchemy.orm import DeclarativeBase

from waffleconf_admin import (
    AlchemyWaffleStore,
    PeeweeWaffleStore,
    StoreError,
    WaffleConf,
    WaffleMixin,
)

pytestmark = pytest.mark.filterwarnings("ignore:'get_engine' is:DeprecationWarning")  # its env.py

TABLES = block("docs/databases.md", "def create_tables")
CONFS = {"SITENAME": {"default": "Waffle"}}
#: The history's model as an app writes it that has one of its own for the settings.
HISTORY_MODEL = block("docs/history.md", "class ConfChange(db.Model")


def flask(app: Flask, *command: str) -> str:
    """The output of ``flask db``, as of a process of its own."""
    # A function of the last command, which would take this one for its own.
    app.extensions["migrate"].configure_args.pop("process_revision_directives", None)
    result = app.test_cli_runner().invoke(args=["db", *command])
    assert result.exit_code == 0, result.output
    return str(result.output)


class Release:
    """One release of an app: its models, and the commands that a deployment runs.

    :param folder: where the migrations and the database of all releases are.
    """

    def __init__(self, folder: Path, *, history: bool = False, column: bool = False) -> None:
        self.app = Flask("shop", root_path=str(folder))
        self.app.config.update(
            SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder}/site.db", WAFFLE_CONFS=CONFS
        )
        self.db = db = SQLAlchemy(self.app)
        self.folder = folder
        Migrate(self.app, db, directory=str(folder / "migrations"))

        class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
            __tablename__ = "confs"

            id = db.Column(db.Integer, primary_key=True)
            key = db.Column(db.String(255), unique=True)
            value = db.Column(db.Text)
            if column:
                team = db.Column(db.String(80), nullable=False, server_default="shop")

        names: dict[str, Any] = {"db": db}
        if history:
            names = HISTORY_MODEL.run(db=db)
        store = AlchemyWaffleStore(db, Conf, history=names.get("ConfChange"))
        WaffleConf(self.app, store)

    def flask(self, *command: str) -> str:
        return flask(self.app, *command)

    def save(self, name: str) -> None:
        self.app.extensions["waffleconf"].update_db({"SITENAME": name})

    def name(self) -> Any:
        """What a new process serves."""
        self.app.extensions["waffleconf"].update_conf()
        return self.app.config["SITENAME"]

    def columns(self, table: str) -> set[str]:
        with self.app.app_context():
            return {column["name"] for column in sa.inspect(self.db.engine).get_columns(table)}


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Release]]:
    """A function that gives the next release of one app."""
    # The env.py of a migration turns off all loggers that there are.
    monkeypatch.setattr(logging.config, "fileConfig", lambda *args, **options: None)
    made: list[Release] = []

    def make(**models: bool) -> Release:
        made.append(Release(tmp_path, **models))
        return made[-1]

    yield make
    for each in made:
        with each.app.app_context():
            each.db.engine.dispose()


def test_the_tables_follow_the_models_and_running_workers_go_on(
    release: Callable[..., Release], caplog: pytest.LogCaptureFixture
) -> None:
    # The first release begins without tables.
    first = release()
    assert first.app.test_client().get("/").status_code == 404 and first.name() == "Waffle"
    caplog.clear()
    commands = block("docs/databases.md", "flask db init").code
    for command in re.findall(r"^flask db (\w+)", commands, re.M):
        first.flask(command)
    assert not [r for r in caplog.records if r.name.startswith("waffleconf_admin")]
    first.save("one")

    # The second one keeps a history.
    second = release(history=True)
    assert second.name() == "one"
    with pytest.raises(StoreError, match=r"history, does not exist: .*migration"):
        second.save("lost")
    assert second.name() == "one"
    second.flask("migrate")
    second.flask("upgrade")
    second.save("two")
    assert [c.new for c in second.app.extensions["waffleconf"].history.list()] == ["two"]
    first.save("by an old worker")
    assert second.name() == "by an old worker"

    # The third one has a column more.
    third = release(history=True, column=True)
    assert third.name() == "by an old worker"
    third.save("before the migration")
    third.flask("migrate")
    third.flask("upgrade")
    assert "team" in third.columns("confs")
    third.save("three")
    second.save("by an old worker")
    assert third.name() == "by an old worker"
    third.flask("check")

    # And back.
    third.flask("downgrade", "base")
    assert third.name() == "by an old worker"  # what it has in memory


def bare(app: Flask, db: SQLAlchemy) -> None:
    with app.app_context():
        db.create_all()


def documented(app: Flask, db: SQLAlchemy) -> None:
    TABLES.run(db=db)["create_tables"](app)


@pytest.mark.parametrize("database", ["postgresql", "sqlite"])
@pytest.mark.parametrize(("create_tables", "fails"), [(bare, True), (documented, False)])
def test_of_workers_that_make_the_tables_one_comes_first(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database: str,
    create_tables: Callable[[Flask, SQLAlchemy], None],
    fails: bool,
) -> None:
    """One has made them and not committed, when the other asks which there are."""
    app = Flask("shop")
    url = f"sqlite:///{tmp_path}/site.db"
    if database == "postgresql":
        url = request.getfixturevalue("postgres_url")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(app)
    AlchemyWaffleStore.make_models(db)
    with app.app_context():
        engine = db.engine
    lock = re.search(rf'"{database}": "(.*)"', TABLES.code)
    assert lock
    with ThreadPoolExecutor() as pool, engine.connect() as first:
        first.exec_driver_sql(lock[1])
        db.metadata.create_all(first)
        arrived = threading.Event()
        sa.event.listen(engine, "before_cursor_execute", partial(note_arrival, arrived, lock[1]))
        other = pool.submit(create_tables, app, db)
        assert arrived.wait(WAIT)
        assert database == "sqlite" or until(lambda: other.done() or is_waited_for(engine))
        first.commit()
        error = other.exception()
    engine.dispose()
    assert (error is None) != fails
    assert not fails or re.search("UniqueViolation.*pg_type|already exists", str(error), re.S)


def note_arrival(arrived: threading.Event, lock: str, *event: Any) -> None:
    """Before each statement: whether it is the first one that has to wait."""
    statement = str(event[2])
    if statement == lock or "CREATE TABLE" in statement:
        arrived.set()


def is_waited_for(engine: sa.Engine) -> bool:
    with engine.connect() as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        return bool(connection.exec_driver_sql(query).scalar())


# The migrations of docs/databases.md

HISTORY = block("docs/databases.md", '"A history of the settings."')
ENDS = block("docs/databases.md", '"The columns of saves that go back."')
WORKERS = block("docs/databases.md", '"The table of the workers."')
LARGER = block("docs/databases.md", '"Larger values."')
PEEWEES = [
    block("docs/databases.md", "def add_history"),
    block("docs/databases.md", "def add_columns_of_ends"),
]


def upgrade(connection: sa.Connection, migration: Block) -> None:
    """Run a migration of the page, as Alembic does."""
    with Operations.context(MigrationContext.configure(connection)):
        migration.run()["upgrade"]()


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def base() -> type[DeclarativeBase]:
    class Base(DeclarativeBase):
        pass

    return Base


def differences(connection: sa.Connection, metadata: sa.MetaData) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))


def test_the_migrations_of_the_page_lead_to_the_models(connection: sa.Connection) -> None:
    Base = base()
    models = AlchemyWaffleStore.make_models(Base, workers=True)
    models[0].__table__.create(connection)
    upgrade(connection, HISTORY)
    upgrade(connection, WORKERS)
    assert differences(connection, Base.metadata) == []


#: A history from before saves could go back.
WITHOUT_ENDS = ["DROP INDEX {index}"] + [
    f"ALTER TABLE conf_changes DROP COLUMN {column}"
    for column in ("ends_at", "ended_at", "outcome", "remark")
]


def test_the_columns_of_ends_are_added_to_a_history_without_them(
    connection: sa.Connection,
) -> None:
    Base = base()
    AlchemyWaffleStore.make_models(Base)
    Base.metadata.create_all(connection)
    for statement in WITHOUT_ENDS:
        connection.exec_driver_sql(statement.format(index="ix_conf_changes_ended_at_ends_at"))
    assert differences(connection, Base.metadata)
    upgrade(connection, ENDS)
    assert differences(connection, Base.metadata) == []


def test_a_column_becomes_larger_and_keeps_its_rows(postgres_url: str) -> None:
    Base = base()
    AlchemyWaffleStore.make_models(Base)
    engine = sa.create_engine(postgres_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE confs (id SERIAL PRIMARY KEY, key VARCHAR(255) NOT NULL UNIQUE, "
            "value VARCHAR(255) NOT NULL)"
        )
        connection.exec_driver_sql("INSERT INTO confs (key, value) VALUES ('SITENAME', '1')")
        upgrade(connection, HISTORY)
        assert differences(connection, Base.metadata)
        upgrade(connection, LARGER)
        assert differences(connection, Base.metadata) == []
        assert connection.exec_driver_sql("SELECT value FROM confs").scalar() == "1"
    engine.dispose()


def test_the_migrations_of_the_page_lead_to_the_models_on_mariadb(
    server_url: Callable[[str], str],
) -> None:
    Base = base()
    models = AlchemyWaffleStore.make_models(Base, workers=True)
    engine = sa.create_engine(server_url("mariadb"))
    with engine.connect() as connection:
        models[0].__table__.create(connection)
        small = "ALTER TABLE confs MODIFY value TEXT NOT NULL"
        connection.exec_driver_sql(small)
        connection.exec_driver_sql("INSERT INTO confs (`key`, value) VALUES ('SITENAME', '1')")
        upgrade(connection, HISTORY)
        for statement in WITHOUT_ENDS:
            place = "ix_conf_changes_ended_at_ends_at ON conf_changes"
            connection.exec_driver_sql(statement.format(index=place))
        upgrade(connection, ENDS)
        upgrade(connection, WORKERS)
        upgrade(connection, LARGER)
        assert differences(connection, Base.metadata) == []
        columns = "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
        longtexts = f"{columns} WHERE table_schema = database() AND data_type = 'longtext'"
        assert sorted(map(tuple, connection.exec_driver_sql(longtexts))) == [
            ("conf_changes", "new", "YES"),
            ("conf_changes", "old", "YES"),
            ("confs", "value", "NO"),
        ]
        assert connection.exec_driver_sql("SELECT value FROM confs").scalar() == "1"
    engine.dispose()


def test_peewees_migrations_lead_to_the_models(tmp_path: Path) -> None:
    db = peewee.SqliteDatabase(tmp_path / "site.db")
    Conf, ConfChange = PeeweeWaffleStore.make_models(db)
    add_history, add_columns = (each.run(db=db, ConfChange=ConfChange) for each in PEEWEES)

    def schema() -> tuple[object, object]:
        with db:
            indexes = {tuple(index.columns) for index in db.get_indexes("conf_changes")}
            return db.get_columns("conf_changes"), indexes

    with db:
        db.create_tables([Conf])
    add_history["add_history"]()
    wanted = schema()
    with db:
        for statement in WITHOUT_ENDS:
            db.execute_sql(statement.format(index="confchange_ended_at_ends_at"))
    assert schema() != wanted
    add_columns["add_columns_of_ends"]()
    assert schema() == wanted


def test_tenants_with_a_table_each_have_settings_of_their_own(tmp_path: Path) -> None:
    found = block("docs/databases.md", "def make_model(tenant)")
    code = found.code.replace("sqlite:///", f"sqlite:///{tmp_path}/")
    names = found._replace(code=code).run(__name__="shop")
    apps = {tenant: names["create_app"](tenant) for tenant in names["MODELS"]}
    for tenant, app in apps.items():
        with app.app_context():
            names["db"].create_all()
        app.extensions["waffleconf"].update_db({"SITENAME": tenant.title()})
    for tenant, app in apps.items():
        app.extensions["waffleconf"].update_conf()
        assert app.config["SITENAME"] == tenant.title()
        with app.app_context():
            tables = sa.inspect(names["db"].engine).get_table_names()
            names["db"].engine.dispose()
        assert tables == ["confs_bakery", "confs_brewery"]
