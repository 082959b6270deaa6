"""What a GET of the settings page costs, beside a bare WTForms and Jinja form of as many fields.

    python benchmarks/render.py [--settings 100 1000 5000]

Prints milliseconds (the best of some rounds, one beside the other), their ratio, and the size of
the page.
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable
from typing import Any

from flask import Flask, render_template_string
from flask_sqlalchemy import SQLAlchemy
from wtforms import Form, StringField

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, WaffleMixin, anyone

ROUNDS = 9
BARE = """<!doctype html><title>Settings</title><form method="post">
{% for field in form %}<p>{{ field.label }} {{ field() }}</p>
{% endfor %}<button>Save</button></form>"""
KINDS: list[dict[str, Any]] = [
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
    """Settings of all kinds, in groups of 25."""
    return {
        f"SETTING_{number}": {"desc": f"Setting number {number}", "group": f"Group {number // 25}"}
        | KINDS[number % len(KINDS)]
        for number in range(count)
    }


def make_app(count: int) -> Flask:
    """An app with a page of so many settings, one in ten changed; no tests, no debugging."""
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

    fields = {
        f"setting_{number}": StringField(f"Setting number {number}") for number in range(count)
    }
    bare = type("Bare", (Form,), fields)

    @app.get("/bare")
    def floor() -> str:
        form = bare(data=dict.fromkeys(fields, "Some words of text"))
        return render_template_string(BARE, form=form)

    with app.app_context():
        db.create_all()
        app.extensions["waffleconf"].update_db(
            {f"SETTING_{number}": "Changed" for number in range(0, count, 8)}
        )
    return app


def best(rounds: int, *works: Callable[[], Any]) -> list[float]:
    """Milliseconds of the fastest round of each, in turns; after one that warms up."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(rounds + 1):
        for work, own in zip(works, times, strict=True):
            start = time.perf_counter()
            work()
            own.append(time.perf_counter() - start)
    return [min(own[1:]) * 1000 for own in times]


def measure(count: int, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of both pages, and the bytes of ours.

    "first" is the page with all rows rendered anew, as after a start; "page" has them kept.
    """
    app = make_app(count)
    client = app.test_client()
    keeper = app.blueprints["waffleconf_admin"].keeper  # type: ignore[attr-defined]

    def first() -> None:
        with app.app_context():
            keeper.rows().clear()
        client.get("/admin/config")

    answer = client.get("/admin/config")
    assert answer.status_code == 200, answer.status
    floor, page = best(rounds, lambda: client.get("/bare"), lambda: client.get("/admin/config"))
    (cold,) = best(rounds // 2, first)
    app.extensions["waffleconf"].stop()
    size = {"bytes": len(answer.data), "gzipped": len(gzip.compress(answer.data))}
    return {"floor": floor, "page": page, "first": cold, "ratio": page / floor, **size}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settings", type=int, nargs="+", default=[100, 1000, 5000])
    options = parser.parse_args()
    print("settings  floor ms  page ms  ratio  first ms    bytes  gzipped")
    for count in options.settings:
        r = measure(count)
        print(
            f"{count:8} {r['floor']:9.1f} {r['page']:8.1f} {r['ratio']:6.2f} {r['first']:9.1f}"
            f" {r['bytes']:8.0f} {r['gzipped']:8.0f}"
        )
