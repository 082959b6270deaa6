"""The settings page: a blueprint that shows the declared settings and saves what people change."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from weakref import WeakSet

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from . import forms
from .declarations import Setting
from .exceptions import ConflictError, InvalidValue, StoreError
from .fields.bound import words
from .forms.submission import TOKEN

log = logging.getLogger(__name__)

Can = Callable[[str, Setting], bool]

#: What a developer pastes who has not said yet who may use the page.
REMEDY = 'app.config["WAFFLE_CAN"] = lambda action, setting: session.get("is_admin") is True'

# A cookie session holds 4 kB, and the app wants most of them.
SAVED_SHOWN = 5
SAVED_LENGTH = 30

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CSP_EMBEDDED = "frame-ancestors 'none'"
CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    f"form-action 'self'; base-uri 'none'; {CSP_EMBEDDED}"
)

_told: WeakSet[Flask] = WeakSet()  # the apps whose log holds the remedy already


def anyone(action: str, setting: Setting) -> bool:
    """Allow everybody everything: a ``can=`` for a page that something else protects."""
    return True


class WaffleAdmin(Blueprint):
    """The page at ``/admin/config`` on which people change the settings of the running app.

    :param name: the blueprint's name; another one for each further page of an app.
    :param can: ``can(action, setting)``, asked with "view" and "edit" for each setting; only
        ``True`` allows. Call ``abort(redirect(…))`` in it to send somebody to a log-in. Without it
        ``app.config["WAFFLE_CAN"]`` is asked; without that one too, the page answers in debug mode
        and in tests only.
    :param groups: show the settings of these groups only.
    :param fields: ``{type: WTForms field}``: controls for types of your own, or other controls.
    :param layout: a template of the app's own to show the page in. It needs a block ``content``,
        and it shows flashed messages itself. Our strict Content-Security-Policy could break its
        scripts and styles, so that header then says ``frame-ancestors 'none'`` and nothing else.
    :param actor: a function that says who saves.
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
        actor: Callable[[], str | None] | None = None,
        url_prefix: str = "/admin/config",
        **blueprint_options: Any,
    ) -> None:
        options = {
            "template_folder": "templates",
            "static_folder": "static",
            # Not "/static": with the prefix "/" the app's own files would hide ours.
            "static_url_path": "/assets",
        }
        super().__init__(name, __name__, url_prefix=url_prefix, **options | blueprint_options)
        self.can = can
        self.groups = None if groups is None else tuple(groups)
        self.fields = fields
        self.layout = layout
        self.actor = actor
        # An empty rule without strict slashes answers with and without the slash, no redirect.
        self.add_url_rule("", "index", self._index, methods=["GET", "POST"], strict_slashes=False)
        self.after_request(self._add_headers)

    def _index(self) -> BaseResponse:
        state = _state()
        declared = [
            setting
            for setting in state.settings.values()
            if self.groups is None or setting.group in self.groups
        ]
        viewable = [setting for setting in declared if self._allows("view", setting)]
        if not viewable:
            return self._refuse(empty=not declared)
        try:
            form = forms.build_form(
                state,
                keys=[setting.key for setting in viewable],
                editable=lambda setting: self._allows("edit", setting),
                fields=self.fields,
            )
        except StoreError:
            log.exception("the settings can't be read")
            return self._page("waffleconf/unavailable", 503, again=list(_sent(viewable)))
        status = self._save(state, form) if form.is_submitted() else 200
        if status == 303:
            return redirect(url_for(".index"), status)
        return self._page(current_app.config["WAFFLE_TEMPLATE"], status, form=form)

    def _save(self, state: Any, form: forms.SettingsForm) -> int:
        """Save what was sent, or tell the form why not; the status of the answer."""
        if not form.validate():
            return 422
        actor = self.actor() if self.actor else None
        try:
            try:
                saved = state.update_db(
                    form.changes, actor=actor, expected=form.expected, source="page"
                )
            except ConflictError as error:
                form.add_conflicts(error.keys, state.read(error.keys))
                return 422
        except InvalidValue as error:
            form.form_errors += [] if error.errors else [str(error)]
            form.add_errors(error.errors)
            return 422
        except StoreError:
            log.exception("the settings can't be saved")
            form.form_errors.append("Saving does not work at the moment. Please try again soon.")
            form.add_errors({})  # says beside a secret that it has to be typed again
            return 503
        # Without a SECRET_KEY there is no session that could keep a message.
        if not current_app.session_interface.is_null_session(session):
            for message in _saved(form, saved):
                flash(message, "success")
        return 303

    def _allows(self, action: str, setting: Setting) -> bool:
        can = self._can()
        if can is None:
            return current_app.debug or current_app.testing
        return can(action, setting) is True  # a Response or a coroutine is truthy

    def _can(self) -> Can | None:
        return self.can or current_app.config.get("WAFFLE_CAN")

    def _refuse(self, *, empty: bool) -> BaseResponse:
        undecided = self._can() is None and not (current_app.debug or current_app.testing)
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        if undecided and app not in _told:
            _told.add(app)
            log.warning("nobody may see the settings page until you say who, such as: %s", REMEDY)
        return self._page(
            "waffleconf/forbidden", 403, remedy=REMEDY if undecided else None, empty=empty
        )

    def _page(self, template: str, status: int, **context: Any) -> BaseResponse:
        html = render_template(
            template.removesuffix(".html") + ".html",
            layout=self.layout or "waffleconf/layout.html",
            embedded=self.layout is not None,
            **context,
        )
        return make_response(html, status)

    def _add_headers(self, response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        csp = CSP_EMBEDDED if self.layout else CSP
        response.headers.setdefault("Content-Security-Policy", csp)
        return response


def _state() -> Any:
    try:
        return current_app.extensions["waffleconf"]
    except KeyError:
        raise RuntimeError(
            "the settings page needs the extension: call WaffleConf(app, store), or "
            "waffle.init_app(app, store), where the app is made"
        ) from None


def _saved(form: forms.SettingsForm, saved: Mapping[str, Any]) -> Iterator[str]:
    """What was saved in words, short enough for a cookie session."""
    if not saved:
        yield "Nothing to save: no setting was changed."
    for key in list(saved)[:SAVED_SHOWN]:
        field = form[key]
        label = shorten(field.setting.label)
        if field.setting.secret:
            yield f"{label} saved."
        else:
            old, new = shorten(field.shown_text), shorten(words(field, saved[key]))
            yield f"{label} saved: “{old}” → “{new}”"
    if len(saved) > SAVED_SHOWN:
        yield f"{len(saved) - SAVED_SHOWN} more saved."


def shorten(text: Any, length: int = SAVED_LENGTH) -> str:
    """``text`` on one line, of so many characters at most."""
    line = " ".join(str(text).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _sent(settings: Iterable[Setting]) -> Iterator[tuple[str, str]]:
    """What was sent, to be sent again: never what was typed for a secret."""
    names = {setting.key for setting in settings if not setting.secret}
    names |= {current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"), TOKEN}
    return (pair for pair in request.form.items(multi=True) if pair[0] in names)


blueprint = WaffleAdmin()
