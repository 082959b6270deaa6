"""All commands: help, exit codes, and secrets."""

from __future__ import annotations

import json
import logging
import re
import shlex
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import CONFS, Run
from cryptography.fernet import Fernet
from flask import Flask
from flask_babel import Babel

from waffleconf_admin import cli

COMMANDS = sorted(cli.waffle.commands)
#: The commands that save something.
WRITING = {"deployed", "set", "reset", "undo", "import", "prune", "keep", "go-back"}


def test_the_commands_are_in_the_app_s_help(app: Flask) -> None:
    result = CliRunner().invoke(app.cli, ["--help"], obj=None)
    assert "waffle" in result.output


def test_the_version_is_that_of_the_package(run: Run) -> None:
    result = run("--version")
    expected = f"waffleconf-admin {version('waffleconf-admin')}\n"
    assert (result.exit_code, result.output) == (0, expected)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("set", "PAGE_SIZE", "many"), "Enter a whole number"),
        (("set", "SITENAME", "Bakery"), "The whole site uses the new values at once."),
        (("explain", "SITENAME"), "text"),
    ],
)
def test_commands_speak_english_whatever_the_app_speaks(
    make_app: Callable[..., Flask], args: tuple[str, ...], said: str
) -> None:
    app = make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="file")
    Babel(app, default_locale="de")
    assert said in app.test_cli_runner().invoke(args=["waffle", *args]).output


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_has_examples_with_options_that_exist(run: Run, command: str) -> None:
    result = run(command, "--help")
    assert (result.exit_code, result.stderr) == (0, "")
    examples = re.findall("flask waffle (.*)", result.stdout.split("Examples:")[1])
    assert examples
    for example in examples:
        name, *args = shlex.split(example.partition(" > ")[0].partition(" < ")[0])
        assert name == command
        # Parsed as if it were run; no command that does anything is called.
        cli.waffle.commands[command].make_context(name, args)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_that_save_take_the_actor(command: str) -> None:
    options = {option for p in cli.waffle.commands[command].params for option in p.opts}
    assert ("--actor" in options) is (command in WRITING)


@pytest.mark.parametrize(
    "args", [[], ["nonsense"], ["--nonsense"], ["list", "--nonsense"], ["set"], ["diff"]]
)
def test_a_wrong_argument_exits_with_1(run: Run, args: list[str]) -> None:
    result = run(*args)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Usage:" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["list"],
        ["get", "SITENAME"],
        ["set", "SITENAME", "Bar"],
        ["reset", "SITENAME"],
        ["history"],
        ["undo", "x"],
        ["explain", "SITENAME"],
        ["export"],
        ["import", "-"],
        ["diff", "-"],
        ["prune"],
        ["prune", "OLD"],
        ["prune", "--history", "--days", "1"],
    ],
    ids=" ".join,
)
def test_without_a_table_the_message_says_so(
    make_app: Callable[..., Flask], args: list[str]
) -> None:
    app = make_app(CONFS, create=False, history=True)
    document = '{"waffleconf": 1, "settings": {"SITENAME": "Bar"}}'
    result = app.test_cli_runner().invoke(args=["waffle", *args], input=document)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "Error: " in result.stderr and "Traceback" not in result.output


@pytest.mark.parametrize("args", [["history"], ["undo", "x"], ["prune", "--history"]])
def test_without_a_history_the_message_says_so(
    make_app: Callable[..., Flask], args: list[str]
) -> None:
    result = make_app(CONFS).test_cli_runner().invoke(args=["waffle", *args])
    assert result.exit_code == 1 and "There is no history" in result.stderr


SECRETS = {
    "TOKEN": {"default": "", "secret": True},
    "PAIR": {"default": {}, "secret": True},
    "PIN": {"default": 0, "max": 10**12, "secret": True},
    "PICK": {"default": "a", "choices": ["a", "hunter"], "secret": True},
    "SITENAME": {"default": "Waffle"},
}
PLANTED = {"TOKEN": "hunter2", "PAIR": {"hunter3": "hunter4"}, "PIN": 70077007700, "PICK": "hunter"}


def test_a_secret_leaves_by_no_command(
    make_app: Callable[..., Flask], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    keys = [Fernet.generate_key()]
    app = make_app(SECRETS, history=True, WAFFLE_STORE_DEFAULTS=False, WAFFLE_ENCRYPTION_KEYS=keys)
    state, runner = app.extensions["waffleconf"], app.test_cli_runner()
    printed: list[str] = []
    ran = set()

    def run(*args: str, stdin: str = "") -> str:
        result = runner.invoke(args=["waffle", *args], input=stdin)
        printed.append(result.output + repr(result.exception))
        ran.add(args[0])
        return result.stdout

    for key, value in PLANTED.items():
        run("set", key, "--json", "--stdin", stdin=json.dumps(value))
        run("set", key, "--stdin", stdin="hunter5 70077007700")  # most are no value of it
        run("set", key, "--json", "--stdin", stdin="{hunter6")
        run("set", key, stdin="hunter7\n")
        run("get", key)
        run("explain", key)
    state.update_db(PLANTED)
    for options in ([], ["--json"], ["--modified"]):
        run("list", *options)
    for options in ([], ["--json"], ["--key", "TOKEN"]):
        run("history", *options)
    run("export"), run("export", "--all", "--format", "json")
    wrong = {"TOKEN": ["hunter8"], "PAIR": "hunter9", "PIN": "700770077009", "PICK": "hunter10"}
    other = {"TOKEN": "hunter11", "PAIR": {}, "PIN": 700770077001, "PICK": "a"}
    for values in (PLANTED, wrong, other):
        path = tmp_path / "settings.json"
        path.write_text(json.dumps({"waffleconf": 1, "settings": values}))
        for command in (["diff"], ["diff", "--prune"], ["import"], ["import", "--apply"]):
            run(*command, str(path))
        run("import", "--apply", "--take-over", "--all", "--prune", str(path))
    run("import", "-", stdin='{"waffleconf": 1, "settings": {"TOKEN": hunter12}}')
    run("import", "-", stdin='{"waffleconf": 1, "settings": {"TOKEN": "hunter13"')
    run("check"), run("convert", "json"), run("convert", "json", "--apply"), run("rotate")
    run("deployed"), run("lint", str(tmp_path)), run("ends"), run("workers")
    run("keep", "x"), run("go-back", "x")
    for change in state.history.list():
        run("undo", change.change_set)
    app.config["WAFFLE_CONFS"] = {"SITENAME": SECRETS["SITENAME"]}
    run("list"), run("check"), run("prune"), run("history"), run("export", "--all")
    run("prune", *PLANTED)
    run("reset", "SITENAME")
    assert ran == set(COMMANDS)
    changes = [(c.old_text, c.new_text, c.old, c.new) for c in state.history.list(limit=1000)]
    text = "\n".join([*printed, caplog.text, repr(changes), repr(state.read())])
    assert "hunter" not in text and "70077007700" not in text
