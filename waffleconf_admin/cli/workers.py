"""Workers: ``flask waffle workers``."""

from __future__ import annotations

import click
from flask import current_app

from ..state.workers import Count
from .group import DIFFERS, waffle
from .options import examples, json_option
from .output import current_state, print_columns, print_json, printable, say, when

NO_WORKERS = "No process reports: the store has no model for workers (docs/workers.md)."
STANDINGS = {"current": "current", "lagging": "lagging", "other": "other code"}


@waffle.command("workers", epilog=examples("workers", "workers --json"))
@json_option
def show_workers(as_json: bool) -> None:
    """List the processes that follow, and which have read what is stored.

    The exit code is 2 while some lag. A process that has ended is listed until
    two minutes after its last report.
    """
    workers = current_state().workers
    if workers is None:
        raise click.ClickException(NO_WORKERS)
    count = workers.count()
    if as_json:
        print_json(count.facts(named=True))
    else:
        _print(count)
    if not count.is_complete:
        raise click.exceptions.Exit(DIFFERS)


def _print(count: Count) -> None:
    print_columns(
        (
            printable(process.host),
            str(process.pid),
            STANDINGS[process.standing],
            f"since {when(process.started_at)}",
            f"seen {when(process.seen_at)}",
        )
        for process in count.processes
    )
    for line in count.sentences():
        click.echo(line)
    for key in count.former:
        if restart := count.restart_sentence(key):
            click.echo(f"{key}: {restart}")
    if not count.processes:
        if current_app.config["WAFFLE_MULTIPROC"]:
            say("No process has reported within the last two minutes.")
        else:
            say("WAFFLE_MULTIPROC is off, so no process reports.")
