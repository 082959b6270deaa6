"""Puts a run into docs/performance.md: its tables, its plots, and its figures for later runs.

python benchmarks/document.py [.bench/latest.json]
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import plot
from measure import GROWTH, REQUESTS, ROOT, Row, decimals, exponent, grouped, number, read

DOCS = ROOT / "docs"
PAGE, FIGURES, IMAGES = DOCS / "performance.md", DOCS / "performance.json", DOCS / "images"
BEGIN, END = "<!-- The tables of one run: benchmarks/document.py writes them. -->", "<!-- end -->"

#: Measured for each ORM and each database.
STORED = ("parse_conf", "reload", "first_start", "update_db")
#: Measured for each number of settings.
OTHERS = ("render", "memory", "before_request", "imports")


def main() -> None:
    source = Path(sys.argv[1]) if sys.argv[1:] else ROOT / ".bench" / "latest.json"
    about, rows = json.loads(source.read_text()), list(read(source))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(before + "\n\n".join([BEGIN, *sections(about, rows), END]) + after)
    (IMAGES / "performance-growth.svg").write_text(growth(rows))
    (IMAGES / "performance-requests.svg").write_text(requests(rows))
    if source != FIGURES:
        shutil.copyfile(source, FIGURES)


def sections(about: dict[str, Any], rows: Sequence[Row]) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    yield (
        f"Measured {about['when'][:10]} at {about['commit']} on {about['machine']}, load "
        f"{about['load']}, Python {about['python']}, {versions}."
    )
    aimed = [row for row in rows if row.target is not None]
    missed = sum(row.missed for row in aimed)
    yield f"{len(aimed) - missed} of {len(aimed)} targets are met; figures that miss one are bold."
    for each in about["missing"]:
        yield f"Not measured: {each['benchmark']}, {each['what']}: {each['why']}."
    both = [row for row in rows if row.benchmark in STORED]
    for database, own in grouped(both, lambda row: row.subject.rpartition(", ")[2]):
        yield f"### Reading and saving, {database}\n\n" + stored(own)
    yield "### Page, memory, import, requests\n\n" + others(
        [row for row in rows if row.benchmark in OTHERS]
    )
    yield "### Beside the peers\n\n" + peers([row for row in rows if row.benchmark == "peers"])
    yield "### Requests a second\n\n" + throughput(
        [row for row in rows if row.benchmark == "throughput"]
    )
    yield "### Instructions\n\n" + table(
        ["Path, 100 settings", "Thousand instructions"],
        ([row.subject, number(row.value.median)] for row in rows if row.benchmark == "count"),
    )


def stored(rows: Sequence[Row]) -> str:
    """A line for each work; in each cell milliseconds and how many times the floor that is."""
    sizes = sorted({row.settings for row in rows})[-2:]
    subjects = list(dict.fromkeys(row.subject for row in rows))
    names = [who.rpartition(", ")[0] for who in subjects]
    heading = ["ms", "Floor", "Target", *(f"{name}: {size}" for name in names for size in sizes)]
    heading.append("Growth")
    lines = []
    for (benchmark, work), own in grouped(rows, lambda row: (row.benchmark, row.work)):
        cells = {(row.subject, row.settings): cell(row) for row in own}
        fits = [exponent(some) for _, some in grouped(own, lambda row: row.subject)]
        line = [f"`{benchmark}`: {work}", own[0].floor_is, targets(own)]
        line += [cells.get((who, size), "") for who in subjects for size in sizes]
        lines.append([*line, growth_of(fits)])
    return table(heading, lines)


def others(rows: Sequence[Row]) -> str:
    sizes = sorted({row.settings for row in rows if row.settings})
    lines = []
    for (work, subject), own in grouped(rows, lambda row: (row.work, row.subject)):
        cells = {row.settings or sizes[0]: cell(row) for row in own}
        name = f"{work}, {subject}" if subject else work
        line = [f"{name} ({own[0].unit})", own[0].floor_is, targets(own)]
        line += [cells.get(size, "") for size in sizes]
        lines.append([*line, growth_of([exponent(own)])])
    return table(["Work", "Floor", "Target", *map(str, sizes), "Growth"], lines)


def peers(rows: Sequence[Row]) -> str:
    """A line for each contender, milliseconds on the wall."""
    works = list(dict.fromkeys(row.work for row in rows))
    sizes = sorted({row.settings for row in rows})
    columns = [(work, size) for work in works for size in sizes]
    lines = []
    for subject, own in grouped(rows, lambda row: row.subject):
        cells = {(row.work, row.settings): number(row.value.median) for row in own}
        lines.append([subject, *(cells.get(column, "") for column in columns)])
    return table(["Milliseconds", *(f"{work}: {size}" for work, size in columns)], lines)


def throughput(rows: Sequence[Row]) -> str:
    works = list(dict.fromkeys(row.work for row in rows))
    lines = []
    for subject, own in grouped(rows, lambda row: row.subject):
        cells = {row.work: cell(row) for row in own}
        lines.append([subject, targets(own), *(cells.get(work, "") for work in works)])
    return table(["", "Target", *works], lines)


def cell(row: Row) -> str:
    value, ratio = number(row.value.median), number(row.ratio)
    if not ratio:
        return f"**{value}**" if row.missed else value
    return f"{value} (**{ratio}**)" if row.missed else f"{value} ({ratio})"


def targets(rows: Sequence[Row]) -> str:
    """The target of a work; where not all subjects have the same, theirs too."""
    aimed = [row for row in rows if row.target is not None]
    found = {row.target: row.subject.rpartition(", ")[0] for row in reversed(aimed)}
    first, *others = reversed(found) if found else [""]
    return "; ".join([f"{first}", *(f"{found[target]} {target}" for target in others)])


def growth_of(fits: Iterable[float | None]) -> str:
    """The greatest exponent."""
    greatest = max((fit for fit in fits if fit is not None), default=None)
    text = decimals(greatest)
    return f"**{text}**" if (greatest or 0) > GROWTH else text


def table(heading: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    whole = [heading, ["---"] * len(heading), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in whole)


def growth(rows: Sequence[Row]) -> str:
    """Milliseconds by the number of settings: SQLAlchemy on SQLite, and the page."""
    drawn = [row for row in rows if row.benchmark in (*STORED, "render")]
    drawn = [row for row in drawn if row.subject in ("SQLAlchemy, SQLite", "")]
    panels = [
        plot.Panel(
            f"{benchmark}: {work}",
            [row.settings for row in own],
            [row.value.median for row in own],
            [row.floor.median for row in own if row.floor],
        )
        for (benchmark, work), own in grouped(drawn, lambda row: (row.benchmark, row.work))
    ]
    return plot.panels(panels, "waffleconf_admin, ms", "the floor, ms")


def requests(rows: Sequence[Row]) -> str:
    own = [row for row in rows if row.unit == REQUESTS]
    works = list(dict.fromkeys(row.work for row in own))
    values = {
        subject: [row.value.median for row in some]
        for subject, some in grouped(own, lambda row: row.subject)
    }
    return plot.bars(values, works)


if __name__ == "__main__":
    main()
