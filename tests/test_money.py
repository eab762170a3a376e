"""Money is exact, and nothing that is no amount becomes one."""

from __future__ import annotations

from decimal import ROUND_UP, Decimal, getcontext, localcontext
from enum import IntEnum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.errors import InvalidAmount
from balance.core.money import LIMIT, QUANTUM, ZERO, exact, money, number, quantized

amounts = st.decimals(min_value=-LIMIT, max_value=LIMIT, allow_nan=False, places=20)


@given(amounts)
def test_money_is_the_nearest_of_eight_decimals(value: Decimal) -> None:
    booked = money(value)
    assert booked.as_tuple().exponent == -8
    assert abs(Fraction(booked) - Fraction(value)) <= Fraction(QUANTUM) / 2


@pytest.mark.parametrize(
    ("value", "booked"),
    [
        ("0.000000005", "0"),
        ("0.000000015", "0.00000002"),
        ("0.000000025", "0.00000002"),
        ("-0.000000015", "-0.00000002"),
        ("-0.000000025", "-0.00000002"),
        ("0.0000000250000000001", "0.00000003"),
        ("999999999999.999999995", "1000000000000"),
    ],
)
def test_halves_are_rounded_to_even(value: str, booked: str) -> None:
    assert money(value) == Decimal(booked)


@given(st.floats(min_value=-1e12, max_value=1e12, allow_nan=False))
def test_a_float_is_the_number_that_it_prints_as(value: float) -> None:
    assert money(value) == money(repr(value))


def test_a_tenth_and_two_tenths_are_three_tenths() -> None:
    assert money(0.1) + money(0.2) == money(0.3) == Decimal("0.3")


def test_a_float_of_another_library_is_taken_by_its_value() -> None:
    class Float64(float):
        """As numpy's: its ``repr`` is no number."""

        def __repr__(self) -> str:
            return f"np.float64({float(self)!r})"

    assert money(Float64(0.1)) == Decimal("0.1")
    with pytest.raises(InvalidAmount):
        money(Float64("nan"))


def test_whole_numbers_of_any_make_are_taken() -> None:
    class Lot(IntEnum):
        MINI = 10

    assert money(7) == 7
    assert money(Lot.MINI) == 10
    assert money(Decimal("7.5")) == Decimal("7.5")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12.30", "12.3"),
        (" 12.30\n", "12.3"),
        ("+5", "5"),
        ("-.5", "-0.5"),
        ("5.", "5"),
        ("1e3", "1000"),
        ("2.5E-3", "0.0025"),
        ("1e-300", "0"),
        ("007", "7"),
    ],
)
def test_text_that_reads_as_a_number_is_that_number(text: str, meant: str) -> None:
    assert money(text) == Decimal(meant)


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        float("nan"),
        float("inf"),
        float("-inf"),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        "NaN",
        "Infinity",
        "-inf",
        "",
        " ",
        ".",
        "-",
        "e5",
        "1e",
        "1e1000",
        "1e99999999999999999999",
        "1,000",
        "1_000",
        "$5",
        "5 USDT",
        "0x10",
        "1 2",
        "--1",
        "\u0661\u0662",  # digits, but not of this alphabet
        "\u221250",  # a typographer's minus
        "1" * 10_000,
        b"5",
        [5],
        {"balance": 5},
        5j,
        Fraction(1, 3),
        object(),
    ],
)
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(InvalidAmount, match=r"must be a (finite )?number"):
        money(value)


@pytest.mark.parametrize(
    "value",
    [
        10**12 + 1,
        -(10**12) - 1,
        10**5_000,
        -(10**1_000_000),
        1e13,
        1.7976931348623157e308,
        "1e999",
        "1000000000000.00000001",
        Decimal("1e9999"),
    ],
    ids=range(9),
)
def test_what_is_too_large_is_refused_with_the_limit(value: object) -> None:
    with pytest.raises(InvalidAmount, match=r"at most 1,000,000,000,000 USDT"):
        money(value)


def test_the_limit_itself_is_taken() -> None:
    assert money(10**12) == money("1e12") == money(-1e12).copy_negate() == LIMIT


def test_a_refusal_names_what_was_meant_and_stays_short() -> None:
    with pytest.raises(InvalidAmount, match=r"^The deposit must be a number") as refused:
        money("x" * 5_000, "deposit")
    assert len(str(refused.value)) < 150


@given(amounts)
def test_the_callers_decimal_context_changes_nothing(value: Decimal) -> None:
    expected, product = money(value), None
    with exact():
        product = value * value
    with localcontext() as context:
        context.prec, context.rounding = 6, ROUND_UP
        assert money(value) == expected
        assert money(str(value)) == expected
        with exact():
            assert value * value == product
        assert getcontext().prec == 6


def test_exact_sums_are_exact() -> None:
    with localcontext() as context:
        context.prec = 3
        with exact():
            assert Decimal("1000000000000.00000001") == LIMIT + QUANTUM


def test_there_is_no_negative_zero() -> None:
    for value in ("-0", -0.0, Decimal("-0.000000001"), "-1e-9"):
        assert not money(value).is_signed()
    assert str(quantized(-ZERO)) == "0E-8"


def test_a_price_is_not_rounded() -> None:
    assert str(number("0.000000000123")) == "1.23E-10"
    with pytest.raises(InvalidAmount, match="The price is too large"):
        number(10**13, "price")
