"""State: one app's settings, with the documented methods."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from flask import Flask, has_request_context

from ..codec import Format
from ..contexts import context_of
from ..settings.record import Record
from ..settings.setting import Setting
from ..snapshot import renew_snapshot
from ..store import WaffleStore
from ..sync.health import Health, attention_sentence
from ..sync.synchronizer import Synchronizer
from .announcer import Announcer
from .cache import Cache
from .codec import Codec
from .declared import Declared
from .deployments import Deployments
from .ends import Ends, refused_sentence
from .former_file import FormerFile
from .handlers import Handlers
from .history import History
from .late_settings import LateSettings
from .loading import Loader
from .names import NamedRows
from .overrides import Overrides
from .reader import Reader, listed
from .repository import Repository
from .rewriting import FormatConversion, Rotation
from .save import Saved, Saver, Validate
from .task import RESET, Origin, Task
from .undeclared import Undeclared
from .worker import Worker
from .workers import Workers

log = logging.getLogger(__name__)


class State:
    """One app's settings. Every method works without an application context too.

    :param app: Flask application.
    :param configstore: where values are kept.
    :param validate: rules across settings.
    :param handlers: what is called when settings have changed.
    """

    def __init__(
        self,
        app: Flask,
        configstore: WaffleStore,
        *,
        validate: Validate | None = None,
        handlers: Handlers | None = None,
    ) -> None:
        #: The Flask application.
        self.app = app
        #: Where values are kept.
        self.configstore = configstore
        #: The extension that made this state.
        self.extension: object = None
        self._repository = repository = Repository(app, configstore, Codec(app))
        self._cache = cache = Cache(app.config, repository)
        self._declared = declared = Declared(app, cache, repository)
        self._saver = Saver(app, cache, repository, validate)
        self._announcer = Announcer(app, declared, repository, handlers or Handlers())
        self._reader = Reader(app, declared, cache, repository)
        self._worker = worker = Worker(app, cache, repository) if repository.keeps_workers else None
        self.synchronizer = synchronizer = Synchronizer(self, worker)
        history = History(self, repository) if repository.history.exists else None
        #: The history of changes; None when the store keeps none.
        self.history = history
        #: The saves whose settings go back at a time.
        self.ends = Ends(self, repository.history, history, synchronizer)
        #: The defaults that deployments have noted; None when the store keeps no history.
        self.deployments = Deployments(declared, history, repository) if history else None
        #: The rows of keys that are not declared.
        self.undeclared = Undeclared(app, declared, repository, synchronizer)
        #: What tests put in place of the values of settings.
        self.overrides = Overrides(app, declared, cache, repository)
        #: The processes that follow; None when the store has no model for them.
        self.workers = Workers(declared, self._reader, worker, repository) if worker else None
        #: The SQLite file that was used before an upgrade of Flask-SQLAlchemy.
        self.former_file = FormerFile(cache, repository)
        self.loader = Loader(
            app,
            declared,
            cache,
            repository,
            synchronizer,
            self.ends,
            self._announcer,
            (self.former_file.warn, self.undeclared.warn, LateSettings(app).warn),
        )

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The declared settings by key, in the order of WAFFLE_CONFS.

        :raises InvalidValue: WAFFLE_CONFS was changed since the start, and has a mistake.
        """
        return self._declared.settings

    @property
    def names(self) -> NamedRows:
        """The former names of settings."""
        return self._repository.names

    # Reading

    def read(self, keys: Iterable[str] | None = None, *, fresh: bool = True) -> dict[str, Record]:
        """Return settings as they stand in the database, in declared order, with one SELECT.

        :param keys: which; None for all. Undeclared ones are left out. One that is asked for by a
            former name is returned under that.
        :param fresh: read where saves write; else a replica will do, which may lag behind.
        :raises StoreError: the database can't be read.
        """
        return self._reader.records(keys, fresh=fresh)

    def refresh(self) -> Mapping[str, Record]:
        """Return all settings as `read` does, and serve them in this process from now on.

        :raises StoreError: the database can't be read.
        """
        _ = self.settings  # a changed WAFFLE_CONFS reaches the cache
        self.loader.load()
        return self._cache.records()

    def parse_conf(self, keys: Iterable[str] = ()) -> dict[str, Any]:
        """Return values from the database with one SELECT; ``app.config`` stays as it is.

        Settings without a row are added with their defaults (unless WAFFLE_STORE_DEFAULTS is
        off), where the database lets us.

        :param keys: which; empty for all. Undeclared ones are left out. One that is asked for by a
            former name is returned under that.
        :raises StoreError: the database can't be read.
        """
        return self._reader.values(keys)

    def update_conf(self) -> bool:
        """Bring ``app.config`` and `conf` up to what the database holds.

        Never raises for the database, nor for a mistake in a changed WAFFLE_CONFS: then all stays
        as it is and the trouble is logged once.

        :returns: whether the values are up to date now.
        """
        return self.loader.reload()

    def current(self) -> Mapping[str, Any]:
        """Return the values in memory, loading them first if this process never has."""
        if self._declared.refresh():
            self.loader.load_first(in_request=has_request_context())
        return self._cache.values

    # Writing

    def update_db(
        self,
        new_values: Mapping[str, object],
        *,
        actor: str | None = None,
        note: str | None = None,
        expected: Mapping[str, object] | None = None,
        until: datetime | None = None,
        source: str = "code",
    ) -> Saved:
        """Save settings: all of them or, when anything is wrong, none.

        :param new_values: ``{key: value}``; undeclared keys are skipped with a line in the log.
        :param actor: who saves, for log and history.
        :param note: why, for log and history.
        :param expected: ``{key: value seen}``: save only if these are still the values.
        :param until: when what was written goes back, unless somebody keeps it; aware, at most 366
            days ahead. None: it stays. Needs the history.
        :param source: by which way in: "code", "page", "cli", "import", "api". From a "page" or an
            "api" a secret is written whatever it equals, so that no answer reveals a right guess.
        :returns: what was written, ``{}`` if nothing differed from the rows in the database;
            ``change_set`` is its name in the history.
        :raises InvalidValue: a value breaks its declaration or can't be stored; or the save can't
            have this end.
        :raises ValueError: *source* is no text, or too long.
        :raises ConflictError: a value differs from the one expected.
        :raises BusyError: others kept writing the same settings, or the database is held.
        :raises StoreError: the database can't be read or written.
        """
        return self.save(new_values, expected or {}, Origin(actor, note, source, until))

    def reset(
        self,
        keys: Iterable[str],
        *,
        actor: str | None = None,
        note: str | None = None,
        expected: Mapping[str, object] | None = None,
        until: datetime | None = None,
        source: str = "code",
    ) -> Saved:
        """Delete the stored values of settings, so that their defaults hold.

        Parameters and errors as for `update_db`.

        :returns: the default now served by key, of those that had a stored value.
        """
        wanted = dict.fromkeys(listed(keys) or (), RESET)
        return self.save(wanted, expected or {}, Origin(actor, note, source, until))

    def save(
        self, wanted: Mapping[str, object], expected: Mapping[str, object], origin: Origin
    ) -> Saved:
        """Do what `update_db` and `reset` do, in one: where the value is `RESET` the row goes.

        :param expected: a `Record` in place of a value means its row, and no other of that value.
        """
        origin.check()
        wanted, expected = self._declared.known(wanted), self.names.by_key(expected)
        if origin.until is not None:
            self.ends.prepare(origin.until, wanted)
        if self._saver.decides_by_all:
            settings = self._declared.settings
        else:
            settings = self._declared.settings_for([*wanted, *expected])
        with context_of(self.app):  # for the app's own functions, and for translations
            done = self._saver.save(Task(settings, wanted, expected, origin))
            if done.changes:
                renew_snapshot()
                self.synchronizer.notify()
            self._announcer.announce_save(done.changes, origin, done.saved.change_set)
            self._announcer.announce_read(done.remote)
            if done.changes and self.history:
                self.history.tidy()
        if origin.until is not None:
            self.ends.carry_out()  # plans the next end
        return done.saved

    def format_conversion(self, format: Format) -> FormatConversion:
        """Return what converts the stored texts of these settings into a format."""
        return FormatConversion(self.settings, self._repository, format)

    def rotation(self) -> Rotation:
        """Return what encrypts the stored texts of the secrets with the first key.

        :raises InvalidValue: WAFFLE_ENCRYPTION_KEYS is empty.
        """
        return Rotation(self.settings, self._repository)

    def check(self, wanted: Mapping[str, object]) -> None:
        """Raise what `save` would raise about the values themselves; write nothing.

        :raises InvalidValue: a value breaks its declaration or a rule, or can't be stored.
        :raises StoreError: the database can't be read.
        """
        with context_of(self.app):
            self._saver.check(Task(self.settings, wanted, {}, Origin(None, None, "code")))

    def in_memory(self) -> bool:
        """Whether no other process can have this app's database."""
        return self._repository.in_memory()

    def after_fork(self) -> None:
        """In a forked child: use no lock and no connection of the parent, and load again."""
        self._cache.renew_lock()
        self._announcer.after_fork()
        if self._worker:
            self._worker.after_fork()
        if self.app.config["WAFFLE_AUTOLOAD"]:
            self._cache.loaded = False  # what the parent has may be hours old
        try:
            self._repository.after_fork()
        except Exception as error:
            log.warning("The parent's database connections were not dropped: %s", error)

    def health(self) -> Health:
        """Return how well this process follows, and whether it can use what is stored.

        No I/O, but an ``os.stat`` of the watch file.
        """
        health, attention = self.synchronizer.health(), self._cache.attention()
        refused = self.ends.refused
        trouble = health.trouble or refused_sentence(refused) or attention_sentence(attention)
        return health._replace(attention=attention, refused=refused, trouble=trouble)

    def propagation(self) -> str | None:
        """Return how a save reaches the other processes, in a sentence; None: nothing is known."""
        return self.synchronizer.after_save()

    def stop(self) -> None:
        """End this process's watcher thread, within a second."""
        self.synchronizer.stop()
