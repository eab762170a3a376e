"""Orders, and what differs by their kind: what they need, what sets them off, what they fill at.

Quantities are in base units, prices in the quote currency per base unit. A new kind is a class and
a row of :data:`ORDER_KINDS`: requests, files, forms and tables read it from there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar, Final, Literal, NamedTuple

from balance.core import margin
from balance.core.figures import rounded
from balance.core.instrument import Instrument
from balance.core.margin import Side
from balance.core.market import Market
from balance.core.money import ZERO, quantized
from balance.core.quote import PriceName, Quote
from balance.core.shape import Cost, Leverage, Name, Percent, Price, Quantity, Symbol

OrderSide = Literal["buy", "sell"]
OrderType = Literal[
    "market",
    "limit",
    "stop_market",
    "take_profit_market",
    "stop_limit",
    "take_profit_limit",
    "trailing_stop",
]
#: How long an order at a limit waits: until it is cancelled, not at all, all of it at once or
#: refused, or never as one who takes.
TimeInForce = Literal["GTC", "IOC", "FOK", "GTX"]
#: Whether an order rested and was met by others, or met others.
Liquidity = Literal["maker", "taker"]
#: Why an order fills: it is one of its own, or the exit that a position has for the whole of it.
OrderReason = Literal["order", "stop_loss", "take_profit", "trailing_stop"]
#: Why something filled: an order, or an end of the position.
Reason = Literal[OrderReason, "liquidation", "reset", "undo"]
#: What people are told of these reasons, beside the order itself.
REASON_LABELS: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        "stop_loss": "Stop-loss",
        "take_profit": "Take-profit",
        "trailing_stop": "Trailing stop",
        "liquidation": "Liquidation",
        "reset": "Reset",
        "undo": "Undo",
    }
)
#: Those that end an epoch with everything that is open in it.
ENDINGS: Final[tuple[Reason, ...]] = ("reset", "undo")


class Patience(NamedTuple):
    """What an order at a limit may do in the moment it arrives, by its time in force."""

    # What people are told that it is.
    label: str
    # Whether it may wait where it does not cross the market.
    rests: bool = True
    # Whether it may fill at once where it does.
    takes: bool = True
    # Whether what it may not do refuses its request; otherwise the order ends without a fill.
    is_refused: bool = True


#: What each time in force lets an order do.
PATIENCE: Final[Mapping[TimeInForce, Patience]] = MappingProxyType(
    {
        "GTC": Patience("until cancelled"),
        "IOC": Patience("immediate or cancel", rests=False, is_refused=False),
        "FOK": Patience("fill or kill", rests=False),
        "GTX": Patience("post-only", takes=False),
    }
)


class Number(NamedTuple):
    """A number that the orders of a kind have beside their size."""

    # The member of orders and requests.
    name: str
    # What a form calls it, and how it reads the number.
    label: str
    # The option of the shell, and its explanation.
    option: str
    explanation: str
    # What the shell's help calls the number.
    metavar: str = "PRICE"
    format: Literal["money", "plain"] = "money"
    # Whether an order may be without it.
    is_optional: bool = False


class Trigger(NamedTuple):
    """What sets an order off: one price of a quote comes to a level."""

    price: PriceName
    level: Decimal
    # Whether the price may also be above the level; otherwise it may be below.
    above: bool

    def is_met(self, quote: Quote) -> bool:
        """Whether the price of ``quote`` is at the level or beyond."""
        price: Decimal = getattr(quote, self.price)
        return price >= self.level if self.above else price <= self.level


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One open order and the margin that it reserves, in the quote currency."""

    id: Name
    symbol: Symbol
    # The id of the feed that it was placed on, the only one that may fill it.
    feed: Name
    side: OrderSide
    type: OrderType
    # Above zero; None closes the whole position when the order is set off.
    quantity: Quantity | None
    # The worst price that an order at a limit may fill at.
    price: Price | None = None
    # The mark price that sets a triggered order off, where it names one.
    trigger_price: Price | None = None
    # Trigger prices of the exits that the position gets which the order opens.
    take_profit: Price | None = None
    stop_loss: Price | None = None
    leverage: Leverage
    # Whether it can only close, so that it is cancelled with the position.
    reduce_only: bool = False
    # How long an order at a limit waits.
    time_in_force: TimeInForce = "GTC"
    # How far a trailing stop stays behind the best mark price, in percent of that.
    callback_percent: Percent | None = None
    # The mark price from which on a trailing stop follows; None: from the beginning.
    activation_price: Price | None = None
    # The best mark price since it follows, a figure of the market as a position's mark is: each
    # commit has the newest, and no entry says that it moved. None until it follows.
    best_price: Price | None = None
    # The initial margin that is reserved until the order fills or is cancelled.
    reserved_margin: Cost = ZERO
    placed_at: datetime
    # The bot, by its id, or the key or the agent, by its name, that placed it; empty: the person.
    owner: str = ""
    # The reason that the one who placed it gave; empty where there is none.
    because: str = ""
    # The OCO that it belongs to: the id of its first order; empty where it stands alone. Of the
    # orders of a group, the first that is reached ends the others.
    group: str = ""
    # The name that the one who placed it gave it; empty where there is none.
    client_id: str = ""
    # When one of its numbers was last changed on request.
    amended_at: datetime | None = None

    @property
    def since(self) -> datetime:
        """From when on it is as it is: the market before that does nothing to it."""
        return self.amended_at or self.placed_at

    @property
    def kind(self) -> OrderKind:
        """What orders of its type have and do."""
        return ORDER_KINDS[self.type]

    @property
    def named_price(self) -> Decimal | None:
        """The price that it names, its limit or what sets it off; None of an order at market."""
        return self.kind.named_price(self)

    @property
    def trigger_level(self) -> Decimal | None:
        """The mark price that sets it off as it stands now; None where none does."""
        trigger = self.kind.trigger(self)
        return trigger.level if trigger is not None and trigger.price == "mark" else None

    @property
    def patience(self) -> Patience:
        """What its time in force lets it do as it arrives."""
        return PATIENCE[self.time_in_force]

    def may_arrive(self, at_once: Decimal | None) -> bool:
        """Whether it may do what it would do as it arrives: fill ``at_once``, or wait where that is
        None."""
        patience = self.patience
        return self.kind.waits or (patience.rests if at_once is None else patience.takes)

    @property
    def is_attached(self) -> bool:
        """Whether it is a position's take-profit or stop-loss, for the whole of it."""
        return self.quantity is None

    @property
    def reason(self) -> OrderReason:
        """Why it fills when it does."""
        return self.kind.exit if self.quantity is None else "order"

    def replaces(self, other: Order) -> bool:
        """Whether ``other`` is the same exit of the position: it has one of each for the whole."""
        return self.is_attached and other.is_attached and self.reason == other.reason

    def is_met(self, quote: Quote) -> bool:
        """Whether it fills at ``quote`` while it rests. A quote from before it was placed, which is
        processed late, does not meet it."""
        trigger = self.kind.trigger(self)
        return trigger is not None and trigger.is_met(quote) and quote.time >= self.since

    def is_due(self, market: Market) -> bool:
        """Whether the newest quote of ``market`` sets it off: cheap, as it is called for each."""
        quote, kind = market.quotes[self.symbol], self.kind
        if not kind.follows:
            return self.is_met(quote)
        best = market.bests.get(self.id, self.best_price)
        # What follows a better price is not met there.
        is_left = best is not None and kind.is_left(self, quote.mark, best)
        return is_left and quote.time >= self.since

    def best(self, market: Market) -> Decimal | None:
        """The best mark price that it has followed, up to those of ``market``, and never worse than
        its own; None before it follows. A quote from before it was placed is none of them."""
        kind, best = self.kind, self.best_price
        if not kind.follows or self.feed != market.feed:
            return best
        quote = market.quotes.get(self.symbol)
        newest = quote.mark if quote is not None and quote.time >= self.since else None
        for mark in (market.bests.get(self.id), newest):
            if mark is not None and kind.is_better(self, mark, best):
                best = mark
        return best

    def marked(self, market: Market) -> Order:
        """It with the best price up to those of ``market``; itself where that has not changed."""
        best = self.best(market)
        return self if best == self.best_price else replace(self, best_price=best)

    def unmarked(self) -> Order:
        """It without what only the market changes."""
        return self if self.best_price is None else replace(self, best_price=None)

    def is_off_grid(self, rules: Instrument) -> bool:
        """Whether a price of it is no multiple of the tick of ``rules``; to be called within
        :func:`~balance.core.money.exact`, as it is for every quote."""
        tick = rules.tick_size
        # Spelled out, as it takes half the time of a loop.
        return bool(
            (self.price and self.price % tick)
            or (self.trigger_price and self.trigger_price % tick)
            or (self.take_profit and self.take_profit % tick)
            or (self.stop_loss and self.stop_loss % tick)
            or (self.activation_price and self.activation_price % tick)
        )

    def on_grid(self, rules: Instrument) -> Order:
        """It with the nearest prices on the tick of ``rules`` that are not better for it, and with
        the margin that it needs there."""
        # A higher price is no better for a buyer; what the order opens is closed by selling.
        worse, better = rules.price_up, rules.price_down
        if self.side == "sell":
            worse, better = better, worse
        return self.repriced(
            price=self.price and worse(self.price),
            trigger_price=self.trigger_price and worse(self.trigger_price),
            take_profit=self.take_profit and better(self.take_profit),
            stop_loss=self.stop_loss and better(self.stop_loss),
            activation_price=self.activation_price and better(self.activation_price),
        )

    def repriced(self, **prices: Decimal | None) -> Order:
        """It with ``prices``, by the names of their fields, and with the margin that it needs
        there; to be called within :func:`~balance.core.money.exact`."""
        moved = replace(self, **prices)  # type: ignore[arg-type]
        before, after = self.named_price, moved.named_price
        if not self.reserved_margin or before is None or after is None:
            return moved
        return replace(moved, reserved_margin=quantized(self.reserved_margin * after / before))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKind:
    """What all orders of one type have and do. As it stands it is the order at market."""

    # Whether its orders follow the price: only then is ``is_better`` called.
    follows: ClassVar[bool] = False
    # Whether its orders wait for a trigger, whatever the market is when they are placed.
    waits: ClassVar[bool] = False

    # Its name in requests, files and answers.
    type: OrderType
    # Its name for people.
    label: str
    # The numbers that its orders have beside their size; no two kinds need the same ones with the
    # same options.
    numbers: tuple[Number, ...] = ()
    # Whether its orders have a time in force.
    is_timed: bool = False
    # Which exit of a position it is where it closes the whole of it; "order" where it can't.
    exit: OrderReason = "order"
    # How it fills after it has rested.
    liquidity: Liquidity = "taker"
    # Of orders that are met at one price, those with the lower number fill first.
    precedence: int = 1

    def needed(self, name: str) -> bool | None:
        """Whether its orders need the number ``name``; None where they have none."""
        return next((not each.is_optional for each in self.numbers if each.name == name), None)

    def terms(self, order: Order) -> str:
        """What ``order`` is and at which prices, for people: ``"limit 40,000"``."""
        price = order.named_price
        return self.label.lower() if price is None else f"{self.label.lower()} {rounded(price)}"

    def liquidity_of(self, _order: Order) -> Liquidity:
        """How the resting order is expected to fill."""
        return self.liquidity

    def arrival_price(self, order: Order, market: Market) -> Decimal | None:
        """What ``order`` fills at in the moment it arrives, at its quantity; None where it rests.

        Raises:
            NoLivePrice: its symbol has no live price now.
        """
        quantity = order.quantity or ZERO
        return market.taker_price(order.symbol, order.side, quantity, closing=order.reduce_only)

    def trigger(self, _order: Order) -> Trigger | None:
        """What sets the resting ``order`` off; None where nothing does."""
        return None

    def named_price(self, order: Order) -> Decimal | None:
        """The price that ``order`` names, its limit or what sets it off; None where it has none."""
        return order.price or order.trigger_price

    def is_better(self, _order: Order, _mark: Decimal, _best: Decimal | None) -> bool:
        """Whether the resting ``order`` follows the mark price ``mark``, where the best one was
        ``best`` so far, None before it follows."""
        return False

    def is_left(self, _order: Order, _mark: Decimal, _best: Decimal) -> bool:
        """Whether the mark price ``mark`` is so far from the best one, ``best``, that the resting
        ``order`` is set off; the same as its trigger there."""
        return False

    def set_off(self, order: Order) -> Order:
        """What ``order`` is once it is set off: itself where it fills then, or another order with
        its id, which arrives then."""
        return order

    def fill_prices(self, order: Order, market: Market) -> tuple[Decimal, ...]:
        """What ``order`` fills at once it is set off: the first of these that there is margin for.

        Raises:
            NoLivePrice: its symbol has no live price now.
        """
        return (market.taker_price(order.symbol, order.side, order.quantity or ZERO),)

    def open_loss(self, _order: Order, _quantity: Decimal, _market: Market) -> Decimal:
        """What ``quantity`` of the resting ``order`` would be under water as soon as it opens."""
        return ZERO


class LimitOrder(OrderKind):
    """Fills at its price or a better one."""

    def arrival_price(self, order: Order, market: Market) -> Decimal | None:
        """See :class:`OrderKind`."""
        if order.price is None:
            return None
        quantity = order.quantity or ZERO
        return market.crossing_price(order.symbol, order.side, quantity, order.price)

    def trigger(self, order: Order) -> Trigger | None:
        """See :class:`OrderKind`."""
        if order.price is None:
            return None
        is_buy = order.side == "buy"
        return Trigger("ask" if is_buy else "bid", order.price, above=not is_buy)

    def fill_prices(self, order: Order, market: Market) -> tuple[Decimal, ...]:
        """The price of the market, which is its own where that moved there and a better one where
        it jumped beyond; then its own, as a short's margin at a better one is more."""
        quote = market.quotes[order.symbol]
        price = quote.ask if order.side == "buy" else quote.bid
        return (price, order.price or price)

    def open_loss(self, order: Order, quantity: Decimal, market: Market) -> Decimal:
        """See :class:`OrderKind`."""
        mark = market.quotes[order.symbol].mark
        return margin.open_loss(opened_side(order.side), quantity, order.price or mark, mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggeredOrder(OrderKind):
    """Fills at market once the mark price is at its trigger price or beyond."""

    waits: ClassVar[bool] = True

    # The side whose orders are set off by a mark price at their trigger price or above it; those of
    # the other side, by one there or below.
    above: OrderSide

    def arrival_price(self, _order: Order, _market: Market) -> Decimal | None:
        """See :class:`OrderKind`."""
        return None

    def trigger(self, order: Order) -> Trigger | None:
        """See :class:`OrderKind`."""
        if order.trigger_price is None:
            return None
        return Trigger("mark", order.trigger_price, above=order.side == self.above)


class TriggeredLimitOrder(TriggeredOrder):
    """Becomes a limit order once the mark price is at its trigger price or beyond."""

    def terms(self, order: Order) -> str:
        """See :class:`OrderKind`."""
        price, trigger = order.price or ZERO, order.trigger_price or ZERO
        return f"{self.label.lower()} {rounded(price)}, triggered at {rounded(trigger)}"

    def liquidity_of(self, order: Order) -> Liquidity:
        """As of a limit order that arrives where bid and ask are at the trigger price."""
        price, trigger = order.price or ZERO, order.trigger_price or ZERO
        crosses = price >= trigger if order.side == "buy" else price <= trigger
        return "taker" if crosses else "maker"

    def set_off(self, order: Order) -> Order:
        """The limit order, which stands alone: the others of its group end with the trigger."""
        return replace(order, type="limit", trigger_price=None, group="")


class TrailingStop(OrderKind):
    """A stop that follows the mark price at a distance in percent, and never goes back."""

    waits: ClassVar[bool] = True
    follows: ClassVar[bool] = True

    def terms(self, order: Order) -> str:
        """See :class:`OrderKind`."""
        distance = f"{self.label.lower()} {rounded(order.callback_percent or ZERO)} %"
        if order.best_price is None:
            return f"{distance} from {rounded(order.activation_price or ZERO)} on"
        return f"{distance}, at {rounded(self.named_price(order) or ZERO)}"

    def arrival_price(self, _order: Order, _market: Market) -> Decimal | None:
        """See :class:`OrderKind`."""
        return None

    def trigger(self, order: Order) -> Trigger | None:
        """See :class:`OrderKind`."""
        best, percent = order.best_price, order.callback_percent
        if best is None or percent is None:
            return None
        sells = order.side == "sell"
        return Trigger("mark", best * (100 - percent if sells else 100 + percent) / 100, not sells)

    def named_price(self, order: Order) -> Decimal | None:
        """See :class:`OrderKind`."""
        trigger = self.trigger(order)
        return order.activation_price if trigger is None else trigger.level

    def is_left(self, order: Order, mark: Decimal, best: Decimal) -> bool:
        """See :class:`OrderKind`."""
        percent = order.callback_percent or ZERO
        if order.side == "sell":
            return mark * 100 <= best * (100 - percent)
        return mark * 100 >= best * (100 + percent)

    def is_better(self, order: Order, mark: Decimal, best: Decimal | None) -> bool:
        """See :class:`OrderKind`."""
        before = order.activation_price if best is None else best
        if before is None or (best is None and mark == before):
            return True
        return mark > before if order.side == "sell" else mark < before


_LIMIT: Final = Number("price", "Limit price", "limit", "fill at this price or a better one")
_STOP: Final = Number(
    "trigger_price", "Trigger price, by the mark", "stop-at", "a stop: from this price on"
)
_TAKE_PROFIT: Final = _STOP._replace(
    option="take-profit-at", explanation="a take-profit: from this price on"
)
_CALLBACK: Final = Number(
    "callback_percent",
    "Callback in percent",
    "trail",
    "a trailing stop: this far behind the best price",
    metavar="PERCENT",
    format="plain",
)
_ACTIVATION: Final = Number(
    "activation_price",
    "Activation price, by the mark",
    "activate-at",
    "the price from which on it trails",
    is_optional=True,
)

#: What each type of orders has and does.
ORDER_KINDS: Final[Mapping[OrderType, OrderKind]] = MappingProxyType(
    {
        kind.type: kind
        for kind in (
            OrderKind(type="market", label="Market"),
            LimitOrder(
                type="limit", label="Limit", numbers=(_LIMIT,), is_timed=True, liquidity="maker"
            ),
            TriggeredOrder(
                type="stop_market",
                label="Stop",
                numbers=(_STOP,),
                exit="stop_loss",
                above="buy",
                precedence=0,
            ),
            TriggeredOrder(
                type="take_profit_market",
                label="Take-profit",
                numbers=(_TAKE_PROFIT,),
                exit="take_profit",
                above="sell",
            ),
            TriggeredLimitOrder(
                type="stop_limit",
                label="Stop-limit",
                numbers=(_STOP, _LIMIT),
                is_timed=True,
                above="buy",
                precedence=0,
            ),
            TriggeredLimitOrder(
                type="take_profit_limit",
                label="Take-profit-limit",
                numbers=(_TAKE_PROFIT, _LIMIT),
                is_timed=True,
                above="sell",
            ),
            TrailingStop(
                type="trailing_stop",
                label="Trailing stop",
                numbers=(_CALLBACK, _ACTIVATION),
                exit="trailing_stop",
                precedence=0,
            ),
        )
    }
)
#: The members that orders of some kinds have beside their size, each once.
NUMBERS: Final = tuple(
    dict.fromkeys(each.name for kind in ORDER_KINDS.values() for each in kind.numbers)
)


def sum_by_group(amounts: Iterable[tuple[str, Decimal]]) -> Decimal:
    """The sum of ``amounts``, each beside the group of its order: of a group only the largest, as
    only one of its orders fills."""
    total, groups = ZERO, dict[str, Decimal]()
    for group, amount in amounts:
        if group:
            groups[group] = max(amount, groups.get(group, ZERO))
        else:
            total += amount
    return sum(groups.values(), total)


def closing_side(side: Side) -> OrderSide:
    """The side of the orders that reduce a position of ``side``."""
    return "sell" if side == "long" else "buy"


def opened_side(side: OrderSide) -> Side:
    """The side of the position that an order of ``side`` opens."""
    return "long" if side == "buy" else "short"
