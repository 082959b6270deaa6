"""Finding a setting by the address of the page, and what a page says of itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
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
        ("?modified=1", {"PAGE_SIZE"}),
        ("?modified=", CONFS.keys()),
        ("?locked=1", {"REGION"}),
        ("?secret=1", {"TOKEN"}),
        ("?secret=1&locked=1", set()),
        ("?attention=1", set()),
        ("?week=1", set()),  # without a history
        ("?by=ana", set()),
        ("?modified=1&q=theme", set()),
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
        ("q=e&group=Keys", "2 settings"),
        ("q=site", "1 setting"),
        ("q=x1", "No setting"),
    ]:
        page = client.get(f"{URL}?{query}").text
        assert f"{text} found" in page.partition('role="status"')[2].partition("</p>")[0]


@pytest.fixture
def ranked(make_app: MakeApp) -> Any:
    """A function that returns the page for a search."""
    app = make_app(
        {
            "A": {"desc": "Footer", "default": "our mail address", "group": "Texts"},
            "B": {"desc": "Reply to", "default": "", "help": "Of each mail", "group": "Texts"},
            "MAIL_HOST": {"desc": "Host", "default": "", "group": "Servers"},
            "SENDER": {"desc": "Mail sender", "default": "", "group": "Servers"},
            "POST": {"desc": "Post", "default": "", "keywords": ["mail", "letter"], "was": "SEND"},
        }
    )
    app.register_blueprint(WaffleAdmin())
    return lambda query: app.test_client().get(f"{URL}?{query}").text


@pytest.mark.parametrize(
    ("query", "keys", "text"),
    [
        ("q=mail", ["SENDER", "MAIL_HOST", "POST", "B", "A"], "5 settings found"),
        ("q=mail&group=Texts", ["B", "A"], "2 settings found"),
        ("q=mial+sender", ["SENDER"], "No exact match for “mial sender”. Close to it:"),
        ("q=mailsender", ["SENDER"], "No exact match for “mailsender”. Close to it:"),
        ("q=maill", ["SENDER", "MAIL_HOST", "POST"], "No exact match for “maill”. Close to it:"),
        ("q=SEND", ["SENDER", "POST"], "2 settings found"),
        ("group=Servers", ["MAIL_HOST", "SENDER"], ""),
    ],
)
def test_the_best_match_comes_first(ranked: Any, query: str, keys: list[str], text: str) -> None:
    page = ranked(query)
    found = re.findall(r'<div class="wf-row[^>]*>', page)
    assert [re.findall('id="([^"]*)"', row)[0] for row in found if " hidden" not in row] == keys
    assert page.partition('role="status"')[2].partition(">")[2].partition("</p>")[0] == text
    # The sidebar keeps its order.
    assert re.findall('<li><a[^>]*data-group="([^"]+)"', page) == ["General", "Texts", "Servers"]


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ("q=mail", ["Mail", "MAIL", "mail"]),
        ("q=mial+sender", ["Mail", "sender", "SENDER"]),
        ("group=Texts", []),
    ],
)
def test_hits_are_marked(ranked: Any, query: str, marked: list[str]) -> None:
    assert re.findall("<mark>(.*?)</mark>", ranked(query)) == marked


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("q=mail&group=Texts", "3 in other groups: show"),
        ("q=sender&group=Texts", "1 in other groups: show"),
        ("q=letter&group=General", None),
        ("group=Texts", None),
        ("q=mail", None),
    ],
)
def test_what_is_found_in_other_groups_is_a_click_away(
    ranked: Any, query: str, text: str | None
) -> None:
    line = re.search(
        r'<p class="wf-elsewhere"( hidden)?><a href="(.*?)".*?>(.*?)</a>', ranked(query)
    )
    assert line and (None if line[1] else line[3]) == text
    assert "group" not in line[2]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("", "Settings"),
        ("?group=Shop+%26+looks", "Shop &amp; looks – Settings"),
        ("?group=none", "Settings"),
    ],
)
def test_the_title_names_the_group_and_counts_what_is_not_saved(
    app: Flask, query: str, title: str
) -> None:
    client = app.test_client()
    page = client.get(URL + query).text
    assert f"<title>{title}</title>" in page
    form = sent(page, THEME="dark") | {"waffle.do": "edit"}
    assert f"<title>1 unsaved – {title}</title>" in client.post(URL + query, data=form).text


class LastMonth:
    """The clock of saves that are long ago."""

    @staticmethod
    def now(zone: Any) -> datetime:
        return datetime.now(zone) - timedelta(days=30)


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("?by=ana", {"THEME"}),
        ("?by=AN", {"THEME", "SITENAME"}),  # a part of the name
        ("?by=+Ána+", {"THEME"}),
        ("?week=1", {"SITENAME"}),
        ("?week=1&by=ana", set()),
        ("?week=1&q=site", {"SITENAME"}),
        ("?by=nobody", set()),
    ],
)
def test_the_last_change_filters(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, query: str, keys: set[str]
) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, s: s.key != "REGION" or action == "view"))
    state = state_of(app)
    with monkeypatch.context() as patch:
        patch.setattr("waffleconf_admin.state.task.datetime", LastMonth)
        state.update_db({"THEME": "dark", "SITENAME": "Old"}, actor="ana")
        state.update_db({"REGION": "us"}, actor="ana")  # nobody here may see its history
    state.update_db({"SITENAME": "New"}, actor="Jan")
    page = app.test_client().get(URL + query).text
    assert shown(page, CONFS) == keys


def test_groups_are_counted_by_what_is_found_in_each(app: Flask) -> None:
    side = app.test_client().get(f"{URL}?q=e&group=Keys").text.partition('class="wf-side"')[2]
    counts = re.findall(r'<span>([^<]*)</span> <span class="wf-count">(\d+)</span>', side)
    assert counts == [("All", "5"), ("General", "1"), ("Shop &amp; looks", "2"), ("Keys", "2")]


def test_links_keep_the_rest_of_the_address(app: Flask) -> None:
    page = app.test_client().get(f"{URL}?q=e&lang=es&modified=1").text
    (link,) = re.findall(r'href="([^"]*)" data-group="Keys"', page)
    assert link == "?lang=es&amp;q=e&amp;group=Keys&amp;modified=1"
    assert '<input type="hidden" name="lang" value="es">' in page


def test_forms_of_the_page_are_sent_to_its_address_without_the_fragment(app: Flask) -> None:
    client = app.test_client()
    address = f"{URL}?group=Shop+%26+looks&lang=%22fr%22"
    for action in ("", "review"):  # the page, and the review
        page = client.get(address).text
        if action:
            form = sent(page, SITENAME="New") | {"waffle.do": action}
            page = client.post(address, data=form).text
        form = re.search(r'<form [^>]*class="wf-form[^>]*', page)
        assert form
        assert 'action="?group=Shop+%26+looks&amp;lang=%22fr%22"' in form[0]


def test_hidden_settings_are_sent_and_the_filter_stays(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get(f"{URL}?q=site").text, SITENAME="New", PAGE_SIZE="8")
    answer = client.post(f"{URL}?q=site", data=form)
    assert (answer.status_code, answer.location) == (303, f"{URL}?q=site#SITENAME")
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
    assert page.count("You may see these settings, but not change them.") == 1
    assert "wf-bar" in page and "You may see this setting" not in page


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
        assert "It can only be changed in code" in page and "You may see" not in page
    app = make_app(confs)
    app.register_blueprint(WaffleAdmin(can=lambda action, s: action == "view" or s.key != "THING"))
    page = app.test_client().get(URL).text
    assert "You may see 1 of these settings, but not change it." in page


def test_trouble_with_other_processes_is_shown(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    state = state_of(app)
    health = state.health()
    assert "use older values" not in app.test_client().get(URL).text
    monkeypatch.setattr(state, "health", lambda: health._replace(trouble="Redis is away."))
    page = app.test_client().get(URL).text
    assert "use older values" in page and "Redis is away." in page


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
