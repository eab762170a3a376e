"""Money is shown with as many decimals as a person wants, everywhere; its amounts stay exact."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from balance.backtests.backtest import run_backtest
from balance.backtests.report import notes, report
from balance.bots.bot import Bot
from balance.bots.rows import listing
from balance.core.account import Account
from balance.core.entry import Entry
from balance.core.figures import dollars, gain
from balance.core.market import Market, Terms
from balance.core.messages import change_message, news_message
from balance.core.orders import close_position, place_order, preview
from balance.core.ticket import Ticket
from balance.core.trade import Trade
from balance.core.trade_sums import TradeSums
from balance.history.rows import LedgerRecord, fill_row, ledger_row, trade_row
from balance.store.state import State, next_state
from tests.accounts import MOMENT, account, order, position
from tests.backtesting import bodies, plan, script, settings
from tests.markets import BTC, ETH, market, quote

_MONEY = re.compile(r"\$[\d,]+(?:\.(\d+))?")


def at(decimals: int) -> Market:
    return market(quote(BTC, 41_000.3), quote(ETH, 2_000), decimals=decimals)


def trading() -> Account:
    return account(positions=(position(owner="trend-1"),), orders=(order(),))


def committed(decimals: int, source: str = "bot") -> tuple[Entry, ...]:
    """The entries of a position that is closed at a gain."""
    state = State(account_id="a", revision=6, changed_at=MOMENT, account=trading(), entries=())
    where = at(decimals)
    step = next_state(
        state, lambda of: close_position(of, BTC, where, "o-2", MOMENT), MOMENT, source
    )
    return step.entries


def of_snapshot(decimals: int) -> Mapping[str, Any]:
    state = State(account_id="a", revision=7, changed_at=MOMENT, account=trading(), entries=())
    seen = state.snapshot(market=at(decimals))
    return {name: seen[name] for name in ("display", "positions", "open_orders")}


def of_fill(decimals: int) -> Mapping[str, Any]:
    return fill_row(committed(decimals)[0], at(decimals))


def of_trade(decimals: int) -> Mapping[str, Any]:
    fill = committed(decimals)[0].booking.fill
    assert fill is not None
    assert isinstance(fill.trade, Trade)
    return trade_row(fill.trade, at(decimals))


def of_preview(decimals: int) -> Mapping[str, Any]:
    ticket = Ticket(symbol=ETH, side="buy", quantity=Decimal("0.1"))
    return preview(account(), ticket, at(decimals), MOMENT).display


def of_bots(decimals: int) -> Mapping[str, Any]:
    sums = TradeSums(trades=1, wins=1, gained=Decimal("1.5"))
    bot = Bot(id="trend-1", settings=settings(), created_at=MOMENT, sums=sums, curve=(sums.pnl,))
    return listing([bot], trading(), at(decimals), {})


def of_report(decimals: int) -> Mapping[str, Any]:
    tested = replace(plan(bodies(100, 101, 102, 103), script("buy")), decimals=decimals)
    outcome = run_backtest(tested)
    return {"report": report(tested, outcome), "notes": notes(tested, outcome)}


def of_ledger(decimals: int) -> Mapping[str, Any]:
    return {
        "rows": [
            ledger_row(LedgerRecord(entry, BTC, ""), decimals) for entry in committed(decimals)
        ]
    }


def of_words(decimals: int) -> Mapping[str, Any]:
    entries = committed(decimals)
    return {"news": news_message(entries, decimals), "told": change_message(entries, decimals)}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, Mapping) else ():
        yield from _texts(each)
    for each in value if isinstance(value, list | tuple) else ():
        yield from _texts(each)


@pytest.mark.parametrize("decimals", [2, 4, 8])
@pytest.mark.parametrize(
    "make",
    [
        *(of_snapshot, of_fill, of_trade, of_preview, of_bots),
        *(of_report, of_ledger, of_words),
    ],
)
def test_every_text_of_money_has_the_decimals_that_are_asked_for(
    make: Callable[[int], Mapping[str, Any]], decimals: int
) -> None:
    shown = [found for text in _texts(make(decimals)) for found in _MONEY.findall(text)]
    assert shown
    assert {len(each) for each in shown} == {decimals}


def test_more_decimals_show_more_of_the_same_amount() -> None:
    amount = Decimal("-1234.56785000")
    assert [dollars(amount, each) for each in (2, 4, 8)] == [
        "-$1,234.57",
        "-$1,234.5678",
        "-$1,234.56785000",
    ]
    assert gain(Decimal("0.00004"), 4) == "$0.0000"
    assert gain(Decimal("0.00004"), 5) == "+$0.00004"


def test_the_amounts_themselves_are_exact_whatever_is_shown() -> None:
    few, many = of_snapshot(2)["positions"][0], of_snapshot(8)["positions"][0]
    assert {**few, "display": None} == {**many, "display": None}


def test_an_order_without_a_leverage_has_that_of_the_terms_or_the_most_of_its_symbol() -> None:
    where = at(2)
    terms = {Decimal(3): 3, Decimal(150): where.instruments[ETH].brackets[0].max_leverage}
    for wanted, leverage in terms.items():
        on = market(quote(ETH, 2_000), terms=Terms(default_leverage=wanted))
        ticket = Ticket(symbol=ETH, side="buy", quantity=Decimal("0.1"))
        change = place_order(account(), ticket, on, "o-3", MOMENT + timedelta(seconds=1))
        assert change.account.positions[0].leverage == leverage
