"""The mixins for models, and times in their columns."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from waffleconf_admin.models import WaffleMixin
from waffleconf_admin.store.instances import column_time, read_time


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        yield
    time.tzset()


def test_a_time_without_a_zone_is_utc_wherever_a_process_runs(far_from_greenwich: None) -> None:
    stored = datetime(2026, 1, 31, 18, 30)
    assert read_time(stored) == stored.replace(tzinfo=UTC)
    assert column_time(read_time(stored), zoned=False) == stored


class Record(SimpleNamespace, WaffleMixin):
    pass


def test_key_and_value_are_the_attributes_of_these_names() -> None:
    record = Record(key="SITENAME", value="gAJLAS4=")
    assert (record.get_key(), record.get_value()) == ("SITENAME", "gAJLAS4=")


@pytest.mark.parametrize("name", ["key", "value"])
def test_a_missing_attribute_is_named_with_the_remedy(name: str) -> None:
    with pytest.raises(
        NotImplementedError, match=rf"Record has no attribute '{name}'.*get_{name}\(\)"
    ):
        getattr(Record(), f"get_{name}")()
