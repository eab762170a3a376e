"""Whose a position is: one owner a symbol, and what a trade brought its owner."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.api.guards import Guards
from balance.core.account import Account
from balance.core.errors import KeyReused, NotYours, UnknownOrder, UnknownPosition
from balance.core.funding import next_settlement
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.orders import close_position, place_order
from balance.core.quote import Settlement
from balance.core.ticket import Ticket
from balance.core.trade import Trade
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.market.board import LiveBoard
from balance.shell.main import main
from balance.store.codec import (
    FILL,
    ORDER,
    POSITION,
)
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT, account, order, position
from tests.boards import priced
from tests.dialect import Dialect
from tests.markets import BTC, ETH, FREE, SOL, market, quote

BOT = "trend-1"


def buy(of: Account, *, at: Market | None = None, **members: Any) -> Account:
    """``of`` after an order of 0.1 BTC at 2x."""
    usual = {"symbol": BTC, "side": "buy", "quantity": Decimal("0.1"), "leverage": Decimal(2)}
    ticket = Ticket(**{**usual, **members})
    return place_order(of, ticket, at or market(terms=FREE), "o-1", MOMENT).account


def trade_of(change: Any) -> Trade | None:
    fills = [booking.fill for booking in change.bookings if booking.fill is not None]
    trade: Trade | None = fills[-1].trade
    return trade


def test_a_position_belongs_to_the_bot_that_opened_it_and_so_do_its_exits() -> None:
    held = buy(account(), owner=BOT, because="Rose", stop_loss=Decimal(30_000)).position(BTC)
    assert held is not None
    assert (held.owner, held.opened_because) == (BOT, "Rose")
    after = buy(account(), owner=BOT, stop_loss=Decimal(30_000), take_profit=Decimal(50_000))
    assert {each.owner for each in after.orders} == {BOT}


@pytest.mark.parametrize(("first", "second"), [(BOT, ""), ("", BOT), (BOT, "other-2")])
def test_nobody_adds_to_or_turns_what_another_one_holds(first: str, second: str) -> None:
    held = buy(account(), owner=first)
    for side in ("buy", "sell"):
        with pytest.raises(NotYours) as refused:
            buy(held, owner=second, side=side)
        assert refused.value.owner == first


def test_an_open_order_that_would_open_keeps_the_symbol_for_its_owner() -> None:
    resting = buy(account(), type="limit", price=Decimal(30_000))
    with pytest.raises(NotYours):
        buy(resting, owner=BOT)


def test_a_person_may_close_what_a_bot_holds_but_no_bot_what_a_person_holds() -> None:
    free = market(terms=FREE)
    assert not close_position(buy(account(), owner=BOT), BTC, free, "o-2", MOMENT).account.positions
    with pytest.raises(NotYours):
        buy(buy(account()), owner=BOT, side="sell", reduce_only=True)


def test_the_last_fill_tells_the_whole_trade() -> None:
    held = buy(account(), owner=BOT, because="Rose")
    later = MOMENT + timedelta(minutes=7)
    half = market(quote(mark=41_000, time=MOMENT + timedelta(minutes=5)), terms=FREE)
    first = close_position(held, BTC, half, "o-2", MOMENT, percent=Decimal(50))
    assert trade_of(first) is None
    full = market(quote(mark=43_000, time=later), terms=FREE)
    trade = trade_of(close_position(first.account, BTC, full, "o-3", MOMENT))
    assert trade is not None
    # 0.05 went at 41,000 and 0.05 at 43,000, all bought at 40,000
    assert trade.pnl == trade.gross == Decimal(200)
    assert (trade.entry_price, trade.exit_price) == (40_000, 42_000)
    assert (trade.quantity, trade.side, trade.owner) == (Decimal("0.1"), "long", BOT)
    assert trade.closed_at - trade.opened_at == timedelta(minutes=7)
    assert trade.opened_because == "Rose"


def test_a_trade_bears_its_fees_and_its_funding() -> None:
    held = position(
        owner=BOT, fees_paid=Decimal(3), funding=Decimal("-1.5"), mark_price=Decimal(41_000)
    )
    change = close_position(
        account(positions=(held,)), BTC, market(quote(mark=41_000)), "o-2", MOMENT
    )
    fill = next(booking.fill for booking in change.bookings if booking.fill is not None)
    assert fill.trade is not None
    assert fill.trade.fees == 3 + fill.fee
    assert fill.trade.pnl == fill.position_pnl == fill.realized_pnl - fill.fee - 3 - Decimal("1.5")


@pytest.mark.parametrize(
    ("mark", "because"), [(38_000, "Stop-loss"), (45_000, "Take-profit"), (15_000, "Liquidation")]
)
def test_a_trade_says_what_ended_it(mark: int, because: str) -> None:
    held = buy(account(), owner=BOT, stop_loss=Decimal(39_000), take_profit=Decimal(44_000))
    trade = trade_of(advance(held, market(quote(mark=mark), terms=FREE), {}))
    assert trade is not None
    assert (trade.owner, trade.closed_because) == (BOT, because)


def test_what_older_versions_wrote_is_the_persons() -> None:
    new = {"owner", "opened_because", "closed_quantity", "closed_cost", "closed_value"}
    old = {name: v for name, v in POSITION.encode(position()).items() if name not in new}
    assert POSITION.decode(old) == position()
    old = {n: v for n, v in ORDER.encode(order()).items() if n not in ("owner", "because")}
    assert ORDER.decode(old) == order()


def test_a_fill_with_its_trade_is_read_back_as_it_was_written() -> None:
    held = buy(account(), owner=BOT, because="Rose")
    change = close_position(held, BTC, market(quote(mark=41_000)), "o-2", MOMENT)
    fill = next(booking.fill for booking in change.bookings if booking.fill is not None)
    written = json.loads(json.dumps(FILL.encode(fill)))
    assert FILL.decode(written) == fill
    old = {n: v for n, v in written.items() if n not in ("owner", "filled_at", "trade")}
    assert FILL.decode(old).trade is None


KEY = "freqtrade"
TRADED_BY = "is traded by {} now"


@pytest.fixture
def desk() -> Desk:
    """A desk at prices that stand still."""
    return Desk(MemoryStore(), LiveBoard(market=market(quote(), quote(ETH, 2_500), terms=FREE)))


def order_of(owner: str, desk: Desk, **members: Any) -> Outcome:
    """What placing an order of 0.1 BTC at 2x for ``owner`` came to."""
    usual: dict[str, Any] = {"symbol": BTC, "side": "buy", "quantity": "0.1", "leverage": 2}
    return desk.place_order(how={"owner": owner, "source": "http"}, **{**usual, **members})


def rest(owner: str, desk: Desk, **members: Any) -> str:
    """The id of an order of ``owner`` that waits."""
    order_of(owner, desk, **{"type": "limit", "price": "30000", **members})
    return desk.account().orders[-1].id


CHANGES: dict[str, Callable[[Desk, Conditions], object]] = {
    "order": lambda desk, how: desk.place_order(symbol=BTC, side="buy", quantity="0.1", how=how),
    "oco": lambda desk, how: desk.place_oco(OCO, how=how),
    "amend": lambda desk, how: desk.amend_order(desk.account().orders[0].id, price=29_000, how=how),
    "cancel": lambda desk, how: desk.cancel_order(desk.account().orders[0].id, **how),
    "close": lambda desk, how: desk.close_position(BTC, **how),
    "reverse": lambda desk, how: desk.reverse_position(BTC, **how),
    "margin": lambda desk, how: desk.move_margin(BTC, 5, **how),
    "leverage": lambda desk, how: desk.set_leverage(BTC, 2, **how),
}
SMALL = {"symbol": BTC, "side": "buy", "quantity": "0.1"}
OCO = [
    {**SMALL, "type": "limit", "price": "30000"},
    {
        "symbol": BTC,
        "side": "buy",
        "quantity": "0.1",
        "type": "stop_market",
        "trigger_price": 50000,
    },
]
PREVIEWS: dict[str, Callable[[Desk, str], object]] = {
    "order": lambda desk, owner: desk.preview_order(
        owner=owner, symbol=BTC, side="buy", quantity="0.1"
    ),
    "oco": lambda desk, owner: desk.preview_oco(OCO, owner=owner),
    "amend": lambda desk, owner: desk.preview_amendment(
        desk.account().orders[0].id, owner=owner, price=29_000
    ),
    "reverse": lambda desk, owner: desk.preview_reversal(BTC, owner=owner),
    "margin": lambda desk, owner: desk.preview_margin(BTC, 5, owner=owner),
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("other", ["", "ema-1", "bot"])
def test_a_key_changes_nothing_of_others(name: str, other: str, desk: Desk) -> None:
    order_of(other, desk)
    rest(other, desk)
    before = desk.version
    with pytest.raises(NotYours, match=TRADED_BY.format(other or "the person")) as refused:
        CHANGES[name](desk, {"owner": KEY})
    assert (refused.value.owner, desk.version) == (other, before)
    assert f"{KEY} may change only what is its own" in str(refused.value)


@pytest.mark.parametrize("name", PREVIEWS)
def test_a_preview_refuses_what_its_change_would(name: str, desk: Desk) -> None:
    order_of("", desk)
    rest("", desk)
    with pytest.raises(NotYours, match=TRADED_BY.format("the person")):
        PREVIEWS[name](desk, KEY)
    PREVIEWS[name](desk, "")


@pytest.mark.parametrize("name", CHANGES)
def test_a_key_changes_what_is_its_own(name: str, desk: Desk) -> None:
    order_of(KEY, desk)
    rest(KEY, desk)
    CHANGES[name](desk, {"owner": KEY})
    account = desk.account()
    assert {each.owner for each in (*account.positions, *account.orders)} == {KEY}


def test_what_a_key_did_is_of_its_name_in_account_and_ledger(desk: Desk) -> None:
    entries = [*order_of(KEY, desk, stop_loss="30000").entries]
    entries += desk.close_position(BTC, owner=KEY).entries
    fills = [each.booking.fill for each in entries if each.booking.fill is not None]
    assert {fill.owner for fill in fills} == {KEY}
    assert fills[-1].trade is not None
    assert fills[-1].trade.owner == KEY
    # A person did not request it, so it is news to them.
    assert {each.source for each in entries} == {"bot"}
    assert desk.snapshot()["news"].startswith(f"{KEY}: Sold 0.1 BTC/USDT")


def test_all_of_a_key_is_all_that_is_its_own(desk: Desk) -> None:
    order_of("", desk)
    kept = rest("", desk)
    order_of(KEY, desk, symbol=ETH)
    rest(KEY, desk, symbol=ETH, price="2000")
    desk.cancel_orders(owner=KEY)
    desk.close_positions(owner=KEY)
    account = desk.account()
    assert [each.id for each in account.orders] == [kept]
    assert [each.symbol for each in account.positions] == [BTC]
    with pytest.raises(UnknownOrder):
        desk.cancel_orders(owner=KEY)
    with pytest.raises(UnknownPosition):
        desk.close_positions(owner=KEY)


def test_the_person_closes_and_cancels_what_a_key_has(desk: Desk) -> None:
    order_of(KEY, desk)
    waiting = rest(KEY, desk)
    for change in ("order", "amend", "reverse", "margin"):
        with pytest.raises(NotYours, match=TRADED_BY.format(KEY)):
            CHANGES[change](desk, {})
    desk.cancel_order(waiting)
    desk.close_position(BTC)
    assert not desk.account().positions


def test_the_owner_is_part_of_what_a_request_is(desk: Desk) -> None:
    how: Conditions = {"idempotency_key": "k-1"}
    first = desk.place_order(symbol=BTC, side="buy", quantity="0.1", how={**how, "owner": KEY})
    again = desk.place_order(symbol=BTC, side="buy", quantity="0.1", how={**how, "owner": KEY})
    assert (first.replayed, again.replayed) == (False, True)
    for other in ("", "bot"):
        with pytest.raises(KeyReused):
            desk.place_order(symbol=BTC, side="buy", quantity="0.1", how={**how, "owner": other})


# the history of one owner

OWNERS = ("freqtrade", "grid", "you")


@pytest.fixture(scope="module")
def shared() -> Dialect:
    """An account on which two keys and the person have traded, with something open of each key."""
    prices = LiveBoard(market=market(quote(), quote(ETH, 2_500), quote(SOL, 20)))
    dialect = Dialect(Desk(MemoryStore(), prices), name="freqtrade", guards=Guards())
    dialect.other("grid")
    desk = dialect.desk
    for owner, symbol, size, price in (
        ("freqtrade", BTC, "0.1", 30_000),
        ("grid", ETH, "1", 2_000),
        ("", SOL, "5", 15),
    ):
        order_of(owner, desk, symbol=symbol, quantity=size)
        order_of(owner, desk, symbol=symbol, quantity=size, side="sell", reduce_only=True)
        rest(owner, desk, symbol=symbol, quantity=size, price=price)
    order_of("freqtrade", desk, quantity="0.2")
    order_of("grid", desk, symbol=ETH, side="sell")
    desk.close_position(ETH, "0.05", owner="grid")
    priced(prices, 41_000)
    at = next_settlement(MOMENT)
    quotes = {name: replace(each, time=at) for name, each in prices.market.quotes.items()}
    later = replace(prices.market, quotes=quotes, tick=prices.market.tick + 1)
    rates = {
        (name, at): Settlement(rate=Decimal("0.001"), mark=Decimal(100)) for name in (BTC, ETH)
    }
    desk.advance(later, rates)
    return dialect


@pytest.mark.parametrize("table", ["ledger", "fills", "trades", "orders"])
def test_lists_of_one_owner_have_what_is_its_own_alone(shared: Dialect, table: str) -> None:
    def listed(**sent: object) -> list[dict[str, Any]]:
        answer = shared.client.get(f"/history/{table}", query_string={"limit": 500, **sent})
        rows: list[dict[str, Any]] = answer.get_json()["rows"]
        return rows

    every = listed()
    of = {name: listed(owner=name) for name in OWNERS}
    name = "bot" if table == "trades" else "owner"
    for owner, rows in of.items():
        assert rows
        assert {each[name] for each in rows} == {"" if owner == "you" else owner}
    owned = [each for each in every if each[name] is not None]
    assert sum(map(len, of.values())) == len(owned)
    both = listed(owner="freqtrade,grid")
    assert [each["place"] for each in both] == [each["place"] for each in owned if each[name] != ""]
    assert listed(owner="nobody") == []


def test_the_pnl_of_all_owners_is_that_of_the_account(shared: Dialect) -> None:
    shown = shared.desk.snapshot()
    rows = {each["name"]: each for each in shared.services.keys.listed()["keys"]}
    trades = shared.client.get("/history/trades", query_string={"owner": "you"}).get_json()
    by_hand = sum((Decimal(str(each["pnl"])) for each in trades["rows"]), Decimal(0))
    assert rows["freqtrade"]["positions"]
    assert rows["grid"]["positions"]
    assert rows["freqtrade"]["pnl"] + rows["grid"]["pnl"] + by_hand == shown.current_pnl
    for name in ("freqtrade", "grid"):
        realized = shared.client.get("/history/trades", query_string={"owner": name}).get_json()
        pnl = sum((Decimal(str(each["pnl"])) for each in realized["rows"]), Decimal(0))
        assert rows[name]["realized"] == pnl


def test_a_file_of_one_owner_has_what_is_its_own_alone(shared: Dialect) -> None:
    answer = shared.client.get("/history/fills", query_string={"owner": "grid", "format": "csv"})
    assert answer.mimetype == "text/csv"
    rows = list(csv.DictReader(answer.text.splitlines()))
    assert len(rows) == 4
    assert {each["owner"] for each in rows} == {"grid"}


@pytest.mark.parametrize("is_indexed", [True, False])
def test_the_shell_lists_the_ledger_of_one_owner(
    folder: Path, capsys: pytest.CaptureFixture[str], is_indexed: bool
) -> None:
    desk = Desk(FileStore(folder), LiveBoard(market=market(quote(), quote(ETH, 2_500))))
    if is_indexed:
        assert History(desk.store, folder / INDEX_FILE).index.catch_up()
    order_of("freqtrade", desk)
    order_of("grid", desk, symbol=ETH)
    desk.close_position(ETH)
    desk.deposit(5)
    for owner, expected in (
        ("freqtrade", ["fee", "fill"]),
        ("grid", ["fee", "realized_pnl", "fill", "fee", "fill"]),
        ("you", []),
    ):
        words = ["history", "--data-dir", str(folder), "--owner", owner, "--json", "--limit", "5"]
        assert main(words) == 0
        entries = json.loads(capsys.readouterr().out)["entries"]
        assert [each["kind"] for each in entries] == expected
    page = desk.history(owner="grid", limit=2)
    assert [each["kind"] for each in page.entries] == ["fee", "realized_pnl"]
    following = desk.history(owner="grid", limit=2, before=page.next)
    assert [each["kind"] for each in following.entries] == ["fill", "fee"]
