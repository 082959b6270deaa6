"""FormFields: the fields of a form, each made when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Any

from flask import current_app
from flask_wtf import FlaskForm
from markupsafe import Markup
from wtforms.form import BaseForm
from wtforms.widgets.core import clean_key

from ..calls import await_result
from ..contexts import context_of
from ..fields import FieldFactory, SettingField, choose_source
from ..fields.binding import BoundField, bind_field, find_misreading, render_control
from ..fields.factory import Source, field_id, make_field
from ..fields.foreign import may_send_nothing
from ..i18n import gettext, mark
from ..settings.notation import PYTHON, Notation
from ..settings.record import Record
from ..settings.setting import Setting
from .submission import ControlNames

NO_RIGHT = mark("You may see this setting, not change it.")
READ_ONLY = mark("This setting is read-only.")

#: Reads the records of settings by their keys.
ReadRecords = Callable[[Collection[str]], Mapping[str, Record]]


class FormFields(Mapping[str, BoundField]):
    """The fields of a form by key, each made when it is asked for: of a large form few are.

    :param form: the form that they belong to.
    :param settings: the settings of the form.
    :param read: returns what the database has of some of them, perhaps of others too.
    :param table: the field classes by type of value.
    :param editable: whether a setting may be changed: only True allows it, as of `can`; the others
        are shown.
    """

    def __init__(
        self,
        form: BaseForm,
        settings: Mapping[str, Setting],
        read: ReadRecords,
        table: Mapping[type, FieldFactory],
        editable: Callable[[Setting], bool],
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
        self._read = read
        self._records: Mapping[str, Record] = {}
        self._loaded: set[str] = set()
        self._table = table
        self._editable = editable
        self._reasons: dict[str, str] = {}
        self._name_of = ControlNames()
        self._sources: dict[str, Source | None] = {}

    def __getitem__(self, key: str) -> BoundField:
        if key not in self.made:
            with context_of(self._app):
                self._make(key, self._record(key))
        return self.made[key]

    def __contains__(self, key: object) -> bool:
        return key in self.settings

    def __iter__(self) -> Iterator[str]:
        return iter(self.settings)

    def __len__(self) -> int:
        return len(self.settings)

    def all(self) -> list[BoundField]:
        """Return all fields, in the order of the settings."""
        with context_of(self._app):
            for key in self.settings:
                if key not in self.made:
                    self._make(key, self._record(key))
        return [self.made[key] for key in self.settings]

    def load(self, keys: Collection[str]) -> None:
        """Read the records of settings at once; else those of all are read when one is needed."""
        if not self._loaded.issuperset(keys):
            self._records, self._loaded = self._read(keys), set(keys)

    def reason(self, key: str) -> str:
        """Return why a setting may not be edited; blank where it may."""
        reason = self._reasons.get(key)
        if reason is None:
            reason = self._reasons[key] = self._find_reason(self.settings[key])
        return reason

    def may_send_nothing(self, key: str) -> bool:
        """Whether a browser leaves out the control of a setting where nothing is ticked."""
        source = self._source(key)
        if self.settings[key].secret or source is None:
            return False
        return may_send_nothing(source if isinstance(source, type) else source.field_class)

    def find_misreading(self, key: str) -> str:
        """Return why the value that a field of WTForms has read can't be meant; "" if it can."""
        field, source = self[key], self._source(key)
        if isinstance(field, SettingField):
            return ""
        options = {**self.options, "name": field.name, "id": field.id}
        make = partial(make_field, source, field.setting, options)
        return find_misreading(field.setting, field.data, make)

    def renew(self, key: str, record: Record) -> BoundField:
        """Return a new field of a setting, for what the database has now."""
        with context_of(self._app):
            self._make(key, record)
        return self.made[key]

    def _record(self, key: str) -> Record:
        if key not in self._loaded:
            self.load(self.settings)
        return self._records[key]

    def _find_reason(self, setting: Setting) -> str:
        if setting.environment is not None:
            return setting.environment.reason
        if setting.readonly:
            return gettext(READ_ONLY)
        may: object = self._editable(setting)
        if may is not True:
            may = await_result(self._app, self._editable, may)
        return "" if may is True else gettext(NO_RIGHT)

    def _source(self, key: str) -> Source | None:
        if key not in self._sources:
            self._sources[key] = choose_source(self.settings[key], self._table)
        return self._sources[key]

    def _make(self, key: str, record: Record) -> None:
        """Make the field of a setting; to be called in the app's context."""
        options = {**self.options, "name": self._name_of(key), "id": field_id(key)}
        self.made[key] = bind_field(
            self.settings[key],
            record,
            self._source(key),
            options,
            self.reason(key),
        )


class Meta(FlaskForm.Meta):
    """WTForms' options: Flask-WTF's, with the CSRF token left to a form beside this one."""

    csrf = False
    notation: Notation = PYTHON  #: how the fields write and read numbers

    def render_field(self, field: Any, render_kw: dict[str, object]) -> Markup:
        if not hasattr(field, "record"):  # a part of another field, which fails as a whole
            html: Markup = super().render_field(field, render_kw)
            return html
        return render_control(field, {clean_key(name): render_kw[name] for name in render_kw})
