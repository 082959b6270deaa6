"""What is declared and never read, and when that is uncertain."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from waffleconf_admin.lint import AppNames, Report

Check = Callable[..., Report]
NAMES = AppNames(frozenset({"MAIL_HOST"}), former={"SMTP_HOST": "MAIL_HOST"})

DECLARED = [
    'CONFS = {\n    "MAIL_HOST": {"default": ""},\n}\n',
    'CONFS = dict(\n    MAIL_HOST=dict(default=""),\n)\n',
    'class Shop(Settings):\n    MAIL_HOST: str = setting("")\n',
    'class Shop(Settings):\n    MAIL_HOST: str = ""\n',
]


@pytest.mark.parametrize("declared", DECLARED)
def test_a_setting_that_nothing_reads_is_found_where_it_is_declared(
    check: Check, declared: str
) -> None:
    report = check({"settings.py": declared}, NAMES)
    (finding,) = report.findings
    assert finding.path.endswith("settings.py") and finding[1:] == (
        2, "unused", "MAIL_HOST", "MAIL_HOST is declared and never read.",
    )  # fmt: skip
    assert report.remarks == []


def test_a_setting_that_is_declared_elsewhere_has_no_place(check: Check) -> None:
    assert [finding[:2] for finding in check({}, NAMES).findings] == [("", 0)]


@pytest.mark.parametrize(
    "code",
    [
        "from waffleconf_admin import conf\ndef f(): conf.MAIL_HOST",
        "def f(app): app.config['MAIL_HOST']",
        "def f(app): app.config['SMTP_HOST']",  # its former name
        "def f(app): app.config.get_namespace('MAIL_')",
        "def f(anything): anything.MAIL_HOST",
        "def f(): Shop.now().MAIL_HOST",
        "keys = ['MAIL_HOST']",
        "@waffle.on_change('MAIL_HOST')\ndef f(): pass",
        "def f(): return render_template_string('{{ config.MAIL_HOST }}')",
    ],
)
def test_a_setting_that_may_be_read_is_not_found(check: Check, code: str) -> None:
    report = check({"settings.py": DECLARED[0], "shop.py": code}, NAMES)
    assert "unused" not in [finding.rule for finding in report.findings]


@pytest.mark.parametrize(
    ("code", "rules"),
    [
        ("from config import Config\ndef f(): return Config.MAIL_HOST", ["constant", "unused"]),
        ("import config\ndef f(): return config.Config.MAIL_HOST", ["constant", "unused"]),
        ("from config import Config\nC = {'MAIL_HOST': {'default': Config.MAIL_HOST}}", ["unused"]),
        ("from config import Config\nConfig.MAIL_HOST = 'other'", ["unused"]),
        ("from config import Other\ndef f(): return Other.MAIL_HOST", []),
    ],
)
def test_a_constant_of_its_name_is_no_read(check: Check, code: str, rules: list[str]) -> None:
    constant = "class Config:\n    MAIL_HOST = 'mail'\n"
    report = check({"settings.py": DECLARED[0], "config.py": constant, "shop.py": code}, NAMES)
    assert sorted(finding.rule for finding in report.findings) == rules


def test_a_setting_that_an_imported_package_reads_is_not_found(check: Check) -> None:
    assert check({}, AppNames(frozenset({"SECRET_KEY", "SQLALCHEMY_ECHO"}))).findings == []


@pytest.mark.parametrize(
    "code",
    ["def f(): state.update_db({'MAIL_HOST': 1})", "def f(): override_conf(MAIL_HOST=1)"],
)
def test_a_setting_that_is_only_saved_is_found(check: Check, code: str) -> None:
    (finding,) = check({"settings.py": DECLARED[0], "shop.py": code}, NAMES).findings
    assert (finding.rule, finding.name) == ("unused", "MAIL_HOST")


@pytest.mark.parametrize(
    "code",
    [
        "from waffleconf_admin import conf\ndef f(name): return conf[name]",
        "from waffleconf_admin import conf\ndef f(name): return getattr(conf, name)",
        "from waffleconf_admin import conf\ndef f(): return dict(conf)",
        "from flask import current_app\ndef f(name): return current_app.config.get(name)",
        "from flask import current_app\ndef f(): return current_app.config.items()",
        "from flask import current_app\ndef f(): return send(current_app.config)",
        "from flask import current_app\ndef f(p): return current_app.config.get_namespace(p)",
        "waffle = None\ndef f(keys): return waffle.state.parse_conf(keys)",
        "waffle = None\ndef f(): return send(waffle.state.parse_conf())",
        "import waffleconf_admin\ndef f(): return [*waffleconf_admin.conf]",
    ],
)
def test_nothing_is_unused_for_certain_where_names_are_computed(check: Check, code: str) -> None:
    report = check({"shop.py": code}, NAMES)
    (remark,) = report.remarks
    assert report.findings == []
    assert remark.text.startswith("Nothing reads MAIL_HOST by name, but names are computed at ")
    assert remark.text.endswith("shop.py:2.")


def test_a_part_of_the_code_says_nothing_about_what_is_unused(check: Check) -> None:
    report = check({"shop.py": ""}, NAMES, whole=False)
    assert report.findings == [] and "not all of the app's code" in report.remarks[0].text


def test_nothing_is_unused_for_certain_where_a_file_cannot_be_read(check: Check) -> None:
    report = check({"shop.py": "print 'x'"}, NAMES)
    assert report.findings == []
    assert "by name, but not all was read of" in report.remarks[1].text
