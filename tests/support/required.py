"""What tests need that a machine may lack."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

import pytest
import servers

REQUIRE_ALL = os.environ.get("CI") == "true" or os.environ.get("WAFFLE_REQUIRE_ALL") == "1"
MISSING = "Missing here: "


@contextlib.contextmanager
def required() -> Iterator[None]:
    """Skips the test when a program is missing, or fails it where everything is required."""
    try:
        yield
    except servers.Missing as error:
        (pytest.fail if REQUIRE_ALL else pytest.skip)(f"{MISSING}{error}")
