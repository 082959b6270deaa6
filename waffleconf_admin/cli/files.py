"""Files: ``flask waffle export | diff | import``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import click

from ..exceptions import InvalidValue
from ..files import (
    ALL,
    FileValues,
    Plan,
    Step,
    export_values,
    format_of,
    import_values,
    load_values,
    make_plan,
    most_bytes,
    read_document,
    write_document,
)
from ..settings.setting import Setting
from ..state.state import State
from ..state.task import Origin
from .as_of import as_of_option, past_records, print_differences_as_of
from .group import DIFFERS, waffle
from .options import changes_settings, examples, format_option
from .output import (
    brief,
    counted,
    current_state,
    difference,
    find,
    print_columns,
    printable,
    say,
    say_problem,
    say_who_follows,
    when,
)

#: Problems of a file that are named.
MOST_PROBLEMS = 100

_file_format = format_option("Of FILE, if its name does not end with .json or .yaml.")
_prune_option = click.option(
    "--prune", is_flag=True, help="Settings that FILE does not name have their default."
)


@waffle.command("export", epilog=examples("export > settings.json", "export --format yaml --all"))
@format_option("JSON, if it is left out.")
@click.option("--all", "defaults", is_flag=True, help="Settings that have their default too.")
@as_of_option
def export_settings(format_name: str | None, defaults: bool, at: datetime | None) -> None:
    """Print the settings that are not the default, as a file for import.

    Secrets are left out, and named on standard error. Of a setting that an
    environment variable holds the file has the stored value. With --as-of the
    file has the values of that time: to go back to them, import it.
    """
    state = current_state()
    records = past_records(state, at) if at else state.read()
    file_values = FileValues(state.app, state.settings)
    export = export_values(file_values, records, defaults=defaults)
    text = write_document(export.values, format_name or "json")
    # In UTF-8 whatever the terminal's encoding is: import reads no other.
    click.echo(text.encode(), nl=False)
    for keys, what in (
        (export.secrets, "was left out: secret"),
        (export.unwritable, "was left out: no file can hold it"),
        (export.behind, "has the stored value in the file, not that of the environment"),
    ):
        for key in keys:
            say(f"{key} {what}")
    for key, record in records.items():
        say_problem(key, record)


@waffle.command(
    "diff",
    epilog=examples("diff settings.json", "diff --prune settings.yaml", "diff --as-of '2 days'"),
)
@click.argument("path", metavar="[FILE]", required=False)
@_file_format
@_prune_option
@as_of_option
def show_differences(
    path: str | None, format_name: str | None, prune: bool, at: datetime | None
) -> None:
    """Show how FILE, or the settings at a TIME, differ from the values in force.

    The exit code is 2 if they do. Lines with - are in force, lines with + in
    FILE, which may be -, for standard input, or at that TIME.
    """
    state = current_state()
    if at and not (path or prune):
        return print_differences_as_of(state, at)
    if at or not path:
        raise click.UsageError("Give a FILE, or --as-of TIME and nothing else.")
    values = _read_values(state, path, format_name)
    plan = make_plan(state, values, prune=prune, take_over=ALL)
    settings = state.settings
    for step in plan.changes:
        click.echo(step.key)
        for line in difference(settings[step.key], step.old, step.new):
            click.echo(f"  {line}")
    if plan.changes:
        raise click.exceptions.Exit(DIFFERS)


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
@_file_format
@click.option("--apply", "applies", is_flag=True, help="Do it; without, it is only shown.")
@_prune_option
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
    values = _read_values(state, path, format_name)
    take_over = ALL if take_all else taken
    try:
        if applies:
            origin = Origin(actor, note, "import")
            plan = import_values(state, values, origin, prune=prune, take_over=take_over)
        else:
            plan = make_plan(state, values, prune=prune, take_over=take_over)
            state.check(plan.wanted)
    except InvalidValue as error:
        raise _refused(path, error) from error
    _print_plan(state.settings, plan)
    _say_result(plan, applies)
    if applies and plan.changes:
        say_who_follows(state, plan.wanted)
    if plan.drifted or (plan.changes and not applies):
        raise click.exceptions.Exit(DIFFERS)


def _print_plan(settings: Mapping[str, Setting], plan: Plan) -> None:
    print_columns(
        (step.action, step.key, _step_text(settings[step.key], step))
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


def _read_values(state: State, path: str, format_name: str | None) -> dict[str, object]:
    """Return the values in a file by key.

    :raises ClickException: it can't be read; all that is wrong is named.
    """
    name = format_name or format_of(path)
    try:
        with click.open_file(path, "rb") as file:  # "-" is standard input
            content = file.read(most_bytes(name) + 1)
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
    try:
        document = read_document(content, name, piped=path == "-")
        for former in document.keys() & state.names.former.keys():
            say(f"{former} is called {state.names.former[former]} now.")
        return load_values(state, state.names.by_key(document))
    except InvalidValue as error:
        raise _refused(path, error) from error


def _refused(path: str, error: InvalidValue) -> click.ClickException:
    """The error that says all that is wrong with a file."""
    problems = [f"{key}: {text}" for key, text in error.errors.items()] or [str(error)]
    lines = [f"  {printable(problem)}" for problem in problems[:MOST_PROBLEMS]]
    if more := len(problems) - len(lines):
        lines.append(f"  and {more} more")
    name = "standard input" if path == "-" else path
    return click.ClickException("\n".join([f"{name}: nothing was done.", *lines]))
