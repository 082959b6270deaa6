"""Runner: the one watcher thread of a state in a process, and what requests do in its place."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from flask import Flask

from . import forks, watch_types
from .health import Health, Journal, Trouble, promise, worst
from .missed import Missed
from .outage import Outage
from .single_flight import Errand
from .stop import Pulse, Watched

log = logging.getLogger(__name__)

#: Seconds until a watcher, a reload or a notice that has failed is tried again.
RETRY = 1.0
#: Seconds without a sign of life after which a watcher thread counts as silent.
SILENCE = 3.0


class State(Protocol):
    """What this package needs of an app's state."""

    app: Flask

    def update_conf(self) -> bool:
        """Reload; whether the values are up to date now."""
        ...

    def after_fork(self) -> None: ...

    def in_memory(self) -> bool: ...


class Runner:
    """Keeps one watcher thread running, in this process and in those that are forked from it.

    Without WAFFLE_MULTIPROC there is no thread, no file and no notice.

    :raises ValueError: WAFFLE_WATCHTYPE names no kind.
    """

    def __init__(self, state: State) -> None:
        config = state.app.config
        self.state: State = weakref.proxy(state)
        self._active = bool(config["WAFFLE_MULTIPROC"])
        self._kind = (
            watch_types.available_kind(config["WAFFLE_WATCHTYPE"]) if self._active else None
        )
        self.follower = watch_types.new_follower(state) if self._kind == "file" else None
        self._resync = float(watch_types.setting(state, "WAFFLE_RESYNC_INTERVAL", 60.0))
        self._pid = os.getpid()
        self._ensuring = threading.Lock()
        self._thread: threading.Thread | None = None
        self._inherited = False  # the thread is one of the parent's
        self._forgotten = False
        self._renew()
        if self._kind is not None:
            self._watch = watch_types.get_watcher(self._kind)
            self._notify = watch_types.get_notifier(self._kind)
        if self.follower is not None:
            self.follower.prepare(watch_types.file_mode(state))

    def _renew(self) -> None:
        """Begin anew. With new locks and events: a parent's may be held, and would stay so."""
        self.journal = Journal()
        self.stopping = Pulse(self)
        self._reading = False  # the thread reads or sends, and so does not ask
        self._errand = Errand()
        self._failing = False  # the last reload has
        self._owed = False  # a notice that could not be sent
        self._resend_at = 0.0
        self._outage = Outage()
        self._missed = Missed(self._kind, self._resync, watch_types.latest(self.state, self._kind))
        self._plan(self._resync)

    @property
    def app(self) -> Flask:
        return self.state.app

    # The thread

    def start(self) -> None:
        """Start the thread, unless this is a uWSGI master: then its workers do."""
        if self._active:
            forks.follow(self)
            self.ensure()

    def _new_thread(self) -> threading.Thread:
        arguments = (self.stopping,)
        return threading.Thread(
            target=self._run, args=arguments, name="waffleconf-watcher", daemon=True
        )

    def _start_thread(self, thread: threading.Thread) -> None:
        try:
            thread.start()
        except RuntimeError as error:
            self.journal.note_error(error)
            log.warning("The watcher thread can't be started (%s): requests look instead.", error)

    def stop(self) -> None:
        """End the thread, within a second; it does not come back in this process or its forks."""
        self._active = False
        self.stopping.set()
        thread = self._thread
        if thread is not None and thread.ident and thread is not threading.current_thread():
            thread.join(1.0)

    def ensure(self, *, in_request: bool = False) -> None:
        """See to it that there is a thread; in a forked process begin anew before, with nothing
        that belongs to the parent.
        """
        if os.getpid() == self._pid and (self._thread is not None or not self._active):
            return
        new = None
        with self._ensuring:  # the first requests of a worker may come together
            if os.getpid() != self._pid:
                self._renew()
                self.state.after_fork()
                self._inherited = forks.are_threads_greenlets()  # those live on, mostly
                if not self._inherited:
                    self._thread = None
                self._pid = os.getpid()
            may = in_request or not forks.is_uwsgi_master()
            if self._thread is None and self._active and may:
                new = self._thread = self._new_thread()
        if new is not None:
            self._start_thread(new)

    def ensure_after_fork(self) -> None:
        """The same in the very moment of the fork, when the parent's lock may be held."""
        self._ensuring = threading.Lock()
        self.ensure()

    def _run(self, pulse: Pulse) -> None:
        """The thread: watch; after a failure wait a little, and watch again."""
        pause, myself = 0.0, self._thread
        while True:
            try:
                if pulse.wait(pause):
                    if pulse.is_forked():
                        self.ensure()
                    if self.stopping is pulse or self._thread is not myself:
                        return
                    pulse = self.stopping
                pause = RETRY * random.uniform(0.5, 1.0)
                with forks.working():  # until the watcher first asks whether to end
                    if self.state.in_memory():
                        self._active = False  # nobody to hear from
                        return
                    self._outage.note_start()
                    self._missed.note_notification()  # some may be lost, before it listens
                    self._watch(Watched(self, pulse))
                if not pulse.is_set():
                    raise RuntimeError("the watcher returned, though nobody had stopped it")
            except ReferenceError:
                return  # the app is gone
            except Exception as error:
                with forks.working():  # what handles logs may import
                    self.journal.note_error(error)
                    self._missed.note_notification()  # or while it no longer did
                    self._outage.note_failure(error)

    def do_what_is_due(self, listened: float) -> None:
        """In the watcher's thread, time and again: read and send what nobody else does.

        :param listened: seconds that the watcher has listened since the last time.
        """
        _ = self.state.app  # a ReferenceError ends the thread when the app is gone
        now = time.monotonic()
        with self.reading():
            self._outage.end_after(RETRY)
            if self._owed and now >= self._resend_at:
                self.notify()
            if now >= self._due:
                self.state.update_conf()
            self._missed.note_listening(listened)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """In the watcher's thread: forks wait, and that it does not ask is no sign of trouble."""
        with forks.working():
            self._reading = True
            try:
                yield
            finally:
                self._reading = False

    def _plan(self, seconds: float) -> None:
        self._read_at = time.monotonic()
        # Jittered, lest all the processes of a deployment read at the same moment.
        self._due = self._read_at + seconds * random.uniform(0.75, 1.0)

    def look_soon(self) -> None:
        """Read within a second or so: after a fork the child's greenlet, before it ends, may take
        what was sent to this process.
        """
        self._due = min(self._due, time.monotonic() + RETRY)

    def hear(self) -> bool:
        """Reload, for something may have changed."""
        self.journal.note_notice()
        self._missed.note_notification()
        return self.state.update_conf()

    # What the state tells

    def note_reload(self, seconds: float) -> None:
        """The state has read the database."""
        self._failing = False
        self.journal.note_reload(seconds)
        self._file_trouble()  # it may be another file by now
        self._plan(self._resync)

    def note_remote_change(self) -> None:
        """A reload has found what another process has saved."""
        if self._kind != "database":  # who looks itself is told nothing
            self._missed.note_change()

    def note_failed_reload(self, error: Exception) -> None:
        """The state could not read the database: a notice may be unanswered."""
        self._failing = True
        self.journal.note_error(error)
        self._plan(min(RETRY, self._resync))

    def notify(self) -> None:
        """Tell the other processes; trouble is logged, for the save stands, and tried again."""
        if not self._active:
            return
        told, self._owed = self._owed, False  # before sending: a failure meanwhile must stay
        try:
            self._notify(self.state)
            self._missed.note_notification()  # for a save of our own, read before it is told
        except Exception as error:
            self._resend_at = time.monotonic() + RETRY
            self._owed = True
            self.journal.note_error(error)
            log.log(
                logging.DEBUG if told or self._file_trouble() else logging.WARNING,
                "The other processes could not be told of the change (%s). This is tried again; "
                "in any case they read the database within %g seconds.",
                error,
                self._resync,
            )

    # What a request does

    def follow(self, environ: Mapping[str, Any] | None) -> None:
        """Make this request see what the others have saved, as far as the kind promises.

        :param environ: of the request; None outside one.
        """
        if self._kind is None and environ is not None:
            self._look_for_others(environ)
        if not self._active or forks.is_working():  # a thread of ours does so already
            return
        if self.follower is not None:
            for _ in range(2):  # a reload under way may have read before the change
                if not self.follower.changed():
                    break
                self._errand.run(self._follow_file)
        if self._inherited and self._silent():
            self._inherited, self._thread = False, None  # it has not come through the fork
            self.ensure(in_request=True)
        patience = SILENCE if self.follower is None else self._resync
        if self._silent() and time.monotonic() - self._read_at > patience:
            self._errand.run(self._stand_in)

    def _look_for_others(self, environ: Mapping[str, Any]) -> None:
        several = environ.get("wsgi.multiprocess") and not environ.get("wsgi.run_once")
        if several and not self._forgotten:
            self._forgotten = True
            log.warning("%s", Trouble.MULTIPROC_OFF)

    def _follow_file(self) -> None:
        if self.follower is not None:
            self.follower.follow(self.hear)

    def _silent(self) -> bool:
        return self._active and time.monotonic() - self.stopping.beat > SILENCE

    def _stand_in(self) -> None:
        if self._owed:
            self.notify()
        self.state.update_conf()

    # What it knows

    def health(self) -> Health:
        """How well this process follows."""
        silent, file = self._silent(), self.follower
        found = {
            Trouble.MULTIPROC_OFF: self._forgotten,
            Trouble.RELOAD_FAILS: self._failing,
            Trouble.WATCHER_FAILS: self._outage.lasts or (file is not None and file.is_missing()),
            Trouble.NOT_SENT: self._owed,
            Trouble.THREAD_SILENT: silent and not self._reading,
        }
        wrong = {self._file_trouble(), self._missed.trouble}
        wrong |= {trouble for trouble, holds in found.items() if holds}
        late = self._active and time.monotonic() - self._read_at > self._resync + SILENCE
        return self.journal.health(
            self._kind if self._kind is None or isinstance(self._kind, str) else "custom",
            alive=self._active and self._thread is not None and not silent,
            lags=self._failing or late,
            trouble=worst(wrong, self._resync),
        )

    def _file_trouble(self) -> Trouble | None:
        return None if self.follower is None else self.follower.trouble()

    def promise(self) -> str | None:
        """What can be said after a save about the other processes; None: nothing is known."""
        if not self._active:
            return None
        look = watch_types.interval(self.state, "database") if self._kind == "database" else None
        return promise(self._kind, self._resync if self._owed else look, told=not self._owed)
