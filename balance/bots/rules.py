"""What a bot does when it looks at the market: pure, and the same for the running bot and for the
backtest.

It looks at the first price of each minute. Where a candle of its timeframe has closed by then, it
has a signal; its limits are checked and its stop is trailed at every look.
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
from balance.core.instrument import Instrument
from balance.core.margin import Side, sign, unrealized_pnl
from balance.core.market import Market
from balance.core.money import exactly
from balance.core.order import Order, OrderSide, closing_side, opened_side
from balance.core.orders import close_position, place_order
from balance.core.position import Position
from balance.core.ticket import Ticket
from balance.core.trade import Fill
from balance.core.trade_sums import TradeSums
from balance.strategies.strategy import Holding, Signal

#: What came of a signal: ``none`` where there was nothing to do, ``ignored`` where a rule of the
#: bot's own forbids it, ``refused`` where the account does.
Action = Literal["none", "opened", "closed", "flipped", "ignored", "refused"]

# a stop is moved once that brings it nearer by a tenth of its distance, not for every tick
_WORTH_A_MOVE: Final = Decimal("0.1")
_TARGETS: Final[dict[str, Side | None]] = {"buy": "long", "sell": "short", "close": None}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A bot and all that it sees at one moment."""

    # the bot's id, which is the owner of what it opens
    owner: str
    settings: BotSettings
    status: Status
    # what its trades of the epoch add up to, and what its limits go by
    sums: TradeSums
    run: Run
    # marked at the prices of the market
    account: Account
    market: Market
    # the market's own time
    time: datetime
    # tells the orders of this look from all others
    order_id: str
    # of the candle that has closed; None where none has
    signal: Signal | None = None
    # in base units, where the signal names a size
    size: Decimal | None = None

    @property
    def held(self) -> Position | None:
        """The bot's own position."""
        position = self.account.position(self.settings.symbol)
        return position if position is not None and position.owner == self.owner else None

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
    # what it did or why not, in a sentence without its point
    words: str = ""
    # Why the account refused what the signal asks for, or the last part of it; empty where it did
    # not.
    refused: str = ""
    # why it stops itself; empty where it does not
    stops: str = ""


@exactly
def looked(look: Look) -> Step:
    """What the bot does: the limits come first, then the signal, then the trailing stop."""
    run = look.run.at(look.time, look.pnl)
    broken = run.broken(look.settings, look.pnl)
    if broken:
        step = _closing(look, broken)
        return replace(step, run=run, stops=broken)
    step = replace(_signalled(look), run=run)
    trailed = _trailed(replace(look, account=step.change.account))
    return replace(step, change=step.change.then(trailed))


def _closing(look: Look, because: str) -> Step:
    """Close what the bot holds."""
    if look.held is None:
        return Step(change=Change(look.account), run=look.run, words=because)
    try:
        change = _closed(look, because)
    except BalanceError as fault:
        change = Change(look.account)
        return _refused(look, change, _said(fault))
    return Step(change=change, run=look.run, action="closed", words=_did(change))


def _refused(look: Look, change: Change, why: str) -> Step:
    """What is left to do once the account has refused the rest for the reason ``why``."""
    return Step(change=change, run=look.run, action="refused", words=why, refused=why)


def _signalled(look: Look) -> Step:
    signal, held = look.signal, look.held
    nothing = Step(change=Change(look.account), run=look.run)
    if signal is None or signal.side == "hold":
        return nothing
    if Decimal(repr(signal.confidence)) < look.settings.min_confidence:
        least = rounded(look.settings.min_confidence)
        return replace(nothing, action="ignored", words=f"Less sure than {least}")
    target = _target(look, signal)
    if held is None and target is None:
        only = f"Trades {look.settings.direction} only"
        words = "Nothing to close" if signal.side == "close" else only
        return replace(nothing, words=words)
    if held is not None and held.side == target:
        return replace(nothing, words=f"Is {held.side} already")
    if target is None:
        return _closing(look, signal.reason)
    return _turned(look, target, signal.reason)


def _target(look: Look, signal: Signal) -> Side | None:
    """Where the bot wants to be; None: out of the market."""
    target = _TARGETS[signal.side]
    return target if look.settings.direction in ("both", target) else None


def _turned(look: Look, target: Side, because: str) -> Step:
    """Close what is held, where there is something, and open ``target``."""
    try:
        change = Change(look.account) if look.held is None else _closed(look, because)
    except BalanceError as fault:
        return _refused(look, Change(look.account), _said(fault))
    was_held = look.held is not None
    after = replace(look, account=change.account)
    forbidden = _forbidden(after, just_closed=was_held)
    if forbidden:
        words = f"{_did(change)}. {forbidden}" if was_held else forbidden
        action: Action = "closed" if was_held else "ignored"
        return Step(change=change, run=look.run, action=action, words=words)
    try:
        change = change.then(_opened(after, target, because))
    except NotYours as fault:
        # nothing was held, as a symbol has one owner
        words = f"{fault.symbol} is traded by {fault.owner or 'the person'}"
        return _refused(look, change, words)
    except BalanceError as fault:
        step = _refused(look, change, _said(fault))
        if not was_held:
            return step
        return replace(step, action="closed", words=f"{_did(change)}. {step.refused}")
    action = "flipped" if was_held else "opened"
    return Step(change=change, run=look.run, action=action, words=_did(change))


def _forbidden(look: Look, *, just_closed: bool) -> str:
    """Why the bot's own rules let it open nothing; empty where they do."""
    settings, closed_at = look.settings, look.sums.closed_at
    if look.status != "running":
        return "Is paused and opens nothing"
    pause = timedelta(minutes=settings.cooldown)
    if pause and (just_closed or (closed_at is not None and look.time < closed_at + pause)):
        return f"Waits {settings.cooldown} minutes after a trade"
    count, most = len(look.account.positions), settings.max_positions
    if most is not None and count >= most:
        plural = "" if count == 1 else "s"
        return f"The account has {count} open position{plural}, with at most {most} allowed"
    return ""


def _closed(look: Look, because: str) -> Change:
    symbol, order_id = look.settings.symbol, f"{look.order_id}-close"
    return close_position(
        look.account,
        symbol,
        look.market,
        order_id,
        look.time,
        owner=look.owner,
        because=because,
    )


def _opened(look: Look, side: Side, because: str) -> Change:
    settings, buy_or_sell = look.settings, _opening_side(side)
    price = look.market.taker_price(settings.symbol, buy_or_sell)
    by_percent = look.size is None and settings.stake_unit == "percent"
    by_value = look.size is None and settings.stake_unit == "usdt"
    ticket = Ticket(
        symbol=settings.symbol,
        side=buy_or_sell,
        quantity=look.size,
        percent=settings.stake if by_percent else None,
        notional=settings.stake * settings.leverage if by_value else None,
        leverage=settings.leverage,
        take_profit=_away(price, settings.take_profit, sign(side)),
        stop_loss=_first_stop(price, settings, sign(side)),
        owner=look.owner,
        because=because,
    )
    return place_order(look.account, ticket, look.market, look.order_id, look.time)


def _opening_side(side: Side) -> OrderSide:
    return "buy" if side == "long" else "sell"


def _away(price: Decimal, percent: Decimal | None, direction: int) -> Decimal | None:
    """The price that is ``percent`` of ``price`` above it, or below for a ``direction`` of -1;
    None where no price is ever so far below."""
    away = None if percent is None else price * (1 + direction * percent / 100)
    return away if away is not None and away > 0 else None


def _first_stop(price: Decimal, settings: BotSettings, direction: int) -> Decimal | None:
    """The nearer one of the stop-loss and the trailing stop."""
    both = (settings.stop_loss, settings.trailing_stop)
    return _away(price, min((each for each in both if each), default=None), -direction)


def _trailed(look: Look) -> Change:
    """Move the stop after the mark price, where that makes it better by more than a little."""
    held, percent = look.held, look.settings.trailing_stop
    nothing = Change(look.account)
    if held is None or percent is None or held.symbol not in look.market.live:
        return nothing
    instrument = look.market.instruments[held.symbol]
    mark = look.market.quotes[held.symbol].mark
    wanted = _stop_price(instrument, mark, percent, held)
    direction, stop = sign(held.side), _stop_of(look.account, held)
    step = mark * percent / 100 * _WORTH_A_MOVE
    if stop is not None and (wanted - (stop.trigger_price or wanted)) * direction < step:
        return nothing
    ticket = Ticket(
        symbol=held.symbol,
        side=closing_side(held.side),
        type="stop_market",
        trigger_price=wanted,
        reduce_only=True,
        owner=look.owner,
        because="Trailing stop",
    )
    try:
        return place_order(look.account, ticket, look.market, f"{look.order_id}-stop", look.time)
    except BalanceError:
        # such as a mark price that has reached it in this very moment: it is tried again
        return nothing


def _stop_price(instrument: Instrument, mark: Decimal, percent: Decimal, held: Position) -> Decimal:
    price = mark * (1 - sign(held.side) * percent / 100)
    return max(instrument.tick_size, instrument.price(price))


def _stop_of(account: Account, held: Position) -> Order | None:
    return next(
        (each for each in account.orders_of(held.symbol) if each.reason == "stop_loss"),
        None,
    )


def _said(fault: BalanceError) -> str:
    return str(fault).rstrip(".")


def _did(change: Change) -> str:
    """What was filled, in words."""
    return ". ".join(done_words(each.fill) for each in change.bookings if each.fill is not None)


def done_words(fill: Fill) -> str:
    """What ``fill`` did to the position of a bot, in words: ``"Closed 0.1 at 41,000, +$99.20"``."""
    size_and_price = f"{rounded(fill.quantity)} at {rounded(fill.price)}"
    if fill.closed_quantity:
        result = f", {gain(fill.trade.pnl)}" if fill.trade is not None else ""
        return f"Closed {size_and_price}{result}"
    return f"Opened {opened_side(fill.side)} {size_and_price}"


def holding(position: Position, mark: Decimal | None = None) -> Holding:
    """``position`` as its strategy is told of it, at the price ``mark`` or, without one, at its
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
