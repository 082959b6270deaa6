"""The settings page: what it shows, what it saves, and what it says when something is wrong."""

from __future__ import annotations

import html
import random
import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Blueprint, Flask, request
from flask_wtf import CSRFProtect
from pages import CONFS, MakeApp, row, sent, state_of, stored
from wtforms import ColorField

from waffleconf_admin import BusyError, InvalidValue, StoreError, WaffleAdmin, blueprint, build_form
from waffleconf_admin.admin.submission import ROOM
from waffleconf_admin.state.save import Origin


@pytest.fixture
def app(make_app: MakeApp, orm: str) -> Flask:
    app = make_app(CONFS, orm=orm)
    app.register_blueprint(WaffleAdmin())
    return app


@pytest.mark.parametrize("prefix", [None, "/settings", "/a/b"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_page_answers_with_and_without_slash(
    make_app: MakeApp, prefix: str | None, slash: str
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(), **({"url_prefix": prefix} if prefix else {}))
    url = (prefix or "/admin/config") + slash
    client = app.test_client()
    assert client.get(url).status_code == 200
    response = client.post(url, data={"SITENAME": "New"})
    assert (response.status_code, response.location) == (303, prefix or "/admin/config")
    assert stored(app)["SITENAME"] == "New"


def test_ready_made_blueprint_can_be_nested_and_used_by_several_apps(make_app: MakeApp) -> None:
    for _ in range(2):
        app = make_app(CONFS)
        outer = Blueprint("outer", __name__, url_prefix="/outer")
        outer.register_blueprint(blueprint)
        app.register_blueprint(outer)
        page = app.test_client().get("/outer/admin/config").text
        asset = re.search(r'href="([^"]+\.css)"', page)
        assert asset
        with app.test_client().get(asset[1]) as response:
            assert response.status_code == 200


def test_registers_before_the_extension() -> None:
    from waffleconf_admin import WaffleConf, WaffleStore

    class Memory(WaffleStore):
        rows: dict[str, str] = {}

        def get(self, key: str) -> str | None:
            return self.rows.get(key)

        def put(self, key: str, value: str) -> None:
            self.rows[key] = value

        def delete(self, key: str) -> None:
            self.rows.pop(key, None)

        def commit(self) -> None:
            pass

    app = Flask("shop")
    app.config.from_mapping(TESTING=True, WTF_CSRF_ENABLED=False, WAFFLE_CONFS=CONFS)
    app.register_blueprint(WaffleAdmin())
    WaffleConf(app, Memory())
    assert app.test_client().get("/admin/config").status_code == 200
    app.extensions["waffleconf"].stop()


def test_several_pages_on_one_app_show_their_groups(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin("shop", groups=["Shop"]), url_prefix="/shop")
    app.register_blueprint(WaffleAdmin("rest", groups=[""]), url_prefix="/rest")
    client = app.test_client()
    shop, rest = client.get("/shop").text, client.get("/rest").text
    assert ">OPEN</a>" in shop and ">OPEN</a>" not in rest
    assert ">SITENAME</a>" in rest and ">SITENAME</a>" not in shop
    assert client.post("/shop", data={"SITENAME": "hidden"}).status_code == 303
    assert stored(app)["SITENAME"] == "Waffle"


def test_groups_are_in_declared_order_with_the_nameless_first(make_app: MakeApp) -> None:
    groups = {"A": "shop", "B": "", "C": "mail", "D": "shop"}
    app = make_app({key: {"default": 1, "group": group} for key, group in groups.items()})
    app.register_blueprint(WaffleAdmin())
    page = app.test_client().get("/admin/config").text
    shown = re.findall(r'<section [^>]*data-group="([^"]*)"|<input[^>]* name="([A-D])"', page)
    assert shown[1:] == [("", "B"), ("shop", ""), ("", "A"), ("", "D"), ("mail", ""), ("", "C")]


def test_page_of_no_groups_shows_nothing(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(groups=[]))
    response = app.test_client().get("/admin/config")
    assert response.status_code == 403 and "There are no settings yet" in response.text


def test_page_of_a_group_that_nothing_is_in_is_logged_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(groups=["Nope"]))
    for _request in range(2):
        assert app.test_client().get("/admin/config").status_code == 403
    assert caplog.text.count("'Nope'") == 1


def test_refusal_without_a_field_is_said_on_top(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise InvalidValue("not on a Sunday")

    monkeypatch.setattr(state_of(app), "save", refuse)
    response = app.test_client().post("/admin/config", data={"SITENAME": "New"})
    assert response.status_code == 422
    assert "not on a Sunday" in response.text.partition('role="alert"')[2].partition("</ul>")[0]


def test_no_extension_says_what_to_do() -> None:
    app = Flask("shop")
    app.config["TESTING"] = True
    app.register_blueprint(WaffleAdmin())
    with pytest.raises(RuntimeError, match="init_app"):
        app.test_client().get("/admin/config")


def test_page_shows_label_key_help_and_limits(app: Flask) -> None:
    page = app.test_client().get("/admin/config").text
    assert '<label for="waffle-SITENAME">Site name</label>' in page
    for text in (
        '<a class="wf-key" href="#SITENAME">SITENAME</a>',
        "Shown in the header",
        "1 to 100",
    ):
        assert text in page
    described = re.search(r'<input[^>]*id="waffle-SITENAME"[^>]*>', page)
    assert described and 'aria-describedby="waffle-SITENAME-help"' in described[0]


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"default": 5, "min": 1}, "at least 1"),
        ({"default": 5.5, "max": 9.0}, "at most 9"),
        ({"default": 0.5, "min": 0.0, "max": 100.5}, "0 to 100.5"),
        ({"default": "a", "max": 9}, "at most 9 characters"),
        ({"default": ["a"], "min": 1, "max": 2}, "1 to 2 items"),
    ],
)
def test_limits_in_words(make_app: MakeApp, conf: dict[str, Any], words: str) -> None:
    app = make_app({"KEY": conf})
    app.register_blueprint(WaffleAdmin())
    assert f">{words}</p>" in app.test_client().get("/admin/config").text


@pytest.mark.parametrize(
    ("conf", "value", "words"),
    [
        ({"default": ""}, "a b", "empty → “a b”"),
        ({"default": "a b"}, "", "“a b” → empty"),
        ({"default": 1}, 2, "1 → 2"),
        ({"default": "a", "choices": ["a", "b"]}, "b", "a → b"),
        ({"default": [1]}, "[2]", "“[1]” → “[2]”"),
    ],
)
def test_only_texts_are_quoted(
    make_app: MakeApp, conf: dict[str, Any], value: Any, words: str
) -> None:
    app = make_app({"KEY": conf})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get("/admin/config").text, KEY=str(value))
    page = client.post("/admin/config", data=form, follow_redirects=True).text
    assert f"Key saved: {words}" in page


def test_page_says_what_differs_from_the_default(app: Flask) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie", "TOKEN": "s3cr3t-stored"})
    page = app.test_client().get("/admin/config").text
    assert "Changed" in row(page, "SITENAME") and "default “Waffle”" in row(page, "SITENAME")
    assert "Changed" not in row(page, "THEME")
    assert "default" not in row(page, "TOKEN")


def test_read_only_is_text_with_the_reason(app: Flask) -> None:
    region = row(app.test_client().get("/admin/config").text, "REGION")
    assert "eu-west-1" in region and "wf-reason" in region and "<input" not in region


def test_secrets_are_never_in_a_page(app: Flask) -> None:
    client = app.test_client()
    pages = [client.get("/admin/config").text]
    response = client.post("/admin/config", data={"TOKEN": "s3cr3t-typed", "PAGE_SIZE": "0"})
    assert response.status_code == 422
    pages.append(response.text)
    pages.append(
        client.post("/admin/config", data={"TOKEN": "s3cr3t-typed"}, follow_redirects=True).text
    )
    assert "Upload token saved." in pages[-1]
    assert not [page for page in pages if "s3cr3t" in page]
    assert stored(app)["TOKEN"] == "s3cr3t-typed"


def test_save_answers_303_and_says_what_was_saved(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get("/admin/config").text, SITENAME="Crêperie", PAGE_SIZE="50")
    response = client.post("/admin/config", data=form)
    assert response.status_code == 303
    assert app.config["SITENAME"] == "Crêperie" and app.config["PAGE_SIZE"] == 50
    page = client.get("/admin/config").text
    assert "Site name saved: “Waffle” → “Crêperie”" in page
    assert "Page size saved: 20 → 50" in page
    assert "Site name saved" not in client.get("/admin/config").text


def test_box_left_out_by_the_browser_is_unticked(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get("/admin/config").text)
    assert form["OPEN"] not in ("", "no")
    assert client.post("/admin/config", data=form | {"OPEN": ""}).status_code == 303
    assert stored(app)["OPEN"] is False


def test_nothing_changed_saves_nothing(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get("/admin/config").text)
    response = client.post("/admin/config", data=form, follow_redirects=True)
    assert "no setting was changed" in response.text
    assert not [key for key, record in state_of(app).read().items() if record.text is not None]


@pytest.mark.parametrize(
    ("key", "text"),
    [("PAGE_SIZE", "0"), ("PAGE_SIZE", "many"), ("THEME", "pink"), ("HOURS", '{"mon": [9,}')],
)
def test_mistake_answers_422_with_everything_typed(app: Flask, key: str, text: str) -> None:
    client = app.test_client()
    form = sent(client.get("/admin/config").text, SITENAME="Crêperie") | {key: text}
    response = client.post("/admin/config", data=form)
    page = html.unescape(response.text)
    assert response.status_code == 422
    assert stored(app)["SITENAME"] == "Waffle"
    assert 'value="Crêperie"' in page
    assert f'href="#waffle-{key}' in page.partition('role="alert"')[2]
    control = re.search(r'<[^>]*aria-invalid="true"[^>]*>', row(page, key))
    assert control and f"waffle-{key}-errors" in control[0]
    assert f'id="waffle-{key}-errors"' in row(page, key)
    if key != "THEME":
        assert text in row(page, key)


def test_rule_across_settings_is_shown_at_its_field(make_app: MakeApp) -> None:
    app = make_app(CONFS, validate=lambda values: {"PAGE_SIZE": "too many for the dark theme"})
    app.register_blueprint(WaffleAdmin())
    response = app.test_client().post("/admin/config", data={"PAGE_SIZE": "99"})
    assert response.status_code == 422
    assert "too many for the dark theme" in row(response.text, "PAGE_SIZE")
    assert 'value="99"' in row(response.text, "PAGE_SIZE")


def test_conflict_shows_both_and_the_second_save_writes(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get("/admin/config").text, SITENAME="Mine", PAGE_SIZE="30")
    state_of(app).update_db({"SITENAME": "Theirs", "THEME": "dark"})
    response = client.post("/admin/config", data=form)
    assert response.status_code == 422
    assert 'value="Mine"' in row(response.text, "SITENAME")
    assert "Theirs" in row(response.text, "SITENAME")
    assert (stored(app)["SITENAME"], stored(app)["PAGE_SIZE"]) == ("Theirs", 20)
    assert client.post("/admin/config", data=sent(response.text)).status_code == 303
    assert {"SITENAME": "Mine", "PAGE_SIZE": 30, "THEME": "dark"}.items() <= stored(app).items()


def test_somebody_faster_than_the_save_is_a_conflict(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, state = app.test_client(), state_of(app)
    form = sent(client.get("/admin/config").text, SITENAME="Mine")
    write = state.save

    def overtaken(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        state.update_db({"SITENAME": "Theirs"})
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    response = client.post("/admin/config", data=form)
    assert response.status_code == 422
    assert 'value="Mine"' in row(response.text, "SITENAME")
    assert "Theirs" in row(response.text, "SITENAME")


def test_somebody_faster_with_the_same_is_no_conflict(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two identical forms at the same moment, in two workers."""
    client, state = app.test_client(), state_of(app)
    form = sent(client.get("/admin/config").text, SITENAME="Mine", PAGE_SIZE="30")
    write = state.save
    theirs = iter([{"SITENAME": "Mine"}, {"PAGE_SIZE": 30}])

    def overtaken(*args: Any, **options: Any) -> Any:
        write(next(theirs, {}), {}, Origin(None, None, "page"))
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    assert client.post("/admin/config", data=form).status_code == 303
    monkeypatch.undo()
    page = client.get("/admin/config").text
    assert "saved: “Waffle” → “Mine”" in page and "saved: 20 → 30" in page
    assert (stored(app)["SITENAME"], stored(app)["PAGE_SIZE"]) == ("Mine", 30)


@pytest.mark.parametrize(
    ("typed", "theirs", "conflict"),
    [
        (
            {"SITENAME": "Mine", "PAGE_SIZE": "30"},
            {"SITENAME": "Mine", "PAGE_SIZE": 31},
            "PAGE_SIZE",
        ),
        ({"TOKEN": "guess"}, {"TOKEN": "guess"}, "TOKEN"),
        ({"TOKEN": "guess"}, {"TOKEN": "other"}, "TOKEN"),
    ],
)
def test_somebody_faster_with_something_else_or_a_secret_is_a_conflict(
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    typed: dict[str, str],
    theirs: dict[str, Any],
    conflict: str,
) -> None:
    client, state = app.test_client(), state_of(app)
    form = sent(client.get("/admin/config").text, **typed)
    write = state.save

    def overtaken(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        state.update_db(theirs)
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    response = client.post("/admin/config", data=form)
    assert response.status_code == 422
    told = [key for key in typed if "Somebody else has changed" in row(response.text, key)]
    assert told == [conflict]
    assert theirs.items() <= stored(app).items()


def test_own_field_is_shown_and_saved(make_app: MakeApp) -> None:
    color = {"desc": "Colour", "default": "#ffffff", "field": ColorField}
    app = make_app({"COLOR": color})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get("/admin/config").text, COLOR="#b00b1e")
    page = client.post("/admin/config", data=form, follow_redirects=True).text
    assert "Colour saved: “#ffffff” → “#b00b1e”" in page
    assert 'type="color"' in row(page, "COLOR")


def test_control_of_a_type_is_chosen_by_fields(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(fields={str: ColorField}))
    assert 'type="color"' in row(app.test_client().get("/admin/config").text, "SITENAME")


@pytest.mark.parametrize("error", [StoreError("driver text"), BusyError("driver text")])
def test_failed_save_answers_503_with_everything_typed(
    app: Flask,
    error: StoreError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(state_of(app), "save", fail)
    typed = {"SITENAME": "Crêperie", "TOKEN": "s3cr3t-typed"}
    response = app.test_client().post("/admin/config", data=typed)
    assert response.status_code == 503
    assert 'value="Crêperie"' in response.text
    assert "write it again" in row(response.text, "TOKEN") and "s3cr3t" not in response.text
    assert "try again" in response.text.partition('role="alert"')[2]
    assert "driver text" not in response.text and "driver text" in caplog.text


def test_database_away_answers_503_and_keeps_what_was_typed(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, orm=orm, create=False)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    response = client.get("/admin/config")
    assert response.status_code == 503
    assert "no such table" not in response.text and "no such table" in caplog.text
    typed = {"SITENAME": "Crêperie <1>", "TOKEN": "s3cr3t", "waffle_token": "token"}
    response = client.post("/admin/config", data=typed)
    assert response.status_code == 503
    assert sent(response.text) == {"SITENAME": "Crêperie <1>", "waffle_token": "token"}


def test_csrf_token_is_asked_for(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    response = client.post("/admin/config", data={"SITENAME": "New"})
    assert response.status_code == 422 and "CSRF" in response.text.partition('role="alert"')[2]
    assert stored(app)["SITENAME"] == "Waffle"
    form = sent(client.get("/admin/config").text, SITENAME="New")
    assert client.post("/admin/config", data=form).status_code == 303
    assert stored(app)["SITENAME"] == "New"


def test_csrf_without_secret_key_names_it(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        app.test_client().get("/admin/config")


def test_saves_without_secret_key(make_app: MakeApp) -> None:
    app = make_app(CONFS, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get("/admin/config").text, SITENAME="New")
    assert client.post("/admin/config", data=form).status_code == 303
    assert client.get("/admin/config").status_code == 200
    assert stored(app)["SITENAME"] == "New"


@pytest.mark.parametrize("first", ["!", "一", "🌀"])
def test_messages_of_a_big_save_fit_into_a_cookie(make_app: MakeApp, first: str) -> None:
    letters = [chr(ord(first) + i) for i in range(90)]
    text = "".join(random.Random(1).choices(letters, k=9000))  # nothing that could be compressed
    many = {f"K{i}": {"desc": text[i * 50 : i * 50 + 500], "default": ""} for i in range(50)}
    app = make_app(many)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    response = client.post("/admin/config", data=dict.fromkeys(many, text))
    cookie = SimpleCookie(response.headers["Set-Cookie"])["session"]
    assert len(cookie.value) < 2048
    assert "45 more saved" in client.get("/admin/config").text


def test_actor_says_who_saves(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    with caplog.at_level("INFO"):
        app.test_client().post("/admin/config", data={"SITENAME": "New"})
    assert "ana" in caplog.text and "page" in caplog.text


def test_labels_and_values_are_escaped(make_app: MakeApp) -> None:
    nasty = "<b>\"'&"
    conf = {"desc": nasty, "help": nasty, "group": nasty, "default": nasty}
    app = make_app({"A": conf, "B": conf | {"readonly": True}, "C": {"default": 1}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    pages = [client.get("/admin/config").text]
    form = sent(pages[0], A=nasty * 2)
    pages.append(client.post("/admin/config", data=form, follow_redirects=True).text)
    pages.append(client.post("/admin/config", data={"C": nasty}).text)
    assert not [page for page in pages if "<b>" in page]
    assert stored(app)["A"] == nasty * 2


def test_own_view_can_use_the_form(app: Flask) -> None:
    @app.post("/mine")
    def mine() -> str:
        form = build_form(state_of(app), keys=["SITENAME"])
        assert form.validate_on_submit()
        state_of(app).update_db(form.changes)
        return "saved"

    app.test_client().post("/mine", data={"SITENAME": "Mine"})
    assert stored(app)["SITENAME"] == "Mine"


def test_what_the_page_shows_is_what_the_site_serves(make_app: MakeApp, orm: str) -> None:
    """Another process may have saved, where the processes do not follow each other."""
    app, other = make_app(CONFS, orm=orm), make_app(CONFS, orm=orm)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    client.get("/admin/config")
    state_of(other).update_db({"SITENAME": "Elsewhere"})
    assert "Elsewhere" in client.get("/admin/config").text
    assert app.config["SITENAME"] == "Elsewhere"


@pytest.mark.parametrize(
    ("url", "kind", "raised"),
    [
        ("/admin/config", "application/x-www-form-urlencoded", True),
        ("/admin/config/history/undo", "application/x-www-form-urlencoded", True),
        ("/admin/config", "multipart/form-data; boundary=x", False),  # there it is for each part
        ("/mine", "application/x-www-form-urlencoded", False),
    ],
)
def test_a_form_of_the_page_may_be_large_before_anybody_reads_it(
    make_app: MakeApp, url: str, kind: str, raised: bool
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    limits = []

    @app.before_request  # as the app's CSRF protection, which reads the form
    def look() -> str:
        limits.append(request.max_form_memory_size)
        return "read"

    @app.post("/mine")
    def mine() -> str:
        return ""

    class Request(app.request_class):  # type: ignore[name-defined, misc]
        max_form_memory_size = 500_000

    app.request_class = Request
    app.test_client().post(url, content_type=kind)
    assert limits == [ROOM if raised else 500_000]


@pytest.mark.parametrize("limit", [None, ROOM + 1])
def test_an_app_that_allows_larger_forms_is_left_alone(
    make_app: MakeApp, limit: int | None
) -> None:
    app = make_app(CONFS)

    class Request(app.request_class):  # type: ignore[name-defined, misc]
        max_form_memory_size = limit

    app.request_class = Request
    app.register_blueprint(WaffleAdmin())
    limits: list[int | None] = []
    app.before_request(lambda: limits.append(request.max_form_memory_size))
    app.test_client().post("/admin/config", data={"SITENAME": "New"})
    assert limits == [limit]
    assert stored(app)["SITENAME"] == "New"


def test_a_text_of_many_bytes_keeps_nobody_from_saving_the_rest(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    CSRFProtect(app)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"SITENAME": "漢\n" * 60_000})
    client = app.test_client()
    form = sent(client.get("/admin/config").text, PAGE_SIZE="21")
    assert client.post("/admin/config", data=form).status_code == 303
    assert stored(app)["PAGE_SIZE"] == 21
