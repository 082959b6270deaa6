"""The history: what it shows to whom."""

from __future__ import annotations

from typing import Any

import pytest
from pages import (
    HISTORY,
    HISTORY_CONFS,
    MakeApp,
    buttons,
    state_of,
    stored,
    undo,
    words,
)

from waffleconf_admin import WaffleAdmin


def client_with(make_app: MakeApp, *allowed: tuple[str, str], groups: Any = None) -> Any:
    """A client of an app where (action, key) pairs are allowed."""
    app = make_app(HISTORY_CONFS, history=True, TESTING=False)
    app.register_blueprint(
        WaffleAdmin(can=lambda action, s: (action, s.key) in allowed, groups=groups)
    )
    state_of(app).update_db({"SITENAME": "Bar", "SIZE": 5}, actor="ben")
    return app.test_client()


SEE = (("view", "SIZE"), ("history", "SIZE"))


ALL = tuple((action, key) for action in ("view", "edit", "history") for key in HISTORY_CONFS)


@pytest.mark.parametrize("allowed", [(), (("view", "SIZE"),), (("history", "SIZE"),)])
def test_the_history_needs_the_permissions_view_and_history(
    make_app: MakeApp, allowed: Any
) -> None:
    client = client_with(make_app, *allowed)
    assert client.get(HISTORY).status_code == 403
    change_set = state_of(client.application).history.list()[0].change_set
    assert undo(client, change_set).status_code == 403


def test_only_settings_that_the_user_may_see_are_listed(make_app: MakeApp) -> None:
    client = client_with(make_app, *SEE)
    for url in (HISTORY, f"{HISTORY}?key=SITENAME", f"{HISTORY}?actor=ben"):
        page = client.get(url).text
        assert "Bar" not in page and "Site name" not in page
        assert buttons(page) == []
    assert "After 5" in words(client.get(HISTORY).text)


def test_undo_leaves_alone_what_the_user_may_not_edit(make_app: MakeApp) -> None:
    client = client_with(make_app, *SEE, ("edit", "SIZE"), ("edit", "SITENAME"))
    (button,) = buttons(client.get(HISTORY).text)
    assert undo(client, button).status_code == 303
    assert (stored(client.application)["SITENAME"], stored(client.application)["SIZE"]) == (
        "Bar",
        20,
    )
    assert "SITENAME" not in client.get(HISTORY).text  # nor that there was more


def test_removed_settings_are_shown_only_to_users_who_may_see_all(make_app: MakeApp) -> None:
    client = client_with(make_app, *ALL)
    other = client_with(make_app, *(pair for pair in ALL if pair != ("history", "REGION")))
    for each, seen in ((client, True), (other, False)):
        each.application.config["WAFFLE_CONFS"] = {
            k: c for k, c in HISTORY_CONFS.items() if k != "SIZE"
        }
        for url in (HISTORY, f"{HISTORY}?key=SIZE"):
            said = words(each.get(url).text)
            assert ("no longer a setting, so no values are shown" in said) == seen
            assert "After 5" not in said


def test_a_page_of_groups_shows_no_removed_settings(make_app: MakeApp) -> None:
    client = client_with(make_app, *ALL, groups=["", "Shop"])  # all groups there are now
    client.application.config["WAFFLE_CONFS"] = {
        k: c for k, c in HISTORY_CONFS.items() if k != "SIZE"
    }
    said = words(client.get(HISTORY).text)
    assert "Bar" in said and "SIZE" not in said


def test_a_page_of_groups_shows_only_their_history(make_app: MakeApp) -> None:
    client = client_with(make_app, *ALL, groups=["Shop"])
    said = words(client.get(HISTORY).text)
    assert "After 5" in said and "Bar" not in said
    undo(client, buttons(client.get(HISTORY).text)[0])
    assert stored(client.application)["SITENAME"] == "Bar"
