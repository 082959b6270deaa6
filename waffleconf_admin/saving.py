"""Saving: read, decide, swap; again while somebody else is faster."""

from __future__ import annotations

import logging
import random
import reprlib
import time
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from . import calls, forms
from .contexts import within
from .exceptions import BusyError, ConflictError, InvalidValue
from .live import Changes, Live, Record, renew_snapshot
from .rows import Rows, Texts
from .signals import announce
from .store import HistoryRow
from .util import same
from .words import gettext

if TYPE_CHECKING:
    from .state import _WaffleState

log = logging.getLogger(__name__)

#: How often a save that others keep overtaking is tried before it is given up.
ATTEMPTS = 20

#: The ways in of people, who may not know a secret that they write. What they write is written,
#: whatever it equals: else whether it was would tell them that they have guessed it.
OF_PEOPLE = ("page", "api")

#: As a value: no row, so that the default holds.
RESET: Final = object()

#: What rules say: the messages by key ({} when fine).
Problems = Mapping[str, str] | None
#: Rules across settings, given all values as they would be; may be asynchronous.
Validate = Callable[[dict[str, Any]], Problems | Awaitable[Problems]]


class Saved(dict[str, Any]):
    """What a save wrote: ``{key: new value}``."""

    #: The name of the save in the history; None when nothing was written or no history is kept.
    change_set: str | None = None


class Saving:
    """How the settings of one app are saved: all that were asked for, or none.

    :param state: the app's state.
    :param rows: its settings in the database.
    :param live: its settings in memory.
    :param validate: rules across settings.
    """

    def __init__(
        self, state: _WaffleState, rows: Rows, live: Live, validate: Validate | None
    ) -> None:
        self._state = state
        self._rows = rows
        self._live = live
        self._validate = validate

    def save(
        self,
        wanted: Mapping[str, Any],
        expected: Mapping[str, Any] | None,
        actor: str | None,
        note: str | None,
        source: str,
    ) -> Saved:
        """Save settings; parameters and errors as those of `update_db`, one more value: `RESET`.

        :param expected: a `Record` in place of a value means its row, and no other of that value.
        """
        with within(self._state.app):  # for the app's own functions, and for translations
            return self._save(wanted, expected, actor, note, source)

    def _save(
        self,
        wanted: Mapping[str, Any],
        expected: Mapping[str, Any] | None,
        actor: str | None,
        note: str | None,
        source: str,
    ) -> Saved:
        state, expected = self._state, expected or {}
        wanted = state.known(wanted)
        settings = state.settings  # each look compares WAFFLE_CONFS with what was declared
        new = {
            key: settings[key].copy_default() if value is RESET else value
            for key, value in wanted.items()
        }
        if strange := [key for key in expected if key not in settings]:
            raise InvalidValue(dict.fromkeys(strange, gettext("Expected, but not declared.")))
        involved = list(settings if self._validate else dict.fromkeys([*new, *expected]))
        typed = {key for key in wanted if settings[key].secret and source in OF_PEOPLE}
        for attempt in range(ATTEMPTS):
            generation = self._live.generation
            records = state.read(involved)
            if lost := [key for key in expected if not _is_still(records[key], expected[key])]:
                raise ConflictError(lost)
            seen = {key: record.text for key, record in records.items()}
            after = self._texts(wanted, records, typed)
            # What is decided by has to stay so until it is written.
            decided_by = seen if self._validate else after.keys() | expected.keys()
            before = {key: text for key, text in seen.items() if key in decided_by}
            if after:
                self._check_rules({key: r.value for key, r in records.items()} | new)
            history = self._history_of(before, after, actor, note, source)
            if self._rows.swap(before, after, history):
                break
            time.sleep(random.random() * 0.002 * 2 ** min(attempt, 6))
        else:
            raise BusyError(
                f"Others kept saving {', '.join(new)} at the same moment; nothing was saved: "
                "try again."
            )
        changes = {key: (records[key].value, new[key]) for key in after}
        news = self._live.take_up(generation, {**seen, **after})
        if changes:
            renew_snapshot()
            self._log(changes, actor, note, source)
            state.runner.notify()
        announce(state.app, changes, "local")
        remote = {key: pair for key, pair in news.items() if key not in changes}
        announce(state.app, remote, "remote")
        if changes and state.history:
            state.history.tidy()
        saved = Saved({key: value for key, (_, value) in changes.items()})
        saved.change_set = history[0].change_set if history else None
        return saved

    def _history_of(self, before: Texts, after: Texts, *origin: Any) -> Sequence[HistoryRow]:
        return self._state.history.rows(before, after, *origin) if self._state.history else ()

    def _texts(
        self, wanted: Mapping[str, Any], records: Mapping[str, Record], typed: Container[str]
    ) -> Texts:
        """The texts to write, by what the database holds; None deletes a row.

        :param typed: the keys of what is written even if the database holds it already.
        """
        gone = [key for key, value in wanted.items() if value is RESET]
        differing = {
            key: value
            for key, value in wanted.items()
            if value is not RESET and (key in typed or not _holds(records[key], value))
        }
        if problems := forms.check_values(self._state, differing):
            raise InvalidValue(problems)
        texts: dict[str, str | None] = {key: None for key in gone if records[key].text is not None}
        return texts | self._rows.encode(differing, unique=typed)

    def _check_rules(self, values: dict[str, Any]) -> None:
        if self._validate is None:
            return
        try:
            found = dict(calls.call(self._state.app, self._validate, values) or {})
            problems = {key: str(message) for key, message in found.items()}
        except Exception as error:
            # Its message may quote a secret.
            log.error("The function validate= of WaffleConf failed: %s", calls.told(error))
            raise InvalidValue(
                gettext(
                    "The rules across settings could not be checked, so nothing was saved: the "
                    "function validate= must return {key: message} and raise nothing."
                )
            ) from (None if any(s.secret for s in self._state.settings.values()) else error)
        if problems:
            raise InvalidValue(problems)

    def _log(self, changes: Changes, actor: str | None, note: str | None, source: str) -> None:
        settings = self._state.settings
        what = "; ".join(
            f"{key} changed"
            if settings[key].secret
            else f"{key}: {reprlib.repr(old)} -> {reprlib.repr(new)}"
            for key, (old, new) in changes.items()
        )
        why = f" ({note[:200]!r})" if note else ""
        log.info("Settings saved by %r from %s%s: %s", actor or "nobody named", source, why, what)


def _is_still(record: Record, seen: Any) -> bool:
    """Whether the database has what somebody has seen: a value, or the row of a `Record`."""
    return record.text == seen.text if isinstance(seen, Record) else same(record.value, seen)


def _holds(record: Record, value: Any) -> bool:
    """Whether the database has this very value, so that there is nothing to write."""
    return record.text is not None and record.served == "stored" and same(record.value, value)
