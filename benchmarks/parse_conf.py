"""Reading the database without knowing what it held: `parse_conf()`."""

from __future__ import annotations

from collections.abc import Iterator

import subjects
from measure import Options, Row, Work
from subjects import Subject, decode


def run(options: Options) -> Iterator[Row]:
    yield from subjects.rows("parse_conf", works, options)
    yield from subjects.rows("parse_conf", works_of_scalars, options, subjects.scalars)


def works(on: Subject) -> Iterator[Work]:
    yield everything(on, "all, mixed types")
    key = on.keys[len(on.keys) // 2]
    yield Work(
        "one key",
        lambda: on.state.parse_conf([key]),
        lambda: {key: decode(text) for key, text in on.raw.select(key)},
        "SELECT of one row, base64, pickle.loads",
    )


def works_of_scalars(on: Subject) -> Iterator[Work]:
    yield everything(on, "all, scalars only")


def everything(on: Subject, name: str) -> Work:
    return Work(
        name,
        on.state.parse_conf,
        lambda: {key: decode(text) for key, text in on.raw.select()},
        "one SELECT; base64 and pickle.loads each",
    )
