"""The merge token: a signed hidden input with a digest of what each control of a page displayed.

With it a submission says which controls people touched and what others changed meanwhile, and the
server keeps nothing about an open page. It also has the locale in which the page wrote numbers.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from flask import current_app
from itsdangerous import BadSignature, Signer
from itsdangerous.encoding import base64_decode, base64_encode

_SALT = "waffleconf_admin.merge.5"
_DIGEST_BYTES = 12
_BLOCK = 32  #: texts of which one digest is made


class DisplayedPage(NamedTuple):
    """What a token says of the page that has it."""

    locale: str  #: in which the page wrote numbers; "": in Python's notation
    digests: dict[str, bytes]  #: of what each control displayed, by key
    #: The keys of those that were secrets: where one is not declared any more, its text is not
    #: shown.
    secrets: list[str]
    blocks: list[bytes]  #: of what the other controls displayed, a digest for each `_BLOCK` of them


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

    def digest(self, key: str, text: str) -> bytes:
        """Return the keyed digest of a text of the setting *key*."""
        # A length before the key, so that no two pairs of key and text are one message.
        keyed = self._keyed.copy()
        keyed.update(f"{len(key)} {key}{text}".encode("utf-8", "surrogatepass"))
        return keyed.digest()

    def dump(self, locale: str, texts: Mapping[str, str], secrets: Collection[str] = ()) -> str:
        """Return the token of a page: the signed digests of its controls.

        :param locale: in which the page writes numbers; "": in Python's notation.
        :param texts: what each control displays, by key.
        :param secrets: the keys of those that are secrets.
        """
        head = json.dumps([locale, list(texts), list(secrets)])
        digests = [self.digest(key, text) for key, text in texts.items()]
        blocks = self._digest_blocks(texts[key] for key in texts if key not in secrets)
        # To compress digests takes long and gains nothing.
        parts = zlib.compress(head.encode(), 1), b"".join(digests), b"".join(blocks)
        return self._signer.sign(b".".join(map(base64_encode, parts))).decode()

    def load(self, token: str) -> DisplayedPage | None:
        """Return what a token says; None when it was not signed with this key."""
        try:
            parts = map(base64_decode, self._signer.unsign(token).split(b"."))
        except BadSignature:
            return None
        head, digests, blocks = parts
        locale, keys, secrets = json.loads(zlib.decompress(head))
        found = dict(zip(keys, _split(digests), strict=True))
        return DisplayedPage(locale, found, secrets, _split(blocks))

    def find_untouched(self, page: DisplayedPage, texts: Mapping[str, str]) -> set[str]:
        """Return the keys of the blocks that have come back as a page displayed them.

        That takes a third of the time of a digest of each text; others may be untouched too.

        :param texts: what the controls of the page have sent, in its order; none of secrets.
        """
        keys, untouched = list(texts), set()
        pairs = zip(self._digest_blocks(texts.values()), page.blocks, strict=True)
        for number, (sent, displayed) in enumerate(pairs):
            if sent == displayed:
                untouched.update(keys[number * _BLOCK : (number + 1) * _BLOCK])
        return untouched

    def _digest_blocks(self, texts: Iterable[str]) -> list[bytes]:
        """Return a digest of each `_BLOCK` texts; whose they are, the token says."""
        texts = list(texts)
        blocks = [texts[at : at + _BLOCK] for at in range(0, len(texts), _BLOCK)]
        lengths = [",".join(map(str, map(len, block))) for block in blocks]
        # No key of a setting is blank.
        pairs = zip(lengths, blocks, strict=True)
        return [self.digest("", f"{lengths} {''.join(block)}") for lengths, block in pairs]


def _split(digests: bytes) -> list[bytes]:
    """Return the digests that stand one after the other."""
    return list(struct.unpack(f"{_DIGEST_BYTES}s" * (len(digests) // _DIGEST_BYTES), digests))


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
