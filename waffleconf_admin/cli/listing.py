"""Listing: ``flask waffle list``."""

from __future__ import annotations

import click

from ..exceptions import InvalidValue
from ..fields.base import is_set
from ..files import FileValues
from ..settings.record import Record
from ..settings.setting import Setting
from ..settings.value_types import type_name
from .group import waffle
from .options import examples, json_option
from .output import (
    brief,
    current_state,
    is_modified,
    nearest,
    print_json,
    problem_of,
    say_problem,
)


@waffle.command("list", epilog=examples("list --modified", "list --json --group Mail"))
@click.option("--modified", is_flag=True, help="Only what is not the default.")
@click.option("--group", metavar="GROUP", help="Only the settings of a group.")
@json_option
def list_settings(modified: bool, group: str | None, as_json: bool) -> None:
    """Show every setting; * marks a value that is not the default.

    For people: long values are cut, and of a secret it says only whether it is
    set. After a value that an environment variable holds stands the name of the
    variable. Scripts use --json, or get.
    """
    state = current_state()
    settings = {s.key: s for s in state.settings.values() if group in (None, s.group)}
    if not settings and group is not None:
        groups = {s.group for s in state.settings.values() if s.group}
        raise click.ClickException(f"There is no group {group}. {nearest(group, groups)}")
    records = {
        key: record
        for key, record in state.read(settings).items()
        if not modified or is_modified(settings[key], record)
    }
    if as_json:
        file_values = FileValues(state.app, state.settings)
        print_json({key: _facts(file_values, settings[key], r) for key, r in records.items()})
        return
    width = max(map(len, records), default=0)
    for key, record in records.items():
        mark = "*" if is_modified(settings[key], record) else " "
        environment = settings[key].environment
        origin = f"  ({environment.variable})" if environment else ""
        click.echo(f"{mark} {key:{width}}  {brief(settings[key], record.value)}{origin}")
        say_problem(key, record, "  ")


def _facts(file_values: FileValues, setting: Setting, record: Record) -> dict[str, object]:
    """What programs get to know of a setting; of a secret only whether it is set."""
    facts: dict[str, object] = {
        "label": str(setting.label),
        "group": setting.group,
        "type": type_name(setting.value_type),
        "secret": setting.secret,
        "readonly": setting.readonly,
        "restart": setting.restart,
        "modified": is_modified(setting, record),
        "layer": record.layer,
        "problem": problem_of(record),
    }
    if setting.secret:
        return facts | {"set": is_set(record.value)}
    try:
        values = [file_values.dump(setting.key, v) for v in (record.value, setting.default)]
    except InvalidValue as error:
        return facts | {"value": None, "problem": facts["problem"] or str(error)}
    return {"value": values[0], "default": values[1]} | facts
