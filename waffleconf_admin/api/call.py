"""Call: one request, with what the settings page that the API belongs to knows of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..files import FileValues
from ..permissions import Permissions
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

    @property
    def file_values(self) -> FileValues:
        """The values of settings, as files have them."""
        return FileValues(self.state.app, self.state.settings)

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
