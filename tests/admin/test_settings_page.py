"""The settings page: what it shows of the settings."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from pages import CONFS, HISTORY_CONFS, URL, MakeApp, row, sent, state_of, stored, typed

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.forms.submission import ControlNames


def test_a_row_shows_label_key_help_and_limits(orm_app: Flask) -> None:
    page = orm_app.test_client().get(URL).text
    assert '<label for="waffle-SITENAME">Site name</label>' in page
    for text in (
        '<a class="wf-key" tabindex="-1" href="#SITENAME">SITENAME</a>',
        "Shown in the header",
        "1 to 100",
    ):
        assert text in page
    described = re.search(r'<input[^>]*id="waffle-SITENAME"[^>]*>', page)
    assert described and 'aria-describedby="waffle-SITENAME-help"' in described[0]


def test_a_row_says_that_a_value_differs_from_the_default(orm_app: Flask) -> None:
    state_of(orm_app).update_db({"SITENAME": "Crêperie", "TOKEN": "s3cr3t-stored"})
    page = orm_app.test_client().get(URL).text
    assert "Modified" in row(page, "SITENAME") and "default “Waffle”" in row(page, "SITENAME")
    assert "Modified" not in row(page, "THEME")
    assert "default" not in row(page, "TOKEN")


def test_a_read_only_setting_is_text_with_the_reason(orm_app: Flask) -> None:
    region = row(orm_app.test_client().get(URL).text, "REGION")
    assert "eu-west-1" in region and "wf-reason" in region and "<input" not in region


def test_secrets_are_never_in_a_page(orm_app: Flask) -> None:
    client = orm_app.test_client()
    pages = [client.get(URL).text]
    response = client.post(URL, data={"TOKEN": "s3cr3t-typed", "PAGE_SIZE": "0"})
    assert response.status_code == 422
    pages.append(response.text)
    pages.append(client.post(URL, data={"TOKEN": "s3cr3t-typed"}, follow_redirects=True).text)
    assert "Upload token saved." in pages[-1]
    assert not [page for page in pages if "s3cr3t" in page]
    assert stored(orm_app)["TOKEN"] == "s3cr3t-typed"


def test_labels_and_values_are_escaped(make_app: MakeApp) -> None:
    nasty = "<b>\"'&"
    conf = {"desc": nasty, "help": nasty, "group": nasty, "default": nasty}
    app = make_app({"A": conf, "B": conf | {"readonly": True}, "C": {"default": 1}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    pages = [client.get(URL).text]
    form = sent(pages[0], A=nasty * 2)
    pages.append(client.post(URL, data=form, follow_redirects=True).text)
    pages.append(client.post(URL, data={"C": nasty}).text)
    assert not [page for page in pages if "<b>" in page]
    assert stored(app)["A"] == nasty * 2


def test_groups_are_in_declared_order_with_the_nameless_first(make_app: MakeApp) -> None:
    groups = {"A": "shop", "B": "", "C": "mail", "D": "shop"}
    app = make_app({key: {"default": 1, "group": group} for key, group in groups.items()})
    app.register_blueprint(WaffleAdmin())
    page = app.test_client().get(URL).text
    shown = re.findall(r'<section [^>]*data-group="([^"]*)"|<input[^>]* name="([A-D])"', page)
    assert shown[1:] == [("", "B"), ("shop", ""), ("", "A"), ("", "D"), ("mail", ""), ("", "C")]


def test_the_process_serves_what_its_page_shows(make_app: MakeApp, orm: str) -> None:
    """Another process may have saved, where the processes do not follow each other."""
    app, other = make_app(CONFS, orm=orm), make_app(CONFS, orm=orm)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    client.get(URL)
    state_of(other).update_db({"SITENAME": "Elsewhere"})
    assert "Elsewhere" in client.get(URL).text
    assert app.config["SITENAME"] == "Elsewhere"


def test_a_history_costs_the_settings_page_three_statements(make_app: MakeApp) -> None:
    """The last changes, the moved defaults, and the ends of saves."""
    import sqlalchemy as sa

    counts = []
    for history in (False, True):
        app = make_app(HISTORY_CONFS, history=history, url=":memory:")
        app.register_blueprint(WaffleAdmin())
        state_of(app).update_db({"SIZE": 5})
        seen: list[str] = []
        with app.app_context():
            engine = app.waffle_db.engine  # type: ignore[attr-defined]
        sa.event.listen(engine, "before_cursor_execute", lambda *a, seen=seen: seen.append(a[2]))
        assert app.test_client().get(URL).status_code == 200
        counts.append(len(seen))
    assert counts[1] - counts[0] <= 3


@pytest.mark.parametrize(
    "key", ["waffle.x", "waffle.do", "setting.waffle.x", "setting.x", "waffle_token"]
)
def test_a_setting_may_have_any_name(make_app: MakeApp, key: str) -> None:
    confs = {key: {"default": "old"}, "waffle.x": {"default": "old"}, "x": {"default": "old"}}
    app = make_app(confs, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    with app.app_context():
        change = {ControlNames()(key): "new"}
    page = client.post(URL, data=typed(client, **change) | {"waffle.do": "review"}).text
    assert client.post(URL, data=sent(page) | {"waffle.do": "confirm"}).status_code == 303
    assert stored(app) == dict.fromkeys(confs, "old") | {key: "new"}


@pytest.mark.parametrize("groups", [None, ["Shop"]])
def test_a_page_of_one_group_has_one_column_and_so_has_all_that_belongs_to_it(
    make_app: MakeApp, groups: list[str] | None
) -> None:
    app = make_app(HISTORY_CONFS, history=True)
    app.register_blueprint(WaffleAdmin(groups=groups))
    client = app.test_client()
    pages = [client.get(URL + path).text for path in ("", "/history", "/files", "/history/compare")]
    pages.append(client.post(URL, data={"SIZE": "5", "waffle.do": "review"}).text)
    assert [" wf-one" in page for page in pages] == [groups is not None] * 5
    assert ['class="wf-side"' in page for page in pages[:2]] == [groups is None] * 2
    assert "Compare two times" in pages[1]
