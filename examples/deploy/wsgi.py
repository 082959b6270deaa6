"""What servers import: uWSGI wsgi:app, gunicorn wsgi:app, celery --app wsgi:celery."""

from shop import create_app

app = create_app()
celery = app.extensions.get("celery")
