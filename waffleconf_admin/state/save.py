"""Saver: read, decide, compare and swap; again when another save came first."""

from __future__ import annotations

import logging
import reprlib
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from flask import Flask

from .. import calls, forms
from ..exceptions import ConflictError, InvalidValue
from ..i18n import gettext
from ..settings.equality import same
from ..settings.record import Record
from ..store import HistoryRow, Swap
from .attempts import Attempts
from .cache import Cache, Changes
from .former_names import answering
from .records import Records
from .repository import Repository
from .task import RESET, Task, history_rows

log = logging.getLogger(__name__)

#: What rules say: the messages by key ({} when fine).
Problems = Mapping[str, str] | None
#: Rules across settings, given all values as they would be; may be asynchronous.
Validate = Callable[[dict[str, object]], Problems | Awaitable[Problems]]


class Saved(dict[str, object]):
    """What a save wrote: ``{key: new value}``."""

    #: The name of the save in the history; None when nothing was written or no history is kept.
    change_set: str | None = None


class Reading(NamedTuple):
    """What a save has read."""

    generation: int  #: of the cache, before it was read
    records: Records
    fresh: Records  #: those that are not as they are in memory


class Decision(NamedTuple):
    """What a save writes."""

    task: Task  #: with values as validators leave them
    records: Records  #: as they will be, of the settings that are written
    swaps: dict[str, Swap]  #: also of settings that have to stay as they are
    history: list[HistoryRow]


class Outcome(NamedTuple):
    """What a save has done."""

    saved: Saved
    changes: Changes  #: the old and the new values of what was written
    remote: Changes  #: what was read meanwhile, and other processes had saved


class Saver:
    """Saves settings of one app: all that are asked for, or none.

    :param app: its functions are called, and its values handed to validators.
    :param cache: its settings in memory.
    :param repository: its settings in the database.
    :param validate: rules across settings.
    """

    def __init__(
        self,
        app: Flask,
        cache: Cache,
        repository: Repository,
        validate: Validate | None,
    ) -> None:
        self._app = app
        self._cache = cache
        self._repository = repository
        self._validate = validate

    @property
    def decides_by_all(self) -> bool:
        """Whether each save is decided by the values of all settings."""
        return self._validate is not None

    def save(self, task: Task) -> Outcome:
        """Save settings; to be called in the app's context.

        :raises InvalidValue, ConflictError, BusyError, StoreError: as `update_db` does.
        """
        if unknown := [key for key in task.expected if key not in task.settings]:
            raise InvalidValue(dict.fromkeys(unknown, gettext("Expected, but not declared.")))
        task = task.without_environment()
        known = self._known(task)
        if known is not None:
            try:
                decision = self._decide(task, known)
            except InvalidValue:
                pass  # the database, which is read below, may hold the refused value already
            else:
                writes_all = decision.records.texts.keys() == task.wanted.keys()
                if writes_all and self._write(decision):
                    return self._bring_into_memory(known, decision)
        attempts = Attempts()
        for _ in attempts:
            reading = self._read(task)
            attempts.note(reading.records.texts)
            decision = self._decide(task, reading)
            if self._write(decision):
                return self._bring_into_memory(reading, decision)
        raise attempts.failure(task.wanted)

    def check(self, task: Task) -> None:
        """Raise what `save` would raise about the values themselves; write nothing.

        :raises InvalidValue: a value breaks its declaration or a rule, or can't be stored.
        :raises StoreError: the database can't be read.
        """
        task = task.without_environment()
        self._decide(task, self._read(task))

    # The steps of a save

    def _known(self, task: Task) -> Reading | None:
        """Return what this process knows of the rows, if a save may go by that; None: it has to
        read them.

        It may if each row of the save is there, and will be another one: the statements that write
        these rows compare them. If one has changed meanwhile, nothing is written.
        """
        if not self._cache.loaded or self._validate or task.expected or task.origin.ends:
            return None
        generation = self._cache.generation
        records, unique = self._cache.records(), task.always_written()
        for key, value in task.wanted.items():
            if key in records.others or records.texts.get(key) is None:
                return None
            if key not in unique and _holds(records, key, value):
                return None
        texts = {key: records.texts[key] for key in task.wanted}
        return Reading(generation, *self._cache.shared_records(texts))

    def _read(self, task: Task) -> Reading:
        """Read the settings that decide the save."""
        decisive = list(task.settings if self._validate else {**task.wanted, **task.expected})
        generation = self._cache.generation  # before it reads
        found = self._repository.read_fresh(decisive)
        texts = {key: found.get(key) for key in decisive}
        return Reading(generation, *self._cache.shared_records(texts))

    def _decide(self, task: Task, reading: Reading) -> Decision:
        """Decide what to write, or raise why nothing can be."""
        records = reading.records
        # As a save would write it.
        expected = {key: task.settings[key].plain(seen) for key, seen in task.expected.items()}
        if conflicting := [key for key in expected if not _is_still(records[key], expected[key])]:
            raise ConflictError(conflicting)
        task, new = self._make_records(task, records)
        if new:
            self._check_rules(task, records)
        # What the save is decided by has to stay as it is until all is written.
        decisive = records.texts if self._validate else new.texts.keys() | expected.keys()
        swaps = {
            key: Swap(text, new.texts.get(key, text))
            for key, text in records.texts.items()
            if key in decisive
        }
        history = _history(task, records, new) if new and self._repository.history.exists else []
        return Decision(task, new, swaps, history)

    def _write(self, decision: Decision) -> bool:
        """Write all or nothing; False: another save came first."""
        ends = decision.task.origin.ends
        return self._repository.swap(decision.swaps, decision.history, ends)

    def _bring_into_memory(self, reading: Reading, decision: Decision) -> Outcome:
        """Serve what was read and written, and say what has changed."""
        task, written, read = decision.task, decision.records, reading.records
        new = {key: task.new_value(key) for key in task.wanted if key in written.texts}
        changes = {key: (read.stored_value(key), value) for key, value in new.items()}
        remote = self._cache.apply_save(reading.generation, read, reading.fresh, written)
        saved = Saved(new)
        saved.change_set = decision.history[0].change_set if decision.history else None
        if changes:
            _log(task, changes, saved.change_set)
        return Outcome(saved, changes, remote)

    def _make_records(self, task: Task, records: Records) -> tuple[Task, Records]:
        """Return the task with values as validators leave them, and the records to write, by what
        the database holds; those without a text delete a row.
        """
        unique, gone, differing = task.always_written(), [], {}
        for key, value in task.wanted.items():
            if value is RESET:
                if records.texts[key] is not None:
                    gone.append(key)
            elif key in unique or not _holds(records, key, value):
                differing[key] = value
        values: Mapping[str, object] = self._app.config
        if gone:  # validators that ask for these get the defaults
            values = {**values, **{key: task.new_value(key) for key in gone}}
        cleaned, problems = forms.clean_values(task.settings, differing, values)
        if problems:
            raise InvalidValue(problems)
        altered = {key: value for key, value in cleaned.items() if value is not differing[key]}
        task = task._replace(wanted={**task.wanted, **altered})
        for key, value in altered.items():
            if key not in unique and _holds(records, key, value):
                del cleaned[key]
        encoded = self._repository.codec.encode(cleaned, unique)
        return task, self._cache.written_records(task.settings, encoded, gone)

    def _check_rules(self, task: Task, records: Records) -> None:
        if self._validate is None:
            return
        names = self._repository.names
        # Not the lists and dicts that views are reading: the function is the app's.
        own = self._cache.own_records(records.texts).served
        values = {**own, **{key: task.new_value(key) for key in task.wanted}}
        try:
            answers = calls.call(self._app, self._validate, answering(values, names))
            found = names.by_key(dict(answers or {}), "named by validate=")
            problems = {key: str(message) for key, message in found.items()}
        except Exception as error:
            # Its message may quote a secret.
            what = calls.describe_error(error)
            log.error("The function validate= of WaffleConf failed: %s", what)
            raise InvalidValue(
                gettext(
                    "The rules across settings could not be checked, so nothing was saved: the "
                    "function validate= must return {key: message} and raise nothing."
                )
            ) from (None if any(s.secret for s in task.settings.values()) else error)
        if problems:
            raise InvalidValue(problems)


def _history(task: Task, read: Records, written: Records) -> list[HistoryRow]:
    """What the save adds to the history; of secrets no texts.

    Of what is no secret any more the history has the text itself, not an encrypted one.
    """
    swaps = {
        key: Swap(None, None)
        if task.settings[key].secret
        else Swap(read[key].clear_text if key in read.others else text, written.texts[key])
        for key, text in read.texts.items()
        if key in written.texts
    }
    return history_rows(swaps, task.origin)


def _log(task: Task, changes: Changes, change_set: str | None) -> None:
    if not log.isEnabledFor(logging.INFO):
        return
    settings, origin = task.settings, task.origin
    what = "; ".join(
        f"{key} changed"
        if settings[key].secret
        else f"{key}: {reprlib.repr(old)} -> {reprlib.repr(new)}"
        for key, (old, new) in changes.items()
    )
    note = f" ({origin.note[:200]!r})" if origin.note else ""
    actor = origin.actor or "nobody named"
    facts = {"keys": list(changes), "change_set": change_set}  # docs/observing.md
    facts |= {"actor": origin.actor, "source": origin.source}
    message = "Settings saved by %r from %s%s: %s"
    log.info(message, actor, origin.source, note, what, extra=facts)


def _is_still(record: Record, seen: object) -> bool:
    """Whether the database still has the expected value, or the row of the expected `Record`."""
    return record.text == seen.text if isinstance(seen, Record) else same(record.value, seen)


def _holds(records: Records, key: str, value: object) -> bool:
    """Whether the database has this very value, so that there is nothing to write."""
    if key in records.others:
        record = records.others[key].stored
        return record.text is not None and record.served == "stored" and same(record.value, value)
    return records.texts[key] is not None and same(records.served[key], value)
