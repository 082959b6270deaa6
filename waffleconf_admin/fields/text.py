"""Fields for short values that are written on one line."""

from __future__ import annotations

import re
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import PurePath
from typing import Any
from uuid import UUID

from ..i18n import gettext
from ..settings.value_types import noun
from .base import LineField, Unshown, is_unicode
from .basic import TextField


class UuidField(LineField):
    """A UUID."""

    typing = {"spellcheck": "false"}

    def show_some(self, value: Any) -> str:
        return str(value)

    def parse_some(self, text: str) -> UUID:
        try:
            return UUID(text)
        except ValueError:
            raise ValueError(
                gettext("Write a UUID, such as %(example)s.", example=UUID(int=0x1234 << 96))
            ) from None


class PathField(LineField):
    """A path of files."""

    typing = {"spellcheck": "false"}

    def show_some(self, value: Any) -> str:
        if not isinstance(value, PurePath):
            raise Unshown(
                gettext(
                    "it is of type %(type)s, and this control is for a path",
                    type=type(value).__name__,
                )
            )
        return str(value)

    def parse_some(self, text: str) -> Any:
        if not text or "\0" in text or not is_unicode(text):
            raise ValueError(gettext("Write a path, such as /srv/uploads."))
        return self.setting.value_type(text)


class NetField(LineField):
    """An address or a network of the internet."""

    typing = {"spellcheck": "false", "autocapitalize": "off"}

    def show_some(self, value: Any) -> str:
        return str(value)

    def parse_some(self, text: str) -> Any:
        kind = self.setting.value_type
        try:
            return kind(text)
        except ValueError as error:
            if "has host bits set" in str(error):
                raise ValueError(
                    gettext(
                        "This is an address in a network, not a network: the bits after the slash "
                        "must be 0."
                    )
                ) from error
            example = next(example for known, example in NETS.items() if issubclass(kind, known))
            raise ValueError(
                gettext("Write %(noun)s, such as %(example)s.", noun=noun(kind), example=example)
            ) from error


#: The types that it is for, with an example of each; what inherits from another comes first.
NETS: dict[type, str] = {
    IPv4Interface: "192.0.2.1/24",
    IPv6Interface: "2001:db8::1/32",
    IPv4Address: "192.0.2.1",
    IPv6Address: "2001:db8::1",
    IPv4Network: "192.0.2.0/24",
    IPv6Network: "2001:db8::/32",
}


class ShapedField(TextField):
    """Base of text of one line with a shape; the setting checks the shape on every way in."""

    typing = {"spellcheck": "false", "autocapitalize": "off"}
    canonical = staticmethod(LineField.canonical)
    #: What the browser would take: it refuses the whole form for a text that is not.
    safe = re.compile("")
    kind_html: dict[str, Any] = {}
    other_html: dict[str, Any] = {}

    def html(self, text: str) -> dict[str, Any]:
        return self.typing | (self.kind_html if self.safe.fullmatch(text) else self.other_html)


class EmailField(ShapedField):
    """An e-mail address."""

    safe = re.compile(r"([\w.!#$%&'*+/=?^`{|}~-]++@[a-z0-9]++(?:[.-][a-z0-9]++)*+)?", re.I | re.A)
    kind_html = {"type": "email"}
    other_html = {"inputmode": "email"}


class UrlField(ShapedField):
    """A web address."""

    safe = re.compile(r"(https?://[a-zA-Z0-9.-]++(:[0-9]{1,4})?(/[!-~]*+)?)?")
    kind_html = {"type": "url"}
    other_html = {"inputmode": "url"}


class ColorField(ShapedField):
    """A colour."""

    control = "color"
    safe = re.compile("#[0-9a-f]{6}")
    kind_html = {"type": "color"}
