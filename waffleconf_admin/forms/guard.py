"""Guard: the CSRF token of a form, and why what was sent is refused."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app, g
from flask_wtf import FlaskForm
from flask_wtf.csrf import validate_csrf
from markupsafe import Markup
from wtforms import ValidationError


class Guard:
    """The CSRF token of a form.

    :param refusal: why what was sent is refused, as `refusal` says; "" for a form that is shown.
        It has to be found before the guard is made, which gives the session a token: a missing
        one could not be noticed any more.
    :raises RuntimeError: CSRF protection is on and the app has no SECRET_KEY.
    """

    def __init__(self, refusal: str = "") -> None:
        _need_key()
        self.refusal = refusal
        self._form = FlaskForm(formdata=None)

    def hidden_tag(self) -> Markup:
        """Return the hidden input with the token; nothing where CSRF protection is off."""
        return Markup(self._form.hidden_tag())  # nosec B704 # WTForms escapes it


def is_on() -> bool:
    """Whether Flask-WTF checks tokens in this app."""
    return bool(current_app.config.get("WTF_CSRF_ENABLED", True))


def field_name() -> str:
    """Return the name of the input with the token."""
    return str(FlaskForm.Meta().csrf_field_name)


def refusal(sent: Mapping[str, str] | None) -> str:
    """Return the message with which Flask-WTF refuses a form; "" where it doesn't.

    :param sent: the form data; None where nothing was sent.
    :raises RuntimeError: CSRF protection is on and the app has no SECRET_KEY.
    """
    _need_key()
    if not is_on() or g.get("csrf_valid", False):  # CSRFProtect has checked it
        return ""
    try:
        validate_csrf(sent.get(field_name()) if sent else None)
    except ValidationError as error:
        return str(error)
    return ""


def _need_key() -> None:
    if is_on() and not current_app.secret_key:
        raise RuntimeError(
            'the settings page is protected by CSRF tokens, which need app.config["SECRET_KEY"]: '
            "set it to a long random text that nobody else knows"
        )
