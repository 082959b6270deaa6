"""Submission: what a form of our pages has sent besides the settings, and what that asks for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from werkzeug.datastructures import ImmutableMultiDict, MultiDict

from ..forms.submission import PAGE, ControlNames, renamed
from ..settings.setting import Setting

# Names of inputs
ACTION = PAGE + "do"  #: one of `ACTIONS`, or one of `ACTIONS_ON` and a space and a name
NOTE = PAGE + "note"
UNTIL = PAGE + "until"  #: when the save goes back, as `EndChoice` reads it
UNTIL_AT = PAGE + "until_at"
ROW = PAGE + "row"  #: the key of the setting that was changed last: from the script
RESET_KEY = PAGE + "reset"  #: the key of a setting that is to be reset, not just get the default
CONVERT_KEY = PAGE + "convert"  #: the key of a setting whose converted value is to be stored
SECRET_KEY = PAGE + "secret"  #: the key of a secret that was typed on an earlier page
TAKE = PAGE + "take"  #: a ticked box: the version that a review displayed, and the key
THEIRS = PAGE + "theirs."  #: before a key, in a conflict: one of `_THEIRS`, `_UNDECIDED`, "mine"

BEFORE = PAGE + "before."  #: before a key, in a conflict: the value that the first page had shown

_THEIRS, _UNDECIDED = "theirs", "?"

#: What buttons ask for; none of them: to save.
ACTIONS = ("review", "confirm", "edit", "discard")
#: With the key of a setting; of "reset-group" with the name of a group.
ACTIONS_ON = ("reset", "convert", "discard", "reset-group", "keep", "accept")
#: With the name of a save, about its end.
ENDING = ("keep-save", "go-back")
#: Those that save nothing: they show the settings page again.
SHOWING = ("edit", "discard", "reset", "convert", "reset-group", "keep", "accept")

#: What the control of a secret sends to clear it: no text, and its box.
_CLEARED = ["", "clear"]

Pairs = list[tuple[str, str]]  #: the names of inputs, and what each has sent


class PageSubmission:
    """What a form of the page has sent.

    :param form: the form data.
    :param former: the keys of settings by their former names: the page may be of an older release.
    """

    def __init__(self, form: MultiDict[str, str], former: Mapping[str, str] | None = None) -> None:
        self.name_of = ControlNames()
        self._former = former or {}
        if former:
            form = renamed(form, former)
        #: The controls of settings, without those where a conflict is decided for the stored value.
        self.settings: MultiDict[str, str] = form
        #: What to do, and the key of the setting or the group that it is about, if it is.
        self.action, _, key = form.get(ACTION, "").partition(" ")
        self.key = self._present(key)
        self.note = note_of(form)
        self.until, self.until_at = form.get(UNTIL, ""), form.get(UNTIL_AT, "")
        self.row = self._present(form.get(ROW, ""))
        #: The keys of settings that an earlier page, or the script, shows as reset.
        self.resets = self._keys(form, RESET_KEY)
        #: The keys of settings that an earlier page shows as converted.
        self.conversions = self._keys(form, CONVERT_KEY)
        #: The keys of secrets that were typed on an earlier page.
        self.secrets = self._keys(form, SECRET_KEY)
        #: By the keys of conflicts that nobody has decided: the text of the value before both
        #: changes; None: it is not known.
        self.undecided: dict[str, str | None] = {}
        self._decide_conflicts(form)
        if self.action == "discard":
            self._drop(self.key)

    def _present(self, name: str) -> str:
        """The key of the setting that has a name, or had it before."""
        return self._former.get(name, name)

    def _keys(self, form: MultiDict[str, str], name: str) -> dict[str, None]:
        """The keys of settings that an input has sent."""
        return dict.fromkeys(map(self._present, form.getlist(name)))

    def _decide_conflicts(self, form: MultiDict[str, str]) -> None:
        for name in [name for name in form if name.startswith(THEIRS)]:
            key, choice = self._present(name.removeprefix(THEIRS)), form.getlist(name)[-1]
            if choice == _THEIRS:
                self._drop(key)
            elif choice == _UNDECIDED:
                self.undecided[key] = form.get(name.replace(THEIRS, BEFORE, 1))

    def _drop(self, key: str) -> None:
        """Forget what was typed for a setting."""
        if isinstance(self.settings, ImmutableMultiDict):  # that of the request
            self.settings = self.settings.copy()
        self.settings.poplist(self.name_of(key))
        self.resets.pop(key, None)
        self.conversions.pop(key, None)
        self.secrets.pop(key, None)

    def typed(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed, for a form that sends it again; of secrets only that they were
        typed, or are cleared.
        """
        secrets = {self.name_of(s.key): s.key for s in settings if s.secret}
        sent = {name: self.settings.getlist(name) for name in secrets}
        omitted = {name for name, values in sent.items() if values != _CLEARED}
        typed = {secrets[name] for name in omitted if any(sent[name])} | self.secrets.keys()
        pairs = [
            (name, value)
            for name, value in self.settings.items(multi=True)
            if not name.startswith(PAGE) and name not in omitted
        ]
        pairs += [(RESET_KEY, key) for key in self.resets]
        pairs += [(CONVERT_KEY, key) for key in self.conversions]
        pairs += [(SECRET_KEY, key) for key in secrets.values() if key in typed]
        known = [(BEFORE + key, text) for key, text in self.undecided.items() if text is not None]
        return pairs + [(THEIRS + key, _UNDECIDED) for key in self.undecided] + known

    def with_note_and_end(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed with the note and the end."""
        rest = {NOTE: self.note, UNTIL: self.until, UNTIL_AT: self.until_at}
        return self.typed(settings) + [(name, text) for name, text in rest.items() if text]

    def everything(self, settings: Iterable[Setting]) -> Pairs:
        """Return what was typed with the note, the end and the action."""
        do = f"{self.action} {self.key}".rstrip()
        return self.with_note_and_end(settings) + [(ACTION, do)] * bool(do)

    def drop_note_and_end(self) -> None:
        """Forget both: the changes that they were for are discarded."""
        self.note, self.until, self.until_at = None, "", ""


def ticked(form: MultiDict[str, str]) -> dict[str, str]:
    """Return the version of each setting whose box is ticked, by key."""
    parts = (text.partition(" ") for text in form.getlist(TAKE))
    return {key: version for version, _blank, key in parts}


def note_of(form: MultiDict[str, str]) -> str | None:
    """Return the reason that somebody has given for a save."""
    return form.get(NOTE, "").strip() or None
