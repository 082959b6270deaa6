"""Options: what a page of settings was made with."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from flask import Flask, current_app

from .. import calls
from ..fields import FIELDS, FieldFactory
from ..log_once import LogOnce
from ..permissions import Can, Permissions
from ..settings.names import nearest_name
from ..settings.setting import Setting
from .settings_filter import GENERAL

log = logging.getLogger(__name__)

#: Returns who saves. May be asynchronous.
Actor = Callable[[], str | Awaitable[str | None] | None]
#: ``check(values)``: tries the values of a group, and returns a sentence. May be asynchronous. Any:
#: users read the values.
Check = Callable[[Mapping[str, Any]], str | Awaitable[str | None] | None]


@dataclass(frozen=True, eq=False)
class PageOptions:
    """The options of one `WaffleAdmin`, for its pages.

    :raises TypeError: `can` or `actor` is not a function.
    """

    name: str  #: of the blueprint
    can: Can | None = None
    groups: frozenset[str] | None = None  #: None: all groups
    fields: Mapping[type, FieldFactory] | None = None
    layout: str | None = None
    actor: Actor | None = None
    checks: Mapping[str, Check] | None = None  #: by the name of the group

    def __post_init__(self) -> None:
        for option, function in (("can", self.can), ("actor", self.actor)):
            if function is not None and not callable(function):
                raise TypeError(f"{option}={function!r}: write a function")

    @property
    def field_table(self) -> Mapping[type, FieldFactory]:
        """The fields by type: those of the app before ours."""
        return {**FIELDS, **(self.fields or {})}

    def check(self, app: Flask) -> None:
        """Check that this app can call the functions.

        :raises TypeError: one of them is asynchronous, and asgiref is missing.
        """
        checks = {f"checks[{name!r}]": check for name, check in (self.checks or {}).items()}
        for option, function in {"can=": self.can, "actor=": self.actor, **checks}.items():
            calls.check(app, function, option)

    def permissions(self, app: Flask, settings: Mapping[str, Setting]) -> Permissions:
        """Return what the current user may do on the page; parameters and errors as of the class.

        That the groups of the page have no settings is logged, once.
        """
        permissions = Permissions(app, settings, self.can, self.groups)
        if permissions.other_groups:
            _warn_without_settings(self, permissions.other_groups)
        return permissions

    def current_actor(self, app: Flask) -> str | None:
        """Return who uses the page: what `actor` says, or else the user of Flask-Login."""
        if self.actor is not None:
            return _name_of(self, calls.call(app, self.actor))
        return _logged_in()


def _name_of(options: PageOptions, actor: object) -> str | None:
    """Return what `actor` has returned as the history keeps it."""
    if actor is None or isinstance(actor, (str, int)):
        return None if actor is None else str(actor)
    cls = type(actor)
    if cls.__str__ is object.__str__:
        LogOnce.of(options, log)(
            "actor",
            logging.WARNING,
            "actor= returned an object of type %s, whose class has no __str__: the history keeps "
            "its repr(). Return a name, such as actor=lambda: current_user.name",
            cls.__name__,
        )
    return str(actor)


def _logged_in() -> str | None:
    if not hasattr(current_app, "login_manager"):
        return None
    from flask_login import current_user

    return cast("str | None", current_user.get_id())


def _warn_without_settings(options: PageOptions, other_groups: list[str]) -> None:
    wanted = sorted(options.groups or ())
    known = {group or GENERAL: group for group in other_groups}
    near = {known[name] for group in wanted if (name := nearest_name(group, known))}
    LogOnce.of(options, log)(
        "settings",
        logging.WARNING,
        "the page %r shows no settings: none is declared in the group %s%s",
        options.name,
        " or ".join(map(repr, wanted)),
        f"; did you mean {' or '.join(map(repr, sorted(near)))}?" if near else "",
    )
