"""SQLStore: a store on an SQL database, whatever the ORM."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cached_property, partial
from typing import ClassVar, Generic

from . import errors, locks
from .connections import Connections
from .contract import WaffleStore
from .history import LOOKUPS, WRITTEN, HistoryRows, has_ends
from .history_rows import HistoryQuery, HistoryRow, Settlement
from .instances import Model, overrides
from .postgresql import Notifications
from .rows import C, SettingRows, chunks
from .save import Save
from .swaps import RowChanged, Swaps
from .verify import Verification
from .workers import WorkerRow, WorkerRows


class SQLStore(WaffleStore, Generic[C]):
    """Reads and saves many settings at once, apart from the caller's own transaction.

    A subclass makes the parts that its ORM does, and has the documented methods ``commit``,
    ``delete``, ``get`` and ``put``.
    """

    needs_model = True
    lists_keys = True
    #: What messages call a model.
    model_noun: ClassVar[str]

    # Made when they are first used: models may be mapped, and databases named, after the store.

    @cached_property
    def _connections(self) -> Connections[C]:
        raise NotImplementedError

    @cached_property
    def _settings(self) -> SettingRows[C]:
        raise NotImplementedError

    @cached_property
    def _history(self) -> HistoryRows[C]:
        raise NotImplementedError

    @cached_property
    def _workers(self) -> WorkerRows[C]:
        raise NotImplementedError

    @cached_property
    def _connections_of_workers(self) -> Connections[C]:
        """The model of the workers may be in a database of its own."""
        raise NotImplementedError

    def check_arguments(self) -> None:
        super().check_arguments()
        value = () if overrides(self.model) else ("value",)
        self._check_model("model", self.model, ("key", *value))
        self._check_model("history", self.history, WRITTEN)
        self._check_model("workers", self.workers, WorkerRow._fields)

    def _check_model(self, argument: str, model: Model, columns: Sequence[str]) -> None:
        """Check a model and, where they are known already, its columns.

        :raises TypeError: it is none of this ORM, or lacks columns.
        """
        if model is None:
            return
        name, noun = type(self).__name__, self.model_noun
        if not self._is_model(model):
            given = model if isinstance(model, type) else type(model)
            raise TypeError(
                f"{name}: {argument}= is given {given.__name__}, which is no {noun}: write "
                f"{name}(db=db, model=Conf, history=ConfChange)."
            )
        if missing := [column for column in columns if self._lacks(model, column)]:
            raise TypeError(
                f"{name}: {argument}={model.__name__} has no {', '.join(missing)}: give what "
                f"{name}.make_models(db) returns, in its order, or add the columns."
            )

    def _is_model(self, model: object) -> bool:
        """Whether something is a model of this ORM, or may become one."""
        raise NotImplementedError

    def _lacks(self, model: object, column: str) -> bool:
        """Whether a model is known not to have a column."""
        return not hasattr(model, column)

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        return self._read(self._connections.ask, keys)

    def read_fresh(self, keys: Iterable[str] | None) -> list[tuple[str, str]]:
        return self._read(partial(self._connections.ask, fresh=True), keys)

    def read_promptly(self, keys: Iterable[str] | None) -> list[tuple[str, str]]:
        return self._read(self._connections.ask_promptly, keys)

    def _read(
        self,
        ask: Callable[[Callable[[C], dict[str, str]]], dict[str, str]],
        keys: Iterable[str] | None,
    ) -> list[tuple[str, str]]:
        settings, wanted = self._settings, None if keys is None else list(keys)
        return list(ask(lambda at: settings.read(at, wanted)).items())

    def swap(
        self,
        swaps: Swaps,
        history: Sequence[HistoryRow] = (),
        ends: Sequence[Settlement] = (),
    ) -> bool:
        connections = self._connections
        done = Save(connections, self._settings, self._history, swaps, history, ends).run()
        if done:
            connections.expire(self.model, self._settings.key_name, swaps)
        return done

    def rewrite(self, swaps: Swaps, rows: Sequence[HistoryRow]) -> bool:
        settings, history = self._settings, self._history
        verification = Verification(self._connections, settings, history)

        def write(at: C) -> None:
            all_counted = not swaps or settings.write(at, swaps)
            all_rewritten = history.rewrite(at, rows)
            verification.check_settings(at, swaps, all_counted=all_counted)
            verification.check_rewritten(at, rows, all_counted=all_rewritten)

        return self._change(write)

    def settle(self, settlement: Settlement) -> bool:
        history = self._history

        def write(at: C) -> None:
            if not history.settle(at, settlement):
                raise RowChanged

        return self._change(write)

    def _change(self, write: Callable[[C], None]) -> bool:
        """Run a function in a transaction; False: it raised RowChanged, so nothing is written."""
        try:
            self._connections.change(write)
        except RowChanged:
            return False
        return True

    def note_history(self, rows: Sequence[HistoryRow]) -> None:
        history = self._history
        verification = Verification(self._connections, self._settings, history)

        def write(at: C) -> None:
            all_added = history.add(at, rows)
            verification.check_added(at, rows, all_counted=all_added)

        self._connections.change(write)

    def location(self) -> object:
        return self._connections.location()

    def notifications(self) -> Notifications:
        return self._connections.notifications()

    def in_memory(self) -> bool:
        return self._connections.in_memory()

    def after_fork(self) -> None:
        self._connections.after_fork()
        if self.workers is not None:  # they may be in another database
            self._connections_of_workers.after_fork()

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        history = self._history
        return self._connections.ask(lambda at: history.read(at, query), fresh=query.fresh)

    def read_latest(self, keys: Sequence[str]) -> list[HistoryRow]:
        history = self._history
        some = [*chunks(keys, LOOKUPS)]
        return self._connections.ask(
            lambda at: [row for keys in some for row in history.latest(at, keys)], fresh=True
        )

    def read_actors(self, keys: Sequence[str] | None, limit: int) -> list[str]:
        history = self._history
        return self._connections.ask(lambda at: history.actors(at, keys, limit))

    def prune_history(self, until: datetime, limit: int) -> int:
        history = self._history
        return self._connections.change(
            lambda at: history.prune(at, until, limit), wait=locks.WAIT_BESIDE_CALLER
        )

    @property
    def keeps_ends(self) -> bool:  # type: ignore[override]
        # A class of the app's own may write with the documented methods.
        writes_itself = type(self).swap is not WaffleStore.swap
        return writes_itself and has_ends(self.history)

    def read_ends(self, *, promptly: bool = False) -> list[HistoryRow]:
        history, connections = self._history, self._connections
        if promptly:
            return connections.ask_promptly(history.open_ends)
        return connections.ask(history.open_ends, fresh=True)

    def clock(self) -> float:
        return self._connections.ask(self._connections.clock, fresh=True)

    def report_worker(self, row: WorkerRow, forget: datetime) -> None:
        workers, connections = self._workers, self._connections_of_workers

        def write(at: C) -> None:
            if not workers.update(at, row):
                workers.forget(at, forget)
                workers.insert(at, row)

        try:
            connections.write_at_once(write)
        except connections.error_types as error:
            connections.renew(error)
            errors.fail(error)

    def read_workers(self, since: datetime) -> list[WorkerRow]:
        workers = self._workers
        connections = self._connections_of_workers
        return connections.ask(lambda at: workers.read(at, since), fresh=True)
