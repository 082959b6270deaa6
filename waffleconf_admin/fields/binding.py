"""The field of a setting, bound to a form as WTForms says: with its value, and whether and why not
it can be edited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Protocol

from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict
from wtforms.widgets.core import clean_key

from ..codec import is_text_of, serialize
from ..i18n import gettext
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from . import foreign
from .base import SettingField, is_set
from .factory import Source, instantiate, log_failure, make_field
from .value_text import NOT_GIVEN_BACK, ONLY_IN_CODE, UnsupportedValue, generic_text, join_values
from .widgets import Static, attributes


class BoundField(Protocol):
    """A field of a `SettingsForm`: any field of WTForms, with what templates and the merge need."""

    id: str
    name: str
    label: object
    description: object
    flags: object
    data: object
    raw_data: list[str] | None
    errors: list[str]
    process_errors: list[str]
    validators: list[object]

    setting: Setting
    record: Record
    editable: bool
    reason: str  #: why it can't be edited; blank if it can
    resettable: bool  #: whether its default may be restored without an editor
    hidden: bool  #: whether the page hides its row
    value_text: str  #: the value in force, as people read it; blank for a secret
    default_text: str  #: the default, as people read it; blank for a secret
    differs: bool  #: whether the value differs from the default
    attention: bool  #: whether the stored value doesn't fit the declaration
    is_set: bool  #: whether a secret has a value
    expected: object  #: what a save expects the database to hold
    merge_text: str  #: what the untouched control sends, for the merge
    conflict_text: str | None  #: what somebody else has saved meanwhile; None: no conflict

    control: str
    multiline: bool
    is_group: bool
    is_switch: bool
    quoted: bool
    limits_beside: bool

    def __call__(self, **kwargs: object) -> Markup:
        """Return the HTML of the control."""

    def process(self, formdata: MultiDict[str, str] | None, data: object = ...) -> None: ...

    def validate(self, form: object, extra_validators: object = ...) -> bool: ...


class StaticField(SettingField):
    """A value that is shown and can't be changed."""

    control = "static"
    widget = Static()
    editor: object = None

    def process_data(self, value: object) -> None:
        if self.setting.secret:
            self.data, self.text = None, gettext("(set)") if is_set(value) else gettext("(not set)")
        else:
            self.data, self.text = value, self.value_text

    def control_text(self, value: object) -> None:
        return None


def bind_field(
    setting: Setting,
    record: Record,
    source: Source | None,
    options: dict[str, object],
    reason: str,
) -> BoundField:
    """Return the field of a setting in a form.

    :param source: None if there is no field for values of its type.
    :param options: of the field, as for `make_field`.
    :param reason: why it may not be edited, where that is known already; else "".
    """
    editor, merge_text, why = _editor(setting, record, source, options)
    field: Any = _static(setting, record, editor, why, options) if reason or why else editor
    if not isinstance(field, SettingField):
        for attribute, value in foreign.attributes(setting, record).items():
            setattr(field, attribute, value)
    field.setting, field.record, field.merge_text = setting, record, merge_text
    if why and not reason:
        reason = gettext(ONLY_IN_CODE, why=why)
        field.editable, field.reason = False, reason
        # The reset is the only way back to a value that can be edited.
        field.resettable = not setting.confirm
        if field.resettable and differs(setting, record):
            field.reason += " " + gettext("Reset it, or save another value from code.")
    elif reason:
        field.editable, field.reason, field.resettable = False, reason, False
    if differs(setting, record):
        field.differs = True
    if record.problem is not None or getattr(editor, "has_removed_choice", False):
        field.attention = True
    bound: BoundField = field
    return bound


def process_values(field: BoundField, values: list[str]) -> None:
    """Let a field read what its control has sent; a failure is one of its ``process_errors``."""
    values = foreign.without_hidden_input(field, values)
    try:
        field.process(MultiDict((field.name, value) for value in values), field.record.value)
    except Exception as error:
        log_failure(f"the control of {field.setting.key}", field.setting, error)
        field.data = None
        field.process_errors = [gettext("This can't be read: enter it in another way.")]


def find_misreading(setting: Setting, value: object, make: Callable[[], Any]) -> str:
    """Return why a value that a field of WTForms has read can't be meant; "" if it can.

    The field has to give it back, or its row could be changed no more.

    :param make: returns a field of the setting, without a value.
    """
    try:
        field = make()
        field.process(None, value)
        _send_back(field, make(), setting, value)
    except UnsupportedValue as error:
        return str(error)
    except Exception as error:
        log_failure(f"the control of {setting.key}", setting, error)
        return gettext(NOT_GIVEN_BACK)
    return ""


def show_value(field: BoundField, value: object) -> bool:
    """Let a field have a value, and return whether its control can show it; else it has the value
    in force.
    """
    try:
        field.process(None, value)
        if not field.process_errors:  # WTForms catches a ValueError of its fields
            return True
    except Exception as error:
        if not isinstance(error, ValueError):
            log_failure(f"the control of {field.setting.key}", field.setting, error)
    field.process(None, field.record.value)
    return False


def render_control(field: Any, given: Mapping[str, object]) -> Markup:
    """Return the HTML of a control, or what stands in its place if that fails.

    :param given: attributes, by their names in HTML.
    """
    if field.render_kw:
        given = {**{clean_key(name): field.render_kw[name] for name in field.render_kw}, **given}
    try:
        html = field.widget(field, **given)
    except Exception as error:
        return _render_failure(field, error)
    if type(html) is not Markup:
        html = escape(html)
    if foreign.needs_hidden_input(field):
        hidden = attributes({"type": "hidden", "name": field.name, "value": ""})
        html = Markup(f"<input{hidden}>") + html  # nosec B704 # its texts are escaped
    return html


def _render_failure(field: BoundField, error: Exception) -> Markup:
    """Return what stands in place of a control that could not be rendered."""
    log_failure(f"the control of {field.setting.key}", field.setting, error)
    field.editable, field.reason = False, gettext("Its control can't be made at the moment.")
    text = f"<output{attributes({'id': field.id})}>{escape(field.value_text)}</output>"
    return Markup(f'{text}<p class="wf-reason">{escape(field.reason)}</p>')  # nosec B704 # its texts are escaped


def _editor(
    setting: Setting, record: Record, source: Source | None, options: dict[str, object]
) -> tuple[object, str, str]:
    """Return the field with its value, its text for the merge, and why it can't be edited."""
    field = None
    try:
        field = make_field(source, setting, options)
        return field, _fill(field, setting, record, source, options), ""
    except UnsupportedValue as error:
        return field, "", str(error)
    except Exception as error:
        if isinstance(error, ValueError) and field is not None:  # it refuses its own text
            return field, "", gettext(NOT_GIVEN_BACK)
        log_failure(f"the control of {setting.key}", setting, error)
        return field, "", gettext("its control can't be made at the moment")


def _fill(
    field: Any, setting: Setting, record: Record, source: Source, options: dict[str, object]
) -> str:
    """Give a field its value, and return its text for the merge.

    :raises ValueError: an untouched control would not send the value back.
    """
    if isinstance(field, SettingField):
        field.load(record.value)
        if setting.secret:
            # The same without a row as with one that holds the default, in either format.
            text = record.clear_text
            if text is None or is_text_of(text, setting.default):
                return serialize(setting.default)
            return text
        return join_values(field.sent_values(field.text))
    field.process(None, record.value)
    trial = instantiate(source, setting, options)
    return join_values(_send_back(field, trial, setting, record.value))


def _send_back(field: Any, other: Any, setting: Setting, value: object) -> list[str]:
    """Return what a browser sends of a field of WTForms that nobody touches.

    :param other: a field of the same class, which reads it.
    :param value: that of the field.
    :raises UnsupportedValue: it is not read as the value.
    """
    values = foreign.sent_values(field)
    sent = foreign.without_hidden_input(other, values)
    if value is None and setting.optional and sent == [""]:
        return values  # the blank control stands for it
    other.process(MultiDict((other.name, each) for each in sent), field.data)
    is_read = not other.process_errors or foreign.forgives_blank(other)
    # A decimal may get other digits: 2.5 is 2.50.
    is_equal = type(value) is type(other.data) is Decimal and value == other.data
    if not (is_read and (is_equal or same(other.data, value))):
        raise UnsupportedValue(gettext(NOT_GIVEN_BACK))
    return values


def _static(
    setting: Setting, record: Record, editor: object, why: str, options: dict[str, object]
) -> StaticField:
    """Return the field that shows a value without a control.

    :param editor: the field that it stands in for.
    :param why: why that can't edit the value; blank if it only may not.
    """
    field = StaticField.in_form(setting, options)
    field.apply(setting)
    field.record, field.editor = record, editor
    field.quoted = getattr(editor, "quoted", foreign.is_text(setting))
    if why and not setting.secret:
        # A value that does not round trip is not what its control would show.
        field.value_text = generic_text(record.value)
    field.process(None, record.value)
    return field


def differs(setting: Setting, record: Record) -> bool:
    """Return whether a setting has another value than its default.

    Of a secret the stored texts are compared. A secret that somebody typed has a text of its own,
    so the page never reveals that a guess is the default.
    """
    if setting.secret:
        text = record.clear_text
        return text is not None and not is_text_of(text, setting.default)
    return record.served != "default" and not same(record.value, setting.default)
