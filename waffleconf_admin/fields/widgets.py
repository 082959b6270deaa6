"""The HTML controls of our fields: WTForms widgets that render fast.

WTForms' own widgets work on our fields too, but a page may have a thousand of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Protocol

from markupsafe import Markup, escape

from ..i18n import gettext

#: Finds what a text in HTML can't hold as it is.
_SPECIAL = re.compile("""[&<>"']""").search
_HEX = re.compile("#([0-9a-f]{3}|[0-9a-f]{6})", re.I)
#: Characters of a line in a text area, about.
_LINE = 80


class Control(Protocol):
    """What every widget needs of a field."""

    id: str
    name: str
    label: Any
    errors: list[str]
    flag_values: Mapping[str, Any]
    multiline: bool
    html_attributes: dict[str, object]

    def _value(self) -> str: ...


class DateTimeControl(Control, Protocol):
    """A field with a date or time."""

    input_type: str

    def split(self, text: str) -> tuple[str | None, str]: ...

    def limit_text(self, limit: object, zone: str) -> str: ...


class ChoiceControl(Control, Protocol):
    """A field with choices."""

    is_group: bool
    role: str

    def grouped(self) -> list[tuple[object, list[tuple[str, object]]]]: ...

    def labelled_inputs(self) -> Markup: ...


class SecretControl(Control, Protocol):
    """A field with a secret."""

    clearable: bool
    clearing: bool


def escape_text(value: object) -> str:
    """Return the HTML of a text, as `markupsafe.escape` does.

    Most texts need no escapes, and a page has ten thousand: those come back as they are.
    """
    return value if type(value) is str and not _SPECIAL(value) else escape(value)


def attributes(given: Mapping[str, object]) -> str:
    """Return HTML attributes, a space before each; True is a bare name, False and None left out."""
    html = ""
    for name, value in given.items():
        if type(value) is str:
            html += f' {name}="{escape(value) if _SPECIAL(value) else value}"'
        elif value is True:
            html += f" {name}"
        elif value is not False and value is not None:
            html += f' {name}="{escape(value)}"'
    return html


def common(field: Control, own: dict[str, object], kwargs: dict[str, object]) -> str:
    """Return the attributes of a control: those of every control, its own, and the caller's."""
    given = {"id": field.id, "name": field.name, **own}
    if field.errors:
        given["aria-invalid"] = "true"
    if kwargs:
        given.update(kwargs)
    return attributes(given)


class TextInput:
    """One line of text, or a text area where the field has lines."""

    def __call__(self, field: Control, **kwargs: object) -> Markup:
        text = field._value()
        flags = field.flag_values
        limits = self._limits(flags, text) if flags else {}
        if not field.multiline:
            own = {"type": "text", "value": text, **field.html_attributes, **limits}
            return Markup(f"<input{common(field, own, kwargs)}>")  # nosec B704 # its texts are escaped
        own = {**field.html_attributes, **limits}
        own["rows"] = min(max(_lines(text), 3), 20)
        # HTML drops a newline that comes first in a text area: this one is there to be dropped.
        return Markup(f"<textarea{common(field, own, kwargs)}>\n{escape_text(text)}</textarea>")  # nosec B704 # its texts are escaped

    def _limits(self, flags: Mapping[str, Any], text: str) -> dict[str, object]:
        """Return the limits, without those that the text breaks: they would block the form."""
        limits = {name: flags.get(name) for name in ("minlength", "pattern")}
        limits["required"] = bool(text and flags.get("required"))
        if len(text) <= flags.get("maxlength", -1):
            limits["maxlength"] = flags["maxlength"]
        return limits


class ColorInput(TextInput):
    """A colour as a line of text, and the browser's control for colours beside it.

    That one is never sent. The script enables it, and copies from each to the other.
    """

    def __call__(self, field: Control, **kwargs: object) -> Markup:
        if field.multiline:  # a text from before it was declared a colour
            return super().__call__(field, **kwargs)
        text = field._value()
        found = _HEX.fullmatch(text)
        label = gettext("Choose a colour for %(label)s", label=field.label.text)
        own: dict[str, object] = {"type": "color", "aria-label": label, "disabled": True}
        if found:
            digits = found[1].lower()
            own["value"] = "#" + ("".join(d + d for d in digits) if len(digits) == 3 else digits)
        else:
            own["class"] = "wf-blank"
        kwargs = {"placeholder": "#rrggbb"} | kwargs
        return super().__call__(field, **kwargs) + Markup(f"<input{attributes(own)}>")  # nosec B704 # its texts are escaped


class DateTimeInput:
    """A date, a time or both, in a control of the browser unless that would spoil the value.

    The time zone stands beside the control, and is sent after what was typed.
    """

    def __call__(self, field: DateTimeControl, **kwargs: object) -> Markup:
        local, zone = field.split(field._value())
        if local is None:
            own = {"type": "text", "value": field._value(), "size": 32}
            return Markup(f"<input{common(field, own, kwargs)}>")  # nosec B704 # its texts are escaped
        low, high = (field.limit_text(field.flag_values.get(end), zone) for end in ("min", "max"))
        own = {
            "type": field.input_type,
            "value": local,
            # Without it browsers accept whole minutes only.
            "step": "any" if any(text.count(":") > 1 for text in (local, low, high)) else None,
            "min": low if not local or low <= local else None,
            "max": high if high and local <= high else None,
        }
        own = {name: value for name, value in own.items() if value != ""}
        if not zone:
            return Markup(f"<input{common(field, own, kwargs)}>")  # nosec B704 # its texts are escaped
        beside = {"id": f"{field.id}-zone", "class": "wf-zone"}
        described = f"{kwargs.pop('aria-describedby', '')} {beside['id']}"
        kwargs["aria-describedby"] = described.lstrip()
        sent = {"type": "hidden", "name": field.name, "value": zone, "form": kwargs.get("form")}
        return Markup(  # nosec B704 # its texts are escaped
            f"<input{common(field, own, kwargs)}><input{attributes(sent)}>"
            f"<span{attributes(beside)}>{escape_text(zone)}</span>"
        )


class Checkbox:
    """A check box, and before it a hidden input that is sent when the box is empty."""

    def __call__(self, field: Control, **kwargs: object) -> Markup:
        own = {"type": "checkbox", "value": "on", "checked": field._value() == "true"}
        hidden = attributes({"name": field.name, "form": kwargs.get("form")})
        return Markup(f'<input type="hidden"{hidden} value=""><input{common(field, own, kwargs)}>')  # nosec B704 # its texts are escaped


class Choices:
    """A select, or radio buttons where the choices are few."""

    def __call__(self, field: ChoiceControl, **kwargs: object) -> Markup:
        if field.is_group:
            given = {"id": field.id, "role": field.role, "aria-label": field.label.text} | kwargs
            return Markup(f"<div{attributes(given)}>{field.labelled_inputs()}</div>")  # nosec B704 # its texts are escaped
        chosen, groups = field._value(), field.grouped()
        if chosen and not any(chosen == text for _, options in groups for text, _ in options):
            # Otherwise the browser would select, and send, the first.
            label = gettext("%(value)s (no longer a choice)", value=chosen[:100])
            groups = [*groups, ("", [(chosen, label)])]
        parts = []
        for group, options in groups:
            part = "".join(
                f'<option value="{escape_text(text)}"{" selected" if text == chosen else ""}>'
                f"{escape_text(label)}</option>"
                for text, label in options
            )
            heading = attributes({"label": group})
            parts.append(f"<optgroup{heading}>{part}</optgroup>" if group else part)
        return Markup(f"<select{common(field, {}, kwargs)}>{''.join(parts)}</select>")  # nosec B704 # its texts are escaped


class Secret:
    """A control to write a secret in, and a box to clear it; never with the secret that is set."""

    def __call__(self, field: SecretControl, **kwargs: object) -> Markup:
        own: dict[str, object] = {"autocomplete": "new-password", "spellcheck": "false"}
        if field.multiline:
            own["rows"] = "4"
            control = f"<textarea{common(field, own, kwargs)}></textarea>"
        else:
            own["type"] = "password"
            control = f"<input{common(field, own, kwargs)}>"
        warning = gettext("It begins or ends with a blank. Is that meant?")
        # Empty, so that a screen reader reads what the script writes into it.
        control += f'<p class="wf-blanks" role="status"{attributes({"data-text": warning})}></p>'
        if field.clearable and not kwargs.get("required"):
            box: dict[str, object] = {"type": "checkbox", "name": field.name, "value": "clear"}
            box |= {"checked": field.clearing, "form": kwargs.get("form")}
            label = escape_text(gettext("Clear it"))
            control += f"<label><input{attributes(box)}> {label}</label>"
        return Markup(control)  # nosec B704 # its texts are escaped


def _lines(text: str) -> int:
    """Return about how many lines a text area takes for a text."""
    return sum(len(line) // _LINE + 1 for line in text.split("\n"))


class Static:
    """The value as text, where it can't be changed."""

    def __call__(self, field: Control, **kwargs: object) -> Markup:
        given = attributes({"id": field.id} | kwargs)
        return Markup(f"<output{given}>{escape_text(field._value())}</output>")  # nosec B704 # its texts are escaped
