"""The rows of the settings page: each response shows what is true for its reader, at that time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import request
from flask_babel import Babel, LazyString, get_locale
from markupsafe import Markup
from pages import MakeApp, change_can, row, state_of
from wtforms import StringField

from waffleconf_admin import WaffleAdmin, anyone
from waffleconf_admin.fields import ChoiceField, TextField

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "OPEN": {"desc": "Open", "default": True},
    "THEME": {"desc": "Theme", "default": "a", "choices": ["a", "b"]},
}
URL = "/admin/config"


@pytest.fixture
def read_row(make_app: MakeApp) -> Any:
    """A function that makes an app and returns a function that reads one of its rows."""

    def prepare(confs: Any = CONFS, **options: Any) -> Any:
        # Without TESTING, as in production: templates are not loaded again.
        app = make_app(confs, TESTING=False, history=True)
        Babel(app, locale_selector=lambda: request.args.get("lang", "en"))
        app.register_blueprint(WaffleAdmin(**{"can": anyone, **options}))
        client = app.test_client()

        def read(key: str = "SITENAME", query: str = "") -> str:
            return row(client.get(URL + query).text, key)

        read.app = app  # type: ignore[attr-defined]
        return read

    return prepare


def test_a_row_shows_what_was_saved_since_the_last_page(read_row: Any) -> None:
    read = read_row()
    assert 'value="Waffle"' in read()
    state_of(read.app).update_db({"SITENAME": "New"})
    assert 'value="New"' in read()
    state_of(read.app).reset(["SITENAME"])
    assert 'value="Waffle"' in read()


@pytest.mark.parametrize(("lang", "quoted"), [("en", "“Waffle”"), ("de", "„Waffle“")])
def test_a_value_is_quoted_as_the_language_of_the_reader_quotes(
    read_row: Any, lang: str, quoted: str
) -> None:
    read = read_row(CONFS | {"HINT": {"default": "", "needs": {"SITENAME": "Waffle"}}})
    state_of(read.app).update_db({"SITENAME": "New"})
    assert quoted in read(query=f"?lang={lang}")
    assert quoted in read("HINT", query=f"?lang={lang}")


def test_a_row_shows_the_declaration_of_now(read_row: Any) -> None:
    read = read_row()
    assert ">Site name</label>" in read()
    read.app.config["WAFFLE_CONFS"] = CONFS | {"SITENAME": {"desc": "Name", "default": "Waffle"}}
    assert ">Name</label>" in read()


@pytest.mark.parametrize(
    ("action", "part"), [("edit", "<input"), ("history", "/history?key=SITENAME")]
)
def test_a_row_depends_on_the_permissions_of_its_reader(
    read_row: Any, action: str, part: str
) -> None:
    read = read_row()
    state_of(read.app).update_db({"SITENAME": "New"}, actor="ana")
    assert part in read()
    change_can(read.app, lambda asked, setting: asked != action)
    assert part not in read()
    change_can(read.app, anyone)
    assert part in read()


def test_a_row_is_in_the_language_of_its_reader(read_row: Any) -> None:
    read = read_row()
    state_of(read.app).update_db({"SITENAME": "New"})
    for lang, text in [("en", "Reset"), ("es", "Restablecer"), ("en", "Reset")]:
        assert f">{text}<" in read(query=f"?lang={lang}")


NEEDS: dict[str, Any] = {
    "ON": {"desc": "<Mail>", "default": False},
    "MODE": {"desc": "Mode", "default": "log", "choices": [("log", "Log only"), "smtp"]},
    "TLS": {"desc": "TLS", "default": True},
    "HOST": {"desc": "Host", "default": "localhost", "needs": ["ON", {"MODE": "smtp"}]},
    "PLAIN": {"desc": "Plain", "default": "", "needs": {"TLS": False}},
    "TOKEN": {"desc": "Token", "default": "", "secret": True, "needs": "HOST"},
    "HOOK": {"desc": "Hook", "default": "", "needs": ["TOKEN", {"MODE": "log"}]},
}
OFF = 'Has no effect while <a href="#ON">&lt;Mail&gt;</a> is off.'


@pytest.mark.parametrize(
    ("key", "stored", "hidden", "notes"),
    [
        ("HOST", {}, "", [OFF, 'Has no effect while <a href="#MODE">Mode</a> is not smtp.']),
        ("HOST", {"MODE": "smtp"}, "", [OFF]),
        ("HOST", {"MODE": "smtp", "ON": True}, "", []),
        ("HOST", {"MODE": "smtp"}, "ON", []),  # nothing of a setting that one may not see
        ("PLAIN", {}, "", ['Has no effect while <a href="#TLS">TLS</a> is on.']),
        ("TOKEN", {}, "", []),
        ("TOKEN", {"HOST": ""}, "", ['Has no effect while <a href="#HOST">Host</a> is not set.']),
        ("HOOK", {}, "", ['Has no effect while <a href="#TOKEN">Token</a> is not set.']),
        ("HOOK", {"TOKEN": "s3cr3t"}, "", []),
        ("HOOK", {"TOKEN": "s3cr3t", "MODE": "smtp"}, "", [
            'Has no effect while <a href="#MODE">Mode</a> is not Log only.'
        ]),
    ],
)  # fmt: skip
def test_a_row_says_which_other_settings_it_needs(
    read_row: Any, key: str, stored: dict[str, object], hidden: str, notes: list[str]
) -> None:
    read = read_row(NEEDS, can=lambda action, setting: setting.key != hidden)
    state_of(read.app).update_db(stored)
    found = read(key)
    assert re.findall(r'<p class="wf-reason">(.*?)</p>', found) == notes
    assert "<input" in found and " disabled" not in found and " hidden" not in found


class Buttons(ChoiceField):
    """A field of an app: radio buttons, however many choices there are."""

    def fits_buttons(self) -> bool:
        return True


class Labels(TextField):
    """A field of an app whose control has many labels."""

    is_group = True

    def widget(self, field: Any, **kwargs: object) -> Markup:
        return Markup("<label>a</label>" * 20)


@pytest.mark.parametrize(
    ("declared", "has_filter"),
    [
        ({"default": ["0"], "choices": list("0123456789abcdefghi")}, False),
        ({"default": ["0"], "choices": list("0123456789abcdefghij")}, True),
        ({"default": "0", "choices": list("0123456789abcdefghij"), "field": Buttons}, False),
        ({"default": "0", "field": Labels}, False),
    ],
    ids=["19 boxes", "20 boxes", "buttons", "labels"],
)
def test_twenty_boxes_to_tick_have_a_filter(
    read_row: Any, declared: dict[str, Any], has_filter: bool
) -> None:
    found = read_row({"SIZES": declared})("SIZES")
    assert found.count("<label") >= 19
    assert ('type="search"' in found, "wf-many" in found) == (has_filter, has_filter)


def test_each_row_leads_to_its_history(read_row: Any) -> None:
    read = read_row()
    assert 'href="/admin/config/history?key=OPEN"' in read("OPEN")  # which nobody has changed
    change_can(read.app, lambda action, setting: action != "history")
    assert "/history" not in read("OPEN")


def test_a_row_has_its_keywords_in_the_language_of_the_reader(read_row: Any) -> None:
    keywords = [LazyString(lambda: {"es": "correo"}.get(str(get_locale()), "mail")), "<smtp>"]
    read = read_row({"HOST": {"default": "", "keywords": keywords}})
    for lang, word in [("en", "mail"), ("es", "correo")]:
        found = read("HOST", f"?lang={lang}&q={word}")
        assert f'data-keywords="{word} &lt;smtp&gt;"' in found and " hidden" not in found


def test_a_row_asks_a_function_for_its_choices_on_each_page(read_row: Any) -> None:
    numbers: Iterator[int] = iter(range(100))
    confs = {"ASKED": {"default": "a", "choices": lambda: ["a", f"choice {next(numbers)}"]}}
    read = read_row(confs)
    assert read("ASKED") != read("ASKED")


def test_a_row_recovers_when_a_function_of_the_app_no_longer_fails(read_row: Any) -> None:
    failures = [LookupError("once")]

    def make_field(setting: Any) -> Any:
        if failures:
            raise failures.pop()
        return TextField

    read = read_row(fields={str: make_field})
    assert "only be changed in code" in read() and 'value="Waffle"' in read()


def test_a_field_of_the_app_is_rendered_for_each_request(read_row: Any) -> None:
    class Greeting(TextField):
        @property
        def html_attributes(self) -> dict[str, Any]:  # type: ignore[override]
            return {"placeholder": request.args["who"]}

    read = read_row(fields={str: Greeting})
    for who in ("ana", "ben"):
        assert f'placeholder="{who}"' in read(query=f"?who={who}")


@pytest.mark.parametrize(
    "declared",
    [{"default": "a", "readonly": True}, {"default": {1: 2}}, {"default": 1, "field": StringField}],
    ids=["read-only", "no JSON has it", "a field that does not give the value back"],
)
def test_a_row_without_a_control_says_why(read_row: Any, declared: Any) -> None:
    assert read_row({"SIZE": declared})("SIZE").count('class="wf-reason"') == 1


@pytest.mark.parametrize(
    ("declared", "css"),
    [
        ({"default": "a", "choices": ["a", "b", "c"]}, "wf-segments"),
        ({"default": None, "type": bool}, "wf-segments"),
        ({"default": "a", "choices": ["a", ("b", "Everybody who has an account")]}, "wf-segments"),
        ({"default": "a", "choices": ["a", "b" * 32]}, "wf-choices"),
        ({"default": ["a"], "choices": ["a", "b"]}, "wf-choices"),
    ],
)  # fmt: skip
def test_few_choices_with_short_labels_stand_on_one_line(
    read_row: Any, declared: Any, css: str
) -> None:
    assert f'<fieldset class="{css}"' in read_row({"SIZE": declared})("SIZE")


def test_the_unit_of_a_value_that_nobody_can_change_follows_it(read_row: Any) -> None:
    declared = {"default": 2.5, "unit": "<s>", "readonly": True}
    assert ">2,5 &lt;s&gt;</p>" in read_row({"SIZE": declared})("SIZE", "?lang=es")
