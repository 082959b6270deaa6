"""Fields for text, and for values with a text of their own such as paths and addresses."""

from __future__ import annotations

import base64
import binascii
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import PurePath
from uuid import UUID

from ..i18n import gettext
from ..settings.setting import Setting
from ..settings.value_types import noun
from . import widgets
from .optional import LineField, OptionalField
from .value_text import UnsupportedValue, is_unicode, require_type

#: Bytes that a field can edit, so that their base64 is not too long for a page.
BYTES_LIMIT = 2**20


class TextField(OptionalField):
    """Text, on one line or several."""

    quoted = True
    widget = widgets.TextInput()
    limit_flags = ("minlength", "maxlength")

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self.multiline = setting.multiline

    def arrange(self) -> None:
        self.multiline = self.multiline or "\n" in self.text  # an input of one line drops newlines
        if self.multiline:
            self.control = "textarea"

    def format_value(self, value: object) -> str:
        return require_type(value, str)

    def parse_value(self, text: str) -> str:
        if "\0" in text:
            raise ValueError(gettext("A NUL character can't be kept: take it out."))
        if not is_unicode(text):
            raise ValueError(gettext("Some of this is not text: type it again."))
        return text


class BytesField(OptionalField):
    """Bytes, written as base64."""

    control = "textarea"
    multiline = True
    widget = widgets.TextInput()
    html_attributes = {"spellcheck": "false"}
    canonical = staticmethod(LineField.canonical)

    def format_value(self, value: object) -> str:
        data = bytes(require_type(value, bytes, bytearray))
        if len(data) > BYTES_LIMIT:
            raise UnsupportedValue(gettext("it is too large for this page"))
        return base64.b64encode(data).decode()

    def parse_value(self, text: str) -> object:
        try:
            return self.setting.value_type(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError(gettext("Enter bytes as base64, such as AAEC/w==.")) from error


class UuidField(LineField):
    """A UUID."""

    control = "uuid"
    html_attributes = {"spellcheck": "false"}

    def format_value(self, value: object) -> str:
        return str(value)

    def parse_value(self, text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise ValueError(
                gettext("Enter a UUID, such as %(example)s.", example=UUID(int=0x1234 << 96))
            ) from None


class PathField(LineField):
    """The path of a file or folder."""

    html_attributes = {"spellcheck": "false"}

    def format_value(self, value: object) -> str:
        if not isinstance(value, PurePath):
            raise UnsupportedValue(
                gettext(
                    "it is of type %(type)s, and this control is for a path",
                    type=type(value).__name__,
                )
            )
        return str(value)

    def parse_value(self, text: str) -> object:
        if not text or "\0" in text or not is_unicode(text):
            raise ValueError(gettext("Enter a path, such as /srv/uploads."))
        return self.setting.value_type(text)


class IPAddressField(LineField):
    """An IP address, network or interface."""

    html_attributes = {"spellcheck": "false", "autocapitalize": "off"}

    def format_value(self, value: object) -> str:
        return str(value)

    def parse_value(self, text: str) -> object:
        wanted = self.setting.value_type
        try:
            return wanted(text)
        except ValueError as error:
            if "has host bits set" in str(error):
                raise ValueError(
                    gettext(
                        "This is an address in a network, not a network: the bits after the slash "
                        "must be 0."
                    )
                ) from error
            example = next(
                example for known, example in IP_EXAMPLES.items() if issubclass(wanted, known)
            )
            raise ValueError(
                gettext("Enter %(noun)s, such as %(example)s.", noun=noun(wanted), example=example)
            ) from error


#: The types of `IPAddressField`, each with an example; a subclass before its base.
IP_EXAMPLES: dict[type, str] = {
    IPv4Interface: "192.0.2.1/24",
    IPv6Interface: "2001:db8::1/32",
    IPv4Address: "192.0.2.1",
    IPv6Address: "2001:db8::1",
    IPv4Network: "192.0.2.0/24",
    IPv6Network: "2001:db8::/32",
}


class PatternField(TextField):
    """Base of text of one line in a certain form, which the setting checks on every way in.

    Its control is a line of text: the browser's own controls for e-mail and web addresses refuse
    what is not sent yet in the browser's language, and change some of what is in them.
    """

    html_attributes = {"spellcheck": "false", "autocapitalize": "off"}
    canonical = staticmethod(LineField.canonical)


class EmailField(PatternField):
    """An e-mail address."""

    html_attributes = PatternField.html_attributes | {"inputmode": "email"}


class UrlField(PatternField):
    """A web address."""

    html_attributes = PatternField.html_attributes | {"inputmode": "url"}


class ColorField(PatternField):
    """A colour."""

    control = "color"
    widget = widgets.ColorInput()
