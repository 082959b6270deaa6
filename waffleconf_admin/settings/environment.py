"""Environment: the value that an environment variable gives a setting."""

from __future__ import annotations

import dataclasses

from ..i18n import gettext, mark

SET_BY = mark("Set by the environment variable %(name)s. It can't be changed here.")


@dataclasses.dataclass(frozen=True, repr=False, eq=False, slots=True)
class EnvironmentValue:
    """What an environment variable gives a setting. It is in force while the process runs."""

    variable: str
    value: object

    def __repr__(self) -> str:
        return f"<EnvironmentValue of {self.variable}>"  # the value may be a secret

    @property
    def reason(self) -> str:
        """Why nobody can change the setting."""
        return gettext(SET_BY, name=self.variable)
