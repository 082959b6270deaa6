"""Reading the database without knowing what it held: `parse_conf()`."""

from __future__ import annotations

from collections.abc import Iterator

import subjects
from measure import Options, Row, Work
from subjects import JSON, Subject, decode


def run(options: Options) -> Iterator[Row]:
    yield from subjects.rows("parse_conf", works, options)
    yield from subjects.rows("parse_conf", works_of_scalars, options, subjects.scalars)


def works(on: Subject) -> Iterator[Work]:
    yield everything(on, "all, mixed types", 2.0 if on.name == JSON else 6.0)
    key = on.keys[len(on.keys) // 2]
    yield Work(
        "one key",
        lambda: on.state.parse_conf([key]),
        lambda: {key: decode(text) for key, text in on.floor.select(key)},
        "SELECT of one row, base64, pickle.loads",
        target=2.0 if on.name == "peewee" else 6.0,
    )


def works_of_scalars(on: Subject) -> Iterator[Work]:
    yield everything(on, "all, scalars only", 2.0 if on.name == JSON else 2.5)


def everything(on: Subject, name: str, target: float) -> Work:
    return Work(
        name,
        on.state.parse_conf,
        lambda: {key: decode(text) for key, text in on.floor.select()},
        "one SELECT; base64 and pickle.loads each",
        target=target,
    )
