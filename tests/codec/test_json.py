"""JSON: texts that people, SQL and PostgreSQL's jsonb can read; no class of the app's in any."""

from __future__ import annotations

import collections
import datetime
import enum
import json
import pathlib
import re
import traceback
import uuid
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
import sqlalchemy as sa
from documentation import block
from hostile import run_alone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import make_url
from stored_values import CLASSES, ENUMS, KEYS, LARGE, OBJECTS, STANDARD, VALUES, Days, Pair, Shop

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import Allowed, deserialize, serialize
from waffleconf_admin.codec.json_tags import BY_TYPE
from waffleconf_admin.codec.values import CONTAINERS, SCALARS
from waffleconf_admin.settings.equality import same

HERE = Shop.__module__


def written(value: object) -> str:
    return serialize(value, format="json")


TEXTS = [
    ("Crêperie ☕", '"Crêperie ☕"'),
    (5, "5"),
    (-0.5, "-0.5"),
    (True, "true"),
    (None, "null"),
    (["jpg", 1, [False]], '["jpg", 1, [false]]'),
    ({"width": 3, "sizes": [1.5]}, '{"width": 3, "sizes": [1.5]}'),
    ({"$date": 1, "b": 2}, '{"$date": 1, "b": 2}'),
    ({"$date": "2026-01-01"}, '{"$dict": [["$date", "2026-01-01"]]}'),
    ({"$dict": []}, '{"$dict": [["$dict", []]]}'),
    ({1: "a", "b": None}, '{"$dict": [[1, "a"], ["b", null]]}'),
    ((1, "a"), '{"$tuple": [1, "a"]}'),
    ({"b", "a"}, '{"$set": ["a", "b"]}'),
    ({16, 9}, '{"$set": [9, 16]}'),  # Python has them in the other order
    (collections.Counter("aa"), '{"$Counter": {"a": 2}}'),
    (b"a\xff", '{"$bytes": "Yf8="}'),
    (datetime.date(2026, 1, 31), '{"$date": "2026-01-31"}'),
    (datetime.timedelta(hours=1), '{"$timedelta": 3600}'),
    (Decimal("9.90"), '{"$Decimal": "9.90"}'),
    (uuid.UUID(int=1), '{"$UUID": "00000000-0000-0000-0000-000000000001"}'),
    (pathlib.PurePosixPath("/srv"), '{"$PurePosixPath": "/srv"}'),
    (Shop.Theme.DARK, f'{{"$Enum": ["{HERE}", "Shop.Theme", "DARK"]}}'),
    (Days.MON | Days.TUE, f'{{"$Enum": ["{HERE}", "Days", ["MON", "TUE"]]}}'),
    # What jsonb refuses, or what it or JavaScript changes.
    (float("nan"), '{"$float": "nan"}'),
    (float("-inf"), '{"$float": "-inf"}'),
    (-0.0, '{"$float": "-0.0"}'),
    (1e16, '{"$float": "1e+16"}'),
    (2**63, '{"$int": "9223372036854775808"}'),
    (2**63 - 1, "9223372036854775807"),
    ("a\0b", '{"$str": ["a", 0, "b"]}'),
    ("\ud800", '{"$str": [55296]}'),
    ({"a\0": 1}, '{"$dict": [[{"$str": ["a", 0]}, 1]]}'),
]


@pytest.mark.parametrize(("value", "text"), TEXTS)
def test_the_text_of_a_value_is_readable(value: object, text: str) -> None:
    assert written(value) == text
    assert same(deserialize(text, CLASSES), value) or value != value


@given(VALUES)
def test_a_text_is_written_as_the_standard_library_writes_json(value: object) -> None:
    try:
        text = written(value)
    except InvalidValue:
        return
    assert json.dumps(json.loads(text), ensure_ascii=False) == text


def test_every_type_of_value_is_in_the_table_once() -> None:
    own = {type(None), bool, list}  # JSON has all of their values
    assert BY_TYPE.keys() | own == SCALARS | CONTAINERS
    assert not BY_TYPE.keys() & own


# What PostgreSQL makes of it


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[sa.Connection]:
    url = make_url(postgres_server).set(drivername="postgresql+psycopg", database="postgres")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def as_jsonb(database: sa.Connection, text: str) -> str:
    """The text that comes back from a column of type jsonb."""
    found = database.scalar(sa.text("SELECT CAST(CAST(:text AS jsonb) AS text)"), {"text": text})
    return str(found)


def sorted_keys(value: Any) -> Any:
    """JSON with the keys of objects in one order: jsonb has an order of its own."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(
    "value", [*STANDARD, *ENUMS, *({key: {key}} for key in KEYS), *LARGE.values()]
)
def test_jsonb_takes_every_text_and_leaves_it_as_it_is(
    value: object, database: sa.Connection
) -> None:
    text = written(value)
    assert sorted_keys(json.loads(as_jsonb(database, text))) == sorted_keys(json.loads(text))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(value=VALUES)
def test_jsonb_takes_any_value(value: object, database: sa.Connection) -> None:
    text = written(value)
    assert sorted_keys(json.loads(as_jsonb(database, text))) == sorted_keys(json.loads(text))


def test_the_statements_of_the_page_read_values(database: sa.Connection) -> None:
    database.execute(sa.text("CREATE TEMPORARY TABLE confs (key text, value text)"))
    row = {"value": block("docs/stored-format.md", '"sizes"').code}
    database.execute(sa.text("INSERT INTO confs VALUES ('SHIPPING', :value)"), row)
    whole, since = block("docs/stored-format.md", "::jsonb").code.splitlines()
    assert database.exec_driver_sql(whole).one().key == "SHIPPING"
    assert database.exec_driver_sql(since).scalar() == datetime.date(2026, 1, 31)


def test_sql_reads_values(database: sa.Connection) -> None:
    text = written({"sizes": [1, 2], "since": datetime.date(2026, 1, 31), "mode": Shop.Theme.DARK})
    query = """
        SELECT CAST(j #>> '{sizes,1}' AS int), CAST(j #>> '{since,$date}' AS date),
               j #>> '{mode,$Enum,2}'
        FROM (SELECT CAST(:text AS jsonb) AS j) AS one
    """
    found = database.execute(sa.text(query), {"text": text}).one()
    assert tuple(found) == (2, datetime.date(2026, 1, 31), "DARK")


# Enums


def test_a_member_is_found_by_its_name_whatever_its_value_is_now() -> None:
    class Theme(enum.Enum):
        DARK = "another value"

    Theme.__qualname__ = "Shop.Theme"
    allowed = Allowed([Theme]).with_enums([Theme])  # and it is in another module now
    assert deserialize(written(Shop.Theme.DARK), allowed) is Theme.DARK


class Bits(enum.IntFlag):
    ONE = 1
    FOUR = 4


@pytest.mark.parametrize("value", [Bits(0), Bits.ONE, Bits.ONE | Bits.FOUR, Bits(8), Bits(13)])
def test_flags_are_stored_by_the_names_of_all(value: Bits) -> None:
    assert deserialize(written(value), [Bits]) is value


def test_an_enum_that_is_not_declared_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"^class .*Shop\.Theme is not allowed$"):
        deserialize(written(Shop.Theme.DARK))


class Text(str):
    pass


REMEDIES = [
    *((value, "use a dict or a list") for value in (*OBJECTS, Pair(1, 2), len, object())),
    *((value, r"pass str\(value\)") for value in (Text("a"), {Text("a"): 1})),
]


@pytest.mark.parametrize(("value", "remedy"), REMEDIES)
def test_what_json_cannot_hold_is_refused_with_the_remedy(value: object, remedy: str) -> None:
    for refused in (value, [value], {"a": (value,)}):
        with pytest.raises(InvalidValue, match=rf"JSON can't hold .* {remedy}, or set .*'pickle'"):
            written(refused)


def test_a_number_of_too_many_digits_is_refused_as_such() -> None:
    for number in (10**4300, -(10**5000), Fraction(10**4300, 3)):  # pytest can't write them
        for refused in (number, [number], {1: number}):
            with pytest.raises(InvalidValue, match="more than 4300 digits"):
                written(refused)


def test_a_value_inside_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    doubled: list[object] = [0]
    for _ in range(60):
        doubled = [doubled, doubled]
    for value in (endless, doubled):
        with pytest.raises(InvalidValue, match="too large or too deeply nested"):
            written(value)


# Damaged and hostile texts

SECRET = "hunter2-hunt"
DAMAGED = {
    "cut": f'["{SECRET}',
    "two values": f'"a" "{SECRET}"',
    "a constant that is no JSON": "[NaN]",
    "another constant": "[-Infinity]",
    "a trailing comma": f'["{SECRET}",]',
    "a blank that JSON lacks": "[5]\u00a0",
    "a Decimal of very many places": '{"$Decimal": "1e-99999"}',
    "an unknown tag": f'{{"$later": "{SECRET}"}}',
    "an unknown tag deep inside": f'[[{{"$later": "{SECRET}"}}]]',
    "no date": f'{{"$date": "{SECRET}"}}',
    "a number as a date": '{"$date": 5}',
    "a time zone by its path": '{"$ZoneInfo": "../../../etc/passwd"}',
    "a UUID of a list": '{"$UUID": []}',
    "no base64": f'{{"$bytes": "{SECRET}"}}',
    "bytes of a size": '{"$bytes": 9999999999}',
    "a range of texts": '{"$range": ["a", "b"]}',
    "a set of a range": '{"$set": {"$range": [0, 9999999999, 1]}}',
    "a list in a set": f'{{"$set": [["{SECRET}"]]}}',
    "a dict without values": f'{{"$dict": ["{SECRET}"]}}',
    "another factory": '{"$defaultdict": ["exec", {}]}',
    "a class as a factory": '{"$defaultdict": ["object", {}]}',
    "a character out of range": '{"$str": [1114112]}',
    "a text of objects": '{"$str": [{}]}',
    "an Enum of the standard library": '{"$Enum": ["re", "RegexFlag", ["DEBUG"]]}',
    "a class that is no Enum": f'{{"$Enum": ["{HERE}", "Point", "x"]}}',
    "a member that is gone": f'{{"$Enum": ["{HERE}", "Shop.Theme", "{SECRET}"]}}',
    "an attribute of an Enum": f'{{"$Enum": ["{HERE}", "Shop.Theme", "mro"]}}',
    "an Enum of nothing": '{"$Enum": []}',
    "an Enum of lists": '{"$Enum": [[], {}, 5]}',
    "a class with blanks": f'{{"$Enum": ["the {SECRET} is", "5", "x"]}}',
    "a huge Fraction": '{"$Fraction": "1e999999999"}',
    "a huge Decimal": '{"$Decimal": "1e9999999"}',
    "101 levels": "[" * 101 + "1" + "]" * 101,
    "101 objects": '{"a":' * 101 + "1" + "}" * 101,
    "101 levels, in a tuple": '{"$tuple": [' + "[" * 100 + "1" + "]" * 100 + "]}",
    "many digits": "1" * 4301,
    "many digits in a list": "[" + "1" * 4301 + "]",
    "a lone surrogate as a tag": '{"$\\ud800": 1}',
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_text_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        deserialize(text, CLASSES)
    said = "".join(traceback.format_exception(caught.value))
    assert re.search(
        "damaged|too large|more than 4300|not allowed|time zone|can't be a key|no such member",
        str(caught.value),
    )
    assert SECRET not in said and "passwd" not in said


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[" * 100 + "1" + "]" * 100, None),
        ("1" * 4300, int("1" * 4300)),
        (f'"{"1" * 5000}"', "1" * 5000),
        ('{"a": 1, "a": 2}', {"a": 2}),  # as jsonb reads it
        ('{"$date": "2026-01-01", "$date": "2026-01-02"}', datetime.date(2026, 1, 2)),
        (' {"a" :\n1}\n', {"a": 1}),
        ("1e400", float("inf")),
        ('"\\u00e9\\ud83d\\ude00"', "é😀"),
    ],
    ids=lambda it: repr(it)[:30],
)
def test_other_texts_are_read_as_json(text: str, value: object) -> None:
    read = deserialize(text)
    assert value is None or same(read, value)


@given(st.text() | st.text('{}[]",:$0123456789.eE-+ \\abcdefn', min_size=1))
def test_any_text_gives_a_value_or_our_error(text: str) -> None:
    for stored in (text, f'{{"$dict": {text}}}', f'{{"${text}": []}}'):
        try:
            repr(deserialize(stored, CLASSES))
        except InvalidValue as error:
            assert str(error).isprintable()


@pytest.mark.parametrize("value", [*STANDARD, *ENUMS])
def test_a_text_cut_at_any_character_gives_a_value_or_our_error(value: object) -> None:
    text = written(value)[:300]
    for length in range(len(text)):
        try:
            repr(deserialize(text[:length], CLASSES))
        except InvalidValue as error:
            assert str(error).isprintable()


def test_hostile_texts_are_refused_within_limits_of_time_and_memory() -> None:
    run_alone("hostile_json", "-X", "int_max_str_digits=0")
