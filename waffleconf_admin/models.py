"""Mixins for the models that the app declares."""

from __future__ import annotations

from typing import Any


class WaffleMixin:
    """Makes a model the home of settings: columns ``key`` (unique) and ``value`` (large text).

    A record is looked up by its column ``key``. Override ``get_key`` or ``get_value`` when what is
    stored isn't the text itself, an encrypted value for example; writing then assigns to the
    attribute ``value``.
    """

    def get_key(self) -> Any:
        """Return the name of the setting; NotImplementedError when the model has no ``key``."""
        return _attribute(self, "key")

    def get_value(self) -> Any:
        """Return the stored text; NotImplementedError when the model has no ``value``."""
        return _attribute(self, "value")


def _attribute(record: object, name: str) -> Any:
    try:
        return getattr(record, name)
    except AttributeError as error:
        raise NotImplementedError(
            f"{type(record).__name__} has no attribute {name!r}: "
            f"add the column or override get_{name}()"
        ) from error
