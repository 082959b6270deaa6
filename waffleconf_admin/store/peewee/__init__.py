"""The store for peewee."""

from .store import PeeweeWaffleStore

__all__ = ["PeeweeWaffleStore"]
