"""Page: one request of a page, in the steps that all pages have.

A GET shows the page. A POST is refused; or it is read and done, and the response leads to a page.
What can't be done is shown again, with the reason.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, current_app, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import NotReadyError, StoreError
from ..forms import SettingsForm
from ..forms.tokens import FOREIGN, can_be_renewed, explain
from ..i18n import gettext as _
from ..state.history import History
from ..state.save import Saved
from ..state.state import State
from . import csrf, undo
from .ends import EndChoice
from .forbidden import forbidden_page
from .form_body import posted_form
from .messages import has_message, leave_message
from .options import PageOptions
from .problems import log_unreadable
from .responses import is_fetch, lead_to, render_page, renew_token
from .review import ReviewedChange
from .settings_filter import is_one_group
from .submission import Pairs


class Page:
    """One request of a page.

    :param options: those of the blueprint.
    :param state: the current app's state.
    """

    _subject = "settings"  #: what the page reads

    def __init__(self, options: PageOptions, state: State) -> None:
        self._options = options
        self._state = state
        self._permissions = options.permissions(state.app, state.settings)
        #: Why the form of a POST is refused, as `csrf.refusal` says; "" if it is accepted.
        self._refusal = ""

    def respond(self) -> BaseResponse:
        """Return the response to a GET or a POST."""
        return self._answer(self._post if request.method == "POST" else self._get)

    def _answer(self, respond: Callable[[], BaseResponse]) -> BaseResponse:
        """Return a response, where this user may see the page and the database can be read."""
        if not self._may_open():
            return self._forbidden()
        try:
            return respond()
        except StoreError as error:
            return self._unavailable(error)

    def _post(self) -> BaseResponse:
        """Refuse what was sent, or do what it asks for."""
        if refused := self._refused_unread():
            return self._refuse(*refused)
        self._refusal = csrf.refusal()
        if self._refusal == FOREIGN:  # the response has nothing of it
            return self._refuse(explain(FOREIGN), 400)
        if is_fetch() and can_be_renewed(self._refusal):
            return renew_token()
        return self._take(posted_form())

    # What pages differ in

    def _may_open(self) -> bool:
        """Whether this user may see the page."""
        return bool(self._permissions.viewable)

    def _get(self) -> BaseResponse:
        """Return the response to a GET."""
        raise NotImplementedError

    def _refused_unread(self) -> tuple[str, int] | None:
        """Return why nothing that this user sends is done, so that it need not be read, and the
        status of the response; None: it is.
        """
        return None

    def _refuse(self, problem: str, status: int) -> BaseResponse:
        """Return the page with a problem, and with nothing of what was sent."""
        raise NotImplementedError

    def _take(self, form: MultiDict[str, str]) -> BaseResponse:
        """Do what a form asks for, unless there is a `_refusal`."""
        raise NotImplementedError

    def _typed(self) -> Pairs | None:
        """Return what was typed, for a page that sends it again; None: it asks for nothing."""
        return None

    # What they have in common

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
        one_group = is_one_group(self._permissions.viewable)
        return render_page(self._options, template, status, one_group=one_group, **context)

    def _show_review(
        self,
        changes: list[ReviewedChange],
        again: Pairs,
        note: str | None,
        *,
        back: str = "",
        end: EndChoice | None = None,
    ) -> Response:
        """Return the page that shows changes before they are saved.

        :param again: what it sends again, besides the note.
        :param note: why all this is changed, if that was written already.
        :param back: what the button says that leads back; "": to editing.
        :param end: when the save goes back; None: it stays.
        """
        return self._render(
            "waffleconf/review",
            changes=changes,
            again=again,
            asked=any(change.field.setting.confirm for change in changes),
            note=note or "",
            back=back or _("Back to editing"),
            end=end,
            heading=_("Review changes"),
        )

    def _forbidden(self) -> Response:
        return forbidden_page(self._options, self._permissions)

    def _unavailable(self, error: StoreError) -> Response:
        """Log that the database can't be read, and return the page that says so."""
        log_unreadable(self._subject, error)
        problem = str(error) if self._may_read(error) else None
        return render_page(
            self._options, "waffleconf/unavailable", 503, again=self._typed(), problem=problem
        )

    def _may_read(self, error: StoreError) -> bool:
        """Whether this user may read an error: outside of debug mode it could name a host or a user
        of the database, but not where something is missing.
        """
        if current_app.debug:
            return True
        if not isinstance(error, NotReadyError):
            return False
        return any(map(self._permissions.may_edit, self._permissions.viewable))

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
        undo.offer(self._state.settings, saved)
        return lead_to(url_for(".index"))
