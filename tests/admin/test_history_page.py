"""The history page: what it shows."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest
from flask import Flask
from pages import (
    HISTORY,
    HISTORY_CONFS,
    MakeApp,
    buttons,
    state_of,
    stored,
    undo,
    words,
)

from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.codec import serialize
from waffleconf_admin.store import HistoryRow


def test_the_history_shows_who_changed_what_when_and_why(history_app: Flask) -> None:
    state_of(history_app).update_db({"SITENAME": "Bar"}, actor="ben", note="because", source="cli")
    state_of(history_app).update_db({"SITENAME": "<b>Baz</b>", "SIZE": 5}, actor="ana")
    page = history_app.test_client().get(HISTORY).text
    said = words(page)
    for part in ("ben", "ana", "because", "Command line", "Code", "Site name", "SIZE"):
        assert part in said
    assert re.search("Before Bar After <b>Baz</b>", said)
    assert "Before the default After 5" in said
    assert "<b>Baz" not in page
    assert str(dt.datetime.now(dt.UTC).year) in said


def test_a_history_without_changes_says_so(history_app: Flask) -> None:
    assert "No changes yet" in words(history_app.test_client().get(HISTORY).text)


def test_an_app_without_a_history_gets_the_way_to_have_one(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    for response in (client.get(HISTORY), undo(client, "x")):
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
def test_the_address_filters_the_history(history_app: Flask, query: str, shown: set[str]) -> None:
    state = state_of(history_app)
    state.update_db({"SITENAME": "A"}, actor="ana", note="note one")
    state.update_db({"HOURS": {}}, actor="ben", note="note two")
    state.update_db({"SITENAME": "B"}, actor="ben", note="note three", source="api")
    response = history_app.test_client().get(HISTORY + query)
    assert response.status_code == 200
    assert set(re.findall(r"note (\w+)", words(response.text))) == shown


@pytest.mark.parametrize("database", ["file", "postgres", "mariadb"])
def test_a_filter_that_no_database_can_hold_finds_nothing(
    make_app: MakeApp, orm: str, database: str, request: pytest.FixtureRequest
) -> None:
    url = None if database == "file" else request.getfixturevalue(f"{database}_url")
    app = make_app(HISTORY_CONFS, orm=orm, url=url, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    saved = state_of(app).update_db({"SIZE": 5})
    for query in ("actor=%00", "key=%00", "source=%00", "key=SIZE&actor=a%00"):
        response = client.get(f"{HISTORY}?{query}")
        assert (response.status_code, "Nothing found" in response.text) == (200, True), query
    for before in (2**31, 10**17):
        assert "After 5" in words(client.get(f"{HISTORY}?before={before}").text)
    history = state_of(app).history
    assert history.latest(["\0", "SIZE"]).keys() == {"SIZE"}
    assert [change.key for change in history.list(["\0", "SIZE"])] == ["SIZE"]
    assert history.of("\0") == []
    for name in ("\0", f"{saved.change_set} {10**17} \0", f"{saved.change_set}\0"):
        assert undo(client, name).status_code == 403
    assert undo(client, f"{saved.change_set} {10**17} SIZE").status_code == 303


def test_undo_in_the_address_bar_leads_to_the_history(history_app: Flask) -> None:
    response = history_app.test_client().get(f"{HISTORY}/undo")
    assert (response.status_code, response.location) == (302, HISTORY)


def test_pages_follow_each_other_by_cursor_and_keep_the_filter(history_app: Flask) -> None:
    state = state_of(history_app)
    for size in range(60):
        state.update_db({"SIZE": size}, actor="ana")
        state.update_db({"SITENAME": f"n{size}"}, actor="ben")
    client = history_app.test_client()
    url, found = f"{HISTORY}?actor=ana", []
    while url:
        page = client.get(url).text
        state.update_db({"SITENAME": page[:9] + url}, actor="ana ")  # others go on saving
        found += re.findall(r"After (\d+)", words(page))
        older = re.search(r'rel="next" href="([^"]*)"', page)
        url = html.unescape(older[1]) if older else ""
    assert found == [str(size) for size in range(59, -1, -1)]


def test_a_day_lists_changes_by_their_time_over_several_pages(history_app: Flask) -> None:
    """One host of two is a day slow: each third save is stamped by it."""
    state, day = state_of(history_app), dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
    for number in range(160):
        at = day + dt.timedelta(minutes=number, days=-1 if number % 3 == 0 else 0)
        row = HistoryRow(f"{number}", "SIZE", None, serialize(number), "", at, "", "code")
        with history_app.app_context():
            state.configstore.add_history([row])
            state.configstore.commit()
    client = history_app.test_client()
    for asked, numbers in (
        ("2026-11-20", [n for n in range(160) if n % 3]),
        ("2026-11-19", [n for n in range(160) if n % 3 == 0]),
        ("2026-11-21", []),
    ):
        url, found = f"{HISTORY}?day={asked}", []
        while url:
            page = client.get(url).text
            assert set(re.findall(r'<h2 id="wf-day-\d+"><time datetime="([^"]*)', page)) <= {asked}
            found += [int(number) for number in re.findall(r"After (\d+)", words(page))]
            older = re.search(r'rel="next" href="([^"]*)"', page)
            url = html.unescape(older[1]) if older else ""
        assert found == numbers[::-1]
    # Without a filter each save stands where it was made, under the day that its clock said.
    days = re.findall(r'<h2 id="wf-day-\d+"><time datetime="([^"]*)', client.get(HISTORY).text)
    assert days[:3] == ["2026-11-19", "2026-11-20", "2026-11-19"]


def test_a_save_larger_than_a_page_says_that_it_goes_on(make_app: MakeApp) -> None:
    app = make_app({f"K{i}": {"default": 0} for i in range(60)}, history=True)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({f"K{i}": 1 for i in range(60)})
    client = app.test_client()
    page = client.get(HISTORY).text
    assert page.count('wf-past-change"') == 50 and "see the next page" in page
    undo(client, buttons(page)[0])
    assert set(stored(app).values()) == {0}


@pytest.mark.parametrize("overtaken", ["K0", "K59"])
def test_a_save_on_two_pages_is_judged_as_a_whole(make_app: MakeApp, overtaken: str) -> None:
    app = make_app({f"K{i}": {"default": 0} for i in range(60)}, history=True)
    app.register_blueprint(WaffleAdmin())
    state, client = state_of(app), app.test_client()
    saved = state.update_db({f"K{i}": 1 for i in range(60)})

    def offered() -> list[bool]:
        first = client.get(HISTORY).text
        second = client.get(html.unescape(re.findall(r'rel="next" href="([^"]*)"', first)[0])).text
        return [saved.change_set in buttons(page) for page in (first, second)]

    assert offered() == [True, True]
    state.update_db({overtaken: 2})
    assert offered() == [False, False]


def test_the_history_shows_no_secret(history_app: Flask) -> None:
    state_of(history_app).update_db({"TOKEN": "s3cr3t"})
    state_of(history_app).update_db({"TOKEN": "0ther"})
    for url in (HISTORY, f"{HISTORY}?key=TOKEN"):
        page = history_app.test_client().get(url).text
        assert "s3cr3t" not in page and "0ther" not in page
        assert "The history shows no values of secrets" in words(page)
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
def test_long_texts_are_compared(history_app: Flask, old: str, new: str, kind: str) -> None:
    state_of(history_app).update_db({"SITENAME": old})
    state_of(history_app).update_db({"SITENAME": new})
    page = history_app.test_client().get(f"{HISTORY}?key=SITENAME").text
    newest = page.partition('wf-past-change"')[2].partition("</article>")[0]
    assert kind in newest and len(page) < 50_000


def test_json_is_compared_line_by_line(history_app: Flask) -> None:
    hours = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}
    state_of(history_app).update_db({"HOURS": hours})
    state_of(history_app).update_db({"HOURS": hours | {"thu": []}})
    page = history_app.test_client().get(f"{HISTORY}?key=HOURS").text
    said = words(page.replace("<main", "</article>").partition("</article>")[2])
    newest = said.partition("Put the old")[0]
    assert re.search(r'Added: +"thu": \[\]', newest) and re.search(r'Removed: +"thu": \[', newest)
    assert '"mon"' not in newest  # far from the difference


def test_a_removed_setting_says_so(history_app: Flask) -> None:
    state_of(history_app).update_db({"SIZE": 5})
    history_app.config["WAFFLE_CONFS"] = {
        key: conf for key, conf in HISTORY_CONFS.items() if key != "SIZE"
    }
    client = history_app.test_client()
    page = client.get(HISTORY).text
    assert "no longer a setting" in words(page) and "SIZE" in words(page)
    assert buttons(page) == []
    change_set = state_of(history_app).history.list()[0].change_set
    assert undo(client, change_set).status_code == 403


def test_a_removed_secret_shows_no_value(history_app: Flask) -> None:
    state = state_of(history_app)
    state.update_db({"SITENAME": "s3cr3t"})
    state.update_db({"SITENAME": "0ther"})
    without = {key: conf for key, conf in HISTORY_CONFS.items() if key != "SITENAME"}
    for confs in ({**HISTORY_CONFS, "SITENAME": {"default": "", "secret": True}}, without):
        history_app.config["WAFFLE_CONFS"] = confs
        for url in (HISTORY, f"{HISTORY}?key=SITENAME"):
            page = history_app.test_client().get(url).text
            assert "Changed." in words(page)
            assert "s3cr3t" not in page and "0ther" not in page
    history_app.config["WAFFLE_CONFS"] = HISTORY_CONFS
    assert "s3cr3t" in history_app.test_client().get(HISTORY).text


def test_the_history_works_without_a_secret_key(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS, history=True, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    saved, client = state_of(app).update_db({"SIZE": 5}), app.test_client()
    assert client.get(HISTORY).status_code == 200
    assert undo(client, saved.change_set).status_code == 303


def test_database_away_answers_503(
    history_app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    state = state_of(history_app)
    saved = state.update_db({"SIZE": 5})

    def away(*args: Any, **options: Any) -> Any:
        raise StoreError("driver text")

    monkeypatch.setattr(state.configstore, "swap", away)
    response = undo(history_app.test_client(), saved.change_set)
    assert response.status_code == 503 and "not work at the moment" in response.text
    monkeypatch.setattr(state.configstore, "read_history", away)
    response = history_app.test_client().get(HISTORY)
    assert response.status_code == 503 and "driver text" not in response.text
    assert "driver text" in caplog.text


def test_the_history_fits_into_a_layout_of_the_app(make_app: MakeApp, tmp_path: Any) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text(
        "<i>ours</i>{% block content %}{% endblock %}"
    )
    app = make_app(HISTORY_CONFS, history=True)
    app.register_blueprint(WaffleAdmin(layout="base.html"))
    state_of(app).update_db({"SIZE": 5})
    page = app.test_client().get(HISTORY).text
    assert "<i>ours</i>" in page and "After" in page and "<body" not in page
