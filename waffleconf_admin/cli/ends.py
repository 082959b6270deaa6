"""Ends: ``flask waffle ends | keep | go-back``."""

from __future__ import annotations

from collections.abc import Mapping

import click

from ..exceptions import ConflictError
from ..files import FileValues, change_facts
from ..settings.setting import Setting
from ..state.change import Change
from ..state.ends import Ends
from ..state.open_ends import End
from .group import waffle
from .options import actor_option, changes_settings, examples, json_option
from .output import (
    brief,
    current_state,
    print_columns,
    print_json,
    printable,
    say,
    say_who_follows,
    when,
)


@waffle.command("ends", epilog=examples("ends"))
@json_option
def list_ends(as_json: bool) -> None:
    """List the saves that have an end, the next one first.

    A save with an end is made by set or reset with --for or --until. Its
    settings go back at that time, unless somebody keeps them.
    """
    state = current_state()
    ends = state.ends.read()
    if as_json:
        file_values = FileValues(state.app, state.settings)
        print_json([_facts(file_values, end) for end in ends])
        return
    settings = state.settings
    for end in ends:
        actor = end.actor or "(nobody named)"
        click.echo(printable(f"{when(end.at)}  {actor}  {end.change_set}"))
        if end.refused:
            click.echo(f"  did not go back: {printable(end.refused)}")
        rows = ((key, _texts(settings, change)) for key, change in end.changes.items())
        print_columns(rows, indent="    ")


@waffle.command("keep", epilog=examples("keep 0b5a7c1e4f9d4c0c8a6d1f3b2e5a7c9d"))
@click.argument("change_set", metavar="SAVE")
@actor_option
def keep(change_set: str, actor: str | None) -> None:
    """Let the settings of a SAVE stay: its end no longer comes."""
    state = current_state()
    try:
        end = state.ends.keep(change_set, actor=actor)
    except ConflictError as error:
        raise _overtaken() from error
    for key, change in end.changes.items():
        click.echo(f"{key} stays {_value(state.settings, key, change.new, change.new_text)}")


@waffle.command("go-back", epilog=examples("go-back 0b5a7c1e4f9d4c0c8a6d1f3b2e5a7c9d"))
@click.argument("change_set", metavar="SAVE")
@changes_settings
def go_back(change_set: str, actor: str | None, note: str | None) -> None:
    """Let the settings of a SAVE go back now, before its end.

    What was changed again since stays.
    """
    state = current_state()
    try:
        saved = state.ends.go_back(change_set, actor=actor, note=note)
    except ConflictError as error:
        raise _overtaken() from error
    settings = state.settings
    for key, value in saved.items():
        click.echo(f"{key} is {brief(settings[key], value)} again")
    if saved:
        say_who_follows(state, saved)


def end_text(change: Change) -> str:
    """Return what is to be said of the end of a change, in half a sentence; "" without one."""
    if change.ends_at is None:
        return ""
    end, settled = when(change.ends_at), when(change.ended_at) if change.ended_at else ""
    by = f" by {printable(change.remark)}" if change.remark else ""
    return {
        "": f"goes back at {end}",
        "back": f"went back at {settled}",
        "kept": f"until {end}, kept{by} at {settled}",
        "changed": f"until {end}, changed before",
        "refused": f"should have gone back at {end}, refused: {printable(change.remark)}",
    }[change.outcome]


def say_end(ends: Ends, change_set: str | None) -> None:
    """Say on standard error when a save goes back, and how to keep it."""
    for end in ends.open:
        if end.change_set == change_set:
            say(f"Goes back at {when(end.at)}. To keep it: flask waffle keep {change_set}")


def _texts(settings: Mapping[str, Setting], change: Change) -> str:
    new = _value(settings, change.key, change.new, change.new_text)
    return f"{new} -> {_value(settings, change.key, change.old, change.old_text)}"


def _value(settings: Mapping[str, Setting], key: str, value: object, text: str | None) -> str:
    setting = settings.get(key)
    if setting is None or setting.secret:
        return "(not shown)"
    return "(default)" if text is None else brief(setting, value)


def _facts(file_values: FileValues, end: End) -> dict[str, object]:
    return {
        "change_set": end.change_set,
        "ends_at": end.at.isoformat(),
        "actor": end.actor,
        "refused": end.refused,
        "changes": [change_facts(file_values, change) for change in end.changes.values()],
    }


def _overtaken() -> click.ClickException:
    return click.ClickException("Somebody else was faster. Look again: flask waffle ends")
