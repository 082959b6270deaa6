"""Declared: the settings that an app declares, taken from WAFFLE_CONFS as it stands now."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping

from flask import Flask

from ..exceptions import InvalidValue
from ..log_once import LogOnce
from ..settings.declarations import declare
from ..settings.numbered import REMEDY, find_numbered
from ..settings.setting import Setting
from .cache import Cache
from .environment import Environment
from .former_names import answer_former_names
from .repository import Repository

log = logging.getLogger(__name__)

#: The types of most defaults, which need no try.
_SURELY_STORABLE = (str, bool, int, float, type(None))


class Declared:
    """The declared settings of one app. An entry of WAFFLE_CONFS that is added, removed or replaced
    reaches the cache and the repository too; one that is changed in place is not noticed.

    An operation asks once and passes the settings on: each time all of WAFFLE_CONFS is compared.

    :raises InvalidValue: WAFFLE_CONFS has a mistake, or a variable of the environment does not fit.
    """

    def __init__(self, app: Flask, cache: Cache, repository: Repository) -> None:
        self._app = app
        self._cache = cache
        self._repository = repository
        self._environment = Environment(app)
        self._log_once = LogOnce(log)
        self._settings: Mapping[str, Setting] = {}
        self._source: Mapping[str, object] | None = None  #: WAFFLE_CONFS when it was last compared
        self._confs: Mapping[str, object] = {}  #: its entries then
        self._declare()

    @property
    def settings(self) -> Mapping[str, Setting]:
        """The settings by key, in the order of WAFFLE_CONFS.

        :raises InvalidValue: WAFFLE_CONFS was changed since the start, and has a mistake.
        """
        confs = self._app.config["WAFFLE_CONFS"]
        if confs != self._confs:
            self._declare()
        self._source = confs
        return self._settings

    def settings_for(self, keys: Collection[str]) -> Mapping[str, Setting]:
        """Return `settings` for an operation on these keys, whatever their number is in all.

        Of the other entries, one that was replaced by one of the same key may go unnoticed.

        :raises InvalidValue: WAFFLE_CONFS was changed since the start, and has a mistake.
        """
        confs: Mapping[str, object] = self._app.config["WAFFLE_CONFS"]
        if (
            confs is self._source
            and len(confs) == len(self._confs)
            and list(map(confs.get, keys)) == list(map(self._confs.get, keys))
        ):
            return self._settings
        return self.settings

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
        """Return those of *keys* that are declared, each once; None: all. Of a former name it is
        the present one.
        """
        if keys is None:
            return list(self.settings)
        wanted = dict.fromkeys(self._repository.names.keys_of(keys, "read"))
        settings = self.settings_for(wanted)
        return [key for key in wanted if key in settings]

    def known(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return those of *values* whose keys are declared; each other key is logged once.

        :raises InvalidValue: *values* is no mapping.
        """
        if not isinstance(values, Mapping):
            raise InvalidValue(f"Give a dict of settings, {{key: value}}, not {values!r:.50}.")
        settings = self.settings_for(values)
        values = self._repository.names.by_key(values, "saved")
        if values.keys() <= settings.keys():
            return dict(values)
        for key in values:
            if key not in settings:
                message = "%r was not saved: it is not declared in WAFFLE_CONFS."
                self._log_once(f"key {key}", logging.WARNING, message, key)
        return {key: value for key, value in values.items() if key in settings}

    def _declare(self) -> None:
        confs = self._app.config["WAFFLE_CONFS"]
        settings = self._environment.apply(declare(confs, self._app))
        self._repository.codec.declare(settings)
        self._repository.names.declare(settings)
        self._cache.declare(settings)
        answer_former_names(self._app.config, self._repository.names)
        self._settings, self._source, self._confs = settings, confs, dict(confs)
        self._warn_of_unstorable_defaults()
        if self._app.config["WAFFLE_SERIALIZER"] == "pickle":
            for key, name in find_numbered(settings).items():
                message = "WAFFLE_CONFS: %s: of its Enum %s, %s"
                self._log_once(f"enum {key}", logging.WARNING, message, key, name, REMEDY)

    def _warn_of_unstorable_defaults(self) -> None:
        """Log which defaults nobody could save, as an object is in JSON."""
        for key, setting in self._settings.items():
            if type(setting.default) in _SURELY_STORABLE:
                continue
            try:
                self._repository.codec.encode({key: setting.default})
            except InvalidValue as error:
                message = "WAFFLE_CONFS: %s: the default can't be stored, so the page locks it: %s"
                self._log_once(f"default {key}", logging.WARNING, message, key, error.errors[key])
