"""Hold: what somebody has typed who may not see the page any more, to be sent again.

Anybody may ask for this, so little is read, and the answer is not much larger than what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from flask import request
from markupsafe import escape

from ..forms.guard import field_name
from ..forms.submission import TOKEN
from ..forms.tokens import report_session
from ..settings.setting import Setting
from . import csrf
from .submission import DO, NOTE, RESET, Sent, posted

#: Bytes of a form that are read at most.
READ = 256_000

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_INPUT = '<input type="hidden" name="" value="">\n'


class Held(NamedTuple):
    """What was typed: the names of controls, and what they have sent."""

    pairs: Sequence[tuple[str, str]] = ()  #: none where it is too long to be held


def held(settings: Iterable[Setting]) -> Held | None:
    """Return what the request has sent of a page with these settings; None if that is nothing.

    Of secrets nothing is held.
    """
    if request.method != "POST" or request.mimetype not in _FORMS or csrf.is_foreign():
        return None
    length = request.content_length
    if not length:  # not said, as of a body that comes in chunks, or nonsense
        return None
    if length > READ:
        return Held()
    pairs = _of_page(Sent(posted()), list(settings))
    if any(name == TOKEN for name, _ in pairs):
        report_session()
    # With the page around it the answer has four times the bytes of what was sent, at most.
    if not _fits(pairs, 3 * length + 4096):
        return Held()
    return Held(pairs) if pairs else None


def _of_page(sent: Sent, settings: list[Setting]) -> list[tuple[str, str]]:
    """What was sent again, as far as the page has it."""
    keys = {setting.key for setting in settings}
    names = {*map(sent.name_of, keys), TOKEN, field_name(), NOTE}
    actions = {"review", "edit", "confirm"}
    actions |= {f"{action} {key}" for action in ("reset", "convert") for key in keys}
    return [
        (name, value)
        for name, value in sent.all_again(settings)
        if name in names or (name == RESET and value in keys) or (name == DO and value in actions)
    ]


def _fits(pairs: Iterable[tuple[str, str]], room: int) -> bool:
    """Whether the inputs of these pairs have so many bytes at most."""
    for pair in pairs:
        room -= len(_INPUT) + sum(len(escape(text).encode()) for text in pair)
        if room < 0:
            return False
    return True
