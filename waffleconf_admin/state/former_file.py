"""FormerFile: warns of settings that an upgrade has left in another SQLite file."""

from __future__ import annotations

import logging

from ..exceptions import StoreError
from ..log_once import LogOnce
from ..settings.equality import same
from .cache import Cache
from .repository import Repository

log = logging.getLogger(__name__)

#: Settings that are named, at most.
MOST_NAMES = 5


class FormerFile:
    """Finds settings that are where Flask-SQLAlchemy 2.5 had the database, not where 3 has it.

    To the app they seem lost: it serves the defaults.

    :param cache: the app's values, as they were loaded.
    """

    def __init__(self, cache: Cache, repository: Repository) -> None:
        self._cache = cache
        self._repository = repository
        self._log_once = LogOnce(log)

    def problem(self) -> str | None:
        """Return what was left behind, and the remedy; None: nothing, or values were set since."""
        try:
            former = self._repository.former_rows()
        except StoreError:
            return None
        if former is None:
            return None
        _, settings, records = self._cache.settings_and_records()
        if any(not same(records.stored_value(key), settings[key].default) for key in settings):
            return None
        texts = records.texts
        left = [key for key, text in former.texts.items() if key in texts and texts[key] != text]
        if not left:
            return None
        names = ", ".join(sorted(left)[:MOST_NAMES]) + (", …" if len(left) > MOST_NAMES else "")
        return (
            f"{former.path} has stored values ({names}), but the app uses {former.used}, where all "
            "settings have their defaults: Flask-SQLAlchemy 3 looks a relative path up in the "
            "instance folder. Move the file there, or set SQLALCHEMY_DATABASE_URI to its whole "
            f"path: sqlite:///{former.path}"
        )

    def warn(self) -> None:
        """Log once what `problem` returns."""
        if problem := self.problem():
            self._log_once("former file", logging.WARNING, "%s", problem)
