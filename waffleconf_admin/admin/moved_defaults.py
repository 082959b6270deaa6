"""Moved defaults: what the settings page says and does where a deployment has moved a default."""

from __future__ import annotations

from collections.abc import Mapping

from ..exceptions import StoreError
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..state.change import Change
from ..state.deployments import Deployments
from .messages import leave_lines, shorten_label
from .problems import explain_failure, log_unreadable


def find_moved(deployments: Deployments | None, form: SettingsForm) -> Mapping[str, Change]:
    """Return by key what the page marks: the moved defaults of settings that have no stored value
    and that this user may change.
    """
    if deployments is None:
        return {}
    try:
        moved = deployments.find_moved()
    except StoreError as error:
        log_unreadable("history", error)
        return {}
    return {key: entry for key, entry in moved.items() if key in form and _is_in_force(form[key])}


def keep_former(deployments: Deployments | None, form: SettingsForm, key: str) -> None:
    """Fill in the former default of a setting, to be saved as any other value."""
    if entry := find_moved(deployments, form).get(key):
        form.fill_in(key, entry.old)


def accept_new(
    deployments: Deployments | None, form: SettingsForm, key: str, actor: str | None
) -> str:
    """Note that this user accepts the new default of a setting, and leave a message that says so;
    the page no longer marks it.

    :returns: what the page says if the database can't be written; else "".
    """
    if deployments and key in find_moved(deployments, form):
        try:
            deployments.accept(key, actor)
        except StoreError:
            return explain_failure()
        label = shorten_label(form[key].setting.label)
        leave_lines([_("%(label)s: the new default is accepted.", label=label)])
    return ""


def _is_in_force(field: BoundField) -> bool:
    """Whether a setting has its default, and may have another value."""
    return field.record.text is None and field.editable
