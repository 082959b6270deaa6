"""Plan: what an import would do, and does, and what it leaves alone because a person changed it."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple

from flask import Flask

from .. import forms
from ..contexts import context_of
from ..exceptions import ConflictError, InvalidValue
from ..i18n import gettext, mark
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.change import Change, explains
from ..state.state import State
from ..state.task import RESET, Origin
from .values import FileValues, unchanged

#: How often an import is planned again because somebody else has saved.
ATTEMPTS = 5

#: Settings that are never reset because a file does not name them, and why.
NEVER_PRUNED: tuple[tuple[Callable[[Setting], bool], str], ...] = (
    (lambda setting: setting.secret, mark("it is a secret, which no file needs to name")),
    (lambda setting: setting.readonly, mark("it is read-only")),
)
#: The sources of changes that people make.
PEOPLE = ("page", "api", "cli", "restore")
NOT_IN_FILES = mark("no file can hold its value")


class _All(Container[str]):
    """Contains every key."""

    def __contains__(self, key: object) -> bool:
        return True


ALL = _All()


class Drift(NamedTuple):
    """Who made a setting drift from what files say."""

    actor: str  #: "" where nobody was named
    at: datetime | None  #: None: the history does not know
    source: str  #: "" where the history does not know


UNKNOWN = Drift("", None, "")


class Step(NamedTuple):
    """What an import does with one setting."""

    key: str
    action: Literal["same", "set", "reset", "leave"]
    old: object  #: the value in force
    new: object  #: that of the file, as validators leave it; the default if the file has none
    reason: str = ""  #: why it is left alone; "" if it has drifted
    drift: Drift | None = None  #: also of what is taken over


class Plan(NamedTuple):
    """What an import does."""

    steps: list[Step]
    records: Mapping[str, Record]  #: what it was decided by

    @property
    def changes(self) -> list[Step]:
        """What it writes."""
        return [step for step in self.steps if step.action in ("set", "reset")]

    @property
    def unchanged(self) -> list[Step]:
        """What has the wanted value already."""
        return [step for step in self.steps if step.action == "same"]

    @property
    def drifted(self) -> list[Step]:
        """What it leaves alone, because somebody has changed it."""
        return [step for step in self.steps if step.action == "leave" and step.drift]

    @property
    def wanted(self) -> dict[str, object]:
        """The new values by key, for a save."""
        return {s.key: RESET if s.action == "reset" else s.new for s in self.changes}

    @property
    def expected(self) -> dict[str, object]:
        """The records by key that the save is decided by."""
        return {step.key: self.records[step.key] for step in self.changes}

    def as_saved(self, saved: Mapping[str, object]) -> Plan:
        """Return it as a save has done it: with the saved values; what is not among them stays."""
        changed = {
            step.key: step._replace(new=saved[step.key])
            if step.key in saved
            else step._replace(action="same")
            for step in self.changes
        }
        return self._replace(steps=[changed.get(step.key, step) for step in self.steps])


def make_plan(
    state: State,
    values: Mapping[str, object],
    *,
    prune: bool = False,
    take_over: Container[str] = (),
) -> Plan:
    """Return what an import of values would do; it reads the database, and refuses no value.

    :param values: by key, as `load_values` returns them.
    :param prune: reset settings that are not among them.
    :param take_over: the keys of settings that are written though they have drifted, or `ALL`.
    :raises StoreError: the database can't be read.
    """
    # Records first: a change that comes after this is found by its record.
    records, settings = state.read(), state.settings
    steps = [*_named(state.app, settings, values, records)]
    if prune:
        steps += _unnamed(FileValues(state.app, settings), values, records)
    undecided = [step.key for step in steps if step.action in ("set", "reset")]
    latest = state.history.latest(undecided) if state.history else {}
    decided = []
    for step in steps:
        if step.action in ("set", "reset"):
            drift = find_drift(settings[step.key], records[step.key], latest.get(step.key))
            step = step._replace(drift=drift)
            if drift and step.key not in take_over:
                step = step._replace(action="leave")
        decided.append(step)
    return Plan(decided, records)


def import_values(
    state: State,
    values: Mapping[str, object],
    origin: Origin,
    *,
    prune: bool = False,
    take_over: Container[str] = (),
) -> Plan:
    """Save values, all or none, but for those of settings that have drifted; idempotent.

    Who saves meanwhile is not overwritten. Parameters as for `make_plan`.

    :param origin: who imports, and why.
    :returns: what was done.
    :raises InvalidValue: a value breaks its declaration, or a rule.
    :raises ConflictError: others kept saving these settings.
    :raises StoreError: the database can't be read or written.
    """
    for attempt in range(ATTEMPTS):
        plan = make_plan(state, values, prune=prune, take_over=take_over)
        try:
            return plan.as_saved(state.save(plan.wanted, plan.expected, origin))
        except ConflictError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")


def _named(
    app: Flask,
    settings: Mapping[str, Setting],
    values: Mapping[str, object],
    records: Mapping[str, Record],
) -> Iterator[Step]:
    """Yield the steps of what a file names."""
    differing = {key: value for key, value in values.items() if not _is_there(records[key], value)}
    cleaned = _clean(app, settings, differing)
    for key, value in {**values, **cleaned}.items():
        record = records[key]
        if key not in differing or _is_there(record, value):
            yield Step(key, "same", record.value, value)
        elif environment := settings[key].environment:
            yield Step(key, "leave", record.value, value, environment.reason)
        else:
            yield Step(key, "set", record.value, value)


def _is_there(record: Record, value: object) -> bool:
    """Whether a setting has the value of a file already."""
    return unchanged(record.value, value) or unchanged(record.stored.value, value)


def _clean(
    app: Flask, settings: Mapping[str, Setting], values: Mapping[str, object]
) -> dict[str, object]:
    """Return values as a save would leave them; those that it would refuse as they are."""
    with context_of(app):
        cleaned, problems = forms.clean_values(settings, values, app.config)
    return {key: values[key] if key in problems else value for key, value in cleaned.items()}


def _unnamed(
    file_values: FileValues, values: Mapping[str, object], records: Mapping[str, Record]
) -> Iterator[Step]:
    """Yield the steps of what a file does not name, if it is not the default."""
    for key, setting in file_values.settings.items():
        record, default = records[key], setting.default
        if key in values or same(record.stored.value, default):
            continue
        reason = _why_not_pruned(file_values, setting, record)
        yield Step(key, "leave" if reason else "reset", record.value, default, reason)


def _why_not_pruned(file_values: FileValues, setting: Setting, record: Record) -> str:
    if setting.environment is not None:
        return setting.environment.reason
    for holds, reason in NEVER_PRUNED:
        if holds(setting):
            return gettext(reason)
    try:
        file_values.dump(setting.key, record.value)
    except InvalidValue:
        return gettext(NOT_IN_FILES)
    return ""


def find_drift(setting: Setting, record: Record, latest: Change | None) -> Drift | None:
    """Return how a setting has drifted; None: the value that it has is not a person's.

    :param record: as it is in the database.
    :param latest: its last change in the history.
    """
    if latest is not None and is_by_person(latest):
        return Drift(latest.actor, latest.at, latest.source)
    return None if explains(latest, setting, record) else UNKNOWN


def is_by_person(change: Change) -> bool:
    """Whether a person made a change, and not code, an import or a deployment."""
    return change.source in PEOPLE or (change.source in ("undo", "end") and bool(change.actor))
