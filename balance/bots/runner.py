"""The runner: lets each bot look at the market, and commits what it does.

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
from typing import Final

from balance.bots.bot import Bot, Decision
from balance.bots.log import LogKind
from balance.bots.rows import held_words
from balance.bots.rules import Action, Look, Step, holding, looked
from balance.bots.signals import SIGNALS
from balance.bots.state import Roster
from balance.core.account import Account
from balance.core.candles import MINUTE, interval_of
from balance.core.change import Change
from balance.core.errors import BalanceError, StoreError
from balance.core.market import Market
from balance.core.messages import BOT
from balance.core.moments import iso
from balance.core.orders import close_position
from balance.core.quote import Candle, Quote
from balance.desk.desk import Desk
from balance.strategies.own import Catalogue, Guarded, ask_strategy
from balance.strategies.series import Candles
from balance.strategies.strategy import Holding, Signal, StrategyFault, lookback_of

# fewer candles may all have a gap between them
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
    """What a running bot need not keep over a restart."""

    # asks its strategy, which is given so many candles at most
    decide: Callable[[Candles, Holding | None], Signal]
    lookback: int
    # when it looks next, and the interval of its timeframe in which it looked last
    next_look: datetime | None = None
    interval: datetime | None = None
    # whether what it wanted could not be written
    is_held_up: bool = False
    # whether somebody else has its symbol, as the log says
    is_taken: bool = False


class Runner:
    """Used with the roster's guard held."""

    def __init__(self, desk: Desk, roster: Roster, catalogue: Catalogue) -> None:
        self._desk = desk
        self._roster = roster
        self._catalogue = catalogue
        self._memories: dict[str, _Memory] = {}

    def forget(self, bot: Bot) -> None:
        """Let go of what ``bot`` runs with; where it goes on, its strategy is made anew."""
        self._memories.pop(bot.id, None)

    def look(self, market: Market) -> bool:
        """Let each bot look at ``market`` whose time has come; whether one did."""
        looked_at = False
        for each in self._roster:
            # what another one has just done may have been news of this one
            bot = self._roster.bot(each.id)
            if not bot.is_active or bot.settings.symbol not in market.live:
                continue
            quote = market.quotes[bot.settings.symbol]
            memory = self._memories.get(bot.id)
            if memory is not None and memory.next_look and quote.time < memory.next_look:
                continue
            looked_at = True
            self._look(bot, market, quote)
        return looked_at

    def signalled(self, bot_id: str, signal: Signal, size: Decimal | None, key: str | None) -> Bot:
        """Let a bot act on a ``signal`` from outside now; with a ``key``, once.

        Raises:
            StoreError: it can't be written now.
        """
        bot, market = self._roster.bot(bot_id), self._desk.market
        quote = market.quotes.get(bot.settings.symbol)
        if quote is None or bot.settings.symbol not in market.live:
            words = f"{bot.settings.symbol} has no live price now"
            return self._decided(bot, _now(quote), None, signal, "refused", words)
        look = self._look_of(bot, market, quote, signal, size)
        # a key of a request may be as long as one of the account
        code = None if key is None else hashlib.sha256(f"{key} {bot.id}".encode()).hexdigest()
        step = self._committed(look, code and f"signal {code}")
        return self._went(bot, step, signal, quote.time)

    def closed(self, bot: Bot, because: str) -> str:
        """Close what ``bot`` holds at market; what was done, in words, or nothing.

        Raises:
            NoLivePrice: its symbol has no live price now.
            BalanceError: whatever else forbids it.
        """
        symbol, held = bot.settings.symbol, self.position(bot)
        if not held:
            return ""

        def change(account: Account) -> Change:
            market = self._desk.market
            quote = market.quotes.get(symbol)
            account = account.marked(market)
            position = account.position(symbol)
            if position is None or position.owner != bot.id:
                return Change(account)
            return close_position(
                account,
                symbol,
                market,
                token_hex(5),
                _now(quote),
                owner=bot.id,
                because=because,
            )

        outcome = self._desk.step(change, BOT)
        words = outcome.message if outcome is not None else ""
        if words:
            self._log(bot, "trade", words, side="close", reason=because)
        return words

    def position(self, bot: Bot) -> bool:
        """Whether ``bot`` holds anything."""
        held = self._desk.account().position(bot.settings.symbol)
        return held is not None and held.owner == bot.id

    def held_words(self, bot: Bot) -> str:
        """That somebody else has the symbol of ``bot``; empty where nobody has."""
        symbol = bot.settings.symbol
        other = self._desk.account().other_owner(symbol, bot.id)
        return held_words(symbol, other, self._roster.names)

    def _look(self, bot: Bot, market: Market, quote: Quote) -> None:
        try:
            if bot.id not in self._memories:
                self._memories[bot.id] = self._memory(bot)
            self._looked(bot, market, quote)
        except StoreError as fault:
            # tried again with the next price
            memory = self._memories[bot.id]
            if not memory.is_held_up:
                memory.is_held_up = True
                self._log(bot, "error", f"Could not be written, and is tried again: {fault}")
            return
        except StrategyFault as fault:
            self._fail(bot, str(fault), "Its strategy failed: ")
        except BalanceError as fault:
            self._fail(bot, str(fault))
        except Exception as fault:
            _log.exception("the bot %s failed", bot.id)
            self._fail(bot, f"{type(fault).__name__}: {fault}")
        if bot.id in self._memories:
            self._memories[bot.id].next_look = interval_of(quote.time, MINUTE) + _A_MINUTE
            self._memories[bot.id].is_held_up = False

    def _looked(self, bot: Bot, market: Market, quote: Quote) -> None:
        candle, candles = self._closed_candle(bot, quote)
        signal = None
        if candle is not None and bot.last_candle is None:
            # what had closed before its first look is no news
            bot = self._roster.put(replace(bot, last_candle=candle))
        elif candle is not None and bot.last_candle is not None and candle > bot.last_candle:
            # one that waits for signals from outside has none of its own
            waits = bot.settings.strategy == SIGNALS
            signal = None if waits else self._signal(bot, market, candles)
        look = self._look_of(bot, market, quote, signal)
        self._note_owner(bot)
        key = None if signal is None or candle is None else f"bot {bot.id} {bot.life} {iso(candle)}"
        step = self._committed(look, key)
        self._memories[bot.id].interval = _interval(bot, quote)
        self._went(bot, step, signal, quote.time, candle)

    def _note_owner(self, bot: Bot) -> None:
        """Note in the log when somebody else begins to have the symbol of ``bot``, and when that
        ends: not each signal that comes to nothing meanwhile."""
        memory, words = self._memories[bot.id], self.held_words(bot)
        if memory.is_taken != bool(words):
            memory.is_taken = bool(words)
            symbol = bot.settings.symbol
            self._log(bot, "ignored", words or f"{symbol} is free again: it may open positions.")

    def _went(
        self,
        bot: Bot,
        step: Step,
        signal: Signal | None,
        time: datetime,
        candle: datetime | None = None,
    ) -> Bot:
        """``bot`` after its ``step``, with what it decided and where it stopped itself."""
        # its trades may have been summed up meanwhile
        bot = self._roster.bot(bot.id)
        if step.run != bot.run:
            bot = self._roster.put(replace(bot, run=step.run))
        if signal is not None:
            if candle is not None:
                bot = self._roster.put(replace(bot, last_candle=candle))
            bot = self._decided(bot, time, candle, signal, step.action, step.words)
        if step.stops:
            told = signal is not None or step.action == "none"
            bot = self._stop(bot, step.stops, "" if told else f"{step.words}.")
        return bot

    def _memory(self, bot: Bot) -> _Memory:
        """What ``bot`` begins to run with.

        Raises:
            InvalidRequest: its strategy can't be made.
        """
        kind = self._catalogue.kind(bot.settings.strategy)
        strategy = kind.make(bot.settings.params)
        # one of the person's own may hang
        decide = Guarded(strategy).decide if kind.own else partial(ask_strategy, strategy)
        return _Memory(decide, lookback_of(strategy))

    def _closed_candle(self, bot: Bot, quote: Quote) -> tuple[datetime | None, Sequence[Candle]]:
        """When the newest candle that has closed began, and all that the strategy is given; None
        where none has since the last look."""
        seconds, memory = bot.settings.seconds, self._memories[bot.id]
        if memory.interval == _interval(bot, quote):
            return None, ()
        # the running one is told as well
        told = self._desk.candles(bot.settings.symbol, seconds, memory.lookback + 1)
        length = timedelta(seconds=max(seconds, _length(told)))
        newest = max((each.time for each in told if each.time <= quote.time), default=quote.time)
        is_running = quote.time < newest + length
        begun = newest if is_running else quote.time
        candles = [each for each in told if each.time < begun][-memory.lookback :]
        return (candles[-1].time if candles else None), candles

    def _signal(self, bot: Bot, market: Market, candles: Sequence[Candle]) -> Signal:
        position = self._desk.account().marked(market).position(bot.settings.symbol)
        own = position if position is not None and position.owner == bot.id else None
        held = None if own is None else holding(own)
        return self._memories[bot.id].decide(Candles.of(candles), held)

    def _look_of(
        self,
        bot: Bot,
        market: Market,
        quote: Quote,
        signal: Signal | None,
        size: Decimal | None = None,
    ) -> Look:
        return Look(
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

    def _committed(self, look: Look, key: str | None) -> Step:
        """What the bot of ``look`` does, committed where it is anything.

        Raises:
            StoreError: it can't be written now.
        """
        step = looked(look)
        if not step.change.bookings:
            return step
        steps = [step]

        def change(account: Account) -> Change:
            # the account may have moved on since
            steps.append(looked(replace(look, account=account.marked(look.market))))
            return steps[-1].change

        outcome = self._desk.step(change, BOT, key)
        if outcome is not None and outcome.replayed:
            self._roster.catch_up()
            return replace(step, action="none", words="Was done already")
        self._roster.catch_up()
        return steps[-1]

    def _decided(
        self,
        bot: Bot,
        time: datetime,
        candle: datetime | None,
        signal: Signal,
        action: Action,
        words: str,
    ) -> Bot:
        decision = Decision(
            time=time,
            candle=candle,
            side=signal.side,
            confidence=signal.confidence,
            reason=signal.reason,
            action=action,
            words=words,
        )
        kind = "hold" if signal.side == "hold" else _KINDS[action]
        memory = self._memories.get(bot.id)
        # the log has said why, once
        is_said = action == "refused" and memory is not None and memory.is_taken
        if not is_said:
            self._log(
                bot,
                kind,
                words,
                candle=candle,
                side=signal.side,
                confidence=signal.confidence,
                reason=signal.reason,
            )
        return self._roster.put(replace(self._roster.bot(bot.id), decision=decision))

    def _stop(self, bot: Bot, because: str, words: str) -> Bot:
        self._log(bot, "state", f"Stopped itself: {because}. {words}".strip())
        self.forget(bot)
        return self._roster.put(replace(bot, status="stopped", stopped_because=because))

    def _fail(self, bot: Bot, words: str, what: str = "") -> None:
        """Stop ``bot``, as the last line of ``words`` tells."""
        bot = self._roster.bot(bot.id)
        because = f"{what}{words.rpartition(chr(10))[2].rstrip('.')}"[:_LONGEST_REASON]
        self._roster.put(replace(bot, status="stopped", stopped_because=because))
        self._log(bot, "error", words)
        self.forget(bot)

    def _log(
        self,
        bot: Bot,
        kind: LogKind,
        words: str,
        *,
        candle: datetime | None = None,
        side: str = "",
        confidence: float | None = None,
        reason: str = "",
    ) -> None:
        self._roster.log.add(
            bot.id,
            bot.settings.name,
            kind,
            words,
            symbol=bot.settings.symbol,
            candle=candle,
            side=side,
            confidence=confidence,
            reason=reason,
        )


def _interval(bot: Bot, quote: Quote) -> datetime:
    """The time in which a candle is closed once at most; those of a file may begin at any quarter
    of an hour."""
    return interval_of(quote.time, min(bot.settings.seconds, _QUARTER_HOUR))


def _length(candles: Sequence[Candle]) -> int:
    """How many seconds each of ``candles`` is long: those of a replay's file may be longer than
    what is asked for. 0 where they are too few to tell."""
    if len(candles) < _ENOUGH_TO_TELL:
        return 0
    apart = min(after.time - before.time for before, after in pairwise(candles))
    return int(apart.total_seconds())


def _now(quote: Quote | None) -> datetime:
    """The market's own time, which a replay's is not ours."""
    return datetime.now(UTC) if quote is None else quote.time
