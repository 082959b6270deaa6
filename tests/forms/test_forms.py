"""The form of settings: its fields, their names, and how it is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wtforms
from flask import Flask, session
from submissions import CONFS, Page, posted, sent, store, stored
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.forms.submission import ControlNames
from waffleconf_admin.state.form import build_form


def test_a_form_is_one_of_wtforms_with_a_field_for_each_setting(app: Flask) -> None:
    form = Page(app).form
    assert isinstance(form, BaseForm)
    assert [field.setting.key for field in form] == list(CONFS)
    assert len(form) == len(CONFS)
    assert "NAME" in form
    assert "NOBODY" not in form
    assert form["NAME"].name == "NAME"
    assert form.data["NAME"] == "Waffle"
    with pytest.raises(KeyError):
        form["NOBODY"]


def test_controls_and_reasons(app: Flask) -> None:
    form = Page(app, editable=lambda setting: setting.key != "RATE").form
    assert {field.setting.key: field.control for field in form} == {
        "NAME": "text", "SIZE": "number", "OPEN": "checkbox", "RATE": "static", "THEME": "radio",
        "TEXT": "textarea", "HOURS": "json", "TOKEN": "secret", "NOTE": "text",
        "FIXED": "static", "PAIR": "static",
    }  # fmt: skip
    assert {field.setting.key: field.reason for field in form if not field.editable} == {
        "RATE": "You may see this setting, not change it.",
        "FIXED": "This setting is read-only.",
        "PAIR": "It can only be changed in code: "
        "this page has no control for values of type complex.",
    }
    assert form["RATE"].value_text == "1.5"


def test_a_field_knows_its_default_and_whether_it_differs(app: Flask) -> None:
    store(app, SIZE=20, OPEN=False)
    form = Page(app).form
    assert {f.setting.key for f in form if f.differs} == {"SIZE", "OPEN"}
    assert (form["SIZE"].value_text, form["SIZE"].default_text) == ("20", "10")
    assert (form["OPEN"].value_text, form["OPEN"].default_text) == ("Off", "On")
    assert form["SIZE"].record.text is not None


def test_some_keys_of_all(app: Flask) -> None:
    page = Page(app, keys=["SIZE", "NAME"])
    assert [field.setting.key for field in page.form] == ["SIZE", "NAME"]
    assert not page.send(SIZE="11", RATE="2").errors
    assert (stored(app)["SIZE"], stored(app)["RATE"]) == (11, 1.5)
    assert [field.setting.key for field in Page(app, keys="SIZE").form] == ["SIZE"]
    with app.test_request_context(), pytest.raises(InvalidValue, match="no setting"):
        build_form(app.extensions["waffleconf"], keys=["NOBODY"])


def test_records_that_were_read_already_are_used(app: Flask) -> None:
    state = app.extensions["waffleconf"]
    records = state.read()
    store(app, NAME="New")
    with app.test_request_context():
        assert build_form(state, records=records)["NAME"].data == "Waffle"


RESERVED = ["data", "errors", "validate", "process", "populate_obj", "meta", "changes"]
TOKENS = ["csrf_token", "csrf_token_", "waffle_token"]
PREFIXED = ["waffle.do", "waffle.", "setting.waffle.do", "setting.setting.waffle.do", "setting."]


@pytest.mark.parametrize("csrf", [True, False])
def test_settings_may_have_the_names_that_a_form_uses_itself(
    make_app: Callable[..., Flask], csrf: bool
) -> None:
    keys = RESERVED + TOKENS + PREFIXED
    app = make_app({key: {"default": "old"} for key in keys}, WTF_CSRF_ENABLED=csrf)
    client = app.test_client()

    @app.route("/", methods=["GET", "POST"])
    def index() -> str:
        form = build_form(app.extensions["waffleconf"])
        if form.is_submitted():
            assert form.validate(), form.errors
            app.extensions["waffleconf"].update_db(form.changes)
        return str(form.hidden_tag()) + "".join(str(field()) for field in form)

    fields = MultiDict(sent(client.get("/").text))
    assert len(fields) == len(keys) + 1 + csrf
    for name in fields:
        if fields[name] == "old":
            fields[name] = f"new {name}"
    assert client.post("/", data=fields).status_code == 200
    new = stored(app)
    assert all(value.startswith("new ") for value in new.values())
    assert new["data"] == "new data"
    assert len(set(new.values())) == len(keys)


def test_only_the_name_of_its_control_sends_something_for_a_setting(app: Flask) -> None:
    names = ("SITENAME", "setting.SITENAME", "waffle.note", "setting.waffle.note", "waffle_token")
    with app.app_context():
        found = ControlNames().by_key(MultiDict((name, name) for name in names))
    assert found == {"SITENAME": ["SITENAME"], "waffle.note": ["setting.waffle.note"]}


def test_fields_may_be_added_for_a_type_without_changing_others(app: Flask) -> None:
    class Pair(wtforms.Field):
        widget = wtforms.widgets.TextInput()

        def _value(self) -> str:
            return f"{self.data.real:g},{self.data.imag:g}"

        def process_formdata(self, valuelist: list[str]) -> None:
            self.data = complex(*map(float, valuelist[0].split(",")))

    page = Page(app, fields={complex: Pair})
    assert page.form["PAIR"].control == "custom"
    assert not page.send().changes
    assert list(page.send(PAIR="x").errors) == ["PAIR"]
    assert Page(app, fields={complex: Pair}).send(PAIR="3,4").changes == {"PAIR": 3 + 4j}
    assert Page(app).form["PAIR"].control == "static"


def test_a_get_is_no_submission(app: Flask) -> None:
    with app.test_request_context("/?NAME=x"):
        form = build_form(app.extensions["waffleconf"])
        assert not form.is_submitted()
        assert not form.validate_on_submit()
        assert form["NAME"].data == "Waffle"


def test_form_data_may_be_given(app: Flask) -> None:
    with app.test_request_context():
        form = build_form(app.extensions["waffleconf"], formdata=MultiDict({"SIZE": "11"}))
        assert form.validate()
        assert form.changes == {"SIZE": 11}
    with posted(app, {"SIZE": "11"}, formdata=None) as form:
        assert not form.is_submitted()


def test_a_form_works_without_a_request(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    form = build_form(app.extensions["waffleconf"], formdata=MultiDict({"SIZE": "0"}))
    assert not form.validate()
    assert form.errors == {"SIZE": ["At least 1."]}


def test_csrf_without_a_secret_key_is_an_error_that_names_it(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app(CONFS, SECRET_KEY=None, WTF_CSRF_ENABLED=True)
    with app.test_request_context(), pytest.raises(RuntimeError, match="SECRET_KEY"):
        build_form(app.extensions["waffleconf"])


@pytest.mark.parametrize("name", ["csrf_token", "my_token"])
def test_csrf_is_checked_as_flask_wtf_does_it(make_app: Callable[..., Flask], name: str) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True, WTF_CSRF_FIELD_NAME=name)
    state = app.extensions["waffleconf"]
    with app.test_request_context():
        token = dict(sent(str(build_form(state).hidden_tag())))[name]
        kept = dict(session)
    for data, fine in (({name: token}, True), ({}, False), ({name: token[:-1]}, False)):
        with app.test_request_context(method="POST", data={"SIZE": "11", **data}):
            session.update(kept)
            form = build_form(state)
            assert form.validate() is fine
            assert bool(form.form_errors) is not fine
            assert form["SIZE"]._value() == "11"
            assert name in str(form.hidden_tag())


PAGE = "/admin/config"


def test_5000_settings_open_and_save_at_flasks_limits(make_app: Callable[..., Flask]) -> None:
    app = make_app({f"KEY_{number}": {"default": f"value {number}"} for number in range(5000)})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    data = MultiDict(sent(client.get(PAGE).text))
    assert len(data) > 5000
    data["KEY_4999"] = "new"
    assert client.post(PAGE, data=data).status_code == 303
    values = app.extensions["waffleconf"].parse_conf()
    assert [key for key in values if not values[key].startswith("value")] == ["KEY_4999"]


def test_a_secret_that_is_typed_after_a_reset_is_written_though_it_is_the_default(
    app: Flask,
) -> None:
    store(app, TOKEN="s3cret")
    data = Page(app).fields.copy()
    data["TOKEN"] = "hunter2"
    with posted(app, data) as form:
        form.keep_reset("TOKEN")
        assert form.validate()
        assert (form.changes, form.is_reset("TOKEN")) == ({"TOKEN": "hunter2"}, False)


def test_a_script_may_reset_what_no_page_has_shown(app: Flask) -> None:
    store(app, SIZE=20)
    with posted(app, {"NAME": "x"}) as form:
        form.reset("SIZE")
        assert form.validate()
        assert form.changes == {"NAME": "x", "SIZE": 10}


def test_what_is_decided_after_a_check_counts_at_the_next(app: Flask) -> None:
    with posted(app, {"SIZE": "11"}) as form:
        assert form.validate()
        form.keep_conflict("SIZE")
        assert not form.validate()
        assert (form.changes, form.conflicts) == ({}, ["SIZE"])


def test_who_changes_what_a_reset_shows_changes_no_default(app: Flask) -> None:
    store(app, HOURS={})
    with posted(app, {"NAME": "x"}) as form:
        form.reset("HOURS")
        form["HOURS"].data["mon"].append(24)
        assert form["HOURS"].setting.default == CONFS["HOURS"]["default"] == {"mon": [9, 18]}


def test_whether_a_setting_may_be_edited_is_asked_once(app: Flask) -> None:
    asked: list[str] = []

    def editable(setting: Any) -> bool:
        asked.append(setting.key)
        return False

    with posted(app, {"SIZE": "11"}, editable=editable) as form:
        form.validate()
        str(form.hidden_tag())
        assert len(asked) == len(set(asked)) > 1
