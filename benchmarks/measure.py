"""Times works beside their floors in turns, and makes rows, tables and JSON of it."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

REQUESTS = "requests a second"  #: the unit of which more is better
Clock = Callable[[], float]
Call = Callable[[], object]
#: Benchmark, work, subject, number of settings.
Place = tuple[str, str, str, int]

#: Turns that are taken however long they take, unless they take more than PATIENCE seconds a call.
TURNS = 3
PATIENCE = 2.5
#: The growth is fitted from this many settings on: below, what is the same for any number rules.
FITTED_FROM = 100
GROWTH = 1.05  #: at most
#: Ratios have a target from this many settings on.
TARGETS_FROM = 1000


def nothing() -> None:
    pass


@dataclass(frozen=True)
class Options:
    """What a run measures, and for how long."""

    sizes: Sequence[int]  #: numbers of settings
    databases: Mapping[str, str]  #: URLs by name
    redis: str | None  #: URL; None: there is no server
    postgresql: str | None  #: the same
    seconds: float  #: for each cell of a table
    quick: bool = False


@dataclass(frozen=True)
class Work:
    """One thing to time, and the least that could do it."""

    name: str
    ours: Call
    floor: Call
    floor_is: str
    before: Call = nothing  #: called before each turn of either, untimed
    target: float | None = None  #: the ratio to reach; None: there is none


@dataclass(frozen=True)
class Figures:
    """What several turns gave."""

    median: float
    low: float
    high: float
    turns: int

    @classmethod
    def of(cls, samples: Sequence[float], factor: float = 1.0) -> Figures:
        scaled = [float(f"{sample * factor:.5g}") for sample in samples]
        return cls(statistics.median(scaled), min(scaled), max(scaled), len(scaled))


@dataclass(frozen=True)
class Row:
    """One cell of a table: one work of one subject with so many settings."""

    benchmark: str
    work: str
    subject: str  #: "SQLAlchemy, SQLite", or the name of a peer
    settings: int
    unit: str
    value: Figures
    floor: Figures | None = None
    floor_is: str = ""
    ratio: float | None = None
    target: float | None = None  #: of what is `compared`; at least so many requests, else at most

    @property
    def missed(self) -> bool:
        if self.target is None:
            return False
        if self.unit == REQUESTS:
            return self.compared < self.target
        return self.compared > self.target

    @property
    def place(self) -> Place:
        return self.benchmark, self.work, self.subject, self.settings

    @property
    def compared(self) -> float:
        """The figure to compare with that of another run: of times, the ratio to the floor."""
        return self.value.median if self.ratio is None else self.ratio


@dataclass(frozen=True)
class Missing:
    """What could not be measured, and why."""

    benchmark: str
    what: str
    why: str


def in_turns(calls: Sequence[Callable[[], float]], seconds: float) -> list[list[float]]:
    """Call each in turns, A B A B …, after one round that doesn't count.

    :param calls: give a figure each; see `timing`.
    :param seconds: to spend in all. Three rounds are taken in any case, unless they take too long.
    :returns: what each call gave.
    """
    samples: list[list[float]] = [[] for _ in calls]
    began = time.monotonic()
    while calls:
        for call, own in zip(calls, samples, strict=True):
            own.append(call())
        spent, rounds = time.monotonic() - began, len(samples[0]) - 1
        if (spent > seconds and rounds >= TURNS) or (spent > PATIENCE * len(calls) and rounds):
            break
    return [own[1:] for own in samples]


def timing(
    call: Call, clock: Clock = time.process_time, before: Call = nothing
) -> Callable[[], float]:
    """Gives the seconds that a call takes.

    :param clock: processor time of this process, unless others work for it.
    :param before: called each time before it, untimed.
    """

    def seconds() -> float:
        before()
        start = clock()
        call()
        return clock() - start

    return seconds


def ratio_of(samples: Sequence[float], floor: Sequence[float]) -> float:
    """The median of the ratios, turn by turn: what slows the machine slows both of a turn."""
    return statistics.median(a / b for a, b in zip(samples, floor, strict=True))


def timed(
    benchmark: str,
    work: Work,
    subject: str,
    settings: int,
    seconds: float,
    clock: Clock = time.process_time,
) -> Row:
    """Time a work beside its floor; the row is in milliseconds."""
    both = [timing(call, clock, work.before) for call in (work.ours, work.floor)]
    ours, floor = in_turns(both, seconds)
    return Row(
        benchmark,
        work.name,
        subject,
        settings,
        "ms",
        Figures.of(ours, 1e3),
        Figures.of(floor, 1e3),
        work.floor_is,
        ratio_of(ours, floor),
        work.target if settings >= TARGETS_FROM else None,
    )


def exponent(rows: Iterable[Row]) -> float | None:
    """The power of the number of settings that the medians grow with; None for too few sizes."""
    fitted = [row for row in rows if row.settings >= FITTED_FROM and row.value.low > 0]
    if len({row.settings for row in fitted}) < 2:
        return None
    x = [math.log(row.settings) for row in fitted]
    y = [math.log(row.value.median) for row in fitted]
    return statistics.linear_regression(x, y).slope


def cpu(pid: int) -> float:
    """Seconds of processor time that another process has used."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


# Output


def report(rows: Sequence[Row], former: Mapping[Place, Row]) -> str:
    """The rows as text, a block for each work.

    :param former: rows of an earlier run by place, to set beside these.
    """
    blocks = []
    for (benchmark, work), own in grouped(rows, lambda row: (row.benchmark, row.work)):
        floor = f"; floor: {own[0].floor_is}" if own[0].floor_is else ""
        heading = ["", "settings", "median", "min", "max", "floor", "min", "max", "ratio"]
        lines = [[*heading, "target", "before", "growth"]]
        for subject, cells in grouped(own, lambda row: row.subject):
            for row in cells:
                line = [subject if row is cells[0] else "", str(row.settings or "")]
                line += numbers(row.value)
                line += numbers(row.floor) if row.floor else [""] * 3
                before = former[row.place].compared if row.place in former else None
                growth = exponent(cells) if row is cells[-1] else None
                line += [number(row.ratio), marked(number(row.target), row.missed)]
                line += [number(before), marked(decimals(growth), (growth or 0) > GROWTH)]
                lines.append(line)
        blocks.append(f"{benchmark}: {work} ({own[0].unit}{floor})\n{columns(lines)}")
    return "\n\n".join(blocks)


def grouped(rows: Iterable[Row], key: Callable[[Row], Any]) -> Iterable[tuple[Any, list[Row]]]:
    """The rows by a key, in the order in which each was first met."""
    found: dict[Any, list[Row]] = {}
    for row in rows:
        found.setdefault(key(row), []).append(row)
    return found.items()


def numbers(figures: Figures) -> list[str]:
    if figures.turns == 1:
        return [number(figures.median), "", ""]
    return [number(value) for value in (figures.median, figures.low, figures.high)]


def number(value: float | None) -> str:
    """Three significant digits, and never an exponent."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def decimals(value: float | None) -> str:
    """Two decimals, for exponents."""
    return "" if value is None else f"{round(value, 2) + 0.0:.2f}"


def marked(text: str, missed: bool) -> str:
    return f"{text} missed" if missed else text


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of cells under each other, without columns that have a heading only."""
    full = [cells for cells in zip(*lines, strict=True) if any(cells[1:])]
    padded = []
    for place, cells in enumerate(full):
        width = max(map(len, cells))
        padded.append([cell.rjust(width) if place else cell.ljust(width) for cell in cells])
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))


def described(missing: Sequence[Missing], quick: bool) -> dict[str, Any]:
    """Which code was measured, on what, and when."""
    names = ["Flask", "SQLAlchemy", "peewee", "WTForms", "psycopg", "gunicorn"]
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": output("git", "-C", str(ROOT), "describe", "--always", "--dirty"),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in names},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "load": round(os.getloadavg()[0], 2),
        "quick": quick,
        "missing": [asdict(each) for each in missing],
    }


def output(*command: str) -> str:
    """What a command prints; nothing if it can't run."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def write(path: Path, description: Mapping[str, Any], rows: Iterable[Row]) -> None:
    """Write a run as JSON, a line for each row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in rows)
    head = json.dumps(description, indent=1, ensure_ascii=False).removesuffix("\n}")
    path.write_text(f'{head},\n "rows": [\n{lines}\n]}}\n')


def read(path: Path) -> Iterator[Row]:
    """The rows that `write` wrote."""
    for found in json.loads(path.read_text())["rows"]:
        floor = Figures(**found["floor"]) if found["floor"] else None
        yield Row(**{**found, "value": Figures(**found["value"]), "floor": floor})
