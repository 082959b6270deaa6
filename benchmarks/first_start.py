"""The first start of an app: `parse_conf()` adds the defaults to an empty table."""

from __future__ import annotations

from collections.abc import Iterator

import subjects
from measure import Options, Row, Work
from subjects import Subject, encode


def run(options: Options) -> Iterator[Row]:
    return subjects.rows("first_start", works, options)


def works(on: Subject) -> Iterator[Work]:
    defaults = on.variant(0)

    def floor() -> None:
        on.raw.select()
        on.raw.insert({key: encode(value) for key, value in defaults.items()})

    yield Work(
        "empty table",
        on.state.parse_conf,
        floor,
        "SELECT; pickle.dumps and base64 each; executemany, COMMIT",
        on.raw.delete,
    )
