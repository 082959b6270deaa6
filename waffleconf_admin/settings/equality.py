"""Equality of values: the same type and value, all the way down."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, time
from decimal import Decimal
from types import NoneType
from typing import Any

#: Types whose values are the same where they are equal.
_EXACT = frozenset({NoneType, bool, int, str, bytes})


def same(a: Any, b: Any) -> bool:
    """Whether *a* and *b* have the same type and value, all the way down: True is not 1.

    The order of the keys of a dict is part of its value.
    """
    # Any: that both have the type that is asked for below, no type checker can follow.
    if a is b:
        return True
    cls = type(a)
    if cls is not type(b):
        return False
    if cls in _EXACT:
        return bool(a == b)
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(x, y) and same(a[x], b[y]) for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, (list, tuple, deque)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (set, frozenset)):
        return {(type(x), x) for x in a} == {(type(x), x) for x in b}
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if cls is datetime and a.tzinfo is None and b.tzinfo is None:
        return bool(a == b) and a.fold == b.fold
    if isinstance(a, (complex, Decimal, datetime, time)):
        return repr(a) == repr(b)  # 1.0 is not 1.00, noon in Paris is not 11:00 in London
    try:
        return bool(a == b)
    except Exception:  # an object from before its class got another attribute, say
        return False
