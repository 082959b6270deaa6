"""Form: the settings of an app as a form for its views, and as texts for its commands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import EllipsisType

from flask import has_request_context, request
from werkzeug.datastructures import MultiDict

from .. import forms
from ..contexts import context_of
from ..fields import FieldFactory
from ..forms import SettingsForm
from ..forms.form_fields import ReadRecords
from ..forms.guard import Guard, refusal
from ..forms.values import get_settings
from ..settings.record import Record
from ..settings.setting import Setting
from .former_names import answering
from .state import State


def build_form(
    state: State,
    *,
    keys: Iterable[str] | None = None,
    editable: Callable[[Setting], bool] = lambda setting: True,
    fields: Mapping[type, FieldFactory] | None = None,
    formdata: MultiDict[str, str] | EllipsisType | None = ...,
    records: Mapping[str, Record] | ReadRecords | None = None,
    guard: Guard | None = None,
) -> SettingsForm:
    """Return a form of the app's settings, for a view.

    :param state: the app's state, ``app.extensions["waffleconf"]``.
    :param keys: which settings, or the one; all as a rule. The form has them by their
        present names.
    :param editable: which of them may be changed, asked when a field is made: only True allows it,
        as of `can`; the others are displayed only.
    :param fields: ``{type: field class, or function of the Setting}``, besides our own.
    :param formdata: what was sent; as a rule (``...``) that of the current request, if it is a
        POST, PUT or PATCH. None: a form to be displayed.
    :param records: what ``state.read()`` gave, if it was called already; or a function that reads
        settings by their keys. It is called with those that somebody has changed, and with all when
        others are needed, as to display the form.
    :param guard: of the CSRF token, if what was sent was checked already.
    :raises InvalidValue: one of the keys is not declared.
    :raises StoreError: the database can't be read.
    :raises RuntimeError: CSRF protection is on and the app has no SECRET_KEY.
    """
    declared = state.settings
    keys = [keys] if isinstance(keys, str) else keys
    wanted = declared if keys is None else state.names.keys_of(keys, "in a form")
    settings = get_settings(declared, wanted)
    if isinstance(formdata, EllipsisType):
        sends = has_request_context() and request.method in ("POST", "PUT", "PATCH")
        formdata = request.form if sends else None
    with context_of(state.app):
        if guard is None and has_request_context():
            guard = Guard(refusal(formdata))
        return SettingsForm(
            answering(settings, state.names),
            state.read(settings) if records is None else records,
            editable=editable,
            fields=fields,
            formdata=formdata,
            guard=guard,
            former=state.names.former,
        )


def parse_text(state: State, key: str, text: str) -> object:
    """Return the value of a text that was typed for a setting, read as the page reads it.

    :raises InvalidValue: the setting is not declared, or the text is none of its values.
    """
    with context_of(state.app):
        return forms.parse_text(state.settings, key, text, state.app.config)
