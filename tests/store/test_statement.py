"""Statement: the driver gets it as a text, unless an execution needs more than that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.engine import make_url

from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store import AlchemyWaffleStore, Swap


class Prefixed(sa.types.TypeDecorator[str]):
    """Stores each key below a name."""

    impl = sa.String(255)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and f"shop.{value}"

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return value and value.removeprefix("shop.")


def model(key_type: Any, **columns: sa.Column[Any]) -> Any:
    base: Any = orm.declarative_base()
    key = sa.Column(key_type, unique=True)
    own = {"__tablename__": "confs", "id": sa.Column(sa.Integer, primary_key=True), "key": key}
    return type("Conf", (WaffleMixin, base), {**own, "value": sa.Column(sa.Text), **columns})


def plain() -> Any:
    return model(sa.String(255))


def prefixed() -> Any:
    return model(Prefixed)


def dated() -> Any:
    return model(sa.String(255), writes=sa.Column(sa.Integer, default=lambda: 1, onupdate=7))


def listened_to(engine: sa.Engine) -> sa.Engine:
    sa.event.listen(engine, "before_execute", lambda *_args: None)
    return engine


def translated(engine: sa.Engine) -> sa.Engine:
    return engine.execution_options(schema_translate_map={None: "main"})


def named(engine: sa.Engine) -> sa.Engine:
    return sa.create_engine(engine.url, paramstyle="named")


class Case:
    """A store on a file, and what was executed on it."""

    def __init__(self, engine: sa.Engine, mapped: Any) -> None:
        self.engine, self.mapped = engine, mapped
        self.constructs: list[bool] = []
        mapped.metadata.create_all(engine)
        self.store = AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), mapped)
        sa.event.listen(engine, "before_cursor_execute", self._note)

    def _note(self, *given: Any) -> None:
        _connection, _cursor, sql, _parameters, context, _many = given
        if sql.startswith(("INSERT", "UPDATE")):
            self.constructs.append(context.compiled is not None)

    def rows(self) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return sorted(map(tuple, connection.exec_driver_sql("SELECT * FROM confs")))


@pytest.fixture
def open_case(tmp_path: Path) -> Iterator[Callable[..., Case]]:
    engines: list[sa.Engine] = []

    def open_(make_model: Callable[[], Any], adapt: Callable[[sa.Engine], sa.Engine]) -> Case:
        engines.append(sa.create_engine(f"sqlite:///{tmp_path / 'db'}"))
        engines.append(adapt(engines[0]))
        return Case(engines[1], make_model())

    yield open_
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    ("make_model", "adapt", "by_sqlalchemy"),
    [
        (plain, lambda engine: engine, False),
        (plain, named, False),
        (plain, listened_to, True),
        (plain, translated, True),
        (prefixed, lambda engine: engine, True),
        (dated, lambda engine: engine, True),
    ],
    ids=["text", "names", "listener", "schema", "type", "defaults"],
)
def test_rows_are_written_alike_by_the_driver_and_by_sqlalchemy(
    open_case: Callable[..., Case],
    make_model: Callable[[], Any],
    adapt: Callable[[sa.Engine], sa.Engine],
    by_sqlalchemy: bool,
) -> None:
    case = open_case(make_model, adapt)
    swap = case.store.swap
    assert swap({"A": Swap(None, "1"), "B": Swap(None, "2"), "C": Swap(None, "3")})
    assert swap({"A": Swap("1", "one"), "B": Swap("2", None), "C": Swap("3", "three")})
    assert not swap({"A": Swap("one", "1"), "C": Swap("3", "4")})
    assert dict(case.store.read()) == {"A": "one", "C": "three"}
    prefix = "shop." if make_model is prefixed else ""
    more = (7,) if make_model is dated else ()
    assert case.rows() == [(1, f"{prefix}A", "one", *more), (3, f"{prefix}C", "three", *more)]
    assert set(case.constructs) == {by_sqlalchemy}
    assert swap({"A": Swap("one", "1")})
    assert dict(case.store.read(["A"])) == {"A": "1"}


def test_a_listener_that_is_added_later_is_called_from_then_on(
    open_case: Callable[..., Case],
) -> None:
    case = open_case(plain, lambda engine: engine)
    called: list[bool] = []
    assert case.store.swap({"A": Swap(None, "1")})
    sa.event.listen(case.engine, "before_execute", lambda *_args: called.append(True))
    assert case.store.swap({"A": Swap("1", "2")})
    assert called


def test_a_driver_that_counts_its_last_batch_only_saves_many_rows(
    server_url: Callable[[str], str],
) -> None:
    url = make_url(server_url("postgres")).set(drivername="postgresql+psycopg2")
    batches = {"executemany_mode": "values_plus_batch", "executemany_batch_page_size": 2}
    engine, mapped, keys = sa.create_engine(url, **batches), plain(), "ABCDE"
    mapped.metadata.create_all(engine)
    store = AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), mapped)
    assert store.swap({key: Swap(None, "1") for key in keys})
    assert store.swap({key: Swap("1", "2") for key in keys})
    assert not store.swap({key: Swap("1" if key == "A" else "2", "3") for key in keys})
    assert dict(store.read()) == dict.fromkeys(keys, "2")
    assert store.swap({key: Swap("2", None) for key in keys})
    mapped.metadata.drop_all(engine)
    engine.dispose()
