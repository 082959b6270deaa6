"""Records: those of many settings, in little memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..settings.record import Record


class Records(Mapping[str, Record]):
    """Records by key.

    Most rows have a text, the value that it stands for, and nothing else to say. For these no
    record is held; it is made when it is asked for.

    :param texts: the stored text of each setting; None: it has no row.
    :param served: the value of each that is served.
    :param others: the records with more in them than these two.
    """

    __slots__ = ("others", "served", "texts")

    def __init__(
        self,
        texts: Mapping[str, str | None],
        served: dict[str, object],
        others: Mapping[str, Record],
    ) -> None:
        self.texts = texts
        self.served = served
        self.others = others

    @classmethod
    def holding(cls, records: Mapping[str, Record]) -> Records:
        """Return these records, each held as it is."""
        texts = {key: record.text for key, record in records.items()}
        return cls(texts, {key: record.value for key, record in records.items()}, records)

    def __getitem__(self, key: str) -> Record:
        if key in self.others:
            return self.others[key]
        text = self.texts[key]
        return Record(text, self.served[key], "default" if text is None else "stored")

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        return f"<Records of {len(self)} settings>"  # values may be secrets

    def stored_value(self, key: str) -> object:
        """Return the value of what the database holds, whatever has the value that is served."""
        other = self.others.get(key)
        return self.served[key] if other is None else other.stored.value

    def only(self, keys: Iterable[str]) -> Records:
        """Return the records of these keys, in this order; of those that there are."""
        texts = {key: self.texts[key] for key in keys if key in self.texts}
        others = {key: other for key, other in self.others.items() if key in texts}
        return Records(texts, {key: self.served[key] for key in texts}, others)

    def updated(self, fresh: Records) -> Records:
        """Return the same with other records in place of some, or added."""
        others = {key: other for key, other in self.others.items() if key not in fresh.texts}
        return Records(
            {**self.texts, **fresh.texts},
            {**self.served, **fresh.served},
            {**others, **fresh.others},
        )
