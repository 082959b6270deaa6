"""The three-way merge: what the page had shown, what is stored, what was sent."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from every_type import CONFS as EVERY_TYPE_CONFS
from every_type import VALUES, in_order
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from submissions import CONFS, EDITABLE, Page, posted, store, stored

from waffleconf_admin.exceptions import ConflictError
from waffleconf_admin.forms import show_text
from waffleconf_admin.forms.merge import decide
from waffleconf_admin.forms.submission import UNKNOWN
from waffleconf_admin.settings.equality import same


@pytest.mark.parametrize(
    ("shown", "stored", "sent", "decision"),
    [
        # nobody did anything; only one of the two did; both did
        (b"1", b"1", b"1", "keep"),
        (b"1", b"1", b"2", "write"),
        (b"1", b"2", b"1", "keep"),
        (b"1", b"2", b"3", "conflict"),
        # both the same
        (b"1", b"2", b"2", "keep"),
        # a script that saw no page: the last write wins
        (None, b"1", b"1", "keep"),
        (None, b"1", b"2", "write"),
        # a page that isn't known: nothing is overwritten unseen
        (UNKNOWN, b"1", b"1", "keep"),
        (UNKNOWN, b"1", b"2", "conflict"),
        # blank is a text as any
        (b"", b"", b"", "keep"),
        (b"", b"", b"1", "write"),
        (b"1", b"1", b"", "write"),
        (b"", b"1", b"2", "conflict"),
        (b"1", b"", b"2", "conflict"),
        (b"1", b"2", b"", "conflict"),
        (b"1", b"", b"", "keep"),
    ],
)
def test_decide(shown: bytes | None, stored: bytes, sent: bytes, decision: str) -> None:
    assert decide(shown, stored, sent) == decision


@pytest.mark.parametrize("key", EDITABLE)
@pytest.mark.parametrize("mine", [False, True])
@pytest.mark.parametrize("theirs", ["same", "other", "mine"])
def test_each_control_is_merged(app: Flask, key: str, mine: bool, theirs: str) -> None:
    """Each control; whether I touched it; and what somebody else did meanwhile."""
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
    store(app, **{key: now})
    form = page.send(**({key: text} if mine else {}))
    # Of a secret nobody is told that another has stored the same.
    conflict = mine and now not in ((old,) if key == "TOKEN" else (old, my_value))
    assert form.conflicts == ([key] if conflict else [])
    assert stored(app)[key] == (my_value if mine and not conflict else now)
    if conflict:
        field = form[key]
        assert field.errors
        assert field.conflict_text == ("" if key == "TOKEN" else show_text(field.setting, now))
        if key != "TOKEN":
            assert page.fields[key] == text
        again = page.send(**({"TOKEN": "mine"} if key == "TOKEN" else {}))
        assert not again.errors
        assert stored(app)[key] == my_value


ROUNDS = int(os.environ.get("WAFFLE_ROUNDS", "1"))
CASES = list(itertools.product("ABC", repeat=2))


@pytest.mark.parametrize(("stored", "sent"), CASES)
@settings(
    max_examples=3 * ROUNDS,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.fixed_dictionaries({which: st.fixed_dictionaries(VALUES) for which in "ABC"}))
def test_no_edit_is_lost_and_no_conflict_is_false(
    make_app: Callable[..., Flask], stored: str, sent: str, data: dict[str, dict[str, Any]]
) -> None:
    """The page shows A; all types in one go, three values of each."""
    app = make_app(EVERY_TYPE_CONFS)
    state = app.extensions["waffleconf"]
    pages = {}
    for which in "CBA":
        state.update_db(data[which])
        pages[which] = Page(app)
    state.update_db(data[stored])
    expected, conflicts = {}, set()
    for key in EVERY_TYPE_CONFS:
        shown, now, mine = (in_order(key, data[which][key]) for which in ("A", stored, sent))
        touched = not same(mine, shown)
        if touched and not same(now, shown) and not same(now, mine):
            conflicts.add(key)
        expected[key] = mine if touched else now
    fields = pages[sent].fields
    fields["waffle_token"] = pages["A"].fields["waffle_token"]
    pages["A"].fields = fields
    form = pages["A"].send()
    assert set(form.conflicts) == conflicts
    assert set(form.errors) == conflicts
    if conflicts:  # nothing is saved before somebody has decided
        expected = {key: in_order(key, value) for key, value in data[stored].items()}
    after = state.parse_conf()
    assert {
        k: after[k] for k in EVERY_TYPE_CONFS if not same(in_order(k, after[k]), expected[k])
    } == {}


SECRET = {"default": "", "secret": True}


@pytest.mark.parametrize("now", [-0.0, 0.5])
def test_a_slider_at_minus_zero_that_nobody_touched_is_kept(
    make_app: Callable[..., Flask], now: float
) -> None:
    app = make_app({"RATE": {"default": 0.25, "type": "range", "min": -1, "max": 1}})
    store(app, RATE=-0.0)
    page = Page(app)
    store(app, RATE=now)
    form = page.send(RATE="0")  # what Chromium makes of -0.0
    assert (form.conflicts, form.changes) == ([], {}) and same(stored(app)["RATE"], now)


@pytest.mark.parametrize("stored", ["", "old", "n3w", "theirs"])
@pytest.mark.parametrize("shown", ["", "old"])
@pytest.mark.parametrize(
    ("sent", "new"),
    [([""], None), (["n3w"], "n3w"), (["", "clear"], ""), (["n3w", "clear"], "both"), ([], None)],
)
def test_a_secret_is_set_replaced_cleared_or_kept(
    make_app: Callable[..., Flask], shown: str, stored: str, sent: list[str], new: str | None
) -> None:
    app = make_app({"TOKEN": SECRET, "NAME": {"default": "Waffle"}})
    state = app.extensions["waffleconf"]
    state.update_db({"TOKEN": shown})
    page = Page(app)
    state.update_db({"TOKEN": stored})
    form = page.send(TOKEN=sent, NAME="Bar")
    now = state.parse_conf()["TOKEN"]
    if new == "both":
        assert ("not both" in str(form.errors), now) == (True, stored)
    elif new is None or stored == new == "":
        assert (form.errors, now) == ({}, stored)
    elif shown == stored:
        assert (form.errors, now) == ({}, new)
    else:  # even if it is the same: nobody is told that they have guessed it
        assert (form.conflicts, now) == (["TOKEN"], stored)
        assert form["TOKEN"].clearing is (new == "")
        page.send(TOKEN=sent)
        assert state.parse_conf()["TOKEN"] == new


def test_a_blank_secret_is_kept(app: Flask) -> None:
    assert Page(app).send(TOKEN="", NAME="x").changes == {"NAME": "x"}


def test_a_guessed_secret_is_a_change_like_any_other(app: Flask) -> None:
    guesses = [Page(app).send(TOKEN=guess).changes for guess in ("hunter1", "hunter1", "hunter2")]
    assert guesses == [{"TOKEN": "hunter1"}, {"TOKEN": "hunter1"}, {"TOKEN": "hunter2"}]


def test_a_secret_has_to_be_typed_again_when_anything_is_wrong(app: Flask) -> None:
    page = Page(app)
    form = page.send(TOKEN="new", SIZE="0")
    assert "enter it again" in form.errors["TOKEN"][0]
    assert page.fields["TOKEN"] == ""
    page.send(TOKEN="new", SIZE="5")
    assert (stored(app)["TOKEN"], stored(app)["SIZE"]) == ("new", 5)


def test_a_change_between_reading_and_writing_is_a_conflict_too(app: Flask) -> None:
    page = Page(app)
    data = page.fields.copy()
    data["SIZE"], data["NAME"], data["TOKEN"] = "11", "Mine", "mine"
    state = app.extensions["waffleconf"]
    with posted(app, data) as form:
        assert form.validate()
        store(app, SIZE=12)
        with pytest.raises(ConflictError) as caught:
            state.update_db(form.changes, expected=form.expected)
        form.add_conflicts(caught.value.keys, state.read(caught.value.keys))
        assert form.conflicts == ["SIZE"]
        assert (form["SIZE"].conflict_text, form["SIZE"]._value()) == ("12", "11")
        assert form["TOKEN"].errors
        page.keep(form)
    assert (page.fields["SIZE"], page.fields["NAME"]) == ("11", "Mine")
    page.send()
    assert (stored(app)["SIZE"], stored(app)["NAME"]) == (11, "Mine")


def test_without_a_token_the_last_write_wins_for_the_names_sent(app: Flask) -> None:
    store(app, SIZE=12, NAME="Theirs")
    with posted(app, {"SIZE": "11"}) as form:
        assert form.validate()
        assert form.changes == {"SIZE": 11}


def test_a_setting_that_the_page_did_not_have_is_never_overwritten_unseen(app: Flask) -> None:
    page, other = Page(app), Page(app)
    app.config["WAFFLE_CONFS"] = {**CONFS, "ADDED": {"default": "x"}}
    store(app, ADDED="Theirs")
    assert other.send(ADDED="Theirs").errors == {}
    form = page.send(ADDED="Mine")
    assert (form.conflicts, form["ADDED"].conflict_text) == (["ADDED"], "Theirs")
    page.send()
    assert stored(app)["ADDED"] == "Mine"


def test_a_setting_that_is_no_longer_declared_is_never_written(app: Flask) -> None:
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {k: v for k, v in CONFS.items() if k != "SIZE"}
    assert page.send(SIZE="11", NAME="x").changes == {"NAME": "x"}


def test_of_secrets_that_are_no_longer_declared_one_message_is_enough(
    make_app: Callable[..., Flask],
) -> None:
    secrets = {key: {"default": "", "secret": True} for key in ("KEY", "TOKEN")}
    app = make_app({"NAME": {"default": ""}, **secrets})
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"NAME": {"default": ""}}
    (message,) = page.send(KEY="s3cret", TOKEN="hunter2").form_errors
    assert "your change was not saved" in message


#: Settings with different controls.
CONTROLS: dict[str, dict[str, Any]] = {
    key: EVERY_TYPE_CONFS[key]
    for key in (
        *("BOOL", "INT", "STR", "CHOICE_FEW", "SEVERAL_LIST", "DATETIME_UTC", "LIST", "BYTES"),
        *("BOOL_OR_NONE", "TIME", "DURATION", "COLOR", "RANGE"),
    )
}


@pytest.mark.parametrize(("old", "new"), [*itertools.pairwise([*CONTROLS, "BOOL"])])
def test_a_changed_control_makes_no_change_of_what_nobody_touched(
    make_app: Callable[..., Flask], old: str, new: str
) -> None:
    app = make_app({"KEY": CONTROLS[old], "NAME": {"default": "x"}}, WAFFLE_STORE_DEFAULTS=False)
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"KEY": CONTROLS[new], "NAME": {"default": "x"}}
    form = page.send(NAME="y")
    assert (form.errors, form.changes) == ({}, {"NAME": "y"})


@pytest.mark.parametrize(
    ("old", "new", "sent"),
    [
        ("BOOL", "STR", [""]),  # which would be an empty text
        ("SEVERAL_LIST", "STR", ["", "fig"]),
        ("DATETIME_UTC", "STR", ["2026-02-02T10:00", "UTC"]),
        ("INT", "STR", ["7"]),
        ("STR", "LIST", ["[]x"]),
    ],
)
def test_an_edit_from_before_the_control_changed_overwrites_nothing_unseen(
    make_app: Callable[..., Flask], old: str, new: str, sent: list[str]
) -> None:
    app = make_app({"KEY": CONTROLS[old]}, WAFFLE_STORE_DEFAULTS=False)
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"KEY": CONTROLS[new]}
    before = stored(app)
    assert list(page.send(KEY=sent).errors) == ["KEY"]
    assert stored(app) == before


def test_what_a_box_sent_is_not_none_for_the_control_in_its_place(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app({"KEY": CONTROLS["BOOL"]})
    store(app, KEY=True)
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"KEY": CONTROLS["BOOL_OR_NONE"]}
    assert page.send(KEY=[""]).conflicts == ["KEY"]
    assert stored(app) == {"KEY": True}


def test_an_edit_from_before_the_control_changed_is_saved_or_shown(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app({"KEY": {"default": 10}}, WAFFLE_STORE_DEFAULTS=False)
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"KEY": {"default": timedelta(seconds=10)}}
    assert list(page.send(KEY="20").errors) == ["KEY"]
    page.send(KEY="20 s")
    assert app.extensions["waffleconf"].parse_conf() == {"KEY": timedelta(seconds=20)}


def test_a_submission_makes_and_asks_for_only_what_was_touched(app: Flask) -> None:
    asked: list[str] = []

    def editable(setting: Any) -> bool:
        asked.append(setting.key)
        return True

    page = Page(app, editable=editable)
    asked.clear()
    page.fields["SIZE"] = "12"
    with posted(app, page.fields, editable=editable) as form:
        assert form.validate() and form.changes == {"SIZE": 12}
        assert asked == list(form._fields.made) == ["SIZE"]
