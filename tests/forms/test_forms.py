"""The form of settings: what is shown, what a submission changes, and how values are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import wtforms
from flask import Flask, session
from submissions import CONFS, Page, sent
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, Optional, Regexp

from waffleconf_admin.exceptions import ConflictError, InvalidValue
from waffleconf_admin.fields import TextField
from waffleconf_admin.forms import SettingsForm, show_text
from waffleconf_admin.forms.merge import Seal
from waffleconf_admin.settings.setting import Setting
from waffleconf_admin.state.form import build_form, check_values, parse_text

EDITABLE = ["NAME", "SIZE", "OPEN", "RATE", "THEME", "TEXT", "HOURS", "TOKEN", "NOTE"]


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(CONFS)


@contextmanager
def posted(app: Flask, data: Any, **options: Any) -> Iterator[SettingsForm]:
    with app.test_request_context(method="POST", data=data):
        yield build_form(app.extensions["waffleconf"], **options)


def stored(app: Flask) -> dict[str, Any]:
    return {key: r.value for key, r in app.extensions["waffleconf"].read().items()}


def conf(app: Flask, **values: Any) -> None:
    app.extensions["waffleconf"].update_db(values)


# The form


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
        "PAIR": "It is changed from code: this page has no control for values of type complex.",
    }
    assert form["RATE"].shown_text == "1.5"


def test_a_field_knows_its_default_and_whether_it_differs(app: Flask) -> None:
    conf(app, SIZE=20, OPEN=False)
    form = Page(app).form
    assert {f.setting.key for f in form if f.differs} == {"SIZE", "OPEN"}
    assert (form["SIZE"].shown_text, form["SIZE"].default_text) == ("20", "10")
    assert (form["OPEN"].shown_text, form["OPEN"].default_text) == ("Off", "On")
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
    conf(app, NAME="New")
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
    assert page.send(PAIR="3,4").changes == {"PAIR": 3 + 4j}
    assert Page(app).form["PAIR"].control == "static"


# Submissions


def test_an_untouched_page_changes_nothing_and_makes_no_field(app: Flask) -> None:
    page = Page(app)
    assert "TEXT" in page.fields
    with posted(app, page.fields) as form:
        assert form.is_submitted()
        assert form.validate_on_submit()
        assert (form.changes, form.expected, form._fields.made) == ({}, {}, {})


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("NAME", "Crêperie", "Crêperie"),
        ("NAME", "", ""),
        ("SIZE", "20", 20),
        ("OPEN", "", False),
        ("RATE", "2", 2.0),
        ("THEME", "dark", "dark"),
        ("TEXT", "\r\nx\r\n", "\nx\n"),
        ("HOURS", '{"tue": null}', {"tue": None}),
        ("TOKEN", "correct horse", "correct horse"),
        ("NOTE", "x", "x"),
    ],
)
def test_what_is_typed_is_saved_and_nothing_else(
    app: Flask, key: str, text: str, value: Any
) -> None:
    before = stored(app)
    form = Page(app).send(**{key: text})
    assert form.changes == {key: value}
    if key == "TOKEN":  # a form has no need of a secret
        assert "hunter2" not in str(form.expected)
    else:
        assert form.expected == {key: before[key]}
    assert stored(app) == before | {key: value}


@pytest.mark.parametrize(
    ("key", "text"), [("SIZE", " 010 "), ("RATE", "1.50"), ("HOURS", '{"mon":[9,18]}')]
)
def test_another_way_to_write_the_same_value_is_no_change(app: Flask, key: str, text: str) -> None:
    assert Page(app).send(**{key: text}).changes == {}


@pytest.mark.parametrize("key", EDITABLE)
def test_an_absent_name_is_untouched_and_not_validated(app: Flask, key: str) -> None:
    form = Page(app).send((key,), **{"NAME" if key != "NAME" else "NOTE": "x"})
    assert key not in form.changes
    assert not form.errors


def test_untouched_values_are_not_validated(app: Flask) -> None:
    app.config["WAFFLE_CONFS"] = {**CONFS, "SIZE": {"default": 10}}
    conf(app, SIZE=1000)
    app.config["WAFFLE_CONFS"] = CONFS
    assert Page(app).send(NAME="x").changes == {"NAME": "x"}


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("key", ["FIXED", "PAIR", "RATE"])
def test_what_may_not_be_edited_is_never_taken(app: Flask, key: str, token: bool) -> None:
    page = Page(app, editable=lambda setting: setting.key != "RATE")
    form = page.send(() if token else ("waffle_token",), **{key: "5"})
    assert (form.changes, form.errors) == ({}, {})


def test_names_that_are_no_settings_are_nothing(app: Flask) -> None:
    assert Page(app).send(NOBODY="x", WAFFLE_TEMPLATE="x").changes == {}


@pytest.mark.parametrize(("sent", "value"), [(["", "on"], True), (["on", ""], False)])
def test_a_name_sent_twice_is_read_as_its_control_means_it(
    app: Flask, sent: list[str], value: bool
) -> None:
    conf(app, OPEN=not value)
    assert Page(app).send(OPEN=sent, NAME=["first", "second"]).changes == {
        "NAME": "first",
        "OPEN": value,
    }


class Stamped(TextField):
    def parse_some(self, text: str) -> str:
        return f"{text} (stamped)" if text else text


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        ("HOURS", '{"mon": [1e999]}', "A number in this is too large."),
        ("HOURS", f'{{"a": "{"x" * 2**21}"}}', "it is too large for this page"),
        ("STAMP", "x", "this page could not give its value back unchanged"),
    ],
)
def test_what_nobody_could_change_again_is_not_saved(
    make_app: Callable[..., Flask], key: str, text: str, why: str
) -> None:
    app = make_app({**CONFS, "STAMP": {"default": "", "field": Stamped}})
    before = stored(app)
    page = Page(app)
    form = page.send(**{key: text})
    (error,) = form.errors[key]
    assert why in error
    assert stored(app) == before
    assert page.form[key].editable


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


# Errors


def test_an_error_keeps_what_was_typed_and_writes_nothing(app: Flask) -> None:
    page = Page(app)
    before = stored(app)
    form = page.send(SIZE="1000", RATE="1,5", NAME="<new>", TEXT="x\r\ny", OPEN="")
    assert form.errors == {
        "SIZE": ["At most 100."],
        "RATE": ["Write a point before the decimals and nothing else, such as 1000.5."],
    }
    assert stored(app) == before
    assert [page.fields[key] for key in ("SIZE", "RATE", "NAME", "TEXT", "OPEN")] == [
        "1000", "1,5", "<new>", "x\r\ny", "",
    ]  # fmt: skip
    assert page.send(SIZE="99", RATE="1.25").errors == {}
    assert stored(app) == before | {
        "SIZE": 99, "RATE": 1.25, "NAME": "<new>", "TEXT": "x\ny", "OPEN": False,
    }  # fmt: skip


def test_what_nobody_touched_shows_what_is_stored_by_now_when_a_page_comes_back(
    app: Flask,
) -> None:
    page = Page(app)
    conf(app, NAME="Theirs")
    page.send(SIZE="0")
    assert page.fields["NAME"] == "Theirs"
    page.send(SIZE="5")
    assert (stored(app)["NAME"], stored(app)["SIZE"]) == ("Theirs", 5)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("NAME", "x" * 2**20),
        ("SIZE", "9" * 2**20),
        ("RATE", "9" * 2**20),
        ("HOURS", "[" * 2**20),
        ("HOURS", '{"a": "' + "x" * 2**20),
        ("THEME", "x" * 2**20),
        ("NAME", "a\0b"),
        ("TEXT", "\0"),
        ("TOKEN", "\0"),
        ("THEME", "neon"),
        ("THEME", ""),
    ],
    ids=lambda text: f"{text[:8]!r}",
)
def test_bad_input_is_an_error_at_its_field(app: Flask, key: str, text: str) -> None:
    before = stored(app)
    form = Page(app).send(**{key: text})
    assert list(form.errors) == [key]
    assert len(str(form.errors)) < 300
    assert stored(app) == before


def test_a_megabyte_of_text_is_fine(app: Flask) -> None:
    page = Page(app)
    page.send(TEXT="é\r\n" * 2**18)
    assert stored(app)["TEXT"] == "é\n" * 2**18
    assert page.send(NAME="x").changes == {"NAME": "x"}
    assert len(Page(app).form["TEXT"].shown_text) <= 1000


def test_messages_of_a_failed_save_are_shown(app: Flask) -> None:
    with posted(app, {"SIZE": "5", "TOKEN": "new"}) as form:
        assert form.validate()
        form.add_errors({"SIZE": "Too small for this shop.", "HIDDEN": "Must end in 7."})
        assert form["SIZE"].errors == ["Too small for this shop."]
        assert form.form_errors == [
            "A rule about a setting that is not on this page does not allow this."
        ]
        assert form["TOKEN"].errors == [
            "Nothing is saved yet, and a secret is not shown: write it again."
        ]


# Boxes without a page


WHOLE = {
    "NAME": "Waffle", "SIZE": "10", "RATE": "1.5", "THEME": "light", "TEXT": "a\nb",
    "HOURS": "{}", "TOKEN": "", "NOTE": "",
}  # fmt: skip


def test_a_missing_box_is_unticked_in_a_whole_form_without_token(app: Flask) -> None:
    with posted(app, WHOLE) as form:
        form.validate()
        assert form.changes == {"OPEN": False, "HOURS": {}}


@pytest.mark.parametrize("missing", WHOLE)
def test_a_missing_box_is_untouched_in_a_part_of_a_form(app: Flask, missing: str) -> None:
    with posted(app, {k: v for k, v in WHOLE.items() if k != missing}) as form:
        assert form.validate()
        assert "OPEN" not in form.changes


def test_a_missing_box_is_untouched_with_a_token(app: Flask) -> None:
    assert Page(app).send(("OPEN",)).changes == {}


def test_a_submission_without_any_setting_unticks_nothing(make_app: Callable[..., Flask]) -> None:
    with posted(make_app({"OPEN": {"default": True}}), {"other": "1"}) as form:
        assert form.validate()
        assert form.changes == {}


# The merge


@pytest.mark.parametrize("key", EDITABLE)
@pytest.mark.parametrize("mine", [False, True])
@pytest.mark.parametrize("theirs", ["same", "other", "mine"])
def test_no_edit_is_lost_and_no_conflict_is_false(
    app: Flask, key: str, mine: bool, theirs: str
) -> None:
    """Each kind of control; what I did with it; and what another did meanwhile."""
    values = {
        "NAME": ("Mine", "Mine", "Theirs"),
        "SIZE": ("11", 11, 12),
        "OPEN": ("", False, False),
        "RATE": ("2.5", 2.5, 3.5),
        "THEME": ("dark", "dark", "dark"),
        "TEXT": ("mine\r\n", "mine\n", "a\nb\n"),
        "HOURS": ("{}", {}, {"mon": [9, 19]}),
        "TOKEN": ("mine", "mine", "theirs"),
        "NOTE": ("mine", "mine", "theirs"),
    }
    text, my_value, their_value = values[key]
    page = Page(app)
    old = stored(app)[key]
    now = {"same": old, "other": their_value, "mine": my_value}[theirs]
    conf(app, **{key: now})
    form = page.send(**({key: text} if mine else {}))
    # Of a secret nobody is told that another has stored the same.
    conflict = mine and now not in ((old,) if key == "TOKEN" else (old, my_value))
    assert form.conflicts == ([key] if conflict else [])
    assert stored(app)[key] == (my_value if mine and not conflict else now)
    if conflict:
        field = form[key]
        assert field.errors
        assert field.theirs == ("" if key == "TOKEN" else show_text(field.setting, now))
        if key != "TOKEN":
            assert page.fields[key] == text
        again = page.send(**({"TOKEN": "mine"} if key == "TOKEN" else {}))
        assert not again.errors
        assert stored(app)[key] == my_value


def test_a_change_between_reading_and_writing_is_a_conflict_too(app: Flask) -> None:
    page = Page(app)
    data = page.fields.copy()
    data["SIZE"], data["NAME"], data["TOKEN"] = "11", "Mine", "mine"
    state = app.extensions["waffleconf"]
    with posted(app, data) as form:
        assert form.validate()
        conf(app, SIZE=12)
        with pytest.raises(ConflictError) as caught:
            state.update_db(form.changes, expected=form.expected)
        form.add_conflicts(caught.value.keys, state.read(caught.value.keys))
        assert form.conflicts == ["SIZE"]
        assert (form["SIZE"].theirs, form["SIZE"]._value()) == ("12", "11")
        assert form["TOKEN"].errors
        page.keep(form)
    assert (page.fields["SIZE"], page.fields["NAME"]) == ("11", "Mine")
    page.send()
    assert (stored(app)["SIZE"], stored(app)["NAME"]) == (11, "Mine")


def test_without_a_token_the_last_write_wins_for_the_names_sent(app: Flask) -> None:
    conf(app, SIZE=12, NAME="Theirs")
    with posted(app, {"SIZE": "11"}) as form:
        assert form.validate()
        assert form.changes == {"SIZE": 11}


BROKEN: list[Callable[[str], str]] = [
    lambda token: token[:-3],
    lambda token: token[: len(token) // 2],
    lambda token: "",
    lambda token: "forged",
    lambda token: token[::-1],
]


@pytest.mark.parametrize("damage", BROKEN)
def test_a_token_that_is_not_ours_writes_nothing_and_keeps_what_was_typed(
    app: Flask, damage: Callable[[str], str]
) -> None:
    page = Page(app)
    conf(app, NAME="Theirs")
    form = page.send(waffle_token=damage(page.fields["waffle_token"]), SIZE="11")
    assert len(form.form_errors) == 1 and "can't be read" in form.form_errors[0]
    assert stored(app)["SIZE"] == 10
    # Nobody knows whether somebody else has changed anything, so no field says so.
    assert form.conflicts == [] and not form["NAME"].errors and not form["SIZE"].errors
    # Which controls were touched is not known either: all that differ are shown as not saved.
    assert form.changes == {"NAME": "Waffle", "SIZE": 11}
    assert (page.fields["NAME"], form["NAME"].shown_text) == ("Waffle", "Theirs")
    page.send(NAME="Theirs")
    assert (stored(app)["NAME"], stored(app)["SIZE"]) == ("Theirs", 11)


def test_a_token_of_another_app_is_not_ours(make_app: Callable[..., Flask], app: Flask) -> None:
    other = Page(make_app(CONFS, SECRET_KEY="other"))
    assert Page(app).send(waffle_token=other.fields["waffle_token"], SIZE="11").form_errors


def test_a_page_from_before_the_secret_key_was_changed_is_merged(app: Flask) -> None:
    page = Page(app)
    app.config.update(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "test"])
    conf(app, NAME="Theirs", RATE=9.5)
    form = page.send(SIZE="11", RATE="2.5")
    assert (form.form_errors, form.conflicts) == ([], ["RATE"])
    app.config["SECRET_KEY_FALLBACKS"] = []  # what came back is of the new key
    page.send()
    now = stored(app)
    assert (now["SIZE"], now["NAME"], now["RATE"]) == (11, "Theirs", 2.5)


def test_a_setting_that_the_page_did_not_have_is_never_overwritten_unseen(app: Flask) -> None:
    page, other = Page(app), Page(app)
    app.config["WAFFLE_CONFS"] = {**CONFS, "ADDED": {"default": "x"}}
    conf(app, ADDED="Theirs")
    assert other.send(ADDED="Theirs").errors == {}
    form = page.send(ADDED="Mine")
    assert (form.conflicts, form["ADDED"].theirs) == (["ADDED"], "Theirs")
    page.send()
    assert stored(app)["ADDED"] == "Mine"


def test_a_setting_that_is_gone_is_nothing(app: Flask) -> None:
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {k: v for k, v in CONFS.items() if k != "SIZE"}
    assert page.send(SIZE="11", NAME="x").changes == {"NAME": "x"}


def test_without_a_secret_key_there_is_no_token_and_the_last_write_wins(
    make_app: Callable[..., Flask],
) -> None:
    page = Page(make_app(CONFS, SECRET_KEY=None))
    assert "waffle_token" not in page.fields
    assert page.form.hidden_tag() == ""
    assert page.send(SIZE="11").changes == {"SIZE": 11}


def test_the_token_has_what_may_be_edited_and_no_more(app: Flask) -> None:
    page = Page(app, editable=lambda setting: setting.key != "RATE")
    digests = Seal("test").load(page.fields["waffle_token"])
    assert digests is not None
    assert list(digests) == [key for key in EDITABLE if key != "RATE"]


# CSRF


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


# Validators


def no_waffles(form: Any, field: Any) -> None:
    if field.data == "waffles":
        raise wtforms.ValidationError("No waffles here.")


def plain_error(form: Any, field: Any) -> None:
    raise ValueError(f"not {field.data}")


def stop(form: Any, field: Any) -> None:
    raise wtforms.validators.StopValidation("Stop.")


def broken(form: Any, field: Any) -> None:
    raise LookupError(f"broken by {field.data}")


UNCHECKED = "This could not be checked, so it is not saved; the log of the site says why."


@pytest.mark.parametrize(
    ("entry", "text", "errors"),
    [
        ({"default": "x", "validators": [no_waffles]}, "waffles", ["No waffles here."]),
        ({"default": "x", "validators": [no_waffles]}, "cakes", []),
        ({"default": "x", "validators": [Length(max=3)]}, "long",
         ["Field cannot be longer than 3 characters."]),
        ({"default": "x", "validators": [DataRequired()]}, "", ["This field is required."]),
        ({"default": "x", "validators": [InputRequired()]}, "", ["This field is required."]),
        ({"default": "x", "validators": [Optional(), Length(min=3)]}, "", []),
        ({"default": "x", "validators": [stop, plain_error]}, "a", ["Stop."]),
        ({"default": "x", "validators": [plain_error]}, "a", ["not a"]),
        ({"default": "x", "validators": [broken]}, "a", [UNCHECKED]),
        ({"default": 1, "validators": [broken]}, "a", ["Write a whole number, such as 1000."]),
        ({"default": "x", "validators": [no_waffles], "max": 3}, "waffles", ["No waffles here."]),
        ({"default": "x", "validators": [no_waffles], "max": 3}, "cake", ["At most 3 characters."]),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "a",
         ["Field must be equal to OTHER."]),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "other", []),
        ({"default": "x", "field": lambda s: wtforms.StringField(validators=[no_waffles])},
         "waffles", ["No waffles here."]),
        ({"default": "x", "field": wtforms.StringField, "max": 3}, "long",
         ["At most 3 characters."]),
    ],
)  # fmt: skip
def test_declared_validators_are_asked(
    make_app: Callable[..., Flask], entry: dict[str, Any], text: str, errors: list[str]
) -> None:
    form = Page(make_app({"KEY": entry, "OTHER": {"default": "other"}})).send(KEY=text)
    assert form.errors == ({"KEY": errors} if errors else {})
    assert ("KEY" in form.changes) is not bool(errors)


def test_a_validator_that_fails_is_logged(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    Page(make_app({"KEY": {"default": "x", "validators": [broken]}})).send(KEY="a")
    assert "LookupError: broken by a" in caplog.text


def test_extra_validators_are_asked_too(app: Flask) -> None:
    with posted(app, {"NAME": "waffles", "NOTE": "waffles"}) as form:
        assert not form.validate({"NAME": [no_waffles]})
        assert form.errors == {"NAME": ["No waffles here."]}


def test_optional_does_not_make_none_of_what_has_a_type(make_app: Callable[..., Flask]) -> None:
    app = make_app({"KEY": {"default": 5, "type": int, "validators": [Optional()]}})
    assert Page(app).send(KEY="").errors == {"KEY": ["This must be a whole number, not NoneType."]}


# Secrets


@pytest.mark.parametrize("validators", [[], [broken], [plain_error], [Regexp("^$")]])
def test_a_secret_is_in_no_html_error_or_log(
    make_app: Callable[..., Flask], validators: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    secret = {"default": "hunter2", "secret": True, "validators": validators}
    app = make_app({"TOKEN": secret, "SIZE": {"default": 1}})
    page = Page(app)
    shown = f"{page.fields} {page.form.data} {page.form.errors}"
    form = page.send(TOKEN="hunter3", SIZE="x")
    problems = check_values(app.extensions["waffleconf"], {"TOKEN": "hunter4"})
    assert set(form.errors) == {"TOKEN", "SIZE"}
    assert bool(problems) is bool(validators)
    assert "hunter" not in f"{shown} {page.fields} {form.errors} {problems} {caplog.text}"


def test_a_blank_secret_is_kept(app: Flask) -> None:
    assert Page(app).send(TOKEN="", NAME="x").changes == {"NAME": "x"}


def test_a_guessed_secret_is_a_change_like_any_other(app: Flask) -> None:
    guesses = [Page(app).send(TOKEN=guess).changes for guess in ("hunter1", "hunter1", "hunter2")]
    assert guesses == [{"TOKEN": "hunter1"}, {"TOKEN": "hunter1"}, {"TOKEN": "hunter2"}]


def test_a_secret_has_to_be_typed_again_when_anything_is_wrong(app: Flask) -> None:
    page = Page(app)
    form = page.send(TOKEN="new", SIZE="0")
    assert "write it again" in form.errors["TOKEN"][0]
    assert page.fields["TOKEN"] == ""
    page.send(TOKEN="new", SIZE="5")
    assert (stored(app)["TOKEN"], stored(app)["SIZE"]) == ("new", 5)


def test_the_token_tells_nothing_of_a_short_secret(make_app: Callable[..., Flask]) -> None:
    pages = [
        Page(make_app({"PIN": {"default": pin, "secret": True}}, SECRET_KEY=key))
        for pin, key in (("1", "a"), ("1", "b"))
    ]
    assert pages[0].fields["waffle_token"] != pages[1].fields["waffle_token"]


# Values from code and from the command line


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ({"default": 1}, "anything", None),
        ({"default": 1, "type": int}, "x", "This must be a whole number, not str."),
        ({"default": 1, "max": 5}, 6, "At most 5."),
        ({"default": "a", "choices": ["a"]}, "b", "This is not one of the choices."),
        ({"default": "x", "validators": [no_waffles]}, "waffles", "No waffles here."),
        ({"default": "x", "validators": [InputRequired()]}, "", "This field is required."),
        ({"default": 1, "validators": [InputRequired()]}, 0, None),
        ({"default": 1, "validators": [InputRequired()]}, None, "This field is required."),
        ({"default": True, "validators": [InputRequired()]}, False, None),
        ({"default": "x", "validators": [Optional(), Length(min=3)]}, "", None),
        ({"default": "x", "validators": [Length(min=3)]}, 5, UNCHECKED),
        ({"default": "x", "validators": [broken]}, "a", UNCHECKED),
        ({"default": "x", "validators": [broken], "max": 3}, "long", "At most 3 characters."),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "new", None),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "other",
         "Field must be equal to OTHER."),
        ({"default": (1, 2), "validators": [no_waffles]}, (3, 4), None),
    ],
)  # fmt: skip
def test_values_from_code_are_checked(
    make_app: Callable[..., Flask], entry: dict[str, Any], value: Any, message: str | None
) -> None:
    app = make_app({"KEY": entry, "OTHER": {"default": "other"}})
    found = check_values(app.extensions["waffleconf"], {"KEY": value, "OTHER": "new"})
    assert found == ({"KEY": message} if message else {})


def test_undeclared_values_are_not_checked(app: Flask) -> None:
    assert check_values(app.extensions["waffleconf"], {"NOBODY": 1}) == {}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("NAME", "x", "x"),
        ("SIZE", " 5 ", 5),
        ("OPEN", "no", False),
        ("THEME", "dark", "dark"),
        ("HOURS", "{}", {}),
        ("TOKEN", "x", "x"),
        ("TOKEN", "", ""),
        ("NOTE", "", None),
        ("FIXED", "7", 7),
    ],
)
def test_a_text_is_parsed_as_on_the_page(app: Flask, key: str, text: str, value: Any) -> None:
    assert parse_text(app.extensions["waffleconf"], key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("NOBODY", "x", "There is no setting of that name."),
        ("SIZE", "x", "Write a whole number, such as 1000."),
        ("OPEN", "maybe", "Write true or false."),
        ("THEME", "neon", "This is not one of the choices."),
        ("PAIR", "3+4j", "It can only be changed from code: "),
    ],
)
def test_a_text_that_is_no_value_names_its_setting(
    app: Flask, key: str, text: str, message: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_text(app.extensions["waffleconf"], key, text)
    assert caught.value.errors[key].startswith(message)


def test_a_text_for_a_field_of_wtforms_is_parsed_and_checked(
    make_app: Callable[..., Flask],
) -> None:
    def theme(setting: Setting) -> Any:
        return wtforms.SelectField(choices=[wtforms.SelectChoice(x) for x in ("a", "b")])

    state = make_app({"KEY": {"default": "a", "field": theme}}).extensions["waffleconf"]
    assert parse_text(state, "KEY", "b") == "b"
    assert show_text(state.settings["KEY"], "b") == "b"
    with pytest.raises(InvalidValue):
        parse_text(state, "KEY", "c")


@pytest.mark.parametrize("key", ["NAME", "SIZE", "OPEN", "RATE", "THEME", "TEXT", "HOURS", "NOTE"])
def test_the_text_that_is_shown_is_parsed_again(app: Flask, key: str) -> None:
    state = app.extensions["waffleconf"]
    value = state.settings[key].default
    assert parse_text(state, key, show_text(state.settings[key], value)) == value


def test_choices_that_fail_have_no_control_and_are_logged(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    form = Page(make_app({"KEY": {"default": "a", "choices": lambda: int("x")}})).form
    assert form["KEY"].reason.endswith("its control can't be made at the moment.")
    assert "invalid literal" in caplog.text


def test_any_value_has_a_text(app: Flask) -> None:
    settings = app.extensions["waffleconf"].settings
    assert show_text(settings["SIZE"], "not a number") == "not a number"
    assert show_text(settings["PAIR"], 1 + 2j) == "(1+2j)"
    assert show_text(settings["THEME"], "gone") == "gone"
    assert show_text(settings["TOKEN"], "hunter2") == ""


# Size


def test_5000_settings_open_and_save(make_app: Callable[..., Flask]) -> None:
    app = make_app({f"KEY_{number}": {"default": number} for number in range(5000)})
    page = Page(app)
    data = page.fields.copy()
    data["KEY_4999"] = "7"
    with posted(app, data) as form:
        assert form.validate()
        assert form.changes == {"KEY_4999": 7}
        assert list(form._fields.made) == ["KEY_4999"]
