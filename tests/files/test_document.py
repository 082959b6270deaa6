"""The text of a file: what is written, and what is refused."""

from __future__ import annotations

import json

import pytest

from waffleconf_admin import InvalidValue
from waffleconf_admin.files import format_of, most_bytes, read_document, write_document

NESTED = {"a": [1, 2.5, None, True, "x"], "é": {"b": {"c": []}}, "text": "one\ntwo\n"}


@pytest.mark.parametrize("name", ["json", "yaml"])
def test_what_is_written_is_read(name: str) -> None:
    assert read_document(write_document(NESTED, name).encode(), name) == NESTED


@pytest.mark.parametrize("name", ["json", "yaml"])
def test_a_file_that_is_too_long_for_short_lines_is_written_too(name: str) -> None:
    values = {"a": "x" * 2_000_000, "b": [1, 2]}
    text = write_document(values, name).encode()
    assert name == "yaml" or read_document(text, name) == values


def test_json_is_written_as_people_write_it() -> None:
    assert write_document({"HOURS": {"mon": [9, 17]}, "A": 1}) == (
        "{\n"
        '  "waffleconf": 1,\n'
        '  "settings": {\n'
        '    "HOURS": {"mon": [9, 17]},\n'
        '    "A": 1\n'
        "  }\n"
        "}\n"
    )


def test_yaml_is_written_as_people_write_it() -> None:
    values = {"A": "yes", "B": "2026-01-31", "C": "1e5", "D": "12", "T": "one\ntwo\n", "N": None}
    assert write_document(values, "yaml") == (
        "waffleconf: 1\nsettings:\n  A: 'yes'\n  B: '2026-01-31'\n  C: '1e5'\n  D: '12'\n"
        "  T: |\n    one\n    two\n  N: null\n...\n"
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("true", True),
        ("True", "True"),
        ("18:30", "18:30"),
        ("2026-01-31", "2026-01-31"),
        ("010", "010"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        ("-5", -5),
        ("1.10", 1.1),
        ("1.0e+22", 1e22),
        ("1.2.3", "1.2.3"),
        (".5", ".5"),
        ("", None),
        ("~", None),
        ("null", None),
        ("<<", "<<"),
        ("=", "="),
        ("'5'", "5"),
    ],
)
def test_yaml_without_quotes_is_read_as_json_would(text: str, value: object) -> None:
    found = read_document(f"waffleconf: 1\nsettings:\n  A: {text}\n".encode(), "yaml")
    assert found == {"A": value} and type(found["A"]) is type(value)


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.json", "json"), ("A.YAML", "yaml"), ("b/c.yml", "yaml"), ("-", "json"), ("x", "json")],
)
def test_the_name_of_a_file_tells_its_format(path: str, name: str) -> None:
    assert format_of(path) == name


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert read_document(b"\xef\xbb\xbf" + write_document({"A": 1}).encode()) == {"A": 1}


WHOLE = write_document(NESTED).encode()


@pytest.mark.parametrize("length", range(1, len(WHOLE) - 1, 7))
def test_half_a_pipe_is_refused(length: int) -> None:
    with pytest.raises(InvalidValue, match=r"Line|empty"):
        read_document(WHOLE[:length])


YAML = write_document(NESTED, "yaml").encode()


@pytest.mark.parametrize("length", [*range(1, len(YAML) - 4, 3), len(YAML) - 2])
def test_half_a_pipe_of_yaml_is_refused_though_it_may_be_yaml(length: int) -> None:
    with pytest.raises(InvalidValue, match=r"Line|empty|end is missing"):
        read_document(YAML[:length], "yaml", piped=True)
    assert read_document(YAML, "yaml", piped=True) == NESTED


def test_a_file_of_yaml_needs_no_end() -> None:
    assert read_document(b"waffleconf: 1\nsettings:\n  A: 1", "yaml") == {"A": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "This file is empty."),
        (b" \n\t", "This file is empty."),
        (b'{\n  "waffleconf": 1,,\n}', "Line 2, column 19: a name in double quotes is missing."),
        (b"[" * 100_000, "too many brackets"),
        (b'{"waffleconf": 1, "settings": {"A": 1, "A": 2}}', "“A” is there twice"),
        (b'{"waffleconf": 1, "settings": {"A": NaN}}', "NaN is not a number in JSON"),
        (b'{"waffleconf": 1, "settings": {"A": 1e999}}', "too large"),
        (b'{"waffleconf": 1, "settings": {"A": ' + b"9" * 5000 + b"}}", "too many digits"),
        (b'{"waffleconf": 1}', '"settings" there must be names with values'),
        (b'{"waffleconf": 1, "settings": []}', '"settings" there must be names with values'),
        (b'{"waffleconf": 2, "settings": {}}', "This file has version 2, and only version 1"),
        (b'{"waffleconf": true, "settings": {}}', "This file has version true"),
        (b'{"waffleconf": "1", "settings": {}}', 'This file has version "1"'),
        (b'{"settings": {}}', "This is no file of settings."),
        (b'{"SITENAME": "Bar"}', "This is no file of settings."),
        (b"[]", "This is no file of settings."),
        (b"5", "This is no file of settings."),
        (b'{"waffleconf": 1, "settings": {}, "SITENAME": 1}', "“SITENAME” is no part"),
        (b'{"waffleconf": 1,\n "\xff": {}}', "Line 2, column 3: this is not UTF-8"),
        ('{"waffleconf": 1}'.encode("utf-16"), "Line 1, column 1: this is not UTF-8"),
        (b"\0" * 100, "Line 1, column 1"),
        (b" " * (most_bytes("json") + 1), "This file is too large: JSON of at most 16 MB"),
    ],
)
def test_json_that_is_no_file_of_settings_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_document(content)
    assert message in str(caught.value) and len(str(caught.value)) < 300


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
    b"%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n" % (n + 1, n + 1, *[n] * 9)
    for n in range(97, 108)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# nothing\n", "This is no file of settings."),
        (BOMB, "Line 1, column 4: aliases are not read"),
        (b"a: *b", "Line 1, column 4: aliases are not read"),
        (b"a: 1\nb: !!python/object/apply:os.system [x]", "Line 2, column 4: tags are not read"),
        (b"a: !!binary AAAA", "Line 1, column 4: tags are not read"),
        (b"!!set {a, b}", "Line 1, column 1: tags are not read"),
        (b"a: [1,\nb: 2", "Line 2, column 5"),
        (b"a: 1\n b: 2", "Line 2, column 3"),
        (b"a: b: c", "Line 1, column 5"),
        (b"\ta: 1", "Line 1, column 1"),
        (b"a: 1\na: 2", "Line 2, column 1: this name is there twice"),
        (b"1: 2", "Line 1, column 1: a name must be text"),
        (b"? [a]\n: 2", "Line 1, column 3: a name must be text"),
        (b"a: " + b"9" * 5000, "Line 1, column 4: this number has too many digits"),
        (b"a: 1.0e+999", "Line 1, column 4: this number is too large"),
        (b"- " * 5000, "Line 1, column 201: too many lists"),
        (b"[" * 5000, "Line 1, column 101: too many lists"),
        (b"{" * 5000, "Line 1, column 101: too many lists"),
        (b"[" + b"1," * 60_000 + b"]", "this is too much for YAML"),
        (b"a: 1\n---\nb: 2", "Line 2, column 1"),
        (b"a: \x07", "Line 1, column 4: YAML can't hold this character"),
        (b'a: "\\ud800"', "Line 1, column 4: YAML can't hold this character"),
        (b'"\\ud805x": 1', "Line 1, column 1: YAML can't hold this character"),
        (b"%YAML 9.9\n---\na: 1", "Line 1, column 1"),
        (b"a: 'x", "Line 1, column 6"),
        (b"#" * (most_bytes("yaml") + 1), "This file is too large: YAML of at most 1 MB"),
        (b"waffleconf: 2\nsettings: {}", "This file has version 2, and only version 1"),
        (b"waffleconf: 2026-01-31\nsettings: {}", "This file has version"),
    ],
    ids=range(28),
)
def test_hostile_yaml_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        read_document(content, "yaml")
    assert message in str(caught.value) and len(str(caught.value)) < 300


def test_yaml_reads_a_pair_of_escapes_as_json_does() -> None:
    content = rb'{"waffleconf": 1, "settings": {"A": "\ud83e\uddc7 caf\u00e9"}}'
    assert read_document(content, "yaml") == read_document(content, "json") == {"A": "🧇 café"}


def test_the_texts_of_both_formats_say_the_version() -> None:
    assert json.loads(write_document({}))["waffleconf"] == 1
    assert write_document({}, "yaml") == "waffleconf: 1\nsettings: {}\n...\n"
