"""The assembly of a server: the account and its history, and who lets the market act on it: this
server, or another one that it follows until that ends."""

from __future__ import annotations

import argparse
import logging
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from balance.alerts.alerts import Alerts, FollowedAlerts
from balance.api.services import Services
from balance.api.settings import settings_document
from balance.api.stream import Stream
from balance.background.worker import Worker
from balance.backtests.jobs import Backtests
from balance.bots.bots import Bots
from balance.bots.followed import FollowedBots
from balance.core.errors import StoreError, StoreUnreadable
from balance.core.instruments import dollar_note
from balance.core.quote import Candle, Settlement
from balance.core.settings import SettingsState
from balance.desk.desk import Desk
from balance.desk.settings import SettingsFile
from balance.history.history import History
from balance.history.index import INDEX_FILE, indexer
from balance.history.ledger_check import ledger_checker
from balance.keys.addresses import Addresses
from balance.keys.keys import Keys
from balance.market.board import FileBoard, saved_arguments
from balance.market.feed import FeedFault
from balance.market.open_feed import feed_of, feed_options, names_feed, prepare
from balance.performance.baselines import FilePast
from balance.performance.performance import Equity
from balance.server.figures import FigureFeed
from balance.server.follower import Follower
from balance.server.leader import Leader, OpenedFeed, feed_for
from balance.server.market_lock import MARKET_LOCK_FILE, MarketLock
from balance.server.places import Places, place_watcher
from balance.store.damage import Damage, Damages, KnownDamage
from balance.store.file_store import FileStore
from balance.strategies.own import Catalogue, OwnStrategies

_log = logging.getLogger(__name__)

# How often a server that follows looks whether it may lead, and shows what has changed.
_TURN_SECONDS: Final = 0.25

_FOLLOWS: Final = (
    " Another server runs here already: prices are those that it has. When it ends, this one takes "
    "over."
)
_SILENT: Final = (
    "The server that brings its prices has written none for 5 s. This one takes over as soon as "
    "that one ends."
)
_TAKES_OVER: Final = "The server that brought its prices has ended: this one takes over."
_TAKEN_OVER: Final = (
    "The other server has ended. This one brings the prices now, and runs the bots and the alerts."
)
_LOST: Final = (
    f"{MARKET_LOCK_FILE} was taken from this server, which does no more, as another one may act on "
    "the account now. Start it again: it follows the other one then."
)


class Running:
    """An account, and what starts and stops with its server. The first server on a folder lets the
    market act, from where the last one stopped, and runs the bots; another one follows it, and
    does the same once that has ended."""

    def __init__(
        self,
        options: argparse.Namespace,
        stream: Stream,
        end: Callable[[str], None] = _log.error,
    ) -> None:
        """``end`` is called with the reason, a sentence, when this server must not go on.

        Raises:
            StoreError, OSError: the data folder can't be used.
            FeedFault: the feed can't be used, or the account trades on another one.
        """
        self._options, self._stream, self._end = options, stream, end
        folder = self._folder = options.data_dir
        # None: any feed, which is that of the server before.
        self._feed_options = feed_options(options) if names_feed(options) else None
        self._settings = SettingsFile(folder)
        starting_balance = self._settings.starting_balance
        store = FileStore(folder, starting_balance())
        # Found out now rather than at the first change.
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"0")
        self._catalogue = Catalogue(OwnStrategies(options.strategies))
        self._board = FileBoard(folder, self._settings.ruled, stopped=_SILENT)
        damages = Damages()
        history = History(store, folder / INDEX_FILE, damages)
        store.on_damage(history.check.report)
        self.desk = Desk(store, self._board, starting_balance, history)
        self._past = FilePast(folder)
        self.desk.use_baselines(self._past)
        bots = FollowedBots(self.desk, folder, self._catalogue, secret=options.signal_secret)
        alerts = FollowedAlerts(self.desk, folder)
        self.services = Services(
            bots=bots,
            backtests=self._backtests(),
            settle=self._settle,
            settings=self._settings,
            alerts=alerts,
            keys=_keys(self.desk, folder),
            equity=Equity(
                self.desk,
                folder,
                history,
                message=self._samples_message,
                suspect=self._suspect_samples,
            ),
            damages=damages,
            leads=False,
        )
        look = self.services.ticks.look
        self._follower = Follower(self.desk, self._board, bots, alerts, stream.publish, look)
        self._readers = indexer(history.index), ledger_checker(history.check)
        self._places = place_watcher(Places(folder, damages))
        self._keys = Worker(
            "keys", self.services.keys.check, "the keys could not be shown", _TURN_SECONDS
        )
        self._worker = Worker(
            "market", self._turn, "the market could not be followed", _TURN_SECONDS
        )
        self._figures = FigureFeed(
            self.desk,
            self.services.equity,
            partial(stream.publish_event, "performance"),
            lambda: stream.listeners > 0,
        )
        self.services.expect_page = self._figures.expect
        self._leader: Leader | None = None
        # Where this server is reached, once that is known.
        self._addresses: Addresses | None = None
        # The account for which this server could not lead, while the board rests.
        self._refused_for: tuple[str, int] | None = None
        self._lock = MarketLock(folder)
        if self._lock.take():
            try:
                opened = feed_for(self.desk, folder, self._feed_options, takes_over=False)
                self._leader = self._lead(opened)
            except BaseException:
                self._lock.release()
                raise
        else:
            _publish_changes(self.services, stream)
            with suppress(FeedFault):  # It is raised again once that matters.
                prepare(self._feed_options or feed_of(saved_arguments(folder)))
        _publish_others(self.services, self.desk, stream)
        for reader in self._readers:
            self.desk.subscribe(reader.wake)

    @property
    def notes(self) -> str:
        """What a person should know at the start, in sentences, each after a space."""
        if self._leader is None:
            return _FOLLOWS
        feed = self._leader.feed
        notes = filter(None, (*feed.notes, *map(dollar_note, feed.instruments)))
        return "".join(f" {note}" for note in notes)

    def serve_at(self, addresses: Addresses) -> None:
        """Have other programs find this server at ``addresses`` while it leads."""
        self._addresses = addresses
        if self._leader is not None:
            self.services.keys.serve_at(addresses)

    def start(self) -> None:
        """Start what runs beside the answers to requests.

        Raises:
            FeedFault: the feed can't be used.
        """
        if self._leader is not None:
            self._leader.start()
        self._worker.start()
        for reader in self._readers:
            reader.start()
        self._places.start()
        self._keys.start()
        self._figures.start()

    def stop(self) -> None:
        """Stop it, save what the next server needs, and let that lead."""
        self._worker.stop(wait=False)
        if self._leader is not None:
            # What a start waits for comes to an end.
            self._leader.feed.stop()
        self._worker.stop()
        if self._leader is not None:
            self._leader.stop()
        for reader in self._readers:
            reader.stop()
        self._places.stop()
        self._keys.stop()
        self._figures.stop()
        self._lock.release()

    def _turn(self) -> None:
        if self._leader is not None:
            if not self._lock.is_held():
                self._worker.stop(wait=False)
                self._end(_LOST)
            return
        is_refused = self._board.rests and self._refused_for == self._version()
        if not is_refused and self._lock.take():
            self._take_over()
        self._follower.turn()

    def _take_over(self) -> None:
        """Lead, where the account trades on the feed of this server or on none; else rest, and let
        another server try."""
        # Nothing fills on prices that nobody brings any more.
        self._board.rest(_TAKES_OVER)
        self._refused_for = self._version()
        try:
            opened = feed_for(self.desk, self._folder, self._feed_options, takes_over=True)
        except Exception as fault:
            self._lock.release()
            if not isinstance(fault, FeedFault):
                raise
            message = f"The server that brought its prices has ended. {fault}"
            self._board.rest(message)
            _log.warning("%s", message)
            return
        try:
            self._leader = self._lead(opened)
            self._leader.start()
        except Exception as fault:
            _log.exception("this server could not take over")
            self._end(f"This server could not take over: {fault}. Start it again.")
            self._worker.stop(wait=False)
        else:
            _log.warning(_TAKEN_OVER)
            news = {"version": time.time_ns() // 1_000_000, "message": _TAKEN_OVER}
            self._stream.publish_event("takeover", news)

    def _lead(self, opened: OpenedFeed) -> Leader:
        leader = Leader(
            self.desk,
            self._folder,
            opened,
            self._board,
            ruled=self._settings.ruled,
            catalogue=self._catalogue,
            secret=self._options.signal_secret,
            baselines=self._past.found,
            show=self._stream.publish,
            look=self.services.ticks.look,
            may_act=self._lock.is_held,
        )
        self.services.bots, self.services.alerts = leader.bots, leader.alerts
        self.services.leads = True
        if self._addresses is not None:
            self.services.keys.serve_at(self._addresses)
        _publish_changes(self.services, self._stream)
        return leader

    def _version(self) -> tuple[str, int] | None:
        try:
            return self.desk.version
        except StoreError:
            return None

    def _samples_message(self) -> str:
        return "" if self._leader is None else self._leader.samples_message

    def _suspect_samples(self) -> None:
        if self._leader is not None:
            self._leader.suspect_samples()

    def _backtests(self) -> Backtests:
        """Backtests on the past of the market, which the server that follows does not have."""

        def candles(symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
            leader = self._leader
            return () if leader is None else leader.feed.candles(symbol, seconds, limit)

        return Backtests(lambda: self.desk.market, candles, self._settle, self._catalogue)

    def _settle(self, symbol: str, instant: datetime) -> Settlement | None:
        leader = self._leader
        return None if leader is None else leader.feed.settlement(symbol, instant)


def services_alone(desk: Desk, stream: Stream, settings: SettingsFile | None = None) -> Services:
    """The services beside ``desk`` where nothing runs and nothing is in files; ``settings`` are
    those that it trades on, where it does."""
    services = Services(
        bots=Bots(desk),
        # On files alone, as the past of the market is not here.
        backtests=Backtests(lambda: desk.market, lambda *_: (), lambda *_: None, Catalogue()),
        settings=settings or SettingsFile(),
        alerts=Alerts(desk),
        keys=_keys(desk, None),
        equity=Equity(desk, history=desk.ledger),
        damages=desk.ledger.damages,
    )
    _publish_changes(services, stream)
    _publish_others(services, desk, stream)
    return services


def _keys(desk: Desk, folder: Path | None) -> Keys:
    """The keys in ``folder``, of which there is one at first."""
    keys = Keys(desk, folder)
    try:
        keys.begin()
    except StoreUnreadable as fault:
        _log.error("%s", fault)
        desk.ledger.damages.report(Damage(fault.file, None, str(fault)))
    except StoreError as fault:
        # All else goes on without it; the next start makes it.
        _log.error("the first key could not be made: %s", fault)
    return keys


def _publish_changes(services: Services, stream: Stream) -> None:
    """Publish what changes of the bots and the alerts, as they are served now, to ``stream``."""
    services.bots.subscribe(stream.publish_bots)
    services.alerts.subscribe(partial(stream.publish_event, "alerts"))


def _publish_others(services: Services, desk: Desk, stream: Stream) -> None:
    """Publish the other services, and their changes, to ``stream``."""

    def publish_settings(state: SettingsState) -> None:
        stream.publish_event("settings", settings_document(state))
        # Amounts may be written otherwise now. What can't be read is reported by the watch on the
        # account's file.
        with suppress(StoreError):
            stream.publish(desk.snapshot())
            stream.publish_bots(services.bots.listed())

    def publish_damage(known: KnownDamage) -> None:
        stream.publish_event("damage", asdict(known))

    services.keys.subscribe(partial(stream.publish_event, "keys"))
    services.settings.subscribe(publish_settings)
    services.damages.subscribe(publish_damage)
    stream.publish_event("settings", settings_document(services.settings.state))
    publish_damage(services.damages.known)
