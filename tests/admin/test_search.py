"""The search: one rule in Python and in the script, and what it costs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from waffleconf_admin.admin.search import LONGEST, PARTS, Search, fold

CASES: dict[str, Any] = json.loads(Path(__file__, "../search_cases.json").resolve().read_text())
PARAMS = [pytest.param(case, id=f"{case['typed']} in {case['name']}") for case in CASES["cases"]]


def parts_of(case: dict[str, Any]) -> list[str]:
    return [fold(case.get(part, "")) for part in PARTS]


def test_the_table_has_the_parts_in_their_order() -> None:
    assert tuple(CASES["parts"]) == PARTS


@pytest.mark.parametrize("case", PARAMS)
def test_a_setting_has_the_rank_of_the_table(case: dict[str, Any]) -> None:
    assert Search(case["typed"]).rank(parts_of(case)) == case["rank"]


@pytest.mark.parametrize("case", [param for param in PARAMS if "marked" in param.values[0]])
def test_the_words_of_the_table_are_marked(case: dict[str, Any]) -> None:
    name, close = case["name"], case["rank"] >= 100
    search = Search(case["typed"])
    assert [name[start:stop] for start, stop in search.spans(name, close=close)] == case["marked"]


def test_marked_texts_are_escaped() -> None:
    assert Search("b").mark("<b>a & b</b>") == (
        "&lt;<mark>b</mark>&gt;a &amp; <mark>b</mark>&lt;/<mark>b</mark>&gt;"
    )


def test_a_long_search_is_cut() -> None:
    assert Search("x" * 1000).text == "x" * LONGEST
