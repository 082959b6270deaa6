"""Cache: saves and reloads of one process are ordered by a generation number."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.state.cache import Cache


class NoRows:
    """Where there is nothing to read."""

    @staticmethod
    def decode(text: str, key: str) -> Any:
        return deserialize(text)


@pytest.fixture
def config() -> dict[str, Any]:
    return {}


@pytest.fixture
def live(config: dict[str, Any]) -> Cache:
    live = Cache(config, NoRows())  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": 1}, "B": {"default": [1]}}))
    return live


def test_texts_are_taken_up_in_values_and_configuration(live: Cache, config: Any) -> None:
    assert live.apply(live.generation, {"A": serialize(2)}) == {"A": (1, 2)}
    assert live.values == config == {"A": 2, "B": [1]}


def test_what_was_read_before_another_change_is_refused(live: Cache) -> None:
    generation = live.generation
    live.apply(generation, {"A": serialize(2)})
    assert live.apply(generation, {"A": serialize(3)}) is None
    assert live.values["A"] == 2


def test_no_row_is_the_default(live: Cache) -> None:
    live.apply(live.generation, {"B": serialize([2])})
    assert live.apply(live.generation, {"B": None}) == {"B": ([2], [1])}


def test_a_text_that_is_known_is_not_decoded_again(live: Cache) -> None:
    live.apply(live.generation, {"A": serialize("x" * 100)})
    before = live.values["A"]
    assert live.apply(live.generation, {"A": serialize("x" * 100)}) == {}
    assert live.values["A"] is before


def test_a_value_that_a_view_has_changed_in_place_is_mended_by_the_next_load(live: Cache) -> None:
    live.values["B"].append(3)
    live.apply(live.generation, {"B": None})
    assert live.values["B"] == [1]


def test_a_record_is_a_value_of_its_own(live: Cache) -> None:
    live.apply(live.generation, {"B": serialize([2])})
    live.record("B", serialize([2])).value.append(3)
    assert live.values["B"] == [2]


def test_a_reader_that_holds_the_values_never_sees_them_change(live: Cache) -> None:
    held = live.values
    live.apply(live.generation, {"A": serialize(2), "B": serialize([2])})
    assert held == {"A": 1, "B": [1]}


def test_redeclaring_keeps_values_and_refuses_what_was_read_before(
    live: Cache, config: Any
) -> None:
    live.apply(live.generation, {"A": serialize(2)})
    generation = live.generation
    live.declare(declare({"A": {"default": 1}, "C": {"default": "c"}}))
    assert live.apply(generation, {"A": serialize(5)}) is None
    assert live.values == {"A": 2, "C": "c"}
    assert config["C"] == "c"


def test_redeclaring_brings_new_defaults_and_asks_for_a_load(live: Cache) -> None:
    live.apply(live.generation, {"A": None})
    live.loaded = True
    live.declare(declare({"A": {"default": 9}}))
    assert live.values == {"A": 9}
    assert not live.loaded
    live.apply(live.generation, {"A": None})
    assert live.values == {"A": 9}


def test_keys_that_are_not_declared_are_left_alone(live: Cache, config: Any) -> None:
    live.apply(live.generation, {"NOPE": serialize(2)})
    assert "NOPE" not in live.values
    assert "NOPE" not in config


def test_saves_and_reloads_from_many_threads_end_with_what_is_stored(live: Cache) -> None:
    stored = {"A": serialize(0)}
    guard = threading.Lock()

    def work(number: int) -> None:
        for step in range(200):
            generation = live.generation
            if step % 2:
                with guard:
                    stored["A"] = text = serialize(number * 1000 + step)
                if live.apply(generation, {"A": text}) is not None:
                    continue
            while live.apply(live.generation, dict(stored)) is None:
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert serialize(live.values["A"]) == stored["A"]


class SlowRows(NoRows):
    """Reads that take their time, so that all of them are under way at once."""

    reads = 0

    def read_fresh(self, keys: list[str]) -> dict[str, str]:
        self.reads += 1
        threading.Event().wait(0.1)
        return {}


def test_many_loads_at_once_do_not_keep_overtaking_each_other(config: dict[str, Any]) -> None:
    rows = SlowRows()
    live = Cache(config, rows)  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": 1}}))
    threads = [threading.Thread(target=live.load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert live.loaded and rows.reads < 8 * 3  # 36, if each had to be the last one


def test_a_load_takes_up_no_read_that_had_begun_before_its_call(config: dict[str, Any]) -> None:
    reading = threading.Event()

    class Rows(NoRows):
        def read_fresh(self, keys: list[str]) -> dict[str, str]:
            if threading.current_thread() is early:
                reading.set()
                called.wait(10)
                return {"A": serialize("old")}
            called.set()
            early.join(10)  # it has got through, and this read is refused
            return {"A": serialize("new")}

    live = Cache(config, Rows())  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": ""}}))
    early, called = threading.Thread(target=live.load), threading.Event()
    early.start()
    assert reading.wait(10)
    live.load()
    assert live.values["A"] == "new"


class Plain:
    """A value whose class has no __eq__."""


def test_only_a_text_that_is_another_is_a_change(config: dict[str, Any]) -> None:
    live = Cache(config, NoRows())  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": Plain()}}))
    live.apply(live.generation, {"A": None})
    assert live.apply(live.generation, {"A": None}) == {}
