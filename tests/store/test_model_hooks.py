"""Hooks of models: a save runs them, whether they are listeners or overridden methods."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from playhouse import signals
from sqlalchemy import event, orm

from waffleconf_admin.exceptions import StoreError
from waffleconf_admin.models import WaffleChangeMixin, WaffleMixin
from waffleconf_admin.store import (
    AlchemyWaffleStore,
    HistoryQuery,
    HistoryRow,
    PeeweeWaffleStore,
    WaffleStore,
)

ROW = HistoryRow("set", "A", None, "a", "ana", datetime.now(UTC), "", "code")

# SQLAlchemy


def alchemy_models(**members: Any) -> tuple[Any, Any]:
    """A model of settings and one of their history, each with a column that a save must fill."""

    class Base(orm.DeclarativeBase):
        pass

    class Conf(WaffleMixin, Base):
        __tablename__ = "confs"
        id = sa.Column(sa.Integer, primary_key=True)
        key = sa.Column(sa.String(255), unique=True)
        value = sa.Column(sa.Text)
        author = sa.Column(sa.String(20), nullable=False)
        locals().update(members)

    class Change(WaffleChangeMixin, Base):
        __tablename__ = "changes"
        id = sa.Column(sa.Integer, primary_key=True)
        change_set = sa.Column(sa.String(32))
        key = sa.Column(sa.String(255))
        old = sa.Column(sa.Text)
        new = sa.Column(sa.Text)
        actor = sa.Column(sa.String(255))
        at = sa.Column(sa.DateTime)
        note = sa.Column(sa.Text)
        source = sa.Column(sa.String(32))
        author = sa.Column(sa.String(20), nullable=False)

    return Conf, Change


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")
    yield engine
    engine.dispose()


def alchemy_store(engine: sa.Engine, Conf: Any, Change: Any) -> WaffleStore:
    Conf.metadata.create_all(engine)
    return AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), Conf, Change)


def sign(_mapper: Any, _connection: Any, record: Any) -> None:
    record.author = "listener"


def saves(store: WaffleStore) -> None:
    """Insert, update, a refused update, and delete."""
    assert store.swap({"A": (None, "a")}, [ROW])
    assert store.swap({"A": ("a", "b"), "B": (None, "b")})
    assert not store.swap({"A": ("a", "c")})
    assert store.swap({"A": ("b", None)})
    assert store.read() == [("B", "b")]
    assert [row.new for row in store.read_history(HistoryQuery())] == ["a"]


def test_a_listener_fills_columns_of_settings_and_history(engine: sa.Engine) -> None:
    Conf, Change = alchemy_models()
    event.listen(Conf, "before_insert", sign)
    event.listen(Change, "before_insert", sign)
    saves(alchemy_store(engine, Conf, Change))
    with engine.connect() as connection:
        for table in ("confs", "changes"):
            authors = connection.exec_driver_sql(f"SELECT author FROM {table}").scalars().all()
            assert authors == ["listener"]


def inherited(Conf: Any) -> None:
    event.listen(Conf.__bases__[1], "before_insert", sign, propagate=True)


def on_attribute(Conf: Any) -> None:
    event.listen(Conf.key, "set", lambda record, *_: setattr(record, "author", "listener"))


def on_init(Conf: Any) -> None:
    event.listen(Conf, "init", lambda record, *_: setattr(record, "author", "listener"))


@pytest.mark.parametrize("hook", [inherited, on_attribute, on_init])
def test_other_listeners_are_called(engine: sa.Engine, hook: Callable[[Any], None]) -> None:
    Conf, _ = alchemy_models()
    hook(Conf)
    assert alchemy_store(engine, Conf, None).swap({"A": (None, "a")})


def test_a_listener_of_all_mappers_is_called(engine: sa.Engine) -> None:
    event.listen(orm.Mapper, "before_insert", sign)
    try:
        assert alchemy_store(engine, *alchemy_models()).swap({"A": (None, "a")}, [ROW])
    finally:
        event.remove(orm.Mapper, "before_insert", sign)


def test_a_validator_is_called(engine: sa.Engine) -> None:
    @orm.validates("key")
    def validate(self: Any, _name: str, key: str) -> str:
        self.author = "validator"
        return key

    Conf, _ = alchemy_models(validate=validate)
    assert alchemy_store(engine, Conf, None).swap({"A": (None, "a")})


def test_each_event_is_sent_once(engine: sa.Engine) -> None:
    Conf, Change = alchemy_models(author=sa.Column(sa.String(20)))
    seen: list[tuple[str, str]] = []
    for name in ("after_insert", "after_update", "after_delete"):
        event.listen(Conf, name, lambda _m, _c, record, name=name: seen.append((name, record.key)))
    event.listen(Change, "before_insert", sign)
    saves(alchemy_store(engine, Conf, Change))
    expected = [("insert", "A"), ("insert", "B"), ("update", "A"), ("delete", "A")]
    assert [key for name, key in seen if name == "after_insert"] == ["A", "B"]
    assert sorted(seen) == sorted((f"after_{name}", key) for name, key in expected)


def test_a_listener_that_is_added_later_is_called_from_then_on(engine: sa.Engine) -> None:
    Conf, Change = alchemy_models()
    store = alchemy_store(engine, Conf, Change)
    with pytest.raises(StoreError, match="author"):
        store.swap({"A": (None, "a")})
    event.listen(Conf, "before_insert", sign)
    assert store.swap({"A": (None, "a")})


def test_listeners_may_encrypt_and_decrypt(engine: sa.Engine) -> None:
    Conf, _ = alchemy_models(author=sa.Column(sa.String(20)))

    def encrypt(_mapper: Any, _connection: Any, record: Any) -> None:
        record.value = record.value[::-1]

    def decrypt(record: Any, *_: Any) -> None:
        orm.attributes.set_committed_value(record, "value", record.value[::-1])

    for name in ("before_insert", "before_update"):
        event.listen(Conf, name, encrypt)
    event.listen(Conf, "load", decrypt)
    store = alchemy_store(engine, Conf, None)
    assert store.swap({"A": (None, "abc")}) and store.swap({"A": ("abc", "xyz")})
    assert store.read() == store.read_fresh(["A"]) == [("A", "xyz")]
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT value FROM confs").scalar() == "zyx"


def test_the_version_of_an_instance_is_incremented(engine: sa.Engine) -> None:
    version = sa.Column(sa.Integer, nullable=False)
    author = sa.Column(sa.String(20))
    members = {"version": version, "author": author, "__mapper_args__": {"version_id_col": version}}
    store = alchemy_store(engine, alchemy_models(**members)[0], None)
    assert store.swap({"A": (None, "a")}) and store.swap({"A": ("a", "b")})
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT version FROM confs").scalar() == 2


def test_the_class_of_an_instance_is_stored(engine: sa.Engine) -> None:
    species = sa.Column(sa.String(20), nullable=False)
    mapped = {"polymorphic_on": species, "polymorphic_identity": "conf"}
    members = {"species": species, "author": sa.Column(sa.String(20)), "__mapper_args__": mapped}
    assert alchemy_store(engine, alchemy_models(**members)[0], None).swap({"A": (None, "a")})


# peewee


def peewee_models(base: Any, path: Path) -> tuple[Any, Any]:
    database = peewee.SqliteDatabase(path / "test.db")

    class Conf(WaffleMixin, base):  # type: ignore[misc]
        class Meta:
            table_name = "confs"

        key = peewee.CharField(unique=True)
        value = peewee.TextField()
        author = peewee.CharField()

    class Change(WaffleChangeMixin, base):  # type: ignore[misc]
        class Meta:
            table_name = "changes"

        change_set = peewee.CharField()
        key = peewee.CharField()
        old = peewee.TextField(null=True)
        new = peewee.TextField(null=True)
        actor = peewee.CharField()
        at = peewee.DateTimeField()
        note = peewee.TextField()
        source = peewee.CharField()
        author = peewee.CharField()

    database.bind([Conf, Change])
    with database.connection_context():
        database.create_tables([Conf, Change])
    return Conf, Change


class Saving(peewee.Model):  # type: ignore[misc]
    def save(self, *args: Any, **options: Any) -> Any:
        self.author = "save"
        return super().save(*args, **options)


class Creating(peewee.Model):  # type: ignore[misc]
    @classmethod
    def create(cls, **query: Any) -> Any:
        return super().create(**query, author="create")


class Beginning(peewee.Model):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.author = "init"


class Signalling(signals.Model):  # type: ignore[misc]
    pass


@signals.pre_save(sender=Signalling)
def signed(_sender: Any, record: Any, created: bool) -> None:
    record.author = "signal"


@pytest.mark.parametrize("base", [Saving, Creating, Beginning, Signalling])
def test_an_overridden_way_to_save_is_used(tmp_path: Path, base: Any) -> None:
    saves(PeeweeWaffleStore(None, *peewee_models(base, tmp_path)))


def test_a_model_may_encrypt_and_decrypt(tmp_path: Path) -> None:
    class Encrypted(Saving):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            if options.get("__no_default__"):  # loaded
                self.value = self.value[::-1]

        def save(self, *args: Any, **options: Any) -> Any:
            self.value = self.value[::-1]
            return super().save(*args, **options)

    Conf, _ = peewee_models(Encrypted, tmp_path)
    store = PeeweeWaffleStore(model=Conf)
    assert store.swap({"A": (None, "abc")}) and store.swap({"A": ("abc", "xyz")})
    assert store.read() == [("A", "xyz")]
    database = Conf._meta.database
    with database.connection_context():
        assert database.execute_sql("SELECT value FROM confs").fetchall() == [("zyx",)]


def test_an_overridden_way_to_delete_is_used(tmp_path: Path) -> None:
    deleted = []

    class Deleting(Saving):
        def delete_instance(self, *args: Any, **options: Any) -> Any:
            deleted.append(self.key)
            return super().delete_instance(*args, **options)

    saves(PeeweeWaffleStore(None, *peewee_models(Deleting, tmp_path)))
    assert deleted == ["A"]


# A hook that raises


def refuse(*_: Any, **__: Any) -> None:
    raise ValueError("never on a Friday")


def test_nothing_is_saved_if_a_hook_raises(engine: sa.Engine, tmp_path: Path, orm: str) -> None:
    if orm == "sqlalchemy":
        Conf, Change = alchemy_models(author=sa.Column(sa.String(20)))
        event.listen(Change, "before_insert", refuse)
        store = alchemy_store(engine, Conf, Change)
    else:
        Conf, Change = peewee_models(Saving, tmp_path)
        Change.save = refuse
        store = PeeweeWaffleStore(None, Conf, Change)
    with pytest.raises(StoreError, match="never on a Friday"):
        store.swap({"A": (None, "a")}, [ROW])
    assert store.read() == []
