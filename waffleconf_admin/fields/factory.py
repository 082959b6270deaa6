"""How the field of a setting is made: a class or an unbound field, with what is declared."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from typing import Any

from wtforms.meta import DefaultMeta

from ..calls import describe_error
from ..i18n import gettext
from ..settings.notation import PYTHON, Notation
from ..settings.setting import Setting
from .base import SettingField
from .secret import SecretField
from .value_text import UnsupportedValue

log = logging.getLogger(__name__)

#: What a field is made of: a field class, or an unbound field of WTForms, which has arguments.
Source = Any

_NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_-]")


def make_field(source: Source | None, setting: Setting, options: dict[str, object]) -> object:
    """Return the field of a setting, without a value.

    :param source: None if there is no field for values of its type.
    :param options: arguments of the field: ``name``, ``id``, ``_form``, ``_meta`` and
        ``_translations``.
    :raises UnsupportedValue: the setting can't have a field; the message says why.
    """
    if source is None:
        raise UnsupportedValue(
            gettext(
                "this page has no control for values of type %(type)s",
                type=setting.value_type.__name__,
            )
        )
    if not setting.secret:
        return instantiate(source, setting, options)
    if not issubclass(source if isinstance(source, type) else source.field_class, SettingField):
        raise UnsupportedValue(gettext("this page has no control for such a secret"))
    secret: SecretField = instantiate(SecretField, setting, options)
    secret.make_inner = partial(instantiate, source, setting, options)
    if setting.choices is not None:
        _ = secret.inner  # a function of choices may fail, and then there is no control
    return secret


def standalone_field(
    setting: Setting, source: Source | None, notation: Notation = PYTHON
) -> object:
    """Return the field of a setting that belongs to no form, without a value.

    :param notation: how it writes and reads numbers.
    :raises UnsupportedValue: as `make_field` does.
    """
    meta = DefaultMeta()
    meta.notation = notation
    options = {"_form": None, "_meta": meta, "_translations": None}
    return make_field(source, setting, options | {"name": setting.key, "id": setting.key})


def instantiate(source: Source, setting: Setting, options: dict[str, object]) -> Any:
    """Return a field with the label, the help and the validators of a setting."""
    field: Any
    if isinstance(source, type) and issubclass(source, SettingField):
        field = source.in_form(setting, options)
    elif isinstance(source, type):
        field = source(label=setting.label, description=setting.help, _prefix="", **options)
    else:
        options = {"label": setting.label, "description": setting.help} | options
        given = source.kwargs.keys() | ({"label"} if source.args else set())
        for option in ("label", "description", "id"):
            if option in given:
                del options[option]
        form, translations = options.pop("_form"), options.pop("_translations")
        field = source.bind(form=form, translations=translations, **options)
    if setting.validators:
        field.validators = [*field.validators, *setting.validators]
        for validator in setting.validators:
            for flag, value in getattr(validator, "field_flags", {}).items():
                setattr(field.flags, flag, value)
    if isinstance(field, SettingField):
        field.apply(setting)
    return field


@lru_cache(10_000)
def field_id(key: str) -> str:
    """Return the id of a control: valid in HTML, and different for each key."""
    return "waffle-" + _NOT_IN_IDS.sub(lambda found: f".{ord(found[0]):x}.", key)


@contextmanager
def reporting_failures(setting: Setting) -> Iterator[None]:
    """Log what the app's own code raises while the field of a setting is made, and say so.

    :raises UnsupportedValue: it has raised something; the message has nothing of it.
    """
    try:
        yield
    except UnsupportedValue:
        raise
    except Exception as error:  # of a function of choices, for example
        log_failure(f"the control of {setting.key}", setting, error)
        why = gettext("its control can't be made at the moment")
        raise UnsupportedValue(why) from (None if setting.secret else error)


def log_failure(what: str, setting: Setting, error: Exception) -> None:
    """Log what an app's own code has raised; of a secret without the message, which may hold it."""
    if setting.secret:
        log.error("%s has failed with %s", what, describe_error(error))
    else:
        log.error("%s has failed", what, exc_info=error)
