"""The check of one field: its validators, and what its setting declares."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..fields import bound
from ..words import gettext, mark

if TYPE_CHECKING:
    from .form import SettingsForm

UNCHECKED = mark("This could not be checked, so it is not saved; the log of the site says why.")
NOT_ACCEPTED = mark("This value is not accepted.")

#: So many characters of a secret in a row give it away, or all of one that is shorter.
TELLING = 6


def check(form: SettingsForm, field: Any, extra_validators: Iterable[Any] = ()) -> None:
    """Run a field's validators and hold it to what is declared; its ``errors`` say the result."""
    setting, validators = field.setting, field.validators
    field.validators = [partial(setting.call, validator) for validator in validators]
    try:
        field.validate(form, [partial(setting.call, validator) for validator in extra_validators])
    except ValueError as error:
        field.errors = [*field.errors, str(error)]
    except Exception as error:
        bound.log_failure(f"a validator of {setting.key}", setting, error)
        field.errors = [*field.errors] or [gettext(UNCHECKED)]
    finally:
        field.validators = validators
    if not field.errors and (problem := setting.problem(field.data)):
        field.errors = [problem]
    if setting.secret:
        field.errors = without(field.errors, (field.raw_data or [])[:1])


def without(messages: Iterable[Any], secrets: Iterable[str]) -> list[Any]:
    """Return messages, but for those that repeat a secret, or enough of it to give it away."""
    told = [text.lower() for text in secrets if text.strip()]
    instead = gettext(NOT_ACCEPTED)
    return [instead if _tells(str(message).lower(), told) else message for message in messages]


def _tells(message: str, secrets: Iterable[str]) -> bool:
    runs = {message[start : start + TELLING] for start in range(len(message) - TELLING + 1)}
    return any(
        text in message if len(text) <= TELLING else any(run in text for run in runs)
        for text in secrets
    )
