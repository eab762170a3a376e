"""What the market does to orders is what somebody sees who tries every price on its way.

The walk below knows no legs and no algebra: it goes from price to price in steps of the tick and
fills what is met there. The rules were also held against backtrader 1.9.78, on the 44,640 minutes
of Bitcoin of January 2022, without spread and slippage: market, limit and stop orders fill at the
same price in the same minute, 12,584 of 12,584 but for one at a close between two ticks, and the
equity after 6,330 fills is the same to the last of eight decimals. What differs, always as futures
exchanges have it: a limit that crosses fills as it arrives, not at the next open (603); a limit
that a trigger placed may fill in the candle of its trigger, where the path comes back to it (50 of
809); of an OCO whose two prices lie in one candle, the one fills that the path comes to first, not
the one that was placed first (81 of 5,379).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import BalanceError
from balance.core.instruments import KNOWN
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.money import exact
from balance.core.oco import place_oco
from balance.core.order import ORDER_KINDS
from balance.core.orders import place_order
from balance.core.ticket import Ticket
from tests.accounts import account
from tests.markets import BTC, FREE, market, quote

START: Final = 100
#: Bitcoin by whole dollars, so that a walk has few prices.
RULES: Final = replace(
    KNOWN[BTC], tick_size=Decimal(1), step_size=Decimal(1), max_quantity=Decimal(1_000)
)
#: The walk's steps in a dollar: with a callback of 5 or 10 percent, every trailing stop's price is
#: one of them.
STEPS: Final = 20
#: Of orders that are met at one price, these come before the others.
ADVERSE: Final = ("stop_market", "stop_limit", "trailing_stop")

#: Name, price, quantity, and whether it rested.
Filled = tuple[str, int, int, str]


@dataclass
class Resting:
    """An order as the walk knows it; prices in dollars."""

    name: str
    side: Literal["buy", "sell"]
    type: str
    # None closes the whole position.
    quantity: int | None
    price: int | None = None
    trigger: int | None = None
    callback: int | None = None
    activation: int | None = None
    reduce_only: bool = False
    time_in_force: str = "GTC"
    take_profit: int | None = None
    stop_loss: int | None = None
    # Both orders of an OCO have the same.
    group: str = ""
    # In steps; of a trailing stop that follows.
    best: int | None = None

    @property
    def sign(self) -> int:
        return 1 if self.side == "buy" else -1

    def follow(self, step: int) -> None:
        """The price is at ``step``."""
        if self.callback is None:
            return
        start = None if self.activation is None else self.activation * STEPS
        if self.best is not None:
            self.best = -self.sign * max(-self.sign * self.best, -self.sign * step)
        elif start is None or self.sign * (step - start) <= 0:
            self.best = step

    def is_met(self, step: int) -> bool:
        if self.callback is not None:
            if self.best is None:
                return False
            return self.sign * (100 * step - self.best * (100 + self.sign * self.callback)) >= 0
        if self.trigger is not None:
            waits_for_worse = 1 if self.type in ADVERSE else -1
            return self.sign * (step - self.trigger * STEPS) * waits_for_worse >= 0
        assert self.price is not None
        return self.sign * (self.price * STEPS - step) >= 0


@dataclass
class Walk:
    """Orders and a position, without money, at one price after the other."""

    # The price of now, in steps.
    at: int = START * STEPS
    # Above zero: long.
    held: int = 0
    orders: list[Resting] = field(default_factory=list)
    fills: list[Filled] = field(default_factory=list)

    def to(self, price: int, *, jumps: bool) -> None:
        """The price comes to ``price``."""
        end = price * STEPS
        step = 1 if end > self.at else -1
        for each in [end] if jumps else range(self.at, end + step, step):
            self.at = each
            for order in self.orders:
                order.follow(each)
            while self._match():
                pass

    def place(self, *orders: Resting) -> None:
        """``orders``, one or an OCO, are placed."""
        for order in orders:
            if order.quantity is None:
                self._end(
                    each
                    for each in self.orders
                    if each.quantity is None and each.type == order.type
                )
        for order in orders:
            order.follow(self.at)
            self._arrive(order)

    def _arrive(self, order: Resting) -> None:
        """``order`` comes to the market: it fills, rests or ends."""
        if order.trigger is not None or order.callback is not None:
            self.orders.append(order)
        elif order.type == "market" or order.is_met(self.at):
            if order.time_in_force != "GTX":
                self._fill(order, "taker")
        elif order.time_in_force in ("GTC", "GTX"):
            self.orders.append(order)

    def _match(self) -> bool:
        """Whether something happened at the price of now."""
        met = [each for each in self.orders if each.is_met(self.at)]
        for order in sorted(met, key=lambda each: (not each.reduce_only, each.type not in ADVERSE)):
            if not any(each is order for each in self.orders):
                continue
            if order.price is not None and order.trigger is not None:
                self._trigger(order)
            else:
                self._fill(order, "maker" if order.type == "limit" else "taker")
        return bool(met)

    def _trigger(self, order: Resting) -> None:
        behind = len(self.orders) - next(
            place for place, each in enumerate(self.orders) if each is order
        )
        tail = [each for each in self.orders[-behind:] if each is not order]
        self._end([order])
        limit = replace(order, type="limit", trigger=None, group="")
        self._arrive(limit)
        if self.orders and self.orders[-1] is limit:
            # At the place that it had.
            still = [each for each in tail if any(each is other for other in self.orders)]
            self.orders.insert(len(self.orders) - 1 - len(still), self.orders.pop())

    def _end(self, ended: Iterable[Resting]) -> None:
        """``ended`` are no longer open, and neither are the others of their groups."""
        gone = list(ended)
        groups = {each.group for each in gone if each.group}
        self.orders = [
            each
            for each in self.orders
            if each.group not in groups and not any(each is other for other in gone)
        ]

    def _fill(self, order: Resting, liquidity: str) -> None:
        self._end([order])
        before = self.held
        quantity = abs(before) if order.quantity is None else order.quantity
        if order.reduce_only:
            quantity = min(quantity, abs(before))
        # Rounded to the dollar against the one who trades.
        price = -(-self.at // STEPS) if order.side == "buy" else self.at // STEPS
        self.fills.append((order.name, price, quantity, liquidity))
        self.held += order.sign * quantity
        if before * self.held <= 0:
            self._end(each for each in self.orders if each.reduce_only)
        if order.sign * self.held > 0:
            self._attach(order)

    def _attach(self, order: Resting) -> None:
        side: Literal["buy", "sell"] = "sell" if order.side == "buy" else "buy"
        for kind, level in (
            ("take_profit_market", order.take_profit),
            ("stop_market", order.stop_loss),
        ):
            if level is not None:
                self._end(
                    each for each in self.orders if each.quantity is None and each.type == kind
                )
                self.orders.append(
                    Resting(order.name, side, kind, None, trigger=level, reduce_only=True)
                )


@dataclass
class Desk:
    """The product's account at the same prices."""

    account: Account = field(default_factory=lambda: account(1_000_000))
    market: Market = field(
        default_factory=lambda: market(
            quote(BTC, START), terms=FREE, instruments={**KNOWN, BTC: RULES}
        )
    )
    fills: list[Filled] = field(default_factory=list)

    def to(self, price: int, *, jumps: bool) -> None:
        """The price comes to ``price``."""
        before = self.market.quotes[BTC]
        now = quote(BTC, price, time=before.time + timedelta(minutes=1))
        if not jumps:
            now = replace(now, moved_from=replace(before, moved_from=None))
        self.market = self.market.at(now)
        self._keep(advance(self.account, self.market, {}))

    def place(self, *orders: Resting) -> bool:
        """Whether ``orders``, one or an OCO, were accepted."""
        tickets, time = [_ticket(each) for each in orders], self.market.quotes[BTC].time
        try:
            if len(orders) == 1:
                name = orders[0].name
                change = place_order(self.account, tickets[0], self.market, name, time)
            else:
                group = orders[0].group
                change = place_oco(self.account, tickets, self.market, group, time)
        except BalanceError:
            return False
        self._keep(change)
        return True

    def _keep(self, change: Change) -> None:
        self.account = change.account
        self.fills += [
            (_name(fill.order_id), int(fill.price), int(fill.quantity), fill.liquidity)
            for fill in (each.fill for each in change.bookings)
            if fill is not None
        ]

    @property
    def held(self) -> int:
        """Above zero: long."""
        position = self.account.position(BTC)
        if position is None:
            return 0
        return int(position.quantity if position.side == "long" else -position.quantity)


def _ticket(order: Resting) -> Ticket:
    numbers = {
        "quantity": order.quantity,
        "price": order.price,
        "trigger_price": order.trigger,
        "callback_percent": order.callback,
        "activation_price": order.activation,
        "take_profit": order.take_profit,
        "stop_loss": order.stop_loss,
    }
    members: dict[str, Any] = {
        name: Decimal(each) for name, each in numbers.items() if each is not None
    }
    return Ticket(
        symbol=BTC,
        side=order.side,
        type=order.type,  # type: ignore[arg-type]
        reduce_only=order.reduce_only,
        time_in_force=order.time_in_force,  # type: ignore[arg-type]
        leverage=Decimal(1),
        **members,
    )


def _name(order_id: str) -> str:
    """Of an attached exit, that of the order that brought it."""
    return order_id.removesuffix("-tp").removesuffix("-sl")


LEVELS: Final = st.integers(START - 7, START + 7)


def _resting(type: str, is_whole: bool, **drawn: Any) -> Resting:
    kind = ORDER_KINDS[type]  # type: ignore[index]
    level, second, away = drawn.pop("level"), drawn.pop("second"), drawn.pop("exits")
    if kind.follows:
        drawn["callback"] = 10 if second % 2 else 5
        drawn["activation"] = None if second < 0 else level
    elif kind.needed("trigger_price"):
        drawn["trigger"] = level
        level += second
    if kind.needed("price"):
        drawn["price"] = level
    if not kind.is_timed:
        drawn["time_in_force"] = "GTC"
    if drawn["reduce_only"]:
        drawn["quantity"] = None if is_whole and kind.exit != "order" else drawn["quantity"]
    elif away is not None:
        sign = 1 if drawn["side"] == "buy" else -1
        drawn["take_profit"], drawn["stop_loss"] = level + sign * away, level - sign * away
    return Resting(name="", type=type, **drawn)


ORDERS: Final = st.builds(
    _resting,
    type=st.sampled_from(sorted(ORDER_KINDS)),
    side=st.sampled_from(["buy", "sell"]),
    quantity=st.integers(1, 3),
    level=LEVELS,
    second=st.integers(-3, 3),
    reduce_only=st.booleans(),
    is_whole=st.booleans(),
    time_in_force=st.sampled_from(["GTC", "GTC", "IOC", "FOK", "GTX"]),
    exits=st.none() | st.integers(1, 5),
)
#: One order, or two as an OCO.
REQUESTS: Final = st.lists(ORDERS, min_size=1, max_size=2)
MOVES: Final = st.tuples(LEVELS, st.booleans())


def _named(request: list[Resting], name: str, held: int) -> list[Resting]:
    """The orders of ``request``; those that reduce are for the position that is ``held``."""
    orders = [replace(each, name=name) for each in request]
    if len(orders) > 1:
        orders = [
            replace(each, name=f"{name}-{number}", group=name, time_in_force="GTC")
            for number, each in enumerate(orders, 1)
        ]
    for each in orders:
        if each.reduce_only:
            each.side = "sell" if held > 0 else "buy"
            each.quantity = each.quantity and min(each.quantity, abs(held) or 1)
    return orders


@settings(max_examples=150)
@given(
    st.sampled_from(["buy", "sell"]),
    st.lists(
        st.tuples(
            st.lists(REQUESTS, min_size=2, max_size=6), st.lists(MOVES, min_size=1, max_size=5)
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_the_matching_fills_what_a_walk_from_price_to_price_fills(
    side: Literal["buy", "sell"], rounds: list[tuple[list[list[Resting]], list[tuple[int, bool]]]]
) -> None:
    with exact():
        walk, desk = Walk(), Desk()
        opening = Resting("first", side, "market", 3)
        assert desk.place(opening)
        walk.place(opening)
        for number, (requests, prices) in enumerate(rounds):
            for place, request in enumerate(requests):
                orders = _named(request, f"o{number}{place}", desk.held)
                if desk.place(*orders):
                    walk.place(*orders)
                assert desk.fills == walk.fills
            for price, jumps in prices:
                walk.to(price, jumps=jumps)
                desk.to(price, jumps=jumps)
                assert desk.fills == walk.fills
                assert desk.held == walk.held
                assert [
                    (_name(each.id), each.type, each.price, each.best_price)
                    for each in desk.account.orders
                ] == [
                    (each.name, each.type, each.price, each.best and Decimal(each.best) / STEPS)
                    for each in walk.orders
                ]
