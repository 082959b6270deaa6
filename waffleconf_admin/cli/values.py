"""Values: ``flask waffle get | set | reset``."""

from __future__ import annotations

import getpass
import sys
import warnings
from dataclasses import replace
from datetime import datetime, timedelta

import click

from ..exceptions import InvalidValue
from ..fields.json_text import read_json
from ..files import FileValues
from ..forms import exact_text
from ..settings.setting import Setting
from ..state.form import parse_text
from ..state.state import State
from .ends import say_end
from .group import waffle
from .options import changes_settings, end_of, examples, may_go_back
from .output import (
    SECRET_TEXTS,
    brief,
    choices_of,
    current_state,
    find,
    printable,
    say_problem,
    say_who_follows,
)


@waffle.command("get", epilog=examples("get SITENAME", "get --reveal TOKEN > token.txt"))
@click.option("--reveal", is_flag=True, help="Print a secret too.")
@click.argument("key")
def get_setting(key: str, reveal: bool) -> None:
    """Print the value of the setting KEY, as set takes it.

    Prints nothing and fails where that can't be: for a secret without --reveal,
    and for a value that no text stands for.
    """
    state = current_state()
    setting = find(state, key)
    key = setting.key  # it may have been a former name
    if setting.secret and not reveal:
        raise click.ClickException(
            f"{key} is a secret. To print it: flask waffle get --reveal {key}"
        )
    record = state.read([key])[key]
    say_problem(key, record)
    if setting.secret and record.served == "default" and record.problem:
        raise click.ClickException(
            f"{key}: what is stored can't be read, so there is none to print"
        )
    text = exact_text(replace(setting, secret=False), record.value)
    # A file or program gets the text as it is, but for half of a surrogate pair: no file takes it.
    exact = text.encode("utf-8", "backslashreplace").decode()
    # color=True: click would take escape codes out of it.
    click.echo(printable(text, but="\n\t") if sys.stdout.isatty() else exact, color=True)


@waffle.command(
    "set",
    context_settings={"ignore_unknown_options": True},  # -5 is a value
    epilog=examples(
        'set SITENAME "Crêperie" --note "the shop moves"',
        "set HOURS --json '{\"mon\": [9, 17]}'",
        "set SITENAME Sale --for '2 h'",
        "set TOKEN",
        "set TOKEN --stdin < token.txt",
    ),
)
@click.argument("key")
@click.argument("value", required=False, type=click.UNPROCESSED)
@click.option("--stdin", is_flag=True, help="Read the value from standard input; as VALUE, - too.")
@click.option("--json", "is_json", is_flag=True, help="The value is JSON, as in exported files.")
@may_go_back
@changes_settings
def set_setting(
    key: str,
    value: str | None,
    stdin: bool,
    is_json: bool,
    length: timedelta | None,
    until: datetime | None,
    actor: str | None,
    note: str | None,
) -> None:
    """Give the setting KEY the VALUE, written as on the page.

    A secret is asked for, or read from standard input: an argument would stay
    in the history of the shell, and other users of the machine could see it.
    """
    state = current_state()
    setting = find(state, key)
    key = setting.key
    text = _given_text(setting, value, stdin)
    try:
        parsed = _parsed(state, setting, text, is_json)
    except InvalidValue as error:
        raise click.ClickException(f"{error}{choices_of(setting)}") from error
    end = end_of(state.ends, length, until)
    written = state.update_db({key: parsed}, actor=actor, note=note, until=end, source="cli")
    if key not in written:
        click.echo(f"{key} has this value already.")
    else:
        click.echo(f"{key} is now {brief(setting, written[key])}")
        say_who_follows(state, written)
        say_end(state.ends, written.change_set)


def _given_text(setting: Setting, value: str | None, stdin: bool) -> str:
    """The text of the value: the argument, standard input, or what is typed."""
    if stdin and value not in (None, "-"):
        raise click.UsageError("Give a VALUE, or --stdin: not both.")
    if stdin or value == "-":
        value = _standard_input()
    elif setting.secret and value is not None:
        raise click.UsageError(
            f"{setting.key} is a secret, so it is no argument: leave VALUE out to be asked for it, "
            "or use --stdin."
        )
    elif setting.secret:
        value = _typed_secret(setting.key)
    if value is None:
        raise click.UsageError(f"Give a VALUE for {setting.key}, or --stdin.")
    if setting.secret and value in SECRET_TEXTS.values():
        raise click.ClickException(
            f"{value} is what list shows of a secret, not the secret: get --reveal prints it."
        )
    return value


def _standard_input() -> str:
    """What comes from standard input, without the end of its last line."""
    try:
        return sys.stdin.read().removesuffix("\n")
    except UnicodeDecodeError:
        # Without a cause: it has the bytes, which may be a secret.
        raise click.ClickException(f"Standard input is not {sys.stdin.encoding}.") from None


def _typed_secret(key: str) -> str:
    """What is typed on the terminal, where it is not shown."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            text: str = click.prompt(key, hide_input=True, default="", show_default=False, err=True)
        except getpass.GetPassWarning as error:
            raise click.UsageError("There is no terminal to ask for it: use --stdin.") from error
    return text


def _parsed(state: State, setting: Setting, text: str, is_json: bool) -> object:
    if not is_json:
        return parse_text(state, setting.key, text)
    try:
        written = read_json(text)
    except ValueError as error:
        cause = None if setting.secret else error  # it has the text in it
        problem = "This is not JSON." if setting.secret else str(error)
        raise InvalidValue({setting.key: problem}) from cause
    return FileValues(state.app, state.settings).load(setting.key, written)


@waffle.command("reset", epilog=examples("reset SITENAME PAGE_SIZE"))
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
@may_go_back
@changes_settings
def reset_settings(
    keys: tuple[str, ...],
    length: timedelta | None,
    until: datetime | None,
    actor: str | None,
    note: str | None,
) -> None:
    """Give each setting KEY its default again."""
    state = current_state()
    settings = {setting.key: setting for setting in (find(state, key) for key in keys)}
    end = end_of(state.ends, length, until)
    defaults = state.reset(list(settings), actor=actor, note=note, until=end, source="cli")
    for key, setting in settings.items():
        if key in defaults:
            click.echo(f"{key} is the default again: {brief(setting, defaults[key])}")
        else:
            click.echo(f"{key} is the default already.")
    if defaults:
        say_who_follows(state, defaults)
        say_end(state.ends, defaults.change_set)
