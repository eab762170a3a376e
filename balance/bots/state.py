"""The roster: all bots there are, what is summed up of their trades, and where that is kept."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Final, TypeVar

from balance.bots.bot import Bot, bot_id
from balance.bots.file import Answer, BotFile
from balance.bots.log import BotLog
from balance.bots.rules import done_words
from balance.bots.settings import BotSettings, Run
from balance.core.account import Account
from balance.core.candles import interval_of
from balance.core.entry import Entry
from balance.core.errors import InvalidRequest, KeyReused, StoreError, UnknownBot
from balance.core.messages import BOT
from balance.core.money import exact
from balance.core.order import ENDINGS
from balance.core.trade import Fill, Trade
from balance.core.trade_sums import TradeSums
from balance.desk.desk import Desk
from balance.store.disk import DISK, Disk

#: How many answers to requests with a key are kept.
_ANSWERS: Final = 200
#: Of how many of the newest ledger entries the trades are shown after a start.
_LOOKED_BACK: Final = 5_000
#: How many trades are kept to be shown.
MOST_TRADES: Final = 1_000

_log = logging.getLogger(__name__)

_Result = TypeVar("_Result")


class Roster:
    """All of it is used with :attr:`guard` held."""

    def __init__(self, desk: Desk, folder: Path | None, disk: Disk = DISK) -> None:
        """
        Raises:
            StoreUnreadable: what is kept of the bots is damaged.
        """
        self.guard = threading.RLock()
        self.log = BotLog(folder, disk)
        # the entries that ended a trade of a bot, oldest first
        self.trades: list[Entry] = []
        self._desk = desk
        self._file = BotFile(folder, disk)
        self._kept = self._file.read()
        self._bots = {bot.id: bot for bot in self._kept.bots}
        self._seen: tuple[str, int] | None = None
        self._is_changed = self._is_refused = False
        # whether a power loss can't bring back what was kept before
        self._is_durable = True
        #: Whether a bot was started or stopped since it was kept, which the ledger does not tell.
        self.is_urgent = False

    def __iter__(self) -> Iterator[Bot]:
        return iter(tuple(self._bots.values()))

    def __len__(self) -> int:
        return len(self._bots)

    def bot(self, wanted: str) -> Bot:
        """The bot with the id ``wanted``.

        Raises:
            UnknownBot: there is none.
        """
        if wanted not in self._bots:
            raise UnknownBot(f"There is no bot {wanted!r:.60}. It may have been deleted.")
        return self._bots[wanted]

    @property
    def names(self) -> dict[str, str]:
        """What the bots are called, by id."""
        return {bot.id: bot.settings.name for bot in self}

    def put(self, bot: Bot) -> Bot:
        """Have ``bot`` in the place of what it was before."""
        before = self._bots.get(bot.id)
        if before is not bot:
            self._bots[bot.id] = bot
            self._is_changed = True
            self.is_urgent |= before is not None and before.status != bot.status
        return bot

    def made(self, settings: BotSettings) -> Bot:
        """A new bot, stopped."""
        number = self._kept.made + 1
        self._kept = replace(self._kept, made=number)
        return self.put(
            Bot(
                id=bot_id(settings.name, number),
                settings=settings,
                created_at=datetime.now(UTC),
            )
        )

    def drop(self, bot: Bot) -> None:
        """Have ``bot`` no longer."""
        del self._bots[bot.id]
        self._is_changed = True

    def save(self, *, durable: bool = True) -> None:
        """Keep what has changed; ``durable`` where it is answered for.

        Raises:
            StoreFailed: the disk refused; it is tried again with the next change.
        """
        self.log.save()
        if not self._is_changed and (self._is_durable or not durable):
            return
        durable = durable or self.is_urgent
        self._kept = replace(self._kept, bots=tuple(self._bots.values()))
        self._is_durable = False
        self._file.write(self._kept, durable=durable)
        self._is_changed, self._is_durable, self.is_urgent = False, durable, False

    def keep(self, *, durable: bool = True) -> bool:
        """Save; where the disk refuses, the program's log says so once, and it is tried again.
        Whether it is saved."""
        try:
            self.save(durable=durable)
        except StoreError as fault:
            if not self._is_refused:
                _log.error("the bots could not be saved: %s", fault)
            self._is_refused = True
        else:
            self._is_refused = False
        return not self._is_refused

    def all_or_nothing(self, change: Callable[[], _Result]) -> _Result:
        """``change``, kept; where that fails, nothing of it is left.

        Raises:
            StoreFailed: the disk refused.
        """
        before, kept = dict(self._bots), self._kept
        try:
            result = change()
            self._is_changed = True
            self.save()
        except BaseException:
            self._bots, self._kept = before, kept
            raise
        return result

    def answered(self, key: str, fingerprint: str) -> Answer | None:
        """What the request with ``key`` was answered before.

        Raises:
            KeyReused: it was another one.
        """
        for each in self._kept.answers:
            if each.key == key:
                if each.fingerprint != fingerprint:
                    raise KeyReused(key)
                return each
        return None

    def answer(self, answer: Answer) -> None:
        """Remember ``answer``, in place of an earlier one with its key."""
        self.take_back(answer.key)
        answers = (*self._kept.answers[1 - _ANSWERS :], answer)
        self._kept = replace(self._kept, answers=answers)

    def take_back(self, key: str | None) -> None:
        """Forget what the request with ``key`` was answered."""
        answers = tuple(each for each in self._kept.answers if each.key != key)
        self._kept = replace(self._kept, answers=answers)
        self._is_changed = True

    def begin(self, feed: str | None, *, anew: bool = False) -> None:
        """Begin on ``feed``: on another one than before, or on another time of it (``anew``), the
        candles that were dealt with say nothing.

        Raises:
            StoreUnreadable: the account or its ledger can't be read.
        """
        if anew or feed != self._kept.feed:
            for bot in self:
                sums = replace(bot.sums, closed_at=None)
                self.put(replace(bot, last_candle=None, run=Run(), sums=sums, life=token_hex(4)))
        self._kept = replace(self._kept, feed=feed)
        self._is_changed = True
        self.catch_up()
        account = self._desk.account()
        for bot in self:
            self.put(_knowing(bot, account))

    def catch_up(self) -> bool:
        """Sum up what has been traded since the last time, by whomever; whether that was anything.

        Raises:
            StoreUnreadable: the account or its ledger can't be read.
        """
        version = self._desk.version
        if version == self._seen:
            return False
        account, revision = version
        epoch, since = self._desk.account().wallet.epoch, self._kept.revision
        epochs, begin = {epoch}, since
        is_first = self._seen is None
        if account != self._kept.account or revision < since:
            is_first, since = True, 0
        is_same = since != 0 and epoch == self._kept.epoch
        if not is_same or self._kept.is_older:
            self._forget(keep_runs=is_same)
            # one that goes on with an older one has the trades of that as well
            lineage = self._desk.ledger.lineage()
            epochs.update(each.booking.epoch for each in lineage)
            if since == 0 and lineage:
                # what was traded before is of no bot's sums
                begin = lineage[-1].revision
            elif lineage:
                begin = min(since, lineage[-1].revision)
        if is_first and not self._bots:
            begin = revision
        for entry in self._desk.ledger.closings(begin):
            if entry.revision <= revision and _owner(entry):
                self._add(entry, epochs, is_new=entry.revision > since)
        if is_first:
            closings = self._desk.ledger.closings(0, _LOOKED_BACK)
            self.trades = [each for each in closings if _owner(each) and each.revision <= revision]
        self._kept = replace(
            self._kept, account=account, epoch=epoch, revision=revision, is_older=False
        )
        self._seen, self._is_changed = version, True
        return True

    def _forget(self, *, keep_runs: bool) -> None:
        """Begin to sum up anew: another account, another epoch, or what an older version summed
        up, whose limits go on (``keep_runs``)."""
        for bot in self:
            run = bot.run if keep_runs else Run()
            self.put(replace(bot, sums=TradeSums(), curve=(), run=run))

    def _add(self, entry: Entry, epochs: Collection[int], *, is_new: bool) -> None:
        """Sum up a trade if it is one of ``epochs``; one that ``is_new`` is told of as well."""
        fill = entry.booking.fill
        if fill is None or fill.trade is None:
            return
        if is_new and self._seen is not None:
            self.trades.append(entry)
            del self.trades[:-MOST_TRADES]
        bot = self._bots.get(fill.trade.owner)
        # what a reset ended is not of the epoch that begins; where that was undone, it is open
        if bot is None or entry.booking.epoch not in epochs or fill.reason in ENDINGS:
            return
        with exact():
            self.put(bot.with_trade(fill.trade))
        if is_new and entry.source != BOT:
            self._note(bot, fill, fill.trade)

    def _note(self, bot: Bot, fill: Fill, trade: Trade) -> None:
        """Note a trade of ``bot`` that the market or a person has ended."""
        why = trade.closed_because or "Closed by hand"
        words = f"{why}: {done_words(fill)}"
        self.log.add(bot.id, bot.settings.name, "trade", words, symbol=trade.symbol, side="close")


def check_limit(limit: int) -> None:
    """Prove that so many trades may be asked for.

    Raises:
        InvalidRequest: they may not.
    """
    if not 1 <= limit <= MOST_TRADES:
        raise InvalidRequest(f"limit must be from 1 to {MOST_TRADES:,}, not {limit!r:.40}.")


def _owner(entry: Entry) -> str:
    fill = entry.booking.fill
    return fill.trade.owner if fill is not None and fill.trade is not None else ""


def _knowing(bot: Bot, account: Account) -> Bot:
    """``bot`` with the newest candle that it has traded on as dealt with: after a crash a replay
    goes back a little, and what is kept of the bots may be older than what they traded. One that
    has not looked yet has not traded since it was started."""
    held = account.position(bot.settings.symbol)
    known = [bot.sums.closed_at, held.opened_at if held and held.owner == bot.id else None]
    latest = max((each for each in known if each is not None), default=None)
    if latest is None or bot.last_candle is None:
        return bot
    seconds = bot.settings.seconds
    candle = interval_of(latest, seconds) - timedelta(seconds=seconds)
    return replace(bot, last_candle=max(candle, bot.last_candle))
