"""History: ``flask waffle history | undo | deployed``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import groupby

import click

from ..exceptions import ConflictError
from ..files import FileValues, change_facts
from ..settings.setting import Setting
from ..state.change import Change
from ..state.open_ends import dropped_ends, with_outcome
from .ends import end_text
from .group import waffle
from .options import END, TIME, actor_option, changes_settings, examples, json_option
from .output import (
    brief,
    counted,
    current_history,
    current_state,
    print_columns,
    print_json,
    printable,
    say,
    say_who_follows,
    when,
)


@waffle.command("history", epilog=examples("history --key SITENAME", "history --since '2 days'"))
@click.option("--key", "keys", metavar="KEY", multiple=True, help="Of this setting; repeatable.")
@click.option(
    "--since",
    type=TIME,
    help="From this time on, in UTC unless it has an offset; or as long ago as this.",
)
@click.option(
    "--until",
    type=END,
    help="Before this time, or up to the end of this day; in UTC unless it has an offset.",
)
@click.option("--by", "actor_part", metavar="NAME", help="Of whoever has this in the name.")
@click.option("--source", help="By this way in, such as page or cli.")
@click.option(
    "--limit", type=click.IntRange(1, 10**9), default=50, show_default=True, help="At most."
)
@json_option
def show_history(
    keys: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    actor_part: str | None,
    source: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show who changed what, the last change first.

    Each save has a name, by which undo takes it back.
    """
    state = current_state()
    changes = current_history().list(
        keys or None,
        since=since,
        until=until,
        actor_part=actor_part,
        source=source,
        limit=limit,
    )
    if as_json:
        file_values = FileValues(state.app, state.settings)
        print_json([change_facts(file_values, change) for change in changes])
        return
    latest = current_history().latest(c.key for c in changes if c.ends_at and not c.outcome)
    changes = [with_outcome(change, latest.get(change.key)) for change in changes]
    settings = state.settings
    for _, group in groupby(changes, lambda change: change.change_set):
        _print_save(settings, list(group))


def _print_save(settings: Mapping[str, Setting], changes: list[Change]) -> None:
    first = changes[0]
    actor = first.actor or "(nobody named)"
    click.echo(printable(f"{when(first.at)}  {first.source}  {actor}  {first.change_set}"))
    if first.note:
        click.echo(f"  {printable(first.note)}")
    noted = [c for c in changes if c.notes_default and c.old_text is None and not c.secret]
    if noted:
        click.echo(f"    {counted(len(noted), 'default')} noted for the first time")
    shown = [c for c in changes if c not in noted]
    print_columns(((c.key, _change_text(settings, c)) for c in shown), indent="    ")


def _change_text(settings: Mapping[str, Setting], change: Change) -> str:
    setting = settings.get(change.key)
    if change.secret or setting is None:
        return "changed"
    if change.problem:
        return f"changed ({change.problem})"
    texts = [
        "(default)" if text is None else brief(setting, value)
        for text, value in ((change.old_text, change.old), (change.new_text, change.new))
    ]
    end = end_text(change)
    text = ("default " if change.notes_default else "") + " -> ".join(texts)
    return text + (f"  ({end})" if end else "")


@waffle.command("undo", epilog=examples("undo 0b5a7c1e4f9d4c0c8a6d1f3b2e5a7c9d --key SITENAME"))
@click.argument("change_set", metavar="SAVE")
@click.option("--key", "keys", metavar="KEY", multiple=True, help="Only this setting; repeatable.")
@changes_settings
def undo_save(change_set: str, keys: tuple[str, ...], actor: str | None, note: str | None) -> None:
    """Give the settings of a SAVE the values that they had before it.

    SAVE is its name in the history. Nothing is undone if one of the settings
    was changed again since.
    """
    state, history = current_state(), current_history()
    found = {change.key: change for change in history.of(change_set)}
    if unknown := [key for key in keys if found and key not in found]:
        raise click.ClickException(f"This save did not change {', '.join(unknown)}.")
    wanted = list(keys or found)
    try:
        saved = history.undo(change_set, keys=keys or None, actor=actor, note=note)
    except ConflictError as error:
        raise click.ClickException(
            f"Changed again since: {', '.join(error.keys)}. Nothing was undone; to undo others of "
            "this save, name them with --key."
        ) from error
    dropped = dropped_ends(history, [found[key] for key in saved])
    obstacles = history.obstacles(found[key] for key in wanted if key not in saved)
    settings = state.settings
    for key in wanted:
        if key in saved:
            click.echo(f"{key} is {brief(settings[key], saved[key])} again")
            if key in dropped:
                say(f"{key} does not go back any more ({when(dropped[key])}).")
        elif why := obstacles[key]:
            say(f"{key} was left alone: {why}")
        else:
            click.echo(f"{key} has this value already.")
    if saved:
        say_who_follows(state, saved)


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
    records, settings = state.read(noted.moved), state.settings
    rows = []
    for key, pair in noted.moved.items():
        old, new = (brief(settings[key], value) for value in pair)
        kept = "" if records[key].layer == "default" else f" ({records[key].layer} has a value)"
        rows.append((key, f"{old} -> {new}{kept}"))
    print_columns(rows)
    if not (rows or noted.added):
        say("No default has moved.")
    if noted.added:
        say(f"{counted(len(noted.added), 'default')} noted for the first time.")
    for key, why in noted.left.items():
        say(f"{key} is left out: {printable(why)}")
