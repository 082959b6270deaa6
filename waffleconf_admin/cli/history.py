"""History: ``flask waffle prune-history``."""

from __future__ import annotations

import click
from flask import current_app

from .group import waffle
from .output import current_state


@waffle.command("prune-history")
@click.option("--days", type=click.FloatRange(0, 100_000), help="Instead of WAFFLE_HISTORY_DAYS.")
def prune_history(days: float | None) -> None:
    """Delete changes that are older than WAFFLE_HISTORY_DAYS."""
    state = current_state()
    if state.history is None:
        raise click.ClickException("No history is kept: the store has no model for it.")
    if days is None and current_app.config["WAFFLE_HISTORY_DAYS"] is None:
        raise click.ClickException(
            "WAFFLE_HISTORY_DAYS is None, so all is kept. To delete what is older: --days 365"
        )
    # In batches: saves that come meanwhile don't wait for long.
    total = 0
    try:
        while pruned := state.history.prune(days):
            total += pruned
    except ValueError as error:  # "nan" is in every range of numbers
        raise click.ClickException(str(error)) from error
    click.echo("1 change was deleted." if total == 1 else f"{total} changes were deleted.")
