"""A report is never in the way: on SQLite, beside views that read, then write."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from reports import report
from states import state_of

from waffleconf_admin import AlchemyWaffleStore, StoreError, WaffleConf, WaffleWorkerMixin


def make(folder: Path, journal: str, *, begins: bool, apart: bool = False) -> tuple[Flask, Any]:
    """An app on SQLite.

    :param begins: whether it begins each transaction by itself, as SQLAlchemy's recipe does.
    :param apart: whether the workers have a database file of their own.
    """
    app = Flask("shop")
    app.config.update(
        SECRET_KEY="test",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder}/shop.db",
        SQLALCHEMY_BINDS={"workers": f"sqlite:///{folder}/workers.db"},
        WAFFLE_CONFS={"SITENAME": {"default": "Waffle"}},
    )
    db = SQLAlchemy(app)
    Conf, Change, Worker = AlchemyWaffleStore.make_models(db, workers=True)
    if apart:

        class Own(db.Model, WaffleWorkerMixin):  # type: ignore[name-defined, misc]
            __bind_key__ = "workers"

            id = db.Column(db.Integer, primary_key=True)
            name, host = db.Column(db.String(32), unique=True), db.Column(db.String(255))
            pid, restart_digests = db.Column(db.Integer), db.Column(db.Text)
            started_at, seen_at = db.Column(db.DateTime), db.Column(db.DateTime)
            keys_digest, texts_digest = db.Column(db.String(32)), db.Column(db.String(32))

        Worker = Own
    WaffleConf(app, AlchemyWaffleStore(db, Conf, history=Change, workers=Worker))
    with app.app_context():
        with db.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA journal_mode = {journal}")
        if begins:
            sa.event.listen(db.engine, "connect", _leave_transactions_alone)
            sa.event.listen(db.engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        db.engine.dispose()
        db.create_all()
    return app, db


def _leave_transactions_alone(connection: Any, _record: object) -> None:
    connection.isolation_level = None


CASES = [
    ("delete", False, False),
    ("delete", True, False),
    ("wal", False, False),
    ("wal", True, True),  # else the view fails beside any other write, by SQLite's rule
]


@pytest.mark.parametrize(("journal", "begins", "apart"), CASES)
def test_a_view_that_reads_then_writes_is_not_disturbed(
    tmp_path: Path, journal: str, begins: bool, apart: bool
) -> None:
    app, db = make(tmp_path, journal, begins=begins, apart=apart)
    state = state_of(app)
    report(app)
    Conf = state.configstore.model
    with app.app_context():
        assert db.session.scalars(sa.select(Conf)).all() == []
        try:
            state._worker.report()  # type: ignore[union-attr]
        except StoreError:  # it is dropped
            assert (journal, begins) == ("delete", True)
        db.session.add(Conf(key="OWN", value="1"))
        db.session.commit()
        assert db.session.scalar(sa.select(sa.func.count(Conf.id))) == 1


@pytest.mark.parametrize("begins", [False, True])
@pytest.mark.parametrize("journal", ["delete", "wal"])
def test_a_report_waits_for_no_view_that_writes(tmp_path: Path, journal: str, begins: bool) -> None:
    app, db = make(tmp_path, journal, begins=begins)
    state = state_of(app)
    report(app)
    with app.app_context():
        db.session.add(state.configstore.model(key="OWN", value="1"))
        db.session.flush()
        with pytest.raises(StoreError):
            state._worker.report()  # type: ignore[union-attr]
        with db.engine.connect() as connection:  # the pool's connections wait as before
            raw: Any = connection.connection.dbapi_connection
            assert raw.execute("PRAGMA busy_timeout").fetchone()[0] > 0
        db.session.commit()
        state._worker.report()  # type: ignore[union-attr]
        assert db.session.scalar(sa.select(sa.func.count(state.configstore.model.id))) == 1
