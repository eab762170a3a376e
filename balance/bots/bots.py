"""The bots of an account: evaluated at every price, and changed by requests."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

from balance.background.listeners import Listeners
from balance.bots.bot import Bot
from balance.bots.refused_signals import RefusedSignals
from balance.bots.rows import bot_row, bot_trade_rows, listing, strategy_row
from balance.bots.runner import Runner
from balance.bots.settings import LONGEST_NAME, BotSettings, Run, Status, settings_of
from balance.bots.signals import SIGNALS, is_secret, signal_of
from balance.bots.state import BotState
from balance.core.account import Account
from balance.core.errors import BalanceError, InvalidRequest, StoreError
from balance.core.market import Market
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.history import Page
from balance.store.disk import DISK, Disk
from balance.store.kept_file import Done
from balance.strategies.own import Broken, Catalogue
from balance.strategies.strategy import Kind

#: How many bots there may be.
MOST_BOTS: Final = 100
# How often decisions are saved; trades are saved at once.
_SAVE_SECONDS: Final = 1.0
# How often figures that follow the prices are published at most, and what bots have done.
_PUBLISH_SECONDS: Final = 1.0
_HURRY_SECONDS: Final = 0.25

_UNSAVED: Final = "The disk refuses to save that: after a restart they would run again."

_log = logging.getLogger(__name__)


class Bots:
    """All bots of an account. Safe to use from many threads; every change takes a ``key``: a
    repeated one gets the first answer and changes nothing."""

    #: Whether they can be changed here.
    can_change: Final = True

    def __init__(
        self,
        desk: Desk,
        catalogue: Catalogue | None = None,
        folder: Path | None = None,
        secret: str | None = None,
        disk: Disk = DISK,
    ) -> None:
        """``folder`` None keeps them nowhere. ``secret`` is what signals from outside must show.

        Raises:
            FileUnreadable: their file is damaged.
        """
        self._desk = desk
        self._catalogue = catalogue or Catalogue()
        self._state = BotState(desk, folder, disk)
        self._runner = Runner(desk, self._state, self._catalogue)
        self._secret = secret
        #: The signals that were refused since the start.
        self.refused_signals = RefusedSignals(secret)
        self._saved_at = 0.0
        self._listeners = Listeners[Mapping[str, Any]]("bots")
        # Milliseconds at first, so that it goes on growing after a restart and after that of the
        # server that this one has followed, which is the time of the file.
        self._version = max(int(time.time() * 1_000), self._state.file.changed)
        # Whether something has changed since the listeners heard last; when, and of which market,
        # that was.
        self._is_news, self._published_at = False, 0.0
        self._market = desk.market
        # What the strategies are called, by id.
        self._strategy_names: Mapping[str, str] = {}
        self._load_strategies()

    def listed(self) -> Mapping[str, Any]:
        """All bots as rows, with a ``version`` that changes with everything they do.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        with self._state.guard:
            account, market = self._summed_up(), self._desk.market
            head = {"version": self._version, "can_change": True, "words": "", "fault": ""}
            refused = self.refused_signals.latest
            rows = listing(self._state, account, market, self._strategy_names, refused)
            trades = sum(each["trades"] for each in rows["bots"])
            return {**head, "activity": f"{self._state.log.newest}.{trades}", **rows}

    def strategies(self) -> list[Row]:
        """The strategies that there are, with their parameters."""
        return [strategy_row(each) for each in self._load_strategies()]

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``listener`` called with the result of :meth:`listed` when that has changed."""
        self._listeners.add(listener)

    def log(
        self,
        bot: str | None = None,
        kind: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> Page:
        """What the bots decided and did, newest first: at most ``limit`` (1 to 500) entries from
        before ``before`` (the last page's ``next``), of one ``bot`` and ``kind`` or of all.

        Raises:
            InvalidRequest: a parameter is out of range.
        """
        with self._state.guard:
            return self._state.log.page(bot, kind, limit, before)

    def trades(self, bot: str | None = None, limit: int = 100) -> list[Row]:
        """The newest ``limit`` (1 to 1,000) trades, newest first, of one ``bot`` or of all.

        Raises:
            InvalidRequest: the limit is out of range.
            StoreUnreadable: the ledger is damaged where one of them may stand.
        """
        with self._state.guard:
            self._catch_up()
            names, entries = self._state.book.names, self._state.newest_trades()
            return bot_trade_rows(entries, self._desk.market, names, bot, limit)

    def create(self, request: Mapping[str, Any], key: str | None = None) -> Done:
        """Make a bot with the settings in ``request``; it is stopped at first.

        Raises:
            InvalidRequest, InvalidAmount: they make no sense.
        """

        def make() -> tuple[Bot, str]:
            settings = self._settings(request)
            self._check_room()
            return self._state.add(settings), "Made the bot {name}. Start it when you like."

        self._load_strategies()
        return self._changed(["create", request], key, make)

    def edit(self, bot_id: str, request: Mapping[str, Any], key: str | None = None) -> Done:
        """Change the settings of a bot that ``request`` names.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest, InvalidAmount: they make no sense, or would leave what it holds behind.
        """

        def change() -> tuple[Bot, str]:
            bot = self._state.bot(bot_id)
            settings = self._settings(request, bot.settings, but=bot_id)
            if settings.symbol != bot.settings.symbol and self._runner.is_holding(bot):
                raise InvalidRequest(
                    f"{bot.settings.name} holds {bot.settings.symbol}: close that before it "
                    "trades another symbol."
                )
            before = (bot.settings.timeframe, bot.settings.symbol)
            bot = replace(bot, settings=settings)
            if (settings.timeframe, settings.symbol) != before:
                # Its last candle was one of others.
                bot = replace(bot, last_candle=None, life=token_hex(4))
            # Its strategy is made anew.
            self._runner.forget(bot)
            return self._state.put(bot), "Changed the bot {name}."

        self._load_strategies()
        return self._changed(["edit", bot_id, request], key, change)

    def duplicate(self, bot_id: str, key: str | None = None) -> Done:
        """Make another bot with the same settings, stopped.

        Raises:
            UnknownBot: there is none with that id.
        """

        def copy() -> tuple[Bot, str]:
            settings = self._state.bot(bot_id).settings
            self._check_room()
            settings = replace(settings, name=self._free_name(settings.name))
            return self._state.add(settings), "Made the bot {name}."

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
            message = "Started {name}. It decides when its next candle closes."
            return self._state.put(bot), f"{message} {self._runner.owner_message(bot)}".strip()

        self._load_strategies()
        return self._changed(["start", bot_id], key, start)

    def pause(self, bot_id: str, key: str | None = None) -> Done:
        """Let a running bot open nothing more; what it holds it still closes.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it does not run.
        """
        message = "Paused {name}. It opens nothing, and still closes what it holds."
        return self._switched(bot_id, "running", "paused", "pause", message, key)

    def resume(self, bot_id: str, key: str | None = None) -> Done:
        """Let a paused bot run again.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it is not paused.
        """
        return self._switched(bot_id, "paused", "running", "resume", "Resumed {name}.", key)

    def stop(self, bot_id: str, *, close: bool = False, key: str | None = None) -> Done:
        """Stop a bot and, with ``close``, close what it holds.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it is stopped and holds nothing that is to be closed.
            NoLivePrice: what it holds has no live price now; it is stopped.
        """

        def stop() -> tuple[Bot, str]:
            bot = self._state.bot(bot_id)
            if not bot.is_active and not (close and self._runner.is_holding(bot)):
                raise InvalidRequest(f"{bot.settings.name} is stopped.")
            return self._stopped(bot), "Stopped {name}."

        def afterwards(bot: Bot) -> str:
            return self._runner.close(bot, "The bot was stopped") if close else ""

        return self._changed(["stop", bot_id, close], key, stop, afterwards)

    def delete(self, bot_id: str, *, close: bool = False, key: str | None = None) -> Done:
        """Delete a bot; one that holds something only with ``close``, which closes that first.

        Raises:
            UnknownBot: there is none with that id.
            InvalidRequest: it holds something.
            NoLivePrice: what it holds has no live price now.
        """
        with self._state.guard:
            earlier = self._earlier(["delete", bot_id, close], key)
            if earlier is not None:
                return earlier
            bot = self._state.bot(bot_id)
            if self._runner.is_holding(bot) and not close:
                raise InvalidRequest(
                    f"{bot.settings.name} holds {bot.settings.symbol}. Delete it with close=true, "
                    "which closes that first."
                )
            message = self._runner.close(bot, "The bot is deleted")

            def drop() -> tuple[Bot, str]:
                self._runner.forget(bot)
                self._state.drop(bot)
                return bot, f"Deleted the bot {{name}}. {message}".strip()

            return self._changed(["delete", bot_id, close], key, drop)

    def stop_all(self, *, close: bool = False, key: str | None = None) -> Done:
        """The kill switch: stop every bot and, with ``close``, close what they hold. The message
        says what can't be closed or saved; the bots are stopped all the same."""
        with self._state.guard:
            earlier = self._earlier(["stop_all", close], key)
            if earlier is not None:
                return earlier
            active = [bot for bot in self._state if bot.is_active]
            for bot in active:
                self._state.note(self._stopped(bot), "state", "Stopped with all others.")
            faults = [] if self._state.save() else [_UNSAVED]
            count = 0
            for bot in self._state if close else ():
                try:
                    count += bool(self._runner.close(bot, "All bots were stopped"))
                except BalanceError as fault:
                    faults.append(f"{bot.settings.name} still holds {bot.settings.symbol}: {fault}")
            message = _counted(len(active), count, close=close, faults=faults)
            members = {"stopped": len(active), "closed": count}
            self._remember(["stop_all", close], key, message, members=members)
            self._save_and_publish()
            return Done(message, members)

    def signal(self, request: Mapping[str, Any], key: str | None = None) -> Done:
        """Let every running bot that takes signals from outside on the symbol act on one.

        Raises:
            InvalidRequest, InvalidAmount: ``request`` is no signal.
            StoreError: it can't be written now.
        """
        try:
            return self._signalled(request, key)
        except BalanceError as fault:
            self.refuse_signal(str(fault))
            raise

    def refuse_signal(self, reason: str) -> None:
        """Have the log and the bots that take signals say that one was refused."""
        with self._state.guard:
            message = self.refused_signals.add(reason)
            if message:
                self._state.log.add("", "Signals", "error", message)
                self._state.log.save()
            # Published with the next moment of the market, however many there are.
            self._is_news = True

    def _signalled(self, request: Mapping[str, Any], key: str | None) -> Done:
        with self._state.guard:
            earlier = self._earlier(["signal", request], key)
            if earlier is not None:
                return earlier
            found = signal_of(request, self._desk.market)
            self.refused_signals.accept()
            self._catch_up()
            taking = [
                bot
                for bot in self._state
                if bot.settings.strategy == SIGNALS and bot.settings.symbol == found.symbol
            ]
            results = [
                _result(self._runner.act(bot.id, found.signal, found.size, key))
                for bot in taking
                if bot.is_active
            ]
            message = _signal_message(found.symbol, taking, results)
            self._remember(["signal", request], key, message, members={"results": results})
            self._state.save()
            if results:
                self._publish()
            return Done(message, {"results": results})

    @property
    def needs_secret(self) -> bool:
        """Whether signals from outside must show a secret."""
        return self._secret is not None

    def check_secret(self, secret: object) -> bool:
        """Whether ``secret`` is the right one, or none is needed."""
        return is_secret(secret, self._secret)

    def begin(self, *, anew: bool = False) -> None:
        """Begin on the feed that the desk has now; ``anew`` where it begins at another time than
        the one at which it stopped."""
        with self._state.guard:
            try:
                self._state.begin(self._desk.market.feed, anew=anew)
            except StoreError as fault:
                # Every tab says so.
                _log.info("the bots begin before their trades can be read: %s", fault)
            self._save_and_publish()

    def look(self, market: Market) -> None:
        """Evaluate the bots at ``market``. For the engine, at every moment of it."""
        with self._state.guard:
            has_traded = self._catch_up()
            is_any = self._runner.evaluate(market)
            self._is_news = self._is_news or is_any
            has_traded = self._catch_up() or has_traded
            # A decision that came to nothing would be made alike again.
            is_due = time.monotonic() - self._saved_at >= _SAVE_SECONDS
            if has_traded or self._state.is_urgent or is_due:
                self._save()

    def show(self) -> None:
        """Publish what has changed, but not too often. For the engine."""
        now = time.monotonic()
        pause = _HURRY_SECONDS if self._is_news else _PUBLISH_SECONDS
        if now - self._published_at < pause:
            return
        with self._state.guard:
            before, market = self._market, self._desk.market
            # Where no prices come, somebody may have closed what a bot held.
            self._catch_up()
            is_news = self._is_news or market.live != before.live
            if is_news or (market is not before and self._is_holding()):
                self._publish(is_news=is_news)

    def rest(self) -> None:
        """Save what is not saved yet, as no more prices come. For the engine."""
        with self._state.guard:
            self._save()

    def _save(self) -> None:
        self._saved_at = time.monotonic()
        # What bots do by themselves is found again in the ledger.
        self._state.save(durable=False)

    def _changed(
        self,
        request: Sequence[Any],
        key: str | None,
        change: Callable[[], tuple[Bot, str]],
        afterwards: Callable[[Bot], str] = lambda _: "",
    ) -> Done:
        """Make ``change`` and save it, do what comes ``afterwards``, and publish both; each returns
        its message.

        Raises:
            BalanceError: whatever ``change`` refuses, with nothing of it left; or what comes
                afterwards, which may be requested again with the same key.
        """
        with self._state.guard:
            earlier = self._earlier(request, key)
            if earlier is not None:
                return earlier

            def operation() -> tuple[Bot, str]:
                bot, message = change()
                message = message.replace("{name}", bot.settings.name)
                self._remember(request, key, message, bot.id)
                return bot, message

            bot, message = self._state.change(operation)
            self._state.note(bot, "state", message)
            try:
                message = f"{message} {afterwards(bot)}".strip()
                self._remember(request, key, message, bot.id)
            except BaseException:
                self._state.file.forget(key)
                raise
            finally:
                self._save_and_publish()
            return Done(message, self._members(bot.id))

    def _earlier(self, request: Sequence[Any], key: str | None) -> Done | None:
        """What the request was answered before.

        Raises:
            InvalidRequest: its key can be none.
            KeyReused: its key came with another one.
        """
        answer = self._state.file.answer(key, request)
        if answer is None:
            return None
        members = {**answer.members["members"], **self._members(answer.members["bot"])}
        return Done(answer.message, members, replayed=True)

    def _remember(
        self,
        request: Sequence[Any],
        key: str | None,
        message: str,
        bot: str | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        self._state.file.remember(key, request, message, bot=bot, members=dict(members or {}))

    def _members(self, bot_id: str | None) -> Mapping[str, Any]:
        """The row of the bot for an answer; without one, or of one that is gone, there is none."""
        bot = self._state.book.bots.get(bot_id or "")
        if bot is None:
            return {}
        account, market, names = self._summed_up(), self._desk.market, self._state.book.names
        bot = self._state.bot(bot.id)
        refused = self.refused_signals.latest
        return {"bot": bot_row(bot, account, market, self._strategy_names, names, refused)}

    def _settings(
        self, request: Mapping[str, Any], before: BotSettings | None = None, but: str = ""
    ) -> BotSettings:
        settings = settings_of(request, self._catalogue.kind, self._desk.market, before)
        for bot in self._state:
            if bot.id != but and bot.settings.name == settings.name:
                raise InvalidRequest(f"There is a bot called {settings.name} already.")
        return settings

    def _check_room(self) -> None:
        if len(self._state) >= MOST_BOTS:
            raise InvalidRequest(f"There are {MOST_BOTS} bots; delete one first.")

    def _free_name(self, name: str) -> str:
        names = set(self._state.book.names.values())
        for number in range(2, MOST_BOTS + 3):
            ending = f" {number}"
            free = name[: LONGEST_NAME - len(ending)] + ending
            if free not in names:
                return free
        raise InvalidRequest(f"There are too many bots called {name}.")

    def _in(self, bot_id: str, status: Status, verb: str) -> Bot:
        bot = self._state.bot(bot_id)
        if bot.status != status:
            raise InvalidRequest(f"{bot.settings.name} is {bot.status}: it can't {verb}.")
        return bot

    def _switched(
        self, bot_id: str, before: Status, after: Status, verb: str, message: str, key: str | None
    ) -> Done:
        def switch() -> tuple[Bot, str]:
            bot = self._in(bot_id, before, verb)
            return self._state.put(replace(bot, status=after)), message

        return self._changed([verb, bot_id], key, switch)

    def _stopped(self, bot: Bot) -> Bot:
        self._runner.forget(bot)
        return self._state.put(replace(bot, status="stopped", stopped_because=""))

    def _is_holding(self) -> bool:
        try:
            return any(each.owner for each in self._desk.account().positions)
        except StoreError:
            return False  # Every tab says so.

    def _summed_up(self) -> Account:
        """The account, with all of its trades summed up: what has just been closed is in the sums.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        account = self._desk.account()
        while self._catch_up():
            account = self._desk.account()
        return account

    def _catch_up(self) -> bool:
        """Sum up the newest trades; whether the account has changed since the last time."""
        try:
            has_changed = self._state.catch_up()
        except StoreError:
            return False  # Every tab says so.
        self._is_news = self._is_news or has_changed
        return has_changed

    def _load_strategies(self) -> tuple[Kind | Broken, ...]:
        """All strategies. A person's own are loaded where they have changed, which may take long:
        not for the engine, nor with the guard held."""
        kinds = self._catalogue.all()
        self._strategy_names = {each.id: each.name for each in kinds}
        return kinds

    def _save_and_publish(self) -> None:
        self._state.save()
        self._publish()

    def _publish(self, *, is_news: bool = True) -> None:
        """Have the listeners hear how the bots stand; the version separates news from figures that
        follow the prices."""
        self._catch_up()
        self._version += is_news or self._is_news
        self._is_news, self._published_at = False, time.monotonic()
        self._market = self._desk.market
        try:
            listed = self.listed()
        except StoreError:
            return  # Every tab says so.
        self._listeners.publish(listed)


def _counted(stopped: int, count: int, *, close: bool, faults: Iterable[str]) -> str:
    bots = "1 bot" if stopped == 1 else f"{stopped} bots"
    positions = "1 position" if count == 1 else f"{count} positions"
    message = f"Stopped {bots} and closed {positions}." if close else f"Stopped {bots}."
    return " ".join((message, *faults))


def _result(bot: Bot) -> Mapping[str, Any]:
    decision = bot.decision
    return {
        "bot": bot.id,
        "name": bot.settings.name,
        "action": decision.action if decision else "none",
        "words": decision.words if decision else "",
    }


def _signal_message(
    symbol: str, taking: Sequence[Bot], results: Sequence[Mapping[str, Any]]
) -> str:
    if results:
        return " ".join(f"{each['name']}: {each['words']}." for each in results)
    if taking:
        return f"Nobody acts on it: no bot that takes signals on {symbol} is running."
    return (
        f"Nobody acts on it: make a bot on {symbol} with the strategy Signals from outside, and "
        "start it."
    )
