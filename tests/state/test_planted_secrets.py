"""With encryption and an environment in use, a secret is in nothing that leaves the process."""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from states import state_of

from waffleconf_admin import WaffleAdmin, WaffleError, anyone
from waffleconf_admin.codec.encryption import Encryption

MakeApp = Callable[..., Flask]

CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle"},
    "HELD": {"default": "", "secret": True, "max": 30},
    "PIN": {"default": 0, "secret": True},
    "STORED": {"default": "", "secret": True},
    "PAIR": {"default": {}, "secret": True},
}
#: In each secret, and in each that somebody tries.
PLANTED = "hunter"
FIRST, SECOND = (Fernet.generate_key().decode() for _ in range(2))


def planted(number: int) -> str:
    """A secret; a traceback quotes the line that makes it, not the secret."""
    return f"{PLANTED}{number}"


def everything_about(app: Flask) -> list[str]:
    """What our objects say of themselves, down to their attributes."""
    state = state_of(app)
    objects = [state, state.settings, state.read(), state._declared, state._repository.codec]
    objects += [setting.environment for setting in state.settings.values()]
    objects += [each.behind for each in state.read().values()]
    objects += [vars(state), vars(state._repository.codec), state.health(), vars(state._cache)]
    return [repr(each) for each in objects if each is not vars(state._cache)]


def texts_of(error: BaseException) -> list[str]:
    return [repr(error), *traceback.format_exception(error)]


def test_a_planted_secret_is_in_nothing_that_leaves(
    make_app: MakeApp,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    found = [Path("/proc/self/cmdline").read_text()] if Path("/proc").exists() else []
    monkeypatch.setenv("APP_HELD", planted(2))
    options = {
        "history": True,
        "WAFFLE_STORE_DEFAULTS": True,
        "WAFFLE_ENV_PREFIX": "APP_",
        "WAFFLE_ENCRYPTION_KEYS": [FIRST],
    }
    app = make_app(CONFS, **options)
    app.register_blueprint(WaffleAdmin(can=anyone))
    state, runner, client = state_of(app), app.test_cli_runner(), app.test_client()
    state.parse_conf()
    state.update_db({"STORED": planted(3), "PAIR": {"a": [planted(4)]}}, actor="ana")
    for values in ({"HELD": planted(5)}, {"PIN": planted(6), "HELD": 5}, {"PAIR": {"a": object()}}):
        for expected in ({}, {"STORED": planted(7)}):
            with pytest.raises(WaffleError) as caught:
                state.update_db(values, expected=expected)
            found += texts_of(caught.value)
    for text in ("x" * 40 + planted(8), ""):
        with monkeypatch.context() as patch:
            patch.setenv("APP_HELD", text)
            patch.setenv("APP_PIN", planted(9))
            patch.setenv("APP_PAIR", planted(9).join(['{"', '": ', ""]))
            with pytest.raises(WaffleError) as caught:
                make_app(CONFS, **options)
            found += texts_of(caught.value)
    with pytest.raises(ValueError, match="key 1 of 2") as wrong:
        make_app(CONFS, **options | {"WAFFLE_ENCRYPTION_KEYS": [planted(10), FIRST]})
    found += texts_of(wrong.value)
    page = client.get("/admin/config").text
    found += [page, client.post("/admin/config", data={"HELD": planted(11)}).text]
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"waffleconf": 1, "settings": {"HELD": planted(12), "PIN": "x"}}))
    for line in (
        "list", "list --json", "explain HELD", "explain STORED", "get HELD", "check", "history",
        "history --json", "export", "export --all", f"diff {path}", f"import {path} --apply",
        "set HELD --stdin", "set PIN --stdin", "convert json", "convert json --apply",
        "rotate", "reset HELD STORED", "prune",
    ):  # fmt: skip
        result = runner.invoke(args=["waffle", *line.split()], input=planted(13))
        assert not (isinstance(result.exception, Exception)), (line, result.exception)
        found += [result.output]
    lost = make_app(CONFS, **options | {"WAFFLE_ENCRYPTION_KEYS": [SECOND]})
    state.update_db({"STORED": planted(14), "PAIR": {"a": planted(14)}})
    found += [lost.test_cli_runner().invoke(args=["waffle", "check"]).output]
    assert state.history is not None
    changes = [(c.old, c.new, c.old_text, c.new_text, c.note) for c in state.history.list()]
    found += [repr(changes), *everything_about(app), *everything_about(lost), caplog.text]
    everything = "\n".join(found)
    assert len(everything) > 10_000 and "APP_HELD" in everything
    assert PLANTED not in everything and FIRST not in everything and SECOND not in everything


def test_the_database_has_no_secret_in_clear(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True, WAFFLE_SERIALIZER="json", WAFFLE_ENCRYPTION_KEYS=[FIRST])
    state_of(app).update_db({"STORED": planted(3), "SITENAME": "in clear"})
    with app.app_context():
        engine = app.waffle_db.engine  # type: ignore[attr-defined]
        content = Path(engine.url.database).read_bytes()
    assert b"in clear" in content and PLANTED.encode() not in content
    stored = state_of(app).read()["STORED"].text
    assert stored and PLANTED in Encryption([FIRST]).decrypt(stored)
