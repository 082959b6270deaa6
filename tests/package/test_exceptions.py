"""Errors survive a pickle, as between the processes of a task queue."""

from __future__ import annotations

import pickle

import pytest

from waffleconf_admin import BusyError, ConflictError, InvalidValue, StoreError


@pytest.mark.parametrize(
    "error",
    [
        InvalidValue({"A": "At most 5.", "B": "At least 1."}),
        InvalidValue("text"),
        ConflictError(["A", "B"]),
        StoreError("gone"),
        BusyError("locked"),
    ],
    ids=repr,
)
def test_an_error_comes_back_whole(error: Exception) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))
