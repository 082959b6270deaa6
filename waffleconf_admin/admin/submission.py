"""Submission: what a page of ours has sent besides the settings, and what that asks for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flask import current_app, request
from werkzeug.datastructures import MultiDict

from ..forms.submission import PAGE, Names
from ..setting import Setting

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


def is_foreign() -> bool:
    """Whether a page of another site has sent this, as the browser says."""
    checks = current_app.config.get("WTF_CSRF_ENABLED", True)
    sends = request.method == "POST"
    return bool(checks and sends and request.headers.get("Sec-Fetch-Site") == "cross-site")


def action() -> tuple[str, str]:
    """Return what is asked for, and for which setting where it is about one."""
    wanted, _, key = request.form.get(DO, "").partition(" ")
    return wanted, key


def resets() -> list[str]:
    """Return the settings that shall be reset: those of the script, and that of a button."""
    wanted, key = action()
    return request.form.getlist(RESET) + ([key] if wanted == "reset" else [])


def note() -> str | None:
    return request.form.get(NOTE, "").strip() or None


def settings_sent(name_of: Names) -> MultiDict[str, str]:
    """Return what was sent of settings, without those where theirs shall be kept."""
    theirs = {
        name_of(name.removeprefix(THEIRS))
        for name, choice in request.form.items()
        if name.startswith(THEIRS) and choice == "theirs"
    }
    pairs = request.form.items(multi=True)
    return MultiDict([pair for pair in pairs if pair[0] not in theirs])


def all_again(settings: Iterable[Setting]) -> list[tuple[str, str]]:
    """Return all that was sent, to be sent again: with the note, and with what was asked for."""
    name_of = Names()
    pairs = list(again(settings_sent(name_of), settings, name_of))
    asked = {NOTE: note(), DO: request.form.get(DO)}
    return pairs + [(name, text) for name, text in asked.items() if text]


def again(
    sent: MultiDict[str, str], settings: Iterable[Setting], name_of: Names
) -> Iterator[tuple[str, str]]:
    """What was sent, to be sent again: never what was typed for a secret."""
    secrets = {name_of(setting.key) for setting in settings if setting.secret}
    for name, value in sent.items(multi=True):
        secret = name in secrets
        if not name.startswith(PAGE) and (not secret or sent.getlist(name) == CLEARED):
            yield name, value
    yield from ((RESET, key) for key in resets())
