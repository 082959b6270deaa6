"""What tests/state/test_state_machine.py expects: the rows, the history and what workers serve.

`Model` holds a dict of rows and the entries of the history. Its rules are those of docs/life.md, in
the simplest form that there is: of rows that differ, the one that was written last counts.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

#: No row; as a wanted value: delete it.
ABSENT: Final = "(absent)"
#: What the history has of a secret.
HIDDEN: Final = "(hidden)"


def minutes(number: object) -> timedelta:
    """The ``convert`` of a setting that was a number of minutes."""
    if type(number) is int:
        return timedelta(minutes=number)
    raise ValueError


class Version(NamedTuple):
    """How a release declares a setting, and values of it for the tests."""

    key: str
    declaration: dict[str, Any]
    values: tuple[Any, ...]
    refused: tuple[Any, ...] = ()  #: values that no save accepts


_MAIL = {"values": ("a", "b", "10")}
_SIZE = {"default": 10, "type": int, "min": 0, "max": 100}

#: What becomes of settings from release to release: renamed, retyped, with another default, gone.
LIVES: dict[str, tuple[Version | None, ...]] = {
    "mail": (
        Version("HELP_MAIL", {"default": "a"}, **_MAIL),
        Version("SUPPORT_MAIL", {"default": "a", "was": "HELP_MAIL"}, **_MAIL),
        Version("EMAIL", {"default": "z", "was": ["SUPPORT_MAIL", "HELP_MAIL"]}, **_MAIL),
    ),
    "size": (
        Version("SIZE", {"default": "10", "type": str}, ("10", "25", "500", "all"), (7,)),
        Version("SIZE", _SIZE, (10, 25, 100), ("10", 500, None)),
        Version("PAGE_SIZE", {**_SIZE, "was": "SIZE"}, (10, 25, 100), ("10", 500)),
    ),
    "timeout": (
        Version("TIMEOUT", {"default": 5, "type": int}, (5, 25), ("5",)),
        Version(
            "TIMEOUT",
            {"default": timedelta(minutes=5), "type": timedelta, "convert": minutes},
            (timedelta(minutes=5), timedelta(minutes=25), timedelta(seconds=1)),
            (5,),
        ),
    ),
    "token": (
        Version("TOKEN", {"default": "", "secret": True}, ("s3cret", "t0ken")),
        Version("KEY", {"default": "", "secret": True, "was": ["TOKEN"]}, ("s3cret", "t0ken")),
    ),
    "hours": (
        Version("HOURS", {"default": {"mon": [9, 18]}}, ({"mon": [9, 18]}, {"mon": []}, {})),
        None,
    ),
}


class Release(NamedTuple):
    """What a release of the app declares, and how it stores values."""

    numbers: Mapping[str, int]  #: by life: the index of its version
    format: str = "json"  #: WAFFLE_SERIALIZER

    def only(self, lives: Iterable[str], format: str) -> Release:
        """The same for some settings, with a format."""
        return Release({life: self.numbers[life] for life in sorted(lives)}, format)

    @property
    def versions(self) -> dict[str, Version]:
        """The versions of the settings that there are, by key."""
        found = (LIVES[life][number] for life, number in self.numbers.items())
        return {version.key: version for version in found if version}

    @property
    def confs(self) -> dict[str, Any]:
        """WAFFLE_CONFS."""
        return {key: copy.deepcopy(v.declaration) for key, v in self.versions.items()}

    def names(self, key: str) -> list[str]:
        """The names of a setting, the newest first."""
        was = self.versions[key].declaration.get("was", [])
        return [key, *([was] if isinstance(was, str) else was)]

    @property
    def former(self) -> dict[str, str]:
        """The keys of settings by their former names."""
        return {name: key for key in self.versions for name in self.names(key)[1:]}

    def serve(self, key: str, stored: object) -> tuple[Any, str]:
        """What is served of a stored value, and which that is."""
        declaration = self.versions[key].declaration
        declared, default = declaration.get("type"), copy.deepcopy(declaration["default"])
        if stored is ABSENT:
            return default, "default"
        if declared is None or type(stored) is declared:
            return stored, "stored"
        try:
            if "convert" in declaration:
                return declaration["convert"](stored), "converted"
            if declared in (int, str) and type(stored) in (int, str):
                made = declared(stored)
                if type(stored)(made) == stored:
                    return made, "converted"
        except ValueError:
            pass
        return default, "default"

    def accepts(self, key: str, value: object) -> bool:
        """Whether a save takes a value."""
        declaration = self.versions[key].declaration
        return self.serve(key, value)[1] == "stored" and (
            "max" not in declaration or bool(declaration["min"] <= value <= declaration["max"])
        )

    def is_secret(self, key: str) -> bool:
        return bool(self.versions[key].declaration.get("secret"))


class Row(NamedTuple):
    """A row of the table of settings."""

    value: Any
    number: int  #: of the save that wrote it; 0: it is a default that was stored without a save
    #: What its text has beside the value: the format. The text of a secret that people have typed
    #: is like no other, so that this has the number of the save too.
    form: str

    @property
    def text(self) -> tuple[Any, str]:
        """What is equal for rows with the same text, but for its encryption."""
        return self.value, self.form


class Entry(NamedTuple):
    """A row of the history."""

    group: int  #: the number of its change set
    key: str
    old: Any
    new: Any
    source: str


class Refused(Exception):
    """A save is refused; its argument is "conflict" or "invalid"."""


class Model:
    """What the database holds."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.entries: list[Entry] = []
        self._number = 0

    def trial(self) -> Model:
        """A copy, for what may not come about."""
        return copy.deepcopy(self)

    # Reading

    def stored(self, release: Release, key: str) -> Any:
        """The stored value that counts for a release; ABSENT: there is none."""
        winner = self._winner(release, key)
        return self.rows[winner].value if winner else ABSENT

    def served(self, release: Release, keys: Iterable[str] | None = None) -> dict[str, Any]:
        """What a release serves of the rows, by key."""
        wanted = release.versions if keys is None else keys
        return {key: release.serve(key, self.stored(release, key))[0] for key in wanted}

    def text(self, release: Release, key: str) -> str:
        """What stands for the value of a setting on a page; for that of a secret, its text.

        Without a row the page is the same as with one that holds the default.
        """
        if release.is_secret(key):
            row = self.rows.get(self._winner(release, key) or "")
            default = release.versions[key].declaration["default"]
            is_default = row is None or row.text in ((default, "json"), (default, "pickle"))
            return ABSENT if is_default else str(row and row.text)
        return str(self.served(release, [key])[key])

    def differing(self, release: Release) -> list[str]:
        """The keys of settings whose newest row does not have the value that counts."""
        return [
            key
            for key in release.versions
            if (present := self._present(release, key))
            and self.rows[present[0]].value != self.stored(release, key)
        ]

    def is_reset_by_old_worker(self, release: Release) -> bool:
        """Whether a setting has no row of a name that a release knows, and one of a newer name."""
        return any(
            other.key in self.rows and not self._present(release, key)
            for key, version in release.versions.items()
            for life in LIVES.values()
            if version in life
            for other in life
            if other
        )

    def _present(self, release: Release, key: str) -> list[str]:
        return [name for name in release.names(key) if name in self.rows]

    def _winner(self, release: Release, key: str) -> str | None:
        # The first of several that are equal is that of the newest name.
        present = self._present(release, key)
        return max(present, key=lambda name: self.rows[name].number, default=None)

    # Writing

    def save(
        self,
        release: Release,
        wanted: Mapping[str, Any],
        expected: Mapping[str, Any] | None = None,
        source: str = "code",
    ) -> dict[str, Any]:
        """Save or reset settings, as a worker of a release does; return what is written.

        :raises Refused: nothing is.
        """

        def always(key: str) -> bool:
            return release.is_secret(key) and source in ("page", "api")

        held = {key: release.serve(key, self.stored(release, key)) for key in release.versions}
        if any(held[key][0] != value for key, value in (expected or {}).items()):
            raise Refused("conflict")
        written = {}
        for key, value in wanted.items():
            if value is ABSENT:
                if self._present(release, key):
                    written[key] = value
            elif source == "import" and held[key][0] == value:
                continue  # a file does not say how a value is stored
            elif always(key) or held[key] != (value, "stored"):
                if not release.accepts(key, value):
                    raise Refused("invalid")
                written[key] = value
        group = self._next_group()
        self._number += bool(written)
        for key, value in written.items():
            old = self.stored(release, key)
            pair = (HIDDEN, HIDDEN) if release.is_secret(key) else (old, value)
            self.entries.append(Entry(group, key, *pair, source))
            self._write(release, key, value, self._number, unique=always(key))
        return {k: release.serve(k, v)[0] for k, v in written.items()}

    def _next_group(self) -> int:
        return self.entries[-1].group + 1 if self.entries else 0

    def _write(
        self,
        release: Release,
        key: str,
        value: Any,
        number: int,
        *,
        unique: bool = False,
    ) -> None:
        form = f"{release.format} {number}" if unique else release.format
        adds = key not in self.rows and value is not ABSENT
        for name in release.names(key) if adds else self._present(release, key):
            if value is ABSENT:
                del self.rows[name]
            else:
                self.rows[name] = Row(value, number, form)

    def store_defaults(self, release: Release) -> None:
        """What `parse_conf` does with WAFFLE_STORE_DEFAULTS."""
        for key, version in release.versions.items():
            if not self._present(release, key):
                self._write(release, key, version.declaration["default"], 0)

    def catch_up(self, release: Release, *, always: bool = False) -> None:
        """What a reload writes: what workers of an older release have saved, to the newest names.

        :param always: also where there is no row of the newest name.
        """
        for key in release.versions:
            present, winner = self._present(release, key), self._winner(release, key)
            if winner is None:
                continue
            row, newer = self.rows[winner], present[: present.index(winner)]
            if any(self.rows[name].text != row.text for name in newer) or (
                always and key not in self.rows
            ):
                for name in (key, *present):
                    self.rows[name] = row

    def prune_names(self, release: Release) -> None:
        """Delete the rows of all former names."""
        self.catch_up(release, always=True)
        for name in release.former:
            self.rows.pop(name, None)

    def prune_undeclared(self, key: str) -> None:
        """Delete the row of a key that nobody declares."""
        row = self.rows.pop(key, None)
        if row is not None:
            latest = [entry.new for entry in self.entries if entry.key == key][-1:]
            old = row.value if latest == [row.value] else HIDDEN
            self.entries.append(Entry(self._next_group(), key, old, ABSENT, "cli"))

    def undo(self, release: Release, group: int, *, knows_all: bool) -> dict[str, Any]:
        """Take a save back; return what is written.

        :param knows_all: whether later changes of its settings are undone with it.
        :raises Refused: nothing is.
        """
        todo = self.undone(release, group)
        if not todo:
            raise Refused("invalid")
        if knows_all:
            return self.save(release, todo, self.served(release, todo), "undo")
        last = {release.former.get(entry.key, entry.key): entry for entry in self.entries}
        if any(last[key].group != group for key in todo):
            raise Refused("conflict")
        expected = {key: release.serve(key, last[key].new)[0] for key in todo}
        return self.save(release, todo, expected, "undo")

    def end(self, release: Release, group: int) -> None:
        """Let the settings of a save go back, but for those that were changed since.

        :raises Refused: one of them can't, so that none does.
        """
        last = {release.former.get(entry.key, entry.key): entry for entry in self.entries}
        open_ = {
            key: entry.new
            for key, entry in last.items()
            if entry.group == group and key in release.versions
        }
        todo = self.undone(release, group)
        if not open_.keys() <= todo.keys():
            raise Refused("invalid")
        unchanged = [key for key, new in open_.items() if self.stored(release, key) == new]
        self.save(release, {key: todo[key] for key in unchanged}, {}, "end")

    def undone(self, release: Release, group: int) -> dict[str, Any]:
        """What an undo of a save asks for, by key."""
        found = {release.former.get(e.key, e.key): e for e in self.entries if e.group == group}
        todo = {key: self._undone(release, key, entry) for key, entry in found.items()}
        return {key: value for key, value in todo.items() if value is not None}

    def _undone(self, release: Release, key: str, entry: Entry) -> Any:
        """The value that an undo gives a setting; None: it leaves it alone."""
        if key not in release.versions or release.is_secret(key) or entry.old is HIDDEN:
            return None
        if entry.old is ABSENT:
            return ABSENT
        value, served = release.serve(key, entry.old)
        return value if served != "default" and release.accepts(key, value) else None
