"""ApiPage: lets the JSON API of a page use its permissions, its actor and its CSRF check."""

from __future__ import annotations

from ..forms.tokens import FOREIGN
from ..state.state import State
from . import csrf
from .options import PageOptions
from .permissions import Permissions


class ApiPage:
    """The page of an API.

    :param options: those of the page.
    """

    def __init__(self, options: PageOptions) -> None:
        self._options = options

    def permissions(self, state: State) -> Permissions:
        """Return what the current user may do."""
        return Permissions(self._options, state.app, state.settings)

    def current_actor(self, state: State) -> str | None:
        """Return who makes the request, for the history."""
        return self._options.current_actor(state.app)

    def refusal(self) -> str:
        """Return why the request may come from another site, in a sentence; "" if it can't."""
        refusal = csrf.api_refusal()
        if refusal in ("", FOREIGN):
            return "A page of another site has sent this request." if refusal else ""
        return (
            f"{refusal} Send the CSRF token of the session in the header X-CSRFToken, or no cookie "
            "and Authorization: Bearer."
        )
