"""WaffleAdmin: the blueprint of the settings page, with its addresses and views."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    has_request_context,
    redirect,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from .. import i18n
from ..fields import FieldFactory
from ..forms.values import add_fields
from ..permissions import Can
from ..settings.attributes import named_group
from ..state.state import State
from . import assets, csrf, workers
from .app_templates import require_layout, require_template
from .checks import named_checks, require_groups
from .compare_page import ComparePage
from .files_page import FilesPage
from .form_body import allow_large_forms, refuse_other_encodings
from .history_page import HistoryPage
from .options import Actor, Check, PageOptions
from .responses import set_default_headers
from .settings_page import SettingsPage
from .undo_page import UndoPage

#: What our templates use besides their context, with "waffle_" before the name.
_TEMPLATE_GLOBALS: dict[str, Callable[..., object]] = {
    "gettext": i18n.gettext,
    "ngettext": i18n.ngettext,
    "language": i18n.language,
    "is_rtl": i18n.is_rtl,
    "asset": assets.url,
}

#: Whatever a resource of the API does not take, its answer says so.
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


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
        and the page brings its own messages along. Our strict Content-Security-Policy could break
        its scripts and styles, so that header then says ``frame-ancestors 'none'`` and nothing
        else.
    :param actor: a function that says who saves; without it, the user of Flask-Login. Like
        `can` it may be asynchronous.
    :param checks: ``{group: check}``: a button tests the values of a group before they are saved.
        ``check(values)`` gets a dict by key, and returns a sentence for the user or raises
        `InvalidValue`.
    :param api: whether there is a JSON API too, below ``api/``.
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
        fields: Mapping[type, FieldFactory] | None = None,
        layout: str | None = None,
        actor: Actor | None = None,
        checks: Mapping[str, Check] | None = None,
        api: bool = False,
        url_prefix: str = "/admin/config",
        **blueprint_options: Any,  # of the types that Flask's Blueprint takes
    ) -> None:
        if not isinstance(name, str):
            raise TypeError("the first argument of WaffleAdmin is its name: write can=…")
        if isinstance(groups, str):
            raise TypeError(f"groups={groups!r}: write a list, [{groups!r}]")
        names = None if groups is None else frozenset(named_group(group)[0] for group in groups)
        self.options = PageOptions(name, can, names, fields, layout, actor, named_checks(checks))
        defaults = {
            "template_folder": "templates",
            "static_folder": "static",
            # Not "/static": with the prefix "/" the app's own files would hide ours.
            "static_url_path": "/assets",
        }
        package = __name__.partition(".")[0]  # where the templates are
        super().__init__(name, package, url_prefix=url_prefix, **defaults | blueprint_options)
        self._add_pages()
        if api:
            self._add_api()
        assets.add(self)
        self.url_value_preprocessor(allow_large_forms)
        self.url_value_preprocessor(refuse_other_encodings)
        self.url_value_preprocessor(self._exempt_from_csrf)
        self.url_defaults(self._add_url_variables)
        self.after_request(self._add_headers)
        for suffix, function in _TEMPLATE_GLOBALS.items():
            self.add_app_template_global(function, f"waffle_{suffix}")

    def register(self, app: Flask, options: dict[str, object]) -> None:  # type: ignore[override]
        """Register on an app, and let its command line use the fields of the page.

        :raises TypeError: one of the functions is asynchronous, and asgiref is missing.
        :raises ValueError: another page has another field for one of the types; a check is for a
            group that the page does not have; there is no such layout, or no block ``content`` in
            it; or there is no such template as WAFFLE_TEMPLATE says.
        """
        self.options.check(app)
        require_layout(app, self.options.layout)
        require_groups(app, self.options)
        add_fields(app, self.options.fields or {})
        super().register(app, options)
        require_template(app)  # after our own templates are known

    # The views accept the variables that the app has in the address, such as a tenant.

    def send_static_file(self, /, filename: str, **variables: object) -> Response:
        """Return a file of ours."""
        return super().send_static_file(filename)

    def _index(self, /, **variables: object) -> BaseResponse:
        return SettingsPage(self.options, state_of_app()).respond()

    def _history(self, /, **variables: object) -> BaseResponse:
        return HistoryPage(self.options, state_of_app()).respond()

    def _undo(self, /, **variables: object) -> BaseResponse:
        return UndoPage(self.options, state_of_app()).respond()

    def _compare(self, /, **variables: object) -> BaseResponse:
        return ComparePage(self.options, state_of_app()).respond()

    def _files(self, /, **variables: object) -> BaseResponse:
        return FilesPage(self.options, state_of_app()).respond()

    def _export(self, /, **variables: object) -> BaseResponse:
        return FilesPage(self.options, state_of_app()).download()

    def _workers(self, /, **variables: object) -> BaseResponse:
        return workers.respond(self.options, state_of_app())

    def _no_undo(self, /, **variables: object) -> BaseResponse:
        return redirect(url_for(".history"))

    def _add_pages(self) -> None:
        methods = ["GET", "POST"]
        # An empty rule without strict slashes answers with and without the slash, no redirect.
        self.add_url_rule("", "index", self._index, methods=methods, strict_slashes=False)
        self.add_url_rule("/history", "history", self._history, strict_slashes=False)
        self.add_url_rule("/history/compare", "compare", self._compare, methods=methods)
        self.add_url_rule("/history/undo", "undo", self._undo, methods=["POST"])
        # For the address bar, and for a log-in that leads back to the address of the POST.
        self.add_url_rule("/history/undo", "no_undo", self._no_undo)
        self.add_url_rule("/files", "files", self._files, methods=methods, strict_slashes=False)
        self.add_url_rule("/files/settings.json", "export", self._export)
        self.add_url_rule("/workers", "workers", self._workers)

    def _add_api(self) -> None:
        from ..api import RESOURCES  # pages without an API need not import it

        for endpoint, resource in RESOURCES.items():
            self.add_url_rule(resource.rule, endpoint, self._answer_api, methods=_METHODS)

    def _answer_api(self, /, **variables: object) -> BaseResponse:
        from ..api import Call, respond

        state, endpoint = state_of_app(), str(request.endpoint).rpartition(".")[2]
        permissions = self.options.permissions(state.app, state.settings)
        actor = partial(self.options.current_actor, state.app)
        return respond(Call(state, permissions, actor, csrf.api_refusal), endpoint, variables)

    def _exempt_from_csrf(self, endpoint: str | None, values: object) -> None:
        """Exempt our views from an app-wide CSRFProtect: they check the token themselves.

        It would not give back what was typed, and would read a form for anybody.
        """
        if protect := csrf.app_wide():
            protect.exempt(self._index)
            protect.exempt(self._compare)
            protect.exempt(self._undo)
            protect.exempt(self._files)
            protect.exempt(self._answer_api)

    def _add_url_variables(self, endpoint: str, values: dict[str, object]) -> None:
        """Give the addresses of our pages the variables of the current one."""
        if has_request_context() and request.blueprint == endpoint.rpartition(".")[0]:
            for name, value in url_variables().items():
                if current_app.url_map.is_endpoint_expecting(endpoint, name):
                    values.setdefault(name, value)

    def _add_headers(self, response: Response) -> Response:
        return set_default_headers(response, self.options)


def url_variables() -> dict[str, object]:
    """Return the variables in the address of the request, with those that a URL value preprocessor
    of the app has removed.
    """
    if request.url_rule is None or not request.url_rule.arguments:
        return {}
    adapter = current_app.create_url_adapter(request)
    return dict(adapter.match()[1]) if adapter else {}


def state_of_app() -> State:
    """Return the current app's state.

    :raises RuntimeError: the app has none.
    """
    try:
        state: State = current_app.extensions["waffleconf"]
    except KeyError:
        raise RuntimeError(
            "the settings page needs the extension: call WaffleConf(app, store), or "
            "waffle.init_app(app, store), where the app is made"
        ) from None
    return state
