"""The words of the page in the reader's language, and the catalogues that ship."""

from __future__ import annotations

import base64
import copy
import io
import pickle
import re
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from flask import Flask, request
from flask_babel import Babel, LazyString, get_locale, lazy_gettext
from jinja2 import DictLoader
from pages import row
from wtforms import StringField

import waffleconf_admin
from waffleconf_admin import InvalidValue, WaffleAdmin, anyone, i18n
from waffleconf_admin.sync import file, health, postgresql, watch_type, watchfile
from waffleconf_admin.sync.health import Trouble, worst

PACKAGE = Path(waffleconf_admin.__file__).parent
FOLDER = PACKAGE / "translations"
LANGUAGES = sorted(path.parent.parent.name for path in FOLDER.glob("*/LC_MESSAGES/*.po"))
CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "min": 1, "max": 40},
    "OPEN": {"desc": "Open", "default": True},
    "SIZE": {"desc": lazy_gettext("Size"), "default": 20, "help": lazy_gettext("Help")},
    "GROUPED": {"desc": "Grouped", "default": 1, "group": lazy_gettext("Group")},
}
URL = "/admin/config"


class Thing:
    """Of a class that may not be stored."""

    def __init__(self, name: str = "") -> None:
        self.name = name


def nested(levels: int) -> list[Any]:
    return [nested(levels - 1)] if levels else []


class Odd(StringField):
    """What an app may write: a field of values that nobody has allowed, or that can't be kept."""

    values = {"thing": Thing(), "function": lambda: None, "nested": nested(120)}

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = self.values.get(valuelist[0])  # type: ignore[assignment]

    def _value(self) -> str:
        return next((text for text, value in self.values.items() if value is self.data), "")


def catalog(language: str) -> Catalog:
    with open(FOLDER / language / "LC_MESSAGES" / "waffleconf_admin.po", "rb") as file:
        return read_po(file, language)


@cache
def in_code() -> set[Any]:
    """All that is marked for translation: texts, and pairs of one and many."""
    keywords = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
    methods = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
    found = extract_from_dir(str(PACKAGE), methods, keywords=keywords)
    return {message for _, _, message, _, _ in found}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(CONFS)
    Babel(app, locale_selector=lambda: request.args.get("lang", "en"))
    app.register_blueprint(WaffleAdmin())
    return app


def test_four_languages_ship_beside_english() -> None:
    assert LANGUAGES == ["de", "es", "fr", "pt"]


def test_the_template_has_every_word_of_the_code() -> None:
    with open(FOLDER / "waffleconf_admin.pot", "rb") as file:
        template = read_po(file)
    assert {message.id for message in template if message.id} == in_code()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_complete_and_compiled(language: str) -> None:
    texts = catalog(language)
    written = {message.id: message for message in texts if message.id}
    assert written.keys() == in_code()
    with open(FOLDER / language / "LC_MESSAGES" / "waffleconf_admin.mo", "rb") as file:
        compiled = read_mo(io.BytesIO(file.read()))
    for text, message in written.items():
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings) and not message.fuzzy, text
        assert len(strings) == (texts.num_plurals if isinstance(text, tuple) else 1), text
        one = text[0] if isinstance(text, tuple) else text
        assert compiled.get(text).string in (message.string, [*strings]), text
        places = set(re.findall(r"%\(\w+\)s", one if isinstance(text, str) else text[1]))
        assert all(set(re.findall(r"%\(\w+\)s", string)) == places for string in strings), text


def test_the_page_speaks_the_language_of_the_reader(app: Flask) -> None:
    client = app.test_client()
    english, spanish = client.get(URL).text, client.get(f"{URL}?lang=es").text
    assert '<html lang="en">' in english and '<html lang="es">' in spanish
    for one, other in [("Search 4 settings", "Buscar en 4 ajustes"), (">Save<", ">Guardar<")]:
        assert one in english and other in spanish and one not in spanish
    assert "1 to 40 characters" in row(english, "SITENAME")
    assert "de 1 a 40 caracteres" in row(spanish, "SITENAME")
    # Rows are kept: each reader has the own language all the same.
    assert "1 to 40 characters" in row(client.get(URL).text, "SITENAME")


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ({"SIZE": "many"}, "Escriba un número entero, como 1000."),
        ({"SITENAME": ""}, "Al menos 1 carácter."),
    ],
)
def test_mistakes_are_told_in_it_too(app: Flask, typed: dict[str, str], text: str) -> None:
    assert text in app.test_client().post(f"{URL}?lang=es", data=typed).text


@pytest.mark.parametrize("lang", ["en", "es"])
def test_rights_go_by_the_name_of_a_group_in_every_language(
    make_app: Callable[..., Flask], lang: str
) -> None:
    theirs = LazyString(lambda: {"es": "Suyos"}.get(str(get_locale()), "Theirs"))
    confs = {
        "OURS": {"default": 1, "group": ("Ours", lazy_gettext("Group"))},
        "THEIRS": {"default": 1, "group": theirs},
    }
    app = make_app(confs)
    Babel(app, locale_selector=lambda: lang)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: setting.group != "Theirs"))
    app.register_blueprint(WaffleAdmin("theirs", groups=[theirs], can=anyone), url_prefix="/theirs")
    client = app.test_client()
    assert 'id="THEIRS"' not in client.get(URL).text
    page = client.get("/theirs").text
    assert 'id="THEIRS"' in page and f">{'Suyos' if lang == 'es' else 'Theirs'}</h2>" in page
    assert 'id="OURS"' in client.get(f"{URL}?group=Ours").text


def test_without_a_request_it_is_english(make_app: Callable[..., Flask]) -> None:
    app = make_app({"N": {"default": 1, "min": 0}, "B": {"default": None, "type": bool}})
    Babel(app, locale_selector=lambda: request.accept_languages.best_match(["es", "en"]))
    with app.app_context(), pytest.raises(InvalidValue, match="At least 0"):
        app.extensions["waffleconf"].update_db({"N": -5})
    runner = app.test_cli_runner()
    assert "At least 0" in runner.invoke(args=["waffle", "set", "N", "--", "-5"]).output
    assert runner.invoke(args=["waffle", "set", "B", "On"]).exit_code == 0


def test_nothing_to_say_stays_nothing(app: Flask) -> None:
    with app.test_request_context("?lang=es"):
        assert i18n.gettext("") == ""


def test_what_was_saved_is_told_in_it_too(app: Flask) -> None:
    answer = app.test_client().post(f"{URL}?lang=es", data={"SIZE": "5"}, follow_redirects=True)
    assert "Size: 20 → 5" in answer.text


def test_what_cannot_be_undone_is_told_in_it_too(make_app: Callable[..., Flask]) -> None:
    app = make_app(CONFS, history=True)
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    undo, client = f"{URL}/history/undo", app.test_client()
    state = app.extensions["waffleconf"]
    saved = state.update_db({"SIZE": 5})
    app.config["WAFFLE_CONFS"] = {**CONFS, "SIZE": {"default": 20, "secret": True}}
    answer = client.post(undo, data={"undo": saved.change_set})
    assert "es un secreto" in answer.text and "it is a secret" not in answer.text


def test_what_one_process_knows_of_the_others_is_told_in_it_too(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS)
    Babel(app, locale_selector=lambda: request.args.get("lang", "en"))
    app.register_blueprint(WaffleAdmin())
    several = {"wsgi.multiprocess": True}
    told = {
        lang: app.test_client().get(f"{URL}?lang={lang}", environ_overrides=several).text
        for lang in ("es", "en")
    }
    assert "varios procesos" in told["es"] and "several processes" not in told["es"]
    assert "several processes" in told["en"]
    assert "several processes" in caplog.text and "varios" not in caplog.text


TROUBLES = {
    name: value
    for module in (file, health, postgresql, watch_type, watchfile)
    for name, value in vars(module).items()
    if isinstance(value, Trouble)
}


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=TROUBLES)
def test_every_trouble_is_told_in_it_too(app: Flask, trouble: Trouble) -> None:
    with app.test_request_context("?lang=es"):
        spanish = str(worst({trouble}, 2.5))
    english = str(worst({trouble}, 2.5))
    assert spanish != english and spanish not in english
    assert ("2.5" in spanish) == ("2.5" in english) == ("%(seconds)s" in trouble.text)


@pytest.mark.parametrize(
    ("kind", "fails", "text"),
    [
        ("database", False, "Todo el sitio usa los nuevos valores en 7 segundos como máximo."),
        ("custom", False, "Se ha avisado al resto del sitio."),
        ("custom", True, "No se ha podido avisar al resto del sitio"),
    ],
)
def test_when_the_others_follow_is_told_in_it_too(
    make_app: Callable[..., Flask], kind: str, fails: bool, text: str
) -> None:
    def watch(state: Any) -> None:
        while not state.stopping.wait(0.05):
            pass

    def notify(state: Any) -> None:
        if fails:
            raise OSError

    config = {"WAFFLE_WATCHTYPE": (watch, notify) if kind == "custom" else kind}
    app = make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCH_INTERVAL=7, **config)
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    answer = app.test_client().post(URL, data={"SIZE": "5"}, follow_redirects=True)
    assert text in answer.text


@pytest.mark.parametrize(
    ("stored", "english", "spanish"),
    [
        ("!", "the stored text is not base64", "el texto guardado no es base64"),
        (
            "",
            "the stored text is damaged (IndexError)",
            "el texto guardado está dañado (IndexError)",
        ),
        (
            base64.b64encode(b"cshop\nThing\n.").decode(),
            "class shop.Thing is not allowed",
            "la clase shop.Thing no está permitida",
        ),
    ],
)
def test_why_what_is_stored_cannot_be_read_is_told_in_it_too(
    app: Flask, caplog: pytest.LogCaptureFixture, stored: str, english: str, spanish: str
) -> None:
    state = app.extensions["waffleconf"]
    with app.app_context():
        state.configstore.put("SIZE", stored)
        state.configstore.commit()
    client = app.test_client()
    assert spanish in row(client.get(f"{URL}?lang=es").text, "SIZE")
    assert english in row(client.get(f"{URL}?lang=en").text, "SIZE")
    assert english in caplog.text and spanish not in caplog.text


@pytest.mark.parametrize(
    ("conf", "typed", "text"),
    [
        (
            {"default": Decimal(1)},
            "1e9999",
            "un número tiene más de 4300 cifras; no se ha guardado nada",
        ),
        (
            {"default": None, "field": Odd},
            "nested",
            "el valor es demasiado grande o tiene demasiados niveles; no se ha guardado nada",
        ),
        (
            {"default": None, "field": Odd},
            "thing",
            "no está permitida; no se ha guardado nada. Para permitirlo: WAFFLE_CLASSES = [Thing]",
        ),
        ({"default": None, "field": Odd}, "function", "no se puede guardar (pickle no lo admite)"),
    ],
)
def test_why_a_value_cannot_be_stored_is_told_in_it_too(
    make_app: Callable[..., Flask], conf: dict[str, Any], typed: str, text: str
) -> None:
    app = make_app({"A": conf})
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    answer = app.test_client().post(URL, data={"A": typed})
    assert answer.status_code == 422 and text in row(answer.text, "A")


def test_rules_that_fail_are_told_in_it_too(make_app: Callable[..., Flask]) -> None:
    app = make_app(CONFS, validate=lambda values: 1 / 0)
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    answer = app.test_client().post(URL, data={"SIZE": "5"})
    assert "No se han podido comprobar las reglas entre ajustes" in answer.text


def test_a_choice_without_a_label_has_one_in_it_too(make_app: Callable[..., Flask]) -> None:
    app = make_app({"A": {"default": "", "choices": ["", "a"]}})
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    assert "(en blanco)" in row(app.test_client().get(URL).text, "A")


def test_a_marked_text_is_english_until_it_is_asked_for(app: Flask) -> None:
    text = i18n.mark("at least %(min)s bytes", min=3)
    copies = [text, str(ValueError(text)), pickle.loads(pickle.dumps(text)), copy.copy(text)]
    assert set(copies) == {"at least 3 bytes"} and f"{text}" == "at least 3 bytes"
    with app.test_request_context("?lang=es"):
        assert {i18n.gettext(each) for each in copies} == {"al menos 3 bytes"}


@pytest.mark.parametrize(
    ("locale", "lang"), [("es_MX", "es-MX"), ("en_GB", "en-GB"), ("zh_Hans_CN", "en"), ("ar", "en")]
)
def test_the_page_names_the_language_that_its_texts_are_in(
    app: Flask, locale: str, lang: str
) -> None:
    """Without a catalogue they are in English, and read from left to right."""
    page = app.test_client().get(f"{URL}?lang={locale}").text
    assert f'<html lang="{lang}">' in page
    assert (">Save<" in page) == lang.startswith("en")


@pytest.mark.parametrize(("locale", "attributes"), [("ar", "en ltr"), ("es", "es ltr")])
def test_within_a_layout_of_the_app_the_page_names_its_own_language(
    make_app: Callable[..., Flask], locale: str, attributes: str
) -> None:
    app = make_app(CONFS)
    app.jinja_loader = DictLoader({"base.html": "{% block content %}{% endblock %}"})  # type: ignore[assignment]
    Babel(app, locale_selector=lambda: locale)
    app.register_blueprint(WaffleAdmin(layout="base.html"))
    lang, direction = attributes.split()
    assert f'wf-embedded" lang="{lang}" dir="{direction}"' in app.test_client().get(URL).text


def test_a_catalogue_from_right_to_left_says_so(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(FOLDER / "es", tmp_path / "ar")
    monkeypatch.setattr(i18n, "_FOLDER", tmp_path)
    i18n._has_catalogue.cache_clear()
    try:
        page = app.test_client().get(f"{URL}?lang=ar").text
    finally:
        i18n._has_catalogue.cache_clear()
    assert '<html lang="ar" dir="rtl">' in page


def test_without_flask_babel_it_is_english(make_app: Callable[..., Flask]) -> None:
    assert i18n.gettext("Save") == "Save"
    app = make_app({"A": {"default": 1}})
    with app.app_context():
        assert i18n.gettext("at least %(min)s", min=1) == "at least 1"
        assert i18n.ngettext("%(count)s day ago", "%(count)s days ago", 2) == "2 days ago"
        assert (i18n.language(), i18n.is_rtl()) == ("en", False)


class Shown(HTMLParser):
    """What of a template people read, as it stands there: texts and attributes, but no code."""

    def __init__(self, template: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", template, flags=re.S))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside += [tag] if tag in ("pre", "code") else []
        names = ("title", "placeholder", "alt", "label", "aria-label", "data-one", "data-many")
        self.texts += [text or "" for name, text in attrs if name in names]

    def handle_endtag(self, tag: str) -> None:
        if tag in self.inside:
            self.inside.remove(tag)

    def handle_data(self, data: str) -> None:
        # A macro may give attributes.
        self.texts += [] if self.inside else [re.sub(r'[\w-]+=""', "", data)]


def english_texts(language: str) -> re.Pattern[str]:
    """What fits a text of ours in English, of those that are another one in a language."""
    texts = []
    for message in catalog(language):
        if message.id and message.id != message.string:
            texts += message.id if isinstance(message.id, tuple) else [message.id]
    places = re.compile(r"%\(\w+\)s|#")
    with_words = [text.strip() for text in texts if re.search("[A-Za-z]{2}", places.sub("", text))]
    return re.compile("|".join(".+".join(map(re.escape, places.split(t))) for t in with_words))


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_have_no_english_in_another_language(
    make_app: Callable[..., Flask], language: str
) -> None:
    confs: dict[str, Any] = {
        "SITENAME": {"desc": "A", "default": "Waffle", "min": 1, "max": 40, "group": "B"},
        "ON": {"desc": "C", "default": True},
        "SIZE": {"desc": "D", "default": 20, "confirm": True, "needs": "ON"},
        "TOKEN": {"desc": "E", "default": "", "secret": True},
        "FIXED": {"desc": "F", "default": "x", "readonly": True},
        "SINCE": {"desc": "G", "default": date(2026, 1, 31)},
        "HOURS": {"desc": "H", "default": {"mon": [9, 18]}},
    }
    app = make_app(confs, history=True, WAFFLE_SERIALIZER="json")
    Babel(app, locale_selector=lambda: language)
    may = {"view", "edit", "history"}
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: action in may))
    client, state = app.test_client(), app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Crêperie", "ON": False, "TOKEN": "x"}, note="n")
    wrong = {"SITENAME": "", "SIZE": "many", "SINCE": "tomorrow", "HOURS": "{"}
    pages = [
        client.get(URL),
        client.get(f"{URL}?q=zzz"),
        client.post(URL, data=wrong),
        client.post(URL, data={"SIZE": "5", "TOKEN": "y"}),
        client.post(URL, data={"SITENAME": "Bakery"}, follow_redirects=True),
        client.get(f"{URL}/history"),
        client.get(f"{URL}/files"),
    ]
    assert [page.status_code for page in pages] == [200, 200, 422, 200, 200, 200, 200]
    may.remove("edit")
    pages.append(client.get(URL))
    may.clear()
    pages += [client.get(URL), client.post(URL, data={"SITENAME": "Newer"})]
    english = english_texts(language)
    found = {text.strip() for page in pages for text in Shown(page.text).texts}
    assert sorted(text for text in found if english.fullmatch(text)) == []


TEMPLATES = sorted((PACKAGE / "templates").rglob("*.html"))


def test_templates_are_looked_for_where_they_are() -> None:
    assert {"_macros.html", "waffle_form.html", "history.html"} <= {p.name for p in TEMPLATES}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_words_that_stay_english(path: Path) -> None:
    shown = Shown(path.read_text()).texts
    assert [text for text in shown if re.search("[A-Za-z]{3}", text)] == []
