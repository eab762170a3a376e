"""The snapshot has the design's fields, adds up exactly, and shows what it holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import FrozenInstanceError, replace
from decimal import Decimal, localcontext
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.account import Account
from balance.core.errors import BalanceError
from balance.core.figures import NONE
from balance.core.market import Market
from balance.core.moments import from_iso, iso
from balance.core.money import exact
from balance.core.operations import adjust, withdraw
from balance.core.periods import Baselines, day_start, week_start
from balance.core.snapshot import DISPLAYED, Snapshot, snapshot
from balance.store.state import State
from tests.accounts import MOMENT, account, order, position

#: Sections 2 and 4 of the design.
FIELDS = """
    currency as_of epoch revision balance unrealized_pnl portfolio_value used_margin
    available_balance current_pnl pnl_percent realized_pnl starting_balance deposits withdrawals
    adjustments fees_paid funding_paid maintenance_margin positions open_orders market
""".split()  # noqa: SIM905 - a table

#: What is said of the market where no feed runs.
NO_FEED = {
    "feed": None,
    "label": "",
    "state": "none",
    "words": "",
    "as_of": None,
    "prices": {},
}


def seen(of: Account, **how: Any) -> Snapshot:
    """The snapshot of an account, as any store makes it."""
    state = State(account_id="a1", revision=7, changed_at=MOMENT, account=of, entries=())
    return state.snapshot(**how)


def test_every_field_of_the_design_is_there() -> None:
    assert set(FIELDS) <= set(seen(account()))


def test_it_reads_by_name_and_by_attribute() -> None:
    new = seen(account())
    assert isinstance(new, Mapping)
    assert all(new[name] is getattr(new, name) for name in new)
    assert len(new) == len(list(new)) == len({**new})
    assert new["balance"] == new.balance == 10_000
    for missing in ("keys", "__class__", "nonsense"):
        with pytest.raises(KeyError):
            new[missing]
    with pytest.raises(FrozenInstanceError):
        new.balance = Decimal(0)  # type: ignore[misc]


def test_a_new_account_shows_what_it_is() -> None:
    new = seen(account())
    assert (new.account, new.revision, new.epoch, new.tick) == ("a1", 7, 1, 0)
    assert (new.currency, new.as_of) == ("USDT", "2026-01-02T03:04:05.678Z")
    assert (new.positions, new.open_orders) == ((), ())
    assert new.market == NO_FEED


def test_the_server_and_its_ticks_are_told() -> None:
    told = seen(account(), instance="i1", market=Market(feed="simulated", tick=3))
    assert (told.instance, told.tick) == ("i1", 3)
    assert told.market == {**NO_FEED, "feed": "simulated"}


def test_positions_and_orders_are_listed_with_their_figures() -> None:
    trading = seen(account(positions=(position(),), orders=(order(),)))
    (shown,), (waiting,) = trading.positions, trading.open_orders
    assert (shown["symbol"], shown["side"], shown["unrealized_pnl"]) == ("BTC/USDT", "long", 100)
    assert shown["opened_at"] == "2026-01-02T03:04:05.678Z"
    assert shown["display"]["unrealized_pnl"] == "+$100.00"
    assert shown["display"]["leverage"] == "5x"
    assert (waiting["id"], waiting["reserved_margin"]) == ("o-1", 150)
    assert waiting["display"]["type"] == "Limit"
    assert waiting["display"]["price"] == "1,500"
    stop = order(type="stop_market", price=None, trigger_price=Decimal(1_500))
    waiting = seen(account(orders=(stop,))).open_orders[0]
    assert waiting["display"]["type"] == "Stop"
    assert (waiting["price"], waiting["display"]["price"]) == (None, NONE)
    assert (waiting["trigger_price"], waiting["display"]["trigger_price"]) == (1_500, "1,500")
    assert trading.used_margin == 950
    assert trading.available_balance == 9_050


def test_what_is_shown_is_rounded_for_people() -> None:
    with exact():
        lost = adjust(account(), "-1234.565").account
    shown = seen(lost).display
    assert set(shown) == set(DISPLAYED)
    assert shown["balance"] == shown["portfolio_value"] == "$8,765.44"
    assert shown["adjustments"] == shown["current_pnl"] == "-$1,234.56"
    assert shown["pnl_percent"] == "-12.35%"
    assert shown["deposits"] == "$0.00"
    assert (shown["revision"], shown["epoch"]) == ("7", "1")


def test_percent_is_unknown_where_no_capital_is_left_in() -> None:
    with exact():
        gained = adjust(account(100), 50).account
        taken_out = withdraw(gained, 120).account
    for broke in (account(0), taken_out):
        assert broke.wallet.capital <= 0
        assert seen(broke).pnl_percent is None
        assert seen(broke).display["pnl_percent"] == "–"  # noqa: RUF001 - the dash is meant
    assert seen(taken_out).display["current_pnl"] == "+$50.00"


def test_funding_that_was_received_counts_as_paid_below_zero() -> None:
    received = replace(account(), wallet=account().wallet.booked("funding", Decimal(3)))
    assert seen(received).funding_paid == -3
    assert seen(received).balance == 10_003


def test_what_is_held_is_told_by_side_and_beside_the_equity() -> None:
    short = position(
        symbol="ETH/USDT", side="short", quantity=Decimal(2), entry_price=Decimal(2_000)
    )
    held = seen(account(positions=(position(), replace(short, mark_price=Decimal(2_500)))))
    assert (held.long_exposure, held.short_exposure, held.net_exposure) == (4_100, 5_000, -900)
    # 10,000 + 100 - 1,000
    assert held.exposure_percent == Decimal(100)
    assert held.display["net_exposure"] == "$900.00 short"
    assert (held.display["short_exposure"], held.display["exposure_percent"]) == (
        "$5,000.00",
        "100.00%",
    )
    nothing = seen(account(0))
    assert (nothing.long_exposure, nothing.exposure_percent) == (0, None)
    assert nothing.display["net_exposure"] == "$0.00"


PAST = Baselines(
    account="a1",
    epoch=1,
    day=Decimal(-40),
    week=Decimal("-100.5"),
    all_time=Decimal(1_000),
    number=4,
)


def test_the_pnl_of_a_period_is_that_of_the_epoch_and_what_the_past_adds() -> None:
    told = seen(account(positions=(position(),)), baselines=PAST, market=Market(tick=3))
    assert (told.pnl_today, told.pnl_week, told.pnl_all_time) == (60, Decimal("-0.5"), 1_100)
    # 60 of the 10,040 that there would be without
    assert told.pnl_today_percent == Decimal("0.59760956")
    assert (told.display["pnl_today"], told.display["pnl_week"]) == ("+$60.00", "-$0.50")
    # what is found out of the past is news as a price is
    assert told.tick == 7


@pytest.mark.parametrize(
    "past", [Baselines(), replace(PAST, account="another"), replace(PAST, epoch=2)]
)
def test_where_the_past_is_not_known_no_period_has_a_pnl(past: Baselines) -> None:
    told = seen(account(), baselines=past)
    names = ("pnl_today", "pnl_today_percent", "pnl_week", "pnl_all_time")
    assert [told[name] for name in names] == [None] * 4
    assert [told.display[name] for name in names] == [NONE] * 4


def test_a_period_that_brought_more_than_all_there_is_has_no_percentage() -> None:
    told = seen(account(100), baselines=replace(PAST, day=Decimal(100)))
    assert (told.pnl_today, told.pnl_today_percent) == (100, None)


@pytest.mark.parametrize(
    ("moment", "day", "week"),
    [
        # a Sunday evening, and a Monday at its first moment
        ("2026-11-22T23:59:59.999Z", "2026-11-22T00:00:00.000Z", "2026-11-16T00:00:00.000Z"),
        ("2026-11-23T00:00:00.000Z", "2026-11-23T00:00:00.000Z", "2026-11-23T00:00:00.000Z"),
        # elsewhere the new year has come
        ("2027-01-01T01:30:00+05:30", "2026-12-31T00:00:00.000Z", "2026-12-28T00:00:00.000Z"),
    ],
)
def test_days_and_weeks_are_those_of_the_utc_calendar(moment: str, day: str, week: str) -> None:
    at = from_iso(moment)
    assert (iso(day_start(at)), iso(week_start(at))) == (day, week)


prices = st.decimals(min_value="0.00000001", max_value=10**6, places=11)


@given(
    quantity=st.decimals(min_value="0.00000001", max_value=10**5, places=9),
    entry_price=prices,
    mark_price=prices,
    side=st.sampled_from(["long", "short"]),
    moves=st.lists(st.decimals(min_value=-5_000, max_value=5_000, places=8), max_size=5),
    precision=st.integers(4, 28),
)
def test_wallet_and_unrealised_are_the_equity_to_the_last_digit(
    moves: list[Decimal], precision: int, **trade: Any
) -> None:
    trading = account(positions=(position(isolated_margin=Decimal(1), **trade),))
    for move in moves:
        with exact():
            try:
                trading = adjust(trading, move).account
            except BalanceError:
                continue
    with localcontext() as context:
        context.prec = precision
        shown = seen(trading)
    with exact():
        assert shown.balance + shown.unrealized_pnl == shown.portfolio_value
        assert shown.balance - shown.used_margin == shown.available_balance
        capital = shown.starting_balance + shown.deposits - shown.withdrawals
        assert shown.portfolio_value - capital == shown.current_pnl
        assert abs(shown.unrealized_pnl - trading.unrealized_pnl) <= Decimal("5E-9")


def test_the_core_makes_it_without_a_store() -> None:
    made = snapshot(account(), account_id="x", revision=1, as_of=MOMENT)
    assert (made.account, made.instance, made.balance) == ("x", "", 10_000)
