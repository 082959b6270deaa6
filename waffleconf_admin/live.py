"""Live: one app's values in memory, and `conf`, the object that reads them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from flask import current_app, g, has_request_context

from .exceptions import InvalidValue
from .util import same

if TYPE_CHECKING:
    from .declarations import Setting

log = logging.getLogger(__name__)

#: Values of these types can be handed out again and again.
_IMMUTABLE = (bool, int, float, str, bytes, type(None))


class Record(NamedTuple):
    """One setting as it stands in the database."""

    text: str | None  #: the stored text; None: there is no row
    value: Any  #: the stored value, or the declared default where there is no readable row
    problem: str | None = None  #: why the row can't be read


#: What has changed: ``{key: (old value, new value)}``.
Changes = dict[str, tuple[Any, Any]]


class Live:
    """The values that an app's views see; replaced as a whole, so a reader needs no lock.

    A generation number orders this process's saves and reloads: whoever does I/O notes it before
    and hands it back with what was read. When it has moved in between, what was read may be older
    than what is here, so it is refused and has to be read again. No lock is held during I/O.

    :param config: the app's configuration, kept equal to the values.
    :param decode: stored text to value; raises `InvalidValue`.
    """

    def __init__(self, config: MutableMapping[str, Any], decode: Callable[[str], Any]) -> None:
        self._config = config
        self._decode = decode
        self.generation = 0
        self.values: Mapping[str, Any] = {}
        self.loaded = False
        self._settings: Mapping[str, Setting] = {}
        self._records: dict[str, Record] = {}
        self._reported: dict[str, str] = {}
        self.renew_lock()

    def renew_lock(self) -> None:
        """In a forked child: the parent's lock may have been held, and would stay so for ever."""
        self._lock = threading.Lock()

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Take up declarations: what is new gets its default, here and in the configuration."""
        with self._lock:
            self._settings = settings
            self._records = {key: r for key, r in self._records.items() if key in settings}
            defaults = {key: setting.copy_default() for key, setting in settings.items()}
            for key, default in defaults.items():
                self._config.setdefault(key, default)
            self.values = {key: self.values.get(key, defaults[key]) for key in settings}
            self.generation += 1

    def record(self, key: str, text: str | None) -> Record:
        """Decode *text*; only when it is not the one that is known already."""
        known = self._records.get(key)
        if known is not None and known.text == text and type(known.value) in _IMMUTABLE:
            return known
        if text is None:
            return Record(None, self._settings[key].copy_default())
        try:
            return Record(text, self._decode(text))
        except InvalidValue as error:
            if self._reported.get(key) != text:
                self._reported[key] = text
                log.error(
                    "The stored value of %s can't be read (%s); its default is served and the row "
                    "is left alone. Save the setting anew to replace it.",
                    key,
                    error,
                )
            return Record(text, self._settings[key].copy_default(), str(error))

    def apply(self, generation: int, texts: Mapping[str, str | None]) -> Changes | None:
        """Take up stored texts that were read, or written, since *generation*.

        :param texts: text by key, None where there is no row; keys left out stay as they are.
        :returns: what has changed; None when the generation has moved and nothing was taken up.
        """
        fresh: dict[str, Record] = {}
        for key in texts.keys() & self._settings.keys():
            known, text = self._records.get(key), texts[key]
            fresh[key] = known if known and known.text == text else self.record(key, text)
        with self._lock:
            if self.generation != generation:
                return None
            old = self.values
            new = dict(old)
            new.update((key, record.value) for key, record in fresh.items() if key in new)
            self._records.update(fresh)
            self._config.update(new)
            self.values = new
            self.generation += 1
        return {
            key: (old[key], new[key])
            for key in fresh
            if key in new and new[key] is not old[key] and not same(old[key], new[key])
        }


class _Conf:
    """The current app's settings: ``conf.SITENAME``, ``conf["SITENAME"]``, ``"SITENAME" in conf``.

    In a request all reads see the values as they stood at the first one, with what the request
    itself saved since; elsewhere the newest. No I/O, but for the first read in a process.

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
        return [*object.__dir__(self), *_snapshot()]

    def __setattr__(self, key: str, value: Any) -> None:
        raise AttributeError(f"conf is read-only: save with state.update_db({{{key!r}: …}})")

    def __repr__(self) -> str:
        return "<waffleconf_admin.conf>"  # values may be secret


conf = _Conf()
_SNAPSHOT = "_waffleconf_values"


def _snapshot() -> Mapping[str, Any]:
    # g's own dict: going through the LocalProxy for each read would double the cost.
    kept = g._get_current_object().__dict__ if has_request_context() else {}
    values = kept.get(_SNAPSHOT)
    if values is None:
        state = current_app.extensions.get("waffleconf")
        if state is None:
            raise RuntimeError(
                "This app has no WaffleConf: call WaffleConf(app, store) where it is made."
            )
        values = kept[_SNAPSHOT] = state.current()
    return cast("Mapping[str, Any]", values)


def renew_snapshot() -> None:
    """After a save in a request: its own reads see what it wrote."""
    if has_request_context():
        g.pop(_SNAPSHOT, None)
