"""Who may log in, and who may change which setting."""

from __future__ import annotations

import click
from flask import Blueprint, abort, redirect, render_template, session
from flask_login import current_user, login_user
from flask_wtf import FlaskForm
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField

from waffleconf_admin import Setting

from .extensions import login_manager
from .models import add_user, load_user

blueprint = Blueprint("auth", __name__, cli_group=None)


def can(action: str, setting: Setting) -> bool:
    """Let admins change everything, staff see what is not secret; others log in first."""
    if not current_user.is_authenticated:
        abort(login_manager.unauthorized())
    if current_user.role == "admin":
        return True
    return current_user.role == "staff" and action == "view" and not setting.secret


class LoginForm(FlaskForm):
    name = StringField("Name")
    password = PasswordField("Password")


@blueprint.route("/login", methods=["GET", "POST"])
def login() -> Response | str:
    form = LoginForm()
    if form.validate_on_submit():
        user = load_user(form.name.data)
        if user and check_password_hash(user.password, form.password.data):
            login_user(user)
            return redirect(session.pop("next", "/"))
        form.name.errors = ["The name or the password is wrong."]
    return render_template("login.html", form=form)


@blueprint.cli.command("add-user")
@click.argument("name")
@click.option("--role", type=click.Choice(["admin", "staff", "customer"]), default="customer")
@click.password_option()
def add(name: str, role: str, password: str) -> None:
    """Add a user who can log in."""
    add_user(name, generate_password_hash(password), role)
