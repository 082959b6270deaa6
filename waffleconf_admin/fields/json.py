"""JsonField: lists, tuples, sets and dicts, written as JSON."""

from __future__ import annotations

from ..codec.limits import Budget
from ..exceptions import InvalidValue
from ..i18n import gettext, mark
from . import widgets
from .json_text import fits, read_json, write_json
from .optional import LineField, OptionalField
from .value_text import NOT_GIVEN_BACK, UnsupportedValue, is_unicode, require_type

TOO_LARGE = mark("it is too large for this page")
_ENTER_LIST = mark('Enter a list, in square brackets: ["a", "b"].')
#: The types of values, and what to write for one.
_CONTAINERS: dict[type, str] = {
    **dict.fromkeys((list, tuple, set, frozenset), _ENTER_LIST),
    dict: mark('Enter names with values, in curly brackets: {"name": "value"}.'),
}


class JsonField(OptionalField):
    """A list, tuple, set or dict, written as JSON."""

    control = "json"
    multiline = True
    widget = widgets.TextInput()
    html_attributes = {"spellcheck": "false"}
    canonical = staticmethod(LineField.canonical)

    @property
    def container(self) -> type:
        """The type of its values."""
        value_type = self.setting.value_type
        if value_type in _CONTAINERS:
            return value_type
        return next((base for base in _CONTAINERS if issubclass(value_type, base)), list)

    def format_value(self, value: object) -> str:
        require_type(value, self.container)
        if isinstance(value, (set, frozenset)):
            # Always in the same order, so that texts can be compared.
            value = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
        try:
            text = write_json(value)
        except (TypeError, ValueError, RecursionError) as error:
            why = gettext("there is something in it that JSON can't hold")
            raise UnsupportedValue(why) from error
        if text is None:
            raise UnsupportedValue(gettext(TOO_LARGE))
        if not is_unicode(text):
            raise UnsupportedValue(gettext(NOT_GIVEN_BACK))
        return text

    def parse_value(self, text: str) -> object:
        value = read_json(text)
        if isinstance(value, dict) and self.container is dict:
            return value
        if isinstance(value, list) and self.container is not dict:
            return value if self.container is list else self._collect(value)
        raise ValueError(gettext(_CONTAINERS[self.container]))

    def _obstacle(self, value: object) -> str:
        is_ours = type(self).parse_value is JsonField.parse_value
        if not (is_ours and isinstance(value, (list, tuple, set, frozenset, dict))):
            return super()._obstacle(value)
        # What was read from JSON comes back unchanged. To try that takes as long as all else.
        return "" if fits(value if isinstance(value, dict) else [*value]) else gettext(TOO_LARGE)

    def _collect(self, items: list[object]) -> object:
        """Return a list as a tuple or set."""
        if self.container is tuple:
            return tuple(items)
        if any(isinstance(item, (list, dict)) for item in items):
            raise ValueError(gettext("In this list there can't be lists or names with values."))
        try:
            # Before the items are hashed, which may take long.
            Budget().check_keys(items, len(items))
            value = self.container(items)
        except InvalidValue as error:
            why = gettext(str(error))
            raise ValueError(gettext("This is not saved, because %(why)s.", why=why)) from error
        if len(value) < len(items):
            raise ValueError(gettext("Something in this is there twice: take one out."))
        return value
