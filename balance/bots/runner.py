"""The runner: evaluates each bot at the prices of the market, and commits what it does.

What a bot decides on a candle is committed with a key of that candle, so that a crash can't make it
trade the candle twice.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from secrets import token_hex
from typing import Any, Final

from balance.bots.bot import Bot, Decision
from balance.bots.log import LogKind
from balance.bots.rows import owner_message
from balance.bots.rules import Action, Step, View, evaluate, holding
from balance.bots.signals import SIGNALS
from balance.bots.state import BotState
from balance.core.account import Account
from balance.core.candles import MINUTE, interval_of
from balance.core.change import Change
from balance.core.errors import BalanceError, StoreError
from balance.core.market import Market
from balance.core.messages import BOT
from balance.core.moments import iso
from balance.core.orders import close_position
from balance.core.quote import Candle, Quote
from balance.core.shape import members
from balance.desk.desk import Desk
from balance.strategies.own import Catalogue, Guarded, ask_strategy
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, StrategyFault, lookback_of

# Fewer candles may all have a gap between them.
_ENOUGH_TO_TELL: Final = 3
_QUARTER_HOUR: Final = 900
_A_MINUTE: Final = timedelta(seconds=MINUTE)
_LONGEST_REASON: Final = 300
_KINDS: Final[dict[Action, LogKind]] = {
    "none": "ignored",
    "ignored": "ignored",
    "refused": "ignored",
    "opened": "trade",
    "closed": "trade",
    "flipped": "trade",
}

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Memory:
    """What a running bot may forget with a restart."""

    # Runs its strategy, which gets so many candles at most.
    decide: Callable[[Candles, Holding | None], Signal]
    lookback: int
    # When it is evaluated next, and the interval of its timeframe of the last evaluation.
    next_time: datetime | None = None
    interval: datetime | None = None
    # Whether its last change could not be written.
    is_held_up: bool = False
    # Whether somebody else has its symbol, as the log says.
    is_taken: bool = False


class Runner:
    """Evaluates the bots of a state. Used with its guard held."""

    def __init__(self, desk: Desk, state: BotState, catalogue: Catalogue) -> None:
        self._desk = desk
        self._state = state
        self._catalogue = catalogue
        self._memories: dict[str, _Memory] = {}

    def forget(self, bot: Bot) -> None:
        """Drop the memory of ``bot``; where it goes on, its strategy is made anew."""
        self._memories.pop(bot.id, None)

    def evaluate(self, market: Market) -> bool:
        """Evaluate each bot whose time has come at ``market``; whether there was one."""
        is_any = False
        for each in self._state:
            # An evaluation before this one may have changed this bot too.
            bot = self._state.bot(each.id)
            if not bot.is_active or bot.settings.symbol not in market.live:
                continue
            quote = market.quotes[bot.settings.symbol]
            memory = self._memories.get(bot.id)
            if memory is not None and memory.next_time and quote.time < memory.next_time:
                continue
            is_any = True
            self._try_evaluate(bot, market, quote)
        return is_any

    def act(self, bot_id: str, signal: Signal, size: Decimal | None, key: str | None) -> Bot:
        """Let a bot act on a ``signal`` from outside now; with a ``key``, once.

        Raises:
            StoreError: it can't be written now.
        """
        bot, market = self._state.bot(bot_id), self._desk.market
        quote = market.quotes.get(bot.settings.symbol)
        if quote is None or bot.settings.symbol not in market.live:
            message = f"{bot.settings.symbol} has no live price now"
            return self._note_decision(bot, _now(quote), None, signal, "refused", message)
        view = self._view(bot, market, quote, signal, size)
        # The key of a request may be as long as one of the account, so that nothing fits beside it.
        code = None if key is None else hashlib.sha256(f"{key} {bot.id}".encode()).hexdigest()
        step = self._commit(view, code and f"signal {code}")
        return self._conclude(bot, step, signal, quote.time)

    def close(self, bot: Bot, reason: str) -> str:
        """Close what ``bot`` holds at market; a message about that, empty where it holds nothing.

        Raises:
            NoLivePrice: its symbol has no live price now.
            BalanceError: whatever else forbids it.
        """
        symbol = bot.settings.symbol
        if not self.is_holding(bot):
            return ""

        def change(account: Account) -> Change:
            market = self._desk.market
            quote = market.quotes.get(symbol)
            account = account.marked(market)
            if account.owned(symbol, bot.id) is None:
                return Change(account)
            return close_position(
                account,
                symbol,
                market,
                token_hex(5),
                _now(quote),
                owner=bot.id,
                because=reason,
            )

        outcome = self._desk.step(change, BOT)
        message = outcome.message if outcome is not None else ""
        if message:
            self._state.note(bot, "trade", message, side="close", reason=reason)
        return message

    def is_holding(self, bot: Bot) -> bool:
        """Whether ``bot`` holds anything."""
        return self._desk.account().owned(bot.settings.symbol, bot.id) is not None

    def owner_message(self, bot: Bot) -> str:
        """That somebody else has the symbol of ``bot``; empty where nobody has."""
        symbol = bot.settings.symbol
        other = self._desk.account().other_owner(symbol, bot.id)
        return owner_message(symbol, other, self._state.book.names)

    def _try_evaluate(self, bot: Bot, market: Market, quote: Quote) -> None:
        try:
            if bot.id not in self._memories:
                self._memories[bot.id] = self._memory(bot)
            self._evaluate(bot, market, quote)
        except StoreError as fault:
            # The next price is the next attempt.
            memory = self._memories[bot.id]
            if not memory.is_held_up:
                memory.is_held_up = True
                self._state.note(bot, "error", f"Could not be written, and is tried again: {fault}")
            return
        except StrategyFault as fault:
            self._fail(bot, str(fault), "Its strategy failed: ")
        except BalanceError as fault:
            self._fail(bot, str(fault))
        except Exception as fault:
            _log.exception("the bot %s failed", bot.id)
            self._fail(bot, f"{type(fault).__name__}: {fault}")
        if bot.id in self._memories:
            self._memories[bot.id].next_time = interval_of(quote.time, MINUTE) + _A_MINUTE
            self._memories[bot.id].is_held_up = False

    def _evaluate(self, bot: Bot, market: Market, quote: Quote) -> None:
        candle, candles = self._closed_candle(bot, quote)
        signal = None
        if candle is not None and bot.last_candle is None:
            # A candle that had closed before the first evaluation is no news.
            bot = self._state.put(replace(bot, last_candle=candle))
        elif candle is not None and bot.last_candle is not None and candle > bot.last_candle:
            # A bot that waits for signals from outside has none of its own.
            waits = bot.settings.strategy == SIGNALS
            signal = None if waits else self._signal(bot, market, candles)
        view = self._view(bot, market, quote, signal)
        self._note_owner(bot)
        key = None if signal is None or candle is None else f"bot {bot.id} {bot.life} {iso(candle)}"
        step = self._commit(view, key)
        self._memories[bot.id].interval = _interval(bot, quote)
        self._conclude(bot, step, signal, quote.time, candle)

    def _note_owner(self, bot: Bot) -> None:
        """Note when somebody else begins to have the symbol of ``bot``, and when that ends: not
        each signal that comes to nothing meanwhile."""
        memory, message = self._memories[bot.id], self.owner_message(bot)
        if memory.is_taken != bool(message):
            memory.is_taken = bool(message)
            free = f"{bot.settings.symbol} is free again: it may open positions."
            self._state.note(bot, "ignored", message or free)

    def _conclude(
        self,
        bot: Bot,
        step: Step,
        signal: Signal | None,
        time: datetime,
        candle: datetime | None = None,
    ) -> Bot:
        """``bot`` after its ``step``, with its decision, and stopped where the step says so."""
        # Its trades may have been summed up meanwhile.
        bot = self._state.bot(bot.id)
        if step.run != bot.run:
            bot = self._state.put(replace(bot, run=step.run))
        if signal is not None:
            if candle is not None:
                bot = self._state.put(replace(bot, last_candle=candle))
            bot = self._note_decision(bot, time, candle, signal, step.action, step.message)
        if step.stops:
            is_noted = signal is not None or step.action == "none"
            bot = self._stop(bot, step.stops, "" if is_noted else f"{step.message}.")
        return bot

    def _memory(self, bot: Bot) -> _Memory:
        """The memory with which ``bot`` begins to run.

        Raises:
            InvalidRequest: its strategy can't be made.
        """
        kind = self._catalogue.kind(bot.settings.strategy)
        strategy = kind.make(bot.settings.params)
        # A strategy of the person's own may hang.
        decide = Guarded(strategy).decide if kind.own else partial(ask_strategy, strategy)
        return _Memory(decide, lookback_of(strategy))

    def _closed_candle(self, bot: Bot, quote: Quote) -> tuple[datetime | None, Sequence[Candle]]:
        """When the newest candle that has closed began, and all that the strategy gets; None where
        none has since the last evaluation."""
        seconds, memory = bot.settings.seconds, self._memories[bot.id]
        if memory.interval == _interval(bot, quote):
            return None, ()
        # The running candle is one of these.
        found = self._desk.candles(bot.settings.symbol, seconds, memory.lookback + 1)
        length = timedelta(seconds=max(seconds, _length(found)))
        newest = max((each.time for each in found if each.time <= quote.time), default=quote.time)
        end = newest if quote.time < newest + length else quote.time
        candles = [each for each in found if each.time < end][-memory.lookback :]
        return (candles[-1].time if candles else None), candles

    def _signal(self, bot: Bot, market: Market, candles: Sequence[Candle]) -> Signal:
        held = self._desk.account().marked(market).owned(bot.settings.symbol, bot.id)
        position = None if held is None else holding(held)
        return self._memories[bot.id].decide(Candles.of(candles), position)

    def _view(
        self,
        bot: Bot,
        market: Market,
        quote: Quote,
        signal: Signal | None,
        size: Decimal | None = None,
    ) -> View:
        return View(
            owner=bot.id,
            settings=bot.settings,
            status=bot.status,
            sums=bot.sums,
            run=bot.run,
            account=self._desk.account().marked(market),
            market=market,
            time=quote.time,
            order_id=token_hex(5),
            signal=signal,
            size=size,
        )

    def _commit(self, view: View, key: str | None) -> Step:
        """What the bot of ``view`` does, committed where it is anything.

        Raises:
            StoreError: it can't be written now.
        """
        step = evaluate(view)
        if not step.change.bookings:
            return step
        steps = [step]

        def change(account: Account) -> Change:
            # The account may have changed since.
            steps.append(evaluate(replace(view, account=account.marked(view.market))))
            return steps[-1].change

        outcome = self._desk.step(change, BOT, key)
        if outcome is not None and outcome.replayed:
            self._state.catch_up()
            return replace(step, action="none", message="Was done already")
        self._state.catch_up()
        return steps[-1]

    def _note_decision(
        self,
        bot: Bot,
        time: datetime,
        candle: datetime | None,
        signal: Signal,
        action: Action,
        message: str,
    ) -> Bot:
        details: dict[str, Any] = {"candle": candle, **members(signal)}
        decision = Decision(time=time, action=action, words=message, **details)
        kind = "hold" if signal.side == "hold" else _KINDS[action]
        memory = self._memories.get(bot.id)
        # The log has said why, once.
        is_noted = action == "refused" and memory is not None and memory.is_taken
        if not is_noted:
            self._state.note(bot, kind, message, **details)
        return self._state.put(replace(self._state.bot(bot.id), decision=decision))

    def _stop(self, bot: Bot, reason: str, message: str) -> Bot:
        self._state.note(bot, "state", f"Stopped itself: {reason}. {message}".strip())
        self.forget(bot)
        return self._state.put(replace(bot, status="stopped", stopped_because=reason))

    def _fail(self, bot: Bot, message: str, subject: str = "") -> None:
        """Stop ``bot`` for the reason in the last line of ``message``."""
        bot = self._state.bot(bot.id)
        reason = f"{subject}{message.rpartition(chr(10))[2].rstrip('.')}"[:_LONGEST_REASON]
        self._state.put(replace(bot, status="stopped", stopped_because=reason))
        self._state.note(bot, "error", message)
        self.forget(bot)


def _interval(bot: Bot, quote: Quote) -> datetime:
    """The time in which a candle is closed once at most; those of a file may begin at any quarter
    of an hour."""
    return interval_of(quote.time, min(bot.settings.seconds, _QUARTER_HOUR))


def _length(candles: Sequence[Candle]) -> int:
    """The length of each of ``candles`` in seconds: those of a replay's file may be longer than the
    timeframe. 0 where they are too few to say."""
    if len(candles) < _ENOUGH_TO_TELL:
        return 0
    apart = min(after.time - before.time for before, after in pairwise(candles))
    return int(apart.total_seconds())


def _now(quote: Quote | None) -> datetime:
    """The market's own time, which a replay's is not ours."""
    return datetime.now(UTC) if quote is None else quote.time
