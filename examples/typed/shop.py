"""A shop with typed settings. mypy and pyright find no mistake in it, both in strict mode."""

# pyright: strict

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, MaxLen
from flask import Flask, render_template_string
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import (
    AlchemyWaffleStore,
    Change,
    Settings,
    State,
    WaffleAdmin,
    WaffleConf,
    anyone,
    conf,
    setting,
)


class Plan(Enum):
    FREE = "free"
    GOLD = "gold"


class Shop(Settings):
    """What the shop sells, and when."""

    SITENAME: Annotated[str, MaxLen(40)] = setting("Waffle", desc="Name of the site")
    MAX_FILESIZE: Annotated[int, Ge(1)] = setting(1000, unit="bytes")
    MODE: Literal["live", "closed"] = setting("live", confirm=True)
    PLAN: Plan = setting(Plan.FREE, desc="Plan of new customers")
    TAX: Annotated[Decimal, Ge(0), Le(100)] = setting(Decimal("20.0"), unit="%")
    DAYS: list[Literal["Mon", "Tue", "Wed"]] = setting(["Mon"], desc="Open on")
    LIMIT: Annotated[int, Gt(0)] | None = setting(None, desc="Orders a day")

    @property
    def title(self) -> str:
        return self.SITENAME if self.MODE == "live" else f"{self.SITENAME} (closed)"


class Mail(Settings):
    """How the shop sends mail."""

    SENDER: str = setting("shop@example.org", type="email", group="Mail")
    SEND_TIMEOUT: Annotated[timedelta, Gt(timedelta())] = setting(timedelta(seconds=10))
    SEND_TOKEN: str = setting("", secret=True, group="Mail")


db = SQLAlchemy()
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf()


def create_app(database: str = "sqlite:///shop.db") -> Flask:
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SQLALCHEMY_DATABASE_URI=database,
        WAFFLE_CONFS=[Shop, Mail],
        WAFFLE_SERIALIZER="json",
    )
    db.init_app(app)
    with app.app_context():
        db.create_all()
    waffle.init_app(app, AlchemyWaffleStore(db, Conf, history=ConfChange))
    app.register_blueprint(WaffleAdmin(can=anyone))
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/total/<int:net>", "total", total)
    return app


def index() -> str:
    shop = Shop.now()
    if shop.MODE == "closed":
        return render_template_string("{{ shop.title }}", shop=shop)
    limit = "no" if shop.LIMIT is None else f"{shop.LIMIT:,}"
    return f"{shop.title}: {', '.join(shop.DAYS)}, {limit} limit"


def total(net: int) -> str:
    with_tax: Decimal = net * (1 + Shop.now().TAX / 100)
    return f"{conf.SITENAME}: {with_tax:.2f}"


def close() -> list[Change]:
    """Close the shop, and return the last changes."""
    state: State = waffle.state
    state.update_db({"MODE": "closed"}, actor="cron")
    return state.history.list(limit=10) if state.history else []
