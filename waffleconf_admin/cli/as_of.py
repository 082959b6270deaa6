"""As of: ``flask waffle diff | export --as-of``, the settings at a time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.as_of import AsOf, PastValue, read_as_of
from ..state.state import State
from .group import DIFFERS
from .options import TIME
from .output import current_history, difference, say, when


def _past(ctx: object, param: click.Parameter, at: datetime | None) -> datetime | None:
    if at and at > datetime.now(UTC):
        raise click.BadParameter("that time has not come yet", param=param)
    return at


as_of_option = click.option(
    "--as-of",
    "at",
    metavar="TIME",
    type=TIME,
    callback=_past,
    help="As --since of history takes it; from the history.",
)


def print_differences_as_of(state: State, at: datetime) -> None:
    """Print how the settings at a time differ from those in force, + at that time.

    :raises Exit: with code 2, they do.
    """
    settings = state.settings
    found = read_as_of(current_history(), settings, state.read(), at)
    differing = []
    for key, past in found.values.items():
        if lines := [*_lines(settings[key], found.records[key], past)]:
            differing.append(key)
            click.echo("\n  ".join([key, *lines]))
        elif past.unknown:
            say(f"{key} is not compared: {past.unknown}")
    if reset := [key for key in differing if not found.values[key].stored]:
        say(f"The default then, here as the code has it now: {', '.join(reset)}")
    if held := [key for key in differing if settings[key].environment]:
        say(f"What is stored, and not in force: {', '.join(held)}")
    say_where_history_begins(found)
    if differing:
        raise click.exceptions.Exit(DIFFERS)


def past_records(state: State, at: datetime) -> dict[str, Record]:
    """The records of an export, with the values at a time; what is not known is left out."""
    settings = state.settings
    found = read_as_of(current_history(), settings, state.read(), at)
    say_where_history_begins(found)
    records = {}
    for key, past in found.values.items():
        if past.unknown and not settings[key].secret:
            say(f"{key} was left out: {past.unknown}")
        else:
            records[key] = found.records[key]._replace(value=past.value, problem=None)
    return records


def say_where_history_begins(found: AsOf) -> None:
    """Say on standard error that earlier changes are not known, if that is so."""
    if found.begins:
        say(
            f"The history begins at {when(found.begins)}: what was changed before, since "
            f"{when(found.at)}, is not known."
        )


def _lines(setting: Setting, record: Record, past: PastValue) -> Iterator[str]:
    if past.changed and past.unknown:
        yield f"({past.unknown})"
    elif not past.unknown and not same(record.value, past.value):
        yield from difference(setting, record.value, past.value)
