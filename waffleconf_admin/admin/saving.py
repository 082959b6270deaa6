"""Saving: writes what a form changes; where that fails, the form shows why."""

from __future__ import annotations

from collections.abc import Mapping

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..forms import SettingsForm
from ..settings.equality import same
from ..settings.setting import Setting
from ..state.save import Saved
from ..state.state import State
from ..state.task import RESET, Origin
from .problems import explain_failure


def save_form(state: State, form: SettingsForm, origin: Origin) -> tuple[int, Saved]:
    """Save what a validated form changes, or add to the form why not.

    A setting that somebody else has just given the wanted value counts as saved: most likely a
    second click on Save, while another worker handles the first.

    :returns: the status of the response, 303 if all is saved; and what was written.
    """
    wanted = {key: RESET if form.is_reset(key) else value for key, value in form.changes.items()}
    expected = form.expected
    agreed: dict[str, object] = {}
    try:
        while True:
            try:
                saved = state.save(_without(wanted, agreed), _without(expected, agreed), origin)
            except ConflictError as error:
                found = _agreed(state, form, wanted, error.keys)
                if not found:
                    form.add_conflicts(error.keys, state.read(error.keys))
                    return 422, Saved()
                agreed |= found
            else:
                saved.update(agreed)
                return 303, saved
    except InvalidValue as error:
        form.form_errors += [] if error.errors else [str(error)]
        form.add_errors(error.errors)
        return 422, Saved()
    except StoreError:
        form.form_errors.append(explain_failure())
        form.add_errors({})  # marks secrets, which have to be typed again
        return 503, Saved()


def _agreed(
    state: State, form: SettingsForm, wanted: Mapping[str, object], keys: tuple[str, ...]
) -> dict[str, object]:
    """The stored values, by key, that are the wanted ones already."""
    return {
        key: record.value
        for key, record in state.read(keys).items()
        if same(record.value, _wanted_value(form[key].setting, wanted[key]))
        # The response never reveals whether a guess of a secret was right.
        and not form[key].setting.secret
    }


def _wanted_value(setting: Setting, wanted: object) -> object:
    return setting.default if wanted is RESET else wanted


def _without(values: Mapping[str, object], keys: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in values.items() if key not in keys}
