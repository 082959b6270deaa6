"""Models for apps that don't want to write them."""

from __future__ import annotations

import peewee

from ...models import WaffleChangeMixin, WaffleMixin, WaffleWorkerMixin
from ..instances import Model


class AnyScript(peewee.Field):
    """A column whose texts may be in every script, whatever the default of the database is."""

    def ddl_datatype(self, ctx: peewee.Context) -> peewee.SQL:
        datatype = super().ddl_datatype(ctx)
        auto = (ctx.state.field_types or {}).get("AUTO", "")
        return self.on_mysql(datatype.sql) if "AUTO_INCREMENT" in auto else datatype

    def on_mysql(self, datatype: str) -> peewee.SQL:
        return peewee.SQL(f"{datatype} CHARACTER SET utf8mb4")


class Line(AnyScript, peewee.CharField):
    """A line of text."""


class Text(AnyScript, peewee.TextField):
    """A text of up to 64 kB."""


class LargeText(AnyScript, peewee.TextField):
    """Text of any length: MariaDB's TEXT ends at 64 kB."""

    def on_mysql(self, datatype: str) -> peewee.SQL:
        return super().on_mysql("LONGTEXT")


def base_class(db: object) -> object:
    """Return a base class for models.

    :param db: what `PeeweeWaffleStore.make_models` takes.
    :raises TypeError: it can't have one.
    """
    if not isinstance(db, (type, peewee.Database, peewee.Proxy)):
        db = getattr(db, "Model", None)  # a FlaskDB's
    if isinstance(db, type) and issubclass(db, peewee.Model):
        return db
    if not isinstance(db, (peewee.Database, peewee.Proxy)):
        raise TypeError(
            "make_models(db): db is a peewee database, a DatabaseProxy, a FlaskDB, or a base class "
            "of models, such as flask_db.Model"
        )

    class Base(peewee.Model):
        class Meta:
            database = db

    return Base


def make_models(base: Model) -> tuple[type[Model], type[Model]]:
    """Return new models below a base class."""

    class Conf(WaffleMixin, base):
        class Meta:
            table_name = "confs"

        key = Line(unique=True)
        value = LargeText()

    class ConfChange(WaffleChangeMixin, base):
        class Meta:
            table_name = "conf_changes"
            indexes = [
                *(
                    ((column, order), False)
                    for column in ("key", "actor", "source")
                    for order in ("id", "at")
                ),
                (("ended_at", "ends_at"), False),
            ]

        change_set = Line(32, index=True)
        key = Line()
        old = LargeText(null=True)
        new = LargeText(null=True)
        actor = Line()
        at = peewee.DateTimeField(index=True)
        note = Text()
        source = Line(32)
        ends_at = peewee.DateTimeField(null=True)
        ended_at = peewee.DateTimeField(null=True)
        outcome = Line(32, null=True)
        remark = Text(null=True)

    return Conf, ConfChange


def make_worker_model(base: Model) -> type[Model]:
    """Return a new model of the workers below a base class."""

    class ConfWorker(WaffleWorkerMixin, base):
        class Meta:
            table_name = "conf_workers"

        name = Line(32, unique=True)
        host = Line()
        pid = peewee.IntegerField()
        started_at = peewee.DateTimeField()
        seen_at = peewee.DateTimeField()
        keys_digest = Line(32)
        texts_digest = Line(32)
        restart_digests = Text()

    return ConfWorker
