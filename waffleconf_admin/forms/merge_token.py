"""The merge token: a signed hidden input with a digest of what each control of a page has shown.

With it a submission says which controls people touched and what others changed meanwhile, and the
server keeps nothing about an open page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

_SALT = "waffleconf_admin.merge.2"
_DIGEST_BYTES = 12


class MergeSigner:
    """Makes the digests and the tokens of one secret key.

    :param secret_key: the app's SECRET_KEY, or one of its SECRET_KEY_FALLBACKS.
    """

    def __init__(self, secret_key: str | bytes) -> None:
        secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
        key = hashlib.blake2b(_SALT.encode() + secret).digest()
        # Copied for each setting of a page; HMAC would take four times as long.
        self._keyed = hashlib.blake2b(digest_size=_DIGEST_BYTES, key=key)
        self._serializer = URLSafeSerializer(
            secret, salt=_SALT, signer_kwargs={"digest_method": hashlib.sha256}
        )

    def digest(self, key: str, text: str) -> str:
        """Return the keyed digest of a text of the setting *key*."""
        # A length before the key, so that no two pairs of key and text are one message.
        keyed = self._keyed.copy()
        keyed.update(f"{len(key)} {key}{text}".encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

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


def signers() -> list[MergeSigner]:
    """Return a signer for the app's secret key, then for each former one; none without a key."""
    if not current_app.secret_key:
        return []
    former = current_app.config.get("SECRET_KEY_FALLBACKS") or ()
    return [MergeSigner(key) for key in (current_app.secret_key, *former)]


def load_token(
    token: str, candidates: Iterable[MergeSigner]
) -> tuple[MergeSigner, dict[str, str]] | None:
    """Return the signer of a token and its digests, which only that signer can compare."""
    for signer in candidates:
        if (digests := signer.load(token)) is not None:
            return signer, digests
    return None
