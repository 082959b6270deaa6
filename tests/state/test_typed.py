"""Settings classes in an app: what they read, where, and with which types."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from every_type import EVERY_TYPE, Theme
from flask import Flask, render_template_string

from waffleconf_admin import InvalidValue, Settings, WaffleConf, conf, setting
from waffleconf_admin.testing import override_conf


class Shop(Settings):
    SITENAME: str = setting("Waffle", desc="Name of the site")
    MODE: Literal["live", "closed"] = setting("live")
    TAGS: list[str] = setting([])
    THEME: Theme | None = setting(Theme.DARK)

    @property
    def title(self) -> str:
        return f"{self.SITENAME} ({self.MODE})"


class Mail(Settings):
    MAIL_FROM: str = setting("shop@example.org", type="email")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app([Shop, Mail], WAFFLE_SERIALIZER="json")


def test_the_configuration_is_the_dict_that_the_class_stands_for(app: Flask) -> None:
    confs = app.config["WAFFLE_CONFS"]
    assert list(confs) == ["SITENAME", "MODE", "TAGS", "THEME", "MAIL_FROM"]
    assert confs["SITENAME"] == {"type": str, "default": "Waffle", "desc": "Name of the site"}
    assert confs["MAIL_FROM"]["type"] == "email"


def test_one_class_serves_many_apps(app: Flask, make_app: Any) -> None:
    other = make_app(Shop, url=":memory:")
    app.extensions["waffleconf"].update_db({"SITENAME": "First"})
    with app.app_context():
        assert Shop.now().SITENAME == "First"
        with other.app_context():
            assert Shop.now().SITENAME == "Waffle"
    assert other.config["WAFFLE_CONFS"]["TAGS"] is not app.config["WAFFLE_CONFS"]["TAGS"]


def test_class_accessor_property_and_template_read_the_current_value(app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Crêperie", "THEME": None})
    with app.app_context():
        assert Shop.SITENAME == Shop.now().SITENAME == conf.SITENAME == "Crêperie"
        assert Shop.now().title == "Crêperie (live)"
        assert Shop.now().THEME is None
        assert Mail.now().MAIL_FROM == "shop@example.org"
        assert render_template_string("{{ shop.SITENAME }}", shop=Shop.now()) == "Crêperie"


def test_an_override_of_a_test_is_seen(app: Flask) -> None:
    with app.app_context(), override_conf(SITENAME="Tested"):
        assert Shop.now().SITENAME == Shop.SITENAME == "Tested"


def test_a_request_reads_one_snapshot(app: Flask) -> None:
    kept = Shop.now()  # what is kept has no value of its own

    def view() -> str:
        first = Shop.now().SITENAME
        with app.app_context():  # another request's
            app.extensions["waffleconf"].update_db({"SITENAME": "New"})
        return f"{first} {Shop.SITENAME} {kept.SITENAME}"

    app.add_url_rule("/", view_func=view)
    assert app.test_client().get("/").text == "Waffle Waffle Waffle"
    assert app.test_client().get("/").text == "New New New"


@pytest.mark.parametrize("read", [lambda: Shop.SITENAME, lambda: Shop.now().SITENAME])
def test_outside_a_context_a_read_is_an_error_that_names_the_remedy(
    app: Flask, read: Callable[[], object]
) -> None:
    with pytest.raises(RuntimeError, match=r"Shop\.now\(\)\.SITENAME needs an app: read it where"):
        read()


def test_an_app_without_the_class_is_named(make_app: Any) -> None:
    with (
        make_app({}).app_context(),
        pytest.raises(AttributeError, match="SITENAME is not declared in this app: add Shop to"),
    ):
        _ = Shop.now().SITENAME
    with Flask("other").app_context(), pytest.raises(RuntimeError, match="has no WaffleConf"):
        _ = Shop.now().SITENAME


def test_a_misspelt_name_is_no_attribute_and_nothing_is_set(app: Flask) -> None:
    shop: Any = Shop.now()
    with app.app_context():
        with pytest.raises(AttributeError, match="no attribute 'SITENMAE'"):
            _ = shop.SITENMAE
        for name in ("SITENAME", "SITENMAE"):
            with pytest.raises(AttributeError, match=r"read-only: save with state\.update_db"):
                setattr(shop, name, "Ours")
        with pytest.raises(AttributeError, match="override it in a test with override_conf"):
            Shop.SITENAME = "Ours"  # type: ignore[misc]
        assert shop.SITENAME == Shop.SITENAME == "Waffle"


@pytest.mark.parametrize(
    ("key", "broken", "served"),
    [
        ("SITENAME", 5, "5"),
        ("MODE", "open", "live"),
        ("TAGS", [1], []),
        ("THEME", "dark blue", Theme.DARK),
    ],
)
def test_what_breaks_the_annotation_is_neither_saved_nor_served(
    app: Flask, make_app: Any, key: str, broken: Any, served: Any
) -> None:
    state = app.extensions["waffleconf"]
    with pytest.raises(InvalidValue):
        state.update_db({key: broken})
    former = make_app({key: {"default": None}})  # a release with another declaration
    former.extensions["waffleconf"].update_db({key: broken})
    state.update_conf()
    with app.app_context():
        assert getattr(Shop.now(), key) == state.parse_conf([key])[key] == served


def test_every_type_is_read_as_its_annotation_says(make_app: Any) -> None:
    entries = {
        key: entry
        for key, (entry, _) in EVERY_TYPE.items()
        if entry["default"] is not None and "type" not in entry and "choices" not in entry
    }
    body: dict[str, Any] = {
        key: setting(entry["default"], **{k: v for k, v in entry.items() if k != "default"})
        for key, entry in entries.items()
    }
    types = {key: type(entry["default"]) for key, entry in entries.items()}
    Every: Any = type("Every", (Settings,), {**body, "__annotations__": types})
    app = make_app(Every, WAFFLE_SERIALIZER="json")
    state = app.extensions["waffleconf"]
    state.update_db({key: entry["default"] for key, entry in entries.items()})
    state.update_conf()
    with app.app_context():
        for key, value_type in types.items():
            assert isinstance(getattr(Every.now(), key), value_type), key


def test_a_mistake_in_the_classes_ends_the_start(make_app: Any) -> None:
    class Store(Settings):
        SITENAME: str = setting("Store")

    with pytest.raises(InvalidValue, match="SITENAME: Shop and Store both declare it"):
        make_app([Shop, Store])
    with pytest.raises(InvalidValue, match="a Settings class, or a list of these"):
        make_app([Shop, 5])


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(__file__).parents[2] / "examples" / "typed" / "shop.py"
    spec = importlib.util.spec_from_file_location("typed_shop", path)
    assert spec and spec.loader
    shop = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, shop)
    spec.loader.exec_module(shop)
    app = shop.create_app(f"sqlite:///{tmp_path / 'shop.db'}")
    client = app.test_client()
    assert client.get("/").text == "Waffle: Mon, no limit"
    assert client.get("/total/100").text == "Waffle: 120.00"
    with app.app_context():
        changes = shop.close()
        shop.db.engine.dispose()
    assert [(change.key, change.new, change.actor) for change in changes] == [
        ("MODE", "closed", "cron")
    ]
    assert client.get("/").text == "Waffle (closed)"
    page = client.get("/admin/config").text
    assert 'value="live"' in page and "SEND_TIMEOUT" in page
    with app.app_context():
        shop.db.engine.dispose()


def test_the_state_is_none_before_any_app_is_initialised() -> None:
    assert WaffleConf().state is None
