"""docs/testing.md: its suite runs under pytest-xdist, and its recipes roll back what is saved."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from documentation import block

import waffleconf_admin

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "examples" / "testing"


@pytest.fixture
def installed(tmp_path: Path) -> str:
    """A PYTHONPATH with the package and its entry point, as pip would install them."""
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    metadata = tmp_path / "path" / "waffleconf_admin-0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: waffleconf-admin\nVersion: 0\n"
    )
    plugins = parser["options.entry_points"]["pytest11"]
    (metadata / "entry_points.txt").write_text(f"[pytest11]{plugins}\n")
    return os.pathsep.join([str(metadata.parent), str(Path(waffleconf_admin.__file__).parents[1])])


def passed(transcript: str) -> list[str]:
    """The tests that a transcript says have passed, without who ran them and when."""
    return sorted(re.findall(r"^\[gw\d\] \[ *\d+%\] (PASSED \S+) *$", transcript, re.M))


def test_the_suite_passes_under_xdist_as_the_page_shows(tmp_path: Path, installed: str) -> None:
    folder = tmp_path / "bakery"
    shutil.copytree(SUITE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    command = ["pytest", "-n", "2", "-v", "-p", "xdist", "-p", "waffleconf"]
    done = subprocess.run(
        [sys.executable, "-m", *command, "-p", "no:cacheprovider"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": installed, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shown = passed(block("docs/testing.md", "$ pytest -n 2 -v").code)
    assert shown == passed(done.stdout) and len(shown) == 7
    assert {"[gw0]", "[gw1]"} <= set(re.findall(r"\[gw\d\]", done.stdout))
