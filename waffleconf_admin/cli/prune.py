"""Prune: ``flask waffle prune``."""

from __future__ import annotations

import click
from flask import current_app

from ..state.task import Origin
from .group import waffle
from .options import changes_settings, examples
from .output import counted, current_history, current_state, printable, say


@waffle.command("prune", epilog=examples("prune", "prune OLD_KEY", "prune --history --days 365"))
@click.argument("keys", metavar="[KEY...]", nargs=-1)
@click.option("--history", "of_history", is_flag=True, help="Delete old changes of the history.")
@click.option(
    "--days",
    type=click.FloatRange(0, 100_000),
    help="How old those are, instead of WAFFLE_HISTORY_DAYS.",
)
@changes_settings
def prune(
    keys: tuple[str, ...],
    of_history: bool,
    days: float | None,
    actor: str | None,
    note: str | None,
) -> None:
    """List or delete rows that the app does not declare.

    Only rows that are named are deleted: another app, or another release of
    this one, may use the same table. The history says who deleted them. The row
    of a former name of a setting is listed apart: if it is named, the setting
    keeps its value. With --history, changes older than WAFFLE_HISTORY_DAYS are
    deleted instead.
    """
    if (of_history and keys) or (days is not None and not of_history):
        raise click.UsageError("--history takes no KEY, and --days goes with --history.")
    if of_history:
        _prune_history(days)
    elif keys:
        _delete_rows(keys, Origin(actor, note, "cli"))
    else:
        _list_rows()


def _list_rows() -> None:
    undeclared = current_state().undeclared
    found = undeclared.list_keys()
    for key in found:
        click.echo(printable(key))
    for name, key in undeclared.list_former().items():
        say(
            f"{name} is a former name of {key}. Once no worker of an older release runs: flask "
            f"waffle prune {name}"
        )
    if found:
        say(f"{counted(len(found), 'key')} not declared. To delete a row: flask waffle prune KEY")


def _delete_rows(keys: tuple[str, ...], origin: Origin) -> None:
    deleted = current_state().undeclared.delete(keys, origin)
    for key in dict.fromkeys(keys):
        click.echo(f"{key} was deleted." if key in deleted else f"{key} has no row.")


def _prune_history(days: float | None) -> None:
    history = current_history()
    if days is None and current_app.config["WAFFLE_HISTORY_DAYS"] is None:
        raise click.ClickException(
            "WAFFLE_HISTORY_DAYS is None, so all is kept. To delete what is older: --days 365"
        )
    # In batches: saves that come meanwhile don't wait for long.
    total = 0
    try:
        while pruned := history.prune(days):
            total += pruned
    except ValueError as error:  # "nan" is in every range of numbers
        raise click.ClickException(str(error)) from error
    click.echo("1 change was deleted." if total == 1 else f"{total} changes were deleted.")
