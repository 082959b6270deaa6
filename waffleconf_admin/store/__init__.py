"""Stores: settings in a database, with SQLAlchemy, with peewee, or with a class of your own."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from .contract import FormerRows, WaffleStore
from .history_rows import HistoryQuery, HistoryRow, Settlement
from .swaps import Swap
from .workers import WorkerRow

if TYPE_CHECKING:
    from .alchemy.store import AlchemyWaffleStore
    from .peewee.store import PeeweeWaffleStore

__all__ = [
    "AlchemyWaffleStore",
    "FormerRows",
    "HistoryQuery",
    "HistoryRow",
    "PeeweeWaffleStore",
    "Settlement",
    "Swap",
    "WaffleStore",
    "WorkerRow",
]

# Class name: module of this package, and the extra that installs what it imports.
_LAZY = {"AlchemyWaffleStore": ("alchemy", "sqlalchemy"), "PeeweeWaffleStore": ("peewee", "peewee")}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, extra = _LAZY[name]
    try:
        return getattr(import_module(f"{__name__}.{module}"), name)
    except ImportError as error:
        raise ImportError(
            f'{name} needs {error.name}: pip install "waffleconf-admin[{extra}]"', name=error.name
        ) from error
