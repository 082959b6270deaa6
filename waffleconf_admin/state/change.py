"""Change: one change of one setting, as the history has it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..exceptions import InvalidValue
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from ..store import HistoryRow
from ..store.history_rows import DEPLOY
from .codec import Codec
from .task import RESET


@dataclass(frozen=True)
class Change:
    """One change of one setting."""

    id: int  #: in the order of the changes
    change_set: str  #: the same for all changes of one save
    key: str
    #: None for a secret, where there was no row, and where it can't be read any more. What was
    #: stored of another type than is declared now is converted where nothing is lost by it.
    old: object
    new: object  #: as `old`; None: the default holds
    actor: str  #: "" where none was given
    at: datetime  #: aware, in UTC
    note: str
    #: "page", "code", "cli", "import", "api", "undo", "restore", "end";
    #: "deploy": see `notes_default`
    source: str
    secret: bool  #: whether all that is known is that there was a change, and no value
    setting: Setting | None = field(repr=False)  #: None: it is no longer declared
    old_text: str | None = field(repr=False)  #: as stored; None: no row, the default held
    new_text: str | None = field(repr=False)
    problem: str = ""  #: why `old` or `new` can't be read
    ends_at: datetime | None = None  #: when it goes back; aware, in UTC; None: it has no end
    ended_at: datetime | None = None  #: when that was settled; None: it is still to come
    outcome: str = ""  #: what has become of it: "back", "kept", "changed" or "refused"
    remark: str = ""  #: who keeps it, or why it was refused

    @property
    def notes_default(self) -> bool:
        """Whether `old` and `new` are declared defaults, noted by a deployment; no value was
        changed.
        """
        return self.source == DEPLOY


def values_before(changes: Iterable[Change]) -> dict[str, object]:
    """Return what takes changes of different settings back, by key: `RESET` where there was no row.

    :param changes: those that have no obstacle.
    """
    return {c.key: RESET if c.old_text is None else c.old for c in changes}


def explains(latest: Change | None, setting: Setting, record: Record) -> bool:
    """Whether the history says where the row of a setting comes from, if there is one.

    :param latest: the last change of the setting; None: there is none.
    :param record: as it is in the database.
    """
    if record.text is None:
        return True
    if latest is None:  # `parse_conf` stores defaults without a history
        return same(record.value, setting.default) and record.served == "stored"
    return latest.secret or same(latest.new, record.value)


def read_change(row: HistoryRow, settings: Mapping[str, Setting], codec: Codec) -> Change:
    """Return the change of a row of the history; without values where the setting is, or was, a
    secret.

    :param settings: all that are declared.
    :param codec: reads stored texts.
    """
    setting = settings.get(row.key)
    # A setting that is gone from the code may have been a secret.
    secret = setting is None or setting.secret or (row.old is None and row.new is None)
    visible = None if secret else setting
    old, old_problem = _read_value(visible, row.old, codec)
    new, new_problem = _read_value(visible, row.new, codec)
    return Change(
        id=row.id,
        change_set=row.change_set,
        key=row.key,
        old=old,
        new=new,
        actor=row.actor,
        at=row.at,
        note=row.note,
        source=row.source,
        secret=secret,
        setting=setting,
        old_text=None if secret else row.old,
        new_text=None if secret else row.new,
        problem=old_problem or new_problem,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        remark=row.remark,
    )


def _read_value(setting: Setting | None, text: str | None, codec: Codec) -> tuple[object, str]:
    """The value of a stored text, and why it can't be read; none without a setting."""
    if setting is None or text is None:
        return None, ""
    try:
        stored = codec.decode(text, setting.key)
    except InvalidValue as error:
        return None, str(error)
    value, served = setting.serve(stored)
    return (stored if served == "default" else value), ""
