"""Pages in a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from browsing import FULL_SHOP, SIZES, STORED, make_shop, serving
from flask import Flask


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The shop of all tests that need no other app."""
    return make_shop(make_app, FULL_SHOP, STORED)


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.fixture
def open_page(browser: Any, url: str) -> Iterator[Callable[..., Any]]:
    """A function that opens the settings page in a browser of its own.

    The test fails if the console has an error, a policy was violated, or another host was asked.
    """
    complaints: list[str] = []
    contexts = []

    def listen(message: Any) -> None:
        # Chromium writes an error for each answer of 4xx and 5xx, and those are meant.
        if message.type in ("error", "warning") and "Failed to load" not in message.text:
            complaints.append(message.text)

    def ask(request: Any) -> None:
        if not request.url.startswith(url.removesuffix("/admin/config")):
            complaints.append(request.url)

    def open_one(**options: Any) -> Any:
        context = browser.new_context(**{"viewport": SIZES["wide"], **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", listen)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", ask)
        page.set_default_timeout(10_000)
        page.goto(url)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []
