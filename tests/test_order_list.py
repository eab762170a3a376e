"""The orders as a list: what the index has of each is what the ledger tells of it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from balance import Desk
from balance.core.errors import BalanceError
from balance.core.order_record import OrderRecord, order_records
from balance.history.filling import prove_tables
from balance.history.history import History
from balance.history.question import Question
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.boards import board, priced
from tests.length import rounds
from tests.markets import BTC

ORDERS = Question(table="orders", sort="place", limit=None)


class Trader:
    """Somebody who places, cancels and resets as ``chance`` has it, while the price moves."""

    def __init__(self, store: MemoryStore | FileStore, chance: random.Random) -> None:
        self.desk = Desk(store, board())
        self._chance = chance

    def act(self) -> None:
        """One more act, which may be refused."""
        chance, desk = self._chance, self.desk
        acts = [self._place] * 6 + [self._move] * 3 + [self._cancel] * 2
        acts += [lambda: desk.close_position(BTC), lambda: desk.reset(10_000), desk.undo_reset]
        try:
            chance.choice(acts)()
        except BalanceError:
            return

    def _place(self) -> None:
        chance, price = self._chance, 40_000 + 100 * self._chance.randrange(-9, 10)
        kind = chance.choice(["market", "limit", "limit", "stop_market", "stop_limit"])
        terms: dict[str, Any] = {}
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

    def _move(self) -> None:
        priced(self.desk._transactions.board, 40_000 + 100 * self._chance.randrange(-12, 13))
        self.desk.advance(self.desk.market, {})

    def _cancel(self) -> None:
        orders = self.desk.account().orders
        if orders:
            self.desk.cancel_order(self._chance.choice(orders).id)


def listed(history: History, question: Question = ORDERS) -> list[OrderRecord]:
    return list(history.orders(question).rows)


def of_the_ledger(desk: Desk) -> dict[str, OrderRecord]:
    return order_records([*desk.store.entries()][::-1])


@settings(max_examples=rounds(50, 500), deadline=None)
@given(chance=st.randoms(use_true_random=False), steps=st.integers(5, 60), data=st.data())
def test_the_index_has_what_the_entries_tell(
    chance: random.Random, steps: int, data: st.DataObject
) -> None:
    trader = Trader(MemoryStore(), chance)
    history = History(trader.desk.store)
    for _ in range(steps):
        trader.act()
        if chance.random() < 0.2:
            history.index.catch_up()
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
    for name in wanted:
        assert history.order(name) == wanted[name]
    assert history.order("nothing") is None
