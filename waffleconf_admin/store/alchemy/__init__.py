"""The store for SQLAlchemy."""

from .store import AlchemyWaffleStore

__all__ = ["AlchemyWaffleStore"]
