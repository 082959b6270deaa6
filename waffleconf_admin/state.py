"""State: one app's settings, with the documented methods."""

from __future__ import annotations

import logging
import random
import reprlib
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from flask import Flask

from . import forms
from .declarations import Setting, declare
from .exceptions import BusyError, ConflictError, InvalidValue, StoreError
from .live import Changes, Live, Record, renew_snapshot
from .rows import Rows, Texts
from .runner import Runner
from .signals import conf_changed
from .store import WaffleStore
from .util import same

if TYPE_CHECKING:
    from .core import WaffleConf

log = logging.getLogger(__name__)

#: How often a save that others keep overtaking is tried before it is given up.
ATTEMPTS = 20

#: Rules across settings: given all values as they would be, the messages by key ({} when fine).
Validate = Callable[[dict[str, Any]], Mapping[str, str] | None]


class _WaffleState:
    """One app's settings. Every method works without an application context too.

    :param app: Flask application.
    :param configstore: where values are kept.
    """

    def __init__(
        self, app: Flask, configstore: WaffleStore, *, validate: Validate | None = None
    ) -> None:
        self.app = app
        self.configstore = configstore
        self.extension: WaffleConf | None = None
        self._validate = validate
        self._rows = Rows(app, configstore)
        self._live = Live(app.config, self._rows.decode)
        self._confs: Mapping[str, Any] | None = None
        self._settings: dict[str, Setting] = {}
        self._next_try = 0.0
        self._logged: set[str] = set()
        self._declare()
        self.runner = Runner(self)

    # What is declared

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The declared settings by key, in the order of WAFFLE_CONFS.

        :raises InvalidValue: WAFFLE_CONFS was changed since the start, and has a mistake.
        """
        if self.app.config["WAFFLE_CONFS"] != self._confs:
            self._declare()
        return self._settings

    def _declare(self) -> None:
        confs = self.app.config["WAFFLE_CONFS"]
        settings = declare(confs)
        self._rows.declare(settings)
        self._live.declare(settings)
        self._settings, self._confs = settings, dict(confs)

    # Reading

    def read(self, keys: Iterable[str] | None = None) -> dict[str, Record]:
        """Return settings as they stand in the database, in declared order, with one SELECT.

        :param keys: which; None for all. Undeclared ones are left out.
        :raises StoreError: the database can't be read.
        """
        wanted = self._declared(keys)
        texts = self._rows.read(wanted)
        return {key: self._live.record(key, texts.get(key)) for key in wanted}

    def parse_conf(self, keys: Iterable[str] = ()) -> dict[str, Any]:
        """Return values from the database with one SELECT; ``app.config`` stays as it is.

        Settings without a row are added with their defaults (unless WAFFLE_STORE_DEFAULTS is
        off), where the database lets us.

        :param keys: which; empty for all. Undeclared ones are left out.
        :raises StoreError: the database can't be read.
        """
        wanted = self._declared(keys or None)
        records = self.read(wanted)
        if self.app.config["WAFFLE_STORE_DEFAULTS"]:
            missing = [key for key, record in records.items() if record.text is None]
            if missing and not self._add_defaults(missing):
                records = self.read(wanted)
        return {key: record.value for key, record in records.items()}

    def update_conf(self) -> bool:
        """Bring ``app.config`` and `conf` up to what the database holds.

        Never raises for the database: then all stays as it is and the trouble is logged once.

        :returns: whether the database could be read.
        """
        try:
            changes = self._reload()
        except StoreError as error:
            self._next_try = time.monotonic() + 1.0
            self._log_once("load", logging.WARNING, "Settings were not loaded: %s", error)
            return False
        self._logged.discard("load")
        self._announce(changes, "remote")
        return True

    def current(self) -> Mapping[str, Any]:
        """Return the values in memory, loading them first if this process never has."""
        self._autoload()
        _ = self.settings  # WAFFLE_CONFS may have been replaced
        return self._live.values

    def before_request(self) -> None:
        """What a request does first: serve a forked child, load once, follow a changed file."""
        self.runner.ensure()
        self._autoload()
        if self._live.loaded:
            self.runner.follow_file()

    # Writing

    def update_db(
        self,
        new_values: Mapping[str, Any],
        *,
        actor: str | None = None,
        note: str | None = None,
        expected: Mapping[str, Any] | None = None,
        source: str = "code",
    ) -> dict[str, Any]:
        """Save settings: all of them or, when anything is wrong, none.

        :param new_values: ``{key: value}``; undeclared keys are skipped with a line in the log.
        :param actor: who saves, for the log.
        :param note: why, for the log.
        :param expected: ``{key: value seen}``: save only if these are still the values.
        :param source: by which way in: "code", "page", "cli".
        :returns: what was written, ``{}`` if nothing differed.
        :raises InvalidValue: a value breaks its declaration or can't be stored.
        :raises ConflictError: a value differs from the one expected.
        :raises BusyError: others kept writing the same settings, or the database is held.
        :raises StoreError: the database can't be read or written.
        """
        new = self._known(new_values)

        def texts(records: Mapping[str, Record]) -> Texts:
            differing = {key: new[key] for key in new if not _holds(records[key], new[key])}
            if problems := forms.check_values(self, differing):
                raise InvalidValue(problems)
            return self._rows.encode(differing)

        return self._save(new, texts, expected, actor, note, source)

    def reset(
        self,
        keys: Iterable[str],
        *,
        actor: str | None = None,
        note: str | None = None,
        expected: Mapping[str, Any] | None = None,
        source: str = "code",
    ) -> dict[str, Any]:
        """Delete the stored values of settings, so that their defaults hold.

        Parameters and errors as for `update_db`.

        :returns: the default now in force by key, of those that had a stored value.
        """
        known = self._known(dict.fromkeys(_listed(keys)))
        defaults = {key: self.settings[key].copy_default() for key in known}

        def texts(records: Mapping[str, Record]) -> Texts:
            return {key: None for key in defaults if records[key].text is not None}

        return self._save(defaults, texts, expected, actor, note, source)

    def in_memory(self) -> bool:
        """Whether no other process can have this app's database."""
        return self._rows.in_memory()

    def after_fork(self) -> None:
        """In a forked child: use no lock and no connection of the parent."""
        self._live.renew_lock()
        try:
            self._rows.after_fork()
        except Exception as error:
            log.warning("The parent's database connections were not dropped: %s", error)

    def stop(self) -> None:
        """End this process's watcher thread, within a second."""
        self.runner.stop()

    def _save(
        self,
        new: Mapping[str, Any],
        texts: Callable[[Mapping[str, Record]], Texts],
        expected: Mapping[str, Any] | None,
        actor: str | None,
        note: str | None,
        source: str,
    ) -> dict[str, Any]:
        """Read, decide, swap; again while somebody else is faster.

        :param new: values as they shall be.
        :param texts: gives the texts to write, by what the database holds; None deletes a row.
        """
        expected = self._known(expected or {})
        involved = list(self.settings) if self._validate else [*dict.fromkeys([*new, *expected])]
        for attempt in range(ATTEMPTS):
            generation = self._live.generation
            records = self.read(involved)
            if lost := [key for key in expected if not same(records[key].value, expected[key])]:
                raise ConflictError(lost)
            self._check_rules({key: record.value for key, record in records.items()} | dict(new))
            before = {key: record.text for key, record in records.items()}
            after = texts(records)
            if self._rows.swap(before, after):
                break
            time.sleep(random.random() * 0.002 * 2 ** min(attempt, 6))
        else:
            raise BusyError(
                f"Others kept saving {', '.join(new)} at the same moment; nothing was saved: "
                "try again."
            )
        changes = {key: (records[key].value, new[key]) for key in after}
        news = self._take_up(generation, {**before, **after})
        if changes:
            renew_snapshot()
            self._log_save(changes, actor, note, source)
            self.runner.notify()
        self._announce(changes, "local")
        self._announce({key: pair for key, pair in news.items() if key not in changes}, "remote")
        return {key: value for key, (_, value) in changes.items()}

    def _take_up(self, generation: int, texts: Mapping[str, str | None]) -> Changes:
        """Bring what is committed into memory."""
        news = self._live.apply(generation, texts)
        if news is None:  # a reload or another save came between: only the database knows
            try:
                return self._reload()
            except StoreError as error:
                log.warning("Settings were saved, but reading them again failed: %s", error)
        while news is None:
            news = self._live.apply(self._live.generation, texts)
        return news

    def _check_rules(self, values: dict[str, Any]) -> None:
        if self._validate and (problems := self._validate(values)):
            raise InvalidValue(dict(problems))

    def _add_defaults(self, keys: list[str]) -> bool:
        """Insert rows where there are none; False: somebody else did meanwhile, read again."""
        try:
            texts = self._rows.encode({key: self.settings[key].default for key in keys})
            return self._rows.swap(dict.fromkeys(keys), texts)
        except (StoreError, InvalidValue) as error:
            self._log_once("defaults", logging.INFO, "Defaults were not stored: %s", error)
            return True

    def _reload(self) -> Changes:
        while True:  # ends: the generation only moves when somebody else gets through
            generation = self._live.generation
            keys = list(self.settings)
            texts = self._rows.read(keys)
            changes = self._live.apply(generation, {key: texts.get(key) for key in keys})
            if changes is not None:
                self._live.loaded = True
                return changes

    def _autoload(self) -> None:
        wanted = not self._live.loaded and self.app.config["WAFFLE_AUTOLOAD"]
        if wanted and time.monotonic() >= self._next_try:
            self.update_conf()

    # Small things

    def _declared(self, keys: Iterable[str] | None) -> list[str]:
        settings = self.settings
        if keys is None:
            return list(settings)
        return [key for key in dict.fromkeys(_listed(keys)) if key in settings]

    def _known(self, values: Mapping[str, Any]) -> dict[str, Any]:
        settings = self.settings
        for key in values:
            if key not in settings:
                self._log_once(
                    f"unknown {key}",
                    logging.WARNING,
                    "%r was not saved: it is not declared in WAFFLE_CONFS.",
                    key,
                )
        return {key: value for key, value in values.items() if key in settings}

    def _announce(self, changes: Changes, origin: str) -> None:
        if not changes:
            return
        with self._rows.context():
            for receiver in conf_changed.receivers_for(self.app):
                try:
                    receiver(self.app, changes=changes, origin=origin)
                except Exception:
                    log.exception("A receiver of conf_changed failed; the settings are saved.")

    def _log_save(self, changes: Changes, actor: str | None, note: str | None, source: str) -> None:
        what = "; ".join(
            f"{key} changed"
            if self.settings[key].secret
            else f"{key}: {reprlib.repr(old)} -> {reprlib.repr(new)}"
            for key, (old, new) in changes.items()
        )
        why = f" ({note!r})" if note else ""
        log.info("Settings saved by %r from %s%s: %s", actor or "nobody named", source, why, what)

    def _log_once(self, about: str, level: int, message: str, *args: Any) -> None:
        if about not in self._logged:
            self._logged.add(about)
            log.log(level, message, *args)


def _listed(keys: Iterable[str]) -> Iterable[str]:
    return [keys] if isinstance(keys, str) else keys


def _holds(record: Record, value: Any) -> bool:
    """Whether the database has this very value, so that there is nothing to write."""
    return record.text is not None and record.problem is None and same(record.value, value)
