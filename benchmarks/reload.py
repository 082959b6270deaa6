"""Bringing the values in memory up to date: `update_conf()`, as after a notification."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import subjects
from measure import Options, Row, Work, nothing
from subjects import Subject, decode, encode


def run(options: Options) -> Iterator[Row]:
    return subjects.rows("reload", works, options)


def works(on: Subject) -> Iterator[Work]:
    on.state.update_conf()
    variants = itertools.count(2)

    def change_one() -> None:
        on.raw.update({on.keys[0]: encode(on.values(0, next(variants)))})

    for name, before in (("nothing changed", nothing), ("one changed", change_one)):
        yield Work(
            name,
            on.state.update_conf,
            lambda: {key: decode(text) for key, text in on.raw.select()},
            "one SELECT; base64 and pickle.loads each",
            before,
        )
