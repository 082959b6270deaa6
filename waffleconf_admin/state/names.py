"""Names: the rows of settings that had other names before."""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from types import FrameType
from typing import TypeVar

from ..exceptions import StoreError
from ..log_once import LogOnce
from ..settings.setting import Setting
from ..store import HistoryQuery, HistoryRow, Swap, WaffleStore

log = logging.getLogger(__name__)

V = TypeVar("V")

#: How many of the last changes of a setting say which of its rows was written last.
RECENT = 100

#: Rows by name: their texts.
Rows = Mapping[str, str]


class NamedRows:
    """The rows of an app's settings, under their present names and their former ones (``was``).

    Workers of an older release read and write the rows of a former name. So a save of this release
    writes all rows of a setting alike. Where they differ:

    - if they were alike when this process last read or wrote them, and that of the oldest name has
      another text now, the older release has saved it, and it counts;
    - else the row counts that has the text of the last change in the history;
    - else that of the newest name.

    :param store: the history is asked for the last change.
    """

    def __init__(self, store: WaffleStore) -> None:
        self._store = store
        self._of: dict[str, tuple[str, ...]] = {}  #: by key: all names, the newest first
        self._keys: dict[str, str] = {}  #: by former name
        self._common: dict[str, str] = {}  #: by key: the text that all its rows had at last
        #: The keys of settings whose newest row does not have the text that counts.
        self.overtaken: set[str] = set()
        self._log_once = LogOnce(log)

    def __bool__(self) -> bool:
        """Whether any setting has a former name."""
        return bool(self._of)

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Use the names of these settings from now on."""
        former = self._of
        self._of = {key: (key, *setting.was) for key, setting in settings.items() if setting.was}
        same = {key for key, names in self._of.items() if former.get(key) == names}
        self._common = {key: text for key, text in self._common.items() if key in same}
        self.overtaken &= same
        self._keys = {name: key for key, names in self._of.items() for name in names[1:]}

    @property
    def former(self) -> Mapping[str, str]:
        """The keys of settings by their former names."""
        return self._keys

    def key_of(self, name: str, use: str) -> str | None:
        """Return the key of the setting that had a name; None: none had.

        The first use of each former name is logged, with the place in the app's code.

        :param use: what the app does with the name, such as "read".
        """
        key = self._keys.get(name)
        if key is not None:
            message = "%s is called %s now; the former name was %s in %s."
            self._log_once(name, logging.WARNING, message, name, key, use, _caller())
        return key

    def keys_of(self, names: Iterable[str], use: str) -> Iterable[str]:
        """Return the keys of settings, given by any of their names; any other name stays.

        :param use: as for `key_of`.
        """
        return [self.key_of(name, use) or name for name in names] if self._keys else names

    def as_asked(self, found: dict[str, V], names: Iterable[str] | None) -> dict[str, V]:
        """Return values by the names that were asked for; None: by key.

        :param found: by key.
        """
        if not self._keys or names is None:
            return found
        keys = {name: self._keys.get(name, name) for name in names}
        return {name: found[key] for name, key in keys.items() if key in found}

    def by_key(self, values: Mapping[str, V], use: str | None = None) -> Mapping[str, V]:
        """Return values by key; what is given under the present name too is taken from there.

        :param use: as for `key_of`; None: nothing is logged.
        """
        if not self._keys:
            return values
        for name in values if use else ():
            self.key_of(name, use or "")
        former = {self._keys[name]: value for name, value in values.items() if name in self._keys}
        return former | {name: value for name, value in values.items() if name not in self._keys}

    # Rows

    def of(self, keys: Iterable[str]) -> list[str]:
        """Return all names of settings; any other key is its own name."""
        return [name for key in keys for name in self._of.get(key, (key,))]

    def renamed(self, keys: Iterable[str]) -> list[str]:
        """Return those of the settings that have former names."""
        return [key for key in keys if key in self._of]

    def choose_texts(self, keys: Iterable[str], rows: Rows) -> dict[str, str]:
        """Choose by key the texts that count, and remember what the next choice needs.

        Where the rows of a setting differ, it asks the history, or logs once that nothing tells.

        :param rows: those that there are of all names of the settings.
        """
        chosen = {}
        for key in keys:
            own = {name: rows[name] for name in self._of.get(key, (key,)) if name in rows}
            if own:
                chosen[key] = own[self._choose_name(key, own) if key in self._of else key]
        return chosen

    def swaps(self, swaps: Mapping[str, Swap], rows: Rows) -> dict[str, Swap] | None:
        """Return what a save writes by name; None: a setting is not as it was seen.

        The row of a former name is written as long as there is one: `Undeclared.delete` ends that.
        Where there is no row of the present name yet, all names get one. A row that is not there
        and gets no text has to stay away: an older release could add it meanwhile.

        :param swaps: by key.
        :param rows: those that there are of all names of these settings.
        """
        texts = self.choose_texts(swaps, rows)
        found: dict[str, Swap] = {}
        for key, swap in swaps.items():
            if key not in self._of:
                found[key] = swap
                continue
            if texts.get(key) != swap.seen:
                return None
            names = [name for name in self._of[key] if name in rows]
            adds = key not in rows and swap.writes and swap.new is not None
            for name in self._of[key]:
                text = rows.get(name)
                writes = swap.writes and (adds or not names or name in rows)
                found[name] = Swap(text, swap.new if writes else text)
        return found

    def catch_up(self, keys: Iterable[str], rows: Rows) -> dict[str, Swap]:
        """Return what gives the newest names of settings the texts that count."""
        found: dict[str, Swap] = {}
        for key, text in self.choose_texts(keys, rows).items():
            names = [name for name in self._of[key] if name == key or name in rows]
            if any(rows.get(name) != text for name in names):
                found |= {name: Swap(rows.get(name), text) for name in names}
        return found

    def note_written(self, swaps: Mapping[str, Swap]) -> None:
        """Remember what was written by name."""
        for name, swap in swaps.items():
            if swap.new is None:  # what is added later is no change of it
                self._common.pop(self._keys.get(name, name), None)
        rows = {name: swap.new for name, swap in swaps.items() if swap.new is not None}
        self.choose_texts({self._keys.get(name, name) for name in swaps}, rows)

    def _choose_name(self, key: str, rows: Rows) -> str:
        """Choose the name whose row counts; the rows are in the order of the names."""
        newest, common = next(iter(rows)), self._common.get(key)
        self.overtaken.discard(key)
        if len(set(rows.values())) == 1:
            if len(rows) > 1:
                self._common[key] = rows[newest]
            else:
                self._common.pop(key, None)
            return newest
        name = self._last_written(key, rows, common) or newest
        newer = itertools.takewhile(lambda each: each != name, rows)
        if any(rows[each] != rows[name] for each in newer):
            self.overtaken.add(key)
        elif common is None:
            message = "%s and its former name %s have different values; that of %s counts."
            older = next(each for each, text in rows.items() if text != rows[newest])
            self._log_once(("rows", key), logging.WARNING, message, key, older, newest)
        return name

    def _last_written(self, key: str, rows: Rows, common: str | None) -> str | None:
        """Return the name whose row was written last, as far as that is known.

        :param common: the text that all of them had before, if they had.
        """
        written = [] if common is None else [name for name in rows if rows[name] != common]
        # Each release writes its own names and all older ones, so the last one has written the row
        # of the oldest name. If that has the common text, it may have been given back to it.
        if written and written[-1] == list(rows)[-1]:
            return written[-1]
        return self._last_changed(key, rows)

    def _last_changed(self, key: str, rows: Rows) -> str | None:
        """Return the name whose row has the text of the last change, if the history knows it."""
        if self._store.history is None:
            return None
        query = HistoryQuery(keys=self._of[key], saves=True, limit=RECENT, fresh=True)
        with suppress(StoreError):
            return _name_of_last_text(self._of[key], rows, self._store.read_history(query))
        return None

    # The history

    def present(self, rows: Iterable[HistoryRow]) -> list[HistoryRow]:
        """Return rows of the history, those of former names as ones of the present."""
        return [
            row if (key := self._keys.get(row.key)) is None else row._replace(key=key)
            for row in rows
        ]


def _name_of_last_text(
    names: Sequence[str], rows: Rows, changes: Iterable[HistoryRow]
) -> str | None:
    """Return the name whose row has the text of the last change; None: no row has that of any.

    A change writes the row of its own name and those of all older ones. A worker may give its text
    to newer names. That row stays when an older release resets the setting.

    :param names: of a setting, the newest first.
    :param rows: some of these have a row.
    :param changes: of these names, the newest first.
    """
    unknown = list(names)  # names whose rows may have a text of the changes that are still to come
    for change in changes:
        is_secret = change.old is None and change.new is None
        newer = unknown[: unknown.index(change.key) + 1] if change.key in unknown else unknown
        for name in reversed(newer):
            if name not in rows:
                continue
            is_written = name == change.key if is_secret else rows[name] == change.new
            if is_written:
                return name
            if name != change.key:
                break  # a worker that gives it to newer names gives it to this one too
        if change.key in unknown:
            del unknown[unknown.index(change.key) :]
    return None


#: Packages whose code passes names on.
_PASSED_ON = (__name__.partition(".")[0], "flask", "jinja2", "werkzeug")


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__")).partition(".")[0]


def _caller() -> str:
    """The place in the app's code that has used a name."""
    frame = sys._getframe()
    while frame.f_back and _package(frame) in _PASSED_ON:
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"
