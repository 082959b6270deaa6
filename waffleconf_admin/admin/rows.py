"""Rows: what the settings page shows of each setting, made for its template."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from functools import cached_property
from typing import Protocol
from urllib.parse import quote

from flask import url_for
from markupsafe import Markup, escape

from ..fields import SettingField
from ..fields.base import display_text, is_set
from ..fields.binding import BoundField
from ..fields.widgets import attributes, escape_text
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import mark
from ..settings.copied import RESTART
from ..settings.environment import SET_BY
from ..state.change import Change
from .conflicts import Conflict
from .controls import Controls
from .found_settings import FoundSettings
from .needs import unmet_needs
from .search import CLOSE, NONE
from .submission import ACTION
from .texts import anchor, relative_time

OVERRIDDEN = mark("A test overrides it. What is saved takes effect when the test ends.")
NOT_IN_USE = mark("Stored, and not in use: %(value)s.")

#: Characters of a value in a sentence.
SHORT = 40

_TEXTS = {
    "default": mark("default"),
    "empty": mark("empty"),
    "history": mark("History"),
    "is_set": mark("set"),
    "modified": mark("Modified"),
    "not_set": mark("not set"),
    "reset": mark("Reset"),
    "restart": RESTART,
}


class Macros(Protocol):
    """The template's macros for what few rows have."""

    def notes(self, row: Row) -> str:
        """Return what is to be said of a setting besides its help."""

    def versus(self, row: Row, mine: str) -> str:
        """Return a conflict: the value that was saved meanwhile, and the control."""


class Rows:
    """Makes the rows of one page, and holds what is the same for all of them.

    :param form: of the page.
    :param conflicts: what is to be said of the conflicts of the form, by key.
    :param latest: the last change of a setting, by key.
    :param history: those settings whose history this user may see.
    :param found: what the filter of the page finds.
    :param ends: when a setting goes back, in a sentence, by key.
    :param moved: the entries of the moved defaults to be marked, by key.
    :param restart: returns which processes run with a former value of a setting; None: none.
    """

    def __init__(
        self,
        form: SettingsForm,
        conflicts: Mapping[str, Conflict],
        latest: Mapping[str, Change],
        history: Container[str],
        found: FoundSettings,
        ends: Mapping[str, str],
        moved: Mapping[str, Change],
        restart: Callable[[str], str | None],
    ) -> None:
        self.ends = ends
        self.restart = restart
        self.moved = moved
        self.unsaved = {*form.errors, *form.changes, *form.conflicts}
        self.conflicts = conflicts
        self.is_reset, self.is_converted = form.is_reset, form.is_converted
        self.latest = latest
        self.controls = Controls(form.notation)
        self.history = history
        self.history_url = escape(url_for(".history", key=""))
        self.found = found
        #: How well each setting matches a search, and where it is without one.
        self.ranks = found.ranks if found.search else {}
        self.places = {key: place for place, key in enumerate(self.ranks)}
        self.needs = unmet_needs(form)
        #: What many rows say, translated once.
        self.texts = {name: escape_text(_(text)) for name, text in _TEXTS.items()}

    def __call__(self, fields: Iterable[BoundField], macros: Macros) -> Markup:
        """Return the rows of fields."""
        return Markup("".join([Row(field, self).html(macros) for field in fields]))  # nosec B704 # its texts are escaped


class Row:
    """One setting on the page, as its template needs it.

    :param field: that of the setting.
    :param rows: those of the page.
    """

    def __init__(self, field: BoundField, rows: Rows) -> None:
        self.field, self.key, self._rows = field, field.setting.key, rows
        self.is_unsaved = self.key in rows.unsaved

    def html(self, macros: Macros) -> str:
        """Return the row: what the setting is on the left, its control on the right."""
        field, name, notes, errors = self.field, self._name(), "", ""
        value = self._rows.controls(field, "" if field.editable else self._reason())
        if field.differs and not self.is_unsaved:
            notes = self._modified()
        if self._has_notes:
            notes = f"{notes}{macros.notes(self)}"
            if self.conflict:
                value = macros.versus(self, Markup(value))  # nosec B704 # its texts are escaped
            if field.errors:
                texts = "".join(f"<p>{escape_text(text)}</p>" for text in field.errors)
                id_ = escape_text(field.id)
                errors = f'<div class="wf-errors" id="{id_}-errors">{texts}</div>'
        return (
            f"<div{self._attributes()}><div>{name}{notes}</div>"
            f'<div class="wf-value">{value}{errors}</div></div>\n'
        )

    def _modified(self) -> str:
        """Return the line about a value that differs from the default."""
        field, setting, texts = self.field, self.field.setting, self._rows.texts
        default = change = reset = ""
        if not setting.secret:
            value = escape_text(self.quoted(field.default_text))
            default = f" <span>{texts['default']} {value}</span>"
        if self._change:
            who = f'title="{texts["history"]}">{escape_text(self._change)}'
            change = f'<a href="{self._history_url}" {who}</a> '
        if field.resettable:
            label = f'<span class="wf-hidden"> {escape_text(setting.label)}</span>'
            reset = f"<button{self._reset_attributes()}>{texts['reset']}{label}</button>"
        return (
            f'<p class="wf-meta"><strong>{texts["modified"]}</strong>{default} '
            f'<span class="wf-acts">{change}{reset}</span></p>'
        )

    @property
    def _has_notes(self) -> bool:
        field, rows, key = self.field, self._rows, self.key
        return bool(
            self.is_unsaved
            or field.attention
            or field.setting.restart
            or field.record.behind
            or rows.needs.get(key)
            or key in rows.ends
            or key in rows.moved
        )

    def _name(self) -> str:
        """Return the label, the key with its links, and the help."""
        field, rows, key = self.field, self._rows, self.key
        label, help_ = field.setting.label, field.setting.help
        shown_key: object = key
        rank = rows.ranks.get(key, NONE)
        if rank < NONE:
            highlight, is_close = rows.found.search.mark, rank >= CLOSE
            label, shown_key = highlight(label, close=is_close), highlight(key, close=is_close)
            help_ = help_ and highlight(help_)
        label, id_ = escape_text(label), escape_text(field.id)
        # Several inputs have a label each.
        is_label = field.editable and not field.is_group
        html = f'<label for="{id_}">{label}</label>' if is_label else f"<strong>{label}</strong>"
        html += (
            f' <a class="wf-key" tabindex="-1" href="#{anchor(key)}">{escape_text(shown_key)}</a>'
        )
        if key in rows.history:
            link = f'href="{self._history_url}" tabindex="-1"'
            html += f' <a class="wf-row-history" {link}>{rows.texts["history"]}</a>'
        if help_:
            html += f'<p class="wf-help" id="{id_}-help">{escape_text(help_)}</p>'
        return html

    def _attributes(self) -> str:
        """Return the attributes of the row."""
        field, setting, rows = self.field, self.field.setting, self._rows
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
        if self.key in rows.found.outside:
            css += " wf-out"
        given: dict[str, object] = {"class": css, "id": self.key}
        if field.hidden:
            given["hidden"] = True
        if setting.keywords or setting.was:
            given["data-keywords"] = setting.search_words
        if rows.places:  # whose order of rows is not that of the page
            given["data-place"] = rows.places[self.key]
        if self.is_unsaved:
            self._add_unsaved(given)
        return attributes(given)

    def _add_unsaved(self, given: dict[str, object]) -> None:
        """Add the attributes of a row that is not saved."""
        field = self.field
        css = f"{given['class']} wf-unsaved"
        if field.errors:
            css += " wf-invalid"
        # The script discards by it. In a conflict no value is the one to go back to.
        stored = "" if field.setting.secret else control_text(field, field.record.value)
        if self.conflict:
            css, stored = f"{css} wf-conflict", None
        given |= {"class": css, "data-stored": stored}

    @property
    def _history_url(self) -> str:
        """The address of its history."""
        return self._rows.history_url + quote(self.key)

    @property
    def texts(self) -> Mapping[str, str]:
        return self._rows.texts

    @property
    def conflict(self) -> Conflict | None:
        """What is to be said of its conflict; None: there is none."""
        return self._rows.conflicts.get(self.key)

    @property
    def is_reset(self) -> bool:
        return self.is_unsaved and self._rows.is_reset(self.key)

    @property
    def is_converted(self) -> bool:
        return self.is_unsaved and self._rows.is_converted(self.key)

    @property
    def needs(self) -> list[Markup]:
        """Why it has no effect."""
        return self._rows.needs.get(self.key, [])

    @property
    def end(self) -> str:
        """When it goes back; "" where it stays."""
        return self._rows.ends.get(self.key, "")

    @property
    def restart(self) -> str:
        """When a setting takes effect that needs a restart; or which processes wait for one."""
        return self._rows.restart(self.key) or self.texts["restart"]

    @cached_property
    def _change(self) -> str:
        """Who has made the last change, and when; "" if nobody may know."""
        change = self._rows.latest.get(self.key)
        if change is None or self.field.record.behind is not None:
            return ""  # it has changed what waits behind
        when = relative_time(change.at)
        return f"{change.actor}, {when}" if change.actor else when

    @property
    def layer(self) -> Markup:
        """Which layer above the database has the value, and what waits behind it."""
        setting, field = self.field.setting, self.field
        if setting.environment is None:
            reason = escape(_(OVERRIDDEN))
        else:
            name = Markup("<code>%s</code>") % setting.environment.variable
            reason = Markup(_(SET_BY, name=name))  # nosec B704 # its texts are escaped
        behind = field.record.behind
        if behind is None or behind.text is None:
            return reason
        if setting.secret:
            value = self.texts["is_set" if is_set(behind.value) else "not_set"]
        else:
            value = self.quoted(display_text(getattr(field, "editor", None), behind.value))
        return reason + Markup(" ") + Markup(_(NOT_IN_USE, value=escape(value)))  # nosec B704 # its texts are escaped

    def _reason(self) -> str:
        """Why it can't be edited; blank where its group or `layer` says so."""
        is_said = self.key in self._rows.found.refused or self.field.setting.environment is not None
        return "" if is_said else self.field.reason

    @property
    def moved(self) -> tuple[Markup, Markup] | None:
        """What is said of its moved default, and the button that keeps the former one."""
        moved = None if self.is_unsaved else self._rows.moved.get(self.key)
        if moved is None:
            return None
        texts = (display_text(self.field, value) for value in (moved.old, moved.new))
        old, new = (escape(self.quoted(text)) for text in texts)
        line = Markup(_("Default was %(old)s, is %(new)s", old=old, new=new))  # nosec B704 # its texts are escaped
        return line, Markup(_("Keep %(value)s", value=old))  # nosec B704 # its texts are escaped

    def _reset_attributes(self) -> str:
        """The attributes of the button that resets the setting; the script needs the default."""
        setting = self.field.setting
        default = control_text(self.field, setting.default)
        given = {"class": "wf-link wf-reset", "name": ACTION, "value": f"reset {setting.key}"}
        return attributes({**given, "formnovalidate": True, "data-default": default})

    def quoted(self, text: str) -> str:
        """Return the text of a value for a sentence, cut to `SHORT` characters."""
        if not text:
            return Markup('<span class="wf-empty">%s</span>') % self.texts["empty"]
        text = text if len(text) <= SHORT else text[: SHORT - 1] + "…"
        return f"“{text}”" if self.field.quoted else text


def control_text(field: BoundField, value: object) -> str | None:
    """Return the text that puts a value into the control of a field; None if no text can."""
    return field.control_text(value) if isinstance(field, SettingField) else None
