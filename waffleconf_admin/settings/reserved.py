"""Reserved: keys of Flask and of common extensions that can't be settings, or have to be secret."""

from __future__ import annotations

from collections.abc import Mapping

#: Where the database is: it has to be known before a setting can be read. Of Flask-SQLAlchemy,
#: Flask-SQLAlchemy-Lite, and FlaskDB of peewee.
DATABASE_KEYS = {
    *("SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_BINDS", "SQLALCHEMY_ENGINE_OPTIONS"),
    *("SQLALCHEMY_ENGINES", "DATABASE", "DATABASE_URL"),
}

#: Keys whose values are passwords, or keys that sign.
SECRET_KEYS = {
    *("SECRET_KEY", "SECRET_KEY_FALLBACKS", "WTF_CSRF_SECRET_KEY", "JWT_SECRET_KEY"),
    *("SECURITY_PASSWORD_SALT", "MAIL_PASSWORD", "CACHE_MEMCACHED_PASSWORD"),
    *("CACHE_REDIS_PASSWORD", "CACHE_REDIS_SENTINEL_PASSWORD"),
}


def find_public_secrets(confs: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return those keys of WAFFLE_CONFS whose values are secret, and which are not declared so."""
    return [key for key, entry in confs.items() if key in SECRET_KEYS and not entry.get("secret")]
