"""Numbers can be typed as they are shown; what can be read in more than one way is refused in a
sentence that says how to write it."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.errors import InvalidAmount
from balance.core.figures import dollars, gain, grouped
from callbacks.amounts import AmountKind, is_empty, read_amount
from tests.test_browser_amounts import NO_NUMBERS, SHOWN, UNCLEAR

MONEY = st.decimals(-(10**12), 10**12, places=8)
KINDS = st.sampled_from(("money", "quantity", "plain"))


@pytest.mark.parametrize(("typed", "number"), SHOWN.items())
def test_a_number_is_read_as_it_is_shown(typed: str, number: str) -> None:
    assert f"{read_amount(typed):f}" == number
    assert read_amount(f"  {typed} ") == Decimal(number)


@pytest.mark.parametrize("typed", UNCLEAR)
def test_what_can_be_read_in_two_ways_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAmount, match="write decimals behind a point") as refused:
        read_amount(typed)
    assert str(refused.value).startswith(f"{typed} can be read in more than one way")


@pytest.mark.parametrize("typed", [*NO_NUMBERS, "\N{ARABIC-INDIC DIGIT FIVE}", "1\n2", "NaN"])
def test_what_is_no_number_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAmount, match="is no number: write it with digits and a point"):
        read_amount(typed)


@pytest.mark.parametrize("typed", [None, "", "  ", "\N{NO-BREAK SPACE}"])
def test_an_empty_field_has_no_number(typed: str | None) -> None:
    assert is_empty(typed)
    with pytest.raises(InvalidAmount, match="Enter a number"):
        read_amount(typed)


@pytest.mark.parametrize(
    ("kind", "typed", "reason"),
    [
        # millions, or thousandths
        ("quantity", "5m", "more than one way: write it in full"),
        ("quantity", "$5", "is in dollars"),
        # of percent there are no thousands, and no dollars
        ("plain", "5k", "more than one way: write it in full"),
        ("plain", "5M", "more than one way: write it in full"),
        ("plain", "$5", "is in dollars"),
    ],
)
def test_what_letters_and_dollars_mean_depends_on_the_field(
    kind: AmountKind, typed: str, reason: str
) -> None:
    with pytest.raises(InvalidAmount, match=reason):
        read_amount(typed, kind)


def test_a_quantity_may_be_shortened_to_thousands() -> None:
    assert str(read_amount("12.5k", "quantity")) == "12500"


@given(MONEY)
def test_every_figure_of_the_screen_is_read_back(amount: Decimal) -> None:
    assert read_amount(grouped(amount)) == amount
    assert read_amount(dollars(amount, 8)) == amount
    assert read_amount(gain(amount, 8)) == amount


@given(st.decimals(0, 10**9, places=8), st.integers(0, 60))
def test_no_digit_is_lost(amount: Decimal, zeros: int) -> None:
    typed = f"{amount:f}{'0' * zeros}"
    assert f"{read_amount(typed):f}" == typed
    assert read_amount(f"{typed}k") == amount * 1000


@given(st.text(alphabet="0123456789.,' $+-kKmM\u2212\u202f", max_size=12), KINDS)
def test_whatever_is_typed_is_read_or_refused(typed: str, kind: Any) -> None:
    with suppress(InvalidAmount):
        assert read_amount(typed, kind).is_finite()
