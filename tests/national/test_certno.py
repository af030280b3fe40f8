"""The citizen's number: the standard's test numbers, and what cannot exist."""

from datetime import date

import pytest

from app.national import certno


@pytest.mark.parametrize(
    ("first", "check"), [("11010519491231002", "X"), ("33020019900101001", "5"), ("33020019600101002", "X")]
)
def test_check_digits(first, check):
    assert certno.check_digit(first) == check
    assert certno.is_valid(first + check)


@pytest.mark.parametrize(
    "number",
    [
        "",
        "330200900101001",
        "330200199001010014",
        "33020019900231001X",
        "330200299001010010",
        "33020019900101001x",
        "abc",
    ],
)
def test_what_cannot_be(number):
    assert certno.why_wrong(number)


def test_a_number_says_birth_sex_and_age():
    number = certno.normal("３３０２００ 19600101002x")

    assert number == "33020019600101002X"
    assert certno.birth_date(number) == date(1960, 1, 1)
    assert certno.sex(number) == "2"
    assert certno.age_on(date(1960, 5, 2), date(2026, 5, 1)) == 65
