"""``flask waffle deployed``, and the transcript of docs/history.md with an old and a new worker."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from documentation import block
from flask import Flask
from pages import URL, sent

from waffleconf_admin import WaffleAdmin, anyone

STORY = block("docs/history.md", "old$ flask waffle deployed v41").code
VARIES = re.compile(r"[0-9a-f]{32}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
KEEP = (
    '# ana clicks "Keep 10" on the page of a new worker, beside "Default was 10, is 20", and saves'
)

MakeApp = Callable[..., Flask]


def release(make_app: MakeApp, page_size: Any, **settings: Any) -> Flask:
    confs = {"SITENAME": {"default": "Waffle"}, "PAGE_SIZE": {"default": page_size}, **settings}
    app = make_app(confs, history=True, WAFFLE_STORE_DEFAULTS=False, WAFFLE_MULTIPROC=True)
    app.register_blueprint(WaffleAdmin(can=anyone, actor=lambda: "ana"))
    return app


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["waffle", *args])


def keep_on_the_page(app: Flask) -> None:
    client = app.test_client()
    page = client.get(URL).text
    assert "Default was 10, is 20" in page and ">Keep 10<" in page
    pending = client.post(URL, data=sent(page) | {"waffle.do": "keep PAGE_SIZE"}).text
    assert client.post(URL, data=sent(pending)).status_code == 303


def test_old_and_new_workers_print_what_the_page_shows(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ops")
    workers = {"old": release(make_app, 10), "new": release(make_app, 20)}
    steps = re.findall(r"^(\w+\$ .*|# .*)\n((?:(?!\w+\$ |# ).*\n)*)", STORY, re.M)
    assert "".join(f"{line}\n{shown}" for line, shown in steps) == STORY
    for line, shown in steps:
        if line.startswith("#"):
            assert line == KEEP
            keep_on_the_page(workers["new"])
            continue
        worker, _, command = line.partition("$ ")
        result = run(workers[worker], *shlex.split(command)[2:])
        assert result.exit_code == 0
        assert VARIES.sub("", result.output) == VARIES.sub("", shown), line


def test_it_says_where_a_stored_value_stays(make_app: MakeApp) -> None:
    old = release(make_app, 10)
    old.extensions["waffleconf"].update_db({"PAGE_SIZE": 15})
    run(old, "deployed")
    result = run(release(make_app, 20), "deployed")
    assert result.output == "PAGE_SIZE  10 -> 20 (database has a value)\n"


def test_it_says_what_it_leaves_out(make_app: MakeApp) -> None:
    app = release(make_app, 10, ODD={"default": object()}, TOKEN={"default": "x", "secret": True})
    result = run(app, "deployed", "v1", "--actor", "bo")
    assert result.stdout == "" and "2 defaults noted for the first time." in result.stderr
    assert "ODD is left out: " in result.stderr and "TOKEN" not in result.output
    assert "deploy  bo" in (shown := run(app, "history").output)
    assert "  v1\n    2 defaults noted for the first time\n" in shown


def test_explain_says_what_the_default_was(make_app: MakeApp) -> None:
    run(release(make_app, 10), "deployed")
    new = release(make_app, 20)
    run(new, "deployed", "v42")
    assert "default   20  (code; 10 before v42)" in run(new, "explain", "PAGE_SIZE").output


def test_it_needs_a_history(make_app: MakeApp) -> None:
    result = run(make_app({"SITENAME": {"default": "Waffle"}}), "deployed")
    assert result.exit_code == 1 and "There is no history" in result.output
