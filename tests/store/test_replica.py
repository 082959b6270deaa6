"""Apps that read from a replica: saves read and write the primary."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from servers import free_port
from sqlalchemy.engine import make_url
from store_cases import wait_until

from waffleconf_admin import AlchemyWaffleStore, WaffleConf
from waffleconf_admin.exceptions import NotReadyError, StoreError

CONFS = {"SITENAME": {"default": "Waffle"}, "SIZE": {"default": 20}}


class ByStatement(Session):
    """What writes goes to the primary."""

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **_: Any) -> Any:
        writes = self._flushing or isinstance(clause, (sa.Insert, sa.Update, sa.Delete))
        return self._db.engines[None if writes else "replica"]


class ByFlush(Session):
    """What the unit of work writes goes to the primary."""

    def get_bind(self, mapper: Any = None, clause: Any = None) -> Any:  # type: ignore[override]
        return self._db.engines[None if self._flushing else "replica"]


class ByRead(Session):
    """What only reads goes to the replica."""

    def get_bind(self, mapper: Any = None, clause: Any = None, bind: Any = None, **_: Any) -> Any:
        reads = isinstance(clause, sa.Select) and not self._flushing
        return self._db.engines["replica" if reads else None]


def app_on(primary: str, replica: str, routing: type[Session], tmp_path: Path) -> Flask:
    app = Flask("shop", root_path=str(tmp_path))
    app.config.update(
        SQLALCHEMY_DATABASE_URI=primary,
        SQLALCHEMY_BINDS={"replica": replica},
        WAFFLE_CONFS=CONFS,
        WAFFLE_STORE_DEFAULTS=False,
    )
    db = SQLAlchemy(app, session_options={"class_": routing})
    Conf, Change = AlchemyWaffleStore.make_models(db)
    WaffleConf(app, AlchemyWaffleStore(db, Conf, history=Change))
    app.waffle_db = db  # type: ignore[attr-defined]
    return app


@contextlib.contextmanager
def ends(app: Flask) -> Iterator[Any]:
    yield app.extensions["waffleconf"]
    with app.app_context():
        for engine in app.waffle_db.engines.values():  # type: ignore[attr-defined]
            engine.dispose()


def create(app: Flask, *binds: str | None) -> None:
    db: Any = app.waffle_db  # type: ignore[attr-defined]
    with app.app_context():
        for bind in binds:
            db.metadata.create_all(db.engines[bind])


@pytest.fixture(
    params=[
        ("file", ByStatement),
        ("file", ByFlush),
        ("file", ByRead),
        ("postgres", ByStatement),
    ],
    ids=lambda param: f"{param[0]}-{param[1].__name__}",
)
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """The state of an app whose replica has the tables, but nothing that is saved from now on."""
    database, routing = request.param
    if database == "file":
        urls = [f"sqlite:///{tmp_path}/{name}.db" for name in ("primary", "replica")]
        app = app_on(*urls, routing, tmp_path)
        create(app, None, "replica")
        with ends(app) as state:
            yield state
        return
    primary = request.getfixturevalue("postgres_url")
    server = request.getfixturevalue("postgres_replica")
    replica = make_url(server).set(database=make_url(primary).database).render_as_string()
    app = app_on(primary, replica, routing, tmp_path)
    create(app, None)
    with (
        psycopg.connect(primary, autocommit=True) as here,
        psycopg.connect(server, autocommit=True) as there,
    ):
        (written,) = here.execute("SELECT pg_current_wal_lsn()").fetchone() or ()
        arrived = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        wait_until(lambda: there.execute(arrived, [written]).fetchone() == (True,))
        there.execute("SELECT pg_wal_replay_pause()")
        with ends(app) as state:
            yield state
        there.execute("SELECT pg_wal_replay_resume()")


def test_a_save_is_decided_by_the_primary_and_written_there(state: Any) -> None:
    state.update_db({"SITENAME": "Bakery"})
    assert state.update_db({"SITENAME": "Bakery"}) == {}
    assert state.update_db({"SIZE": 9}, expected={"SITENAME": "Bakery"}) == {"SIZE": 9}
    assert state.reset(["SITENAME"]) == {"SITENAME": "Waffle"}
    assert {key: record.value for key, record in state.read().items()} == {
        "SITENAME": "Waffle",
        "SIZE": 9,
    }


def test_a_row_that_another_save_has_added_is_found_on_the_primary(state: Any) -> None:
    state.update_db({"SITENAME": "Bakery"})
    with state.app.app_context():
        assert state.configstore.swap({"SITENAME": (None, "late")}) is False


def test_an_undo_right_after_a_save_finds_it(state: Any) -> None:
    saved = state.update_db({"SITENAME": "Bakery"})
    assert [change.new for change in state.history.of(saved.change_set)] == ["Bakery"]
    assert state.history.latest(["SITENAME"])["SITENAME"].new == "Bakery"
    assert state.history.undo(saved.change_set) == {"SITENAME": "Waffle"}


def test_an_undo_sees_a_later_save(state: Any) -> None:
    first = state.update_db({"SIZE": 1})
    seen = state.history.latest(["SIZE"])["SIZE"].id
    state.update_db({"SIZE": 2})
    with pytest.raises(Exception, match="changed by somebody else"):
        state.history.undo(first.change_set, seen=seen)


def test_old_changes_are_deleted_on_the_primary(state: Any) -> None:
    saved = state.update_db({"SIZE": 1})
    with state.app.app_context():
        store, later = state.configstore, datetime.now(UTC) + timedelta(days=1)
        assert store.prune_history(later, 10) == 1
    assert state.history.of(saved.change_set) == []


def test_reading_without_saving_is_sent_to_the_replica(state: Any) -> None:
    state.update_db({"SIZE": 1})
    assert state.parse_conf(["SIZE"]) == {"SIZE": 20}
    assert state.history.list() == []


def test_the_first_load_reads_the_primary_too(state: Any) -> None:
    state.update_db({"SIZE": 1})
    with state.app.app_context():
        assert dict(state.configstore.read_promptly(["SIZE"])).keys() == {"SIZE"}


def test_a_fork_forgets_the_connections_to_both(state: Any) -> None:
    state.update_db({"SIZE": 1})
    state.parse_conf()
    with state.app.app_context():
        pools = {engine.pool for engine in state.app.waffle_db.engines.values()}
        state.configstore.after_fork()
        assert not pools & {engine.pool for engine in state.app.waffle_db.engines.values()}
    for pool in pools:
        pool.dispose()


@pytest.mark.parametrize("away", ["file", "server"])
def test_the_first_load_reads_the_replica_if_the_primary_cannot_be_reached(
    away: str, tmp_path: Path
) -> None:
    primary = f"sqlite:///{tmp_path}/no/such/folder.db"
    if away == "server":
        primary = f"postgresql+psycopg://postgres@127.0.0.1:{free_port()}/shop"
    app = app_on(primary, f"sqlite:///{tmp_path}/replica.db", ByStatement, tmp_path)
    create(app, "replica")
    engine = app.waffle_db  # type: ignore[attr-defined]
    with ends(app) as state, app.app_context():
        with engine.engines["replica"].begin() as connection:
            connection.exec_driver_sql("INSERT INTO confs (key, value) VALUES ('SIZE', '1')")
        assert state.configstore.read_promptly(["SIZE"]) == [("SIZE", "1")]
        with pytest.raises(StoreError):
            state.configstore.read_fresh(["SIZE"])


def test_a_session_without_a_database_is_not_ready(tmp_path: Path) -> None:
    class ByTenant(Session):
        def get_bind(self, *_: Any, **__: Any) -> Any:
            raise LookupError("no tenant")

    url = f"sqlite:///{tmp_path}/test.db"
    app = app_on(url, url, ByTenant, tmp_path)
    with ends(app) as state, app.app_context():
        for read in (state.configstore.read, state.configstore.read_promptly):
            with pytest.raises(NotReadyError, match="LookupError: no tenant"):
                read(["SIZE"])
