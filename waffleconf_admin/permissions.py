"""Permissions: who may do what to which setting."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from functools import cached_property

from flask import Flask, current_app

from .calls import await_result
from .log_once import LogOnce
from .settings.setting import Setting

log = logging.getLogger(__name__)

#: ``can(action, setting)``: whether the current user may do something. May be asynchronous.
Can = Callable[[str, Setting], bool | Awaitable[bool]]

#: What a developer pastes who has not said yet who may use the page.
REMEDY = 'app.config["WAFFLE_CAN"] = lambda action, setting: session.get("is_admin") is True'


class Permissions:
    """What the current user may do on one page and in its API, during one request.

    :param app: the current app.
    :param settings: all that are declared.
    :param can: that of the page; None: WAFFLE_CAN.
    :param groups: those of the page; None: all.
    :raises RuntimeError: WAFFLE_CAN is not a function.
    """

    def __init__(
        self,
        app: Flask,
        settings: Mapping[str, Setting],
        can: Can | None,
        groups: Collection[str] | None,
    ) -> None:
        self._can: Can | None = can or app.config.get("WAFFLE_CAN")
        if self._can is not None and not callable(self._can):
            raise RuntimeError(
                f"WAFFLE_CAN is {self._can!r}: write a function of (action, setting), such as "
                "waffleconf_admin.anyone"
            )
        self._app = app
        self._allowed: defaultdict[str, dict[str, bool]] = defaultdict(dict)  #: by action and key
        #: The settings that this page is about.
        self.declared: list[Setting] = [
            setting for setting in settings.values() if groups is None or setting.group in groups
        ]
        self._has_all = groups is None
        #: The groups of the app's settings, where this page has none of them.
        self.other_groups: list[str] = []
        if groups and not self.declared:
            self.other_groups = sorted({setting.group for setting in settings.values()})

    @cached_property
    def viewable(self) -> list[Setting]:
        """The settings that this user may see."""
        return [setting for setting in self.declared if self.allows("view", setting)]

    @cached_property
    def with_history(self) -> dict[str, Setting]:
        """The settings whose history this user may see, by key."""
        return {s.key: s for s in self.viewable if self.allows("history", s)}

    @cached_property
    def editable(self) -> set[str]:
        """The keys of the settings that this user may change."""
        return {s.key for s in self.viewable if not s.readonly and self.may_edit(s)}

    @cached_property
    def undoable(self) -> set[str]:
        """The keys of the settings whose changes this user may undo."""
        return {s.key for s in self.with_history.values() if not s.readonly and self.may_edit(s)}

    @property
    def covers_removed_settings(self) -> bool:
        """Whether the history may include settings that are no longer declared.

        `can` can't be asked about those, so only for users who may see the history of all others.
        """
        return self._has_all and len(self.with_history) == len(self.declared)

    def allows(self, action: str, setting: Setting) -> bool:
        """Whether this user may "view" or "edit" a setting, or see its "history"."""
        if self._can is None:
            return current_app.debug or current_app.testing
        known = self._allowed[action]
        allowed = known.get(setting.key)
        if allowed is None:
            result: object = self._can(action, setting)
            if type(result) is not bool:
                result = await_result(self._app, self._can, result)
                self._warn_unless_bool(action, setting, result)
            allowed = known[setting.key] = result is True  # a Response is truthy
        return allowed

    def _warn_unless_bool(self, action: str, setting: Setting, result: object) -> None:
        """Log, once an app, that something is refused though `can` may have meant to allow it."""
        if result is None or isinstance(result, bool):
            return
        if isinstance(result, (int, str, list, tuple, dict)) and not result:
            return
        LogOnce.of(self._app, log)(
            "bool",
            logging.WARNING,
            "can returned an object of type %s for %r of %s, and only True allows: return True or "
            "False, such as bool(…); to send somebody to a log-in, abort(redirect(…))",
            type(result).__name__,
            action,
            setting.key,
        )

    def may_edit(self, setting: Setting) -> bool:
        """Whether this user may change a setting."""
        return self.allows("edit", setting)

    def remedy(self) -> str | None:
        """Return the line that the developer has to add to give anybody access; None: no line is
        missing.
        """
        if self._can is not None or current_app.debug or current_app.testing:
            return None
        message = "nobody may see the settings page until you say who, such as: %s"
        LogOnce.of(self._app, log)("can", logging.WARNING, message, REMEDY)
        return REMEDY


def anyone(action: str, setting: Setting) -> bool:
    """Allow everybody everything: a ``can=`` for a page that something else protects."""
    return True
