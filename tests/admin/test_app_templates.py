"""The templates that the app brings along are checked when the page is registered."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Blueprint, Flask
from jinja2 import ChoiceLoader, DictLoader

from waffleconf_admin import WaffleAdmin

BODY = "<body>{% block body %}{% endblock %}</body>"
BASE = "<body>{% block body %}{% block content %}{% endblock %}{% endblock %}</body>"
REMEDY = "add {% block content %}{% endblock %}, or put it into another block"


@pytest.fixture
def register(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    """A function that registers a page in an app with these templates."""

    def register(texts: dict[str, str], layout: str | None = None, **config: object) -> Flask:
        app = make_app({"SITENAME": {"default": "Waffle"}}, **config)
        app.jinja_loader = ChoiceLoader([DictLoader(texts)])  # type: ignore[assignment]
        app.register_blueprint(WaffleAdmin(layout=layout))
        return app

    return register


Register = Callable[..., Flask]


@pytest.mark.parametrize(
    ("texts", "known"),
    [
        ({"own.html": BODY}, "'body'"),
        ({"own.html": "<p>nothing</p>"}, "none"),
        ({"own.html": "{% extends 'base.html' %}", "base.html": BODY}, "'body'"),
        # Jinja displays no block that the parent lacks.
        (
            {
                "own.html": "{% extends 'base.html' %}{% block content %}{% endblock %}",
                "base.html": BODY,
            },
            "'body'",
        ),
        (
            {
                "own.html": "{% extends 'base.html' %}{% block body %}-{% endblock %}",
                "base.html": BASE,
            },
            "'body'",
        ),
        ({"own.html": "{% include 'base.html' %}", "base.html": BASE}, "none"),
    ],
)
def test_a_layout_that_would_leave_the_page_blank_is_refused(
    register: Register, texts: dict[str, str], known: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(REMEDY)) as error:
        register(texts, "own.html")
    assert str(error.value).startswith("layout='own.html': there is no block 'content'")
    assert str(error.value).endswith(f"(blocks: {known})")


BETWEEN = """{% extends 'base.html' %}
{% block body %}-{% block content %}{% endblock %}{% endblock %}"""
SUPER = "{% extends 'base.html' %}{% block body %}-{{ super() }}{% endblock %}"


@pytest.mark.parametrize(
    "texts",
    [
        {"own.html": BASE},
        {"own.html": "{% if true %}{% block content %}{% endblock %}{% endif %}"},
        {"own.html": "{% extends 'base.html' %}", "base.html": BASE},
        {"own.html": BETWEEN, "base.html": BODY},
        {"own.html": SUPER, "base.html": BASE},
        {"own.html": "{% extends name or 'base.html' %}", "base.html": BASE},
    ],
)
def test_a_layout_that_displays_the_page_is_taken(
    register: Register, texts: dict[str, str]
) -> None:
    response = register(texts, "own.html").test_client().get("/admin/config")
    assert response.status_code == 200 and "SITENAME" in response.text


@pytest.mark.parametrize(
    "text",
    [
        "{% extends 'later.html' %}",
        "{% extends 'own.html' %}",
        "{% later %}",
        "{% if a %}{% extends 'a.html' %}{% else %}{% extends 'b.html' %}{% endif %}",
        "{{ 1 | later }}{% block content %}{% endblock %}",
    ],
)
def test_a_layout_that_is_not_complete_yet_is_not_judged(register: Register, text: str) -> None:
    register({"own.html": text}, "own.html")


def test_a_template_of_the_app_fills_another_block_and_the_layout_needs_that_of_the_other_pages(
    register: Register,
) -> None:
    form = """{% extends "waffleconf/waffle_form.html" %}
    {% block body %}mine {{ self.content() }}{% endblock %}"""
    texts = {"own.html": BODY, "form.html": form}
    with pytest.raises(ValueError, match=re.escape(REMEDY)) as error:
        register(texts, "own.html", WAFFLE_TEMPLATE="form")
    assert "so the review, the history and the files would be blank" in str(error.value)
    client = register({**texts, "own.html": BASE}, "own.html", WAFFLE_TEMPLATE="form").test_client()
    page = client.get("/admin/config").text
    assert "mine" in page and page.count("data-waffle") == 1
    assert "There is no history" in client.get("/admin/config/history").text


@pytest.mark.parametrize("name", ["nope", "nope.html", "waffleconf/nope"])
def test_a_template_that_there_is_not_is_refused_when_the_page_is_registered(
    register: Register, name: str
) -> None:
    with pytest.raises(ValueError, match=f"WAFFLE_TEMPLATE='{name}': there is no such template"):
        register({}, WAFFLE_TEMPLATE=name)


@pytest.mark.parametrize("name", ["own", "own.html", "waffleconf/waffle_form"])
def test_a_template_is_named_with_or_without_its_ending(register: Register, name: str) -> None:
    register({"own.html": "mine"}, WAFFLE_TEMPLATE=name)


def test_a_blueprint_of_the_app_may_have_both(make_app: Callable[..., Flask]) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}}, WAFFLE_TEMPLATE="form")
    theme = Blueprint("theme", __name__)
    theme.jinja_loader = DictLoader({"own.html": BASE, "form.html": "mine"})  # type: ignore[misc]
    app.register_blueprint(theme)
    app.register_blueprint(WaffleAdmin(layout="own.html"))
    assert app.test_client().get("/admin/config").text == "mine"
