"""Runs the benchmarks and prints their tables: see docs/performance.md.

    scripts/bench [--quick] [NAME …]

Names are those of the files here: parse_conf, update_db, peers, … Without any, all are run.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
import time
from pathlib import Path

from measure import ROOT, Missing, Options, Row, described, number, read, report, write

sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

import servers  # noqa: E402

BENCHMARKS = [
    "parse_conf",
    "reload",
    "first_start",
    "update_db",
    "render",
    "imports",
    "memory",
    "before_request",
    "workers",
    "peers",
    "throughput",
    "count",
]
SLOW = ["count"]  #: not part of --quick


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description="Run the benchmarks of docs/performance.md."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}")
    parser.add_argument("--quick", action="store_true", help="one minute instead of five")
    parser.add_argument("--count", action="store_true", help="only count instructions")
    latest = ROOT / ".bench" / "latest.json"
    parser.add_argument("--json", type=Path, default=latest, metavar="FILE", help="to write to")
    parser.add_argument(
        "--before",
        type=Path,
        default=ROOT / "docs" / "performance.json",
        metavar="FILE",
        help="an earlier run to set beside this one (default: that of docs/performance.md)",
    )
    chosen = parser.parse_args()
    if unknown := set(chosen.names) - set(BENCHMARKS):
        parser.error(f"no such benchmark: {', '.join(unknown)}")
    names = ["count"] if chosen.count else chosen.names
    names = names or [name for name in BENCHMARKS if not (chosen.quick and name in SLOW)]
    before = {row.place: row for row in read(chosen.before)} if chosen.before.exists() else {}

    rows: list[Row] = []
    missing: list[Missing] = []
    with contextlib.ExitStack() as stack:
        options = make_options(chosen.quick, stack, missing)
        for name in names:
            began = time.monotonic()
            found = list(importlib.import_module(name).run(options))
            own = [row for row in found if isinstance(row, Row)]
            rows += own
            missing += [each for each in found if isinstance(each, Missing)]
            took = time.monotonic() - began
            print(f"{report(own, before)}\n\n{name}: {took:.0f} s\n", flush=True)
    for row in rows:
        if row.missed:
            place = ", ".join(str(part) for part in row.place if part)
            print(f"Missed: {place}: {number(row.compared)} instead of {number(row.target)}")
    missing = list(dict.fromkeys(missing))
    for each in missing:
        print(f"Not measured: {each.benchmark}, {each.what}: {each.why}")
    write(chosen.json, described(missing, chosen.quick), rows)
    print(f"Written to {os.path.relpath(chosen.json)}")


def make_options(quick: bool, stack: contextlib.ExitStack, missing: list[Missing]) -> Options:
    """What to measure, and the servers that it needs; what isn't installed is missing."""
    urls: dict[str, str | None] = {"Redis": None, "PostgreSQL": None}
    for name, server in (("Redis", servers.redis_server), ("PostgreSQL", servers.postgres_server)):
        try:
            urls[name] = stack.enter_context(server())
        except servers.Missing as error:
            missing.append(Missing("all", name, f"{error} is not installed"))
    redis, postgresql = urls["Redis"], urls["PostgreSQL"]
    databases = {"SQLite": ""}
    if postgresql and not quick:
        databases["PostgreSQL"] = postgresql
    sizes = [100, 1000] if quick else [10, 100, 1000, 5000]
    return Options(sizes, databases, redis, postgresql, 0.1 if quick else 0.3, quick)


if __name__ == "__main__":
    main()
