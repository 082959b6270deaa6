"""A worker of tests/state/test_state_machine.py, with all ways in."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps import ORMS
from flask import Flask
from machine import ABSENT, Release
from states import state_of

from waffleconf_admin import (
    ConflictError,
    InvalidValue,
    StoreError,
    WaffleAdmin,
    WaffleConf,
    anyone,
)
from waffleconf_admin.settings.units import duration_text
from waffleconf_admin.state.state import State
from waffleconf_admin.state.task import RESET, Origin

API = "/admin/config/api/settings"
OUTCOMES = {200: "saved", 422: "invalid", 503: "fault"}


class Worker:
    """A process of the app: all of its state is its own, but for the database.

    :param path: of the database, which has its tables.
    :param style: the ORM and the format.
    """

    def __init__(
        self, path: Path, release: Release, style: tuple[str, str], config: Mapping[str, Any]
    ) -> None:
        self.release = release
        self._stack = contextlib.ExitStack()
        self.app = app = Flask("shop", root_path=str(path.parent))
        orm, serializer = style
        app.config.from_mapping(
            config,
            TESTING=True,
            SECRET_KEY="test",
            WTF_CSRF_ENABLED=False,
            WAFFLE_CONFS=release.confs,
            WAFFLE_SERIALIZER=serializer,
        )
        store = ORMS[orm](app, f"sqlite:///{path}", False, True, self._stack)[-1]
        WaffleConf(app, store)
        app.register_blueprint(WaffleAdmin(can=anyone, api=True, actor=lambda: "ana"))
        self.client = app.test_client()
        with app.app_context():
            pass  # the first context loads

    @staticmethod
    def make_tables(path: Path, stack: contextlib.ExitStack) -> None:
        """Make an empty database."""
        ORMS["sqlalchemy"](Flask("shop"), f"sqlite:///{path}", True, True, stack)

    @property
    def state(self) -> State:
        return state_of(self.app)

    def end(self) -> None:
        self.state.stop()
        self._stack.close()

    def newest(self) -> int:
        """The id of the newest change."""
        assert self.state.history
        return max((change.id for change in self.state.history.list(limit=1)), default=0)

    def save(self, wanted: Mapping[str, Any], expected: Mapping[str, Any], way: str) -> str:
        """Save and reset settings; return "saved", "conflict", "invalid" or "fault"."""
        ways = {"code": self._by_code, "api": self._by_api, "cli": self._by_cli}
        return ways.get(way, self._by_import)(wanted, expected)

    def _by_code(self, wanted: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
        values = {key: value for key, value in wanted.items() if value is not ABSENT}
        try:
            if not values:
                self.state.reset(wanted, expected=expected)
            elif len(values) == len(wanted):
                self.state.update_db(values, expected=expected)
            else:
                task = {k: RESET if v is ABSENT else v for k, v in wanted.items()}
                self.state.save(task, expected, Origin(None, None, "code"))
        except ConflictError:
            return "conflict"
        except InvalidValue:
            return "invalid"
        except StoreError:
            return "fault"
        return "saved"

    def _by_api(self, wanted: Mapping[str, Any], _expected: Mapping[str, Any]) -> str:
        values = {key: _written(value) for key, value in wanted.items() if value is not ABSENT}
        reset = [key for key, value in wanted.items() if value is ABSENT]
        if len(wanted) > 1:
            response = self.client.patch(API, json={"settings": values, "reset": reset})
        elif reset:
            response = self.client.delete(f"{API}/{reset[0]}")
        else:
            ((key, value),) = values.items()
            response = self.client.patch(f"{API}/{key}", json={"value": value})
        return OUTCOMES[response.status_code]

    def _by_cli(self, wanted: Mapping[str, Any], _expected: Mapping[str, Any]) -> str:
        ((key, value),) = wanted.items()
        if value is ABSENT:
            return self._run("reset", key)
        if self.release.is_secret(key):
            return self._run("set", key, "--stdin", stdin=value)
        return self._run("set", key, "--json", json.dumps(_written(value)))

    def _by_import(self, wanted: Mapping[str, Any], _expected: Mapping[str, Any]) -> str:
        values = {key: _written(value) for key, value in wanted.items()}
        stdin = json.dumps({"waffleconf": 1, "settings": values})
        return self._run("import", "-", "--apply", "--take-over", "--all", stdin=stdin)

    def _run(self, *arguments: str, stdin: str | None = None) -> str:
        result = self.app.test_cli_runner().invoke(args=["waffle", *arguments], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit), result
        if result.exit_code:
            assert "the database is away" in result.output, result.output
        return "fault" if result.exit_code else "saved"


def _written(value: object) -> object:
    """A value as files and the API have it."""
    return value if isinstance(value, (str, int, dict, type(None))) else duration_text(value)
