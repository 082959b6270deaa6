"""Saves and reloads leave nothing behind; WAFFLE_CYCLES (default 600) says how many of each."""

from __future__ import annotations

import gc
import os
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from writers import KEYS, state_on

CYCLES = int(os.environ.get("WAFFLE_CYCLES", "600"))


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def connections(state: Any, orm: str) -> tuple[int, int]:
    """How many connections there are, and how many of them are in use."""
    if orm == "peewee":
        database = state.configstore.model._meta.database
        return int(not database.is_closed()), 0
    with state.app.app_context():
        pool = state.configstore.db.engine.pool
        return pool.checkedin(), pool.checkedout()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts in /proc")
@pytest.mark.parametrize("context", ["inside a context", "outside"])
def test_saves_and_reloads_leave_nothing_behind(orm: str, context: str, tmp_path: Path) -> None:
    with state_on(orm, f"sqlite:///{tmp_path}/test.db", create=True) as state:
        state.app.config["WAFFLE_STORE_DEFAULTS"] = False

        def work(first: int, count: int) -> None:
            for number in range(first, first + count):
                state.update_db({KEYS[0]: [number], KEYS[1]: f"text {number}"})
                assert state.update_conf()

        def run(first: int, count: int) -> None:
            if context == "outside":
                return work(first, count)
            with state.app.app_context():
                work(first, count)

        tracemalloc.start()
        run(0, CYCLES // 3)  # what is made once is made
        gc.collect()
        before = (descriptors(), threading.active_count(), connections(state, orm))
        objects, memory = len(gc.get_objects()), tracemalloc.get_traced_memory()[0]
        run(CYCLES // 3, CYCLES - CYCLES // 3)
        gc.collect()
        assert (descriptors(), threading.active_count(), connections(state, orm)) == before
        more = len(gc.get_objects()) - objects
        assert more < 300  # one for each cycle would be more
        grown = tracemalloc.get_traced_memory()[0] - memory
        tracemalloc.stop()
        assert grown < 50_000, f"{grown} bytes"  # threads of other tests may allocate some
        print(
            f"{CYCLES} cycles: {before}, {len(gc.get_objects()) - objects} objects, {grown} bytes"
        )
