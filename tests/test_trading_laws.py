"""Whatever is ordered and whatever the market does, the account and its orders keep their laws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from balance.core import margin, operations
from balance.core.account import Account
from balance.core.amendment import amend_order
from balance.core.change import Change, Operation
from balance.core.entry import Booking, Entry, replay
from balance.core.errors import AccountingError, BalanceError
from balance.core.funding import due
from balance.core.leverage import leverage_of, set_leverage
from balance.core.market import Market, Terms
from balance.core.matching import advance, is_due
from balance.core.money import ZERO, exactly
from balance.core.oco import place_oco
from balance.core.operations import undo_reset
from balance.core.order import Order, closing_side
from balance.core.order_record import OrderRecord, changed_records
from balance.core.orders import (
    cancel_order,
    cancel_orders,
    close_all,
    close_position,
    place_order,
    preview,
    reverse_position,
)
from balance.core.position_margin import move_margin
from balance.core.quote import Quote, Settlement
from balance.core.ticket import Ticket
from balance.core.trade import Effect, Fill
from balance.core.wallet import EVENTS, OPENINGS
from balance.market.board import read_market, save_market
from balance.store.codec import decode_state, encode_state
from balance.store.state import State, first_state, next_state
from tests.accounts import MOMENT, explained
from tests.markets import BTC, ETH, SOL, market, quote

#: Every booked amount is rounded to 8 decimals: so much may a step's equity be off.
ROUNDING = Decimal("1e-7")


@dataclass
class Desk:
    """An account in its market, and everything that its ledger says."""

    market: Market = field(
        default_factory=lambda: market(quote(BTC, 40_000), quote(ETH, 1_500), quote(SOL, "20.5"))
    )
    state: State = field(
        default_factory=lambda: first_state("a", operations.start_account(), MOMENT, "program")
    )
    replay: Account | None = None
    entries: list[Entry] = field(default_factory=list)
    ledger: OrderLedger = field(default_factory=lambda: OrderLedger())

    def __post_init__(self) -> None:
        self._keep()

    @property
    def account(self) -> Account:
        """The account at the newest prices."""
        return self.state.account.marked(self.market)

    def commit(self, operation: Operation) -> bool:
        """Do ``operation``, unless it is refused with an error that is no fault of the program."""
        before = self.account
        try:
            self.state = next_state(
                self.state, lambda account: operation(account.marked(self.market)), MOMENT, "x"
            )
        except AccountingError:
            raise
        except BalanceError:
            return False
        self._keep(before)
        return True

    def _keep(self, before: Account | None = None) -> None:
        if before is not None and before.wallet.epoch == self.state.account.wallet.epoch:
            gained = self._explained_gain(before)
            assert abs(self.account.equity - before.equity - gained) <= ROUNDING
        for entry in self.state.entries:
            self.ledger.follow(entry)
        if before is not None and self.state.entries[-1].booking.kind != "undo":
            never_back(before, self.account)
        self.entries += self.state.entries
        self.replay = replay(self.state.entries, self.replay)
        self._check()

    def _explained_gain(self, before: Account) -> Decimal:
        """What the newest entries say that they did to the equity, at the prices of now."""
        gained, account = ZERO, before
        for entry in self.state.entries:
            booking, after = entry.booking, replay([entry], account)
            assert after is not None
            if booking.kind in ("deposit", "withdrawal", "adjustment", "funding"):
                gained += booking.amount
            elif booking.kind == "liquidation":
                assert booking.fill is not None
                held = account.position(booking.fill.symbol)
                assert held is not None
                # a fill before it may have left the position at another price
                mark = self.market.quotes[held.symbol].mark
                lost = margin.unrealized_pnl(held.side, held.quantity, held.entry_price, mark)
                gained -= held.isolated_margin + lost
            elif booking.kind == "fill":
                gained += self._gain_of_fill(booking, account)
            else:
                assert booking.kind in (*EVENTS, "realized_pnl", "fee")
            account = after
        return gained

    def _gain_of_fill(self, booking: Any, account: Account) -> Decimal:
        """A fill gains what its price is better than the mark, less the fee; and what a loss would
        have been beyond the margin that it is capped at."""
        fill, gained = booking.fill, ZERO
        direction = 1 if fill.side == "buy" else -1
        gained += direction * fill.quantity * (self.market.quotes[fill.symbol].mark - fill.price)
        if fill.closed_quantity:
            held = account.position(fill.symbol)
            assert held is not None
            uncapped = margin.unrealized_pnl(
                held.side, fill.closed_quantity, held.entry_price, fill.price
            )
            assert fill.realized_pnl - uncapped >= -ROUNDING
            gained += fill.realized_pnl - uncapped
        return gained - fill.fee

    def _check(self) -> None:
        account, wallet = self.account, self.account.wallet
        margins = [each.isolated_margin for each in account.positions]
        groups: dict[str, list[Decimal]] = {}
        for each in account.orders:
            groups.setdefault(each.group or each.id, []).append(each.reserved_margin)
        reserved = [max(each) for each in groups.values()]
        epoch = [each.booking for each in self.entries if each.booking.epoch == wallet.epoch]
        assert wallet.balance == explained(wallet) == sum((each.amount for each in epoch), ZERO)
        assert wallet.balance == sum(margins + reserved, ZERO) + account.available_balance
        assert min([wallet.balance, account.available_balance, *margins, *reserved]) >= 0
        assert self.replay is not None
        assert unmarked(self.replay) == unmarked(account)
        assert decode_state(encode_state(self.state)) == (self.state, True)
        self._check_orders(account)

    def _check_orders(self, account: Account) -> None:
        symbols = [each.symbol for each in account.positions]
        assert len(set(symbols)) == len(symbols)
        assert len({each.id for each in account.orders}) == len(account.orders)
        named = [each.client_id for each in account.orders if each.client_id]
        assert len(set(named)) == len(named)
        assert self.ledger.open == {each.id: unfollowed(each) for each in self.state.account.orders}
        groups = Counter(each.group for each in account.orders if each.group)
        assert set(groups.values()) <= {2}
        assert not self.ledger.decided & set(groups)
        records = self.ledger.records.values()
        assert {each.id for each in records if each.state == "NEW"} == set(self.ledger.open)
        for order in account.orders:
            assert order.patience.rests or order.kind.waits
            held = account.position(order.symbol)
            if order.reduce_only:
                assert held is not None
                assert (held.side == "long") == (order.side == "sell")
            if held is not None:
                assert order.leverage == held.leverage


@dataclass
class OrderLedger:
    """The orders as the ledger tells of them, entry by entry, each with its one end."""

    open: dict[str, Order] = field(default_factory=dict)
    # How those ended that are not open.
    ended: dict[str, str] = field(default_factory=dict)
    # The OCO groups of which one order filled.
    decided: set[str] = field(default_factory=set)
    newest: int = 0
    # What the product's own fold makes of the same entries.
    records: dict[str, OrderRecord] = field(default_factory=dict)

    def follow(self, entry: Entry) -> None:
        """``entry`` may do this to the orders."""
        for record in changed_records(self.records, entry):
            self.records[record.id] = record
        booking = entry.booking
        if booking.restated is not None or booking.kind in OPENINGS:
            self._begin_anew(booking)
        if booking.fill is not None:
            self._fill(booking, booking.fill)
        if booking.effect is not None:
            self._affect(booking.effect, booking.fill)

    def _begin_anew(self, booking: Booking) -> None:
        for name in self.open:
            self.ended[name] = booking.kind
        orders = () if booking.restated is None else booking.restated.orders
        for order in orders:
            assert self.ended.pop(order.id) in ("reset", "expired")
        self.open = {each.id: unfollowed(each) for each in orders}

    def _fill(self, booking: Booking, fill: Fill) -> None:
        name, effect = fill.order_id, booking.effect
        assert effect is not None
        assert name not in self.ended
        order = self.open.get(name)
        if order is None:
            self._is_new(name)
            order = effect.arrived
        assert order is not None or fill.reason == "liquidation"
        self.ended[name] = "fill"
        if order is None:
            return
        is_resting = name in self.open
        assert not order.reduce_only or fill.closed_quantity == fill.quantity
        assert order.time_in_force != "GTX" or fill.liquidity == "maker"
        if order.price is not None:
            better = fill.price <= order.price if order.side == "buy" else fill.price >= order.price
            assert better
        if order.quantity is not None:
            is_capped = order.reduce_only and fill.quantity < order.quantity
            assert fill.quantity == order.quantity or is_capped
        assert is_resting or fill.liquidity == "taker"
        if order.group:
            assert order.group not in self.decided
            self.decided.add(order.group)

    def _affect(self, effect: Effect, fill: Fill | None) -> None:
        stated = {each.id for each in effect.opened}
        for order in effect.opened:
            before = self.open.get(order.id)
            if before is None:
                self._is_new(order.id)
            else:
                assert order == replace(
                    order, **{name: getattr(before, name) for name in UNCHANGING}
                )
            # A limit that a trigger placed stands alone.
            if before is not None and before.group and not order.group:
                assert before.group not in self.decided
                self.decided.add(before.group)
        for name in effect.closed:
            if name not in stated and not (fill is not None and fill.order_id == name):
                assert name in self.open
                self.ended[name] = effect.ended
        opened = {each.id: unfollowed(each) for each in effect.opened}
        self.open = {
            name: opened.pop(name, order)
            for name, order in self.open.items()
            if name in opened or name not in effect.closed
        } | opened

    def _is_new(self, name: str) -> None:
        """The ids of orders rise."""
        assert int(name) > self.newest
        self.newest = int(name)


#: What an order keeps, whatever it becomes.
UNCHANGING = ("id", "client_id", "symbol", "feed", "side", "reduce_only", "owner", "placed_at")


def unfollowed(order: Order) -> Order:
    """``order`` without what only the market changes."""
    return replace(order, best_price=None)


def never_back(before: Account, after: Account) -> None:
    """Prove that what follows the price has not gone back."""
    bests = {each.id: each.best_price for each in before.orders}
    for order in after.orders:
        best, old = order.best_price, bests.get(order.id)
        if old is not None:
            assert best is not None
            assert best >= old if order.side == "sell" else best <= old


def unmarked(account: Account) -> Account:
    """``account`` without what only the market changes."""
    positions = tuple(
        replace(
            each,
            mark_price=each.entry_price,
            marked_at=MOMENT,
            maintenance_rate=ZERO,
            maintenance_amount=ZERO,
        )
        for each in account.positions
    )
    orders = tuple(unfollowed(each) for each in account.orders)
    return replace(account, positions=positions, orders=orders)


# what may happen


@exactly
def moved(
    desk: Desk,
    _id: str,
    symbol: str,
    percent: Decimal,
    spread: str,
    mark_off: str,
    hours: int,
    rate: Decimal | None,
    is_told: bool,
    is_live: bool,
    jumps: bool,
) -> None:
    """The price of ``symbol`` comes to another, and with it the clock; whatever that does is
    done."""
    before = desk.account
    old, instrument = desk.market.quotes[symbol], desk.market.instruments[symbol]
    price = min(instrument.price_down(old.last * (1 + percent / 100)), Decimal(10) ** 9)
    new = quote(
        symbol,
        instrument.price_down(price * (1 + Decimal(mark_off))),
        last=price,
        bid=instrument.price_down(price * (1 - Decimal(spread))),
        ask=instrument.price_up(price * (1 + Decimal(spread))),
        time=old.time + timedelta(hours=hours, seconds=1),
    )
    if not jumps:
        new = replace(new, moved_from=replace(old, moved_from=None))
    desk.market = replace(
        desk.market,
        quotes={**desk.market.quotes, symbol: new},
        bests=desk.state.account.bests(desk.market),
        live=desk.market.live | {symbol} if is_live else desk.market.live - {symbol},
    )
    account = desk.state.account
    settlement = None if rate is None else Settlement(rate=rate, mark=new.mark)
    settlements = {each: settlement for each in due(account, desk.market) if is_told}
    step = partial(advance, market=desk.market, settlements=settlements)
    is_something = bool(step(account).bookings)
    assert is_due(account, desk.market) >= is_something
    if is_something:
        assert desk.commit(step)
    never_back(before, desk.account)


@exactly
def ordered(desk: Desk, order_id: str, symbol: str, side: str, **asked: Any) -> None:
    """An order is placed, and does what its preview said."""
    ticket, time = ticket_of(desk, symbol, side, asked), desk.market.quotes[symbol].time
    try:
        expected = preview(desk.account, ticket, desk.market, time)
    except BalanceError:
        expected = None
    done = desk.commit(lambda account: place_order(account, ticket, desk.market, order_id, time))
    first, last = (desk.state.entries[place].booking for place in (0, -1))
    if expected is None:
        # What the market refuses is recorded.
        assert not done or (last.effect is not None and last.effect.ended == "rejected")
    else:
        assert done == expected.affordable
    if expected is not None and expected.fills_at_once and done:
        assert first.fill is not None
        for name in ("quantity", "price", "fee", "liquidity"):
            assert getattr(first.fill, name) == getattr(expected, name)
        assert desk.account.available_balance == expected.available_after


@exactly
def paired(
    desk: Desk, order_id: str, symbol: str, sides: tuple[str, str], pair: Sequence[Any]
) -> None:
    """Two orders are placed as an OCO."""
    tickets = [
        ticket_of(desk, symbol, side, dict(asked)) for side, asked in zip(sides, pair, strict=True)
    ]
    time = desk.market.quotes[symbol].time
    desk.commit(lambda account: place_oco(account, tickets, desk.market, order_id, time))


def ticket_of(desk: Desk, symbol: str, side: str, asked: dict[str, Any]) -> Ticket:
    """What ``asked`` requests, its prices given in percent from the last one to where they make
    sense."""
    at, up = desk.market.quotes[symbol].last, 1 if side == "buy" else -1
    if asked.get("type", "").startswith("take_profit"):
        asked["trigger_price"] = -asked["trigger_price"]
    for name, sense in (
        ("activation_price", -1),
        ("trigger_price", 1),
        ("price", -1),
        ("take_profit", 1),
        ("stop_loss", -1),
    ):
        if asked.get(name) is not None:
            asked[name] = at * (1 + up * sense * asked[name] / 100)
            at = at if name in ("take_profit", "stop_loss") else asked[name]
    return Ticket(symbol=symbol, side=side, **asked)  # type: ignore[arg-type]


def reduced(desk: Desk, order_id: str, which: int, **asked: Any) -> None:
    """A reduce-only order for one of the positions."""
    if positions := desk.account.positions:
        held = positions[which % len(positions)]
        side = closing_side(held.side)
        ordered(desk, order_id, held.symbol, side, reduce_only=True, **asked)


def exit_paired(desk: Desk, order_id: str, which: int, pair: Sequence[Any]) -> None:
    """An OCO of two orders that close a half of one of the positions."""
    if positions := desk.account.positions:
        held = positions[which % len(positions)]
        side = closing_side(held.side)
        half = {"reduce_only": True, "percent": Decimal(50)}
        asked = [{**each, **half} for each in pair]
        paired(desk, order_id, held.symbol, (side, side), asked)


def taken_off(desk: Desk, order_id: str, which: int, percent: Decimal) -> None:
    """A part of a position, or all of it, is closed at market."""
    if positions := desk.account.positions:
        symbol = positions[which % len(positions)].symbol
        time = desk.market.quotes[symbol].time
        done = desk.commit(
            lambda account: close_position(
                account, symbol, desk.market, order_id, time, percent=percent
            )
        )
        # whatever its fee and its loss: what has a live price can be closed
        assert done or symbol not in desk.market.live or percent < 100


def called_off(desk: Desk, _id: str, which: int | None) -> None:
    """An order is cancelled, or all of them."""
    if orders := desk.account.orders:
        order_id = orders[(which or 0) % len(orders)].id
        cancel = cancel_orders if which is None else partial(cancel_order, order_id=order_id)
        assert desk.commit(cancel)


def amended(desk: Desk, _id: str, which: int, percent: Decimal, size: Decimal | None) -> None:
    """An order gets another price, size, or both; what was not named stays."""
    if orders := desk.account.orders:
        order = orders[which % len(orders)]
        amendment = {
            each.name: number * (1 + percent / 100)
            for each in order.kind.numbers
            if (number := getattr(order, each.name)) is not None
        }
        if size is not None and order.quantity is not None:
            amendment["quantity"] = order.quantity * size
        time = desk.market.quotes[order.symbol].time
        desk.commit(lambda account: amend_order(account, order.id, amendment, desk.market, time))
        left = {each.id: each for each in desk.account.orders}
        # The places stay: new ones, such as exits where it filled, come behind.
        known = [each.id for each in orders if each.id in left]
        assert list(left)[: len(known)] == known
        if (now := left.get(order.id)) is not None:
            free = (*amendment, "reserved_margin", "amended_at", "best_price")
            assert now == replace(order, **{name: getattr(now, name) for name in free})
            assert all(left[each.id] == each for each in orders if each.id != order.id)


def reversed_(desk: Desk, order_id: str, which: int) -> None:
    """A position is reversed, or stays as it was."""
    if positions := desk.account.positions:
        held = positions[which % len(positions)]
        time = desk.market.quotes[held.symbol].time
        done = desk.commit(
            lambda account: reverse_position(account, held.symbol, desk.market, order_id, time)
        )
        now = desk.account.position(held.symbol)
        assert now is not None
        assert (now.side != held.side) == done


def margin_moved(desk: Desk, _id: str, which: int, amount: Decimal) -> None:
    """Margin goes into a position or out of it; no money is gained or lost."""
    if positions := desk.account.positions:
        symbol, wallet = positions[which % len(positions)].symbol, desk.account.wallet
        desk.commit(lambda account: move_margin(account, symbol, amount, desk.market))
        assert desk.account.wallet == wallet


def all_closed(desk: Desk, order_id: str) -> None:
    """All positions are closed, or none."""
    positions = desk.account.positions
    done = desk.commit(lambda account: close_all(account, desk.market, order_id))
    assert len(desk.account.positions) == (0 if done else len(positions))


def leverage_set(desk: Desk, _id: str, symbol: str, leverage: Decimal) -> None:
    """A symbol gets another leverage, or keeps that of what is open."""
    used = desk.account.used_leverage(symbol)
    done = desk.commit(lambda account: set_leverage(account, symbol, leverage, desk.market))
    assert leverage_of(desk.account, symbol, desk.market) == (leverage if done else used)


class Paper:
    """A disk that keeps what is written last."""

    text = b""

    def replace_file(self, _file: Path, text: bytes, **_how: bool) -> None:
        """Keep ``text``."""
        self.text = text


def restarted(desk: Desk, _id: str) -> None:
    """Another program goes on with what is in the files, and nothing has changed."""
    paper, before = Paper(), desk.account
    bests = desk.state.account.bests(desk.market)
    save_market(Path(), replace(desk.market, bests=bests), {}, paper)  # type: ignore[arg-type]
    market = read_market(paper.text)
    quotes = {
        symbol: replace(desk.market.quotes[symbol], **prices_of(each))
        for symbol, each in market.quotes.items()
    }
    desk.state, _ = decode_state(encode_state(desk.state))
    desk.market = replace(desk.market, quotes=quotes, bests=market.bests, live=market.live)
    assert desk.account == before


def prices_of(quote: Quote) -> dict[str, Any]:
    """The prices of ``quote`` by their names."""
    return {name: getattr(quote, name) for name in ("bid", "ask", "last", "mark")}


def paid(desk: Desk, _id: str, how: Callable[..., Change], amount: Decimal) -> None:
    """Money goes in or out, or the account begins anew."""
    desk.commit(lambda account: how(account, amount))


def undone(desk: Desk, _id: str) -> None:
    """The last reset is undone, where there is one: the account is as it was to the last digit."""
    epoch = desk.account.wallet.epoch
    opening = next(each.booking for each in desk.entries if each.booking.epoch == epoch)
    if desk.commit(lambda account: undo_reset(account, opening, desk.market)):
        assert opening.ended is not None
        wallet = replace(opening.ended.wallet, epoch=epoch + 1)
        leverages = desk.state.account.leverages
        assert desk.state.account == replace(opening.ended, wallet=wallet, leverages=leverages)
    else:
        assert opening.kind != "reset"


def happening(what: Callable[..., None], **values: st.SearchStrategy[Any]) -> Any:
    """``what`` with ``values``, as a partial that reads well where a test fails."""
    return st.fixed_dictionaries(values).map(lambda drawn: partial(what, **drawn))


def merged(*parts: st.SearchStrategy[Mapping[str, Any]]) -> Any:
    """One dictionary of those that ``parts`` draw."""
    return st.tuples(*parts).map(lambda drawn: {k: v for each in drawn for k, v in each.items()})


def percents(least: object, most: object) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(str(least)), Decimal(str(most)), places=2)


SYMBOLS = st.sampled_from([BTC, ETH, SOL])
SIDES = st.sampled_from(["buy", "sell"])
SIZES = st.one_of(
    st.fixed_dictionaries({"notional": percents(60, 2_000)}),
    st.fixed_dictionaries({"notional": percents(60, 2_000)}),
    st.fixed_dictionaries({"notional": percents(10, 30_000)}),
    st.fixed_dictionaries({"percent": percents(1, 60)}),
    st.just({"percent": Decimal(100)}),
)
LIMITS = st.fixed_dictionaries(
    {"type": st.just("limit"), "price": percents(-1, 12) | percents(-1, 1)},
    optional={"time_in_force": st.sampled_from(["IOC", "FOK", "GTX", "GTX"])},
)
TRIGGERED = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["stop_market", "take_profit_market"]),
            "trigger_price": percents("0.1", 12),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["stop_limit", "take_profit_limit"]),
            "trigger_price": percents("0.1", 12),
            "price": percents(-2, 2),
        },
        optional={"time_in_force": st.sampled_from(["IOC", "FOK", "GTX"])},
    ),
    st.fixed_dictionaries(
        {"type": st.just("trailing_stop"), "callback_percent": percents("0.1", 5)},
        optional={"activation_price": percents("0.1", 3)},
    ),
)
TYPES = st.one_of(st.just({"type": "market"}), LIMITS, TRIGGERED, TRIGGERED)
OPENING = st.fixed_dictionaries(
    {"symbol": SYMBOLS, "side": SIDES},
    optional={
        "leverage": st.none() | st.none() | st.sampled_from([1, 2, 7, 20, 50, 100]).map(Decimal),
        "take_profit": percents("0.1", 12),
        "stop_loss": percents("0.1", 12),
        "client_id": st.sampled_from(["mine", "yours"]),
    },
)
QUOTES = happening(
    moved,
    symbol=SYMBOLS,
    percent=percents(-30, 30) | percents(-3, 3),
    spread=st.sampled_from(["0", "0.0001", "0.01"]),
    mark_off=st.sampled_from(["0", "0.001", "-0.005"]),
    hours=st.sampled_from([0, 1, 9, 17]),
    rate=st.none() | percents(-1, 1) | percents("-0.01", "0.01"),
    is_told=st.sampled_from([True, True, True, False]),
    is_live=st.sampled_from([*[True] * 9, False]),
    jumps=st.booleans(),
)
ORDERS = merged(SIZES, TYPES, OPENING).map(lambda drawn: partial(ordered, **drawn))
REDUCING = merged(
    st.just({}) | SIZES, TYPES, st.fixed_dictionaries({"which": st.integers(0, 2)})
).map(lambda drawn: partial(reduced, **drawn))
PAIRS = happening(
    paired,
    symbol=SYMBOLS,
    sides=st.tuples(SIDES, SIDES),
    pair=st.lists(
        merged(
            SIZES,
            LIMITS | TRIGGERED,
            st.fixed_dictionaries({}, optional={"stop_loss": percents("0.1", 12)}),
        ),
        min_size=2,
        max_size=2,
    ),
)
EXIT_PAIRS = happening(exit_paired, which=st.integers(0, 2), pair=st.tuples(LIMITS, TRIGGERED))
CLOSES = happening(
    taken_off, which=st.integers(0, 2), percent=st.just(Decimal(100)) | percents(1, 100)
)
CANCELS = happening(called_off, which=st.none() | st.integers(0, 9))
AMENDED = happening(
    amended,
    which=st.integers(0, 9),
    percent=st.just(ZERO) | percents(-12, 12),
    size=st.none() | percents("0.1", 4),
)
REVERSED = happening(reversed_, which=st.integers(0, 2))
MARGIN = happening(margin_moved, which=st.integers(0, 2), amount=percents(-2_000, 2_000))
LEVERAGES = happening(
    leverage_set, symbol=SYMBOLS, leverage=st.sampled_from([1, 7, 50]).map(Decimal)
)
_AMOUNTS = st.decimals(Decimal("0.00000001"), Decimal(4_000), places=8)
PAID = happening(
    paid, how=st.sampled_from([operations.deposit, operations.withdraw]), amount=_AMOUNTS
)
ADJUSTED = happening(paid, how=st.just(operations.adjust), amount=percents(-3_000, 3_000))
STATED = happening(
    paid,
    how=st.sampled_from([operations.set_balance, operations.reset]),
    amount=_AMOUNTS | st.sampled_from([4_000, 20_000, 20_000]).map(Decimal),
)
# most often the market moves and orders come, most seldom all begins anew
ACTIONS = st.sampled_from(
    [
        *[QUOTES] * 12,
        *[ORDERS] * 12,
        *[REDUCING] * 4,
        *[PAIRS, EXIT_PAIRS] * 3,
        *[CLOSES, CANCELS, AMENDED, REVERSED, MARGIN] * 2,
        *[st.just(all_closed), LEVERAGES],
        *[st.just(restarted)] * 3,
        *[PAID, ADJUSTED, STATED, st.just(undone)],
    ]
).flatmap(lambda strategy: strategy)


#: A limit that is filled far through the market, and liquidated at once.
THROUGH_THE_MARKET = [
    partial(ordered, symbol="SOL/USDT", side="sell", type="limit", price=Decimal("0.01"),
            percent=Decimal(100)),
    partial(moved, symbol="SOL/USDT", percent=Decimal("9.27"), spread="0", mark_off="0.001",
            hours=0, rate=None, is_told=True, is_live=True, jumps=True),
]  # fmt: skip


#: What a trailing stop has followed is in no entry when the program ends.
FOLLOWED = [
    partial(ordered, symbol="SOL/USDT", side="sell", type="trailing_stop",
            callback_percent=Decimal(5), notional=Decimal(100)),
    *(partial(moved, symbol="SOL/USDT", percent=percent, spread="0", mark_off="0", hours=0,
              rate=None, is_told=True, is_live=True, jumps=False)
      for percent in (Decimal(10), Decimal(-2))),
    restarted,
]  # fmt: skip


@example(ZERO, FOLLOWED)
@example(ZERO, THROUGH_THE_MARKET)
@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(st.sampled_from([ZERO, Decimal(20_000)]), st.lists(ACTIONS, min_size=15, max_size=50))
def test_after_any_orders_in_any_market_the_account_keeps_its_laws(
    depth: Decimal, actions: list[Callable[[Desk, str], None]]
) -> None:
    desk = Desk()
    desk.market = replace(desk.market, terms=Terms(market_depth=depth))
    for number, act in enumerate(actions):
        act(desk, f"o{number}")
    told = replay(desk.entries)
    assert told is not None
    assert unmarked(told) == unmarked(desk.account)
    ended = {each.id for each in desk.ledger.records.values() if each.state == "FILLED"}
    assert ended == {name for name, how in desk.ledger.ended.items() if how == "fill"}
