"""The HTML controls of numbers: an input, and a slider."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Protocol

from markupsafe import Markup, escape

from ..settings.notation import Notation
from .widgets import Control, attributes, common

# Browsers count in doubles: beyond this a whole number is not exact.
_EXACT = 2**53


class NumberControl(Control, Protocol):
    """A field with a number."""

    whole: bool
    notation: Notation


class NumberInput:
    """A number, in a line of text.

    A browser's control for numbers drops a comma silently, and the mouse wheel changes its value.
    """

    def __call__(self, field: NumberControl, **kwargs: object) -> Markup:
        text, flags = field._value(), field.flag_values
        own: dict[str, object] = {"type": "text", "value": text}
        # Keyboards for digits have no minus.
        low = _limit(flags, "min")
        if low is not None and low >= 0 and not text.startswith("-"):
            own["inputmode"] = "numeric" if field.whole else "decimal"
        own["required"] = bool(text and flags.get("required"))
        return Markup(f"<input{common(field, own, kwargs)}>")  # nosec B704 # its texts are escaped


class Slider(NumberInput):
    """A slider, with its value beside it."""

    def __call__(self, field: NumberControl, **kwargs: object) -> Markup:
        text, flags = field._value(), field.flag_values
        low, high = _limit(flags, "min"), _limit(flags, "max")
        if low is None or high is None or not _is_on_slider(text, low, high):
            return super().__call__(field, **kwargs)
        own: dict[str, object] = {"type": "range", "value": text, "min": low, "max": high}
        if field.whole:
            own |= {"min": math.ceil(low), "max": math.floor(high)}
        else:
            own["step"] = _step(text, low, high)
        point = field.notation.point
        beside = {
            "for": field.id,
            "class": "wf-slid",
            "data-point": point if point != "." else None,
        }
        return Markup(  # nosec B704 # its texts are escaped
            f"<input{common(field, own, kwargs)}>"
            f"<output{attributes(beside)}>{escape(field.notation.write(text))}</output>"
        )


def _limit(flags: Mapping[str, Any], end: str) -> Decimal | None:
    """Return a limit; None where there is none that ends."""
    limit = flags.get(end)
    if limit is None:
        return None
    try:
        limit = limit() if callable(limit) else limit
        found = Decimal(str(limit))
    except (ArithmeticError, TypeError, ValueError):
        return None
    return found if found.is_finite() else None


def _is_on_slider(text: str, low: Decimal, high: Decimal) -> bool:
    """Whether a slider shows a number as it is: browsers round what is on one."""
    try:
        number = Decimal(text)
    except ArithmeticError:
        return False
    if not number.is_finite():  # NaN can't be compared
        return False
    exact = abs(number) <= _EXACT and float(f"{float(number):.15g}") == float(number)
    return exact and low <= number <= high


def _step(text: str, low: Decimal, high: Decimal) -> str:
    """Return a step of about a hundredth of a slider that reaches both ends and the number."""
    number = Decimal(text)
    coarse = (high - low).adjusted() - 2
    for digits in range(coarse, coarse - 4, -1):
        step = Decimal(1).scaleb(digits)
        if not (number - low) % step and not (high - low) % step:
            return f"{step:f}"
    return "any"
