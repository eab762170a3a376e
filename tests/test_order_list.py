"""The orders as a list: what the index has of each is what the ledger tells of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import create_app
from balance import Desk
from balance.api.stream import Stream
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import BalanceError, StoreUnreadable
from balance.core.operations import restate
from balance.core.order import ORDER_KINDS
from balance.core.order_record import OrderRecord, order_records
from balance.desk.transactions import Outcome
from balance.history.filling import prove_tables
from balance.history.history import History
from balance.history.order_table import SET_OFF, UNCONDITIONAL, WAITING
from balance.history.question import Question
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.answers import problem
from tests.boards import board, priced
from tests.length import rounds
from tests.marked import Marked
from tests.markets import BTC, ETH

T = TypeVar("T")
ORDERS = Question(table="orders", sort="place", limit=None)


class Trader:
    """Somebody who places, cancels and resets as ``chance`` has it, while the price moves."""

    def __init__(self, store: MemoryStore | FileStore, chance: random.Random) -> None:
        self.desk = Desk(store, board())
        self._chance = chance
        self._edits = 0

    def act(self) -> None:
        """One more act, which may be refused."""
        chance, desk = self._chance, self.desk
        acts = [self._place] * 6 + [self._move] * 3 + [self._cancel] * 2
        acts += [self._amend] * 2 + [self._edit]
        acts += [lambda: desk.close_position(BTC), lambda: desk.reset(10_000), desk.undo_reset]
        try:
            chance.choice(acts)()
        except BalanceError:
            return

    def _place(self) -> None:
        chance, price = self._chance, 40_000 + 100 * self._chance.randrange(-9, 10)
        kind = chance.choice(["market", "limit", "limit", "stop_market", "stop_limit"])
        terms: dict[str, Any] = {"leverage": chance.choice([5, 5, 50])}
        if "limit" in kind:
            terms["price"] = price
            terms["time_in_force"] = chance.choice(["GTC", "GTC", "IOC", "FOK", "GTX"])
        if "stop" in kind:
            terms["trigger_price"] = price
        if chance.random() < 0.3:
            terms["reduce_only"] = True
        elif chance.random() < 0.3:
            terms |= {"take_profit": 50_000, "stop_loss": 30_000}
        side = chance.choice(["buy", "sell"])
        self.desk.place_order(symbol=BTC, side=side, type=kind, quantity="0.01", **terms)

    def _amend(self) -> None:
        orders = [each for each in self.desk.account().orders if each.price is not None]
        if orders:
            price = 40_000 + 100 * self._chance.randrange(-9, 10)
            self.desk.amend_order(self._chance.choice(orders).id, price=price)

    def _edit(self) -> None:
        """Take an order out of the account by hand, or give one another name."""
        orders, kind = self.desk.account().orders, self._chance.choice(["external_edit", "repair"])
        left = orders[1:]
        if orders and self._chance.random() < 0.5:
            self._edits += 1
            left = (*left, replace(orders[0], id=f"edited-{self._edits}"))

        def edit(account: Account) -> Change:
            edited = replace(account, orders=left)
            return restate(edited, kind, account.wallet.balance, "")

        self.desk.step(edit, "file")

    def _move(self) -> None:
        priced(self.desk._transactions.board, 40_000 + 100 * self._chance.randrange(-12, 13))
        self.desk.advance(self.desk.market, {})

    def _cancel(self) -> None:
        orders = self.desk.account().orders
        if orders:
            self.desk.cancel_order(self._chance.choice(orders).id)


def damaged(folder: Path, *numbers: int) -> History:
    """The history of the account in ``folder`` where those lines of the ledger are damaged."""
    store = Marked(folder)
    store.damage(*numbers)
    return History(store)


def listed(history: History, question: Question = ORDERS) -> list[OrderRecord]:
    return list(history.orders.page(question).rows)


def trigger_of(record: OrderRecord) -> int:
    """Whether the order of ``record`` waits for a trigger, as the index has it."""
    types = [each.type for each in (record.asked, record.order, record.fill) if each is not None]
    if not any(ORDER_KINDS[each].waits for each in types):
        return UNCONDITIONAL
    waits = record.fill is None and ORDER_KINDS[types[-1]].waits
    return WAITING if waits else SET_OFF


def of_the_ledger(desk: Desk) -> dict[str, OrderRecord]:
    return order_records([*desk.store.entries()][::-1])


@settings(max_examples=rounds(50, 500))
@given(chance=st.randoms(use_true_random=False), steps=st.integers(5, 60), data=st.data())
def test_the_index_has_what_the_entries_tell(
    chance: random.Random, steps: int, data: st.DataObject
) -> None:
    trader = Trader(MemoryStore(), chance)
    history = History(trader.desk.store)
    for _ in range(steps):
        trader.act()
        if chance.random() < 0.2:
            # A count that is known is counted anew once an order has changed.
            asked = replace(ORDERS, one_of={"state": ("NEW",)}, limit=1)
            assert history.orders.page(asked).total == len(trader.desk.account().orders)
    wanted = of_the_ledger(trader.desk)
    assert {each.id: each for each in listed(history)} == wanted
    assert len(listed(history)) == len(wanted)
    with history.index.database.reading() as connection:
        prove_tables(connection, lambda: False)
    # What is sorted and filtered is what is shown.
    for state in ("NEW", "FILLED", "CANCELED", "EXPIRED", "REJECTED"):
        asked = replace(ORDERS, one_of={"state": (state,)})
        assert {each.id for each in listed(history, asked)} == {
            name for name, each in wanted.items() if each.state == state
        }
    for trigger in (UNCONDITIONAL, WAITING, SET_OFF):
        asked = replace(ORDERS, one_of={"conditional": (trigger,)})
        assert {each.id for each in listed(history, asked)} == {
            name for name, each in wanted.items() if trigger_of(each) == trigger
        }
    for name in wanted:
        assert history.orders.find(name) == wanted[name]
    assert history.orders.find("nothing") is None


@settings(max_examples=rounds(20, 500))
@given(
    chance=st.randoms(use_true_random=False),
    filters=st.sampled_from(
        [
            {},
            *({"one_of": {"state": (each,)}} for each in ("NEW", "FILLED", "EXPIRED")),
            {"one_of": {"side": ("buy",), "type": ("limit", "stop_limit")}},
            {"limit": 3, "sort": "-place"},
            {"limit": 2, "sort": "-place", "one_of": {"state": ("NEW",)}},
            {"limit": 3},
            {"sort": "ended_at"},
        ]
    ),
    later=st.booleans(),
)
def test_no_order_has_a_wrong_state_where_lines_are_damaged(
    tmp_path_factory: pytest.TempPathFactory,
    chance: random.Random,
    filters: dict[str, Any],
    later: bool,
) -> None:
    folder = tmp_path_factory.mktemp("orders") / "account"
    trader = Trader(FileStore(folder), chance)
    for _ in range(20):
        trader.act()
    lines = [*trader.desk.store.entries()][::-1]
    numbers = chance.sample(range(2, len(lines) + 1), k=min(2, len(lines) - 1))
    wanted, sound = of_the_ledger(trader.desk), History(FileStore(folder))
    history = damaged(folder, *numbers)
    asked = replace(ORDERS, **filters)
    if later and numbers:
        asked = replace(asked, after=lines[numbers[0] - 1].revision)
    found = answered(lambda: history.orders.page(asked), numbers)
    if found is not None:
        every = sound.orders.page(asked)
        assert found.rows == every.rows
        assert found.total in (None, every.total)
    for name, record in wanted.items():
        assert answered(lambda name=name: history.orders.find(name), numbers) in (None, record)


def answered(ask: Callable[[], T], damaged: Sequence[int]) -> T | None:
    """What ``ask`` answers; None where it needs one of the ``damaged`` lines."""
    try:
        return ask()
    except StoreUnreadable as fault:
        line = fault.line
    assert line in damaged
    return None


def test_orders_of_before_and_behind_a_damaged_line_are_answered(folder: Path) -> None:
    desk = Desk(FileStore(folder), board())
    ended, open_still = (_limit(desk) for _ in range(2))
    desk.cancel_order(ended)
    desk.deposit(5)
    newer = _limit(desk)
    history = damaged(folder, 5)
    newest = replace(ORDERS, sort="-place", limit=1)
    assert [each.id for each in listed(history, newest)] == [newer]
    assert (history.orders.find(ended), history.orders.find(newer)) != (None, None)
    # It may have ended there.
    for asked in (lambda: history.orders.find(open_still), lambda: listed(history)):
        with pytest.raises(StoreUnreadable, match="line 5 does not match its checksum"):
            asked()
    # Until it is stated as open again.
    desk.amend_order(open_still, price=1_400)
    history = damaged(folder, 5)
    amended = history.orders.find(open_still)
    assert amended is not None
    assert (amended.state, amended.placed, amended.changed) == ("NEW", (3, 1), (7, 1))


def _limit(desk: Desk) -> str:
    return order_of(desk.place_order(symbol=ETH, side="buy", type="limit", quantity=1, price=1_500))


def order_of(outcome: Outcome) -> str:
    """The id of the order that was placed."""
    effect = outcome.entries[0].booking.effect
    assert effect is not None
    return effect.opened[0].id


def test_the_open_orders_may_be_asked_for_with_what_a_list_has_by_default() -> None:
    client = create_app(Desk(MemoryStore(), board()), Stream(1)).server.test_client()
    # As a client sends it that was generated from the description.
    usual = {"state": "open", "limit": "100", "offset": "0", "sort": "-revision", "after": ""}
    assert client.get("/orders", query_string=usual).get_json()["orders"] == []
    detail = problem(client.get("/orders?limit=5"), 422)["detail"]
    assert detail.startswith("'limit' goes with a state: state=all lists every order")
