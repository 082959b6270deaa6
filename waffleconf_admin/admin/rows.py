"""Rows: what the settings page shows of each setting, made for its template."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from functools import cached_property
from urllib.parse import quote

from flask import url_for
from markupsafe import Markup, escape

from ..fields import ChoiceField, SettingField
from ..fields.base import display_text, is_set
from ..fields.binding import BoundField
from ..fields.widgets import attributes
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import mark
from ..settings.copied import RESTART
from ..settings.environment import SET_BY
from ..state.change import Change
from .conflicts import Conflict
from .found_settings import FoundSettings
from .needs import unmet_needs
from .search import CLOSE, NONE
from .submission import ACTION
from .texts import anchor, beside_control, relative_time

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
    "off": mark("Off"),
    "on": mark("On"),
    "replace": mark("Replace"),
    "reset": mark("Reset"),
    "restart": RESTART,
    "set": mark("Set"),
}


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
        self.notation = form.notation
        self.history = history
        self.history_url = url_for(".history", key="")
        self.found = found
        self.search = found.search
        #: Where each setting is without a search.
        self.places = {key: place for place, key in enumerate(found.ranks)} if self.search else {}
        self.needs = unmet_needs(form)
        #: What many rows say, translated once.
        self.texts = {name: _(text) for name, text in _TEXTS.items()}

    def __call__(self, fields: Iterable[BoundField]) -> Iterator[Row]:
        """Return the rows of fields, each made when the template comes to it."""
        return (Row(field, self) for field in fields)


class Row:
    """One setting on the page, as its template needs it.

    :param field: that of the setting.
    :param rows: those of the page.
    """

    limits = ""  #: the unit and the limits, beside or below the control
    control: Markup | None = None  #: None: the setting can't be edited
    history_url = ""  #: the address of its history; blank: not for this user
    rank = NONE  #: how well it matches the search

    def __init__(self, field: BoundField, rows: Rows) -> None:
        setting = field.setting
        key = setting.key
        self.field, self.texts, self._rows = field, rows.texts, rows
        self.is_unsaved = key in rows.unsaved
        #: What is to be said of its conflict; None: there is none.
        self.conflict = rows.conflicts.get(key)
        self.is_reset = self.is_unsaved and rows.is_reset(key)
        self.is_converted = self.is_unsaved and rows.is_converted(key)
        #: Whether its label is that of one control.
        self.has_label = field.editable and not field.is_group
        self.anchor = anchor(key)
        self.needs = rows.needs.get(key, ())
        #: When it goes back; "" where it stays.
        self.end = rows.ends.get(key, "") if rows.ends else ""
        self._moved = None if self.is_unsaved else rows.moved.get(key)
        self.attributes = self._attributes(key)
        if key in rows.history:
            self.history_url = rows.history_url + quote(key)
        if rows.search:
            self.rank = rows.found.ranks[key]
        if field.editable:
            if setting.unit or setting.min is not None or setting.max is not None:
                self.limits = beside_control(setting, rows.notation)
            self.control = self._control()

    @property
    def restart(self) -> str:
        """When a setting takes effect that needs a restart; or which processes wait for one."""
        return self._rows.restart(self.field.setting.key) or self.texts["restart"]

    @property
    def parts(self) -> tuple[object, ...]:
        """What the template shows of every row: unpacked at once, for each lookup takes time."""
        field, setting = self.field, self.field.setting
        label, key, help_ = setting.label, setting.key, setting.help
        layered = field.record.behind is not None
        has_lines = self.needs or setting.restart or layered or self._moved or self.end
        has_notes = self.is_unsaved or field.differs or field.attention or has_lines
        framed = self.control is None or self.conflict or setting.secret
        is_simple = not (framed or field.is_group or field.is_switch)
        if self.rank < NONE:
            mark, is_close = self._rows.search.mark, self.rank >= CLOSE
            label, key = mark(label, close=is_close), mark(key, close=is_close)
            help_ = help_ and mark(help_)
        return (
            self.attributes, self.has_label, field.id, label, self.anchor, key, self.history_url,
            help_, has_notes, is_simple, self.control, self.limits,
        )  # fmt: skip

    def _attributes(self, key: str) -> Markup:
        """Return the attributes of the row."""
        field = self.field
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
        if key in self._rows.found.outside:
            css += " wf-out"
        given = {"class": css, "id": key, "hidden": field.hidden}
        if words := field.setting.search_words:
            given["data-keywords"] = words
        if self._rows.search:  # whose order of rows is not that of the page
            given["data-place"] = self._rows.places[key]
        if not self.is_unsaved:
            return Markup(attributes(given))
        css += " wf-unsaved"
        if field.errors:
            css += " wf-invalid"
        # The script discards by it. In a conflict no value is the one to go back to.
        stored = "" if field.setting.secret else control_text(field, field.record.value)
        if self.conflict:
            css, stored = f"{css} wf-conflict", None
        return Markup(attributes({**given, "class": css, "data-stored": stored}))

    def _control(self) -> Markup:
        """Return the control, or the inputs of a group."""
        field = self.field
        if field.is_group and isinstance(field, ChoiceField):
            return field.labelled_inputs()
        role = {"role": "switch"} if field.is_switch else {}
        return field(**role, **self._described_by())

    def _described_by(self) -> dict[str, str]:
        """Return the attributes that say which texts of the row describe the control."""
        field = self.field
        texts = f"{field.id}-help" if field.setting.help else ""
        if self.limits:
            texts += f" {field.id}-limits"
        if field.errors:
            return {
                "aria-describedby": f"{texts} {field.id}-errors".lstrip(),
                "aria-invalid": "true",
            }
        return {"aria-describedby": texts.lstrip()} if texts else {}

    @property
    def group_attributes(self) -> Markup:
        """The attributes of what holds several inputs."""
        field = self.field
        few = field.control == "radio" and isinstance(field, ChoiceField) and field.is_short
        css = "wf-segments" if few else "wf-choices"
        return Markup(f' class="{css}"{attributes(self._described_by())}')

    # What a row has if the value differs from the default, or from what somebody else has saved

    @cached_property
    def change(self) -> str:
        """Who has made the last change, and when; "" if nobody may know."""
        change = self._rows.latest.get(self.field.setting.key)
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
            reason = Markup(_(SET_BY, name=name))
        behind = field.record.behind
        if behind is None or behind.text is None:
            return reason
        if setting.secret:
            value = self.texts["is_set" if is_set(behind.value) else "not_set"]
        else:
            value = self.quoted(display_text(getattr(field, "editor", None), behind.value))
        return reason + Markup(" ") + Markup(_(NOT_IN_USE, value=escape(value)))

    @property
    def reason(self) -> str:
        """Why it can't be edited; blank where its group or `layer` says so."""
        setting = self.field.setting
        is_said = setting.key in self._rows.found.refused or setting.environment is not None
        return "" if is_said else self.field.reason

    @property
    def moved(self) -> tuple[Markup, Markup] | None:
        """What is said of its moved default, and the button that keeps the former one."""
        if self._moved is None:
            return None
        texts = (display_text(self.field, value) for value in (self._moved.old, self._moved.new))
        old, new = (escape(self.quoted(text)) for text in texts)
        line = Markup(_("Default was %(old)s, is %(new)s", old=old, new=new))
        return line, Markup(_("Keep %(value)s", value=old))

    @property
    def reset_attributes(self) -> Markup:
        """The attributes of the button that resets the setting; the script needs the default."""
        setting = self.field.setting
        default = control_text(self.field, setting.default)
        given = {"class": "wf-link wf-reset", "name": ACTION, "value": f"reset {setting.key}"}
        return Markup(attributes({**given, "formnovalidate": True, "data-default": default}))

    def quoted(self, text: str) -> str:
        """Return the text of a value for a sentence, cut to `SHORT` characters."""
        if not text:
            return Markup('<span class="wf-empty">%s</span>') % self.texts["empty"]
        text = text if len(text) <= SHORT else text[: SHORT - 1] + "…"
        return f"“{text}”" if self.field.quoted else text


def control_text(field: BoundField, value: object) -> str | None:
    """Return the text that puts a value into the control of a field; None if no text can."""
    return field.control_text(value) if isinstance(field, SettingField) else None
