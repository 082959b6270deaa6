"""Choices in every shape in which WTForms takes them, and rows of a query."""

from __future__ import annotations

import collections
import enum
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from controls import field
from flask import Flask
from flask_babel import lazy_gettext
from markupsafe import Markup
from pages import row, sent, state_of

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.codec import serialize
from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.plain import plain
from waffleconf_admin.settings.choices import choice_list
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.equality import same

URL = "/admin/config"
MakeApp = Callable[..., Flask]

Pair = collections.namedtuple("Pair", "value label")


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Corner(tuple[int, int], enum.Enum):
    """Members that are two numbers each."""

    TOP = (0, 1)
    END = (1, 0)


GERMANY, FRANCE = ("de", "Germany", ""), ("fr", "France", "")
IN_EUROPE = [("de", "Germany", "Europe"), ("fr", "France", "Europe")]


@pytest.mark.parametrize(
    ("choices", "found"),
    [
        (["de", "fr"], [("de", None, ""), ("fr", None, "")]),
        ([("de", "Germany"), ("fr", "France")], [GERMANY, FRANCE]),
        ((["de", "Germany"], ["fr", "France"]), [GERMANY, FRANCE]),
        ([Pair("de", "Germany"), Pair("fr", "France")], [GERMANY, FRANCE]),
        ({"de": "Germany", "fr": "France"}, [GERMANY, FRANCE]),
        ({"de": "Germany", "fr": "France"}.items(), [GERMANY, FRANCE]),
        ((pair for pair in [("de", "Germany"), ("fr", "France")]), [GERMANY, FRANCE]),
        ([("de", "Germany", {"class": "x"}), ("fr", "France", {})], [GERMANY, FRANCE]),
        ({"Europe": [("de", "Germany"), ("fr", "France")]}, IN_EUROPE),
        ({"Europe": {"de": "Germany", "fr": "France"}}, IN_EUROPE),
        ([("Europe", [("de", "Germany"), ("fr", "France")])], IN_EUROPE),
        (
            {"": ["x"], "Europe": ["de"], "Asia": ["jp"]},
            [("x", None, ""), ("de", None, "Europe"), ("jp", None, "Asia")],
        ),
        (range(1, 3), [(1, None, ""), (2, None, "")]),
        (Size, [(Size.SMALL, None, ""), (Size.LARGE, None, "")]),
        (Corner, [(Corner.TOP, None, ""), (Corner.END, None, "")]),
        (["ab", b"ab", (1, 2, 3)], [("ab", None, ""), (b"ab", None, ""), ((1, 2, 3), None, "")]),
        ({"fr", 5, "de"}, [(5, None, ""), ("de", None, ""), ("fr", None, "")]),
        ([], []),
        ({}, []),
    ],
)  # fmt: skip
def test_every_shape_is_a_list_of_choices(choices: Any, found: list[Any]) -> None:
    assert choice_list(choices) == found


def test_a_choice_that_is_markup_is_its_text() -> None:
    found = choice_list(["a", Markup("b"), (Markup("<c>"), "C")])
    assert [(type(choice.value), choice.value) for choice in found] == [
        (str, "a"),
        (str, "b"),
        (str, "<c>"),
    ]


class Celsius(float):
    pass


class Scalar(int):
    """What NumPy makes of a number: a class of its own, with the number in it."""

    dtype, ndim = SimpleNamespace(kind="i"), 0

    def item(self) -> int:
        return int(self)


class LongDouble:
    """What NumPy makes of a number that no type of Python can hold."""

    dtype, ndim = SimpleNamespace(kind="f"), 0

    def item(self) -> LongDouble:
        return LongDouble()


def make(number: int) -> Any:
    return Made(number)


class Made(Scalar):
    """A number whose pickle names a function."""

    def __reduce__(self) -> Any:
        return make, (int(self),)


class Unreadable:
    """A value whose pickle names a function, and which is no number."""

    def __reduce__(self) -> Any:
        return make, (1,)


@pytest.mark.parametrize(
    ("declared", "given", "saved"),
    [
        ({"default": "a", "choices": ["a", "b"]}, Markup("b"), "b"),
        ({"default": Markup("a"), "choices": [Markup("a"), (Markup("b"), "B")]}, Markup("b"), "b"),
        ({"default": ["a"], "choices": ["a", "b"]}, [Markup("b")], ["b"]),
        ({"default": ("a",), "choices": ["a", "b"]}, (Markup("b"), "a"), ("b", "a")),
        ({"default": "a", "type": str}, Markup("b"), "b"),
        ({"default": "a", "max": 5}, Markup("b"), "b"),
        ({"default": 1, "choices": [Scalar(1), Scalar(2)]}, Scalar(2), 2),
        ({"default": Scalar(1), "min": 1}, Scalar(2), 2),
        ({"default": {1}, "choices": [1, 2]}, {Scalar(2)}, {2}),
        ({"default": {}, "type": dict[str, int]}, {Markup("a"): Scalar(2)}, {"a": 2}),
        ({"default": {}, "type": dict}, {"a": [{"b": (Scalar(2),)}]}, {"a": [{"b": (2,)}]}),
        ({"default": [], "type": list[str]}, [Markup("b"), "c"], ["b", "c"]),
    ],
)
@pytest.mark.parametrize("serializer", ["json", "pickle"])
def test_code_may_give_what_templates_and_numpy_make_of_a_value(
    make_app: MakeApp, serializer: str, declared: Any, given: Any, saved: Any
) -> None:
    app = make_app({"KEY": declared}, WAFFLE_SERIALIZER=serializer)
    state = app.extensions["waffleconf"]
    assert same(app.config["KEY"], state.settings["KEY"].default)
    assert same(state.update_db({"KEY": given})["KEY"], saved)
    assert same(app.config["KEY"], saved) and same(state.parse_conf()["KEY"], saved)
    assert not state.update_db({"KEY": given})  # it is the same value
    default = state.settings["KEY"].default
    assert same(state.update_db({"KEY": default}, expected={"KEY": given})["KEY"], default)


def test_a_default_that_only_python_takes_for_a_choice_is_named() -> None:
    remedy = "default has the type float, the choice equal to it Celsius: take one"
    with pytest.raises(InvalidValue, match=f"KEY: choices: the {remedy}"):
        declare({"KEY": {"default": 1.5, "choices": [Celsius(1.5)]}})


def test_where_any_value_is_allowed_markup_stays_markup(make_app: MakeApp) -> None:
    app = make_app({"KEY": {"default": "a"}}, WAFFLE_CLASSES=[Markup])
    app.extensions["waffleconf"].update_db({"KEY": Markup("b")})
    assert same(app.extensions["waffleconf"].parse_conf()["KEY"], Markup("b"))


@pytest.mark.parametrize(
    ("value", "expression"),
    [
        (Markup("b"), "str(value)"),
        (lazy_gettext("b"), "str(value)"),
        ([{"x": Scalar(1)}], "value.item()"),
        (Celsius(1.5), "float(value)"),
    ],
)
def test_json_says_what_to_pass_for_a_value_of_another_class(value: Any, expression: str) -> None:
    with pytest.raises(InvalidValue) as error:
        serialize(value, format="json")
    assert f": pass {expression}, or set WAFFLE_SERIALIZER = 'pickle'" in str(error.value)


def test_what_holds_itself_is_made_plain_once() -> None:
    shared: list[Any] = [Scalar(1)]
    made: Any = plain({"a": shared, "b": shared})
    assert same(made, {"a": [1], "b": [1]}) and made["a"] is made["b"]
    assert same(plain([{"n": Scalar(n)} for n in range(50)]), [{"n": n} for n in range(50)])
    shared[:] = [shared, shared]
    assert plain(shared) is shared
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert plain(deep) is deep


@pytest.mark.parametrize(
    ("value", "classes", "remedy"),
    [
        (Scalar(1), [], r"To allow it: WAFFLE_CLASSES = \[Scalar\]"),
        (LongDouble(), [], r"To allow it: WAFFLE_CLASSES = \[LongDouble\]"),
        (Made(1), [], r"nothing was saved\. Pass value\.item\(\)\."),
        (Made(1), [Made], r"nothing was saved\. Pass value\.item\(\)\."),
        ({"a": [Made(1)]}, [], r"nothing was saved\. Pass value\.item\(\)\."),
        (Unreadable(), [], r"nothing was saved$"),
    ],
)
def test_a_remedy_that_would_not_help_is_not_suggested(
    make_app: MakeApp, value: Any, classes: list[type], remedy: str
) -> None:
    """Pickles of NumPy's numbers name a function that makes them, which no class allows."""
    state = make_app({"KEY": {"default": None}}, WAFFLE_CLASSES=classes).extensions["waffleconf"]
    with pytest.raises(InvalidValue, match=remedy):
        state.update_db({"KEY": value})


def test_a_number_that_python_can_not_hold_stays_itself() -> None:
    number = LongDouble()
    assert plain(number) is number and plain([number]) == [number]
    with pytest.raises(InvalidValue) as error:
        serialize(number, format="json")
    assert "value.item()" not in str(error.value)


@pytest.mark.parametrize(
    ("choices", "remedy"),
    [
        ("de", "write a list"),
        ([lazy_gettext("Dark")], r"a lazy text, .* write .*\(.dark., lazy_gettext"),
        (5, "write a list of values or of .* not int"),
        (iter(()), "nothing is left in this generator"),
        ((1 / 0 for _ in "x"), "ZeroDivisionError.*write a function"),
    ],
)
def test_what_can_not_be_read_says_what_to_write(choices: Any, remedy: str) -> None:
    with pytest.raises(InvalidValue, match=f"KEY: choices: .*{remedy}"):
        declare({"KEY": {"default": None, "choices": choices}})


def test_a_generator_is_read_once_when_it_is_declared() -> None:
    made = declare({"KEY": {"default": "a", "choices": (letter for letter in "ab")}})["KEY"]
    for _ in range(2):
        assert [choice.value for choice in made.list_choices() or ()] == ["a", "b"]


def rows_of(app: Flask, orm: str, columns: int) -> Any:
    """The countries as an app would select them."""
    names = ["code", "name"][:columns]
    if orm == "peewee":
        return app.countries.select(*(getattr(app.countries, n) for n in names)).tuples()  # type: ignore[attr-defined]
    table = sa.table("country", *(sa.column(name) for name in names))
    return app.waffle_db.session.execute(sa.select(table).order_by(table.c.code)).all()  # type: ignore[attr-defined]


@pytest.fixture
def app(make_app: MakeApp, orm: str) -> Flask:
    """An app whose choices are rows of its database; `app.columns` says how many columns."""
    confs = {"COUNTRY": {"default": "de", "choices": lambda: rows_of(app, orm, app.columns)}}  # type: ignore[attr-defined]
    app = make_app(confs, orm, WAFFLE_STORE_DEFAULTS=False)
    app.columns = 2  # type: ignore[attr-defined]
    app.register_blueprint(WaffleAdmin())
    countries = [("de", "Germany"), ("fr", "France"), ("jp", "Japan"), ("pe", "Peru"), ("x", "X")]
    with app.app_context():
        if orm == "peewee":
            import peewee

            class Country(peewee.Model):  # type: ignore[misc]
                class Meta:
                    database = app.waffle_db  # type: ignore[attr-defined]

                code = peewee.CharField(primary_key=True)
                name = peewee.CharField()

            app.countries = Country  # type: ignore[attr-defined]
            with app.waffle_db.connection_context():  # type: ignore[attr-defined]
                app.waffle_db.create_tables([Country])  # type: ignore[attr-defined]
                Country.insert_many(countries).execute()
        else:
            with app.waffle_db.engine.begin() as connection:  # type: ignore[attr-defined]
                connection.execute(sa.text("create table country(code text, name text)"))
                for code, name in countries:
                    statement = sa.text("insert into country values(:code, :name)")
                    connection.execute(statement, {"code": code, "name": name})
    return app


def test_rows_of_a_query_are_values_with_labels(app: Flask) -> None:
    client = app.test_client()
    page = client.get(URL).text
    assert '<option value="fr">France</option>' in page
    assert client.post(URL, data=sent(page, COUNTRY="fr")).status_code == 303
    assert app.config["COUNTRY"] == "fr"
    assert state_of(app).update_db({"COUNTRY": "de"})
    assert app.test_cli_runner().invoke(args=["waffle", "set", "COUNTRY", "jp"]).exit_code == 0
    assert state_of(app).parse_conf() == {"COUNTRY": "jp"}


def test_rows_of_one_column_are_told(
    app: Flask, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app.columns = 1  # type: ignore[attr-defined]
    with pytest.raises(InvalidValue, match="COUNTRY: "):
        state_of(app).update_db({"COUNTRY": "fr"})
    if orm == "sqlalchemy":  # peewee's are tuples, which may be meant
        assert "a row of 1: select two columns, the value and its label" in caplog.text


def test_groups_are_groups_of_the_list(make_app: MakeApp) -> None:
    choices = {"": [("x", "Anywhere")], "Europe": [("de", "Germany")], "<Asia>": [("jp", "Japan")]}
    app = make_app({"COUNTRY": {"default": "de", "choices": choices}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    for _ in range(2):
        html = row(client.get(URL).text, "COUNTRY")
        assert re.sub(r"<select[^>]*>", "<select>", html[html.index("<select") :]).startswith(
            '<select><option value="x">Anywhere</option>'
            '<optgroup label="Europe"><option value="de" selected>Germany</option></optgroup>'
            '<optgroup label="&lt;Asia&gt;"><option value="jp">Japan</option></optgroup></select>'
        )
    assert client.post(URL, data=sent(client.get(URL).text, COUNTRY="jp")).status_code == 303
    assert app.config["COUNTRY"] == "jp"


def test_groups_are_headings_of_check_boxes() -> None:
    made = field(["a"], default=["a"], choices={"": ["x"], "<One>": ["a"], "Two": ["b", "c"]})
    html = re.sub("<input[^>]*> *", "", made.labelled_inputs())
    assert html == (
        "<label>x</label><fieldset><legend>&lt;One&gt;</legend><label>a</label></fieldset>"
        "<fieldset><legend>Two</legend><label>b</label><label>c</label></fieldset>"
    )
    ids = re.findall(r' id="([^"]*)"', made.labelled_inputs())
    assert ids == [each.id for each in made]


def test_an_enum_as_choices_is_that_enum(make_app: MakeApp) -> None:
    app = make_app({"SIZE": {"default": Size.SMALL, "choices": Size}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    assert client.post(URL, data=sent(client.get(URL).text, SIZE="LARGE")).status_code == 303
    assert app.config["SIZE"] is Size.LARGE
