"""Workers: the processes that follow, and which of them have read what is stored now."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from ..i18n import gettext as _
from ..i18n import ngettext
from ..store import WorkerRow
from ..sync import reporter
from .declared import Declared
from .reader import Reader
from .repository import Repository
from .worker import SHORT, Status, Worker

#: Intervals between reports after which a process counts as ended: two reports have not come.
MISSED = 2.25
#: Processes that a sentence names.
NAMED = 3

#: Whether a process has read what is stored now; "other": it declares other settings.
Standing = Literal["current", "lagging", "other"]


class Process(NamedTuple):
    """A process that follows, as it has reported itself. Times are in UTC."""

    host: str
    pid: int
    started_at: datetime
    seen_at: datetime  #: when it reported last
    standing: Standing


class Count(NamedTuple):
    """The processes that have reported lately."""

    processes: list[Process]
    #: How many processes run with a former value, by key of the settings that need a restart.
    former: dict[str, int]

    def among(self, keys: Container[str]) -> Count:
        """Return the same for the settings with these keys."""
        return self._replace(former={k: n for k, n in self.former.items() if k in keys})

    def number(self, standing: Standing) -> int:
        """Return how many processes have this standing."""
        return sum(process.standing == standing for process in self.processes)

    @property
    def total(self) -> int:
        """How many processes declare the same as this one."""
        return len(self.processes) - self.number("other")

    @property
    def is_complete(self) -> bool:
        """Whether no process lags."""
        return not self.number("lagging")

    @property
    def lagging(self) -> list[Process]:
        """The processes that lag, the one that reported longest ago first."""
        found = [process for process in self.processes if process.standing == "lagging"]
        return sorted(found, key=lambda process: process.seen_at)

    def facts(self, *, named: bool) -> dict[str, object]:
        """Return the numbers, for JSON.

        :param named: whether each process is described too.
        """
        facts: dict[str, object] = {s: self.number(s) for s in get_args(Standing)}
        facts["restart"] = {key: number for key, number in self.former.items() if number}
        if named:
            facts["processes"] = [
                process._asdict()
                | {"started_at": process.started_at.isoformat()}
                | {"seen_at": process.seen_at.isoformat()}
                for process in self.processes
            ]
        return facts

    def sentences(self) -> list[str]:
        """Return what there is to say, in the reader's language; no process is named."""
        if not self.processes:
            return []
        total, other = self.total, self.number("other")
        lines = [
            ngettext(
                "Applied by %(current)s of %(count)s process.",
                "Applied by %(current)s of %(count)s processes.",
                total,
                current=self.number("current"),
            )
        ]
        if other:
            lines.append(ngettext("%(count)s runs other code.", "%(count)s run other code.", other))
        return lines

    def restart_sentence(self, key: str) -> str | None:
        """Return how many processes run with a former value of a setting; None: none does."""
        if not (former := self.former.get(key)):
            return None
        return ngettext(
            "%(former)s of %(count)s process runs with the former value; restart it.",
            "%(former)s of %(count)s processes run with the former value; restart them.",
            self.total,
            former=former,
        )


class Workers:
    """Counts the processes that follow the settings of one app.

    :param declared: the settings of the app.
    :param reader: reads them.
    :param worker: this process, whose declarations the others are compared with.
    :param repository: where they have reported.
    """

    def __init__(
        self, declared: Declared, reader: Reader, worker: Worker, repository: Repository
    ) -> None:
        self._declared = declared
        self._reader = reader
        self._worker = worker
        self._repository = repository

    def count(self) -> Count:
        """Count the processes by what is stored now, with two SELECTs.

        :raises StoreError: the database can't be read.
        """
        # The settings are read last: who has read them before counts as lagging, never the reverse.
        rows, settings = self._reported(), self._declared.settings
        records = self._reader.records()
        restart = self._worker.restart_digests(settings, records)
        return _count(rows, self._worker.status_of(settings, records), restart)

    def count_by_memory(self) -> Count:
        """Count the processes by what this one has just read, with one SELECT.

        :raises StoreError: the database can't be read.
        """
        status = self._worker.status()
        if status is None:
            return Count([], {})
        restart = self._worker.restart_digests(*self._worker.loaded())
        return _count(self._reported(), status, restart)

    def _reported(self) -> list[WorkerRow]:
        """The rows of the processes that have reported lately."""
        lately = datetime.now(UTC) - timedelta(seconds=MISSED * reporter.INTERVAL)
        return self._repository.read_workers(lately)


def _count(rows: Iterable[WorkerRow], now: Status, restart: Mapping[str, str]) -> Count:
    """Count processes by what they have reported.

    :param now: the status of a process that has read what is stored.
    :param restart: the digests of the settings that need a restart, by key.
    """
    found = Count([], dict.fromkeys(restart, 0))
    for row in sorted(rows, key=lambda row: (row.host, row.pid, row.started_at)):
        standing = _standing(row, now)
        place = row.host, row.pid, row.started_at, row.seen_at
        found.processes.append(Process(*place, standing))
        if standing != "other":
            for number, (key, digest) in enumerate(restart.items()):
                started_with = row.restart_digests[number * SHORT : (number + 1) * SHORT]
                found.former[key] += started_with != digest
    return found


def describe_lagging(count: Count, now: datetime) -> list[str]:
    """Name the processes that lag, some at most, each in a phrase in the reader's language."""
    lagging = count.lagging
    lines = [
        _(
            "Not yet by process %(pid)s on %(host)s, last seen %(seconds)s s ago.",
            pid=str(process.pid),
            host=process.host,
            seconds=str(max(0, round((now - process.seen_at).total_seconds()))),
        )
        for process in lagging[:NAMED]
    ]
    if (more := len(lagging) - NAMED) > 0:
        lines.append(ngettext("%(count)s more.", "%(count)s more.", more))
    return lines


def _standing(row: WorkerRow, now: Status) -> Standing:
    if row.keys_digest != now.keys_digest:
        return "other"
    return "current" if row.texts_digest == now.texts_digest else "lagging"
