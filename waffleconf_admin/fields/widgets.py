"""The HTML controls of our fields: WTForms widgets that cost little.

WTForms' own widgets work on our fields too; these exist because a page has a thousand of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from markupsafe import Markup, escape

from ..i18n import gettext

# What HTML takes for a number: a browser silently empties <input type=number> of anything else.
_HTML_NUMBER = re.compile(r"-?[0-9]++(\.[0-9]++)?([eE][-+]?[0-9]++)?")
# Browsers count in doubles, so beyond this a whole number is not exact.
_EXACT = 2**53


def attributes(given: dict[str, Any]) -> str:
    """Return HTML attributes, a space before each; True is a bare name, False and None left out."""
    return "".join(
        f" {name}" if value is True else f' {name}="{escape(value)}"'
        for name, value in given.items()
        if value is not False and value is not None
    )


def common(field: Any, own: dict[str, Any], kwargs: dict[str, Any]) -> str:
    """Return the attributes of a control: what every one has, its own, and the caller's."""
    given = {"id": field.id, "name": field.name} | own
    if field.errors:
        given["aria-invalid"] = "true"
    return attributes(given | kwargs)


def _exact(limit: Any) -> Any:
    return limit if isinstance(limit, Decimal) else float(limit)


class TextInput:
    """One line of text, or a text area where the field has lines."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        text = field._value()
        limits = self._limits(vars(field.flags), text)
        if not field.lines:
            own = {"type": "text", "value": text} | field.html(text) | limits
            return Markup(f"<input{common(field, own, kwargs)}>")
        own = field.typing | limits
        own["rows"] = min(max(text.count("\n") + 1, 3), 20)
        # HTML drops a newline that comes first in a text area: this one is there to be dropped.
        return Markup(f"<textarea{common(field, own, kwargs)}>\n{escape(text)}</textarea>")

    def _limits(self, flags: dict[str, Any], text: str) -> dict[str, Any]:
        """The limits, but none that the text breaks: it would keep people from saving the rest."""
        limits = {name: flags.get(name) for name in ("minlength", "pattern")}
        limits["required"] = bool(text and flags.get("required"))
        if len(text) <= flags.get("maxlength", -1):
            limits["maxlength"] = flags["maxlength"]
        return limits


class NumberInput:
    """A number: a whole one in a control for numbers, unless the browser would spoil it there.

    With decimals it is a line of text, for a control for numbers drops a comma without a word.
    """

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        text = field._value()
        flags = vars(field.flags)
        low = self._limit(flags.get("min"), math.ceil if field.whole else _exact)
        high = self._limit(flags.get("max"), math.floor if field.whole else _exact)
        # Some keyboards for decimals have no minus.
        mode = "decimal" if field.whole or (low is not None and low >= 0) else None
        own: dict[str, Any] = {"type": "text", "inputmode": mode}
        if not text or self._is_safe(text, field.whole):
            number = float(text) if text else None
            # A limit that the number breaks already would keep people from saving the rest.
            low = low if number is None or low is None or number >= low else None
            high = high if number is None or high is None or number <= high else None
            own = self._control(field, number, low, high) or own
        own |= {"value": text, "required": bool(text and flags.get("required"))}
        return Markup(f"<input{common(field, own, kwargs)}>")

    def _control(self, field: Any, number: float | None, low: Any, high: Any) -> dict[str, Any]:
        """The attributes of a control for numbers; none where that is none."""
        return {"type": "number", "min": low, "max": high} if field.whole else {}

    def _is_safe(self, text: str, whole: bool) -> bool:
        if not _HTML_NUMBER.fullmatch(text) or math.isinf(float(text)):
            return False
        return not whole or (len(text) < 20 and abs(float(text)) <= _EXACT)

    def _limit(self, limit: Any, rounded: Callable[[Any], Any]) -> Any:
        limit = limit() if callable(limit) else limit
        try:
            return rounded(limit) if limit is not None and math.isfinite(limit) else None
        except (TypeError, ValueError, OverflowError):
            return None


class Slider(NumberInput):
    """A number between two others: on a slider, with its value beside it."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        control = super().__call__(field, **kwargs)
        if 'type="range"' not in control:  # none that a slider can show
            return control
        shown = attributes({"for": field.id, "class": "wf-slid"})
        return Markup(f"{control}<output{shown}>{escape(field._value())}</output>")

    def _control(self, field: Any, number: float | None, low: Any, high: Any) -> dict[str, Any]:
        # Browsers round what is on a slider.
        holds = number is not None and float(f"{number:.15g}") == number
        if not holds or low is None or high is None:
            return super()._control(field, number, low, high)
        step = None if field.whole else _step(number, low, high)
        return {"type": "range", "min": low, "max": high, "step": step}


def _step(number: Any, low: Any, high: Any) -> str:
    """A step of a slider, about a hundredth of it, that reaches both ends and the number."""
    number, low, high = (Decimal(str(end)) for end in (number, low, high))
    coarse = (high - low).adjusted() - 2
    for digits in range(coarse, coarse - 4, -1):
        step = Decimal(1).scaleb(digits)
        if not (number - low) % step and not (high - low) % step:
            return f"{step:f}"
    return "any"


class Moment:
    """A date, a time, or both: as the browser writes them, unless it would spoil them.

    The time zone stands beside the control and is sent along with what was typed.
    """

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        local, zone = field.parts(field._value())
        if local is None:
            own = {"type": "text", "value": field._value(), "size": 32}
            return Markup(f"<input{common(field, own, kwargs)}>")
        low, high = (field.local(field.flags.__dict__.get(end), zone) for end in ("min", "max"))
        own = {
            "type": field.type_html,
            "value": local,
            # Without it browsers take nothing between the minutes.
            "step": "any" if any(text.count(":") > 1 for text in (local, low, high)) else None,
            "min": low if not local or low <= local else None,
            "max": high if high and local <= high else None,
        }
        own = {name: value for name, value in own.items() if value != ""}
        if not zone:
            return Markup(f"<input{common(field, own, kwargs)}>")
        beside = {"id": f"{field.id}-zone", "class": "wf-zone"}
        described = [kwargs.pop("aria-describedby", ""), beside["id"]]
        kwargs["aria-describedby"] = " ".join(filter(None, described))
        sent = {"type": "hidden", "name": field.name, "value": zone, "form": kwargs.get("form")}
        return Markup(
            f"<input{common(field, own, kwargs)}><input{attributes(sent)}>"
            f"<span{attributes(beside)}>{escape(zone)}</span>"
        )


class Checkbox:
    """A check box, and before it a hidden input that is sent when the box is empty."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        own = {"type": "checkbox", "value": "on", "checked": field._value() == "true"}
        hidden = attributes({"name": field.name, "form": kwargs.get("form")})
        return Markup(f'<input type="hidden"{hidden} value=""><input{common(field, own, kwargs)}>')


class Options:
    """A select, or radio buttons where the choices are few."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        if field.roles:
            given = {"id": field.id, "role": field.roles, "aria-label": field.label.text} | kwargs
            buttons = "".join(
                f"<label>{button()} {escape(button.label.text)}</label>" for button in field
            )
            return Markup(f"<div{attributes(given)}>{buttons}</div>")
        chosen, groups = field._value(), field.grouped()
        if chosen and not any(chosen == text for _, options in groups for text, _ in options):
            # Or the browser would show, and send, the first.
            label = gettext("%(value)s (no longer a choice)", value=chosen[:100])
            groups = [*groups, ("", [(chosen, label)])]
        parts = []
        for group, options in groups:
            part = "".join(
                f"<option{attributes({'value': text, 'selected': text == chosen})}>"
                f"{escape(label)}</option>"
                for text, label in options
            )
            heading = attributes({"label": group})
            parts.append(f"<optgroup{heading}>{part}</optgroup>" if group else part)
        return Markup(f"<select{common(field, {}, kwargs)}>{''.join(parts)}</select>")


class Secret:
    """A control to write a secret in, and a box to clear it; what is set already is never in it."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        own: dict[str, Any] = {"autocomplete": "new-password", "spellcheck": "false"}
        if field.lines:
            own["rows"] = "4"
            control = f"<textarea{common(field, own, kwargs)}></textarea>"
        else:
            own["type"] = "password"
            control = f"<input{common(field, own, kwargs)}>"
        if field.clearable and not kwargs.get("required"):
            box = {"type": "checkbox", "name": field.name, "value": "clear"}
            box |= {"checked": field.clearing, "form": kwargs.get("form")}
            label = escape(gettext("Clear it"))
            control += f"<label><input{attributes(box)}> {label}</label>"
        return Markup(control)


class Static:
    """The value as text, where it can't be changed."""

    def __call__(self, field: Any, **kwargs: Any) -> Markup:
        given = attributes({"id": field.id} | kwargs)
        return Markup(f"<output{given}>{escape(field._value())}</output>")
