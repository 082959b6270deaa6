"""The three-way merge and its token."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from typing import Any

import pytest
from every_type import CONFS, VALUES, in_order
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from submissions import Page

from waffleconf_admin.forms.merge import UNKNOWN, Seal, decide, open_token
from waffleconf_admin.settings.equality import same


@pytest.mark.parametrize(
    ("shown", "stored", "sent", "decision"),
    [
        # nobody did anything; only one of the two did; both did
        ("1", "1", "1", "keep"),
        ("1", "1", "2", "write"),
        ("1", "2", "1", "keep"),
        ("1", "2", "3", "conflict"),
        # both the same
        ("1", "2", "2", "keep"),
        # a script that saw no page: the last write wins
        (None, "1", "1", "keep"),
        (None, "1", "2", "write"),
        # a page that isn't known: nothing is overwritten unseen
        (UNKNOWN, "1", "1", "keep"),
        (UNKNOWN, "1", "2", "conflict"),
        # blank is a text as any
        ("", "", "", "keep"),
        ("", "", "1", "write"),
        ("1", "1", "", "write"),
        ("", "1", "2", "conflict"),
        ("1", "", "2", "conflict"),
        ("1", "2", "", "conflict"),
        ("1", "", "", "keep"),
    ],
)
def test_decide(shown: str | None, stored: str, sent: str, decision: str) -> None:
    assert decide(shown, stored, sent) == decision


def test_a_digest_is_of_key_and_text_and_secret() -> None:
    seal = Seal("secret")
    digests = [
        seal.digest("a", "b"),
        seal.digest("a", "c"),
        seal.digest("b", "b"),
        seal.digest("", "ab"),
        seal.digest("ab", ""),
        Seal("other").digest("a", "b"),
    ]
    assert len(set(digests)) == len(digests)
    assert seal.digest("a", "b") == Seal(b"secret").digest("a", "b")
    assert UNKNOWN not in digests


def test_a_digest_has_12_bytes_whatever_the_text() -> None:
    assert {len(Seal("s").digest("a", text)) for text in ("", "x" * 2**20, "\ud800", "é")} == {16}


def test_the_token_holds_no_text() -> None:
    seal = Seal("secret")
    token = seal.dump({"KEY": seal.digest("KEY", "hunter2")})
    assert seal.load(token) == {"KEY": seal.digest("KEY", "hunter2")}
    assert "hunter2" not in token


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t[4:], lambda t: "", lambda t: "é"])
def test_a_cut_token_opens_with_no_key(change: object) -> None:
    token = Seal("a").dump({"KEY": "x" * 16})
    assert open_token(change(token), [Seal("a"), Seal("b")]) is None  # type: ignore[operator]


def test_a_token_opens_with_an_older_key_and_is_compared_by_that() -> None:
    new, old = Seal("new"), Seal("old")
    opened = open_token(old.dump({"KEY": old.digest("KEY", "text")}), [new, old])
    assert opened is not None
    seal, digests = opened
    assert digests["KEY"] == seal.digest("KEY", "text")


def test_a_token_of_another_app_does_not_open() -> None:
    assert open_token(Seal("theirs").dump({}), [Seal("ours")]) is None


# Every kind of control: what the page showed, what is stored by then, and what was sent.

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
    """The page shows A; each kind in one go, three values of each."""
    app = make_app(CONFS)
    state = app.extensions["waffleconf"]
    pages = {}
    for which in "CBA":
        state.update_db(data[which])
        pages[which] = Page(app)
    state.update_db(data[stored])
    expected, conflicts = {}, set()
    for key in CONFS:
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
    assert {k: after[k] for k in CONFS if not same(in_order(k, after[k]), expected[k])} == {}


SECRET = {"default": "", "secret": True}


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
