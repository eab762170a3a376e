"""The parts of the feed of an exchange: what may be asked, rules, sane prices, waiting."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import ccxt
import pytest

from balance.core.instruments import KNOWN
from balance.core.quote import Quote
from balance.feeds.exchange_inbox import Inbox
from balance.feeds.exchange_pace import PACE, wait_after
from balance.feeds.exchange_public import PUBLIC, PublicExchange, raw_exchange
from balance.feeds.exchange_quotes import Board
from balance.feeds.exchange_rules import chosen, has_tick, ruled
from tests.serving import ROOT

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
BTC = KNOWN["BTC/USDT"]
TRADING = re.compile(
    r"order(?!book)|cancel|withdraw|transfer|deposit|private|leverage(?!_tiers)|borrow|position"
    r"|margin|apikey|secret|sign",
    re.IGNORECASE,
)


@pytest.mark.parametrize("name", ["binance", "kraken", "bybit", "okx", "coinbase"])
def test_nothing_that_trades_can_be_reached(name: str) -> None:
    raw = raw_exchange(name)
    raw.apiKey, raw.secret = "given", "given"
    exchange = PublicExchange(raw)
    assert [each for each in (*PUBLIC, *dir(exchange)) if TRADING.search(each)] == []
    for each in ("create_order", "cancel_order", "withdraw", "transfer", "set_leverage", "sign"):
        assert not hasattr(exchange, each)
        with pytest.raises(PermissionError, match="not among what may be asked"):
            asyncio.run(exchange.ask(each, "BTC/USDT"))
    # and whatever ccxt does inside, it can neither sign nor send what is private
    assert (raw.apiKey, raw.secret, raw.password, raw.privateKey) == ("", "", "", "")
    assert raw.check_required_credentials(False) is False
    with pytest.raises(ccxt.AuthenticationError):
        raw.check_required_credentials()
    for api in ("private", ["v1", "private"], "fapiPrivate"):
        with pytest.raises(ccxt.AuthenticationError, match="Only what is public"):
            raw.sign("order", api, "POST", {})
    with pytest.raises(ccxt.AuthenticationError):
        asyncio.run(_private(raw))


async def _private(raw: Any) -> None:
    # with its markets known, asking for the balance is the first thing that it would send
    market = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT"} | {
        "type": "spot",
        "spot": True,
        "contract": False,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {},
    }
    raw.timeout_on_exit = 0
    raw.set_markets([raw.safe_market_structure({**market, "baseId": "BTC", "quoteId": "USDT"})])
    try:
        await raw.fetch_balance()
    finally:
        await raw.close(True)


def test_the_sources_of_feeds_name_nothing_that_trades() -> None:
    named = re.compile(
        r"create_?order|cancel_?order|edit_?order|close_?position|set_?leverage|withdraw\(|"
        r"privateP|environ|getenv",
        re.IGNORECASE,
    )
    files = sorted((ROOT / "balance" / "feeds").glob("*.py"))
    assert files
    assert [file.name for file in files if named.search(file.read_text())] == []


def test_a_linear_perpetual_comes_before_the_spot_market() -> None:
    markets: dict[str, Mapping[str, Any]] = {
        "BTC/USDT": {"spot": True, "symbol": "BTC/USDT"},
        "BTC/USDT:USDT": {"swap": True, "symbol": "BTC/USDT:USDT"},
        "BTC/USD:BTC": {"swap": True, "symbol": "BTC/USD:BTC"},
        "OLD/USDT:USDT": {"swap": True, "active": False, "symbol": "OLD/USDT:USDT"},
    }
    found = chosen(markets, "BTC/USDT")
    assert found is not None
    assert found["symbol"] == "BTC/USDT:USDT"
    assert chosen({"BTC/USDT": markets["BTC/USDT"]}, "BTC/USDT") == markets["BTC/USDT"]
    assert chosen(markets, "BTC/USD") is None
    assert chosen(markets, "OLD/USDT") is None


def test_steps_that_count_contracts_become_base_units() -> None:
    market = {
        "contractSize": 0.01,
        "precision": {"amount": 0.1, "price": 1e-05},
        "limits": {"amount": {"min": 0.1, "max": 1e5}, "cost": {"min": None}},
    }
    rules = ruled("DOGE/USDT", market, ccxt.TICK_SIZE, Decimal(1))
    assert (rules.tick_size, rules.step_size) == (Decimal("0.00001"), Decimal("0.001"))
    assert (rules.min_quantity, rules.max_quantity) == (Decimal("0.001"), Decimal(1000))
    assert str(rules.max_quantity) == "1000"
    assert rules.min_notional == 0


def test_precision_may_be_a_number_of_decimals_or_of_digits() -> None:
    market = {"precision": {"amount": 3, "price": 2}, "limits": {}}
    rules = ruled("X/USDT", market, ccxt.DECIMAL_PLACES, Decimal(1))
    assert (rules.tick_size, rules.step_size) == (Decimal("0.01"), Decimal("0.001"))
    assert has_tick(market, ccxt.DECIMAL_PLACES)
    digits = {"precision": {"amount": 8, "price": 5}, "limits": {}}
    assert not has_tick(digits, ccxt.SIGNIFICANT_DIGITS)
    assert ruled("X/USDT", digits, ccxt.SIGNIFICANT_DIGITS, Decimal("123.4")).tick_size == Decimal(
        "0.01"
    )


def tier(floor: float, rate: float, most: float) -> dict[str, float]:
    """A leverage tier as ccxt writes it."""
    return {"minNotional": floor, "maintenanceMarginRate": rate, "maxLeverage": most}


def test_public_leverage_tiers_become_brackets() -> None:
    tiers = [tier(0, 0.005, 100), tier(2e6, 0.01, 50)]
    held = ruled("BTC/USDT", {}, ccxt.TICK_SIZE, Decimal(1), tiers).brackets
    assert [(each.floor, each.max_leverage) for each in held] == [(0, 100), (2_000_000, 50)]
    assert held[1].maintenance_amount == 10_000


@pytest.mark.parametrize(
    "tiers",
    [
        [],
        [tier(0, 0.5, 100)],
        [tier(100, 0.005, 100)],
        [tier(0, 0.01, 50), tier(1000, 0.005, 100)],
        [tier(0, 0.005, 100), tier(0, 0.01, 50)],
        [tier(0, float("nan"), 100)],
        [tier(0, 0.005, 0)],
    ],
)
def test_tiers_that_make_no_sense_are_not_taken(tiers: list[dict[str, float]]) -> None:
    assert ruled("BTC/USDT", {}, ccxt.TICK_SIZE, Decimal(1), tiers).brackets == BTC.brackets


class Told:
    """A board, and a clock that goes on a second with each ticker."""

    def __init__(self, *, perpetual: bool = False) -> None:
        self.board = Board(BTC, perpetual=perpetual)
        self.second = 0

    def __call__(self, *, after: int = 1, stamped: float | None = None, **ticker: Any) -> Any:
        self.second += after
        now = NOW + timedelta(seconds=self.second)
        stamp = None if stamped is None else int((now.timestamp() + stamped) * 1000)
        return self.board.take({**ticker, "timestamp": stamp}, now, float(self.second))


def test_without_a_book_the_last_price_and_a_tick_above_it_stand_in() -> None:
    told = Told()
    assert told(last=60000) is None, "a book may still come"
    quote = told(last=60000.04, after=4)
    assert (quote.bid, quote.ask, quote.last) == (
        Decimal(60000),
        Decimal("60000.1"),
        Decimal(60000),
    )
    assert quote.mark == Decimal("60000.05")


def test_prices_come_onto_the_tick_and_never_closer_together() -> None:
    quote = Told()(last=60000.04, bid=59999.96, ask=60000.01)
    assert (quote.bid, quote.ask) == (Decimal("59999.9"), Decimal("60000.1"))
    assert quote.last == Decimal(60000)


def test_the_mark_of_the_exchange_counts_as_long_as_it_is_fresh() -> None:
    told = Told(perpetual=True)
    assert told(last=60000, bid=60000, ask=60001) is None, "its mark may still come"
    assert told(markPrice=60500.5).mark == Decimal("60500.5")
    assert told(last=60000, bid=60000, ask=60001, after=29).mark == Decimal("60500.5")
    assert told(last=60000, bid=60000, ask=60001, after=2).mark == Decimal("60000.5")


def test_a_mark_alone_does_not_keep_old_prices_alive() -> None:
    told = Told(perpetual=True)
    told(markPrice=60000)
    assert told(last=60000, bid=60000, ask=60001) is not None
    assert told(markPrice=60001, after=9) is not None
    assert told(markPrice=60002, after=9) is None


@pytest.mark.parametrize(
    ("ticker", "words"),
    [
        ({"last": float("nan")}, "a price of nan"),
        ({"last": float("inf")}, "a price of inf"),
        ({"last": -1, "bid": 1, "ask": 2}, "a price of -1"),
        ({"last": 60000, "bid": 60002, "ask": 60001}, "a bid of 60002 above the ask of 60001"),
        ({"last": 60000, "stamped": 61.0}, "a time 61 s ahead of this computer's clock"),
        ({"last": "oops"}, "a price of oops"),
    ],
)
def test_nonsense_is_refused_with_what_was_wrong(ticker: dict[str, Any], words: str) -> None:
    told = Told()
    assert told(**ticker) is None
    assert words in told.board.refused
    assert told(last=60000, bid=60000, ask=60001) is not None
    assert told.board.refused == ""


def test_what_is_older_than_the_last_is_not_taken() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001, stamped=0)
    assert told(last=50000, bid=50000, ask=50001, stamped=-30) is None
    assert told(last=60001, bid=60000, ask=60001, stamped=0).last == Decimal(60001)


def test_a_leap_waits_until_three_in_a_row_have_told_it() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001)
    for _ in range(2):
        assert told(last=20000, bid=20000, ask=20001) is None
        assert "a leap of BTC/USDT" in told.board.refused
    assert told(last=20000, bid=20000, ask=20001).last == Decimal(20000)


def test_a_leap_that_is_not_told_again_never_counts() -> None:
    told = Told()
    sane = {"last": 60000, "bid": 60000, "ask": 60001}
    told(**sane)
    for leap in (20000, 200000, 20000, 200000, 20000):
        assert told(last=leap, bid=leap, ask=leap + 1) is None
    for _ in range(5):
        assert told(last=20000, bid=20000, ask=20001) is None
        assert told(**sane).last == Decimal(60000)


def test_the_same_leap_read_again_and_again_confirms_nothing() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001, stamped=0)
    for back in range(5):
        assert told(last=20000, bid=20000, ask=20001, stamped=-float(back)) is None


def test_after_a_minute_without_prices_any_price_may_be_right() -> None:
    told = Told()
    told(last=60000, bid=60000, ask=60001)
    assert told(last=20000, bid=20000, ask=20001, after=61).last == Decimal(20000)


def test_the_price_of_a_day_before_may_be_told_as_a_percentage() -> None:
    assert Told()(last=110, bid=110, ask=111, percentage=10).day_open == Decimal(100)
    assert Told()(last=110, bid=110, ask=111, open=105).day_open == Decimal(105)


def test_only_the_newest_quote_of_a_symbol_counts_and_time_never_goes_back() -> None:
    inbox = Inbox("binance", 10, lambda: 0.0)

    def quote(symbol: str, price: int, second: int) -> Quote:
        return Quote(
            symbol=symbol,
            bid=Decimal(price),
            ask=Decimal(price + 1),
            last=Decimal(price),
            mark=Decimal(price),
            time=NOW + timedelta(seconds=second),
        )

    for price in range(1, 50):
        inbox.put(quote("BTC/USDT", price, price))
    inbox.put(quote("ETH/USDT", 7, 3))
    assert [(each.symbol, each.last) for each in inbox.next(1)] == [
        ("ETH/USDT", Decimal(7)),
        ("BTC/USDT", Decimal(49)),
    ]
    inbox.put(quote("ETH/USDT", 8, 4))
    (late,) = inbox.next(1)
    assert (late.last, late.time) == (Decimal(8), NOW + timedelta(seconds=49))
    assert inbox.next(0) == ()


def test_waits_double_up_to_a_minute_and_vary_by_chance() -> None:
    assert [wait_after(n, PACE, lambda: 0.0) for n in (1, 2, 3, 4, 7, 8, 5000)] == [
        *(1, 2, 4, 8, 60, 60, 60)
    ]
    assert wait_after(4, PACE, lambda: 1.0) == 6
