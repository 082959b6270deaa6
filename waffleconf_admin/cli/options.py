"""Options that several commands have."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from typing import Any

import click

from ..files import FORMATS

# Any: click's decorators take and return commands and functions alike.
_Decorator = Callable[[Any], Any]


def system_user() -> str | None:
    """The user of the system; None where it has no name, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


actor_option: _Decorator = click.option(
    "--actor",
    metavar="NAME",
    default=system_user,
    show_default="you",
    help="Who changes it, for log and history.",
)
note_option: _Decorator = click.option("--note", metavar="TEXT", help="Why, for log and history.")
json_option: _Decorator = click.option(
    "--json", "as_json", is_flag=True, help="Print JSON, for programs."
)


def changes_settings(command: Any) -> Any:
    """Give a command the options ``--actor`` and ``--note``."""
    return actor_option(note_option(command))


def format_option(help_text: str) -> _Decorator:
    """Return the option ``--format`` of commands that read or write a file."""
    decorate: _Decorator = click.option(
        "--format", "format_name", type=click.Choice([*FORMATS]), help=help_text
    )
    return decorate


def examples(*lines: str) -> str:
    """Return the examples at the end of a command's help, for ``epilog=``."""
    return "\b\nExamples:\n" + "\n".join(f"  flask waffle {line}" for line in lines)
