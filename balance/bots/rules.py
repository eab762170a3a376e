"""What a bot does at one moment of the market: pure, and the same for the running bot and for the
backtest.

A bot is evaluated at the first price of each minute. Where a candle of its timeframe has closed by
then, it has a signal; at every evaluation its limits are checked, and that its position has its
trailing stop.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, Literal

from balance.bots.settings import BotSettings, Run, Status
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import BalanceError, NotYours
from balance.core.figures import gain, rounded
from balance.core.margin import Side, sign, unrealized_pnl
from balance.core.market import Market
from balance.core.money import ZERO, exactly
from balance.core.order import OrderSide, closing_side, opened_side
from balance.core.orders import close_position, place_order
from balance.core.position import Position
from balance.core.ticket import LEAST_CALLBACK, Ticket, draft_order
from balance.core.trade import Fill
from balance.core.trade_sums import TradeSums
from balance.strategies.strategy import Holding, Signal

#: What came of a signal: ``none`` where there was nothing to do, ``ignored`` where a rule of the
#: bot's own forbids it, ``refused`` where the account does.
Action = Literal["none", "opened", "closed", "flipped", "ignored", "refused"]

_TARGETS: Final[dict[str, Side | None]] = {"buy": "long", "sell": "short", "close": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A bot, its account and its market at one moment."""

    # The bot's id, which is the owner of what it opens.
    owner: str
    settings: BotSettings
    status: Status
    # What its trades of the epoch add up to, and what its limits are measured from.
    sums: TradeSums
    run: Run
    # Marked at the prices of the market.
    account: Account
    market: Market
    # The market's own time.
    time: datetime
    # In the ids of the orders of this evaluation only.
    order_id: str
    # Of the candle that has closed; None where none has.
    signal: Signal | None = None
    # In base units, where the signal names a size.
    size: Decimal | None = None

    @property
    def held(self) -> Position | None:
        """The bot's own position."""
        return self.account.owned(self.settings.symbol, self.owner)

    @property
    def pnl(self) -> Decimal:
        """Of its closed trades and its position, after fees and funding, in the quote currency."""
        held = self.held
        return self.sums.pnl + (held.net_pnl + held.unrealized_pnl if held is not None else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a bot does."""

    change: Change
    run: Run
    action: Action = "none"
    # What it did or why not, in a sentence without its full stop.
    message: str = ""
    # Why the account refused what the signal asks for, or the last part of it; empty where it did
    # not.
    refused: str = ""
    # Why it stops itself; empty where it does not.
    stops: str = ""


@exactly
def evaluate(view: View) -> Step:
    """What the bot does: the limits come first, then the signal, then the trailing stop."""
    run = view.run.at(view.time, view.pnl)
    broken = run.broken(view.settings, view.pnl)
    if broken:
        step = _close_all(view, broken)
        return replace(step, run=run, stops=broken)
    step = replace(_follow_signal(view), run=run)
    trailed = _trail(replace(view, account=step.change.account))
    return replace(step, change=step.change.then(trailed))


def _close_all(view: View, because: str) -> Step:
    """Close what the bot holds."""
    if view.held is None:
        return Step(change=Change(view.account), run=view.run, message=because)
    try:
        change = _close(view, because)
    except BalanceError as fault:
        change = Change(view.account)
        return _refused(view, change, _reason(fault))
    return Step(change=change, run=view.run, action="closed", message=_fills_message(change))


def _refused(view: View, change: Change, why: str) -> Step:
    """What is left to do once the account has refused the rest for the reason ``why``."""
    return Step(change=change, run=view.run, action="refused", message=why, refused=why)


def _follow_signal(view: View) -> Step:
    signal, held = view.signal, view.held
    nothing = Step(change=Change(view.account), run=view.run)
    if signal is None or signal.side == "hold":
        return nothing
    if Decimal(repr(signal.confidence)) < view.settings.min_confidence:
        least = rounded(view.settings.min_confidence)
        return replace(nothing, action="ignored", message=f"Less sure than {least}")
    target = _target(view, signal)
    if held is None and target is None:
        only = f"Trades {view.settings.direction} only"
        message = "Nothing to close" if signal.side == "close" else only
        return replace(nothing, message=message)
    if held is not None and held.side == target:
        return replace(nothing, message=f"Is {held.side} already")
    if target is None:
        return _close_all(view, signal.reason)
    return _turn(view, target, signal.reason)


def _target(view: View, signal: Signal) -> Side | None:
    """Where the bot wants to be; None: out of the market."""
    target = _TARGETS[signal.side]
    return target if view.settings.direction in ("both", target) else None


def _turn(view: View, target: Side, because: str) -> Step:
    """Close what is held, where there is something, and open ``target``."""
    try:
        change = Change(view.account) if view.held is None else _close(view, because)
    except BalanceError as fault:
        return _refused(view, Change(view.account), _reason(fault))
    was_held = view.held is not None
    after = replace(view, account=change.account)
    forbidden = _objection(after, just_closed=was_held)
    if forbidden:
        message = f"{_fills_message(change)}. {forbidden}" if was_held else forbidden
        action: Action = "closed" if was_held else "ignored"
        return Step(change=change, run=view.run, action=action, message=message)
    try:
        change = change.then(_open(after, target, because))
    except NotYours as fault:
        # Nothing was held, as a symbol has one owner.
        message = f"{fault.symbol} is traded by {fault.owner or 'the person'}"
        return _refused(view, change, message)
    except BalanceError as fault:
        step = _refused(view, change, _reason(fault))
        if not was_held:
            return step
        return replace(step, action="closed", message=f"{_fills_message(change)}. {step.refused}")
    action = "flipped" if was_held else "opened"
    return Step(change=change, run=view.run, action=action, message=_fills_message(change))


def _objection(view: View, *, just_closed: bool) -> str:
    """Why the bot's own rules let it open nothing; empty where they do."""
    settings, closed_at = view.settings, view.sums.closed_at
    if view.status != "running":
        return "Is paused and opens nothing"
    pause = timedelta(minutes=settings.cooldown)
    if pause and (just_closed or (closed_at is not None and view.time < closed_at + pause)):
        return f"Waits {settings.cooldown} minutes after a trade"
    count, most = len(view.account.positions), settings.max_positions
    if most is not None and count >= most:
        plural = "" if count == 1 else "s"
        return f"The account has {count} open position{plural}, with at most {most} allowed"
    return ""


def _close(view: View, because: str) -> Change:
    symbol, order_id = view.settings.symbol, f"{view.order_id}-close"
    return close_position(
        view.account,
        symbol,
        view.market,
        order_id,
        view.time,
        owner=view.owner,
        because=because,
    )


def _open(view: View, side: Side, because: str) -> Change:
    settings, buy_or_sell = view.settings, _opening_side(side)
    by_percent = view.size is None and settings.stake_unit == "percent"
    by_value = view.size is None and settings.stake_unit == "usdt"
    ticket = Ticket(
        symbol=settings.symbol,
        side=buy_or_sell,
        quantity=view.size,
        percent=settings.stake if by_percent else None,
        notional=settings.stake * settings.leverage if by_value else None,
        leverage=settings.leverage,
        owner=view.owner,
        because=because,
    )
    # The exits count from the price that an order of this size fills at.
    order = draft_order(view.account, ticket, view.market, view.order_id, view.time)
    price = order.kind.arrival_price(order, view.market) or ZERO
    ticket = replace(
        ticket,
        take_profit=_away(price, settings.take_profit, sign(side)),
        stop_loss=_away(price, settings.stop_loss, -sign(side)),
    )
    return place_order(view.account, ticket, view.market, view.order_id, view.time)


def _opening_side(side: Side) -> OrderSide:
    return "buy" if side == "long" else "sell"


def _away(price: Decimal, percent: Decimal | None, direction: int) -> Decimal | None:
    """The price that is ``percent`` of ``price`` above it, or below for a ``direction`` of -1;
    None where no price is ever so far below."""
    away = None if percent is None else price * (1 + direction * percent / 100)
    return away if away is not None and away > 0 else None


def _trail(view: View) -> Change:
    """Give the position a trailing stop, where it has none at the distance of the settings."""
    held, percent = view.held, view.settings.trailing_stop
    nothing = Change(view.account)
    if held is None or percent is None or held.symbol not in view.market.live:
        return nothing
    # Older versions took settings with a smaller distance.
    percent = max(percent, LEAST_CALLBACK)
    if any(
        each.reason == "trailing_stop" and each.callback_percent == percent
        for each in view.account.orders_of(held.symbol)
    ):
        return nothing
    ticket = Ticket(
        symbol=held.symbol,
        side=closing_side(held.side),
        type="trailing_stop",
        callback_percent=percent,
        reduce_only=True,
        owner=view.owner,
        because="Trailing stop",
    )
    try:
        return place_order(view.account, ticket, view.market, f"{view.order_id}-stop", view.time)
    except BalanceError:
        return nothing  # The next evaluation tries again.


def _reason(fault: BalanceError) -> str:
    return str(fault).rstrip(".")


def _fills_message(change: Change) -> str:
    """What was filled, in sentences."""
    return ". ".join(fill_message(each.fill) for each in change.bookings if each.fill is not None)


def fill_message(fill: Fill) -> str:
    """What ``fill`` did to the position of a bot: ``"Closed 0.1 at 41,000, +$99.20"``."""
    size_and_price = f"{rounded(fill.quantity)} at {rounded(fill.price)}"
    if fill.closed_quantity:
        result = f", {gain(fill.trade.pnl)}" if fill.trade is not None else ""
        return f"Closed {size_and_price}{result}"
    return f"Opened {opened_side(fill.side)} {size_and_price}"


def holding(position: Position, mark: Decimal | None = None) -> Holding:
    """``position`` as its strategy gets it, at the price ``mark`` or, without one, at its
    last known mark price."""
    price = position.mark_price if mark is None else mark
    unrealized = unrealized_pnl(position.side, position.quantity, position.entry_price, price)
    return Holding(
        side=position.side,
        quantity=float(position.quantity),
        entry_price=float(position.entry_price),
        unrealized_pnl=float(unrealized),
        opened_at=position.opened_at,
    )
