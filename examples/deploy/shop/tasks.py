"""Celery: tasks read settings as views do, and the worker follows as a web process does."""

from __future__ import annotations

from celery import Celery, Task, shared_task
from flask import Flask

from waffleconf_admin import conf


def add_celery(app: Flask) -> None:
    """Make the Celery app, configured by ``app.config["CELERY"]``; its tasks run in a context."""

    class ContextTask(Task):
        def __call__(self, *args: object, **kwargs: object) -> object:
            with app.app_context():
                return self.run(*args, **kwargs)

    celery = Celery(app.name, task_cls=ContextTask)
    celery.config_from_object(app.config["CELERY"])
    celery.set_default()
    app.extensions["celery"] = celery
    app.add_url_rule("/letters/<customer>", "write", write, methods=["POST"])


@shared_task
def letter(customer: str) -> str:
    """Return the first line of a letter."""
    return f"{conf.GREETING} {customer}, this is {conf.SITENAME}."


def write(customer: str) -> str:
    """Have a worker write a letter; a real app would not wait for it."""
    text: str = letter.delay(customer).get(timeout=10)
    return text
