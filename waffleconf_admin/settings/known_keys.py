"""Known keys: those of Flask and of common extensions that can't be settings, have to be secret, or
are copied when the app starts.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..i18n import mark

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

#: What is said of settings that are declared with `restart`.
RESTART = mark("Takes effect when the processes are restarted.")
RESTART_OF = mark("%(label)s: takes effect when the processes are restarted.")

#: By package: the beginning of its keys, and the rest of those that it copies. Each was looked up
#: in its source. A key that is read each time it is used, such as SECRET_KEY or
#: SESSION_COOKIE_NAME, is not here.
_TABLE: dict[str, tuple[str, str]] = {
    "Flask": ("", "PROVIDE_AUTOMATIC_OPTIONS TEMPLATES_AUTO_RELOAD"),
    "Flask-Mail": (
        "MAIL_",
        "ASCII_ATTACHMENTS DEBUG DEFAULT_SENDER MAX_EMAILS PASSWORD PORT SERVER SUPPRESS_SEND "
        "USERNAME USE_SSL USE_TLS",
    ),
    "Flask-Mailman": (
        "MAIL_",
        "BACKEND DEFAULT_CHARSET FILE_PATH SEND_OPTIONS SSL_CERTFILE SSL_KEYFILE TIMEOUT "
        "USE_LOCALTIME",
    ),
    "Flask-SQLAlchemy": (
        "SQLALCHEMY_",
        "BINDS DATABASE_URI ECHO ENGINE_OPTIONS RECORD_QUERIES TRACK_MODIFICATIONS",
    ),
    "Flask-Babel": ("BABEL_", "DEFAULT_LOCALE DEFAULT_TIMEZONE DOMAIN TRANSLATION_DIRECTORIES"),
    "Flask-Session": (
        "SESSION_",
        "CACHELIB CLEANUP_N_REQUESTS DYNAMODB DYNAMODB_TABLE FILE_DIR FILE_MODE FILE_THRESHOLD "
        "ID_LENGTH KEY_PREFIX MEMCACHED MONGODB MONGODB_COLLECT MONGODB_DB PERMANENT REDIS "
        "SERIALIZATION_FORMAT SQLALCHEMY SQLALCHEMY_BIND_KEY SQLALCHEMY_SCHEMA "
        "SQLALCHEMY_SEQUENCE SQLALCHEMY_TABLE TYPE USE_SIGNER",
    ),
    "Flask-Caching": (
        "CACHE_",
        "ARGS DEFAULT_TIMEOUT DIR ENABLE_SIGNALS FILE_HASH_METHOD GCS_BUCKET HASH_METHOD "
        "IGNORE_ERRORS KEY_PREFIX MEMCACHED_PASSWORD MEMCACHED_SERVERS MEMCACHED_USERNAME "
        "NO_NULL_WARNING OPTIONS REDIS_CLUSTER REDIS_DB REDIS_HOST REDIS_PASSWORD REDIS_PORT "
        "REDIS_SENTINELS REDIS_SENTINEL_MASTER REDIS_SENTINEL_PASSWORD REDIS_URL SERIALIZER "
        "SOURCE_CHECK THRESHOLD TYPE UWSGI_NAME",
    ),
    "Flask-Limiter": (
        "RATELIMIT_",
        "APPLICATION APPLICATION_COST APPLICATION_DEDUCT_WHEN APPLICATION_EXEMPT_WHEN "
        "APPLICATION_PER_METHOD DEFAULT DEFAULTS_COST DEFAULTS_DEDUCT_WHEN DEFAULTS_EXEMPT_WHEN "
        "DEFAULTS_PER_METHOD ENABLED FAIL_ON_FIRST_BREACH HEADERS_ENABLED HEADER_LIMIT "
        "HEADER_REMAINING HEADER_RESET HEADER_RETRY_AFTER HEADER_RETRY_AFTER_VALUE "
        "IN_MEMORY_FALLBACK IN_MEMORY_FALLBACK_ENABLED KEY_PREFIX META ON_BREACH_CALLBACK "
        "ON_META_BREACH_CALLBACK REQUEST_IDENTIFIER STORAGE_OPTIONS STORAGE_URI STRATEGY "
        "SWALLOW_ERRORS",
    ),
    "Flask-CORS": (
        "CORS_",
        "ALLOW_HEADERS ALLOW_PRIVATE_NETWORK ALWAYS_SEND AUTOMATIC_OPTIONS EXPOSE_HEADERS "
        "INTERCEPT_EXCEPTIONS MAX_AGE METHODS ORIGINS RESOURCES SEND_WILDCARD "
        "SUPPORTS_CREDENTIALS VARY_HEADER",
    ),
    "Flask-Compress": (
        "COMPRESS_",
        "ALGORITHM ALGORITHM_STREAMING CACHE_BACKEND CACHE_KEY MIMETYPES REGISTER "
        "STREAMING_ENDPOINT_CONDITIONAL",
    ),
    "Flask-APScheduler": (
        "SCHEDULER_",
        "ALLOWED_HOSTS API_ENABLED API_PREFIX AUTH ENDPOINT_PREFIX EXECUTORS JOBS JOBSTORES "
        "JOB_DEFAULTS TIMEZONE VIEWS_ENABLED",
    ),
    "Flask-DebugToolbar": ("DEBUG_TB_", "ENABLED ROUTES_HOST"),
    "Flask-Redis": ("REDIS_", "URL"),
    "Flask-PyMongo": ("MONGO_", "URI"),
    "Celery": ("", "CELERY CELERY_BROKER_URL CELERY_RESULT_BACKEND"),
}

#: The package that copies a key, by key.
COPIED = {
    prefix + rest: package for package, (prefix, keys) in _TABLE.items() for rest in keys.split()
}


def find_public_secrets(confs: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return those keys of WAFFLE_CONFS whose values are secret, and which are not declared so."""
    return [key for key, entry in confs.items() if key in SECRET_KEYS and not entry.get("secret")]


def find_copied(confs: Mapping[str, Mapping[str, object]]) -> dict[str, str]:
    """Return those keys of WAFFLE_CONFS that a package copies, with its name.

    Those are left out whose declaration has ``restart``, be it True or False.
    """
    return {
        key: COPIED[key]
        for key, entry in confs.items()
        if key in COPIED and key not in DATABASE_KEYS and "restart" not in entry
    }


def describe_copied(copied: Mapping[str, str]) -> str:
    """Return what is to be done about copied keys, in sentences; "" for none."""
    if not copied:
        return ""
    named = ", ".join(f"{key} ({package})" for key, package in copied.items())
    return (
        f"A change of {named} has no effect while a process runs, for its value is copied at the "
        'start. Declare "restart": True, or use a way that docs/declarations.md shows. If your own '
        'code reads it where it is used, declare "restart": False.'
    )
