"""Validation of the fields of a form, and the messages beside them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from wtforms.form import BaseForm

from ..fields.binding import BoundField
from ..fields.factory import log_failure
from ..i18n import gettext, mark
from ..settings.notation import PYTHON

UNCHECKED = mark("This could not be checked, so it is not saved; the log of the site says why.")
NOT_ACCEPTED = mark("This value is not accepted.")
OVERTAKEN = mark("This was changed since you opened the page. Choose the value to save.")
UNDECIDED = mark("Nothing is saved yet: choose “Keep what is saved” or “Use mine”.")
AGAIN = mark("Nothing is saved yet, and a secret is not shown: enter it again.")


def validate_field(
    form: BaseForm, field: BoundField, extra_validators: Iterable[object] = ()
) -> None:
    """Run a field's validators, then check what is declared; its ``errors`` say the result.

    The message of a ValidationError is taken as it is, of a secret too.
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
        log_failure(f"a validator of {setting.key}", setting, error)
        field.errors = [*field.errors] or [gettext(UNCHECKED)]
    finally:
        field.validators = validators
    notation = getattr(form.meta, "notation", PYTHON)
    if not field.errors and (problem := setting.problem(field.data, notation)):
        field.errors = [problem]


def mark_conflict(field: BoundField, *, undecided: bool) -> None:
    """Show beside a field what somebody else has saved meanwhile.

    :param undecided: whether the page has asked for a choice before, and got none.
    """
    field.conflict_text = field.value_text
    field.errors = [*field.errors, gettext(UNDECIDED if undecided else OVERTAKEN)]


def ask_again(fields: Iterable[BoundField]) -> None:
    """Say of typed secrets that they have to be typed again: no page sends them back."""
    for field in fields:
        if field.setting.secret and not (field.errors or getattr(field, "clearing", False)):
            field.errors = [gettext(AGAIN)]
