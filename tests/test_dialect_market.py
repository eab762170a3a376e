"""Prices in the dialect: each path, with its fields, types and errors, as unmodified clients read
them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.binance.errors import Refusal
from balance.binance.exchange_info import exchange_info
from balance.binance.funding_history import FundingHistory
from balance.binance.market_data import INTERVALS
from balance.core.candles import merge_candles
from balance.core.instrument import Instrument
from balance.core.instruments import KNOWN, instrument
from balance.core.moments import milliseconds
from balance.core.money import exact
from balance.core.quote import Candle, Settlement
from balance.desk.desk import Desk
from balance.keys.addresses import Addresses
from balance.market.board import FileBoard, LiveBoard, save_market
from balance.market.feed import Feed
from balance.market.replay.feed import ReplayFeed
from balance.market.simulated.feed import SimulatedFeed
from balance.store.memory_store import MemoryStore
from tests import exchange_feeds
from tests.accounts import MOMENT
from tests.boards import board, priced
from tests.dialect import Dialect, answered, ccxt_of
from tests.exchange_feeds import StartFeed, quoted
from tests.exchange_server import ExchangeServer
from tests.markets import BTC, ETH, SOL, market, quote
from tests.patience import patience, wait_for

exchange, live = exchange_feeds.exchange, exchange_feeds.live

NOW = milliseconds(MOMENT)
#: All paths that answer about one symbol at a live price.
LIVE = (
    "/fapi/v1/depth",
    "/fapi/v1/ticker/bookTicker",
    "/fapi/v1/ticker/price",
    "/fapi/v2/ticker/price",
    "/fapi/v1/ticker/24hr",
    "/fapi/v1/premiumIndex",
    "/fapi/v1/openInterest",
)
#: Those that answer about all without one.
LISTS = (
    "/fapi/v1/ticker/bookTicker",
    "/fapi/v1/ticker/price",
    "/fapi/v2/ticker/price",
    "/fapi/v1/ticker/24hr",
    "/fapi/v1/premiumIndex",
)
KLINES = {
    "/fapi/v1/klines": {"symbol": "BTCUSDT"},
    "/fapi/v1/continuousKlines": {"pair": "BTCUSDT", "contractType": "PERPETUAL"},
    "/fapi/v1/markPriceKlines": {"symbol": "BTCUSDT"},
    "/fapi/v1/indexPriceKlines": {"pair": "BTCUSDT"},
}
MINUTE = 60_000


@pytest.fixture
def dialect() -> Dialect:
    """A program at the prices of a board that stands still."""
    return Dialect()


def on(**changes: Any) -> Dialect:
    """A program at the prices of a board with ``changes`` of its market."""
    found = board()
    found.market = replace(found.market, **changes)
    return Dialect(Desk(MemoryStore(), found))


def minutes(count: int, *, first: datetime = MOMENT, gaps: bool = False) -> list[Candle]:
    """``count`` candles of a minute from ``first`` on; with ``gaps`` every fifth is missing."""
    begin = first.replace(second=0, microsecond=0)
    return [
        Candle(
            time=begin + timedelta(minutes=number),
            open=Decimal(100 + number),
            high=Decimal(110 + number),
            low=Decimal(90 + number),
            close=Decimal(105 + number),
            volume=Decimal(number + 1) / 1000,
        )
        for number in range(count)
        if not gaps or number % 5
    ]


def with_candles(candles: Sequence[Candle]) -> Dialect:
    """A program on a board that has ``candles`` of a minute."""
    found = board()

    def newest(_: str, seconds: int, limit: int) -> Sequence[Candle]:
        merged = list(merge_candles(candles, seconds))
        return merged[-limit:] if limit > 0 else []

    found.candles = newest
    return Dialect(Desk(MemoryStore(), found))


@cache
def past(*, gaps: bool) -> tuple[list[Candle], Dialect]:
    """200 minutes of candles, and a program that reads them."""
    candles = minutes(200, gaps=gaps)
    return candles, with_candles(candles)


def at(feed: Feed) -> Dialect:
    """A program at the newest prices of ``feed``, which knows its past."""
    found = LiveBoard()
    found.candles = feed.candles
    prices = feed.next(patience())
    found.market = market(*prices, instruments=feed.instruments, feed=feed.id)
    dialect = Dialect(Desk(MemoryStore(), found), settle=feed.settlement)
    dialect.services.ticks.look(found.market)
    return dialect


def texts_in(answer: Any) -> Iterator[str]:
    """All texts in ``answer``, but for names of fields."""
    if isinstance(answer, str):
        yield answer
    elif isinstance(answer, list | dict):
        for each in answer.values() if isinstance(answer, dict) else answer:
            yield from texts_in(each)


class TestTime:
    """The time is that of the wall, whatever the feed's is."""

    def test_it_is_now(self, dialect: Dialect) -> None:
        before = milliseconds(datetime.now(MOMENT.tzinfo))
        found = dialect.get("/fapi/v1/time")
        assert set(found) == {"serverTime"}
        assert before <= found["serverTime"] <= milliseconds(datetime.now(MOMENT.tzinfo))
        assert found["serverTime"] != NOW

    def test_the_server_is_there(self, dialect: Dialect) -> None:
        assert dialect.get("/fapi/v1/ping") == {}


class TestExchangeInfo:
    """What may be traded, and by which rules."""

    def test_it_has_all_that_clients_read(self, dialect: Dialect) -> None:
        info = dialect.get("/fapi/v1/exchangeInfo")
        assert set(info) == {
            *("timezone", "serverTime", "futuresType", "rateLimits", "exchangeFilters", "assets"),
            "symbols",
        }
        assert info["timezone"] == "UTC"
        assert info["exchangeFilters"] == []
        assert info["assets"] == [
            {"asset": "USDT", "marginAvailable": True, "autoAssetExchange": "0"}
        ]
        for limit in info["rateLimits"]:
            assert {name: type(each) for name, each in limit.items()} == {
                "rateLimitType": str,
                "interval": str,
                "intervalNum": int,
                "limit": int,
            }

    def test_a_symbol_has_its_rules(self, dialect: Dialect) -> None:
        symbols = dialect.get("/fapi/v1/exchangeInfo")["symbols"]
        assert [each["symbol"] for each in symbols] == ["BTCUSDT", "ETHUSDT", "SOLUSDT"]
        assert symbols[0] == {
            "symbol": "BTCUSDT",
            "pair": "BTCUSDT",
            "contractType": "PERPETUAL",
            "deliveryDate": 4133404800000,
            "onboardDate": 0,
            "status": "TRADING",
            "maintMarginPercent": "0.4000",
            "requiredMarginPercent": "0.6667",
            "baseAsset": "BTC",
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "pricePrecision": 1,
            "quantityPrecision": 3,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": [],
            "settlePlan": 0,
            "triggerProtect": "0.0000",
            "liquidationFee": "0.000000",
            "marketTakeBound": "0.5",
            "filters": [
                {
                    "filterType": "PRICE_FILTER",
                    "minPrice": "0.1",
                    "maxPrice": "1000000000000",
                    "tickSize": "0.1",
                },
                *(
                    {
                        "filterType": name,
                        "minQty": "0.001",
                        "maxQty": "10000000000000",
                        "stepSize": "0.001",
                    }
                    for name in ("LOT_SIZE", "MARKET_LOT_SIZE")
                ),
                {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": 200},
                {"filterType": "MIN_NOTIONAL", "notional": "5"},
                {
                    "filterType": "PERCENT_PRICE",
                    "multiplierUp": "1000000000000000000000000",
                    "multiplierDown": "0",
                    "multiplierDecimal": "0",
                },
            ],
            "orderTypes": [
                "LIMIT",
                "MARKET",
                "STOP",
                "STOP_MARKET",
                "TAKE_PROFIT",
                "TAKE_PROFIT_MARKET",
                "TRAILING_STOP_MARKET",
            ],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
        }
        # another date would be one of a symbol that is delisted
        assert {each["deliveryDate"] for each in symbols} == {4133404800000}

    def test_other_dollars_are_margined_in_themselves(self) -> None:
        rules = replace(KNOWN[BTC], symbol="BTC/USDC")
        info = exchange_info(market(instruments={"BTC/USDC": rules}), MOMENT)
        (symbol,) = info["symbols"]
        assert symbol["symbol"] == symbol["pair"] == "BTCUSDC"
        assert symbol["quoteAsset"] == symbol["marginAsset"] == "USDC"
        assert [each["asset"] for each in info["assets"]] == ["USDT", "USDC"]

    @settings(max_examples=50)
    @given(
        st.decimals(min_value="1e-9", max_value="1e6", allow_nan=False),
        st.sampled_from([None, "0.007", "12345678.9", "3"]),
    )
    def test_filters_are_multiples_of_tick_and_step_in_plain_digits(
        self, price: Decimal, most: str | None
    ) -> None:
        rules = instrument("NEW/USDT", price)
        rules = replace(rules, max_quantity=None if most is None else Decimal(most))
        (symbol,) = exchange_info(market(instruments={"NEW/USDT": rules}), MOMENT)["symbols"]
        texts = [
            value
            for each in symbol["filters"]
            for name, value in each.items()
            if name not in ("filterType", "limit")
        ]
        for text in texts:
            assert set(text) <= set("0123456789."), text
            assert not text.endswith((".", ".0")), text
        by_type = {each["filterType"]: each for each in symbol["filters"]}
        prices, lots = by_type["PRICE_FILTER"], by_type["LOT_SIZE"]
        assert Decimal(prices["tickSize"]) == rules.tick_size
        assert Decimal(lots["stepSize"]) == rules.step_size
        with exact():
            assert Decimal(prices["maxPrice"]) % rules.tick_size == 0
            assert Decimal(lots["maxQty"]) % rules.step_size == 0
        assert symbol["pricePrecision"] == len(prices["tickSize"].partition(".")[2])
        assert symbol["quantityPrecision"] == len(lots["stepSize"].partition(".")[2])

    def test_without_a_feed_nothing_may_be_traded(self) -> None:
        dialect = Dialect(Desk(MemoryStore()))
        assert dialect.get("/fapi/v1/exchangeInfo")["symbols"] == []


class TestCandles:
    """Candles, whichever price they are asked of."""

    def test_a_row_has_its_places(self, dialect: Dialect) -> None:
        rows = dialect.get("/fapi/v1/klines", symbol="BTCUSDT", interval="1m")
        assert len(rows) == 10
        assert rows[0] == [
            *(NOW, "100.0", "103.0", "99.0", "102.0", "1.500", NOW + MINUTE - 1),
            # at its typical price, (103 + 99 + 102) / 3
            *("152.00000000", 0, "0", "0", "0"),
        ]
        assert [row[0] for row in rows] == [NOW + number * MINUTE for number in range(10)]

    @pytest.mark.parametrize("path", KLINES)
    def test_each_path_has_them(self, dialect: Dialect, path: str) -> None:
        rows = dialect.get(path, interval="5m", limit=3, **KLINES[path])
        usual = dialect.get("/fapi/v1/klines", symbol="BTCUSDT", interval="5m", limit=3)
        has_volume = "Price" not in path
        assert len(rows) == 3
        for row, other in zip(rows, usual, strict=True):
            assert row[:5] == other[:5]
            assert row[6] == other[6] == row[0] + 5 * MINUTE - 1
            assert [row[5], row[7]] == ([other[5], other[7]] if has_volume else ["0", "0"])

    @pytest.mark.parametrize("interval", INTERVALS)
    def test_each_length_is_that(self, interval: str) -> None:
        dialect = with_candles(minutes(3 * 1_440))
        rows = dialect.get("/fapi/v1/klines", symbol="BTCUSDT", interval=interval, limit=1_500)
        seconds = INTERVALS[interval]
        assert all(row[0] % (seconds * 1_000) == 0 for row in rows)
        assert all(row[6] - row[0] == seconds * 1_000 - 1 for row in rows)
        assert rows[-1][0] <= milliseconds(minutes(3 * 1_440)[-1].time)

    @pytest.mark.parametrize("interval", ["1s", "3d", "1w", "1M", "7m", "1D", "", "1m " * 900])
    def test_another_length_is_refused(self, dialect: Dialect, interval: str) -> None:
        expected = (
            (-1120, "Invalid interval.")
            if interval
            else (
                -1102,
                "Mandatory parameter 'interval' was not sent, was empty/null, or malformed.",
            )
        )
        for path, names in KLINES.items():
            assert dialect.refused(path, interval=interval, **names) == expected

    @pytest.mark.parametrize("limit", ["0", "1501", "99999999999999999999"])
    def test_another_number_is_refused(self, dialect: Dialect, limit: str) -> None:
        found = dialect.refused("/fapi/v1/klines", symbol="BTCUSDT", interval="1m", limit=limit)
        assert found == (-1130, "Data sent for parameter 'limit' is not valid.")

    def test_only_the_perpetual_is_a_contract(self, dialect: Dialect) -> None:
        for kind in ("CURRENT_QUARTER", "perpetual"):
            assert dialect.refused(
                "/fapi/v1/continuousKlines", pair="BTCUSDT", contractType=kind, interval="1m"
            ) == (-1130, "Data sent for parameter 'contractType' is not valid.")
        code, _ = dialect.refused("/fapi/v1/continuousKlines", pair="BTCUSDT", interval="1m")
        assert code == -1102

    @settings(max_examples=50)
    @given(
        st.integers(-50, 250), st.integers(-50, 250), st.integers(1, 120), st.booleans(), st.data()
    )
    def test_with_a_time_they_are_the_first_from_it_else_the_newest(
        self, first: int, last: int, limit: int, gaps: bool, data: st.DataObject
    ) -> None:
        candles, dialect = past(gaps=gaps)
        origin = milliseconds(candles[0].time)
        since = data.draw(
            st.sampled_from([None, origin + first * MINUTE + 7, origin + first * MINUTE])
        )
        until = data.draw(
            st.sampled_from([None, origin + last * MINUTE, origin + last * MINUTE - 1])
        )
        rows = dialect.get(
            "/fapi/v1/klines",
            symbol="BTCUSDT",
            interval="1m",
            limit=limit,
            startTime=None if since is None else max(since, 0),
            endTime=until,
        )
        within = [
            time
            for time in (milliseconds(each.time) for each in candles)
            if (since is None or time >= since) and (until is None or time <= until)
        ]
        expected = within[-limit:] if since is None else within[:limit]
        assert [row[0] for row in rows] == expected

    def test_paging_gives_each_candle_once(self) -> None:
        candles = minutes(5_000, gaps=True)
        dialect = with_candles(candles)
        found: list[int] = []
        since = 0
        while rows := dialect.get(
            "/fapi/v1/klines", symbol="BTCUSDT", interval="1m", limit=1_500, startTime=since
        ):
            found += [row[0] for row in rows]
            since = rows[-1][0] + 1
        assert found == [milliseconds(each.time) for each in candles]

    def test_prices_have_the_decimals_of_the_tick(self) -> None:
        coin = replace(
            KNOWN[BTC], symbol="PEPE/USDT", tick_size=Decimal("1e-10"), step_size=Decimal(1)
        )
        dialect = on(instruments={"PEPE/USDT": coin})
        (row,) = dialect.get("/fapi/v1/klines", symbol="PEPEUSDT", interval="1m", limit=1)
        assert row[1:5] == [f"{price}.0000000000" for price in (109, 112, 108, 111)]
        # more digits than the step has
        assert row[5] == "1.5"

    def test_a_server_that_follows_says_where_they_are(self, dialect: Dialect) -> None:
        followed = with_candles([])
        followed.services.leads = False
        followed.services.keys.serve_at(Addresses("http://127.0.0.1:8050"))
        for path, names in KLINES.items():
            code, message = followed.refused(path, 503, interval="1m", **names)
            assert code == -1001
            assert "follows another one" in message
            assert message.endswith("ask http://127.0.0.1:8050.")
        code, _ = followed.refused("/fapi/v1/ticker/24hr", 503, symbol="BTCUSDT")
        assert code == -1001
        # where there are some, an empty answer is one
        leads = with_candles([])
        assert leads.get("/fapi/v1/klines", symbol="BTCUSDT", interval="1m") == []


class TestPrices:
    """The newest prices of a symbol, and of all."""

    def test_the_book_has_one_level(self) -> None:
        found = board()
        found.market = market(quote(BTC, 40_000, bid=39_999, ask="40000.5"))
        dialect = Dialect(Desk(MemoryStore(), found))
        book = dialect.get("/fapi/v1/depth", symbol="BTCUSDT", limit=20)
        assert set(book) == {"lastUpdateId", "E", "T", "bids", "asks"}
        assert {type(book[name]) for name in ("lastUpdateId", "E", "T")} == {int}
        assert book["T"] == NOW
        # the largest position there may be, 1,800,000,000 USDT
        assert book["bids"] == [["39999.0", "45001.125"]]
        assert book["asks"] == [["40000.5", "44999.437"]]

    def test_the_market_s_depth_is_what_is_offered(self) -> None:
        found = board()
        terms = replace(found.market.terms, market_depth=Decimal(100_000))
        dialect = on(terms=terms)
        book = dialect.get("/fapi/v1/depth", symbol="BTCUSDT")
        assert book["bids"] == book["asks"] == [["40000.0", "2.500"]]
        # never nothing
        tiny = replace(found.market.terms, market_depth=Decimal("0.01"))
        book = on(terms=tiny).get("/fapi/v1/depth", symbol="BTCUSDT")
        assert book["bids"] == [["40000.0", "0.001"]]

    def test_the_number_of_a_book_rises_with_its_changes(self) -> None:
        found = board()
        dialect = Dialect(Desk(MemoryStore(), found))
        look = dialect.services.ticks.look
        look(found.market)
        first = dialect.get("/fapi/v1/depth", symbol="BTCUSDT")["lastUpdateId"]
        assert dialect.get("/fapi/v1/depth", symbol="BTCUSDT")["lastUpdateId"] == first
        priced(found, 40_001)
        look(found.market)
        assert dialect.get("/fapi/v1/depth", symbol="BTCUSDT")["lastUpdateId"] > first

    @pytest.mark.parametrize("limit", ["0", "1001", "x"])
    def test_a_depth_that_there_is_not_is_refused(self, dialect: Dialect, limit: str) -> None:
        code, _ = dialect.refused("/fapi/v1/depth", symbol="BTCUSDT", limit=limit)
        assert code == (-1100 if limit == "x" else -1130)

    def test_bid_and_ask(self, dialect: Dialect) -> None:
        assert dialect.get("/fapi/v1/ticker/bookTicker", symbol="BTCUSDT") == {
            "symbol": "BTCUSDT",
            "bidPrice": "40000.0",
            "bidQty": "45000.000",
            "askPrice": "40000.0",
            "askQty": "45000.000",
            "time": NOW,
        }

    @pytest.mark.parametrize("version", ["v1", "v2"])
    def test_the_last_price(self, dialect: Dialect, version: str) -> None:
        path = f"/fapi/{version}/ticker/price"
        assert dialect.get(path, symbol="ETHUSDT") == {
            "symbol": "ETHUSDT",
            "price": "2000.00",
            "time": NOW,
        }

    def test_the_last_day(self) -> None:
        dialect = with_candles(minutes(60))
        found = dialect.get("/fapi/v1/ticker/24hr", symbol="BTCUSDT")
        volume = Decimal(sum(range(1, 61))) / 1_000
        assert found == {
            "symbol": "BTCUSDT",
            "priceChange": "1000.0",
            "priceChangePercent": "2.564",
            "weightedAvgPrice": found["weightedAvgPrice"],
            "lastPrice": "40000.0",
            "lastQty": "0.001",
            "openPrice": "39000.0",
            "highPrice": "40000.0",
            "lowPrice": "90.0",
            "volume": f"{volume:.3f}",
            "quoteVolume": found["quoteVolume"],
            "openTime": NOW - 86_400_000,
            "closeTime": NOW,
            "firstId": 0,
            "lastId": 0,
            "count": 0,
        }
        average = Decimal(found["quoteVolume"]) / volume
        assert found["weightedAvgPrice"] == f"{average:.1f}"

    def test_a_day_is_of_24_hours(self) -> None:
        candles = minutes(3 * 1_440)
        dialect = with_candles(candles)
        day = candles[-1_440:]
        for _ in range(2):
            found = dialect.get("/fapi/v1/ticker/24hr", symbol="ETHUSDT")
            assert Decimal(found["volume"]) == sum(each.volume for each in day)
            assert found["openPrice"] == f"{day[0].open:.2f}"
            assert found["openTime"] == milliseconds(day[0].time)
            assert found["lowPrice"] == f"{min(2_000, *(each.low for each in day)):.2f}"

    def test_a_day_goes_on_with_the_running_minute(self) -> None:
        candles = minutes(100)
        dialect = with_candles(candles)
        before = dialect.get("/fapi/v1/ticker/24hr", symbol="ETHUSDT")
        candles[-1] = replace(candles[-1], high=Decimal(9_999), volume=Decimal(7))
        after = dialect.get("/fapi/v1/ticker/24hr", symbol="ETHUSDT")
        assert after["highPrice"] == "9999.00" != before["highPrice"]
        assert Decimal(after["volume"]) - Decimal(before["volume"]) == 7 - Decimal("0.1")
        candles.extend(minutes(1, first=candles[-1].time + timedelta(minutes=1)))
        later = dialect.get("/fapi/v1/ticker/24hr", symbol="ETHUSDT")
        assert Decimal(later["volume"]) - Decimal(after["volume"]) == Decimal("0.001")

    def test_a_day_without_a_candle_is_that_of_the_quote(self) -> None:
        found = with_candles([]).get("/fapi/v1/ticker/24hr", symbol="BTCUSDT")
        assert (found["highPrice"], found["lowPrice"]) == ("40000.0", "39000.0")
        assert (found["volume"], found["quoteVolume"]) == ("0.000", "0.00000000")
        assert found["weightedAvgPrice"] == "40000.0"

    def test_the_mark_price_and_the_coming_funding(self, dialect: Dialect) -> None:
        settles = milliseconds(MOMENT.replace(hour=8, minute=0, second=0, microsecond=0))
        assert dialect.get("/fapi/v1/premiumIndex", symbol="BTCUSDT") == {
            "symbol": "BTCUSDT",
            "markPrice": "40000.0",
            "indexPrice": "40000.0",
            "estimatedSettlePrice": "40000.0",
            "lastFundingRate": "0.00010000",
            "interestRate": "0.00000000",
            "nextFundingTime": settles,
            "time": NOW,
        }
        # without a rate nothing is settled
        other = dialect.get("/fapi/v1/premiumIndex", symbol="ETHUSDT")
        assert other["lastFundingRate"] == "0.00000000"

    def test_a_mark_price_off_the_tick_has_its_own_digits(self) -> None:
        found = board()
        found.market = market(replace(quote(BTC, 40_000), mark=Decimal("40000.123456789")))
        dialect = Dialect(Desk(MemoryStore(), found))
        premium = dialect.get("/fapi/v1/premiumIndex", symbol="BTCUSDT")
        assert premium["markPrice"] == "40000.123456789"

    def test_other_intervals_of_funding_are_listed(self) -> None:
        rules = {BTC: KNOWN[BTC], ETH: replace(KNOWN[ETH], funding_interval=timedelta(hours=4))}
        assert on(instruments=rules).get("/fapi/v1/fundingInfo") == [
            {
                "symbol": "ETHUSDT",
                "adjustedFundingRateCap": "",
                "adjustedFundingRateFloor": "",
                "fundingIntervalHours": 4,
                "disclaimer": False,
            }
        ]

    def test_past_settlements_are_those_of_the_feed(self) -> None:
        feed = SimulatedFeed()
        dialect = at(feed)
        rows = dialect.get("/fapi/v1/fundingRate", symbol="BTCUSDT")
        # three days of the past, with the close of a minute before each
        assert len(rows) in (8, 9)
        assert [row["fundingTime"] % (8 * 3_600_000) for row in rows] == [0] * len(rows)
        for row in rows:
            instant = datetime.fromtimestamp(row["fundingTime"] / 1_000, UTC)
            known = feed.settlement(BTC, instant)
            assert known is not None
            assert row == {
                "symbol": "BTCUSDT",
                "fundingRate": f"{known.rate:.8f}",
                "fundingTime": row["fundingTime"],
                "markPrice": f"{known.mark:.1f}",
            }

        def page(**sent: object) -> Any:
            return dialect.get("/fapi/v1/fundingRate", symbol="BTCUSDT", **sent)

        assert page(limit=2) == rows[-2:]
        assert page(startTime=0, limit=2) == rows[:2]
        assert page(startTime=rows[2]["fundingTime"], limit=2) == rows[2:4]
        assert page(startTime=rows[2]["fundingTime"] + 1, limit=2) == rows[3:5]
        assert page(endTime=rows[3]["fundingTime"], limit=2) == rows[2:4]
        assert page(startTime=rows[1]["fundingTime"], endTime=rows[3]["fundingTime"]) == rows[1:4]
        assert page(startTime=rows[-1]["fundingTime"] + 1) == page(endTime=0) == []
        of_all = dialect.get("/fapi/v1/fundingRate")
        assert [row for row in of_all if row["symbol"] == "BTCUSDT"] == rows
        assert len(of_all) == 3 * len(rows)
        times = [row["fundingTime"] for row in of_all]
        assert times == sorted(times)

    def test_settlements_that_take_long_are_asked_for_again(self) -> None:
        now, asked = [0.0], Counter[datetime]()

        def settle(_: str, instant: datetime) -> Settlement | None:
            asked[instant] += 1
            now[0] += 0.9
            known = MOMENT - instant < timedelta(days=2)
            return Settlement(rate=Decimal("0.0001"), mark=Decimal(40_000)) if known else None

        history = FundingHistory(settle, lambda: now[0])
        with pytest.raises(Refusal, match="are being looked up") as raised:
            history.settlements(market(), [BTC], 6)
        assert (raised.value.code, raised.value.status) == (-1001, 503)
        assert len(history.settlements(market(), [BTC], 6)) == 6
        before = sum(asked.values())
        assert before == 6
        assert len(history.settlements(market(), [BTC], 6)) == 6
        assert sum(asked.values()) == before

    def test_others_hold_nothing(self, dialect: Dialect) -> None:
        assert dialect.get("/fapi/v1/openInterest", symbol="BTCUSDT") == {
            "symbol": "BTCUSDT",
            "openInterest": "0",
            "time": NOW,
        }

    @pytest.mark.parametrize("path", LISTS)
    def test_without_a_symbol_there_are_all_that_have_a_price(
        self, dialect: Dialect, path: str
    ) -> None:
        rows = dialect.get(path)
        assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT"]
        assert rows == [dialect.get(path, symbol=name) for name in ("BTCUSDT", "ETHUSDT")]

    @pytest.mark.parametrize("path", [*LIVE, "/fapi/v1/trades", "/fapi/v1/aggTrades"])
    def test_another_symbol_is_refused(self, dialect: Dialect, path: str) -> None:
        for name in ("XYZUSDT", "BTCUSD_PERP", "BTC", "B" * 10_000):
            assert dialect.refused(path, symbol=name) == (-1121, "Invalid symbol.")
        if path not in LISTS:
            message = "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."
            assert dialect.refused(path) == (-1102, message)

    @pytest.mark.parametrize("path", LIVE)
    def test_without_a_live_price_it_says_so(self, path: str) -> None:
        dead = on(live=frozenset(), state="stale", message="The line is down.")
        code, message = dead.refused(path, 503, symbol="BTCUSDT")
        assert code == -1001
        assert "no live price now" in message
        assert "The line is down." in message
        # one that never had one
        assert Dialect().refused(path, 503, symbol="SOLUSDT")[0] == -1001
        if path in LISTS:
            assert dead.refused(path, 503)[0] == -1001

    def test_candles_and_rules_of_a_dead_feed_are_still_there(self) -> None:
        dead = on(live=frozenset(), state="stale")
        assert len(dead.get("/fapi/v1/klines", symbol="BTCUSDT", interval="1m")) == 10
        assert len(dead.get("/fapi/v1/exchangeInfo")["symbols"]) == 3


class TestTrades:
    """The newest changes of the price, as trades of others."""

    @pytest.fixture
    def moved(self) -> Dialect:
        """After Bitcoin went from 40,000 to 40,001, 40,000.5 and 40,000.6."""
        found = board()
        dialect = Dialect(Desk(MemoryStore(), found))
        dialect.services.ticks.look(found.market)
        for price in (40_001, "40000.5", "40000.6"):
            priced(found, price)
            dialect.services.ticks.look(found.market)
        return dialect

    def test_each_is_the_smallest_there_is(self, moved: Dialect) -> None:
        trades = moved.get("/fapi/v1/trades", symbol="BTCUSDT")
        assert [row["price"] for row in trades] == ["40000.0", "40001.0", "40000.5", "40000.6"]
        assert [row["isBuyerMaker"] for row in trades] == [False, False, True, False]
        ids = [row["id"] for row in trades]
        assert ids == sorted(set(ids))
        assert trades[-1] == {
            "id": ids[-1],
            "price": "40000.6",
            "qty": "0.001",
            "quoteQty": "40.00060000",
            "time": NOW,
            "isBuyerMaker": False,
        }
        assert moved.get("/fapi/v1/trades", symbol="BTCUSDT", limit=2) == trades[-2:]

    def test_those_of_one_order_are_one(self, moved: Dialect) -> None:
        trades = moved.get("/fapi/v1/trades", symbol="BTCUSDT")
        rows = moved.get("/fapi/v1/aggTrades", symbol="BTCUSDT")
        for row, trade in zip(rows, trades, strict=True):
            assert row == {
                "a": trade["id"],
                "p": trade["price"],
                "q": trade["qty"],
                "f": trade["id"],
                "l": trade["id"],
                "T": trade["time"],
                "m": trade["isBuyerMaker"],
            }

    def test_they_are_read_page_by_page(self, moved: Dialect) -> None:
        rows = moved.get("/fapi/v1/aggTrades", symbol="BTCUSDT")

        def page(**sent: object) -> Any:
            return moved.get("/fapi/v1/aggTrades", symbol="BTCUSDT", **sent)

        assert page(limit=2) == rows[-2:]
        assert page(fromId=rows[1]["a"], limit=2) == rows[1:3]
        assert page(startTime=NOW, limit=1) == rows[:1]
        assert page(startTime=NOW + 1) == page(endTime=NOW - 1) == []
        assert page(fromId=rows[-1]["a"] + 1) == []
        older = {"symbol": "BTCUSDT", "fromId": rows[1]["a"], "limit": 2}
        answer = moved.keyed("GET", "/fapi/v1/historicalTrades", **older)
        assert [row["id"] for row in answered(answer)] == [row["a"] for row in rows[1:3]]
        answer = moved.keyed("GET", "/fapi/v1/historicalTrades", symbol="BTCUSDT", limit=2)
        assert answered(answer) == moved.get("/fapi/v1/trades", symbol="BTCUSDT", limit=2)
        assert moved.refused("/fapi/v1/historicalTrades", 401, symbol="BTCUSDT")[0] == -2014

    def test_a_price_that_never_moved_has_none(self, dialect: Dialect) -> None:
        assert dialect.get("/fapi/v1/trades", symbol="SOLUSDT") == []
        assert dialect.get("/fapi/v1/aggTrades", symbol="SOLUSDT") == []


class TestFeeds:
    """Whatever the feed is, its prices are those of the dialect."""

    @pytest.mark.parametrize(
        ("price", "tick", "step"),
        [
            ("0.0000000012345", "1e-13", "1"),
            ("9.2111e-6", "1e-10", "1E+3"),
            ("1.5E+6", "1E+1", "1e-8"),
            ("64671", "0.10", "0.0010"),
        ],
    )
    def test_no_number_has_an_exponent(self, price: str, tick: str, step: str) -> None:
        rules = replace(
            KNOWN[BTC],
            symbol="NEW/USDT",
            tick_size=Decimal(tick),
            step_size=Decimal(step),
            min_quantity=Decimal(step),
        )
        found = board()
        newest = replace(
            quote("NEW/USDT", price, funding_rate="-1e-7"), day_open=Decimal(price) * 2
        )
        found.market = market(newest, instruments={"NEW/USDT": rules})
        candle = Candle(
            time=MOMENT,
            **{name: Decimal(price) for name in ("open", "high", "low", "close")},
            volume=Decimal("1E+5"),
        )
        found.candles = lambda _symbol, _seconds, limit: [candle][:limit]
        dialect = Dialect(Desk(MemoryStore(), found))
        dialect.services.ticks.look(found.market)
        for path in (*LIVE, "/fapi/v1/trades", "/fapi/v1/aggTrades", "/fapi/v1/klines"):
            answer = dialect.get(path, symbol="NEWUSDT", interval="1m")
            texts = list(texts_in(answer))
            assert texts
            for text in texts:
                assert text == "NEWUSDT" or re.fullmatch(r"-?\d+(\.\d+)?", text), (path, text)
        assert Decimal(dialect.get("/fapi/v1/ticker/price")[0]["price"]) == Decimal(price)
        assert dialect.get("/fapi/v1/premiumIndex")[0]["lastFundingRate"] == "-0.00000010"

    def test_a_server_that_follows_has_the_prices(self, tmp_path: Path) -> None:
        feed = SimulatedFeed()
        prices = {each.symbol: each for each in feed.next(10)}
        shown = market(*prices.values(), instruments=feed.instruments)
        save_market(tmp_path, shown, {})
        dialect = Dialect(Desk(MemoryStore(), FileBoard(tmp_path)))
        book = dialect.get("/fapi/v1/depth", symbol="BTCUSDT")
        assert Decimal(book["bids"][0][0]) == prices[BTC].bid
        assert Decimal(book["asks"][0][0]) == prices[BTC].ask
        assert book["T"] == milliseconds(prices[BTC].time)
        assert len(dialect.get("/fapi/v1/exchangeInfo")["symbols"]) == 3

    def test_bid_and_ask_have_the_same_decimals(self) -> None:
        feed = SimulatedFeed()
        found = board()
        dialect = Dialect(Desk(MemoryStore(), found))
        for _ in range(3):
            prices = feed.next(10)
            found.market = market(*prices, instruments=feed.instruments)
            for row in dialect.get("/fapi/v1/ticker/bookTicker"):
                assert (
                    len({len(row[name].partition(".")[2]) for name in ("bidPrice", "askPrice")})
                    == 1
                )

    def test_a_replay_has_the_times_of_its_candles(self, tmp_path: Path) -> None:
        file = tmp_path / "BTCUSDT.csv"
        begin = 1_640_995_200
        lines = [
            f"{begin + 60 * number},{100 + number},{103 + number},{99 + number},{101 + number},7"
            for number in range(30)
        ]
        file.write_text("time,open,high,low,close,volume\n" + "\n".join(lines))
        feed: Feed = ReplayFeed({BTC: file}, speed=None)
        found = board()
        dialect = Dialect(Desk(MemoryStore(), found))
        found.candles = feed.candles
        for _ in range(20):
            prices = feed.next(10)
        found.market = market(*prices, instruments=feed.instruments, feed=feed.id)
        rows = dialect.get("/fapi/v1/klines", symbol="BTCUSDT", interval="1m")
        assert [row[0] for row in rows] == [(begin + 60 * number) * 1_000 for number in range(5)]
        assert rows[0][1:6] == ["100.000", "103.000", "99.000", "101.000", "7.000"]
        row = dialect.get("/fapi/v1/ticker/price", symbol="BTCUSDT")
        assert row["time"] // 60_000 == begin // 60 + 4
        assert dialect.get("/fapi/v1/time")["serverTime"] > row["time"]

    def test_an_exchange_has_its_own_prices_and_rules(
        self, exchange: ExchangeServer, live: StartFeed
    ) -> None:
        eight = milliseconds(datetime.now(UTC)) // 28_800_000 * 28_800_000
        exchange.settled = {
            eight - number * 28_800_000: ("0.00020000", f"{60_000 - number}") for number in range(4)
        }
        feed = live()
        shown = [quoted(feed, symbol, lambda _: True) for symbol in (BTC, ETH)]
        found = LiveBoard()
        found.candles = feed.candles
        found.market = market(*shown, instruments=feed.instruments, feed=feed.id)
        dialect = Dialect(Desk(MemoryStore(), found), settle=feed.settlement)
        rules = {each["symbol"]: each for each in dialect.get("/fapi/v1/exchangeInfo")["symbols"]}
        for newest in shown:
            name = newest.symbol.replace("/", "")
            tick = Decimal(rules[name]["filters"][0]["tickSize"])
            assert tick == feed.instruments[newest.symbol].tick_size
            row = dialect.get("/fapi/v1/ticker/bookTicker", symbol=name)
            assert (Decimal(row["bidPrice"]), Decimal(row["askPrice"])) == (newest.bid, newest.ask)
            assert all(Decimal(row[each]) % tick == 0 for each in ("bidPrice", "askPrice"))
        premium = dialect.get("/fapi/v1/premiumIndex", symbol="BTCUSDT")
        assert premium["lastFundingRate"] == "0.00010000"

        def settled() -> Any:
            # It answers 503 until the exchange has said all of them.
            answer = dialect.client.get("/fapi/v1/fundingRate?symbol=BTCUSDT")
            assert answer.status_code in (200, 503)
            return answer.status_code == 200 and answer.get_json()

        rates = wait_for(settled, "the past rates")
        assert [row["markPrice"] for row in rates] == ["59997.0", "59998.0", "59999.0", "60000.0"]
        assert rates[-1]["fundingTime"] == eight


class TestClient:
    """ccxt as it comes reads what the desk has."""

    @pytest.fixture(scope="class")
    def dialect(self) -> Dialect:
        """A program at prices with a spread."""
        found = board()
        found.market = market(
            quote(
                BTC, 40_000, bid="39999.9", ask="40000.1", funding_rate="0.0001", day_open=39_000
            ),
            quote(ETH, 2_000),
        )
        dialect = Dialect(Desk(MemoryStore(), found))
        dialect.services.ticks.look(found.market)
        return dialect

    @pytest.fixture(scope="class")
    def client(self, dialect: Dialect) -> Any:
        """It, with its markets loaded."""
        client = ccxt_of(dialect)
        client.load_markets()
        return client

    def test_it_asks_nobody_else(self, client: Any) -> None:
        assert client.adapter.requested[0] == "GET /fapi/v1/exchangeInfo"

    @pytest.mark.parametrize("symbol", [BTC, ETH, SOL])
    def test_the_rules(self, dialect: Dialect, client: Any, symbol: str) -> None:
        rules: Instrument = dialect.desk.market.instruments[symbol]
        found = client.market(f"{symbol}:USDT")
        assert found["active"]
        assert found["linear"]
        assert Decimal(str(found["precision"]["price"])) == rules.tick_size
        assert Decimal(str(found["precision"]["amount"])) == rules.step_size
        assert Decimal(str(found["limits"]["amount"]["min"])) == rules.min_quantity
        assert Decimal(str(found["limits"]["cost"]["min"])) == rules.min_notional
        assert client.amount_to_precision(f"{symbol}:USDT", 3.0009) == "3"

    def test_the_prices(self, client: Any) -> None:
        symbol = f"{BTC}:USDT"
        ticker = client.fetch_ticker(symbol)
        assert (ticker["last"], ticker["open"], ticker["change"]) == (40_000, 39_000, 1_000)
        assert ticker["timestamp"] == NOW
        book = client.fetch_order_book(symbol)
        assert [level[0] for level in (*book["bids"], *book["asks"])] == [39_999.9, 40_000.1]
        funding = client.fetch_funding_rate(symbol)
        assert (funding["fundingRate"], funding["markPrice"]) == (0.0001, 40_000)
        assert client.fetch_bids_asks([symbol])[symbol]["ask"] == 40_000.1
        assert client.fetch_last_prices([symbol])[symbol]["price"] == 40_000
        assert set(client.fetch_tickers()) == {f"{BTC}:USDT", f"{ETH}:USDT"}
        assert client.fetch_mark_price(symbol)["markPrice"] == 40_000
        assert client.fetch_funding_intervals([symbol]) == {}

    def test_candles_and_trades(self, client: Any) -> None:
        symbol = f"{BTC}:USDT"
        candles = client.fetch_ohlcv(symbol, "1m", limit=3)
        assert candles[-1] == [NOW + 9 * MINUTE, 109, 112, 108, 111, 1.5]
        assert client.fetch_ohlcv(symbol, "1m", since=NOW + 2 * MINUTE, limit=2)[0][0] == (
            NOW + 2 * MINUTE
        )
        (trade,) = client.fetch_trades(symbol)
        assert (trade["price"], trade["amount"], trade["side"]) == (40_000, 0.001, "buy")

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [("fetch_status", ()), ("fetch_time", ()), ("fetch_open_interest", (f"{BTC}:USDT",))],
    )
    def test_courtesies(self, client: Any, name: str, arguments: tuple[str, ...]) -> None:
        assert getattr(client, name)(*arguments)

    def test_errors_are_of_the_right_class(self, client: Any) -> None:
        import ccxt

        with pytest.raises(ccxt.BadSymbol):
            client.fapiPublicGetDepth({"symbol": "XYZUSDT"})
        with pytest.raises(ccxt.BadRequest):
            client.fapiPublicGetDepth({"symbol": "BTCUSDT", "limit": 0})
        with pytest.raises(ccxt.OperationFailed):
            client.fapiPublicGetDepth({"symbol": "SOLUSDT"})
        with pytest.raises(ccxt.ExchangeError):
            client.fapiPublicGetAssetIndex()


class TestFilters:
    """The filters are true: what passes them is refused for none of them, what does not is
    refused."""

    #: The codes of what violates a filter.
    CODES = frozenset({-1111, -1106, -4001, -4002, -4003, -4005, -4013, -4014, -4164})

    @pytest.fixture(scope="class")
    def new(self) -> tuple[LiveBoard, Dialect]:
        """A board without prices, and a program on an account with a billion."""
        found = LiveBoard()
        return found, Dialect(Desk(MemoryStore(Decimal(10) ** 9), found))

    @settings(max_examples=50)
    @given(st.data())
    def test_an_order_is_refused_for_them_exactly_if_it_violates_one(
        self, new: tuple[LiveBoard, Dialect], data: st.DataObject
    ) -> None:
        found, dialect = new
        dialect.desk.reset(10**9)
        drawn = data.draw(st.decimals(min_value="1e-8", max_value="200000", places=9))
        rules = instrument("NEW/USDT", max(drawn, Decimal("1e-8")))
        price = rules.price_up(drawn)
        least = rules.quantity(rules.min_notional / price) + rules.step_size
        steps = data.draw(st.integers(0, 500))
        rules = replace(
            rules,
            min_quantity=rules.step_size * data.draw(st.sampled_from([1, 2, 5])),
            max_quantity=data.draw(st.sampled_from([None, least + 600 * rules.step_size])),
        )
        found.market = market(
            quote("NEW/USDT", price, ask=price + rules.tick_size),
            instruments={"NEW/USDT": rules},
        )
        quantity = max(least, rules.min_quantity) + steps * rules.step_size
        good = {"price": f"{price:f}", "quantity": f"{quantity:f}"}
        bad = [
            {"price": f"{price + rules.tick_size / 10:f}"},
            {"quantity": f"{quantity + rules.step_size / 10:f}"},
            {"price": "0"},
            {"quantity": "0"},
            {"quantity": f"{rules.min_quantity - rules.step_size / 10:f}"},
            {"price": f"{Decimal(10) ** 12 + rules.tick_size:f}"},
        ]
        largest = rules.max_quantity or Decimal(10) ** 13
        bad.append({"quantity": f"{largest + rules.step_size:f}"})
        smallest = rules.min_quantity
        if smallest * price < rules.min_notional:
            bad.append({"quantity": f"{smallest:f}"})
        order = {"symbol": "NEWUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
        for wrong in bad:
            code, message = dialect.refuses("POST", "/fapi/v1/order", **order, **{**good, **wrong})
            assert code in self.CODES, (wrong, code, message)
        answer = dialect.signed("POST", "/fapi/v1/order", **order, **good)
        assert answer.status_code == 200, (rules, good, answer.text)
        at_market = {**order, "type": "MARKET", "timeInForce": None, "quantity": good["quantity"]}
        answer = dialect.signed("POST", "/fapi/v1/order", **at_market)
        assert answer.status_code == 200, (rules, good, answer.text)
