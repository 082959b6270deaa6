"""Saver: read, decide, compare and swap; again when another save came first."""

from __future__ import annotations

import logging
import random
import reprlib
import time
import uuid
from collections.abc import Awaitable, Callable, Container, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from flask import Flask

from .. import calls, forms
from ..exceptions import BusyError, ConflictError, InvalidValue
from ..i18n import gettext
from ..settings.equality import same
from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from ..store.contract import storable
from .cache import Cache, Changes
from .record import Record
from .repository import Repository

log = logging.getLogger(__name__)

#: Characters that the history keeps of an actor and of a note.
ACTOR_LENGTH, NOTE_LENGTH = 255, 2000
#: How often a save that others keep overtaking is tried before it is given up.
ATTEMPTS = 20

#: Sources of people, who may not know the secret that they overwrite. What they type for a secret
#: is always written: otherwise "nothing changed" would confirm a guess.
INTERACTIVE_SOURCES = ("page", "api")

#: As a value: no row, so that the default holds.
RESET: Final = object()

#: What rules say: the messages by key ({} when fine).
Problems = Mapping[str, str] | None
#: Rules across settings, given all values as they would be; may be asynchronous.
Validate = Callable[[dict[str, object]], Problems | Awaitable[Problems]]


class Saved(dict[str, object]):
    """What a save wrote: ``{key: new value}``."""

    #: The name of the save in the history; None when nothing was written or no history is kept.
    change_set: str | None = None


class Origin(NamedTuple):
    """Who saves, why, and by which way in."""

    actor: str | None
    note: str | None
    source: str


class Outcome(NamedTuple):
    """What a save has done."""

    saved: Saved
    changes: Changes  #: the old and the new values of what was written
    remote: Changes  #: what was read meanwhile, and other processes had saved


class Saver:
    """Saves settings of one app: all that are asked for, or none.

    :param app: its functions are called, and its values handed to validators.
    :param repository: its settings in the database.
    :param cache: its settings in memory.
    :param validate: rules across settings.
    :param keeps_history: whether the database keeps a history.
    """

    def __init__(
        self,
        app: Flask,
        repository: Repository,
        cache: Cache,
        validate: Validate | None,
        *,
        keeps_history: bool,
    ) -> None:
        self._app = app
        self._repository = repository
        self._cache = cache
        self._validate = validate
        self._keeps_history = keeps_history

    def save(
        self,
        settings: Mapping[str, Setting],
        wanted: Mapping[str, object],
        expected: Mapping[str, object],
        origin: Origin,
    ) -> Outcome:
        """Save settings; to be called in the app's context.

        :param settings: all that are declared.
        :param wanted: the new values of some of them; `RESET` deletes the row.
        :param expected: the values seen; a `Record` in place of a value compares the
            stored text.
        :raises InvalidValue, ConflictError, BusyError, StoreError: as `update_db` does.
        """
        new = {
            key: settings[key].copy_default() if value is RESET else value
            for key, value in wanted.items()
        }
        if unknown := [key for key in expected if key not in settings]:
            raise InvalidValue(dict.fromkeys(unknown, gettext("Expected, but not declared.")))
        involved = list(settings if self._validate else dict.fromkeys([*new, *expected]))
        always_written = {
            key for key in wanted if settings[key].secret and origin.source in INTERACTIVE_SOURCES
        }
        for attempt in range(ATTEMPTS):
            generation = self._cache.generation
            records = self._cache.read(involved)
            if conflicting := [
                key for key in expected if not _is_still(records[key], expected[key])
            ]:
                raise ConflictError(conflicting)
            texts = self._encode(settings, wanted, records, always_written)
            if texts:
                self._check_rules(settings, {key: r.value for key, r in records.items()} | new)
            # What the save is decided by has to stay as it is until all is written.
            decisive = records if self._validate else texts.keys() | expected.keys()
            swaps = {
                key: Swap(record.text, texts.get(key, record.text))
                for key, record in records.items()
                if key in decisive
            }
            written = {key: swap for key, swap in swaps.items() if key in texts}
            history = history_rows(settings, written, origin) if self._keeps_history else ()
            if self._repository.swap(swaps, history):
                break
            time.sleep(random.random() * 0.002 * 2 ** min(attempt, 6))
        else:
            raise BusyError(
                f"Others kept saving {', '.join(new)} at the same moment; nothing was saved: "
                "try again."
            )
        changes = {key: (records[key].value, new[key]) for key in written}
        read = {key: record.text for key, record in records.items()}
        cache_changes = self._cache.apply_save(generation, {**read, **texts})
        if changes:
            _log(settings, changes, origin)
        saved = Saved({key: value for key, (_, value) in changes.items()})
        saved.change_set = history[0].change_set if history else None
        remote = {key: pair for key, pair in cache_changes.items() if key not in changes}
        return Outcome(saved, changes, remote)

    def _encode(
        self,
        settings: Mapping[str, Setting],
        wanted: Mapping[str, object],
        records: Mapping[str, Record],
        always_written: Container[str],
    ) -> dict[str, str | None]:
        """The texts to write, by what the database holds; None deletes a row.

        :param always_written: the keys of what is written even if the database holds it already.
        """
        gone = [key for key, value in wanted.items() if value is RESET]
        differing = {
            key: value
            for key, value in wanted.items()
            if value is not RESET and (key in always_written or not _holds(records[key], value))
        }
        if problems := forms.check_values(settings, differing, self._app.config):
            raise InvalidValue(problems)
        texts: dict[str, str | None] = {key: None for key in gone if records[key].text is not None}
        return texts | self._repository.encode(differing, unique=always_written)

    def _check_rules(self, settings: Mapping[str, Setting], values: dict[str, object]) -> None:
        if self._validate is None:
            return
        try:
            found = dict(calls.call(self._app, self._validate, values) or {})
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
            ) from (None if any(s.secret for s in settings.values()) else error)
        if problems:
            raise InvalidValue(problems)


def history_rows(
    settings: Mapping[str, Setting], swaps: Mapping[str, Swap], origin: Origin
) -> list[HistoryRow]:
    """Return what a save adds to the history; of secrets no texts."""
    change_set, now = uuid.uuid4().hex, datetime.now(UTC)
    actor = storable(origin.actor)[:ACTOR_LENGTH]
    note = storable(origin.note)[:NOTE_LENGTH]
    return [
        HistoryRow(
            change_set,
            key,
            None if settings[key].secret else swap.seen,
            None if settings[key].secret else swap.new,
            actor,
            now,
            note,
            origin.source,
        )
        for key, swap in swaps.items()
    ]


def _log(settings: Mapping[str, Setting], changes: Changes, origin: Origin) -> None:
    what = "; ".join(
        f"{key} changed"
        if settings[key].secret
        else f"{key}: {reprlib.repr(old)} -> {reprlib.repr(new)}"
        for key, (old, new) in changes.items()
    )
    note = f" ({origin.note[:200]!r})" if origin.note else ""
    actor = origin.actor or "nobody named"
    log.info("Settings saved by %r from %s%s: %s", actor, origin.source, note, what)


def _is_still(record: Record, seen: object) -> bool:
    """Whether the database still has the expected value, or the row of the expected `Record`."""
    return record.text == seen.text if isinstance(seen, Record) else same(record.value, seen)


def _holds(record: Record, value: object) -> bool:
    """Whether the database has this very value, so that there is nothing to write."""
    return record.text is not None and record.served == "stored" and same(record.value, value)
