"""Amounts are sorted and bounded exactly, however large they are."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core import operations
from balance.core.money import LIMIT
from balance.history.columns import NOTHING, amount_key
from balance.history.history import History
from balance.history.question import Question
from balance.store.memory_store import MemoryStore

AMOUNTS = st.decimals(-LIMIT, LIMIT, places=8) | st.decimals(-2, 2, places=8)
NEAR = [Decimal(f"123456789.1234567{last}") for last in (1, 0, 2)]
LARGE = [Decimal(f"499999999999.9999999{last}") for last in (9, 7, 8)]


@given(st.lists(AMOUNTS, max_size=20))
def test_keys_sort_as_their_amounts_do(amounts: list[Decimal]) -> None:
    assert sorted(amounts, key=amount_key) == sorted(amounts)
    assert [amount_key(str(each)) for each in amounts] == [amount_key(each) for each in amounts]
    assert all(amount_key(each) > NOTHING for each in amounts)


@given(AMOUNTS, st.integers(-3, 3))
def test_the_smallest_difference_is_told(amount: Decimal, units: int) -> None:
    other = amount + units * Decimal("0.00000001")
    assert (amount_key(amount) < amount_key(other)) == (units > 0)
    assert (amount_key(amount) == amount_key(other)) == (units == 0)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1E+400", "1E+999999999"])
def test_what_is_no_amount_has_no_key(text: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        amount_key(text)


@pytest.fixture(scope="module")
def history() -> History:
    """Deposits and withdrawals that floats can't tell apart."""
    store = MemoryStore()
    for amount in (*NEAR, *LARGE):
        store.commit(partial(operations.deposit, amount=amount), source="http")
        store.commit(partial(operations.withdraw, amount=amount), source="http")
    return History(store)


@pytest.mark.parametrize("kind", ["deposit", "withdrawal"])
@pytest.mark.parametrize("sort", ["amount", "-amount"])
def test_large_amounts_are_listed_in_their_order(history: History, kind: str, sort: str) -> None:
    rows = history.answer(Question(table="ledger", one_of={"kind": (kind,)}, sort=sort)).rows
    sign = 1 if kind == "deposit" else -1
    wanted = sorted((sign * each for each in (*NEAR, *LARGE)), reverse=sort == "-amount")
    assert [row.entry.booking.amount for row in rows] == wanted


@pytest.mark.parametrize("bound", [*NEAR, *LARGE, Decimal("123456789.123456705")])
def test_large_amounts_are_bounded_exactly(history: History, bound: Decimal) -> None:
    known = (*NEAR, *LARGE)
    asked = Question(table="ledger", one_of={"kind": ("deposit",)}, least={"amount": bound})
    assert history.answer(asked).total == len([each for each in known if each >= bound])
    asked = Question(table="ledger", one_of={"kind": ("deposit",)}, most={"amount": bound})
    assert history.answer(asked).total == len([each for each in known if each <= bound])
    asked = Question(table="ledger", one_of={"kind": ("withdrawal",)}, least={"amount": -bound})
    assert history.answer(asked).total == len([each for each in known if each <= bound])
