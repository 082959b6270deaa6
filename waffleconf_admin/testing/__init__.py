"""What the tests of an app use: ``from waffleconf_admin.testing import override_conf``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .override import override_conf

__all__ = ["override_conf"]


def __getattr__(name: str) -> object:
    if name != "override_conf":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .override import override_conf  # here, for pytest imports this package with the plugin

    return override_conf
