"""The pages of the shop."""

from __future__ import annotations

from flask import Blueprint, render_template

from waffleconf_admin import conf

blueprint = Blueprint("views", __name__)


@blueprint.route("/")
def index() -> str:
    products = [f"Waffle {number}" for number in range(1, 200)]
    return render_template("index.html", products=products[: conf.PAGE_SIZE])
