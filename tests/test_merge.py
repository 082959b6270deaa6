"""The three-way merge and its token."""

from __future__ import annotations

import pytest

from waffleconf_admin.merge import UNKNOWN, Seal, decide, open_token


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
