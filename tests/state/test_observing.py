"""The log of saves, and the recipes of docs/observing.md with the real packages."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import prometheus_client
import pytest
import sentry_sdk
from documentation import block
from flask import Flask
from pages import state_of
from states import away

from waffleconf_admin import InvalidValue, conf_changed

MakeApp = Callable[..., Flask]
PAGE = "docs/observing.md"
CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "SIZE": {"default": 20, "max": 100},
    "TOKEN": {"default": "", "secret": True},
}
LOGGER = "waffleconf_admin.state.save"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)


# The log


def records(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.name == LOGGER]


def test_a_save_logs_one_record_with_fields(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    values = {"SIZE": 30, "TOKEN": "needle", "SITENAME": "Waffle"}
    saved = state_of(app).update_db(values, actor="ana", source="page")
    (record,) = records(caplog)
    assert record.keys == ["SIZE", "TOKEN", "SITENAME"]
    assert record.change_set == saved.change_set
    assert (record.actor, record.source) == ("ana", "page")
    assert "needle" not in str(vars(record))


def test_undo_and_reset_log_too(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    state = state_of(app)
    saved = state.update_db({"SIZE": 30})
    state.history.undo(saved.change_set)
    state.update_db({"SIZE": 40})
    state.reset(["SIZE"], actor="bo", source="cli")
    found = [(record.source, record.actor) for record in records(caplog)]
    assert found == [("code", None), ("undo", None), ("code", None), ("cli", "bo")]


def test_what_writes_nothing_logs_no_save(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    state = state_of(app)
    state.update_db({})
    state.reset(["SIZE"])
    with pytest.raises(InvalidValue):
        state.update_db({"SIZE": 500})
    assert records(caplog) == []


def test_without_a_history_a_save_has_no_name(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    state_of(make_app(CONFS)).update_db({"SIZE": 30})
    assert records(caplog)[0].change_set is None


# The recipes


@pytest.fixture
def quiet_logger() -> Iterator[logging.Logger]:
    """The logger of saves, which gets its handlers and its level back."""
    logger = logging.getLogger(LOGGER)
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers, logger.level = handlers, level


def test_each_save_is_a_line_of_json(
    app: Flask, capsys: pytest.CaptureFixture[str], quiet_logger: logging.Logger
) -> None:
    block(PAGE, "import json").run()
    state_of(app).update_db({"SIZE": 30, "TOKEN": "needle"}, actor="ana")
    line = json.loads(capsys.readouterr().err)
    change_set = state_of(app).history.list()[0].change_set
    expected = {"keys": ["SIZE", "TOKEN"], "change_set": change_set}
    assert line == {**expected, "actor": "ana", "source": "code"}


def test_prometheus_gets_the_health(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = prometheus_client.CollectorRegistry()
    monkeypatch.setattr("prometheus_client.core.REGISTRY", registry)
    block(PAGE, "from prometheus_client").run(app=app)

    def value(name: str) -> float | None:
        return registry.get_sample_value(f"waffleconf_{name}")

    state = state_of(app)
    state.update_conf()
    reloads = value("reloads_total")
    assert (value("lags"), value("trouble"), value("attention")) == (0.0, 0.0, 0.0)
    state.update_conf()
    assert value("reloads_total") == (reloads or 0) + 1
    monkeypatch.setattr(state.configstore, "read_fresh", away)
    state.update_conf()
    assert (value("lags"), value("trouble")) == (1.0, 1.0)
    assert b"waffleconf_lags 1.0" in prometheus_client.generate_latest(registry)


def test_sentry_says_how_long_ago_the_settings_were_changed(app: Flask) -> None:
    names = block(PAGE, "import time").run(app=app)
    events: list[Any] = []

    class Transport(sentry_sdk.Transport):
        def capture_envelope(self, envelope: Any) -> None:
            events.extend(filter(None, [envelope.get_event()]))

    client = sentry_sdk.Client(
        dsn="https://key@sentry.invalid/1",
        transport=Transport,
        before_send=names["tag_settings"],
        default_integrations=False,
        auto_enabling_integrations=False,
    )
    try:
        client.capture_event({"message": "before"})
        state_of(app).update_db({"SIZE": 30, "TOKEN": "needle"})
        names["last_change"]["at"] -= 4 * 60 + 10
        client.capture_event({"message": "after"})
    finally:
        conf_changed.disconnect(names["remember"], app)
        client.close()
    before, after = events
    assert "settings_changed" not in before.get("tags", {})
    assert after["tags"]["settings_changed"] == "4 minutes ago"
    assert after["extra"]["settings_changed_keys"] == ["SIZE", "TOKEN"]
    assert "needle" not in str(events)


def test_a_worker_that_lags_is_not_ready(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    block(PAGE, "@app.get").run(app=app)
    client, state = app.test_client(), state_of(app)
    assert client.get("/ready").status_code == 200
    monkeypatch.setattr(state.configstore, "read_fresh", away)
    state.update_conf()
    assert client.get("/ready").status_code == 503
