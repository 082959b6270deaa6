"""JSON that somebody wrote to do harm."""

from __future__ import annotations

import enum
from collections.abc import Iterator

from hostile import finish, read_all
from hostile_pickles import PRIME, chained

LENGTH = 2**20  #: of most texts that are tried


class Bits(enum.IntFlag):
    ONE = 1


def repeated(item: str, start: str = "[", end: str = "]") -> str:
    """As many items as a text may have."""
    count = (LENGTH - len(start) - len(end)) // (len(item) + 1)
    return start + ",".join([item] * count) + end


def payloads() -> Iterator[tuple[str, str]]:
    """Yield what is tried, and the text; made one at a time, for they are large."""
    yield "lists without end", "[" * LENGTH
    yield "objects without end", '{"":' * (LENGTH // 4)
    yield "10**7 digits", "1" * 10**7
    yield "10**7 digits, negative, in a list", f"[-{'1' * 10**7}]"
    yield "10**7 digits in a tag", f'{{"$int": "{"1" * 10**7}"}}'
    yield "many numbers of 4301 digits", repeated("1" * 4301)
    yield (
        "digits in runs that are nearly too long, and one that is",
        (f'["{("9" * 4300 + "a") * 3000}", {"1" * 4301}]'),
    )
    for what, item in {
        "lists": "[]",
        "objects": "{}",
        "objects with a key": '{"":0}',
        "texts": '"a"',
        "numbers": "0",
        "floats": ".5".rjust(3, "0"),
        "escapes": '"\\u00e9"',
        "tuples": '{"$tuple":[]}',
        "sets": '{"$set":[]}',
        "deques": '{"$deque":[[],null]}',
        "defaultdicts": '{"$defaultdict":[null,{}]}',
        "time zones": '{"$ZoneInfo":"a/b"}',
        "Decimals": '{"$Decimal":"1"}',
        "long Decimals": f'{{"$Decimal":"{"9" * 4300}"}}',
        "Fractions of long numbers": f'{{"$Fraction":"{"9" * 4299}7/{"9" * 4300}"}}',
        "paths": '{"$PurePosixPath":"a"}',
        "addresses": '{"$IPv6Address":"::"}',
        "unknown tags": '{"$a":0}',
    }.items():
        yield f"many {what}", repeated(item)
    yield "a long path", f'{{"$PurePosixPath": "{"a/" * (LENGTH // 2 - 20)}", "b": NaN}}'
    yield "a long name of a time zone", f'{{"$ZoneInfo": "{"a" * 10**7}"}}'
    yield "a long date", f'{{"$date": "{"1" * 10**7}"}}'
    yield "a long UUID", f'{{"$UUID": "{"1" * 10**7}"}}'
    yield "a long float", f'{{"$float": "{"1" * 10**7}"}}'
    yield "a long address", f'{{"$IPv6Address": "{":" * 10**7}"}}'
    yield "a long name of a class", f'{{"$Enum": ["{"a" * 10**7}", "b", "c"]}}'
    yield "a class with many dots", f'{{"$Enum": ["sys", "{"a." * 10**6}b", "c"]}}'
    yield (
        "keys with one hash",
        ('{"$set": [' + ",".join(f'{{"$int":"{PRIME * k}"}}' for k in range(1, 100_000)) + "]}"),
    )
    yield (
        "keys in tuples with one hash",
        (
            '{"$dict": ['
            + ",".join(f'[{{"$tuple":[{{"$int":"{PRIME * k}"}}]}},0]' for k in range(1, 50_000))
            + "]}"
        ),
    )
    yield (
        "keys that are looked for in the places of all others",
        ('{"$set": [' + ",".join(map(str, chained(2**21)[: 10**6])) + "]}"),
    )
    yield "a key of many items", f'{{"$set": [{{"$tuple": [{",".join("1" * 10**6)}]}}]}}'
    yield "a tuple deep as a key", ('{"$set": [' + '{"$tuple":[' * 200 + "]}" * 200 + "]}")
    yield (
        "new flags without end",
        (
            "["
            + ",".join(f'{{"$Enum":["{__name__}","Bits",[{2 * k}]]}}' for k in range(100_000))
            + "]"
        ),
    )
    yield "the same key again and again, and no end", '{"a":' + '0,"a":' * (LENGTH // 7)


def main() -> None:
    """Read them all, and look for what they may have changed."""
    failures = read_all(payloads(), [Bits])
    if len(Bits._value2member_map_) > 20_000:
        failures.append("flags are left behind")
    finish(failures)
