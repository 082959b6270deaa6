"""Group: ``flask waffle``, to which the commands of the other modules belong.

The exit code of a command is 0 if it was done or there was nothing to do, 1 after an error, and 2
if something differs or has drifted.
"""

from __future__ import annotations

import io
import sys

import click
from flask.cli import AppGroup

from ..exceptions import WaffleError
from ..i18n import english
from .output import printable

#: Exit codes; 0 is for all else.
ERROR, DIFFERS = 1, 2


class _WaffleGroup(AppGroup):
    """A group whose commands speak English, and end with exit code 1 on our own errors."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            raise _shown(error) from error

    def invoke(self, ctx: click.Context) -> object:
        if isinstance(sys.stdout, io.TextIOWrapper):  # a save must not end with a traceback
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            with english():
                return super().invoke(ctx)
        except click.UsageError as error:
            raise _shown(error) from error
        except WaffleError as error:
            raise click.ClickException(printable(str(error), but="\n")) from error


def _shown(error: click.UsageError) -> click.exceptions.Exit:
    """Show an error in the arguments, whose exit code would be 2 with click."""
    error.show()
    return click.exceptions.Exit(ERROR)


@click.group("waffle", cls=_WaffleGroup)
@click.version_option(package_name="waffleconf-admin", message="waffleconf-admin %(version)s")
def waffle() -> None:
    """Read and change the app's settings.

    For the operator of the app: read-only settings, which the page shows but
    doesn't let anybody change, can be set here too.

    Exit codes: 0 done, or nothing to do; 1 an error; 2 something differs, or
    has drifted.
    """
