"""Reader: settings as they stand in the database, for whoever asks."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from flask import Flask

from ..exceptions import InvalidValue, StoreError
from ..log_once import LogOnce
from ..settings.record import Record
from ..store import Swap
from .cache import Cache
from .declared import Declared
from .former_names import answering
from .repository import Repository

log = logging.getLogger(__name__)


class Reader:
    """Reads settings of one app from its database; what is in memory stays as it is.

    :param declared: the settings of the app.
    :param cache: makes records of stored texts.
    :param repository: the app's settings in the database.
    """

    def __init__(
        self, app: Flask, declared: Declared, cache: Cache, repository: Repository
    ) -> None:
        self._app = app
        self._declared = declared
        self._cache = cache
        self._repository = repository
        self._log_once = LogOnce(log)

    def records(
        self, keys: Iterable[str] | None = None, *, fresh: bool = True
    ) -> dict[str, Record]:
        """Do what `State.read` does."""
        asked = listed(keys)
        found = self._cache.read(self._declared.among(asked), fresh=fresh)
        return self._repository.names.as_asked(dict(found), asked)

    def values(self, keys: Iterable[str]) -> dict[str, object]:
        """Do what `State.parse_conf` does."""
        asked = listed(keys) or None
        wanted = self._declared.among(asked)
        records = self._cache.read(wanted, fresh=False)
        if self._app.config["WAFFLE_STORE_DEFAULTS"]:
            missing = [key for key, text in records.texts.items() if text is None]
            if missing and not self._add_defaults(missing):
                records = self._cache.read(wanted)
        names = self._repository.names
        return answering(names.as_asked(records.served, asked), names)

    def _add_defaults(self, keys: list[str]) -> bool:
        """Insert rows where there are none; False: another process did so first, read again."""
        settings, encode = self._declared.settings_for(keys), self._repository.codec.encode
        defaults = {key: settings[key].default for key in keys}
        try:
            encoded = encode(defaults)
        except InvalidValue as error:  # only where such a default is saved it is an error
            encoded = encode({key: v for key, v in defaults.items() if key not in error.errors})
        try:
            return self._repository.swap({k: Swap(None, text) for k, (text, _) in encoded.items()})
        except StoreError as error:
            self._log_once("defaults", logging.INFO, "Defaults were not stored: %s", error)
            return True


def listed(keys: Iterable[str] | None) -> list[str] | None:
    """Return keys as a list; a single one may be given as it is."""
    return [keys] if isinstance(keys, str) else None if keys is None else list(keys)
