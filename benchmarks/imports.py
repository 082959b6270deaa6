"""What `import waffleconf_admin` costs, beside what it stands on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from measure import Figures, Options, Row, ratio_of

TURNS = 7
PROGRAM = "import time; began = time.process_time(); import {}; print(time.process_time() - began)"


def seconds(modules: str) -> float:
    """Processor time of an import in a new process, without that of starting Python."""
    command = [sys.executable, "-c", PROGRAM.format(modules)]
    return float(subprocess.run(command, capture_output=True, check=True).stdout)


def run(options: Options) -> Iterator[Row]:
    ours, floor = [], []
    for _ in range(4 if options.quick else TURNS + 1):
        ours.append(seconds("waffleconf_admin"))
        floor.append(seconds("flask, flask_wtf, wtforms"))
    ours, floor = ours[1:], floor[1:]  # the first may have to compile
    yield Row(
        "imports",
        "import waffleconf_admin",
        "",
        0,
        "ms",
        Figures.of(ours, 1e3),
        Figures.of(floor, 1e3),
        "import flask, flask_wtf, wtforms",
        ratio_of(ours, floor),
    )
