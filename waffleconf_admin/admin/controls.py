"""Controls: the right side of a row, with the control of a setting or with its value as text."""

from __future__ import annotations

from ..fields import ChoiceField, MultipleChoiceField
from ..fields.binding import BoundField, render_control
from ..fields.widgets import attributes, escape_text
from ..i18n import gettext as _
from ..i18n import mark
from ..settings.notation import Notation
from .texts import beside_control

#: Characters of a value from which on it is scrolled, for which it needs the focus.
LONG = 200
#: Boxes to tick from which on they are scrolled, and have a filter.
MANY = 20

_TEXTS = {
    "empty": mark("empty"),
    "is_set": mark("set"),
    "not_set": mark("not set"),
    "off": mark("Off"),
    "on": mark("On"),
    "replace": mark("Replace"),
    "set": mark("Set"),
    "close": mark("Close"),
    "typed": mark("new value typed"),
    "filter": mark("Filter"),
    "nothing": mark("Nothing found"),
}


class Controls:
    """Makes the HTML of the controls of one page.

    :param notation: of the numbers in limits.
    :param focused: the key of the setting whose control has the focus at first; None: of none.
    """

    def __init__(self, notation: Notation, focused: str | None) -> None:
        self._notation = notation
        self._focused = focused
        self._texts = {name: escape_text(_(text)) for name, text in _TEXTS.items()}

    def __call__(self, field: BoundField, reason: str) -> str:
        """Return the control of a field with its limits, or its value if it can't be edited.

        :param reason: why it can't be edited, if that is to be said here.
        """
        setting = field.setting
        if not field.editable:
            return self._value(field, reason)
        limits = below = ""
        if setting.unit or setting.min is not None or setting.max is not None:
            limits = escape_text(beside_control(setting, self._notation))
        if limits:
            below = f'<p class="wf-limits" id="{escape_text(field.id)}-limits">{limits}</p>'
        given = _description(field, limits)
        if setting.key == self._focused:
            given["autofocus"] = ""
        return f"{self._framed(field, given)}{below}"

    def _framed(self, field: BoundField, given: dict[str, str]) -> str:
        """Return a control with what stands around it.

        :param given: its attributes.
        """
        texts, label = self._texts, field.setting.label
        if field.setting.secret:
            is_open = " open" if field.errors else ""
            verb = texts["replace" if field.is_set else "set"]
            close, typed = texts["close"], texts["typed"]
            hidden = f'<span class="wf-hidden"> {escape_text(label)}</span>'
            return (
                f'{self._is_set(field)}<p class="wf-typed">{typed}</p><details class="wf-replace"'
                f'{is_open}><summary class="wf-button"><span class="wf-verb">{verb}</span>'
                f'<span class="wf-close">{close}</span>{hidden}</summary>'
                f"{render_control(field, given)}</details>"
            )
        if field.is_group:
            css, inputs = _inputs(field, given)
            if isinstance(field, MultipleChoiceField) and len(field.options()) >= MANY:
                # The script shows the filter, and uses it. A screen reader hears what it writes.
                css, name = f"{css} wf-many", texts["filter"]
                find = {"type": "search", "placeholder": name, "aria-label": name, "hidden": True}
                found = {"class": "wf-reason", "role": "status", "data-none": texts["nothing"]}
                inputs = f"<input{attributes(find)}><p{attributes(found)}></p>{inputs}"
            return (
                f'<fieldset class="{css}"{attributes(given)}>'
                f'<legend class="wf-hidden">{escape_text(label)}</legend>{inputs}</fieldset>'
            )
        if field.is_switch:
            on_off = f'data-on="{texts["on"]}" data-off="{texts["off"]}"'
            control = render_control(field, {"role": "switch", **given})
            return f'<span class="wf-onoff" {on_off}>{control}</span>'
        return render_control(field, given)

    def _value(self, field: BoundField, reason: str) -> str:
        """Return a value that can't be edited, and why not."""
        setting = field.setting
        if setting.secret:
            html = self._is_set(field)
        else:
            text = field.value_text
            focus = ' tabindex="0"' if len(text) > LONG or "\n" in text else ""
            empty = f'<span class="wf-empty">{self._texts["empty"]}</span>'
            unit = f" {escape_text(setting.unit)}" if setting.unit else ""
            html = (
                f'<p class="wf-shown" id="{escape_text(field.id)}"{focus}>'
                f"{escape_text(text) or empty}{unit}</p>"
            )
        return f'{html}<p class="wf-reason">{escape_text(reason)}</p>' if reason else html

    def _is_set(self, field: BoundField) -> str:
        """Return whether a secret has a value."""
        if field.is_set:
            return f'<p class="wf-set">{self._texts["is_set"]}</p>'
        return f'<p class="wf-set wf-empty">{self._texts["not_set"]}</p>'


def _inputs(field: BoundField, described: dict[str, str]) -> tuple[str, str]:
    """Return the CSS class and the HTML of several inputs."""
    if not isinstance(field, ChoiceField):
        return "wf-choices", render_control(field, described)
    is_row = field.control == "radio" and field.is_short
    return "wf-segments" if is_row else "wf-choices", field.labelled_inputs()


def _description(field: BoundField, limits: str) -> dict[str, str]:
    """Return the attributes that say which texts of the row describe the control."""
    texts = f"{field.id}-help" if field.setting.help else ""
    if limits:
        texts += f" {field.id}-limits"
    if field.errors:
        return {"aria-describedby": f"{texts} {field.id}-errors".lstrip(), "aria-invalid": "true"}
    return {"aria-describedby": texts.lstrip()} if texts else {}
