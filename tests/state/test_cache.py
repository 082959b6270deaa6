"""Cache: saves and reloads of one process are ordered by a generation number."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.record import Record
from waffleconf_admin.state.cache import Cache, Changes
from waffleconf_admin.state.records import Records


class NoRows:
    """Where there is nothing to read; its own codec, too."""

    @property
    def codec(self) -> Any:
        return self

    @staticmethod
    def decode(text: str, key: str) -> Any:
        return deserialize(text)

    def load(self, keys: list[str], *, promptly: bool = False) -> dict[str, str]:
        return self.read_fresh(keys)

    def read_fresh(self, keys: list[str]) -> dict[str, str]:
        return {}


class Rows(NoRows):
    """Stored texts; counts how many were decoded."""

    def __init__(self, texts: dict[str, str], *classes: type) -> None:
        self._texts = texts
        self._classes = classes
        self.decoded = 0

    def read_fresh(self, keys: list[str]) -> dict[str, str]:
        return self._texts

    def decode(self, text: str, key: str) -> Any:  # type: ignore[override]
        self.decoded += 1
        return deserialize(text, self._classes)


@pytest.fixture
def config() -> dict[str, Any]:
    return {}


@pytest.fixture
def live(config: dict[str, Any]) -> Cache:
    live = Cache(config, NoRows())  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": 1}, "B": {"default": [1]}}))
    return live


def apply(live: Cache, generation: int, texts: dict[str, str | None]) -> Changes | None:
    return live.apply(generation, live.own_records(texts), texts)


def test_texts_are_taken_up_in_values_and_configuration(live: Cache, config: Any) -> None:
    assert apply(live, live.generation, {"A": serialize(2)}) == {"A": (1, 2)}
    assert live.values == config == {"A": 2, "B": [1]}


def test_what_was_read_before_another_change_is_refused(live: Cache) -> None:
    generation = live.generation
    apply(live, generation, {"A": serialize(2)})
    assert apply(live, generation, {"A": serialize(3)}) is None
    assert live.values["A"] == 2


def test_no_row_is_the_default(live: Cache) -> None:
    apply(live, live.generation, {"B": serialize([2])})
    assert apply(live, live.generation, {"B": None}) == {"B": ([2], [1])}


def test_a_text_that_is_known_is_not_decoded_again(live: Cache) -> None:
    apply(live, live.generation, {"A": serialize("x" * 100)})
    before = live.values["A"]
    assert apply(live, live.generation, {"A": serialize("x" * 100)}) == {}
    assert live.values["A"] is before


def test_a_record_is_a_value_of_its_own(live: Cache) -> None:
    apply(live, live.generation, {"B": serialize([2])})
    live.own_records({"B": serialize([2])})["B"].value.append(3)
    assert live.values["B"] == [2]


def test_a_reader_that_holds_the_values_never_sees_them_change(live: Cache) -> None:
    held = live.values
    apply(live, live.generation, {"A": serialize(2), "B": serialize([2])})
    assert held == {"A": 1, "B": [1]}


def test_redeclaring_keeps_values_and_refuses_what_was_read_before(
    live: Cache, config: Any
) -> None:
    apply(live, live.generation, {"A": serialize(2)})
    generation = live.generation
    live.declare(declare({"A": {"default": 1}, "C": {"default": "c"}}))
    assert apply(live, generation, {"A": serialize(5)}) is None
    assert live.values == {"A": 2, "C": "c"}
    assert config["C"] == "c"


def test_what_was_read_before_another_decoder_is_refused(live: Cache) -> None:
    generation = live.generation
    live.replace_decoder(lambda decoder: decoder, ["A"])  # as an override of a test does
    assert apply(live, generation, {"A": serialize(5)}) is None


def test_redeclaring_brings_new_defaults_and_asks_for_a_load(live: Cache) -> None:
    apply(live, live.generation, {"A": None})
    live.loaded = True
    live.declare(declare({"A": {"default": 9}}))
    assert live.values == {"A": 9}
    assert not live.loaded
    apply(live, live.generation, {"A": None})
    assert live.values == {"A": 9}


def test_keys_that_are_not_declared_are_left_alone(live: Cache, config: Any) -> None:
    apply(live, live.generation, {"NOPE": serialize(2)})
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
                if apply(live, generation, {"A": text}) is not None:
                    continue
            while apply(live, live.generation, dict(stored)) is None:
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert serialize(live.values["A"]) == stored["A"]


class Shelf:
    """A value of a class of the app's, which has no __eq__."""

    def __init__(self) -> None:
        self.books = ["A"]


def append(books: list[Any]) -> None:
    books.append(1)


#: Declaration, stored text, how a view changes the value in place.
CHANGED_IN_PLACE: dict[str, tuple[dict[str, Any], str | None, Callable[[Any], object]]] = {
    "a list": ({"default": 1}, serialize([2]), append),
    "a dict": ({"default": 1}, serialize({"a": 1}), lambda value: value.update(a=True)),
    "a list in a tuple": ({"default": 1}, serialize(([2], 0)), lambda value: append(value[0])),
    "a bytearray": ({"default": 1}, serialize(bytearray(b"a")), append),
    "an object": ({"default": Shelf()}, serialize(Shelf()), lambda value: append(value.books)),
    "a default": ({"default": [2]}, None, append),
    "a default that can't be stored": ({"default": [lambda: 0]}, None, append),
    "a default for a damaged text": ({"default": [2]}, "damaged", append),
    "a converted value": ({"default": [2], "type": list}, serialize((2,)), append),
}


@pytest.mark.parametrize(
    ("declaration", "text", "change"), CHANGED_IN_PLACE.values(), ids=CHANGED_IN_PLACE
)
def test_what_a_view_has_changed_in_place_is_replaced_by_the_next_load(
    config: dict[str, Any],
    declaration: dict[str, Any],
    text: str | None,
    change: Callable[[Any], object],
) -> None:
    rows = Rows({} if text is None else {"A": text}, Shelf)
    live = Cache(config, rows)  # type: ignore[arg-type]
    live.declare(declare({"A": declaration}))
    live.load()
    before = written(live.values["A"])
    change(live.values["A"])
    assert written(config["A"]) != before
    assert live.load() == {}
    assert written(live.values["A"]) == written(config["A"]) == before


def written(value: object) -> str:
    """A value as a text that differs once the value has changed."""
    try:
        return serialize(value)
    except InvalidValue:
        return repr(value)


UNCHANGED = {
    "a text": "x" * 100, "a date": date(2026, 1, 1), "a UUID": UUID(int=1), "a list": [1, [2]],
    "a dict": {"a": [1]}, "an object": Shelf(), "a set": {1},
}  # fmt: skip


@pytest.mark.parametrize("value", UNCHANGED.values(), ids=UNCHANGED)
def test_a_load_decodes_no_unchanged_text_again(config: dict[str, Any], value: object) -> None:
    rows = Rows({"A": serialize(value)}, Shelf)
    live = Cache(config, rows)  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": 1}, "B": {"default": [1]}}))
    live.load()
    served, decoded = dict(live.values), rows.decoded
    live.load()
    assert rows.decoded == decoded
    assert all(live.values[key] is value for key, value in served.items())


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


class Unequal:
    """A value whose class has no __eq__."""


def test_only_a_text_that_is_another_is_a_change(config: dict[str, Any]) -> None:
    live = Cache(config, NoRows())  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": Unequal()}}))
    apply(live, live.generation, {"A": None})
    assert apply(live, live.generation, {"A": None}) == {}
    for text in ("one", "other"):
        records = Records.holding({"A": Record(text, Unequal(), decrypted="the same")})
        changes = live.apply(live.generation, records, records.texts)
    assert changes == {}


def test_an_equal_value_in_another_text_is_no_change(live: Cache) -> None:
    apply(live, live.generation, {"A": serialize(2)})
    assert apply(live, live.generation, {"A": serialize(2, format="json")}) == {}


def test_a_converted_value_of_another_text_is_a_change(config: dict[str, Any]) -> None:
    live = Cache(config, NoRows())  # type: ignore[arg-type]
    live.declare(declare({"A": {"default": 1, "type": int}}))
    apply(live, live.generation, {"A": serialize("2")})
    assert apply(live, live.generation, {"A": serialize("3")}) == {"A": (2, 3)}
