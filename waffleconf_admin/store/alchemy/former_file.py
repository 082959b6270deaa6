"""The SQLite file that a relative path named before Flask-SQLAlchemy 3."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import sqlalchemy as sa

from ..contract import FormerRows
from ..instances import Model
from .rows import AlchemyRows


def read_former_file(
    model: Model, used: str, root_path: str, instance_path: str
) -> FormerRows | None:
    """Return the settings in the file of a relative path in the app's own folder; None: there is no
    such file, or no such table in it.

    Flask-SQLAlchemy 3 looks relative paths up in the instance folder, 2.5 did so in the folder of
    the app.

    :param model: the mapped class of the settings.
    :param used: the path of the database that the app uses.
    :param root_path: the folder of the app.
    :param instance_path: its instance folder.
    """
    if not Path(used).is_relative_to(instance_path):
        return None
    path = Path(root_path) / Path(used).relative_to(instance_path)
    if path == Path(used) or not path.is_file():
        return None
    url = f"sqlite:///file:{quote(str(path))}?mode=ro&uri=true"
    try:
        with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
            texts = AlchemyRows(model).read(connection, None)
    except sa.exc.SQLAlchemyError:
        return None
    return FormerRows(str(path), str(Path(used)), texts)
