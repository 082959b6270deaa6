"""No request, file or command makes the package fail, and none changes what it does not say.

The same ones each time. With WAFFLE_FUZZ_SECONDS each fuzzer runs for so long, and begins with the
number WAFFLE_FUZZ_FROM. benchmarks/fuzz_requests.py sends larger ones and measures their time.
"""

from __future__ import annotations

import itertools
import os
import time

import fuzzing
import pytest

SECONDS = float(os.environ.get("WAFFLE_FUZZ_SECONDS", 0))
BEGIN = int(os.environ.get("WAFFLE_FUZZ_FROM", 0))
#: How many the suite sends, of as many bytes at most.
COUNT, MOST = 150, 5000


@pytest.mark.timeout(SECONDS + 300)
# Werkzeug leaves open what it has read of a form that ends too early.
@pytest.mark.filterwarnings("ignore:Unclosed file <tempfile.Spooled:ResourceWarning")
@pytest.mark.parametrize("name", fuzzing.FUZZERS)
def test_nothing_that_is_sent_is_a_failure(name: str) -> None:
    numbers = itertools.count(BEGIN) if SECONDS else iter(range(BEGIN, BEGIN + COUNT))
    summary, end = fuzzing.Summary(), time.monotonic() + SECONDS
    for outcome in fuzzing.run(name, numbers, MOST):
        summary.add(outcome)
        if SECONDS and time.monotonic() > end:
            break
    print(summary)
    assert summary.changes > 2  # some of it is right
    assert len(summary.statuses) > 3
