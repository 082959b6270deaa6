"""Group: ``flask waffle``, to which the commands of the other modules belong."""

from __future__ import annotations

import click
from flask.cli import AppGroup

from ..exceptions import WaffleError


class _WaffleGroup(AppGroup):
    """A group whose commands end with a message and exit status 1 on our own errors."""

    def invoke(self, ctx: click.Context) -> object:
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
