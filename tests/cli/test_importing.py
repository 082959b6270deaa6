"""`import`: files as the truth, without fighting people."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from commands import CONFS, Run, history, stored
from flask import Flask
from pages import sent

from waffleconf_admin import WaffleAdmin

Import = Callable[..., Result]


@pytest.fixture
def apply(run: Run, tmp_path: Path) -> Import:
    """A function that imports settings with options."""

    def apply(settings: dict[str, object], *options: str) -> Result:
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({"waffleconf": 1, "settings": settings}))
        return run("import", str(path), *options)

    return apply


def test_import_shows_what_it_would_do(apply: Import, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"OPEN": True, "OFFSET": 3})
    result = apply({"SITENAME": "Bar", "OFFSET": 3}, "--prune")
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "set    SITENAME  Waffle -> Bar",
        "reset  OPEN      true -> false",
    ]
    assert "2 settings to change, 1 as in the file, 0 drifted." in result.stderr
    assert stored(app) == {"OPEN": True, "OFFSET": 3}


def test_import_apply_saves_it(apply: Import, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"OPEN": True, "OFFSET": 3})
    result = apply({"SITENAME": "Bar"}, "--prune", "--apply", "--actor", "deploy", "--note", "v2")
    assert result.exit_code == 0
    assert stored(app) == {"SITENAME": "Bar"}
    assert app.config["SITENAME"] == "Bar"
    changes = app.extensions["waffleconf"].history.list(source="import")
    assert {(c.key, c.actor, c.note) for c in changes} == {
        (key, "deploy", "v2") for key in ("SITENAME", "OPEN", "OFFSET")
    }
    assert len({change.change_set for change in changes}) == 1


def test_import_is_idempotent(apply: Import, app: Flask) -> None:
    settings: dict[str, object] = {
        "SITENAME": "Bar",
        "RATIO": 2,
        "TOKEN": "hunter2",
        "PAGE_SIZE": 10,
    }
    assert apply(settings, "--apply").exit_code == 0
    before = history(app)
    for options in ([], ["--apply"], ["--apply", "--prune"]):
        result = apply(settings, *options)
        assert result.exit_code == 0
    assert history(app) == before and "PAGE_SIZE" not in stored(app)


def test_a_read_only_setting_is_imported(apply: Import, app: Flask) -> None:
    assert apply({"REGION": "us"}, "--apply").exit_code == 0
    assert stored(app) == {"REGION": "us"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"SITENAME": "Bar", "PAGE_SIZE": 99}, "PAGE_SIZE: At most 50."),
        ({"SITENAME": "Bar", "OFFSET": 7}, "OFFSET: Not seven."),
        (
            {"SITENAME": "Bar", "PAGE_SIZE": True},
            "PAGE_SIZE: This must be a whole number, not bool",
        ),
    ],
)
@pytest.mark.parametrize("options", [[], ["--apply"]])
def test_import_saves_all_or_nothing_and_says_so_beforehand(
    make_app: Callable[..., Flask], settings: dict[str, Any], message: str, options: list[str]
) -> None:
    def validate(values: dict[str, object]) -> dict[str, str]:
        return {"OFFSET": "Not seven."} if values["OFFSET"] == 7 else {}

    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False, validate=validate)
    document = json.dumps({"waffleconf": 1, "settings": settings})
    args = ["waffle", "import", "-", *options]
    result = app.test_cli_runner().invoke(args=args, input=document)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert stored(app) == {}


def test_prune_lists_what_it_never_resets(apply: Import, app: Flask) -> None:
    kept = {"TOKEN": "hunter2", "REGION": "us", "OFFSET": 1.5}
    app.extensions["waffleconf"].update_db(kept)
    result = apply({}, "--prune", "--apply", "--take-over", "--all")
    assert result.exit_code == 0 and stored(app) == kept
    assert result.stdout.splitlines() == [
        "leave  OFFSET  1.5 (no file can hold its value)",
        "leave  REGION  us (it is read-only)",
        "leave  TOKEN   <secret, set> (it is a secret, which no file needs to name)",
    ]


# Drift


def test_what_a_person_changed_is_left_alone_and_named(apply: Import, app: Flask) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Pub", "OPEN": True}, source="page", actor="ana")
    at = f"{state.history.list()[0].at:%Y-%m-%d %H:%M:%S} UTC"
    for options in ([], ["--apply"]):
        result = apply({"SITENAME": "Bar"}, "--prune", *options)
        assert result.exit_code == 2
        assert result.stdout.splitlines() == [
            f"leave  SITENAME  Pub, not Bar (drifted: ana, page, {at})",
            f"leave  OPEN      true, not false (drifted: ana, page, {at})",
        ]
        assert "2 drifted." in result.stderr
        assert stored(app) == {"SITENAME": "Pub", "OPEN": True}


@pytest.mark.parametrize(
    ("options", "after"),
    [
        (["--take-over", "SITENAME"], {"SITENAME": "Bar", "PAGE_SIZE": 20, "OPEN": True}),
        (["--take-over", "OPEN"], {"SITENAME": "Pub", "PAGE_SIZE": 20}),
        (["--take-over", "SITENAME", "--take-over", "OPEN"], {"SITENAME": "Bar", "PAGE_SIZE": 20}),
        (["--take-over", "--all"], {"SITENAME": "Bar", "PAGE_SIZE": 20}),
    ],
)
def test_what_is_taken_over_is_written(
    apply: Import, app: Flask, options: list[str], after: dict[str, object]
) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Pub", "OPEN": True}, source="page", actor="ana")
    result = apply({"SITENAME": "Bar", "PAGE_SIZE": 20}, "--prune", "--apply", *options)
    assert stored(app) == after
    assert result.exit_code == (2 if "leave" in result.stdout else 0)


@pytest.mark.parametrize("options", [["--take-over"], ["--all"]])
def test_taking_over_names_settings_or_all(apply: Import, options: list[str]) -> None:
    result = apply({}, *options)
    assert result.exit_code == 1 and "write a KEY, or --all" in result.stderr


def test_taking_over_an_unknown_setting_is_an_error(apply: Import) -> None:
    result = apply({}, "--take-over", "SITENAM")
    assert result.exit_code == 1 and "Did you mean SITENAME?" in result.stderr


def test_a_deployment_does_not_fight_people(apply: Import, app: Flask) -> None:
    """The file is applied by each deployment; people change settings in between."""
    app.register_blueprint(WaffleAdmin("page", actor=lambda: "ana"))
    client = app.test_client()

    def on_the_page(**typed: str) -> None:
        data = sent(client.get("/admin/config").text) | typed
        assert client.post("/admin/config", data=data).status_code == 303

    # The first deployment, and the same once more.
    assert apply({"SITENAME": "Bar", "PAGE_SIZE": 20}, "--apply").exit_code == 0
    assert apply({"SITENAME": "Bar", "PAGE_SIZE": 20}, "--apply").exit_code == 0

    # The file is changed, and a person changes another setting on the page.
    on_the_page(PAGE_SIZE="30", THEME="dark")
    result = apply({"SITENAME": "Pub", "PAGE_SIZE": 25}, "--apply", "--prune")
    assert result.exit_code == 2
    assert "leave  PAGE_SIZE  30, not 25 (drifted: ana, page, " in result.stdout
    assert "leave  THEME      dark, not light (drifted: ana, page, " in result.stdout
    assert stored(app) == {"SITENAME": "Pub", "PAGE_SIZE": 30, "THEME": "dark"}

    # The file is applied again: the same.
    again = apply({"SITENAME": "Pub", "PAGE_SIZE": 25}, "--apply", "--prune")
    assert (again.exit_code, stored(app)["PAGE_SIZE"]) == (2, 30)

    # What the person chose goes into the file: nothing has drifted any more.
    settings: dict[str, object] = {"SITENAME": "Pub", "PAGE_SIZE": 30, "THEME": "dark"}
    assert apply(settings, "--apply", "--prune").exit_code == 0

    # But the person has still changed it last, until the file takes it over.
    assert apply(settings | {"PAGE_SIZE": 35}, "--apply").exit_code == 2
    assert apply(settings | {"PAGE_SIZE": 35}, "--apply", "--take-over", "PAGE_SIZE").exit_code == 0
    assert apply(settings | {"PAGE_SIZE": 36}, "--apply", "--prune").exit_code == 0
    assert stored(app)["PAGE_SIZE"] == 36
