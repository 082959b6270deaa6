"""Call: one request, with what the settings page that the API belongs to knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..settings.setting import Setting
from ..state.state import State
from ..state.task import Origin
from .problem import Problem

NO_SETTING = "There is no setting of that name."


@dataclass(frozen=True)
class Call:
    """One request."""

    state: State
    permissions: Permissions
    current_actor: Callable[[], str | None]  #: returns who makes it, for the history
    #: Returns why it may be another site's, in a sentence; "" if it can't.
    refusal: Callable[[], str]

    def find(self, key: str) -> Setting:
        """Return a setting by its name, or a former one.

        :raises Problem: there is none, or this user may not see it: a 404 either way.
        """
        present = self.state.names.former.get(key, key)
        for setting in self.permissions.viewable:
            if setting.key == present:
                return setting
        raise Problem(404, NO_SETTING)

    def origin(self, note: str | None) -> Origin:
        """Return who makes a change, and why."""
        return Origin(self.current_actor(), note, "api")


class Permissions(Protocol):
    """What the current user may do, during one request."""

    @property
    def viewable(self) -> list[Setting]:
        """The settings that this user may see."""

    @property
    def with_history(self) -> dict[str, Setting]:
        """The settings whose history this user may see, by key."""

    @property
    def editable(self) -> set[str]:
        """The keys of the settings that this user may change."""

    @property
    def undoable(self) -> set[str]:
        """The keys of the settings whose changes this user may undo."""

    @property
    def covers_removed_settings(self) -> bool:
        """Whether the history may include settings that are no longer declared."""

    def may_edit(self, setting: Setting) -> bool:
        """Whether this user may change a setting."""

    def remedy(self) -> str | None:
        """Return the line of code that is missing to give anybody access; None: none is."""
