"""The command line: ``flask waffle list | get | set | reset | prune-history``."""

from __future__ import annotations

import difflib
import getpass
import sys
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from flask import current_app
from flask.cli import AppGroup

from ..exceptions import InvalidValue, WaffleError
from ..fields.special import is_set
from ..forms import choice_texts, exact_text, show_text
from ..settings.equality import same
from ..state.form import parse_text

if TYPE_CHECKING:
    from ..settings.setting import Setting
    from ..state.record import Record
    from ..state.state import _WaffleState

_SHORT = 60
#: What stands for the value of a secret; `set` takes neither.
_STANDS_FOR = {True: "<secret, set>", False: "<secret, not set>"}
#: So many choices are listed when somebody writes none of them.
_MANY = 20


class _WaffleGroup(AppGroup):
    """A group whose commands end with a message and exit status 1 on our own errors."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except WaffleError as error:
            raise click.ClickException(str(error)) from error


@click.group("waffle", cls=_WaffleGroup)
def waffle() -> None:
    """Read and change the app's settings.

    For the operator of the app: read-only settings, which the page shows but
    doesn't let anybody change, can be set here too.
    """


@waffle.command("list")
def list_settings() -> None:
    """Show every setting; * marks a value that is not the default.

    For people: long values are cut, and of a secret it says only whether it is
    set. Scripts use get.
    """
    state = _state()
    width = max(map(len, state.settings), default=0)
    for key, record in state.read().items():
        setting = state.settings[key]
        mark = " " if same(record.value, setting.default) else "*"
        click.echo(f"{mark} {key:{width}}  {_brief(setting, record.value)}")
        _say_problem(key, record, "  ")


@waffle.command("get")
@click.option("--reveal", is_flag=True, help="Print a secret too.")
@click.argument("key")
def get_setting(key: str, reveal: bool) -> None:
    """Print the value of the setting KEY, as set takes it.

    Prints nothing and fails where that can't be: for a secret without --reveal,
    and for a value that no text stands for.
    """
    state = _state()
    setting = _find(state, key)
    if setting.secret and not reveal:
        raise click.ClickException(
            f"{key} is a secret. To print it: flask waffle get --reveal {key}"
        )
    record = state.read([key])[key]
    _say_problem(key, record)
    text = exact_text(replace(setting, secret=False), record.value)
    # A file or program gets the text as it is, but for half of a surrogate pair: no file takes it.
    exact = text.encode("utf-8", "backslashreplace").decode()
    click.echo(_harmless(text, but="\n\t") if sys.stdout.isatty() else exact)


@waffle.command("set", context_settings={"ignore_unknown_options": True})
@click.argument("key")
@click.argument("value", type=click.UNPROCESSED)
def set_setting(key: str, value: str) -> None:
    """Give the setting KEY the VALUE, written as on the page.

    With - as VALUE it is read from standard input: for long texts, and for
    secrets that must not stay in the history of the shell.
    """
    state = _state()
    setting = _find(state, key)
    if value == "-":
        value = sys.stdin.read().removesuffix("\n")
    if setting.secret and value in _STANDS_FOR.values():
        raise click.ClickException(
            f"{value} is what list shows of a secret, not the secret: get --reveal prints it."
        )
    try:
        parsed = parse_text(state, key, value)
    except InvalidValue as error:
        raise click.ClickException(f"{error}{_choices_of(setting)}") from error
    written = state.update_db({key: parsed}, actor=_actor(), source="cli")
    if key not in written:
        click.echo(f"{key} has this value already.")
    else:
        click.echo(f"{key} is now {_brief(setting, written[key])}")
        _say_who_follows()


@waffle.command("reset")
@click.argument("keys", metavar="KEY...", nargs=-1, required=True)
def reset_settings(keys: tuple[str, ...]) -> None:
    """Give each setting KEY its default again."""
    state = _state()
    settings = {key: _find(state, key) for key in keys}
    defaults = state.reset(list(settings), actor=_actor(), source="cli")
    for key, setting in settings.items():
        if key in defaults:
            click.echo(f"{key} is the default again: {_brief(setting, defaults[key])}")
        else:
            click.echo(f"{key} is the default already.")
    if defaults:
        _say_who_follows()


def _say_who_follows() -> None:
    if not current_app.config["WAFFLE_MULTIPROC"]:
        click.echo(
            "WAFFLE_MULTIPROC is off: a running site serves it after a restart, or once somebody "
            "opens its settings page.",
            err=True,
        )


@waffle.command("prune-history")
@click.option("--days", type=click.FloatRange(0, 100_000), help="Instead of WAFFLE_HISTORY_DAYS.")
def prune_history(days: float | None) -> None:
    """Delete changes that are older than WAFFLE_HISTORY_DAYS."""
    state = _state()
    if state.history is None:
        raise click.ClickException("No history is kept: the store has no model for it.")
    if days is None and current_app.config["WAFFLE_HISTORY_DAYS"] is None:
        raise click.ClickException(
            "WAFFLE_HISTORY_DAYS is None, so all is kept. To delete what is older: --days 365"
        )
    # In batches: nobody who saves meanwhile waits for long.
    total = 0
    try:
        while pruned := state.history.prune(days):
            total += pruned
    except ValueError as error:  # "nan" is in every range of numbers
        raise click.ClickException(str(error)) from error
    click.echo("1 change was deleted." if total == 1 else f"{total} changes were deleted.")


def _state() -> _WaffleState:
    state: _WaffleState = current_app.extensions["waffleconf"]
    return state


def _find(state: _WaffleState, key: str) -> Setting:
    """The setting of that name; the error for an unknown one suggests the nearest."""
    try:
        return state.settings[key]
    except KeyError:
        raise click.ClickException(
            f"There is no setting {key}. {_nearest(key, state.settings)}"
        ) from None


def _nearest(key: str, known: Iterable[str]) -> str:
    by_lower_case = {name.lower(): name for name in known}
    near = difflib.get_close_matches(key.lower(), by_lower_case, n=1)
    if near:
        return f"Did you mean {by_lower_case[near[0]]}?"
    return "flask waffle list shows them all."


def _choices_of(setting: Setting) -> str:
    """What may be written of a setting with choices, in a sentence; "" for any other."""
    texts = [] if setting.secret else [*map(_harmless, choice_texts(setting))]
    if not texts:
        return ""
    more = f" and {len(texts) - _MANY} more" if len(texts) > _MANY else ""
    return f" Choices: {', '.join(texts[:_MANY])}{more}."


def _say_problem(key: str, record: Record, indent: str = "") -> None:
    """Say on standard error what is wrong with a row, if anything."""
    if record.problem is not None:
        used = {
            "default": "the default is used",
            "converted": "a converted value is used",
            "stored": "it is used all the same",
        }
        click.echo(f"{indent}{key}: {used[record.served]}: {record.problem()}", err=True)


def _brief(setting: Setting, value: Any) -> str:
    """The text of a value on one line, cut where it is long; of a secret whether there is one."""
    if setting.secret:
        return _STANDS_FOR[is_set(value)]
    line = _harmless(" ".join(show_text(setting, value).split()) or "<empty>")
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


def _harmless(text: str, but: str = "") -> str:
    """A text without control characters: who edits the page shan't steer the operator's terminal.

    :param but: control characters that stay.
    """
    return "".join(c if c.isprintable() or c in but else ascii(c)[1:-1] for c in text)


def _actor() -> str | None:
    """The user of the system; None where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None
