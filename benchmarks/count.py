"""Instructions of the hot paths, as valgrind counts them: alike on a busy machine and a quiet one.

One process makes everything ready; for each path it forks a child that goes it n times and one that
goes it 2n times. The difference is the path's own.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from measure import Call, Figures, Missing, Options, Row

SETTINGS = 100


def run(options: Options) -> Iterator[Row | Missing]:
    if shutil.which("valgrind") is None:
        yield Missing("count", "all", "valgrind is not installed")
        return
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=cachegrind", "--cache-sim=no"]
        command += [f"--cachegrind-out-file={folder}/%p", sys.executable, __file__, folder]
        env = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
        if done.returncode:
            yield Missing("count", "all", done.stderr.strip().splitlines()[-1])
            return
        for name, calls, once, twice in json.loads((Path(folder) / "children").read_text()):
            counted = [total(Path(folder) / str(pid)) for pid in (once, twice)]
            each = (counted[1] - counted[0]) / calls
            unit = "thousand instructions a call"
            yield Row("count", "hot paths", name, SETTINGS, unit, Figures.of([each], 1e-3))


def total(file: Path) -> int:
    """What cachegrind summed up for a process."""
    (line,) = [line for line in file.read_text().splitlines() if line.startswith("summary:")]
    return int(line.split()[1])


def paths(stack: contextlib.ExitStack) -> Iterator[tuple[str, int, Call]]:
    """Name, how often to go it, and the path."""
    from before_request import make, requests
    from render import PAGE, make_app
    from subjects import subject

    from waffleconf_admin import conf
    from waffleconf_admin.codec import deserialize, serialize

    on = stack.enter_context(subject("SQLAlchemy", "", SETTINGS))
    on.state.update_conf()
    saved = iter(range(10_000))
    for name, value in (("an int", 26), ("a str", "Some words"), ("a dict", {"a": [1, 2.5]})):
        text = serialize(value)
        yield f"serialize {name}", 50, lambda value=value: serialize(value)
        yield f"deserialize {name}", 50, lambda text=text: deserialize(text)
    stack.enter_context(on.app.test_request_context())
    yield "conf.KEY", 50, lambda: conf.SETTING_1
    yield "app.config['KEY']", 50, lambda: on.app.config["SETTING_1"]
    for name, app in (("a request", make(SETTINGS)), ("a request without us", make(None))):
        yield name, 20, lambda app=app: requests(app, 1)
    yield "parse_conf()", 3, on.state.parse_conf
    yield "parse_conf([key])", 10, lambda: on.state.parse_conf(["SETTING_1"])
    yield "update_conf(), nothing changed", 3, on.state.update_conf
    yield "update_db() of one", 5, lambda: on.state.update_db({"SETTING_1": next(saved)})
    client = make_app(SETTINGS).test_client()
    yield "GET of the page", 1, lambda: client.get(PAGE)


def child(call: Call, calls: int) -> int:
    """Fork a process that goes a path so many times; its id."""
    pid = os.fork()
    if not pid:
        gc.freeze()
        gc.disable()
        call()
        for _ in range(calls):
            call()
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert not status, f"{call} failed"
    return pid


def main() -> None:
    children = []
    with contextlib.ExitStack() as stack:
        for name, calls, call in list(paths(stack)):
            call()
            children.append((name, calls, child(call, calls), child(call, 2 * calls)))
    (Path(sys.argv[1]) / "children").write_text(json.dumps(children))


if __name__ == "__main__":
    main()
