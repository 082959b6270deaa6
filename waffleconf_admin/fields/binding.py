"""The field of a setting, bound to a form: the right class, its value, whether it can be edited."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from typing import Any

import wtforms
from markupsafe import Markup, escape
from werkzeug.datastructures import MultiDict
from wtforms.meta import DefaultMeta

from ..calls import describe_error
from ..codec import serialize
from ..i18n import gettext
from ..settings.equality import same
from ..settings.setting import Setting
from .base import NOT_GIVEN_BACK, LineField, SettingField, Unshown, describe, readable
from .basic import BooleanField
from .multiple import SeveralField
from .special import SecretField, StaticField, is_set
from .temporal import TimeField
from .widgets import attributes

log = logging.getLogger(__name__)

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")

#: Fields of WTForms that send nothing when nothing is ticked: a hidden input is sent before them.
SILENT = (wtforms.BooleanField, wtforms.SelectMultipleField)

#: A class for each way in which controls send a text.
WAYS = (SettingField, LineField, BooleanField, SeveralField, TimeField, wtforms.Field)


def bind(
    setting: Setting,
    record: Any,
    made: Any,
    *,
    name: str,
    reason: str = "",
    **place: Any,
) -> Any:
    """Return the bound field of a setting, with what a template and the merge want to know.

    :param record: what the database has, with ``value``.
    :param made: a field class or unbound field; None if there is none.
    :param name: of the control, in HTML.
    :param reason: why it may not be edited, where that is known already.
    :param place: ``_form``, ``_meta`` and ``_translations`` as WTForms fields take them.
    """
    place |= {"name": name, "id": identifier(setting.key)}
    kind, basis, why = attempt(setting, record, made, place)
    reason = reason or (why and gettext("It is changed from code: %(why)s.", why=why))
    field: Any = static(setting, record, place) if reason else kind
    field.setting, field.record = setting, record
    field.editable, field.reason, field.basis, field.theirs = not reason, reason, basis, None
    # What is not given back is not what its control would show.
    field.shown_text = "" if setting.secret else words(None if why else kind, record.value)
    field.default_text = "" if setting.secret else words(kind, setting.default)
    # Of text the end is seen by its quotes; numbers, dates and choices need none.
    field.quoted = getattr(kind, "control", "custom") in ("text", "textarea", "json", "custom")
    field.is_set = is_set(record.value)
    field.attention = record.problem is not None or getattr(kind, "has_former", False)
    field.differs = differs(setting, record)
    # What a save expects: of a secret its row, for a form has no need to hold its value.
    field.seen = record if setting.secret else record.value
    if isinstance(field, StaticField) and not setting.secret:
        field.text = field.shown_text
    if not isinstance(field, SettingField):
        field.control = "custom"
    return field


def attempt(
    setting: Setting, record: Any, made: Any, place: dict[str, Any]
) -> tuple[Any, str, str]:
    """Return the field with its value, the text of it for the merge, and why it can't be edited."""
    kind = None
    try:
        kind = unfilled(setting, made, place)
        return kind, fill(kind, setting, record, made, place), ""
    except Exception as error:
        if isinstance(error, Unshown):
            return kind, "", str(error)
        if isinstance(error, ValueError) and kind is not None:  # its text is nothing that it takes
            return kind, "", gettext(NOT_GIVEN_BACK)
        log_failure(f"the control of {setting.key}", setting, error)
        return kind, "", gettext("its control can't be made at the moment")


def unfilled(setting: Setting, made: Any, place: dict[str, Any]) -> Any:
    """Return the field of a setting, without a value.

    :raises Unshown: there is none.
    """
    if made is None:
        raise Unshown(
            gettext(
                "this page has no control for values of type %(type)s",
                type=setting.value_type.__name__,
            )
        )
    field = construct(made, setting, place)
    if setting.secret:
        if not isinstance(field, SettingField):
            raise Unshown(gettext("this page has no control for such a secret"))
        inner, field = field, construct(SecretField, setting, place)
        field.inner = inner
    return field


def fill(kind: Any, setting: Setting, record: Any, made: Any, place: dict[str, Any]) -> str:
    """Give a field its value, and return the text that its control shows of it, for the merge.

    :raises ValueError: the value would not come back unchanged.
    """
    if isinstance(kind, SettingField):
        if not kind.gives_back(record.value):
            raise Unshown(gettext(NOT_GIVEN_BACK))
        kind.process(None, record.value)
        if not setting.secret:
            return marked(kind.text, type(kind))
        # A row that is added with the default meanwhile changes nothing.
        return serialize(record.value) if record.text is None else record.text
    kind.process(None, record.value)
    raw = untouched(kind)
    probe = construct(made, setting, place)
    probe.process(MultiDict((probe.name, part) for part in raw), record.value)
    if probe.process_errors or not same(probe.data, record.value):
        raise Unshown(gettext(NOT_GIVEN_BACK))
    return marked(sent_text(raw, type(kind)), type(kind))


def differs(setting: Setting, record: Any) -> bool:
    """Whether a setting has another value than its default.

    Of a secret the texts say it. What people write has a text of its own, so nobody learns
    whether a guess is the default.
    """
    if setting.secret:
        return record.text is not None and record.text != serialize(setting.default)
    return not same(record.value, setting.default)


def unrendered(field: Any, error: Exception) -> Markup:
    """Return what stands where the control of a bound field could not be rendered."""
    log_failure(f"the control of {field.setting.key}", field.setting, error)
    why = gettext("its control can't be made at the moment")
    field.editable, field.reason = False, gettext("It is changed from code: %(why)s.", why=why)
    shown = f"<output{attributes({'id': field.id})}>{escape(field.shown_text)}</output>"
    return Markup(f'{shown}<p class="wf-reason">{escape(field.reason)}</p>')


def take(field: Any, raw: list[str]) -> None:
    """Let a bound field read what its control has sent."""
    if isinstance(field, SILENT) and raw[:1] == [""]:
        raw = raw[1:]
    try:
        field.process(MultiDict((field.name, part) for part in raw), field.record.value)
    except Exception as error:
        log_failure(f"the control of {field.setting.key}", field.setting, error)
        field.data = None
        field.process_errors = [gettext("This can't be read: write it in another way.")]


def sent_text(raw: list[str], kind: type) -> str:
    """Return as one text what the control of a field class has sent."""
    if issubclass(kind, SettingField):
        return kind.canonical(raw)
    if issubclass(kind, SILENT) and raw[:1] == [""]:
        raw = raw[1:]
    return "\0".join(SettingField.canonical([part]) for part in raw)


def marked(text: str, kind: type) -> str:
    """Return the text of a control, for the merge, with the way in which such controls send it."""
    way = kind.canonical.__qualname__ if issubclass(kind, SettingField) else "WTForms"
    return f"{way}\n{text}"


def other_texts(raw: list[str]) -> list[str]:
    """Return what each way to send a text makes of what was sent, marked.

    A deployment between page and submission may have given the setting another kind of control:
    so it is seen that nobody touched the one that the page had.
    """
    return [marked(sent_text(raw, kind), kind) for kind in WAYS]


def construct(made: Any, setting: Setting, place: dict[str, Any]) -> Any:
    """Return a field of a class, or of an unbound field, for a setting."""
    options = {"label": setting.label, "description": setting.help} | place
    if isinstance(made, type):
        field = made(**options, _prefix="")
    else:
        given = made.kwargs.keys() | ({"label"} if made.args else set())
        for option in ("label", "description", "id"):
            if option in given:
                del options[option]
        form, translations = options.pop("_form"), options.pop("_translations")
        field = made.bind(form=form, translations=translations, **options)
    if setting.validators:
        field.validators = [*field.validators, *setting.validators]
        for validator in setting.validators:
            for flag, value in getattr(validator, "field_flags", {}).items():
                setattr(field.flags, flag, value)
    if isinstance(field, SettingField):
        field.apply(setting)
    return field


def alone(setting: Setting, made: Any) -> Any:
    """Return the field of a setting that belongs to no form, without a value.

    :raises Unshown: there is none.
    """
    place = {"_form": None, "_meta": DefaultMeta(), "_translations": None}
    return unfilled(setting, made, place | {"name": setting.key, "id": setting.key})


def static(setting: Setting, record: Any, place: dict[str, Any]) -> StaticField:
    field = StaticField(**place, label=setting.label, description=setting.help, _prefix="")
    field.apply(setting)
    field.process(None, record.value)
    return field


def untouched(field: Any) -> list[str]:
    """Return what a browser sends of a field of WTForms that nobody touched."""
    if isinstance(field, wtforms.BooleanField):
        return [str(field._value())] if field.data else []
    if isinstance(field, wtforms.SelectField | wtforms.SelectMultipleField):
        choices = [(str(choice[0]), choice[2]) for choice in field.iter_choices()]
        chosen = [text for text, selected in choices if selected]
        # A select that has nothing selected shows, and sends, the first.
        falls_back = not isinstance(field, wtforms.RadioField | wtforms.SelectMultipleField)
        return chosen or ([choices[0][0]] if falls_back and choices else [])
    if not hasattr(field, "_value"):
        raise Unshown(
            gettext("this page can't hold a field of type %(type)s", type=type(field).__name__)
        )
    return [str(field._value())]


def words(kind: Any, value: Any) -> str:
    """Return a value in words, as its field has them, not longer than people read."""
    if isinstance(kind, SettingField):
        with suppress(Exception):  # whatever an app's own field raises for it
            return readable(kind.display(value))
    return describe(value)


def identifier(key: str) -> str:
    """Return the id of a control: valid in HTML whatever the key has, and different for each."""
    return "waffle-" + _NOT_IN_IDS.sub(lambda found: f".{ord(found[0]):x}.", key)


def log_failure(what: str, setting: Setting, error: Exception) -> None:
    """Log what an app's own code has raised; of a secret without the message, which may hold it."""
    if setting.secret:
        log.error("%s has failed with %s", what, describe_error(error))
    else:
        log.error("%s has failed", what, exc_info=error)
