"""FormFields: the fields of a form, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms.form import BaseForm

from ..contexts import context_of
from ..fields import FieldFactory, choose_source
from ..fields.binding import BoundField, Record, bind_field, render_failure
from ..fields.factory import Source
from ..fields.foreign import may_send_nothing, needs_hidden_input
from ..fields.widgets import attributes
from ..i18n import gettext
from ..settings.setting import Setting
from .submission import Names


class FormFields(Mapping[str, BoundField]):
    """The fields of a form by key, each made when it is asked for: of a large form few are.

    :param form: the form that they belong to.
    :param settings: the settings of the form.
    :param records: what the database has of them.
    :param table: the field classes by type of value.
    :param reasons: why a setting may not be edited, untranslated; blank where it may.
    """

    def __init__(
        self,
        form: BaseForm,
        settings: Mapping[str, Setting],
        records: Mapping[str, Record],
        table: Mapping[type, FieldFactory],
        reasons: Mapping[str, str],
    ) -> None:
        self.settings = settings
        self.made: dict[str, BoundField] = {}
        #: What WTForms passes to each field of a form.
        self.options = {
            "_form": form,
            "_meta": form.meta,
            "_translations": form.meta.get_translations(form),
        }
        self._app = current_app._get_current_object()  # type: ignore[attr-defined]
        self._records = dict(records)
        self._table = table
        self._reasons = reasons
        self._name_of = Names()
        self._sources: dict[str, Source | None] = {}

    def __getitem__(self, key: str) -> BoundField:
        field = self.made.get(key)
        if field is None:
            field = self.made[key] = self._make(self.settings[key])
        return field

    def __contains__(self, key: object) -> bool:
        return key in self.settings

    def __iter__(self) -> Iterator[str]:
        return iter(self.settings)

    def __len__(self) -> int:
        return len(self.settings)

    def reason(self, key: str) -> str:
        """Return why a setting may not be edited; blank where it may."""
        return gettext(self._reasons[key]) if self._reasons[key] else ""

    def may_send_nothing(self, key: str) -> bool:
        """Whether a browser leaves out the control of a setting where nothing is ticked."""
        source = self._source(key)
        if self.settings[key].secret or source is None:
            return False
        return may_send_nothing(source if isinstance(source, type) else source.field_class)

    def renew(self, key: str, record: Record) -> BoundField:
        """Return a new field of a setting, for what the database has now."""
        self._records[key] = record
        self.made.pop(key, None)
        return self[key]

    def _source(self, key: str) -> Source | None:
        if key not in self._sources:
            self._sources[key] = choose_source(self.settings[key], self._table)
        return self._sources[key]

    def _make(self, setting: Setting) -> BoundField:
        key = setting.key
        with context_of(self._app):
            return bind_field(
                setting,
                self._records[key],
                self._source(key),
                name=self._name_of(key),
                reason=self.reason(key),
                **self.options,
            )


class Meta(FlaskForm.Meta):
    """WTForms' options: Flask-WTF's, with the CSRF token left to a form beside this one."""

    csrf = False

    def render_field(self, field: Any, render_kw: dict[str, object]) -> Markup:
        try:
            html: Markup = super().render_field(field, render_kw)
        except Exception as error:
            if not hasattr(field, "record"):  # a part of another field, which fails as a whole
                raise
            return render_failure(field, error)
        if needs_hidden_input(field):
            hidden = attributes({"type": "hidden", "name": field.name, "value": ""})
            html = Markup(f"<input{hidden}>") + html
        return html
