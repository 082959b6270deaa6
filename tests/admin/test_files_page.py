"""Import and export on the page: a file to download, and one to upload, with a review."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from pages import change_can, sent, state_of, stored, words
from states import overtake

from waffleconf_admin import InvalidValue, StoreError, WaffleAdmin

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "max": 30},
    "SIZE": {"desc": "Page size", "default": 20, "max": 100, "group": "Shop"},
    "TEXT": {"desc": "About us", "default": "", "multiline": True},
    "TOKEN": {"desc": "Token", "default": "", "secret": True},
    "REGION": {"desc": "Region", "default": "eu", "readonly": True},
    "HIDDEN": {"desc": "Hidden", "default": 1},
    "SEEN": {"desc": "Seen", "default": 1},
    "TAX": {"desc": "Tax", "default": 21, "confirm": "All prices change."},
}
URL = "/admin/config/files"
DOWNLOAD = f"{URL}/settings.json"


def can(action: str, setting: Any) -> bool:
    """Somebody who may not see HIDDEN, and see SEEN but not change it."""
    return setting.key != "HIDDEN" and not (setting.key == "SEEN" and action == "edit")


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(can=can, actor=lambda: "ana"))
    return app


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def document(**settings: object) -> bytes:
    return json.dumps({"waffleconf": 1, "settings": settings}).encode()


def upload(client: Any, content: bytes, name: str = "settings.json", **headers: str) -> Any:
    """Send a file as a browser does."""
    token = sent(client.get(URL).text).get("csrf_token", "")
    parts = [("csrf_token", "", token.encode()), ("waffle.file", f'; filename="{name}"', content)]
    body = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="%b"%b\r\n\r\n%b\r\n'
        % (field.encode(), more.encode(), data)
        for field, more, data in parts
    )
    content_type = "multipart/form-data; boundary=x"
    return client.post(URL, data=body + b"--x--\r\n", content_type=content_type, headers=headers)


def boxes(page: str) -> dict[str, tuple[str, bool]]:
    """What each box of a review sends, and whether it is ticked, by key."""
    tags = re.findall(r'<input type="checkbox" name="waffle.take" value="([^"]*)"([^>]*)>', page)
    return {text.partition(" ")[2]: (text, "checked" in rest) for text, rest in tags}


def confirm(client: Any, page: str, *keys: str, **changes: str) -> Any:
    """Send a review, with the boxes of these keys ticked."""
    values = [boxes(page)[key][0] for key in keys]
    return client.post(URL, data=sent(page, **changes) | {"waffle.take": values})


# Export


def exported(client: Any, query: str = "") -> Any:
    response = client.get(DOWNLOAD + query)
    assert response.status_code == 200 and response.mimetype == "application/json"
    assert response.headers["Content-Disposition"] == "attachment; filename=settings.json"
    return json.loads(response.data)["settings"]


def test_the_file_has_what_one_may_see_and_no_secret(app: Flask, client: Any) -> None:
    values = {"SITENAME": "Crêperie", "TOKEN": "hunter2", "HIDDEN": 2, "SEEN": 2, "REGION": "us"}
    state_of(app).update_db(values)
    assert exported(client) == {"SITENAME": "Crêperie", "REGION": "us", "SEEN": 2}
    assert exported(client, "?all=1").keys() == CONFS.keys() - {"TOKEN", "HIDDEN"}
    assert 'href="/admin/config/files"' in client.get("/admin/config").text
    page = client.get(URL).text
    assert f'href="{DOWNLOAD}"' in page and f'href="{DOWNLOAD}?all=1"' in page


def test_an_export_that_is_imported_changes_nothing(app: Flask, client: Any) -> None:
    text = "one\r\ntwo\rthree\n"  # no line ending of a text is changed on its way
    state_of(app).update_db({"TEXT": text, "REGION": "us", "SEEN": 2})
    for query in ("", "?all=1"):
        page = upload(client, client.get(DOWNLOAD + query).data)
        assert page.status_code == 200 and "all settings have the values of this file" in page.text
    assert stored(app)["TEXT"] == text


# Import


def test_a_file_is_reviewed_and_saved_and_can_be_undone(app: Flask, client: Any) -> None:
    text = "one\r\ntwo <b>\u2028"
    page = upload(client, document(SITENAME="Crêperie", SIZE=30, TEXT=text))
    assert page.status_code == 200 and stored(app)["SITENAME"] == "Waffle"
    assert {key: ticked for key, (_, ticked) in boxes(page.text).items()} == {
        "SITENAME": True,
        "SIZE": True,
        "TEXT": True,
    }
    assert "Site name SITENAME Now Waffle New Crêperie" in words(page.text)
    saved = confirm(client, page.text, "SITENAME", "TEXT", **{"waffle.note": "the shop moves"})
    assert (saved.status_code, saved.location) == (303, "/admin/config")
    assert stored(app) | {"SITENAME": "Crêperie", "TEXT": text, "SIZE": 20} == stored(app)
    changes = state_of(app).history.list()
    assert {(c.key, c.actor, c.source, c.note) for c in changes} == {
        ("SITENAME", "ana", "import", "the shop moves"),
        ("TEXT", "ana", "import", "the shop moves"),
    }
    settings = client.get("/admin/config").text
    assert (
        "Site name: “Waffle” → “Crêperie”" in settings
        and f'value="{changes[0].change_set}"' in settings
    )
    again = confirm(client, page.text, "SITENAME", "TEXT")  # a second click
    assert again.status_code == 303 and len(state_of(app).history.list()) == 2
    assert "Site name saved." in client.get("/admin/config").text


def test_the_review_says_what_an_important_change_means(client: Any) -> None:
    text = words(upload(client, document(TAX=9)).text)
    assert "important" in text and "All prices change." in text


def test_yaml_is_read_too(app: Flask, client: Any) -> None:
    page = upload(client, b"waffleconf: 1\nsettings:\n  SIZE: 30\n", "settings.yml")
    assert confirm(client, page.text, "SIZE").status_code == 303
    assert stored(app)["SIZE"] == 30


def test_what_a_person_has_changed_is_named_and_not_ticked(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Theirs"}, actor="bob", source="page")
    state_of(app).update_db({"SIZE": 40}, actor="deploy", source="import")
    page = upload(client, document(SITENAME="Ours", SIZE=30))
    assert {key: ticked for key, (_, ticked) in boxes(page.text).items()} == {
        "SITENAME": False,
        "SIZE": True,
    }
    assert words(page.text).count("Changed here by bob, just now.") == 1
    change_can(app, lambda action, setting: action != "history")
    page = upload(client, document(SITENAME="Ours", SIZE=30))
    assert "bob" not in page.text and "A person has changed it here." in page.text
    assert confirm(client, page.text, "SITENAME", "SIZE").status_code == 303
    assert (stored(app)["SITENAME"], stored(app)["SIZE"]) == ("Ours", 30)


def test_what_is_saved_after_the_review_is_not_overwritten(app: Flask, client: Any) -> None:
    page = upload(client, document(SITENAME="Ours", SIZE=30))
    state_of(app).update_db({"SIZE": 40}, actor="bob", source="page")
    conflict = confirm(client, page.text, "SITENAME", "SIZE")
    assert conflict.status_code == 409
    assert "Page size was saved by somebody else meanwhile." in conflict.text
    assert stored(app) | {"SITENAME": "Waffle", "SIZE": 40} == stored(app)
    assert [ticked for _, ticked in boxes(conflict.text).values()] == [True, False]
    assert confirm(client, conflict.text, "SITENAME", "SIZE").status_code == 303
    assert stored(app)["SIZE"] == 30


def test_who_saves_at_the_same_moment_is_not_overwritten(app: Flask, client: Any) -> None:
    page = upload(client, document(SIZE=30))
    overtake(app, "SIZE", 40)
    assert confirm(client, page.text, "SIZE").status_code == 409
    assert stored(app)["SIZE"] == 40


def test_a_rule_refuses_all_that_is_ticked(make_app: MakeApp) -> None:
    def validate(values: dict[str, Any]) -> dict[str, str]:
        problems = {"SIZE": "Too large for this name."} if values["SIZE"] > 50 else {}
        return problems | ({"HIDDEN": "It says no."} if values["SIZE"] > 60 else {})

    app = make_app(CONFS, validate=validate)
    app.register_blueprint(WaffleAdmin(can=can))
    client = app.test_client()
    page = upload(client, document(SITENAME="Ours", SIZE=70))
    assert page.status_code == 422
    assert "SIZE: Too large for this name. A rule about a setting that is not on this page" in (
        words(page.text)
    )
    assert "HIDDEN" not in page.text
    refused = confirm(client, page.text, "SITENAME", "SIZE")
    assert refused.status_code == 422 and stored(app)["SITENAME"] == "Waffle"
    assert confirm(client, refused.text, "SITENAME").status_code == 303
    assert stored(app) | {"SITENAME": "Ours", "SIZE": 20} == stored(app)


def test_nothing_ticked_is_nothing_saved(app: Flask, client: Any) -> None:
    page = confirm(client, upload(client, document(SIZE=30)).text)
    assert page.status_code == 422 and "Nothing is ticked" in page.text
    assert not boxes(page.text)["SIZE"][1]


# Files that can't be imported

WRONG: list[tuple[bytes, str]] = [
    (b"", "This file is empty."),
    (b'{"waffleconf": 1,\n "settings": {"SITENAME": "B', "Line 2, column 27"),
    (
        b'{"waffleconf": 1, "settings": {"SITENAME": "\xff"}}',
        "Line 1, column 45: this is not UTF-8",
    ),
    (b'{"waffleconf": 2, "settings": {}}', "This file has version 2"),
    (b"[" * 100_000, "brackets"),
    (document(SITENAM="x"), "SITENAM: There is no setting of that name."),
    (document(HIDDEN=2), "HIDDEN: There is no setting of that name."),
    (document(SIZE="20"), "SIZE: Write it without quotes: 20."),
    (document(SIZE=[1]), "SIZE: This must be a whole number"),
    (document(TOKEN=""), "TOKEN: It is a secret"),
    (document(REGION="us"), "REGION: This setting is read-only."),
    (document(SEEN=2), "SEEN: You may see this setting, not change it."),
    (document(**{f"K{n}": 1 for n in range(150)}), "50 more."),
    (b" " * (2 * 2**20 + 1), "This file is too large: the page reads at most 2 MB"),
    (b" " * (50 * 2**20), "This file is too large: the page reads at most 2 MB"),
]


@pytest.mark.parametrize(("content", "message"), WRONG, ids=[m[:30] for _, m in WRONG])
def test_a_file_that_cannot_be_imported_changes_nothing(
    app: Flask, client: Any, content: bytes, message: str
) -> None:
    page = upload(client, content)
    assert page.status_code == 422
    assert "Nothing was saved" in page.text and message in html.unescape(page.text)
    assert 'type="file"' in page.text and not state_of(app).history.list()


def test_all_that_is_wrong_with_a_file_is_named_and_no_secret(client: Any) -> None:
    page = upload(
        client, document(SIZE=[1], SITENAME="Ours", TOKEN="hunter2", REGION="us", SEEN=2, NONE=1)
    )
    assert page.status_code == 422 and "hunter2" not in page.text
    for key in ("SIZE", "TOKEN", "REGION", "SEEN", "NONE"):
        assert f"{key}: " in words(page.text)


def test_what_its_declaration_does_not_allow_is_named_in_the_review(
    app: Flask, client: Any
) -> None:
    page = upload(client, document(SIZE=500, SITENAME="Ours"))
    assert page.status_code == 422 and "SIZE: At most 100." in words(page.text)
    assert confirm(client, page.text, "SITENAME", "SIZE").status_code == 422
    assert not state_of(app).history.list()


def test_what_a_review_sends_is_decided_again(app: Flask, client: Any) -> None:
    page = upload(client, document(SIZE=30)).text
    form = sent(page) | {"waffle.take": boxes(page)["SIZE"][0]}
    for settings in ({"TOKEN": "x"}, {"REGION": "us"}, {"SEEN": 2}, {"HIDDEN": 2}, {"SIZE": 500}):
        data = form | {"waffle.document": document(SITENAME="Ours", **settings).decode()}
        key = next(iter(settings))
        data["waffle.take"] = f"- {key}"
        assert client.post(URL, data=data).status_code == 422
    assert not state_of(app).history.list()


def test_what_the_environment_holds_is_refused_unless_it_is_the_same(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_SIZE", "50")
    app = make_app(CONFS, WAFFLE_ENV_PREFIX="SHOP_", WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    page = upload(app.test_client(), document(SIZE=30, SITENAME="Ours"))
    assert page.status_code == 422
    assert "SIZE: Set by the environment variable SHOP_SIZE." in words(page.text)
    page = upload(app.test_client(), document(SIZE=50, SITENAME="Ours"))
    assert page.status_code == 200 and [*boxes(page.text)] == ["SITENAME"]


def test_a_form_without_a_file_asks_for_one(client: Any) -> None:
    page = client.post(URL, data=sent(client.get(URL).text))
    assert page.status_code == 422 and "Choose a file." in page.text


# Who may not


def test_who_may_change_nothing_can_only_export(app: Flask, client: Any) -> None:
    form = sent(client.get(URL).text)
    change_can(app, lambda action, setting: action == "view")
    assert 'type="file"' not in client.get(URL).text
    data = form | {"waffle.document": document(SIZE=30).decode(), "waffle.take": "- SIZE"}
    assert client.post(URL, data=data).status_code == 403
    assert exported(client, "?all=1")
    change_can(app, lambda action, setting: False)
    for response in (client.get(URL), client.get(DOWNLOAD), client.post(URL, data=data)):
        assert response.status_code == 403 and "SIZE" not in response.text
    assert not state_of(app).history.list()


@pytest.mark.parametrize("protect", [True, False])
def test_the_token_is_checked_and_nothing_is_lost(app: Flask, protect: bool) -> None:
    if protect:
        CSRFProtect(app)
    client = app.test_client()
    page = upload(client, document(SIZE=30)).text
    foreign = upload(client, document(SIZE=30), **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 400 and not boxes(foreign.text)
    old = confirm(client, page, "SIZE", csrf_token="old")
    assert old.status_code == 422 and "security token" in old.text and stored(app)["SIZE"] == 20
    assert confirm(client, old.text, "SIZE").status_code == 303
    assert stored(app)["SIZE"] == 30


class Endless:
    """A body that goes on and on."""

    count = 0

    def read(self, size: int = -1) -> bytes:
        self.count += size
        return b"x" * size


def test_a_body_without_a_length_is_refused(client: Any) -> None:
    body = Endless()
    environ = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": body}
    environ |= {"wsgi.input_terminated": True}
    page = client.post(
        URL, environ_overrides=environ, content_type="multipart/form-data; boundary=x"
    )
    assert page.status_code == 422 and "too large" in page.text
    assert body.count == 2**26


@pytest.mark.parametrize("path", [URL, DOWNLOAD])
def test_without_the_database_the_page_says_so(
    app: Flask, client: Any, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> Any:
        raise StoreError("away")

    form = sent(client.get(URL).text)
    monkeypatch.setattr(state_of(app), "read", fail)
    data = form | {"waffle.document": document(SIZE=30).decode()}
    answer = client.get(path) if path == DOWNLOAD else client.post(path, data=data)
    assert answer.status_code == 503


def test_if_a_save_fails_the_review_is_kept(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> Any:
        raise StoreError("away")

    page = upload(client, document(SIZE=30, SITENAME="Ours"))
    with monkeypatch.context() as patch:
        patch.setattr(state_of(app), "save", fail)
        failed = confirm(client, page.text, "SIZE", **{"waffle.note": "why"})
    assert failed.status_code == 503 and "try again soon" in failed.text
    assert [ticked for _, ticked in boxes(failed.text).values()] == [True, False]
    assert confirm(client, failed.text, "SIZE").status_code == 303
    assert state_of(app).history.list()[0].note == "why"


def test_without_a_history_what_is_stored_counts_as_changed_by_a_person(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"SIZE": 40})
    page = upload(app.test_client(), document(SIZE=30))
    assert boxes(page.text)["SIZE"] == (boxes(page.text)["SIZE"][0], False)


def test_a_rule_that_belongs_to_no_setting_is_displayed(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> Any:
        raise InvalidValue("Not today.")

    monkeypatch.setattr(state_of(app), "check", refuse)
    page = upload(client, document(SIZE=30))
    assert page.status_code == 422 and "Not today." in page.text


def test_a_file_of_an_older_release_is_reviewed_and_saved(make_app: MakeApp) -> None:
    app = make_app({"TITLE": {"default": "n", "was": "SITENAME"}}, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    review = upload(client, document(SITENAME="Bar"))
    assert review.status_code == 200
    assert confirm(client, review.text, "TITLE").status_code == 303
    assert stored(app) == {"TITLE": "Bar"}


def test_all_that_is_wrong_with_a_file_is_named_at_once(client: Any) -> None:
    page = upload(client, document(NONE=1, SIZE=1000, SITENAME="Bar"))
    assert page.status_code == 422
    assert "NONE: There is no setting of that name. SIZE: At most 100." in words(page.text)
