"""Plant faults in a copy of the package, one at a time, and run the tests that have to notice.

The tables in tests/mutations name the faults and their tests. The exit code is 1 if a fault goes
unnoticed that is not argued to be harmless, 2 if a mutation can't be tried.
"""

from __future__ import annotations

import argparse
import compileall
import contextlib
import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import TypeVar

from mutations import ROOT, Mutation, read_mutations

T = TypeVar("T")
R = TypeVar("R")

IGNORED = shutil.ignore_patterns(".*", "__pycache__", "*.log", "build", "dist", "instance")
#: What has become of a mutation, by pytest's exit code; every other one is an error.
OUTCOMES = {0: "survived", 1: "killed"}


def main() -> int:
    options = parse_arguments()
    chosen = [
        mutation
        for mutation in read_mutations()
        if (not options.room or mutation.room in options.room)
        and options.k.casefold() in f"{mutation.file} {mutation.fault}".casefold()
    ]
    problems = [f"{m.fault}: {problem}" for m in chosen if (problem := m.problem())]
    if options.list or problems or not chosen:
        lines = [f"{m.room:14} {m.file:32} {m.fault}" for m in chosen]
        print("\n".join(problems or lines or ["There is no such mutation."]))
        return 0 if options.list and not problems else 2
    with Copies(options.jobs) as copies:
        selections = dict.fromkeys(mutation.tests for mutation in chosen)
        failing = {
            tests: output
            for tests, (code, output) in copies.map(run_tests, selections)
            if code != 0
        }
        for tests, output in failing.items():
            print(f"Without any mutation these don't pass: {tests}\n{output}")
        if failing:
            return 2
        found = []
        for mutation, (outcome, output) in copies.map(try_mutation, chosen):
            found.append((mutation, outcome))
            print(f"{outcome:9} {mutation.room:14} {mutation.fault}", flush=True)
            if outcome == "error":
                print(output)
    return report(found)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/mutate", description=__doc__)
    parser.add_argument(
        "--room", action="append", metavar="NAME", help="only this table: merge, …; repeatable"
    )
    parser.add_argument("-k", default="", metavar="TEXT", help="only those with this in their line")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="how many at a time")
    parser.add_argument("--list", action="store_true", help="list them, run nothing")
    return parser.parse_args()


class Copies(contextlib.ExitStack):
    """Copies of the tree, in which jobs can work at the same time."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count
        self._free: queue.Queue[Path] = queue.Queue()
        for _ in range(count):
            folder = self.enter_context(tempfile.TemporaryDirectory(prefix="mutate-"))
            tree = Path(shutil.copytree(ROOT, f"{folder}/tree", ignore=IGNORED))
            # A file that is mutated twice in a second may have the same size and time.
            checked = PycInvalidationMode.CHECKED_HASH
            compileall.compile_dir(tree / "waffleconf_admin", quiet=1, invalidation_mode=checked)
            self._free.put(tree)

    def map(self, function: Callable[[T, Path], R], items: Iterable[T]) -> Iterator[tuple[T, R]]:
        """Yield each item with what the function returns for it and a copy of the tree."""

        def work(item: T) -> tuple[T, R]:
            tree = self._free.get()
            try:
                return item, function(item, tree)
            finally:
                self._free.put(tree)

        with ThreadPoolExecutor(self._count) as pool:
            yield from pool.map(work, items)


def run_tests(tests: str, tree: Path) -> tuple[int, str]:
    """Return pytest's exit code and what it has printed."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "WAFFLE_REQUIRE_ALL": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    arguments = ["-x", "-q", "-p", "no:cacheprovider", "--timeout=120", *shlex.split(tests)]
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=tree, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as tests_of_one:  # fmt: skip
        output, _ = tests_of_one.communicate()
        # A test that was given up may have left a process that never ends.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tests_of_one.pid, signal.SIGKILL)
    return tests_of_one.returncode, output


def try_mutation(mutation: Mutation, tree: Path) -> tuple[str, str]:
    """Return what becomes of a mutation, and what its tests have printed."""
    file = tree / "waffleconf_admin" / mutation.file
    source = file.read_text()
    file.write_text(source.replace(mutation.old, mutation.new))
    try:
        code, output = run_tests(mutation.tests, tree)
    finally:
        file.write_text(source)
    outcome = OUTCOMES.get(code, "error")
    return "harmless" if outcome == "survived" and mutation.harmless else outcome, output


def report(found: list[tuple[Mutation, str]]) -> int:
    """Print the table and the survivors; return the exit code."""
    columns = ["killed", "survived", "harmless", "error"]
    print(f"\n{'room':14}{'mutations':>10}" + "".join(f"{name:>10}" for name in columns))
    rooms = sorted({mutation.room for mutation, _ in found})
    for title in [*rooms, "all"]:
        outcomes = [outcome for mutation, outcome in found if title in (mutation.room, "all")]
        counts = [len(outcomes), *map(outcomes.count, columns)]
        print(f"{title:14}" + "".join(f"{count:10}" for count in counts))
    failed = [(mutation, outcome) for mutation, outcome in found if outcome in columns[1::2]]
    for mutation, outcome in failed:
        print(f"\n{outcome}: {mutation.fault}\n  {mutation.file}, {mutation.tests}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
