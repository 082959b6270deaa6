"""Workers: a save of one setting with 200 processes that report, and without; and a report."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from measure import Options, Row, Work, timed
from subjects import HISTORY, WORKERS, Subject, subject

PROCESSES = 200


def run(options: Options) -> Iterator[Row]:
    for count in options.sizes:
        with subject(WORKERS, "", count) as on, subject(HISTORY, "", count) as without:
            for work in works(on, without):
                yield timed("workers", work, "SQLAlchemy, SQLite", count, options.seconds)


def works(on: Subject, without: Subject) -> Iterator[Work]:
    for each in (on, without):
        each.state.update_conf()
    worker, repository = on.state._worker, on.state._repository
    worker.report()
    (row,) = repository.read_workers(datetime.now(UTC) - timedelta(hours=1))
    names = [uuid4().hex for _ in range(PROCESSES - 1)]

    def report(name: str) -> None:
        repository.report_worker(
            row._replace(name=name, seen_at=datetime.now(UTC)), datetime.now(UTC) - timedelta(1)
        )

    for name in names:
        report(name)
    turns, variants = itertools.cycle(names), itertools.count(2)
    key = on.keys[0]

    def save(subject: Subject) -> object:
        return subject.state.update_db({key: subject.values(0, next(variants))})

    yield Work(
        "save of one, 200 processes",
        lambda: save(on),
        lambda: save(without),
        "the same without the model of the workers",
        before=lambda: report(next(turns)),
        target=1.05,
    )

    def update() -> None:
        on.floor.connection.execute(
            "UPDATE conf_workers SET seen_at = ?, texts_digest = ? WHERE name = ?",
            (str(datetime.now(UTC)), row.texts_digest, row.name),
        )

    yield Work("report", worker.report, update, "UPDATE of one row, in autocommit", target=None)
