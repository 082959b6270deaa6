"""Rewriting: ``flask waffle convert | rotate``, which store the same values in another way."""

from __future__ import annotations

import click
from flask import current_app

from ..codec import FORMATS, Format
from .group import DIFFERS, waffle
from .options import examples
from .output import counted, current_state, printable, say


@waffle.command("convert", epilog=examples("convert json", "convert json --apply"))
@click.option("--apply", "applied", is_flag=True, help="Do it; otherwise only say what would be.")
@click.argument("target", metavar="FORMAT", type=click.Choice(FORMATS))
def convert(target: Format, applied: bool) -> None:
    """Store all settings and their history as json or as pickle.

    All or nothing is written. Values stay the same. What can't be converted is
    named and left as it is; the exit code is 2 then, and where there is
    something to convert. Rows that the app does not declare are left too.
    """
    conversion = current_state().format_conversion(target)
    done = conversion.run() if applied else conversion.plan()
    found = bool(done.swaps or done.rows)
    if found:
        what = f"{counted(len(done.swaps), 'setting')}, {counted(len(done.rows), 'change')}"
        click.echo(f"{what} {'converted' if applied else 'to convert'} to {target}.")
    for key, why in done.left.items():
        click.echo(f"{key} is left as it is: {printable(why)}.")
    if found and not applied:
        say(f"Nothing was written. To do it: flask waffle convert {target} --apply")
    elif not found:
        say(f"There is nothing to convert to {target}.")
    if current_app.config["WAFFLE_SERIALIZER"] != target:
        say(f"The app still saves in the other format: set WAFFLE_SERIALIZER = {target!r}")
    if done.left or (found and not applied):
        raise click.exceptions.Exit(DIFFERS)


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
