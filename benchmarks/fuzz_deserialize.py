"""Fuzzes `deserialize` with atheris.

`pip install atheris`, then `python benchmarks/fuzz_deserialize.py -max_total_time=180 FOLDER`.

Whatever the bytes are, there is a value that can be printed and copied, or InvalidValue.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["waffleconf_admin"]):
    from waffleconf_admin.codec import deserialize, limits, objects

import base64
import copy
import datetime
import decimal
import pickle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from hostile_pickles import CLASSES, SMALL, Names, Theme

from waffleconf_admin import InvalidValue
from waffleconf_admin.settings.equality import same

limits.MAX_ITEMS = objects.MAX_ITEMS = 10_000  # no time is to be spent in counting to the limit


SEEDS = [
    [1, 2.5, None, True, "é", b"\xff", 2**70],
    {"a": (1, {2}), "b": frozenset({3})},
    [datetime.datetime.now(datetime.UTC), decimal.Decimal("1.5"), Theme.LIGHT, Names("ab")],
]


def one(raw: bytes) -> None:
    try:
        value = deserialize(base64.b64encode(raw), CLASSES)
    except InvalidValue as error:
        assert str(error).isprintable()
        return
    repr(value)
    copy.deepcopy(value)
    same(value, value)
    assert Theme.LIGHT.value == "light"


def main() -> None:
    folder = Path(sys.argv[-1])
    folder.mkdir(exist_ok=True)
    raws = [pickle.dumps(seed, p) for seed in SEEDS for p in range(pickle.HIGHEST_PROTOCOL + 1)]
    for number, raw in enumerate([*raws, *SMALL.values()]):
        if len(raw) < 1000:
            (folder / f"seed {number}").write_bytes(raw)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
