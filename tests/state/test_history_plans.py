"""A page of a long history reads one range of one index, whatever is asked for.

One row in 1024 was stamped by a clock that is 40 days slow.

WAFFLE_ROWS says how long the history is.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

ROWS = int(os.environ.get("WAFFLE_ROWS", "100000"))
KEYS = [f"KEY_{number}" for number in range(64)]
START = datetime(2024, 1, 1, tzinfo=UTC)  # and a row every half a minute
SECONDS = f"i * 30 + CASE WHEN (i & 1023) = 5 THEN -{40 * 86400} ELSE 0 END"
DAY = START + timedelta(seconds=30 * ROWS // 2)

ROW = {
    "change_set": "'0123456789abcdef'",
    "key": "{concat('KEY_', i & 63)}",
    "old": "'gAJYBgAAAFdhZmZsZXEALg=='",
    "new": "'gAJYCAAAAENyZXBlcmllcQAu'",
    # One in 16 384 is somebody's who is rarely seen, by a rare way.
    "actor": "CASE WHEN (i & 16383) = 7 THEN 'rare' ELSE {concat('user', i & 15)} END",
    "note": "''",
    "source": "CASE WHEN (i & 16383) = 7 THEN 'undo' ELSE 'page' END",
}
QUERIES: dict[str, dict[str, Any]] = {
    "all": {},
    "all, a later page": {"before": ROWS // 2},
    "a key": {"key": "KEY_7"},
    "a key, a later page": {"key": "KEY_7", "before": ROWS // 2},
    "an actor": {"actor": "user3"},
    "a rare actor": {"actor": "rare"},
    "a source": {"source": "page"},
    "a rare source": {"source": "undo"},
    "a day": {"since": DAY, "until": DAY + timedelta(days=1)},
    "a day without changes": {"since": START - timedelta(99), "until": START - timedelta(98)},
    "a day, a later page": {"since": DAY, "until": DAY + timedelta(1), "before": ROWS // 2 + 999},
    "days of a key": {"key": "KEY_7", "since": DAY, "until": DAY + timedelta(days=3)},
    "a day of an actor": {"actor": "user3", "since": DAY, "until": DAY + timedelta(days=1)},
    "half of all": {"until": DAY},
    "half of all, a later page": {"until": DAY, "before": ROWS // 4},
    "half of a key": {"key": "KEY_7", "until": DAY},
    "half of a key, a later page": {"key": "KEY_7", "until": DAY, "before": ROWS // 4},
    "half of an actor": {"actor": "user3", "until": DAY},
    "half of a rare actor": {"actor": "rare", "until": DAY},
    "half of a source": {"source": "page", "until": DAY},
    "since a day": {"source": "page", "since": DAY},
    "since a day of a rare source": {"source": "undo", "since": DAY},
}


def fill(run: Callable[[str], Any], kind: str) -> None:
    """Makes the history long, with one statement."""
    stamp = f"'{START:%Y-%m-%d %H:%M:%S}'"
    numbers, at, concat = {
        "sqlite": (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "
            "{} FROM n",
            f"strftime('%Y-%m-%d %H:%M:%S.000000', {stamp}, ({SECONDS}) || ' seconds')",
            "{} || ({})",
        ),
        "postgres": (
            "{1} FROM generate_series(1, {0}) AS n(i)",
            f"TIMESTAMP {stamp} + ({SECONDS}) * INTERVAL '1 second'",
            "{} || ({})",
        ),
        "mariadb": (
            "{1} FROM (SELECT CAST(seq AS SIGNED) AS i FROM seq_1_to_{0}) AS n",
            f"TIMESTAMPADD(SECOND, {SECONDS}, {stamp})",
            "concat({}, {})",
        ),
    }[kind]
    row = {name: _spelled(value, concat) for name, value in ROW.items()} | {"at": at}
    quote = "`" if kind == "mariadb" else '"'
    names = ", ".join(f"{quote}{name}{quote}" for name in row)
    select = numbers.format(ROWS, f"SELECT {', '.join(row.values())}")
    run(f"INSERT INTO conf_changes ({names}) {select}")
    run({"mariadb": "ANALYZE TABLE conf_changes"}.get(kind, "ANALYZE"))


def _spelled(value: str, concat: str) -> str:
    if "{concat(" not in value:
        return value
    before, _, rest = value.partition("{concat(")
    inside, _, after = rest.partition(")}")
    return before + concat.format(*inside.split(", ", 1)) + after


class Spy:
    """Runs statements past the store, and sees those of the store."""

    def __init__(self, orm: str, app: Flask) -> None:
        self.seen: list[tuple[str, Any]] = []
        self._orm, self._app = orm, app
        self._db: Any = app.waffle_db  # type: ignore[attr-defined]
        if orm == "sqlalchemy":
            with app.app_context():
                self._engine = self._db.engine
            sa.event.listen(
                self._engine, "before_cursor_execute", lambda *a: self.seen.append((a[2], a[3]))
            )
        else:
            self._execute = self._db.execute_sql
            self._db.execute_sql = self._spied

    def _spied(self, sql: str, parameters: Any = (), **options: Any) -> Any:
        self.seen.append((sql, parameters))
        return self._execute(sql, parameters, **options)

    def run(self, *statements: Any) -> list[Any]:
        """Run statements on one connection and return the rows of the last."""
        rows: list[Any] = []
        if self._orm == "sqlalchemy":
            with self._engine.begin() as connection:
                for statement in statements:
                    sql, parameters = (statement, ()) if isinstance(statement, str) else statement
                    result = connection.exec_driver_sql(sql, parameters or None)
                    rows = list(result) if result.returns_rows else []
            return rows
        with self._db.connection_context():
            for statement in statements:
                sql, parameters = (statement, ()) if isinstance(statement, str) else statement
                cursor = self._execute(sql, parameters or None)
                rows = list(cursor.fetchall()) if cursor.description else []
        return rows


def plan(kind: str, spy: Spy, statement: tuple[str, Any]) -> tuple[str, int | None]:
    """How a statement is carried out, and how many rows it reads."""
    sql, parameters = statement
    if kind == "sqlite":
        steps = spy.run((f"EXPLAIN QUERY PLAN {sql}", parameters))
        return "; ".join(str(step[-1]) for step in steps), None
    if kind == "postgres":
        explained = spy.run((f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters))[0][0]
        root = (explained if isinstance(explained, list) else json.loads(explained))[0]["Plan"]
        nodes = list(_nodes(root))
        return "; ".join(f"{n['Node Type']} {n.get('Index Name', '')}" for n in nodes), sum(
            int(n["Actual Rows"] * n["Actual Loops"]) + n.get("Rows Removed by Filter", 0)
            for n in nodes
            if "Relation Name" in n
        )
    steps = spy.run((f"EXPLAIN {sql}", parameters))
    read = spy.run("FLUSH STATUS", (sql, parameters), "SHOW STATUS")
    text = "; ".join(f"{step[3]} {step[5]} {step[-1]}" for step in steps)
    return text, sum(int(count) for name, count in read if name.startswith("Handler_read"))


def _nodes(node: dict[str, Any]) -> Any:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def is_ordered(changes: list[Any], by_time: bool) -> bool:
    order = [(change.at if by_time else 0, change.id) for change in changes]
    return order == sorted(order, reverse=True)


@pytest.mark.parametrize("kind", ["sqlite", "postgres", "mariadb"])
def test_a_page_reads_one_range_of_an_index(
    request: pytest.FixtureRequest, make_app: Callable[..., Flask], orm: str, kind: str
) -> None:
    url = None if kind == "sqlite" else request.getfixturevalue(f"{kind}_url")
    app = make_app({key: {"default": ""} for key in KEYS}, orm=orm, url=url, history=True)
    history = app.extensions["waffleconf"].history
    spy = Spy(orm, app)
    fill(spy.run, kind)
    plans = {}
    for name, query in QUERIES.items():
        del spy.seen[:]
        found = history.list(limit=51, **query)
        if "rare" not in name:
            assert len(found) == (0 if "without" in name else 51), name
        assert is_ordered(found, by_time=bool(query.keys() & {"since", "until"})), name
        plans[name] = [plan(kind, spy, statement) for statement in list(spy.seen)]
    del spy.seen[:]
    assert len(history.latest(KEYS)) == len(KEYS)
    plans["the last change of each"] = [plan(kind, spy, statement) for statement in list(spy.seen)]
    assert len(plans["the last change of each"]) == len(plans["an actor"]) == 1
    del spy.seen[:]
    app.extensions["waffleconf"].ends.read()
    plans["the open ends"] = [plan(kind, spy, statement) for statement in list(spy.seen)]
    assert len(plans["the open ends"]) == 1
    for name, steps in plans.items():
        for text, read in steps:
            report = f"{name}: {text} ({read} rows)"
            print(report[:300])
            if kind == "sqlite":
                # All: from its newest end, as far as the page goes. The ids found are a page.
                scanned = set(re.findall(r"SCAN (\w+)", text)) - {"found", "anon_1"}
                assert not scanned or name == "all", report
                assert "TEMP B-TREE" not in text, report
            else:
                # It may find reading the newest rows of all keys cheaper than those of one.
                assert "Seq Scan" not in text and read < 1.5 * 51 * len(KEYS), report
