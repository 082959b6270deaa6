"""The examples of docs/api.md: transcripts of curl, and httpx, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
import servers
from documentation import blocks
from flask import Flask
from pages import state_of, stored
from reports import report
from required import required
from werkzeug.serving import make_server

APP, CLIENT = blocks("docs/api.md", "python")
CONFS: dict[str, Any] = {
    "PAGE_SIZE": {"desc": "Products on a page", "default": 20, "max": 100, "group": "Shop"},
    "API_TOKEN": {"default": "", "secret": True},
}
#: Names of saves, and ETags.
NAME = re.compile(r"[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")


class Served(NamedTuple):
    """The app of the page, served."""

    app: Flask
    api: str


@pytest.fixture
def served(make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("SHOP_API_TOKEN", "b4f")
    app = make_app(CONFS, workers=True, WAFFLE_STORE_DEFAULTS=False, WTF_CSRF_ENABLED=True)
    report(app, host="web-1", pid=101, texts_digest="0" * 32)
    APP.run(app=app)
    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Served(app, f"http://127.0.0.1:{server.port}/admin/config/api")
    server.shutdown()
    thread.join()
    server.server_close()


def steps() -> Iterator[tuple[str, str]]:
    """The commands of the transcripts, each with what the page shows below it."""
    for block in blocks("docs/api.md", "console"):
        for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.code, re.M):
            yield found[1], found[2]


def play(served: Served) -> Iterator[tuple[str, str, str]]:
    """Run the transcripts; yield each command, what the page shows, and what is printed."""
    names: dict[str, str] = {}  # what the page shows, and what it is here
    environment = {**os.environ, "API": served.api, "AUTH": "Authorization: Bearer b4f"}
    for line, shown in steps():
        command = line
        for name in NAME.findall(line):
            command = command.replace(name, names[name])
        done = subprocess.run(
            ["bash", "-c", command], env=environment, capture_output=True, text=True, check=True
        )
        names |= dict(zip(NAME.findall(shown), NAME.findall(done.stdout), strict=False))
        yield line, shown, done.stdout


def bare(text: str) -> str:
    return TIME.sub("TIME", NAME.sub("NAME", text)).strip()


def test_curl_prints_what_the_page_shows(served: Served) -> None:
    with required():
        servers.find("curl")
    for line, shown, printed in play(served):
        assert bare(printed) == bare(shown), line


def test_every_call_has_a_transcript(served: Served) -> None:
    document = served.app.test_client().get(
        "/admin/config/api/openapi.json", headers={"Authorization": "Bearer b4f"}
    )
    lines = " ".join(line for line, _ in steps())
    for path, methods in document.json["paths"].items():
        for method in methods.keys() - {"parameters"}:
            option = "" if method in ("get", "post") else f" -X {method.upper()}"
            assert f"$API{path.replace('{key}', 'PAGE_SIZE')}{option}" in lines, (path, method)


def test_the_function_with_httpx_loses_no_change(served: Served) -> None:
    names = CLIENT.run(TOKEN="b4f", API=served.api)
    state = state_of(served.app)
    assert names["double"]("PAGE_SIZE") == 40 == stored(served.app)["PAGE_SIZE"]

    store = state.configstore
    swap = store.swap

    def overtaken(*arguments: Any) -> bool:
        del store.swap
        state.update_db({"PAGE_SIZE": 3})
        return bool(swap(*arguments))

    store.swap = overtaken
    assert names["double"]("PAGE_SIZE") == 6 == stored(served.app)["PAGE_SIZE"]
