"""Differences of two texts, found in linear time."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from controls import field

from waffleconf_admin.admin.diff import FIRST, LINE, SHOWN, Comparer, whole_text
from waffleconf_admin.admin.matching import MOST


def lines(old: str, new: str) -> list[str]:
    """The lines of a diff, each after "+", "-", " " or "@"."""
    signs = {"old": "-", "new": "+", "same": " ", "gap": "@"}
    return [signs[part] + text for part, text in Comparer().lines(old, new)]


def text_of(count: int, **changed: str) -> str:
    """A text of numbered lines; some of them, such as ``_7="x"``, say something else."""
    return "\n".join(changed.get(f"_{n}", f"line {n}") for n in range(1, count + 1))


def test_one_changed_line_of_a_long_text_is_shown_with_its_number() -> None:
    long, other = text_of(3000, _1501="within five days"), text_of(3000, _1501="within three days")
    assert lines(long, other) == [
        "@… line 1499 of 3000", " line 1500", "-within five days", "+within three days",
        " line 1502",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("a\nb", "a\nb\nc", [" a", " b", "+c"]),
        ("a\nb", "b", ["-a", " b"]),
        ("", "a\nb", ["+a", "+b"]),
        ("a\nb", "", ["-a", "-b"]),
        ("a", "a\n", [" a", "+"]),
        ("x\na\ny", "x\ny", [" x", "-a", " y"]),
        ("a\nb", "a\nb", []),
        ("lone \udc80\n", "\n", ["-lone \\udc80", "+", " "]),
    ],
)
def test_what_is_the_same_at_both_ends_is_left_out(old: str, new: str, found: list[str]) -> None:
    assert lines(old, new) == found


@pytest.mark.parametrize(
    ("count", "changed", "found"),
    [
        (4, 4, [" line 1", " line 2", " line 3", "-line 4", "+x"]),
        (5, 5, ["@… line 3 of 5", " line 4", "-line 5", "+x"]),
        (4, 1, ["-line 1", "+x", " line 2", " line 3", " line 4"]),
        (5, 1, ["-line 1", "+x", " line 2"]),
    ],
)
def test_at_least_three_lines_are_left_out(count: int, changed: int, found: list[str]) -> None:
    assert lines(text_of(count), text_of(count, **{f"_{changed}": "x"})) == found


@pytest.mark.parametrize(("last", "found"), [(6, 4), (7, 3)])
def test_at_least_three_lines_are_left_out_between_differences(last: int, found: int) -> None:
    shown = lines(text_of(last), text_of(last, _1="x", **{f"_{last}": "x"}))
    assert len([line for line in shown if line[0] in " @"]) == found


def test_each_part_that_differs_has_its_place() -> None:
    found = lines(text_of(1200), text_of(1200, _1="first", _600="middle", _1200="last"))
    assert [line for line in found if line[0] != " "] == [
        "-line 1", "+first", "@… line 598 of 1200", "-line 600", "+middle",
        "@… line 1198 of 1200", "-line 1200", "+last",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("\n\n".join(f"{n}" for n in range(300)), "\n\n".join(f"new {n}" for n in range(300))),
        ("x\n" * (MOST + 1), "y\n" * (MOST + 1)),
        (f"{'x' * 200_000}\n", f"{'y' * 200_000}\n"),
        ("x\n" * 2, "y\n" * 1_000_000),
    ],
    ids=["many equal lines", "many lines", "a long line", "one is long"],
)
def test_texts_that_can_not_be_compared_say_where_they_differ_first(old: str, new: str) -> None:
    same = text_of(1500) + "\n"
    found = lines(same + old, same + new)
    assert re.match(r"@First differs at line 1501 of \d+$", found[0])
    assert found[1] == " line 1500" and found[-1] == "@… more differences follow"
    assert len(found) <= 3 + 2 * FIRST and max(map(len, found)) < LINE + 5


def test_a_diff_of_many_differences_ends() -> None:
    old, new = (text_of(500, **{f"_{n}": f"{n} {x}" for n in range(1, 500, 2)}) for x in "ab")
    found = lines(old, new)
    assert len(found) == SHOWN + 1 and found[-1] == "@… more differences follow"


def test_of_a_long_line_the_part_that_differs_is_shown() -> None:
    long = "x" * 33_000
    removed, added = lines(f"a\n{long}OLD{long}", f"a\n{long}NEW{long}")[1:]
    for line, text in ((removed, "OLD"), (added, "NEW")):
        assert text in line and line[1] == "…" == line[-1] and len(line) < LINE + 5


def test_comparisons_of_one_page_share_one_limit() -> None:
    old, new = ("\n\n".join(f"{word} {n}" for n in range(99)) for word in ("old", "new"))
    comparer = Comparer()
    compared = ["First" not in comparer.lines(old, new)[0][1] for _ in range(50)]
    assert compared[0] and not compared[-1]


def test_words_are_compared_with_the_blank_that_follows() -> None:
    assert Comparer().words("a b old c", "a b new c") == [
        ("same", "a b "), ("old", "old "), ("new", "new "), ("same", "c"),
    ]  # fmt: skip


def test_of_a_long_text_on_one_line_the_words_around_the_difference_are_shown() -> None:
    long = "word " * 14_000
    found = Comparer().words(f"{long}old {long}", f"{long}new {long}")
    assert [(part, text) for part, text in found if part != "same"] == [
        ("old", "old "), ("new", "new "),
    ]  # fmt: skip
    said = "".join(text for _, text in found)
    assert said.startswith("…word") and said.endswith("…") and len(said) < 400


@pytest.mark.parametrize(
    ("old", "new"),
    [("x" * 40_000, "y" * 40_000), ("a b " * 20_000, "b a " * 20_000)],
    ids=["a word", "many words"],
)
def test_of_words_that_can_not_be_compared_the_first_are_shown(old: str, new: str) -> None:
    found = Comparer().words(old, new)
    assert {"old", "new"} <= {part for part, _ in found}
    assert sum(len(text) for _, text in found) < 1000


def test_nothing_of_a_short_text_is_lost() -> None:
    chance = random.Random(1)
    for _ in range(500):
        old, new = ("".join(chance.choices("ab \n", k=chance.randrange(12))) for _ in "12")
        found = Comparer().words(old, new) if old != new else [("same", old)]
        assert "".join(text for part, text in found if part != "new") == old
        assert "".join(text for part, text in found if part != "old") == new
        counts = [text.count("\n") + 1 if text else 0 for text in (old, new)]
        parts = [part for part, _ in Comparer().lines(old, new)]
        assert parts.count("new") - parts.count("old") == counts[1] - counts[0]


@pytest.mark.parametrize(
    ("old", "new", "by"),
    [
        ("a", "b", ""),
        ("", "long " * 50, ""),
        ("a", "long " * 50, "words"),
        ("a", "a\nb", "lines"),
        ("long " * 50, "long " * 50, ""),
    ],
)
def test_long_texts_are_compared_and_short_ones_are_not(old: str, new: str, by: str) -> None:
    found: Any = Comparer().compare(old, new)
    assert bool(found) is bool(by)
    assert not by or getattr(found, by)


@pytest.mark.parametrize("value", [["c", "a"], ["a", "gone"], ("c", "gone", "a")])
def test_chosen_items_are_compared_as_they_are(value: Any) -> None:
    made = field(type(value)(["a"]), default=type(value)(["a"]), choices=["a", "b", "c"])
    assert whole_text(made, value) == "\n".join(value)
    assert made.text == "a" and not made.has_removed_choice
