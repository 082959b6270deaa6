"""Declarations that change while the app runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from states import CONFS, MakeApp, put, state_of

from waffleconf_admin import InvalidValue, WaffleAdmin, anyone, conf
from waffleconf_admin.state.state import State


def test_declarations_that_are_added_after_init_are_taken_up(make_app: MakeApp) -> None:
    app = make_app({})
    app.config["WAFFLE_CONFS"]["LATE"] = {"default": 7}
    assert state_of(app).parse_conf() == {"LATE": 7}
    assert app.config["LATE"] == 7


def test_views_go_on_with_the_former_declarations_when_new_ones_are_wrong(
    app: Flask, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["WAFFLE_CONFS"] = {"SITENAME": {"default": 7, "min": 9}}
    with app.app_context():
        assert (conf.SITENAME, conf.SITENAME) == ("Waffle", "Waffle")
    assert caplog.text.count("The former WAFFLE_CONFS is used") == 1


def test_replaced_declarations_are_taken_up_at_first_use(app: Flask, state: State) -> None:
    state.update_db({"SITENAME": "Kept"})
    app.config["WAFFLE_CONFS"] = {"SITENAME": CONFS["SITENAME"], "NEW": {"default": 7}}
    assert state.parse_conf() == {"SITENAME": "Kept", "NEW": 7}
    assert app.config["NEW"] == 7
    app.config["WAFFLE_CONFS"] = {"NEW": {"default": 7, "min": 9}}
    with pytest.raises(InvalidValue, match="NEW"):
        state.parse_conf()


@pytest.mark.parametrize("text", [None, "damaged"])
def test_a_changed_default_is_the_default_from_then_on(
    app: Flask, state: State, text: str | None
) -> None:
    app.config["WAFFLE_STORE_DEFAULTS"] = False
    if text is not None:
        put(app, "MAX_FILESIZE", text)
    assert state.refresh()["MAX_FILESIZE"].value == 1000
    app.config["WAFFLE_CONFS"] = CONFS | {"MAX_FILESIZE": {"default": 7}}
    assert state.read()["MAX_FILESIZE"].value == 7
    assert state.refresh()["MAX_FILESIZE"].value == 7
    assert state.parse_conf()["MAX_FILESIZE"] == app.config["MAX_FILESIZE"] == 7


OPERATIONS: dict[str, Callable[[State], object]] = {
    "parse_conf": lambda state: state.parse_conf()["SITENAME"],
    "parse_conf of the key": lambda state: state.parse_conf(["SITENAME"])["SITENAME"],
    "read": lambda state: state.read(["SITENAME"])["SITENAME"].value,
    "refresh": lambda state: state.refresh()["SITENAME"].value,
    "update_conf": lambda state: state.update_conf() and state.app.config["SITENAME"],
    "conf": lambda state: state.current()["SITENAME"],
    "reset": lambda state: state.reset("SITENAME")["SITENAME"],
}


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS)
@pytest.mark.parametrize("in_place", [True, False], ids=["an entry", "all"])
def test_each_operation_notices_a_replaced_entry(
    make_app: MakeApp, operation: Callable[[State], object], in_place: bool
) -> None:
    app = make_app(dict(CONFS), WAFFLE_STORE_DEFAULTS=False)
    state = state_of(app)
    state.update_conf()
    put(app, "SITENAME", "damaged")
    if in_place:
        app.config["WAFFLE_CONFS"]["SITENAME"] = {"default": "Another"}
    else:
        app.config["WAFFLE_CONFS"] = CONFS | {"SITENAME": {"default": "Another"}}
    assert operation(state) == "Another"


def test_a_save_is_checked_by_an_entry_that_was_replaced_just_before(make_app: MakeApp) -> None:
    app = make_app(dict(CONFS))
    app.config["WAFFLE_CONFS"]["MAX_FILESIZE"] = {"default": 7, "max": 9}
    with pytest.raises(InvalidValue):
        state_of(app).update_db({"MAX_FILESIZE": 10})


@pytest.mark.parametrize("key", ["SITENAME", "LATE"], ids=["removed", "added"])
def test_a_save_notices_an_entry_that_was_added_or_removed(make_app: MakeApp, key: str) -> None:
    app = make_app(dict(CONFS))
    del app.config["WAFFLE_CONFS"]["SITENAME"]
    app.config["WAFFLE_CONFS"]["LATE"] = {"default": ""}
    assert dict(state_of(app).update_db({key: "x"})) == ({"LATE": "x"} if key == "LATE" else {})


def test_an_added_entry_is_noticed_by_an_operation_on_another(make_app: MakeApp) -> None:
    app = make_app(dict(CONFS))
    app.config["WAFFLE_CONFS"]["LATE"] = {"default": 7}
    state_of(app).parse_conf(["SITENAME"])
    assert app.config["LATE"] == 7


def test_declarations_that_are_replaced_by_no_dict_are_an_error(state: State) -> None:
    state.app.config["WAFFLE_CONFS"] = 7
    with pytest.raises(InvalidValue, match="must be a dict"):
        state.parse_conf(["SITENAME"])


class Compared(dict[str, Any]):
    """Declarations that count how often all of them are compared."""

    count = 0

    def __ne__(self, other: object) -> bool:
        self.count += 1
        return super().__ne__(other)


def save_undo_and_list(state: State) -> None:
    history = state.history
    assert history
    state.update_conf()
    saved = state.update_db(dict.fromkeys(state.settings, 1))
    changes = history.list(limit=1000)
    history.latest([change.key for change in changes])
    history.obstacles(changes)
    assert not any(history.obstacle(change, ask=False) for change in changes)
    history.undo(saved.change_set or "")
    state.parse_conf()


def test_comparing_the_declarations_takes_no_longer_for_each_of_many(make_app: MakeApp) -> None:
    counts = []
    for size in (1, 40):
        confs = Compared({f"KEY_{number}": {"default": 0} for number in range(size)})
        state = state_of(make_app(confs, url=":memory:", history=True))
        confs.count = 0
        save_undo_and_list(state)
        counts.append(confs.count)
    assert counts[0] == counts[1]


def page(app: Flask) -> Any:
    return app.test_client().get("/admin/config")


def post(app: Flask) -> Any:
    sent = {f"K{number}": "7" for number in range(len(app.config["WAFFLE_CONFS"]))}
    return app.test_client().post("/admin/config", data=sent)


def call_api(app: Flask) -> Any:
    client = app.test_client()
    sent = dict.fromkeys(app.config["WAFFLE_CONFS"], 8)
    url = "/admin/config/api/settings"
    known = {"If-Match": client.get(url).headers["ETag"]}
    assert client.patch(url, json={"settings": sent}, headers=known).status_code == 200
    assert client.get("/admin/config/api/openapi.json").status_code == 200
    assert client.get("/admin/config/api/history").status_code == 200
    return client.get(url)


def compare(app: Flask) -> Any:
    return app.test_client().get("/admin/config/history/compare?since=2026-01-01")


def download(app: Flask) -> Any:
    return app.test_client().get("/admin/config/files/settings.json?all=1")


def run_commands(app: Flask) -> None:
    file = Path(app.root_path, "settings.json")
    for line in (
        "export --all", "list", "list --json", "history", "history --json", "check", "explain K0",
        "diff FILE", "import FILE --prune", "import FILE --apply", "undo LAST", "ends --json",
        "go-back END", "diff --as-of 2026-01-01", "export --as-of 2026-01-01", "deployed",
    ):  # fmt: skip
        last = state_of(app).history.list(limit=1)[0].change_set
        ends = [end.change_set for end in state_of(app).ends.open]
        words = {"FILE": str(file), "LAST": last, "END": ends[0] if ends else ""}
        args = [words.get(word, word) for word in line.split()]
        result = app.test_cli_runner().invoke(args=["waffle", *args])
        assert result.exit_code in (0, 2), result.output
        if line == "export --all":
            file.write_text(result.stdout.replace(": 3", ": 4"))
        if line == "undo LAST":
            until = datetime.now(UTC) + timedelta(hours=1)
            state_of(app).update_db(dict.fromkeys(app.config["WAFFLE_CONFS"], 9), until=until)


@pytest.mark.parametrize("use", [page, post, call_api, compare, download, run_commands])
def test_pages_and_commands_compare_the_declarations_as_often_however_many_there_are(
    make_app: MakeApp, use: Callable[[Flask], Any]
) -> None:
    counts = []
    for number in (2, 40):
        app = make_app({f"K{i}": {"default": 1} for i in range(number)}, history=True)
        app.register_blueprint(WaffleAdmin(can=anyone, api=True))
        state_of(app).update_db({f"K{i}": i + 2 for i in range(number)})
        app.config["WAFFLE_CONFS"] = compared = Compared(app.config["WAFFLE_CONFS"])
        response = use(app)
        assert response is None or response.status_code in (200, 303), response.text
        counts.append(compared.count)
    assert counts[0] == counts[1]
