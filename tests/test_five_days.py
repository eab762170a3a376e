"""Five days of January 2022, with the crash of the 21st, traded through the whole desk: in the end
everything that happened is found again in the file of prices, and the account adds up."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from balance.core.quote import Quote
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.market.board import LiveBoard
from balance.market.replay.feed import ReplayFeed
from balance.server.engine import Engine
from balance.store.file_store import FileStore
from balance.store.verification import verify
from tests.screen import PATHS, go, text, texts, wait_for
from tests.serving import Server

BTC = "BTC/USDT"
#: Between these times the plan trades at 50x, and else at 10x.
FAST = datetime(2022, 1, 20, 23, tzinfo=UTC), datetime(2022, 1, 22, tzinfo=UTC)
PRICES = Path(__file__).resolve().parents[2] / "shared" / "market" / "BTCUSDT-1m-2022-01.csv"
BEGIN, END = datetime(2022, 1, 19, tzinfo=UTC), datetime(2022, 1, 24, tzinfo=UTC)
RATE = Decimal("0.0001")
MAKER, TAKER, SLIPPAGE = Decimal("0.0002"), Decimal("0.0005"), Decimal("0.0001")
TICK = Decimal("0.1")

pytestmark = pytest.mark.skipif(not PRICES.exists(), reason=f"{PRICES.name} is not here")


def cents(amount: Decimal) -> Decimal:
    """``amount`` as money is kept: to 8 decimals."""
    return amount.quantize(Decimal("1e-8"), ROUND_HALF_EVEN)


# what is done, and when by the market's clock
PLAN: dict[str, Callable[[Desk], Any]] = {
    "19 00:10": lambda desk: order(
        desk, "buy", "0.1", leverage=10, take_profit=44_000, stop_loss=40_000
    ),
    # from here on it pays funding twice; a part is closed, and the rest turned round
    "19 10:00": lambda desk: desk.close_position(BTC, percent=40),
    "19 12:00": lambda desk: desk.deposit(500),
    "19 14:00": lambda desk: order(desk, "sell", "0.2"),
    # the short receives; it ends with a limit that rests for half a day
    "20 10:00": lambda desk: order(
        desk, "buy", "0.14", type="limit", price=41_500, reduce_only=True
    ),
    # a stop that opens a short at 50x, with an end on either side
    "20 23:00": lambda desk: order(
        desk,
        "sell",
        "0.1",
        type="stop_market",
        trigger_price=40_600,
        leverage=50,
        take_profit=40_100,
        stop_loss=41_200,
    ),
    # into the crash: a long at 50x, and an order below that does not live to see its price
    "21 02:30": lambda desk: order(desk, "buy", "0.5", leverage=50),
    "21 02:31": lambda desk: order(desk, "buy", "0.1", type="limit", price=38_000),
    "21 09:00": lambda desk: order(
        desk, "sell", "0.2", leverage=50, take_profit=37_000, stop_loss=39_600
    ),
    # a limit that crosses on arrival; it pays three times
    "22 10:05": lambda desk: order(
        desk,
        "buy",
        "0.1",
        type="limit",
        price=35_000,
        leverage=10,
        take_profit=39_000,
        stop_loss=33_000,
    ),
    "23 11:00": lambda desk: desk.close_position(BTC),
    # in the end a short is open, with both its ends
    "23 13:30": lambda desk: order(
        desk,
        "sell",
        "0.1",
        type="stop_market",
        trigger_price=35_700,
        leverage=10,
        take_profit=33_000,
        stop_loss=37_000,
    ),
}


def order(desk: Desk, side: str, quantity: str, **members: Any) -> None:
    """Place an order for Bitcoin."""
    desk.place_order(symbol=BTC, side=side, quantity=quantity, **members)


@dataclass
class Days:
    """What came of the five days."""

    desk: Desk
    folder: Path
    # the quote that stood, or that did it, when each revision was committed
    at: dict[int, Quote] = field(default_factory=dict)
    # the position before each revision
    held: dict[int, Any] = field(default_factory=dict)
    moments: int = 0

    def rows(self, kind: str | None = None) -> list[Any]:
        """All entries of ``kind``, oldest first."""
        return list(self.desk.ledger.rows(kind=kind))[::-1]

    def fills(self) -> list[Any]:
        """All fills, oldest first."""
        return list(self.desk.fills(limit=1_000).entries)[::-1]


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    """The plan carried out, every moment told to the engine as its own thread would."""
    folder = tmp_path_factory.mktemp("five-days")
    feed = ReplayFeed({BTC: PRICES}, speed=None, start=BEGIN, funding_rate=RATE)
    board = LiveBoard()
    days = Days(Desk(FileStore(folder), board), folder)
    engine = Engine(days.desk, board, feed, lambda _: None, folder)
    plan, seen = dict(PLAN), days.desk.snapshot()
    while (quotes := feed.next(0)) and quotes[0].time < END:
        engine.process(quotes)
        days.moments += 1
        seen = noted(days, seen, quotes[0])
        action = plan.pop(f"{quotes[0].time:%d %H:%M}", None)
        if action is not None:
            action(days.desk)
            seen = noted(days, seen, quotes[0])
    engine.stop()
    assert plan == {}, "these were never done"
    return days


def noted(days: Days, before: Snapshot, quote: Quote) -> Snapshot:
    """The account now; what made it another one is noted in ``days``."""
    if days.desk.version[1] == before.revision:
        return before
    now = days.desk.snapshot()
    assert now.revision == before.revision + 1
    days.at[now.revision] = quote
    days.held[now.revision] = before.positions[0] if before.positions else None
    return now


@cache
def candles() -> dict[datetime, tuple[Decimal, ...]]:
    """Open, high, low and close of each minute, from the file alone."""
    with PRICES.open() as file:
        return {
            datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC): tuple(
                Decimal(row[name]) for name in ("open", "high", "low", "close")
            )
            for row in csv.DictReader(file)
        }


class Book:
    """The account kept by hand from nothing but the fills: quantities have a sign here."""

    def __init__(self) -> None:
        self.quantity = self.entry = self.margin = Decimal(0)
        self.realised = self.fees = self.funding = Decimal(0)
        # since the position was opened
        self.net = Decimal(0)

    def fill(self, row: Any, leverage: int) -> tuple[Decimal, Decimal, Decimal]:
        """Its fee, the gross P&L of what it closed, and how much that was."""
        signed = row["quantity"] if row["side"] == "buy" else -row["quantity"]
        liquidated = row["reason"] == "liquidation"
        rate = MAKER if row["liquidity"] == "maker" else TAKER
        fee = Decimal(0) if liquidated else cents(row["quantity"] * row["price"] * rate)
        closed = Decimal(0)
        if self.quantity * signed < 0:
            closed = min(abs(signed), abs(self.quantity))
        direction = 1 if self.quantity > 0 else -1
        gross = cents(direction * closed * (row["price"] - self.entry))
        if liquidated:
            gross = -self.margin
        if closed:
            self.margin -= cents(self.margin * closed / abs(self.quantity))
            self.quantity += direction * -closed
        share = cents(fee * closed / row["quantity"])
        self.net += gross - share
        self.closed_with = self.net
        if not self.quantity:
            self.net = Decimal(0)
        opened = row["quantity"] - closed
        if opened:
            before, added = abs(self.quantity), opened
            self.entry = (before * self.entry + added * row["price"]) / (before + added)
            self.quantity += opened if signed > 0 else -opened
            self.margin += cents(opened * row["price"] / leverage)
            self.net -= fee - share
        self.realised += gross
        self.fees += fee
        return fee, gross, closed

    def settle(self, mark: Decimal) -> Decimal:
        """What is received at a settlement."""
        amount = cents(-self.quantity * mark * RATE)
        self.funding += amount
        self.net += amount
        return amount


def test_the_plan_exercised_what_it_was_made_for(days: Days) -> None:
    assert days.moments == 5 * 24 * 60 * 4
    told = [
        (f"{days.at[each['revision']].time:%d}", each["side"], each["reason"], each["liquidity"])
        for each in days.fills()
    ]
    assert told == [
        ("19", "buy", "order", "taker"),
        ("19", "sell", "order", "taker"),
        ("19", "sell", "order", "taker"),
        ("20", "buy", "order", "maker"),
        ("20", "sell", "order", "taker"),
        ("21", "buy", "take_profit", "taker"),
        ("21", "buy", "order", "taker"),
        ("21", "sell", "liquidation", "taker"),
        ("21", "sell", "order", "taker"),
        ("21", "buy", "take_profit", "taker"),
        ("22", "buy", "order", "taker"),
        ("23", "sell", "order", "taker"),
        ("23", "sell", "order", "taker"),
    ]
    snapshot = days.desk.snapshot()
    assert [each["side"] for each in snapshot.positions] == ["short"]
    assert {each["type"] for each in snapshot.open_orders} == {"take_profit_market", "stop_market"}


def test_the_ledger_explains_the_balance(days: Days) -> None:
    assert verify(days.folder).faults == ()
    seen, rows = days.desk.snapshot(), days.rows()
    assert sum(each["amount"] for each in rows if each["epoch"] == seen.epoch) == seen.balance
    assert seen.balance == (
        seen.starting_balance
        + seen.deposits
        - seen.withdrawals
        + seen.adjustments
        + seen.realized_pnl
        - seen.fees_paid
        - seen.funding_paid
    )
    assert (seen.starting_balance, seen.deposits) == (10_000, 500)
    running = Decimal(0)
    for each in rows:
        running += each["amount"]
        assert each["balance"] == running


def test_fees_and_gains_are_those_of_the_fills(days: Days) -> None:
    book, fills = Book(), {each["revision"]: each for each in days.fills()}
    for revision in sorted(days.at):
        time = days.at[revision].time
        for each in days.rows("funding"):
            if each["revision"] == revision:
                assert each["amount"] == book.settle(days.at[revision].mark)
        if revision not in fills:
            continue
        fill = fills[revision]
        fee, gross, closed = book.fill(fill, 50 if FAST[0] < time < FAST[1] else 10)
        assert (fill["fee"], fill["realized_pnl"], fill["closed_quantity"]) == (fee, gross, closed)
        if fill["position_pnl"] is not None:
            assert fill["position_pnl"] == book.closed_with
    seen = days.desk.snapshot()
    assert (seen.realized_pnl, seen.fees_paid) == (book.realised, book.fees)
    assert seen.funding_paid == -book.funding
    assert seen.balance == 10_500 + book.realised - book.fees + book.funding
    last = candles()[END - timedelta(minutes=1)][3]
    unrealised = cents(book.quantity * (last - book.entry))
    assert seen.unrealized_pnl == unrealised
    assert seen.portfolio_value == seen.balance + unrealised
    assert (seen.used_margin, seen.available_balance) == (book.margin, seen.balance - book.margin)


def test_funding_is_settled_at_each_instant_that_a_position_was_open_at(days: Days) -> None:
    known = candles()
    signed = Decimal(0)
    fills = {each["revision"]: each for each in days.fills()}
    changes = [(days.at[each].time, fills[each]) for each in sorted(fills)]
    expected = []
    for number in range(5 * 3):
        instant = BEGIN + number * timedelta(hours=8)
        while changes and changes[0][0] < instant:
            _, fill = changes.pop(0)
            signed += fill["quantity"] if fill["side"] == "buy" else -fill["quantity"]
        if signed:
            expected.append((instant, cents(-signed * known[instant][0] * RATE)))
    entries = days.rows("funding")
    assert [(days.at[each["revision"]].time, each["amount"]) for each in entries] == expected
    paid = [amount for _, amount in expected if amount < 0]
    assert len(paid) >= 3
    assert len(expected) - len(paid) >= 4


def test_every_fill_has_a_price_of_its_minute(days: Days) -> None:
    known = candles()
    for each in days.fills():
        time = days.at[each["revision"]].time
        _, high, low, _ = known[time.replace(second=0)]
        if each["reason"] == "liquidation":
            continue  # its price is the position's, not the market's
        if each["liquidity"] == "maker":
            assert low < each["price"] <= high
        elif each["side"] == "buy":
            assert low + TICK < each["price"] <= (high + TICK) * (1 + SLIPPAGE) + TICK
        else:
            assert low * (1 - SLIPPAGE) - TICK <= each["price"] < high
        assert each["price"] % TICK == 0


def test_an_order_fills_at_the_first_moment_that_meets_it(days: Days) -> None:
    known = candles()
    maker = next(each for each in days.fills() if each["liquidity"] == "maker")
    stop = next(each for each in days.fills() if each["type"] == "stop_market")
    for fill, placed, lowest in (
        # the ask is one tick above what was traded
        (maker, datetime(2022, 1, 20, 10, tzinfo=UTC), 41_500 - TICK),
        (stop, datetime(2022, 1, 20, 23, tzinfo=UTC), 40_600),
    ):
        met = next(each for each in sorted(known) if each > placed and known[each][2] <= lowest)
        assert days.at[fill["revision"]].time.replace(second=0) == met
    assert (maker["price"], stop["price"]) == (41_500, Decimal("40595.9"))


def test_the_crash_liquidates_the_long_for_its_margin_and_no_more(days: Days) -> None:
    (entry,) = days.rows("liquidation")
    fill = next(each for each in days.fills() if each["reason"] == "liquidation")
    quote, held = days.at[entry["revision"]], days.held[entry["revision"]]
    assert f"{quote.time:%Y-%m-%d}" == "2022-01-21"
    assert (held["side"], held["leverage"], held["quantity"]) == ("long", 50, Decimal("0.5"))
    margin = cents(held["quantity"] * held["entry_price"] / 50)
    # the first bracket of Bitcoin keeps 0.4 % of the notional
    price = (held["entry_price"] - margin / held["quantity"]) / (1 - Decimal("0.004"))
    assert abs(held["liquidation_price"] - price) < Decimal("1e-6")
    assert quote.mark <= held["liquidation_price"]
    known = candles()
    opened = datetime.fromisoformat(held["opened_at"])
    minutes = [each for each in sorted(known) if opened < each < quote.time.replace(second=0)]
    assert all(known[each][2] > held["liquidation_price"] for each in minutes), "not before it"
    assert entry["amount"] == -margin == fill["realized_pnl"]
    assert fill["fee"] == 0
    assert abs(fill["price"] - (held["entry_price"] - margin / held["quantity"])) < TICK
    revision = entry["revision"]
    after = [each["kind"] for each in days.rows() if each["revision"] == revision]
    assert after[-1] == "liquidation"
    later = [each for each in days.rows() if each["revision"] > revision]
    assert not any("38,000" in each["note"] for each in later), "its open order went with it"


def test_every_tab_agrees_with_the_account_once_the_replay_has_ended(
    start_server: Callable[..., Server], open_browser: Callable[[str], Any]
) -> None:
    options = ("--speed", "600", "--from", "2022-02-01T04:20", "--funding-rate", "0.01")
    server = start_server("--feed", f"replay:{BTC}={PRICES}", *options)
    wait_for(lambda: server.get("/prices").json()["state"] == "live", "a price")
    for body in (
        {"side": "buy", "quantity": 0.2, "leverage": 10, "take_profit": 50_000},
        {"side": "sell", "quantity": 0.05, "reduce_only": True},
        {"side": "buy", "quantity": 0.01, "type": "limit", "price": 20_000},
        {"side": "sell", "quantity": 0.15, "type": "stop_market", "trigger_price": 30_000},
    ):
        assert server.post({"symbol": BTC, **body}, "/orders").status_code == 200
    assert server.post({"deposit": 12.34}).status_code == 200
    browser = open_browser(server.url)
    wait_for(lambda: "ended" in text(browser, "market-note"), "the replay's end")
    assert text(browser, "market-note").startswith("The replay has ended at 2022-02-01 05:31")
    seen = server.get().json()
    assert seen["market"]["state"] == "ended"
    assert seen["market"]["prices"][BTC]["last"] == 38_544
    fields = browser.driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('[data-live]:not([data-of])')]"
        ".map((each) => [each.id, [each.dataset.live, each.dataset.symbol ?? null]]))"
    )
    assert {symbol for _, symbol in fields.values()} == {None, BTC}
    told = {
        each: (seen if symbol is None else seen["market"]["prices"][symbol])["display"][name]
        for each, (name, symbol) in fields.items()
    }
    for tab in PATHS:
        go(browser, tab)
        wait_for(lambda: texts(browser) == told, f"the account's figures, seen from {tab}")
    assert told["futures-total-balance"] != told["futures-virtual-balance"], "it is not flat"
    refused = server.post({"symbol": BTC, "side": "buy", "quantity": 0.1}, "/orders")
    assert refused.status_code == 503
    detail = refused.json()["detail"]
    assert "no live price" in detail
    assert "The replay has ended" in detail
    assert server.get().json() == seen
    assert browser.get_logs() == []
    assert verify(server.folder).faults == ()
