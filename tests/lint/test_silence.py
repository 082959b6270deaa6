"""Comments that silence a finding."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from waffleconf_admin.lint import AppNames, Report

Check = Callable[..., Report]
NAMES = AppNames(frozenset({"SITENAME"}))
HEAD = "from waffleconf_admin import conf\n"


@pytest.mark.parametrize(
    ("comment", "rules"),
    [
        ("", ["copied", "unknown"]),
        ("# waffle: ignore", []),
        ("#waffle:ignore[copied, unknown] for a reason", []),
        ("# waffle: ignore[copied]", ["unknown"]),
        ("# noqa # waffle: ignore[unknown]", ["copied"]),
        ("# waffle: ignore[unused]", ["copied", "unknown"]),
    ],
)
def test_a_comment_silences_its_line(check: Check, comment: str, rules: list[str]) -> None:
    report = check({"shop.py": f"{HEAD}name = conf.SITENAME, conf.SITENAM  {comment}\n"}, NAMES)
    assert [finding.rule for finding in report.findings] == rules


def test_a_comment_silences_no_other_line(check: Check) -> None:
    report = check({"shop.py": f"{HEAD}# waffle: ignore\nname = conf.SITENAME\n"}, NAMES)
    assert [finding.line for finding in report.findings] == [3]
    (remark,) = report.remarks
    assert (remark.line, remark.text) == (2, "This comment silences nothing.")


def test_a_comment_in_a_template_silences_its_line(check: Check) -> None:
    template = "{{ config.SITENAM }} {# waffle: ignore #}\n{{ config.SITENAME }}"
    report = check({"templates/shop.html": template}, NAMES)
    assert (report.findings, report.remarks) == ([], [])


def test_a_comment_silences_a_declaration_that_nothing_reads(check: Check) -> None:
    declared = 'CONFS = {"SITENAME": {}}  # waffle: ignore[unused]\n'
    report = check({"settings.py": declared}, NAMES)
    assert (report.findings, report.remarks) == ([], [])
