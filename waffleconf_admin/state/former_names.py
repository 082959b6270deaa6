"""Former names: mappings that answer for the names that settings had before."""

from __future__ import annotations

import copyreg
import logging
from typing import Any

from flask import Config

from ..settings.equality import same
from .names import NamedRows

log = logging.getLogger(__name__)

_ABSENT = object()

DROPPED = (
    "What was assigned to app.config for %s is dropped: it is a former name of %s. To change the "
    "setting, in a test too, save it: state.update_db({%r: …}); to give it another default, "
    "declare that."
)


class FormerNames(dict[str, Any]):
    """A dict that answers for former names too; it has the present names only.

    Python asks it for keys that are not there: reading any other key costs nothing.
    """

    waffleconf_names: NamedRows

    def __missing__(self, name: str) -> object:
        key = self.waffleconf_names.key_of(name, "read")
        if key is None:
            raise KeyError(name)
        return self[key]

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        return super().__contains__(self.waffleconf_names.former.get(name, _ABSENT))  # type: ignore[call-overload]

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (dict(self),)  # a copy, or a pickle, knows no app


def answering(values: dict[str, Any], names: NamedRows) -> dict[str, Any]:
    """Return values by key as a dict that answers for former names too, if there are any."""
    if not names:
        return values
    made = FormerNames(values)
    made.waffleconf_names = names
    return made


def answer_former_names(config: Config, names: NamedRows) -> None:
    """Let a configuration answer for the former names of settings, with their current values.

    The object stays the same, its class becomes a subclass. An app without former names keeps its
    class.
    """
    if isinstance(config, FormerNames):
        config.waffleconf_names = names
    elif names:
        former = type(config)
        members = {"__reduce__": lambda self: _copied(self, former)}
        config.__class__ = type(former.__name__, (FormerNames, former), members)
        config.waffleconf_names = names  # type: ignore[attr-defined]
    drop_former_names(config, names)


def _copied(config: Config, former: type[Config]) -> tuple[object, ...]:
    """What a copy of a configuration is made of: it is of the class that the app has given it."""
    state = {name: value for name, value in vars(config).items() if name != "waffleconf_names"}
    return copyreg.__newobj__, (former,), state, None, iter(config.items())  # type: ignore[attr-defined]


def drop_former_names(config: Config, names: NamedRows) -> None:
    """Take former names out of a configuration: what the app puts there would be served for ever.

    A value that is not that of the setting is dropped with a warning.
    """
    for name, key in names.former.items():
        value = config.pop(name, _ABSENT)
        if value is not _ABSENT and not same(value, config.get(key)):
            log.warning(DROPPED, name, key, key)
