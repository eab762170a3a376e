"""What runs while the server does: the account, its market, the bots that trade on it, and the
alerts that watch it."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from filelock import BaseFileLock

from balance.alerts import alerts as alert_module
from balance.alerts.alerts import Alerts, FollowedAlerts
from balance.api.routes import Services
from balance.api.settings import settings_document
from balance.api.stream import Stream
from balance.backtests.jobs import Backtests
from balance.bots.bots import Bots
from balance.bots.followed import DAMAGED, FollowedBots
from balance.core.currencies import dollar_note
from balance.core.errors import StoreError, StoreUnreadable
from balance.core.settings import SettingsState
from balance.desk.desk import Desk
from balance.desk.settings import SettingsFile
from balance.history.history import History, traded_until
from balance.history.index import INDEX_FILE, indexer
from balance.market.board import FileBoard, LiveBoard, saved_feed
from balance.market.open_feed import feed_options, open_feed
from balance.performance.baselines import FilePast
from balance.performance.performance import Equity
from balance.performance.sampler import Sampler
from balance.server.engine import Engine, refuse_others
from balance.server.follower import Follower, take_market
from balance.store.file_store import FileStore
from balance.strategies.own import Catalogue, OwnStrategies

_log = logging.getLogger(__name__)

_FOLLOWS: Final = " Another server runs here already: prices are those that it has."


@dataclass(frozen=True, slots=True)
class Running:
    """An account, and what begins and ends with its server."""

    desk: Desk
    services: Services
    start: Callable[[], None]
    stop: Callable[[], None]
    # held as long as this is
    lock: BaseFileLock | None
    # what there is to say of it
    words: str = ""


def opened(options: argparse.Namespace, stream: Stream) -> Running:
    """The account that ``options`` name, and its market: the first server on it lets that act,
    from where the last one stopped, and runs the bots; another one follows it. What happens is
    told to ``stream``.

    Raises:
        StoreError, OSError: the data folder is of no use.
        FeedFault: the feed can't be used, or the account trades on another one.
    """
    folder = options.data_dir
    settings = SettingsFile(folder)
    store = FileStore(folder, settings.starting_balance())
    _prove_writable(folder)
    catalogue = Catalogue(OwnStrategies(options.strategies))
    lock = take_market(folder)
    if lock is None:
        return _following(store, settings, folder, catalogue, stream)
    feed_id, state, last_seen = saved_feed(folder)
    wanted = feed_options(options)
    saved = {"id": feed_id, "state": state} if state else None
    feed = open_feed(wanted, saved, partial(_traded_until, store))
    board = LiveBoard(settings.ruled)
    history = History(store, folder / INDEX_FILE)
    desk = Desk(store, board, settings.starting_balance, history)
    is_moved = wanted.start is not None
    refuse_others(desk, feed, is_moved=is_moved)
    bots = _bots(desk, folder, catalogue, options.signal_secret)
    bots.subscribe(stream.publish_bots)
    _tell(settings, desk, bots, stream)
    alerts = _alerts(desk, folder, stream)
    # those whose file can be read; alerts look at what the bots have done
    acting = [each for each in (bots, alerts) if isinstance(each, Bots | Alerts)]
    engine = Engine(desk, board, feed, stream.publish, folder, acting=acting)
    index_worker = indexer(history.index)
    desk.subscribe(index_worker.wake)
    sampler = Sampler(desk, folder, stream.publish, history)

    def start() -> None:
        for each in acting:
            each.begin(anew=is_moved)
        with suppress(StoreError):
            stream.publish_bots(bots.listed())
        if feed_id == feed.id:
            engine.start(last_seen, FileBoard(folder).market.quotes)
        else:
            engine.start()
        if isinstance(alerts, Alerts):
            # from here on: what was settled before was at prices that have gone
            desk.subscribe(alerts.committed)
        # only now: what is open has its newest prices
        sampler.start()
        index_worker.start()

    def stop() -> None:
        engine.stop()
        sampler.stop()
        index_worker.stop()

    backtests = Backtests(
        lambda: desk.market,
        lambda symbol, seconds, limit: board.candles(symbol, seconds, limit),
        feed.settlement,
        catalogue,
    )
    services = Services(
        bots=bots,
        backtests=backtests,
        settings=settings,
        alerts=alerts,
        equity=Equity(desk, folder, history, message=lambda: sampler.message),
    )
    notes = filter(None, (*feed.notes, *map(dollar_note, feed.instruments)))
    return Running(desk, services, start, stop, lock, "".join(f" {note}" for note in notes))


def _following(
    store: FileStore, settings: SettingsFile, folder: Path, catalogue: Catalogue, stream: Stream
) -> Running:
    board = FileBoard(folder, settings.ruled)
    history = History(store, folder / INDEX_FILE)
    desk = Desk(store, board, settings.starting_balance, history)
    bots = FollowedBots(desk, folder, catalogue)
    bots.subscribe(stream.publish_bots)
    _tell(settings, desk, bots, stream)
    alerts = FollowedAlerts(desk, folder)
    alerts.subscribe(partial(stream.publish_event, "alerts"))

    def show() -> None:
        bots.show()
        alerts.show()

    desk.use_baselines(FilePast(folder))
    follower = Follower(desk, board, stream.publish, show)
    index_worker = indexer(history.index)
    desk.subscribe(index_worker.wake)
    services = Services(
        bots=bots,
        backtests=_resting_backtests(desk, catalogue),
        settings=settings,
        alerts=alerts,
        equity=Equity(desk, folder, history),
    )

    def start() -> None:
        follower.start()
        index_worker.start()

    def stop() -> None:
        follower.stop()
        index_worker.stop()

    return Running(desk, services, start, stop, None, _FOLLOWS)


def services_alone(desk: Desk, stream: Stream, settings: SettingsFile | None = None) -> Services:
    """What there is to serve beside ``desk`` where nothing runs and nothing is kept in files;
    ``settings`` are those that it trades on, where it does."""
    bots, settings = Bots(desk), settings or SettingsFile()
    bots.subscribe(stream.publish_bots)
    _tell(settings, desk, bots, stream)
    alerts = Alerts(desk)
    alerts.subscribe(partial(stream.publish_event, "alerts"))
    backtests = _resting_backtests(desk, Catalogue())
    return Services(
        bots=bots,
        backtests=backtests,
        settings=settings,
        alerts=alerts,
        equity=Equity(desk, history=desk.ledger),
    )


def _tell(settings: SettingsFile, desk: Desk, bots: Bots | FollowedBots, stream: Stream) -> None:
    """Have ``stream`` told the settings, and what is written another way with others."""

    def tell(kept: SettingsState) -> None:
        stream.publish_event("settings", settings_document(kept))
        # what can't be read is told by the watch on the account's file
        with suppress(StoreError):
            stream.publish(desk.snapshot())
            stream.publish_bots(bots.listed())

    stream.publish_event("settings", settings_document(settings.state))
    settings.subscribe(tell)


def _resting_backtests(desk: Desk, catalogue: Catalogue) -> Backtests:
    """Backtests on files alone, as no past of the market is at hand."""
    return Backtests(lambda: desk.market, lambda *_: (), lambda *_: None, catalogue)


def _bots(
    desk: Desk, folder: Path, catalogue: Catalogue, secret: str | None
) -> Bots | FollowedBots:
    try:
        return Bots(desk, catalogue, folder, secret)
    except StoreUnreadable as fault:
        _log.error("%s", fault)
        return FollowedBots(desk, folder, catalogue, DAMAGED)


def _alerts(desk: Desk, folder: Path, stream: Stream) -> Alerts | FollowedAlerts:
    alerts: Alerts | FollowedAlerts
    try:
        alerts = Alerts(desk, folder)
    except StoreUnreadable as fault:
        _log.error("%s", fault)
        alerts = FollowedAlerts(desk, folder, alert_module.DAMAGED)
    alerts.subscribe(partial(stream.publish_event, "alerts"))
    if isinstance(alerts, FollowedAlerts):
        # the others tell as they begin
        alerts.show()
    return alerts


def _traded_until(store: FileStore, feed_id: str) -> datetime | None:
    try:
        return traded_until(store, feed_id)
    except StoreError:
        return None  # every tab says so


def _prove_writable(folder: Path) -> None:
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"0")
