"""Rows that can't be read: the default is served, the row stays, and no message quotes it."""

from __future__ import annotations

import base64
import contextlib
import pickle
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from hostile_pickles import call, text
from writers import on_peewee, on_sqlalchemy

from waffleconf_admin import WaffleAdmin, WaffleConf, anyone
from waffleconf_admin.codec import serialize

SECRET = "c2VjcmV0c2VjcmV0"


def stored(raw: bytes) -> str:
    return base64.b64encode(raw + b".").decode()


ROWS = {
    "a call": stored(call("posix", "system", text(SECRET))),
    "a class of texts": stored(text(f"{SECRET} ") + text("x") + b"\x93"),
    "a text that is called": stored(text(SECRET) + b")R"),
    "a Decimal": stored(call("decimal", "Decimal", text(SECRET))),
    "base64 of the secret alone": base64.b64encode(f"c{SECRET}-\nx\n.".encode()).decode(),
    "a pickle as it is": "cos\nsystem\n",
    "not base64": SECRET + "!é",
    "base64 of another alphabet": base64.urlsafe_b64encode(b"\xfb\xff" * 9).decode(),
    "hexadecimal": pickle.dumps([SECRET]).hex(),
    "base32": base64.b32encode(pickle.dumps([SECRET])).decode(),
    "UTF-16": base64.b64encode("SECRET".encode("utf-16")).decode(),
    "JSON that is cut": f'{{"a": "{SECRET}',
    "JSON of a Decimal": f'{{"$Decimal": "{SECRET}"}}',
    "JSON with an unknown tag": f'[{{"${SECRET}": 1}}]',
    "JSON of an Enum": '{"$Enum": ["re", "RegexFlag", ["DEBUG"]]}',
    "JSON without end": "[" * 50_000,
    "cut": serialize([SECRET])[:-8],
    "nothing": "",
    "50 MB": "A" * 50_000_000,
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_the_default_is_served_the_row_stays_and_the_log_says_why(
    row: str, orm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    app = Flask("shop")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=url,
        SECRET_KEY="x",
        WAFFLE_CONFS={"TOKEN": {"default": "none", "secret": True}, "OTHER": {"default": 1}},
    )
    app.register_blueprint(WaffleAdmin(can=anyone))
    engine = sa.create_engine(url)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        make_store = on_sqlalchemy if orm == "sqlalchemy" else on_peewee
        state = WaffleConf(app, make_store(app, url, True, stack)).state
        state.update_db({"OTHER": 2})
        table = sa.table("confs", sa.column("key"), sa.column("value"))
        with engine.begin() as connection:
            connection.execute(sa.insert(table).values(key="TOKEN", value=row))
        assert state.update_conf()
        assert state.parse_conf() == {"TOKEN": "none", "OTHER": 2}
        assert (app.config["TOKEN"], app.config["OTHER"]) == ("none", 2)
        (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
        said = record.getMessage()
        assert "TOKEN" in said
        assert "stored text" in said or "not allowed" in said
        assert len(said) < 400
        page = app.test_client().get("/admin/config").text
        assert "so the default is used instead" in page
        assert SECRET not in said + page
        with engine.connect() as connection:
            select = sa.select(table.c.value).where(table.c.key == "TOKEN")
            assert connection.scalar(select) == row
        assert state.update_db({"TOKEN": "mended"}) == {"TOKEN": "mended"}
        assert state.parse_conf(["TOKEN"]) == {"TOKEN": "mended"}
