"""Workers: which processes count, and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from documentation import blocks
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from reports import LONG_AGO, report
from states import commits, kinds, state_of, statements

from waffleconf_admin import StoreError
from waffleconf_admin.state.workers import Count
from waffleconf_admin.sync import reporter

MakeApp = Callable[..., Flask]
CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "POOL": {"default": 5, "restart": True},
    "TOKEN": {"default": "", "secret": True, "restart": True},
}


@pytest.fixture
def app(make_app: MakeApp, orm: str) -> Flask:
    app = make_app(CONFS, orm=orm, workers=True, WAFFLE_STORE_DEFAULTS=False)
    state_of(app).update_conf()
    return app


def counted(app: Flask) -> Count:
    workers = state_of(app).workers
    assert workers is not None
    return workers.count()


STANDINGS: list[tuple[list[tuple[float, dict[str, Any]]], list[int]]] = [
    ([], [0, 0, 0]),
    ([(0, {})], [1, 0, 0]),
    ([(0, {}), (0, {"texts_digest": "0" * 32})], [1, 1, 0]),
    ([(0, {"keys_digest": "0" * 32})] * 2, [0, 0, 2]),
    ([(134, {"texts_digest": "0" * 32}), (136, {"texts_digest": "0" * 32})], [0, 1, 0]),
    ([(-3600, {})], [1, 0, 0]),  # its clock is ahead
]


@pytest.mark.parametrize(("reports", "numbers"), STANDINGS)
def test_a_process_is_current_lags_or_runs_other_code_until_it_is_forgotten(
    app: Flask, reports: list[tuple[float, dict[str, Any]]], numbers: list[int]
) -> None:
    for seconds, values in reports:
        report(app, seconds, **values)
    count = counted(app)
    assert [count.number(each) for each in ("current", "lagging", "other")] == numbers
    assert count.is_complete is (numbers[1] == 0)


def test_a_process_lags_until_it_has_read_what_is_stored(app: Flask, make_app: MakeApp) -> None:
    report(app)
    make_app(CONFS, workers=True).extensions["waffleconf"].update_db({"SITENAME": "Crêperie"})
    assert counted(app).number("lagging") == 1
    state_of(app).update_conf()
    assert counted(app).number("lagging") == 1  # it has not said so
    worker = state_of(app)._worker
    assert worker is not None
    worker.report()
    assert counted(app).number("current") == 1


def test_processes_with_other_declarations_run_other_code(app: Flask, make_app: MakeApp) -> None:
    report(app)
    other = make_app({"SITENAME": {"default": "Waffle"}}, workers=True)
    assert counted(other).sentences() == ["Applied by 0 of 0 processes.", "1 runs other code."]


def test_a_process_runs_with_the_former_value_until_it_is_restarted(app: Flask) -> None:
    state = state_of(app)
    report(app)
    state.update_db({"SITENAME": "Crêperie"})
    assert counted(app).former == {"POOL": 0, "TOKEN": 0}
    state.update_db({"POOL": 20, "TOKEN": "secret"})
    report(app)
    count = counted(app)
    assert count.former == {"POOL": 2, "TOKEN": 2}
    text = "2 of 2 processes run with the former value; restart them."
    assert count.restart_sentence("POOL") == text
    # Of a secret nothing says that it is the default.
    state.update_db({"POOL": 5, "TOKEN": ""})
    assert counted(app).former == {"POOL": 0, "TOKEN": 2}
    state.reset(["POOL", "TOKEN"])
    assert counted(app).former == {"POOL": 0, "TOKEN": 0}


def test_a_new_process_deletes_rows_of_long_ago(app: Flask) -> None:
    report(app, 2 * 3600)
    report(app)
    worker = state_of(app)._worker
    assert worker is not None
    worker.after_fork()
    worker.report()
    rows = state_of(app)._repository.read_workers(LONG_AGO)
    assert len(rows) == 2


def test_a_report_is_one_update(app: Flask) -> None:
    worker = state_of(app)._worker
    assert worker is not None
    with statements(app) as seen:
        worker.report()  # with peewee it makes sure that there is no row
        assert [kind for kind in kinds(seen) if kind != "SELECT"] == ["UPDATE", "DELETE", "INSERT"]
        seen.clear()
        worker.report()
        assert kinds(seen) == ["UPDATE"]


@pytest.mark.parametrize("workers", [True, False])
def test_a_save_executes_the_same_statements_with_200_workers(
    make_app: MakeApp, orm: str, workers: bool
) -> None:
    app = make_app(CONFS, orm=orm, history=True, workers=workers, WAFFLE_STORE_DEFAULTS=False)
    state_of(app).update_conf()
    for _ in range(200 if workers else 0):
        report(app)
    state_of(app).update_db({"POOL": 7})  # the first of a process asks what the columns are like
    with statements(app) as seen:
        state_of(app).update_db({"SITENAME": "Crêperie"})
    assert kinds(seen) == ["SELECT", "INSERT", "INSERT"]
    assert commits(seen) <= 1


def test_no_digest_reveals_a_text(make_app: MakeApp) -> None:
    """What a model stores encrypted can't be guessed from the digest, without SECRET_KEY."""
    digests = set()
    for key in ("one", "two"):
        app = make_app(CONFS, workers=True, SECRET_KEY=key)
        state_of(app).update_conf()
        worker = state_of(app)._worker
        assert worker is not None
        digests.add(worker.status())
    assert len(digests) == 2


def test_facts_have_no_digest(app: Flask) -> None:
    report(app)
    rows = state_of(app)._repository.read_workers(LONG_AGO)
    text = json.dumps(counted(app).facts(named=True))
    assert rows and not any(row.texts_digest in text or row.keys_digest in text for row in rows)
    assert rows[0].name not in text


# When a process reports


class Source:
    """A process whose status and whose database a test decides."""

    def __init__(self) -> None:
        self.current: Any = None
        self.reports = 0
        self.fails = False

    def status(self) -> Any:
        return self.current

    def report(self) -> None:
        self.reports += 1
        if self.fails:
            raise StoreError("the database is locked")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands until a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(reporter.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(reporter, "FIRST", 5.0)
    return now


def test_a_process_reports_a_new_status_at_once_and_the_same_within_a_minute(
    clock: list[float],
) -> None:
    source = Source()
    made = reporter.Reporter(source)
    reports = []
    steps = [(4, "a"), (2, None), (0, "a"), (1, "a"), (1, "b"), (44, "b"), (16, "b")]
    for seconds, status in steps:
        clock[0] += seconds
        source.current = status
        made.report_if_due()
        reports.append(source.reports)
    assert reports == [0, 0, 1, 1, 2, 2, 3]


def test_a_report_that_fails_is_dropped_and_the_next_one_is_made_later(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    source = Source()
    source.current, source.fails = "a", True
    made = reporter.Reporter(source)
    for _ in range(700):
        clock[0] += 1
        made.report_if_due()
    assert 12 < source.reports < 40
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
    source.fails = False
    clock[0] += 60
    made.report_if_due()
    clock[0] += 1
    source.current = "b"
    made.report_if_due()
    reported = source.reports
    made.report_if_due()
    assert source.reports == reported


# What docs/workers.md says

MAKE, MODEL = blocks("docs/workers.md", "python")


def test_the_models_of_the_docs_are_those_of_make_models(tmp_path: Path) -> None:
    tables = []
    for code in (MAKE, MODEL):
        app = Flask("shop")
        app.config.update(SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/{code.line}.db")
        app.config.update(WAFFLE_CONFS=CONFS)
        db = SQLAlchemy(app)
        names = code.run(app=app, db=db)
        if code is MAKE:
            assert state_of(app).workers
        columns = names["ConfWorker"].__table__.columns
        tables.append([(c.name, str(c.type), c.nullable, c.unique) for c in columns])
    assert tables[0] == tables[1]


# Databases


LOCKS = {
    "postgres": "LOCK TABLE conf_workers IN ACCESS EXCLUSIVE MODE",
    "mariadb": "LOCK TABLES conf_workers WRITE",
}


@pytest.mark.parametrize("database", LOCKS)
def test_processes_report_on_every_database_and_wait_for_no_lock(
    make_app: MakeApp, orm: str, database: str, server_url: Callable[[str], str]
) -> None:
    url = server_url(database)
    app = make_app(CONFS, orm=orm, url=url, workers=True)
    report(app)
    for _ in range(2):  # in a second of which MariaDB says that nothing has changed
        state_of(app)._worker.report()
    report(app, texts_digest="0" * 32)
    facts = {"current": 1, "lagging": 1, "other": 0, "restart": {}}
    assert counted(app).facts(named=False) == facts
    engine = sa.create_engine(url)
    with engine.connect() as connection:  # a migration, say
        connection.exec_driver_sql(LOCKS[database])
        with pytest.raises(StoreError):
            report(app)
        connection.invalidate()
    engine.dispose()
    report(app)
    assert counted(app).number("current") == 2
