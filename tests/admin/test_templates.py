"""Each documented way to give the settings page another look."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
import pytest
from flask import Flask
from jinja2 import meta
from pages import sent, state_of, stored
from wtforms import SelectField, StringField

import waffleconf_admin
from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.admin.app_templates import template_problem

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "OPEN": {"desc": "Open", "default": True},
    "PAGE_SIZE": {"desc": "Page size", "default": 20},
    "HOURS": {"desc": "Hours", "default": {"mon": [9, 18]}},
}

PLAIN = """<!doctype html>
<title>Settings</title>
<form method="post">
{{ form.hidden_tag() }}
{% for field in form %}
<p>{{ field.label }} {{ field() }}
{% for text in field.errors %}<b>{{ text }}</b>{% endfor %}
{% endfor %}
<button>Save</button>
</form>
"""

MakeApp = Callable[..., Flask]


@pytest.fixture
def page(make_app: MakeApp, tmp_path: Path) -> Callable[..., str]:
    """A function that shows the page of an app with these templates of its own."""

    def show(templates: dict[str, str], layout: str | None = None, **config: Any) -> str:
        for name, text in templates.items():
            path = tmp_path / "templates" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        app = make_app(CONFS, **config)
        app.register_blueprint(WaffleAdmin(layout=layout))
        response = app.test_client().get("/admin/config")
        assert response.status_code == 200
        return response.text

    return show


def test_ten_plain_lines_are_a_complete_page(make_app: MakeApp, tmp_path: Path) -> None:
    path = tmp_path / "templates" / "waffleconf" / "waffle_form.html"
    path.parent.mkdir(parents=True)
    path.write_text(PLAIN)
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get("/admin/config").text)
    assert form.keys() > CONFS.keys()
    changed = form | {"SITENAME": "Crêperie", "OPEN": "", "PAGE_SIZE": "5", "HOURS": "{}"}
    assert client.post("/admin/config", data=changed).status_code == 303
    assert stored(app) == {"SITENAME": "Crêperie", "OPEN": False, "PAGE_SIZE": 5, "HOURS": {}}
    response = client.post("/admin/config", data=changed | {"PAGE_SIZE": "?"})
    assert response.status_code == 422 and "<b>" in response.text


@pytest.mark.parametrize("name", ["own/settings", "own/settings.html"])
def test_template_of_another_name(page: Callable[..., str], name: str) -> None:
    assert page({"own/settings.html": "mine: {{ form.SITENAME() }}"}, WAFFLE_TEMPLATE=name) == (
        page({"waffleconf/waffle_form.html": "mine: {{ form.SITENAME() }}"})
    )


#: Of an app's own view, as Flask-WaffleConf 0.3.1 leaves it to apps.
FORMER = """<title>Settings</title><form method="post">{% for conf in configs %}{{ conf.key }}
{% endfor %}<button>Save</button></form>"""


def test_a_former_template_that_shows_no_setting_is_logged_once_and_found_by_check(
    page: Callable[..., str],
    make_app: MakeApp,
    caplog: pytest.LogCaptureFixture,
) -> None:
    own = '{% extends "base.html" %}{% block content %}' + FORMER + "{% endblock %}"
    base = "<h1>Shop</h1>{% block content %}{% endblock %}"
    html = page({"waffleconf/waffle_form.html": own, "base.html": base})
    assert "<title>Settings" in html and "SITENAME" not in html
    app = make_app(CONFS)
    check = app.test_cli_runner().invoke
    assert "settings page: ok" in check(args=["waffle", "check"]).output  # it has no page of ours
    app.register_blueprint(WaffleAdmin())
    caplog.clear()
    for _ in range(2):
        app.test_client().get("/admin/config")
    [line] = [text for text in caplog.messages if "waffle_form.html" in text]
    assert "of your app replaces" in line and "rename it" in line
    result = check(args=["waffle", "check"])
    assert f"settings page: 1 error\n  error    {line}\n" in result.output
    assert result.exit_code == 1


@pytest.mark.parametrize(
    "own",
    [
        PLAIN,
        "{{ page.message }}",
        '{% extends "waffleconf/layout.html" %}',
        "{% include name %}",
        "{% if %}",
    ],
)
def test_nothing_is_said_of_a_template_that_may_show_settings(
    make_app: MakeApp, tmp_path: Path, own: str
) -> None:
    path = tmp_path / "templates" / "own.html"
    path.parent.mkdir()
    path.write_text(own)
    assert template_problem(make_app(CONFS, WAFFLE_TEMPLATE="own")) is None


BLOCKS = "lang title styles head header sidebar messages content field actions footer scripts"


@pytest.mark.parametrize("block", BLOCKS.split())
def test_each_block_can_be_replaced(page: Callable[..., str], block: str) -> None:
    text = '{% extends "waffleconf/waffle_form.html" %}{% block NAME %}own-NAME{% endblock %}'
    html = page({"own.html": text.replace("NAME", block)}, WAFFLE_TEMPLATE="own")
    assert html.count(f"own-{block}") == (len(CONFS) if block == "field" else 1)
    assert ("data-waffle" in html) == (block != "content")


def test_block_can_be_extended(page: Callable[..., str]) -> None:
    text = """{% extends "waffleconf/waffle_form.html" %}
    {% block field %}<hr data-key="{{ field.setting.key }}">{{ super() }}{% endblock %}"""
    html = page({"own.html": text}, WAFFLE_TEMPLATE="own")
    assert [f'<hr data-key="{key}">' in html for key in CONFS] == [True] * len(CONFS)
    assert html.count('class="wf-row') == len(CONFS)


def test_block_of_a_field_can_render_the_field_again(page: Callable[..., str]) -> None:
    text = """{% extends "waffleconf/waffle_form.html" %}
    {% block field %}{{ super() }}<i data-own="{{ field.value_text }}">{{ field() }}</i>
    {% endblock %}"""
    html = page({"own.html": text}, WAFFLE_TEMPLATE="own")
    assert 'data-own="Waffle"' in html and html.count('name="SITENAME"') == 2


def test_a_block_of_a_field_that_adds_nothing_gives_the_same_page(
    page: Callable[..., str],
) -> None:
    text = """{% extends "waffleconf/waffle_form.html" %}
    {% block field %}{{ super() }}{% endblock %}"""
    assert page({"own.html": text}, WAFFLE_TEMPLATE="own").split() == page({}).split()


def test_layout_of_the_app(page: Callable[..., str]) -> None:
    base = """<title>{% block title %}{% endblock %} | Shop</title>
    <header>Our shop</header>{% block content %}{% endblock %}<script>inline()</script>"""
    html = page({"base.html": base}, layout="base.html")
    assert "Settings | Shop" in html and "Our shop" in html
    assert (
        html.count("data-waffle")
        == html.count("waffleconf.css")
        == html.count("waffleconf.js")
        == 1
    )
    assert "<body" not in html and "<main" not in html


def test_layout_of_the_app_keeps_its_own_policy(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text("{% block content %}{% endblock %}")
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(layout="base.html"))
    headers = app.test_client().get("/admin/config").headers
    assert headers["Content-Security-Policy"] == "frame-ancestors 'none'"


# What an app may do with all its templates

EVERY: dict[str, Any] = {
    **CONFS,
    "THEME": {"default": "a", "choices": ["a", "b"], "help": "Look", "group": "Shop"},
    "DAYS": {"default": ["mon"], "choices": ["mon", "tue"]},
    "RATE": {"default": 1.5, "min": 0, "max": 9},
    "TEXT": {"default": "a\nb", "multiline": True},
    "TOKEN": {"default": "", "secret": True},
    "FIXED": {"default": "x", "readonly": True},
    "ODD": {"default": {1: 2}},
    "OWN": {"default": "x", "field": StringField},
    "PICKED": {"default": "x", "field": lambda setting: SelectField(choices=["x", "y"])},
    "TAX": {"default": 21, "confirm": True, "min": 0},
}
URL = "/admin/config"
TYPED = {"SITENAME": "New", "THEME": "b", "TAX": "5", "TEXT": "a\nc", "DAYS": "tue"}
PAGES = {
    "index": 200, "search": 200, "mistakes": 422, "saved": 200, "review": 200, "conflict": 422,
    "history": 200, "history of one": 200, "history of none": 200, "undo": 422, "no history": 404,
    "history away": 503, "away": 503, "away for a save": 503, "forbidden": 403, "nobody": 403,
    "empty": 403, "files": 200, "wrong file": 422, "import": 422, "compare": 200, "restore": 200,
}  # fmt: skip


def page_of(app: Flask, name: str, patch: pytest.MonkeyPatch) -> Any:
    """The response that is one of our pages."""
    client, state = app.test_client(), state_of(app)

    def away(*args: Any) -> Any:
        raise StoreError("away")

    if name in ("index", "forbidden", "nobody", "empty"):
        return client.get(URL)
    if name == "search":
        return client.get(f"{URL}?q=size&modified=1")
    if name == "files":
        return client.get(f"{URL}/files")
    form = sent(client.get(URL).text) | TYPED
    if name in ("wrong file", "import"):
        settings = {"SITENAME": "New", "TEXT": "a\nc"} if name == "import" else {"NONE": 1}
        document = json.dumps({"waffleconf": 1, "settings": settings})
        return client.post(f"{URL}/files", data=form | {"waffle.document": document})
    if name == "mistakes":
        return client.post(URL, data=form | {"TAX": "-1", "TOKEN": "x", "OWN": "y"})
    if name == "saved":
        client.post(URL, data=form | {"waffle.do": "confirm"})
        return client.get(URL)
    if name == "review":
        return client.post(URL, data=form | {"TOKEN": "x"})
    if name in ("away", "away for a save"):
        patch.setattr(state.configstore, "read_fresh", away)
        return client.post(URL, data=form) if name == "away for a save" else client.get(URL)
    if state.history is None:
        return client.get(f"{URL}/history")
    saved = state.update_db({"SITENAME": "Theirs", "TEXT": "a\nd", "TOKEN": "x"}, note="why")
    state.update_db({"SITENAME": "Theirs, and " + "more " * 20})
    if name == "conflict":
        return client.post(URL, data=form)
    if name == "undo":
        return client.post(f"{URL}/history/undo", data={"undo": saved.change_set})
    if name == "history away":
        patch.setattr(state.configstore, "read_history", away)
    if name in ("compare", "restore"):
        url = f"{URL}/history/compare?since=2020-01-01"
        page = client.get(url)
        return page if name == "compare" else client.post(url, data=sent(page.text))
    query = {"history of one": "?key=SITENAME", "history of none": "?key=NONE"}.get(name, "")
    return client.get(f"{URL}/history{query}")


@pytest.fixture
def render(make_app: MakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that returns the response that is one of our pages, of an app of its own."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "base.html").write_text("{% block content %}{% endblock %}")
    numbers = iter(range(9))

    def respond(name: str, change: Callable[[Flask], Any], embedded: bool) -> Any:
        app = make_app(
            {} if name == "empty" else EVERY,
            TESTING=False,
            WTF_CSRF_ENABLED=True,
            history=name != "no history",
            url=f"sqlite:///{tmp_path / str(next(numbers))}",
        )
        can = None if name == "nobody" else lambda action, setting: name != "forbidden"
        layout = "base.html" if embedded else None
        app.register_blueprint(WaffleAdmin(can=can, layout=layout, actor=lambda: "ana"))
        change(app)
        with monkeypatch.context() as patch:
            found = page_of(app, name, patch)
        assert found.status_code == PAGES[name]
        return found

    return respond


@pytest.mark.parametrize("embedded", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_pages_use_no_undefined_variable(render: Any, name: str, embedded: bool) -> None:
    def strict(app: Flask) -> None:
        app.jinja_env.undefined = jinja2.StrictUndefined

    render(name, strict, embedded)


def names_in_templates() -> set[str]:
    """All names that our templates ask for, but those of Flask and of our own globals."""
    folder, env = Path(waffleconf_admin.__file__).parent / "templates", jinja2.Environment()
    found = (meta.find_undeclared_variables(env.parse(p.read_text())) for p in folder.rglob("*.*"))
    flask = {"request", "url_for", "get_flashed_messages", "layout", "caller"}
    return {name for name in set().union(*found) - flask if not name.startswith("waffle_")}


@pytest.mark.parametrize("name", PAGES)
def test_variables_of_a_context_processor_are_not_taken_for_ours(render: Any, name: str) -> None:
    names = names_in_templates()
    assert {"page", "heading", "setting", "form"} <= names

    def gives(app: Flask) -> None:
        app.jinja_env.undefined = jinja2.StrictUndefined  # of a text nothing else can be asked
        app.context_processor(lambda: dict.fromkeys(names, "of the app"))

    assert "of the app" not in render(name, gives, False).text
