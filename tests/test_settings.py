"""Settings: what may be chosen, in what words it is refused, and what it does to trading."""

from __future__ import annotations

from dataclasses import fields, replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import CENTS
from balance.core.market import Terms
from balance.core.matching import advance
from balance.core.money import DEFAULT_STARTING_BALANCE
from balance.core.orders import place_order
from balance.core.settings import RULES, Settings, change_message, change_settings, members, texts
from balance.core.ticket import Ticket
from tests.accounts import MOMENT, account
from tests.markets import BTC, market, quote


def test_the_defaults_are_what_there_is_without_settings() -> None:
    usual = Settings()
    assert usual.terms == Terms()
    assert (usual.starting_balance, usual.decimals) == (DEFAULT_STARTING_BALANCE, CENTS)
    assert (usual.theme, usual.sound, usual.notifications) == ("system", False, False)


def test_every_setting_has_a_rule_and_every_rule_a_setting() -> None:
    assert [rule.field for rule in RULES.values()] == [each.name for each in fields(Settings)]


def test_fees_and_slippage_are_asked_for_in_percent_and_kept_as_fractions() -> None:
    chosen = change_settings(Settings(), {"taker_fee_percent": "0.06", "slippage_percent": 0.5})
    assert (chosen.taker_fee, chosen.slippage) == (Decimal("0.0006"), Decimal("0.005"))
    by_size = {"market_depth": 500_000, "depth_slippage_percent": "0.2"}
    terms = change_settings(chosen, by_size).terms
    assert (terms.market_depth, terms.depth_slippage) == (500_000, Decimal("0.002"))
    assert chosen.maker_fee == Settings().maker_fee
    assert members(chosen)["taker_fee_percent"] == Decimal("0.06")
    assert texts(chosen)["taker_fee_percent"] == "0.06"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"maker_fee_percent": -0.01}, "maker_fee_percent must be a number from 0 to 1 %"),
        ({"taker_fee_percent": "1.00000001"}, "not 1.00000001"),
        ({"slippage_percent": 5.1}, "from 0 to 5 %"),
        ({"slippage_percent": float("nan")}, "must be a finite number"),
        ({"default_leverage": 0}, "a whole number from 1 to 150"),
        ({"default_leverage": 151}, "a whole number from 1 to 150"),
        ({"default_leverage": 2.5}, "a whole number from 1 to 150, not 2.50"),
        ({"default_leverage": True}, "must be a number"),
        ({"starting_balance": -1}, "starting_balance must be a number from 0 to"),
        ({"starting_balance": 10**13}, "too large"),
        ({"decimals": 1}, "a whole number from 2 to 8"),
        ({"decimals": 9}, "a whole number from 2 to 8"),
    ],
)
def test_a_number_beyond_what_it_may_be_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidAmount, match=words.replace(".", r"\.")):
        change_settings(Settings(), asked)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"theme": "blue"}, "theme must be one of system, light, dark, not 'blue'"),
        ({"theme": None}, "theme must be one of"),
        ({"sound": 1}, "sound must be true or false, not 1"),
        ({"shortcuts": "on"}, "shortcuts must be true or false"),
        ({"maker_fee": 0.1}, "There is no setting 'maker_fee'. There are maker_fee_percent"),
    ],
)
def test_a_word_that_is_none_is_refused(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        change_settings(Settings(), asked)


def test_nothing_is_chosen_where_a_part_of_it_is_refused() -> None:
    before = Settings()
    with pytest.raises(InvalidAmount):
        change_settings(before, {"decimals": 4, "default_leverage": 500})
    assert before == Settings()


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "maker_fee_percent": st.decimals(0, 1, places=8),
            "slippage_percent": st.decimals(0, 5, places=8),
            "default_leverage": st.integers(1, 150),
            "starting_balance": st.decimals(0, 10**12, places=8),
            "theme": st.sampled_from(["system", "light", "dark"]),
            "decimals": st.integers(2, 8),
            "sound": st.booleans(),
        },
    )
)
def test_what_was_chosen_is_told_as_it_was_asked_for(asked: dict[str, Any]) -> None:
    chosen = change_settings(Settings(), asked)
    told = members(chosen)
    assert {name: told[name] for name in asked} == asked
    assert change_settings(Settings(), told) == chosen


def test_a_change_is_told_with_its_figures_and_units() -> None:
    before = Settings()
    after = replace(before, taker_fee=Decimal("0.0006"), decimals=4, shortcuts=False)
    assert change_message(before, after) == (
        "Settings saved: taker fee 0.06%, decimals of money 4, keyboard shortcuts off."
    )
    after = replace(before, starting_balance=Decimal(5_000), default_leverage=3)
    assert change_message(before, after) == (
        "Settings saved: default leverage 3x, starting balance 5,000.00 USDT."
    )
    assert change_message(before, before) == "No setting was changed."


def test_a_waiting_order_pays_the_fee_of_the_moment_it_fills() -> None:
    waiting = _waiting(notional=1_000)
    raised = change_settings(Settings(), {"maker_fee_percent": 1}).terms
    change = advance(waiting, market(quote(BTC, 38_900), terms=raised), {})
    (fill,) = [each.fill for each in change.bookings if each.kind == "fill"]
    assert fill is not None
    assert fill.fee == fill.quantity * fill.price / 100


def test_a_waiting_order_that_can_not_pay_a_raised_fee_is_cancelled_and_says_so() -> None:
    # all of the account is margin and the fee of now
    waiting = _waiting(percent=100)
    assert waiting.orders
    raised = change_settings(Settings(), {"maker_fee_percent": 1}).terms
    change = advance(waiting, market(quote(BTC, 38_900), terms=raised), {})
    (booking,) = change.bookings
    assert booking.kind == "cancel"
    assert "could not fill, needs" in booking.note
    assert change.account.orders == change.account.positions == ()
    assert change.account.wallet.balance == waiting.wallet.balance


def _waiting(**size: int) -> Any:
    """An account with an order to buy Bitcoin at 39,000, at 10x."""
    sizes = {name: Decimal(each) for name, each in size.items()}
    ticket = Ticket(symbol=BTC, side="buy", type="limit", price=Decimal(39_000), **sizes)
    return place_order(account(), ticket, market(), "o-1", MOMENT).account
