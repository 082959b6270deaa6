"""Notes: what the settings page says of a setting besides its help."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from markupsafe import Markup, escape

from ..fields.base import display_text, is_set
from ..fields.binding import BoundField
from ..fields.widgets import escape_text
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import mark
from ..settings.known_keys import RESTART
from ..settings.needs import Need
from ..settings.setting import SET_BY
from ..state.change import Change
from .conflicts import Conflict
from .texts import anchor, shorten
from .times import relative_time

OVERRIDDEN = mark("A test overrides it. What is saved takes effect when the test ends.")
NOT_IN_USE = mark("Stored, and not in use: %(value)s.")
#: Why a setting has no effect as another one is set now.
_OFF = mark("Has no effect while %(setting)s is off.")
_ON = mark("Has no effect while %(setting)s is on.")
_NOT_SET = mark("Has no effect while %(setting)s is not set.")
_OTHER = mark("Has no effect while %(setting)s is not %(value)s.")

#: Characters of a value in a sentence.
SHORT = 40

_TEXTS = {
    "empty": mark("empty"),
    "is_set": mark("set"),
    "not_set": mark("not set"),
    "quoted": mark("“%(text)s”"),
    "restart": RESTART,
}


class PageNotes:
    """Makes the notes of one page, and holds what is the same for all of them.

    :param form: of the page.
    :param conflicts: what is to be said of the conflicts of the form, by key.
    :param latest: the last change of a setting, by key.
    :param refused: the keys of settings that the user may not edit.
    :param ends: when a setting goes back, in a sentence, by key.
    :param moved: the entries of the moved defaults to be marked, by key.
    :param restart: returns which processes run with a former value of a setting; None: none.
    """

    def __init__(
        self,
        form: SettingsForm,
        conflicts: Mapping[str, Conflict],
        latest: Mapping[str, Change],
        refused: Collection[str],
        ends: Mapping[str, str],
        moved: Mapping[str, Change],
        restart: Callable[[str], str | None],
    ) -> None:
        self.form = form
        self.unsaved = form.unsaved
        self.conflicts = conflicts
        self.latest = latest
        self.refused = refused
        self.ends = ends
        self.moved = moved
        self.restart = restart
        self.needs = unmet_needs(form)
        #: The keys of settings of which something is to be said, as far as these know.
        self.noted = {*self.unsaved, *filter(self.needs.get, self.needs), *ends, *moved}
        #: What many notes say, translated once.
        self.texts = {name: escape_text(_(text)) for name, text in _TEXTS.items()}

    def __call__(self, field: BoundField) -> Notes:
        """Return the notes of the setting of a field."""
        return Notes(field, self)


class Notes:
    """What is to be said of one setting.

    :param field: that of the setting.
    :param page: the notes of the page.
    """

    def __init__(self, field: BoundField, page: PageNotes) -> None:
        self.field, self.key, self._page = field, field.setting.key, page
        self.is_unsaved = self.key in page.unsaved

    def __bool__(self) -> bool:
        """Whether there is anything to be said, but for that the value is modified."""
        field = self.field
        return (
            self.key in self._page.noted
            or field.attention
            or field.setting.restart
            or field.record.behind is not None
        )

    @property
    def texts(self) -> Mapping[str, str]:
        return self._page.texts

    @property
    def conflict(self) -> Conflict | None:
        """What is to be said of its conflict; None: there is none."""
        return self._page.conflicts.get(self.key)

    @property
    def is_reset(self) -> bool:
        return self.is_unsaved and self._page.form.is_reset(self.key)

    @property
    def asks_again(self) -> bool:
        """Whether it is a secret that was typed, which no page sends back."""
        typed = bool(self.field.errors) and not getattr(self.field, "clearing", False)
        return self.is_unsaved and self.field.setting.secret and typed

    @property
    def is_converted(self) -> bool:
        return self.is_unsaved and self._page.form.is_converted(self.key)

    @property
    def needs(self) -> list[Markup]:
        """Why it has no effect."""
        return self._page.needs.get(self.key, [])

    @property
    def end(self) -> str:
        """When it goes back; "" where it stays."""
        return self._page.ends.get(self.key, "")

    @property
    def restart(self) -> str:
        """When a setting takes effect that needs a restart; or which processes wait for one."""
        return self._page.restart(self.key) or self.texts["restart"]

    @property
    def change(self) -> str:
        """Who has made the last change, and when; "" if nobody may know."""
        change = self._page.latest.get(self.key)
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

    @property
    def reason(self) -> str:
        """Why it can't be edited; blank where its group or `layer` says so."""
        is_said = self.key in self._page.refused or self.field.setting.environment is not None
        return "" if is_said else self.field.reason

    @property
    def moved(self) -> tuple[Markup, Markup] | None:
        """What is said of its moved default, and the button that keeps the former one."""
        moved = None if self.is_unsaved else self._page.moved.get(self.key)
        if moved is None:
            return None
        texts = (display_text(self.field, value) for value in (moved.old, moved.new))
        old, new = (escape(self.quoted(text)) for text in texts)
        line = Markup(_("Default was %(old)s, is %(new)s", old=old, new=new))  # nosec B704 # its texts are escaped
        return line, Markup(_("Keep %(value)s", value=old))  # nosec B704 # its texts are escaped

    def quoted(self, text: str) -> str:
        """Return the text of a value for a sentence, cut to `SHORT` characters."""
        if not text:
            return Markup('<span class="wf-empty">%s</span>') % self.texts["empty"]
        text = text if len(text) <= SHORT else text[: SHORT - 1] + "…"
        return self.texts["quoted"] % {"text": text} if self.field.quoted else text


def unmet_needs(form: SettingsForm) -> dict[str, list[Markup]]:
    """Return by key why settings have no effect, each reason with a link to the other setting.

    Nothing is said of a setting that the user may not see: it is not in the form.
    """
    return {
        field.setting.key: [
            _sentence(form[need.key], need)
            for need in field.setting.needs
            if need.key in form and not need.is_met(form[need.key].record.value)
        ]
        for field in form
        if field.setting.needs
    }


def _sentence(other: BoundField, need: Need) -> Markup:
    setting = other.setting
    link = Markup('<a href="#%s">%s</a>') % (anchor(setting.key), setting.label)
    if setting.value_type is bool:
        text = _ON if need.is_exact and need.value is False else _OFF
    else:
        text = _OTHER if need.is_exact else _NOT_SET
    value = shorten(display_text(other, need.value), 40) if text is _OTHER else ""
    value = _("“%(text)s”", text=value) if other.quoted else value
    return Markup(_(text, setting=link, value=escape(value)))  # nosec B704 # its texts are escaped
