"""The mixins for models."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from waffleconf_admin.models import WaffleMixin


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
