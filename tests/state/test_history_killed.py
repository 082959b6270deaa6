"""The history and the values stay together, whenever a process is killed.

WAFFLE_ROUNDS says how often: each round kills two that save at the same time.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import pytest
import saver
from writers import forks

from waffleconf_admin.store import HistoryQuery

ROUNDS = os.environ.get("WAFFLE_ROUNDS", "3")


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
def test_history_replayed_gives_the_values(
    request: pytest.FixtureRequest, tmp_path: Path, orm: str, kind: str
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    if kind != "sqlite":
        url = request.getfixturevalue(f"{kind}_url")
    with contextlib.ExitStack() as stack:
        app = saver.make_app(orm, url, stack, create=True)
        # A process without threads, which may fork: this one may have some.
        killer = forks().Process(target=saver.main, args=(orm, url, ROUNDS), daemon=True)
        killer.start()
        killer.join(600)
        assert killer.exitcode == 0
        with app.app_context():
            store = app.extensions["waffleconf"].configstore
            stored = dict(store.read(list(saver.CONFS)))
            rows = store.read_history(HistoryQuery())
    replayed: dict[str, Any] = {}
    saves: dict[str, set[str]] = {}
    for row in reversed(rows):
        assert row.old == replayed.get(row.key), f"row {row.id} does not follow the one before"
        replayed[row.key] = row.new
        saves.setdefault(row.change_set, set()).add(row.key)
    replayed.pop("SECRET", None)  # of which the history keeps no text
    assert {key: text for key, text in replayed.items() if text is not None} == {
        key: text for key, text in stored.items() if key != "SECRET"
    }
    print(f"{len(saves)} saves, {len(rows)} changes")
    assert len(saves) >= int(ROUNDS)
