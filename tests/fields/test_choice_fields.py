"""Fields for one or several of the choices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from controls import field, read, tags
from flask import Flask
from pages import sent
from submissions import Page

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.fields.binding import process_values
from waffleconf_admin.settings.equality import same


def test_choices_keep_their_types() -> None:
    entry = {"default": 1, "choices": [1, "1", True, 1.0, None, ("b", "Bee")]}
    made = field(**entry)
    texts = [text for text, _ in made.options()]
    assert len(set(texts)) == 6
    for text, choice in zip(texts, made.setting.list_choices() or (), strict=True):
        assert same(read(text, **entry), choice.value)


@pytest.mark.parametrize("value", ["a\rb", "a\0b", "\ud800", "x" * 5000, "", "a\nb"])
def test_a_choice_that_html_would_spoil_goes_by_another_text(value: str) -> None:
    entry = {"default": value, "choices": [value, "other"]}
    [text, _] = [text for text, _ in field(**entry).options()]
    assert read(text, **entry) == value
    assert not set(text) & {"\r", "\0"}
    assert len(text.encode()) < 4000


def test_a_stored_value_that_is_no_choice_any_more_is_offered_as_such_but_not_accepted() -> None:
    made = field("old", default="a", choices=["a", "b"])
    assert made.editable
    assert made.options()[-1] == ("old", "old (no longer a choice)")
    assert [button.checked for button in made] == [False, False, True]
    process_values(made, ["old"])
    assert made.process_errors == ["This is not one of the choices."]


@pytest.mark.parametrize(("count", "control"), [(2, "radio"), (4, "radio"), (5, "select")])
def test_few_choices_are_radio_buttons_and_many_a_select(count: int, control: str) -> None:
    made = field(default=0, choices=list(range(count)))
    assert made.control == control
    checked = [attrs for _, attrs in tags(made()) if "checked" in attrs or "selected" in attrs]
    assert [attrs["value"] for attrs in checked] == ["0"]
    names = {attrs.get("name") for _, attrs in tags(made())} - {None}
    assert names == {"KEY"}


def test_a_select_has_what_was_sent_though_it_is_no_choice() -> None:
    made = field(default=0, choices=list(range(5)))
    process_values(made, ["7"])
    assert [attrs["value"] for _, attrs in tags(made()) if "selected" in attrs] == ["7"]


def test_radio_buttons_can_be_placed_one_by_one() -> None:
    buttons = list(field(default="b", choices=["a", ("b", "<Bee>")]))
    assert [button.label.text for button in buttons] == ["a", "<Bee>"]
    html = [tags(button(class_="x"))[0][1] for button in buttons]
    assert [("checked" in attrs, attrs["value"]) for attrs in html] == [(False, "a"), (True, "b")]
    assert len({attrs["id"] for attrs in html}) == 2


def test_choices_that_can_not_be_listed_make_it_static(caplog: pytest.LogCaptureFixture) -> None:
    made = field(default="a", choices=lambda: 1 / 0)
    assert "at the moment" in made.reason
    assert "ZeroDivisionError" in caplog.text


def test_several_choices_keep_their_order_and_new_ones_follow() -> None:
    made = field(["c", "a"], default=[], choices=list("abcd"))
    assert [attrs["type"] for _, attrs in tags(made()) if "type" in attrs] == [
        "hidden", "checkbox", "checkbox", "checkbox", "checkbox",
    ]  # fmt: skip
    assert made.display(made.data) == "c, a"
    process_values(made, ["", "a", "b", "c"])
    assert made.data == ["c", "a", "b"]


def test_a_choice_without_a_text_has_a_label() -> None:
    made = field(default="", choices=["", " ", "a"])
    assert [label for _, label in made.options()] == ["(blank)", "(blank)", "a"]


def test_what_is_no_choice_any_more_is_kept_or_unticked() -> None:
    made = field(["a", "old"], default=["a"], choices=["a", "b"])
    assert [button.label.text for button in made] == ["a", "b", "old (no longer a choice)"]
    assert [button.checked for button in made] == [True, False, True]
    process_values(made, ["", "a", "b", "old"])
    assert made.process_errors == ["“old” is not one of the choices."]
    process_values(made, ["", "a", "b"])
    assert made.data == ["a", "b"]


def test_choices_are_asked_at_each_request(make_app: Callable[..., Flask]) -> None:
    choices = ["a", "b"]
    app = make_app({"KEY": {"default": "a", "choices": lambda: list(choices)}})
    page = Page(app)
    choices[:] = ["b", "c"]
    assert page.send(KEY="a").errors == {}  # untouched: kept, though it is none any more
    assert [text for text, _ in Page(app).form["KEY"].options()] == ["b", "c", "a"]
    assert page.send(KEY="c").changes == {"KEY": "c"}
    choices[:] = ["b"]
    assert Page(app).send(KEY="a").errors == {"KEY": ["This is not one of the choices."]}
    assert app.extensions["waffleconf"].parse_conf() == {"KEY": "c"}


class Item:
    """A choice that counts how often one is compared."""

    compared = 0

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return f"item {self.number}"

    def __eq__(self, other: object) -> bool:
        Item.compared += 1
        return isinstance(other, Item) and self.number == other.number

    def __hash__(self) -> int:
        return self.number


def test_the_comparisons_of_a_request_grow_with_the_choices_and_not_with_their_square(
    make_app: Callable[..., Flask],
) -> None:
    counts = []
    for size in (15, 60):
        choices = list(map(Item, range(size)))
        entry = {"default": [], "choices": lambda choices=choices: choices}
        app = make_app({"KEY": entry}, WAFFLE_CLASSES=[Item])
        app.register_blueprint(WaffleAdmin())
        client, state = app.test_client(), app.extensions["waffleconf"]
        with app.app_context():
            state.update_db({"KEY": choices[::-1]})
        Item.compared = 0
        page = client.get("/admin/config").text
        fewer = ["", *(str(item) for item in choices[1:])]
        assert client.post("/admin/config", data=sent(page, KEY=fewer)).status_code == 303
        assert app.test_cli_runner().invoke(args=["waffle", "export"]).exit_code == 0
        del choices[size // 2 :]
        client.get("/admin/config")  # half of what is stored is no longer a choice
        counts.append(Item.compared)
    assert counts[1] < 5 * counts[0]
