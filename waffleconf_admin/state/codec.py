"""Codec: the values of one app's settings as stored texts, and back."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import Enum

from flask import Flask

from ..codec import Allowed, Format, classes_in, deserialize, format_of, is_text_of, serialize
from ..codec.encryption import Encryption, is_encrypted
from ..codec.values import each_part
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..plain import plain_expression
from ..settings.setting import Setting
from .copies import NoQuickCopy, quick_copy

#: Characters of a text that is surely within the limits of what is read.
_SHORT = 1000


class Codec:
    """Makes stored texts of values, and values of stored texts. It knows which classes they may
    contain, those of standard types, of declared defaults, choices and Enums, and WAFFLE_CLASSES;
    and encrypts those of secrets, if the app has keys.

    :raises ValueError: one of WAFFLE_ENCRYPTION_KEYS is no key.
    :raises ImportError: there are keys, and cryptography is missing.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self.encryption = Encryption(app.config["WAFFLE_ENCRYPTION_KEYS"])
        self._secrets: frozenset[str] = frozenset()  #: whose texts are to be encrypted
        self._allowed = Allowed(())
        self._allowed_of: dict[str, Allowed] = {}

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Allow the classes that these declarations use."""
        more = self._app.config["WAFFLE_CLASSES"]
        former = more if isinstance(more, Mapping) else {}
        classes = {key: _classes_of(setting) for key, setting in settings.items()}
        self._allowed = Allowed(set(() if former else more).union(*classes.values()), former)
        self._allowed_of = {
            key: self._allowed.with_enums(own) for key, own in classes.items() if own
        }
        if self.encryption:
            self._secrets = frozenset(key for key, setting in settings.items() if setting.secret)

    def decode(self, text: str, key: str) -> object:
        """Return the value of a stored text of a setting that is not encrypted.

        :raises InvalidValue: it can't be read.
        """
        return deserialize(text, self._allowed_of.get(key, self._allowed))

    def decrypt(self, text: str) -> str:
        """Return the text within an encrypted one; any other text as it is.

        :raises InvalidValue: it can't be decrypted.
        """
        return self.encryption.decrypt(text) if is_encrypted(text) else text

    def encode(
        self, values: Mapping[str, object], unique: Container[str] = ()
    ) -> dict[str, tuple[str, object]]:
        """Return the texts to store, each with the value that is read back from it.

        :param unique: the keys of those whose text shall be like no other, of the same value too.
        :raises InvalidValue: some can't; `errors` says which, and the remedy.
        """
        format: Format = self._app.config["WAFFLE_SERIALIZER"]
        encoded: dict[str, tuple[str, object]] = {}
        problems: dict[str, str] = {}
        for key, value in values.items():
            try:
                text = serialize(value, unique=key in unique, format=format)
                encoded[key] = text, self._read_back(key, text, value)
            except InvalidValue as error:
                problems[key] = self._remedy(error, value, format)
        if problems:
            raise InvalidValue(problems)
        for key in self._secrets.intersection(encoded):
            text, stored = encoded[key]
            encoded[key] = self.encryption.encrypt(text), stored
        return encoded

    def convert(self, text: str, key: str, format: Format, *, secret: bool) -> str:
        """Return the text that stands in a format for the value of a stored text of a setting; the
        same text if it has that format. An encrypted text stays encrypted.

        :param secret: whether the new text shall be like no other if the old one is.
        :raises InvalidValue: it can't be read, or the format can't hold it.
        """
        clear = self.decrypt(text)
        if format_of(clear) == format:
            return text
        value = self.decode(clear, key)
        unique = secret and not is_text_of(clear, value)
        converted = serialize(value, unique=unique, format=format)
        self.decode(converted, key)
        return self.encryption.encrypt(converted) if is_encrypted(text) else converted

    def _read_back(self, key: str, text: str, value: object) -> object:
        """The value that a text just written is read back as."""
        try:
            return quick_copy(value) if len(text) <= _SHORT else self.decode(text, key)
        except NoQuickCopy:
            return self.decode(text, key)

    def _remedy(self, error: InvalidValue, value: object, format: Format) -> str:
        """Return why a value can't be stored, and what to do."""
        classes = classes_in(value) - self._allowed.classes
        if format == "json":  # it has no objects of other classes
            classes = {cls for cls in classes if issubclass(cls, Enum)}
        why = gettext(str(error))
        if classes and self._would_allow(classes, value, format):
            names = ", ".join(sorted(cls.__qualname__ for cls in classes))
            line = f"WAFFLE_CLASSES = [{names}]"
            return gettext("%(why)s; nothing was saved. To allow it: %(line)s", why=why, line=line)
        for part in each_part(value, False) if format == "pickle" else ():  # JSON's error says so
            plain = plain_expression(part)
            if plain and not self._would_allow({type(part)}, part, format):
                return gettext("%(why)s; nothing was saved. Pass %(plain)s.", why=why, plain=plain)
        return gettext("%(why)s; nothing was saved", why=why)

    def _would_allow(self, classes: set[type], value: object, format: Format) -> bool:
        """Whether a value can be stored once these classes are allowed: a pickle may also name a
        function that makes it, as those of NumPy do.
        """
        try:
            deserialize(serialize(value, format=format), Allowed(classes | self._allowed.classes))
        except InvalidValue:
            return False
        return True


def _classes_of(setting: Setting) -> set[type]:
    """The classes that a setting may have values of."""
    listed = setting.choices if isinstance(setting.choices, list) else []
    choices = [choice.value for choice in listed]
    # Not what objects keep in attributes, which may be the app itself.
    return classes_in([setting.default, choices, setting.members], False)
