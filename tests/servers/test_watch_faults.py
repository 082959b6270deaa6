"""Whatever breaks while two processes save without a pause: afterwards all hold what was saved."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import faults
import pytest
from faults import (
    ANY,
    BOTH,
    FAULTS,
    SELDOM,
    Fault,
    Fleet,
    Restartable,
    database_for,
    fleet_of,
    stream_through,
)
from required import required

#: More in a run by hand.
ROUNDS = int(os.environ.get("WAFFLE_ROUNDS", "1"))
#: The server that a watch type or a database needs.
NEEDS = {"redis": "redis", "postgresql": "postgres"}


@pytest.fixture(scope="module")
def own_redis() -> Iterator[tuple[str, Restartable]]:
    with required(), faults.restartable_redis() as server:
        yield server


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[tuple[str, Restartable]]:
    with required(), faults.restartable_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def fleet(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    names = {NEEDS[word] for word in request.param if word in NEEDS}
    own = {name: request.getfixturevalue(f"own_{name}") for name in names}
    with fleet_of(request.param[0], tmp_path_factory.mktemp("fleet"), **own) as fleet:
        for _ in range(3):
            fleet.start()
        yield fleet


@pytest.mark.parametrize(
    ("fleet", "fault"),
    [
        pytest.param((watch_type, database), fault, id=f"{watch_type}-{name}")
        for database in BOTH
        for watch_type in ANY
        for name, (fault, watch_types, databases) in FAULTS.items()
        if watch_type in watch_types
        and database == database_for(watch_type, databases)
        and (ROUNDS > 1 or name not in SELDOM)
    ],
    indirect=["fleet"],
)
def test_after_a_fault_all_hold_what_the_database_holds(fleet: Fleet, fault: Fault) -> None:
    for _ in range(ROUNDS):
        stream_through(fleet, fault)


@pytest.fixture(params=["file", "redis", "postgresql"])
def new_fleet(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    names = [NEEDS[request.param]] if request.param in NEEDS else []
    own = {name: request.getfixturevalue(f"own_{name}") for name in names}
    with fleet_of(request.param, tmp_path, **own) as fleet:
        yield fleet


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_in_the_middle_of_a_save(new_fleet: Fleet, when: str) -> None:
    # Killed between commit and notification: the next resync finds the change.
    other, killed = new_fleet.start(WAFFLE_RESYNC_INTERVAL=0.5), new_fleet.start()
    killed.send("die", when, "A")
    killed.popen.wait()
    new_fleet.processes.remove(killed)
    stored = new_fleet.database.values()["SITENAME"]
    assert stored == {"before": "Waffle", "after": "A"}[when]
    assert other.comes_to_serve(stored)
    killed.end()


def test_no_process_is_stale_after_a_storm(new_fleet: Fleet) -> None:
    writers = [new_fleet.start() for _ in range(4)][:2]
    for _ in range(ROUNDS):
        for number, writer in enumerate(writers):
            writer.do("write", f"COUNTER_{number}")
        time.sleep(0.5)
        for writer in writers:
            writer.do("halt")
        assert new_fleet.agrees(), new_fleet.differing()
