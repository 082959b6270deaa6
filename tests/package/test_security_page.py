"""Each promise of docs/security.md and docs/threat-model.md has tests, which exist."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest
from documentation import PAGES, ROOT

NAMES = ["docs/security.md", "docs/threat-model.md"]


@cache
def names_in(path: str) -> set[str]:
    """The names of the tests in a file; of parametrized ones too."""
    tree = ast.parse((ROOT / path).read_text())
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def promises(text: str) -> list[list[str]]:
    """The rows of the tables whose last column has tests."""
    tables = re.findall(r"^(\|.*\| test \|)\n\|[ |-]*\|\n((?:\|.*\n)+)", text + "\n", re.M)
    lines = [line for _, rows in tables for line in rows.splitlines()]
    return [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in lines]


def missing(cell: str) -> list[str]:
    """What is wrong with the tests that a row names."""
    named = re.findall(r"`([^`]+)`", cell)
    found = [part for part in named if "::" not in part]
    for test in (part for part in named if "::" in part):
        path, _, name = test.partition("::")
        known = (ROOT / path).is_file() and name.partition("[")[0] in names_in(path)
        found += [] if known and name.startswith("test_") else [test]
    return found if named else ["no test"]


@pytest.mark.parametrize("name", NAMES)
def test_each_promise_has_tests_that_exist(name: str) -> None:
    rows = promises(PAGES[name])
    assert len(rows) > 20
    wrong = {row[0]: problem for row in rows if (problem := missing(row[-1]))}
    assert not wrong


@pytest.mark.parametrize(
    ("cell", "is_right"),
    [
        ("`tests/package/test_security_page.py::test_a_row_without_a_test_is_found`", True),
        ("`tests/package/test_security_page.py::test_a_row_without_a_test_is_found[x]`", True),
        ("`tests/package/test_security_page.py::test_nothing`", False),
        ("`tests/package/test_security_page.py::missing`", False),
        ("`tests/package/test_no_such_file.py::test_nothing`", False),
        ("`tests/package/test_security_page.py`", False),
        ("see above", False),
        ("", False),
    ],
)
def test_a_row_without_a_test_is_found(cell: str, is_right: bool) -> None:
    assert bool(missing(cell)) is not is_right


def test_only_rows_of_tables_of_tests_are_read() -> None:
    line = "| --- | --- |"
    rows = ["| a | test |", line, "| one | `x` |", "| two | |", "", "| b | c |", line, "| 1 | 2 |"]
    text = "\n".join(rows)
    assert [row[0] for row in promises(text)] == ["one", "two"]
    assert [bool(missing(row[-1])) for row in promises(text)] == [True, True]
