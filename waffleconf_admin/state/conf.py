"""Conf: the object that reads the current app's settings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import current_app, has_app_context

from ..snapshot import snapshot


class _Conf:
    """The current app's settings: ``conf.SITENAME``, ``conf["SITENAME"]``, ``"SITENAME" in conf``.

    In a request all reads see the values as they stood at the first one, or at its own last save;
    elsewhere the newest. No I/O, but for the first read in a process. Never change a list or dict
    in place: save a new one.

    :raises AttributeError, KeyError: the setting is not declared.
    :raises RuntimeError: there is no application context, or the app has no WaffleConf.
    """

    __slots__ = ()

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):  # copy, mock and debuggers ask for these, outside a context too
            raise AttributeError(key)
        values = snapshot()
        try:
            return values[key]
        except KeyError:
            if (present := _present_name(key)) is not None:
                return values[present]
            raise AttributeError(f"{key} is not declared in WAFFLE_CONFS") from None

    def __getitem__(self, key: str) -> Any:
        values = snapshot()
        try:
            return values[key]
        except KeyError:
            if (present := _present_name(key)) is not None:
                return values[present]
            raise KeyError(f"{key} is not declared in WAFFLE_CONFS") from None

    def __contains__(self, key: object) -> bool:
        return key in snapshot()

    def __iter__(self) -> Iterator[str]:
        return iter(snapshot())

    def __len__(self) -> int:
        return len(snapshot())

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *(snapshot() if has_app_context() else ())]

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"conf is read-only: save with state.update_db({{{key!r}: …}})")

    def __repr__(self) -> str:
        return "<waffleconf_admin.conf>"  # values may be secret


conf = _Conf()


def _present_name(name: str) -> str | None:
    """The key of the setting that had a name before, if there is one."""
    present: str | None = current_app.extensions["waffleconf"].names.key_of(name, "read")
    return present
