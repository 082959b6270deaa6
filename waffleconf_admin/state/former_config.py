"""Former config: ``app.config["OLD_KEY"]`` of a setting that has another name now."""

from __future__ import annotations

from typing import Any

from flask import Config

from .names import Names

_ABSENT = object()


def answer_former_names(config: Config, names: Names) -> None:
    """Let a configuration answer for the former names of settings, with their current values.

    The object stays the same. Its class becomes a subclass, which Python asks for keys that are not
    there: reading any other key costs nothing. An app without former names keeps its class.
    """
    if isinstance(config, _FormerNames):
        config.waffleconf_names = names
    elif names:
        former = type(config)
        config.__class__ = type(former.__name__, (_FormerNames, former), {})
        config.waffleconf_names = names  # type: ignore[attr-defined]
    for name in names.former:
        config.pop(name, None)  # what the app has put there would be served for ever


class _FormerNames(Config):
    """A configuration that answers for former names too."""

    waffleconf_names: Names

    def __missing__(self, name: str) -> object:
        key = self.waffleconf_names.key_of(name, "read")
        if key is None:
            raise KeyError(name)
        return self[key]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.waffleconf_names.former

    def get(self, name: str, default: Any = None) -> Any:
        found = super().get(name, _ABSENT)
        if found is not _ABSENT:
            return found
        return self[name] if name in self.waffleconf_names.former else default
