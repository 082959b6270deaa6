"""AlchemyWaffleStore: settings in a table of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from inspect import iscoroutinefunction
from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import orm

from ...exceptions import NotReadyError
from ..contract import FormerRows
from ..history_rows import HistoryRow
from ..instances import Model, text_of
from ..rows import T
from ..sql import SQLStore
from . import models
from .connections import AlchemyConnections, sessions_of
from .history import AlchemyHistory
from .rows import AlchemyRows, new_instance
from .workers import AlchemyWorkers


class AlchemyWaffleStore(SQLStore[sa.Connection]):
    """Stores settings with SQLAlchemy.

    :param db: Flask-SQLAlchemy's ``db``, anything else with ``.session``, or a ``scoped_session``.
    :param model: the mapped class of the settings.
    :param history: the mapped class of the history; None: no history.
    :param workers: the mapped class of the workers; None: processes report nothing.
    """

    model_noun = "mapped class"

    @staticmethod
    def make_models(db: object, *, workers: bool = False) -> tuple[type[Model], ...]:
        """Return a new model of the settings and one of their history, for the two arguments.

        :param db: Flask-SQLAlchemy's ``db``, or a declarative base class.
        :param workers: whether to return one of the workers too, for the third argument.
        :raises TypeError: it is neither.
        """
        base = models.base_class(db)
        made = models.make_models(base)
        return (*made, models.make_worker_model(base)) if workers else made

    def check_arguments(self) -> None:
        super().check_arguments()
        try:
            is_session = _is_session(sessions_of(self.db))
        except RuntimeError:  # some extensions have a session inside the app's context only
            return
        if not is_session:
            name = type(self).__name__
            raise TypeError(
                f"{name}: db= has no session that is used without await: give Flask-SQLAlchemy's "
                f"db, or scoped_session(sessionmaker(engine)): {name}(db=db, model=Conf)."
            )

    def _is_model(self, model: object) -> bool:
        # A class may be mapped later, but none of peewee.
        return isinstance(model, type) and (_is_mapped(model) or not hasattr(model, "_meta"))

    def _lacks(self, model: object, column: str) -> bool:
        return _is_mapped(model) and super()._lacks(model, column)

    # The documented methods, on the caller's session

    def commit(self) -> None:
        sessions_of(self.db).commit()

    def delete(self, key: str) -> object:
        instance = self.get(key)
        if instance is not None:
            sessions_of(self.db).delete(instance)
        return instance

    def get(self, key: str) -> Model:
        found = sessions_of(self.db).scalars(sa.select(self.model).where(self.model.key == key))
        # The collation may find a key that differs in case.
        return min((each for each in found if each.key == key), key=text_of, default=None)

    def put(self, key: str, value: str) -> Model:
        instance = self.get(key)
        if instance is None:
            instance = new_instance(self.model, key=key, value=value)
            sessions_of(self.db).add(instance)
        else:
            instance.value = value
        return instance

    def add_history(self, rows: Sequence[HistoryRow]) -> None:
        self._history.add_to(sessions_of(self.db), rows)

    def former_rows(self, root_path: str, instance_path: str) -> FormerRows | None:
        url = self._connections.bind(write=True).engine.url
        used = Path(url.database or "")
        if url.get_backend_name() != "sqlite" or not used.is_relative_to(instance_path):
            return None
        # Flask-SQLAlchemy 3 looks relative paths up in the instance folder, 2.5 did so in the
        # folder of the app.
        former = Path(root_path) / used.relative_to(instance_path)
        if former == used or not former.is_file():
            return None
        engine = sa.create_engine(
            f"sqlite:///file:{quote(str(former))}?mode=ro&uri=true", poolclass=sa.NullPool
        )
        try:
            with engine.connect() as connection:
                texts = AlchemyRows(self.model).read(connection, None)
        except sa.exc.SQLAlchemyError:
            return None
        return FormerRows(str(former), str(used), texts)

    # What SQLAlchemy does

    @cached_property
    def _connections(self) -> AlchemyConnections:
        return AlchemyConnections(self.db, self._settings)

    @cached_property
    def _settings(self) -> AlchemyRows:
        return _of_mapped(AlchemyRows, self.model)

    @cached_property
    def _history(self) -> AlchemyHistory:
        return AlchemyHistory(self.history)

    @cached_property
    def _workers(self) -> AlchemyWorkers:
        return _of_mapped(AlchemyWorkers, self.workers)

    @cached_property
    def _connections_of_workers(self) -> AlchemyConnections:
        return AlchemyConnections(self.db, self._workers)


def _is_session(given: object) -> bool:
    """Whether something works as a session does, or leads to one, without await."""
    commit = getattr(given, "commit", None)
    return callable(commit) and not iscoroutinefunction(commit) and hasattr(given, "get_bind")


def _is_mapped(model: object) -> bool:
    return isinstance(sa.inspect(model, raiseerr=False), orm.Mapper)


def _of_mapped(make: Callable[[Model], T], model: Model) -> T:
    """Return what is made of a mapped class.

    :raises NotReadyError: it is none, or not yet.
    """
    try:
        return make(model)
    except sa.exc.InvalidRequestError as error:
        raise NotReadyError(f"{model!r} is no mapped class, or not yet.") from error
