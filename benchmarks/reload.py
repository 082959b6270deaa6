"""Bringing the values in memory up to date: `update_conf()`, as after a notification."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import subjects
from measure import Options, Row, Work, nothing
from subjects import Subject, decode


def run(options: Options) -> Iterator[Row]:
    names = (*subjects.ORMS, subjects.JSON, subjects.HISTORY)
    return subjects.rows("reload", works, options, names=names)


def works(on: Subject) -> Iterator[Work]:
    on.state.update_conf()
    variants = itertools.count(2)

    def change_one() -> None:
        on.raw.update(on.texts({on.keys[0]: on.values(0, next(variants))}))

    works = [("nothing changed", nothing, 1.5), ("one changed", change_one, 1.6)]
    for name, before, target in works:
        yield Work(
            name,
            on.state.update_conf,
            lambda: {key: decode(text) for key, text in on.floor.select()},
            "one SELECT; base64 and pickle.loads each",
            before,
            target,
        )
