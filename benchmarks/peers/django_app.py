"""Django with its admin: django-constance, django-content-settings, or constants."""

from __future__ import annotations

from importlib import import_module

import django
from django.conf import settings
from shared import CONFIG, DATABASE, DEFAULTS, READ, SAVED, shown

PACKAGE = CONFIG["package"]  #: "constance", "content_settings"; None: constants
PAGE = {
    "constance": "/admin/constance/config/",
    "content_settings": "/admin/content_settings/contentsetting/",
}.get(PACKAGE)


def create_app():
    settings.configure(
        SECRET_KEY="benchmark",
        ALLOWED_HOSTS=["127.0.0.1"],
        ROOT_URLCONF="django_app",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATABASE}},
        CACHES={
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": CONFIG["redis"],
                "KEY_PREFIX": str(DATABASE),
            }
        },
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "django.contrib.staticfiles",
            *([PACKAGE] if PACKAGE else []),
            "declared",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "django_app.as_superuser",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
        STATIC_URL="static/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        CONSTANCE_BACKEND=f"constance.backends.{CONFIG['backend']}",
        CONSTANCE_CONFIG={key: (value, key) for key, value in DEFAULTS.items()},
        CONSTANCE_REDIS_CONNECTION=CONFIG["redis"],
        CONSTANCE_REDIS_PREFIX=f"{DATABASE}:",
        **DEFAULTS,
    )
    django.setup()
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connection

    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS confs (key PRIMARY KEY, value)")
    if PACKAGE == "constance":
        from constance import config

        for key in DEFAULTS:  # reading adds what is missing
            getattr(config, key)
    return get_wsgi_application()


def as_superuser(get_response):
    """A middleware: everybody may see the page, as with our `can=anyone`."""

    def answer(request):
        from django.contrib.auth.models import User

        request.user = User(pk=1, username="anyone", is_staff=True, is_superuser=True)
        return get_response(request)

    return answer


def source():
    """What settings are read from, and saved to."""
    if PACKAGE == "constance":
        return import_module("constance").config
    if PACKAGE == "content_settings":
        return import_module("content_settings.conf").content_settings
    return settings


def read(request):
    from django.http import HttpResponse

    config = source()
    return HttpResponse(shown([getattr(config, key) for key in READ]))


def write(request):
    from django.db import connection
    from django.http import HttpResponse

    value = request.GET["value"]
    if PACKAGE:
        setattr(source(), SAVED, value)
    else:  # constants can't be saved: a row is, that nobody reads
        with connection.cursor() as cursor:
            cursor.execute("REPLACE INTO confs VALUES (%s, %s)", [SAVED, value])
    return HttpResponse("")


def __getattr__(name):
    """The addresses, which can be made only once Django is set up."""
    if name != "urlpatterns":
        raise AttributeError(name)
    from django.contrib import admin
    from django.urls import path

    return [path("", read), path("save", write), path("admin/", admin.site.urls)]
