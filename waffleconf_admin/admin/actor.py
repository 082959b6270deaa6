"""Actor: who uses the page, for the history."""

from __future__ import annotations

from typing import cast

from flask import current_app


def logged_in() -> str | None:
    """Return what Flask-Login calls the current user; None where nobody is, or it isn't used."""
    if not hasattr(current_app, "login_manager"):
        return None
    from flask_login import current_user

    return cast("str | None", current_user.get_id())
