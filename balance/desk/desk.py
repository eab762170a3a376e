"""The desk: every use case of the account, for whoever asks.

The HTTP interface, the screen, the command line, the engine and other programs all go through it;
none touches the store or the core on its own.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal, Unpack

from balance.core import operations, orders, request
from balance.core.account import Account
from balance.core.amendment import amend_order, preview_amendment, read_amendment
from balance.core.candles import MINUTE
from balance.core.change import Change, Operation
from balance.core.entry import Entry
from balance.core.errors import BalanceError, InvalidRequest, OrderRejected, UnknownOrder
from balance.core.figures import plain
from balance.core.funding import Settlements
from balance.core.leverage import set_leverage
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.messages import MARKET
from balance.core.money import DEFAULT_STARTING_BALANCE, money
from balance.core.oco import OcoPreview, oco_fingerprint, place_oco, preview_oco, read_oco
from balance.core.operations import undo_reset
from balance.core.order_record import OrderRecord
from balance.core.orders import Preview, find_order, preview
from balance.core.position_margin import move_margin
from balance.core.position_preview import PositionPreview, preview_position
from balance.core.quote import Candle
from balance.core.snapshot import Snapshot
from balance.core.ticket import fingerprint, read_ticket, refusal_message
from balance.desk.transactions import (
    AccountNow,
    Board,
    Conditions,
    FindBaselines,
    Outcome,
    Transactions,
)
from balance.history.history import History, Page
from balance.history.question import SORTS, parse_question
from balance.history.search import Answer
from balance.market.board import LiveBoard
from balance.store.advice import command
from balance.store.state import Store

Action = Literal["set_balance", "adjust", "deposit", "withdraw", "reset", "undo_reset"]


#: How many candles may be read at once.
MOST_CANDLES: Final = 1_500

_OPERATIONS: Final[Mapping[Action, Callable[[Account, Any, str], Change]]] = {
    "set_balance": operations.set_balance,
    "adjust": operations.adjust,
    "deposit": operations.deposit,
    "withdraw": operations.withdraw,
    "reset": operations.reset,
}


class Desk:
    """The account in a store, and all that can be done with it. Safe to use from many threads.

    Every change takes the options of :class:`Conditions`: with an ``owner``, it changes only what
    is of that one. Amounts are in the quote currency,
    quantities in base units, prices in the quote currency per base unit: Decimal, int, str or
    float.

    Raises:
        InvalidAmount: an amount, a quantity or a price is no number, or out of its range.
        InvalidRequest: a parameter makes no sense, or the rules of the symbol forbid it.
        OrderRejected: the market refused an order as it arrived; it is in the ledger.
        InsufficientBalance: a change needs more than what is available.
        NoLivePrice: the symbol has no live price now.
        UnknownOrder, UnknownPosition: there is none, also none that the order could reduce.
        NotYours: it belongs to another one than the owner who requests the change.
        NothingToUndo: no reset opened the running epoch, or what it ended can't go on.
        KeyInFlight, KeyReused, StaleRevision: as the conditions of the change say.
        StoreUnreadable: wherever the account or its ledger is read, a file is missing or damaged.
        StoreError: it can't be written now.
    """

    def __init__(
        self,
        store: Store,
        board: Board | None = None,
        starting_balance: Callable[[], Decimal] = lambda: DEFAULT_STARTING_BALANCE,
        history: History | None = None,
    ) -> None:
        """``starting_balance`` gives what a reset begins with that names no balance; ``history`` is
        that of ``store``, by default one with its index in memory."""
        self._transactions = Transactions(store, board or LiveBoard())
        self._starting_balance = starting_balance
        #: The ledger as lists.
        self.ledger = history or History(store)

    @property
    def store(self) -> Store:
        """What keeps the account, for what is derived from its ledger."""
        return self._transactions.store

    def command(self, arguments: str) -> str:
        """The whole command of the shell with ``arguments`` for this account."""
        return command(arguments, self.store.folder)

    @property
    def version(self) -> tuple[str, int]:
        """The account's id and revision, which change with every change of the account."""
        return self._transactions.version

    def snapshot(self) -> Snapshot:
        """The account as it is now."""
        return self._transactions.snapshot()

    def now(self) -> AccountNow:
        """The account as it is now, without the texts that a snapshot has."""
        return self._transactions.now()

    def set_balance(self, balance: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """The wallet balance is now ``balance``, at least the margin in use; the difference is
        booked as an adjustment."""
        return self.execute("set_balance", balance, **conditions).snapshot

    def adjust(self, amount: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """Book a gain (above zero) or a loss (below) from outside; it counts as P&L."""
        return self.execute("adjust", amount, **conditions).snapshot

    def deposit(self, amount: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """Put ``amount``, above zero, in; it is no gain."""
        return self.execute("deposit", amount, **conditions).snapshot

    def withdraw(self, amount: object, **conditions: Unpack[Conditions]) -> Snapshot:
        """Take ``amount``, above zero and at most what is available, out; it is no loss."""
        return self.execute("withdraw", amount, **conditions).snapshot

    def reset(self, balance: object = None, **conditions: Unpack[Conditions]) -> Snapshot:
        """Begin a new epoch with ``balance`` (None: what the settings say, 10,000.00 at first):
        open orders are cancelled, positions closed at their newest mark price, and the history
        stays readable."""
        return self.execute("reset", balance, **conditions).snapshot

    def undo_reset(self, **conditions: Unpack[Conditions]) -> Snapshot:
        """Let the epoch that the last reset ended go on, with its totals, positions and orders, as
        a new one; what is open now is closed first, as a reset does."""
        return self.execute("undo_reset", None, **conditions).snapshot

    def execute(self, action: Action, amount: object, **conditions: Unpack[Conditions]) -> Outcome:
        """Do ``action`` with ``amount``, as the method of its name does, and describe it."""
        note, market = conditions.get("note", ""), self.market
        meant = self._starting_balance() if action == "reset" and amount is None else amount
        # Read before the lock is held; the undo refuses if another reset came in between.
        epoch = self.account().wallet.epoch if action == "undo_reset" else 0
        first = self.ledger.opening(epoch) if epoch else None
        opening = None if first is None else first.booking

        def change(account: Account) -> Change:
            account = account.marked(market)
            if action == "undo_reset":
                return undo_reset(account, opening, market, note)
            return _OPERATIONS[action](account, meant, note)

        return self._transactions.execute(change, [action, _canonical(amount)], **conditions)

    @property
    def market(self) -> Market:
        """The newest prices, and what may be traded at them."""
        return self._transactions.board.market

    def use_board(self, board: Board) -> None:
        """Have the newest prices from ``board`` from now on; the ticks of its market go on after
        those of the one before."""
        self._transactions.board = board

    def candles(
        self,
        symbol: str,
        seconds: int = 60,
        limit: int = 500,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Sequence[Candle]:
        """The newest ``limit`` candles of ``symbol``, at most 1,500, of ``seconds`` each (a
        multiple of 60 up to a day), oldest first, the running one last; of those that begin by
        ``until``. With ``since`` the first ones that begin then or later."""
        if seconds % MINUTE or not MINUTE <= seconds <= 1_440 * MINUTE:
            raise InvalidRequest("Candles are of whole minutes, from 1 to 1,440.")
        if not 1 <= limit <= MOST_CANDLES:
            raise InvalidRequest(f"limit must be from 1 to {MOST_CANDLES:,}, not {limit}.")
        name, read = request.symbol(symbol, self.market), self._transactions.board.candles
        if since is None and until is None:
            return read(name, seconds, limit)
        newest = read(name, seconds, 1)
        if not newest:
            return ()
        # There are no more candles than intervals after the moment.
        begin = since or until or newest[0].time
        after = (newest[0].time - begin) // timedelta(seconds=seconds) + 1
        found = [
            each
            for each in read(name, seconds, max(after, 0) + (limit if since is None else 0))
            if (since is None or since <= each.time) and (until is None or each.time <= until)
        ]
        return found[-limit:] if since is None else found[:limit]

    def place_order(self, *, how: Conditions | None = None, **members: Any) -> Outcome:
        """Place an order: ``place_order(symbol="BTC/USDT", side="buy", quantity="0.01")``.

        ``members`` are those of :class:`~balance.core.ticket.Ticket`; the size is one of
        ``quantity``, ``notional`` and ``percent``. ``how`` has the options of
        :class:`~balance.desk.transactions.Conditions`.
        """
        order_id, owner = secrets.token_hex(5), _owner(how or {})

        def change(account: Account) -> Change:
            # The market is read here, as the request may have waited for the lock.
            market = self.market
            ticket = replace(read_ticket(members, market), owner=owner)
            time = _market_time(market, ticket.symbol)
            return orders.place_order(account.marked(market), ticket, market, order_id, time)

        outcome = self._trade(change, ["order", *fingerprint(members)], how or {})
        _check_rejection(outcome.entries)
        return outcome

    def preview_order(self, *, owner: str = "", **members: Any) -> Preview:
        """What :meth:`place_order` would do now for ``owner``, without doing it."""
        market = self.market
        account = self._transactions.store.read().account.marked(market)
        ticket = replace(read_ticket(members, market), owner=owner)
        return preview(account, ticket, market, _market_time(market, ticket.symbol))

    def place_oco(
        self, orders: Sequence[Mapping[str, Any]], *, how: Conditions | None = None
    ) -> Outcome:
        """Place two orders of one symbol of which at most one fills: the first that the market
        reaches cancels the other. Each of ``orders`` has the members that :meth:`place_order`
        takes; ``how`` has the options of :class:`~balance.desk.transactions.Conditions`."""
        order_id, owner = secrets.token_hex(5), _owner(how or {})

        def change(account: Account) -> Change:
            # The market is read here, as the request may have waited for the lock.
            market = self.market
            tickets = [replace(each, owner=owner) for each in read_oco(orders, market)]
            time = _market_time(market, tickets[0].symbol)
            return place_oco(account.marked(market), tickets, market, order_id, time)

        return self._trade(change, ["oco", *oco_fingerprint(orders)], how or {})

    def preview_oco(self, orders: Sequence[Mapping[str, Any]], *, owner: str = "") -> OcoPreview:
        """What :meth:`place_oco` would do now for ``owner``, without doing it."""
        market = self.market
        account = self._transactions.store.read().account.marked(market)
        tickets = [replace(each, owner=owner) for each in read_oco(orders, market)]
        return preview_oco(account, tickets, market, _market_time(market, tickets[0].symbol))

    def amend_order(
        self, order_id: str, *, how: Conditions | None = None, **members: Any
    ) -> Outcome:
        """Change numbers of an open order, such as its ``price`` or its ``quantity``; it keeps its
        id: ``amend_order(id, price="41000")``. ``how`` has the options of
        :class:`~balance.desk.transactions.Conditions`."""
        amendment, owner = read_amendment(members), _owner(how or {})

        def change(account: Account) -> Change:
            # The market is read here, as the request may have waited for the lock.
            market = self.market
            time = _market_time(market, find_order(account, order_id).symbol)
            return amend_order(account.marked(market), order_id, amendment, market, time, owner)

        named = [(name, plain(value)) for name, value in sorted(amendment.items())]
        return self._trade(change, ["amend", order_id, *named], how or {})

    def preview_amendment(self, order_id: str, *, owner: str = "", **members: Any) -> Preview:
        """What the order would do after :meth:`amend_order` by ``owner``, without amending it."""
        market, account, amendment = self.market, self.account(), read_amendment(members)
        time = _market_time(market, find_order(account, order_id).symbol)
        return preview_amendment(account.marked(market), order_id, amendment, market, time, owner)

    def order(self, order_id: str) -> OrderRecord:
        """The order with that id, open or ended, or the newest with that client id.

        Raises:
            UnknownOrder: there was never one.
            HistoryUnavailable: it is not open, and the index of the ledger can't be used now.
        """
        found = self.ledger.orders.find(order_id)
        if found is None:
            raise UnknownOrder(f"There was never an order {order_id!r:.40}.")
        return found

    def orders(self, **params: object) -> Answer[OrderRecord]:
        """A page of the orders, open and ended, by the parameters of ``GET /history/orders``:
        ``orders(state="EXPIRED", symbol="BTC/USDT", limit=20)``.

        Raises:
            HistoryUnavailable: the index of the ledger can't be used now.
        """
        texts = {name: str(each) for name, each in params.items()}
        return self.ledger.orders.page(parse_question("orders", texts, SORTS["orders"]))

    def cancel_order(self, order_id: str, **conditions: Unpack[Conditions]) -> Outcome:
        """Cancel an open order."""
        owner = _owner(conditions)
        return self._trade(
            lambda account: orders.cancel_order(account.marked(self.market), order_id, owner=owner),
            ["cancel", order_id],
            conditions,
        )

    def cancel_orders(
        self,
        symbol: str | None = None,
        *,
        conditional: bool | None = None,
        **conditions: Unpack[Conditions],
    ) -> Outcome:
        """Cancel all open orders, or those of ``symbol``; with an owner, only its own. With
        ``conditional`` only those that wait for a trigger, or only the others."""
        owner = _owner(conditions)
        symbol = None if symbol is None else request.symbol(symbol, self.market)
        identity = ["cancel_all", symbol, *([] if conditional is None else [conditional])]

        def change(account: Account) -> Change:
            return orders.cancel_orders(account.marked(self.market), symbol, owner, conditional)

        return self._trade(change, identity, conditions)

    def set_leverage(
        self, symbol: str, leverage: object, **conditions: Unpack[Conditions]
    ) -> Outcome:
        """Set the leverage of the orders of ``symbol`` that name none; it is kept, also across
        resets."""
        name, wanted = request.symbol(symbol, self.market), request.positive(leverage, "leverage")
        owner = _owner(conditions)
        return self._trade(
            lambda account: set_leverage(account, name, wanted, self.market, owner),
            ["leverage", name, plain(wanted)],
            conditions,
        )

    def close_position(
        self,
        symbol: str,
        quantity: object = None,
        percent: object = None,
        **conditions: Unpack[Conditions],
    ) -> Outcome:
        """Close ``quantity`` or ``percent`` of a position at market, by default all of it."""
        if quantity is not None and percent is not None:
            raise InvalidRequest("Name a quantity or a percent, not both.")
        order_id, name = secrets.token_hex(5), request.symbol(symbol, self.market)
        owner = _owner(conditions)
        sizes: dict[str, Any] = {
            kind: request.positive(size, kind)
            for kind, size in (("quantity", quantity), ("percent", percent))
            if size is not None
        }

        def change(account: Account) -> Change:
            # The market is read here, as the request may have waited for the lock.
            market = self.market
            account, time = account.marked(market), _market_time(market, name)
            return orders.close_position(
                account, name, market, order_id, time, owner=owner, **sizes
            )

        named = [(kind, plain(size)) for kind, size in sizes.items()]
        return self._trade(change, ["close", name, *named], conditions)

    def close_positions(self, **conditions: Unpack[Conditions]) -> Outcome:
        """Close all positions at market, in one commit: all or, where one can't be closed now,
        none; with an owner, only its own."""
        order_id, owner = secrets.token_hex(5), _owner(conditions)

        def change(account: Account) -> Change:
            market = self.market
            return orders.close_all(account.marked(market), market, order_id, owner)

        return self._trade(change, ["close_all"], conditions)

    def reverse_position(self, symbol: str, **conditions: Unpack[Conditions]) -> Outcome:
        """Close a position and open as much on the other side, with the same leverage, both at
        market and in one commit; its take-profit and stop-loss go with it."""
        order_id, name = secrets.token_hex(5), request.symbol(symbol, self.market)
        owner = _owner(conditions)

        def change(account: Account) -> Change:
            market = self.market
            account, time = account.marked(market), _market_time(market, name)
            return orders.reverse_position(account, name, market, order_id, time, owner)

        return self._trade(change, ["reverse", name], conditions)

    def preview_reversal(self, symbol: str, *, owner: str = "") -> PositionPreview:
        """What :meth:`reverse_position` by ``owner`` would leave of the position, without doing
        it."""
        market, name = self.market, request.symbol(symbol, self.market)
        account, time = self.account().marked(market), _market_time(market, name)
        change = orders.reverse_position(account, name, market, "preview", time, owner)
        return preview_position(change, name, market)

    def move_margin(self, symbol: str, amount: object, **conditions: Unpack[Conditions]) -> Outcome:
        """Add ``amount`` to the margin of a position or, below zero, remove it; its liquidation
        price moves at once, and the balance stays."""
        name, owner = request.symbol(symbol, self.market), _owner(conditions)

        def change(account: Account) -> Change:
            market = self.market
            return move_margin(account.marked(market), name, amount, market, owner)

        return self._trade(change, ["margin", name, _canonical(amount)], conditions)

    def preview_margin(self, symbol: str, amount: object, *, owner: str = "") -> PositionPreview:
        """What :meth:`move_margin` by ``owner`` would make of the position, without doing it."""
        market, name = self.market, request.symbol(symbol, self.market)
        change = move_margin(self.account().marked(market), name, amount, market, owner)
        return preview_position(change, name, market)

    def _trade(
        self, operation: Operation, identity: Sequence[Any], conditions: Conditions
    ) -> Outcome:
        note = conditions.get("note", "")
        return self._transactions.execute(
            lambda account: operation(account).noted(note), identity, **conditions
        )

    def advance(
        self, market: Market, settlements: Settlements, source: str = MARKET
    ) -> Outcome | None:
        """Commit what the newest quotes do to the account: funding, liquidations and fills; None
        where that is nothing. For the engine, before it publishes ``market``: listeners see the
        commit at the prices of ``market``."""

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
        """Commit what the program does of itself; None where ``operation`` books nothing. ``key``
        prevents a repetition, ``market`` has the prices that cause it, where they are not on the
        board yet. For the engine and the bots."""

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
        """The account as it was last committed, for the engine."""
        return self._transactions.store.read().account

    def history(
        self,
        *,
        limit: int = 50,
        before: str | int | None = None,
        kind: str | None = None,
        epoch: int | None = None,
        owner: str | None = None,
    ) -> Page:
        """A page of the ledger, newest first: at most ``limit`` entries, 1 to 1,000, from before
        ``before`` (a revision, or the last page's ``next``), of one kind and epoch if given, and
        of one ``owner``: the name of a key, the id of a bot, or ``you``."""
        return self.ledger.page(limit=limit, before=before, kind=kind, epoch=epoch, owner=owner)

    def fills(self, *, limit: int = 50, before: str | None = None) -> Page:
        """A page of the fills, newest first, as :meth:`history` pages the ledger."""
        return self.ledger.fills(self.market, limit=limit, before=before)

    def subscribe(self, listener: Callable[[Snapshot], None]) -> None:
        """Have ``listener`` called with the snapshot after every change made here, before the one
        who made it is answered."""
        self._transactions.subscribe(listener)

    def subscribe_entries(self, listener: Callable[[Snapshot, Sequence[Entry]], None]) -> None:
        """Have ``listener`` called as :meth:`subscribe` does, with the entries of the change."""
        self._transactions.subscribe_entries(listener)

    def use_baselines(self, baselines: FindBaselines) -> None:
        """Let snapshots compare with what ``baselines`` finds of earlier days and epochs."""
        self._transactions.find_baselines = baselines


def _owner(conditions: Conditions) -> str:
    """Who requests a change under ``conditions``: a key or an agent; empty: the person."""
    return conditions.get("owner", "")


def _check_rejection(entries: Sequence[Entry]) -> None:
    """Prove that the market did not refuse the order that ``entries`` placed.

    Raises:
        OrderRejected: it did.
    """
    effects = [each.booking.effect for each in entries if each.booking.effect is not None]
    for end in effects:
        if end.ended == "rejected":
            (order,) = effects[0].opened
            raise OrderRejected(refusal_message(order, end.why), order.id)


def _canonical(amount: object) -> str | None:
    """``amount`` as it would be booked, to tell one request from another."""
    try:
        return None if amount is None else str(money(amount))
    except BalanceError:
        return ""  # The operation refuses it.


class _NothingDue(Exception):
    """There is nothing to commit."""


def _market_time(market: Market, symbol: str) -> datetime:
    """The time of the newest quote of ``symbol``, which in a replay is not this machine's."""
    quote = market.quotes.get(symbol)
    return datetime.now(UTC) if quote is None else quote.time
