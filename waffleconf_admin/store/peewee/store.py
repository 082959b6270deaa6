"""PeeweeWaffleStore: settings in a table of peewee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property

import peewee

from ...exceptions import StoreError
from ..history_rows import HistoryRow
from ..instances import Model, text_of
from ..sql import SQLStore
from . import models
from .connections import PeeweeConnections, check_database
from .history import PeeweeHistory
from .rows import PeeweeRows
from .workers import PeeweeWorkers


class PeeweeWaffleStore(SQLStore[peewee.Database]):
    """Stores settings with peewee.

    :param db: may be left out; the database is the model's own, a DatabaseProxy too.
    :param model: the model class of the settings.
    :param history: the model class of the history; None: no history.
    :param workers: the model class of the workers; None: processes report nothing.
    """

    model_noun = "model of peewee"

    @staticmethod
    def make_models(db: object, *, workers: bool = False) -> tuple[type[Model], ...]:
        """Return a new model of the settings and one of their history, for the two arguments.

        :param db: a database of peewee, a DatabaseProxy, a FlaskDB, or a base class of models.
        :param workers: whether to return one of the workers too, for the third argument.
        :raises TypeError: it is none of these.
        """
        base = models.base_class(db)
        made = models.make_models(base)
        return (*made, models.make_worker_model(base)) if workers else made

    def check_arguments(self) -> None:
        super().check_arguments()
        for model in filter(None, (self.model, self.history, self.workers)):
            try:
                check_database(model)
            except StoreError as error:
                raise TypeError(f"{type(self).__name__}: {error}") from error

    def _is_model(self, model: object) -> bool:
        return isinstance(model, type) and issubclass(model, peewee.Model)

    @contextmanager
    def join_transactions(self) -> Iterator[None]:
        """Save inside the caller's ``atomic()`` in this block, for tests that roll it back.

        Elsewhere a save has a connection of its own, and stays whatever becomes of the caller's.
        """
        connections = self._connections
        before, connections.joins_caller = connections.joins_caller, True
        try:
            yield
        finally:
            connections.joins_caller = before

    # The documented methods, on the caller's connection

    def commit(self) -> None:
        """Do nothing: peewee commits each statement, or at the end of the caller's ``atomic()``."""

    def delete(self, key: str) -> object:
        instance = self.get(key)
        if instance is not None:
            instance.delete_instance()
        return instance

    def get(self, key: str) -> Model:
        found = self.model.select().where(self.model.key == key)
        # The collation may find a key that differs in case.
        return min((each for each in found if each.key == key), key=text_of, default=None)

    def put(self, key: str, value: str) -> Model:
        instance = self.get(key)
        if instance is None:
            return self.model.create(key=key, value=value)
        instance.value = value
        instance.save()
        return instance

    def add_history(self, rows: Sequence[HistoryRow]) -> None:
        self._history.add(self._connections.database, rows)

    # What peewee does

    @cached_property
    def _connections(self) -> PeeweeConnections:
        return PeeweeConnections(self.model)

    @cached_property
    def _settings(self) -> PeeweeRows:
        return PeeweeRows(self.model)

    @cached_property
    def _history(self) -> PeeweeHistory:
        return PeeweeHistory(self.history)

    @cached_property
    def _workers(self) -> PeeweeWorkers:
        return PeeweeWorkers(self.workers)

    @cached_property
    def _connections_of_workers(self) -> PeeweeConnections:
        return PeeweeConnections(self.workers)
