"""Explain: ``flask waffle explain``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import click
from flask import current_app

from ..admin import WaffleAdmin
from ..settings import value_types
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.change import Change
from ..state.state import State
from .group import waffle
from .options import examples
from .output import (
    brief,
    choices_of,
    current_state,
    find,
    print_columns,
    printable,
    problem_of,
    when,
)


class _Explained(NamedTuple):
    """A setting, with all that is known of it."""

    state: State
    setting: Setting
    record: Record
    change: Change | None  #: the last one
    moved: Change | None  #: of its default, if a deployment has moved that


@waffle.command("explain", epilog=examples("explain SITENAME"))
@click.argument("key")
def explain(key: str) -> None:
    """Show where the value of the setting KEY comes from.

    A value comes from the first layer that has one. Also shows who changed it
    last, what is declared, and who may change it on which page. Of a secret it
    says only whether it is set.
    """
    state = current_state()
    setting = find(state, key)
    key = setting.key  # it may have been a former name
    record = state.read([key])[key]
    change = state.history.latest([key]).get(key) if state.history else None
    moved = state.deployments.find_moved().get(key) if state.deployments else None
    explained = _Explained(state, setting, record, change, moved)
    rows = [
        (title if number == 0 else "", text)
        for title, lines in _PARTS.items()
        for number, text in enumerate(lines(explained))
    ]
    print_columns(rows)


def _setting(at: _Explained) -> Iterator[str]:
    yield f"{at.setting.key}: {printable(str(at.setting.label))}"


def _value(at: _Explained) -> Iterator[str]:
    yield f"{brief(at.setting, at.record.value)} ({at.record.layer})"
    if problem := problem_of(at.record):
        yield printable(problem)


def _layers(at: _Explained) -> Iterator[str]:
    width = max(len(name) for name, (_, origin) in _LAYERS.items() if origin(at))
    for name, (text, origin) in _LAYERS.items():
        if found := origin(at):
            yield f"{name:{width}}  {text(at) or '-'}  ({found})"


def _overriding(at: _Explained) -> str | None:
    return brief(at.setting, at.record.value) if _override(at) else None


def _override(at: _Explained) -> str:
    return "override_conf" if at.record.layer == "override" else ""


def _in_environment(at: _Explained) -> str | None:
    held = at.setting.environment
    return None if held is None else brief(at.setting, held.value)


def _variable(at: _Explained) -> str:
    prefix = current_app.config["WAFFLE_ENV_PREFIX"]
    if prefix is None:
        return ""
    return f"{prefix}{at.setting.key}" + ("" if at.setting.environment else " is not set")


def _in_database(at: _Explained) -> str | None:
    stored = at.record.stored
    if stored.text is None:
        return None
    if stored.layer == "database":
        return brief(at.setting, stored.value)
    # Where another layer has the value, nothing else says why.
    why = f": {stored.problem()}" if stored.problem and stored is not at.record else ""
    return printable(f"can't be used{why}")


def _last_change(at: _Explained) -> str:
    if at.change is None:
        return "no change in the history" if at.state.history else "no history is kept"
    actor = printable(at.change.actor) or "nobody named"
    note = f": {printable(at.change.note)}" if at.change.note else ""
    return f"{at.change.source}, {actor}, {when(at.change.at)}{note}"


def _default(at: _Explained) -> str:
    return brief(at.setting, at.setting.default)


def _default_origin(at: _Explained) -> str:
    if at.moved is None:
        return "code"
    name = printable(at.moved.note) or when(at.moved.at)
    return f"code; {brief(at.setting, at.moved.old)} before {name}"


#: Where a value may come from, the strongest first: its text, None where the layer has none; and
#: who has put it there, "" if the app does not use the layer.
_LAYERS: dict[str, tuple[Callable[[_Explained], str | None], Callable[[_Explained], str]]] = {
    "override": (_overriding, _override),
    "environment": (_in_environment, _variable),
    "database": (_in_database, _last_change),
    "default": (_default, _default_origin),
}


_ATTRIBUTES = (
    "optional",
    "secret",
    "readonly",
    "confirm",
    "multiline",
    "validators",
    "field",
    "convert",
)
RESTART = "restart: takes effect when the processes are restarted"


def _declaration(at: _Explained) -> Iterator[str]:
    setting = at.setting
    yield f"{setting.value_type.__name__}: {value_types.noun(setting.value_type)}"
    limits = {"at least": setting.min, "at most": setting.max}
    texts = [f"{name} {limit}" for name, limit in limits.items() if limit is not None]
    yield from [", ".join(texts)] if texts else []
    yield from [choices_of(setting).strip()] if choices_of(setting) else []
    given = [name for name in _ATTRIBUTES if getattr(setting, name)]
    yield from [", ".join(given)] if given else []
    yield from [RESTART] if setting.restart else []
    yield from [f"group {setting.group}"] if setting.group else []
    yield from [f"was {', '.join(setting.was)}"] if setting.was else []


def _needs(at: _Explained) -> Iterator[str]:
    """What the setting needs to have an effect, and what needs it."""
    settings = at.state.settings
    records = at.state.read({need.key for need in at.setting.needs})
    for need in at.setting.needs:
        other = settings[need.key]
        wanted = f" = {brief(other, need.value)}" if need.is_exact else ""
        met = need.is_met(records[need.key].value)
        now = "" if met else f": has no effect now ({brief(other, records[need.key].value)})"
        yield f"{need.key}{wanted}{now}"
    for key, setting in settings.items():
        if any(need.key == at.setting.key for need in setting.needs):
            yield f"needed by {key}"


def _permissions(at: _Explained) -> Iterator[str]:
    """What each page asks; the command line asks nobody."""
    actions = '"view", "history"' if at.setting.readonly else '"view", "edit", "history"'
    for blueprint in current_app.blueprints.values():
        if isinstance(blueprint, WaffleAdmin):
            options = blueprint.options
            can = options.can or current_app.config["WAFFLE_CAN"]
            if options.groups is not None and at.setting.group not in options.groups:
                asked = "does not show it"
            elif can is None:
                asked = "nobody is asked: debug mode and tests only"
            else:
                name = getattr(can, "__qualname__", type(can).__qualname__)
                asked = f"{getattr(can, '__module__', '')}.{name} is asked for {actions}"
            yield f"page {options.name}: {asked}"
    yield "command line: nobody is asked"


#: What is explained, in this order.
_PARTS: dict[str, Callable[[_Explained], Iterator[str]]] = {
    "setting": _setting,
    "value": _value,
    "layers": _layers,
    "declaration": _declaration,
    "needs": _needs,
    "permissions": _permissions,
}
