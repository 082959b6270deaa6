"""Rows: the HTML of each setting on the settings page. A page may have a thousand."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Protocol
from urllib.parse import quote

from flask import url_for
from markupsafe import Markup, escape

from ..fields import SettingField
from ..fields.binding import BoundField
from ..fields.widgets import attributes, escape_text
from ..i18n import gettext as _
from ..i18n import mark
from .controls import Controls
from .found_settings import FoundSettings
from .notes import Notes, PageNotes
from .search import CLOSE, NONE
from .submission import ACTION
from .texts import anchor

_TEXTS = {
    "default": mark("default"),
    "history": mark("History"),
    "modified": mark("Modified"),
    "reset": mark("Reset"),
}


class Macros(Protocol):
    """The template's macros for what few rows have."""

    def notes(self, notes: Notes) -> str:
        """Return what is to be said of a setting besides its help."""

    def versus(self, notes: Notes, mine: str) -> str:
        """Return a conflict: the value that was saved meanwhile, and the control."""


class PageRows:
    """Makes the rows of one page, and holds what is the same for all of them.

    :param notes: makes those of the rows.
    :param found: what the filter of the page finds.
    :param history: those settings whose history this user may see.
    :param focused: the key of the setting whose control has the focus at first; None: of none.
    """

    def __init__(
        self,
        notes: PageNotes,
        found: FoundSettings,
        history: Container[str],
        focused: str | None,
    ) -> None:
        self.notes = notes
        self.controls = Controls(notes.form.notation, focused)
        #: What many rows say, translated once.
        self.texts = {name: escape_text(_(text)) for name, text in _TEXTS.items()}
        self.history = history
        self.history_url = escape(url_for(".history", key=""))
        self.found = found
        #: How well each setting matches a search, and where it is without one.
        self.ranks = found.ranks if found.search else {}
        self.places = {key: place for place, key in enumerate(self.ranks)}

    def __call__(self, fields: Iterable[BoundField], macros: Macros) -> Markup:
        """Return the rows of fields."""
        return Markup("".join([Row(field, self).html(macros) for field in fields]))  # nosec B704 # its texts are escaped


class Row:
    """One setting on the page: what it is on the left, its control on the right.

    :param field: that of the setting.
    :param rows: those of the page.
    """

    def __init__(self, field: BoundField, rows: PageRows) -> None:
        self._field, self._key, self._rows = field, field.setting.key, rows
        self._notes = rows.notes(field)

    def html(self, macros: Macros) -> str:
        """Return the row.

        :param macros: those of the template.
        """
        field, notes, said, errors = self._field, self._notes, "", ""
        name = self._name()  # before the control, whose failure makes a field uneditable
        value = self._rows.controls(field, "" if field.editable else notes.reason)
        if field.differs and not notes.is_unsaved:
            said = self._modified()
        if notes:
            said = f"{said}{macros.notes(notes)}"
            if notes.conflict:
                value = macros.versus(notes, Markup(value))  # nosec B704 # its texts are escaped
            if field.errors:
                texts = "".join(f"<p>{escape_text(text)}</p>" for text in field.errors)
                id_ = escape_text(field.id)
                errors = f'<div class="wf-errors" id="{id_}-errors">{texts}</div>'
        return (
            f"<div{self._attributes()}><div>{name}{said}</div>"
            f'<div class="wf-value">{value}{errors}</div></div>\n'
        )

    def _modified(self) -> str:
        """Return the line about a value that differs from the default."""
        field, setting, texts = self._field, self._field.setting, self._rows.texts
        default = change = reset = ""
        if not setting.secret:
            value = escape_text(self._notes.quoted(field.default_text))
            default = f" <span>{texts['default']} {value}</span>"
        if latest := self._notes.change:
            who = f'title="{texts["history"]}">{escape_text(latest)}'
            change = f'<a href="{self._history_url}" {who}</a> '
        if field.resettable:
            label = f'<span class="wf-hidden"> {escape_text(setting.label)}</span>'
            reset = f"<button{self._reset_attributes()}>{texts['reset']}{label}</button>"
        return (
            f'<p class="wf-meta"><strong>{texts["modified"]}</strong>{default} '
            f'<span class="wf-acts">{change}{reset}</span></p>'
        )

    def _name(self) -> str:
        """Return the label, the key with its links, and the help."""
        field, rows, key = self._field, self._rows, self._key
        label, help_ = field.setting.label, field.setting.help
        key_text: object = key
        rank = rows.ranks.get(key, NONE)
        if rank < NONE:
            highlight, is_close = rows.found.search.mark, rank >= CLOSE
            label, key_text = highlight(label, close=is_close), highlight(key, close=is_close)
            help_ = help_ and highlight(help_)
        label, id_ = escape_text(label), escape_text(field.id)
        # Several inputs have a label each.
        is_label = field.editable and not field.is_group
        html = f'<label for="{id_}">{label}</label>' if is_label else f"<strong>{label}</strong>"
        html += (
            f' <a class="wf-key" tabindex="-1" href="#{anchor(key)}">{escape_text(key_text)}</a>'
        )
        if key in rows.history:
            link = f'href="{self._history_url}" tabindex="-1"'
            html += f' <a class="wf-row-history" {link}>{rows.texts["history"]}</a>'
        if help_:
            html += f'<p class="wf-help" id="{id_}-help">{escape_text(help_)}</p>'
        return html

    def _attributes(self) -> str:
        """Return the attributes of the row."""
        field, setting, rows = self._field, self._field.setting, self._rows
        css = "wf-row" if field.control == "text" else f"wf-row wf-is-{field.control}"
        if field.quoted:
            css += " wf-quoted"
        if field.limits_beside:
            css += " wf-beside"
        if field.multiline:
            css += " wf-wide"
        if field.differs:
            css += " wf-differs"
        if field.attention:
            css += " wf-attention"
        if self._key in rows.found.outside:
            css += " wf-out"
        given: dict[str, object] = {}
        if field.hidden:
            given["hidden"] = True
        if setting.keywords or setting.was:
            given["data-keywords"] = setting.search_words
        if rows.places:  # whose order of rows is not that of the page
            given["data-place"] = rows.places[self._key]
        if self._notes.is_unsaved:
            css += " wf-unsaved wf-invalid" if field.errors else " wf-unsaved"
            # The script discards by it. In a conflict no value is the one to go back to.
            if self._notes.conflict:
                css += " wf-conflict"
            else:
                stored = "" if setting.secret else control_text(field, field.record.value)
                given["data-stored"] = stored
        return f' class="{css}" id="{escape_text(self._key)}"{attributes(given) if given else ""}'

    @property
    def _history_url(self) -> str:
        """The address of its history."""
        return self._rows.history_url + quote(self._key)

    def _reset_attributes(self) -> str:
        """The attributes of the button that resets the setting; the script needs the default."""
        setting = self._field.setting
        default = control_text(self._field, setting.default)
        given = {"class": "wf-link wf-reset", "name": ACTION, "value": f"reset {setting.key}"}
        return attributes({**given, "formnovalidate": True, "data-default": default})


def control_text(field: BoundField, value: object) -> str | None:
    """Return the text that puts a value into the control of a field; None if no text can."""
    return field.control_text(value) if isinstance(field, SettingField) else None
