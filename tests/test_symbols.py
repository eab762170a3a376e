"""Symbols are read as TradingView, ccxt, exchanges and people write them, and never guessed."""

from __future__ import annotations

import pytest

from balance.core.errors import InvalidRequest
from balance.core.symbols import symbol_alone, symbol_among
from balance.core.ticket import fingerprint
from balance.history.question import parse_question
from balance.market.symbols import symbol_in

USUAL = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


@pytest.mark.parametrize(
    "name",
    [
        *("BTC/USDT", " btc/usdt ", "btc-usdt", "btc_usdt", "BTCUSDT", "btcusdt", "BTC USDT"),
        *("BTCUSDT.P", "BINANCE:BTCUSDT", "BINANCE:BTCUSDT.P", "bybit:btcusdt.p"),
        *("BTC/USDT:USDT", "BTC-USDT-SWAP", "BTCUSDTPERP", "BTCUSDT-PERP", "BTC-USDT-PERPETUAL"),
        *("XBTUSDT", "XBT/USDT", "OKX:BTC-USDT-SWAP"),
        *("BTCUSD", "BTC-USD", "COINBASE:BTCUSD", "XBTUSD", "BTCUSD.P", "BTC-PERP", "BTCPERP"),
    ],
)
def test_a_symbol_is_read_as_others_write_it(name: str) -> None:
    assert symbol_among(name, USUAL) == "BTC/USDT"


@pytest.mark.parametrize(
    "name",
    [
        *("", "BTC", "USDT", "BTC/", "/USDT", "BTC/USDT/", "BTC/EUR", "BTCUSDC", "BTC/USDT:BTC"),
        *("BTCUSD_PERP", "BTC/USDT:USDT-251226", "BTCUSDT_251226", "BTCUSDT1!", "BTCUSDTX"),
        *(
            "BTC--USDT",
            "WBTCUSDT",
            "BTCUSDT.X",
            "BINANCE:",
            "\uff22\uff34\uff23USDT",
            "BTC\nUSDT",
            "\ud800",
        ),
        *("BTC*USDT", "BTC" * 5_000, ":BTCUSDT"),
    ],
)
def test_any_other_is_refused_with_those_that_there_are(name: str) -> None:
    there = "There are: BTC/USDT, ETH/USDT, SOL/USDT"
    with pytest.raises(InvalidRequest, match=f"There is no symbol .* here. {there}"):
        symbol_among(name, USUAL)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [("BTCUSD", "BTC/USD"), ("BTCUSDT", "BTC/USDT"), ("BTCUSDT.P", "BTC/USDT")],
)
def test_dollars_and_usdt_are_told_apart_where_both_are_traded(name: str, symbol: str) -> None:
    assert symbol_among(name, ("BTC/USD", "BTC/USDT")) == symbol
    assert symbol_among(name, ("BTC/USDT", "BTC/USD")) == symbol


def test_what_may_be_two_symbols_is_refused_with_both() -> None:
    with pytest.raises(InvalidRequest, match="'BTCBUSD' may be BTC/BUSD or BTCB/USD: write"):
        symbol_among("BTCBUSD", ("BTC/BUSD", "BTCB/USD"))
    with pytest.raises(InvalidRequest, match="'BTCPERP' may be BTC/USDC or BTC/USDT: write"):
        symbol_among("BTCPERP", ("BTC/USDC", "BTC/USDT"))
    assert symbol_among("BTCB-USD", ("BTC/BUSD", "BTCB/USD")) == "BTCB/USD"
    assert symbol_among("BTC/BUSD", ("BTC/BUSD", "BTCB/USD")) == "BTC/BUSD"


def test_a_thousand_coins_are_not_one() -> None:
    with pytest.raises(InvalidRequest, match="There is no symbol 'PEPEUSDT' here"):
        symbol_among("PEPEUSDT", ("1000PEPE/USDT",))
    assert symbol_among("1000PEPEUSDT.P", ("1000PEPE/USDT",)) == "1000PEPE/USDT"


@pytest.mark.parametrize(
    ("text", "symbol"),
    [
        *(("btc/usdt", "BTC/USDT"), ("BTC/USDT:USDT", "BTC/USDT"), ("ETH/BTC", "ETH/BTC")),
        *(("BINANCE:BTCUSDT.P", "BTC/USDT"), ("ETHFDUSD", "ETH/FDUSD"), ("btc_usd", "BTC/USD")),
        *(("BTC", None), ("ETHBTC", None), ("BTC/USDT:BTC", None), ("a/b/c", None), ("", None)),
    ],
)
def test_a_symbol_is_read_where_none_are_known(text: str, symbol: str | None) -> None:
    assert symbol_alone(text) == symbol


def test_the_name_of_a_file_is_no_symbol_of_unknown_coins() -> None:
    assert symbol_in("mine_dai") is None
    assert symbol_in("audusd") is None
    assert symbol_in("BTC/USDT:USDT") == "BTC/USDT"


def test_a_repeated_order_may_write_its_symbol_otherwise() -> None:
    first = fingerprint({"symbol": "BTC/USDT", "side": "buy"})
    assert fingerprint({"symbol": "BINANCE:BTCUSDT.P", "side": "buy"}) == first
    assert fingerprint({"symbol": "BTC/USDT:USDT", "side": "buy"}) == first
    assert fingerprint({"symbol": "ETHUSDT.P", "side": "buy"}) != first


def test_a_filter_of_history_reads_symbols_as_others_write_them() -> None:
    question = parse_question("fills", {"symbol": "BTCUSDT.P,eth-usdt,XYZ"}, ("revision",))
    assert question.one_of["symbol"] == ("BTC/USDT", "ETH/USDT", "XYZ")
