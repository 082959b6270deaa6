"""Saving: `update_db()` of all settings, of all where one differs, and of one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import subjects
from measure import Options, Row, Work
from subjects import Subject, decode, encode


def run(options: Options) -> Iterator[Row]:
    return subjects.rows("update_db", works, options)


def works(on: Subject) -> Iterator[Work]:
    on.state.update_conf()
    sets = [on.variant(variant) for variant in range(2)]
    ours, floors = itertools.cycle(sets), itertools.cycle(sets)

    def write_all() -> None:
        on.floor.select()
        on.floor.update({key: encode(value) for key, value in next(floors).items()})

    yield Work(
        "all changed",
        lambda: on.state.update_db(next(ours)),
        write_all,
        "SELECT; pickle.dumps and base64 each; executemany, COMMIT",
        target=3.0,
    )

    on.state.update_db(sets[0])
    key, variants = on.keys[0], itertools.count(1)

    def new() -> object:
        return on.values(0, next(variants))

    def write_one() -> None:
        dict(on.floor.select(key))
        on.floor.update({key: encode(new())})

    def compare_all() -> None:
        {key: decode(text) for key, text in on.floor.select()}
        on.floor.update({key: encode(new())})

    yield Work(
        "all given, one changed",
        lambda: on.state.update_db({**sets[0], key: new()}),
        compare_all,
        "SELECT; base64 and pickle.loads each; UPDATE of one, COMMIT",
        target=4.0,
    )
    yield Work(
        "one",
        lambda: on.state.update_db({key: new()}),
        write_one,
        "SELECT of one row, UPDATE, COMMIT",
        target=1.8,
    )
