"""Mixins for the models that the app declares."""

from __future__ import annotations


class WaffleMixin:
    """Mixin of the model of the settings: columns ``key`` (unique) and ``value`` (large text).

    An instance is looked up by its column ``key``. Override ``get_key`` or ``get_value`` when what
    is stored isn't the text itself, an encrypted value for example; writing then assigns to the
    attribute ``value``.
    """

    def get_key(self) -> object:
        """Return the name of the setting; NotImplementedError when the model has no ``key``."""
        return _attribute(self, "key")

    def get_value(self) -> object:
        """Return the stored text; NotImplementedError when the model has no ``value``."""
        return _attribute(self, "value")


class WaffleChangeMixin:
    """Mixin of the model of the history: one row for each change of a setting.

    Columns: ``id`` (an autoincrement), ``change_set`` (32 characters), ``key``, ``old``
    and ``new`` (large text, null), ``actor``, ``at`` (date and time, in UTC), ``note`` and
    ``source``. For saves with an end also ``ends_at`` and ``ended_at`` (of the type of ``at``,
    null), ``outcome`` (32 characters, null) and ``remark`` (text, null). Override ``get_old`` and
    ``get_new`` when what is stored isn't the text itself, an encrypted value for example; writing
    then assigns to the attributes ``old`` and ``new``.
    """

    def get_old(self) -> object:
        """Return the stored text before the change; None when there was no row."""
        return _attribute(self, "old")

    def get_new(self) -> object:
        """Return the stored text after the change; None when there was no row."""
        return _attribute(self, "new")


class WaffleWorkerMixin:
    """Mixin of the model of the workers: one row for each process that follows.

    Columns: ``name`` (32 characters, unique), ``host``, ``pid``, ``started_at`` and ``seen_at``
    (dates and times, in UTC), ``keys_digest`` and ``texts_digest`` (32 characters) and
    ``restart_digests`` (text; 8 characters for each setting that needs a restart).
    """


def _attribute(instance: object, name: str) -> object:
    try:
        return getattr(instance, name)
    except AttributeError as error:
        raise NotImplementedError(
            f"{type(instance).__name__} has no attribute {name!r}: "
            f"add the column or override get_{name}()"
        ) from error
