"""Fuzzes the page's forms, the JSON API, the import of files, and the commands.

    python benchmarks/fuzz_requests.py [--seconds 600] [--most 1000000] [page api files commands]

Prints for each how many requests were sent, the statuses, and the slowest requests with their
numbers; `--from NUMBER --count 1` sends one of them again. What may never happen, such as a 500, is
printed as it is found, and so is what takes over a second of the processor for a megabyte or less.
The test suite sends smaller ones, tests/package/test_fuzzers.py.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import logging
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from fuzzing import FUZZERS, REQUESTS_OF_AN_APP, Broken, Chance, Summary, Target

#: Seconds of the processor that a megabyte may take.
LIMIT = 1.0


def fuzz(name: str, given: argparse.Namespace) -> bool:
    """Send until the time is over; whether nothing was found."""
    summary, target, found = Summary(), Target(), 0
    end = time.monotonic() + given.seconds
    for number in itertools.count(given.begin):
        done = number - given.begin
        if time.monotonic() > end or (given.count and done >= given.count):
            break
        if done % REQUESTS_OF_AN_APP == REQUESTS_OF_AN_APP - 1:
            target = Target()
            gc.collect()  # not in the time of the next request
        try:
            outcome = FUZZERS[name](Chance(number, given.most), target)
        except Broken as error:
            found += 1
            print(f"{name} {_ascii(str(error))}\n", flush=True)
            continue
        summary.add(outcome)
        if outcome.seconds > LIMIT * max(1.0, outcome.size / 1e6):
            found += 1
            print(f"{name} {number}: {outcome.seconds:.2f} s, {_ascii(outcome.what)}\n", flush=True)
    print(f"{name}, {found} found: {_ascii(str(summary))}\n", flush=True)
    return not found


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", default=[*FUZZERS], help=", ".join(FUZZERS))
    parser.add_argument("--seconds", type=float, default=600, help="for each of them")
    parser.add_argument("--most", type=int, default=1_000_000, help="bytes of a body")
    parser.add_argument("--from", type=int, default=0, dest="begin", help="the first number")
    parser.add_argument(
        "--count", type=int, default=0, help="how many; 0: as many as there is time"
    )
    given = parser.parse_args()
    logging.getLogger("waffleconf_admin").addHandler(logging.NullHandler())  # each line is expected
    found = [name for name in given.names if not fuzz(name, given)]
    if found:
        sys.exit(1)


if __name__ == "__main__":
    main()
