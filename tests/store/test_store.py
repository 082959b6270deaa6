"""The contract of every store, on every database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from store_cases import DATABASES, FOUR, SETUPS, Case, FourMethods, open_case

from waffleconf_admin.exceptions import NotReadyError, StoreError
from waffleconf_admin.store import AlchemyWaffleStore, PeeweeWaffleStore, WaffleStore

READS = ["read", "read_fresh", "read_promptly"]

#: How a session finds its database does not depend on which one it is: these run on a few.
FEWER = {
    "sqlalchemy": ["file", "memory", "postgres"],
    "bind key": ["file"],
    "lite": ["file", "memory"],
    "autocommit": ["file", "postgres", "mariadb"],
    "driver's autocommit": ["file", "postgres", "mariadb"],
    "rolled back": ["file", "postgres", "mariadb"],
    "pool behind a proxy": ["file", "postgres", "mariadb"],
    FOUR: ["file", "postgres", "mariadb"],
}
CASES = [(setup, database) for setup in SETUPS for database in FEWER.get(setup, DATABASES)]


@pytest.fixture(params=CASES, ids="-".join)
def case(
    request: pytest.FixtureRequest, tmp_path: Path, server_url: Callable[[str], str]
) -> Iterator[Case]:
    setup, database = request.param
    url = "sqlite://" if database == "memory" else f"sqlite:///{tmp_path}/test.db"
    if database in ("postgres", "mariadb"):
        url = server_url(database)
    with ExitStack() as stack:
        yield open_case(stack, setup, database, url)


def only(wanted: Callable[[str, str], bool]) -> pytest.MarkDecorator:
    """Run a test only with the cases that promise what it checks."""
    cases = [case for case in CASES if wanted(*case)]
    return pytest.mark.parametrize("case", cases, ids="-".join, indirect=True)


#: A four-method store's own query leaves the choice to the collation.
by_own_query = only(lambda setup, database: (setup, database) != (FOUR, "mariadb"))
#: It also reads one key after another.
at_once = only(lambda setup, database: setup != FOUR)


def test_get_gives_none_without_an_instance(case: Case) -> None:
    assert case.store.get("A") is None


def test_put_inserts_then_updates_and_returns_the_instance(case: Case) -> None:
    assert case.store.put("A", "one").get_value() == "one"
    case.store.commit()
    assert case.store.put("A", "two").get_value() == "two"
    case.store.commit()
    assert (case.store.get("A").get_key(), case.store.get("A").get_value()) == ("A", "two")
    assert case.rows() == [("A", "two")]


def test_delete_returns_the_instance_or_none(case: Case) -> None:
    case.store.put("A", "one")
    case.store.commit()
    assert case.store.delete("A").get_key() == "A"
    case.store.commit()
    assert case.store.delete("A") is None
    assert case.rows() == []


def test_swap_inserts_updates_and_deletes_at_once(case: Case) -> None:
    assert case.store.swap({"A": (None, "a"), "B": (None, "b")})
    assert case.store.swap({"A": ("a", "aa"), "B": ("b", None), "C": (None, "c")})
    assert case.rows() == [("A", "aa"), ("C", "c")]


@pytest.mark.parametrize(
    "late",
    [
        pytest.param({"A": ("old", "mine")}, id="changed"),
        pytest.param({"A": (None, "mine")}, id="there already"),
        pytest.param({"C": ("gone", "mine")}, id="gone"),
        pytest.param({"C": ("gone", None)}, id="deleted"),
        pytest.param({"A": ("A's", "mine")}, id="equal to another's"),
    ],
)
def test_swap_writes_nothing_when_one_row_is_not_as_it_was_seen(case: Case, late: Any) -> None:
    case.store.swap({"A": (None, "a"), "B": (None, "b")})
    assert not case.store.swap({"B": ("b", "mine"), **late})
    assert case.rows() == [("A", "a"), ("B", "b")]


@pytest.mark.parametrize(
    ("watched", "done"),
    [
        pytest.param({"B": "B's"}, True, id="as it was seen"),
        pytest.param({"B": "other"}, False, id="changed"),
        pytest.param({"B": None}, False, id="new"),
        pytest.param({"C": None}, True, id="still absent"),
        pytest.param({"C": "C's"}, False, id="gone"),
    ],
)
def test_swap_compares_rows_that_it_does_not_write(case: Case, watched: Any, done: bool) -> None:
    case.store.swap({"A": (None, "A's"), "B": (None, "B's")})
    unwritten = {key: (text, text) for key, text in watched.items()}
    assert case.store.swap({"A": ("A's", "mine")} | unwritten) is done
    assert case.rows() == [("A", "mine" if done else "A's"), ("B", "B's")]


@at_once
def test_a_row_that_is_gone_again_does_not_stop_an_insert(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.sql(f"INSERT INTO confs ({_key(case)}, value) VALUES ('A', 'theirs')")
    settings: Any = case.store._settings  # type: ignore[attr-defined]
    read = settings.read

    def delete_and_read(*args: Any) -> Any:
        monkeypatch.undo()
        case.sql("DELETE FROM confs")
        return read(*args)

    monkeypatch.setattr(settings, "read", delete_and_read)
    assert case.store.swap({"A": (None, "mine")})
    assert case.rows() == [("A", "mine")]


def test_swap_of_nothing_new_touches_nothing(case: Case) -> None:
    assert case.store.swap({})
    assert case.store.swap({"A": (None, None), "B": ("same", "same")})


@pytest.mark.parametrize("method", READS)
def test_reading_gives_the_keys_asked_for(case: Case, method: str) -> None:
    case.store.swap({"A": (None, "a"), "B": (None, "b")})
    read = getattr(case.store, method)
    assert read(["B", "missing"]) == [("B", "b")]
    assert read([]) == []
    assert read(key for key in ("A",)) == [("A", "a")]


@by_own_query
def test_texts_and_keys_differ_by_case_accent_and_blank(case: Case) -> None:
    case.store.swap({"A": (None, "gAJLGi4=")})
    assert case.store.read(["a", "A ", "Á"]) == []
    assert case.store.get("a") is None
    assert not case.store.swap({"A": ("gAJLgi4=", "new")})
    assert not case.store.swap({"A": ("gAJLGi4= ", "new")})
    assert case.store.swap({"A": ("gAJLGi4=", "gAJLgi4=")})
    assert case.rows() == [("A", "gAJLgi4=")]


def test_many_keys_at_once(case: Case) -> None:
    count = 100 if case.setup == FOUR else 1200
    assert case.store.swap({f"K{n}": (None, "t") for n in range(count)})
    assert case.store.swap({f"K{n}": ("t", str(n)) for n in range(count)})
    assert dict(case.store.read([f"K{n}" for n in range(count)])) == {
        f"K{n}": str(n) for n in range(count)
    }


@at_once
def test_more_keys_than_a_statement_may_have_parameters(case: Case) -> None:
    case.store.swap({"A": (None, "a")})
    assert case.store.read(["A", *(f"K{n}" for n in range(70_000))]) == [("A", "a")]


@by_own_query
def test_a_write_meets_no_row_of_a_similar_key(case: Case) -> None:
    case.sql("DROP TABLE confs")
    text = "VARCHAR(255)"
    case.sql(f"CREATE TABLE confs (id {SERIAL[case.database]}, {_key(case)} {text}, value {text})")
    case.store.swap({"A": (None, "same")})
    case.store.swap({"a": (None, "same")})
    assert case.store.swap({"A": ("same", "new")})
    assert sorted(case.store.read(["A", "a"])) == [("A", "new"), ("a", "same")]


SERIAL = {
    "file": "INTEGER PRIMARY KEY",
    "wal": "INTEGER PRIMARY KEY",
    "memory": "INTEGER PRIMARY KEY",
    "postgres": "SERIAL PRIMARY KEY",
    "mariadb": "INTEGER AUTO_INCREMENT PRIMARY KEY",
}


@pytest.mark.parametrize("method", [*READS, "swap"])
def test_a_missing_table_says_what_to_do(case: Case, method: str) -> None:
    case.sql("DROP TABLE confs")
    with pytest.raises(NotReadyError, match="create the tables"):
        getattr(case.store, method)({"A": (None, "a")})


def test_rows_without_a_text_count_as_empty_and_can_be_mended(case: Case) -> None:
    case.sql("INSERT INTO confs (key, value) VALUES ('A', NULL)".replace("key", _key(case)))
    assert case.store.read(["A"]) == [("A", "")]
    assert case.store.swap({"A": ("", "mended")})
    assert case.rows() == [("A", "mended")]


def _key(case: Case) -> str:
    return "`key`" if case.database == "mariadb" else '"key"'


def test_all_rows_can_be_listed_but_by_four_methods(case: Case) -> None:
    case.store.swap({"A": (None, "a"), "Z": (None, "z")})
    if case.setup == FOUR:
        with pytest.raises(NotImplementedError, match="list its keys: name them"):
            case.store.read()
    else:
        assert sorted(case.store.read()) == [("A", "a"), ("Z", "z")]


# Without a database


@pytest.mark.parametrize(
    ("call", "missing"),
    [
        (lambda store: store.commit(), "commit"),
        (lambda store: store.delete("A"), "delete"),
        (lambda store: store.get("A"), "get"),
        (lambda store: store.put("A", "a"), "put"),
        (lambda store: store.read(["A"]), "get"),
    ],
)
def test_the_base_names_the_method_that_is_missing(call: Any, missing: str) -> None:
    with pytest.raises(NotImplementedError, match=missing):
        call(WaffleStore())


OURS = {"read", "read_fresh", "read_promptly", "swap"}


@pytest.mark.parametrize("base", [AlchemyWaffleStore, PeeweeWaffleStore])
@pytest.mark.parametrize(
    ("own", "mixin", "still_ours"),
    [
        pytest.param([], [], OURS, id="nothing"),
        pytest.param(["get"], [], set(), id="get"),
        pytest.param(["commit"], [], set(), id="commit"),
        pytest.param([], ["get"], set(), id="get of a mixin"),
        pytest.param(["read"], [], {"swap"}, id="read"),
        pytest.param(["read_fresh"], [], {"read", "swap"}, id="read_fresh"),
        pytest.param(["read_promptly"], [], OURS - {"read_promptly"}, id="read_promptly"),
        pytest.param(["swap"], [], OURS - {"swap"}, id="swap"),
    ],
)
def test_overridden_methods_are_not_bypassed(
    base: Any, own: list[str], mixin: list[str], still_ours: set[str]
) -> None:
    def override(self: Any, *_: Any) -> None:
        return None

    bases = (type("Mixin", (), dict.fromkeys(mixin, override)), base)
    cls = type("Own", bases, dict.fromkeys(own, override))
    for each in (cls, type("Further", (cls,), {})):
        for name in OURS - {*own}:
            expected = base if name in still_ours else WaffleStore
            assert getattr(each, name) is getattr(expected, name)


def test_a_third_partys_failure_becomes_a_store_error() -> None:
    class Broken(FourMethods):
        def get(self, key: str) -> Any:
            raise ConnectionResetError("the line is dead")

    with pytest.raises(StoreError, match="the line is dead") as caught:
        Broken().read(["A"])
    assert isinstance(caught.value.__cause__, ConnectionResetError)


def test_the_package_imports_no_orm() -> None:
    code = (
        "import sys, waffleconf_admin.store as s; s.WaffleStore\n"
        "assert not {'sqlalchemy', 'peewee'} & set(sys.modules), 'imported'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("name", "missing", "extra"),
    [
        ("AlchemyWaffleStore", "sqlalchemy", "sqlalchemy"),
        ("PeeweeWaffleStore", "peewee", "peewee"),
    ],
)
def test_a_missing_orm_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, name: str, missing: str, extra: str
) -> None:
    import waffleconf_admin.store as package

    monkeypatch.setitem(sys.modules, missing, None)
    for module in list(sys.modules):
        if module.startswith(("waffleconf_admin.store.alchemy", "waffleconf_admin.store.peewee")):
            monkeypatch.delitem(sys.modules, module)
    with pytest.raises(ImportError, match=rf"waffleconf-admin\[{extra}\]"):
        getattr(package, name)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import waffleconf_admin.store as package

    with pytest.raises(AttributeError, match="NoStore"):
        package.NoStore  # noqa: B018
