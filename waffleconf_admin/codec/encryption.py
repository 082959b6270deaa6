"""Encryption: stored texts of secrets, encrypted with Fernet. Needs cryptography, imported late."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..exceptions import InvalidValue
from ..i18n import mark

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

#: How an encrypted text begins: neither JSON nor base64 has such a first character.
PREFIX = "$fernet$"

#: A Fernet key: 32 bytes in the base64 of addresses.
_KEY = re.compile("[A-Za-z0-9_-]{43}=")

NO_KEY = mark("it is encrypted, and WAFFLE_ENCRYPTION_KEYS has no key for it")


class Encryption:
    """Encrypts texts with the first of several keys, and decrypts those of all of them.

    :param keys: Fernet keys, the newest first; none: nothing is encrypted.
    :raises ValueError: one of them is no key; the message has nothing of it.
    :raises ImportError: cryptography is missing.
    """

    def __init__(self, keys: Sequence[str | bytes] = ()) -> None:
        self._fernets = [_fernet(key, number, len(keys)) for number, key in enumerate(keys, 1)]

    def __bool__(self) -> bool:
        return bool(self._fernets)

    def encrypt(self, text: str) -> str:
        """Return a text, encrypted; each time another one."""
        return PREFIX + self._fernets[0].encrypt(text.encode("utf-8", "surrogatepass")).decode()

    def decrypt(self, text: str) -> str:
        """Return the text within an encrypted one.

        :raises InvalidValue: none of the keys fits, or it is damaged.
        """
        for fernet in self._fernets:
            if (found := _decrypt(fernet, text)) is not None:
                return found
        raise InvalidValue(NO_KEY)

    def is_current(self, text: str) -> bool:
        """Whether a text is encrypted with the first key."""
        return is_encrypted(text) and _decrypt(self._fernets[0], text) is not None


def is_encrypted(text: str) -> bool:
    """Whether a stored text is encrypted."""
    return text.startswith(PREFIX)


def _fernet(key: str | bytes, number: int, count: int) -> Fernet:
    try:
        from cryptography.fernet import Fernet
    except ImportError as error:
        raise ImportError(
            "WAFFLE_ENCRYPTION_KEYS needs the library cryptography: "
            'pip install "waffleconf-admin[encryption]"'
        ) from error
    # Fernet reads as far as it can: of two keys with a blank between it would take the first.
    text = key.decode("ascii", "replace") if isinstance(key, bytes) else key
    if _KEY.fullmatch(text):
        return Fernet(key)
    which = f"key {number} of {count} is no Fernet key"
    raise ValueError(
        f"WAFFLE_ENCRYPTION_KEYS: {which}. To make one: python -c "
        '"from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
    )


def _decrypt(fernet: Fernet, text: str) -> str | None:
    from cryptography.fernet import InvalidToken

    try:
        found = fernet.decrypt(text.removeprefix(PREFIX))
        return found.decode("utf-8", "surrogatepass")
    except (InvalidToken, ValueError):
        return None
