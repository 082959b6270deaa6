"""Rotate: ``flask waffle rotate``."""

from __future__ import annotations

import click

from .group import DIFFERS, waffle
from .options import examples
from .output import counted, current_state, printable, say


@waffle.command("rotate", epilog=examples("rotate"))
def rotate() -> None:
    """Encrypt all stored secrets with the first of WAFFLE_ENCRYPTION_KEYS.

    All or nothing is written, and no value changes. What the history has of a
    setting that became a secret later is deleted from it. A secret whose key is
    lost is named and left as it is; the exit code is 2 then.
    """
    done = current_state().rotation().run()
    if done.swaps or done.rows:
        what = f"{counted(len(done.swaps), 'secret')} encrypted"
        blanked = f", {counted(len(done.rows), 'change')} blanked in the history"
        click.echo(f"{what}{blanked if done.rows else ''}.")
    else:
        say("There is nothing to encrypt.")
    for key, why in done.left.items():
        click.echo(f"{key} is left as it is: {printable(why)}.")
    if done.left:
        raise click.exceptions.Exit(DIFFERS)
