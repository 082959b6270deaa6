"""Watch type 'postgresql': LISTEN and NOTIFY, with both ORMs and both drivers."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from fleet import until
from programs import environment
from proxy import Proxy

from waffleconf_admin import AlchemyWaffleStore, StoreError, WaffleConf, WaffleMixin, WaffleStore
from waffleconf_admin.store.alchemy.connections import notifications_of
from waffleconf_admin.store.postgresql import Listener
from waffleconf_admin.sync import postgresql, thread

CONFS = {"SITENAME": {"default": "Waffle"}}
OPTIONS = {
    "WAFFLE_MULTIPROC": True,
    "WAFFLE_WATCHTYPE": "postgresql",
    "WAFFLE_RESYNC_INTERVAL": 600,
}
CHANNEL = "a \"channel'; DROP TABLE confs; --"
Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher that has failed is called again soon."""
    monkeypatch.setattr(thread, "RETRY", 0.2)


@pytest.fixture
def url(server_url: Callable[[str], str]) -> str:
    return server_url("postgres")


@pytest.fixture(params=["psycopg", "psycopg2"])
def driver(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make(make_app: Callable[..., Flask], url: str, orm: str, driver: str) -> Make:
    """A function that makes a state on the database, or on another way to it."""

    def make(way: str = url, **config: Any) -> Any:
        name = sa.make_url(way).set(drivername=f"postgresql+{driver}").render_as_string()
        app = make_app(
            CONFS, orm, name, **{**OPTIONS, "WAFFLE_POSTGRESQL_CHANNEL": CHANNEL, **config}
        )
        return app.extensions["waffleconf"]

    return make


def listens(state: Any) -> bool:
    """Whether a state comes to listen, and has read."""
    return until(lambda: state.health().last_notification and state.health().reloads)


def listening(url: str) -> list[int]:
    """The processes of PostgreSQL whose last statement was a watcher's, one a connection."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
            "AND (query LIKE '%LISTEN%' OR query = 'SELECT 1') AND pid <> pg_backend_pid()"
        )
        return [pid for (pid,) in found]


def follows(writer: Any, state: Any, *values: str) -> bool:
    for value in values:
        writer.update_db({"SITENAME": value})
        if not until(lambda value=value: state.app.config["SITENAME"] == value):
            return False
    return True


def test_each_follows_the_other(make: Make) -> None:
    first, second = make(), make()
    assert listens(first) and listens(second)
    assert follows(first, second, "A", "B") and follows(second, first, "C")
    for state in (first, second):
        health = state.health()
        assert (health.watch_type, health.trouble, health.last_error) == ("postgresql", None, None)
        assert state.propagation() == "The whole site uses the new values at once."


def test_a_notification_carries_no_value(make: Make, url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(CHANNEL)))
        make().update_db({"SITENAME": "A"})
        (sent,) = connection.notifies(timeout=10, stop_after=1)
    assert (sent.channel, sent.payload) == (CHANNEL, "")


def test_a_flood_of_notifications_is_few_reloads(
    make: Make, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "BURST", 1.5)
    state = make()
    assert listens(state)
    before = state.health().reloads
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(300):
            connection.execute("SELECT pg_notify(%s, repeat('x', 7000))", [CHANNEL])
    writer = make()
    assert follows(writer, state, "A")
    assert state.health().reloads - before < 30


def test_a_notification_is_not_held_up_by_a_transaction_of_the_caller(make: Make, orm: str) -> None:
    writer, state = make(), make()
    assert listens(state)
    app = writer.app
    with app.app_context():
        if orm == "peewee":
            with app.waffle_db.atomic():
                app.waffle_db.execute_sql("SELECT 1")
                assert follows(writer, state, "A")
        else:
            app.waffle_db.session.execute(sa.text("SELECT 1"))
            assert follows(writer, state, "A")


def test_after_a_cut_connection_it_reads_and_listens_again(make: Make, url: str) -> None:
    writer, state = make(WAFFLE_MULTIPROC=False), make()
    assert listens(state)
    writer.update_db({"SITENAME": "A"})  # unannounced
    with psycopg.connect(url, autocommit=True) as connection:
        for pid in listening(url):
            connection.execute("SELECT pg_terminate_backend(%s)", [pid])
    assert until(lambda: state.app.config["SITENAME"] == "A")
    assert until(lambda: state.health().trouble is None)
    assert follows(make(), state, "B")


def test_a_forked_child_has_a_connection_of_its_own(make: Make) -> None:
    writer, state = make(), make()
    assert listens(state)
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        status = 1
        try:
            status = 0 if listens(state) and state.health().trouble is None else 1
            gc.collect()
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert follows(writer, state, "A") and state.health().last_error is None


def test_a_forked_child_does_not_end_the_connection_of_its_parent(url: str) -> None:
    with contextlib.closing(Listener(psycopg.connect(url))) as listener:
        if (child := os.fork()) == 0:
            listener.cut()
            listener.close()
            os._exit(0)
        os.waitpid(child, 0)
        listener.ping()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Watchers that ping a silent server soon, not after five seconds."""
    monkeypatch.setattr(postgresql, "PING_AFTER", 0.2)
    monkeypatch.setattr(postgresql, "ANSWER", 0.5)


def test_a_quiet_server_is_pinged_and_is_no_error(make: Make, url: str, impatient: None) -> None:
    state = make()
    assert listens(state)

    def pinged() -> int:
        with psycopg.connect(url) as connection:
            return connection.execute(  # type: ignore[index, no-any-return]
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT 1' "
                "AND datname = current_database() AND state = 'idle'"
            ).fetchone()[0]

    assert until(pinged)
    threading.Event().wait(3 * postgresql.PING_AFTER)
    assert state.health().last_error is None and state.health().reloads == 1


@pytest.fixture
def proxy(url: str) -> Iterator[Proxy]:
    with Proxy(url) as proxy:
        yield proxy


def test_a_hung_connection_is_an_error_and_it_recovers(
    make: Make, proxy: Proxy, impatient: None
) -> None:
    writer, state = make(), make(proxy.url)
    assert listens(state)
    proxy.stall()
    assert until(lambda: state.health().last_error == "PostgreSQL does not answer.")
    assert "receives no notifications" in state.health().trouble
    proxy.restore()
    assert until(lambda: state.health().trouble is None)
    assert follows(writer, state, "A")


def test_the_thread_ends_though_the_server_hangs(
    make: Make,
    proxy: Proxy,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "ANSWER", 60)
    state = make(proxy.url)
    assert listens(state)
    proxy.stall()

    def is_pinging() -> bool:
        return any(thread.name == "waffleconf-ping" for thread in threading.enumerate())

    assert until(is_pinging)
    state.stop()
    assert not state.synchronizer._thread._thread.is_alive()


def test_a_pooler_in_transaction_mode_is_reported(
    make: Make,
    url: str,
    pgbouncer: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgresql, "DELIVERY", 0.3)
    way = sa.make_url(pgbouncer).set(database=sa.make_url(url).database).render_as_string()
    writer, state = make(), make(way, WAFFLE_RESYNC_INTERVAL=0.3)
    assert until(lambda: state.health().trouble)
    assert "PgBouncer in transaction mode" in state.health().trouble
    assert until(lambda: caplog.text.count("PgBouncer in transaction mode") == 1)
    assert "within 0.3 seconds" in state.propagation()
    assert follows(writer, state, "A")  # by the resync
    assert follows(state, writer, "B")  # it can notify
    state.stop()
    assert not state.synchronizer._thread._thread.is_alive()


# Where it can't be used


def test_another_database_is_an_error(make_app: Callable[..., Flask], orm: str) -> None:
    with pytest.raises(ValueError, match=r"is 'postgresql', but .* another database .*'redis'"):
        make_app(CONFS, orm, **OPTIONS)


@pytest.mark.parametrize("name", ["asyncpg", "pg8000"])
def test_a_driver_that_can_not_wait_is_an_error(name: str) -> None:
    engine = SimpleNamespace(dialect=SimpleNamespace(name="postgresql", driver=name))
    with pytest.raises(StoreError, match=f"{name} can't wait .* use psycopg"):
        notifications_of(engine)


def test_a_store_that_knows_no_notifications_is_an_error() -> None:
    app = Flask("shop")
    app.config.update(OPTIONS, WAFFLE_CONFS=CONFS)
    with pytest.raises(ValueError, match=r"'postgresql', but WaffleStore has no notifications"):
        WaffleConf(app, WaffleStore())


def test_a_database_that_is_not_known_yet_is_an_error_when_the_watcher_starts(
    tmp_path: Path,
) -> None:
    app, db = Flask("shop"), SQLAlchemy()
    app.config.update(OPTIONS, WAFFLE_CONFS=CONFS)
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/test.db"

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    WaffleConf(app, AlchemyWaffleStore(db, Conf))
    db.init_app(app)
    state = app.extensions["waffleconf"]
    assert until(lambda: "another database" in str(state.health().last_error))
    state.stop()


@pytest.mark.parametrize("channel", ["", "x" * 64, "é" * 32, "a\0b"])
def test_a_channel_that_postgresql_does_not_take_is_an_error(
    make_app: Callable[..., Flask], channel: str
) -> None:
    with pytest.raises(ValueError, match="WAFFLE_POSTGRESQL_CHANNEL"):
        make_app(CONFS, WAFFLE_POSTGRESQL_CHANNEL=channel, **OPTIONS)


GEVENT = """
import gevent.monkey
gevent.monkey.patch_all()
import sys
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from waffleconf_admin import AlchemyWaffleStore, WaffleConf
if sys.argv[2] == "wait callback":
    import psycopg2.extensions
    psycopg2.extensions.set_wait_callback(lambda connection: None)
app = Flask("shop")
app.config.update(
    SQLALCHEMY_DATABASE_URI=sys.argv[1] + "://nobody@127.0.0.1:1/none",
    WAFFLE_CONFS={"SITENAME": {"default": "Waffle"}},
    WAFFLE_MULTIPROC=True,
    WAFFLE_WATCHTYPE="postgresql",
)
db = SQLAlchemy(app)
try:
    WaffleConf(app, AlchemyWaffleStore(db, AlchemyWaffleStore.make_models(db)[0]))
except ValueError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("driver", "more", "error"),
    [
        ("psycopg2", "", "use psycopg 3, or call psycogreen's patch_psycopg()"),
        ("psycopg2", "wait callback", ""),
        ("psycopg", "", ""),
    ],
)
def test_psycopg2_under_gevent_needs_a_wait_callback(driver: str, more: str, error: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GEVENT, f"postgresql+{driver}", more],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert error in done.stdout and bool(done.stdout) == bool(error)
