"""``data/bots.json``: the bots, and up to where their trades are summed up.

It is no part of the account: what a bot holds and what it traded is in the account and its ledger.
What a crash loses of this file is found again there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import Any, Final, TypeVar, get_args

from balance.bots.bot import Bot, Decision, bot_id
from balance.bots.log import LOG_FILE, BotLog, LogKind
from balance.bots.rules import fill_message
from balance.bots.settings import BotSettings, Run, Status, read_settings
from balance.core.account import Account
from balance.core.candles import interval_of
from balance.core.entry import Entry
from balance.core.errors import StoreUnreadable, UnknownBot
from balance.core.figures import plain
from balance.core.messages import BOT
from balance.core.moments import from_iso, iso
from balance.core.money import exact
from balance.core.order import ENDINGS
from balance.core.shape import members
from balance.core.trade_sums import TradeSums
from balance.desk.desk import Desk
from balance.desk.summation import Reached, Summation
from balance.store.damage import Damage
from balance.store.disk import DISK, Disk
from balance.store.kept_file import KeptFile
from balance.store.records import Record, amount, count, one_of, text
from balance.strategies.strategy import Signal

BOTS_FILE: Final = "bots.json"
#: How many trades can be listed.
MOST_TRADES: Final = 1_000

# How many answers to requests with a key are in the file.
_ANSWERS: Final = 200
#: In how many of the newest ledger entries trades are searched after a start.
RECENT_ENTRIES: Final = 5_000
_COUNTS: Final = ("trades", "wins", "losses")
_SUMS: Final = ("fees", "funding", "gained", "lost")

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class BotBook:
    """What is in the file."""

    # By their ids, in the order in which they were made.
    bots: Mapping[str, Bot] = field(default_factory=lambda: MappingProxyType({}))
    # How many were ever made.
    made: int = 0
    # The account, its epoch and the revision up to which the trades are summed up.
    account: str = ""
    epoch: int = 0
    revision: int = 0
    # The feed that the bots were on last: their candles are of its time.
    feed: str | None = None
    # Whether the trades are to be summed up anew: older versions did not count the losing ones.
    is_older: bool = False

    @property
    def names(self) -> dict[str, str]:
        """What the bots are called, by id."""
        return {bot.id: bot.settings.name for bot in self.bots.values()}


_SETTINGS: Final = Record(BotSettings, mend=lambda document, _: read_settings(document))
_RUN: Final = Record(Run)
_DECISION: Final = Record(Decision)


def bot_file(folder: Path | None, disk: Disk = DISK) -> KeptFile[BotBook]:
    """The file in ``folder``; None keeps the bots nowhere."""
    return KeptFile(
        folder,
        BOTS_FILE,
        BotBook(),
        _encode,
        _decode,
        remedy="What bots hold and traded is in the account: put a copy of the file back, or move "
        "it away to begin without bots.",
        answers=_ANSWERS,
        disk=disk,
    )


def _encode(book: BotBook) -> dict[str, Any]:
    names = ("made", "account", "epoch", "revision", "feed")
    bots = [_encode_bot(bot) for bot in book.bots.values()]
    return {**{name: getattr(book, name) for name in names}, "bots": bots}


def _decode(document: Mapping[str, Any]) -> BotBook:
    bots = [_decode_bot(each) for each in document["bots"]]
    return BotBook(
        bots={bot.id: bot for bot in bots},
        **{name: count(document[name], name, 0) for name in ("made", "epoch", "revision")},
        account=text(document["account"], "account", empty=True),
        feed=None if document["feed"] is None else text(document["feed"], "feed"),
        is_older=any("losses" not in each["tally"] for each in document["bots"]),
    )


def _encode_bot(bot: Bot) -> dict[str, Any]:
    sums = bot.sums
    return {
        "id": bot.id,
        "settings": _SETTINGS.encode(bot.settings),
        "status": bot.status,
        "created_at": iso(bot.created_at),
        "started_at": bot.started_at and iso(bot.started_at),
        "life": bot.life,
        "stopped_because": bot.stopped_because,
        "last_candle": bot.last_candle and iso(bot.last_candle),
        "run": _RUN.encode(bot.run),
        "tally": {
            **{name: getattr(sums, name) for name in _COUNTS},
            # The P&L follows from the others; it is for people who read the file.
            **{name: plain(getattr(sums, name)) for name in ("pnl", *_SUMS)},
            "closed_at": sums.closed_at and iso(sums.closed_at),
            "curve": [plain(each) for each in bot.curve],
        },
        "decision": bot.decision and _DECISION.encode(bot.decision),
    }


def _decode_bot(document: Mapping[str, Any]) -> Bot:
    tally, decision = document["tally"], document["decision"]
    # Older versions did not count the losing trades: all are summed up anew.
    counted = {"losses": 0, **tally}
    numbers: dict[str, Any] = {name: count(counted[name], name, 0) for name in _COUNTS}
    numbers |= {name: amount(tally[name], name) for name in _SUMS}
    return Bot(
        id=text(document["id"], "id"),
        settings=_SETTINGS.decode(document["settings"]),
        status=one_of(document["status"], "status", get_args(Status)),
        created_at=from_iso(document["created_at"]),
        started_at=_moment(document["started_at"]),
        life=text(document["life"], "life", empty=True),
        stopped_because=text(document["stopped_because"], "stopped_because", empty=True),
        last_candle=_moment(document["last_candle"]),
        run=_RUN.decode(document["run"]),
        sums=TradeSums(
            closed_at=_moment(tally["closed_at"]),
            **numbers,
        ),
        curve=tuple(amount(each, "curve") for each in tally["curve"]),
        decision=None if decision is None else _decode_decision(decision),
    )


def _decode_decision(document: Mapping[str, Any]) -> Decision:
    decision = _DECISION.decode(document)
    # A signal checks its own values.
    Signal(decision.side, decision.confidence, decision.reason)
    return decision


def _moment(value: str | None) -> datetime | None:
    return None if value is None else from_iso(value)


class BotState:
    """All bots, their log, and what their trades add up to. All of it is used with :attr:`guard`
    held."""

    def __init__(self, desk: Desk, folder: Path | None, disk: Disk = DISK) -> None:
        """
        Raises:
            FileUnreadable: the file of the bots is damaged.
        """
        self.log = BotLog(folder, disk)
        if self.log.message:
            desk.ledger.damages.report(Damage(LOG_FILE, None, self.log.message))
        # The entries that ended a trade of a bot, oldest first.
        self.trades: list[Entry] = []
        # Why there are not all of them; None: there are.
        self._damaged: StoreUnreadable | None = None
        self.file = bot_file(folder, disk)
        self.file.latest()
        self.guard = self.file.guard
        #: Whether a bot was started or stopped since the last save, which the ledger does not say.
        self.is_urgent = False
        self._desk = desk
        self._summation = Summation(desk)

    @property
    def book(self) -> BotBook:
        """What is in the file, or will be with the next save."""
        return self.file.value

    def __iter__(self) -> Iterator[Bot]:
        return iter(self.book.bots.values())

    def __len__(self) -> int:
        return len(self.book.bots)

    def bot(self, bot_id: str) -> Bot:
        """The bot with that id.

        Raises:
            UnknownBot: there is none.
        """
        if bot_id not in self.book.bots:
            raise UnknownBot(f"There is no bot {bot_id!r:.60}. It may have been deleted.")
        return self.book.bots[bot_id]

    def put(self, bot: Bot) -> Bot:
        """Have ``bot`` in the place of what it was before."""
        before = self.book.bots.get(bot.id)
        if before is not bot:
            self._change(bots={**self.book.bots, bot.id: bot})
            self.is_urgent |= before is not None and before.status != bot.status
        return bot

    def add(self, settings: BotSettings) -> Bot:
        """A new bot, stopped."""
        number = self.book.made + 1
        self._change(made=number)
        now = datetime.now(UTC)
        return self.put(Bot(id=bot_id(settings.name, number), settings=settings, created_at=now))

    def drop(self, bot: Bot) -> None:
        """Delete ``bot``."""
        self._change(bots={name: each for name, each in self.book.bots.items() if name != bot.id})

    def note(self, bot: Bot, kind: LogKind, message: str, **details: Any) -> None:
        """Add to the log what ``bot`` did, with ``details`` as :meth:`BotLog.add` takes them."""
        name, symbol = bot.settings.name, bot.settings.symbol
        self.log.add(bot.id, name, kind, message, symbol=symbol, **details)

    def save(self, *, durable: bool = True) -> bool:
        """Save what has changed, ``durable`` where it is answered for; where the disk refuses, the
        program's log says so once, and the next call tries again. Whether it is saved."""
        self.log.save()
        is_saved = self.file.try_save(durable=durable or self.is_urgent)
        self.is_urgent = self.is_urgent and not is_saved
        return is_saved

    def change(self, operation: Callable[[], _Result]) -> _Result:
        """Do ``operation`` and save what came of it; where either fails, nothing of it is left.

        Raises:
            StoreFailed: the disk refused.
        """
        result = self.file.change(operation)
        self.is_urgent = False
        return result

    def begin(self, feed: str | None, *, anew: bool = False) -> None:
        """Begin on ``feed``: on another one than before, or at another time of it (``anew``), the
        candles that bots have dealt with mean nothing.

        Raises:
            StoreUnreadable: the account or its ledger can't be read.
        """
        if anew or feed != self.book.feed:
            for bot in self:
                sums = replace(bot.sums, closed_at=None)
                self.put(replace(bot, last_candle=None, run=Run(), sums=sums, life=token_hex(4)))
        self._change(feed=feed)
        self.catch_up()
        account = self._desk.account()
        for bot in self:
            self.put(_after_its_trades(bot, account))

    def catch_up(self) -> bool:
        """Sum up the trades since the last time, whoever made them; whether there was any change.

        Raises:
            StoreUnreadable: the account or its ledger can't be read.
        """
        book = self.book
        reached = Reached(book.account, book.epoch, book.revision)
        portion = self._summation.portion(reached, anew=book.is_older, is_idle=not book.bots)
        if portion is None:
            return False
        if portion.is_anew:
            self._forget(keep_runs=portion.is_same)
        reached = portion.reached
        for entry in self._desk.ledger.closings(portion.begin):
            if entry.revision <= reached.revision and _owner(entry):
                self._add(entry, portion.epochs, is_new=entry.revision > portion.since)
        if portion.is_first:
            self._read_trades(reached.revision)
        self._change(**members(reached), is_older=False)
        self._summation.done(portion)
        return True

    def newest_trades(self) -> Iterator[Entry]:
        """The newest trades of bots, newest first.

        Raises:
            StoreUnreadable: the next one can't be read, as the ledger is damaged there.
        """
        yield from reversed(self.trades)
        if self._damaged is not None:
            raise self._damaged

    def _read_trades(self, revision: int) -> None:
        """Read the newest trades up to ``revision``, as far back as that is possible."""
        self.trades, self._damaged = [], None
        try:
            for entry in self._desk.ledger.recent_closings(RECENT_ENTRIES):
                if _owner(entry) and entry.revision <= revision:
                    self.trades.insert(0, entry)
        except StoreUnreadable as fault:
            self._damaged = fault

    def _forget(self, *, keep_runs: bool) -> None:
        """Begin to sum up anew, on another account or epoch, or after an older version; only after
        that, the limits go on (``keep_runs``)."""
        for bot in self:
            run = bot.run if keep_runs else Run()
            self.put(replace(bot, sums=TradeSums(), curve=(), run=run))

    def _add(self, entry: Entry, epochs: Collection[int], *, is_new: bool) -> None:
        """Sum up a trade of one of ``epochs``; one that ``is_new`` is listed and noted too."""
        fill = entry.booking.fill
        if fill is None or fill.trade is None:
            return
        if is_new and self._summation.has_begun:
            self.trades.append(entry)
            del self.trades[:-MOST_TRADES]
        bot = self.book.bots.get(fill.trade.owner)
        # A trade that a reset ended is not of the new epoch; after an undo it is open again.
        if bot is None or entry.booking.epoch not in epochs or fill.reason in ENDINGS:
            return
        with exact():
            self.put(bot.with_trade(fill.trade))
        if is_new and entry.source != BOT:
            message = f"{fill.trade.closed_because or 'Closed by hand'}: {fill_message(fill)}"
            self.note(bot, "trade", message, side="close")

    def _change(self, **members: Any) -> None:
        self.file.put(replace(self.book, **members))


def _owner(entry: Entry) -> str:
    fill = entry.booking.fill
    return fill.trade.owner if fill is not None and fill.trade is not None else ""


def _after_its_trades(bot: Bot, account: Account) -> Bot:
    """``bot`` with the newest candle that it has traded on as its last one: after a crash a replay
    goes back a little, and the file of the bots may be older than their trades. A bot without a
    last candle has not traded since it was started."""
    held = account.owned(bot.settings.symbol, bot.id)
    known = [bot.sums.closed_at, held.opened_at if held else None]
    latest = max((each for each in known if each is not None), default=None)
    if latest is None or bot.last_candle is None:
        return bot
    seconds = bot.settings.seconds
    candle = interval_of(latest, seconds) - timedelta(seconds=seconds)
    return replace(bot, last_candle=max(candle, bot.last_candle))
