"""What the page says of stored values that don't fit what is declared, and what it offers."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from pages import change_can, row, sent, shown, state_of
from redeclared import CHANGED, STORED

from waffleconf_admin import WaffleAdmin, i18n
from waffleconf_admin.codec import serialize

URL = "/admin/config"
CONFS: dict[str, Any] = {
    **CHANGED,
    "THEME": {"default": "light", "choices": lambda: ["light", "dark"]},
    "ASKED": {"default": 1, "type": int, "confirm": True},
    "FINE": {"default": 1},
}
ROWS: dict[str, Any] = {**STORED, "THEME": "blue", "ASKED": "x", "FINE": 2}
ATTENTION = {"LIMIT", "OPEN", "SHARE", "TOKEN", "THEME", "ASKED"}

MakeApp = Callable[..., Flask]


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    former = make_app({key: {"default": None} for key in CONFS}, WAFFLE_STORE_DEFAULTS=False)
    state_of(former).update_db(ROWS)
    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    return app


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (
            "LIMIT",
            "of another type, so it is used in a converted form: This must be a whole number",
        ),
        (
            "OPEN",
            "can’t be used, so the default is used instead: This must be yes or no (True or False)",
        ),
        ("SHARE", "is used, but it is no longer allowed: At most 100."),
        ("TOKEN", "can’t be used, so the default is used instead: No more is said about a secret."),
        ("THEME", "blue (no longer a choice)"),
    ],
)
def test_a_note_beside_the_setting_says_what_is_wrong(app: Flask, key: str, text: str) -> None:
    for _ in range(2):
        assert text in row(app.test_client().get(URL).text, key)


def test_a_value_that_needs_attention_is_not_trouble_with_other_processes(app: Flask) -> None:
    assert "use older values" not in app.test_client().get(URL).text
    assert state_of(app).health().trouble


def test_the_page_never_shows_what_was_stored_of_a_secret(app: Flask) -> None:
    assert "hunter2" not in app.test_client().get(URL).text


def test_a_filter_shows_only_what_needs_attention(app: Flask) -> None:
    for _ in range(2):
        page = app.test_client().get(f"{URL}?attention=1").text
        assert shown(page, CONFS) == ATTENTION
        assert re.search(r'aria-current="true">Needs attention 6</a>', page)
        everything = app.test_client().get(URL).text
        assert "Needs attention 6" in everything and shown(everything, CONFS) == CONFS.keys()


def test_without_such_values_there_is_no_such_filter(app: Flask) -> None:
    state_of(app).reset(ATTENTION)
    assert "Needs attention" not in app.test_client().get(URL).text
    page = app.test_client().get(f"{URL}?attention=1").text  # an address from before
    assert "Needs attention 0" in page and "Nothing here matches" in page


def test_a_search_within_what_needs_attention_keeps_to_it(app: Flask) -> None:
    page = app.test_client().get(f"{URL}?attention=1").text
    assert '<input type="hidden" name="attention" value="1">' in page
    assert shown(app.test_client().get(f"{URL}?attention=1&q=limit").text, CONFS) == {"LIMIT"}


def do(app: Flask, action: str, **typed: str) -> Any:
    client = app.test_client()
    return client.post(URL, data=sent(client.get(URL).text, **typed, **{"waffle.do": action}))


def saved(app: Flask, page: Any) -> None:
    """Save what a page shows as unsaved."""
    assert page.status_code == 200 and "not saved yet" in page.text.lower()
    client = app.test_client()
    answer = client.post(URL, data=sent(page.text))
    if answer.status_code == 200:  # a review
        answer = client.post(URL, data=sent(answer.text) | {"waffle.do": "confirm"})
    assert answer.status_code == 303


def texts(app: Flask) -> dict[str, str | None]:
    return {key: record.text for key, record in state_of(app).read().items()}


@pytest.mark.parametrize("key", ["OPEN", "TOKEN", "ASKED"])
def test_a_value_that_cannot_be_used_can_be_deleted(app: Flask, key: str) -> None:
    assert f'value="reset {key}"' in row(app.test_client().get(URL).text, key)
    before = texts(app)
    saved(app, do(app, f"reset {key}"))
    assert texts(app) == {**before, key: None}


def test_a_converted_value_can_be_stored(app: Flask) -> None:
    assert 'value="convert LIMIT"' in row(app.test_client().get(URL).text, "LIMIT")
    before = texts(app)
    saved(app, do(app, "convert LIMIT"))
    assert texts(app) == {**before, "LIMIT": serialize(25)}
    assert "wf-warning" not in row(app.test_client().get(URL).text, "LIMIT")


def test_what_is_typed_counts_more_than_the_converted_value(app: Flask) -> None:
    before = texts(app)
    saved(app, do(app, "convert LIMIT", LIMIT="30"))
    assert texts(app) == {**before, "LIMIT": serialize(30)}


def test_the_other_changes_are_neither_saved_nor_lost(app: Flask) -> None:
    before = texts(app)
    answer = do(app, "convert LIMIT", FINE="7")
    assert answer.status_code == 200 and texts(app) == before
    assert 'value="7"' in row(answer.text, "FINE")
    form = sent(answer.text) | {"waffle.do": "discard FINE"}
    saved(app, app.test_client().post(URL, data=form))
    assert texts(app) == {**before, "LIMIT": serialize(25)}


def test_an_untouched_page_writes_nothing(app: Flask) -> None:
    before = texts(app)
    assert do(app, "").status_code == 303
    assert texts(app) == before


def test_a_user_who_may_not_change_a_setting_gets_no_button(app: Flask) -> None:
    change_can(app, lambda action, setting: action == "view")
    page = app.test_client().get(URL).text
    assert "used in a converted form" in page
    assert 'value="convert' not in page and 'value="reset' not in page
    before = texts(app)
    do(app, "convert LIMIT")
    do(app, "reset OPEN")
    assert texts(app) == before


def test_the_note_is_in_the_language_of_its_reader(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    Babel(app)

    class Translations:
        def gettext(self, text: str) -> str:
            return {"This must be %(noun)s, not %(type)s.": "Deberá ser %(noun)s"}.get(text, text)

        def ngettext(self, one: str, many: str, count: int) -> str:
            return one if count == 1 else many

    state_of(app).update_conf()  # with nobody to read it
    monkeypatch.setattr(i18n, "_translations", Translations)
    assert "Deberá ser" in row(app.test_client().get(URL).text, "LIMIT")


class Right(enum.Flag):
    READ = 1
    WRITE = 2


#: A value of before, and a declaration whose control has no text for it.
UNFIT: list[tuple[Any, dict[str, Any]]] = [
    (1, {"default": [1], "choices": lambda: [0, 1]}),
    (3, {"default": ["Mon"], "choices": ["Mon", "Tue"]}),
    (3, {"default": Right.READ}),
    ("a", {"default": Right.READ}),
    ([], {"default": Right.READ}),
    ("ab", {"default": ["a"], "choices": ["a", "b"]}),
    (["\ud800"], {"default": ["x"]}),
    ({"a": "\ud800"}, {"default": {}}),
]


@pytest.mark.parametrize(("value", "entry"), UNFIT)
def test_a_value_that_no_control_fits_breaks_no_page_and_no_command(
    make_app: MakeApp, value: Any, entry: dict[str, Any]
) -> None:
    former = state_of(make_app({"KEY": {"default": None}}, history=True))
    former.update_db({"KEY": value})
    app = make_app({"KEY": entry}, history=True)
    app.register_blueprint(WaffleAdmin())
    client, runner = app.test_client(), app.test_cli_runner()
    for path in ("", "/history"):
        assert client.get(URL + path).status_code == 200
    for command in ("get KEY", "list --json", "history --json", "export", "explain KEY", "check"):
        result = runner.invoke(args=["waffle", *command.split()])
        assert result.exception is None or isinstance(result.exception, SystemExit), command
    state_of(app).reset(["KEY"])
    assert client.get(f"{URL}/history").status_code == 200
