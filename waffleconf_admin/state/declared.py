"""Declared: the settings that an app declares, taken from WAFFLE_CONFS as it stands now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from flask import Flask

from ..exceptions import InvalidValue
from ..log_once import LogOnce
from ..settings.declarations import declare
from ..settings.setting import Setting
from .cache import Cache
from .repository import Repository

log = logging.getLogger(__name__)


class Declared:
    """The declared settings of one app. An entry of WAFFLE_CONFS that is added, removed or replaced
    reaches the cache and the repository too; one that is changed in place is not noticed.

    :raises InvalidValue: WAFFLE_CONFS has a mistake.
    """

    def __init__(self, app: Flask, repository: Repository, cache: Cache) -> None:
        self._app = app
        self._repository = repository
        self._cache = cache
        self._log_once = LogOnce(log)
        self._declare()

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings by key, in the order of WAFFLE_CONFS.

        :raises InvalidValue: WAFFLE_CONFS was changed since the start, and has a mistake.
        """
        if self._app.config["WAFFLE_CONFS"] != self._confs:
            self._declare()
        return self._settings

    def refresh(self) -> bool:
        """Read a changed WAFFLE_CONFS. False: it has a mistake, which is logged once, and the
        former settings stay.
        """
        try:
            _ = self.settings
        except InvalidValue as error:
            self._log_once("mistake", logging.ERROR, "The former WAFFLE_CONFS is used: %s", error)
            return False
        return True

    def among(self, keys: Iterable[str] | None) -> list[str]:
        """Return those of *keys* that are declared, each once; None: all."""
        settings = self.settings
        if keys is None:
            return list(settings)
        return [key for key in dict.fromkeys(keys) if key in settings]

    def known(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return those of *values* whose keys are declared; each other key is logged once.

        :raises InvalidValue: *values* is no mapping.
        """
        if not isinstance(values, Mapping):
            raise InvalidValue(f"Give a dict of settings, {{key: value}}, not {values!r:.50}.")
        settings = self.settings
        for key in values:
            if key not in settings:
                message = "%r was not saved: it is not declared in WAFFLE_CONFS."
                self._log_once(f"key {key}", logging.WARNING, message, key)
        return {key: value for key, value in values.items() if key in settings}

    def _declare(self) -> None:
        confs = self._app.config["WAFFLE_CONFS"]
        settings = declare(confs, self._app)
        self._repository.declare(settings)
        self._cache.declare(settings)
        self._settings, self._confs = settings, dict(confs)
