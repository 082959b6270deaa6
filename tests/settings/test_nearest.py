"""Names that are written almost like others."""

from __future__ import annotations

import pytest

from waffleconf_admin.settings import names
from waffleconf_admin.settings.names import nearest_name, nearest_names

KNOWN = ["SITENAME", "PAGE_SIZE", "page_colour"]


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("SITENAM", "SITENAME"),
        ("pagesize", "PAGE_SIZE"),
        ("PAGE_COLOR", "page_colour"),
        ("MAIL", None),
        ("", None),
    ],
)
def test_the_nearest_name_is_found_in_upper_and_lower_case(name: str, near: str | None) -> None:
    assert nearest_name(name, KNOWN) == near


def test_what_is_alike_is_for_the_caller_to_say() -> None:
    assert list(nearest_names(["PAGE_SIZES", "PAGES"], KNOWN)) == [
        ("PAGE_SIZES", "PAGE_SIZE"),
        ("PAGES", "PAGE_SIZE"),
    ]
    assert list(nearest_names(["PAGES", "PAGE_SIZES"], KNOWN, likeness=0.8)) == [
        ("PAGE_SIZES", "PAGE_SIZE")
    ]


@pytest.mark.parametrize(("pairs", "found"), [(1, 1), (5, 1), (6, 2), (9, 3)])
def test_the_first_names_are_compared_and_one_in_any_case(
    pairs: int, found: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "MOST_PAIRS", pairs)
    assert len(list(nearest_names(["SITENAM", "SITENAMES", "PAGESIZE"], KNOWN))) == found
