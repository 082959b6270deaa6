"""FormerFile: the SQLite file that a relative path named before Flask-SQLAlchemy 3."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from ..contract import FormerRows
from ..table import Table
from .rows import AlchemyRows


class FormerDatabase:
    """The file of a relative path in the app's own folder.

    Flask-SQLAlchemy 3 looks relative paths up in the instance folder, 2.5 did so in the folder of
    the app.

    :param used: the path of the database that the app uses.
    :param root_path: the folder of the app.
    :param instance_path: its instance folder.
    """

    def __init__(self, used: str, root_path: str, instance_path: str) -> None:
        self._used = Path(used)
        relative = None
        if self._used.is_relative_to(instance_path):
            relative = self._used.relative_to(instance_path)
        self._path = relative and Path(root_path) / relative

    def read(self, rows: AlchemyRows) -> FormerRows | None:
        """Return the settings in the file; None: there is no such file, or no such table in it."""
        if self._path is None or self._path == self._used or not self._path.is_file():
            return None
        url = f"sqlite:///file:{quote(str(self._path))}?mode=ro&uri=true"
        try:
            with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
                texts = Table(rows).read(connection, None)
        except sa.exc.SQLAlchemyError:
            return None
        return FormerRows(str(self._path), str(self._used), texts)
