"""`get`, `set` and `reset`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import tty
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from commands import CONFS, Run, history, stored
from flask import Flask
from flask.cli import ScriptInfo
from programs import environment
from wtforms import DecimalField

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.cli import waffle
from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.fields import IntegerField


class Colour(Enum):
    RED = 1
    BLUE = 2


@pytest.mark.parametrize(
    ("conf", "text", "said"),
    [
        ({"default": "light", "choices": ["light", ("dark", "At night")]}, "neon", "light, dark."),
        ({"default": ["a"], "choices": ["a", "b"]}, "a,z", "a, b."),
        ({"default": Colour.RED}, "GREEN", "RED, BLUE."),
        ({"default": 0, "choices": range(30)}, "30", "18, 19 and 10 more."),
        ({"default": "s", "choices": ["s", "hush"], "secret": True}, "x" * 9, None),
        ({"default": 1}, "many", None),
    ],
)
def test_set_lists_the_choices(
    make_app: Callable[..., Flask], conf: dict[str, Any], text: str, said: str | None
) -> None:
    conf = {k: [*v] if isinstance(v, range) else v for k, v in conf.items()}
    result = make_app({"E": conf}).test_cli_runner().invoke(args=["waffle", "set", "E", text])
    assert result.exit_code == 1
    assert said in result.stderr if said else "Choices" not in result.stderr
    assert "hush" not in result.stderr


@pytest.mark.parametrize("secret", [False, True])
@pytest.mark.parametrize("error", [RuntimeError, ValueError, InvalidValue])
def test_set_says_in_one_line_that_the_choices_have_failed(
    make_app: Callable[..., Flask],
    caplog: pytest.LogCaptureFixture,
    error: type[Exception],
    secret: bool,
) -> None:
    def choices() -> list[str]:
        raise error("no hush here")

    conf = {"default": "hush", "choices": choices, "secret": secret}
    runner = make_app({"E": conf}).test_cli_runner()
    result = runner.invoke(args=["waffle", "set", "E", "--stdin"], input="new")
    assert (result.exit_code, type(result.exception)) == (1, SystemExit)
    assert "its control can't be made at the moment" in result.stderr
    assert "hush" not in result.stderr and ("hush" in caplog.text) == (not secret)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("SITENAME", "Crêperie du Port", "Crêperie du Port"),
        ("PAGE_SIZE", "12", 12),
        ("OFFSET", "-5", -5),
        ("RATIO", "0.25", 0.25),
        ("OPEN", "on", True),
        ("THEME", "dark", "dark"),
        ("HOURS", '{"tue": [10, 12]}', {"tue": [10, 12]}),
        ("REGION", "us", "us"),
    ],
)
def test_set_saves_the_value(run: Run, app: Flask, key: str, text: str, value: Any) -> None:
    result = run("set", key, text)
    assert result.exit_code == 0, result.output
    assert stored(app) == {key: value}


@pytest.mark.parametrize(
    ("former", "value", "listed"),
    [
        (["q"], ["a", "q"], "a, q"),  # q is no longer a choice
        (["q"], ["q"], "q"),
        ([], ["c", "a"], "c, a"),
        ([], ("c", "a"), "c, a"),
        ([], {"c", "a"}, "a, c"),  # a set has no order
        (["q"], {"q", "c", "a"}, "a, c, q"),
        (["Zürich", "New York"], ["Zürich", "New York"], "Zürich, New York"),
    ],
)
def test_chosen_items_are_shown_as_they_are_in_force(
    make_app: Callable[..., Flask], former: list[object], value: Any, listed: str
) -> None:
    conf = {"default": type(value)(["b"]), "choices": ["a", "b", "c", *former]}
    make_app({"K": conf}, history=True).extensions["waffleconf"].update_db({"K": value})
    app = make_app({"K": conf | {"choices": ["a", "b", "c"]}}, history=True)
    invoke = app.test_cli_runner().invoke
    assert invoke(args=["waffle", "get", "K"]).stdout == listed.replace(", ", "\n") + "\n"
    assert f"K  {listed}\n" in invoke(args=["waffle", "list"]).stdout
    assert f" {listed} (database)" in invoke(args=["waffle", "explain", "K"]).stdout
    assert f"(default) -> {listed}\n" in invoke(args=["waffle", "history"]).stdout


def test_the_order_of_chosen_items_stays_from_command_to_command(
    make_app: Callable[..., Flask],
) -> None:
    conf = {"default": (), "choices": ["a", "b", "Rome, Italy"]}
    app = make_app({"K": conf}, history=True)
    invoke = app.test_cli_runner().invoke
    said = invoke(args=["waffle", "set", "K", "Rome, Italy\na"]).stdout
    assert said == 'K is now "Rome, Italy", a\n'
    shown = invoke(args=["waffle", "get", "K"]).stdout
    assert "has this value already" in invoke(args=["waffle", "set", "K", shown]).stdout
    assert stored(app) == {"K": ("Rome, Italy", "a")}
    invoke(args=["waffle", "set", "K", "b,a"])
    lines = invoke(args=["waffle", "history"]).stdout
    assert '"Rome, Italy", a -> b, a' in lines
    invoke(args=["waffle", "set", "K", "a,b"])
    assert "b, a -> a, b" in invoke(args=["waffle", "history"]).stdout
    assert stored(app) == {"K": ("a", "b")}


def test_an_error_says_how_to_write_a_choice_with_a_comma(make_app: Callable[..., Flask]) -> None:
    conf = {"default": (), "choices": ["a", "Rome, Italy"]}
    invoke = make_app({"K": conf}).test_cli_runner().invoke
    said = invoke(args=["waffle", "set", "K", "a,Rome, Italy"]).stderr
    assert 'Choices: a, "Rome, Italy". As one has a comma: write each on a line of its own' in said


@pytest.mark.parametrize("key", [key for key in CONFS if key != "TOKEN"])
def test_set_takes_what_get_prints(run: Run, app: Flask, key: str) -> None:
    shown = run("get", key).stdout.removesuffix("\n")
    result = run("set", key, "-", stdin=shown)
    assert result.exit_code == 0, result.output
    assert stored(app) == {key: CONFS[key]["default"]}


def test_set_reads_standard_input_for_a_dash(run: Run, app: Flask) -> None:
    assert run("set", "TEXT", "-", stdin="one\ntwo\n\n").exit_code == 0
    assert stored(app) == {"TEXT": "one\ntwo\n"}


@pytest.mark.parametrize("key", ["TEXT", "TOKEN"])
def test_standard_input_that_is_no_text_changes_nothing(app: Flask, key: str) -> None:
    result = app.test_cli_runner().invoke(args=["waffle", "set", key, "-"], input=b"hunter2\xff")
    assert result.exit_code == 1 and stored(app) == {}
    assert result.stderr.strip() == "Error: Standard input is not utf-8."
    assert b"hunter2" not in result.stdout_bytes + result.stderr_bytes


def test_an_empty_value_is_shown_as_such(run: Run) -> None:
    assert "  TEXT       <empty>" in run("list").stdout.splitlines()
    assert run("get", "TEXT").stdout == "\n"
    assert run("set", "SITENAME", "").stdout == "SITENAME is now <empty>\n"
    assert run("set", "SITENAME", " ").stdout == "SITENAME is now ' '\n"


@pytest.mark.parametrize("length", ["2 h", "tomorrow"])
def test_the_end_of_a_save_is_a_time_and_no_length(run: Run, length: str) -> None:
    result = run("set", "SITENAME", "New", "--until", length)
    assert result.exit_code == 1 and "For a length of time use --for." in result.stderr


def test_a_time_without_an_offset_is_of_utc_wherever_the_machine_is(
    run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    result = run("set", "SITENAME", "New", "--until", end.replace(tzinfo=None).isoformat())
    monkeypatch.undo()
    time.tzset()
    assert result.exit_code == 0, result.output
    assert [each.at for each in app.extensions["waffleconf"].ends.read()] == [end]


@pytest.mark.parametrize("multiproc", [False, True])
@pytest.mark.parametrize("command", [("set", "SITENAME", "New"), ("reset", "OFFSET")])
def test_who_has_to_be_restarted_is_said_when_processes_do_not_follow(
    make_app: Callable[..., Flask], command: tuple[str, ...], multiproc: bool
) -> None:
    app = make_app(CONFS, WAFFLE_MULTIPROC=multiproc)
    app.extensions["waffleconf"].update_db({"OFFSET": 1})
    result = app.test_cli_runner().invoke(args=["waffle", *command])
    assert result.exit_code == 0
    assert ("WAFFLE_MULTIPROC is off" in result.stderr) is not multiproc


@pytest.mark.parametrize("is_terminal", [True, False])
def test_get_never_steers_the_terminal_and_changes_nothing_in_a_pipe(
    app: Flask, monkeypatch: pytest.MonkeyPatch, is_terminal: bool
) -> None:
    text = "a\x1b]0;title\x07\x1b[31mb\tc\nd\u202e\r"
    app.extensions["waffleconf"].update_db({"TEXT": text})
    reader, writer = os.openpty() if is_terminal else os.pipe()
    with open(reader, "rb"), open(writer, "w", encoding="utf-8") as stdout:
        if is_terminal:
            tty.setraw(writer)
        monkeypatch.setattr("sys.stdout", stdout)
        info = ScriptInfo(create_app=lambda: app)
        waffle.main(["get", "TEXT"], obj=info, standalone_mode=False)
        monkeypatch.undo()
        stdout.flush()
        shown = os.read(reader, 1000).decode()
    harmless = r"a\x1b]0;title\x07\x1b[31mb" + "\tc\nd" + r"\u202e\r"
    assert shown == (harmless if is_terminal else text) + "\n"


def test_get_prints_what_no_file_takes_with_a_backslash(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"TEXT": "é\ud800\\"})
    assert run("get", "TEXT").stdout == "é\\ud800\\\n"


def test_set_says_when_nothing_changes(run: Run) -> None:
    run("set", "PAGE_SIZE", "12")
    assert run("set", "PAGE_SIZE", "12").stdout == "PAGE_SIZE has this value already.\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["set", "PAGE_SIZE", "0"], "PAGE_SIZE"),
        (["set", "PAGE_SIZE", "many"], "PAGE_SIZE"),
        (["set", "THEME", "pink"], "THEME"),
        (["set", "HOURS", "{"], "Line 1, column 2"),
        (["set", "SITENAM", "x"], "There is no setting SITENAM. Did you mean SITENAME?"),
        (["get", "sitename"], "Did you mean SITENAME?"),
        (["get", "ZZZZZZ"], "flask waffle list shows them all."),
        (["reset", "SITENAME", "PAGESIZE"], "Did you mean PAGE_SIZE?"),
    ],
)
def test_a_mistake_changes_nothing_and_exits_with_1(
    run: Run, app: Flask, args: list[str], message: str
) -> None:
    before = {"SITENAME": "Crêperie", "PAGE_SIZE": 3}
    app.extensions["waffleconf"].update_db(before)
    result = run(*args)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ") and message in result.stderr
    assert "Traceback" not in result.output
    assert stored(app) == before


def test_reset_brings_back_the_defaults(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Crêperie", "PAGE_SIZE": 3, "OPEN": True})
    result = run("reset", "SITENAME", "PAGE_SIZE", "RATIO")
    assert result.stdout.splitlines() == [
        "SITENAME is the default again: Waffle",
        "PAGE_SIZE is the default again: 10",
        "RATIO is the default already.",
    ]
    assert stored(app) == {"OPEN": True}


@pytest.mark.parametrize(
    ("value", "prints"),
    [
        (datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1), "CET")), "2026-01-01T00:00 CET"),
        (datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=1), "CET")), ""),
        (datetime(2026, 7, 1, tzinfo=timezone(timedelta(hours=2), "CEST")), ""),
        (datetime(2026, 7, 1, tzinfo=ZoneInfo("UTC")), "2026-07-01T00:00 UTC"),
    ],
)
def test_get_prints_no_time_that_set_takes_for_another(
    make_app: Callable[..., Flask], value: datetime, prints: str
) -> None:
    app = make_app({"AT": {"default": datetime(2026, 1, 1, tzinfo=UTC)}})
    state, runner = app.extensions["waffleconf"], app.test_cli_runner()
    state.update_db({"AT": value})
    result = runner.invoke(args=["waffle", "get", "AT"])
    assert (result.stdout.rstrip(), result.exit_code) == (prints, 0 if prints else 1)
    if prints:
        state.reset(["AT"])
        runner.invoke(args=["waffle", "set", "AT", "--stdin"], input=result.stdout)
        assert app.config["AT"] == value


@pytest.mark.parametrize("value", ["", "hunter2"])
def test_get_of_a_secret_fails_and_prints_nothing_that_a_script_could_keep(
    run: Run, app: Flask, value: str
) -> None:
    app.extensions["waffleconf"].update_db({"TOKEN": value})
    result = run("get", "TOKEN")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "flask waffle get --reveal TOKEN" in result.stderr


@pytest.mark.parametrize("value", ["", "hunter2", "two\nlines\n", "<secret, set>"])
def test_the_operator_can_print_a_secret(run: Run, app: Flask, value: str) -> None:
    app.extensions["waffleconf"].update_db({"TOKEN": value})
    result = run("get", "--reveal", "TOKEN")
    assert (result.exit_code, result.stdout) == (0, f"{value}\n")


@pytest.mark.parametrize(
    "secret",
    [{"default": {"a": ["x"]}}, {"default": b"x"}, {"default": 5}, {"default": 1, "choices": [1]}],
)
def test_what_reveal_prints_is_what_set_takes(
    make_app: Callable[..., Flask], secret: dict[str, Any]
) -> None:
    app = make_app({"KEY": secret | {"secret": True}}, WAFFLE_STORE_DEFAULTS=False)
    runner = app.test_cli_runner()
    shown = runner.invoke(args=["waffle", "get", "--reveal", "KEY"]).stdout
    assert runner.invoke(args=["waffle", "set", "KEY", "-"], input=shown).exit_code == 0
    assert stored(app) == {"KEY": secret["default"]}


@pytest.mark.parametrize(
    ("default", "value"), [({"a": 1}, {1: 2}), ([1], [b"x"]), (1, 1.5), (b"", 5), (1.5, 2**60 + 1)]
)
def test_get_prints_nothing_where_no_text_stands_for_the_value(
    make_app: Callable[..., Flask], default: Any, value: Any
) -> None:
    app = make_app({"KEY": {"default": default}})
    app.extensions["waffleconf"].update_db({"KEY": value})
    result = app.test_cli_runner().invoke(args=["waffle", "get", "KEY"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "No text stands for this value" in result.stderr


@pytest.mark.parametrize("args", [["list"], ["get", "SITENAME"]])
def test_a_row_that_cannot_be_decoded_is_reported(run: Run, app: Flask, args: list[str]) -> None:
    with app.app_context():
        model, db = app.waffle_model, app.waffle_db  # type: ignore[attr-defined]
        db.session.add(model(key="SITENAME", value="not a pickle"))
        db.session.commit()
    result = run(*args)
    assert "Waffle" in result.stdout
    assert result.stderr.count("SITENAME: the default is used: ") == 1


def test_the_log_says_who_changed_it(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    caplog.set_level("INFO", "waffleconf_admin")
    run("set", "SITENAME", "Crêperie")
    assert "ana" in caplog.text and "cli" in caplog.text


def test_a_user_without_a_name_can_change_settings(
    run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_name(uid: int) -> None:
        raise KeyError(uid)

    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", no_name)
    assert run("set", "SITENAME", "Crêperie").exit_code == 0
    assert stored(app) == {"SITENAME": "Crêperie"}


class Hex(IntegerField):
    def format(self, value: Any) -> str:
        return f"0x{value:x}"

    def parse(self, text: str) -> Any:
        return int(text, 16)


def test_it_uses_the_fields_of_the_pages_whichever_page_has_them(app: Flask, run: Run) -> None:
    app.register_blueprint(WaffleAdmin("plain"))
    app.register_blueprint(WaffleAdmin("own", fields={int: Hex}))
    app.register_blueprint(WaffleAdmin("more", fields={int: Hex, float: DecimalField}))
    run("set", "PAGE_SIZE", "12")
    assert stored(app) == {"PAGE_SIZE": 18}
    assert run("get", "PAGE_SIZE").stdout == "0x12\n"


def test_pages_that_would_have_it_use_different_fields_are_refused(app: Flask, run: Run) -> None:
    app.register_blueprint(WaffleAdmin("one", fields={int: Hex}))
    with pytest.raises(ValueError, match=r'different fields for int.*give both pages.*"field"'):
        app.register_blueprint(WaffleAdmin("two", fields={float: Hex, int: DecimalField}))
    assert "two" not in app.blueprints
    run("set", "RATIO", "2.5")  # of what was refused nothing is left
    assert stored(app) == {"RATIO": 2.5}


# How `set` gets a value


def test_set_reads_standard_input_with_an_option_too(run: Run, app: Flask) -> None:
    assert run("set", "TEXT", "--stdin", stdin="one\ntwo\n").exit_code == 0
    assert stored(app) == {"TEXT": "one\ntwo"}


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("HOURS", '{"tue": [1, 2]}', {"tue": [1, 2]}),
        ("PAGE_SIZE", "12", 12),
        ("OPEN", "true", True),
        ("SITENAME", '"12"', "12"),
        ("TIMEOUT", '"2 h"', timedelta(hours=2)),
    ],
)
def test_set_takes_json_as_files_have_it(
    run: Run, app: Flask, key: str, text: str, value: Any
) -> None:
    assert run("set", key, "--json", text).exit_code == 0
    assert stored(app) == {key: value}


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("PAGE_SIZE", '"12"', "PAGE_SIZE: Write it without quotes: 12."),
        ("HOURS", '{"a": 1', "Line 1, column 8"),
        ("SITENAME", "Bar", "Line 1, column 1"),
    ],
)
def test_set_refuses_json_of_another_type(
    run: Run, app: Flask, key: str, text: str, message: str
) -> None:
    result = run("set", key, "--json", text)
    assert result.exit_code == 1 and message in result.stderr
    assert stored(app) == {}


@pytest.mark.parametrize("options", [[], ["--stdin"], ["-"]])
def test_a_secret_is_typed_or_read_from_standard_input(
    run: Run, app: Flask, options: list[str]
) -> None:
    result = run("set", "TOKEN", *options, stdin="hunter2\n")
    assert result.exit_code == 0 and "hunter2" not in result.output
    assert stored(app) == {"TOKEN": "hunter2"}


def test_without_a_terminal_a_secret_is_not_asked_for(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(PROGRAM)
    flask = [sys.executable, "-m", "flask", "--app", "shop", "waffle"]
    env = environment(PYTHONIOENCODING="latin-1")

    def run(*args: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*flask, *args],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env=env,
            start_new_session=True,  # so that there is no /dev/tty
        )

    done = run("set", "TOKEN", stdin="hunter2\n")
    assert done.returncode == 1 and "use --stdin" in done.stderr
    assert "Warning" not in done.stderr and "hunter2" not in done.stdout + done.stderr
    # What the encoding of standard output lacks is no traceback after the save.
    assert run("set", "SITENAME", "a…b").stdout == "SITENAME is now a\\u2026b\n"


PROGRAM = """
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from waffleconf_admin import AlchemyWaffleStore, WaffleConf

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///shop.db"
app.config["WAFFLE_CONFS"] = {
    "SITENAME": {"default": "Waffle"},
    "TOKEN": {"default": "", "secret": True},
}
db = SQLAlchemy(app)
Conf, Change = AlchemyWaffleStore.make_models(db)
WaffleConf(app, AlchemyWaffleStore(db, Conf))
with app.app_context():
    db.create_all()
"""


@pytest.mark.parametrize(
    ("options", "text", "message"),
    [
        ([], "<secret, set>", "get --reveal prints it"),
        (["--json"], '{"hunter2": 1, "hunter2": 2}', "This is not JSON."),
    ],
)
def test_what_can_be_no_secret_is_refused_and_not_quoted(
    run: Run, app: Flask, options: list[str], text: str, message: str
) -> None:
    result = run("set", "TOKEN", "--stdin", *options, stdin=text)
    assert result.exit_code == 1 and message in result.stderr
    assert "hunter2" not in result.output and stored(app) == {}


def test_a_secret_that_can_not_be_read_is_not_the_default(run: Run, app: Flask) -> None:
    with app.app_context():
        model, db = app.waffle_model, app.waffle_db  # type: ignore[attr-defined]
        db.session.add(model(key="TOKEN", value="not a pickle"))
        db.session.commit()
    result = run("get", "--reveal", "TOKEN")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "what is stored can't be read" in result.stderr


def test_a_secret_is_no_argument(run: Run, app: Flask) -> None:
    result = run("set", "TOKEN", "hunter2")
    assert result.exit_code == 1 and "--stdin" in result.stderr
    assert stored(app) == {}


@pytest.mark.parametrize("args", [["SITENAME"], ["SITENAME", "Bar", "--stdin"]])
def test_set_wants_one_value(run: Run, app: Flask, args: list[str]) -> None:
    result = run("set", *args)
    assert result.exit_code == 1 and "VALUE" in result.stderr
    assert stored(app) == {}


def test_set_and_reset_say_who_and_why(run: Run, app: Flask) -> None:
    run("set", "SITENAME", "Bar", "--actor", "ana", "--note", "the shop moves")
    run("reset", "SITENAME", "--actor", "ben")
    assert history(app) == [("SITENAME", "ben", "cli"), ("SITENAME", "ana", "cli")]
    assert app.extensions["waffleconf"].history.list()[1].note == "the shop moves"
