"""What mypy and pyright, both strict, say of code that uses the package, as users would see it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest
from documentation import BLOCKS, PAGES, block

from waffleconf_admin import Declaration
from waffleconf_admin.settings.attributes import READERS
from waffleconf_admin.settings.declaration import Type
from waffleconf_admin.settings.value_types import TYPES

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "examples" / "typed"
PAGE = "docs/typed.md"
SAID = {"mypy": block(PAGE, "$ mypy --strict"), "pyright": block(PAGE, "$ pyright")}
README = [b.code for b in BLOCKS if (b.page, b.language) == ("README.md", "python")]

PUBLIC = """
from flask import Flask
from waffleconf_admin import Can, Change, Health, History, Saved, Setting, SettingsForm, State
from waffleconf_admin import WaffleConf, build_form, conf

def may(action: str, setting: Setting) -> bool:
    return action == "view" and not setting.secret

can: Can = may
waffle = WaffleConf(Flask("shop"))
state: State = waffle.state
state.update_conf()
saved: Saved = waffle.state.update_db({"SITENAME": "Bar"})
health: Health = waffle.state.health()
form: SettingsForm = build_form(waffle.state)
history: History | None = waffle.state.history
if history:
    changes: list[Change] = history.list("SITENAME")
print(conf.SITENAME, conf["SITENAME"], len(conf))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The samples, where no configuration of ours is."""
    folder = tmp_path_factory.mktemp("typed")
    for name in ("shop.py", "wrong.py"):
        (folder / name).write_text((SAMPLES / name).read_text())
    (folder / "public.py").write_text(PUBLIC)
    (folder / "readme.py").write_text("\n".join(README))
    return folder


def output(folder: Path, *command: str) -> str:
    """What a checker says of all samples; it runs once."""
    environment = {"PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    if "WAFFLE_WHEEL" not in os.environ:  # else both find what is installed
        environment |= {"PYTHONPATH": str(ROOT), "MYPYPATH": str(ROOT)}
    files = ["shop.py", "wrong.py", "public.py", "readme.py"]
    done = subprocess.run(
        [sys.executable, "-m", *command, *files],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    said = done.stdout.replace(f"{folder}/", "").replace("\xa0", " ")
    return said.replace("4 source files", "2 source files")  # of which the page speaks


@pytest.fixture(scope="module")
def outputs(folder: Path) -> dict[str, str]:
    cache = Path(sys.prefix) / "mypy-of-tests"  # for the next run: checking Flask takes long
    mypy = ["mypy", "--strict", "--config-file=", f"--cache-dir={cache}"]
    return {
        "mypy": output(folder, *mypy, "--follow-imports=silent"),
        "pyright": output(folder, "pyright", "--pythonpath", sys.executable),
    }


def places(said: str) -> list[str]:
    """The file and line of each error."""
    found = re.findall(r"^ *(\w+\.py):(\d+)\S* (?:- )?error", said, re.M)
    return [f"{name}:{number}" for name, number in found]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_checker_finds_each_mistake_and_no_other(
    outputs: dict[str, str], folder: Path, checker: str
) -> None:
    lines = (folder / "wrong.py").read_text().splitlines()
    marked = [f"wrong.py:{n}" for n, line in enumerate(lines, 1) if "# wrong:" in line]
    assert len(marked) == 11
    assert places(outputs[checker]) == marked, outputs[checker]


@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_the_page_shows_what_a_checker_says(outputs: dict[str, str], checker: str) -> None:
    said = SAID[checker].code.partition("\n")[2]
    assert places(said) == places(outputs[checker])
    if f"{checker} {version(checker)} says" in PAGES[PAGE]:  # another version uses other words
        assert said == outputs[checker]


def test_the_typed_dict_of_a_declaration_has_every_attribute() -> None:
    assert get_type_hints(Declaration).keys() == READERS.keys()


def test_the_typed_dict_names_every_type() -> None:
    (names,) = (part for part in get_args(Type) if get_origin(part) is Literal)
    assert set(get_args(names)) == {*TYPES, "json"}
