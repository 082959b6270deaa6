"""Contexts: run something inside an app."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import Flask, current_app, has_app_context


def within(app: Flask) -> AbstractContextManager[Any]:
    """Return the app's own context; where it is there already, a view's with its session, that."""
    if has_app_context() and current_app._get_current_object() is app:  # type: ignore[attr-defined]
        return nullcontext()
    return app.app_context()
