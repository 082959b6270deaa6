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
from functools import partial
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
            lines = [line for line in done.stderr.splitlines() if not line.startswith("==")]
            yield Missing("count", "all", lines[-1])
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
    from before_request import make, requests, requests_without
    from render import PAGE, make_app
    from subjects import JSON, subject

    from waffleconf_admin import conf
    from waffleconf_admin.util import deserialize, serialize

    saved = iter(range(10_000))
    for subject_name in ("SQLAlchemy", JSON):
        on = stack.enter_context(subject(subject_name, "", SETTINGS))
        state = on.state
        after = " with JSON" if subject_name == JSON else ""
        state.update_conf()
        for name, value in (("an int", 26), ("a str", "Some words"), ("a dict", {"a": [1, 2.5]})):
            text = serialize(value, **on.format)
            yield f"serialize {name}{after}", 50, partial(serialize, value, **on.format)
            yield f"deserialize {name}{after}", 50, partial(deserialize, text)
        yield f"parse_conf(){after}", 3, state.parse_conf
        yield f"parse_conf([key]){after}", 10, partial(state.parse_conf, ["SETTING_1"])
        yield f"update_conf(), nothing changed{after}", 3, state.update_conf
        save = lambda state=state: state.update_db({"SETTING_1": next(saved)})  # noqa: E731
        yield f"update_db() of one{after}", 5, save
    stack.enter_context(on.app.test_request_context())
    yield "conf.KEY", 50, lambda: conf.SETTING_1
    yield "app.config['KEY']", 50, lambda: on.app.config["SETTING_1"]
    yield "a request", 20, partial(requests, make(SETTINGS), 1)
    yield "a request without the extension", 20, partial(requests_without, make(None), 1)
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
