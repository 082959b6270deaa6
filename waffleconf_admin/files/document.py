"""Document: the text of a file of settings, in JSON or YAML.

A file names its version and its settings: ``{"waffleconf": 1, "settings": {"SITENAME": "Bar"}}``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import PurePath
from textwrap import indent
from types import ModuleType
from typing import NamedTuple

from ..exceptions import InvalidValue
from ..fields import json_text
from ..i18n import gettext

#: The version of the format that is written, and the only one that is read.
VERSION = 1


class Format(NamedTuple):
    """How the text of a document is written."""

    read: Callable[[str], object]
    write: Callable[[Mapping[str, object]], str]  #: of values by key
    suffixes: tuple[str, ...]
    most_megabytes: int  #: a larger file is refused before it is parsed
    end: str = ""  #: ends what is written, where the first half of it could be read as a whole


def write_json(value: object) -> str:
    """Return JSON of several lines, with an escape for each character that is not printable.

    :raises TypeError, ValueError: JSON can't hold the value.
    """
    short = json_text.write_json(value)  # None where it is too long to be written with care
    text = (short or json.dumps(value, ensure_ascii=False, indent=2)) + "\n"
    if text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def _write_json(values: Mapping[str, object]) -> str:
    """Return a document with a line for each setting at least, to be compared line by line."""
    lines = ",\n".join(
        f"{write_json(key).rstrip()}: {write_json(value).rstrip()}" for key, value in values.items()
    )
    settings = f"{{\n{indent(lines, ' ' * 4)}\n  }}" if lines else "{}"
    return f'{{\n  "waffleconf": {VERSION},\n  "settings": {settings}\n}}\n'


def _write_yaml(values: Mapping[str, object]) -> str:
    return str(_yaml().write_yaml(_document(values)))


def _document(values: Mapping[str, object]) -> dict[str, object]:
    return {"waffleconf": VERSION, "settings": dict(values)}


def _yaml() -> ModuleType:
    try:
        from . import yaml_text
    except ImportError as error:
        raise InvalidValue(
            gettext("YAML needs PyYAML: pip install 'waffleconf-admin[yaml]'. JSON needs nothing.")
        ) from error
    return yaml_text


#: The formats by name.
FORMATS: dict[str, Format] = {
    "json": Format(json_text.read_json, _write_json, (".json",), 16),
    "yaml": Format(
        lambda text: _yaml().read_yaml(text),
        _write_yaml,
        (".yaml", ".yml"),
        1,
        "\n...",
    ),
}


def format_of(path: str) -> str:
    """Return the name of the format of a file by its name; "json" where the name does not say."""
    suffix = PurePath(path).suffix.lower()
    return next((name for name, found in FORMATS.items() if suffix in found.suffixes), "json")


def most_bytes(name: str) -> int:
    """Return how many bytes a file of a format may have."""
    return FORMATS[name].most_megabytes * 2**20


def write_document(values: Mapping[str, object], name: str = "json") -> str:
    """Return the text of a file.

    :param values: by key, as `FileValues.dump` returns them.
    :param name: of the format.
    :raises InvalidValue: the format is YAML, and PyYAML is missing.
    """
    return FORMATS[name].write(values)


def pack_document(values: Mapping[str, object]) -> str:
    """Return the shortest JSON of a file, in ASCII, for an input that no person reads."""
    return json.dumps(_document(values), separators=(",", ":"))


def read_document(content: bytes, name: str = "json", *, piped: bool = False) -> dict[str, object]:
    """Return the values in a file by key, for `load_values`.

    :param content: of a file that is too large, one byte more than is allowed is enough.
    :param name: of the format.
    :param piped: whether another program has written it, which may have failed half-way.
    :raises InvalidValue: the file can't be read; the message says where, and what to do.
    """
    if len(content) > most_bytes(name):
        raise InvalidValue(
            gettext(
                "This file is too large: %(format)s of at most %(count)s MB can be read.",
                format=name.upper(),
                count=FORMATS[name].most_megabytes,
            )
        )
    text = _decode(content)
    if not text.strip():
        raise InvalidValue(gettext("This file is empty."))
    try:
        document = FORMATS[name].read(text)
    except InvalidValue:
        raise
    except ValueError as error:
        raise InvalidValue(str(error)) from error
    if piped and not text.rstrip().endswith(FORMATS[name].end):
        raise InvalidValue(
            gettext("Its end is missing: from a pipe YAML ends with a line of three points, “...”.")
        )
    return _settings(document)


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        raise InvalidValue(
            gettext(
                "Line %(line)s, column %(column)s: %(what)s.",
                line=line,
                column=column,
                what=gettext("this is not UTF-8; save the file as UTF-8"),
            )
        ) from error


def _settings(document: object) -> dict[str, object]:
    """The values of a parsed file."""
    if not isinstance(document, dict) or "waffleconf" not in document:
        raise InvalidValue(
            gettext(
                'This is no file of settings. One begins with "waffleconf": %(version)s, and has '
                'its values below "settings".',
                version=VERSION,
            )
        )
    version, settings = document["waffleconf"], document.get("settings")
    if type(version) is not int or version != VERSION:
        raise InvalidValue(
            gettext(
                "This file has version %(found)s, and only version %(version)s can be read. Export "
                "the settings again, with this version of waffleconf_admin.",
                found=json.dumps(version)[:20],
                version=VERSION,
            )
        )
    if more := [str(name) for name in document if name not in ("waffleconf", "settings")]:
        raise InvalidValue(
            gettext(
                '“%(name)s” is no part of such a file: settings are below "settings".',
                name=more[0][:50],
            )
        )
    if not isinstance(settings, dict):
        raise InvalidValue(gettext('Below "settings" there must be names with values.'))
    return settings
