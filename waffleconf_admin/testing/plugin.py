"""Plugin: the fixture and the marker ``override_conf`` of pytest.

pytest imports it in each run where this package is installed. So it imports neither Flask nor the
rest of the package before a test uses it, and costs other tests nothing.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from flask import Flask

MARKER = "override_conf"
MARKED = "_override_conf_of_markers"


def pytest_configure(config: pytest.Config) -> None:
    text = f"{MARKER}(SITENAME=…): settings with other values, until the end of the test."
    config.addinivalue_line("markers", text)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have the markers of a test hold before the fixtures are made that it names itself."""
    names = getattr(item, "fixturenames", None)
    if names is None or item.get_closest_marker(MARKER) is None:
        return
    own = inspect.signature(item.obj).parameters  # type: ignore[attr-defined]
    names.insert(next((n for n, name in enumerate(names) if name in own), len(names)), MARKED)


@pytest.fixture
def override_conf(request: pytest.FixtureRequest) -> Iterator[Callable[..., ExitStack]]:
    """Give settings other values until the end of the test: ``override_conf(SITENAME="x")``.

    What it returns is a context manager, for values that hold for a block only.
    """
    from .override import override_conf

    default = _app_of_suite(request)
    with ExitStack() as stack:

        def override(
            values: Mapping[str, object] | None = None,
            /,
            *,
            app: Flask | None = None,
            **settings: object,
        ) -> ExitStack:
            block = stack.enter_context(ExitStack())
            block.enter_context(override_conf(values, app=app or default, **settings))
            return block

        yield override


@pytest.fixture(name=MARKED)
def _of_markers(request: pytest.FixtureRequest, override_conf: Callable[..., ExitStack]) -> None:
    for marker in reversed([*request.node.iter_markers(MARKER)]):  # the closest is the last
        override_conf(*marker.args, **marker.kwargs)


def _app_of_suite(request: pytest.FixtureRequest) -> Flask | None:
    """The fixture ``app``, as suites have it; None: there is none."""
    try:
        app: Flask = request.getfixturevalue("app")
    except pytest.FixtureLookupError as error:
        if error.argname != "app":
            raise
        return None
    return app
