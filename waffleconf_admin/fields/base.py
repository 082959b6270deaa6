"""SettingField: a WTForms field that formats a value as one text, and parses that text.

The page, the command line and the merge all use these two.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any, ClassVar, Self

import wtforms
from wtforms.fields.core import Flags, Label

from ..i18n import gettext
from ..settings.equality import same
from ..settings.notation import PYTHON, Notation
from ..settings.record import Record
from ..settings.setting import Setting
from .value_text import (
    NOT_GIVEN_BACK,
    TEXT_LIMIT,
    UnsupportedValue,
    bounded_text,
    generic_text,
    newlines,
)


class SettingField(wtforms.Field):
    """Base of our fields: a subclass says how a value is formatted and parsed.

    What its control is like is said by class attributes, which the templates and the merge go by.
    As WTForms fields they take validators, filters and other widgets.
    """

    setting: Setting
    text: str  #: the text in the control
    control = "text"  #: the name of the control; its row has the CSS class "wf-is-" and this
    multiline = False  #: whether the control is a text area
    is_group = False  #: whether the control is several inputs, which can be placed one by one
    is_switch = False  #: whether the control is one check box, to be drawn as a switch
    quoted = False  #: whether its values are texts: sentences quote them, to show where they end
    limits_beside = False  #: whether the limits stand beside the control, not below
    may_send_nothing = False  #: whether a browser leaves the control out where nothing is ticked
    html_attributes: ClassVar[dict[str, object]] = {}  #: attributes that help who types
    limit_flags: ClassVar[tuple[str, str] | None] = None  #: what HTML calls min and max here

    # Of a field in a form, see `binding.BoundField`. These are what they are of most fields; texts
    # are made when somebody asks.
    record: Record
    editable = True
    reason = ""
    resettable = True
    hidden = False
    differs = False
    attention = False
    has_removed_choice = False
    conflict_text: str | None = None

    # What WTForms' constructor sets, where a form has no arguments for a field.
    default = invalid_value_message = render_kw = _datalist = None
    filters = ()
    _flags: Flags | None = None

    @classmethod
    def in_form(cls, setting: Setting, options: Mapping[str, object]) -> Self:
        """Return the field of a setting in a form.

        It makes its label and its flags when it is asked: a page has a thousand fields.

        :param options: arguments of WTForms' constructor, which is called if the class has one of
            its own.
        """
        if cls.__init__ is not wtforms.Field.__init__:
            return cls(label=setting.label, description=setting.help, _prefix="", **options)
        field = object.__new__(cls)  # WTForms' own asks whether there is a form
        field._form, field.meta = options["_form"], options["_meta"]
        if options["_translations"] is not None:
            field._translations = options["_translations"]
        field.name = field.short_name = options["name"]
        field.id, field.description = options["id"], setting.help
        field.type, field._label = cls.__name__, setting.label
        return field

    @property
    def flags(self) -> Flags:
        """What WTForms' widgets and validators know of its limits."""
        if self._flags is None:
            self._flags = Flags()
        return self._flags

    @flags.setter
    def flags(self, flags: Flags) -> None:
        self._flags = flags

    @property
    def flag_values(self) -> Mapping[str, Any]:
        """The flags that are set, by name."""
        return {} if self._flags is None else vars(self._flags)

    @cached_property
    def label(self) -> Label:
        return Label(self.id, self._label)

    @property
    def notation(self) -> Notation:
        """How it writes and reads numbers: as the page of its form, else as Python."""
        notation: Notation = getattr(self.meta, "notation", PYTHON)
        return notation

    @property
    def editor(self) -> object:
        """The field that formats the value: itself, or the one that it stands in for."""
        return self

    @cached_property
    def value_text(self) -> str:
        """The value in force, as people read it; blank for a secret."""
        return "" if self.setting.secret else display_text(self.editor, self.record.value)

    @cached_property
    def default_text(self) -> str:
        """The default, as people read it; blank for a secret."""
        return "" if self.setting.secret else display_text(self.editor, self.setting.default)

    @property
    def is_set(self) -> bool:
        """Whether a secret has a value."""
        return is_set(self.record.value)

    @property
    def expected(self) -> object:
        """What a save expects the database to hold: the value, of a secret the row."""
        # A form has no need to hold the value of a secret.
        return self.record if self.setting.secret else self.record.value

    def format(self, value: object) -> str:
        """Return the text of a value.

        :raises UnsupportedValue: it has none.
        """
        raise NotImplementedError

    def parse(self, text: str) -> object:
        """Return the value of a text.

        :raises ValueError: it is not the text of a value; the message says what to write.
        """
        raise NotImplementedError

    def read(self, text: str) -> object:
        """Return the value of a text that somebody wrote outside the page.

        :raises ValueError: as `parse` does.
        """
        return self.parse(self.canonical([text]))

    def write(self, value: object) -> str:
        """Return the text of a value outside the page, which `read` takes.

        :raises UnsupportedValue: it has none.
        """
        return self.format(value)

    def write_line(self, value: object) -> str:
        """Return the same for a place that has one line: several items have commas between them."""
        return self.write(value)

    def display(self, value: object) -> str:
        """Return the text that people read of a value."""
        return self.format(value)

    def round_trips(self, value: object) -> bool:
        """Whether an untouched control sends *value* back unchanged."""
        return self.gives_back(value, self.format(value))

    def gives_back(self, value: object, text: str) -> bool:
        """Whether *value* is what is read of its text."""
        return same(self.read(text), value)

    def sent_values(self, text: str) -> list[str]:
        """Return what a browser sends of the control with *text*, if nobody touches it."""
        return [text]

    def control_text(self, value: object) -> str | None:
        """Return the text that puts *value* into the control; None where one text can't.

        The script resets and compares a control by it.
        """
        try:
            text = self.format(value)
        except ValueError:
            return None
        return text if len(text) <= TEXT_LIMIT else None

    @staticmethod
    def canonical(values: list[str]) -> str:
        """Return what a control has sent as one text, in the spelling of `format`."""
        return newlines(values[0]) if values else ""

    def apply(self, setting: Setting) -> None:
        """Take on the setting; its limits become flags, for the HTML."""
        self.setting = setting
        if self.limit_flags and not (setting.min is None and setting.max is None):
            for flag, limit in zip(self.limit_flags, (setting.min, setting.max), strict=True):
                if limit is not None:
                    setattr(self.flags, flag, limit)

    def load(self, value: object) -> None:
        """Have the value in force: as `process`, without what was sent.

        :raises ValueError: an untouched control would not send it back.
        """
        self.object_data = value
        self.process_data(value)
        if not self.gives_back(value, self.text):
            raise UnsupportedValue(gettext(NOT_GIVEN_BACK))
        if self.filters:
            self.process(None, value)
        else:
            self.arrange()

    def process(self, *args: object, **kwargs: object) -> None:
        super().process(*args, **kwargs)
        self.arrange()

    def arrange(self) -> None:
        """Take the control that fits the text."""

    def process_data(self, value: object) -> None:
        self.data = value
        self.text = self.format(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.text = self.canonical(valuelist)
        self.data = None
        self.data = self.parse(self.text)

    def _value(self) -> str:
        return self.text


def display_text(field: object, value: object) -> str:
    """Return a value as people read it, in the text of its field or else a generic one.

    :param field: any field; None: there is none.
    """
    if isinstance(field, SettingField):
        with suppress(Exception):  # whatever an app's own field raises for it
            return bounded_text(field.display(value))
    return generic_text(value)


def is_set(value: object) -> bool:
    """Whether a secret is set: None and blank are not."""
    return value is not None and not (isinstance(value, (str, bytes)) and not value)
