"""Settings: GET, PATCH and DELETE of one setting, GET and PATCH of all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypedDict

from flask import Response, request

from ..exceptions import InvalidValue, WaffleError
from ..forms import check_values
from ..i18n import gettext
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.save import Saved
from ..state.task import RESET, Origin
from . import body
from .answer import (
    is_conditional,
    json_response,
    make_etag,
    precondition_holds,
    response_with_etag,
)
from .call import NO_SETTING, Call
from .facts import all_facts, secret_versions, setting_facts, why_not_editable
from .problem import Problem, problem_of_save


class ChangeBody(TypedDict, total=False):
    """What each body of a change may have."""

    note: str | None
    until: str | None


class ChangeOfAll(ChangeBody, total=False):
    """The body of a change of several settings."""

    settings: dict[str, object]
    reset: list[str]


class ChangeOfOne(ChangeBody):
    """The body of a change of one setting."""

    value: object


ALL_MEMBERS = {
    "settings": body.OBJECT,
    "reset": body.TEXTS,
    "note": body.NOTE,
    "until": body.UNTIL,
}
ONE_MEMBERS = {"value": body.ANYTHING, "note": body.NOTE, "until": body.UNTIL}

#: Of the address of a DELETE.
PARAMETERS = ("note",)


# Reading


def get_all(call: Call) -> Response:
    """Return all settings."""
    return _get(call, None)


def get_one(call: Call, key: str) -> Response:
    """Return one setting."""
    return _get(call, call.find(key))


def _get(call: Call, setting: Setting | None) -> Response:
    records = call.state.read(_keys(call, setting))
    return response_with_etag(*_representation(call, setting, records))


def _keys(call: Call, setting: Setting | None) -> list[str]:
    return [s.key for s in ([setting] if setting else call.permissions.viewable)]


def _representation(
    call: Call, setting: Setting | None, records: Mapping[str, Record]
) -> tuple[object, Mapping[str, int]]:
    """The facts of one setting, or of all, and the versions of the secrets among them."""
    history, permissions = call.state.history, call.permissions
    if setting:
        facts: object = setting_facts(call.file_values, permissions, setting, records[setting.key])
        return facts, secret_versions(history, [setting])
    facts = {"settings": all_facts(call.file_values, permissions, permissions.viewable, records)}
    return facts, secret_versions(history, permissions.viewable)


# Changing


def patch_all(call: Call) -> Response:
    """Change settings and reset others, all or nothing."""
    sent = body.read_body(ChangeOfAll, ALL_MEMBERS)
    names = call.state.names
    values = names.by_key(sent.get("settings", {}))
    resets = names.by_key(dict.fromkeys(sent.get("reset", [])))
    if values.keys() & resets.keys():
        raise Problem(422, 'A setting is in "settings" and in "reset": take it out of one.')
    wanted = _load(call, values, resets)
    return _save(call, None, wanted, _origin(call, sent))


def patch_one(call: Call, key: str) -> Response:
    """Change one setting."""
    setting = call.find(key)
    sent = body.read_body(ChangeOfOne, ONE_MEMBERS)
    return _save(call, setting, _load(call, {setting.key: sent["value"]}, ()), _origin(call, sent))


def delete_one(call: Call, key: str) -> Response:
    """Reset one setting: its default holds again."""
    setting = call.find(key)
    note = request.args.get("note", "")
    if not body.NOTE.fits(note):
        raise Problem(422, f"note must be {body.NOTE.what}.")
    return _save(call, setting, _load(call, {}, [setting.key]), call.origin(note))


def _origin(call: Call, sent: ChangeBody) -> Origin:
    until = sent.get("until")
    return call.origin(sent.get("note"))._replace(until=body.read_time(until))


def _load(call: Call, values: Mapping[str, object], resets: Iterable[str]) -> dict[str, object]:
    """The values to save by key; all that is wrong is named."""
    viewable = {setting.key: setting for setting in call.permissions.viewable}
    file_values = call.file_values
    errors: dict[str, str] = {}
    wanted: dict[str, object] = {}
    forbidden = False
    for key, written in {**values, **dict.fromkeys(resets, RESET)}.items():
        setting = viewable.get(key)
        if setting is None:
            errors[key] = gettext(NO_SETTING)
        elif setting.readonly or not call.permissions.may_edit(setting):
            errors[key], forbidden = why_not_editable(call.permissions, setting), True
        elif written is RESET:
            wanted[key] = RESET
        else:
            try:
                wanted[key] = file_values.load(key, written)
            except InvalidValue as error:
                errors |= error.errors
    if errors:
        # A save would find these too, but is not begun.
        values_now = call.state.app.config
        errors |= check_values(call.state.settings, _without_resets(wanted), values_now)
        raise Problem(403 if forbidden else 422, "Nothing was saved.", errors)
    return wanted


def _without_resets(wanted: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in wanted.items() if value is not RESET}


def _save(
    call: Call, setting: Setting | None, wanted: Mapping[str, object], origin: Origin
) -> Response:
    """Save, if the preconditions hold, and return what was written.

    :param setting: which the address names; None: all.
    """
    state = call.state
    # What the client knows: the save compares it with what the database holds.
    expected = _expected(call, setting, wanted) if is_conditional() else {}
    try:
        saved = state.save(wanted, expected, origin)
    except WaffleError as error:
        visible = {s.key for s in call.permissions.viewable}
        raise problem_of_save(error, visible, status_of_conflict=412) from error
    records = state.read(wanted)
    response = json_response(saved_facts(call, saved, records))
    if setting and not (setting.secret and state.history is None):
        response.set_etag(make_etag(*_representation(call, setting, records)))
    return response


def _expected(
    call: Call, setting: Setting | None, wanted: Mapping[str, object]
) -> Mapping[str, Record]:
    """The records of what the address names, if the client knows them.

    :raises Problem: it does not.
    """
    # The records first: a secret that is written after this has another text then.
    records = call.state.read(_keys(call, setting))
    facts, versions = _representation(call, setting, records)
    settings = call.state.settings
    hidden = any(settings[key].secret and key not in versions for key in wanted)
    if not precondition_holds(None if hidden else make_etag(facts, versions)):
        why = " ETags cover secrets only where a history is kept." if hidden else ""
        raise Problem(412, f"This is not the current state: read it again.{why}")
    return records


def saved_facts(call: Call, saved: Saved, records: Mapping[str, Record]) -> dict[str, object]:
    """Return what a change has written, and how the settings that it is about are now."""
    settings = [setting for setting in call.permissions.viewable if setting.key in records]
    return {
        "change_set": saved.change_set,
        "written": [key for key in records if key in saved],
        "settings": all_facts(call.file_values, call.permissions, settings, records),
    }
