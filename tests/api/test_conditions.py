"""ETags, and conflicts of two clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pages import API_CONFS, change_can, state_of, stored
from states import overtake

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]
URL = "/admin/config/api/settings"
PATHS = ["", "/PAGE_SIZE", "/TOKEN"]


def etag(client: Any, path: str = "") -> str:
    return str(client.get(URL + path).headers["ETag"])


def test_two_clients_lose_no_update(app: Flask) -> None:
    ana, bo = app.test_client(), app.test_client()
    known_to_ana, known_to_bo = etag(ana, "/PAGE_SIZE"), etag(bo, "/PAGE_SIZE")
    assert known_to_ana == known_to_bo

    saved = ana.patch(f"{URL}/PAGE_SIZE", json={"value": 30}, headers={"If-Match": known_to_ana})
    assert saved.status_code == 200

    refused = bo.patch(f"{URL}/PAGE_SIZE", json={"value": 40}, headers={"If-Match": known_to_bo})
    assert (refused.status_code, refused.content_type) == (412, "application/problem+json")
    assert stored(app)["PAGE_SIZE"] == 30

    again = bo.get(f"{URL}/PAGE_SIZE")
    assert again.json["value"] == 30 and again.headers["ETag"] == saved.headers["ETag"]
    saved = bo.patch(
        f"{URL}/PAGE_SIZE", json={"value": 40}, headers={"If-Match": again.headers["ETag"]}
    )
    assert saved.status_code == 200 and stored(app)["PAGE_SIZE"] == 40


@pytest.mark.parametrize("path", ["", "/PAGE_SIZE"])
def test_a_save_between_the_check_and_the_write_is_not_lost(
    client: Any, app: Flask, path: str
) -> None:
    known = etag(client, path)
    overtake(app, "PAGE_SIZE", 50)
    sent = {"value": 30} if path else {"settings": {"PAGE_SIZE": 30}}
    answer = client.patch(URL + path, json=sent, headers={"If-Match": known})
    assert answer.status_code == 412 and stored(app)["PAGE_SIZE"] == 50
    assert list(answer.json["errors"]) == ["PAGE_SIZE"]


def test_a_change_of_all_is_refused_if_any_setting_has_changed(client: Any, app: Flask) -> None:
    known = etag(client)
    state_of(app).update_db({"SITENAME": "Theirs"})
    sent, headers = {"settings": {"PAGE_SIZE": 30}}, {"If-Match": known}
    assert client.patch(URL, json=sent, headers=headers).status_code == 412
    known = etag(client)
    overtake(app, "SITENAME", "Theirs again")
    assert client.patch(URL, json=sent, headers={"If-Match": known}).status_code == 412
    assert client.patch(URL, json=sent, headers={"If-Match": etag(client)}).status_code == 200


def test_a_change_of_one_setting_does_not_mind_the_others(client: Any, app: Flask) -> None:
    known = etag(client, "/PAGE_SIZE")
    state_of(app).update_db({"SITENAME": "Theirs", "TOKEN": "x"})
    answer = client.delete(f"{URL}/PAGE_SIZE", headers={"If-Match": known})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_what_the_client_has_already_is_not_sent_again(client: Any, app: Flask, path: str) -> None:
    known = etag(client, path)
    for tags in (known, f"W/{known}", f'"x", {known}', "*"):
        answer = client.get(URL + path, headers={"If-None-Match": tags})
        assert (answer.status_code, answer.data) == (304, b"")
        assert answer.headers["ETag"] == known and "Content-Type" not in answer.headers
    assert client.get(URL + path, headers={"If-None-Match": '"x"'}).status_code == 200
    state_of(app).update_db({"PAGE_SIZE": 30, "TOKEN": "y"})
    answer = client.get(URL + path, headers={"If-None-Match": known})
    assert answer.status_code == 200 and answer.headers["ETag"] != known


def test_a_change_of_a_secret_returns_its_etag(client: Any) -> None:
    known = etag(client, "/TOKEN")
    answer = client.patch(f"{URL}/TOKEN", json={"value": "s3cret"})  # the first of all changes
    assert answer.status_code == 200
    assert known != answer.headers["ETag"] == etag(client, "/TOKEN")


def test_without_a_history_no_condition_holds_for_a_secret_beside_others(
    make_app: MakeApp,
) -> None:
    app = make_app(API_CONFS)
    app.register_blueprint(WaffleAdmin(api=True))
    client = app.test_client()
    sent, known = {"settings": {"TOKEN": "s3cret", "PAGE_SIZE": 30}}, etag(client)
    answer = client.patch(URL, json=sent, headers={"If-Match": known})
    assert answer.status_code == 412 and "only where a history" in answer.json["detail"]


def test_other_permissions_are_another_representation(client: Any, app: Flask) -> None:
    known = {path: etag(client, path) for path in ("", "/PAGE_SIZE")}
    change_can(app, lambda action, setting: action != "edit")
    assert all(etag(client, path) != known[path] for path in known)


PRECONDITIONS = [
    ({"If-Match": "ETAG"}, 200),
    ({"If-Match": '"x", ETAG'}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"x"'}, 412),
    ({"If-Match": "W/ETAG"}, 412),
    ({"If-Match": ""}, 412),
    ({"If-Match": '""'}, 412),
    ({"If-Match": ",,;"}, 412),
    ({"If-None-Match": "ETAG"}, 412),
    ({"If-None-Match": "W/ETAG"}, 412),
    ({"If-None-Match": "*"}, 412),
    ({"If-None-Match": '"x"'}, 200),
    ({"If-Match": "ETAG", "If-None-Match": "ETAG"}, 412),
    ({}, 200),
]


@pytest.mark.parametrize("path", ["", "/PAGE_SIZE"])
def test_preconditions_are_those_of_http(client: Any, app: Flask, path: str) -> None:
    for number, (headers, status) in enumerate(PRECONDITIONS, start=1):
        known, before = etag(client, path), stored(app)["PAGE_SIZE"]
        sent_headers = {name: text.replace("ETAG", known) for name, text in headers.items()}
        sent = {"value": number} if path else {"settings": {"PAGE_SIZE": number}}
        answer = client.patch(URL + path, json=sent, headers=sent_headers)
        assert answer.status_code == status, headers
        assert stored(app)["PAGE_SIZE"] == (number if status == 200 else before)


def test_a_secret_that_somebody_else_has_written_is_a_conflict(client: Any, app: Flask) -> None:
    state_of(app).update_db({"TOKEN": "first"})  # modified from now on, whatever its value
    known = {path: etag(client, path) for path in ("", "/TOKEN")}
    state_of(app).update_db({"TOKEN": "theirs"}, source="page")
    for path, sent in (("", {"settings": {"TOKEN": "x"}}), ("/TOKEN", {"value": "x"})):
        answer = client.patch(URL + path, json=sent, headers={"If-Match": known[path]})
        assert answer.status_code == 412 and stored(app)["TOKEN"] == "theirs"
        known[path] = etag(client, path)
    overtake(app, "TOKEN", "theirs again")
    answer = client.patch(f"{URL}/TOKEN", json=sent, headers={"If-Match": known["/TOKEN"]})
    assert answer.status_code == 412 and stored(app)["TOKEN"] == "theirs again"


def test_without_a_history_a_secret_has_no_etag(make_app: MakeApp) -> None:
    app = make_app(API_CONFS)
    app.register_blueprint(WaffleAdmin(api=True))
    client = app.test_client()
    known = client.get(f"{URL}/TOKEN").headers["ETag"]
    for path, sent in (("", {"settings": {"TOKEN": "x"}}), ("/TOKEN", {"value": "x"})):
        answer = client.patch(
            URL + path, json=sent, headers={"If-Match": f"{known}, {etag(client, path)}"}
        )
        assert answer.status_code == 412 and "history" in answer.json["detail"]
        assert client.patch(URL + path, json=sent, headers={"If-Match": "*"}).status_code == 200
    sent = {"settings": {"PAGE_SIZE": 30}}
    assert client.patch(URL, json=sent, headers={"If-Match": etag(client)}).status_code == 200
    assert "ETag" not in client.patch(f"{URL}/TOKEN", json={"value": "y"}).headers
