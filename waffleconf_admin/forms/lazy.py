"""Fields: those of a form, each made when somebody asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


class Fields(Mapping[str, Any]):
    """The fields of a form by key, each made when somebody asks for it."""

    def __init__(self, keys: Iterable[str], make: Callable[[str], Any]) -> None:
        self._keys = dict.fromkeys(keys)
        self._make = make
        self.made: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        field = self.made.get(key)
        if field is None:
            if key not in self._keys:
                raise KeyError(key)
            field = self.made[key] = self._make(key)
        return field

    def __contains__(self, key: object) -> bool:
        return key in self._keys

    def __iter__(self) -> Iterator[str]:
        return iter(self._keys)

    def __len__(self) -> int:
        return len(self._keys)
