"""Hooks: the places where Flask lets us run before any code of the app does."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from flask import Flask, appcontext_pushed

from .contexts import up_to_date
from .log_once import LogOnce

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

#: Seconds after which a fault that lasts is logged again.
REPEAT = 600.0

#: Brings the settings up to date; gets the WSGI environ of a request, None outside of one.
Follow = Callable[["WSGIEnvironment | None"], None]


def install(app: Flask, follow: Follow) -> None:
    """Have *follow* called before any code of the app runs, once a request.

    Three places are needed. The WSGI wrap comes before the session is opened and before all
    functions and signals of a request. Application contexts outside requests, those of commands and
    tasks, pass ``appcontext_pushed`` only. A ``test_request_context`` inside a pushed context
    passes neither; for that one our function is the first of ``before_request``.

    :param app: the app; its ``wsgi_app`` is wrapped.
    :param follow: what to call. What it raises is logged, every ten minutes while it lasts; nothing
        of the app fails for it.
    """
    wsgi_app = app.wsgi_app
    failed, log_once = False, LogOnce(log, REPEAT)

    def run(environ: WSGIEnvironment | None) -> None:
        nonlocal failed
        try:
            follow(environ)
        except Exception:
            message = "Settings could not be brought up to date"
            log_once(None, logging.ERROR, message, exc_info=True)
            failed = True
        else:
            if failed:
                log_once.is_over(None)
                failed = False

    def wrap(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        token = up_to_date.set(app)
        try:
            run(environ)
            return wsgi_app(environ, start_response)
        finally:
            up_to_date.reset(token)

    # Functions, not methods: blinker and Flask take half as long again to call those.
    def bring_up_to_date(*_sender: object, **_options: object) -> None:
        if up_to_date.get() is not app:
            run(None)

    app.wsgi_app = wrap  # type: ignore[method-assign]
    app.before_request_funcs.setdefault(None, []).insert(0, bring_up_to_date)
    appcontext_pushed.connect(bring_up_to_date, app)  # weakly: the line above refers to it
