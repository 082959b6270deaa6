"""The check of one field: its validators, and what its setting declares."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..fields import bound

if TYPE_CHECKING:
    from .form import SettingsForm

UNCHECKED = "This could not be checked, so it is not saved; the log of the site says why."
NOT_ACCEPTED = "This value is not accepted."


def check(form: SettingsForm, field: Any, extra_validators: Iterable[Any] = ()) -> None:
    """Run a field's validators and hold it to what is declared; its ``errors`` say the result."""
    setting = field.setting
    try:
        field.validate(form, extra_validators)
    except ValueError as error:
        field.errors = [*field.errors, str(error)]
    except Exception as error:
        bound.log_failure(f"a validator of {setting.key}", setting, error)
        field.errors = [*field.errors] or [UNCHECKED]
    if not field.errors and (problem := setting.problem(field.data)):
        field.errors = [problem]
    if setting.secret:
        field.errors = [_without(field.raw_data, message) for message in field.errors]


def _without(raw: list[str] | None, message: Any) -> Any:
    """The message, unless it repeats the secret that was typed."""
    typed = [text for text in raw or () if text]
    return NOT_ACCEPTED if any(text in str(message) for text in typed) else message
