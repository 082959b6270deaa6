"""Spread: pauses of various lengths, so that processes do not all ask at the same moment."""

from __future__ import annotations

import time
from collections.abc import Iterator
from random import SystemRandom

# Not the generator of the module: an app or its tests may have seeded that, and a fork copies it.
_random = SystemRandom()


def spread(seconds: float, least: float = 0.75) -> float:
    """Return a part of a length of time by chance, in seconds.

    :param least: the smallest part, from 0 to 1.
    """
    return seconds * _random.uniform(least, 1.0)


def tries(number: int) -> Iterator[int]:
    """Yield so many numbers from 0 on, with pauses between them that grow from 2 to 128 ms."""
    for attempt in range(number):
        if attempt:
            time.sleep(spread(0.001 * 2 ** min(attempt, 7), 0))
        yield attempt
