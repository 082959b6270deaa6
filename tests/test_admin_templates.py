"""Each documented way to give the settings page another look."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from test_admin import sent, stored

from waffleconf_admin import WaffleAdmin

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


def test_layout_with_another_block_name(page: Callable[..., str]) -> None:
    base = "<nav>Our menu</nav>{% block body %}{% endblock %}"
    own = """{% extends "waffleconf/waffle_form.html" %}
    {% block body %}{{ self.content() }}{% endblock %}"""
    html = page({"base.html": base, "own.html": own}, layout="base.html", WAFFLE_TEMPLATE="own")
    assert "Our menu" in html and html.count("data-waffle") == 1
    assert html.count('class="wf-row') == len(CONFS)
