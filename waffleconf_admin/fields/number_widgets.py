"""The HTML controls of numbers: an input, and a slider."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Protocol

from markupsafe import Markup, escape

from .widgets import Control, attributes, common

# What HTML takes for a number: a browser silently empties <input type=number> of anything else.
_HTML_NUMBER = re.compile(r"-?[0-9]++(\.[0-9]++)?([eE][-+]?[0-9]++)?")
# Browsers count in doubles: beyond this a whole number is not exact.
_EXACT = 2**53


class NumberControl(Control, Protocol):
    """A field with a number."""

    whole: bool


class NumberInput:
    """A whole number in a control for numbers, unless the browser would spoil it there.

    A number with decimals is a line of text: a control for numbers silently drops a comma.
    """

    def __call__(self, field: NumberControl, **kwargs: object) -> Markup:
        text = field._value()
        flags = vars(field.flags)
        whole = field.whole
        low = self._limit(flags.get("min"), math.ceil if whole else _exact)
        high = self._limit(flags.get("max"), math.floor if whole else _exact)
        # Some keyboards for decimals have no minus.
        mode = "decimal" if whole or (low is not None and low >= 0) else None
        own: dict[str, object] = {"type": "text", "inputmode": mode}
        if not text or self._is_safe(text, whole):
            number = float(text) if text else None
            # A limit that the number breaks already would block the whole form.
            low = low if number is None or low is None or number >= low else None
            high = high if number is None or high is None or number <= high else None
            own = self._control(whole, number, low, high) or own
        own["value"] = text
        own["required"] = bool(text and flags.get("required"))
        return Markup(f"<input{common(field, own, kwargs)}>")

    def _control(
        self, whole: bool, number: float | None, low: object, high: object
    ) -> dict[str, object]:
        """Return the attributes of a control for numbers; none if it can't be one."""
        return {"type": "number", "min": low, "max": high} if whole else {}

    def _is_safe(self, text: str, whole: bool) -> bool:
        if not _HTML_NUMBER.fullmatch(text) or math.isinf(float(text)):
            return False
        return not whole or (len(text) < 20 and abs(float(text)) <= _EXACT)

    def _limit(self, limit: Any, rounded: Callable[[Any], object]) -> Any:
        if limit is None:
            return None
        limit = limit() if callable(limit) else limit
        try:
            return rounded(limit) if limit is not None and math.isfinite(limit) else None
        except (TypeError, ValueError, OverflowError):
            return None


class Slider(NumberInput):
    """A slider, with its value beside it."""

    def __call__(self, field: NumberControl, **kwargs: object) -> Markup:
        control = super().__call__(field, **kwargs)
        if 'type="range"' not in control:  # it is none that a slider can show
            return control
        beside = attributes({"for": field.id, "class": "wf-slid"})
        return Markup(f"{control}<output{beside}>{escape(field._value())}</output>")

    def _control(
        self, whole: bool, number: float | None, low: object, high: object
    ) -> dict[str, object]:
        # Browsers round what is on a slider.
        holds = number is not None and float(f"{number:.15g}") == number
        if not holds or low is None or high is None:
            return super()._control(whole, number, low, high)
        step = None if whole else _step(number, low, high)
        return {"type": "range", "min": low, "max": high, "step": step}


def _step(number: object, low: object, high: object) -> str:
    """Return a step of about a hundredth of a slider that reaches both ends and the number."""
    number, low, high = (Decimal(str(end)) for end in (number, low, high))
    coarse = (high - low).adjusted() - 2
    for digits in range(coarse, coarse - 4, -1):
        step = Decimal(1).scaleb(digits)
        if not (number - low) % step and not (high - low) % step:
            return f"{step:f}"
    return "any"


def _exact(limit: Any) -> Any:
    return limit if isinstance(limit, Decimal) else float(limit)
