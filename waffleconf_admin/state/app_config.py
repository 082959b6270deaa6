"""AppConfig: an app's configuration, where its code reads the values of settings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping, Sequence

from ..settings.equality import same
from ..settings.setting import Setting

log = logging.getLogger(__name__)

_ABSENT = object()


class AppConfig:
    """Writes the values that are served into ``app.config``, and notes which settings code of the
    app has assigned other values there. Not safe for threads: the cache calls it under its lock.

    :param config: the configuration; has the values from the first load on.
    """

    def __init__(self, config: MutableMapping[str, object]) -> None:
        self._config = config
        #: Values that it had before the settings were declared, until the next load.
        self._found: Mapping[str, object] = {}

    def declare(
        self,
        settings: Mapping[str, Setting],
        former: Mapping[str, object],
        values: Mapping[str, object],
    ) -> Sequence[str]:
        """Add the values of new declarations; those that are there stay until the next load,
        unless they are the environment's.

        :param former: the values that were last written.
        :returns: the settings to call `warn_of_undeclared` with.
        """
        for key, value in values.items():
            self._config.setdefault(key, value)
            if settings[key].environment is not None:
                self._config[key] = value
        assigned = self._assigned(former, values)
        self._found = {
            key: self._config[key]
            for key, value in values.items()
            if self._config[key] is not value
        }
        return assigned

    def replace(self, former: Mapping[str, object], values: Mapping[str, object]) -> Sequence[str]:
        """Write what was read or saved.

        :param former: the values that were last written.
        :returns: the settings to call `warn_of_replaced` with.
        """
        assigned = self._assigned(former, values)
        self._config.update(values)
        self._found = {key: v for key, v in self._found.items() if key not in values}
        return assigned

    def override(self, values: Mapping[str, object]) -> None:
        """Write values, whatever the app has assigned."""
        self._config.update(values)

    def _assigned(self, former: Mapping[str, object], values: Mapping[str, object]) -> list[str]:
        """The keys that code of the app has given another value than *values* in its config.

        :param former: the values that were last written to it.
        """
        pairs = zip(values.items(), map(self._config.get, values), strict=True)
        others = {key: now for (key, value), now in pairs if now is not value}  # mostly none
        return [
            key
            for key, now in others.items()
            if key in self._config
            and now is not former.get(key, _ABSENT)
            and now is not self._found.get(key, _ABSENT)
            and not same(now, values[key])
        ]


def warn_of_undeclared(keys: Sequence[str]) -> None:
    """Log that values which the app had assigned are not the declared ones, if there are any."""
    if keys:
        log.warning(
            "app.config has other values of %s than WAFFLE_CONFS declares; the stored or the "
            "declared ones will replace them. To make one the default, declare it: "
            '{"default": app.config[%r]}.',
            ", ".join(keys),
            keys[0],
        )


def warn_of_replaced(keys: Sequence[str]) -> None:
    """Log that values which the app had assigned are gone, if there were any."""
    if keys:
        log.warning(
            "What was assigned to app.config for %s is replaced by the stored or the declared "
            "value. To change a setting, in a test too, save it: state.update_db({%r: …}).",
            ", ".join(keys),
            keys[0],
        )
