"""Rows that are kept from page to page, and assets that are cached: never an old one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, request
from flask_babel import Babel
from pages import row, sent, state_of, stored
from wtforms import StringField

from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.fields import TextField, binding

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "OPEN": {"desc": "Open", "default": True},
    "THEME": {"desc": "Theme", "default": "a", "choices": ["a", "b"]},
}
URL = "/admin/config"
CHOSEN = ["en", "es", "de", "fr"]  # as many languages as are kept

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CONFS, TESTING=False, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    return app


def kept(app: Flask) -> set[str]:
    """The keys of the settings whose rows are kept."""
    with app.app_context():
        rows = app.blueprints["waffleconf_admin"].keeper.rows()  # type: ignore[attr-defined]
    return {key for key, *_ in rows}


def test_a_page_of_kept_rows_is_the_same_page(app: Flask) -> None:
    client = app.test_client()
    first = client.get(URL).text
    assert kept(app) == CONFS.keys()
    token = r'name="csrf_token"[^>]*value="[^"]*"'  # has the time in it
    assert re.sub(token, "", client.get(URL).text) == re.sub(token, "", first)
    form = sent(client.get(URL).text, SITENAME="New")
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)["SITENAME"] == "New" and stored(app)["OPEN"] is True


def test_what_was_saved_is_shown_at_once(app: Flask) -> None:
    client = app.test_client()
    client.get(URL)
    state_of(app).update_db({"SITENAME": "New"})
    assert 'value="New"' in row(client.get(URL).text, "SITENAME")
    state_of(app).reset(["SITENAME"])
    assert 'value="Waffle"' in row(client.get(URL).text, "SITENAME")


def test_a_new_declaration_is_shown_at_once(app: Flask) -> None:
    client = app.test_client()
    client.get(URL)
    app.config["WAFFLE_CONFS"] = CONFS | {"SITENAME": {"desc": "Name", "default": "Waffle"}}
    assert ">Name</label>" in row(client.get(URL).text, "SITENAME")


def test_each_person_has_the_own_rights(make_app: MakeApp) -> None:
    allowed = {"edit": True}
    app = make_app(CONFS, TESTING=False)
    app.register_blueprint(
        WaffleAdmin(can=lambda action, setting: action == "view" or allowed["edit"])
    )
    client = app.test_client()
    assert "<input" in row(client.get(URL).text, "SITENAME")
    allowed["edit"] = False
    assert "<input" not in row(client.get(URL).text, "SITENAME")
    allowed["edit"] = True
    assert "<input" in row(client.get(URL).text, "SITENAME")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of the settings whose fields were made."""
    keys: list[str] = []
    bind = binding.bind

    def noted(setting: Any, *args: Any, **options: Any) -> Any:
        keys.append(setting.key)
        return bind(setting, *args, **options)

    monkeypatch.setattr(binding, "bind", noted)
    return keys


def test_people_with_other_rights_do_not_cost_each_other_the_rows(
    make_app: MakeApp, made: list[str]
) -> None:
    app = make_app(CONFS, TESTING=False)
    app.register_blueprint(
        WaffleAdmin(can=lambda action, setting: action == "view" or request.args["who"] == "ana")
    )
    client = app.test_client()
    for who in ("ana", "ben"):
        client.get(f"{URL}?who={who}")
    made.clear()
    for who in ("ana", "ben"):
        assert ("<input" in row(client.get(f"{URL}?who={who}").text, "SITENAME")) == (who == "ana")
    assert made == []


def test_a_few_languages_are_kept(make_app: MakeApp, made: list[str]) -> None:
    app = make_app(CONFS, TESTING=False)
    Babel(app, locale_selector=lambda: request.args["lang"])
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    client = app.test_client()
    used = [*CHOSEN, *CHOSEN]
    for lang in used:
        assert f'lang="{lang}"' in client.get(f"{URL}?lang={lang}").text
    assert made == [*CONFS] * len(CHOSEN)
    client.get(f"{URL}?lang=pt")
    made.clear()
    client.get(f"{URL}?lang={CHOSEN[-1]}")
    assert made == []
    client.get(f"{URL}?lang={CHOSEN[0]}")
    assert made == [*CONFS]


def test_who_may_not_see_the_history_hides_it_from_nobody(make_app: MakeApp) -> None:
    allowed = {"history": False}
    app = make_app(CONFS, TESTING=False, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: allowed.get(action, True)))
    state_of(app).update_db({"SITENAME": "New"}, actor="ana")
    client = app.test_client()
    assert "/history?key=SITENAME" not in row(client.get(URL).text, "SITENAME")
    allowed["history"] = True
    assert "/history?key=SITENAME" in row(client.get(URL).text, "SITENAME")
    allowed["history"] = False
    assert "/history?key=SITENAME" not in row(client.get(URL).text, "SITENAME")


def test_nothing_is_kept_while_the_history_cannot_be_read(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(CONFS, TESTING=False, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    state_of(app).update_db({"SITENAME": "New"}, actor="ana")
    client = app.test_client()

    def fail(keys: Any) -> Any:
        raise StoreError("broken")

    with monkeypatch.context() as broken:
        broken.setattr(state_of(app).history, "latest", fail)
        assert "/history?key" not in row(client.get(URL).text, "SITENAME")
    assert "/history?key=SITENAME" in row(client.get(URL).text, "SITENAME")


def test_what_may_differ_each_time_is_not_kept(make_app: MakeApp) -> None:
    numbers: Iterator[int] = iter(range(100))
    confs = {
        "ASKED": {"default": "a", "choices": lambda: ["a", f"choice {next(numbers)}"]},
        "OWN": {"default": "a", "field": StringField},
        "CHECKED": {"default": "a", "validators": [lambda form, field: None]},
        "LABELLED": {"default": "a"},
    }
    app = make_app(confs, TESTING=False)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    first, second = (row(app.test_client().get(URL).text, "ASKED") for _ in range(2))
    assert first != second
    assert kept(app) == {"LABELLED"}


def test_a_failure_of_code_of_the_app_is_over_when_it_is_over(make_app: MakeApp) -> None:
    fails = [True]

    def maker(setting: Any) -> Any:
        if fails:
            raise LookupError(fails.pop())
        return TextField

    app = make_app({**CONFS, "FIXED": {"default": "x", "readonly": True}}, TESTING=False)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True, fields={str: maker}))
    first, second = (row(app.test_client().get(URL).text, "SITENAME") for _ in range(2))
    assert "changed from code" in first and 'value="Waffle"' in second
    assert kept(app) == {"OPEN"}


def test_a_field_of_the_app_may_be_another_for_each_person(make_app: MakeApp) -> None:
    class Greeting(TextField):
        def html(self, text: str) -> dict[str, Any]:
            return {"placeholder": request.args["who"]}

    app = make_app(CONFS, TESTING=False)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True, fields={str: Greeting}))
    for who in ("ana", "ben"):
        page = app.test_client().get(f"{URL}?who={who}").text
        assert f'placeholder="{who}"' in row(page, "SITENAME")


def test_a_reason_is_kept_if_it_is_of_the_declaration_or_the_rights(make_app: MakeApp) -> None:
    confs = {
        "FIXED": {"default": "a", "readonly": True},
        "SEEN": {"default": "a"},
        "ODD": {"default": {1: 2}},  # no JSON has it
    }
    app = make_app(confs, TESTING=False)
    may = ("view", "FIXED", "ODD")
    app.register_blueprint(
        WaffleAdmin(can=lambda action, setting: action in may or setting.key in may)
    )
    assert app.test_client().get(URL).text.count('class="wf-reason"') == 3
    assert kept(app) == {"FIXED", "SEEN"}


def test_nothing_is_kept_of_mistakes(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get(URL).text, THEME="pink", SITENAME="typed")
    assert "typed" in client.post(URL, data=form).text
    assert "typed" not in client.get(URL).text


def test_an_own_block_has_the_field_of_a_kept_row(make_app: MakeApp, tmp_path: Any) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "own.html").write_text(
        '{% extends "waffleconf/waffle_form.html" %}'
        "{% block field %}{{ super() }}"
        '<i data-own="{{ field.setting.key }}={{ field.shown_text }}">{{ field() }}</i>'
        "{% endblock %}"
    )
    app = make_app(CONFS, TESTING=False, WAFFLE_TEMPLATE="own")
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    pages = [app.test_client().get(URL).text for _ in range(2)]
    for page in pages:
        assert 'data-own="SITENAME=Waffle"' in page and page.count('name="SITENAME"') == 2


def test_assets_have_their_content_in_the_address_and_last(app: Flask) -> None:
    client = app.test_client()
    addresses = re.findall(r'(?:href|src)="([^"]*/assets/[^"]*)"', client.get(URL).text)
    assert len(addresses) == 2
    for address in addresses:
        with client.get(address) as answer:
            assert answer.status_code == 200
            control = answer.headers["Cache-Control"]
            assert "immutable" in control and "max-age=31536000" in control
        with client.get(re.sub(r"/assets/\w+/", "/assets/0123456789ab/", address)) as answer:
            assert answer.status_code == 200 and "immutable" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("name", "most"), [("waffleconf.css", 20_000), ("waffleconf.js", 15_000)])
def test_assets_stay_small(app: Flask, name: str, most: int) -> None:
    with app.test_client().get(f"{URL}/assets/{name}") as answer:
        assert len(answer.data) < most


def test_a_kept_row_does_not_hide_who_changed_it(make_app: MakeApp) -> None:
    app = make_app(CONFS, TESTING=False, WTF_CSRF_ENABLED=True, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    client, state = app.test_client(), state_of(app)
    state.update_db({"SITENAME": "New"}, actor="ben")
    state.history.prune(0)
    assert "ben" not in client.get(URL).text and "SITENAME" in kept(app)
    state.update_db({"SITENAME": "Other"}, actor="eve")
    state.update_db({"SITENAME": "New"}, actor="eve")
    assert "eve" in row(client.get(URL).text, "SITENAME")
