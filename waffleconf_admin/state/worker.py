"""Worker: what this process reports of itself, for the others to count it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple
from uuid import uuid4

from flask import Flask

from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from ..store import WorkerRow
from ..sync import reporter
from .cache import Cache
from .repository import Repository

#: Intervals between reports after which the row of a process that made none is deleted.
FORGET = 60
#: Characters of the digest of one value.
SHORT = 8


class Status(NamedTuple):
    """What processes compare: equal where they declare the same and have read the same."""

    keys_digest: str
    texts_digest: str


class Worker:
    """This process, as it reports itself.

    Digests are keyed with SECRET_KEY: of texts that a model encrypts none can be guessed.

    :param app: Flask application.
    :param cache: the values in memory.
    :param repository: writes the row.
    """

    def __init__(self, app: Flask, cache: Cache, repository: Repository) -> None:
        self._app = app
        self._cache = cache
        self._repository = repository
        self._restart_digests: str | None = None  # None: nothing was loaded yet
        self.after_fork()

    def after_fork(self) -> None:
        """Be another worker in a forked process; it has the values that its parent started with."""
        self._name = uuid4().hex
        self._started_at = datetime.now(UTC)
        self._generation = -1
        self._status: Status | None = None

    def note_load(self) -> None:
        """The settings are loaded: the first time, note those that this process starts with."""
        if self._restart_digests is None:
            digests = self.restart_digests(*self.loaded())
            self._restart_digests = "".join(digests.values())

    def loaded(self) -> tuple[Mapping[str, Setting], Mapping[str, Record]]:
        """Return the settings and the records in memory."""
        _, settings, records = self._cache.settings_and_records()
        return settings, records

    def status(self) -> Status | None:
        """Return the status of this process; None: it has loaded nothing yet.

        It costs little to ask often.
        """
        if self._cache.loaded and self._cache.generation != self._generation:
            self._generation, settings, records = self._cache.settings_and_records()
            self._status = self.status_of(settings, records)
        return self._status

    def report(self) -> None:
        """Write the row of this process.

        :raises StoreError: it can't be written just now.
        """
        status, now = self.status(), datetime.now(UTC)
        if status is None:
            return
        row = WorkerRow(
            name=self._name,
            host=socket.gethostname()[:255],
            pid=os.getpid(),
            started_at=self._started_at,
            seen_at=now,
            restart_digests=self._restart_digests or "",
            **status._asdict(),
        )
        self._repository.report_worker(row, now - timedelta(seconds=FORGET * reporter.INTERVAL))

    # Digests

    def status_of(self, settings: Mapping[str, Setting], records: Mapping[str, Record]) -> Status:
        """Return the status of a process that has read these records."""
        declared = (f"{key} {settings[key].restart}" for key in sorted(settings))
        texts = (_text(records[key].stored) for key in sorted(settings))
        return Status(self._digest(settings, declared), self._digest(settings, texts))

    def restart_digests(
        self, settings: Mapping[str, Setting], records: Mapping[str, Record]
    ) -> dict[str, str]:
        """Return a short digest of each setting that needs a restart, by key."""
        digests = {}
        for key in sorted(settings):
            setting = settings[key]
            if setting.restart:
                record = records[key].stored
                # That a row is added with the default changes nothing; no answer depends on what a
                # secret equals.
                is_default = not setting.secret and same(record.value, setting.default)
                text = "" if is_default else _text(record)
                digests[key] = self._digest(settings, [key, text])[:SHORT]
        return digests

    def _digest(self, settings: Mapping[str, Setting], texts: Iterable[str]) -> str:
        digest = blake2b(digest_size=16, key=self._key(settings))
        for text in texts:
            digest.update(f"{len(text)}:{text}".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def _key(self, settings: Mapping[str, Setting]) -> bytes:
        """The key of the digests; blank where processes may have different ones after a save."""
        secret = self._app.secret_key
        if not secret or "SECRET_KEY" in settings:
            return b""
        given = secret.encode() if isinstance(secret, str) else secret
        return blake2b(given, digest_size=32).digest()


def _text(record: Record) -> str:
    return "" if record.text is None else f"={record.text}"
