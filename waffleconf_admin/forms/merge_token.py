"""The merge token: a signed hidden input with a digest of what each control of a page displayed.

With it a submission says which controls people touched and what others changed meanwhile, and the
server keeps nothing about an open page. It also has the locale in which the page wrote numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from flask import current_app
from itsdangerous import BadData, URLSafeSerializer

_SALT = "waffleconf_admin.merge.4"
_DIGEST_BYTES = 12

#: Before the digest of a secret. A release that does not declare it knows by that what not to show.
SECRET = "*"  # nosec B105 # a name, no password


class DisplayedPage(NamedTuple):
    """What a token says of the page that has it."""

    locale: str  #: in which the page wrote numbers; "": in the plain form
    digests: dict[str, str]  #: of what each control displayed, by key


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

    def dump(self, digests: Mapping[str, str], locale: str = "") -> str:
        """Return the token of a page: the signed digests of its controls.

        :param locale: in which the page writes numbers; "": in the plain form.
        """
        token = self._serializer.dumps([locale, dict(digests)])
        return token if isinstance(token, str) else token.decode()

    def load(self, token: str) -> DisplayedPage | None:
        """Return what a token says; None when it was not signed with this key."""
        try:
            return DisplayedPage(*self._serializer.loads(token))
        except BadData:
            return None


def signers() -> list[MergeSigner]:
    """Return a signer for the app's secret key, then for each former one; none without a key."""
    if not current_app.secret_key:
        return []
    former = current_app.config.get("SECRET_KEY_FALLBACKS") or ()
    return [MergeSigner(key) for key in (current_app.secret_key, *former)]


def load_token(
    token: str, candidates: Iterable[MergeSigner]
) -> tuple[MergeSigner, DisplayedPage] | None:
    """Return the signer of a token and what it says; only that signer can compare its digests."""
    for signer in candidates:
        if (page := signer.load(token)) is not None:
            return signer, page
    return None
