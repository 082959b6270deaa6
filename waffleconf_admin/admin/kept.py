"""Kept: the rows of the page as they were rendered last, for settings that stayed as they were.

A row costs fifty times as much to render as to compare, and a page has a thousand of them.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from flask import Flask, current_app
from markupsafe import Markup

from ..forms import SettingsForm
from ..forms.form import NO_RIGHT, READ_ONLY
from ..i18n import gettext as _
from ..i18n import language
from ..settings import value_types
from ..settings.setting import Setting
from .permissions import Rights

#: Languages whose rows are kept, of those that were used last.
LANGUAGES = 4

#: For which setting and whom a row is: its key, whether it may be edited, and its history seen.
Place = tuple[str, bool, bool]


class Kept(NamedTuple):
    """A row, and all that it depends on besides its place."""

    setting: Setting
    text: str | None  #: as it is stored
    words: tuple[str, ...]  #: of the declaration, where they may be others each time
    editable: bool
    differs: bool
    attention: bool
    basis: str | None  #: the text of the control for the merge; None: there is no control
    html: Markup


class Row:
    """Stands for a field whose row is kept; the field is made when somebody wants more of it."""

    hidden = False
    errors: tuple[str, ...] = ()

    def __init__(self, form: SettingsForm, kept: Kept) -> None:
        self.form = form
        self.kept = kept
        self.setting = kept.setting
        self.editable = kept.editable
        self.differs = kept.differs
        self.attention = kept.attention

    def __getattr__(self, name: str) -> Any:
        return getattr(self.form[self.setting.key], name)

    def __call__(self, **attributes: Any) -> Any:
        return self.form[self.setting.key](**attributes)

    def __iter__(self) -> Any:
        return iter(self.form[self.setting.key])


class Keeper:
    """The rows kept for the apps of one blueprint: the last ones in a few languages.

    :param own: the types that the blueprint has fields of the app's own for.
    """

    def __init__(self, own: Container[type]) -> None:
        self._own = own
        self._apps: WeakKeyDictionary[Flask, dict[str, dict[Place, Kept]]] = WeakKeyDictionary()

    def rows(self) -> dict[Place, Kept]:
        """Return the rows of the current app in the reader's language; none where templates may
        change.
        """
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        if app.jinja_env.auto_reload:
            return {}
        languages = self._apps.setdefault(app, {})
        here = language()
        languages[here] = rows = languages.pop(here, {})  # the last one used comes last
        for former in list(languages)[:-LANGUAGES]:
            languages.pop(former, None)
        return rows

    def keep(self, rows: dict[Place, Kept], field: Any, rights: Rights, html: Markup) -> None:
        """Keep the row of a field that nobody has touched, unless there is more to it than `Kept`
        has.
        """
        setting, record = field.setting, field.record
        if self._is_steady(field):
            basis = field.basis if field.editable else None
            state = (field.editable, field.differs, field.attention)
            rows[place(setting, rights)] = Kept(
                setting, record.text, _words(setting), *state, basis, html
            )

    def _is_steady(self, field: Any) -> bool:
        """Whether no code of the app's has a say in its row, and nothing has failed."""
        setting = field.setting
        choices = setting.choices
        if setting.field is not None or setting.validators or callable(choices):
            return False
        if any(base in self._own for base in value_types.bases(setting.value_type)):
            return False
        if field.reason not in ("", _(READ_ONLY), _(NO_RIGHT)):
            return False
        texts = [text for _value, *texts in choices or () for text in texts if text is not None]
        return all(type(text) is str for text in texts)


def place(setting: Setting, rights: Rights) -> Place:
    return setting.key, rights.may_edit(setting), rights.allows("history", setting)


def find(rows: Mapping[Place, Kept], setting: Setting, record: Any, rights: Rights) -> Kept | None:
    """Return the row of a setting if nothing has changed that it depends on."""
    kept = rows.get(place(setting, rights))
    if kept is None or kept.setting is not setting or kept.text != record.text:
        return None
    return kept if kept.words == _words(setting) else None


def _words(setting: Setting) -> tuple[str, ...]:
    if type(setting.label) is str and type(setting.help) is str:
        return ()
    return str(setting.label), str(setting.help)
