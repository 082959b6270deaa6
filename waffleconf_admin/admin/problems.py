"""Problems: why nothing was saved of what a review displayed, in sentences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..exceptions import InvalidValue
from ..forms.form import ELSEWHERE
from ..i18n import gettext as _
from ..i18n import ngettext
from ..settings.setting import Setting
from .messages import shorten_label
from .texts import shorten

#: Problems that are displayed at once, and characters of a key in them.
MOST, KEY_LENGTH = 100, 60


def saved_meanwhile(settings: Iterable[Setting]) -> list[str]:
    """Return what to say of settings that were saved since they were ticked."""
    return [
        _(
            "%(label)s was saved by somebody else meanwhile. Check it, and tick it again.",
            label=shorten_label(setting.label),
        )
        for setting in settings
    ]


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
