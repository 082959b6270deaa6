"""The first start of an app: `parse_conf()` adds the defaults to an empty table."""

from __future__ import annotations

from collections.abc import Iterator

import subjects
from measure import Options, Row, Work
from subjects import ORMS, Subject, encode


def run(options: Options) -> Iterator[Row]:
    # With JSON no defaults are stored.
    return subjects.rows("first_start", works, options, names=ORMS)


def works(on: Subject) -> Iterator[Work]:
    defaults = on.variant(0)

    def empty() -> None:
        on.raw.delete()
        on.floor.delete()

    def floor() -> None:
        on.floor.select()
        on.floor.insert({key: encode(value) for key, value in defaults.items()})

    yield Work(
        "empty table",
        on.state.parse_conf,
        floor,
        "SELECT; pickle.dumps and base64 each; executemany, COMMIT",
        empty,
        target=2.5,
    )
