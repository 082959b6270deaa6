"""Submission: what a form of our pages has sent besides the settings, and what that asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from io import BytesIO
from typing import IO, cast
from urllib.parse import unquote_to_bytes

from flask import request
from werkzeug.datastructures import FileStorage, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from ..forms.submission import PAGE, ControlNames, renamed
from ..settings.setting import Setting

# Names of inputs
ACTION = PAGE + "do"  #: one of `ACTIONS`, or one of `ACTIONS_ON` and a space and a name
NOTE = PAGE + "note"
UNTIL = PAGE + "until"  #: when the save goes back, as `EndChoice` reads it
UNTIL_AT = PAGE + "until_at"
ROW = PAGE + "row"  #: the key of the setting that was changed last: from the script
RESET_KEY = PAGE + "reset"  #: the key of a setting that is to be reset, not just get the default
CONVERT_KEY = PAGE + "convert"  #: the key of a setting whose converted value is to be stored
SECRET_KEY = PAGE + "secret"  #: the key of a secret that was typed on an earlier page
TAKE = PAGE + "take"  #: a ticked box: the version that a review displayed, and the key
THEIRS = PAGE + "theirs."  #: before a key, in a conflict: one of `_THEIRS`, `_UNDECIDED`, "mine"

BEFORE = PAGE + "before."  #: before a key, in a conflict: the value that the first page had shown

_THEIRS, _UNDECIDED = "theirs", "?"

#: What buttons ask for; none of them: to save.
ACTIONS = ("review", "confirm", "edit", "discard")
#: With the key of a setting; of "reset-group" with the name of a group.
ACTIONS_ON = ("reset", "convert", "discard", "reset-group", "keep", "accept")
#: With the name of a save, about its end.
ENDING = ("keep-save", "go-back")
#: Those that save nothing: they show the settings page again.
SHOWING = ("edit", "discard", "reset", "convert", "reset-group", "keep", "accept")

#: Bytes that a form may have, where the app allows less. A character takes up to nine bytes, and a
#: browser sends every control of the page.
FORM_BYTES = 2**25

_URL_ENCODED = "application/x-www-form-urlencoded"
_NOT_UTF8 = "Something in this form is not UTF-8, so nothing was saved."
#: An escape of a byte beyond ASCII.
_ESCAPED = re.compile(rb"%[89A-Fa-f]")

#: What the control of a secret sends to clear it: no text, and its box.
_CLEARED = ["", "clear"]

Pairs = list[tuple[str, str]]  #: the names of inputs, and what each has sent


class PageSubmission:
    """What a form of the page has sent.

    :param form: the form data.
    :param former: the keys of settings by their former names: the page may be of an older release.
    """

    def __init__(self, form: MultiDict[str, str], former: Mapping[str, str] | None = None) -> None:
        self.name_of = ControlNames()
        self._former = former or {}
        if former:
            form = renamed(form, former)
        #: The controls of settings, without those where a conflict is decided for the stored value.
        self.settings: MultiDict[str, str] = form
        #: What to do, and the key of the setting or the group that it is about, if it is.
        self.action, _, key = form.get(ACTION, "").partition(" ")
        self.key = self._present(key)
        self.note = note_of(form)
        self.until, self.until_at = form.get(UNTIL, ""), form.get(UNTIL_AT, "")
        self.row = self._present(form.get(ROW, ""))
        #: The keys of settings that an earlier page, or the script, shows as reset.
        self.resets = self._keys(form, RESET_KEY)
        #: The keys of settings that an earlier page shows as converted.
        self.conversions = self._keys(form, CONVERT_KEY)
        #: The keys of secrets that were typed on an earlier page.
        self.secrets = self._keys(form, SECRET_KEY)
        #: By the keys of conflicts that nobody has decided: the text of the value before both
        #: changes; None: it is not known.
        self.undecided: dict[str, str | None] = {}
        self._decide_conflicts(form)
        if self.action == "discard":
            self._drop(self.key)

    def _present(self, name: str) -> str:
        """The key of the setting that has a name, or had it before."""
        return self._former.get(name, name)

    def _keys(self, form: MultiDict[str, str], name: str) -> dict[str, None]:
        """The keys of settings that an input has sent."""
        return dict.fromkeys(map(self._present, form.getlist(name)))

    def _decide_conflicts(self, form: MultiDict[str, str]) -> None:
        for name in [name for name in form if name.startswith(THEIRS)]:
            key, choice = self._present(name.removeprefix(THEIRS)), form.getlist(name)[-1]
            if choice == _THEIRS:
                self._drop(key)
            elif choice == _UNDECIDED:
                self.undecided[key] = form.get(name.replace(THEIRS, BEFORE, 1))

    def _drop(self, key: str) -> None:
        """Forget what was typed for a setting."""
        if isinstance(self.settings, ImmutableMultiDict):  # that of the request
            self.settings = self.settings.copy()
        self.settings.poplist(self.name_of(key))
        self.resets.pop(key, None)
        self.conversions.pop(key, None)
        self.secrets.pop(key, None)

    def typed(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed, for a form that sends it again; of secrets only that they were
        typed, or are cleared.
        """
        secrets = {self.name_of(s.key): s.key for s in settings if s.secret}
        sent = {name: self.settings.getlist(name) for name in secrets}
        omitted = {name for name, values in sent.items() if values != _CLEARED}
        typed = {secrets[name] for name in omitted if any(sent[name])} | self.secrets.keys()
        pairs = [
            (name, value)
            for name, value in self.settings.items(multi=True)
            if not name.startswith(PAGE) and name not in omitted
        ]
        pairs += [(RESET_KEY, key) for key in self.resets]
        pairs += [(CONVERT_KEY, key) for key in self.conversions]
        pairs += [(SECRET_KEY, key) for key in secrets.values() if key in typed]
        known = [(BEFORE + key, text) for key, text in self.undecided.items() if text is not None]
        return pairs + [(THEIRS + key, _UNDECIDED) for key in self.undecided] + known

    def everything(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed with the note and the action."""
        do = f"{self.action} {self.key}".rstrip()
        rest = {NOTE: self.note, ACTION: do, UNTIL: self.until, UNTIL_AT: self.until_at}
        return self.typed(settings) + [(name, text) for name, text in rest.items() if text]


def allow_large_forms(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Accept a form as large as all settings together.

    A URL value preprocessor: these run before anything that may read the form, such as the app's
    CSRF protection.
    """
    limit = request.max_form_memory_size
    if limit is not None and request.mimetype == _URL_ENCODED:
        request.max_form_memory_size = max(limit, FORM_BYTES)


def refuse_other_encodings(endpoint: str | None, values: dict[str, object] | None) -> None:
    """Let reading a form raise a BadRequest if it is not in UTF-8.

    A URL value preprocessor, as `allow_large_forms` is.
    """
    parser = request.form_data_parser_class
    request.form_data_parser_class = _utf8_parser(parser)  # type: ignore[arg-type]


@cache
def _utf8_parser(parser: type[FormDataParser]) -> type[FormDataParser]:
    """Return a parser that is the app's own, or Werkzeug's, and refuses other encodings."""
    return type("UTF8Parser", (_UTF8Parser, parser), {})


class _UTF8Parser(FormDataParser):
    """Refuses what Werkzeug would decode to something else: ``%E9`` to these three characters, and
    bytes of multipart to U+FFFD.

    In multipart it counts: texts that have more of U+FFFD than the body were not in UTF-8. So such
    a text passes beside a file that contains U+FFFD.
    """

    def parse(
        self,
        stream: IO[bytes],
        mimetype: str,
        content_length: int | None,
        options: dict[str, str] | None = None,
    ) -> tuple[IO[bytes], MultiDict[str, str], MultiDict[str, FileStorage]]:
        if mimetype == _URL_ENCODED:
            body = _read_form(stream, content_length, self.max_form_memory_size)
            if not _is_utf8(unquote_to_bytes(body) if _ESCAPED.search(body) else body):
                raise BadRequest(_NOT_UTF8)
            return super().parse(BytesIO(body), mimetype, content_length, options)
        counting = _Counting(stream)
        _, form, files = super().parse(
            cast("IO[bytes]", counting), mimetype, content_length, options
        )
        if sum("".join(texts).count("\ufffd") for texts in form.listvalues()) > counting.found:
            raise BadRequest(_NOT_UTF8)
        return stream, form, files


def _read_form(stream: IO[bytes], length: int | None, limit: int | None) -> bytes:
    """Return a URL-encoded form. Werkzeug limits none since 3.1.9, and before only those whose
    length is known.

    :param length: of the form; None: the client has not said it.
    :param limit: bytes that it may have; None: any number.
    :raises RequestEntityTooLarge: it has more; it was not read, or hardly further.
    """
    if limit is not None and (length or 0) > limit:
        raise RequestEntityTooLarge
    if limit is None or length is not None:
        return stream.read()
    body = bytearray()
    while chunk := stream.read(2**16):
        body += chunk
        if len(body) > limit:
            raise RequestEntityTooLarge
    return bytes(body)


class _Counting:
    """A stream that counts U+FFFD in what is read of it."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._end = b""  # the bytes that one may begin with
        self.found = 0

    def read(self, size: int = -1) -> bytes:
        """Return what the stream does."""
        data = self._stream.read(size)
        seen = self._end + data
        self.found += seen.count("\ufffd".encode())
        self._end = seen[-2:]
        return data


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def posted_form() -> MultiDict[str, str]:
    """Return the form data of the request.

    :raises BadRequest: a part of it has no name, which readers of forms don't expect.
    """
    if None in request.form:
        raise BadRequest("A part of the form has no name.")
    return request.form


def ticked(form: MultiDict[str, str]) -> dict[str, str]:
    """Return the version of each setting whose box is ticked, by key."""
    parts = (text.partition(" ") for text in form.getlist(TAKE))
    return {key: version for version, _blank, key in parts}


def note_of(form: MultiDict[str, str]) -> str | None:
    """Return the reason that somebody has given for a save."""
    return form.get(NOTE, "").strip() or None
