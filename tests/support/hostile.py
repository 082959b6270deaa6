"""Reads stored texts that somebody wrote to do harm, in a process of its own with limits."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Iterable

from programs import environment

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import deserialize

SECONDS, MEGABYTES = 30, 1000  #: of processor time and of memory that the worst may take


def run_alone(module: str, *options: str) -> None:
    """Run ``main()`` of a module of this folder in a new Python."""
    done = subprocess.run(
        [sys.executable, *options, "-c", f"import {module}; {module}.main()"],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr


def read_all(
    payloads: Iterable[tuple[str, str]], classes: list[type], *accidents: str
) -> list[str]:
    """Read texts; print what came of each, its time and the most memory so far.

    :param payloads: what is tried, and the text. What begins with "many" may be read, for it may be
        fewer than a value may have; everything else has to be refused.
    :param accidents: errors that must not be what has stopped one, besides a lack of memory.
    :returns: what was not refused as it should be.
    """
    deserialize("gAJdcQAu")  # what the package imports at its first use is imported by now
    resource.setrlimit(resource.RLIMIT_AS, (MEGABYTES * 2**20,) * 2)
    failures = []
    for what, text in payloads:
        before, begun = set(sys.modules), time.process_time()
        try:
            deserialize(text, classes)
            message = "it was loaded"
        except InvalidValue as error:
            message = str(error)
        seconds = time.process_time() - begun
        # Only the limits of this process have stopped it, or it is quoted.
        wrong = ["Memory", "passwd", *accidents]
        wrong += [] if what.startswith("many ") else ["loaded"]
        if (
            any(word in message for word in wrong)
            or not (message.isprintable() and len(message) < 200)
            or seconds > SECONDS
            or set(sys.modules) != before
        ):
            failures.append(what)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        print(f"{what}: {len(text)} characters, {message}, {seconds:.2f} s, peak {peak} MB")
    return failures


def finish(failures: list[str]) -> None:
    """End this process; with an error if something was not refused."""
    sys.exit(f"not refused as they should be: {failures}" if failures else 0)
