"""`prune`."""

from __future__ import annotations

import pytest
from commands import CONFS, Run, history, stored
from flask import Flask

ALL = {"SITENAME": "Bar", "PAGE_SIZE": 20}


@pytest.fixture
def removed(app: Flask) -> Flask:
    """The app after a release that declares SITENAME no longer."""
    app.extensions["waffleconf"].update_db(ALL)
    confs = {key: declared for key, declared in CONFS.items() if key != "SITENAME"}
    app.config["WAFFLE_CONFS"] = confs
    return app


def test_prune_lists_the_rows_that_nobody_declares_and_deletes_none(
    run: Run, removed: Flask
) -> None:
    result = run("prune")
    assert (result.exit_code, result.stdout) == (0, "SITENAME\n")
    assert "flask waffle prune KEY" in result.stderr
    removed.config["WAFFLE_CONFS"] = CONFS
    assert stored(removed) == ALL


def test_prune_says_nothing_where_all_is_declared(run: Run) -> None:
    result = run("prune")
    assert (result.exit_code, result.output) == (0, "")


def test_prune_deletes_what_is_named_and_the_history_says_by_whom(run: Run, removed: Flask) -> None:
    result = run("prune", "SITENAME", "NOBODY", "--actor", "ana", "--note", "gone since 2.0")
    assert result.exit_code == 0
    assert result.stdout == "SITENAME was deleted.\nNOBODY has no row.\n"
    assert history(removed)[0] == ("SITENAME", "ana", "cli")
    removed.config["WAFFLE_CONFS"] = CONFS
    assert stored(removed) == {"PAGE_SIZE": 20}


def test_prune_deletes_nothing_that_is_declared(run: Run, removed: Flask) -> None:
    result = run("prune", "SITENAME", "PAGE_SIZE")
    assert result.exit_code == 1 and "PAGE_SIZE: It is declared: reset it" in result.stderr
    removed.config["WAFFLE_CONFS"] = CONFS
    assert stored(removed) == ALL


@pytest.mark.parametrize("args", [["SITENAME", "--history"], ["--days", "3"]])
def test_rows_and_history_are_pruned_one_at_a_time(
    run: Run, removed: Flask, args: list[str]
) -> None:
    result = run("prune", *args)
    assert result.exit_code == 1 and "Usage:" in result.stderr
    assert history(removed)
