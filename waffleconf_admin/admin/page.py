"""Page: one request of a page, and what several pages do alike."""

from __future__ import annotations

from flask import Response, url_for
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import StoreError
from ..forms import SettingsForm
from ..state.history import History
from ..state.save import Saved
from ..state.state import State
from . import undo
from .fetch import lead_to
from .messages import has_message, leave_message
from .options import PageOptions
from .permissions import Permissions
from .responses import render_page
from .submission import Pairs
from .unavailable import log_unreadable, unavailable_page


class Page:
    """One request of a page.

    :param options: those of the blueprint.
    :param state: the current app's state.
    """

    def __init__(self, options: PageOptions, state: State) -> None:
        self._options = options
        self._state = state
        self._permissions = Permissions(options, state.app, state.settings)

    @property
    def _history(self) -> History:
        """The history, for pages that refuse to answer where there is none."""
        history = self._state.history
        assert history is not None  # nosec B101 # for the type checker
        return history

    def _actor(self) -> str | None:
        """Return who makes the request, for the history."""
        return self._options.current_actor(self._state.app)

    def _render(self, template: str, status: int = 200, **context: object) -> Response:
        """Return the page; parameters as for `render_page`."""
        one_group = self._permissions.one_group
        return render_page(self._options, template, status, one_group=one_group, **context)

    def _unavailable(self, what: str, error: StoreError, again: Pairs | None = None) -> Response:
        """Log that something can't be read, and return the page that says so.

        :param what: such as "history".
        :param again: what was typed, to be sent again.
        """
        log_unreadable(what, error)
        return unavailable_page(self._options, self._permissions, error, again)

    def _lead_to_settings(
        self, form: SettingsForm, saved: Saved, in_force: dict[str, object]
    ) -> BaseResponse:
        """Return the response after the save of a review, with a message for the settings page.

        :param form: of the settings.
        :param in_force: the wanted values, by key, that settings had before.
        """
        done = in_force | saved  # a first click on the button may have saved
        if saved or not has_message():
            leave_message(form, done, done, self._state.propagation())
        undo.offer(self._state, saved)
        return lead_to(url_for(".index"))
