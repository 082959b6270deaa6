"""What is found in templates."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from waffleconf_admin.lint import AppNames, Report

Check = Callable[..., Report]
NAMES = AppNames(frozenset({"SITENAME"}))


@pytest.mark.parametrize(
    ("template", "line"),
    [
        ("\n{{ config.SITENAM }}", 2),
        ("{{ config['SITENAM'] }}", 1),
        ("{{ config.get('SITENAM') }}", 1),
        ("{% trans name=config.SITENAM %}At {{ name }}{% endtrans %}", 1),
        ("{% macro title() %}\n{{ config.SITENAM.title() | upper }}{% endmacro %}", 2),
        ("{% if config.SITENAM %}{% endif %}", 1),
    ],
)
def test_a_misspelt_name_is_found(check: Check, template: str, line: int) -> None:
    (finding,) = check({"templates/shop.html": template + "{{ config.SITENAME }}"}, NAMES).findings
    assert (finding.line, finding.rule, finding.name) == (line, "unknown", "SITENAM")


@pytest.mark.parametrize(
    "read",
    [
        "config.get('SITENAM', 1)",
        "config.SITENAM|default(1)",
        "config['SITENAM'] | d(config.SITENAME)",
    ],
)
def test_an_optional_read_of_a_word_that_is_near_is_a_remark(check: Check, read: str) -> None:
    template = f"{{{{ {read} }}}}{{{{ config.SITENAME }}}}"
    report = check({"templates/shop.html": template}, NAMES)
    assert (report.findings, len(report.remarks)) == ([], 1)


def test_a_template_in_a_string_is_read(check: Check) -> None:
    code = (
        'def f():\n    return render_template_string(\n        """\n{{ config.SITENAM }}"""\n    )'
    )
    found = check({"shop.py": code + "\nreads = 'SITENAME'"}, NAMES).findings
    assert [finding.line for finding in found] == [4]


@pytest.mark.parametrize(
    "template",
    [
        "{{ config.SITENAME }}",
        "{{ config.UPLOAD_FOLDER }}",
        "{% set config = other %}{{ config.SITENAM }}",
        "{% for config in all %}{{ config.SITENAM }}{% endfor %}",
        "{% macro m(config) %}{{ config.SITENAM }}{% endmacro %}",
        "{% import 'x.html' as config %}{{ config.SITENAM }}",
        "{% from 'x.html' import y as config %}{{ config.SITENAM }}",
    ],
)
def test_no_name_is_found_that_may_be_right(check: Check, template: str) -> None:
    report = check({"templates/shop.html": template, "shop.py": "reads = 'SITENAME'"}, NAMES)
    assert (report.findings, report.remarks) == ([], [])


@pytest.mark.parametrize(
    "template",
    ["{{ config[name] }}", "{% for name in config %}{% endfor %}", "{{ config.items() }}",
     "{{ config | tojson }}", "{{ config.get(name) }}"],
)  # fmt: skip
def test_names_that_are_computed_are_said(check: Check, template: str) -> None:
    report = check({"templates/shop.html": template}, NAMES)
    assert report.findings == [] and "names are computed" in report.remarks[0].text


@pytest.mark.parametrize("name", ["shop.html", "shop.txt", "deep/er/shop.xml.j2"])
def test_all_folders_of_templates_are_read(check: Check, name: str) -> None:
    report = check({f"templates/{name}": "{{ config.SITENAME }}", "static/x.html": "{%"}, NAMES)
    assert (report.findings, report.files) == ([], 1)
