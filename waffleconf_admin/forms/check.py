"""The check of one field: its validators, and what its setting declares."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Any

from wtforms.form import BaseForm

from ..fields import binding
from ..i18n import gettext, mark

UNCHECKED = mark("This could not be checked, so it is not saved; the log of the site says why.")
NOT_ACCEPTED = mark("This value is not accepted.")


def check(form: BaseForm, field: Any, extra_validators: Iterable[Any] = ()) -> None:
    """Run a field's validators and hold it to what is declared; its ``errors`` say the result.

    What a validator says by a ValidationError is said as it is, of a secret too.
    """
    setting, validators = field.setting, field.validators
    field.validators = [partial(setting.call, validator) for validator in validators]
    try:
        field.validate(form, [partial(setting.call, validator) for validator in extra_validators])
    except ValueError as error:
        # Not a ValidationError, so it may be Python's own, and those quote what they refuse.
        message = gettext(NOT_ACCEPTED) if setting.secret else str(error)
        field.errors = [*field.errors, message]
    except Exception as error:
        binding.log_failure(f"a validator of {setting.key}", setting, error)
        field.errors = [*field.errors] or [gettext(UNCHECKED)]
    finally:
        field.validators = validators
    if not field.errors and (problem := setting.problem(field.data)):
        field.errors = [problem]
