"""Values in a file: what JSON can hold as such, and everything else as on the command line.

A `timedelta` is the text "1 h 30 min" in a file, a set a list, a member of an Enum its name.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

from ..contexts import context_of
from ..exceptions import InvalidValue
from ..fields import ChoiceField, JsonField, MultipleChoiceField, UnsupportedValue, ZoneField
from ..fields.base import newlines
from ..fields.factory import log_failure
from ..fields.json_text import read_json
from ..forms.values import exact_text, field_of, get_setting
from ..i18n import gettext, mark
from ..settings import value_types
from ..settings.choices import Choice
from ..settings.equality import same
from ..settings.setting import Setting
from ..state.form import parse_text
from ..state.state import State

WRONG_TYPE = mark("This must be %(noun)s, not %(type)s.")


def load_values(state: State, written: Mapping[str, object]) -> dict[str, object]:
    """Return the values of settings by key, of what a file has for them.

    :raises InvalidValue: some are no values, or not declared; `errors` names all of them.
    """
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for key, part in written.items():
        try:
            values[key] = load_value(state, key, part)
        except InvalidValue as error:
            problems |= error.errors or {key: str(error)}
    if problems:
        raise InvalidValue(problems)
    return values


def load_value(state: State, key: str, written: object) -> object:
    """Return the value of what a file has for a setting, read as the page reads it.

    :param written: a bool, number, text, list or dict, or None.
    :raises InvalidValue: it is no value of the setting, or the setting is not declared.
    """
    setting = get_setting(state.settings, key)
    try:
        with context_of(state.app):
            place = _Place.of(state, setting)
            return None if written is None and setting.optional else place.load(written)
    except UnsupportedValue as error:
        problem = gettext("It can only be changed from code: %(why)s.", why=error)
        raise InvalidValue({key: problem}) from error
    except InvalidValue:
        raise
    except ValueError as error:
        # The message may quote what it refuses.
        problem = gettext("This value is not accepted.") if setting.secret else str(error)
        raise InvalidValue({key: problem}) from (None if setting.secret else error)


def dump_value(state: State, key: str, value: object) -> object:
    """Return what `load_value` takes for a value of a setting.

    :raises InvalidValue: no file can hold it.
    """
    setting = state.settings[key]
    with context_of(state.app), suppress(ValueError):  # its field may have no text for it
        place = _Place.of(state, setting)
        for written in [None] if value is None else place.candidates(value):
            with suppress(InvalidValue):
                if unchanged(value, load_value(state, key, written)):
                    return written
    raise InvalidValue({key: gettext("No file can hold this value: it is changed from code.")})


def unchanged(value: object, wanted: object) -> bool:
    """Whether a setting has the value of a file already: 2 is 2.0 where files have 2.0."""
    # Python compares them exactly.
    return same(value, wanted) or (type(value), type(wanted), value == wanted) == (int, float, True)


class _Place(NamedTuple):
    """A setting in a file."""

    state: State
    setting: Setting  #: as one that is no secret, so that its values have texts
    field: Any  #: a field of WTForms

    @classmethod
    def of(cls, state: State, setting: Setting) -> _Place:
        """Return the place of a setting.

        :raises UnsupportedValue: it can't have a field.
        """
        readable = replace(setting, secret=False)
        try:
            return cls(state, readable, field_of(readable))
        except UnsupportedValue:
            raise
        except Exception as error:  # of a function of the app's own, such as that of choices
            log_failure(f"the control of {setting.key}", setting, error)
            why = gettext("its control can't be made at the moment")
            raise UnsupportedValue(why) from (None if setting.secret else error)

    def load(self, written: object) -> object:
        """Return the value of what a file has.

        :raises ValueError: it is none.
        """
        return self._conversion.load(self, written)

    def candidates(self, value: object) -> Iterator[object]:
        """Yield what may stand for a value in a file, the best first."""
        return self._conversion.candidates(self, value)

    @property
    def _conversion(self) -> _Conversion:
        return next(found for cls, found in _CONVERSIONS.items() if isinstance(self.field, cls))

    def parse(self, text: str) -> object:
        return parse_text(self.state, self.setting.key, text)

    def wrong_type(self, written: object) -> ValueError:
        noun = value_types.noun(self.setting.value_type)
        return ValueError(gettext(WRONG_TYPE, noun=noun, type=type(written).__name__))


class _Conversion(NamedTuple):
    """How values of a field are read from a file, and written to one."""

    load: Callable[[_Place, object], object]
    candidates: Callable[[_Place, Any], Iterator[object]]


def _load_text(place: _Place, written: object) -> object:
    if not isinstance(written, str):
        raise place.wrong_type(written)
    return place.parse(written)


def _texts(place: _Place, value: object) -> Iterator[object]:
    yield exact_text(place.setting, value)


def _load_scalar(place: _Place, written: Any) -> object:
    setting = place.setting
    if isinstance(written, str):
        value = place.parse(written)
        if not isinstance(value, str) and _is_json(written, value):
            raise ValueError(gettext("Write it without quotes: %(text)s.", text=written[:50]))
        # Browsers send other ends of lines than a value has; files have them as they are.
        return written if value == newlines(written) else value
    if type(written) in (int, float) and issubclass(setting.value_type, Decimal):
        if isinstance(written, float):  # 1.10 of a file is 1.1 by now
            raise ValueError(gettext('Write it in quotes: "%(text)s".', text=str(written)))
        return place.parse(str(written))
    if not value_types.accepts(setting.value_type, written):
        raise place.wrong_type(written)
    if type(written) is int and isinstance(setting.default, float):
        written = float(written) if abs(written) <= 2**53 else written
    return place.parse(exact_text(setting, written))


def _scalars(place: _Place, value: object) -> Iterator[object]:
    if _has_json(value):
        yield value
    yield exact_text(place.setting, value)


def _load_json(place: _Place, written: object) -> object:
    if not isinstance(written, (list, dict)):
        raise place.wrong_type(written)
    return place.parse(json.dumps(written))


def _json_values(place: _Place, value: object) -> Iterator[object]:
    yield read_json(exact_text(place.setting, value))


def _load_choice(place: _Place, written: object) -> object:
    choice: Choice = place.field.texts[_choice_text(place, written)]
    return choice.value


def _choice_text(place: _Place, written: object) -> str:
    """The text of a choice that a file names by its value, or by that text."""
    texts: dict[str, Choice] = place.field.texts
    for text, choice in texts.items():
        if same(choice.value, written):
            return text
    if isinstance(written, str) and written in texts:
        return written
    raise ValueError(gettext("This is not one of the choices."))


def _choices(place: _Place, value: object) -> Iterator[object]:
    if _has_json(value):
        yield value
    yield place.field.format(value)


def _load_choices(place: _Place, written: object) -> object:
    if not isinstance(written, list):
        raise place.wrong_type(written)
    choices = place.field.texts
    # No more than there are choices: each takes its time.
    texts = dict.fromkeys(_choice_text(place, part) for part in written[: len(choices) + 1])
    if len(texts) < len(written):
        raise ValueError(gettext("Something in this is there twice: take one out."))
    return place.field.collect([choices[text].value for text in texts])


def _lists_of_choices(place: _Place, value: object) -> Iterator[object]:
    items = place.field.items(value)
    if isinstance(value, (set, frozenset)):  # always in the same order, to be compared
        order = [choice.value for choice in place.field.texts.values()]
        items.sort(key=lambda item: next(n for n, one in enumerate(order) if same(one, item)))
    single = ChoiceField.format
    yield [item if _has_json(item) else single(place.field, item) for item in items]


#: By class of the field; a subclass before its base.
_CONVERSIONS: dict[type, _Conversion] = {
    MultipleChoiceField: _Conversion(_load_choices, _lists_of_choices),
    ZoneField: _Conversion(_load_text, _texts),
    ChoiceField: _Conversion(_load_choice, _choices),
    JsonField: _Conversion(_load_json, _json_values),
    object: _Conversion(_load_scalar, _scalars),
}


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
