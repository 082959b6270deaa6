"""Output: what commands find, and how they print it."""

from __future__ import annotations

import difflib
import getpass
from collections.abc import Iterable

import click
from flask import current_app

from ..fields.base import is_set
from ..forms import choice_texts, show_text
from ..settings.setting import Setting
from ..state.record import Record
from ..state.state import _WaffleState

#: Characters of a value in a list.
LENGTH = 60
#: Printed in place of a secret that is set, or not; `set` takes neither.
SECRET_TEXTS = {True: "<secret, set>", False: "<secret, not set>"}
#: Choices that an error lists, at most.
MOST_CHOICES = 20


def current_state() -> _WaffleState:
    state: _WaffleState = current_app.extensions["waffleconf"]
    return state


def find(state: _WaffleState, key: str) -> Setting:
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


def choices_of(setting: Setting) -> str:
    """What may be written of a setting with choices, in a sentence; "" for any other."""
    texts = [] if setting.secret else [*map(printable, choice_texts(setting))]
    if not texts:
        return ""
    more = f" and {len(texts) - MOST_CHOICES} more" if len(texts) > MOST_CHOICES else ""
    return f" Choices: {', '.join(texts[:MOST_CHOICES])}{more}."


def say_problem(key: str, record: Record, indent: str = "") -> None:
    """Say on standard error what is wrong with a row, if anything."""
    if record.problem is not None:
        used = {
            "default": "the default is used",
            "converted": "a converted value is used",
            "stored": "it is used all the same",
        }
        click.echo(f"{indent}{key}: {used[record.served]}: {record.problem()}", err=True)


def brief(setting: Setting, value: object) -> str:
    """The text of a value on one line, cut where it is long; of a secret whether there is one."""
    if setting.secret:
        return SECRET_TEXTS[is_set(value)]
    line = printable(" ".join(show_text(setting, value).split()) or "<empty>")
    return line if len(line) <= LENGTH else f"{line[: LENGTH - 1]}…"


def printable(text: str, but: str = "") -> str:
    """A text without control characters: a stored value must not send escape codes to the terminal.

    :param but: control characters that stay.
    """
    return "".join(c if c.isprintable() or c in but else ascii(c)[1:-1] for c in text)


def system_user() -> str | None:
    """The user of the system; None where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def say_who_follows(state: _WaffleState) -> None:
    """Say on standard error when the processes of a running site serve what was saved."""
    if not current_app.config["WAFFLE_MULTIPROC"]:
        click.echo(
            "WAFFLE_MULTIPROC is off: a running site serves it after a restart, or once somebody "
            "opens its settings page.",
            err=True,
        )
    elif sentence := state.propagation():
        click.echo(sentence, err=True)
