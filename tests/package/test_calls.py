"""The app's own functions: called inside its context, and awaited where they are asynchronous."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app, has_app_context
from pages import sent
from werkzeug.datastructures import MultiDict
from wtforms import StringField, ValidationError

from waffleconf_admin import InvalidValue, WaffleAdmin, anyone, build_form, conf_changed
from waffleconf_admin.calls import NotAwaited, call, check
from waffleconf_admin.fields import TextField

URL = "/admin/config"
CONFS: dict[str, Any] = {"SITENAME": {"default": "Waffle"}}

MakeApp = Callable[..., Flask]


def state_of(app: Flask) -> Any:
    return app.extensions["waffleconf"]


# In which shapes people write them


def plain(function: Any) -> Any:
    return function


def asynchronous(function: Any) -> Any:
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        await asyncio.sleep(0)
        return function(*args, **kwargs)

    return awaited


class Callable_:
    """An object with an asynchronous call."""

    def __init__(self, function: Any) -> None:
        self.function = function

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    async def method(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


def decorated(function: Any) -> Any:
    inside = asynchronous(function)

    @functools.wraps(inside)
    def outside(*args: Any, **kwargs: Any) -> Any:
        return inside(*args, **kwargs)

    return outside


SHAPES: dict[str, Callable[[Any], Any]] = {
    "plain": plain,
    "async": asynchronous,
    "partial": lambda function: functools.partial(asynchronous(function)),
    "object": Callable_,
    "partial of an object": lambda function: functools.partial(Callable_(function)),
    "method": lambda function: Callable_(function).method,
    "decorated": decorated,
}


def unawaited(function: Any) -> Any:
    """A function without async that returns a coroutine."""
    inside = asynchronous(function)
    return lambda *args, **kwargs: inside(*args, **kwargs)


shapes = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())


def in_a_script(app: Flask, function: Callable[[], Any]) -> Any:
    assert not has_app_context()
    return function()


def in_a_view(app: Flask, function: Callable[[], Any]) -> Any:
    with app.test_request_context():
        return function()


def in_an_async_view(app: Flask, function: Callable[[], Any]) -> Any:
    """Where an event loop is running in the thread already."""

    async def view() -> Any:
        return function()

    with app.test_request_context():
        return app.ensure_sync(view)()


PLACES = [in_a_script, in_a_view, in_an_async_view]
places = pytest.mark.parametrize("place", PLACES)


def here(app: Flask) -> None:
    """Fails outside the app's own context."""
    assert current_app._get_current_object() is app  # type: ignore[attr-defined]


@shapes
@places
def test_a_function_runs_in_the_context_of_the_app_and_is_awaited(shape: Any, place: Any) -> None:
    app, other = Flask("shop"), Flask("other")

    def function(*args: Any, **kwargs: Any) -> Any:
        here(app)
        return args, kwargs

    made = shape(function)
    assert place(app, lambda: call(app, made, 1, b=2)) == ((1,), {"b": 2})
    with other.app_context():
        assert call(app, made, 1) == ((1,), {})


@shapes
@places
def test_what_it_raises_is_raised(shape: Any, place: Any) -> None:
    app = Flask("shop")

    def function() -> None:
        raise LookupError("why")

    with pytest.raises(LookupError, match="why"):
        place(app, lambda: call(app, shape(function)))


def test_a_plain_function_that_returns_a_coroutine_is_an_error_that_names_it() -> None:
    """And the coroutine is closed: what warns fails a test."""
    app = Flask("shop")
    with pytest.raises(NotAwaited, match="<lambda> returned an awaitable: write it as"):
        call(app, unawaited(lambda: True))
    gc.collect()


@pytest.mark.parametrize("shape", list(SHAPES.values())[1:-1], ids=list(SHAPES)[1:-1])
def test_without_asgiref_it_is_refused_at_the_start(
    shape: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    check(Flask("shop"), shape(print), "can=")
    monkeypatch.setitem(sys.modules, "asgiref", None)
    with pytest.raises(TypeError, match=r'^can= is an async.* pip install "Flask\[async\]"'):
        check(Flask("shop"), shape(print), "can=")
    check(Flask("shop"), print, "can=")

    class Own(Flask):
        """An app that awaits in its own way, as Flask's documentation shows for gevent."""

        def async_to_sync(self, func: Any) -> Any:
            return func

    check(Own("shop"), shape(print), "can=")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("can=", {"can": asynchronous(anyone)}),
        ("actor=", {"actor": asynchronous(anyone)}),
        ("WAFFLE_CAN", {"config": {"WAFFLE_CAN": asynchronous(anyone)}}),
        ("validate=", {"validate": asynchronous(anyone)}),
        ("SITENAME: choices", {"entry": {"choices": asynchronous(anyone)}}),
        ("SITENAME: validators", {"entry": {"validators": [asynchronous(anyone)]}}),
        ("SITENAME: field", {"entry": {"field": asynchronous(anyone)}}),
        ("SITENAME: confirm", {"entry": {"confirm": asynchronous(anyone)}}),
    ],
)
def test_the_error_names_the_argument(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, name: str, options: dict[str, Any]
) -> None:
    monkeypatch.setitem(sys.modules, "asgiref", None)
    page = {key: options[key] for key in ("can", "actor") if key in options}
    with pytest.raises(TypeError, match=f"^{name}"):
        app = make_app(
            {"SITENAME": {"default": "Waffle", **options.get("entry", {})}},
            validate=options.get("validate"),
            **options.get("config", {}),
        )
        app.register_blueprint(WaffleAdmin(**page))


def test_choices_that_yield_asynchronously_are_refused(make_app: MakeApp) -> None:
    async def choices() -> Any:
        yield "a"

    with pytest.raises(TypeError, match=r"SITENAME: choices: .* let it return a list"):
        make_app({"SITENAME": {"default": "a", "choices": choices}})


def test_functions_of_a_thread_that_are_async_are_refused(make_app: MakeApp) -> None:
    async def watch(state: Any) -> None:
        pass

    with pytest.raises(TypeError, match="WAFFLE_WATCHTYPE"):
        make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE=(watch, print))


# Where people write them


@shapes
@pytest.mark.parametrize("answer", [True, False])
@pytest.mark.parametrize("where", ["can", "WAFFLE_CAN"])
def test_can(make_app: MakeApp, shape: Any, answer: bool, where: str) -> None:
    def can(action: str, setting: Any) -> bool:
        here(app)
        return answer

    made = shape(can)
    app = make_app(CONFS, **({"WAFFLE_CAN": made} if where == "WAFFLE_CAN" else {}))
    app.register_blueprint(WaffleAdmin(can=made if where == "can" else None))
    assert app.test_client().get(URL).status_code == (200 if answer else 403)


def test_can_that_nobody_awaits_allows_nothing_and_is_told(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, PROPAGATE_EXCEPTIONS=False)
    app.register_blueprint(WaffleAdmin(can=unawaited(anyone)))
    assert app.test_client().get(URL).status_code == 500
    assert "returned an awaitable" in caplog.text


@shapes
def test_actor(make_app: MakeApp, orm: str, shape: Any) -> None:
    def actor() -> str:
        here(app)
        return "ana"

    app = make_app(CONFS, orm, history=True)
    app.register_blueprint(WaffleAdmin(actor=shape(actor)))
    client = app.test_client()
    answer = client.post(URL, data=sent(client.get(URL).text, SITENAME="New"))
    assert answer.status_code == 303
    assert [change.actor for change in state_of(app).history.list()] == ["ana"]


def test_an_actor_that_nobody_awaits_saves_nothing(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True, PROPAGATE_EXCEPTIONS=False)
    app.register_blueprint(WaffleAdmin(actor=unawaited(lambda: "ana")))
    client = app.test_client()
    answer = client.post(URL, data=sent(client.get(URL).text, SITENAME="New"))
    assert answer.status_code == 500
    assert state_of(app).parse_conf() == {"SITENAME": "Waffle"}


def short(form: Any, field: Any) -> None:
    if len(field.data) > 5:
        raise ValidationError("Too long.")


@shapes
def test_confirm(make_app: MakeApp, shape: Any) -> None:
    def confirm(old: object, new: object) -> str:
        here(app)
        return f"From {old} to {new}."

    app = make_app({"SITENAME": {"default": "Waffle", "confirm": shape(confirm)}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data=sent(client.get(URL).text, SITENAME="New")).text
    assert "From Waffle to New." in page


@shapes
@places
def test_validators(make_app: MakeApp, shape: Any, place: Any) -> None:
    def validator(form: Any, field: Any) -> None:
        here(app)
        short(form, field)

    app = make_app({"SITENAME": {"default": "a", "validators": [shape(validator)]}})
    save = state_of(app).update_db
    assert place(app, lambda: save({"SITENAME": "Bar"})) == {"SITENAME": "Bar"}
    with pytest.raises(InvalidValue, match="Too long"):
        place(app, lambda: save({"SITENAME": "Bakery"}))


def test_validators_of_a_field_and_of_a_view_are_awaited_too(make_app: MakeApp) -> None:
    made = asynchronous(short)
    confs = {
        "OWN": {"default": "a", "field": lambda setting: StringField(validators=[made])},
        "VIEWS": {"default": "a"},
    }
    app = make_app(confs)
    with app.test_request_context(method="POST", data={"OWN": "Bakery", "VIEWS": "Bakery"}):
        form = build_form(state_of(app))
        assert not form.validate({"VIEWS": [made]})
        assert form.errors == {"OWN": ["Too long."], "VIEWS": ["Too long."]}


def test_a_validator_that_nobody_awaits_lets_nothing_through(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    entry = {"default": "a", "validators": [unawaited(short)], "secret": True}
    app = make_app({"SITENAME": entry})
    with pytest.raises(InvalidValue, match="could not be checked"):
        state_of(app).update_db({"SITENAME": "Bar"})
    assert "returned an awaitable" in caplog.text


@shapes
@places
def test_validate(make_app: MakeApp, shape: Any, place: Any) -> None:
    def validate(values: dict[str, Any]) -> dict[str, str]:
        here(app)
        return {"SITENAME": "Not that."} if values["SITENAME"] == "Bad" else {}

    app = make_app(CONFS, validate=shape(validate))
    save = state_of(app).update_db
    assert place(app, lambda: save({"SITENAME": "Bar"})) == {"SITENAME": "Bar"}
    with pytest.raises(InvalidValue, match="Not that"):
        place(app, lambda: save({"SITENAME": "Bad"}))


def test_rules_that_nobody_awaits_are_told(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, validate=unawaited(lambda values: {}))
    with pytest.raises(InvalidValue, match="could not be checked"):
        state_of(app).update_db({"SITENAME": "Bar"})
    assert "returned an awaitable" in caplog.text


@shapes
@places
def test_choices(make_app: MakeApp, shape: Any, place: Any) -> None:
    def choices() -> list[tuple[str, str]]:
        here(app)
        return [("a", "Apple"), ("b", "Bear")]

    app = make_app({"PICK": {"default": "a", "choices": shape(choices)}})
    save = state_of(app).update_db
    assert place(app, lambda: save({"PICK": "b"})) == {"PICK": "b"}
    with pytest.raises(InvalidValue, match="not one of the choices"):
        place(app, lambda: save({"PICK": "c"}))


@shapes
def test_makers_of_fields(make_app: MakeApp, shape: Any) -> None:
    class Own(TextField):
        html_attributes = {"data-own": "yes"}

    def maker(setting: Any) -> Any:
        here(app)
        return Own

    app = make_app({"ONE": {"default": "a", "field": shape(maker)}, "TWO": {"default": "b"}})
    app.register_blueprint(WaffleAdmin(fields={str: shape(maker)}))
    assert app.test_client().get(URL).text.count('data-own="yes"') == 2
    assert "data-own" in str(build_form(state_of(app))["ONE"]())  # its own, on any page


@shapes
@places
def test_receivers_of_conf_changed(make_app: MakeApp, shape: Any, place: Any) -> None:
    heard: list[Any] = []

    def receiver(sender: Flask, changes: Any, origin: str, **_: Any) -> None:
        here(app)
        heard.append((sender, changes, origin))

    app, made = make_app(CONFS), shape(receiver)
    with conf_changed.connected_to(made, app):
        place(app, lambda: state_of(app).update_db({"SITENAME": "Bar"}))
    assert heard == [(app, {"SITENAME": ("Waffle", "Bar")}, "local")]


def test_a_receiver_that_nobody_awaits_is_told(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app, made = make_app(CONFS), unawaited(print)
    with conf_changed.connected_to(made, app):
        state_of(app).update_db({"SITENAME": "Bar"})
    assert "returned an awaitable" in caplog.text


@shapes
def test_who_may_edit_in_a_form_of_the_apps_own(make_app: MakeApp, shape: Any) -> None:
    app = make_app(CONFS)
    form = build_form(state_of(app), editable=shape(lambda setting: False))
    assert not form["SITENAME"].editable
    with pytest.raises(NotAwaited):  # it is asked when the field is
        _ = build_form(state_of(app), editable=unawaited(lambda setting: False))["SITENAME"]


@pytest.mark.parametrize("answer", [None, 1, "no", [True]])
def test_only_true_lets_a_form_of_the_apps_own_edit(make_app: MakeApp, answer: Any) -> None:
    form = build_form(state_of(make_app(CONFS)), editable=lambda setting: answer)
    assert not form["SITENAME"].editable


# From a script


@pytest.fixture
def script(make_app: MakeApp, orm: str) -> Flask:
    """An app whose choices, validators and rules read its database, as a script has it."""

    def names() -> list[str]:
        here(app)
        if orm == "peewee":
            return [row.key for row in app.waffle_model.select()] or ["a"]  # type: ignore[attr-defined]
        return [row.key for row in app.waffle_model.query.all()] or ["a"]  # type: ignore[attr-defined]

    def known(form: Any, field: Any) -> None:
        if field.data not in names():
            raise ValidationError("Not a row.")

    confs = {
        "PICK": {"default": "a", "choices": lambda: [*names(), "a"]},
        "CHECKED": {"default": "a", "validators": [known]},
    }
    app = make_app(
        confs,
        orm,
        history=True,
        validate=lambda values: {} if names() else {"PICK": "No rows."},
        WAFFLE_STORE_DEFAULTS=False,
    )
    return app


def test_a_script_without_a_context_saves_resets_and_undoes(script: Flask) -> None:
    state = state_of(script)
    saved = state.update_db({"PICK": "a"})
    assert state.update_db({"CHECKED": "PICK", "PICK": "PICK"})
    with pytest.raises(InvalidValue, match="Not a row"):
        state.update_db({"CHECKED": "b"})
    assert state.reset(["CHECKED"]) == {"CHECKED": "a"}
    undone = {change.change_set for change in state.history.list("CHECKED", limit=1)}
    assert state.history.undo(undone.pop()) == {"CHECKED": "PICK"}
    assert saved.change_set and not has_app_context()


def test_a_script_without_a_context_has_the_form(script: Flask) -> None:
    state = state_of(script)
    state.update_db({"PICK": "a"})
    form = build_form(state, formdata=None)
    assert [text for text, _ in form["PICK"].options()] == ["PICK", "a"]
    assert all(str(field()) and field.editable for field in form)
    form = build_form(state, formdata=MultiDict({"PICK": "PICK", "CHECKED": "none"}))
    assert not form.validate()
    assert form.changes == {"PICK": "PICK"} and "CHECKED" in form.errors
    assert state.update_db(form.changes, expected=form.expected) == {"PICK": "PICK"}


@pytest.mark.parametrize("value", ["PICK", "a"])
def test_the_command_line_asks_the_database_too(script: Flask, value: str) -> None:
    state_of(script).update_db({"PICK": "a"})
    result = script.test_cli_runner().invoke(args=["waffle", "set", "PICK", value])
    assert result.exit_code == 0, result.output
    result = script.test_cli_runner().invoke(args=["waffle", "set", "PICK", "none"])
    assert "Choices: PICK, a." in result.output


def test_an_async_view_can_save(make_app: MakeApp, orm: str) -> None:
    async def known(form: Any, field: Any) -> None:
        await asyncio.sleep(0)
        short(form, field)

    app = make_app({"SITENAME": {"default": "a", "validators": [known]}}, orm)

    @app.post("/")
    async def save() -> Any:
        await asyncio.sleep(0)
        return dict(state_of(app).update_db({"SITENAME": "Bar"}))

    assert app.test_client().post("/").json == {"SITENAME": "Bar"}


def test_the_log_has_no_secret_of_a_function_that_fails(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    async def leaky(form: Any, field: Any) -> None:
        raise RuntimeError(field.data)

    caplog.set_level(logging.DEBUG)
    app = make_app({"TOKEN": {"default": "", "secret": True, "validators": [leaky]}})
    with pytest.raises(InvalidValue, match="could not be checked"):
        state_of(app).update_db({"TOKEN": "hunter2"})
    assert "RuntimeError" in caplog.text and "hunter2" not in caplog.text


class Lazy:
    """A message that is translated when it is shown, which asks the app."""

    def __str__(self) -> str:
        return f"Not in the {current_app.name}."


def test_a_message_that_is_translated_late_finds_its_app(make_app: MakeApp) -> None:
    app = make_app(CONFS, validate=lambda values: {"SITENAME": Lazy()})
    with pytest.raises(InvalidValue, match="SITENAME: Not in the shop"):
        state_of(app).update_db({"SITENAME": "Bar"})
