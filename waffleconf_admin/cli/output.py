"""Output: what commands find, and how they print it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime

import click
from flask import current_app

from ..fields.base import is_set
from ..fields.multiple_choice import one_line
from ..files import write_json
from ..forms import choice_texts, show_text
from ..settings.equality import same
from ..settings.known_keys import RESTART, RESTART_OF
from ..settings.names import nearest_name
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.history import History
from ..state.state import State

#: Characters of a value in a list.
LENGTH = 60
#: Printed in place of a secret that is set, or not; `set` takes neither.
SECRET_TEXTS = {True: "<secret, set>", False: "<secret, not set>"}
#: Choices that an error lists, at most.
MOST_CHOICES = 20
#: Longer texts are not compared line by line.
MOST_COMPARED = 100_000
NO_HISTORY = "There is no history: the store has no model for it (docs/history.md)."


def current_state() -> State:
    state: State = current_app.extensions["waffleconf"]
    return state


def current_history() -> History:
    history = current_state().history
    if history is None:
        raise click.ClickException(NO_HISTORY)
    return history


def find(state: State, key: str) -> Setting:
    """The setting of that name; the error for an unknown one suggests the nearest."""
    present = state.names.former.get(key, key)
    try:
        setting = state.settings[present]
    except KeyError:
        raise click.ClickException(
            f"There is no setting {key}. {nearest(key, state.settings)}"
        ) from None
    if present != key:
        say(f"{key} is called {present} now.")
    return setting


def nearest(key: str, known: Iterable[str]) -> str:
    """A sentence that suggests the nearest of the known names."""
    near = nearest_name(key, known)
    return f"Did you mean {near}?" if near else "flask waffle list shows them all."


def is_modified(setting: Setting, record: Record) -> bool:
    """Whether the value in force is not the default."""
    return not same(record.value, setting.default)


# Texts


def brief(setting: Setting, value: object) -> str:
    """The text of a value on one line, cut where it is long; of a secret whether there is one."""
    if setting.secret:
        return SECRET_TEXTS[is_set(value)]
    text = show_text(setting, value, on_line=True)
    line = printable(" ".join(text.split()) or (repr(text) if text else "<empty>"))
    return line if len(line) <= LENGTH else f"{line[: LENGTH - 1]}…"


def difference(setting: Setting, old: object, new: object) -> Iterator[str]:
    """Yield the lines that differ, those of the old value after - and those of the new after +."""
    texts = [show_text(setting, value) for value in (old, new)]
    if setting.secret or len("".join(texts)) > MOST_COMPARED:
        texts = [brief(setting, value) for value in (old, new)]
    before, after = (printable(text, but="\n").split("\n") for text in texts)
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    for line in lines:
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"
    if not lines:  # secrets, and values that have one text
        yield "(differs)"


def printable(text: str, but: str = "") -> str:
    """A text without control characters: a stored value must not send escape codes to the terminal.

    :param but: control characters that stay.
    """
    return "".join(c if c.isprintable() or c in but else ascii(c)[1:-1] for c in text)


def when(at: datetime) -> str:
    """A time as every command prints it."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def counted(count: int, noun: str) -> str:
    """A number with its noun: "1 setting", "2 settings"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def choices_of(setting: Setting) -> str:
    """What may be written of a setting with choices, in a sentence; "" for any other."""
    texts = [] if setting.secret else [*map(printable, choice_texts(setting))]
    if not texts:
        return ""
    more = f" and {len(texts) - MOST_CHOICES} more" if len(texts) > MOST_CHOICES else ""
    several = setting.several and any("," in text for text in texts)
    how = " As one has a comma: write each on a line of its own, or use --json." if several else ""
    return f" Choices: {one_line(texts[:MOST_CHOICES])}{more}.{how}"


_SERVED = {
    "default": "the default is used",
    "converted": "a converted value is used",
    "stored": "it is used all the same",
}


def problem_of(record: Record) -> str:
    """What is wrong with a row, in a sentence; "" if nothing is."""
    return "" if record.problem is None else f"{_SERVED[record.served]}: {record.problem()}"


# Printing: what was asked for on standard output, and all else on standard error


def say(text: str) -> None:
    """Print what is not the output, on standard error."""
    click.echo(printable(text, but="\n"), err=True)


def print_json(value: object) -> None:
    click.echo(write_json(value), nl=False)


def print_columns(rows: Iterable[tuple[str, ...]], indent: str = "") -> None:
    """Print rows with their columns below each other; the last one is as wide as it is."""
    listed = [tuple(map(printable, row)) for row in rows]  # a key of a row may be anything
    widths = [max(map(len, column)) for column in zip(*listed, strict=True)][:-1]
    for *cells, last in listed:
        padded = [f"{cell:{width}}  " for cell, width in zip(cells, widths, strict=True)]
        click.echo(f"{indent}{''.join(padded)}{last}".rstrip())


def say_problem(key: str, record: Record, indent: str = "") -> None:
    """Say on standard error what is wrong with a row, if anything."""
    if problem := problem_of(record):
        say(f"{indent}{key}: {problem}")


def say_who_follows(state: State, keys: Collection[str]) -> None:
    """Say on standard error when the processes of a running site serve what was saved.

    :param keys: the settings that were saved.
    """
    settings = state.settings
    waiting = [key for key in keys if settings[key].restart]
    if len(waiting) < len(keys):
        _say_who_follows(state)
        for key in waiting:
            say(RESTART_OF % {"label": key})
    elif waiting:
        say(RESTART)


def _say_who_follows(state: State) -> None:
    if not current_app.config["WAFFLE_MULTIPROC"]:
        say(
            "WAFFLE_MULTIPROC is off: a running site serves it after a restart, or once somebody "
            "opens its settings page."
        )
    elif sentence := state.propagation():
        say(sentence)
