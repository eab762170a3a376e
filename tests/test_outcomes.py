"""A trade that brought exactly nothing is even: in every list, filter, file and figure."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance.api.stream import Stream
from balance.bots.state import BOTS_FILE
from balance.core.trade_sums import TradeSums
from balance.desk.desk import Desk
from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.history.question import Question
from balance.performance.figures import FIGURES, values_of
from balance.performance.results import Results
from balance.store.file_store import FileStore
from tests.answers import exactly
from tests.boards import board, priced
from tests.bots_by_hand import ByHand
from tests.described import check
from tests.kept import kept
from tests.markets import BTC, FREE


def traded(folder: Path, *prices: int) -> Desk:
    """An account in ``folder`` that bought at 40,000 and sold at each of ``prices``, for free."""
    prices_of = board(terms=FREE)
    desk = Desk(FileStore(folder), prices_of)
    for price in prices:
        priced(prices_of, 40_000)
        desk.place_order(symbol=BTC, side="buy", quantity="0.01")
        priced(prices_of, price)
        desk.close_position(BTC)
    return desk


def served(desk: Desk) -> FlaskClient:
    """Asks the product about the account of ``desk``."""
    client: FlaskClient = create_app(desk, Stream(1)).server.test_client()
    return client


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Asks about a win, a loss, and two trades that brought nothing."""
    return served(traded(tmp_path_factory.mktemp("data"), 41_000, 39_000, 40_000, 40_000))


def told(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    check(answer, "GET", path)
    assert answer.status_code == 200, answer.text
    return exactly(answer)


def test_an_even_trade_is_listed_as_one(client: FlaskClient) -> None:
    rows = told(client, "/history/trades")["rows"]
    assert [row["outcome"] for row in rows] == ["even", "even", "loss", "win"]
    assert [row["display"]["outcome"] for row in rows[:2]] == ["Even", "Even"]
    assert [row["pnl"] for row in rows[:2]] == [0, 0]


@pytest.mark.parametrize(
    ("outcome", "count"),
    [("even", 2), ("loss", 1), ("win", 1), ("win,even", 3), ("even&sort=outcome", 2)],
)
def test_the_filter_tells_an_even_trade_from_a_loss(
    client: FlaskClient, outcome: str, count: int
) -> None:
    assert told(client, f"/history/trades?outcome={outcome}")["total"] == count


def test_the_files_have_even_trades(client: FlaskClient) -> None:
    text = client.get("/history/trades?format=csv&outcome=even").text
    assert [row["outcome"] for row in csv.DictReader(io.StringIO(text))] == ["even", "even"]
    rows = json.loads(client.get("/history/trades?format=json&outcome=even").text)["rows"]
    assert [row["outcome"] for row in rows] == ["even", "even"]


def test_an_even_trade_is_no_losing_one_in_an_epoch(client: FlaskClient) -> None:
    (epoch,) = told(client, "/history/epochs")["rows"]
    assert [epoch[name] for name in ("trades", "wins", "losses", "even")] == [4, 1, 1, 2]
    assert epoch["win_rate"] == 25
    (row,) = csv.DictReader(io.StringIO(client.get("/history/epochs?format=csv").text))
    assert (row["losses"], row["even"]) == ("1", "2")


def sums(*pnls: int) -> TradeSums:
    found = TradeSums()
    for pnl in pnls:
        found = found.with_pnl(Decimal(pnl))
    return found


def test_the_figures_of_trades_count_even_ones_apart() -> None:
    figures = values_of(FIGURES, Results(trades=sums(30, -10, 0, 0)))
    assert [figures[name] for name in ("trades", "wins", "losses", "even")] == [4, 1, 1, 2]
    assert (figures["win_rate"], figures["profit_factor"]) == (25, 3)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("trades", [(" ", 1, "win"), ("+", 1, "loss"), ("+", 2, "even"), ("=", 4, "")]),
        ("wins", [(" ", 4, ""), ("-", 1, "loss"), ("-", 2, "even"), ("=", 1, "")]),
        ("losses", [(" ", 4, ""), ("-", 1, "win"), ("-", 2, "even"), ("=", 1, "")]),
        ("even", [(" ", 4, ""), ("-", 1, "win"), ("-", 1, "loss"), ("=", 2, "")]),
    ],
)
def test_the_counts_of_trades_come_about_by_their_outcomes(
    name: str, terms: list[tuple[str, int, str]]
) -> None:
    (figure,) = (each for each in FIGURES if each.name == name)
    found = figure.derivation(Results(trades=sums(30, -10, 0, 0), epochs="1")).terms
    signs = [each.sign.replace("\N{MINUS SIGN}", "-") for each in found]
    assert list(zip(signs, [each.amount for each in found], strict=True)) == [
        (sign, amount) for sign, amount, _ in terms
    ]
    for term, (_, _, outcome) in zip(found, terms, strict=True):
        assert not outcome or f"outcome={outcome}" in (term.href or "")


def test_an_index_of_an_older_version_is_made_anew_with_even_trades(tmp_path: Path) -> None:
    traded(tmp_path, 40_000, 39_000)
    even = Question(table="trades", one_of={"outcome": ("even",)})
    assert History(FileStore(tmp_path), tmp_path / INDEX_FILE).index.catch_up()
    with closing(sqlite3.connect(tmp_path / INDEX_FILE)) as connection:
        connection.execute("UPDATE trades SET outcome = 'loss'")
        connection.execute("PRAGMA user_version = 2")
        connection.commit()
    later = History(FileStore(tmp_path), tmp_path / INDEX_FILE)
    assert later.index.catch_up()
    assert (later.answer(even).total, later.answer(Question(table="trades")).total) == (1, 2)
    assert later.epochs()[0].trades.even == 1


def test_a_bot_counts_an_even_trade_apart(tmp_path: Path) -> None:
    desk = ByHand(tmp_path / "data")
    bot = desk.create()
    desk.close(40_000, 41_000)
    desk.desk.close_position(BTC)
    row = desk.row(bot)
    assert [row[name] for name in ("trades", "wins", "losses", "even")] == [1, 0, 0, 1]
    assert (row["win_rate"], row["pnl"]) == (0, 0)


def test_what_an_older_version_summed_up_of_a_bot_is_summed_up_anew(tmp_path: Path) -> None:
    desk = ByHand(tmp_path / "data")
    bot = desk.create(max_drawdown=500)
    desk.close(40_000, 41_000)
    desk.desk.close_position(BTC)
    desk.close(41_000, 40_500)
    before, log, trades = desk.row(bot), desk.log(), desk.bots.trades()
    assert [before[name] for name in ("trades", "losses", "even")] == [2, 1, 1]
    desk.bots.rest()
    file = tmp_path / "data" / BOTS_FILE
    document = kept(file)
    run = document["bots"][0]["run"]
    del document["bots"][0]["tally"]["losses"]
    file.write_text(json.dumps(document))
    later = desk.again()
    assert later.row(bot) == before
    assert later.log()[: len(log)] == log
    assert later.bots.trades() == trades
    later.bots.rest()
    assert json.loads(file.read_bytes())["bots"][0]["run"] == run
