"""Rights: who may do what to which setting."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from flask import Flask, current_app

from ..calls import await_result
from ..settings.setting import Setting

if TYPE_CHECKING:
    from . import WaffleAdmin

log = logging.getLogger(__name__)

#: May be asynchronous.
Can = Callable[[str, Setting], bool | Awaitable[bool]]

#: What a developer pastes who has not said yet who may use the page.
REMEDY = 'app.config["WAFFLE_CAN"] = lambda action, setting: session.get("is_admin") is True'

_told: WeakSet[Flask] = WeakSet()  # the apps whose log holds the remedy already
_without_settings: WeakSet[WaffleAdmin] = WeakSet()  # the pages that the log names already


def anyone(action: str, setting: Setting) -> bool:
    """Allow everybody everything: a ``can=`` for a page that something else protects."""
    return True


class Rights:
    """What may be done on one page in one request.

    :param admin: the page's blueprint.
    :param state: the app's state.
    """

    def __init__(self, admin: WaffleAdmin, state: Any) -> None:
        self._can: Can | None = admin.can or current_app.config.get("WAFFLE_CAN")
        if self._can is not None and not callable(self._can):
            raise RuntimeError(
                f"WAFFLE_CAN is {self._can!r}: write a function of (action, setting), such as "
                "waffleconf_admin.anyone"
            )
        self._app = state.app
        self._answers: dict[tuple[str, str], bool] = {}
        #: The settings that this page is about.
        self.declared: list[Setting] = [
            setting
            for setting in state.settings.values()
            if admin.groups is None or setting.group in admin.groups
        ]
        if admin.groups and not self.declared:
            _tell_of_no_group(admin)

    @cached_property
    def viewable(self) -> list[Setting]:
        """The settings that this person may see."""
        return [setting for setting in self.declared if self.allows("view", setting)]

    def allows(self, action: str, setting: Setting) -> bool:
        """Whether this person may "view" or "edit" a setting, or see its "history"."""
        if self._can is None:
            return current_app.debug or current_app.testing
        answer = self._answers.get((action, setting.key))
        if answer is None:
            allowed = await_result(self._app, self._can, self._can(action, setting))
            answer = allowed is True  # a Response is truthy
            self._answers[action, setting.key] = answer
        return answer

    def may_edit(self, setting: Setting) -> bool:
        return self.allows("edit", setting)

    def remedy(self) -> str | None:
        """Return the line to paste when nobody has said yet who may use the page, else None."""
        if self._can is not None or current_app.debug or current_app.testing:
            return None
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        if app not in _told:
            _told.add(app)
            log.warning("nobody may see the settings page until you say who, such as: %s", REMEDY)
        return REMEDY


def _tell_of_no_group(admin: WaffleAdmin) -> None:
    if admin not in _without_settings:
        _without_settings.add(admin)
        log.warning(
            "the page %r shows no settings: none is declared in the group %s",
            admin.name,
            " or ".join(map(repr, sorted(admin.groups or ()))),
        )
