"""What is not priced in dollars is refused, and a dollar coin is taken 1:1, which is said."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance import InvalidRequest
from balance.backtests.backtest import run_backtest
from balance.backtests.candle_files import CandleFiles
from balance.backtests.candles import history_of_file, symbol_of
from balance.backtests.jobs import Backtests
from balance.backtests.report import notes
from balance.core.instruments import DOLLARS, check_dollars, dollar_note, label
from balance.market.exchange.rules import not_there
from balance.market.feed import FeedFault
from balance.market.open_feed import FeedOptions, open_feed
from balance.market.replay.candle_file import candles_in
from balance.market.symbols import symbol_in
from balance.shell.main import main
from balance.strategies.own import Catalogue, OwnStrategies
from layouts.futures import FUTURES
from layouts.tab import Place
from tests.backtesting import bodies, csv_of, plan, script
from tests.markets import market
from tests.serving import ROOT, Server

WAVES = csv_of(bodies(*(3 + abs(number % 40 - 20) / 100 for number in range(200))))
REFUSED = r"is priced in (BTC|EUR|KRW), but the balance is in USDT: .*Choose (ETH|ADA|BTC)/USDT"
OTHERS = ("ETH/BTC", "BTC/EUR", "BTC/KRW")


@pytest.mark.parametrize("symbol", OTHERS)
def test_other_currencies_are_refused_in_words(symbol: str) -> None:
    with pytest.raises(InvalidRequest, match=REFUSED):
        check_dollars(symbol)


@pytest.mark.parametrize("quote", DOLLARS)
def test_dollar_coins_are_taken_one_to_one_and_it_is_said(quote: str) -> None:
    symbol = f"BTC/{quote}"
    check_dollars(symbol)
    is_usdt = quote == "USDT"
    assert dollar_note(symbol) == ("" if is_usdt else f"{symbol}: 1 {quote} is taken as 1 USDT.")
    assert label(symbol) == (symbol if is_usdt else f"{symbol} (1:1 USDT)")


# what the name of a file says


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("BTCUSDT-1m-2022-01", "BTC/USDT"),
        ("BTC-USD", "BTC/USD"),
        ("BNBUSD", "BNB/USD"),
        ("DOTUSD_1h", "DOT/USD"),
        ("Binance_ETHFDUSD_1h", "ETH/FDUSD"),
        ("kraken eth usdc", "ETH/USDC"),
        ("ADA_BTC-1h", "ADA/BTC"),
        ("ETHBTC", "ETH/BTC"),
        ("PEPEUSDC", "PEPE/USDC"),
        ("upbit_BTC_KRW", "BTC/KRW"),
        # whose base is not known, or is no symbol at all
        ("my_btc", None),
        ("candles_usd", None),
        ("prices-eur", None),
        ("BTC", None),
        ("BTCUSDX", None),
    ],
)
def test_a_name_says_the_currency_too(name: str, symbol: str | None) -> None:
    assert symbol_in(name) == symbol


# replays and exchanges


@pytest.mark.parametrize("given", ["ETH/BTC={}/mine.csv", "{}/ETHBTC-1h.csv", "BTC/KRW={}/k.csv"])
def test_a_replay_of_another_currency_is_refused(tmp_path: Path, given: str) -> None:
    for name in ("mine.csv", "ETHBTC-1h.csv", "k.csv"):
        (tmp_path / name).write_text(WAVES)
    with pytest.raises(FeedFault, match=REFUSED):
        open_feed(FeedOptions(feed=(f"replay:{given.format(tmp_path)}",)), None)


def test_a_server_on_another_currency_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(WAVES)
    words = (sys.executable, "app.py", "--data-dir", str(tmp_path / "data"), "--port", "0")
    done = subprocess.run(
        [*words, "--feed", f"replay:ETH/BTC={tmp_path / 'mine.csv'}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "ETH/BTC is priced in BTC, but the balance is in USDT" in done.stderr


def test_a_server_says_that_a_dollar_coin_is_taken_one_to_one(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(WAVES)
    feed = f"replay:ETH/USDC={tmp_path / 'mine.csv'}"
    with Server(tmp_path / "data", "--feed", feed, "--speed", "1") as server:
        assert any("ETH/USDC: 1 USDC is taken as 1 USDT." in line for line in server.said)


@pytest.mark.parametrize("symbols", [("ETH/BTC",), ("BTC/USDT", "BTC/EUR"), ("BTC/KRW",)])
def test_an_exchange_is_not_asked_for_another_currency(symbols: Sequence[str]) -> None:
    with pytest.raises(FeedFault, match=REFUSED):
        open_feed(FeedOptions(feed=("binance",), symbols=tuple(symbols)), None)


def test_of_an_exchange_only_what_can_be_traded_is_proposed() -> None:
    names = ("ETH/BTC", "ETH/EUR", "ETH/USDC")
    markets = {name: {"spot": True, "active": True} for name in names}
    assert not_there("kraken", ["ETH/USDT"], markets) == (
        "kraken has no ETH/USDT. It has ETH/USDC and others."
    )


# backtests


@pytest.mark.parametrize(
    ("name", "asked"),
    [("mine.csv", "ETH/BTC"), ("ETHBTC.csv", None), ("ADA_BTC-1h.csv", "ada/btc")],
)
def test_a_backtest_on_another_currency_is_refused(name: str, asked: str | None) -> None:
    with pytest.raises(InvalidRequest, match=REFUSED):
        symbol_of(name, asked)


def test_a_backtest_over_http_on_another_currency_is_refused(tmp_path: Path) -> None:
    backtests = Backtests(market, lambda *_: (), lambda *_: None, Catalogue(OwnStrategies(None)))
    with pytest.raises(InvalidRequest, match=REFUSED):
        backtests.add_file("ETHBTC.csv", WAVES.encode())
    members: dict[str, Any] = {"strategy": "buy_and_hold", "symbol": "ETH/BTC"}
    with pytest.raises(InvalidRequest, match=REFUSED):
        backtests.start({**members, "file": backtests.add_file("mine.csv", WAVES.encode())["id"]})


def test_the_command_refuses_another_currency(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(WAVES)
    words = ["backtest", "--data-dir", str(tmp_path), "--csv", str(file), "--symbol"]
    assert main([*words, "ETH/BTC"]) != 0
    assert "ETH/BTC is priced in BTC, but the balance is in USDT" in capsys.readouterr().err
    assert main([*words, "ETH/USDC", "--strategy", "buy_and_hold"]) == 0
    assert "ETH/USDC: 1 USDC is taken as 1 USDT." in capsys.readouterr().out


@pytest.mark.parametrize(("symbol", "is_said"), [("BTC/USD", True), ("BTC/USDT", False)])
def test_the_report_says_that_a_dollar_is_taken_one_to_one(symbol: str, is_said: bool) -> None:
    past = history_of_file(candles_in([("mine.csv", WAVES.encode())]), symbol)
    made = plan(past, script("buy"), symbol=symbol)
    assert ("1 USD is taken as 1 USDT." in notes(made, run_backtest(made))) is is_said


def test_a_file_in_dollars_may_be_tested_as_one_in_usdt() -> None:
    assert symbol_of("BTC-USD.csv") == "BTC/USD"
    assert symbol_of("BTC-USD.csv", "BTC/USDT") == "BTC/USDT"
    with pytest.raises(InvalidRequest, match="has candles of BTC/USD, not of ETH/USDT"):
        symbol_of("BTC-USD.csv", "ETH/USDT")
    files = CandleFiles()
    told = files.add("BTC-USD.csv", WAVES.encode())
    assert told["symbol"] == "BTC/USD"
    assert files.find(told["id"]).instrument(None).symbol == "BTC/USD"


COLUMN = """time,symbol,open,high,low,close,volume
2022-01-01 00:00,ETHBTC,0.03,0.031,0.029,0.03,10
2022-01-01 01:00,ETHBTC,0.03,0.031,0.029,0.03,10
"""


@pytest.mark.parametrize("more", [(), ("--symbol", "ETH/USDT")])
def test_what_a_column_says_counts_in_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: Sequence[str]
) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(COLUMN)
    assert main(["backtest", "--data-dir", str(tmp_path), "--csv", str(file), *more]) != 0
    assert "ETH/BTC is priced in BTC, but the balance is in USDT" in capsys.readouterr().err


def test_what_a_column_says_counts_in_a_replay(tmp_path: Path) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(COLUMN)
    with pytest.raises(FeedFault, match=r"mine\.csv has candles of ETH/BTC, not of ETH/USDT"):
        open_feed(FeedOptions(feed=(f"replay:ETH/USDT={file}",)), None)
    file.write_text(COLUMN.replace("ETHBTC", "ETHUSD"))
    assert open_feed(FeedOptions(feed=(f"replay:ETH/USDT={file}",)), None).instruments


# the screen


def test_the_picker_says_what_is_taken_one_to_one() -> None:
    shown = str(FUTURES.build(Place(symbols=("BTC/USDT", "ETH/USDC"))))
    assert "'ETH/USDC (1:1 USDT)'" in shown
    assert "'BTC/USDT (1:1" not in shown


def test_nothing_but_the_price_is_taken_from_a_dollar_coin() -> None:
    rules = history_of_file(candles_in([("x.csv", WAVES.encode())]), "ETH/USDC").instrument
    assert (rules.symbol, rules.base) == ("ETH/USDC", "ETH")
    assert rules.tick_size == Decimal("0.0001")
