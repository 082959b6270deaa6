"""Values: ``flask waffle list | get | set | reset``."""

from __future__ import annotations

import sys
from dataclasses import replace

import click

from ..exceptions import InvalidValue
from ..forms import exact_text
from ..settings.equality import same
from ..state.form import parse_text
from .group import waffle
from .output import (
    SECRET_TEXTS,
    brief,
    choices_of,
    current_state,
    find,
    printable,
    say_problem,
    say_who_follows,
    system_user,
)


@waffle.command("list")
def list_settings() -> None:
    """Show every setting; * marks a value that is not the default.

    For people: long values are cut, and of a secret it says only whether it is
    set. Scripts use get.
    """
    state = current_state()
    settings = state.settings
    width = max(map(len, settings), default=0)
    for key, record in state.read().items():
        setting = settings[key]
        mark = " " if same(record.value, setting.default) else "*"
        click.echo(f"{mark} {key:{width}}  {brief(setting, record.value)}")
        say_problem(key, record, "  ")


@waffle.command("get")
@click.option("--reveal", is_flag=True, help="Print a secret too.")
@click.argument("key")
def get_setting(key: str, reveal: bool) -> None:
    """Print the value of the setting KEY, as set takes it.

    Prints nothing and fails where that can't be: for a secret without --reveal,
    and for a value that no text stands for.
    """
    state = current_state()
    setting = find(state, key)
    if setting.secret and not reveal:
        raise click.ClickException(
            f"{key} is a secret. To print it: flask waffle get --reveal {key}"
        )
    record = state.read([key])[key]
    say_problem(key, record)
    text = exact_text(replace(setting, secret=False), record.value)
    # A file or program gets the text as it is, but for half of a surrogate pair: no file takes it.
    exact = text.encode("utf-8", "backslashreplace").decode()
    click.echo(printable(text, but="\n\t") if sys.stdout.isatty() else exact)


@waffle.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("key")
@click.argument("value", type=click.UNPROCESSED)
def set_setting(key: str, value: str) -> None:
    """Give the setting KEY the VALUE, written as on the page.

    With - as VALUE it is read from standard input: for long texts, and for
    secrets that must not stay in the history of the shell.
    """
    state = current_state()
    setting = find(state, key)
    if value == "-":
        value = sys.stdin.read().removesuffix("\n")
    if setting.secret and value in SECRET_TEXTS.values():
        raise click.ClickException(
            f"{value} is what list shows of a secret, not the secret: get --reveal prints it."
        )
    try:
        parsed = parse_text(state, key, value)
    except InvalidValue as error:
        raise click.ClickException(f"{error}{choices_of(setting)}") from error
    written = state.update_db({key: parsed}, actor=system_user(), source="cli")
    if key not in written:
        click.echo(f"{key} has this value already.")
    else:
        click.echo(f"{key} is now {brief(setting, written[key])}")
        say_who_follows(state)


@waffle.command("reset")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
def reset_settings(keys: tuple[str, ...]) -> None:
    """Give each setting KEY its default again."""
    state = current_state()
    settings = {key: find(state, key) for key in keys}
    defaults = state.reset(list(settings), actor=system_user(), source="cli")
    for key, setting in settings.items():
        if key in defaults:
            click.echo(f"{key} is the default again: {brief(setting, defaults[key])}")
        else:
            click.echo(f"{key} is the default already.")
    if defaults:
        say_who_follows(state)
