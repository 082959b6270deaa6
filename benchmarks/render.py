"""The page beside a bare WTForms and Jinja form of as many fields: a GET, and a POST of all."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode

from flask import Flask, render_template_string, request
from flask_sqlalchemy import SQLAlchemy
from measure import TARGETS_FROM, Call, Figures, Options, Row, Work, in_turns, timed, timing
from werkzeug.test import TestResponse
from wtforms import Form, StringField

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, WaffleMixin, anyone

PAGE = "/admin/config"
BARE = """<!doctype html><title>Settings</title><form method="post">
{% for field in form %}<p>{{ field.label }} {{ field() }}</p>
{% endfor %}<button>Save</button></form>"""
DECLARATIONS: list[dict[str, Any]] = [
    {"default": "Some words of text", "help": "What visitors read on top of the page."},
    {"default": 20, "min": 1, "max": 100},
    {"default": True, "help": "Off: visitors see a notice."},
    {"default": "light", "choices": ["light", "dark"]},
    {"default": ["jpg", "png"]},
    {"default": 2.5},
    {"default": "", "help": "May be empty."},
    {"default": "x", "secret": True},
]


def settings(count: int) -> dict[str, dict[str, Any]]:
    """Settings of all types, in groups of 25."""
    return {
        f"SETTING_{number}": {"desc": f"Setting number {number}", "group": f"Group {number // 25}"}
        | DECLARATIONS[number % len(DECLARATIONS)]
        for number in range(count)
    }


def make_app(count: int) -> Flask:
    """An app with a page of so many settings, one in eight changed; no tests, no debugging."""
    app = Flask("benchmark")
    app.config.update(
        SECRET_KEY="benchmark",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        WAFFLE_CONFS=settings(count),
        WAFFLE_STORE_DEFAULTS=False,
    )
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        key = db.Column(db.String(255), primary_key=True)
        value = db.Column(db.Text)

    WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf))
    app.register_blueprint(WaffleAdmin(can=anyone))

    names = [f"setting_{number}" for number in range(count)]
    fields = {name: StringField(f"Setting number {name}") for name in names}
    bare = type("Bare", (Form,), fields)

    @app.route("/bare", methods=["GET", "POST"])
    def floor() -> str:
        if request.method == "POST":
            return str(bare(request.form).validate())
        form = bare(data=dict.fromkeys(fields, "Some words of text"))
        return render_template_string(BARE, form=form)

    with app.app_context():
        db.create_all()
        app.extensions["waffleconf"].update_db(
            {f"SETTING_{number}": "Changed" for number in range(0, count, 8)}
        )
    return app


class Controls(HTMLParser):
    """Reads from a page what a browser would send if nothing was changed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.inside = ""  #: the name of the open select or textarea
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "textarea" or tag == "select":
            self.inside = name
        if tag == "textarea":
            self.sent.append((name, ""))
        elif tag == "option" and "selected" in given:
            self.sent.append((self.inside, given.get("value", "")))
        elif tag == "input" and name:
            is_box = given.get("type") in ("checkbox", "radio")
            if not is_box or "checked" in given:
                self.sent.append((name, given.get("value", "on" if is_box else "")))

    def handle_data(self, data: str) -> None:
        if self.inside and self.sent and self.lasttag == "textarea":
            self.sent[-1] = (self.inside, data.removeprefix("\n"))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self.inside = ""


def run(options: Options) -> Iterator[Row]:
    for count in options.sizes:
        app = make_app(count)
        yield get(app, count, options)
        yield post(app, count, options)
        app.extensions["waffleconf"].stop()


def get(app: Flask, count: int, options: Options) -> Row:
    client = app.test_client()
    assert client.get(PAGE).status_code == 200
    work = Work(
        "GET",
        lambda: client.get(PAGE),
        lambda: client.get("/bare"),
        "WTForms and Jinja",
        target=0.6,
    )
    return timed("render", work, "", count, options.seconds)


def post(app: Flask, count: int, options: Options) -> Row:
    """The ratio is that of all but the save, which the page and the code make alike.

    Both forms are encoded beforehand: a server does not encode what it gets.
    """
    client, state = app.test_client(), app.extensions["waffleconf"]
    sent = Controls(client.get(PAGE).text).sent
    changed = urlencode([(name, "New" if name == "SETTING_0" else value) for name, value in sent])
    bare = urlencode({f"setting_{number}": "Some words of text" for number in range(count)})
    values = itertools.count()

    def posted(url: str, form: str) -> TestResponse:
        return client.post(url, data=form, content_type="application/x-www-form-urlencoded")

    def before() -> None:
        # As it was when the page was made, so that each POST finds the same.
        state.update_db({"SETTING_0": "Changed"})

    def save() -> None:
        answer = posted(PAGE, changed)
        assert answer.status_code == 303, answer.text

    save()
    assert app.config["SETTING_0"] == "New"
    calls: list[Call] = [
        save,
        lambda: posted("/bare", bare),
        lambda: state.update_db(
            {"SETTING_0": f"Other {next(values)}"}, expected={"SETTING_0": "Changed"}
        ),
    ]
    ours, floor, save = in_turns([timing(call, before=before) for call in calls], options.seconds)
    whole, bound = Figures.of(ours, 1e3), Figures.of(floor, 1e3)
    return Row(
        "render",
        "POST, one changed",
        "",
        count,
        "ms",
        whole,
        bound,
        "WTForms binds and validates; the ratio leaves out the save",
        # Of each turn: a collection of garbage makes one floor three times another.
        statistics.median((o - s) / f for o, f, s in zip(ours, floor, save, strict=True)),
        0.5 if count >= TARGETS_FROM else None,
    )
