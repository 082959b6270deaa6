"""Problems: what pages say, and log, where something can't be read or was not saved."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from ..exceptions import ConflictError, InvalidValue, NotReadyError, StoreError, WaffleError
from ..forms.form import ELSEWHERE
from ..i18n import gettext as _
from ..i18n import ngettext
from ..settings.setting import Setting
from .messages import shorten_label
from .texts import shorten

log = logging.getLogger(__name__)

#: Problems that are displayed at once, and characters of a key in them.
MOST, KEY_LENGTH = 100, 60


def log_unreadable(what: str, error: StoreError) -> None:
    """Log that something can't be read: with a traceback, unless a table is merely missing.

    :param what: such as "history".
    """
    # A NotReadyError says itself what to do, and each request would log it.
    exc_info = None if isinstance(error, NotReadyError) else error
    log.error("the %s can't be read: %s", what, error, exc_info=exc_info)


def explain_failure() -> str:
    """Log why a save has failed, within an `except`, and return what the page says of it."""
    log.exception("the settings can't be saved")
    return _("Saving does not work at the moment. Please try again soon.")


def why_not_saved(
    error: WaffleError, settings: Mapping[str, Setting], viewable: Iterable[Setting]
) -> tuple[list[str], int]:
    """Return what a review says of an error that a save has raised, and the status of its response.

    To be called within an `except`.

    :param settings: all that are declared.
    :param viewable: those that the user may see.
    """
    if isinstance(error, ConflictError):
        return [_was_saved_meanwhile(settings[key]) for key in error.keys], 409
    if isinstance(error, InvalidValue):
        return not_allowed(error, viewable), 422
    return [explain_failure()], 503


def _was_saved_meanwhile(setting: Setting) -> str:
    return _(
        "%(label)s was saved by somebody else meanwhile. Check it, and tick it again.",
        label=shorten_label(setting.label),
    )


def not_allowed(error: InvalidValue, viewable: Iterable[Setting]) -> list[str]:
    """Return what a rule says; settings that the user may not see are not named."""
    if not error.errors:
        return [str(error)]
    keys = {setting.key for setting in viewable}
    found = {key: text for key, text in error.errors.items() if key in keys}
    elsewhere = [_(ELSEWHERE)] if len(found) < len(error.errors) else []
    return [*by_key(found), *elsewhere]


def by_key(problems: Mapping[str, str]) -> Iterator[str]:
    """Yield a sentence for each setting, with its key."""
    for key in list(problems)[:MOST]:
        yield f"{shorten(key, KEY_LENGTH)}: {problems[key]}"
    if (more := len(problems) - MOST) > 0:
        yield ngettext("%(count)s more.", "%(count)s more.", more)
