"""A terminal that plays the transcripts of the documentation in a folder, without new processes."""

from __future__ import annotations

import importlib
import logging.config
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask, cli
from programs import forget_others

from waffleconf_admin import WaffleConf

VARIES = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|[0-9a-f]{32}")


class Terminal:
    """Runs lines of a shell in a folder. Each command imports the app of the folder anew.

    A module that other tests have imported under the name of one in the folder is out of the way
    until the end of the test.

    :param folder: becomes the current one.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(folder)
        monkeypatch.syspath_prepend(str(folder))
        monkeypatch.setenv("LOGNAME", "ana")
        monkeypatch.setenv("FLASK_RUN_FROM_CLI", "true")  # flask sets it, here to be undone
        # The env.py of a migration turns off all loggers that there are.
        monkeypatch.setattr(logging.config, "fileConfig", lambda *args, **options: None)
        self.exit_code = 0  #: of the last command
        self.folder = folder
        self.monkeypatch = monkeypatch

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def play(self, transcript: str) -> None:
        """Run each line of a transcript, and compare what it prints with what the page shows."""
        for line, shown in steps(transcript):
            printed = self.run(line)
            assert VARIES.sub("…", printed) == VARIES.sub("…", shown), f"{line}\n{printed}"

    def run(self, line: str) -> str:
        """Run a line, and return what it prints."""
        words = shlex.split(line)
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            self.monkeypatch.setenv(name, value)
            return ""
        if words[0] == "echo" and words[2] == ">":
            self.write(words[3], words[1] + "\n")
            return ""
        assert words[0] == "flask", line
        return self.flask(*words[1:])

    def flask(self, *arguments: str) -> str:
        forget_others(self.folder, self.monkeypatch)
        try:
            result = CliRunner().invoke(cli.cli, arguments, prog_name="flask")
        finally:
            self.forget()
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        close(made())
        self.exit_code = result.exit_code
        return result.output

    @contextmanager
    def app(self, module: str) -> Iterator[Flask]:
        """The app of a module, as a server imports it, until the end of the block."""
        forget_others(self.folder, self.monkeypatch)
        names = vars(importlib.import_module(module))
        app: Flask = names["app"] if "app" in names else names["create_app"]()
        self.forget()
        yield app
        close(app)

    def forget(self) -> None:
        """Let the next import read the modules of the folder."""
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None) or "").startswith(f"{self.folder}/"):
                del sys.modules[name]
        importlib.invalidate_caches()


def close(app: Flask) -> None:
    """Close what an app holds, as the end of its process does."""
    app.extensions["waffleconf"].stop()
    with app.app_context():
        if "sqlalchemy" in app.extensions:
            for engine in app.extensions["sqlalchemy"].engines.values():
                engine.dispose()
        else:
            app.extensions["waffleconf"].configstore.model._meta.database.close()


def made() -> Flask:
    """The app that was made last."""
    state = WaffleConf.latest and WaffleConf.latest()
    assert state
    return state.app


def steps(transcript: str) -> Iterator[tuple[str, str]]:
    """The commands of a transcript, each with what the page shows below it."""
    for found in re.finditer(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", transcript, re.M):
        yield found[1], found[2]
