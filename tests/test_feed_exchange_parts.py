"""The parts of the feed of an exchange: what may be asked, rules, what is told, waiting."""

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
from balance.market.exchange.feed import LatestQuotes
from balance.market.exchange.public import PUBLIC, PublicExchange, raw_exchange
from balance.market.exchange.retry import TIMING, error_message, wait_after
from balance.market.exchange.rules import chosen, has_grid, ruled
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
    files = sorted((ROOT / "balance" / "market").rglob("*.py"))
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
    assert has_grid(market, ccxt.DECIMAL_PLACES)
    digits = {"precision": {"amount": 8, "price": 5}, "limits": {}}
    assert not has_grid(digits, ccxt.SIGNIFICANT_DIGITS)
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


def test_only_the_newest_quote_of_a_symbol_counts_and_time_never_goes_back() -> None:
    quotes = LatestQuotes("binance", 10, lambda: 0.0)

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
        quotes.put(quote("BTC/USDT", price, price))
    quotes.put(quote("ETH/USDT", 7, 3))
    assert [(each.symbol, each.last) for each in quotes.next(1)] == [
        ("ETH/USDT", Decimal(7)),
        ("BTC/USDT", Decimal(49)),
    ]
    quotes.put(quote("ETH/USDT", 8, 4))
    (late,) = quotes.next(1)
    assert (late.last, late.time) == (Decimal(8), NOW + timedelta(seconds=49))
    assert quotes.next(0) == ()


def test_of_several_troubles_the_worst_is_told_and_what_was_missed_besides() -> None:
    quotes = LatestQuotes("binance", 10, lambda: 0.0)
    assert quotes.message == "Waiting for the first prices of binance."
    for about in ("candles", "stream", "missed", "prices", "nonsense BTC/USDT"):
        quotes.report(about, f"{about}!")
    assert quotes.message == "prices! missed!"
    quotes.report("prices", "")
    assert quotes.message == "nonsense BTC/USDT! missed!"
    for about in ("nonsense BTC/USDT", "stream", "missed"):
        quotes.report(about, "")
    assert quotes.message == "candles!"


def test_a_country_that_is_not_served_is_told_so() -> None:
    error = ccxt.ExchangeNotAvailable("binance GET https://api.binance.com/x 451 Unavailable {}")
    assert error_message("binance", error) == (
        "binance refuses to serve this computer (451); some don't serve every country."
    )


def test_waits_double_up_to_a_minute_and_vary_by_chance() -> None:
    assert [wait_after(n, TIMING, lambda: 0.0) for n in (1, 2, 3, 4, 7, 8, 5000)] == [
        *(1, 2, 4, 8, 60, 60, 60)
    ]
    assert wait_after(4, TIMING, lambda: 1.0) == 6
