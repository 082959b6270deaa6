"""Differences of two texts, found in bounded time."""

from __future__ import annotations

from waffleconf_admin.admin.diff import Comparer


def test_differences_leave_out_what_is_far_from_any() -> None:
    before = [f"line {number}" for number in range(100)]
    after = ["first", *before[1:50], "middle", *before[51:]]
    lines = Comparer().lines("\n".join(before), "\n".join(after))
    assert [line for kind, line in lines if kind in ("old", "new")] == [
        "line 0", "first", "line 50", "middle",
    ]  # fmt: skip
    assert len(lines) < 15 and ("gap", "…") in lines


def test_two_small_differences_far_apart_are_found() -> None:
    before = [f"line {number}" for number in range(1200)]
    after = ["first", *before[1:-1], "last"]
    assert len(Comparer().lines("\n".join(before), "\n".join(after))) == 9


def test_texts_of_many_equal_lines_are_shown_whole() -> None:
    old, new = ("\n\n".join(f"{word} {n}" for n in range(300)) for word in ("old", "new"))
    assert Comparer().lines(old, new) == []


def test_comparisons_of_one_page_share_one_limit() -> None:
    old, new = ("\n\n".join(f"{word} {n}" for n in range(99)) for word in ("old", "new"))
    comparer = Comparer()
    compared = [bool(comparer.lines(old, new)) for _ in range(50)]
    assert compared[0] and not compared[-1]


def test_words_are_compared_with_the_blank_that_follows() -> None:
    old, new = (" ".join(f"{word}{n}" for n in range(900)) for word in ("old", "new"))
    assert Comparer().words(old, new) == [("old", old), ("new", new)]
    assert Comparer().words(f"a b {old} c", f"a b {new} c") == [
        ("same", "a b "), ("old", f"{old} "), ("new", f"{new} "), ("same", "c"),
    ]  # fmt: skip
