"""Page: what the API needs of the settings page that it belongs to."""

from __future__ import annotations

from typing import Protocol

from ..settings.setting import Setting
from ..state.state import _WaffleState


class Page(Protocol):
    """The settings page that an API belongs to: both have the same settings and permissions."""

    def access(self, state: _WaffleState) -> Access:
        """Return what the current user may do."""

    def current_actor(self, state: _WaffleState) -> str | None:
        """Return who makes the request, for the history."""

    def refusal(self) -> str:
        """Return why the request may come from another site, in a sentence; "" if it can't."""


class Access(Protocol):
    """What the current user may do, during one request."""

    @property
    def viewable(self) -> list[Setting]:
        """The settings that this user may see."""

    @property
    def with_history(self) -> dict[str, Setting]:
        """The settings whose history this user may see, by key."""

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
