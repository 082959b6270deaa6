"""GET, PATCH and DELETE of settings."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, redirect
from flask_babel import Babel
from pages import change_can, state_of, stored

from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.files import FileValues

URL = "/admin/config/api/settings"
MakeApp = Callable[..., Flask]


def values(client: Any) -> dict[str, Any]:
    """The values that the API gives, by key."""
    settings = client.get(URL).json["settings"]
    return {key: facts["value"] for key, facts in settings.items() if "value" in facts}


# Reading


def test_there_is_no_api_unless_it_is_asked_for(make_app: MakeApp) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}})
    app.register_blueprint(WaffleAdmin())
    assert app.test_client().get(URL).status_code == 404


def test_all_settings_are_as_files_have_them(client: Any, app: Flask) -> None:
    state_of(app).update_db({"TIMEOUT": timedelta(hours=2)})
    assert values(client) == {
        "SITENAME": "Waffle",
        "PAGE_SIZE": 20,
        "THEME": "light",
        "HOURS": {"mon": [9, 18]},
        "TIMEOUT": "2 h",
        "REGION": "eu",
    }


def test_one_setting_says_what_is_known_of_it(client: Any, app: Flask) -> None:
    state_of(app).update_db({"PAGE_SIZE": 30})
    answer = client.get(f"{URL}/PAGE_SIZE")
    assert answer.content_type == "application/json"
    assert answer.json == {
        "key": "PAGE_SIZE",
        "label": "Page size",
        "help": "",
        "group": "Shop",
        "type": "int",
        "secret": False,
        "restart": False,
        "editable": True,
        "reason": "",
        "modified": True,
        "layer": "database",
        "problem": "",
        "value": 30,
        "default": 20,
    }
    assert answer.json == client.get(URL).json["settings"]["PAGE_SIZE"]


def test_a_value_that_no_file_can_hold_is_left_out(make_app: MakeApp) -> None:
    half = {"default": "\ud800", "choices": ["\ud800"], "desc": "Half \ud800"}
    app = make_app({"K": {"default": {}}, "HALF": half})
    app.register_blueprint(WaffleAdmin(api=True))
    state_of(app).update_db({"K": {1: 2}})
    settings = app.test_client().get(URL).json["settings"]
    assert "value" not in settings["K"] and "No file can hold" in settings["K"]["problem"]
    assert settings["HALF"]["value"] == "\\ud800"  # its text
    assert settings["HALF"]["label"] == "Half \ud800"


@pytest.mark.parametrize("path", ["", "/SITENAME"])
def test_head_and_options_are_answered(client: Any, path: str) -> None:
    get, head = client.get(URL + path), client.head(URL + path)
    assert (head.status_code, head.data) == (200, b"") and dict(head.headers) == dict(get.headers)
    options = client.options(URL + path)
    assert (options.status_code, options.data) == (204, b"")
    assert set(options.headers["Allow"].split(", ")) >= {"GET", "HEAD", "PATCH", "OPTIONS"}
    refused = client.put(URL + path, json={})
    assert (refused.status_code, refused.headers["Allow"]) == (405, options.headers["Allow"])
    assert refused.content_type == "application/problem+json"


def test_no_answer_is_stored_by_caches(client: Any) -> None:
    for answer in (client.get(URL), client.patch(URL, json={}), client.get(f"{URL}/NOPE")):
        assert answer.headers["Cache-Control"] == "no-store"


# Changing


def test_a_patch_changes_and_resets_settings_at_once(client: Any, app: Flask) -> None:
    state_of(app).update_db({"HOURS": {}, "THEME": "dark"})
    answer = client.patch(
        URL,
        json={
            "settings": {"PAGE_SIZE": 30, "TIMEOUT": "2 h", "THEME": "dark"},
            "reset": ["HOURS"],
            "note": "spring",
        },
    )
    assert answer.status_code == 200
    assert sorted(answer.json["written"]) == ["HOURS", "PAGE_SIZE", "TIMEOUT"]
    assert answer.json["settings"]["TIMEOUT"]["value"] == "2 h"
    assert app.config["TIMEOUT"] == timedelta(hours=2)
    assert stored(app)["HOURS"] == {"mon": [9, 18]}
    changes = state_of(app).history.of(answer.json["change_set"])
    assert {(c.actor, c.note, c.source) for c in changes} == {("ana", "spring", "api")}


def test_one_setting_is_changed_and_reset(client: Any, app: Flask) -> None:
    answer = client.patch(f"{URL}/SITENAME", json={"value": "Crêperie", "note": "moved"})
    assert answer.json["settings"]["SITENAME"]["value"] == stored(app)["SITENAME"] == "Crêperie"
    again = client.patch(f"{URL}/SITENAME", json={"value": "Crêperie"})
    assert (again.status_code, again.json["written"], again.json["change_set"]) == (200, [], None)
    reset = client.delete(f"{URL}/SITENAME?note=back")
    assert reset.json["written"] == ["SITENAME"] and stored(app)["SITENAME"] == "Waffle"
    assert reset.json["settings"]["SITENAME"]["layer"] == "default"
    assert [c.note for c in state_of(app).history.list("SITENAME")] == ["back", "moved"]


def test_all_that_is_wrong_is_named_and_nothing_is_saved(client: Any, app: Flask) -> None:
    sent = {"PAGE_SIZE": 500, "THEME": "pink", "TIMEOUT": 5, "NOPE": 1, "SITENAME": "Bar"}
    answer = client.patch(URL, json={"settings": sent})
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json.keys() == {"title", "status", "detail", "errors"}
    assert answer.json["errors"] == {
        "THEME": "This is not one of the choices.",
        "TIMEOUT": "This must be a length of time, not int.",
        "NOPE": "There is no setting of that name.",
        "PAGE_SIZE": "At most 100.",
    }
    assert stored(app)["SITENAME"] == "Waffle"


def test_a_rule_across_settings_is_a_problem_of_its_keys(make_app: MakeApp) -> None:
    def validate(values: dict[str, Any]) -> dict[str, str]:
        return {values["BLAMED"]: "Not now."} if values["SITENAME"] == "Bar" else {}

    confs = {"SITENAME": {"default": "Waffle"}, "BLAMED": {"default": "SITENAME"}, "HIDDEN": {}}
    app = make_app({**confs, "HIDDEN": {"default": 1}}, validate=validate)
    app.register_blueprint(WaffleAdmin(can=lambda a, s: s.key != "HIDDEN", api=True))
    client = app.test_client()
    answer = client.patch(f"{URL}/SITENAME", json={"value": "Bar"})
    assert (answer.status_code, answer.json["errors"]) == (422, {"SITENAME": "Not now."})
    state_of(app).update_db({"BLAMED": "HIDDEN"})
    answer = client.patch(f"{URL}/SITENAME", json={"value": "Bar"})
    assert answer.status_code == 422 and "errors" not in answer.json
    assert "HIDDEN" not in answer.text and "not on this page" in answer.json["detail"]


@pytest.mark.parametrize("locale", ["en", "de", "es", "ar"])
def test_values_are_written_in_the_same_way_in_every_language(
    make_app: MakeApp, locale: str
) -> None:
    from every_type import CONFS

    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(api=True))
    with app.app_context():
        state = state_of(app)
        in_files = FileValues(app, state.settings)
        plain = {key: in_files.dump(key, conf["default"]) for key, conf in CONFS.items()}
    Babel(app, locale_selector=lambda: locale)
    client = app.test_client()
    assert json.dumps(values(client)) == json.dumps(plain)
    answer = client.patch(URL, json={"settings": plain})
    assert answer.status_code == 200, answer.json
    assert json.dumps(values(client)) == json.dumps(plain)


def test_the_environment_wins(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_SIZE", "30")
    monkeypatch.setenv("SHOP_TOKEN", "needle")
    confs = {"SIZE": {"default": 20}, "TOKEN": {"default": "", "secret": True}}
    app = make_app(confs, WAFFLE_ENV_PREFIX="SHOP_")
    app.register_blueprint(WaffleAdmin(api=True))
    client = app.test_client()
    facts = client.get(f"{URL}/SIZE").json
    assert (facts["value"], facts["layer"], facts["editable"]) == (30, "environment", False)
    assert "SHOP_SIZE" in facts["reason"]
    refused = client.patch(f"{URL}/SIZE", json={"value": 40})
    assert (refused.status_code, refused.json["errors"]) == (422, {"SIZE": facts["reason"]})
    accepted = client.patch(f"{URL}/SIZE", json={"value": 30})
    assert (accepted.status_code, accepted.json["written"]) == (200, [])
    right, wrong = (client.patch(f"{URL}/TOKEN", json={"value": v}) for v in ("needle", "noodle"))
    assert (right.status_code, right.data) == (422, wrong.data)


# Permissions


def test_a_setting_that_may_not_be_viewed_is_not_there(client: Any, app: Flask) -> None:
    change_can(app, lambda action, setting: setting.key != "SITENAME")
    assert "SITENAME" not in client.get(URL).text
    for method, json_ in (("get", None), ("patch", {"value": "x"}), ("delete", None)):
        hidden, unknown = (
            client.open(f"{URL}/{key}", method=method, json=json_) for key in ("SITENAME", "NOPE")
        )
        assert (hidden.status_code, hidden.data) == (404, unknown.data)
    answer = client.patch(URL, json={"settings": {"SITENAME": "x", "NOPE": "x"}})
    assert (answer.status_code, len({*answer.json["errors"].values()})) == (422, 1)
    assert stored(app)["SITENAME"] == "Waffle"


def test_a_read_only_setting_is_refused_whoever_asks(client: Any, app: Flask) -> None:
    for answer in (
        client.patch(URL, json={"settings": {"REGION": "us"}}),
        client.patch(f"{URL}/REGION", json={"value": "us"}),
        client.delete(f"{URL}/REGION"),
    ):
        assert answer.status_code == 403
        assert answer.json["errors"] == {"REGION": "This setting is read-only."}
    assert stored(app)["REGION"] == "eu"


def test_what_may_not_be_edited_is_refused(client: Any, app: Flask) -> None:
    change_can(app, lambda action, setting: action != "edit" or setting.key == "PAGE_SIZE")
    sent = {"settings": {"PAGE_SIZE": 30, "REGION": "us"}, "reset": ["SITENAME"]}
    answer = client.patch(URL, json=sent)
    assert answer.status_code == 403
    assert answer.json["errors"] == {
        "REGION": "This setting is read-only.",
        "SITENAME": "You may not change it.",
    }
    assert client.delete(f"{URL}/SITENAME").status_code == 403
    assert stored(app)["PAGE_SIZE"] == 20
    editable = {key for key, s in client.get(URL).json["settings"].items() if s["editable"]}
    assert editable == {"PAGE_SIZE"}


def nobody(action: str, setting: Any) -> Any:
    return False


def log_in(action: str, setting: Any) -> Any:
    from flask import abort

    abort(redirect("/login"))


def need_token(action: str, setting: Any) -> Any:
    from flask import abort
    from werkzeug.datastructures import WWWAuthenticate

    abort(401, www_authenticate=WWWAuthenticate("bearer"))


@pytest.mark.parametrize(
    ("can", "status"), [(nobody, 403), (log_in, 403), (need_token, 401), (None, 403)]
)
def test_who_may_see_nothing_gets_a_problem(client: Any, app: Flask, can: Any, status: int) -> None:
    app.testing = can is not None
    change_can(app, can)
    for path in ("settings", "settings/SITENAME", "history", "openapi.json"):
        answer = client.get(f"/admin/config/api/{path}")
        assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
        assert (answer.headers.get("WWW-Authenticate") == "Bearer") is (status == 401)
    assert client.patch(URL, data=b"?" * 100).status_code == status
    assert ("WAFFLE_CAN" in answer.text) is (can is None)


def test_an_api_of_groups_knows_no_other_settings(make_app: MakeApp) -> None:
    confs = {"OPEN": {"default": True, "group": "Shop"}, "SITENAME": {"default": "Waffle"}}
    app = make_app(confs)
    app.register_blueprint(WaffleAdmin("shop", groups=["Shop"], api=True), url_prefix="/shop")
    app.register_blueprint(WaffleAdmin("rest", groups=[""], api=True), url_prefix="/rest")
    client = app.test_client()
    assert list(client.get("/shop/api/settings").json["settings"]) == ["OPEN"]
    assert list(client.get("/rest/api/settings").json["settings"]) == ["SITENAME"]
    assert client.patch("/shop/api/settings/SITENAME", json={"value": "x"}).status_code == 404


# The database


@pytest.mark.parametrize("method", ["read", "save"])
def test_a_database_that_is_down_is_a_problem(
    client: Any, app: Flask, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:
        raise StoreError("no route to db.internal")

    monkeypatch.setattr(state_of(app), method, fail)
    for answer in (client.get(URL), client.patch(URL, json={"settings": {"PAGE_SIZE": 1}})):
        if answer.status_code != 200:
            assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
            assert answer.content_type == "application/problem+json"
            assert "db.internal" not in answer.text
    assert answer.status_code == 503


def test_rules_that_fail_are_a_problem_of_no_setting(make_app: MakeApp) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}}, validate=lambda values: {}["gone"])
    app.register_blueprint(WaffleAdmin(api=True))
    answer = app.test_client().patch(f"{URL}/SITENAME", json={"value": "New"})
    assert answer.status_code == 422 and "errors" not in answer.json
    assert "rules across settings could not be checked" in answer.json["detail"]
