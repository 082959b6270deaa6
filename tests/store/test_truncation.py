"""MariaDB may cut texts and replace letters silently: a save refuses that. Rollbacks may fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from playhouse.db_url import connect
from sqlalchemy import orm as sqlalchemy_orm
from sqlalchemy.engine import make_url

from waffleconf_admin.exceptions import StoreError
from waffleconf_admin.store import (
    AlchemyWaffleStore,
    HistoryQuery,
    HistoryRow,
    PeeweeWaffleStore,
    WaffleStore,
)


class Place:
    """A store with a history on a MariaDB database that isn't strict, and a way to its tables."""

    def __init__(self, store: WaffleStore, sql: Callable[[str], Any]) -> None:
        self.store, self.sql = store, sql


def on_sqlalchemy(stack: ExitStack, url: str, **members: Any) -> Place:
    engine = sa.create_engine(url)
    base = sqlalchemy_orm.declarative_base()
    conf, change = AlchemyWaffleStore.make_models(base)
    if members:
        conf = type("Own", (conf,), members)
    base.metadata.create_all(engine)
    session = sqlalchemy_orm.scoped_session(sqlalchemy_orm.sessionmaker(engine))
    stack.callback(engine.dispose)
    stack.callback(session.remove)

    def sql(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    return Place(AlchemyWaffleStore(session, conf, change), sql)


def on_peewee(stack: ExitStack, url: str, **members: Any) -> Place:
    database = connect(url.replace("mysql+pymysql", "mysql"))
    conf, change = PeeweeWaffleStore.make_models(database)
    if members:
        meta = type("Meta", (), {"table_name": "confs"})
        conf = type("Own", (conf,), {"Meta": meta, **members})
    database.connect()
    database.create_tables([conf, change])
    stack.callback(database.close)
    return Place(PeeweeWaffleStore(database, conf, change), database.execute_sql)


MAKE = {"sqlalchemy": on_sqlalchemy, "peewee": on_peewee}


@pytest.fixture
def url(server_url: Callable[[str], str]) -> str:
    lax = {"init_command": "SET SESSION sql_mode = ''", "charset": "utf8mb4"}
    return make_url(server_url("mariadb")).update_query_dict(lax).render_as_string()


@pytest.fixture
def place(url: str, orm: str) -> Iterator[Place]:
    with ExitStack() as stack:
        yield MAKE[orm](stack, url)


ROW = HistoryRow(
    change_set="0123456789abcdef",
    key="SITENAME",
    old="before",
    new="after!",
    actor="ana maria",
    at=datetime.now(UTC),
    note="for the summer",
    source="page",
)


@pytest.mark.parametrize(
    ("change", "key", "text", "column"),
    [
        pytest.param("MODIFY value TEXT", "SITENAME", "x" * 70_000, "value", id="text"),
        pytest.param("MODIFY value VARCHAR(255)", "SITENAME", "x" * 256, "value", id="varchar"),
        pytest.param("MODIFY `key` VARCHAR(4)", "SITENAME", "x", "key", id="key"),
        pytest.param("CONVERT TO CHARACTER SET latin1", "SITENAME", "→", "value", id="letters"),
    ],
)
def test_a_text_that_a_column_of_the_settings_cuts_is_refused(
    place: Place, change: str, key: str, text: str, column: str
) -> None:
    place.sql(f"ALTER TABLE confs {change}")
    place.store.swap({"SIZE": (None, "1")})
    with pytest.raises(
        StoreError, match=f"column '{column}' of the table of the settings"
    ) as caught:
        place.store.swap({key: (None, text), "SIZE": ("1", "2")}, [ROW])
    assert key in str(caught.value) and "SIZE" not in str(caught.value)
    assert place.store.read() == [("SIZE", "1")]
    assert place.store.read_history(HistoryQuery()) == []


def test_texts_in_another_character_set_are_compared_byte_by_byte(place: Place) -> None:
    place.sql("ALTER TABLE confs CONVERT TO CHARACTER SET latin1")
    assert place.store.swap({"SITENAME": (None, '"Crêperie"')})
    assert not place.store.swap({"SITENAME": ('"creperie"', "x")})
    assert place.store.swap({"SITENAME": ('"Crêperie"', '"Café"')})
    assert place.store.swap({"SITENAME": ('"Café"', None)})


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf8", "Crêperie"),
        ("latin1", "Crêperie"),
        ("latin2", "Čapek"),
        ("koi8r", "Чай"),
        ("gbk", "中文"),
        ("sjis", "あさ"),
    ],
)
def test_a_connection_of_another_character_set_changes_and_resets_what_it_wrote(
    url: str, orm: str, charset: str, text: str
) -> None:
    made = make_url(url).update_query_dict({"charset": charset})
    with ExitStack() as stack:
        store = MAKE[orm](stack, made.render_as_string()).store
        row = ROW._replace(old=None, new=text, actor=text, note=text)
        assert store.swap({text: (None, text)}, [row])
        assert not store.swap({text: ("x", "y")})
        assert store.swap({text: (text, text + " ")})
        assert not store.swap({text: (text, "x")})
        assert store.swap({text: (text + " ", None)})
        assert [row.new for row in store.read_history(HistoryQuery(actor=text))] == [text]


def test_the_old_value_stays(place: Place) -> None:
    place.sql("ALTER TABLE confs MODIFY value VARCHAR(255)")
    place.store.swap({"SITENAME": (None, "good")})
    with pytest.raises(StoreError, match="LONGTEXT"):
        place.store.swap({"SITENAME": ("good", "x" * 256)})
    assert place.store.swap({"SITENAME": ("good", "x" * 255)})
    assert place.store.swap({"SITENAME": ("x" * 255, None)})


@pytest.mark.parametrize("column", ["change_set", "key", "old", "new", "actor", "note", "source"])
def test_a_text_that_a_column_of_the_history_cuts_is_refused(place: Place, column: str) -> None:
    place.sql(f"ALTER TABLE conf_changes MODIFY `{column}` VARCHAR(3)")
    with pytest.raises(
        StoreError, match=f"column '{column}' of the table of the history"
    ) as caught:
        place.store.swap({"SITENAME": (None, "x")}, [ROW])
    assert "SITENAME" in str(caught.value)
    assert place.store.read() == []
    assert place.store.read_history(HistoryQuery()) == []


@pytest.mark.parametrize("column", ["note", "actor"])
def test_a_trigger_may_fill_in_what_undo_does_not_need(place: Place, column: str) -> None:
    place.sql(
        f"CREATE TRIGGER fills BEFORE INSERT ON conf_changes FOR EACH ROW SET NEW.{column} = 'else'"
    )
    assert place.store.swap({"SITENAME": (None, "x")}, [ROW])
    assert [getattr(row, column) for row in place.store.read_history(HistoryQuery())] == ["else"]


def test_letters_that_the_history_would_replace_are_refused(place: Place) -> None:
    place.sql("ALTER TABLE conf_changes CONVERT TO CHARACTER SET latin1")
    with pytest.raises(StoreError, match="CONVERT TO CHARACTER SET utf8mb4"):
        place.store.swap({"SITENAME": (None, "x")}, [ROW._replace(note="😀")])


def test_several_changes_of_a_save_are_compared_one_by_one(place: Place) -> None:
    place.sql("ALTER TABLE conf_changes MODIFY new VARCHAR(6)")
    rows = [ROW, ROW._replace(key="SIZE", new=None), ROW._replace(key="TEXT", old=None)]
    assert place.store.swap({"SITENAME": (None, "x")}, rows)
    long = ROW._replace(change_set="later", key="TEXT", new="too long")
    with pytest.raises(StoreError, match=r"'new' .* TEXT\.") as caught:
        place.store.swap({"SITENAME": ("x", "y")}, [rows[0]._replace(change_set="later"), long])
    assert "SITENAME" not in str(caught.value)


def test_a_key_with_letters_that_its_column_lacks_is_refused(place: Place) -> None:
    place.sql("ALTER TABLE confs CONVERT TO CHARACTER SET latin1")
    with pytest.raises(StoreError, match="CONVERT TO CHARACTER SET utf8mb4"):
        place.store.swap({"ŠÍŘKA": (None, "x")})
    assert place.store.read() == []


def test_instances_of_a_model_with_get_value_are_compared(url: str, orm: str) -> None:
    with ExitStack() as stack:
        place = MAKE[orm](stack, url, get_value=lambda self: self.value.upper())
        place.sql("CREATE TRIGGER low BEFORE INSERT ON confs FOR EACH ROW SET NEW.value = 'short'")
        assert place.store.swap({"A": (None, "SHORT")})
        with pytest.raises(StoreError, match="'value'"):
            place.store.swap({"B": (None, "LONG")})
        assert place.store.read() == [("A", "SHORT")]


# Engines


@pytest.mark.parametrize(
    ("engine", "warnings"), [("InnoDB", 0), ("MyISAM", 1), ("Aria", 1), ("MEMORY", 1)]
)
def test_a_table_that_no_rollback_reaches_is_reported_once(
    place: Place, engine: str, warnings: int, caplog: pytest.LogCaptureFixture
) -> None:
    place.sql("ALTER TABLE confs MODIFY `key` VARCHAR(100), MODIFY value VARCHAR(100)")
    place.sql(f"ALTER TABLE confs ENGINE = {engine}")
    assert place.store.swap({"A": (None, "a")})
    assert place.store.swap({"A": ("a", "b"), "B": (None, "b")})
    reports = [text for text in caplog.messages if "engine without transactions" in text]
    assert len(reports) == warnings


def test_the_engine_of_the_history_counts_at_a_save_that_adds_nothing_to_it(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    place.sql("ALTER TABLE conf_changes ENGINE = Aria")
    assert place.store.swap({"A": (None, "a")})  # as defaults are stored
    assert "engine without transactions" in caplog.text
