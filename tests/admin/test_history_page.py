"""The history page: what it shows."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import Babel
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

TODAY = dt.datetime.now(dt.UTC).date().isoformat()


def test_the_history_shows_who_changed_what_when_and_why(history_app: Flask) -> None:
    state_of(history_app).update_db({"SITENAME": "Bar"}, actor="ben", note="because", source="cli")
    state_of(history_app).update_db({"SITENAME": "<b>Baz</b>", "SIZE": 5}, actor="ana")
    page = history_app.test_client().get(HISTORY).text
    said = words(page)
    for part in ("ben", "ana", "because", "Command line", "Code", "Site name", "Page size"):
        assert part in said
    assert "Before Bar → After <b>Baz</b>" in said
    assert "Before 20 (default) → After 5" in said
    assert "<b>Baz" not in page
    assert str(dt.datetime.now(dt.UTC).year) in said


def test_a_history_without_changes_says_so(history_app: Flask) -> None:
    assert "No changes yet" in words(history_app.test_client().get(HISTORY).text)


def test_an_app_without_a_history_gets_the_way_to_have_one(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    compare = f"{HISTORY}/compare"
    answers = (client.get(HISTORY), undo(client, "x"), client.get(compare), client.post(compare))
    for response in answers:
        assert response.status_code == 404
        assert "There is no history" in words(response.text)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", {"one", "two", "three"}),
        ("?key=SITENAME", {"one", "three"}),
        ("?actor=ana", {"one"}),
        ("?source=api", {"three"}),
        ("?actor=EN", {"two", "three"}),
        ("?actor=%25", set()),
        ("?actor=_n", set()),
        ("?key=site", {"one", "three"}),
        ("?key=Opening+Hours", {"two"}),
        ("?key=o", {"two"}),
        (f"?since={TODAY}", {"one", "two", "three"}),
        (f"?until={TODAY}", {"one", "two", "three"}),
        (f"?since={TODAY}&until={TODAY}", {"one", "two", "three"}),
        ("?since=2999-02-03", set()),
        ("?until=2001-02-03", set()),
        ("?key=SITENAME&actor=ben", {"three"}),
        ("?before=nonsense", {"one", "two", "three"}),
        ("?since=31.01.2026", set()),
        ("?until=9999-12-31", set()),
        ("?since=0001-01-01", set()),
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
        url, found = f"{HISTORY}?since={asked}&until={asked}", []
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


@pytest.mark.parametrize(("count", "has_more"), [(50, False), (51, True)])
def test_a_page_leads_to_the_next_where_there_is_one(
    make_app: MakeApp, count: int, has_more: bool
) -> None:
    app = make_app({f"K{i}": {"default": 0} for i in range(count)}, history=True)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({f"K{i}": 1 for i in range(count)})
    assert ('rel="next"' in app.test_client().get(HISTORY).text) is has_more


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
        assert "changed (secret)" in words(page)
        assert buttons(page) == []


@pytest.mark.parametrize(
    ("old", "new", "shown"),
    [
        ("one\ntwo\nthree", "one\n2\nthree", "Removed: two Added: 2 three"),
        ("word " * 20, "word " * 9 + "other " + "word " * 10, "word word other word word"),
        ("a", "b", "Before a → After b"),
        ("a", "a" * 61, "a" * 61),
        ("x" * 200_000, "y" * 200_000, "x… yyyy"),
        ("x\n" * 3000, "y\n" * 3000, "First differs at line 1 of 3001"),
        ("s\n" * 3000 + "x", "s\n" * 3000 + "y", "Removed: x Added: y"),
    ],
    ids=["lines", "words", "short", "a word", "a long word", "many lines", "one of many lines"],
)
def test_of_long_texts_the_difference_is_shown(
    history_app: Flask, old: str, new: str, shown: str
) -> None:
    state_of(history_app).update_db({"SITENAME": old})
    state_of(history_app).update_db({"SITENAME": new})
    page = history_app.test_client().get(f"{HISTORY}?key=SITENAME").text
    newest = page.partition("<article")[2].partition("</article>")[0]
    assert shown in words(f'id="wf-main"{newest}') and len(page) < 20_000


def test_json_is_compared_line_by_line(history_app: Flask) -> None:
    hours = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat")}
    state_of(history_app).update_db({"HOURS": hours})
    state_of(history_app).update_db({"HOURS": hours | {"thu": []}})
    page = history_app.test_client().get(f"{HISTORY}?key=HOURS").text
    newest = words(page).partition("Put the old")[0]
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
            assert "changed (" in words(page)
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


def test_the_filter_offers_who_made_the_last_changes(history_app: Flask) -> None:
    state = state_of(history_app)
    for size, actor in enumerate(["ben", "ana", "ben", None]):
        state.update_db({"SIZE": size}, actor=actor)
    page = history_app.test_client().get(HISTORY).text
    actors = page.partition('<datalist id="wf-past-actors">')[2].partition("</datalist>")[0]
    assert re.findall('value="([^"]*)"', actors) == ["ana", "ben"]


def test_the_filter_offers_nobody_who_changed_only_what_others_may_see(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: setting.key == "SIZE"))
    state_of(app).update_db({"SITENAME": "Bar"}, actor="ben")
    state_of(app).update_db({"SIZE": 5}, actor="ana")
    page = app.test_client().get(HISTORY).text
    assert '<option value="ana">' in page and "ben" not in page


def add_changes(app: Flask, *times: dt.datetime) -> None:
    """Add a change of SIZE for each of these times."""
    for number, at in enumerate(times):
        row = HistoryRow(f"{number}", "SIZE", None, serialize(number), "", at, "", "code")
        with app.app_context():
            state_of(app).configstore.add_history([row])
            state_of(app).configstore.commit()


@pytest.mark.parametrize(
    ("locale", "zone", "heading", "times"),
    [
        ("es", "Europe/Madrid", "viernes, 20 de noviembre de 2026", ["00:30", "23:30"]),
        ("en", "America/New_York", "Friday, November 20, 2026", ["17:30"]),
        ("en", None, "Friday, November 20, 2026", ["22:30"]),
        (None, None, "Friday, 20 November 2026", ["22:30"]),
    ],
    ids=["Madrid", "New York", "Babel's own", "without Babel"],
)
def test_days_and_times_are_those_of_the_reader(
    make_app: MakeApp, locale: str | None, zone: str | None, heading: str, times: list[str]
) -> None:
    app = make_app(HISTORY_CONFS, history=True)
    if locale:
        Babel(app, locale_selector=lambda: locale, timezone_selector=lambda: zone)
    app.register_blueprint(WaffleAdmin())
    night = dt.datetime(2026, 11, 19, 23, 30, tzinfo=dt.UTC)
    add_changes(app, night, night + dt.timedelta(hours=23), night + dt.timedelta(hours=34))
    page = app.test_client().get(f"{HISTORY}?since=2026-11-20&until=2026-11-20").text
    assert f">{heading}</time></h2>" in page and page.count("</time></h2>") == 1
    assert (zone or "UTC") in words(page)
    found = re.findall(r'<time datetime="[^"]*" title="[^"]*">([\d:]*)</time>', page)
    assert sorted(found) == times


SANTIAGO = "America/Santiago"  # its clocks go forward at midnight


@pytest.mark.parametrize("zone", [SANTIAGO, ZoneInfo(SANTIAGO)], ids=["name", "zone"])
def test_a_day_whose_midnight_is_skipped_begins_with_its_first_hour(
    make_app: MakeApp, zone: Any
) -> None:
    app = make_app(HISTORY_CONFS, history=True)
    Babel(app, timezone_selector=lambda: zone)
    app.register_blueprint(WaffleAdmin())
    first, minute = dt.datetime(2026, 9, 6, 4, tzinfo=dt.UTC), dt.timedelta(minutes=1)
    add_changes(app, first - minute, first)
    page = app.test_client().get(f"{HISTORY}?since=2026-09-06&until=2026-09-06").text
    assert re.findall(r"After (\d)", words(page)) == ["1"]


@pytest.mark.parametrize("zone", ["Europe/Berlin", ZoneInfo("Europe/Berlin")], ids=["name", "zone"])
def test_a_day_that_the_clocks_go_back_has_25_hours(make_app: MakeApp, zone: Any) -> None:
    app = make_app(HISTORY_CONFS, history=True)
    Babel(app, timezone_selector=lambda: zone)
    app.register_blueprint(WaffleAdmin())
    first, last = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, 22, 59)
    minute = dt.timedelta(minutes=1)
    last = last.replace(tzinfo=dt.UTC)
    add_changes(app, first - minute, first, last, last + minute)
    page = app.test_client().get(f"{HISTORY}?since=2026-10-25&until=2026-10-25").text
    assert "Times: Europe/Berlin" in words(page)
    assert re.findall(r"After (\d)", words(page)) == ["2", "1"]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"SIZE": 5}, "Page size Before 20 (default) → After 5"),
        ({"SITENAME": ""}, "Site name Before Waffle (default) → After empty"),
        ({"SITENAME": "x" * 99}, f"Site name from the default Waffle {'x' * 99}"),
        ({"TOKEN": "s3cr3t"}, "Upload token changed (secret)"),
    ],
    ids=["a number", "blank", "long", "a secret"],
)
def test_a_change_is_one_line_with_the_value_of_the_default(
    history_app: Flask, change: dict[str, Any], line: str
) -> None:
    state_of(history_app).update_db(change)
    assert line in words(history_app.test_client().get(HISTORY).text)


def test_a_reset_is_shown_with_the_value_of_the_default(history_app: Flask) -> None:
    state_of(history_app).update_db({"SIZE": 5, "SITENAME": "x\n" * 9})
    state_of(history_app).reset(["SIZE", "SITENAME"])
    page = words(history_app.test_client().get(HISTORY).text)
    assert "Before 5 → After 20 (default)" in page
    assert "Site name back to the default" in page and "Added: Waffle" in page


def test_a_save_of_many_settings_is_folded(make_app: MakeApp) -> None:
    app = make_app({f"K{i}": {"default": 0} for i in range(40)}, history=True)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({f"K{i}": 1 for i in range(40)})
    page = app.test_client().get(HISTORY).text
    summary = words('id="wf-main"' + page.partition("<summary")[2].partition("</summary>")[0])
    assert summary == "> 40 settings K0, K1, K2, K3, K4 …"


def test_the_last_seven_days_are_one_click(history_app: Flask) -> None:
    page = history_app.test_client().get(f"{HISTORY}?key=SIZE&until=2026-01-01").text
    since = dt.datetime.now(dt.UTC).date() - dt.timedelta(days=6)
    assert f'href="{HISTORY}?key=SIZE&amp;since={since}">Last 7 days</a>' in page
