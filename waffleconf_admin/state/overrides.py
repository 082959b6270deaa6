"""Overrides: values that are in force in this process for a while, for tests."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping
from functools import partial

from flask import Flask

from .. import forms
from ..contexts import context_of
from ..exceptions import InvalidValue
from ..settings.equality import same
from ..settings.names import nearest_name
from ..settings.setting import Setting
from ..snapshot import renew_snapshot
from .cache import Cache
from .copies import own_copy
from .declared import Declared
from .decoder import Decoder
from .records import Records
from .repository import Repository

log = logging.getLogger(__name__)


class Override:
    """Values of settings, by key, and the thread that has put them in force."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values
        self.thread = threading.current_thread()

    def __repr__(self) -> str:
        return f"<Override of {', '.join(self.values)}>"  # the values may be secrets


class Overrides:
    """The layer above the environment and the database. It holds for one app, in all threads.

    Nothing is stored, and nobody is notified. A save writes to the database, as ever, and takes
    effect when the override ends.
    """

    def __init__(
        self, app: Flask, declared: Declared, cache: Cache, repository: Repository
    ) -> None:
        self._app = app
        self._declared = declared
        self._cache = cache
        self._names = repository.names
        self._codec = repository.codec

    def add(self, values: Mapping[str, object]) -> Override:
        """Put values in force until they are removed.

        :raises InvalidValue: a setting is not declared, or a save would refuse its value.
        :raises RuntimeError: another thread overrides one of the settings.
        """
        values = self._checked(self._names.by_key(values, "overridden"))
        override = Override(values)
        self._cache.replace_decoder(partial(OverridingDecoder.above, override), values)
        renew_snapshot()
        return override

    def remove(self, override: Override) -> None:
        """Let what is behind an override be in force again."""
        self._cache.replace_decoder(partial(_without, override), override.values)
        renew_snapshot()

    def _checked(self, values: Mapping[str, object]) -> dict[str, object]:
        """The values, as they would be read back from the database."""
        settings = self._declared.settings
        if unknown := {key: _unknown(key, settings) for key in values if key not in settings}:
            raise InvalidValue(unknown)
        with context_of(self._app):
            cleaned, problems = forms.clean_values(settings, values, self._app.config)
            if problems:
                raise InvalidValue(problems)
            encoded = self._codec.encode(cleaned)
        return {key: stored for key, (_, stored) in encoded.items()}


class OverridingDecoder(Decoder):
    """Makes the records of another decoder, with the values of an override on top of them.

    A cache has one only while there is an override, so no other read or save pays for it.
    """

    def __init__(self, behind: Decoder, override: Override) -> None:
        # Without super().__init__: all that a Decoder has is that of the other one.
        self.behind = behind
        self.override = override

    @classmethod
    def above(cls, override: Override, behind: Decoder) -> OverridingDecoder:
        """Return a decoder with an override on top of all that there are.

        :raises RuntimeError: another thread overrides one of its settings already.
        """
        decoder = behind
        while isinstance(decoder, OverridingDecoder):
            other, decoder = decoder.override, decoder.behind
            taken = [key for key in override.values if key in other.values]
            if taken and other.thread is not override.thread:
                raise RuntimeError(
                    f"{', '.join(taken)}: the thread {other.thread.name!r} overrides it, and an "
                    "override holds for all threads of the app: let one end before the next begins."
                )
        return cls(behind, override)

    def declare(self, settings: Mapping[str, Setting]) -> None:
        self.behind.declare(settings)

    def records(self, texts: Mapping[str, str | None]) -> Records:
        return self._overlaid(self.behind.records(texts))

    def written(
        self, settings: Mapping[str, Setting], encoded: Mapping[str, tuple[str, object]]
    ) -> Records:
        for key in encoded:
            if key in self.override.values:
                log.warning("What is saved for %s takes effect when override_conf ends.", key)
        return self._overlaid(self.behind.written(settings, encoded))

    def is_unchanged(self, key: str, records: Records) -> bool:
        if key not in self.override.values:
            return self.behind.is_unchanged(key, records)
        return same(self.override.values[key], records.served[key])

    def _overlaid(self, records: Records) -> Records:
        overridden = {
            key: records[key].overlaid(own_copy(value), "override")
            for key, value in self.override.values.items()
            if key in records
        }
        return records.updated(Records.holding(overridden)) if overridden else records


def _without(override: Override, decoder: Decoder) -> Decoder:
    """A decoder without an override, which need not be the last one."""
    if not isinstance(decoder, OverridingDecoder):
        return decoder
    if decoder.override is override:
        return decoder.behind
    return OverridingDecoder(_without(override, decoder.behind), decoder.override)


def _unknown(key: object, known: Iterable[str]) -> str:
    """What is wrong with the name of a setting that is not declared."""
    near = nearest_name(key, known)
    hint = f" Did you mean {near}?" if near else ""
    return f"There is no setting of that name.{hint}"
