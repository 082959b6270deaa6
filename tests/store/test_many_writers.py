"""Eight processes at once lose nothing; WAFFLE_ROUNDS (default 1) says how often they try."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from writers import KEYS, LIMIT, PROCESSES, SAVES, Crowd, state_on

ROUNDS = int(os.environ.get("WAFFLE_ROUNDS", "1"))
SEED = int(os.environ.get("WAFFLE_SEED", "1"))


@pytest.fixture(scope="module")
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.end()


@pytest.fixture(params=["file", "wal", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param in ("postgres", "mariadb"):
        return str(request.getfixturevalue(f"{request.param}_url"))
    return f"sqlite:///{tmp_path}/test.db"


@pytest.fixture
def at_once(
    request: pytest.FixtureRequest, crowd: Crowd, url: str, orm: str
) -> Iterator[Callable[..., None]]:
    """A function that lets all processes do something, in rounds, and then checks the rows."""
    figures: list[tuple[int, float]] = []
    engine = sa.create_engine(url)
    with state_on(orm, url, create=True) as state:
        if "wal" in request.node.callspec.id:
            with engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode = WAL")

        def run(
            duty: str,
            check: Callable[[dict[str, Any]], bool],
            empty: bool = False,
            rows: int = len(KEYS),
        ) -> None:
            for seed in range(SEED, SEED + ROUNDS):
                state.reset(KEYS)
                if not empty:
                    state.update_db(dict.fromkeys(KEYS, 0))
                begun = time.perf_counter()
                count = crowd.do(duty, orm, url, seed)
                figures.append((count, time.perf_counter() - begun))
                with engine.connect() as connection:
                    query = sa.text("SELECT COUNT(*), COUNT(DISTINCT id) FROM confs")
                    assert tuple(connection.execute(query).one()) == (rows, rows), seed
                assert check(state.parse_conf()), (seed, state.parse_conf())
                assert duty != "pairs" or count == 0, f"{count} halves, seed {seed}"

        yield run
    engine.dispose()
    overtaken, seconds = sum(n for n, _ in figures), sum(s for _, s in figures)
    print(
        f"{request.node.name}: {len(figures)} rounds, seeds {SEED} to {SEED + ROUNDS - 1}, "
        f"overtaken {overtaken} times, {seconds:.1f} s"
    )


def test_starting_on_an_empty_table_adds_each_default_once(at_once: Any) -> None:
    at_once("start", lambda values: values == dict.fromkeys(KEYS, 0), empty=True)


@pytest.mark.parametrize("duty", ["increment", "increment_by_swap"])
def test_every_increment_by_compare_and_set_counts(at_once: Any, duty: str) -> None:
    at_once(duty, lambda values: values == dict.fromkeys(KEYS, PROCESSES))


def test_writers_of_different_keys_do_not_disturb_each_other(at_once: Any) -> None:
    at_once("disjoint", lambda values: values == dict.fromkeys(KEYS, SAVES))


def test_a_reader_never_sees_half_of_a_save(at_once: Any) -> None:
    at_once("pairs", lambda values: values[KEYS[0]] == values[KEYS[1]] > 0)


def test_rows_that_decide_a_save_stay_until_it_is_written(at_once: Any) -> None:
    at_once("share", lambda values: values[KEYS[0]] + values[KEYS[1]] == LIMIT)


def test_absent_rows_that_decide_a_save_stay_absent_until_it_is_written(at_once: Any) -> None:
    pairs = list(zip(KEYS[::2], KEYS[1::2], strict=True))
    at_once(
        "choose",
        lambda values: all(sorted((values[a], values[b])) == [0, 1] for a, b in pairs),
        empty=True,
        rows=len(pairs),
    )
