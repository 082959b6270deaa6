"""How people write lengths of time and sizes of files: "1 h 30 min", "10 MB"."""

from __future__ import annotations

import re
from datetime import timedelta
from fractions import Fraction

from ..i18n import gettext

_NUMBER = r"[0-9]{1,30}(?:\.[0-9]{1,30})?"

_SIZES: dict[str, int] = {
    "B": 1,
    **{prefix + "B": 1000**power for power, prefix in enumerate(("k", "M", "G", "T", "P"), 1)},
    **{prefix + "iB": 1024**power for power, prefix in enumerate(("K", "M", "G", "T", "P"), 1)},
}
_SIZE = re.compile(r"(-?)([0-9]{1,1000}(?:\.[0-9]{1,30})?)\s*+([a-z]*+)", re.I)
_BYTES = {"": 1, "bytes": 1, "byte": 1} | {unit.lower(): size for unit, size in _SIZES.items()}

#: Microseconds by unit. A text is written with the first of several names.
_TIMES: dict[str, int] = {
    "d": 86_400_000_000,
    "h": 3_600_000_000,
    "min": 60_000_000,
    "s": 1_000_000,
    "w": 7 * 86_400_000_000,
    "m": 60_000_000,
    "ms": 1000,
    "µs": 1,
    "us": 1,
}
_WORDS = {"week": "w", "day": "d", "hour": "h", "minute": "min", "second": "s", "sec": "s"}
_TIMES |= {word + s: _TIMES[unit] for word, unit in _WORDS.items() for s in ("", "s")}
_PART = re.compile(rf"({_NUMBER})\s*+([a-zµ]++)[\s,]*+", re.I)
_ISO = re.compile(
    r"([+-]?)P(?=.)(?:(N)W)?(?:(N)D)?(?:T(?=.)(?:(N)H)?(?:(N)M)?(?:(N)S)?)?".replace("N", _NUMBER),
    re.I,
)
_ISO_UNITS = ("w", "d", "h", "min", "s")


def size_text(size: int) -> str:
    """Return a number of bytes with the unit that makes it shortest, and nothing rounded."""
    texts = [f"{size} B"]
    for unit, factor in _SIZES.items():
        thousandths, rest = divmod(abs(size) * 1000, factor)
        if not rest and thousandths >= 1000:
            number = f"{thousandths // 1000}.{thousandths % 1000:03}".rstrip("0").rstrip(".")
            texts.append(f"{'-' if size < 0 else ''}{number} {unit}")
    return min(reversed(texts), key=len)


def parse_size(text: str, *, example: str = "1.5 GB") -> int:
    """Return the number of bytes of a text such as ``10 MB``; no unit means bytes.

    :param example: a size with decimals, as the reader writes it, for the message.
    :raises ValueError: it is none; the message says what to write.
    """
    found = _SIZE.fullmatch(text.strip())
    if not found or found[3].lower() not in _BYTES:
        raise ValueError(gettext("Enter a size, such as 10 MB, %(size)s or 512 KiB.", size=example))
    size = Fraction(found[2]) * _BYTES[found[3].lower()]
    if size.denominator != 1:
        raise ValueError(gettext("This is not a whole number of bytes."))
    return -int(size) if found[1] else int(size)


def duration_text(length: timedelta) -> str:
    """Return a length of time in days, hours, minutes and seconds, and nothing rounded."""
    left = abs(length) // timedelta(microseconds=1)
    sign = "-" if length < timedelta() else ""
    parts = []
    for unit in ("d", "h", "min"):
        count, left = divmod(left, _TIMES[unit])
        if count:
            parts.append(f"{count} {unit}")
    if left or not parts:
        parts.append(f"{left // 10**6}.{left % 10**6:06}".rstrip("0").rstrip(".") + " s")
    return sign + " ".join(parts)


def parse_duration(text: str) -> timedelta:
    """Return the length of time of a text such as ``1 h 30 min``, or of ISO 8601's ``PT1H30M``.

    :raises ValueError: it is none; the message says what to write.
    """
    text = text.strip()
    sign = text[:1] if text[:1] in ("-", "+") else ""
    if iso := _ISO.fullmatch(text):
        amounts = [(n, unit) for n, unit in zip(iso.groups()[1:], _ISO_UNITS, strict=True) if n]
    else:
        rest = text[len(sign) :].lstrip()
        amounts = [(number, unit.lower()) for number, unit in _PART.findall(rest)]
        if not amounts or _PART.sub("", rest) or any(unit not in _TIMES for _, unit in amounts):
            raise ValueError(gettext("Enter a length of time, such as 1 h 30 min."))
    total = sum(Fraction(number) * _TIMES[unit] for number, unit in amounts)
    if total.denominator != 1:
        raise ValueError(gettext("This is finer than a millionth of a second."))
    try:
        return timedelta(microseconds=-int(total) if sign == "-" else int(total))
    except OverflowError:
        raise ValueError(gettext("This length of time is too large.")) from None
