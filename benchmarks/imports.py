"""What importing the extension costs, and an app with its page, beside what they stand on.

The modules are compiled before, as pip compiles what it installs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from measure import Figures, Options, Row, ratio_of

TURNS = 7
FLOOR = "import flask, flask_wtf, wtforms"
#: `import waffleconf_admin` alone imports nothing else.
IMPORT = "from waffleconf_admin import WaffleConf, conf"
#: Imports all that requests and the page need.
APP = """
from waffleconf_admin import WaffleAdmin, WaffleConf, WaffleStore
from flask import Flask
app = Flask("benchmark")
WaffleConf(app, WaffleStore())
app.register_blueprint(WaffleAdmin())
"""
WORKS = {IMPORT: (IMPORT, 1.15), "an app with its page": (APP, None)}


def seconds(program: str, compiled: str) -> float:
    """Processor time of a program in a new process, without that of starting Python."""
    clock = "time.process_time()"
    timed = f"import time\nbegan = {clock}\n{program}\nprint({clock} - began)"
    environ = {**os.environ, "PYTHONPYCACHEPREFIX": compiled}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", timed]
    return float(subprocess.run(command, env=environ, capture_output=True, check=True).stdout)


def run(options: Options) -> Iterator[Row]:
    programs = [FLOOR, *(program for program, _ in WORKS.values())]
    with tempfile.TemporaryDirectory() as compiled:
        turns = [
            [seconds(program, compiled) for program in programs]
            for _ in range(4 if options.quick else TURNS + 1)
        ]
    floor, *all_ours = zip(*turns[1:], strict=True)  # the first compiles
    for (work, (_, target)), ours in zip(WORKS.items(), all_ours, strict=True):
        yield Row(
            "imports",
            work,
            "",
            0,
            "ms",
            Figures.of(ours, 1e3),
            Figures.of(floor, 1e3),
            FLOOR,
            ratio_of(ours, floor),
            target,
        )
