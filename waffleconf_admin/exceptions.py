"""The errors that waffleconf_admin raises: one small tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


class WaffleError(Exception):
    """Base of every error of this package."""


class InvalidValue(WaffleError, ValueError):
    """A value, a stored text or a declaration that can't be used; nothing was changed.

    :param problem: ``{key: message}``, or one message that belongs to no key.
    """

    #: What is wrong, by setting: ``{key: message}``. Empty when no key is to blame.
    errors: dict[str, str]

    def __init__(self, problem: Mapping[str, str] | str) -> None:
        if isinstance(problem, str):
            self.errors = {}
            super().__init__(problem)
        else:
            self.errors = dict(problem)
            super().__init__("; ".join(f"{key}: {text}" for key, text in self.errors.items()))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.errors or str(self),)


class ConflictError(WaffleError):
    """A compare and swap found other values than were expected; nothing was written.

    :param keys: the settings that another save has changed.
    """

    #: The settings that another save has changed.
    keys: tuple[str, ...]

    def __init__(self, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        super().__init__(f"changed by somebody else meanwhile: {', '.join(self.keys)}")

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.keys,)


class StoreError(WaffleError):
    """The database could not be read or written; the message says what to do."""


class BusyError(StoreError):
    """The database is busy: it is locked, perhaps by the caller's own transaction; no connection is
    free; or other processes keep saving the same settings.
    """


class NotReadyError(StoreError):
    """The table of the settings, their database or the models are not there (yet)."""


class WatchFileError(WaffleError, OSError):
    """The watch file could not be made or changed; the message says what to do."""
