"""WaffleAdmin: the blueprint of the settings page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    has_request_context,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from .. import calls, i18n
from ..forms.values import add_fields
from ..settings.declarations import named_group
from . import assets, csrf, headers, submission, undo
from .actor import logged_in
from .history import HistoryPage
from .index import SettingsPage
from .kept import Keeper
from .limits import limits
from .permissions import Can, Rights, anyone
from .resubmission import Held, held

__all__ = ["WaffleAdmin", "anyone", "blueprint"]

#: What our templates use besides what they are given; the names begin with "waffle_".
_IN_TEMPLATES: dict[str, Callable[..., Any]] = {
    "gettext": i18n.gettext,
    "ngettext": i18n.ngettext,
    "language": i18n.language,
    "is_rtl": i18n.is_rtl,
    "asset": assets.url,
    "limits": limits,
}


class WaffleAdmin(Blueprint):
    """The page at ``/admin/config`` on which people change the settings of the running app.

    :param name: the blueprint's name; another one for each further page of an app.
    :param can: ``can(action, setting)``, asked with "view", "edit" and "history" for each
        setting; only ``True`` allows. Call ``abort(redirect(…))`` in it to send somebody to a
        log-in. Without it ``app.config["WAFFLE_CAN"]`` is asked; without that one too, the page
        answers in debug mode and in tests only.
    :param groups: show the settings of these groups only.
    :param fields: ``{type: WTForms field}``: controls for types of your own, or other controls. The
        command line uses them too, so pages of one app can't have different ones for one type.
    :param layout: a template of the app's own to show the page in. It needs a block ``content``,
        and it shows flashed messages itself. Our strict Content-Security-Policy could break its
        scripts and styles, so that header then says ``frame-ancestors 'none'`` and nothing else.
    :param actor: a function that says who saves; without it, whom Flask-Login has logged in. Like
        `can` it may be asynchronous.
    :param url_prefix: where the page is, unless ``register_blueprint`` says otherwise.
    :param blueprint_options: whatever else a :class:`flask.Blueprint` takes.

    The response headers are defaults: an ``after_request`` function of the app may replace them.
    """

    def __init__(
        self,
        name: str = "waffleconf_admin",
        *,
        can: Can | None = None,
        groups: Iterable[str] | None = None,
        fields: Mapping[type, Any] | None = None,
        layout: str | None = None,
        actor: Callable[[], str | Awaitable[str | None] | None] | None = None,
        url_prefix: str = "/admin/config",
        **blueprint_options: Any,
    ) -> None:
        if not isinstance(name, str):
            raise TypeError("the first argument of WaffleAdmin is its name: write can=…")
        if isinstance(groups, str):
            raise TypeError(f"groups={groups!r}: write a list, [{groups!r}]")
        for option, function in (("can", can), ("actor", actor)):
            if function is not None and not callable(function):
                raise TypeError(f"{option}={function!r}: write a function")
        options = {
            "template_folder": "templates",
            "static_folder": "static",
            # Not "/static": with the prefix "/" the app's own files would hide ours.
            "static_url_path": "/assets",
        }
        package = __name__.partition(".")[0]  # where the templates are
        super().__init__(name, package, url_prefix=url_prefix, **options | blueprint_options)
        self.can = can
        self.groups = None if groups is None else {named_group(group)[0] for group in groups}
        self.fields = fields
        self.layout = layout
        self.actor = actor
        self.keeper = Keeper(fields or ())
        # An empty rule without strict slashes answers with and without the slash, no redirect.
        self.add_url_rule("", "index", self._index, methods=["GET", "POST"], strict_slashes=False)
        self.add_url_rule("/history", "history", self._history)
        self.add_url_rule("/history/undo", "undo", self._history, methods=["POST"])
        # Where the address bar leads, and a log-in that goes back to where it was asked for.
        self.add_url_rule("/history/undo", "no_undo", self._no_undo)
        assets.add(self)
        self.url_value_preprocessor(submission.make_room)
        self.url_value_preprocessor(self._check_tokens_itself)
        self.url_defaults(self._extend_url)
        self.after_request(self._add_headers)
        for name, function in _IN_TEMPLATES.items():
            self.add_app_template_global(function, f"waffle_{name}")

    def register(self, app: Any, options: dict[str, Any]) -> None:
        """Register on an app, and let the command line know the fields that the page has.

        :raises TypeError: `can` or `actor` is asynchronous, and asgiref is missing.
        """
        for option, function in (("can=", self.can), ("actor=", self.actor)):
            calls.check(app, function, option)
        add_fields(app, self.fields or {})
        super().register(app, options)

    def page(self, template: str, status: int = 200, **context: Any) -> BaseResponse:
        """Return one of our pages, in the layout that was asked for."""
        if not self.layout:
            # What our layout asks for; a context processor of the app's may mean others by it.
            context = {"page": None, "heading": None} | context
        html = render_template(
            template.removesuffix(".html") + ".html",
            layout=self.layout or "waffleconf/layout.html",
            embedded=self.layout is not None,
            **context,
        )
        return make_response(html, status)

    def who(self) -> Any:
        """Return who saves, as far as the app says."""
        return calls.call(state_of_app().app, self.actor) if self.actor else logged_in()

    def _check_tokens_itself(self, endpoint: str | None, values: Any) -> None:
        """Tell an app-wide CSRFProtect that our pages ask it themselves: from it, who sends an old
        token would not get back what was typed, and before it anybody could make it read a form.
        """
        if protect := csrf.app_wide():
            protect.exempt(self._index)
            protect.exempt(self._history)

    def _extend_url(self, endpoint: str, values: dict[str, Any]) -> None:
        """Give the address of a page of ours the variables that ours has, such as the tenant in
        its prefix.
        """
        if has_request_context() and request.blueprint == endpoint.rpartition(".")[0]:
            for name, value in url_variables().items():
                if current_app.url_map.is_endpoint_expecting(endpoint, name):
                    values.setdefault(name, value)

    # The views take and leave alone what the app puts into their addresses.

    def send_static_file(self, /, filename: str, **variables: Any) -> Response:
        """Return a file of ours."""
        return super().send_static_file(filename)

    def _index(self, /, **variables: Any) -> BaseResponse:
        state = state_of_app()
        rights = Rights(self, state)
        try:
            if rights.viewable:
                return SettingsPage(self, state, rights).answer()
        except HTTPException as refusal:
            answer = refusal.get_response()
            if not 300 <= answer.status_code < 400 and answer.status_code not in (401, 403):
                raise
            # Who was logged out while typing loses nothing.
            typed = held(rights.declared)
            if typed is None:
                raise
            return self._refuse(rights, typed, answer.headers.get("Location"))
        return self._refuse(rights, held(rights.declared))

    def _history(self, /, **variables: Any) -> BaseResponse:
        state = state_of_app()
        rights = Rights(self, state)
        if not undo.visible(rights):
            return self._refuse(rights)
        page = HistoryPage(self, state, rights)
        return page.undo() if request.method == "POST" else page.show()

    def _no_undo(self, /, **variables: Any) -> BaseResponse:
        return redirect(url_for(".history"))

    def _refuse(
        self, rights: Rights, typed: Held | None = None, login: str | None = None
    ) -> BaseResponse:
        context = {"remedy": rights.remedy(), "empty": not rights.declared}
        return self.page("waffleconf/forbidden", 403, held=typed, login=login, **context)

    def _add_headers(self, response: Response) -> Response:
        for name, value in headers.for_page(embedded=self.layout is not None).items():
            response.headers.setdefault(name, value)
        return response


def url_variables() -> dict[str, Any]:
    """Return the variables in the address of the request, also those that the app has taken out
    of what its views get.
    """
    if request.url_rule is None or not request.url_rule.arguments:
        return {}
    adapter = current_app.create_url_adapter(request)
    return dict(adapter.match()[1]) if adapter else {}


def state_of_app() -> Any:
    """Return the current app's state."""
    try:
        return current_app.extensions["waffleconf"]
    except KeyError:
        raise RuntimeError(
            "the settings page needs the extension: call WaffleConf(app, store), or "
            "waffle.init_app(app, store), where the app is made"
        ) from None


blueprint = WaffleAdmin()
