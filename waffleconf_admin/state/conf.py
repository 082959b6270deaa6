"""Conf: the object that reads the current app's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from flask import current_app, g, has_app_context, has_request_context, request


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
        try:
            return _snapshot()[key]
        except KeyError:
            raise AttributeError(f"{key} is not declared in WAFFLE_CONFS") from None

    def __getitem__(self, key: str) -> Any:
        try:
            return _snapshot()[key]
        except KeyError:
            raise KeyError(f"{key} is not declared in WAFFLE_CONFS") from None

    def __contains__(self, key: object) -> bool:
        return key in _snapshot()

    def __iter__(self) -> Iterator[str]:
        return iter(_snapshot())

    def __len__(self) -> int:
        return len(_snapshot())

    def __dir__(self) -> list[str]:
        return [*object.__dir__(self), *(_snapshot() if has_app_context() else ())]

    def __setattr__(self, key: str, value: object) -> None:
        raise AttributeError(f"conf is read-only: save with state.update_db({{{key!r}: …}})")

    def __repr__(self) -> str:
        return "<waffleconf_admin.conf>"  # values may be secret


conf = _Conf()
_SNAPSHOT = "_waffleconf_values"


def _snapshot() -> Mapping[str, Any]:
    asked: object = request._get_current_object() if has_request_context() else None  # type: ignore[attr-defined]
    # g's own dict: going through the LocalProxy for each read would double the cost.
    attributes = g._get_current_object().__dict__ if asked is not None else {}
    taken_by, values = attributes.get(_SNAPSHOT, (None, None))
    # Requests made in one pushed context, as tests make them, share its g.
    if values is None or taken_by is not asked:
        state = current_app.extensions.get("waffleconf")
        if state is None:
            raise RuntimeError(
                "This app has no WaffleConf: call WaffleConf(app, store) where it is made."
            )
        values = state.current()
        attributes[_SNAPSHOT] = asked, values
    return cast("Mapping[str, Any]", values)


def renew_snapshot() -> None:
    """After a save in a request: its own reads see what it wrote."""
    if has_request_context():
        g.pop(_SNAPSHOT, None)
