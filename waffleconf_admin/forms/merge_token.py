"""The merge token: a signed hidden input with a digest of what each control of a page displayed.

With it a submission says which controls people touched and what others changed meanwhile, and the
server keeps nothing about an open page. It also has the locale in which the page wrote numbers.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from typing import NamedTuple

from flask import current_app
from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

_SALT = "waffleconf_admin.merge.5"
_DIGEST_BYTES = 12
_HEX = 2 * _DIGEST_BYTES  #: characters of a digest


class DisplayedPage(NamedTuple):
    """What a token says of the page that has it."""

    locale: str  #: in which the page wrote numbers; "": in the plain form
    digests: dict[str, str]  #: of what each control displayed, by key
    #: The keys of those that were secrets: where one is not declared any more, its text is not
    #: shown.
    secrets: list[str]


class MergeSigner:
    """Makes the digests and the tokens of one secret key.

    :param secret_key: the app's SECRET_KEY, or one of its SECRET_KEY_FALLBACKS.
    """

    def __init__(self, secret_key: str | bytes) -> None:
        secret = secret_key.encode() if isinstance(secret_key, str) else secret_key
        key = hashlib.blake2b(_SALT.encode() + secret).digest()
        # Copied for each setting of a page; HMAC would take four times as long.
        self._keyed = hashlib.blake2b(digest_size=_DIGEST_BYTES, key=key)
        self._signer = Signer(secret, salt=_SALT, digest_method=hashlib.sha256)

    def digest(self, key: str, text: str) -> str:
        """Return the keyed digest of a text of the setting *key*."""
        # A length before the key, so that no two pairs of key and text are one message.
        keyed = self._keyed.copy()
        keyed.update(f"{len(key)} {key}{text}".encode("utf-8", "surrogatepass"))
        return keyed.hexdigest()

    def dump(self, page: DisplayedPage) -> str:
        """Return the token of a page: the signed digests of its controls."""
        head = json.dumps([page.locale, list(page.digests), page.secrets])
        # To compress digests takes long and gains nothing.
        parts = zlib.compress(head.encode(), 1), bytes.fromhex("".join(page.digests.values()))
        return self._signer.sign(b".".join(map(base64_encode, parts))).decode()

    def load(self, token: str) -> DisplayedPage | None:
        """Return what a token says; None when it was not signed with this key."""
        try:
            head, digests = map(base64_decode, self._signer.unsign(token).split(b"."))
        except BadSignature:
            return None
        locale, keys, secrets = json.loads(zlib.decompress(head))
        text = digests.hex()
        found = [text[start : start + _HEX] for start in range(0, len(text), _HEX)]
        return DisplayedPage(locale, dict(zip(keys, found, strict=True)), secrets)


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
