"""Submission: what a form of our pages has sent besides the settings, and what that asks for."""

from __future__ import annotations

from collections.abc import Iterable

from flask import request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from ..forms.submission import PAGE, Names
from ..settings.setting import Setting

# Names of inputs
#: "review", "edit", "confirm", "reset KEY", "convert KEY", "test GROUP"; nothing: save
ACTION = PAGE + "do"
NOTE = PAGE + "note"
RESET_KEY = PAGE + "reset"  #: the key of a setting whose row shall go, not just get the default
THEIRS = PAGE + "theirs."  #: before a key, in a conflict: "theirs" keeps what somebody else saved

#: Bytes that a form may have, where the app allows less. A character takes up to nine bytes, and a
#: browser sends every control of the page.
FORM_BYTES = 2**25

#: What the control of a secret sends to clear it: no text, and its box.
_CLEARED = ["", "clear"]

Pairs = list[tuple[str, str]]  #: the names of inputs, and what each has sent


class PageSubmission:
    """What a form of the page has sent.

    :param form: the form data.
    """

    def __init__(self, form: MultiDict[str, str]) -> None:
        self.name_of = Names()
        #: The controls of settings, without those where a conflict is decided for the stored value.
        self.settings = _settings(form, self.name_of)
        self._do = form.get(ACTION, "")
        #: What to do, and the key of the setting or the group that it is about, if it is.
        self.action, _, self.key = self._do.partition(" ")
        self.note = form.get(NOTE, "").strip() or None
        button = [self.key] if self.action == "reset" else []
        #: The keys of settings to reset: from the script, and from a button.
        self.resets = list(dict.fromkeys(form.getlist(RESET_KEY) + button))

    def typed(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed, for a form that sends it again; of secrets only that they are
        cleared.
        """
        secrets = {self.name_of(setting.key) for setting in settings if setting.secret}
        omitted = {name for name in secrets if self.settings.getlist(name) != _CLEARED}
        pairs = [
            (name, value)
            for name, value in self.settings.items(multi=True)
            if not name.startswith(PAGE) and name not in omitted
        ]
        return pairs + [(RESET_KEY, key) for key in self.resets]

    def everything(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed with the note and the action."""
        rest = {NOTE: self.note, ACTION: self._do}
        return self.typed(settings) + [(name, text) for name, text in rest.items() if text]


def allow_large_forms(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Accept a form as large as all settings together.

    A URL value preprocessor: these run before anything that may read the form, such as the app's
    CSRF protection.
    """
    limit = request.max_form_memory_size
    if limit is not None and request.mimetype == "application/x-www-form-urlencoded":
        request.max_form_memory_size = max(limit, FORM_BYTES)


def posted_form() -> MultiDict[str, str]:
    """Return the form data of the request.

    :raises BadRequest: a part of it has no name, which readers of forms don't expect.
    """
    if None in request.form:
        raise BadRequest("A part of the form has no name.")
    return request.form


def _settings(form: MultiDict[str, str], name_of: Names) -> MultiDict[str, str]:
    settings = MultiDict(form)
    for name in form:
        if name.startswith(THEIRS) and form[name] == "theirs":
            settings.poplist(name_of(name.removeprefix(THEIRS)))
    return settings
