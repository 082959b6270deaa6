"""StoredDefaults: rows with the default, for settings that have none."""

from __future__ import annotations

import logging

from ..exceptions import InvalidValue, StoreError
from ..log_once import LogOnce
from ..store import Swap
from .declared import Declared
from .repository import Repository

log = logging.getLogger(__name__)


class StoredDefaults:
    """Stores the defaults of settings, as Flask-WaffleConf does when they are read.

    :param declared: the settings of the app.
    :param repository: the app's settings in the database.
    """

    def __init__(self, declared: Declared, repository: Repository) -> None:
        self._declared = declared
        self._repository = repository
        self._log_once = LogOnce(log)

    def add(self, keys: list[str]) -> bool:
        """Insert rows of settings that have none. That the database can't be written is logged.

        :returns: False: another process has inserted one just now, so read again.
        """
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
