"""Translations: what people read, in their language where the app has Flask-Babel, else in English.

The catalogues are in translations/; scripts/translations renews them. A text stays as it is written
in the code until it is sent to somebody: constants are marked with `mark`, and given to `gettext`
late.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, tzinfo
from functools import cache
from gettext import NullTranslations, find
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from flask import current_app, has_request_context

if TYPE_CHECKING:
    from babel import Locale
    from flask_babel import Domain

_DOMAIN, _FOLDER = "waffleconf_admin", Path(__file__).parent / "translations"
_ENGLISH = NullTranslations()
_in_english: ContextVar[bool] = ContextVar("in_english", default=False)


def gettext(text: str, /, **values: object) -> str:
    """Return an English text in the reader's language.

    :param values: for the places ``%(name)s`` in it.
    """
    if isinstance(text, Marked):
        values = text.values
        text = text.text
    if not text:
        return ""  # where catalogues have their own data
    found: str = _translations().gettext(text)
    return found % values if values else found


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the text for one or for many, in the reader's language; ``%(count)s`` is the count."""
    found: str = _translations().ngettext(one, many, count)
    return found % {"count": count, **values}


class Marked(str):
    """A marked text with its places filled in: English, until `gettext` is asked for it."""

    text: str
    values: dict[str, object]

    def __str__(self) -> str:
        return self  # so that an exception gives back the message that it was raised with


def mark(text: str, /, **values: object) -> str:
    """Mark a text as one for `gettext`, and return it in English.

    :param values: for the places ``%(name)s`` in it.
    """
    if not values:
        return text
    marked = Marked(text % values)
    marked.text, marked.values = text, values
    return marked


@contextmanager
def english() -> Iterator[None]:
    """Speak English inside, whoever reads: a command has one language, that of its help."""
    token = _in_english.set(True)
    try:
        yield
    finally:
        _in_english.reset(token)


def language() -> str:
    """Return the language that our texts are in, as HTML names it.

    It is English where there is no catalogue for the reader's language.
    """
    locale = _locale()
    return str(locale).replace("_", "-") if locale and _is_translated(locale) else "en"


def locale_name() -> str:
    """Return the name of the reader's locale, such as ``pt_BR``; "" where none is chosen."""
    return str(_locale() or "")


def decimal_mark(locale: str) -> str:
    """Return what a locale writes before decimals; "" if Babel has no such locale.

    :param locale: as `locale_name` returned it, maybe of another version of Babel.
    """
    if _flask_babel() is None:
        return ""
    from babel import UnknownLocaleError
    from babel.numbers import get_decimal_symbol

    try:
        return str(get_decimal_symbol(locale))
    except (UnknownLocaleError, ValueError):
        return ""


def is_rtl() -> bool:
    """Whether our texts are written from right to left."""
    locale = _locale()
    return bool(locale and _is_translated(locale) and locale.text_direction == "rtl")


def time_zone() -> tzinfo:
    """Return the reader's time zone: that of Flask-Babel where the app has it, else UTC."""
    babel = _flask_babel() if _locale() else None
    zone: tzinfo | None = babel.get_timezone() if babel else None
    return zone or UTC


def full_date(day: date) -> str:
    """Return a day with its weekday, in the reader's language."""
    if locale := _locale():
        from babel.dates import format_date  # there with Flask-Babel

        return str(format_date(day, "full", locale))
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _translations() -> NullTranslations:
    return _domain().get_translations() if _locale() else _ENGLISH


def _locale() -> Locale | None:
    """The reader's locale; None where none is chosen: then it is English."""
    if _in_english.get():
        return None
    try:
        if "babel" not in current_app.extensions:
            return None
    except RuntimeError:  # there is no app
        return None
    if (babel := _flask_babel()) is None:
        return None
    try:
        locale: Locale | None = babel.get_locale()
        return locale
    except RuntimeError:
        if has_request_context():
            raise
        return None  # it is asked of the request, and a command or a task has none


def _is_translated(locale: Locale) -> bool:
    """Whether our texts are in the language of a locale."""
    return locale.language == "en" or _has_catalogue(str(locale))


@cache
def _has_catalogue(locale: str) -> bool:
    return find(_DOMAIN, str(_FOLDER), [locale]) is not None


@cache
def _flask_babel() -> ModuleType | None:
    try:
        return import_module("flask_babel")
    except ImportError:  # another extension has the name "babel" in the app
        return None


@cache
def _domain() -> Domain:
    from flask_babel import Domain

    return Domain([str(_FOLDER)], _DOMAIN)
