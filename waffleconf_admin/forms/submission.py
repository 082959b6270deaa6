"""Submission: what was sent, and what the page that sent it had shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from flask import current_app

from . import merge
from .guard import field_name

#: The name of the hidden input with the merge token.
TOKEN = "waffle_token"
#: So begin the names of what the settings page sends besides its settings.
PAGE = "waffle."
#: So begin the names of controls whose setting has a key that may not be one.
SETTING = "setting."


class Names:
    """The names of controls in HTML: the key of the setting, unless that has a meaning already."""

    def __call__(self, key: str) -> str:
        """Return the name of the control of a setting."""
        # With their own beginning too, so that no two keys have the same name.
        taken = key in self._taken or key.startswith((PAGE, SETTING))
        return SETTING + key if taken else key

    @cached_property
    def _taken(self) -> tuple[str, str]:
        return TOKEN, field_name()


class Submission:
    """What a page or a script has sent.

    :param sent: the form data, a MultiDict.
    :param seals: of the app's secret keys; none if it has none, and so no tokens.
    """

    #: The digest of the text of a setting, to be compared with what the page had shown.
    digest: Callable[[str, str], str]

    def __init__(self, sent: Any, seals: list[merge.Seal]) -> None:
        self.sent = sent
        self.unreadable = False  #: whether it has a token, and none of the seals is that of it
        self._shown: dict[str, str] | None = None
        self.digest = seals[0].digest if seals else lambda key, text: text
        token = sent.get(TOKEN)
        if token is None or not seals:
            return
        opened = merge.open_token(token, seals)
        if opened:
            seal, self._shown = opened
            self.digest = seal.digest
        else:
            self._shown, self.unreadable = {}, True

    @property
    def from_page(self) -> bool:
        """Whether it has a page's token; a script has none, and then the last write wins."""
        return self._shown is not None

    def __iter__(self) -> Iterator[str]:
        """The keys of the settings that the page had a control for."""
        return iter(self._shown or ())

    def had(self, key: str) -> bool:
        """Whether the page had a control for a setting."""
        return key in (self._shown or ())

    def shown(self, key: str) -> str | None:
        """Return the digest of what the page had shown, for `merge.decide`."""
        if self._shown is None or self.unreadable:
            return None
        # A control that the page did not have: a deployment was in between. Overwrite nothing.
        return self._shown.get(key, merge.UNKNOWN)


def seals() -> list[merge.Seal]:
    """Return a seal for the app's secret key, and then for those that it had before."""
    if not current_app.secret_key:
        return []
    older = current_app.config.get("SECRET_KEY_FALLBACKS") or ()
    return [merge.Seal(key) for key in (current_app.secret_key, *older)]
