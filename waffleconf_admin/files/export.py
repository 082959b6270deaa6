"""Export: the settings of an app as the values of a file, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..exceptions import InvalidValue
from ..settings.equality import same
from ..settings.record import Record
from .values import FileValues


class Export(NamedTuple):
    """What a file holds of an app's settings, and what it leaves out."""

    values: dict[str, object]  #: by key, for `write_document`
    secrets: list[str]  #: the keys of secrets that are not their default
    unwritable: list[str]  #: the keys of values that no file can hold
    behind: list[str]  #: the keys of those whose stored value is not in force: the environment's is


def export_values(
    file_values: FileValues, records: Mapping[str, Record], *, defaults: bool
) -> Export:
    """Return what the app has stored: of settings that the environment holds, what waits behind.

    :param records: by key, as ``state.read()`` returns them.
    :param defaults: whether settings that have their default are named too.
    """
    export = Export({}, [], [], [])
    for key, in_force in records.items():
        setting, record = file_values.settings[key], in_force.stored
        modified = not same(record.value, setting.default)
        if setting.secret:
            export.secrets.extend([key] if modified else [])
        elif modified or defaults:
            try:
                export.values[key] = file_values.dump(key, record.value)
            except InvalidValue:
                export.unwritable.append(key)
            else:
                export.behind.extend([key] if in_force.behind else [])
    return export
