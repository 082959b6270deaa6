"""`check`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import CONFS, Run
from cryptography.fernet import Fernet
from flask import Flask
from states import away
from wtforms.validators import DataRequired, NumberRange, ValidationError

from waffleconf_admin.cli import check
from waffleconf_admin.state.state import State

CHECKS = [
    "database", "declarations", "environment", "settings page", "stored values", "encryption",
    "undeclared rows", "watcher",
]  # fmt: skip
FINE = "".join(f"{check}: ok\n" for check in CHECKS)


def invoke(app: Flask, *args: str) -> Any:
    return app.test_cli_runner().invoke(args=["waffle", "check", *args])


def test_nothing_is_wrong_with_a_new_app(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Bar", "TOKEN": "hunter2"})
    result = run("check", "--strict")
    assert (result.exit_code, result.stdout) == (0, FINE)


def test_a_history_whose_table_is_missing_is_an_error(make_app: Callable[..., Flask]) -> None:
    make_app(CONFS)
    result = invoke(make_app(CONFS, create=False, history=True))
    assert "database: 1 error\n  error    the history: A table" in result.stdout
    assert result.exit_code == 1


def test_missing_tables_are_said_once_and_all_else_is_checked(
    make_app: Callable[..., Flask],
) -> None:
    result = invoke(make_app(CONFS, create=False, history=True))
    assert result.stdout.startswith("database: 1 error\n  error    A table of the settings")
    assert (result.stdout.count("A table"), result.exit_code) == (1, 1)
    for line in ("declarations: ok", "stored values: not checked", "undeclared rows: not checked"):
        assert line in result.stdout


def test_a_cause_is_said_once_and_what_else_a_check_has_found_is_said(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of the history is missing, which the database and encryption both meet."""
    make_app(CONFS)
    key = Fernet.generate_key().decode()
    app = make_app(CONFS, create=False, history=True, WAFFLE_ENCRYPTION_KEYS=[key])
    output = invoke(app).stdout
    assert output.count("A table") == 1 and "the history: A table" in output
    assert "stored values: ok\nencryption: not checked\n" in output

    def encryption(state: State) -> Iterator[check.Finding]:
        yield check.Finding("warning", "TOKEN", "It is not encrypted.")
        yield from check._encryption(state)

    monkeypatch.setitem(check._CHECKS, "encryption", encryption)
    output = invoke(app).stdout
    assert "encryption: 1 warning\n  warning  TOKEN  It is not encrypted.\nund" in output
    assert output.count("A table") == 1


def test_a_database_that_is_away_is_said_once(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(CONFS, WAFFLE_MULTIPROC=True)
    monkeypatch.setattr(check, "PATIENCE", 0.0)
    for name in ("read", "read_fresh", "read_promptly"):
        monkeypatch.setattr(app.extensions["waffleconf"].configstore, name, away)
    output = invoke(app).stdout
    assert output.startswith("database: 1 error\n  error    the database is away\n")
    assert output.count("is away") == 1 and output.endswith("watcher: not checked\n")


def test_a_save_that_could_not_go_back_is_an_error(make_app: Callable[..., Flask]) -> None:
    app = make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)
    state = app.extensions["waffleconf"]
    state.update_db({"PAGE_SIZE": 40})
    state.update_db({"PAGE_SIZE": 50}, until=datetime.now(UTC) + timedelta(minutes=10))
    app.config["WAFFLE_CONFS"] = CONFS | {"PAGE_SIZE": {"default": 50, "min": 45}}
    state.configstore.clock = lambda: time.time() + 660
    state.update_conf()
    result = invoke(app)
    assert result.stdout.startswith(
        "database: 1 error\n"
        "  error  PAGE_SIZE  it should have gone back, which was refused: flask waffle ends\n"
    )
    assert result.exit_code == 1 and "watcher: ok" in result.stdout


def fails() -> list[str]:
    raise OSError("hunter2")


@pytest.mark.parametrize(
    ("declared", "line", "code"),
    [
        ({"default": "", "validators": [DataRequired("Name it.")]}, "warning  K  its default", 0),
        ({"default": "", "choices": fails}, "error  K  its choices can't be listed: OSError", 1),
        ({"default": "z", "choices": lambda: ["a"]}, "warning  K  its default is refused", 0),
    ],
)
def test_declarations_are_checked_with_the_functions_of_the_app(
    make_app: Callable[..., Flask], declared: dict[str, Any], line: str, code: int
) -> None:
    result = invoke(make_app({"K": declared}, WAFFLE_STORE_DEFAULTS=False))
    assert line in result.stdout and result.exit_code == code
    assert "hunter2" not in result.output
    assert invoke(make_app({"K": declared}), "--strict").exit_code == 1


@pytest.mark.parametrize(
    ("later", "line", "code"),
    [
        ({"default": 1, "type": bytes}, "error  PAGE_SIZE  the default is used: ", 1),
        ({"default": "1", "type": str}, "warning  PAGE_SIZE  a converted value is used: ", 0),
        ({"default": 1, "max": 30}, "error  PAGE_SIZE  it is used all the same: At most 30.", 1),
        (
            {"default": 1, "validators": [NumberRange(max=30, message="No.")]},
            "error  PAGE_SIZE  it is used all the same: No.",
            1,
        ),
    ],
)
def test_stored_values_are_checked_against_what_is_declared_now(
    run: Run, app: Flask, later: dict[str, Any], line: str, code: int
) -> None:
    app.extensions["waffleconf"].update_db({"PAGE_SIZE": 40})
    if later["default"] == 1 and later.get("type") is bytes:
        later = {"default": b"", "type": bytes}
    app.config["WAFFLE_CONFS"] = CONFS | {"PAGE_SIZE": later}
    result = run("check")
    assert line in result.stdout and result.exit_code == code


def test_a_row_that_cannot_be_decoded_is_an_error(run: Run, app: Flask) -> None:
    with app.app_context():
        model, db = app.waffle_model, app.waffle_db  # type: ignore[attr-defined]
        db.session.add(model(key="SITENAME", value="not a pickle"))
        db.session.commit()
    result = run("check")
    assert result.exit_code == 1
    assert "stored values: 1 error\n  error  SITENAME  the default is used: " in result.stdout


@pytest.mark.parametrize("error", [ValueError, ValidationError])
def test_what_is_wrong_with_a_secret_is_not_quoted(
    run: Run, app: Flask, error: type[Exception]
) -> None:
    app.extensions["waffleconf"].update_db({"TOKEN": "hunter2"})

    def refuse(form: object, field: Any) -> None:
        raise error(f"{field.data} is wrong")

    later = {"default": "", "secret": True, "validators": [refuse]}
    app.config["WAFFLE_CONFS"] = CONFS | {"TOKEN": later}
    result = run("check")
    assert result.exit_code == 1 and "error  TOKEN" in result.stdout
    assert "hunter2" not in result.output


def test_a_row_that_nobody_declares_is_a_warning(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Bar"})
    app.config["WAFFLE_CONFS"] = {"PAGE_SIZE": CONFS["PAGE_SIZE"]}
    result = run("check")
    assert result.exit_code == 0
    assert "warning  SITENAME  to delete it: flask waffle prune SITENAME" in result.stdout
    assert run("check", "--strict").exit_code == 1


def test_a_misspelt_variable_is_a_warning(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SHOP_PAGE_SIZ", "SHOP_DATABASE", "SHOP_SITENAME", "PAGE_SIZ"):
        monkeypatch.setenv(name, "7")
    result = invoke(make_app(CONFS, WAFFLE_ENV_PREFIX="SHOP_"))
    said = "warning  PAGE_SIZE  SHOP_PAGE_SIZ holds no setting: is SHOP_PAGE_SIZE meant?"
    assert f"environment: 1 warning\n  {said}" in result.stdout and result.exit_code == 0
    assert "environment: ok" in invoke(make_app(CONFS)).stdout  # no prefix, so no variable is ours


def test_a_watcher_that_works_is_fine(make_app: Callable[..., Flask]) -> None:
    result = invoke(make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_STORE_DEFAULTS=False))
    assert (result.exit_code, result.stdout) == (0, FINE)


def test_a_watcher_that_does_not_work_is_an_error(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_app(
        CONFS,
        WAFFLE_MULTIPROC=True,
        WAFFLE_WATCHTYPE="redis",
        WAFFLE_REDIS_URL="redis://127.0.0.1:1/0",
    )
    result = invoke(app)
    assert result.exit_code == 1
    assert "watcher: 1 error" in result.stdout and "127.0.0.1:1" in result.stdout


def test_what_is_wrong_with_the_watch_file_is_said_once(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    folder = str(tmp_path / "folder")
    result = invoke(make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCHER_FILE=folder))
    assert result.stdout.count("not a regular file") == 1 and folder in result.stdout
