"""Updates, storms and faults at random, for as long as you like; stops at the first stale value.

    python benchmarks/soak.py [--minutes 10] [--seed N] [--types file redis postgresql database]
    python benchmarks/soak.py --acts storm five_at_once --processes 8 --settings 50 --seconds 20

Every round draws a watch type and a database with its fleet of processes, and then a fault under
two streams of updates, a storm of all processes, five updates at once, or a worker that is killed.
The seed is printed first: with --seed the same rounds come again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

from faults import (  # noqa: E402
    ANY,
    BOTH,
    FAULTS,
    Fleet,
    database_for,
    fleet_of,
    restartable_postgres,
    restartable_redis,
    stream_through,
)

SECONDS = 0.0  # that a storm lasts; 0: drawn anew each time


def check(fleet: Fleet) -> None:
    assert fleet.agrees(), f"stale (process, key) pairs: {fleet.differing()}"


def storm(fleet: Fleet, chance: random.Random) -> str:
    """Half of the processes write as fast as they can."""
    writers = fleet.processes[: len(fleet.processes) // 2]
    for number, writer in enumerate(writers):
        writer.do("write", f"COUNTER_{number}")
    time.sleep(SECONDS or chance.uniform(0.5, 3))
    for writer in writers:
        writer.send("halt")
    saves = sum(returned for returned, _tried, _failed in [w.answer() for w in writers])
    check(fleet)
    return f"storm, counters at {saves}"


def five_at_once(fleet: Fleet, chance: random.Random) -> str:
    """Five updates of one setting by different processes, within a few milliseconds."""
    saving = [fleet.processes[number % len(fleet.processes)] for number in range(5)]
    busy = []
    for number, process in enumerate(saving):
        if process in busy:
            process.answer()
            busy.remove(process)
        process.send("save", f"{number} of {chance.random()}")
        busy.append(process)
        time.sleep(0.012)
    for process in busy:
        process.answer()
    check(fleet)
    return "five updates at once"


def replacement(fleet: Fleet, chance: random.Random) -> str:
    """A process is killed while it saves, and another one takes its place."""
    process = fleet.processes.pop(chance.randrange(len(fleet.processes)))
    process.do("write", "COUNTER_7")
    time.sleep(chance.uniform(0, 0.3))
    process.popen.kill()
    process.popen.communicate()
    fleet.start()
    # The last save may not have been announced: the next one is.
    fleet.processes[0].do("save", f"after a death {chance.random()}")
    check(fleet)
    return "a worker killed"


def faulty(fleet: Fleet, chance: random.Random) -> str:
    """One of the faults, under two streams of updates."""
    watch_type = fleet.config["WAFFLE_WATCHTYPE"]
    database = "postgresql" if "postgres" in fleet.config else "sqlite"
    names = [name for name, (_, *where) in FAULTS.items() if watch_type in where[0]]
    name = chance.choice([name for name in names if database in FAULTS[name][2]])
    stream_through(fleet, FAULTS[name][0])
    return name


#: What may happen in a round, and how often in comparison.
ACTS: dict[Callable[[Fleet, random.Random], str], int] = {
    storm: 1,
    five_at_once: 1,
    replacement: 1,
    faulty: 3,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--types", nargs="+", choices=ANY, default=ANY)
    parser.add_argument("--databases", nargs="+", choices=BOTH, default=BOTH)
    names = [act.__name__ for act in ACTS]
    parser.add_argument("--acts", nargs="+", choices=names, default=names)
    parser.add_argument("--settings", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=0.0, help="that a storm lasts")
    options = parser.parse_args()
    global SECONDS
    SECONDS = options.seconds
    acts = [act for act, weight in ACTS.items() for _ in range(weight)]
    acts = [act for act in acts if act.__name__ in options.acts]
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    end = time.monotonic() + 60 * options.minutes
    rounds = 0
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(restartable_redis())
        postgres = stack.enter_context(restartable_postgres())
        while time.monotonic() < end:
            watch_type = chance.choice(options.types)
            database = database_for(watch_type, (chance.choice(options.databases),))
            servers = {"redis": redis} if watch_type == "redis" else {}
            servers |= {"postgres": postgres} if database == "postgresql" else {}
            own = folder / f"{rounds}"
            own.mkdir()
            with fleet_of(watch_type, own, options.settings, **servers) as fleet:
                for _ in range(options.processes):
                    fleet.start()
                for _ in range(8):
                    act = chance.choice(acts)
                    rounds += 1
                    try:
                        what = act(fleet, chance)
                    except AssertionError as error:
                        where = f"round {rounds}, {watch_type}, {database}, {act.__name__}"
                        sys.exit(f"{where}: {error}")
                    print(f"round {rounds}: {watch_type}, {database}: {what}", flush=True)
    print(f"{rounds} rounds, no stale value")


if __name__ == "__main__":
    main()
