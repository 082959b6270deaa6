"""Checks: tests of the values of a group before they are saved."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterable, Mapping
from functools import cached_property

from flask import Flask

from ..fields.base import is_set
from ..forms import SettingsForm
from ..forms.validation import ask_again
from ..i18n import gettext as _
from ..permissions import Permissions
from ..settings.attributes import named_group
from ..settings.setting import Setting
from .check_runner import Answer, CheckRunner
from .options import Check, PageOptions
from .settings_filter import GENERAL, group_name
from .texts import shorten

#: One for the process: two tests at once could send twice as much mail as their author expects.
_runner = CheckRunner()
#: Characters of a label.
_LABEL = 60


class Checks:
    """The checks of one page, during one request.

    :param options: those of the page.
    :param app: the current app.
    :param settings: all that are declared.
    :param permissions: of the user.
    """

    def __init__(
        self,
        options: PageOptions,
        app: Flask,
        settings: Mapping[str, Setting],
        permissions: Permissions,
    ) -> None:
        self._checks = options.checks or {}
        self._app = app
        self._permissions = permissions
        self._members: dict[str, list[Setting]] = {name: [] for name in self._checks}
        for setting in settings.values() if self._checks else ():
            if (name := group_name(setting)) in self._members:
                self._members[name].append(setting)

    @cached_property
    def answers(self) -> dict[str, Answer]:
        """The answers by group; blank ones for groups that this user may test and has not."""
        return {name: Answer() for name in self._checks if self._may_test(name)}

    def run(self, group: str, form: SettingsForm) -> bool:
        """Run the check of a group with the values as a save would leave them; save nothing.

        The answer is in `answers`. In the form typed secrets are marked: they have to be typed
        again, for no page sends them back.

        :param form: validated.
        :returns: whether the check was run.
        """
        if group not in self.answers or form.form_errors:
            return False  # the page says on top what is wrong with the form
        obstacle = _obstacle(form, self._members[group])
        if obstacle:
            self.answers[group] = Answer(obstacle)
        else:
            values = _values(form, self._members[group])
            self.answers[group] = _runner.run(self._app, self._checks[group], values)
        ask_again(form[key] for key in form.changes if not form.is_reset(key))
        return not obstacle

    def _may_test(self, group: str) -> bool:
        """Whether this user may edit every setting of a group."""
        members, permissions = self._members[group], self._permissions
        visible = {setting.key for setting in permissions.viewable}
        return bool(members) and all(
            setting.key in visible and permissions.may_edit(setting) for setting in members
        )


def named_checks(checks: Mapping[str, Check] | None) -> dict[str, Check]:
    """Return checks by the names of their groups.

    :raises TypeError: it is no dict of functions.
    """
    if checks is None:
        return {}
    if not isinstance(checks, Mapping) or not all(map(callable, checks.values())):
        raise TypeError(f"checks={checks!r}: write a dict of functions, {{group: function}}")
    return {named_group(group)[0]: check for group, check in checks.items()}


def require_groups(app: Flask, options: PageOptions) -> None:
    """Check that the groups of all checks are on the page.

    :raises ValueError: one of them is not; nothing is known before WAFFLE_CONFS is set.
    """
    confs = app.config.get("WAFFLE_CONFS")
    if not isinstance(confs, Mapping):
        return
    groups = {_declared_group(entry) for entry in confs.values()}
    if options.groups is not None:
        groups &= options.groups | ({GENERAL} if "" in options.groups else set())
    for name in options.checks or {}:
        if name not in groups:
            known = ", ".join(repr(group) for group in sorted(groups))
            raise ValueError(
                f"checks={{{name!r}: …}}: no setting of this page is in that group; its groups "
                f"are {known}"
            )


def _declared_group(entry: object) -> str:
    """The group of an entry of WAFFLE_CONFS; mistakes are reported where settings are declared."""
    try:
        declared = entry.get("group") if isinstance(entry, Mapping) else None
        return (named_group(declared)[0] if declared else "") or GENERAL
    except ValueError:
        return GENERAL


def _obstacle(form: SettingsForm, settings: Collection[Setting]) -> str:
    """Return why the values of a group can't be tested; "" if they can."""
    changed = {setting.key for setting in settings if setting.key in form.changes}
    for setting in settings:
        key, label = setting.key, shorten(setting.label, _LABEL)
        if key in form.conflicts or (form[key].errors and key not in changed):
            return _("Nothing was tested: correct “%(label)s” first.", label=label)
        # Else whoever may edit the group could send the secret to a server of their own.
        if setting.secret and changed - {key} and _is_from_the_server(form, key):
            return _(
                "Nothing was tested: enter “%(label)s” again. A stored secret is used only while "
                "nothing else in its group is changed.",
                label=label,
            )
    return ""


def _is_from_the_server(form: SettingsForm, key: str) -> bool:
    """Whether a secret is set and was not typed just now."""
    if key in form.changes and not form.is_reset(key):
        return False
    return is_set(_value(form, key))


def _value(form: SettingsForm, key: str) -> object:
    """The value that a setting would have after a save."""
    changes = form.changes
    return changes[key] if key in changes else form[key].record.value


def _values(form: SettingsForm, settings: Iterable[Setting]) -> dict[str, object]:
    """The values as a save would leave them: copies, for those in memory are served."""
    return {setting.key: copy.deepcopy(_value(form, setting.key)) for setting in settings}
