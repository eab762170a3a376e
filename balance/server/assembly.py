"""The assembly of a server: the account, its market, the bots that trade on it, and the alerts that
watch it."""

from __future__ import annotations

import argparse
import logging
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

from filelock import BaseFileLock

from balance.alerts import alerts as alert_module
from balance.alerts.alerts import Alerts, FollowedAlerts
from balance.api.services import Services
from balance.api.settings import settings_document
from balance.api.stream import Stream
from balance.backtests.jobs import Backtests
from balance.bots.bots import Bots
from balance.bots.followed import DAMAGED, FollowedBots
from balance.core.errors import StoreError, StoreUnreadable
from balance.core.instruments import dollar_note
from balance.core.settings import SettingsState
from balance.desk.desk import Desk
from balance.desk.settings import SettingsFile
from balance.history.history import History, traded_until
from balance.history.index import INDEX_FILE, indexer
from balance.history.ledger_check import ledger_checker
from balance.market.board import FileBoard, LiveBoard, saved_feed
from balance.market.open_feed import feed_options, open_feed
from balance.performance.baselines import FilePast
from balance.performance.performance import Equity
from balance.performance.sampler import Sampler
from balance.server.engine import Engine, refuse_others
from balance.server.follower import Follower, take_market
from balance.store.damage import Damages, KnownDamage
from balance.store.file_store import FileStore
from balance.strategies.own import Catalogue, OwnStrategies

_log = logging.getLogger(__name__)

_FOLLOWS: Final = " Another server runs here already: prices are those that it has."


@dataclass(frozen=True, slots=True)
class Running:
    """An account, and what starts and stops with its server."""

    desk: Desk
    services: Services
    start: Callable[[], None]
    stop: Callable[[], None]
    # Held as long as this is; None where another server has it.
    lock: BaseFileLock | None
    # What a person should know at the start, in sentences, each after a space.
    notes: str = ""


def assemble(options: argparse.Namespace, stream: Stream) -> Running:
    """The account in the data folder of ``options``, and its market. The first server on a folder
    lets the market act, from where the last one stopped, and runs the bots; another one follows it.
    What happens is published to ``stream``.

    Raises:
        StoreError, OSError: the data folder can't be used.
        FeedFault: the feed can't be used, or the account trades on another one.
    """
    folder = options.data_dir
    settings = SettingsFile(folder)
    store = FileStore(folder, settings.starting_balance())
    # Found out now rather than at the first change.
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"0")
    catalogue = Catalogue(OwnStrategies(options.strategies))
    lock = take_market(folder)
    if lock is None:
        return _follow(store, settings, folder, catalogue, stream)
    feed_id, state, last_seen = saved_feed(folder)
    chosen = feed_options(options)
    saved = {"id": feed_id, "state": state} if state else None
    feed = open_feed(chosen, saved, partial(_traded_until, store))
    board = LiveBoard(settings.ruled)
    damages = Damages()
    history = History(store, folder / INDEX_FILE, damages)
    desk = Desk(store, board, settings.starting_balance, history)
    is_moved = chosen.start is not None
    refuse_others(desk, feed, is_moved=is_moved)
    bots = _bots(desk, folder, catalogue, options.signal_secret)
    alerts = _alerts(desk, folder)
    # Those whose file can be read; alerts come after what the bots have done.
    acting = [each for each in (bots, alerts) if isinstance(each, Bots | Alerts)]
    engine = Engine(desk, board, feed, stream.publish, folder, acting=acting)
    sampler = Sampler(desk, folder, stream.publish, history)
    backtests = Backtests(
        lambda: desk.market,
        lambda symbol, seconds, limit: board.candles(symbol, seconds, limit),
        feed.settlement,
        catalogue,
    )
    equity = Equity(desk, folder, history, message=lambda: sampler.message)
    services = Services(
        bots=bots,
        backtests=backtests,
        settings=settings,
        alerts=alerts,
        equity=equity,
        damages=damages,
    )
    _publish(services, desk, stream)
    if isinstance(alerts, FollowedAlerts):
        # The others are published as they start.
        alerts.show()
    readers = indexer(history.index), ledger_checker(history.check)
    for reader in readers:
        desk.subscribe(reader.wake)

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
            # From here on, as what was settled before was at prices of the past.
            desk.subscribe(alerts.committed)
        # Last, so that what is open has its newest prices.
        sampler.start()
        for reader in readers:
            reader.start()

    def stop() -> None:
        engine.stop()
        sampler.stop()
        for reader in readers:
            reader.stop()

    notes = filter(None, (*feed.notes, *map(dollar_note, feed.instruments)))
    return Running(desk, services, start, stop, lock, "".join(f" {note}" for note in notes))


def _follow(
    store: FileStore, settings: SettingsFile, folder: Path, catalogue: Catalogue, stream: Stream
) -> Running:
    board = FileBoard(folder, settings.ruled)
    damages = Damages()
    history = History(store, folder / INDEX_FILE, damages)
    desk = Desk(store, board, settings.starting_balance, history)
    bots, alerts = FollowedBots(desk, folder, catalogue), FollowedAlerts(desk, folder)
    services = Services(
        bots=bots,
        backtests=_file_backtests(desk, catalogue),
        settings=settings,
        alerts=alerts,
        equity=Equity(desk, folder, history),
        damages=damages,
    )
    _publish(services, desk, stream)
    desk.use_baselines(FilePast(folder))
    readers = indexer(history.index), ledger_checker(history.check)
    for reader in readers:
        desk.subscribe(reader.wake)

    def show_others() -> None:
        bots.show()
        alerts.show()

    follower = Follower(desk, board, stream.publish, show_others)

    def start() -> None:
        follower.start()
        for reader in readers:
            reader.start()

    def stop() -> None:
        follower.stop()
        for reader in readers:
            reader.stop()

    return Running(desk, services, start, stop, None, _FOLLOWS)


def services_alone(desk: Desk, stream: Stream, settings: SettingsFile | None = None) -> Services:
    """The services beside ``desk`` where nothing runs and nothing is in files; ``settings`` are
    those that it trades on, where it does."""
    services = Services(
        bots=Bots(desk),
        backtests=_file_backtests(desk, Catalogue()),
        settings=settings or SettingsFile(),
        alerts=Alerts(desk),
        equity=Equity(desk, history=desk.ledger),
        damages=desk.ledger.damages,
    )
    _publish(services, desk, stream)
    return services


def _publish(services: Services, desk: Desk, stream: Stream) -> None:
    """Publish the changes of ``services`` to ``stream``."""

    def publish_settings(state: SettingsState) -> None:
        stream.publish_event("settings", settings_document(state))
        # Amounts may be written otherwise now. What can't be read is reported by the watch on the
        # account's file.
        with suppress(StoreError):
            stream.publish(desk.snapshot())
            stream.publish_bots(services.bots.listed())

    def publish_damage(known: KnownDamage) -> None:
        stream.publish_event("damage", asdict(known))

    services.bots.subscribe(stream.publish_bots)
    services.alerts.subscribe(partial(stream.publish_event, "alerts"))
    services.settings.subscribe(publish_settings)
    services.damages.subscribe(publish_damage)
    stream.publish_event("settings", settings_document(services.settings.state))
    publish_damage(services.damages.known)


def _file_backtests(desk: Desk, catalogue: Catalogue) -> Backtests:
    """Backtests on files alone, as the past of the market is not here."""
    return Backtests(lambda: desk.market, lambda *_: (), lambda *_: None, catalogue)


def _bots(
    desk: Desk, folder: Path, catalogue: Catalogue, secret: str | None
) -> Bots | FollowedBots:
    try:
        return Bots(desk, catalogue, folder, secret)
    except StoreUnreadable as fault:
        _log.error("%s", fault)
        return FollowedBots(desk, folder, catalogue, DAMAGED)


def _alerts(desk: Desk, folder: Path) -> Alerts | FollowedAlerts:
    try:
        return Alerts(desk, folder)
    except StoreUnreadable as fault:
        _log.error("%s", fault)
        return FollowedAlerts(desk, folder, alert_module.DAMAGED)


def _traded_until(store: FileStore, feed_id: str) -> datetime | None:
    try:
        return traded_until(store, feed_id)
    except StoreError:
        return None  # Every tab says so.
