"""Which files are read, and what is said of those that can't be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask

from waffleconf_admin.lint import AppNames, Report, lint

Check = Callable[..., Report]
NAMES = AppNames(frozenset())
UNKNOWN = "from waffleconf_admin import conf\ndef f(): return conf.NOTHING\n"


@pytest.mark.parametrize(
    "name",
    [".venv/shop.py", "env/lib/shop.py", "node_modules/shop.py", "tests/shop.py", "test_shop.py",
     "conftest.py", "__pycache__/shop.py", "shop.txt"],
)  # fmt: skip
def test_what_is_not_the_app_s_own_code_is_left_out(check: Check, name: str) -> None:
    report = check({name: UNKNOWN, "env/pyvenv.cfg": "", "app.py": UNKNOWN}, NAMES)
    assert report.files == len(report.findings) == 1


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("old.py", "print 'x'\n", ":1: not read, for this Python: "),
        ("zeros.py", "x = 1\0\n", ": not read"),
        ("latin.py", b"x = '\xe9'\n", ": not read"),
        ("codec.py", b"# coding: nothing\n", ": not read: unknown encoding"),
        ("deep.py", f"x = {'1 + ' * 20_000}1\n", ": not read to its end: "),
        ("templates/open.html", "\n{% if x %}", ":2: not a template: "),
        ("templates/other.html", "{% cache 5 %}{% endcache %}", ":1: not a template: "),
        ("templates/latin.html", b"\xe9", ": not read: "),
    ],
)
def test_what_cannot_be_read_is_said_and_the_rest_is_read(
    check: Check, name: str, text: str | bytes, problem: str
) -> None:
    report = check({name: text, "shop.py": UNKNOWN}, NAMES)
    (remark,), (finding,) = report.remarks, report.findings
    place = f"{remark.path}:{remark.line}" if remark.line else remark.path
    assert f"{name}{problem}" in f"{place}: {remark.text}"
    assert finding.name == "NOTHING"


def test_links_in_a_circle_and_pipes_do_no_harm(check: Check, tmp_path: Path) -> None:
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "nowhere.py").symlink_to(tmp_path / "missing.py")
    os.mkfifo(tmp_path / "pipe.py")
    report = check({"shop.py": UNKNOWN}, NAMES)
    assert len(report.findings) == 1
    said = {Path(remark.path).name: remark.text for remark in report.remarks}
    assert said.keys() == {"nowhere.py", "pipe.py"}
    assert said["pipe.py"] == "not read: not a regular file."


def test_a_file_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "test_shop"
    path.write_text(UNKNOWN)
    assert len(lint(path, NAMES, Flask("shop").jinja_env).findings) == 1


def test_code_is_never_run(check: Check, tmp_path: Path) -> None:
    check({"shop.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n", "templates/x.html": "{{ x() }}"})
    assert not (tmp_path / "ran").exists()


CONFIGURED = "app = Flask('shop')\ndef f(): return app.config['SITE_NAME']\nreads = 'SITENAME'"


@pytest.mark.parametrize(
    ("name", "text", "is_set"),
    [
        ("prod.cfg", "SITE_NAME = 3", True),
        ("prod.ini", "[shop]\nSITE_NAME=3", True),
        ("prod.toml", "SITE_NAME = 3", True),
        ("config/prod.json", '{"SITE_NAME": 3}', True),
        ("prod.yaml", "SITE_NAME: 3", True),
        (".env", "FLASK_SITE_NAME=3", True),
        ("prod.env", "export SITE_NAME=3", True),
        ("config.py", "SITE_NAME = 3", True),
        ("prod.cfg", b"\xff SITE_NAME = 3", True),
        ("prod.cfg", "SITE_NAMES = 3\nMY_SITE_NAME = 3", False),
        ("notes.txt", "SITE_NAME = 3", False),
        ("node_modules/prod.json", '{"SITE_NAME": 3}', False),
        ("data.json", '"SITE_NAME"' + " " * 262_144, False),
    ],
)
def test_a_name_in_a_configuration_file_counts_as_set(
    check: Check, name: str, text: str | bytes, is_set: bool
) -> None:
    report = check({name: text, "shop.py": CONFIGURED}, AppNames(frozenset({"SITENAME"})))
    assert [finding.name for finding in report.findings] == ([] if is_set else ["SITE_NAME"])


def test_of_a_single_file_the_configuration_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(CONFIGURED)
    (tmp_path / "prod.cfg").write_text("SITE_NAME = 3")
    names = AppNames(frozenset({"SITENAME"}))
    assert lint(tmp_path / "shop.py", names, Flask("shop").jinja_env).findings == []
