"""Flask-Security: a role may change settings, and the history has e-mail addresses.

    pip install "waffleconf-admin[sqlalchemy]" Flask-Security
    flask --app examples/security/app.py run

Open http://127.0.0.1:5000/admin/config and log in as "ana@example.org" (an admin) or
"bob@example.org", with the password "waffle".
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask_security import Security, SQLAlchemyUserDatastore, auth_required, current_user
from flask_security.models import fsqla_v3
from flask_security.utils import hash_password
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, conf

db = SQLAlchemy()
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf(configstore=AlchemyWaffleStore(db, Conf, history=ConfChange))
fsqla_v3.FsModels.set_db_info(db)


class Role(db.Model, fsqla_v3.FsRoleMixin):  # type: ignore[misc, name-defined]
    """A role, such as "admin"."""


class User(db.Model, fsqla_v3.FsUserMixin):  # type: ignore[misc, name-defined]
    """Somebody who can log in."""


page = WaffleAdmin(
    can=lambda action, setting: current_user.has_role("admin"),
    # Without this the history would have Flask-Security's fs_uniquifier, a random text.
    actor=lambda: current_user.email,
)


@page.before_request
@auth_required("session")
def log_in() -> None:
    """Send whoever is not logged in to Flask-Security's log-in, which leads back here."""


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Make the app."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SECURITY_PASSWORD_SALT="change me too",
        SECURITY_PASSWORD_HASH="pbkdf2_sha512",  # the default, argon2, needs argon2-cffi
        SQLALCHEMY_DATABASE_URI="sqlite:///site.db",
        WAFFLE_CONFS={"SITENAME": {"desc": "Name of the site", "default": "Waffle"}},
        WAFFLE_SERIALIZER="json",
    )
    app.config.from_mapping(config or {})
    db.init_app(app)
    waffle.init_app(app)
    users = SQLAlchemyUserDatastore(db, User, Role)
    Security(app, users)
    app.register_blueprint(page)
    app.add_url_rule("/", "index", lambda: conf.SITENAME)
    with app.app_context():
        db.create_all()
        if not users.find_role("admin"):
            roles = [users.create_role(name="admin")]
            for name in ("ana", "bob"):
                email, password = f"{name}@example.org", hash_password("waffle")
                users.create_user(email=email, password=password, roles=roles)
                roles = []
            db.session.commit()
    return app
