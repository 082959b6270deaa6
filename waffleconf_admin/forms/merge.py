"""Three-way merge: what was shown, what is stored, what was sent; and the token between them.

The page carries a signed token with a keyed digest of each text that it showed. So a submission
tells which controls people touched and what others changed meanwhile, and nothing is kept.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from typing import Literal

from itsdangerous import BadData, URLSafeSerializer

_SALT = "waffleconf_admin.merge"
_DIGEST_BYTES = 12

#: A digest that equals none: what a control showed is not known, so nothing may be overwritten.
UNKNOWN = "?"

Decision = Literal["keep", "write", "conflict"]


def decide(shown: str | None, stored: str, sent: str) -> Decision:
    """Decide about one setting of a submission.

    :param shown: what its control showed; None when the sender saw no page, so that the last write
        wins, or one that can't be known; UNKNOWN when the page had no such control.
    :param stored: what it would show now.
    :param sent: what came back.
    """
    if sent in (shown, stored):
        return "keep"
    if shown is None or shown == stored:
        return "write"
    return "conflict"


class Seal:
    """What one secret key is for here: digests of texts, and the signed token that holds them.

    :param secret_key: the app's SECRET_KEY, or one of its SECRET_KEY_FALLBACKS.
    """

    def __init__(self, secret_key: str | bytes) -> None:
        secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
        self._key = hmac.digest(secret, _SALT.encode(), "sha256")
        self._serializer = URLSafeSerializer(
            secret, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def digest(self, key: str, text: str) -> str:
        """Return the digest of the text that the control of the setting *key* shows."""
        # A length before the key, so that no key and text look like another pair.
        message = f"{len(key)} {key}{text}".encode("utf-8", "surrogatepass")
        return urlsafe_b64encode(hmac.digest(self._key, message, "sha256")[:_DIGEST_BYTES]).decode()

    def dump(self, digests: Mapping[str, str]) -> str:
        """Return the token of a page: the signed digests of its controls."""
        token = self._serializer.dumps(dict(digests))
        return token if isinstance(token, str) else token.decode()

    def load(self, token: str) -> dict[str, str] | None:
        """Return the digests of a token; None when it was not signed with this key."""
        try:
            digests = self._serializer.loads(token)
        except BadData:
            return None
        return digests if isinstance(digests, dict) else None


def open_token(token: str, seals: Iterable[Seal]) -> tuple[Seal, dict[str, str]] | None:
    """Return the seal that signed *token* and its digests, which only that seal can compare."""
    for seal in seals:
        if (digests := seal.load(token)) is not None:
            return seal, digests
    return None
