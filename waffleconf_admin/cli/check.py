"""Check: ``flask waffle check``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Literal, NamedTuple

import click

from ..admin import WaffleAdmin
from ..admin.app_templates import template_problem
from ..exceptions import StoreError
from ..forms import check_values
from ..settings.known_keys import find_copied
from ..settings.names import nearest_names
from ..settings.numbered import REMEDY, find_numbered
from ..settings.setting import Setting
from ..state.state import State
from .group import ERROR, waffle
from .options import examples
from .output import counted, current_state, print_columns, printable, problem_of

#: Seconds that the watcher gets to connect.
PATIENCE = 3.0


class Finding(NamedTuple):
    """Something that is wrong; as a note, something that can't be checked with this store."""

    level: Literal["error", "warning", "note"]
    key: str
    text: str
    #: The error of the store that kept a check from going on: it is said once.
    cause: str = ""


@waffle.command("check", epilog=examples("check", "check --strict"))
@click.option("--strict", is_flag=True, help="The exit code is 1 for warnings too.")
def check(strict: bool) -> None:
    """Check the database, declarations, the environment, the page, stored values, the watcher.

    For CI: the exit code is 1 if there is an error. These are warnings: a setting
    that a package copies at the start, an Enum that auto() numbers, a default
    that is refused, a variable that is written almost like a setting, a stored
    value that is converted, or a bad one behind a variable, a secret that is not
    encrypted with the first key, and a row that nobody declares, for it may be of
    another app. To check the watcher, a notification is sent, after which the
    processes of a running site read the database.
    """
    state = current_state()
    found: list[Finding] = []
    for title, find_problems in _CHECKS.items():
        causes = {finding.cause for finding in found if finding.cause}
        all_findings = list(_findings(find_problems, state))
        findings = [finding for finding in all_findings if finding.cause not in causes]
        if all_findings and not findings:
            click.echo(f"{title}: not checked")  # what keeps it from that was said above
            continue
        found += findings
        counts = [
            counted(sum(f.level == level for f in findings), level)
            for level in ("error", "warning", "note")
            if any(f.level == level for f in findings)
        ]
        click.echo(f"{title}: {', '.join(counts) or 'ok'}")
        if findings:
            print_columns(((f.level, f.key, printable(f.text)) for f in findings), indent="  ")
    failing = ("error", "warning") if strict else ("error",)
    if any(finding.level in failing for finding in found):
        raise click.exceptions.Exit(ERROR)


def _findings(
    find_problems: Callable[[State], Iterator[Finding]], state: State
) -> Iterator[Finding]:
    """What a check finds before the store keeps it from going on, and then why."""
    try:
        yield from find_problems(state)
    except StoreError as error:
        yield Finding("error", "", str(error), str(error))


def _database(state: State) -> Iterator[Finding]:
    """Settings that an upgrade has left in another file or that can't be read, a history that
    can't be read, and settings that could not go back.
    """
    with suppress(StoreError):
        state.refresh()  # the app's values may not be loaded yet: WAFFLE_AUTOLOAD is off, say
    if problem := state.former_file.problem():
        yield Finding("error", "", problem)  # first: the new file has no tables, mostly
    state.read()
    if state.history:
        try:
            state.history.list(limit=1)
            for end in state.ends.read():
                for key in end.changes if end.refused else ():
                    what = "it should have gone back, which was refused: flask waffle ends"
                    yield Finding("error", key, what)
        except StoreError as error:
            yield Finding("error", "", f"the history: {error}", str(error))


def _declarations(state: State) -> Iterator[Finding]:
    """What the start of the app warns of, and what it can't check, because it calls no function:
    choices, validators.
    """
    for key, package in find_copied(state.app.config["WAFFLE_CONFS"]).items():
        yield Finding("warning", key, f'{package} copies it at the start: declare "restart"')
    settings, config = state.settings, state.app.config
    if config["WAFFLE_SERIALIZER"] == "pickle":
        for key, name in find_numbered(settings).items():
            yield Finding("warning", key, f"of its Enum {name}, {REMEDY}")
    for key, setting in settings.items():
        try:
            setting.list_choices()
        except Exception as error:  # whatever a function of the app raises
            what = f"its choices can't be listed: {type(error).__name__}"
            yield Finding("error", key, what)
        else:
            for text in _problems(settings, key, setting.copy_default(), config):
                yield Finding("warning", key, f"its default is refused: {text}")


def _settings_page(state: State) -> Iterator[Finding]:
    """A template of the app that hides the settings, where the app has a page at all."""
    blueprints = state.app.blueprints.values()
    has_page = any(isinstance(blueprint, WaffleAdmin) for blueprint in blueprints)
    if has_page and (problem := template_problem(state.app)):
        yield Finding("error", "", problem)


def _stored_values(state: State) -> Iterator[Finding]:
    settings, config = state.settings, state.app.config
    for key, record in state.read().items():
        if record.behind is not None:
            if behind := record.behind.problem:
                yield Finding("warning", key, f"the environment holds it; stored: {behind()}")
        elif problem := problem_of(record):
            yield Finding("warning" if record.served == "converted" else "error", key, problem)
        elif record.text is not None:
            for text in _problems(settings, key, record.value, config):
                yield Finding("error", key, f"it is used all the same: {text}")


def _problems(
    settings: Mapping[str, Setting], key: str, value: object, values: Mapping[str, object]
) -> Iterator[str]:
    """What the declaration says against a value; of a secret without quoting it.

    :param values: of all settings.
    """
    if problem := check_values(settings, {key: value}, values):
        yield "No more is said about a secret." if settings[key].secret else problem[key]


def _environment(state: State) -> Iterator[Finding]:
    """What the start of the app can't check of the environment, because it calls no function; and
    variables whose names are almost those of settings.
    """
    settings, config = state.settings, state.app.config
    for key, setting in settings.items():
        if held := setting.environment:
            for text in _problems(settings, key, held.value, config):
                yield Finding("error", key, f"{held.variable} is used all the same: {text}")
    if prefix := config["WAFFLE_ENV_PREFIX"]:
        known = {name for key, setting in settings.items() for name in (key, *setting.was)}
        given = {v.removeprefix(prefix) for v in os.environ if v.startswith(prefix)}
        # Only names that are almost the same: others with the prefix may be of the app.
        for name, near in nearest_names(sorted(given - known), known, likeness=0.8):
            variable, meant = prefix + name, prefix + near
            yield Finding("warning", near, f"{variable} holds no setting: is {meant} meant?")


def _encryption(state: State) -> Iterator[Finding]:
    """Secrets that are not encrypted as they should be, or for which there is no key."""
    if state.app.config["WAFFLE_ENCRYPTION_KEYS"]:
        plan = state.rotation().plan()
        for key in dict.fromkeys([*plan.swaps, *(row.key for row in plan.rows)]):
            text = "not all of it is encrypted with the first key: flask waffle rotate"
            yield Finding("warning", key, text)
        for key, why in plan.left.items():
            yield Finding("error", key, why)


def _undeclared_rows(state: State) -> Iterator[Finding]:
    try:
        for key in state.undeclared.list_keys():
            what = "it is retired; " if state.undeclared.is_retired(key) else ""
            yield Finding("warning", key, f"{what}to delete it: flask waffle prune {key}")
    except StoreError as error:
        unable = isinstance(error.__cause__, NotImplementedError)  # a store of the four methods
        yield Finding("note" if unable else "warning", "", str(error), str(error))


def _watcher(state: State) -> Iterator[Finding]:
    """What keeps this process from following others, and from notifying them: it sends a
    notification, after which they read the database.
    """
    state.synchronizer.notify()
    end = time.monotonic() + PATIENCE
    while (trouble := state.synchronizer.health().trouble) and time.monotonic() < end:
        time.sleep(0.05)
    if trouble:
        health = state.synchronizer.health()
        error = health.last_error or ""
        cause = error if health.lags else ""  # the settings can't be read
        if error.startswith(trouble):
            trouble = error  # it names the file, too
        elif error:
            trouble = f"{trouble} ({error})"
        yield Finding("error", "", trouble, cause)


#: What is checked, in this order.
_CHECKS: dict[str, Callable[[State], Iterator[Finding]]] = {
    "database": _database,
    "declarations": _declarations,
    "environment": _environment,
    "settings page": _settings_page,
    "stored values": _stored_values,
    "encryption": _encryption,
    "undeclared rows": _undeclared_rows,
    "watcher": _watcher,
}
