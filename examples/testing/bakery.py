"""A small app whose tests override settings, and roll back what they save."""

from __future__ import annotations

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleConf, conf

db = SQLAlchemy()
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf(configstore=AlchemyWaffleStore(db, Conf, history=ConfChange))


class Order(db.Model):
    id = db.Column(db.Integer, primary_key=True)


def create_app(database="sqlite:///bakery.db"):
    app = Flask(__name__)
    app.config["SECRET_KEY"] = "change me"
    app.config["SQLALCHEMY_DATABASE_URI"] = database
    app.config["WAFFLE_CONFS"] = {
        "SITENAME": {"desc": "Name of the site", "default": "Bakery", "max": 40},
        "OPEN": {"desc": "Takes orders", "default": True},
        "LIMIT": {"desc": "Orders a day", "default": 100, "min": 1},
    }
    db.init_app(app)
    waffle.init_app(app)
    app.add_url_rule("/", view_func=index)
    app.add_url_rule("/order", view_func=order, methods=["POST"])
    return app


def index():
    return f"{conf.SITENAME}: {'open' if conf.OPEN else 'closed'}"


def order():
    """Take an order; the last one closes the bakery."""
    db.session.add(Order())
    db.session.commit()
    if Order.query.count() >= conf.LIMIT:
        waffle.state.update_db({"OPEN": False}, actor="bakery")
    return "Thank you"
