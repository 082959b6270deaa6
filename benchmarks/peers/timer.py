"""Times the addresses of an app, on request: `python timer.py MODULE CONFIG`.

Reads lines of JSON, `["time", "/", 100]`, and answers each with the seconds of one request.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import sys
import time
from typing import Any

ANSWERS, sys.stdout = sys.stdout, sys.stderr  # whatever else an app prints is no answer
os.environ["BENCHMARK"] = sys.argv[2]
MODULE = importlib.import_module(sys.argv[1])
APP = MODULE.create_app()


def get(path: str) -> str:
    """The status of a GET."""
    path, _, query = path.partition("?")
    answers: list[str] = []
    environ: dict[str, Any] = {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    body = APP(environ, lambda status, headers, *_: answers.append(status))
    for _ in body:
        pass
    if hasattr(body, "close"):
        body.close()
    return answers[0]


class Commands:
    saves = 0

    def page(self) -> str | None:
        """The address of the page that edits all settings."""
        return getattr(MODULE, "PAGE", None)

    def time(self, path: str, requests: int) -> float:
        """Seconds that one request takes, on average; what is saved is new each time."""
        paths = []
        for _ in range(requests):
            Commands.saves += 1
            paths.append(path.format(Commands.saves))
        began = time.perf_counter()
        for each in paths:
            status = get(each)
            assert status.startswith("200"), status
        return (time.perf_counter() - began) / requests


if __name__ == "__main__":
    commands = Commands()
    print(json.dumps("ready"), file=ANSWERS, flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(commands, name)(*arguments)), file=ANSWERS, flush=True)
