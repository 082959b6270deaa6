"""Files: ``flask waffle export | diff``, and how a file is read."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

import click

from ..exceptions import InvalidValue
from ..files import (
    ALL,
    Step,
    export_values,
    format_of,
    load_values,
    make_plan,
    most_bytes,
    read_document,
    write_document,
)
from ..forms import show_text
from ..settings.setting import Setting
from ..state.state import _WaffleState
from .group import DIFFERS, waffle
from .options import examples, format_option
from .output import (
    brief,
    current_state,
    printable,
    say,
    say_problem,
)

#: Longer texts are not compared line by line.
MOST_COMPARED = 100_000
#: Problems of a file that are named.
MOST_PROBLEMS = 100

file_format = format_option("Of FILE, if its name does not end with .json or .yaml.")
prune_option = click.option(
    "--prune", is_flag=True, help="Settings that FILE does not name have their default."
)


@waffle.command("export", epilog=examples("export > settings.json", "export --format yaml --all"))
@format_option("JSON, if it is left out.")
@click.option("--all", "defaults", is_flag=True, help="Settings that have their default too.")
def export_settings(format_name: str | None, defaults: bool) -> None:
    """Print the settings that are not the default, as a file for import.

    Secrets are left out, and named on standard error. Of a setting that an
    environment variable holds the file has the stored value.
    """
    state = current_state()
    records = state.read()
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


@waffle.command("diff", epilog=examples("diff settings.json", "diff --prune settings.yaml"))
@click.argument("path", metavar="FILE")
@file_format
@prune_option
def show_differences(path: str, format_name: str | None, prune: bool) -> None:
    """Show how FILE differs from the values in force.

    The exit code is 2 if it does. Lines with - are in force, lines with + in
    FILE, which may be -, for standard input.
    """
    state = current_state()
    values = read_values(state, path, format_name)
    plan = make_plan(state, values, prune=prune, take_over=ALL)
    for step in plan.changes:
        click.echo(step.key)
        for line in _difference(state.settings[step.key], step):
            click.echo(f"  {line}")
    if plan.changes:
        raise click.exceptions.Exit(DIFFERS)


def read_values(state: _WaffleState, path: str, format_name: str | None) -> dict[str, object]:
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
        return load_values(state, read_document(content, name, piped=path == "-"))
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


def _difference(setting: Setting, step: Step) -> Iterator[str]:
    """Yield the lines that differ, those in force after - and those of the file after +."""
    texts = [show_text(setting, value) for value in (step.old, step.new)]
    if setting.secret or len("".join(texts)) > MOST_COMPARED:
        texts = [brief(setting, value) for value in (step.old, step.new)]
    old, new = (printable(text, but="\n").split("\n") for text in texts)
    lines = list(difflib.unified_diff(old, new, lineterm="", n=1))[2:]
    for line in lines:
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"
    if not lines:  # secrets, and values that have one text
        yield "(differs)"
