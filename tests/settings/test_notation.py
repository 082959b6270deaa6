"""Numbers as people type them: in any digits, with either mark, as Python or a locale has them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers
from babel.numbers import NumberFormatError, format_decimal, parse_decimal

from waffleconf_admin.settings.notation import PYTHON, Notation, fold, notation_of, readings


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("5", ["5"]),
        ("5,90", ["5.90"]),
        ("5.90", ["5.90"]),
        (",5", [".5"]),
        ("5.", ["5."]),
        ("0,125", ["0.125"]),
        ("1234,567", ["1234.567"]),
        ("1.234", ["1.234", "1234"]),
        ("-1,234", ["-1234", "-1.234"]),
        ("1,234.5", ["1234.5"]),
        ("1.234,5", ["1234.5"]),
        ("1.234.567", ["1234567"]),
        ("12,34,567.5", ["1234567.5"]),
        ("1 234,5", ["1234.5"]),
        ("1'234'567", ["1234567"]),
        ("1 234", ["1234"]),
        ("+1,5e-3", ["+1.5e-3"]),
        ("١٢٣٫٤٥٦", ["123.456"]),
        ("١٬٢٣٤", ["1234"]),
        ("１，５", ["1.5"]),
        ("\u22121\u202f234", ["-1234"]),
        ("१२", ["12"]),
        ("", []),
        (".", []),
        ("-", []),
        ("1,23,4", []),
        ("1 23", []),
        ("1,,5", []),
        ("1.234,567.8", []),
        ("1'234 567", []),
        ("10²", []),
        ("½", []),
    ],
)
def test_a_text_is_read_as_the_numbers_that_it_can_mean(text: str, found: list[str]) -> None:
    assert readings(fold(text)) == found


@pytest.mark.parametrize(
    ("locale", "text", "number"),
    [
        ("", "1.234", "1.234"),
        ("", "5,90", "5.90"),
        ("en", "1.234", "1.234"),
        ("es", "1,234", "1.234"),
        ("es", "5,90", "5.90"),
        ("es", "5.90", "5.90"),
        ("de_CH", "1'234.50", "1234.50"),
        ("bgn", "1٫234", "1.234"),
    ],
)
def test_the_mark_that_the_page_shows_before_decimals_is_never_that_of_groups(
    locale: str, text: str, number: str
) -> None:
    assert notation_of(locale).read(fold(text)) == number


@pytest.mark.parametrize(
    ("locale", "text", "message"),
    [
        ("", "1,234", "This can mean 1234 or 1.234: enter one of these."),
        ("en", "1,234", "This can mean 1234 or 1.234: enter one of these."),
        ("de", "1.234", "This can mean 1234 or 1,234: enter one of these."),
        ("es", "-12.000", "This can mean -12000 or -12,000: enter one of these."),
    ],
)
def test_a_text_that_can_mean_two_numbers_is_refused_with_both(
    locale: str, text: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        notation_of(locale).read(text)
    assert str(caught.value) == message


def test_every_language_reads_what_babel_writes_in_it_and_what_we_write() -> None:
    for locale in (name for name in locale_identifiers() if "_" not in name):
        notation = notation_of(locale)
        assert notation.locale == locale
        for number in (Decimal("-1234567.5"), Decimal("0.05")):
            assert notation.read(notation.write(str(number))) == str(number)
            text = format_decimal(number, "#,##0.####", locale)
            assert Decimal(notation.read(fold(text))) == number, text


@pytest.mark.parametrize("locale", ["en", "es", "de", "fr", "pt_BR", "de_CH", "hi", "sv"])
@pytest.mark.parametrize("text", ["5,90", "5.90", "1.234", "1,234", "1.234,5", "1,234.5", "1 234"])
def test_no_text_is_another_number_than_to_babel(locale: str, text: str) -> None:
    try:
        theirs = parse_decimal(text, locale, strict=True)
        ours = Decimal(notation_of(locale).read(text))
    except (NumberFormatError, ValueError, ArithmeticError):
        return  # one of the two refuses it
    assert ours == theirs


def test_an_unknown_locale_has_the_notation_of_python() -> None:
    assert notation_of("xx_YY") == notation_of("") == PYTHON


def test_numbers_within_a_text_are_read() -> None:
    spanish = Notation("es", ",")
    assert spanish.read_within("2 weeks, 1,5 h 2.5 s") == "2 weeks, 1.5 h 2.5 s"
    assert spanish.write("1 h 2.5 s") == "1 h 2,5 s"
