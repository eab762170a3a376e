"""Trading in Python: the desk's use cases, alone and from several programs on one folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance import (
    BalanceError,
    Desk,
    InsufficientBalance,
    InvalidAmount,
    InvalidRequest,
    KeyReused,
    NoLivePrice,
    Snapshot,
    StaleRevision,
    UnknownOrder,
    UnknownPosition,
    open_account,
)
from balance.core.messages import MARKET, OFFLINE
from balance.desk.desk import MOST_CANDLES
from balance.market.board import LiveBoard, save_market
from balance.store.memory_store import MemoryStore
from balance.store.state import Commit
from balance.store.verification import verify
from tests.markets import BTC, ETH, quote
from tests.patience import wait_for
from tests.processes import PROCESSES
from tests.serving import Server
from tests.traders import trade_by_http, trade_by_module

Amounts = dict[str, Any]


@pytest.fixture
def desk(board: LiveBoard) -> Desk:
    """An account of 10,000 in memory."""
    return Desk(MemoryStore(), board)


@pytest.fixture
def shared(folder: Path, board: LiveBoard) -> Callable[[], Desk]:
    """Opens the account in a folder, as each program does, beside a server that runs."""
    folder.mkdir()
    save_market(folder, board.market, {})
    return lambda: open_account(folder)


def buy(desk: Desk, quantity: object = "0.01", **members: Any) -> Any:
    return desk.place_order(symbol=BTC, side="buy", quantity=quantity, **members)


def moved(board: LiveBoard, btc: object) -> None:
    """Let Bitcoin be at ``btc``."""
    before = board.market
    board.market = replace(
        before, quotes={**before.quotes, BTC: quote(BTC, btc)}, tick=before.tick + 1
    )


class TestAnOrder:
    """``place_order`` and ``preview_order``."""

    @pytest.mark.parametrize("quantity", ["0.01", 0.01, Decimal("0.01"), "1e-2", Decimal("0.0100")])
    def test_takes_numbers_of_every_kind(self, desk: Desk, quantity: object) -> None:
        outcome = buy(desk, quantity)
        assert outcome.message == ("Bought 0.01 BTC/USDT at 40,004, fee 0.20. Balance 9,999.80.")
        assert not outcome.replayed
        assert [entry.booking.kind for entry in outcome.entries] == ["fill", "fee"]
        assert outcome.snapshot == desk.snapshot()

    def test_leaves_out_what_is_none(self, desk: Desk) -> None:
        outcome = buy(desk, type=None, price=None, notional=None, reduce_only=None, leverage=None)
        assert outcome.snapshot.positions[0]["leverage"] == 10

    def test_is_told_to_listeners_once(self, desk: Desk) -> None:
        heard: list[Snapshot] = []
        desk.subscribe(heard.append)
        first = buy(desk, how={"idempotency_key": "k"})
        buy(desk, how={"idempotency_key": "k"})
        desk.preview_order(symbol=BTC, side="buy", quantity=1)
        assert heard == [first.snapshot]

    @pytest.mark.parametrize(
        ("members", "error"),
        [
            ({"quantity": "10"}, InsufficientBalance),
            ({"quantity": True}, InvalidAmount),
            ({"quantity": float("nan")}, InvalidAmount),
            ({"quantity": float("inf")}, InvalidAmount),
            ({"quantity": Decimal("sNaN")}, InvalidAmount),
            ({"quantity": ()}, InvalidAmount),
            ({"quantity": -1}, InvalidAmount),
            ({"symbol": "SOL/USDT", "quantity": 5}, NoLivePrice),
            ({"symbol": 5, "quantity": 5}, InvalidRequest),
            ({"side": ["buy"], "quantity": 5}, InvalidRequest),
            ({"reduce_only": 1, "quantity": 5}, InvalidRequest),
            ({"quantity": 5, "nonsense": 1}, InvalidRequest),
            ({"side": "sell", "quantity": 5, "reduce_only": True}, UnknownPosition),
            ({}, InvalidRequest),
        ],
        ids=str,
    )
    def test_that_is_refused_raises_what_is_wrong_and_changes_nothing(
        self, desk: Desk, members: Amounts, error: type[BalanceError]
    ) -> None:
        wanted = {"symbol": BTC, "side": "buy", **members}
        with pytest.raises(error):
            desk.place_order(**wanted)
        if error is not InsufficientBalance:
            with pytest.raises(error):
                desk.preview_order(**wanted)
        assert desk.snapshot().revision == 1

    def test_tells_what_it_needs_and_what_there_is(self, desk: Desk) -> None:
        with pytest.raises(InsufficientBalance) as refused:
            buy(desk, 10)
        assert refused.value.available == 10_000
        seen = desk.preview_order(symbol=BTC, side="buy", quantity=10)
        assert seen.cost == refused.value.required == Decimal("40204.02")
        assert not seen.affordable

    def test_is_placed_at_one_revision_and_once_only(self, desk: Desk) -> None:
        with pytest.raises(StaleRevision):
            buy(desk, how={"if_match": 7})
        first = buy(desk, how={"if_match": 1, "idempotency_key": "k"})
        again = buy(desk, "0.010", how={"if_match": 1, "idempotency_key": "k"})
        assert again.replayed
        assert again.message == first.message
        assert again.entries == first.entries
        with pytest.raises(KeyReused):
            buy(desk, "0.02", how={"idempotency_key": "k"})
        assert desk.snapshot().revision == 2

    def test_may_be_asked_for_again_when_the_market_is_gone(
        self, desk: Desk, board: LiveBoard
    ) -> None:
        key: Any = {"how": {"idempotency_key": "k"}}
        first = buy(desk, **key)
        board.market = LiveBoard().market
        assert buy(desk, **key).entries == first.entries
        with pytest.raises(InvalidRequest, match="no feed runs"):
            buy(desk)


class WaitingStore(MemoryStore):
    """Lets something happen while a change waits for its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.meanwhile: Callable[[], None] = lambda: None

    def commit(self, *args: Any, **how: Any) -> Commit:
        self.meanwhile()
        return super().commit(*args, **how)


class TestAnOrderThatHadToWait:
    """Another program held the lock while the market went on."""

    @pytest.fixture
    def store(self) -> WaitingStore:
        return WaitingStore()

    @pytest.fixture
    def desk(self, store: WaitingStore, board: LiveBoard) -> Desk:
        desk = Desk(store, board)
        buy(desk)
        return desk

    @pytest.mark.parametrize(
        ("trade", "price"),
        [(buy, "50005"), (lambda desk: desk.close_position(BTC), "49995")],
        ids=["placed", "closed"],
    )
    def test_fills_at_the_price_of_its_turn(
        self, desk: Desk, store: WaitingStore, board: LiveBoard, trade: Any, price: str
    ) -> None:
        store.meanwhile = lambda: moved(board, 50_000)
        fill = trade(desk).entries[0].booking.fill
        assert fill.price == Decimal(price)

    @pytest.mark.parametrize("trade", [buy, lambda desk: desk.close_position(BTC)])
    def test_does_not_fill_where_the_price_has_gone(
        self, desk: Desk, store: WaitingStore, board: LiveBoard, trade: Any
    ) -> None:
        def fall_silent() -> None:
            board.market = replace(board.market, live=frozenset(), state="stale")

        store.meanwhile = fall_silent
        with pytest.raises(NoLivePrice):
            trade(desk)
        assert desk.snapshot().revision == 2


class TestCancellingAndClosing:
    """``cancel_order``, ``cancel_orders`` and ``close_position``."""

    def test_an_order_is_cancelled_by_its_id(self, desk: Desk) -> None:
        buy(desk, type="limit", price=39_000)
        buy(desk, type="limit", price=38_000)
        first, second = (each["id"] for each in desk.snapshot().open_orders)
        assert first != second
        after = desk.cancel_order(first).snapshot
        assert [each["id"] for each in after.open_orders] == [second]
        with pytest.raises(UnknownOrder, match=first):
            desk.cancel_order(first)

    def test_orders_are_cancelled_by_symbol(self, desk: Desk) -> None:
        buy(desk, type="limit", price=39_000)
        desk.place_order(symbol=ETH, side="buy", quantity=1, type="limit", price=1_900)
        assert [each["symbol"] for each in desk.cancel_orders("eth-usdt").snapshot.open_orders] == [
            BTC
        ]
        with pytest.raises(InvalidRequest):
            desk.cancel_orders("DOGE/USDT")
        assert desk.cancel_orders().snapshot.available_balance == 10_000
        with pytest.raises(UnknownOrder):
            desk.cancel_orders()

    def test_a_position_is_closed_in_part_and_as_a_whole(self, desk: Desk) -> None:
        buy(desk, "0.02")
        after = desk.close_position("BTCUSDT", percent=25).snapshot
        assert after.positions[0]["quantity"] == Decimal("0.015")
        assert desk.close_position(BTC, "0.005").snapshot.positions[0]["quantity"] == Decimal(
            "0.01"
        )
        assert desk.close_position(BTC).snapshot.positions == ()
        with pytest.raises(UnknownPosition):
            desk.close_position(BTC)

    @pytest.mark.parametrize(
        ("size", "error"),
        [
            ({"quantity": 1, "percent": 1}, InvalidRequest),
            ({"quantity": 0}, InvalidAmount),
            ({"percent": -1}, InvalidAmount),
            ({"percent": 101}, InvalidAmount),
            ({"percent": "all"}, InvalidAmount),
        ],
        ids=str,
    )
    def test_a_size_that_can_not_be_is_refused(
        self, desk: Desk, size: Amounts, error: type[BalanceError]
    ) -> None:
        buy(desk)
        with pytest.raises(error):
            desk.close_position(BTC, **size)
        assert desk.snapshot().revision == 2

    def test_a_key_closes_once(self, desk: Desk) -> None:
        buy(desk)
        first = desk.close_position(BTC, percent=50, idempotency_key="k")
        again = desk.close_position("btc-usdt", percent="50.0", idempotency_key="k")
        assert again.entries == first.entries
        assert desk.snapshot().positions[0]["quantity"] == Decimal("0.005")


class TestTheMarketActs:
    """``advance``: what quotes do to the account."""

    def test_nothing_is_committed_while_nothing_is_due(self, desk: Desk, board: LiveBoard) -> None:
        buy(desk)
        assert desk.advance(board.market, {}) is None
        assert desk.snapshot().revision == 2

    @pytest.mark.parametrize(
        ("source", "before"), [(MARKET, ""), (OFFLINE, "While the program was off: ")]
    )
    def test_what_it_did_is_news_until_the_next_change(
        self, desk: Desk, board: LiveBoard, source: str, before: str
    ) -> None:
        buy(desk, stop_loss=39_000)
        assert desk.snapshot().news == ""
        moved(board, 38_990)
        outcome = desk.advance(board.market, {}, source)
        assert outcome is not None
        assert outcome.snapshot.news.startswith(f"{before}Sold 0.01 BTC/USDT at 38,986.1")
        assert outcome.snapshot.positions == outcome.snapshot.open_orders == ()
        assert desk.deposit(1).news == ""

    def test_marks_move_the_equity_and_nothing_else(self, desk: Desk, board: LiveBoard) -> None:
        before = buy(desk).snapshot
        moved(board, 41_000)
        after = desk.snapshot()
        assert (after.revision, after.balance) == (before.revision, before.balance)
        assert after.tick == before.tick + 1
        assert after.unrealized_pnl == Decimal("9.96")
        assert after.portfolio_value == after.balance + after.unrealized_pnl
        assert after.free_equity == after.available_balance + after.unrealized_pnl

    def test_a_reset_closes_at_the_newest_mark(self, desk: Desk, board: LiveBoard) -> None:
        buy(desk)
        moved(board, 41_000)
        after = desk.reset(5_000)
        assert (after.positions, after.open_orders, after.balance) == ((), (), 5_000)
        (fill, *_) = desk.fills().entries
        assert (fill["reason"], fill["price"], fill["realized_pnl"]) == (
            *("reset", 41_000, Decimal("9.96")),
        )

    def test_money_that_a_position_holds_can_not_be_withdrawn(self, desk: Desk) -> None:
        buy(desk, "2")
        with pytest.raises(InsufficientBalance) as refused:
            desk.withdraw(5_000)
        assert refused.value.available == desk.snapshot().available_balance < 2_000


class TestCandlesAndFills:
    """``candles`` and ``fills``."""

    @pytest.mark.parametrize(
        ("seconds", "limit"),
        [(60, 0), (60, MOST_CANDLES + 1), (59, 5), (90, 5), (172_800, 5), (0, 5)],
    )
    def test_candles_that_can_not_be_are_refused(
        self, desk: Desk, seconds: int, limit: int
    ) -> None:
        with pytest.raises(InvalidRequest):
            desk.candles(BTC, seconds, limit)

    def test_fills_are_of_every_kind_and_newest_first(self, desk: Desk, board: LiveBoard) -> None:
        buy(desk, stop_loss=39_000)
        buy(desk, type="limit", price=39_500)
        moved(board, 38_990)
        desk.advance(board.market, {})
        rows = desk.fills().entries
        assert [row["reason"] for row in rows] == ["order", "stop_loss", "order"]
        assert rows[0]["liquidity"] == "maker"
        page = desk.fills(limit=2)
        rest = desk.fills(limit=2, before=page.next)
        assert (*page.entries, *rest.entries) == rows
        assert rest.next is None


class TestTwoPrograms:
    """Two desks on one folder, as a bot and a person have them."""

    def test_see_each_others_trades_at_once(self, shared: Callable[[], Desk]) -> None:
        bot, person = shared(), shared()
        buy(bot)
        assert person.snapshot().positions[0]["symbol"] == BTC
        order_id = person.place_order(
            symbol=ETH, side="sell", quantity=1, type="limit", price=2_100
        ).snapshot.open_orders[0]["id"]
        assert bot.cancel_order(order_id).snapshot.open_orders == ()
        assert person.close_position(BTC).snapshot.positions == ()
        assert {**bot.snapshot(), "instance": ""} == {**person.snapshot(), "instance": ""}
        assert bot.fills().entries == person.fills().entries

    def test_share_their_keys(self, shared: Callable[[], Desk]) -> None:
        bot, person = shared(), shared()
        first = buy(bot, how={"idempotency_key": "k"})
        again = buy(person, how={"idempotency_key": "k"})
        assert again.replayed
        assert again.entries == first.entries
        assert person.snapshot().positions[0]["quantity"] == Decimal("0.01")

    def test_can_not_spend_the_same_money_twice(self, shared: Callable[[], Desk]) -> None:
        bot, person = shared(), shared()
        buy(bot, "2")
        with pytest.raises(InsufficientBalance):
            buy(person, "2")

    def test_trade_at_the_prices_of_the_server_while_it_runs(
        self, shared: Callable[[], Desk], folder: Path, board: LiveBoard
    ) -> None:
        account = shared()
        moved(board, 50_000)
        save_market(folder, board.market, {})
        assert buy(account).snapshot.positions[0]["entry_price"] == 50_005
        save_market(folder, replace(board.market, live=frozenset(), message="It is quiet."), {})
        with pytest.raises(NoLivePrice, match="It is quiet"):
            account.close_position(BTC)


@pytest.fixture
def running(server: Server) -> Server:
    """A server that has told its first prices."""
    wait_for(lambda: open_account(server.folder).market.live, "the first prices")
    return server


def test_a_server_and_programs_that_trade_at_once_lose_and_double_nothing(
    running: Server, folder: Path
) -> None:
    rounds = 8
    ways: list[tuple[Any, Any]] = [
        *[(trade_by_module, folder)] * 2,
        *[(trade_by_http, running.url)] * 2,
    ]
    traders, pipes = [], []
    for number, (way, where) in enumerate(ways):
        pipe, theirs = PROCESSES.Pipe()
        traders.append(PROCESSES.Process(target=way, args=(where, theirs, f"{number}", rounds)))
        traders[-1].start()
        theirs.close()
        pipes.append(pipe)
    filled = [order_id for pipe in pipes for order_id in pipe.recv()]
    for trader in traders:
        trader.join()
    assert [trader.exitcode for trader in traders] == [0] * len(ways)
    assert running.stop() == 0
    assert list(verify(folder).faults) == []
    # each order was filled once, however often it was asked for, and no other was
    account = open_account(folder)
    told = [fill["order_id"] for fill in account.fills(limit=1_000).entries]
    assert sorted(told) == sorted(filled)
    assert len(told) >= len(ways) * rounds
    kinds = Counter(row["kind"] for row in account.ledger.rows())
    assert kinds["order"] == kinds["cancel"] == len(ways) * rounds
    snapshot = account.snapshot()
    assert snapshot.open_orders == ()
    held = sum((each["quantity"] for each in snapshot.positions), Decimal(0))
    fills = account.fills(limit=1_000).entries
    signs = {"buy": 1, "sell": -1}
    assert held == sum(signs[each["side"]] * each["quantity"] for each in fills)


def test_a_note_is_kept_with_what_an_order_did(desk: Desk) -> None:
    buy(desk, how={"note": "my model said so"})
    fee, fill, _ = desk.history().entries
    assert fill["note"] == "Bought 0.01 BTC/USDT at 40,004. my model said so"
    assert "my model" not in fee["note"]
