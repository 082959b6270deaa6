"""Encryption: stored texts of secrets under several keys."""

from __future__ import annotations

import string
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from hypothesis import given, settings
from hypothesis import strategies as st

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec.encryption import PREFIX, Encryption, is_encrypted
from waffleconf_admin.codec.texts import _READ

NEW, OLD = Fernet.generate_key(), Fernet.generate_key().decode()


@given(st.text(st.characters()))
@settings(max_examples=50, deadline=None)
def test_any_text_comes_back(text: str) -> None:
    encryption = Encryption([NEW])
    encrypted = encryption.encrypt(text)
    assert is_encrypted(encrypted) and encryption.decrypt(encrypted) == text
    assert encryption.encrypt(text) != encrypted


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    text = Encryption([OLD]).encrypt("hunter2")
    both = Encryption([NEW, OLD])
    assert both.decrypt(text) == "hunter2" and not both.is_current(text)
    assert both.is_current(both.encrypt("hunter2"))
    assert not both.is_current("hunter2")
    with pytest.raises(InvalidValue, match="WAFFLE_ENCRYPTION_KEYS has no key for it"):
        Encryption([NEW]).decrypt(text)
    with pytest.raises(InvalidValue, match="has no key for it"):
        Encryption().decrypt(text)


@pytest.mark.parametrize("damage", ["", "x", "ü", "gAAAA", "\0", "=" * 10_000])
def test_a_damaged_text_is_refused(damage: str) -> None:
    with pytest.raises(InvalidValue, match="no key for it"):
        Encryption([NEW]).decrypt(PREFIX + damage)


def test_neither_json_nor_base64_begins_as_an_encrypted_text_does() -> None:
    assert PREFIX[0] not in {*_READ, *string.ascii_letters, *string.digits, *"+/="}


@pytest.mark.parametrize(
    "key",
    [
        "",
        "hunter2",
        "x" * 44,
        b"hunter2",
        NEW[:-1],
        "ü" * 32,
        f"{OLD} {OLD}",
        f"{OLD};{OLD}",
        f"{OLD}x",
    ],
    ids=["empty", "short", "long", "bytes", "cut", "not ASCII", "two", "with a mark", "more"],
)
def test_a_bad_key_is_named_by_its_place_and_not_shown(key: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"key 2 of 2 is no Fernet key\. To make one: ") as caught:
        Encryption([NEW, key])
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert not key or str(key) not in str(caught.value)


def test_without_the_library_the_error_names_the_extra() -> None:
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from waffleconf_admin.codec.encryption import Encryption\n"
        "Encryption()\n"
        "try:\n"
        "    Encryption(['x'])\n"
        "except ImportError as error:\n"
        "    sys.exit('waffleconf-admin[encryption]' not in str(error))\n"
        "sys.exit(2)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
