"""Finding a setting by the address of the page, and what a page says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pages import row, sent, shown, state_of, stored

from waffleconf_admin import WaffleAdmin

URL = "/admin/config"

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "help": "In the header"},
    "THEME": {"desc": "Theme", "default": "light", "group": "Shop & looks"},
    "PAGE_SIZE": {"desc": "Page size", "default": 20, "group": "Shop & looks"},
    "TOKEN": {"desc": "Token", "default": "needle", "secret": True, "group": "Keys"},
    "REGION": {"desc": "Region", "default": "eu-west", "readonly": True, "group": "Keys"},
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"PAGE_SIZE": 7})
    return app


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("", CONFS.keys()),
        ("?q=", CONFS.keys()),
        ("?q=site", {"SITENAME"}),  # label
        ("?q=page_si", {"PAGE_SIZE"}),  # key
        ("?q=HEADER", {"SITENAME"}),  # help
        ("?q=looks", {"THEME", "PAGE_SIZE"}),  # group
        ("?q=eu-west", {"REGION"}),  # value
        ("?q=size++7", {"PAGE_SIZE"}),  # all of the words
        ("?q=size+8", set()),
        ("?q=needle", set()),  # no secret
        ("?group=Shop+%26+looks", {"THEME", "PAGE_SIZE"}),
        ("?group=General", {"SITENAME"}),
        ("?group=none", set()),
        ("?changed=1", {"PAGE_SIZE"}),
        ("?changed=1&q=theme", set()),
        ("?group=Keys&q=e", {"TOKEN", "REGION"}),
    ],
)
def test_the_address_filters(app: Flask, query: str, keys: set[str]) -> None:
    page = app.test_client().get(URL + query)
    assert page.status_code == 200 and shown(page.text, CONFS) == set(keys)
    hidden = re.search(r'<div class="[^"]*wf-none"( hidden)?>', page.text)
    assert hidden and bool(hidden[1]) == bool(keys)


def test_the_page_shows_how_many_are_found(app: Flask) -> None:
    client = app.test_client()
    for query, text in [
        ("group=Keys", "2 settings"),
        ("q=site", "1 setting"),
        ("q=x1", "No setting"),
    ]:
        page = client.get(f"{URL}?{query}").text
        assert f"{text} found" in page.partition('role="status"')[2].partition("</p>")[0]


def test_groups_are_counted_by_what_is_found_in_each(app: Flask) -> None:
    side = app.test_client().get(f"{URL}?q=e&group=Keys").text.partition('class="wf-side"')[2]
    counts = re.findall(r'<span>([^<]*)</span> <span class="wf-count">(\d+)</span>', side)
    assert counts == [("All", "5"), ("General", "1"), ("Shop &amp; looks", "2"), ("Keys", "2")]


def test_links_keep_the_rest_of_the_address(app: Flask) -> None:
    page = app.test_client().get(f"{URL}?q=e&lang=es&changed=1").text
    (link,) = re.findall(r'href="([^"]*)" data-group="Keys"', page)
    assert link == "?lang=es&amp;q=e&amp;group=Keys&amp;changed=1"
    assert '<input type="hidden" name="lang" value="es">' in page


def test_hidden_settings_are_sent_and_the_filter_stays(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get(f"{URL}?q=site").text, SITENAME="New", PAGE_SIZE="8")
    answer = client.post(f"{URL}?q=site", data=form)
    assert (answer.status_code, answer.location) == (303, f"{URL}?q=site")
    assert (stored(app)["SITENAME"], stored(app)["PAGE_SIZE"]) == ("New", 8)


@pytest.mark.parametrize(
    ("typed", "never_hidden"),
    [
        ({}, set()),
        ({"PAGE_SIZE": "many"}, {"PAGE_SIZE"}),  # wrong
        ({"THEME": "dark"}, {"THEME"}),  # not saved
        ({"PAGE_SIZE": "many", "THEME": "dark"}, {"PAGE_SIZE", "THEME"}),
    ],
)
@pytest.mark.parametrize("query", ["?q=site", "?group=General"])
def test_a_setting_with_an_error_or_an_unsaved_change_is_never_hidden(
    app: Flask, query: str, typed: dict[str, str], never_hidden: set[str]
) -> None:
    client = app.test_client()
    form = sent(client.get(URL + query).text, **typed) | {"waffle.do": "edit"}
    page = client.post(URL + query, data=form)
    assert shown(page.text, CONFS) == {"SITENAME"} | never_hidden


def test_each_setting_has_a_link(app: Flask) -> None:
    page = app.test_client().get(URL).text
    assert 'id="SITENAME"' in page and 'href="#SITENAME"' in page


@pytest.mark.parametrize("name", ["q", "group", "x"])
def test_a_search_is_shown_and_escaped(app: Flask, name: str) -> None:
    page = app.test_client().get(f'{URL}?{name}=<b>"').text
    assert f'name="{name}" value="&lt;b&gt;&#34;"' in page and "<b>" not in page


# What a page says of itself


def test_a_user_who_may_change_nothing_is_informed(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: action == "view"))
    page = app.test_client().get(URL).text
    assert "You may see these settings, but not change them." in page
    assert "wf-bar" not in page and "wf-reset" not in page


def test_a_user_who_may_change_some_sees_how_many_not(make_app: MakeApp) -> None:
    def can(action: str, setting: Any) -> bool:
        return action == "view" or setting.group != "Shop & looks"

    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(can=can))
    page = app.test_client().get(URL).text
    assert "You may see 2 of these settings, but not change them." in page
    assert "wf-bar" in page


def test_read_only_settings_do_not_count_as_missing_permissions(make_app: MakeApp) -> None:
    confs = {
        "REGION": {"default": "eu", "readonly": True},
        "THING": {"default": object},
        "SITENAME": {"default": "Waffle"},
    }
    for declared in (confs, {key: confs[key] for key in ("REGION", "THING")}):
        app = make_app(declared)
        app.register_blueprint(WaffleAdmin())
        page = app.test_client().get(URL).text
        assert "It is changed from code" in page and "You may see" not in page
    app = make_app(confs)
    app.register_blueprint(WaffleAdmin(can=lambda action, s: action == "view" or s.key != "THING"))
    page = app.test_client().get(URL).text
    assert "You may see 1 of these settings, but not change it." in page


def test_trouble_with_other_processes_is_shown(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(app)
    health = state.health()
    assert "lag behind" not in app.test_client().get(URL).text
    monkeypatch.setattr(state, "health", lambda: health._replace(trouble="Redis is away."))
    page = app.test_client().get(URL).text
    assert "lag behind" in page and "Redis is away." in page


def test_a_row_names_who_changed_the_setting_last(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm=orm, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True))
    state_of(app).update_db({"SITENAME": "New", "THEME": "dark"}, actor="ana")
    page = app.test_client().get(URL).text
    assert "ana, just now" in row(page, "SITENAME")
    assert "just now" not in row(page, "PAGE_SIZE")
    assert f'href="{URL}/history"' in page and f'href="{URL}/history?key=SITENAME"' in page


def test_without_the_permission_a_row_does_not_mention_the_history(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: action != "history"))
    state_of(app).update_db({"SITENAME": "New"}, actor="ana")
    page = app.test_client().get(URL).text
    assert "ana" not in page and "/history" not in page


def test_a_save_can_be_undone_right_away(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="New", THEME="dark")
    page = client.post(URL, data=form, follow_redirects=True).text
    undo = page.partition('<form method="post" action="')[2].partition("</form>")[0]
    name = re.search(r'name="undo" value="([^"]*)"', undo)
    assert name and undo.startswith(f"{URL}/history/undo")
    answer = client.post(f"{URL}/history/undo", data=sent(undo) | {"undo": name[1]})
    assert (answer.status_code, answer.location) == (303, URL)
    assert (stored(app)["SITENAME"], stored(app)["THEME"]) == ("Waffle", "light")
