"""The extensions and the models of the settings: made once, for all apps of the factory."""

from __future__ import annotations

from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleConf

db = SQLAlchemy()
migrate = Migrate()
login_manager = LoginManager()
login_manager.login_view = "auth.login"

Conf, ConfChange = AlchemyWaffleStore.make_models(db)  # the settings, and who changed what
waffle = WaffleConf(configstore=AlchemyWaffleStore(db, Conf, history=ConfChange))
