"""Flask-Login: visitors log in, admins change settings, and the history names who did.

    pip install "waffleconf-admin[sqlalchemy]" Flask-Login
    flask --app examples/login/app.py run

Open http://127.0.0.1:5000/admin/config and log in as "ana" (an admin) or "bob", with the password
"waffle".
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask, abort, redirect, render_template_string, session
from flask_login import LoginManager, UserMixin, current_user, login_user
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import FlaskForm
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField, SubmitField

from waffleconf_admin import AlchemyWaffleStore, Setting, WaffleAdmin, WaffleConf, conf

db = SQLAlchemy()
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf(configstore=AlchemyWaffleStore(db, Conf, history=ConfChange))
login_manager = LoginManager()
login_manager.login_view = "login"


class User(UserMixin):
    """A user; a real app has a model of them."""

    def __init__(self, name: str, role: str) -> None:
        self.id = name  # whom the history names
        self.role = role
        self.password = generate_password_hash("waffle")


users = {user.id: user for user in (User("ana", "admin"), User("bob", "customer"))}
login_manager.user_loader(users.get)


class LoginForm(FlaskForm):
    """A name and a password."""

    name = StringField("Name")
    password = PasswordField("Password")
    submit = SubmitField("Log in")


def can(action: str, setting: Setting) -> bool:
    """Let admins do everything, and send visitors to the log-in."""
    if not current_user.is_authenticated:
        abort(login_manager.unauthorized())
    return bool(current_user.role == "admin")


def login() -> Response | str:
    """Log in, and go back to where the visitor came from."""
    form = LoginForm()
    if form.validate_on_submit():
        user = users.get(form.name.data)
        if user and check_password_hash(user.password, form.password.data):
            login_user(user)
            return redirect(session.pop("next", "/"))
    return render_template_string(
        '<form method="post">{{ form.csrf_token }}'
        "{{ form.name.label }} {{ form.name }} {{ form.password.label }} {{ form.password }} "
        "{{ form.submit }}</form>",
        form=form,
    )


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Make the app."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SQLALCHEMY_DATABASE_URI="sqlite:///site.db",
        # The log-in leads back to an address of ours: it is in the session, not in the URL.
        USE_SESSION_FOR_NEXT=True,
        WAFFLE_CONFS={"SITENAME": {"desc": "Name of the site", "default": "Waffle"}},
        WAFFLE_SERIALIZER="json",
    )
    app.config.from_mapping(config or {})
    db.init_app(app)
    waffle.init_app(app)
    login_manager.init_app(app)
    app.register_blueprint(WaffleAdmin(can=can))
    app.add_url_rule("/", "index", lambda: conf.SITENAME)
    app.add_url_rule("/login", "login", login, methods=["GET", "POST"])
    with app.app_context():
        db.create_all()
    return app
