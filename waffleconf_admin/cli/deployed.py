"""Deployed: ``flask waffle deployed``."""

from __future__ import annotations

import click

from .group import waffle
from .options import actor_option, examples
from .output import brief, counted, current_history, current_state, print_columns, printable, say


@waffle.command("deployed", epilog=examples("deployed", "deployed v42"))
@click.argument("name", required=False)
@actor_option
def deployed(name: str | None, actor: str | None) -> None:
    """Note the defaults of this release in the history.

    Run it once a deployment, after the migrations. It compares the declared
    defaults with those of the last deployment. What has moved is listed, has an
    entry in the history, and is marked on the page. NAME is the release.
    Defaults of secrets are not noted.
    """
    state, _ = current_state(), current_history()
    assert state.deployments  # nosec B101 # for the type checker
    noted = state.deployments.note(name, actor)
    records = state.read(noted.moved)
    rows = []
    for key, pair in noted.moved.items():
        old, new = (brief(state.settings[key], value) for value in pair)
        kept = "" if records[key].layer == "default" else f" ({records[key].layer} has a value)"
        rows.append((key, f"{old} -> {new}{kept}"))
    print_columns(rows)
    if not (rows or noted.added):
        say("No default has moved.")
    if noted.added:
        say(f"{counted(len(noted.added), 'default')} noted for the first time.")
    for key, why in noted.left.items():
        say(f"{key} is left out: {printable(why)}")
