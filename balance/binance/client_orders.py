"""The orders of the account as clients place, find and end them, whichever endpoint they ask.

An open order comes from the account in memory, as clients poll it; one that has ended comes from
the index of the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from balance.binance.call import Params
from balance.binance.errors import NO_OPEN_ORDER, NO_SUCH_ORDER, Refusal, paused
from balance.binance.ids import order_id_in, order_id_of, order_number
from balance.binance.order_requests import Names, read_amendment, read_name, read_order
from balance.binance.order_rows import (
    client_id,
    conditional_order,
    open_record,
    order_of,
    records_after,
)
from balance.binance.signature import identify
from balance.core.account import Account
from balance.core.errors import InsufficientBalance, MarketRefused, StoreError, UnknownOrder
from balance.core.order import Order, closing_side
from balance.core.order_ids import REVISION_STEP
from balance.core.order_record import OrderRecord
from balance.core.trade import LIQUIDATED, POSITION_CLOSED
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions, Outcome
from balance.history.order_table import SET_OFF, UNCONDITIONAL, WAITING
from balance.history.question import Question
from balance.keys.key import Key
from balance.keys.keys import Keys

#: How many orders an answer may have, and how many it has by default.
MOST_ORDERS: Final = 1_000
USUAL_ORDERS: Final = 500

_Result = TypeVar("_Result")
# More than the orders of all symbols that are open at one time.
_MOST_REMEMBERED: Final = 4_000
_POSITION_ENDED: Final = (POSITION_CLOSED, LIQUIDATED)
# What is listed as orders, and what as conditional ones: those that were set off are both.
_LISTED: Final = {False: (UNCONDITIONAL, SET_OFF), True: (WAITING, SET_OFF)}


class ClientOrders:
    """The orders of ``desk``, all of which a client sees, and changes only its own."""

    def __init__(self, desk: Desk, keys: Keys) -> None:
        self._desk = desk
        self._keys = keys
        # When open orders were placed by the ledger, which the account itself does not have; by
        # their ids and the market's time, as a backup that is restored may have the ids once more.
        self._times: dict[tuple[str, datetime], datetime] = {}

    def place(self, key: Key, params: Params, names: Names) -> OrderRecord:
        """The order that ``params`` ask for, placed for ``key``, as it is after that."""
        members = self._read(key, params, names)
        how = self._how(key, opens=not members["reduce_only"])
        outcome = self._taken(members, lambda: self._desk.place_order(how=how, **members))
        made = records_after((), outcome.entries)
        record = next(each for each in made if client_id(each) == members["client_id"])
        self._remember(order_of(record), record.time)
        return record

    def check(self, key: Key, params: Params, names: Names) -> None:
        """Prove that :meth:`place` would place the order."""
        members = self._read(key, params, names)
        found = self._taken(members, lambda: self._desk.preview_order(owner=key.name, **members))
        if not found.affordable:
            raise InsufficientBalance(found.cost, self._desk.account().available_balance)

    def amend(self, key: Key, params: Params, names: Names) -> OrderRecord:
        """The open limit order that ``params`` mean, with their price and quantity."""
        order = self._open(params, names)
        if order is None:
            raise Refusal(-2013, NO_SUCH_ORDER)
        if key.is_paused and not order.reduce_only:
            raise paused()
        numbers = read_amendment(params, order, self._desk.market)
        force = {"time_in_force": order.time_in_force}
        how = self._how(key, opens=not order.reduce_only)
        outcome = self._taken(force, lambda: self._desk.amend_order(order.id, how=how, **numbers))
        return self._after(order, outcome)

    def cancel(self, key: Key, params: Params, names: Names) -> OrderRecord:
        """The order that ``params`` mean, which was open, as it is once it is cancelled. So is a
        conditional one that ended with its position: the exchange leaves those open, and clients
        cancel them then."""
        order = self._open(params, names)
        if order is not None:
            try:
                return self._after(order, self._desk.cancel_order(order.id, owner=key.name))
            except UnknownOrder:
                pass  # It has ended meanwhile.
        record = self._ended(params, names)
        if record is None or not _ended_with_position(record):
            raise Refusal(-2011, NO_OPEN_ORDER)
        return replace(record, state="CANCELED")

    def cancel_all(self, key: Key, symbol: str, *, conditional: bool) -> None:
        """Cancel all open orders of ``symbol`` that ``key`` has, either the conditional ones or the
        others; there may be none."""
        try:
            self._desk.cancel_orders(symbol, conditional=conditional, owner=key.name)
        except UnknownOrder:
            return

    def find(self, params: Params, names: Names) -> OrderRecord:
        """The order that ``params`` mean, open or ended."""
        order = self._open(params, names)
        record = self._ended(params, names) if order is None else self._record(order)
        if record is None:
            raise Refusal(-2013, NO_SUCH_ORDER)
        return record

    def find_open(self, params: Params, names: Names) -> OrderRecord:
        """The open order that ``params`` mean."""
        order = self._open(params, names)
        if order is None:
            raise Refusal(-2013, NO_SUCH_ORDER)
        return self._record(order)

    def find_conditional(self, params: Params, names: Names) -> OrderRecord:
        """The conditional order that ``params`` mean, open or ended. What it was before it was set
        off, the account does not know."""
        order = self._open(params, names)
        if order is not None and order.kind.waits:
            return self._record(order)
        record = self._ended(params, names)
        if record is None or conditional_order(record) is None:
            raise Refusal(-2013, NO_SUCH_ORDER)
        return record

    def all_open(self, symbol: str | None, *, conditional: bool) -> list[OrderRecord]:
        """The open orders, of ``symbol`` if it is named, either the conditional ones or the
        others."""
        return [
            self._record(each)
            for each in self._desk.account().orders
            if symbol in (None, each.symbol) and each.kind.waits == conditional
        ]

    def listed(self, params: Params, names: Names, *, conditional: bool) -> list[OrderRecord]:
        """The orders of a symbol, open and ended, oldest first, as ``params`` ask for: from an
        order or a time on; else the newest."""
        symbol = params.symbol(self._desk.market)
        limit = params.whole("limit", 1, MOST_ORDERS, USUAL_ORDERS)
        begin, end = params.time("startTime"), params.time("endTime")
        number = params.integer(names.number)
        question = Question(
            table="orders",
            one_of={"symbol": (symbol,), "conditional": _LISTED[conditional]},
            begin=begin,
            end=end,
            sort="revision" if begin is not None or number is not None else "-revision",
            limit=limit,
            is_counted=False,
        )
        if number is not None:
            return self._listed_from(number, question)[:limit]
        rows = self._desk.ledger.orders.page(question).rows
        return [*rows] if question.sort == "revision" else [*rows[::-1]]

    def _listed_from(self, number: int, question: Question) -> list[OrderRecord]:
        """The orders of ``question`` from the one with ``number`` on, and maybe some more."""
        if order_id_of(number) != str(number):
            return self._listed_from_older(number, question)
        revision, place = divmod(number, REVISION_STEP)
        # Those that its commit placed before it are read as well.
        rows = self._from(revision, min(place, MOST_ORDERS), question)
        return [each for each in rows if order_number(each.id) >= number]

    def _listed_from_older(self, number: int, question: Question) -> list[OrderRecord]:
        """The same where ``number`` is that of an order of an older version, which does not say
        where it stands, or the next number: clients go on behind the last one that they have."""
        try:
            first, behind = self._desk.order(order_id_of(number)), 0
        except UnknownOrder:
            first, behind = self._desk.order(order_id_of(number - 1)), 1
        rows = self._from(first.placed[0], MOST_ORDERS, question)
        place = next((n for n, each in enumerate(rows) if each.id == first.id), -behind)
        return rows[place + behind :]

    def _from(self, revision: int, more: int, question: Question) -> list[OrderRecord]:
        """The orders of ``question`` from ``revision`` on, up to so many ``more`` than it asks
        for."""
        wider = replace(question, since=(revision, 1), limit=(question.limit or 0) + more)
        return [*self._desk.ledger.orders.page(wider).rows]

    def _read(self, key: Key, params: Params, names: Names) -> dict[str, Any]:
        account = self._desk.account()
        members = read_order(params, names, self._desk.market, account)
        if key.is_paused and not members["reduce_only"]:
            if not _only_closes(members, account, key.name):
                raise paused()
            # So that it opens nothing where the position is smaller meanwhile.
            members["reduce_only"] = True
        return members

    def _how(self, key: Key, *, opens: bool) -> Conditions:
        """The conditions of a change by ``key``. One that ``opens`` is refused where the key was
        paused or revoked since the request came."""

        def check() -> None:
            if identify(self._keys, key.key).is_paused:
                raise paused()

        how = Conditions(owner=key.name)
        return {**how, "check": check} if opens else how

    def _record(self, order: Order) -> OrderRecord:
        """The record of the open ``order``, as the account has it now."""
        time = self._times.get((order.id, order.placed_at))
        if time is None:
            # Where it is not indexed yet, about the time is as good.
            with suppress(StoreError, UnknownOrder):
                time = self._desk.order(order.id).time
                self._remember(order, time)
        return open_record(order, time)

    def _remember(self, order: Order, time: datetime) -> None:
        if len(self._times) >= _MOST_REMEMBERED:
            self._times = {}
        self._times[order.id, order.placed_at] = time

    def _after(self, order: Order, outcome: Outcome) -> OrderRecord:
        """What the open ``order`` is after ``outcome``, which changed it."""
        made = records_after([self._record(order)], outcome.entries)
        return next(each for each in made if each.id == order.id)

    def _open(self, params: Params, names: Names) -> Order | None:
        """The open order that ``params`` mean."""
        symbol = params.any_symbol(self._desk.market)
        found = read_name(params, names).find(self._desk.account().orders)
        return found if found is None or symbol in (None, found.symbol) else None

    def _ended(self, params: Params, names: Names) -> OrderRecord | None:
        """The order that ``params`` mean, from the index."""
        symbol, name = params.any_symbol(self._desk.market), read_name(params, names)
        # A client id may be one that was made for the id in it.
        texts = (name.id,) if name.id else (name.client_id, order_id_in(name.client_id))
        for text in filter(None, texts):
            try:
                record = self._desk.order(text)
            except UnknownOrder:
                continue
            is_meant = record.id == name.id if name.id else client_id(record) == name.client_id
            if is_meant and symbol in (None, order_of(record).symbol):
                return record
        return None

    def _taken(self, members: Mapping[str, Any], act: Callable[[], _Result]) -> _Result:
        """What ``act`` returns; an order that the market refuses as it arrives is refused by its
        time in force."""
        try:
            return act()
        except MarketRefused as fault:
            code = -5022 if members.get("time_in_force") == "GTX" else -5021
            raise Refusal(code, str(fault)) from fault


def _only_closes(members: Mapping[str, Any], account: Account, owner: str) -> bool:
    """Whether an order at market with ``members`` only closes what ``owner`` holds now."""
    held = account.owned(members["symbol"], owner)
    return (
        held is not None
        and members["type"] == "market"
        and members["side"] == closing_side(held.side)
        and members["quantity"] <= held.quantity
    )


def _ended_with_position(record: OrderRecord) -> bool:
    """Whether ``record`` is of a conditional order that ended as its position did."""
    is_conditional = conditional_order(record) is not None
    return is_conditional and record.state == "EXPIRED" and record.why in _POSITION_ENDED
