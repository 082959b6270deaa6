"""Files: ``flask waffle export | diff``, and how a file is read."""

from __future__ import annotations

from datetime import datetime

import click

from ..exceptions import InvalidValue
from ..files import (
    ALL,
    export_values,
    format_of,
    load_values,
    make_plan,
    most_bytes,
    read_document,
    write_document,
)
from ..state.state import State
from .as_of import as_of_option, past_records, print_differences_as_of
from .differences import difference
from .group import DIFFERS, waffle
from .options import examples, format_option
from .output import (
    current_state,
    printable,
    say,
    say_problem,
)

#: Problems of a file that are named.
MOST_PROBLEMS = 100

file_format = format_option("Of FILE, if its name does not end with .json or .yaml.")
prune_option = click.option(
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
    export = export_values(state, records, defaults=defaults)
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
@file_format
@prune_option
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
    values = read_values(state, path, format_name)
    plan = make_plan(state, values, prune=prune, take_over=ALL)
    for step in plan.changes:
        click.echo(step.key)
        for line in difference(state.settings[step.key], step.old, step.new):
            click.echo(f"  {line}")
    if plan.changes:
        raise click.exceptions.Exit(DIFFERS)


def read_values(state: State, path: str, format_name: str | None) -> dict[str, object]:
    """The values in a file by key.

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
        raise refused(path, error) from error


def refused(path: str, error: InvalidValue) -> click.ClickException:
    """The error that says all that is wrong with a file."""
    problems = [f"{key}: {text}" for key, text in error.errors.items()] or [str(error)]
    lines = [f"  {printable(problem)}" for problem in problems[:MOST_PROBLEMS]]
    if more := len(problems) - len(lines):
        lines.append(f"  and {more} more")
    name = "standard input" if path == "-" else path
    return click.ClickException("\n".join([f"{name}: nothing was done.", *lines]))
