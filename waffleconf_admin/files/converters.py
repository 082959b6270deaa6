"""Converters: how the values of a setting are read from a file, and written to one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal

from ..fields import ChoiceField, JsonField, MultipleChoiceField, ZoneField
from ..fields.factory import reporting_failures
from ..fields.json_text import read_json
from ..fields.value_text import newlines
from ..forms.values import exact_text, field_of
from ..i18n import gettext, mark
from ..settings import value_types
from ..settings.choices import Choice
from ..settings.equality import same
from ..settings.setting import Setting
from ..settings.type_rule import CHOSEN_TWICE

WRONG_TYPE = mark("This must be %(noun)s, not %(type)s.")


class Converter:
    """Converts the values of a setting whose field has no class below: numbers, texts and others.

    :param setting: as one that is no secret, so that its values have texts.
    :param field: that of the setting.
    :param parse: returns the value of a text, read as the page reads it.
    """

    def __init__(self, setting: Setting, field: object, parse: Callable[[str], object]) -> None:
        self.setting = setting
        self.field = field
        self._parse = parse

    def load(self, written: object) -> object:
        """Return the value of what a file has.

        :raises ValueError: it is none.
        """
        setting = self.setting
        if isinstance(written, str):
            value = self._parse(written)
            if not isinstance(value, str) and _is_json(written, value):
                raise ValueError(gettext("Write it without quotes: %(text)s.", text=written[:50]))
            # Browsers send other ends of lines than a value has; files have them as they are.
            return written if value == newlines(written) else value
        if type(written) in (int, float) and issubclass(setting.value_type, Decimal):
            if isinstance(written, float):  # 1.10 of a file is 1.1 by now
                raise ValueError(gettext('Write it in quotes: "%(text)s".', text=str(written)))
            return self._parse(str(written))
        if not value_types.accepts(setting.value_type, written):
            raise self._wrong_type(written)
        if type(written) is int and isinstance(setting.default, float):
            written = float(written) if abs(written) <= 2**53 else written
        return self._parse(exact_text(setting, written))

    def candidates(self, value: object) -> Iterator[object]:
        """Yield what may stand for a value in a file, the best first."""
        if _has_json(value):
            yield value
        yield exact_text(self.setting, value)

    def _wrong_type(self, written: object) -> ValueError:
        noun = value_types.noun(self.setting.value_type)
        return ValueError(gettext(WRONG_TYPE, noun=noun, type=type(written).__name__))


class _TextConverter(Converter):
    """A file has the text of a value."""

    def load(self, written: object) -> object:
        if not isinstance(written, str):
            raise self._wrong_type(written)
        return self._parse(written)

    def candidates(self, value: object) -> Iterator[object]:
        yield exact_text(self.setting, value)


class _JsonConverter(Converter):
    """A file has a list or a dict as it is."""

    def load(self, written: object) -> object:
        if not isinstance(written, (list, dict)):
            raise self._wrong_type(written)
        return self._parse(json.dumps(written))

    def candidates(self, value: object) -> Iterator[object]:
        yield read_json(exact_text(self.setting, value))


class _ChoiceConverter(Converter):
    """A file names a choice by its value, or by the text that the control sends for it."""

    field: ChoiceField

    def load(self, written: object) -> object:
        return self._choice(written).value

    def candidates(self, value: object) -> Iterator[object]:
        if _has_json(value):
            yield value
        yield self.field.format(value)

    def _choice(self, written: object) -> Choice:
        texts = self.field.texts
        if (text := texts.text_of(written)) is not None:
            return texts[text]
        if isinstance(written, str) and written in texts:
            return texts[written]
        raise ValueError(gettext("This is not one of the choices."))


class _ChoicesConverter(_ChoiceConverter):
    """A file has a list of choices."""

    field: MultipleChoiceField

    def load(self, written: object) -> object:
        if not isinstance(written, list):
            raise self._wrong_type(written)
        texts = self.field.texts
        # No more than there are choices: each takes its time.
        choices = [self._choice(part) for part in written[: len(texts) + 1]]
        if len({id(choice) for choice in choices}) < len(written):
            raise ValueError(gettext(CHOSEN_TWICE))
        return self.field.collect([choice.value for choice in choices])

    def candidates(self, value: object) -> Iterator[object]:
        items = self.field.items(value)
        if isinstance(value, (set, frozenset)):  # always in the same order, to be compared
            texts = self.field.texts
            order = {text: number for number, text in enumerate(texts)}
            # An item that is no longer a choice has no text; no file can hold it.
            items.sort(key=lambda item: order.get(texts.text_of(item) or "", len(order)))
        single = ChoiceField.format
        yield [item if _has_json(item) else single(self.field, item) for item in items]


#: By class of the field; a subclass before its base.
_CONVERTERS: dict[type, type[Converter]] = {
    MultipleChoiceField: _ChoicesConverter,
    ZoneField: _TextConverter,
    ChoiceField: _ChoiceConverter,
    JsonField: _JsonConverter,
    object: Converter,
}


def converter_of(setting: Setting, parse: Callable[[str], object]) -> Converter:
    """Return the converter of a setting; *parse* as for `Converter`.

    :raises UnsupportedValue: the setting can't have a field.
    """
    readable = replace(setting, secret=False)
    with reporting_failures(setting):
        field: object = field_of(readable)
    found = next(found for cls, found in _CONVERTERS.items() if isinstance(field, cls))
    return found(readable, field, parse)


def _is_json(text: str, value: object) -> bool:
    """Whether a text is the JSON of a value."""
    with suppress(ValueError):
        return same(read_json(text), value)
    return False


def _has_json(value: object) -> bool:
    """Whether JSON can hold a value as it is."""
    with suppress(TypeError, ValueError, RecursionError):
        return _is_json(json.dumps(value), value)
    return False
