"""Figures are written for people in one way, and for files without losing a digit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_UP, Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.figures import (
    NONE,
    dollars,
    exposure,
    float_text,
    gain,
    grouped,
    on_tick,
    percent,
    plain,
    rounded,
    share,
    short,
)
from balance.core.money import LIMIT

amounts = st.decimals(min_value=-LIMIT, max_value=LIMIT, allow_nan=False, places=8)


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (plain, "10.5", "10.50"),
        (plain, "0E-8", "0.00"),
        (plain, "1E+3", "1000.00"),
        (plain, "-1234567.12345678", "-1234567.12345678"),
        (plain, "0.00000001", "0.00000001"),
        (grouped, "10000.5", "10,000.50"),
        (exposure, "500", "$500.00 long"),
        (exposure, "-1234.5", "$1,234.50 short"),
        (exposure, "-0.001", "$0.00"),
        (share, "12.345", "12.34%"),
        (share, "-3", "-3.00%"),
        (grouped, "-1234567.12345678", "-1,234,567.12345678"),
        (grouped, "100.00000000", "100.00"),
        (grouped, "1E+12", "1,000,000,000,000.00"),
        (short, "0", "0"),
        (short, "0.4", "0.4"),
        (short, "9.96", "10"),
        (short, "950.49", "950"),
        (short, "999.5", "1k"),
        (short, "9840.12", "9.8k"),
        (short, "9960", "10k"),
        (short, "10240.18", "10k"),
        (short, "999499.99", "999k"),
        (short, "999500", "1M"),
        (short, "1200000", "1.2M"),
        (short, "23456789012", "23B"),
        (short, "1E+12", "1T"),
        (rounded, "43812.40", "43,812.4"),
        (rounded, "0.005", "0.005"),
        (rounded, "100", "100"),
        (rounded, "0.000000015", "0.000000015"),
        (rounded, "0.0000092111", "0.0000092111"),
        (rounded, "0.00000059876", "0.00000059876"),
        (rounded, "5.9876E-7", "0.00000059876"),
        (rounded, "1.2E-9", "0.0000000012"),
        (rounded, "0.123456789", "0.123456789"),
        (rounded, "12345.678901234", "12,345.678901234"),
        (rounded, "1E+13", "10,000,000,000,000"),
        (rounded, "10000000000000.5", "10,000,000,000,000.5"),
        (rounded, "12345678901234567.12345678", "12,345,678,901,234,567.12345678"),
        (rounded, "36123.49397590361", "36,123.4939759"),
        (rounded, "0.000009211083333333333", "0.0000092110833"),
        (rounded, "0", "0"),
        (rounded, "0E-8", "0"),
        (dollars, "10000", "$10,000.00"),
        (dollars, "-12.3", "-$12.30"),
        (dollars, "0.005", "$0.00"),
        (dollars, "0.015", "$0.02"),
        (dollars, "0.025", "$0.02"),
        (gain, "240.18", "+$240.18"),
        (gain, "-12.3", "-$12.30"),
        (gain, "0", "$0.00"),
        (percent, "1.25", "+1.25%"),
        (percent, "-1234.5", "-1,234.50%"),
        (percent, "0", "0.00%"),
    ],
)
def test_figures_read_as_the_design_has_them(
    write: Callable[[Decimal], str], value: str, text: str
) -> None:
    assert write(Decimal(value)) == text


@pytest.mark.parametrize(
    ("number", "text"),
    [(12, "12"), (2.0, "2"), (5e-7, "0.0000005"), (1e16, "10,000,000,000,000,000"), (0.1, "0.1")],
)
def test_a_parameter_is_written_without_an_exponent(number: float, text: str) -> None:
    assert float_text(number) == text
    assert float_text(float("inf")) == "inf"


@pytest.mark.parametrize(
    ("price", "tick", "text"),
    [
        ("43812.4", "0.1", "43,812.40"),
        ("43812.4567", "0.10", "43,812.46"),
        ("20", "0.001", "20.000"),
        ("8.1234567", "0.001", "8.123"),
        ("0.0000092111", "1E-10", "0.0000092111"),
        ("0.000000599", "1E-11", "0.00000059900"),
        ("12000", "10", "12,000.00"),
        ("0.000051234", "0.001", "0.000051234"),
        ("0.00005123456789012", "0.001", "0.000051234568"),
        ("0.05", "0.001", "0.050"),
        ("0", "0.001", "0.000"),
    ],
)
def test_a_price_has_the_decimals_of_its_tick_and_never_reads_zero(
    price: str, tick: str, text: str
) -> None:
    assert on_tick(Decimal(price), Decimal(tick)) == text


@given(st.integers(1, 10**15 - 1), st.integers(0, 20))
def test_a_price_or_quantity_of_a_market_loses_no_digit(digits: int, decimals: int) -> None:
    number = Decimal(digits).scaleb(-decimals)
    assert Decimal(rounded(number).replace(",", "")) == number
    assert "E" not in rounded(number)


@given(st.decimals(min_value="1e-15", max_value=10**9, allow_nan=False, places=40))
def test_a_price_that_was_calculated_keeps_eight_digits_that_count(price: Decimal) -> None:
    shown = Decimal(rounded(price).replace(",", ""))
    assert abs(shown - price) <= price * Decimal("5e-8")
    assert len(rounded(price)) <= 26


@pytest.mark.parametrize("value", ["-0.004", "0.004", "-0.005", "-0", "-0.00000001"])
def test_what_reads_zero_has_no_sign(value: str) -> None:
    assert dollars(Decimal(value)) == "$0.00"
    assert gain(Decimal(value)) == "$0.00"
    assert percent(Decimal(value)) == "0.00%"


@pytest.mark.parametrize("write", [dollars, gain, percent])
def test_an_unknown_figure_is_a_dash_and_never_a_number(write: Callable[[Any], str]) -> None:
    assert write(None) == NONE == "–"  # noqa: RUF001 - the dash is meant


@given(amounts)
def test_plain_and_grouped_figures_lose_no_digit(amount: Decimal) -> None:
    assert Decimal(plain(amount)) == amount
    assert Decimal(grouped(amount).replace(",", "")) == amount
    assert "E" not in plain(amount)
    assert len(plain(amount).partition(".")[2]) >= 2


@given(amounts)
def test_dollars_are_within_half_a_cent_and_signed_once(amount: Decimal) -> None:
    text = dollars(amount)
    shown = Decimal(text.replace("$", "").replace(",", ""))
    assert abs(shown - amount) <= Decimal("0.005")
    assert text.startswith("-$") == (shown < 0)
    assert gain(amount).startswith("+$") == (shown > 0)


@given(amounts)
def test_the_callers_decimal_context_changes_no_figure(amount: Decimal) -> None:
    writers = (plain, grouped, rounded, dollars, gain, percent)
    expected = [write(amount) for write in writers]
    with localcontext() as context:
        context.prec, context.rounding = 4, ROUND_UP
        assert [write(amount) for write in writers] == expected


@given(st.decimals(min_value=0, max_value=LIMIT, allow_nan=False, places=8))
def test_a_short_figure_has_at_most_four_letters_and_is_near(value: Decimal) -> None:
    text = short(value)
    assert len(text) <= 4
    thousands = "kMBT".find(text[-1]) + 1
    told = Decimal(text.rstrip("kMBT")) * 1_000**thousands
    assert abs(told - value) <= max(Decimal("0.05"), value / 20)
