"""Convert: ``flask waffle convert``."""

from __future__ import annotations

import click
from flask import current_app

from ..codec import FORMATS, Format
from .group import waffle
from .output import current_state, printable

#: The exit status when something can't be converted, and stays as it is.
LEFT = 2


@waffle.command("convert")
@click.option("--apply", is_flag=True, help="Do it; else only what there is to do is shown.")
@click.argument("format", type=click.Choice(FORMATS))
@click.pass_context
def convert(ctx: click.Context, format: Format, apply: bool) -> None:
    """Store all settings and their history in the FORMAT, json or pickle.

    Shows what there is to do; does it with --apply, all in one transaction. The
    values stay the same. What can't be converted is named and left as it is, and
    the exit status is 2. Settings of the table that the app doesn't declare are
    left too.

    \b
    For example: flask waffle convert json --apply
    """
    conversion = current_state().format_conversion()
    done = conversion.run(format) if apply else conversion.plan(format)
    what = f"{_count(len(done.swaps), 'setting')} and {_count(len(done.rows), 'change')} of history"
    if not done.swaps and not done.rows:
        click.echo(f"There is nothing to convert to {format}.")
    elif apply:
        click.echo(f"{what} converted to {format}.")
    else:
        click.echo(f"{what} to convert to {format}.")
        click.echo(
            f"Nothing was written. To do it: flask waffle convert {format} --apply", err=True
        )
    for key, why in done.left.items():
        click.echo(f"{key} is left as it is: {printable(why)}.")
    if current_app.config["WAFFLE_SERIALIZER"] != format:
        line = f"WAFFLE_SERIALIZER = {format!r}"
        click.echo(f"The app still saves in the other format. To change that: {line}", err=True)
    if done.left:
        ctx.exit(LEFT)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
