"""Fuzzes `deserialize` with atheris.

`pip install atheris`, then `python benchmarks/fuzz_deserialize.py -max_total_time=180 FOLDER`.

Whatever the bytes are, there is a value that can be shown and copied, or InvalidValue.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["waffleconf_admin"]):
    from waffleconf_admin.codec import limits, pickles, unpickler

import base64
import copy
import datetime
import decimal
import enum
import pickle

from waffleconf_admin import InvalidValue

limits.MAX_ITEMS = unpickler.MAX_ITEMS = 10_000  # no time is to be spent in counting to the bound


class Theme(enum.Enum):
    LIGHT = "light"


class Names(list):  # type: ignore[type-arg]
    pass


SEEDS = [
    [1, 2.5, None, True, "é", b"\xff", 2**70],
    {"a": (1, {2}), "b": frozenset({3})},
    [datetime.datetime.now(datetime.UTC), decimal.Decimal("1.5"), Theme.LIGHT, Names("ab")],
]


def one(raw: bytes) -> None:
    try:
        value = pickles.deserialize(base64.b64encode(raw), [Theme, Names])
    except InvalidValue as error:
        assert str(error).isprintable()
        return
    repr(value)
    copy.deepcopy(value)
    pickles.same(value, value)
    assert Theme.LIGHT.value == "light"


if __name__ == "__main__":
    for seed in SEEDS:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            one(pickle.dumps(seed, protocol))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
