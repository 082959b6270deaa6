"""Secrets at rest: rows of secrets are encrypted, keys are rotated, and nothing else changes."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from cryptography.fernet import Fernet
from every_type import CONFS as EVERY_CONF
from every_type import VALUES
from flask import Flask
from hypothesis import Phase, find, settings
from pages import row, sent
from states import put, state_of

from waffleconf_admin import BusyError, InvalidValue, WaffleAdmin, anyone, conf_changed
from waffleconf_admin.codec import FORMATS, Format, deserialize, serialize
from waffleconf_admin.codec.encryption import PREFIX, Encryption, is_encrypted
from waffleconf_admin.settings.equality import same

MakeApp = Callable[..., Flask]

FIRST, SECOND, THIRD = (Fernet.generate_key() for _ in range(3))
CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle"},
    "TOKEN": {"default": "", "secret": True},
    "KEYS": {"default": {}, "secret": True},
}
OPEN: dict[str, dict[str, Any]] = {key: {"default": c["default"]} for key, c in CONFS.items()}
PLANTED = {"TOKEN": "hunter2", "KEYS": {"a": ["hunter3"]}}


def texts(app: Flask) -> dict[str, str]:
    """The stored texts, by key."""
    return {k: r.text for k, r in state_of(app).read().items() if r.text is not None}


def decrypted(app: Flask, key: str, *keys: bytes) -> Any:
    return deserialize(Encryption(keys).decrypt(texts(app)[key]))


def rotate(app: Flask) -> Result:
    return app.test_cli_runner().invoke(args=["waffle", "rotate"])


def made(make_app: MakeApp, *keys: bytes, confs: Any = CONFS, **options: Any) -> Flask:
    options = {"history": True, "WAFFLE_STORE_DEFAULTS": False, **options}
    return make_app(confs, WAFFLE_ENCRYPTION_KEYS=list(keys), **options)


# Reading and saving


@pytest.mark.parametrize("format", FORMATS)
def test_rows_of_secrets_are_encrypted_and_read(
    make_app: MakeApp, orm: str, format: Format
) -> None:
    app = made(make_app, FIRST, orm=orm, WAFFLE_SERIALIZER=format)
    state = state_of(app)
    assert state.update_db(PLANTED | {"SITENAME": "Bar"}) == PLANTED | {"SITENAME": "Bar"}
    assert {key: is_encrypted(text) for key, text in texts(app).items()} == {
        "SITENAME": False, "TOKEN": True, "KEYS": True,
    }  # fmt: skip
    assert decrypted(app, "TOKEN", FIRST) == "hunter2"
    other = state_of(made(make_app, FIRST, orm=orm))
    assert other.parse_conf() == PLANTED | {"SITENAME": "Bar"}
    assert other.update_db(PLANTED) == {}  # values decide what is the same, not texts
    assert state.history is not None
    of_secrets = [c for c in state.history.list() if c.secret]
    assert [(c.old_text, c.new_text) for c in of_secrets] == [(None, None)] * 2


def test_a_secret_of_every_type_comes_back(make_app: MakeApp) -> None:
    quick = settings(phases=[Phase.generate], derandomize=True, database=None)
    confs = {key: declared | {"secret": True} for key, declared in EVERY_CONF.items()}
    values = {key: find(VALUES[key], lambda value: True, settings=quick) for key in confs}
    app = made(make_app, FIRST, confs=confs, history=False)
    state_of(app).update_db(values)
    assert all(map(is_encrypted, texts(app).values())) and texts(app).keys() == values.keys()
    assert same(state_of(made(make_app, FIRST, confs=confs)).parse_conf(), values)


def test_stored_defaults_of_secrets_are_encrypted_and_unmodified_on_the_page(
    make_app: MakeApp,
) -> None:
    app = made(make_app, FIRST, WAFFLE_STORE_DEFAULTS=True)
    app.register_blueprint(WaffleAdmin(can=anyone))
    state_of(app).parse_conf()
    assert is_encrypted(texts(app)["TOKEN"])
    client = app.test_client()
    assert "wf-differs" not in client.get("/admin/config").text
    page = client.get("/admin/config").text
    assert client.post("/admin/config", data=sent(page, TOKEN="hunter2")).status_code == 303
    assert "wf-differs" in row(client.get("/admin/config").text, "TOKEN")


def test_an_expected_record_is_compared_by_its_text_and_a_value_by_itself(
    make_app: MakeApp,
) -> None:
    app = made(make_app, FIRST, SECOND)
    state = state_of(app)
    state.update_db(PLANTED)
    seen = state.read(["TOKEN"])
    assert state.update_db({"TOKEN": "hunter4"}, expected=seen)
    assert state.update_db({"TOKEN": "hunter5"}, expected={"TOKEN": "hunter4"})


@pytest.mark.parametrize("orm", ["sqlalchemy"])
def test_an_unchanged_secret_is_decrypted_once(
    make_app: MakeApp, monkeypatch: Any, orm: str
) -> None:
    app = made(make_app, FIRST, orm=orm)
    state = state_of(app)
    state.update_db(PLANTED)
    calls = []
    monkeypatch.setattr(Encryption, "decrypt", lambda *args: calls.append(args))
    assert state.update_conf() and state.parse_conf(["TOKEN"]) == {"TOKEN": "hunter2"}
    assert calls == []


def test_without_keys_nothing_is_encrypted(make_app: MakeApp) -> None:
    app = made(make_app)
    state_of(app).update_db(PLANTED)
    assert not any(map(is_encrypted, texts(app).values()))
    result = rotate(app)
    assert result.exit_code == 1 and "WAFFLE_ENCRYPTION_KEYS is empty" in result.stderr


@pytest.mark.parametrize("keys", ["x" * 44, {"a": 1}, [5], None])
def test_keys_that_are_no_list_are_refused_and_not_shown(make_app: MakeApp, keys: Any) -> None:
    with pytest.raises(ValueError, match="WAFFLE_ENCRYPTION_KEYS can't be used: ") as caught:
        make_app(CONFS, WAFFLE_ENCRYPTION_KEYS=keys)
    assert "xxx" not in str(caught.value)


# Rotation


@pytest.mark.parametrize("format", FORMATS)
def test_a_rotation_encrypts_with_the_first_key_and_announces_nothing(
    make_app: MakeApp, orm: str, format: Format
) -> None:
    old = made(make_app, FIRST, orm=orm, WAFFLE_SERIALIZER=format)
    state_of(old).update_db(PLANTED | {"SITENAME": "Bar"})
    before = texts(old)
    app = made(make_app, SECOND, FIRST, orm=orm, WAFFLE_SERIALIZER=format)
    follower = state_of(app)
    follower.update_conf()
    announced: list[Any] = []

    def note(app: Flask, changes: Any, **_: Any) -> None:
        announced.append(changes)

    with conf_changed.connected_to(note):
        done = rotate(app)
        assert (done.exit_code, done.stdout) == (0, "2 secrets encrypted.\n")
        assert follower.update_conf() and announced == []
    assert decrypted(app, "KEYS", SECOND) == PLANTED["KEYS"]
    assert texts(app)["SITENAME"] == before["SITENAME"]
    assert follower.history is not None and len(follower.history.list()) == 3
    assert app.config["TOKEN"] == "hunter2" and follower.parse_conf()["KEYS"] == PLANTED["KEYS"]
    again = rotate(app)
    assert (again.exit_code, again.stdout) == (0, "")
    assert "There is nothing to encrypt." in again.stderr


def test_a_page_from_before_a_rotation_still_saves(make_app: MakeApp) -> None:
    app = made(make_app, SECOND, FIRST)
    app.register_blueprint(WaffleAdmin(can=anyone))
    state_of(made(make_app, FIRST)).update_db(PLANTED)
    client = app.test_client()
    page = client.get("/admin/config").text
    assert rotate(app).exit_code == 0
    assert client.post("/admin/config", data=sent(page, TOKEN="hunter9")).status_code == 303
    assert decrypted(app, "TOKEN", SECOND) == "hunter9"


def test_a_setting_that_becomes_a_secret_is_encrypted_and_blanked_in_the_history(
    make_app: MakeApp, orm: str
) -> None:
    plain = state_of(made(make_app, FIRST, orm=orm, confs=OPEN))
    plain.update_db(PLANTED | {"SITENAME": "Bar"})
    plain.update_db({"TOKEN": "hunter4"})
    app = made(make_app, FIRST, orm=orm)
    state = state_of(app)
    assert state.parse_conf(["TOKEN"]) == {"TOKEN": "hunter4"}
    checked = app.test_cli_runner().invoke(args=["waffle", "check"]).stdout
    assert "encryption: 2 warnings" in checked and "flask waffle rotate" in checked
    assert rotate(app).stdout == "2 secrets encrypted, 3 changes blanked in the history.\n"
    assert all(is_encrypted(text) for key, text in texts(app).items() if key != "SITENAME")
    assert plain.history is not None  # as if it were declared without "secret" again
    kept = [(c.key, c.old_text, c.new_text) for c in plain.history.list() if not c.secret]
    assert kept == [("SITENAME", None, serialize("Bar"))]
    assert "encryption: ok" in app.test_cli_runner().invoke(args=["waffle", "check"]).stdout


def test_a_setting_that_is_no_secret_any_more_is_read_and_stored_clear_at_its_next_save(
    make_app: MakeApp, orm: str
) -> None:
    state_of(made(make_app, FIRST, orm=orm)).update_db(PLANTED)
    app = made(make_app, FIRST, orm=orm, confs=OPEN)
    state = state_of(app)
    assert state.parse_conf(["TOKEN"]) == {"TOKEN": "hunter2"}
    saved = state.update_db({"TOKEN": "hunter4"})
    assert texts(app)["TOKEN"] == serialize("hunter4") and is_encrypted(texts(app)["KEYS"])
    assert state.history is not None and saved.change_set
    (change,) = state.history.of(saved.change_set)
    assert (change.old, change.new) == ("hunter2", "hunter4")
    assert state.history.undo(saved.change_set) == {"TOKEN": "hunter2"}
    # Another release may still take the other one for a secret.
    assert rotate(made(make_app, SECOND, FIRST, orm=orm, confs=OPEN)).exit_code == 0
    assert decrypted(app, "KEYS", SECOND) == PLANTED["KEYS"]


def test_a_lost_key_costs_its_settings_only(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    state_of(made(make_app, FIRST, orm=orm)).update_db(PLANTED | {"SITENAME": "Bar"})
    app = made(make_app, SECOND, orm=orm)
    state = state_of(app)
    values = [state.parse_conf(), state.update_conf(), state.parse_conf()]
    defaults = {"SITENAME": "Bar", "TOKEN": "", "KEYS": {}}
    assert values == [defaults, True, defaults]
    before = texts(app)
    lines = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len(lines) == 2 and all("has no key for it" in line for line in lines)
    checked = app.test_cli_runner().invoke(args=["waffle", "check"])
    assert checked.exit_code == 1
    assert "error  TOKEN  the default is used: it is encrypted, and WAFFLE_ENC" in checked.stdout
    assert checked.stdout.count("error  TOKEN  ") == 2  # its value, and its encryption
    revealed = app.test_cli_runner().invoke(args=["waffle", "get", "--reveal", "TOKEN"])
    assert (revealed.exit_code, revealed.stdout) == (1, "")
    done = rotate(app)
    assert done.exit_code == 2 and texts(app) == before
    assert "TOKEN is left as it is: it is encrypted, and WAFFLE_ENCRYPTION_KEYS" in done.stdout
    assert state.update_db({"TOKEN": "new"}) and decrypted(app, "TOKEN", SECOND) == "new"
    assert state_of(made(make_app, FIRST, SECOND, orm=orm)).parse_conf() == {
        "SITENAME": "Bar", "TOKEN": "new", "KEYS": PLANTED["KEYS"],
    }  # fmt: skip


def test_a_damaged_text_within_an_encrypted_one_is_a_damaged_row(make_app: MakeApp) -> None:
    app = made(make_app, FIRST)
    put(app, "TOKEN", Encryption([FIRST]).encrypt("hunter2!"))
    assert state_of(app).parse_conf(["TOKEN"]) == {"TOKEN": ""}
    assert state_of(app).read()["TOKEN"].problem


@pytest.mark.parametrize("format", FORMATS)
def test_a_conversion_of_the_format_keeps_texts_encrypted(
    make_app: MakeApp, orm: str, format: Format
) -> None:
    other: Format = "json" if format == "pickle" else "pickle"
    app = made(make_app, SECOND, FIRST, orm=orm, WAFFLE_SERIALIZER=other)
    state_of(made(make_app, FIRST, orm=orm, WAFFLE_SERIALIZER=other)).update_db(
        PLANTED | {"SITENAME": "Port"}
    )
    runner = app.test_cli_runner()
    assert runner.invoke(args=["waffle", "convert", format, "--apply"]).exit_code == 0
    clear = Encryption([SECOND]).decrypt(texts(app)["KEYS"])
    assert clear == serialize(PLANTED["KEYS"], format=format)
    assert texts(app)["SITENAME"] == serialize("Port", format=format)  # which is no secret
    again = runner.invoke(args=["waffle", "convert", format, "--apply"])
    assert "There is nothing to convert" in again.stderr


def test_a_save_that_comes_first_is_not_lost(
    make_app: MakeApp, orm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = made(make_app, SECOND, FIRST, orm=orm)
    writer = state_of(made(make_app, FIRST, orm=orm))
    writer.update_db(PLANTED)
    store = state_of(app).configstore
    rewrite = store.rewrite

    def overtaken(*arguments: Any) -> bool:
        monkeypatch.undo()
        writer.update_db({"TOKEN": "hunter4"})
        return rewrite(*arguments)

    monkeypatch.setattr(store, "rewrite", overtaken)
    assert rotate(app).exit_code == 0
    assert decrypted(app, "TOKEN", SECOND) == "hunter4"
    writer.update_db({"TOKEN": "hunter5"})
    numbers = itertools.count(6)
    monkeypatch.setattr(
        store, "rewrite", lambda *_: not writer.update_db({"TOKEN": f"hunter{next(numbers)}"})
    )
    with pytest.raises(BusyError, match="Others kept saving TOKEN at the same moment"):
        state_of(app).rotation().run()


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_it_works_on_servers(
    make_app: MakeApp, orm: str, database: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"{database}_url")
    plain = state_of(made(make_app, orm=orm, confs=OPEN, url=url))
    plain.update_db(PLANTED | {"SITENAME": "Bar"})
    app = made(make_app, FIRST, orm=orm, url=url, create=False)
    assert rotate(app).stdout == "2 secrets encrypted, 2 changes blanked in the history.\n"
    state = state_of(app)
    assert state.parse_conf() == PLANTED | {"SITENAME": "Bar"}
    assert state.update_db({"TOKEN": "hunter4"}, expected=state.read(["TOKEN"]))
    assert decrypted(app, "TOKEN", FIRST) == "hunter4" and texts(app)["KEYS"].startswith(PREFIX)


def test_a_rotation_without_keys_is_an_error(make_app: MakeApp) -> None:
    with pytest.raises(InvalidValue, match="there is no key"):
        state_of(made(make_app)).rotation()
