"""Facts: what the API says of settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..exceptions import InvalidValue
from ..fields.binding import differs
from ..files import FileValues
from ..forms.form_fields import READ_ONLY
from ..i18n import gettext
from ..permissions import Permissions
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from ..settings.value_types import type_name
from ..state.history import History
from .answer import Versions

Facts = dict[str, object]


def setting_facts(
    file_values: FileValues, permissions: Permissions, setting: Setting, record: Record
) -> dict[str, object]:
    """Return the facts of a setting; of a secret neither the value nor the default.

    Where no file could hold the value or the default, it is left out too.
    """
    facts: Facts = {
        "key": setting.key,
        "label": str(setting.label),
        "help": str(setting.help),
        "group": setting.group,
        "type": type_name(setting.value_type),
        "secret": setting.secret,
        "restart": setting.restart,
        "editable": not why_not_editable(permissions, setting),
        "reason": why_not_editable(permissions, setting),
        "modified": differs(setting, record),
        "layer": record.layer,
        "problem": record.problem() if record.problem else "",
    }
    if setting.secret:
        return facts
    for name, value in (("default", setting.default), ("value", record.value)):
        if name == "value" and "default" in facts and same(value, setting.default):
            facts["value"] = facts["default"]  # most settings of most apps
            continue
        try:
            facts[name] = file_values.dump(setting.key, value)
        except InvalidValue as error:
            facts["problem"] = facts["problem"] or error.errors[setting.key]
    return facts


def why_not_editable(permissions: Permissions, setting: Setting) -> str:
    """Return why this user can't change a setting; "" if they can."""
    if setting.environment is not None:
        return setting.environment.reason
    if setting.readonly:
        return gettext(READ_ONLY)
    return "" if permissions.may_edit(setting) else gettext("You may not change it.")


def all_facts(
    file_values: FileValues,
    permissions: Permissions,
    settings: Iterable[Setting],
    records: Mapping[str, Record],
) -> dict[str, Facts]:
    """Return the facts of settings by key."""
    return {s.key: setting_facts(file_values, permissions, s, records[s.key]) for s in settings}


def secret_versions(history: History | None, settings: Iterable[Setting]) -> Versions:
    """Return the ids of the last changes of those settings that are secrets, by key; 0: of none.

    Without a history nothing is known of them.

    :raises StoreError: the database can't be read.
    """
    secrets = [setting.key for setting in settings if setting.secret]
    if not secrets or history is None:
        return {}
    latest = history.latest(secrets)
    return {key: latest[key].id if key in latest else 0 for key in secrets}
