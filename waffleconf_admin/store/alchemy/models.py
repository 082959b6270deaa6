"""Models for apps that don't want to write them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from ...models import WaffleChangeMixin, WaffleMixin, WaffleWorkerMixin
from ..instances import Model


def base_class(db: object) -> object:
    """Return the declarative base class for new models.

    :param db: what `AlchemyWaffleStore.make_models` takes.
    :raises TypeError: it has none.
    """
    base = db if isinstance(db, type) else getattr(db, "Model", None)
    if not isinstance(getattr(base, "metadata", None), sa.MetaData) or hasattr(base, "__mapper__"):
        raise TypeError(
            "make_models(db): db is Flask-SQLAlchemy's db, or a declarative base class of models, "
            "such as db.Model"
        )
    return base


def make_models(base: Model) -> tuple[type[Model], type[Model]]:
    """Return new models below a declarative base class."""
    # On MariaDB, TEXT ends at 64 kB.
    text = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")

    class Conf(WaffleMixin, base):
        __tablename__ = "confs"

        id = sa.Column(sa.Integer, primary_key=True)
        key = sa.Column(sa.String(255), unique=True, nullable=False)
        value = sa.Column(text, nullable=False)

    class ConfChange(WaffleChangeMixin, base):
        __tablename__ = "conf_changes"

        id = sa.Column(sa.Integer, primary_key=True)
        change_set = sa.Column(sa.String(32), nullable=False, index=True)
        key = sa.Column(sa.String(255), nullable=False)
        old = sa.Column(text)
        new = sa.Column(text)
        actor = sa.Column(sa.String(255), nullable=False)
        at = sa.Column(sa.DateTime, nullable=False, index=True)
        note = sa.Column(sa.Text, nullable=False)
        source = sa.Column(sa.String(32), nullable=False)
        ends_at = sa.Column(sa.DateTime)
        ended_at = sa.Column(sa.DateTime)
        outcome = sa.Column(sa.String(32))
        remark = sa.Column(sa.Text)
        __table_args__ = (
            sa.Index("ix_conf_changes_key_id", "key", "id"),
            sa.Index("ix_conf_changes_actor_id", "actor", "id"),
            sa.Index("ix_conf_changes_source_id", "source", "id"),
            sa.Index("ix_conf_changes_key_at", "key", "at"),
            sa.Index("ix_conf_changes_actor_at", "actor", "at"),
            sa.Index("ix_conf_changes_source_at", "source", "at"),
            sa.Index("ix_conf_changes_ended_at_ends_at", "ended_at", "ends_at"),
            # SQLite would give the ids of deleted rows again.
            {"sqlite_autoincrement": True},
        )

    _take_every_script(Conf, ConfChange)
    return Conf, ConfChange


def make_worker_model(base: Model) -> type[Model]:
    """Return a new model of the workers below a declarative base class."""

    class ConfWorker(WaffleWorkerMixin, base):
        __tablename__ = "conf_workers"

        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.String(32), unique=True, nullable=False)
        host = sa.Column(sa.String(255), nullable=False)
        pid = sa.Column(sa.Integer, nullable=False)
        started_at = sa.Column(sa.DateTime, nullable=False)
        seen_at = sa.Column(sa.DateTime, nullable=False)
        keys_digest = sa.Column(sa.String(32), nullable=False)
        texts_digest = sa.Column(sa.String(32), nullable=False)
        restart_digests = sa.Column(sa.Text, nullable=False)

    _take_every_script(ConfWorker)
    return ConfWorker


def _take_every_script(*models: Model) -> None:
    """Whatever the database has: people write notes and have names in every script."""
    for model in models:
        for option in ("mysql_charset", "mariadb_charset"):
            model.__table__.dialect_kwargs.setdefault(option, "utf8mb4")
