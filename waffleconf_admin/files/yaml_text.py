"""YAML, as far as it stands for what JSON can hold. Needs PyYAML, so it is imported late.

Without aliases a small text can't stand for a large value, and without tags it stands for no
objects. Without quotes only numbers, true, false and null are no text: YAML 1.1 would read `no` as
false, 18:30 as the number 1110, and a date as an object.
"""

from __future__ import annotations

import math
import re
from typing import NoReturn

import yaml

from ..codec.limits import MAX_DEPTH, MAX_DIGITS
from ..i18n import gettext

#: Values and names in one text; PyYAML takes a second for 30,000.
MOST_NODES = 50_000

_TAG = "tag:yaml.org,2002:"
_WHOLE = r"-?(?:0|[1-9][0-9]*)"
#: What is no text when it has no quotes: the pattern, and how it may begin.
_RESOLVERS: dict[str, tuple[str, list[str]]] = {
    "null": (r"(?:null|~|)", ["n", "~", ""]),
    "bool": (r"(?:true|false)", ["t", "f"]),
    "int": (_WHOLE, list("-0123456789")),
    "float": (
        rf"{_WHOLE}(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)",
        list("-0123456789"),
    ),
}


def read_yaml(text: str) -> object:
    """Return the value of a YAML text.

    :raises ValueError: it can't be read; the message says where, and what to do.
    """
    try:
        return yaml.load(text, Loader)  # nosec B506 # Loader is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark, what = error.problem_mark or error.context_mark, error.problem or error.context
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        what = gettext("YAML can't hold this character")
    message = gettext(
        "Line %(line)s, column %(column)s: %(what)s.", line=line, column=column, what=what
    )
    raise ValueError(message)


def write_yaml(value: object) -> str:
    """Return the YAML text of a value that JSON can hold."""
    style = {"allow_unicode": True, "explicit_end": True, "sort_keys": False, "width": math.inf}
    text: str = yaml.dump(value, Dumper=Dumper, **style)
    return text


class Loader(yaml.SafeLoader):
    """Reads what JSON can hold, of a bounded size and depth."""

    # None of those that SafeLoader has.
    yaml_implicit_resolvers: dict[str, object] = {}
    yaml_constructors: dict[str | None, object] = {}

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._count = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: object) -> yaml.Node:
        event = self.peek_event()
        self._count += 1
        self._depth += 1
        if isinstance(event, yaml.AliasEvent) or event.anchor:
            _refuse(event, gettext("aliases are not read: write the value itself"))
        if event.tag:
            _refuse(event, gettext("tags are not read: write the value itself"))
        if self._depth > MAX_DEPTH:
            _refuse(event, gettext("too many lists or names are inside each other"))
        if self._count > MOST_NODES:
            _refuse(event, gettext("this is too much for YAML: use JSON"))
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_names(self, node: yaml.MappingNode) -> dict[str, object]:
        found: dict[str, object] = {}
        for name_node, value_node in node.value:
            name = self.construct_object(name_node, deep=True)
            if not isinstance(name, str):
                _refuse(name_node, gettext("a name must be text: write it in quotes"))
            if name in found:
                _refuse(name_node, gettext("this name is there twice: take one out"))
            found[name] = self.construct_object(value_node, deep=True)
        return found

    def construct_items(self, node: yaml.SequenceNode) -> list[object]:
        return [self.construct_object(item, deep=True) for item in node.value]

    def construct_text(self, node: yaml.ScalarNode) -> str:
        text = str(self.construct_scalar(node))
        try:  # PyYAML reads an escape for each half of a character, as JSON writes some
            return (
                text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16")
            )
        except UnicodeDecodeError:
            _refuse(node, gettext("YAML can't hold this character"))

    def construct_integer(self, node: yaml.ScalarNode) -> int:
        if len(node.value) > MAX_DIGITS:
            _refuse(node, gettext("this number has too many digits"))
        return int(node.value)

    def construct_float(self, node: yaml.ScalarNode) -> float:
        if math.isinf(number := float(node.value)):
            _refuse(node, gettext("this number is too large"))
        return number

    def construct_bool(self, node: yaml.ScalarNode) -> bool:
        return str(node.value) == "true"

    def construct_null(self, node: yaml.ScalarNode) -> None:
        return None


class Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and nothing as an alias."""

    def ignore_aliases(self, data: object) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        printable = text.replace("\n", "").isprintable()
        # With quotes each character that is not printable has an escape.
        style = '"' if not printable else "|" if "\n" in text else None
        return self.represent_scalar(f"{_TAG}str", text, style=style)


def _refuse(place: yaml.Event | yaml.Node, problem: str) -> NoReturn:
    """Refuse an event or a node of a text."""
    raise yaml.MarkedYAMLError(problem=problem, problem_mark=place.start_mark)


for _name, (_pattern, _first) in _RESOLVERS.items():
    for _class in (Loader, Dumper):  # what would be no text is written in quotes
        _class.add_implicit_resolver(f"{_TAG}{_name}", re.compile(rf"^{_pattern}$"), _first)
for _name, _construct in {
    "null": Loader.construct_null,
    "bool": Loader.construct_bool,
    "int": Loader.construct_integer,
    "float": Loader.construct_float,
    "str": Loader.construct_text,
    "seq": Loader.construct_items,
    "map": Loader.construct_names,
}.items():
    Loader.add_constructor(f"{_TAG}{_name}", _construct)
Dumper.add_representer(str, Dumper.represent_text)
