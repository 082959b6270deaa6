"""The pages of the history: what they show to whom, and undoing from them."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from pages import URL, undo, words

from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.codec import serialize
from waffleconf_admin.store import HistoryRow

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "SIZE": {"desc": "Page size", "default": 20, "max": 100, "group": "Shop"},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18]}, "group": "Shop"},
    "TOKEN": {"desc": "Upload token", "default": "", "secret": True},
    "REGION": {"desc": "Region", "default": "eu", "readonly": True},
}

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp, orm: str) -> Flask:
    app = make_app(CONFS, orm=orm, history=True)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    return app


def state_of(app: Flask) -> Any:
    return app.extensions["waffleconf"]


def values(app: Flask) -> dict[str, Any]:
    return {key: record.value for key, record in state_of(app).read().items()}


def buttons(page: str) -> list[str]:
    """What the page's undo buttons send."""
    return [html.unescape(value) for value in re.findall(r'name="undo" value="([^"]*)"', page)]


def test_page_shows_who_changed_what_when_and_why(app: Flask) -> None:
    state_of(app).update_db({"SITENAME": "Bar"}, actor="ben", note="because", source="cli")
    state_of(app).update_db({"SITENAME": "<b>Baz</b>", "SIZE": 5}, actor="ana")
    page = app.test_client().get(URL).text
    said = words(page)
    for part in ("ben", "ana", "because", "Command line", "Code", "Site name", "SIZE"):
        assert part in said
    assert re.search("Before Bar After <b>Baz</b>", said)
    assert "Before the default After 5" in said
    assert "<b>Baz" not in page
    assert str(dt.datetime.now(dt.UTC).year) in said


def test_page_without_changes_says_so(app: Flask) -> None:
    assert "No changes yet" in words(app.test_client().get(URL).text)


def test_page_without_a_history_says_how_to_have_one(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    for response in (client.get(URL), undo(client, "x")):
        assert response.status_code == 404
        assert "No history is kept" in words(response.text)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"one", "two", "three"}),
        ("?key=SITENAME", {"one", "three"}),
        ("?actor=ana", {"one"}),
        ("?source=api", {"three"}),
        ("?day=" + dt.datetime.now(dt.UTC).date().isoformat(), {"one", "two", "three"}),
        ("?day=2001-02-03", set()),
        ("?key=SITENAME&actor=ben", {"three"}),
        ("?before=nonsense", {"one", "two", "three"}),
        ("?day=31.01.2026", set()),
        ("?day=9999-12-31", set()),
        ("?day=0001-01-01", set()),
        ("?before=1", set()),
        ("?before=99999999999999999999", {"one", "two", "three"}),
        ("?key=NOTHING", set()),
    ],
)
def test_filters(app: Flask, query: str, shown: set[str]) -> None:
    state = state_of(app)
    state.update_db({"SITENAME": "A"}, actor="ana", note="note one")
    state.update_db({"HOURS": {}}, actor="ben", note="note two")
    state.update_db({"SITENAME": "B"}, actor="ben", note="note three", source="api")
    response = app.test_client().get(URL + query)
    assert response.status_code == 200
    assert set(re.findall(r"note (\w+)", words(response.text))) == shown


@pytest.mark.parametrize("database", ["file", "postgres", "mariadb"])
def test_what_no_database_holds_is_not_found_and_no_failure(
    make_app: MakeApp, orm: str, database: str, request: pytest.FixtureRequest
) -> None:
    url = None if database == "file" else request.getfixturevalue(f"{database}_url")
    app = make_app(CONFS, orm=orm, url=url, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    saved = state_of(app).update_db({"SIZE": 5})
    for query in ("actor=%00", "key=%00", "source=%00", "key=SIZE&actor=a%00"):
        response = client.get(f"{URL}?{query}")
        assert (response.status_code, "Nothing found" in response.text) == (200, True), query
    for before in (2**31, 10**17):
        assert "After 5" in words(client.get(f"{URL}?before={before}").text)
    history = state_of(app).history
    assert history.latest(["\0", "SIZE"]).keys() == {"SIZE"}
    assert [change.key for change in history.list(["\0", "SIZE"])] == ["SIZE"]
    assert history.of("\0") == []
    for name in ("\0", f"{saved.change_set} {10**17} \0", f"{saved.change_set}\0"):
        assert undo(client, name).status_code == 403
    assert undo(client, f"{saved.change_set} {10**17} SIZE").status_code == 303


def test_undo_in_the_address_bar_leads_to_the_history(app: Flask) -> None:
    response = app.test_client().get(f"{URL}/undo")
    assert (response.status_code, response.location) == (302, URL)


def test_pages_follow_each_other_by_cursor_and_keep_the_filter(app: Flask) -> None:
    state = state_of(app)
    for size in range(60):
        state.update_db({"SIZE": size}, actor="ana")
        state.update_db({"SITENAME": f"n{size}"}, actor="ben")
    client = app.test_client()
    url, found = f"{URL}?actor=ana", []
    while url:
        page = client.get(url).text
        state.update_db({"SITENAME": page[:9] + url}, actor="ana ")  # others go on saving
        found += re.findall(r"After (\d+)", words(page))
        older = re.search(r'rel="next" href="([^"]*)"', page)
        url = html.unescape(older[1]) if older else ""
    assert found == [str(size) for size in range(59, -1, -1)]


def test_a_day_has_all_that_its_clocks_said_on_pages_that_follow_each_other(app: Flask) -> None:
    """One host of two is a day slow: each third save is stamped by it."""
    state, day = state_of(app), dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    for number in range(160):
        at = day + dt.timedelta(minutes=number, days=-1 if number % 3 == 0 else 0)
        row = HistoryRow(f"{number}", "SIZE", None, serialize(number), "", at, "", "code")
        with app.app_context():
            state.configstore.add_history([row])
            state.configstore.commit()
    client = app.test_client()
    for asked, numbers in (
        ("2026-11-20", [n for n in range(160) if n % 3]),
        ("2026-11-19", [n for n in range(160) if n % 3 == 0]),
        ("2026-11-21", []),
    ):
        url, found = f"{URL}?day={asked}", []
        while url:
            page = client.get(url).text
            assert set(re.findall(r'<h2 id="wf-day-\d+"><time datetime="([^"]*)', page)) <= {asked}
            found += [int(number) for number in re.findall(r"After (\d+)", words(page))]
            older = re.search(r'rel="next" href="([^"]*)"', page)
            url = html.unescape(older[1]) if older else ""
        assert found == numbers[::-1]
    # Without a filter each save stands where it was made, under the day that its clock said.
    days = re.findall(r'<h2 id="wf-day-\d+"><time datetime="([^"]*)', client.get(URL).text)
    assert days[:3] == ["2026-11-19", "2026-11-20", "2026-11-19"]


def test_a_save_larger_than_a_page_says_that_it_goes_on(make_app: MakeApp) -> None:
    app = make_app({f"K{i}": {"default": 0} for i in range(60)}, history=True)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({f"K{i}": 1 for i in range(60)})
    client = app.test_client()
    page = client.get(URL).text
    assert page.count('wf-past-change"') == 50 and "see the next page" in page
    undo(client, buttons(page)[0])
    assert set(values(app).values()) == {0}


@pytest.mark.parametrize("overtaken", ["K0", "K59"])
def test_what_other_pages_have_of_a_save_counts_too(make_app: MakeApp, overtaken: str) -> None:
    app = make_app({f"K{i}": {"default": 0} for i in range(60)}, history=True)
    app.register_blueprint(WaffleAdmin())
    state, client = state_of(app), app.test_client()
    saved = state.update_db({f"K{i}": 1 for i in range(60)})

    def offered() -> list[bool]:
        first = client.get(URL).text
        second = client.get(html.unescape(re.findall(r'rel="next" href="([^"]*)"', first)[0])).text
        return [saved.change_set in buttons(page) for page in (first, second)]

    assert offered() == [True, True]
    state.update_db({overtaken: 2})
    assert offered() == [False, False]


def test_secrets_never_reach_the_page(app: Flask) -> None:
    state_of(app).update_db({"TOKEN": "s3cr3t"})
    state_of(app).update_db({"TOKEN": "0ther"})
    for url in (URL, f"{URL}?key=TOKEN"):
        page = app.test_client().get(url).text
        assert "s3cr3t" not in page and "0ther" not in page
        assert "Of a secret no value is kept" in words(page)
        assert buttons(page) == []


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("one\ntwo\nthree", "one\n2\nthree", "wf-diff"),
        ("word " * 20, "word " * 9 + "other " + "word " * 10, "<del>"),
        ("x" * 40_000, "y" * 40_000, "<del>"),
        ("a", "b", "wf-oldnew"),
        ("x" * 200_000, "y" * 200_000, "wf-oldnew"),
        ("x\n" * 3000, "y\n" * 3000, "wf-oldnew"),
        ("a b " * 2000, "b a " * 2000, "wf-oldnew"),
    ],
    ids=["lines", "words", "a long word", "short", "huge", "many lines", "many words"],
)
def test_long_texts_are_compared(app: Flask, old: str, new: str, kind: str) -> None:
    state_of(app).update_db({"SITENAME": old})
    state_of(app).update_db({"SITENAME": new})
    page = app.test_client().get(f"{URL}?key=SITENAME").text
    newest = page.partition('wf-past-change"')[2].partition("</article>")[0]
    assert kind in newest and len(page) < 50_000


def test_json_is_compared_line_by_line(app: Flask) -> None:
    hours = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}
    state_of(app).update_db({"HOURS": hours})
    state_of(app).update_db({"HOURS": hours | {"thu": []}})
    page = app.test_client().get(f"{URL}?key=HOURS").text
    said = words(page.replace("<main", "</article>").partition("</article>")[2])
    newest = said.partition("Put the old")[0]
    assert re.search(r'Added: +"thu": \[\]', newest) and re.search(r'Removed: +"thu": \[', newest)
    assert '"mon"' not in newest  # far from the difference


def test_undo_this_save(app: Flask) -> None:
    client = app.test_client()
    state_of(app).update_db({"SITENAME": "Bar", "SIZE": 5})
    (button,) = buttons(client.get(URL).text)
    response = undo(client, button)
    assert (response.status_code, response.location) == (303, URL)
    assert (values(app)["SITENAME"], values(app)["SIZE"]) == ("Waffle", 20)
    page = client.get(URL).text
    assert "Site name has its old value again." in words(page)
    newest = state_of(app).history.list(limit=1)[0]
    assert (newest.actor, newest.source) == ("ana", "undo")
    # Both can be undone once more: the newest save only.
    assert buttons(page) == [newest.change_set]


@pytest.mark.parametrize(
    ("later", "now", "offered"),
    [
        ({}, {}, True),
        ({"SIZE": 6}, {}, False),  # one of two: undoing it would be a conflict
        ({"SIZE": 6, "SITENAME": "Baz"}, {}, False),
        ({"TOKEN": "0ther"}, {}, True),  # left out in any case, like all of these
        ({"REGION": "asia"}, {}, True),
        ({"SIZE": 6}, {"SIZE": None}, True),
        ({"SIZE": 6}, {"SIZE": {"default": 5, "max": 9}}, True),
        ({"SIZE": 6}, {"SIZE": {"default": "many"}}, True),
        ({"SIZE": 6}, {"SITENAME": {"default": 1}}, False),
        ({}, {"SIZE": {"default": "many"}, "SITENAME": None}, False),
    ],
)
def test_undo_of_a_save_is_offered_exactly_where_it_will_work(
    app: Flask, later: dict[str, Any], now: dict[str, Any], offered: bool
) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"SIZE": 30})
    with client:
        saved = client.post(
            "/admin/config", data={"SITENAME": "Bar", "SIZE": "50", "TOKEN": "s3cr3t"}
        )
        assert saved.status_code == 303
    (change_set,) = {change.change_set for change in state.history.list(source="page")}
    if "REGION" in later:  # belongs to the same save, though nobody may undo it on the page
        change_set = state.update_db({"SITENAME": "Bär", "REGION": "us"}).change_set
    if later:
        state.update_db(later)
    confs = {**CONFS, **now}
    app.config["WAFFLE_CONFS"] = {key: conf for key, conf in confs.items() if conf is not None}
    assert (change_set in buttons(client.get(URL).text)) == offered
    if "REGION" not in later:
        assert (change_set in buttons(client.get("/admin/config").text)) == offered
    assert (undo(client, change_set).status_code == 303) == offered


def test_a_save_of_which_some_was_changed_again_says_so(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"SITENAME": "Bar", "SIZE": 50})
    assert "changed again since" not in words(client.get(URL).text)
    state.update_db({"SIZE": 6})
    page = client.get(URL).text
    older = words('id="wf-main"' + page.rpartition("<article")[2])
    assert "SIZE changed again since" in older and "SITENAME changed" not in older
    assert "so it can’t be undone as a whole" in older
    state.update_db({"SITENAME": "Baz"})  # of the save itself nothing is left to undo
    assert "changed again since" not in words(client.get(URL).text)


def test_put_one_value_back_from_its_own_history(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"SIZE": 5, "SITENAME": "Bar"})
    state.update_db({"SIZE": 6})
    state.update_db({"SIZE": 7})
    page = client.get(f"{URL}?key=SIZE").text
    assert len(buttons(page)) == 3
    response = undo(client, buttons(page)[1], key="SIZE")
    assert (response.status_code, response.location) == (303, f"{URL}?key=SIZE")
    assert (values(app)["SIZE"], values(app)["SITENAME"]) == (5, "Bar")
    offered = buttons(client.get(f"{URL}?key=SIZE").text)
    assert len(offered) == 3  # of four changes: what it has now is not offered
    undo(client, offered[-1])
    # The default, from before the first change; not what else that save changed.
    assert (values(app)["SIZE"], values(app)["SITENAME"]) == (20, "Bar")


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        ({}, [6, 5, 20]),
        ({"max": 5, "default": 1}, [5, 1]),
        ({"choices": [6, 7, 20]}, [6, 20]),
        ({"default": "many"}, ["many"]),
        ({"secret": True}, []),
        ({"readonly": True}, []),
    ],
    ids=["as before", "limit", "choice", "kind", "secret", "read-only"],
)
def test_an_old_value_is_offered_exactly_where_it_can_be_put_back(
    app: Flask, now: dict[str, Any], offered: list[Any]
) -> None:
    client, state = app.test_client(), state_of(app)
    for size in (5, 6, 7):
        state.update_db({"SIZE": size})
    app.config["WAFFLE_CONFS"] = {**CONFS, "SIZE": {"default": 20, **now}}
    found = buttons(client.get(f"{URL}?key=SIZE").text)
    assert len(found) == len(offered)
    for button, value in zip(found, offered, strict=True):
        last = state.history.list(limit=1)[0].id
        assert undo(client, re.sub(r" \d+ ", f" {last} ", button)).status_code == 303
        assert values(app)["SIZE"] == value


def test_code_of_the_app_is_asked_about_an_old_value_when_it_is_put_back(
    make_app: MakeApp,
) -> None:
    asked: list[Any] = []

    def ask(form: Any, field: Any) -> None:
        asked.append(field.data)
        if field.data == 5:
            raise ValueError("The server says no.")

    app = make_app({"SIZE": {"desc": "Page size", "default": 20}}, history=True)
    app.register_blueprint(WaffleAdmin())
    state, client = state_of(app), app.test_client()
    for size in (5, 6, 7):
        state.update_db({"SIZE": size})
    app.config["WAFFLE_CONFS"] = {"SIZE": {"default": 20, "validators": [ask]}}
    found = buttons(client.get(f"{URL}?key=SIZE").text)
    client.get(URL)
    assert (len(found), asked) == (3, [])
    response = undo(client, found[1], key="SIZE")
    assert response.status_code == 422 and "The server says no." in words(response.text)
    assert asked == [5] and values(app)["SIZE"] == 7
    client.post("/admin/config", data={"SIZE": "8"})
    asked.clear()
    assert 'name="undo"' in client.get("/admin/config").text and asked == []


def test_a_function_of_choices_is_not_asked_about_each_old_value(make_app: MakeApp) -> None:
    asked: list[None] = []

    def choices() -> list[int]:
        asked.append(None)
        return [*range(30)]

    app = make_app({"SIZE": {"default": 20, "choices": choices}}, history=True)
    app.register_blueprint(WaffleAdmin())
    state, client = state_of(app), app.test_client()
    counts = []
    for sizes in ((5, 6), range(7, 17)):
        for size in sizes:
            state.update_db({"SIZE": size})
        asked.clear()
        assert client.get(f"{URL}?key=SIZE").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_button_from_before_somebody_elses_change_is_a_conflict(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"SIZE": 5})
    whole = buttons(client.get(URL).text)[0]
    one = buttons(client.get(f"{URL}?key=SIZE").text)[0]
    state.update_db({"SIZE": 6})
    for button in (whole, one):
        response = undo(client, button)
        assert response.status_code == 409
        assert "Page size was changed again since" in words(response.text)
    assert values(app)["SIZE"] == 6


def test_a_number_too_large_to_be_one_is_no_mistake_of_ours(app: Flask) -> None:
    state = state_of(app)
    saved = state.update_db({"SIZE": 5})
    state.update_db({"SIZE": 6})
    # As without the number: nothing may have followed.
    assert undo(app.test_client(), f"{saved.change_set} {'1' * 5000} SIZE").status_code == 409
    assert values(app)["SIZE"] == 6


def test_an_undo_keeps_the_filter(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    saved = state.update_db({"SIZE": 5}, actor="ben", source="api")
    page = client.get(f"{URL}?key=SIZE&actor=ben&source=api").text
    form = page.partition('id="wf-undo"')[2].partition("</form>")[0]
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', form))
    sent.pop("csrf_token", None)
    assert sent == {"key": "SIZE", "actor": "ben", "source": "api"}
    state.update_db({"SIZE": 6})
    failed = undo(client, saved.change_set, **sent)
    assert failed.status_code == 409 and '<input name="actor" value="ben"' in failed.text
    assert 'value="SIZE" selected' in failed.text and 'value="api" selected' in failed.text
    done = undo(client, f"{saved.change_set} {state.history.list()[0].id} SIZE", **sent)
    assert done.location == f"{URL}?key=SIZE&actor=ben&source=api"


def test_what_is_left_out_is_said(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"SITENAME": "Bar", "SIZE": 50, "TOKEN": "x", "REGION": "us"})
    saved = state.history.undo(state.history.list()[0].change_set)
    app.config["WAFFLE_CONFS"] = {**CONFS, "SIZE": {"desc": "Page size", "default": 5, "max": 9}}
    undo(client, saved.change_set)
    said = words(client.get(URL).text)
    assert "Site name has its old value again." in said
    assert re.search("Page size: .*At most 9", said)
    assert "Region: You may not change it." in said
    assert undo(client, saved.change_set).status_code == 303  # what can be undone is
    assert "Region: You may not change it." in words(client.get(URL).text)


def test_settings_gone_from_the_code_say_so(app: Flask) -> None:
    state_of(app).update_db({"SIZE": 5})
    app.config["WAFFLE_CONFS"] = {key: conf for key, conf in CONFS.items() if key != "SIZE"}
    client = app.test_client()
    page = client.get(URL).text
    assert "no longer a setting" in words(page) and "SIZE" in words(page)
    assert buttons(page) == []
    change_set = state_of(app).history.list()[0].change_set
    assert undo(client, change_set).status_code == 403


def test_a_secret_gone_from_the_code_shows_nothing_of_what_it_was_before(app: Flask) -> None:
    state = state_of(app)
    state.update_db({"SITENAME": "s3cr3t"})
    state.update_db({"SITENAME": "0ther"})
    without = {key: conf for key, conf in CONFS.items() if key != "SITENAME"}
    for confs in ({**CONFS, "SITENAME": {"default": "", "secret": True}}, without):
        app.config["WAFFLE_CONFS"] = confs
        for url in (URL, f"{URL}?key=SITENAME"):
            page = app.test_client().get(url).text
            assert "Changed." in words(page)
            assert "s3cr3t" not in page and "0ther" not in page
    app.config["WAFFLE_CONFS"] = CONFS
    assert "s3cr3t" in app.test_client().get(URL).text


def test_rules_across_settings_refuse_an_undo(make_app: MakeApp) -> None:
    def validate(new: Any) -> Any:
        return {"SITENAME": "Name it first."} if new["SITENAME"] == "Waffle" else {}

    app = make_app({**CONFS, "SITENAME": {"default": "Waffle"}}, history=True, validate=validate)
    app.register_blueprint(WaffleAdmin())
    saved = state_of(app).update_db({"SITENAME": "Bar"})
    response = undo(app.test_client(), saved.change_set)
    assert response.status_code == 422 and "Name it first." in words(response.text)


def test_an_undo_tells_nothing_of_settings_that_one_may_not_see(make_app: MakeApp) -> None:
    def validate(new: Any) -> Any:
        problems = {"SITENAME": "SITENAME is 42", "REGION": "REGION is 43", "SIZE": "Too small."}
        return problems if new["SIZE"] == 20 else {}

    app = make_app(CONFS, history=True, validate=validate)
    app.register_blueprint(WaffleAdmin(groups=["Shop"]))
    saved = state_of(app).update_db({"SIZE": 5})
    response = undo(app.test_client(), saved.change_set)
    said = words(response.text)
    assert response.status_code == 422 and "Page size: Too small." in said
    assert said.count("A rule about a setting that is not on this page") == 1
    assert not re.search("SITENAME|REGION|Site name|Region|is 4", response.text)


@pytest.mark.parametrize("text", ["", "Save", "%"])
def test_what_a_rule_says_is_not_translated(make_app: MakeApp, text: str) -> None:
    """Not even where our catalogue has the same words; of none it has its own header."""
    app = make_app(CONFS, history=True, validate=lambda new: {"SIZE": text} if new["SIZE"] else {})
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"SIZE": 0})
    saved = state_of(app).history.list()[0]
    response = undo(app.test_client(), saved.change_set)
    assert response.status_code == 422
    assert f"<li>Page size: {text}</li>" in response.text


def test_unknown_saves_are_refused(app: Flask) -> None:
    for value in ("", "0" * 32, "x y z", f"{'0' * 32} 5 SIZE", "\0"):
        assert undo(app.test_client(), value).status_code in (403, 422)


def test_csrf_token_is_asked_for(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    saved, client = state_of(app).update_db({"SIZE": 5}), app.test_client()
    response = undo(client, saved.change_set)
    assert response.status_code == 422 and "CSRF" in words(response.text)
    assert values(app)["SIZE"] == 5
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', client.get(URL).text)
    assert token
    assert undo(client, saved.change_set, csrf_token=token[1]).status_code == 303
    assert values(app)["SIZE"] == 20


def test_under_an_app_wide_csrf_protection_an_undo_works_and_an_old_token_is_told(
    make_app: MakeApp,
) -> None:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    CSRFProtect(app)
    saved, client = state_of(app).update_db({"SIZE": 5}), app.test_client()
    page = client.get(URL).text
    response = undo(client, saved.change_set, csrf_token="old")
    assert response.status_code == 422 and "CSRF" in words(response.text)
    assert saved.change_set in " ".join(buttons(response.text)) and values(app)["SIZE"] == 5
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', page)
    assert token
    assert undo(client, saved.change_set, csrf_token=token[1]).status_code == 303
    assert values(app)["SIZE"] == 20


def test_undo_from_the_settings_page_goes_back_there(app: Flask) -> None:
    saved = state_of(app).update_db({"SIZE": 5})
    response = undo(app.test_client(), saved.change_set, back="index")
    assert response.location.rstrip("/") == "/admin/config"


def test_works_without_secret_key(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    saved, client = state_of(app).update_db({"SIZE": 5}), app.test_client()
    assert client.get(URL).status_code == 200
    assert undo(client, saved.change_set).status_code == 303


def test_database_away_answers_503(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = state_of(app)
    saved = state.update_db({"SIZE": 5})

    def away(*args: Any, **options: Any) -> Any:
        raise StoreError("driver text")

    monkeypatch.setattr(state.configstore, "swap", away)
    response = undo(app.test_client(), saved.change_set)
    assert response.status_code == 503 and "not work at the moment" in response.text
    monkeypatch.setattr(state.configstore, "read_history", away)
    response = app.test_client().get(URL)
    assert response.status_code == 503 and "driver text" not in response.text
    assert "driver text" in caplog.text


def test_page_fits_into_a_layout_of_the_app(make_app: MakeApp, tmp_path: Any) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text(
        "<i>ours</i>{% block content %}{% endblock %}"
    )
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(layout="base.html"))
    state_of(app).update_db({"SIZE": 5})
    page = app.test_client().get(URL).text
    assert "<i>ours</i>" in page and "After" in page and "<body" not in page


# Rights


def rights(make_app: MakeApp, *allowed: tuple[str, str], groups: Any = None) -> Any:
    """A client of an app where (action, key) pairs are allowed."""
    app = make_app(CONFS, history=True, TESTING=False)
    app.register_blueprint(
        WaffleAdmin(can=lambda action, s: (action, s.key) in allowed, groups=groups)
    )
    state_of(app).update_db({"SITENAME": "Bar", "SIZE": 5}, actor="ben")
    return app.test_client()


SEE = (("view", "SIZE"), ("history", "SIZE"))
ALL = tuple((action, key) for action in ("view", "edit", "history") for key in CONFS)


@pytest.mark.parametrize("allowed", [(), (("view", "SIZE"),), (("history", "SIZE"),)])
def test_history_needs_the_rights_to_view_and_to_history(make_app: MakeApp, allowed: Any) -> None:
    client = rights(make_app, *allowed)
    assert client.get(URL).status_code == 403
    change_set = state_of(client.application).history.list()[0].change_set
    assert undo(client, change_set).status_code == 403


def test_only_settings_that_one_may_see_are_listed(make_app: MakeApp) -> None:
    client = rights(make_app, *SEE)
    for url in (URL, f"{URL}?key=SITENAME", f"{URL}?actor=ben"):
        page = client.get(url).text
        assert "Bar" not in page and "Site name" not in page
        assert buttons(page) == []
    assert "After 5" in words(client.get(URL).text)


def test_undo_leaves_alone_what_one_may_not_edit(make_app: MakeApp) -> None:
    client = rights(make_app, *SEE, ("edit", "SIZE"), ("edit", "SITENAME"))
    (button,) = buttons(client.get(URL).text)
    assert undo(client, button).status_code == 303
    assert (values(client.application)["SITENAME"], values(client.application)["SIZE"]) == (
        "Bar",
        20,
    )
    assert "SITENAME" not in client.get(URL).text  # nor is it told that there was more


def test_settings_gone_are_shown_to_who_may_see_all_only(make_app: MakeApp) -> None:
    client = rights(make_app, *ALL)
    other = rights(make_app, *(pair for pair in ALL if pair != ("history", "REGION")))
    for each, seen in ((client, True), (other, False)):
        each.application.config["WAFFLE_CONFS"] = {k: c for k, c in CONFS.items() if k != "SIZE"}
        for url in (URL, f"{URL}?key=SIZE"):
            said = words(each.get(url).text)
            assert ("What is no longer a setting shows no values" in said) == seen
            assert "After 5" not in said


def test_a_page_of_groups_has_nothing_of_settings_gone(make_app: MakeApp) -> None:
    client = rights(make_app, *ALL, groups=["", "Shop"])  # all groups there are now
    client.application.config["WAFFLE_CONFS"] = {k: c for k, c in CONFS.items() if k != "SIZE"}
    said = words(client.get(URL).text)
    assert "Bar" in said and "SIZE" not in said


def test_a_page_of_some_groups_has_their_history_only(make_app: MakeApp) -> None:
    client = rights(make_app, *ALL, groups=["Shop"])
    said = words(client.get(URL).text)
    assert "After 5" in said and "Bar" not in said
    undo(client, buttons(client.get(URL).text)[0])
    assert values(client.application)["SITENAME"] == "Bar"


# Actor


def test_actor_is_flask_logins_user_where_nobody_says_otherwise(make_app: MakeApp) -> None:
    from flask_login import LoginManager, UserMixin, login_user

    class User(UserMixin):
        id = "ana"

    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    LoginManager(app).user_loader(lambda name: User())
    app.add_url_rule("/login", "login", lambda: str(login_user(User())))
    client = app.test_client()
    client.post("/admin/config", data={"SIZE": "6"})
    client.get("/login")
    client.post("/admin/config", data={"SIZE": "7"})
    changes = state_of(app).history.list()
    assert [(c.actor, c.source) for c in changes] == [("ana", "page"), ("", "page")]


def test_a_conflict_says_who_was_faster(app: Flask) -> None:
    client = app.test_client()
    state_of(app).update_db({"SITENAME": "Bar"}, actor="eve")
    page = client.get("/admin/config").text
    token = re.search(r'name="waffle_token" value="([^"]*)"', page)
    assert token, page
    # Theirs is the default, so without the conflict nobody would be told of.
    state_of(app).update_db({"SITENAME": "Waffle"}, actor="ben")
    answer = client.post(
        "/admin/config", data={"waffle_token": html.unescape(token[1]), "SITENAME": "Mine"}
    )
    assert "Keep theirs ben, just now" in words(answer.text)


def test_settings_page_costs_one_more_statement(make_app: MakeApp) -> None:
    import sqlalchemy as sa

    counts = []
    for history in (False, True):
        app = make_app(CONFS, history=history, url=":memory:")
        app.register_blueprint(WaffleAdmin())
        state_of(app).update_db({"SIZE": 5})
        seen: list[str] = []
        with app.app_context():
            engine = app.waffle_db.engine  # type: ignore[attr-defined]
        sa.event.listen(engine, "before_cursor_execute", lambda *a, seen=seen: seen.append(a[2]))
        assert app.test_client().get("/admin/config").status_code == 200
        counts.append(len(seen))
    assert counts[1] - counts[0] <= 1


@pytest.mark.parametrize("way", ["save", "one value"])
def test_a_second_click_on_undo_says_that_it_is_done(app: Flask, way: str) -> None:
    client, state = app.test_client(), state_of(app)
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 5, "TOKEN": "t"})
    last = state.history.latest(["SITENAME"])["SITENAME"].id
    value = saved.change_set if way == "save" else f"{saved.change_set} {last} SITENAME"
    for _click in range(2):
        response = undo(client, value)
        assert response.status_code == 303
        assert "Site name has its old value again." in client.get(URL).text
    assert len(state.history.list("SITENAME")) == 2


@pytest.mark.parametrize("later", [{"SITENAME": "Later"}, {"SIZE": 7}])
def test_what_was_changed_after_an_undo_is_overtaken_all_the_same(
    app: Flask, later: dict[str, Any]
) -> None:
    client, state = app.test_client(), state_of(app)
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 5})
    undo(client, saved.change_set)
    state.update_db(later)
    assert undo(client, saved.change_set).status_code == 409
    assert later.items() <= values(app).items()
