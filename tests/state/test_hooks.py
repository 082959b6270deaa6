"""Loading: stored values are there, and followed, before any code of the app runs."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app, request_started, session
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from waffleconf_admin import StoreError, WaffleConf, WaffleStore, conf, hooks
from waffleconf_admin.codec import serialize
from waffleconf_admin.contexts import quiet_context
from waffleconf_admin.exceptions import NotReadyError
from waffleconf_admin.store import locks

MakeApp = Callable[..., Flask]

CONFS = {"SITENAME": {"default": "Waffle"}, "MAX_FILESIZE": {"default": 1000}}


class Rows(WaffleStore):
    """Rows in a dict; reading them can fail, and is counted."""

    def __init__(self, **rows: Any) -> None:
        super().__init__()
        self.rows = {key: serialize(value) for key, value in rows.items()}
        self.error: Exception | None = None
        self.reads = 0

    def read(self, keys: Any = None) -> list[tuple[str, str]]:
        self.reads += 1
        if self.error is not None:
            raise self.error
        return [(key, self.rows[key]) for key in keys if key in self.rows]

    def swap(self, changes: Any, history: Any = ()) -> bool:
        self.rows |= {key: new for key, (_, new) in changes.items() if new is not None}
        return True

    def commit(self) -> None: ...
    def delete(self, key: str) -> None: ...
    def get(self, key: str) -> None: ...
    def put(self, key: str, value: str) -> None: ...


# Every place of an app whose code runs early in a request. Each gets the app before the extension
# does, as an extension that comes first would, and reports what it sees of the settings.

Report = Callable[[], None]


def before_request(app: Flask, report: Report) -> None:
    app.before_request(report)


def url_value_preprocessor(app: Flask, report: Report) -> None:
    app.url_value_preprocessor(lambda endpoint, values: report())


def signal(app: Flask, report: Report) -> None:
    def receive(_app: Flask, **_: Any) -> None:
        report()

    app.extensions["a strong reference"] = receive
    request_started.connect(receive, app)


def opening_the_session(app: Flask, report: Report) -> None:
    class Interface(SecureCookieSessionInterface):
        def open_session(self, app: Flask, request: Any) -> Any:
            report()
            return super().open_session(app, request)

    app.session_interface = Interface()


def request_class(app: Flask, report: Report) -> None:
    class Request(app.request_class):  # type: ignore[name-defined, misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            report()
            super().__init__(*args, **kwargs)

    app.request_class = Request


def middleware(app: Flask, report: Report) -> None:
    """WSGI middleware that was there before the extension, and so runs after its wrap."""
    inner = app.wsgi_app

    def wrapped(environ: Any, start_response: Any) -> Any:
        report()
        return inner(environ, start_response)

    app.wsgi_app = wrapped  # type: ignore[method-assign]


EARLY = [
    before_request,
    url_value_preprocessor,
    signal,
    opening_the_session,
    request_class,
    middleware,
]

# How a request comes to an app.


def client(app: Flask, path: str = "/") -> None:
    app.test_client().get(path)


def below_a_dispatcher(app: Flask, path: str = "/") -> None:
    site = DispatcherMiddleware(Flask("site"), {"/shop": app})
    assert Client(site).get("/shop" + path).status_code == 200


def in_a_pushed_context(app: Flask, path: str = "/") -> None:
    """As tests have it: pushing the request pushes no application context any more."""
    with quiet_context(app):
        app.test_client().get(path)


def below_other_middleware(app: Flask, path: str = "/") -> None:
    ours = app.wsgi_app
    app.wsgi_app = lambda environ, start: ours(environ, start)  # type: ignore[method-assign]
    client(app, path)


REQUESTS = [client, below_a_dispatcher, in_a_pushed_context, below_other_middleware]


@pytest.mark.parametrize("multiproc", [False, True])
@pytest.mark.parametrize("ask", REQUESTS)
@pytest.mark.parametrize("place", EARLY)
def test_code_that_runs_early_in_the_first_request_sees_stored_values(
    place: Callable[..., None], ask: Callable[..., None], multiproc: bool, tmp_path: Any
) -> None:
    app = Flask("shop")
    app.config.update(SECRET_KEY="k", WAFFLE_CONFS=CONFS, WAFFLE_MULTIPROC=multiproc)
    app.config.update(WAFFLE_WATCHER_FILE=str(tmp_path / "watch"), WAFFLE_WATCH_INTERVAL=3600)
    app.add_url_rule("/", view_func=lambda: "")
    seen: list[str] = []
    place(app, lambda: seen.append(app.config["SITENAME"]))
    store = Rows(SITENAME="Stored")
    waffle = WaffleConf(app, store)
    assert store.reads == 0
    ask(app)
    waffle.state.stop()
    assert seen == ["Stored"]


@pytest.mark.parametrize("ask", REQUESTS)
@pytest.mark.parametrize("place", EARLY)
def test_code_that_runs_early_in_a_request_sees_what_another_process_has_saved(
    place: Callable[..., None], ask: Callable[..., None], tmp_path: Any
) -> None:
    store = Rows()
    apps = []
    seen: list[str] = []
    for name in ("one", "other"):
        app = Flask(name)
        app.config.update(SECRET_KEY="k", WAFFLE_CONFS=CONFS, WAFFLE_MULTIPROC=True)
        app.config.update(WAFFLE_WATCHER_FILE=str(tmp_path / "watch"), WAFFLE_WATCH_INTERVAL=3600)
        app.add_url_rule("/", view_func=lambda: "")
        if name == "one":
            place(app, lambda: seen.append(apps[0].config["SITENAME"]))
        WaffleConf(app, store)
        apps.append(app)
    ask(apps[0])
    apps[1].extensions["waffleconf"].update_db({"SITENAME": "Saved"})
    ask(apps[0])
    for app in apps:
        app.extensions["waffleconf"].stop()
    assert seen == ["Waffle", "Saved"]


def test_a_gate_that_was_registered_first_opens_after_a_restart(
    make_app: MakeApp, orm: str
) -> None:
    confs = {"CLOSED": {"default": True}}
    make_app(confs, orm).extensions["waffleconf"].update_db({"CLOSED": False})
    restarted = Flask("shop")
    restarted.before_request(lambda: ("closed", 503) if restarted.config["CLOSED"] else None)
    restarted.config["WAFFLE_CONFS"] = confs
    restarted.add_url_rule("/", view_func=lambda: "open")
    first = make_app(confs, orm)
    WaffleConf(restarted, _Borrowed(first))
    assert [restarted.test_client().get("/").status_code for _ in range(2)] == [200, 200]


class _Borrowed(Rows):
    """The rows of another app."""

    def __init__(self, app: Flask) -> None:
        super().__init__()
        self.app = app

    def read(self, keys: Any = None) -> list[tuple[str, str]]:
        with quiet_context(self.app):
            return list(self.app.extensions["waffleconf"].configstore.read(keys))


@pytest.mark.parametrize("multiproc", [False, True])
def test_conf_does_not_pin_older_values_when_it_is_read_early(
    multiproc: bool, tmp_path: Any
) -> None:
    app = Flask("shop")
    app.before_request(lambda: conf["SITENAME"] and None)
    app.config.update(WAFFLE_CONFS=CONFS, WAFFLE_MULTIPROC=multiproc)
    app.config.update(WAFFLE_WATCHER_FILE=str(tmp_path / "watch"))
    app.add_url_rule("/", view_func=lambda: conf.SITENAME)
    waffle = WaffleConf(app, Rows(SITENAME="Stored"))
    answer = app.test_client().get("/").text
    waffle.state.stop()
    assert answer == "Stored"


# The session is opened with settings that may be ours.

needs_fallbacks = pytest.mark.skipif(
    "SECRET_KEY_FALLBACKS" not in Flask("shop").config, reason="Flask 3.1 added the fallbacks"
)


@contextmanager
def restarted(**rows: Any) -> Iterator[Flask]:
    """An app whose session is configured by settings with other values than the code has."""
    app = Flask("shop")
    app.config.update(SECRET_KEY="of the code")
    confs = {key: {"default": app.config[key]} for key in rows}
    app.config["WAFFLE_CONFS"] = confs
    app.add_url_rule("/", view_func=lambda: session.get("user", "nobody"))

    @app.route("/login")
    def login() -> str:
        session["user"] = "ana"
        return ""

    WaffleConf(app, Rows(**rows))
    yield app


@pytest.mark.parametrize(
    "rows",
    [
        {"SECRET_KEY": "stored"},
        pytest.param(
            {"SECRET_KEY": "stored", "SECRET_KEY_FALLBACKS": ["former"]}, marks=needs_fallbacks
        ),
        {"SESSION_COOKIE_NAME": "shop_session"},
        {"SESSION_COOKIE_PATH": "/"},
    ],
    ids=lambda rows: " ".join(rows),
)
def test_the_first_request_opens_the_session_with_stored_settings(rows: dict[str, Any]) -> None:
    with restarted(**rows) as before, restarted(**rows) as after:
        logged_in = before.test_client()
        cookie = logged_in.get("/login").headers["Set-Cookie"].partition(";")[0]
        assert (
            after.test_client(use_cookies=False).get("/", headers={"Cookie": cookie}).text == "ana"
        )


@needs_fallbacks
def test_a_former_secret_key_that_is_stored_opens_the_session_of_the_first_request() -> None:
    with restarted(SECRET_KEY="former") as before:
        cookie = before.test_client().get("/login").headers["Set-Cookie"].partition(";")[0]
    with restarted(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["former"]) as after:
        assert (
            after.test_client(use_cookies=False).get("/", headers={"Cookie": cookie}).text == "ana"
        )


# Outside requests


def app_of(store: WaffleStore, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update({"WAFFLE_CONFS": CONFS, **config})
    WaffleConf(app, store)
    return app


def test_the_first_application_context_loads_with_one_select_a_process() -> None:
    app = app_of(store := Rows(SITENAME="Stored"))
    for _ in range(3):
        with app.app_context():
            assert current_app.config["SITENAME"] == "Stored"
    app.test_client().get("/")
    assert store.reads == 1


def test_a_command_sees_stored_values() -> None:
    app = app_of(Rows(SITENAME="Stored"))
    app.cli.command("name")(lambda: print(app.config["SITENAME"]))
    assert app.test_cli_runner().invoke(args=["name"]).output == "Stored\n"


def test_a_request_context_of_a_test_sees_stored_values() -> None:
    app = app_of(Rows(SITENAME="Stored"))
    with app.test_request_context():
        assert app.config["SITENAME"] == "Stored"


def test_a_request_context_inside_another_context_is_served_by_before_request() -> None:
    app, store = Flask("shop"), Rows(SITENAME="Stored")
    seen: list[str] = []
    before_request(app, lambda: seen.append(app.config["SITENAME"]))
    app.config["WAFFLE_CONFS"] = CONFS
    WaffleConf(app, store)
    store.error = NotReadyError("not yet")
    with app.app_context(), app.test_request_context():
        store.error = None
        app.preprocess_request()
    assert seen == ["Stored"]


def test_our_own_contexts_load_nothing() -> None:
    app = app_of(Rows(SITENAME="Stored"))
    state = app.extensions["waffleconf"]
    assert state.parse_conf()["SITENAME"] == "Stored"
    assert app.config["SITENAME"] == "Waffle"


def test_the_functions_of_the_app_see_stored_values_in_a_script() -> None:
    seen = []
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    waffle = WaffleConf(
        app,
        Rows(SITENAME="Stored"),
        validate=lambda values: seen.append(app.config["SITENAME"]),
    )
    waffle.state.update_db({"MAX_FILESIZE": 1})
    assert seen == ["Stored"]


@pytest.mark.parametrize("push", [Flask.app_context, Flask.test_request_context])
def test_autoload_can_be_turned_off(push: Callable[[Flask], Any]) -> None:
    app = app_of(store := Rows(SITENAME="Stored"), WAFFLE_AUTOLOAD=False)
    with push(app):
        assert current_app.config["SITENAME"] == "Waffle"
    app.test_client().get("/")
    assert store.reads == 0
    app.extensions["waffleconf"].update_conf()
    assert app.config["SITENAME"] == "Stored"


# What can't be read


def create_tables(app: Flask, orm: str) -> None:
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():  # as every app does it
        if orm == "sqlalchemy":
            db.create_all()
        else:
            with db.connection_context():
                db.create_tables([model])


def test_contexts_from_before_the_table_are_quiet_and_not_remembered(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "waffleconf_admin")
    app = make_app(CONFS, orm, create=False)
    with app.app_context():
        assert app.config["SITENAME"] == "Waffle"
    create_tables(app, orm)
    with quiet_context(app):
        store = app.extensions["waffleconf"].configstore
        store.put("SITENAME", serialize("Stored"))
        store.commit()
    with app.app_context():
        assert app.config["SITENAME"] == "Stored"
    assert not [record for record in caplog.records if record.name.startswith("waffleconf_admin")]


def test_a_request_without_a_table_is_logged_once_and_the_next_one_reads_again(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, orm, create=False)
    for _ in range(3):
        app.test_client().get("/")
    (record,) = [r for r in caplog.records if r.name.startswith("waffleconf_admin")]
    assert "create the tables" in record.getMessage()
    create_tables(app, orm)
    app.test_client().get("/")
    assert app.extensions["waffleconf"]._cache.loaded


@pytest.mark.parametrize("push", [Flask.app_context, None], ids=["context", "request"])
def test_an_unreachable_database_is_tried_once_a_second(
    push: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [0.0]
    monkeypatch.setattr("waffleconf_admin.state.loading.time.monotonic", lambda: clock[0])
    app = app_of(store := Rows())
    store.error = StoreError("The database can't be reached")
    tries = []
    for clock[0] in (1000.0, 1000.5, 1000.9, 1001.1):
        if push is None:
            assert app.test_client().get("/nothing").status_code == 404
        else:
            with push(app):
                pass
        tries.append(store.reads)
    assert tries == [1, 1, 1, 2]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("error", [RuntimeError("unknown"), ReferenceError(), NotReadyError("no")])
def test_no_request_and_no_context_fails_for_what_loading_raises(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_of(store := Rows())
    app.add_url_rule("/", view_func=lambda: "open")
    store.error = error
    with app.app_context():
        assert app.config["SITENAME"] == "Waffle"
    assert [app.test_client().get("/").text for _ in range(3)] == ["open"] * 3
    assert len(caplog.records) == 1
    store.error = None
    app.test_client().get("/")
    assert app.extensions["waffleconf"]._cache.loaded


def test_a_store_that_pushes_contexts_of_the_app_is_not_asked_again_by_them() -> None:
    class Pushing(Rows):
        def read(self, keys: Any = None) -> list[tuple[str, str]]:
            with app.app_context(), app.test_request_context():
                return super().read(keys)

    app = app_of(store := Pushing(SITENAME="Stored"))
    with app.app_context():
        assert app.config["SITENAME"] == "Stored"
    assert store.reads == 1


# What is assigned to app.config


@pytest.mark.parametrize("loaded", [False, True])
def test_an_assigned_value_is_replaced_with_a_warning_that_names_the_remedy(
    loaded: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_of(Rows())
    state = app.extensions["waffleconf"]
    if loaded:
        state.update_conf()
    app.config["SITENAME"] = "a secret, for all we know"
    for _ in range(2):
        state.update_conf()
        assert app.config["SITENAME"] == "Waffle"
    (record,) = caplog.records
    assert "SITENAME" in record.getMessage() and "state.update_db" in record.getMessage()
    assert "a secret" not in caplog.text


@pytest.mark.parametrize("value", ["Stored", None], ids=["the stored value", "nothing"])
def test_what_is_not_lost_is_not_warned_of(
    value: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    app = app_of(Rows(SITENAME="Stored"))
    if value is None:
        del app.config["SITENAME"]
    else:
        app.config["SITENAME"] = "".join(value)
    app.extensions["waffleconf"].update_conf()
    assert app.config["SITENAME"] == "Stored"
    assert caplog.records == []


def test_a_save_leaves_what_is_assigned_for_other_settings_to_the_next_load(
    caplog: pytest.LogCaptureFixture, make_app: MakeApp
) -> None:
    app = make_app(CONFS)
    state = app.extensions["waffleconf"]
    state.update_conf()
    app.config["SITENAME"] = "Assigned"
    state.update_db({"MAX_FILESIZE": 5})
    assert (app.config["SITENAME"], app.config["MAX_FILESIZE"]) == ("Assigned", 5)
    state.update_conf()
    assert app.config["SITENAME"] == "Waffle"
    assert caplog.text.count("What was assigned to app.config for SITENAME") == 1


def test_what_was_set_before_the_start_is_told_of_then_and_not_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    value = "Set in code"
    app = app_of(Rows(), SITENAME=value)
    assert app.config["SITENAME"] == value
    (record,) = caplog.records
    assert "than WAFFLE_CONFS declares" in record.getMessage()
    app.extensions["waffleconf"].update_conf()
    assert app.config["SITENAME"] == "Waffle"
    assert len(caplog.records) == 1
    app.config["SITENAME"] = value  # but of what is set later
    app.extensions["waffleconf"].update_conf()
    assert len(caplog.records) == 2


def test_the_first_request_waits_for_a_lock(make_app: MakeApp, orm: str, tmp_path: Path) -> None:
    """Of another process that commits, say; the default would be a wrong value."""
    make_app(CONFS, orm=orm).extensions["waffleconf"].update_db({"SITENAME": "Stored"})
    worker = make_app(CONFS, orm=orm, create=False)
    worker.add_url_rule("/", view_func=lambda: worker.config["SITENAME"])
    lock = sqlite3.connect(tmp_path / "test.db", isolation_level=None, check_same_thread=False)
    with contextlib.closing(lock):
        lock.execute("BEGIN EXCLUSIVE")
        release = threading.Timer(1.5 * locks.FIRST_LOAD_WAIT, lambda: lock.execute("COMMIT"))
        release.start()
        assert worker.test_client().get("/").text == "Stored"
        release.join()


def test_a_fault_is_logged_again_once_requests_have_succeeded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    errors = [RuntimeError("first"), RuntimeError("first"), None, RuntimeError("second")]

    def follow(_environ: object) -> None:
        if error := errors.pop(0):
            raise error

    app = Flask(__name__)
    hooks.install(app, follow)
    client = app.test_client()
    while errors:
        client.get("/")
    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == [
        "first",
        "second",
    ]
