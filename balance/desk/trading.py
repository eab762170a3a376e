"""Trading: the desk's use cases of orders and positions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Unpack

from balance.core import order_request as asked
from balance.core import orders
from balance.core.account import Account
from balance.core.candles import MINUTE
from balance.core.change import Change, Operation
from balance.core.errors import InvalidRequest
from balance.core.figures import plain
from balance.core.funding import Settlements
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.messages import MARKET
from balance.core.preview import Preview, preview
from balance.core.quote import Candle
from balance.desk.transactions import Conditions, Outcome, Transactions

#: How many candles may be asked for at once.
MOST_CANDLES: Final = 1_500


class Trading:
    """What the desk does with orders and positions.

    Every change takes the options of :class:`~balance.desk.transactions.Conditions`. Quantities
    are in base units, prices in the quote currency per base unit: Decimal, int, str or float.
    """

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    @property
    def market(self) -> Market:
        """The newest prices, and what may be traded at them."""
        return self._transactions.market

    def candles(self, symbol: str, seconds: int = 60, limit: int = 500) -> Sequence[Candle]:
        """The newest ``limit`` candles of ``symbol``, at most 1,500, of ``seconds`` each (a
        multiple of 60 up to a day), oldest first, the running one last.

        Raises:
            InvalidRequest: the symbol is not traded here, or a number is out of range.
        """
        if seconds % MINUTE or not MINUTE <= seconds <= 1_440 * MINUTE:
            raise InvalidRequest("Candles are of whole minutes, from 1 to 1,440.")
        if not 1 <= limit <= MOST_CANDLES:
            raise InvalidRequest(f"limit must be from 1 to {MOST_CANDLES:,}, not {limit}.")
        return self._transactions.board.candles(asked.symbol(symbol, self.market), seconds, limit)

    def place_order(self, *, how: Conditions | None = None, **members: Any) -> Outcome:
        """Place an order: ``place_order(symbol="BTC/USDT", side="buy", quantity="0.01")``.

        ``members`` are those of :class:`~balance.core.ticket.Ticket`; the size is one of
        ``quantity``, ``notional`` and ``percent``. ``how`` has the options of
        :class:`~balance.desk.transactions.Conditions`.

        Raises:
            InvalidRequest, InvalidAmount: it makes no sense, or the rules of its symbol forbid it.
            InsufficientBalance: it needs more than what is available.
            NoLivePrice: the symbol has no live price now.
            UnknownPosition: it is to reduce what is not there.
        """
        order_id = _new_id()

        def change(account: Account) -> Change:
            # only now: it may have had to wait for its turn
            market = self.market
            ticket = asked.ticket(members, market)
            time = _market_time(market, ticket.symbol, _now())
            return orders.place_order(account.marked(market), ticket, market, order_id, time)

        wanted = ["order", *asked.fingerprint(members)]
        return self._traded(change, wanted, how or {})

    def preview_order(self, **members: Any) -> Preview:
        """What :meth:`place_order` would do now, without doing it.

        Raises:
            BalanceError: whatever would refuse it.
        """
        market = self.market
        account = self._transactions.store.read().account.marked(market)
        ticket = asked.ticket(members, market)
        return preview(account, ticket, market, _market_time(market, ticket.symbol, _now()))

    def cancel_order(self, order_id: str, **conditions: Unpack[Conditions]) -> Outcome:
        """Cancel an open order.

        Raises:
            UnknownOrder: there is none with that id.
        """
        operation = partial(_cancelled, order_id)
        return self._traded(operation, ["cancel", order_id], conditions)

    def cancel_orders(self, symbol: str | None = None, **conditions: Unpack[Conditions]) -> Outcome:
        """Cancel all open orders, or those of ``symbol``.

        Raises:
            UnknownOrder: there is none.
        """
        wanted = None if symbol is None else asked.symbol(symbol, self.market)
        operation = partial(_all_cancelled, wanted)
        return self._traded(operation, ["cancel_all", wanted], conditions)

    def close_position(
        self,
        symbol: str,
        quantity: object = None,
        percent: object = None,
        **conditions: Unpack[Conditions],
    ) -> Outcome:
        """Close ``quantity`` (base units) or ``percent`` of a position at market, by default all.

        Raises:
            UnknownPosition: there is none of that symbol.
            NoLivePrice: the symbol has no live price now.
            InvalidAmount, InvalidRequest: the size makes no sense.
        """
        if quantity is not None and percent is not None:
            raise InvalidRequest("Name a quantity or a percent, not both.")
        order_id, wanted = _new_id(), asked.symbol(symbol, self.market)
        sizes: dict[str, Any] = {
            name: asked.positive(size, name)
            for name, size in (("quantity", quantity), ("percent", percent))
            if size is not None
        }

        def change(account: Account) -> Change:
            # only now: it may have had to wait for its turn
            market = self.market
            time = _market_time(market, wanted, _now())
            return orders.close_position(
                account.marked(market), wanted, market, order_id, time, **sizes
            )

        named = [(name, plain(size)) for name, size in sizes.items()]
        return self._traded(change, ["close", wanted, *named], conditions)

    def _traded(
        self, operation: Operation, asked_for: Sequence[Any], conditions: Conditions
    ) -> Outcome:
        note = conditions.get("note", "")
        return self._transactions.execute(
            lambda account: operation(account).noted(note), asked_for, **conditions
        )

    def advance(
        self, market: Market, settlements: Settlements, source: str = MARKET
    ) -> Outcome | None:
        """Do what the newest quotes do to the account: funding, liquidations and fills, with one
        commit; None where that is nothing. For the engine, before it shows ``market`` to all:
        who is told of the commit sees it at ``market``."""

        def operation(account: Account) -> Change:
            return advance(account, market, settlements)

        return self.step(operation, source, market=market)

    def step(
        self,
        operation: Operation,
        source: str,
        key: str | None = None,
        market: Market | None = None,
    ) -> Outcome | None:
        """Commit what the program does of itself, where that is anything; ``key`` keeps it from
        being done again, ``market`` are the prices that do it, where they are not on the board
        yet. For the engine and the bots.

        Raises:
            BalanceError: whatever ``operation`` refuses.
            StoreError: it can't be written now.
        """

        def change(account: Account) -> Change:
            made = operation(account)
            if not made.bookings:
                raise _NothingDue
            return made

        try:
            return self._transactions.execute(
                change, ["step"], source=source, idempotency_key=key, market=market
            )
        except _NothingDue:
            return None

    def account(self) -> Account:
        """The account as it was last committed, for the engine.

        Raises:
            StoreUnreadable: its file is missing or damaged.
        """
        return self._transactions.store.read().account


class _NothingDue(Exception):
    """There is nothing to commit."""


def _cancelled(order_id: str, account: Account) -> Change:
    return orders.cancel_order(account, order_id)


def _all_cancelled(symbol: str | None, account: Account) -> Change:
    return orders.cancel_orders(account, symbol)


def _new_id() -> str:
    return secrets.token_hex(5)


def _now() -> datetime:
    return datetime.now(UTC)


def _market_time(market: Market, symbol: str, now: datetime) -> datetime:
    """The market's own time, which a replay's is not ours."""
    quote = market.quotes.get(symbol)
    return now if quote is None else quote.time
