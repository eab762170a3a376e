"""Every file of the data folder is whole after a power loss, and what was answered for is in it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from balance.alerts.state import ALERTS_FILE, alert_file
from balance.bots.log import LOG_FILE, BotLog
from balance.bots.state import BOTS_FILE, bot_file
from balance.core.errors import StoreError
from balance.desk.desk import Desk
from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.market.board import FEED_FILE, MARKET_FILE, read_market, save_market, save_past
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from tests.alerts_by_hand import ABOVE, AlertsByHand
from tests.boards import board
from tests.bots_by_hand import USUAL, ByHand
from tests.power import EIO, PowerDisk

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="names files by their descriptors in /proc"
)


@pytest.fixture
def power(tmp_path: Path) -> Iterator[PowerDisk]:
    """A disk without anything on it."""
    found = PowerDisk(tmp_path / "data")
    yield found
    found.close()


def deposited(power: PowerDisk) -> None:
    Desk(FileStore(power.folder, disk=power), board()).deposit(5, idempotency_key="key-1")


def set_up(power: PowerDisk) -> None:
    SettingsFile(power.folder, disk=power).change({"decimals": 4})


def alerted(power: PowerDisk) -> None:
    AlertsByHand(power.folder, disk=power).create()


def fired(power: PowerDisk) -> None:
    alerts = AlertsByHand(power.folder, disk=power)
    alerts.create()
    alerts.price(45_010)


def made(power: PowerDisk) -> None:
    ByHand(power.folder, disk=power).create()


def stopped(power: PowerDisk) -> None:
    bots = ByHand(power.folder, disk=power)
    bots.create()
    bots.bots.stop_all(key="key-1")


def signalled(power: PowerDisk) -> None:
    bots = ByHand(power.folder, disk=power)
    bots.create(strategy="signals")
    bots.bots.signal({"symbol": "BTC/USDT", "side": "buy", "confidence": 0.9}, key="key-1")


DURABLE: list[tuple[Callable[[PowerDisk], None], tuple[str, ...]]] = [
    (deposited, (ACCOUNT_FILE,)),
    (set_up, (SETTINGS_FILE,)),
    (alerted, (ACCOUNT_FILE, ALERTS_FILE)),
    (fired, (ALERTS_FILE,)),
    (made, (BOTS_FILE,)),
    (stopped, (BOTS_FILE,)),
    (signalled, (ACCOUNT_FILE, BOTS_FILE)),
]


@pytest.mark.parametrize(
    ("change", "names"), DURABLE, ids=[change.__name__ for change, _ in DURABLE]
)
def test_what_is_answered_for_is_synced_with_its_folder(
    power: PowerDisk, tmp_path: Path, change: Callable[[PowerDisk], None], names: tuple[str, ...]
) -> None:
    change(power)
    for name in names:
        place = max(at for at, call in enumerate(power.calls) if call == ("replace", name))
        assert power.calls[place - 1 : place + 2] == [
            ("sync", name),
            ("replace", name),
            ("sync folder", ""),
        ]
    found = power.after_power_loss(tmp_path / "found")
    for name in {ACCOUNT_FILE, LEDGER_FILE, ANSWER_FILE, LOG_FILE, *names}:
        if (power.folder / name).exists():
            assert (found / name).read_bytes() == (power.folder / name).read_bytes()


@pytest.mark.parametrize("name", [MARKET_FILE, FEED_FILE])
@pytest.mark.parametrize("renamed", [False, True])
def test_the_prices_are_the_old_or_the_new_ones_and_never_a_part(
    power: PowerDisk, tmp_path: Path, name: str, renamed: bool
) -> None:
    save = save_market if name == MARKET_FILE else save_past
    save(power.folder, board(40_000).market, {"seed": 7}, power)
    power.sync_folder(power.folder)
    save(power.folder, board(41_000).market, {"seed": 7}, power)
    assert power.calls[-2:] == [("sync", name), ("replace", name)]
    text = (power.after_power_loss(tmp_path / "found", renamed=renamed) / name).read_bytes()
    assert json.loads(text)["saved"] == {"seed": 7}
    if name == MARKET_FILE:
        assert read_market(text).quotes["BTC/USDT"].mark == (41_000 if renamed else 40_000)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_power_loss_while_bots_look_keeps_every_bot(
    power: PowerDisk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renamed: bool
) -> None:
    monkeypatch.setattr("balance.bots.bots._SAVE_SECONDS", 0)
    bots = ByHand(power.folder, disk=power)
    made = [bots.create(name=f"Bot {number}") for number in range(3)]
    for price in (40_000, 41_000, 40_500, 39_000, 40_500):
        bots.close(price)
        found = power.after_power_loss(
            tmp_path / f"found-{price}-{len(power.calls)}", renamed=renamed
        )
        saved = bot_file(found).latest().bots
        assert list(saved) == made
        assert {bot.status for bot in saved.values()} == {"running"}


def test_run_time_state_of_bots_does_not_wait_for_the_folder(
    power: PowerDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.bots.bots._SAVE_SECONDS", 0)
    bots = ByHand(power.folder, disk=power)
    bots.create()
    bots.close(40_000, 40_100)
    before = len(power.calls)
    bots.close(40_200)
    calls = power.calls[before:]
    assert ("sync", BOTS_FILE) in calls
    assert ("sync folder", "") not in calls


def test_a_bot_that_stops_itself_is_found_stopped(power: PowerDisk, tmp_path: Path) -> None:
    bots = ByHand(power.folder, disk=power)
    bot = bots.create(max_daily_loss=10)
    bots.close(40_000, 41_000, 39_900)
    assert bots.row(bot)["status"] == "stopped"
    (saved,) = bot_file(power.after_power_loss(tmp_path / "found")).latest().bots.values()
    assert saved.status == "stopped"


def test_the_log_of_the_bots_is_appended_anew_after_a_failed_sync(
    power: PowerDisk, tmp_path: Path
) -> None:
    log = BotLog(power.folder, power)
    for number in range(4):
        power.fault = lambda _number, at=number: EIO if at in (1, 2) else None  # type: ignore[misc]
        log.add("bot-1", "Name", "state", f"words {number}")
        log.save()
    found = BotLog(power.after_power_loss(tmp_path / "found")).page().entries
    assert [each["words"] for each in found] == [f"words {number}" for number in (3, 2, 1, 0)]


def until_answered(request: Callable[[], Any]) -> Any:
    for _ in range(5):
        try:
            return request()
        except (StoreError, OSError):
            continue
    raise AssertionError("the disk is well again")


@pytest.mark.parametrize("first", range(1, 7))
def test_an_alert_is_there_once_whatever_failed(
    power: PowerDisk, tmp_path: Path, first: int
) -> None:
    alerts = AlertsByHand(power.folder, disk=power)
    first += len(power.calls)
    power.fault = lambda number: EIO if number == first else None
    until_answered(lambda: alerts.alerts.create(ABOVE, key="key-1"))
    until_answered(lambda: alerts.alerts.create(ABOVE, key="key-2"))
    found = alert_file(power.after_power_loss(tmp_path / "found"))
    assert len(found.latest().alerts) == 2
    assert found.answer("key-1", ["create", ABOVE])
    assert found.answer("key-2", ["create", ABOVE])


@pytest.mark.parametrize("first", range(1, 8))
def test_a_bot_is_there_once_whatever_failed(power: PowerDisk, tmp_path: Path, first: int) -> None:
    bots = ByHand(power.folder, disk=power)
    first += len(power.calls)
    power.fault = lambda number: EIO if number == first else None
    until_answered(lambda: bots.bots.create(USUAL, key="key-1"))
    until_answered(lambda: bots.bots.create({**USUAL, "name": "Other"}, key="key-2"))
    found = bot_file(power.after_power_loss(tmp_path / "found"))
    assert len(found.latest().bots) == 2
    assert found.answer("key-1", ["create", USUAL])
    assert found.answer("key-2", ["create", {**USUAL, "name": "Other"}])


@pytest.mark.parametrize("first", [1, 2, 3])
def test_settings_are_there_whatever_failed(power: PowerDisk, tmp_path: Path, first: int) -> None:
    settings = SettingsFile(power.folder, disk=power)
    power.fault = lambda number: EIO if number == first else None
    until_answered(lambda: settings.change({"decimals": 4}))
    found = SettingsFile(power.after_power_loss(tmp_path / "found"))
    assert found.settings.decimals == 4
