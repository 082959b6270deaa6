"""Submission: what a page of ours has sent besides the settings, and what that asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from ..forms.submission import PAGE, Names
from ..settings.setting import Setting

DO = PAGE + "do"  #: "review", "edit", "confirm", "reset KEY", "convert KEY", or nothing: save
NOTE = PAGE + "note"
RESET = PAGE + "reset"  #: the key of a setting that shall have its default, not just that value
THEIRS = PAGE + "theirs."  #: before a key: what to do about a conflict, "theirs" or nothing

#: Bytes that a form of the page may have, where the app allows less: a text takes up to nine a
#: character, and all that the page shows is sent.
ROOM = 2**25

#: What a secret's control sends when it is to be cleared: nothing, and its box.
CLEARED = ["", "clear"]


def make_room(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Let a form in that is as large as what the settings hold: a URL value preprocessor, for those
    come before whatever may read the form, such as the app's CSRF protection.
    """
    limit = request.max_form_memory_size
    if limit is not None and request.mimetype == "application/x-www-form-urlencoded":
        request.max_form_memory_size = max(limit, ROOM)


def posted() -> MultiDict[str, str]:
    """Return the form data of the request.

    :raises BadRequest: a part of it has no name; nobody who reads it expects that.
    """
    if None in request.form:
        raise BadRequest("A part of the form has no name.")
    return request.form


class Sent:
    """What a form of the page has sent, and what that asks for.

    :param form: the form data; none for a page that is only opened.
    """

    def __init__(self, form: MultiDict[str, str] | None = None) -> None:
        form = MultiDict() if form is None else form
        self.name_of = Names()
        #: What was sent of settings, without those where theirs shall be kept.
        self.settings = _settings(form, self.name_of)
        self._do = form.get(DO, "")
        #: What is asked for, and for which setting where it is about one.
        self.action, _, self.key = self._do.partition(" ")
        self.note = form.get(NOTE, "").strip() or None
        button = [self.key] if self.action == "reset" else []
        #: The settings that shall be reset: those of the script, and that of a button.
        self.resets = list(dict.fromkeys(form.getlist(RESET) + button))

    def again(self, settings: Iterable[Setting]) -> Iterator[tuple[str, str]]:
        """What was sent, to be sent again: never what was typed for a secret."""
        secrets = {self.name_of(setting.key) for setting in settings if setting.secret}
        typed = {name for name in secrets if self.settings.getlist(name) != CLEARED}
        for name, value in self.settings.items(multi=True):
            if not name.startswith(PAGE) and name not in typed:
                yield name, value
        yield from ((RESET, key) for key in self.resets)

    def all_again(self, settings: Iterable[Setting]) -> list[tuple[str, str]]:
        """Return it with the note, and with what was asked for."""
        asked = {NOTE: self.note, DO: self._do}
        return [*self.again(settings), *((name, text) for name, text in asked.items() if text)]


def _settings(form: MultiDict[str, str], name_of: Names) -> MultiDict[str, str]:
    theirs = {
        name_of(name.removeprefix(THEIRS))
        for name, choice in form.items()
        if name.startswith(THEIRS) and choice == "theirs"
    }
    return MultiDict([pair for pair in form.items(multi=True) if pair[0] not in theirs])
