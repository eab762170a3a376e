"""The use cases of bots: made, changed, started and stopped, by whoever asks."""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from balance.bots.bot import Bot
from balance.bots.changing import Changing
from balance.bots.runner import Runner
from balance.bots.settings import LONGEST_NAME, BotSettings, Run, Status, settings_of
from balance.bots.signals import SIGNALS, signal_of
from balance.bots.state import Roster
from balance.core.errors import BalanceError, InvalidRequest, StoreError
from balance.core.market import Market
from balance.desk.desk import Desk
from balance.store.disk import DISK, Disk
from balance.store.kept_file import Done
from balance.strategies.own import Catalogue

#: How many bots there may be.
MOST_BOTS: Final = 100
#: How often what they decided is kept; what they traded is kept at once.
_SAVE_SECONDS: Final = 1.0

_NOT_KEPT: Final = "The disk refuses to keep that: after a restart they would run again."

_log = logging.getLogger(__name__)


class Bots(Changing):
    """All bots of an account. Safe to use from many threads; every change takes a ``key``: a
    repeated one gets the first answer and changes nothing."""

    def __init__(
        self,
        desk: Desk,
        catalogue: Catalogue | None = None,
        folder: Path | None = None,
        secret: str | None = None,
        disk: Disk = DISK,
    ) -> None:
        """``folder`` keeps them; None: nowhere. ``secret`` is what signals from outside must show.

        Raises:
            StoreUnreadable: what is kept of them is damaged.
        """
        super().__init__(desk, Roster(desk, folder, disk), catalogue or Catalogue())
        self._runner = Runner(desk, self._roster, self._catalogue)
        self._secret = secret
        # when what they decided was last kept
        self._saved = 0.0

    def create(self, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Make a bot with the settings that ``members`` tell; it is stopped at first.

        Raises:
            InvalidRequest, InvalidAmount: they make no sense.
        """

        def make() -> tuple[Bot, str]:
            settings = self._settings(members)
            if len(self._roster) >= MOST_BOTS:
                raise InvalidRequest(f"There are {MOST_BOTS} bots; delete one first.")
            return self._roster.made(settings), "Made the bot {name}. Start it when you like."

        self._know_strategies()
        return self._changed(["create", members], key, make)

    def edit(self, bot_id: str, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Change the settings of a bot that ``members`` name.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest, InvalidAmount: they make no sense, or would leave what it holds behind.
        """

        def change() -> tuple[Bot, str]:
            bot = self._roster.bot(bot_id)
            settings = self._settings(members, bot.settings, but=bot_id)
            if settings.symbol != bot.settings.symbol and self._runner.position(bot):
                raise InvalidRequest(
                    f"{bot.settings.name} holds {bot.settings.symbol}: close that before it "
                    "trades another symbol."
                )
            before = (bot.settings.timeframe, bot.settings.symbol)
            bot = replace(bot, settings=settings)
            if (settings.timeframe, settings.symbol) != before:
                # what it did on other candles says nothing of these
                bot = replace(bot, last_candle=None, life=token_hex(4))
            # its strategy is made anew
            self._runner.forget(bot)
            return self._roster.put(bot), "Changed the bot {name}."

        self._know_strategies()
        return self._changed(["edit", bot_id, members], key, change)

    def duplicate(self, bot_id: str, key: str | None = None) -> Done:
        """Make another bot with the same settings, stopped.

        Raises:
            UnknownBot: there is none with that id.
        """

        def copy() -> tuple[Bot, str]:
            settings = self._roster.bot(bot_id).settings
            if len(self._roster) >= MOST_BOTS:
                raise InvalidRequest(f"There are {MOST_BOTS} bots; delete one first.")
            name = self._free_name(settings.name)
            return self._roster.made(replace(settings, name=name)), "Made the bot {name}."

        return self._changed(["duplicate", bot_id], key, copy)

    def start(self, bot_id: str, key: str | None = None) -> Done:
        """Let a stopped bot run, from the next candle that closes.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it runs, or its strategy or symbol is not there.
        """

        def start() -> tuple[Bot, str]:
            bot = self._in(bot_id, "stopped", "start")
            self._settings({}, bot.settings, but=bot_id)
            bot = replace(
                bot,
                status="running",
                started_at=datetime.now(UTC),
                stopped_because="",
                run=Run(),
                last_candle=None,
                life=token_hex(4),
            )
            words = "Started {name}. It decides when its next candle closes."
            return self._roster.put(bot), f"{words} {self._runner.held_words(bot)}".strip()

        self._know_strategies()
        return self._changed(["start", bot_id], key, start)

    def pause(self, bot_id: str, key: str | None = None) -> Done:
        """Let a running bot open nothing more; what it holds it still closes.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it does not run.
        """
        words = "Paused {name}. It opens nothing, and still closes what it holds."
        return self._moved(bot_id, "running", "paused", "pause", words, key)

    def resume(self, bot_id: str, key: str | None = None) -> Done:
        """Let a paused bot run again.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it is not paused.
        """
        return self._moved(bot_id, "paused", "running", "resume", "Resumed {name}.", key)

    def stop(self, bot_id: str, *, close: bool = False, key: str | None = None) -> Done:
        """Stop a bot and, with ``close``, close what it holds.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it is stopped and holds nothing that is to be closed.
            NoLivePrice: what it holds has no live price now; it is stopped.
        """

        def stop() -> tuple[Bot, str]:
            bot = self._roster.bot(bot_id)
            if not bot.is_active and not (close and self._runner.position(bot)):
                raise InvalidRequest(f"{bot.settings.name} is stopped.")
            return self._stopped(bot), "Stopped {name}."

        def afterwards(bot: Bot) -> str:
            return self._runner.closed(bot, "The bot was stopped") if close else ""

        return self._changed(["stop", bot_id, close], key, stop, afterwards)

    def delete(self, bot_id: str, *, close: bool = False, key: str | None = None) -> Done:
        """Delete a bot; one that holds something only with ``close``, which closes that first.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it holds something.
            NoLivePrice: what it holds has no live price now.
        """
        with self._roster.guard:
            earlier = self._earlier(["delete", bot_id, close], key)
            if earlier is not None:
                return earlier
            bot = self._roster.bot(bot_id)
            if self._runner.position(bot) and not close:
                raise InvalidRequest(
                    f"{bot.settings.name} holds {bot.settings.symbol}. Delete it with close=true, "
                    "which closes that first."
                )
            words = self._runner.closed(bot, "The bot is deleted")

            def drop() -> tuple[Bot, str]:
                self._runner.forget(bot)
                self._roster.drop(bot)
                return bot, f"Deleted the bot {{name}}. {words}".strip()

            return self._changed(["delete", bot_id, close], key, drop)

    def stop_all(self, *, close: bool = False, key: str | None = None) -> Done:
        """The kill switch: stop every bot and, with ``close``, close what they hold. What can't be
        closed or kept is told; the bots are stopped all the same."""
        with self._roster.guard:
            earlier = self._earlier(["stop_all", close], key)
            if earlier is not None:
                return earlier
            active = [bot for bot in self._roster if bot.is_active]
            for bot in active:
                self._note(self._stopped(bot), "Stopped with all others.")
            faults = [] if self._roster.keep() else [_NOT_KEPT]
            count = 0
            for bot in self._roster if close else ():
                try:
                    count += bool(self._runner.closed(bot, "All bots were stopped"))
                except BalanceError as fault:
                    faults.append(f"{bot.settings.name} still holds {bot.settings.symbol}: {fault}")
            words = _counted(len(active), count, close=close, faults=faults)
            members = {"stopped": len(active), "closed": count}
            self._remember(["stop_all", close], key, words, members=members)
            self._save_and_tell()
            return Done(words, members)

    def signal(self, members: Mapping[str, Any], key: str | None = None) -> Done:
        """Let every running bot that takes signals from outside on the symbol act on one.

        Raises:
            InvalidRequest, InvalidAmount: ``members`` tell no signal.
            StoreError: it can't be written now.
        """
        with self._roster.guard:
            earlier = self._earlier(["signal", members], key)
            if earlier is not None:
                return earlier
            wanted = signal_of(members, self._desk.market)
            self._catch_up()
            taking = [
                bot
                for bot in self._roster
                if bot.settings.strategy == SIGNALS and bot.settings.symbol == wanted.symbol
            ]
            results = [
                _result(self._runner.signalled(bot.id, wanted.signal, wanted.size, key))
                for bot in taking
                if bot.is_active
            ]
            words = _signal_words(wanted.symbol, taking, results)
            self._remember(["signal", members], key, words, members={"results": results})
            self._roster.keep()
            if results:
                self._tell()
            return Done(words, {"results": results})

    @property
    def needs_secret(self) -> bool:
        """Whether signals from outside must show a secret."""
        return self._secret is not None

    def check_secret(self, shown: object) -> bool:
        """Whether ``shown`` is the secret, or none is needed."""
        if self._secret is None:
            return True
        # half a pair of surrogates is no text that could be encoded otherwise
        return isinstance(shown, str) and hmac.compare_digest(
            shown.encode(errors="surrogatepass"), self._secret.encode()
        )

    def begin(self, *, anew: bool = False) -> None:
        """Begin on the feed that the desk has now; ``anew`` where it begins at another time than
        the one at which it stopped."""
        with self._roster.guard:
            try:
                self._roster.begin(self._desk.market.feed, anew=anew)
            except StoreError as fault:
                # every tab says so
                _log.info("the bots begin before their trades can be read: %s", fault)
            self._save_and_tell()

    def look(self, market: Market) -> None:
        """Let the bots look at ``market``. For the engine, at every moment of it."""
        with self._roster.guard:
            has_traded = self._catch_up()
            has_looked = self._runner.look(market)
            self._is_news = self._is_news or has_looked
            has_traded = self._catch_up() or has_traded
            # what was decided and came to nothing would be decided alike again
            is_due = time.monotonic() - self._saved >= _SAVE_SECONDS
            if has_traded or self._roster.is_urgent or is_due:
                self._save()

    def rest(self) -> None:
        """Keep what is not kept yet, as no more prices come. For the engine."""
        with self._roster.guard:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        # what bots do by themselves is found again in the ledger
        self._roster.keep(durable=False)

    def _settings(
        self, members: Mapping[str, Any], before: BotSettings | None = None, but: str = ""
    ) -> BotSettings:
        settings = settings_of(members, self._catalogue.kind, self._desk.market, before)
        for bot in self._roster:
            if bot.id != but and bot.settings.name == settings.name:
                raise InvalidRequest(f"There is a bot called {settings.name} already.")
        return settings

    def _free_name(self, name: str) -> str:
        names = {bot.settings.name for bot in self._roster}
        for number in range(2, MOST_BOTS + 3):
            ending = f" {number}"
            wanted = name[: LONGEST_NAME - len(ending)] + ending
            if wanted not in names:
                return wanted
        raise InvalidRequest(f"There are too many bots called {name}.")

    def _in(self, bot_id: str, status: Status, verb: str) -> Bot:
        bot = self._roster.bot(bot_id)
        if bot.status != status:
            raise InvalidRequest(f"{bot.settings.name} is {bot.status}: it can't {verb}.")
        return bot

    def _moved(
        self, bot_id: str, before: Status, after: Status, verb: str, words: str, key: str | None
    ) -> Done:
        def move() -> tuple[Bot, str]:
            bot = self._in(bot_id, before, verb)
            return self._roster.put(replace(bot, status=after)), words

        return self._changed([verb, bot_id], key, move)

    def _stopped(self, bot: Bot) -> Bot:
        self._runner.forget(bot)
        return self._roster.put(replace(bot, status="stopped", stopped_because=""))


def _counted(stopped: int, count: int, *, close: bool, faults: Iterable[str]) -> str:
    bots = "1 bot" if stopped == 1 else f"{stopped} bots"
    positions = "1 position" if count == 1 else f"{count} positions"
    said = [f"Stopped {bots} and closed {positions}." if close else f"Stopped {bots}."]
    return " ".join((*said, *faults))


def _result(bot: Bot) -> Mapping[str, Any]:
    decision = bot.decision
    return {
        "bot": bot.id,
        "name": bot.settings.name,
        "action": decision.action if decision else "none",
        "words": decision.words if decision else "",
    }


def _signal_words(symbol: str, taking: Sequence[Bot], results: Sequence[Mapping[str, Any]]) -> str:
    if results:
        return " ".join(f"{each['name']}: {each['words']}." for each in results)
    if taking:
        return f"Nobody acts on it: no bot that takes signals on {symbol} is running."
    return (
        f"Nobody acts on it: make a bot on {symbol} with the strategy Signals from outside, and "
        "start it."
    )
