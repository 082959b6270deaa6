"""A save reads back what the column, the model or a trigger may alter, and refuses what differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from packaging.version import Version
from playhouse.db_url import connect
from sqlalchemy import event, orm
from sqlalchemy.engine import URL, make_url
from sqlalchemy.types import TypeDecorator

from waffleconf_admin.exceptions import StoreError
from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store import (
    AlchemyWaffleStore,
    HistoryQuery,
    HistoryRow,
    PeeweeWaffleStore,
    WaffleStore,
    catalog,
)

ROW = HistoryRow("set", "A", None, "two  blanks", "ana", datetime.now(UTC), "", "code")
CHANGE = (
    "CREATE TRIGGER cleans AFTER {event} ON {table} BEGIN "
    "UPDATE {table} SET {column} = {to} WHERE id = new.id; END"
)


def trigger(
    table: str, column: str, *, event: str = "INSERT", to: str = "replace({}, '  ', ' ')"
) -> str:
    """The SQL of a trigger of SQLite that changes a text; by default it leaves single blanks.

    :param to: what the text becomes, an expression.
    """
    to = to.format(f"new.{column}")
    return CHANGE.format(event=event, table=table, column=column, to=to)


class Place:
    """A store on SQLite, and a way past it."""

    def __init__(self, store: WaffleStore, sql: Callable[[str], Any]) -> None:
        self.store, self.sql = store, sql
        self.statements: list[str] = []


def on_sqlalchemy(stack: ExitStack, url: str | URL) -> Place:
    engine = sa.create_engine(url)
    base = orm.declarative_base()
    conf, change = AlchemyWaffleStore.make_models(base)
    base.metadata.create_all(engine)
    stack.callback(engine.dispose)

    def sql(statement: str) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)

    session = orm.scoped_session(orm.sessionmaker(engine))
    place = Place(AlchemyWaffleStore(session, conf, change), sql)

    @event.listens_for(engine, "before_cursor_execute")
    def _executed(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        place.statements.append(statement)

    return place


def on_peewee(stack: ExitStack, url: str) -> Place:
    database = connect(url.replace("+psycopg", ""))
    conf, change = PeeweeWaffleStore.make_models(database)
    database.create_tables([conf, change])
    stack.callback(database.close)
    return Place(PeeweeWaffleStore(database, conf, change), database.execute_sql)


MAKE = {"sqlalchemy": on_sqlalchemy, "peewee": on_peewee}


@pytest.fixture
def place(tmp_path: Path, orm: str) -> Iterator[Place]:
    with ExitStack() as stack:
        yield MAKE[orm](stack, f"sqlite:///{tmp_path}/test.db")


def refuses(store: WaffleStore, text: str, table: str = "settings", column: str = "value") -> None:
    """A save of "A" is refused and leaves nothing, and the message names all there is to know."""
    before = store.read()
    with pytest.raises(StoreError, match=f"column '{column}' of the table of the {table}") as error:
        store.swap({"A": (None, text)}, [ROW])
    assert "for A." in str(error.value) and "as Text" in str(error.value)
    assert store.read() == before
    assert store.read_history(HistoryQuery()) == []


# The database


@pytest.mark.parametrize("declared", ["STRING", "NUMERIC", "POINT", "REAL", "CHARINT"])
def test_a_column_of_sqlite_that_makes_numbers_of_texts_is_read_back(
    place: Place, declared: str
) -> None:
    place.sql("DROP TABLE confs")
    place.sql(f"CREATE TABLE confs (id INTEGER PRIMARY KEY, key VARCHAR, value {declared})")
    assert place.store.swap({"B": (None, '"b"')})
    refuses(place.store, "10")


@pytest.mark.parametrize("declared", ["", "BLOB", "Char(5)", "NVARCHAR", "clob"])
def test_a_column_of_sqlite_that_keeps_texts_holds_a_number(place: Place, declared: str) -> None:
    place.sql("DROP TABLE confs")
    place.sql(f"CREATE TABLE confs (id INTEGER PRIMARY KEY, key VARCHAR, value {declared})")
    assert place.store.swap({"A": (None, "10")})
    assert place.store.read() == [("A", "10")]


def test_what_a_trigger_changes_is_read_back_at_each_save(place: Place) -> None:
    place.sql(trigger("confs", "value"))
    assert place.store.swap({"B": (None, "one blank")})
    refuses(place.store, "two  blanks")


def test_a_trigger_is_found_however_its_table_is_written(place: Place) -> None:
    place.sql(trigger("CONFS", "value"))
    refuses(place.store, "two  blanks")


@pytest.mark.parametrize(
    ("to", "is_padded"),
    [
        pytest.param("{} || '  '", True, id="blanks at the end"),
        pytest.param("' ' || {}", False, id="a blank before"),
        pytest.param("{} || char(10)", False, id="a line at the end"),
    ],
)
def test_only_blanks_at_the_end_are_padding(place: Place, to: str, is_padded: bool) -> None:
    place.sql(trigger("confs", "value", to=to))
    if is_padded:
        assert place.store.swap({"A": (None, "x")}, [ROW])
    else:
        refuses(place.store, "x")


def test_the_texts_of_the_history_may_not_even_be_padded(place: Place) -> None:
    place.sql(trigger("conf_changes", "new", to="{} || ' '"))
    refuses(place.store, "x", "history", "new")


def test_texts_that_the_history_gets_anew_are_read_back(place: Place) -> None:
    place.sql(trigger("conf_changes", "new", event="UPDATE OF new"))
    assert place.store.swap({"A": (None, "x")}, [ROW])
    [row] = place.store.read_history(HistoryQuery())
    with pytest.raises(StoreError, match="column 'new' of the table of the history"):
        place.store.rewrite({}, [row._replace(new="three   blanks")])
    assert place.store.read_history(HistoryQuery()) == [row]


def test_an_insert_that_a_later_trigger_ignores_is_refused(place: Place) -> None:
    assert place.store.swap({"B": (None, "b")})  # the process knows its table from now on
    place.sql(
        "CREATE TRIGGER ignores BEFORE INSERT ON confs WHEN new.key = 'A' "
        "BEGIN SELECT raise(IGNORE); END"
    )
    refuses(place.store, "a", column="key")
    with pytest.raises(StoreError, match=r"no row for A\. If a trigger or a rule .* drops rows"):
        place.store.swap({"A": (None, "a"), "B": ("b", "c"), "C": (None, "c")})
    assert place.store.read() == [("B", "b")]


#: How a database comes to drop rows without an error, by its name, the event and the table.
DROPS = {
    "sqlite": ("CREATE TRIGGER drops BEFORE {event} ON {table} BEGIN SELECT raise(IGNORE); END",),
    "postgres": (
        "CREATE FUNCTION drops() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
        "CREATE TRIGGER drops BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION drops()",
    ),
}


@pytest.fixture(params=DROPS)
def dropping(
    request: pytest.FixtureRequest, orm: str, tmp_path: Path
) -> Iterator[tuple[Place, Callable[[str, str], None]]]:
    """A store whose process knows its tables, and what makes a table drop its rows from now on."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            place = MAKE[orm](stack, f"sqlite:///{tmp_path}/test.db")
        else:
            place = MAKE[orm](stack, request.getfixturevalue("server_url")(request.param))
            stack.callback(place.sql, "DROP FUNCTION IF EXISTS drops CASCADE")
        assert place.store.swap({"B": (None, "b")}, [ROW._replace(key="B")])

        def drop(table: str, event: str) -> None:
            for statement in DROPS[request.param]:
                place.sql(statement.format(table=table, event=event))

        yield place, drop


Dropping = tuple[Place, Callable[[str, str], None]]


@pytest.mark.parametrize("number", [1, 3])
def test_a_save_is_refused_whose_change_a_later_trigger_keeps_out_of_the_history(
    dropping: Dropping, number: int
) -> None:
    place, drop = dropping
    before = place.store.read_history(HistoryQuery())
    drop("conf_changes", "INSERT")
    keys = [f"A{index}" for index in range(number)]
    row = ROW._replace(change_set="next")
    rows = [row._replace(key=key, old="x" if index else None) for index, key in enumerate(keys)]
    with pytest.raises(StoreError, match=r"the history would have no row for A0.* drops rows, let"):
        place.store.swap(dict.fromkeys(keys, (None, "a")), rows)
    with pytest.raises(StoreError, match="table of the history"):
        place.store.note_history(rows)
    assert place.store.read() == [("B", "b")]
    assert place.store.read_history(HistoryQuery()) == before


def test_only_the_row_that_is_missing_is_named(place: Place) -> None:
    assert place.store.swap({"Z": (None, "z")}, [ROW._replace(key="Z")])
    place.sql(
        "CREATE TRIGGER drops BEFORE INSERT ON conf_changes WHEN new.key = 'A' "
        "BEGIN SELECT raise(IGNORE); END"
    )
    rows = [ROW._replace(change_set="next", key=key) for key in "ABC"]
    with pytest.raises(StoreError, match=r"the history would have no row for A\."):
        place.store.swap(dict.fromkeys("ABC", (None, "a")), rows)
    assert place.store.read() == [("Z", "z")]


def test_a_history_that_a_later_trigger_keeps_as_it_is_can_not_be_rewritten(
    dropping: Dropping,
) -> None:
    place, drop = dropping
    [row] = place.store.read_history(HistoryQuery())
    drop("conf_changes", "UPDATE")
    with pytest.raises(StoreError):
        place.store.rewrite({}, [row._replace(new="other")])
    assert place.store.read_history(HistoryQuery()) == [row]


def test_a_prune_counts_what_was_deleted(dropping: Dropping) -> None:
    place, drop = dropping
    drop("conf_changes", "DELETE")
    assert place.store.prune_history(datetime.now(UTC), 10) == 0
    assert place.store.read_history(HistoryQuery())


def test_changes_with_and_without_an_old_text_are_counted_together(place: Place) -> None:
    assert place.store.swap({"B": (None, "b")}, [ROW._replace(key="B")])
    place.statements.clear()
    rows = [ROW._replace(key=key, old=old) for key, old in [("A", None), ("B", "b"), ("C", None)]]
    assert place.store.swap({"A": (None, "a"), "B": ("b", "c"), "C": (None, "c")}, rows)
    assert not [each for each in place.statements if each.lstrip().startswith("SELECT")]
    found = place.store.read_history(HistoryQuery(limit=3))
    assert [(row.key, row.old) for row in found] == [("C", None), ("B", "b"), ("A", None)]


@pytest.mark.skipif(
    Version(sa.__version__) < Version("2.0.28"), reason="older SQLAlchemy does not count them"
)
@pytest.mark.parametrize("driver", ["psycopg", "psycopg2"])
def test_a_driver_of_postgresql_counts_the_rows_of_the_history(
    server_url: Callable[[str], str], driver: str
) -> None:
    url = make_url(server_url("postgres")).set(drivername=f"postgresql+{driver}")
    with ExitStack() as stack:
        place = on_sqlalchemy(stack, url)
        assert place.store.swap({"A": (None, "a")}, [ROW])
        place.statements.clear()
        assert place.store.swap({"A": ("a", "b")}, [ROW._replace(key=key) for key in "AB"])
        assert not [each for each in place.statements if each.lstrip().startswith("SELECT")]


def test_an_insert_that_a_trigger_of_postgresql_sends_elsewhere_is_found_there(
    server_url: Callable[[str], str], orm: str
) -> None:
    with ExitStack() as stack:
        place = MAKE[orm](stack, server_url("postgres"))
        assert place.store.swap({"B": (None, "b")})
        stack.callback(place.sql, "DROP FUNCTION sends CASCADE")
        stack.callback(place.sql, "DROP TABLE elsewhere")
        place.sql("CREATE TABLE elsewhere () INHERITS (confs)")
        place.sql(
            "CREATE FUNCTION sends() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF new.key <> 'A' THEN INSERT INTO elsewhere (id, key, value) "
            "VALUES (new.id, new.key, new.value); END IF; RETURN NULL; END $$"
        )
        place.sql(
            "CREATE TRIGGER sends BEFORE INSERT ON confs FOR EACH ROW EXECUTE FUNCTION sends()"
        )
        assert place.store.swap({"C": (None, "c")})
        with pytest.raises(StoreError, match="for A"):
            place.store.swap({"A": (None, "a")})
        assert sorted(place.store.read()) == [("B", "b"), ("C", "c")]


def test_what_a_trigger_of_the_history_changes_is_read_back(place: Place) -> None:
    place.sql(trigger("conf_changes", "new"))
    refuses(place.store, "x", "history", "new")
    place.sql("DROP TRIGGER cleans")
    place.sql(trigger("conf_changes", "note"))
    assert place.store.swap({"A": (None, "x")}, [ROW._replace(note="a  note")])


LOWER = (
    "CREATE FUNCTION lower_value() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN new.value = lower(new.value); RETURN new; END $$",
    "CREATE TRIGGER lowers BEFORE INSERT ON confs FOR EACH ROW EXECUTE FUNCTION lower_value()",
)


@pytest.mark.parametrize(
    "statements",
    [
        pytest.param(LOWER, id="trigger"),
        pytest.param(
            ("CREATE RULE lowers AS ON INSERT TO confs DO ALSO UPDATE confs SET value = 'x'",),
            id="rule",
        ),
        pytest.param(
            (
                *LOWER,
                "ALTER TABLE confs RENAME TO all_confs",
                "CREATE VIEW confs AS SELECT * FROM all_confs",
            ),
            id="view",
        ),
        pytest.param(
            (
                *LOWER,
                "ALTER TABLE confs RENAME TO rest",
                "CREATE TABLE confs (LIKE rest INCLUDING DEFAULTS) PARTITION BY LIST (key)",
                "ALTER TABLE confs ATTACH PARTITION rest DEFAULT",
            ),
            id="partition",
        ),
    ],
)
def test_what_postgresql_changes_by_itself_is_read_back(
    postgres_url: str, orm: str, statements: tuple[str, ...]
) -> None:
    with ExitStack() as stack:
        place = MAKE[orm](stack, postgres_url)
        for statement in statements:
            place.sql(statement)
        refuses(place.store, "Crêperie")


def translated(stack: ExitStack, url: str) -> Place:
    """The schema of a tenant, for models that are declared without one."""
    place = on_sqlalchemy(stack, url)
    engine = place.store.db.get_bind()
    tenant = engine.execution_options(schema_translate_map={None: "tenant"})
    place.sql("CREATE SCHEMA tenant")
    place.store.model.metadata.create_all(tenant)
    place.store.db.remove()
    place.store.db.configure(bind=tenant)
    return place


def declared_in_sqlalchemy(stack: ExitStack, url: str) -> Place:
    place = on_sqlalchemy(stack, url)
    place.sql("CREATE SCHEMA tenant")
    _, model = alchemy_model(sa.Text, {"__tablename__": "confs"}, schema="tenant")
    model.metadata.create_all(place.store.db.get_bind())
    return Place(AlchemyWaffleStore(place.store.db, model, place.store.history), place.sql)


def declared_in_peewee(stack: ExitStack, url: str) -> Place:
    place = on_peewee(stack, url)
    place.sql("CREATE SCHEMA tenant")
    meta = {"database": place.store.db, "schema": "tenant", "table_name": "confs"}
    model = peewee_model(meta, {"value": peewee.TextField()})
    place.store.db.create_tables([model])
    return Place(PeeweeWaffleStore(place.store.db, model, place.store.history), place.sql)


@pytest.mark.parametrize("make", [translated, declared_in_sqlalchemy, declared_in_peewee])
def test_a_table_of_another_schema_is_not_taken_for_that_of_the_settings(
    postgres_url: str, make: Callable[[ExitStack, str], Place]
) -> None:
    with ExitStack() as stack:
        place = make(stack, postgres_url)
        place.sql("ALTER TABLE tenant.confs ALTER key TYPE char(20)")
        refuses(place.store, "x", column="key")


def test_an_update_in_the_schema_of_a_tenant_is_read_back(postgres_url: str) -> None:
    with ExitStack() as stack:
        place = translated(stack, postgres_url)
        assert place.store.swap({"A": (None, "a")})
        function, trigger = LOWER
        place.sql(function)
        place.sql(trigger.replace("INSERT ON confs", "UPDATE ON tenant.confs"))
        with pytest.raises(StoreError, match="for A"):
            place.store.swap({"A": ("a", "Crêperie")})
        assert place.store.read() == [("A", "a")]


def test_a_database_without_a_catalog_that_is_known_is_read_back() -> None:
    assert not catalog.keeps_texts("oracle", "confs", ["value"], lambda *_: [])


def test_a_key_in_a_padded_column_of_postgresql_is_refused(
    server_url: Callable[[str], str], orm: str
) -> None:
    with ExitStack() as stack:
        place = MAKE[orm](stack, server_url("postgres"))
        assert place.store.swap({"B": (None, "b")}, [ROW._replace(key="B")])
        assert not [s for s in place.statements if s.lstrip().startswith("SELECT confs")]
        place.store.prune_history(datetime.now(UTC), 10)
        place.sql("ALTER TABLE confs ALTER key TYPE char(20)")
        # A process asks once what its columns are like.
        padded = type(place.store)(place.store.db, place.store.model, place.store.history)
        refuses(padded, "x", column="key")


@pytest.mark.parametrize("column", ["confs.value", "conf_changes.change_set"])
def test_values_and_names_of_saves_may_be_padded_by_postgresql(
    server_url: Callable[[str], str], orm: str, column: str
) -> None:
    table, name = column.split(".")
    with ExitStack() as stack:
        place = MAKE[orm](stack, server_url("postgres"))
        place.sql(f"ALTER TABLE {table} ALTER {name} TYPE char(36)")
        assert place.store.swap({"A": (None, "a")}, [ROW])
        [(_, text)] = place.store.read()
        assert place.store.swap({"A": (text, "b")}, [ROW._replace(change_set="next")])
        assert place.store.read()[0][1].rstrip() == "b"
        assert [row.new for row in place.store.read_history(HistoryQuery(change_set="next"))] == [
            ROW.new
        ]


def test_a_role_without_rights_on_the_catalog_of_postgresql_saves(
    server_url: Callable[[str], str], orm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A table that is not there fails as one without rights on it does.
    select = "SELECT attname, attname FROM no_rights WHERE attname = {table}"
    monkeypatch.setitem(catalog._COLUMNS, "postgresql", select)
    with ExitStack() as stack:
        place = MAKE[orm](stack, server_url("postgres"))
        assert place.store.swap({"B": (None, "b")})
        assert place.store.read() == [("B", "b")]
        place.sql("ALTER TABLE confs ALTER key TYPE char(20)")
        refuses(place.store, "x", column="key")


@pytest.mark.parametrize("name", ["confs", "Confs"])
def test_a_table_of_texts_is_asked_for_once(tmp_path: Path, name: str) -> None:
    with ExitStack() as stack:
        place = on_sqlalchemy(stack, f"sqlite:///{tmp_path}/test.db")
        place.sql("ALTER TABLE confs RENAME TO other")
        place.sql(f"ALTER TABLE other RENAME TO {name}")
        place.statements.clear()
        assert place.store.swap({"A": (None, "a")}, [ROW])
        first = len(place.statements)
        assert place.store.swap({"B": (None, "b")}, [ROW])
        assert len(place.statements) - first == first - 2 == 2


# The model


class Bytes(TypeDecorator[str]):
    """Makes bytes of texts."""

    impl = sa.LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> bytes | None:
        return None if value is None else value.encode()

    def process_result_value(self, value: bytes | None, dialect: Any) -> str | None:
        return None if value is None else bytes(value).decode()


@pytest.mark.parametrize(
    ("database", "declared"),
    [
        ("sqlite", sa.LargeBinary()),
        ("psycopg", sa.LargeBinary()),
        ("psycopg", sa.Text()),
        ("psycopg2", sa.LargeBinary()),
        ("mariadb", sa.LargeBinary()),
    ],
    ids=str,
)
def test_a_binary_column_says_what_it_needs(
    tmp_path: Path, server_url: Callable[[str], str], database: str, declared: Any
) -> None:
    url = make_url(f"sqlite:///{tmp_path}/test.db")
    if database == "mariadb":
        url = make_url(server_url("mariadb"))
    elif database != "sqlite":
        url = make_url(server_url("postgres")).set(drivername=f"postgresql+{database}")
    with ExitStack() as stack:
        engine = sa.create_engine(url)
        stack.callback(engine.dispose)

        def store_with(column: Any) -> WaffleStore:
            base = orm.declarative_base()
            conf, _ = AlchemyWaffleStore.make_models(base)
            conf.__table__.c.value.type = sa.LargeBinary()
            base.metadata.create_all(engine)
            conf.__table__.c.value.type = column
            return AlchemyWaffleStore(orm.scoped_session(orm.sessionmaker(engine)), conf)

        with pytest.raises(StoreError, match=r"is binary, .* TypeDecorator"):
            store_with(declared).swap({"A": (None, "é")})
        store = store_with(Bytes())
        assert store.swap({"A": (None, "é")}) and store.swap({"A": ("é", "a")})
        assert store.read() == [("A", "a")]


class Lower(TypeDecorator[str]):
    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value and value.lower()


class LowerInSQL(sa.Text):
    def bind_expression(self, bindparam: Any) -> Any:
        return sa.func.lower(bindparam, type_=self)


def validating() -> dict[str, Any]:
    return {"clean": orm.validates("value")(lambda self, name, text: text.lower())}


def own_method() -> dict[str, Any]:
    return {"get_value": lambda self: self.value.lower()}


@pytest.mark.parametrize(
    ("column", "members"),
    [
        pytest.param(Lower, {}, id="type"),
        pytest.param(LowerInSQL, {}, id="expression"),
        pytest.param(sa.Text, validating(), id="validator"),
        pytest.param(sa.Text, own_method(), id="get_value"),
    ],
)
def test_a_model_of_sqlalchemy_that_changes_texts_is_read_back(
    tmp_path: Path, column: Any, members: dict[str, Any]
) -> None:
    refuses(alchemy_store(tmp_path, column, members)[0], "Crêperie")


def test_a_listener_of_sqlalchemy_that_changes_texts_is_read_back(tmp_path: Path) -> None:
    store, model = alchemy_store(tmp_path, sa.Text, {})

    @event.listens_for(model, "before_insert")
    def clean(_mapper: Any, _connection: Any, row: Any) -> None:
        row.value = row.value.lower()

    refuses(store, "Crêperie")
    assert store.swap({"A": (None, "crêperie")})


def test_a_listener_of_a_history_of_sqlalchemy_that_changes_texts_is_read_back(
    tmp_path: Path,
) -> None:
    store, _model = alchemy_store(tmp_path, sa.Text, {})

    @event.listens_for(store.history, "before_insert")
    def clean(_mapper: Any, _connection: Any, row: Any) -> None:
        row.new = row.new.replace("  ", " ")

    refuses(store, "x", "history", "new")


def test_a_listener_of_a_history_of_sqlalchemy_that_changes_rewritten_texts_is_read_back(
    tmp_path: Path,
) -> None:
    store, _model = alchemy_store(tmp_path, sa.Text, {})
    assert store.swap({"A": (None, "a")}, [ROW])
    [row] = store.read_history(HistoryQuery())

    @event.listens_for(store.history, "before_update")
    def clean(_mapper: Any, _connection: Any, changed: Any) -> None:
        changed.new = changed.new.strip()

    with pytest.raises(StoreError, match="column 'new' of the table of the history"):
        store.rewrite({}, [row._replace(new=" b")])
    assert store.read_history(HistoryQuery()) == [row]


def alchemy_model(column: Any, members: dict[str, Any], **table: Any) -> tuple[Any, Any]:
    """Return the model of a history, and one of settings.

    :param table: arguments of its table.
    """
    base = orm.declarative_base()
    _, change = AlchemyWaffleStore.make_models(base)
    members = {
        "__tablename__": "own",
        "__table_args__": table,
        "id": sa.Column(sa.Integer, primary_key=True),
        "key": sa.Column(sa.String(99), unique=True),
        "value": sa.Column(column),
        **members,
    }
    return change, type("Own", (WaffleMixin, base), members)


def alchemy_store(
    tmp_path: Path, column: Any, members: dict[str, Any]
) -> tuple[AlchemyWaffleStore, Any]:
    change, model = alchemy_model(column, members)
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")
    model.metadata.create_all(engine)
    session = orm.scoped_session(orm.sessionmaker(engine))
    return AlchemyWaffleStore(session, model, change), model


class LowerField(peewee.TextField):  # type: ignore[misc]
    def db_value(self, value: str | None) -> str | None:
        return value and value.lower()


def saves_lower(self: Any, *args: Any, **options: Any) -> Any:
    self.value = self.value.lower()
    return peewee.Model.save(self, *args, **options)


def peewee_model(meta: dict[str, Any], members: dict[str, Any]) -> Any:
    key = peewee.CharField(unique=True)
    members = {"Meta": type("Meta", (), meta), "key": key, **members}
    return type("Own", (WaffleMixin, peewee.Model), members)


@pytest.mark.parametrize(
    "members",
    [
        pytest.param({"value": LowerField()}, id="field"),
        pytest.param({"value": peewee.TextField(), "save": saves_lower}, id="save"),
    ],
)
def test_a_model_of_peewee_that_changes_texts_is_read_back(
    tmp_path: Path, members: dict[str, Any]
) -> None:
    database = peewee.SqliteDatabase(tmp_path / "test.db")
    _, change = PeeweeWaffleStore.make_models(database)
    model = peewee_model({"database": database}, members)
    with database.connection_context():
        database.create_tables([model, change])
    refuses(PeeweeWaffleStore(database, model, change), "Crêperie")


class SingleBlanksField(peewee.TextField):  # type: ignore[misc]
    def db_value(self, value: str | None) -> str | None:
        return value and value.replace("  ", " ")


def test_a_history_of_peewee_that_changes_texts_is_read_back(tmp_path: Path) -> None:
    database = peewee.SqliteDatabase(tmp_path / "test.db")
    conf, change = PeeweeWaffleStore.make_models(database)
    own = type("Own", (change,), {"new": SingleBlanksField(null=True)})
    with database.connection_context():
        database.create_tables([conf, own])
    refuses(PeeweeWaffleStore(database, conf, own), "x", "history", "new")
