"""The story of a renamed setting in docs/life.md: each command prints what the page says."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from itertools import groupby
from typing import Any

import pytest
from documentation import block
from flask import Flask

RELEASES: dict[str, dict[str, Any]] = {
    "shop_1": {"SUPPORT_MAIL": {"default": "shop@example.org"}},
    "shop_2": {"SUPPORT_EMAIL": {"default": "shop@example.org", "was": "SUPPORT_MAIL"}},
}


def without_names(text: str) -> str:
    """A text without times and names of saves, which differ each time."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|[0-9a-f]{32}", "…", text)


def test_a_rename_goes_as_the_page_says(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ops")
    transcript = block("docs/life.md", "$ flask --app shop_1").code
    parts = [list(g) for _, g in groupby(transcript.splitlines(), lambda li: li.startswith("$ "))]
    for (command,), output in zip(parts[::2], parts[1::2], strict=True):
        _, _, _, release, *arguments = shlex.split(command)
        # Each command is a process of its own: it remembers nothing.
        app = make_app(RELEASES[release], history=True, WAFFLE_STORE_DEFAULTS=False)
        done = app.test_cli_runner().invoke(args=arguments)
        printed = done.stdout or done.stderr
        assert without_names(printed.strip()) == without_names("\n".join(output)), command
