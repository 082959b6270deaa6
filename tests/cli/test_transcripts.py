"""The transcripts of docs/command-line.md and ends.md: each command prints what the page says."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from documentation import blocks
from flask import Flask

from waffleconf_admin import WaffleAdmin, cli
from waffleconf_admin.state.form import parse_text

BLOCKS = [
    *(block.code for block in blocks("docs/command-line.md", "console")),
    *(block.code for block in blocks("docs/ends.md", "console")),
]

#: The app of the page, after a release that no longer declares BANNER.
CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {
        "desc": "Name of the site",
        "default": "Waffle",
        "max": 200,
        "group": "Shop",
    },
    "PAGE_SIZE": {"default": 10, "min": 1, "max": 50, "group": "Shop"},
    "OPENING_HOURS": {"default": {"mon": [9, 17]}, "group": "Shop"},
    "SESSION_TIMEOUT": {"default": timedelta(minutes=30)},
    "REGION": {"default": "eu", "readonly": True},
    "API_TOKEN": {"default": "", "secret": True},
}
BANNER = {"BANNER": {"default": ""}}
NAME = re.compile(r"[0-9a-f]{32}")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


def may_configure(action: str, setting: object) -> bool:
    return True


may_configure.__module__ = "shop.admin"


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LOGNAME", "ops")
    app = make_app(
        CONFS | BANNER,
        history=True,
        WAFFLE_MULTIPROC=True,
        WAFFLE_STORE_DEFAULTS=False,
        WAFFLE_ENCRYPTION_KEYS=[Fernet.generate_key()],
    )
    app.register_blueprint(WaffleAdmin(can=may_configure))
    app.extensions["waffleconf"].update_db({"BANNER": "Closed on Monday"})
    app.config["WAFFLE_CONFS"] = CONFS
    return app


def steps(block: str) -> Iterator[tuple[str, str]]:
    """The commands of a transcript, each with what the page shows below it."""
    for found in re.finditer(r"^([$#] .*)\n((?:(?![$#] ).*\n)*)", block, re.M):
        yield found[1], found[2]


class Terminal:
    """Runs the lines of transcripts."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.exit_code = 0
        self.names: dict[str, str] = {}  #: of saves: what the page shows, and what it is here

    def run(self, line: str, shown: str) -> str:
        """Return what a line prints."""
        if typed := re.fullmatch(r"# (\w+) writes (\S+) for (\w+) on the page", line):
            self.save_on_the_page(*typed.groups())
            return ""
        if line == "# the operator puts another key in front of WAFFLE_ENCRYPTION_KEYS":
            encryption = self.app.extensions["waffleconf"]._repository.codec.encryption
            encryption._fernets.insert(0, Fernet(Fernet.generate_key()))
            return ""
        if line == "# three hours later":
            state = self.app.extensions["waffleconf"]
            state.configstore.clock = lambda: time.time() + 3 * 3600
            state.update_conf()
            del state.configstore.clock
            return ""
        words = shlex.split(NAME.sub(lambda name: self.names[name[0]], line.removeprefix("$ ")))
        if words[0] == "cat":  # somebody has edited the file
            Path(words[1]).write_text(shown)
            return shown
        if words == ["echo", "$?"]:
            return f"{self.exit_code}\n"
        return self.flask(words)

    def flask(self, words: list[str]) -> str:
        paths = {sign: words.pop(words.index(sign) + 1) if sign in words else None for sign in "<>"}
        assert words[:2] == ["flask", "waffle"]
        result = self.app.test_cli_runner().invoke(
            args=[word for word in words[1:] if word not in paths],
            input=Path(paths["<"]).read_bytes() if paths["<"] else None,
        )
        self.exit_code = result.exit_code
        if paths[">"]:
            Path(paths[">"]).write_bytes(result.stdout_bytes)
            return result.stderr
        return result.output

    def save_on_the_page(self, actor: str, text: str, key: str) -> None:
        state = self.app.extensions["waffleconf"]
        state.update_db({key: parse_text(state, key, text)}, actor=actor, source="page")


def play(app: Flask) -> Iterator[tuple[str, str, str]]:
    """Run all transcripts; yield each line, what the page shows, and what is printed."""
    terminal = Terminal(app)
    for block in BLOCKS:
        for line, shown in steps(block):
            printed = terminal.run(line, shown)
            pairs = zip(NAME.findall(shown), NAME.findall(printed), strict=False)
            terminal.names |= dict(pairs)
            yield line, shown, printed


def test_the_commands_print_what_the_page_shows(app: Flask) -> None:
    Path("token.txt").write_text("hunter2\n")
    for line, shown, printed in play(app):
        same_names, same_times = (
            NAME.sub("NAME", printed),
            TIME.sub("TIME", NAME.sub("NAME", shown)),
        )
        assert TIME.sub("TIME", same_names) == same_times, line


def test_every_command_has_a_transcript() -> None:
    # tests/cli/test_workers.py runs the transcripts of that page.
    more = [block.code for block in blocks("docs/workers.md", "console")]
    lines = [line for block in [*BLOCKS, *more] for line, _ in steps(block)]
    ran = {line.split()[3] for line in lines if line.startswith("$ flask waffle")}
    assert ran == set(cli.waffle.commands)
