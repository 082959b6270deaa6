"""Importing: ``flask waffle import``."""

from __future__ import annotations

import click

from ..exceptions import InvalidValue
from ..files import ALL, Plan, Step, import_values, make_plan
from ..settings.setting import Setting
from ..state.state import State
from ..state.task import Origin
from .files import file_format, prune_option, read_values, refused
from .group import DIFFERS, waffle
from .options import changes_settings, examples
from .output import (
    brief,
    counted,
    current_state,
    find,
    print_columns,
    printable,
    say,
    say_who_follows,
    when,
)


@waffle.command(
    "import",
    epilog=examples(
        "import settings.json",
        "import settings.yaml --apply --prune",
        "import settings.json --apply --take-over SITENAME",
        "import settings.json --apply --take-over --all",
    ),
)
@click.argument("path", metavar="FILE")
@file_format
@click.option("--apply", "applies", is_flag=True, help="Do it; without, it is only shown.")
@prune_option
@click.option(
    "--take-over",
    "taken",
    metavar="KEY",
    multiple=True,
    is_flag=False,
    flag_value="",
    help="Write this setting though somebody has changed it; repeatable.",
)
@click.option("--all", "take_all", is_flag=True, help="With --take-over: every such setting.")
@changes_settings
def import_settings(
    path: str,
    format_name: str | None,
    applies: bool,
    prune: bool,
    taken: tuple[str, ...],
    take_all: bool,
    actor: str | None,
    note: str | None,
) -> None:
    """Save the values in FILE, all or none.

    FILE may be -, for standard input. Without --apply it is only shown what
    would be done; the exit code is then 2, if there is something to do.

    A setting that was last changed by a person has drifted. It is left alone
    and named, and the exit code is 2, unless --take-over names it.

    With --prune, settings that FILE does not name are reset, but for secrets,
    read-only ones, those that environment variables hold, and those that have
    drifted.
    """
    state = current_state()
    if ("" in taken) != take_all:
        raise click.UsageError("After --take-over write a KEY, or --all.")
    taken = tuple(find(state, key).key if key else key for key in taken)
    values = read_values(state, path, format_name)
    take_over = ALL if take_all else taken
    try:
        if applies:
            origin = Origin(actor, note, "import")
            plan = import_values(state, values, origin, prune=prune, take_over=take_over)
        else:
            plan = make_plan(state, values, prune=prune, take_over=take_over)
            state.check(plan.wanted)
    except InvalidValue as error:
        raise refused(path, error) from error
    _print_plan(state, plan)
    _say_result(plan, applies)
    if applies and plan.changes:
        say_who_follows(state, plan.wanted)
    if plan.drifted or (plan.changes and not applies):
        raise click.exceptions.Exit(DIFFERS)


def _print_plan(state: State, plan: Plan) -> None:
    print_columns(
        (step.action, step.key, _step_text(state.settings[step.key], step))
        for step in plan.steps
        if step.action != "same"
    )


def _step_text(setting: Setting, step: Step) -> str:
    if step.reason:
        return f"{brief(setting, step.old)} ({step.reason})"
    between = ", not " if step.action == "leave" else " -> "
    texts = f"{brief(setting, step.old)}{between}{brief(setting, step.new)}"
    return f"{texts} ({_drift_text(step)})" if step.drift else texts


def _drift_text(step: Step) -> str:
    drift = step.drift
    if drift is None or drift.at is None:
        return "drifted: the history does not know who changed it"
    actor = printable(drift.actor) or "somebody"
    return f"drifted: {actor}, {drift.source}, {when(drift.at)}"


def _say_result(plan: Plan, applied: bool) -> None:
    same = sum(step.action == "same" for step in plan.steps)
    changes = counted(len(plan.changes), "setting")
    what = f"{changes} changed" if applied else f"{changes} to change"
    say(f"{what}, {same} as in the file, {len(plan.drifted)} drifted.")
    if plan.drifted:
        say(f"To write it all the same: --take-over {plan.drifted[0].key}, or --take-over --all")
    if plan.changes and not applied:
        say("Nothing was changed yet: --apply does it.")
