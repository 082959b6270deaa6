"""Contexts: run something inside an app's own context."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from flask import Flask, current_app, has_app_context

#: The app whose settings are up to date here, or are just being read: no hook reads them again.
up_to_date: ContextVar[Flask | None] = ContextVar("waffleconf_up_to_date", default=None)


def context_of(app: Flask) -> AbstractContextManager[object]:
    """Return the app's own context, for functions of the app; the current one if it is the app's,
    such as that of a view, with its session.
    """
    return nullcontext() if _is_in(app) else app.app_context()


def quiet_context(app: Flask) -> AbstractContextManager[object]:
    """Return the same for code of this package: pushing it loads no settings."""
    return nullcontext() if _is_in(app) else _up_to_date_context(app)


@contextmanager
def assume_up_to_date(app: Flask) -> Iterator[None]:
    """Let no hook read the settings of an app before the end of the block."""
    token = up_to_date.set(app)
    try:
        yield
    finally:
        up_to_date.reset(token)


def _is_in(app: Flask) -> bool:
    return has_app_context() and current_app._get_current_object() is app  # type: ignore[attr-defined]


@contextmanager
def _up_to_date_context(app: Flask) -> Iterator[None]:
    with assume_up_to_date(app), app.app_context():
        yield
