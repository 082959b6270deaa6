"""The merge token of a page: its digests and its signature."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from submissions import CONFS, EDITABLE, Page, store, stored
from werkzeug.datastructures import MultiDict

from waffleconf_admin.forms.merge_token import MergeSigner, load_token
from waffleconf_admin.forms.submission import TOKEN, UNKNOWN, Submission
from waffleconf_admin.settings.declarations import declare


def test_a_digest_is_of_key_and_text_and_secret() -> None:
    seal = MergeSigner("secret")
    digests = [
        seal.digest("a", "b"),
        seal.digest("a", "c"),
        seal.digest("b", "b"),
        seal.digest("", "ab"),
        seal.digest("ab", ""),
        MergeSigner("other").digest("a", "b"),
    ]
    assert len(set(digests)) == len(digests)
    assert seal.digest("a", "b") == MergeSigner(b"secret").digest("a", "b")
    assert UNKNOWN not in digests


def test_a_digest_has_12_bytes_whatever_the_text() -> None:
    assert {
        len(MergeSigner("s").digest("a", text)) for text in ("", "x" * 2**20, "\ud800", "é")
    } == {12}


def test_the_token_holds_no_text() -> None:
    seal = MergeSigner("secret")
    texts = {"KEY": "hunter2", "\ud800": ""}
    token = seal.dump("es", texts, ["KEY"])
    page = seal.load(token)
    assert page is not None
    digests = {key: seal.digest(key, text) for key, text in texts.items()}
    assert (page.locale, page.digests, page.secrets) == ("es", digests, ["KEY"])
    assert "hunter2" not in token


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t[4:], lambda t: "", lambda t: "é"])
def test_a_cut_token_opens_with_no_key(change: object) -> None:
    token = MergeSigner("a").dump("", {"KEY": "x"})
    assert load_token(change(token), [MergeSigner("a"), MergeSigner("b")]) is None  # type: ignore[operator]


def test_a_token_opens_with_an_older_key_and_is_compared_by_that() -> None:
    new, old = MergeSigner("new"), MergeSigner("old")
    opened = load_token(old.dump("", {"KEY": "text"}), [new, old])
    assert opened is not None
    seal, page = opened
    assert page.digests["KEY"] == seal.digest("KEY", "text")


def test_a_token_of_another_app_does_not_open() -> None:
    assert load_token(MergeSigner("theirs").dump("", {}), [MergeSigner("ours")]) is None


@pytest.mark.parametrize("touched", [0, 31, 32, 99])
def test_a_touched_control_is_found_among_many(app: Flask, touched: int) -> None:
    """Controls are compared in blocks first, whether a browser has sent each of them or not."""
    seal = MergeSigner("secret")
    settings = declare({f"KEY_{number}": {"default": ""} for number in range(100)})
    token = seal.dump("", dict.fromkeys(settings, "displayed"))
    sent = MultiDict(dict.fromkeys(list(settings)[:98], "displayed") | {TOKEN: token})
    with app.app_context():
        assert Submission(sent, [seal]).touched(settings) == []
        sent[f"KEY_{touched}"] = "typed"
        assert Submission(sent, [seal]).touched(settings) == [f"KEY_{touched}"]


def test_a_whole_block_is_untouched_and_secrets_are_in_none() -> None:
    seal = MergeSigner("secret")
    public = {f"KEY_{number}": str(number) for number in range(64)}
    page = seal.load(seal.dump("", {"TOKEN": ""} | public, ["TOKEN"]))
    assert page is not None
    assert seal.find_untouched(page, public) == set(public)


@pytest.mark.parametrize("typed", [("a", "bc"), ("abc", ""), ("", "abc")])
def test_text_that_moves_to_the_next_control_is_a_change_of_both(
    app: Flask, typed: tuple[str, str]
) -> None:
    seal = MergeSigner("secret")
    settings = declare({"FIRST": {"default": ""}, "NEXT": {"default": ""}})
    token = seal.dump("", {"FIRST": "ab", "NEXT": "c"})
    sent = MultiDict(zip(settings, typed, strict=True)) | {TOKEN: token}
    with app.app_context():
        assert Submission(MultiDict(sent), [seal]).touched(settings) == ["FIRST", "NEXT"]


BROKEN: list[Callable[[str], str]] = [
    lambda token: token[:-3],
    lambda token: token[: len(token) // 2],
    lambda token: "",
    lambda token: "forged",
    lambda token: token[::-1],
]


@pytest.mark.parametrize("damage", BROKEN)
def test_a_damaged_token_writes_nothing_and_keeps_what_was_typed(
    app: Flask, damage: Callable[[str], str]
) -> None:
    page = Page(app)
    store(app, NAME="Theirs")
    form = page.send(waffle_token=damage(page.fields["waffle_token"]), SIZE="11")
    assert len(form.form_errors) == 1 and "can't be read" in form.form_errors[0]
    assert stored(app)["SIZE"] == 10
    # Nobody knows whether somebody else has changed anything, so no field says so.
    assert form.conflicts == [] and not form["NAME"].errors and not form["SIZE"].errors
    # Which controls were touched is not known either: all that differ are shown as not saved.
    assert form.changes == {"NAME": "Waffle", "SIZE": 11}
    assert (page.fields["NAME"], form["NAME"].value_text) == ("Waffle", "Theirs")
    page.send(NAME="Theirs")
    assert (stored(app)["NAME"], stored(app)["SIZE"]) == ("Theirs", 11)


def test_a_page_from_before_the_secret_key_was_changed_is_merged(app: Flask) -> None:
    page = Page(app)
    app.config.update(SECRET_KEY="new", SECRET_KEY_FALLBACKS=["older", "test"])
    store(app, NAME="Theirs", RATE=9.5)
    form = page.send(SIZE="11", RATE="2.5")
    assert (form.form_errors, form.conflicts) == ([], ["RATE"])
    app.config["SECRET_KEY_FALLBACKS"] = []  # what came back is of the new key
    page.send()
    now = stored(app)
    assert (now["SIZE"], now["NAME"], now["RATE"]) == (11, "Theirs", 2.5)


def test_without_a_secret_key_there_is_no_token_and_the_last_write_wins(
    make_app: Callable[..., Flask],
) -> None:
    page = Page(make_app(CONFS, SECRET_KEY=None))
    assert "waffle_token" not in page.fields
    assert page.form.hidden_tag() == ""
    assert page.send(SIZE="11").changes == {"SIZE": 11}


def test_the_token_has_what_may_be_edited_and_no_more(app: Flask) -> None:
    page = Page(app, editable=lambda setting: setting.key != "RATE")
    displayed = MergeSigner("test").load(page.fields["waffle_token"])
    assert displayed is not None
    assert list(displayed.digests) == [key for key in EDITABLE if key != "RATE"]


def test_the_token_does_not_reveal_a_short_secret(make_app: Callable[..., Flask]) -> None:
    pages = [
        Page(make_app({"PIN": {"default": pin, "secret": True}}, SECRET_KEY=key))
        for pin, key in (("1", "a"), ("1", "b"))
    ]
    assert pages[0].fields["waffle_token"] != pages[1].fields["waffle_token"]
