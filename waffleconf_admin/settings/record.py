"""Record: one setting as it stands in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .setting import Served


class Record(NamedTuple):
    """One setting as it stands in the database."""

    text: str | None  #: the stored text; None: there is no row
    value: object  #: what is served
    served: Served = "stored"  #: which that is
    problem: Callable[[], str] | None = None  #: returns what is wrong with the row, translated
    decrypted: str | None = None  #: what an encrypted text holds; None: it is not encrypted
    #: Where the environment or an override has the value: the record that waits behind it.
    behind: Record | None = None

    @property
    def clear_text(self) -> str | None:
        """The stored text, decrypted; the same after a rotation of the keys."""
        return self.text if self.decrypted is None else self.decrypted

    @property
    def stored(self) -> Record:
        """The record of what the database holds, whatever has the value."""
        return self if self.behind is None else self.behind.stored

    @property
    def layer(self) -> str:
        """Where the value comes from: "override", "environment", "database" or "default"."""
        if self.behind is not None:
            return self.served
        return "default" if self.text is None or self.served == "default" else "database"

    def overlaid(self, value: object, served: Served) -> Record:
        """Return the record of the setting where a layer above this one has the value.

        :param value: one that no other record has.
        """
        return self._replace(value=value, served=served, problem=None, behind=self)

    def __repr__(self) -> str:
        return f"<Record: {self.served}>"  # the value may be a secret
