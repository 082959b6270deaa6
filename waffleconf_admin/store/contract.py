"""The contract of every store: WaffleStore, and what is passed to it and returned by it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from typing import NamedTuple

from ..exceptions import StoreError
from . import errors
from .history_rows import HistoryRow, Settlement
from .instances import Model, key_of, text_of
from .optional import OptionalMethods
from .swaps import Swap, Swaps


class FormerRows(NamedTuple):
    """The settings in an SQLite file that the app has used before."""

    path: str  #: of the file
    used: str  #: the path of the file that the app uses now
    texts: Mapping[str, str]  #: by key


_DOCUMENTED = ("commit", "delete", "get", "put")

#: The methods that each of these calls in `WaffleStore`.
_CALLS = {
    "read": _DOCUMENTED,
    "swap": _DOCUMENTED,
    "rewrite": (*_DOCUMENTED, "read", "swap"),
    "read_fresh": (*_DOCUMENTED, "read"),
    "read_promptly": (*_DOCUMENTED, "read", "read_fresh"),
    "note_history": ("commit", "add_history"),
}


class WaffleStore(OptionalMethods):
    """Stores a text for each key; a subclass knows the database.

    A store of your own must have ``commit``, ``delete``, ``get`` and ``put``, which work on the
    caller's own session. ``read`` and ``swap`` then call these four, key by key. Such a store can't
    promise what the two stores of this package do: a save that fails half-way may leave half of it,
    of two concurrent writers the later may win, and whatever else is pending in the caller's
    session is committed too. A subclass of one of those two that overrides one of the
    four methods, but not ``read`` and ``swap``, is such a store.

    :param db: the database, as its ORM's Flask extension gives it.
    :param model: the model of the settings, usually with `WaffleMixin`.
    :param history: the model of the history, usually with `WaffleChangeMixin`, in the same
        database; None: no history. A store of your own that sets it must also have
        ``add_history``, ``read_history``, ``read_latest`` and ``prune_history``; and ``rewrite``
        for ``flask waffle convert``.
    :param workers: the model of the workers, usually with `WaffleWorkerMixin`; None: processes
        report nothing. A store of your own that sets it must also have ``report_worker`` and
        ``read_workers``.
    """

    #: Whether a store of this class can do nothing without a model.
    needs_model = False
    #: Whether the three ways to read take None for all keys.
    lists_keys = False

    def __init__(
        self,
        db: object = None,
        model: Model = None,
        history: object = None,
        workers: object = None,
    ) -> None:
        self.db = db
        self.model = model
        self.history = history
        self.workers = workers

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        own = list(takewhile(lambda base: not base.__module__.startswith(__package__), cls.__mro__))

        def depth(name: str) -> int:
            return next((n for n, base in enumerate(own) if name in vars(base)), len(own))

        # An inherited method may do itself what an app's class overrides. WaffleStore's calls the
        # overridden method, so it takes the place of the inherited one.
        for name, called in _CALLS.items():
            if min(map(depth, called)) < depth(name):
                setattr(cls, name, vars(WaffleStore)[name])

    def check_arguments(self) -> None:
        """Check, when an app is initialised, what the store was made with.

        :raises TypeError: one of the arguments can't be used; the message says what to write.
        """
        if self.needs_model and self.model is None:
            name = type(self).__name__
            raise TypeError(f"{name} has no model: write {name}(db=db, model=Conf).")
        self.check_optional()

    def commit(self) -> None:
        """Commit to the database, where that is needed."""
        raise NotImplementedError(f"{type(self).__name__} needs commit()")

    def delete(self, key: str) -> object:
        """Delete the model's instance for a key and return it; None when there is none."""
        raise NotImplementedError(f"{type(self).__name__} needs delete(key)")

    def get(self, key: str) -> object:
        """Return the model's instance for a key; None when there is none."""
        raise NotImplementedError(f"{type(self).__name__} needs get(key)")

    def put(self, key: str, value: str) -> object:
        """Insert or update the model's instance for a key and return it."""
        raise NotImplementedError(f"{type(self).__name__} needs put(key, value)")

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Return ``(key, text)`` of the rows there are, in any order; reading changes nothing.

        :param keys: which; None is all, which a store of the four documented methods can't list
            (NotImplementedError).
        :raises StoreError: the database can't be read; the message says what to do.
        """
        if keys is None:
            raise NotImplementedError(
                f"{type(self).__name__} can't list its keys: name them (flask waffle prune KEY), "
                "or let its read(None) return all rows."
            )
        found = []
        for key in keys:
            try:
                instance = self.get(key)
                if instance is not None:
                    found.append((key_of(instance), text_of(instance)))
            except Exception as error:
                errors.fail(error)
        return found

    def read_fresh(self, keys: Iterable[str] | None) -> list[tuple[str, str]]:
        """Return what `read` does, read where `swap` writes: a replica may lag behind.

        :raises StoreError: as `read` does.
        """
        return self.read(keys)

    def read_promptly(self, keys: Iterable[str] | None) -> list[tuple[str, str]]:
        """Return what `read_fresh` does, without waiting long for a lock; for the first load.

        It is called in application contexts of all sorts, a migration's too, and in processes that
        will fork. So it leaves no connection open, and does not configure models that are still
        being declared.

        :raises NotReadyError: there is no table, or the models are not complete.
        :raises StoreError: as `read` does; BusyError where it would have to wait.
        """
        return self.read_fresh(keys)

    def location(self) -> object:
        """Return what identifies the database that `swap` writes to in this context; None: unknown.

        It is only compared, and appears in no text, for it may hold a password.
        """
        return None

    def former_rows(self, root_path: str, instance_path: str) -> FormerRows | None:
        """Return the settings in the file where an older release of the ORM had the database.

        :param root_path: the folder of the app.
        :param instance_path: its instance folder.
        :returns: None: there is no such file.
        """
        return None

    def swap(
        self,
        swaps: Swaps,
        history: Sequence[HistoryRow] = (),
        ends: Sequence[Settlement] = (),
    ) -> bool:
        """Save all changes or none, if every row still is as the caller has seen it.

        :param swaps: by key; pairs ``(seen, new)`` will do. A key with both equal is not written,
            but has to be as it was seen too, if any other is written.
        :param history: rows to add to the history in the same transaction; empty without one.
        :param ends: what becomes of ends, in the same transaction; empty unless `keeps_ends`.
        :returns: False when somebody else was faster: read again and decide again.
        :raises ConflictError: somebody else has settled an end; nothing was written.
        :raises BusyError: the database is locked, by others or by the caller's own transaction.
        :raises StoreError: it can't be written; the message says what to do.
        """
        checked = {key: Swap(*swap) for key, swap in swaps.items()}
        writes = {key: swap for key, swap in checked.items() if swap.writes}
        if not writes:
            return True
        stored = dict(self.read(list(checked)))
        if any(stored.get(key) != swap.seen for key, swap in checked.items()):
            return False
        try:
            for key, swap in sorted(writes.items()):
                if swap.new is None:
                    self.delete(key)
                else:
                    self.put(key, swap.new)
            if history:
                self.add_history(history)
            self.commit()
        except Exception as error:
            errors.fail(error, (text for swap in writes.values() for text in swap))
        return True

    def note_history(self, rows: Sequence[HistoryRow]) -> None:
        """Insert rows into the history in a transaction of its own; no setting is written.

        :raises StoreError: the database can't be written.
        """
        try:
            self.add_history(rows)
            self.commit()
        except Exception as error:
            errors.fail(error)

    def rewrite(self, swaps: Swaps, rows: Sequence[HistoryRow]) -> bool:
        """Do what `swap` does, and give rows of the history other texts in the same transaction.

        :param swaps: by key; each writes.
        :param rows: rows that are in the history, with the old and new texts to write.
        :raises StoreError: as `swap` does; or the history of this store can't be changed.
        """
        if rows:
            raise StoreError(f"{type(self).__name__} needs rewrite(swaps, rows) for its history.")
        return self.swap(swaps)

    def in_memory(self) -> bool:
        """Return whether the database exists on one connection of this process only."""
        return False

    def after_fork(self) -> None:
        """Forget the parent's connections in a forked child, without closing them."""
