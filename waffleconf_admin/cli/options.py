"""Options that several commands have."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar, TypeVar

import click

from ..files import FORMATS
from ..settings.units import parse_duration
from ..state.ends import Ends

#: A command, or a function that becomes one.
C = TypeVar("C", bound=Callable[..., object] | click.Command)


def system_user() -> str | None:
    """The user of the system; None where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def _ago(text: str) -> datetime:
    length = parse_duration(text)
    if length < timedelta():
        raise ValueError
    return datetime.now(UTC) - length


class _Time(click.ParamType[datetime]):
    """A time, or how long ago it was."""

    name = "time"
    readers: ClassVar[tuple[Callable[[str], datetime], ...]] = (datetime.fromisoformat, _ago)
    hint: ClassVar = "or such as 2 h."

    def convert(self, value: object, param: object, ctx: object) -> datetime:
        if isinstance(value, datetime):
            return value
        for parse in self.readers:
            with suppress(ValueError, OverflowError):
                found = parse(str(value))
                return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
        self.fail(f"write a time, such as 2026-11-28 or 2026-11-28T09:30+01:00, {self.hint}")


class _End(_Time):
    """The same; a day means all of it."""

    def convert(self, value: object, param: object, ctx: object) -> datetime:
        time = super().convert(value, param, ctx)
        with suppress(ValueError, OverflowError):
            date.fromisoformat(str(value))
            return time + timedelta(days=1)
        return time


class _Deadline(_End):
    """A time to come, or a day, which means all of it."""

    readers = (datetime.fromisoformat,)
    hint = "in UTC unless it has an offset. For a length of time use --for."


class _Length(click.ParamType[timedelta]):
    """A length of time."""

    name = "length"

    def convert(self, value: object, param: object, ctx: object) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_duration(str(value))
        except ValueError as error:
            self.fail(str(error))


#: The type of an option that takes a time, or how long ago it was.
TIME = _Time()
#: The same for the end of a range.
END = _End()

actor_option = click.option(
    "--actor",
    metavar="NAME",
    default=system_user,
    show_default="you",
    help="Who changes it, for log and history.",
)
note_option = click.option("--note", metavar="TEXT", help="Why, for log and history.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")


def may_go_back(command: C) -> C:
    """Give a command the options ``--for`` and ``--until``, of which one may be given."""
    for_option = click.option(
        "--for", "length", type=_Length(), help="It goes back after so long, such as '10 min'."
    )
    until_option = click.option(
        "--until",
        type=_Deadline(),
        help="It goes back then, or at the end of this day; in UTC unless it has an offset.",
    )
    return for_option(until_option(command))


def end_of(ends: Ends, length: timedelta | None, until: datetime | None) -> datetime | None:
    """Return when a save goes back, by the options of `may_go_back`; None: it stays."""
    if length is None:
        return until
    if until is not None:
        raise click.UsageError("Give --for or --until, not both.")
    return ends.now() + length


def changes_settings(command: C) -> C:
    """Give a command the options ``--actor`` and ``--note``."""
    return actor_option(note_option(command))


def format_option(help_text: str) -> Callable[[C], C]:
    """Return the option ``--format`` of commands that read or write a file."""
    return click.option("--format", "format_name", type=click.Choice([*FORMATS]), help=help_text)


def examples(*lines: str) -> str:
    """Return the examples at the end of a command's help, for ``epilog=``."""
    return "\b\nExamples:\n" + "\n".join(f"  flask waffle {line}" for line in lines)
