"""Every state in which a power loss may leave the data folder is opened: nothing that was
acknowledged is lost, nothing is booked twice; and no sync is there for nothing.

    LONG=1 .venv/bin/python -m pytest -s tests/test_crash_states.py

prints how many there are.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Protocol

import pytest

from balance.alerts.state import alert_file
from balance.bots.log import BotLog
from balance.bots.state import bot_file
from balance.core import operations
from balance.core.entry import Entry
from balance.core.figures import grouped
from balance.desk.settings import SettingsFile
from balance.market.board import FEED_FILE, MARKET_FILE, FileBoard, save_market, save_past
from balance.store.backup import back_up, restore
from balance.store.disk import Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.repair import repair
from balance.store.state import Request
from balance.store.verification import verify
from tests.accounts import MOMENT
from tests.alerts_by_hand import ABOVE, AlertsByHand
from tests.boards import board
from tests.bots_by_hand import USUAL, ByHand
from tests.ledgers import as_schema_1
from tests.length import LONG
from tests.power import Call, Crashes, Killed, PowerDisk, Synced, put

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="holds files open that are replaced"
)
# So many states of each life are opened, spread over all, unless there is time for all of them.
_MOST_OPENED: Final = 100
KEYS: Final = tuple(f"key-{number}" for number in range(7))
MARKS: Final = (40_000, 41_000, 42_000)
#: The syncs that nobody needs, and why they are there.
NEEDLESS: Final = {
    "folder: LedgerFile.record < FileStore._with_checksums < FileStore._settled": (
        "each file is replaced in one way; what is recorded of older lines is recorded again"
    ),
    "folder: FileStore._write < FileStore._with_checksums < FileStore._settled": (
        "the account is replaced in one way; an older one is taken over again"
    ),
    **dict.fromkeys(
        (
            "folder: AnswerFile._replace < AnswerFile.link < _Repair._keep_answers",
            "folder: _Repair._keep_moved < _Repair.run < repair",
            "folder: _Repair._write_ledger < _Repair.run < repair",
        ),
        "each file is replaced in one way; the folder is synced once more behind it",
    ),
}


class Quick(Disk):
    """A disk that loses nothing, and so need not wait."""

    def sync(self, descriptor: int) -> None:
        """Do nothing."""


QUICK: Final = Quick()


class Life(Protocol):
    """What is done to a folder, marked on the disk as it begins and as it is acknowledged."""

    def live(self, power: PowerDisk) -> None:
        """Do it all."""

    def check(self, folder: Path, done: Sequence[str], pending: str | None) -> None:
        """Prove that ``folder`` has what is ``done``, and of what is ``pending`` all or nothing."""


class Account:
    """Deposits with keys: the first process makes ``by_first`` of them, and each of the others has
    a process of its own; some die of the first call that ``dies`` names for their key. The newest
    ``answers`` are kept at least. The account is new or has, where it is an ``older`` one, the
    deposits with the keys of that."""

    def __init__(
        self,
        by_first: int = 2,
        answers: int = 1_000,
        older: Sequence[str] = (),
        dies: Mapping[str, Call] = MappingProxyType({}),
    ) -> None:
        self._by_first, self._answers, self._older, self._dies = by_first, answers, older, dies
        # The ledger after each change.
        self._ledgers: dict[str, list[Entry]] = {}

    def live(self, power: PowerDisk) -> None:
        folder = power.folder / "desk" / "data"
        if self._older:
            before = self._opened(folder)
            for key in self._older:
                deposit(before, key)
            as_schema_1(folder)
            power.settle()
        power.begin("open")
        store = self._acknowledged("open", folder, power)
        for number, key in enumerate(each for each in KEYS if each not in self._older):
            if number >= self._by_first:
                power.restart()
                store = self._opened(folder, power)
            power.begin(key)
            try:
                power.fault = self._death(power, key)
                deposit(store, key)
            except Killed:
                power.fault = lambda _: None
                power.restart()
                store = self._opened(folder, power)
                deposit(store, key)
            self._acknowledged(key, folder, power)

    def check(self, folder: Path, done: Sequence[str], pending: str | None) -> None:
        store = self._opened(folder / "desk" / "data")
        ledger = list(store.entries())
        if not done:
            assert ledger == self._ledgers["open"]
            assert all(deposit(store, key) for key in self._older)
            return
        known = [*self._older, *done[1:]]
        if pending and ledger == self._ledgers[pending]:
            known.append(pending)
        else:
            assert ledger == self._ledgers[done[-1]]
        for key in known[-self._answers :]:
            assert deposit(store, key), f"{key} is booked once more"
        assert list(store.entries()) == ledger
        if pending:
            deposit(store, pending)
            assert list(store.entries()) == self._ledgers[pending]
        # The check of the whole knows of no store that keeps fewer answers.
        faults = [each for each in verify(store.folder).faults if "lacks the answer" not in each]
        assert not faults, faults

    def _opened(self, folder: Path, disk: Disk = QUICK) -> FileStore:
        store = FileStore(folder, clock=lambda: MOMENT, disk=disk)
        store._answers._kept = self._answers
        return store

    def _acknowledged(self, key: str, folder: Path, power: PowerDisk) -> FileStore:
        store = self._opened(folder, power)
        power.acknowledge(key)
        self._ledgers[key] = list(store.entries())
        return store

    def _death(self, power: PowerDisk, key: str) -> Callable[[int], BaseException | None]:
        def death(_: int) -> BaseException | None:
            return Killed() if power.calls[-1] == self._dies.get(key) else None

        return death


class Repair:
    """The repair of an account that ``damage`` was done to."""

    def __init__(self, damage: Callable[[Path], None]) -> None:
        self._damage = damage
        # Lines that were not there before.
        self._damaged: set[bytes] = set()
        self._balance: str | None = None

    def live(self, power: PowerDisk) -> None:
        store = FileStore(power.folder, clock=lambda: MOMENT, disk=QUICK)
        for key in KEYS:
            deposit(store, key)
        whole = contents(power.folder)
        self._damage(power.folder)
        for name, text in contents(power.folder).items():
            self._damaged |= {*text.splitlines()} - {*whole[name].splitlines()}
        power.settle()
        power.begin("repair")
        self._balance = repair(power.folder, lambda: MOMENT, power).balance
        power.acknowledge("repair")

    def check(self, folder: Path, done: Sequence[str], pending: str | None) -> None:
        later = MOMENT + timedelta(seconds=1)
        report = verify(folder) if done else repair(folder, lambda: later, QUICK)
        assert report.balance == self._balance, report
        faults = verify(folder).faults
        assert not faults, faults
        store = FileStore(folder, clock=lambda: later, disk=QUICK)
        assert grouped(store.read().account.wallet.balance) == self._balance
        for line in self._damaged:
            assert any(line in text for text in contents(folder).values()), f"{line!r} is gone"


class Restored:
    """The restore of a backup into a new folder."""

    def live(self, power: PowerDisk) -> None:
        source = power.folder.with_name(f"{power.folder.name}-source")
        self._archive = power.folder.with_name(f"{power.folder.name}.zip")
        store = FileStore(source, clock=lambda: MOMENT, disk=QUICK)
        for key in KEYS[:2]:
            deposit(store, key)
        self._ledger = list(store.entries())
        back_up(source, self._archive)
        power.begin("restore")
        restore(self._archive, power.folder / "desk" / "data", disk=power)
        power.acknowledge("restore")

    def check(self, folder: Path, done: Sequence[str], pending: str | None) -> None:
        place = folder / "desk" / "data"
        if not done and not (place / ACCOUNT_FILE).exists():
            restore(self._archive, place, disk=QUICK)
        assert not verify(place).faults, verify(place)
        assert list(FileStore(place, disk=QUICK).entries()) == self._ledger


@dataclass
class Kept:
    """Changes of a file: ``steps`` by their names, each of which is given what ``opened`` makes of
    a folder and a disk. ``view`` is what is promised of the file in a folder; done once more, the
    steps that are ``keyed`` change nothing of it, nor does the newest."""

    opened: Callable[[Path, Disk], Any]
    steps: Mapping[str, Callable[[Any], object]]
    view: Callable[[Path], Any]
    keyed: Sequence[str] = ()
    _views: dict[str, Any] = field(default_factory=dict)

    def live(self, power: PowerDisk) -> None:
        opened = self.opened(power.folder, power)
        self._views[""] = self.view(power.folder)
        power.settle()
        for name, step in self.steps.items():
            power.begin(name)
            step(opened)
            power.acknowledge(name)
            self._views[name] = self.view(power.folder)

    def check(self, folder: Path, done: Sequence[str], pending: str | None) -> None:
        allowed = [
            self._views[name] for name in (done[-1] if done else "", pending) if name is not None
        ]
        assert self.view(folder) in allowed
        if pending:
            opened = self.opened(folder, QUICK)
            for name in (*(name for name in done if name in self.keyed), pending):
                self.steps[name](opened)
            assert self.view(folder) == self._views[pending]


class Prices:
    """The market as it moves: nobody is promised the newest of it, but never a part."""

    def live(self, power: PowerDisk) -> None:
        power.begin("prices")
        for mark in MARKS:
            for save in (save_market, save_past):
                save(power.folder, board(mark).market, {"seed": 7, "mark": mark}, power)

    def check(self, folder: Path, done: Sequence[str], pending: str | None) -> None:
        for name in (MARKET_FILE, FEED_FILE):
            if (folder / name).exists():
                assert json.loads((folder / name).read_bytes())["saved"]["mark"] in MARKS
        assert FileBoard(folder).market is not None
        save_market(folder, board(MARKS[0]).market, {}, QUICK)


def deposit(store: FileStore, key: str) -> bool:
    """Whether it was booked before."""
    request = Request(key, "deposit")
    operation = partial(operations.deposit, amount=Decimal(2) ** KEYS.index(key))
    return store.commit(operation, source="http", request=request).replayed


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the files of ``folder``."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def _bot_steps() -> Mapping[str, Callable[[ByHand], object]]:
    def run(bots: ByHand) -> None:
        bots.bots.start("levels-1", key="start")
        bots.close(40_000, 41_000, 40_500)

    return {
        "create": lambda bots: bots.bots.create(USUAL, key="create"),
        "start": run,
        "another": lambda bots: bots.bots.create({**USUAL, "name": "Other"}, key="another"),
        "stop": lambda bots: bots.bots.stop_all(key="stop"),
        "delete": lambda bots: bots.bots.delete("levels-1", key="delete"),
    }


def _bot_view(folder: Path) -> object:
    bots = bot_file(folder).latest().bots.values()
    return [(bot.id, bot.settings, bot.status) for bot in bots]


def _alert_steps() -> Mapping[str, Callable[[AlertsByHand], object]]:
    def fire(alerts: AlertsByHand) -> None:
        alerts.price(44_000, 45_010)

    return {
        "create": lambda alerts: alerts.alerts.create(ABOVE, key="create"),
        "fire": fire,
        "another": lambda alerts: alerts.alerts.create(ABOVE, key="another"),
        "delete": lambda alerts: alerts.alerts.delete("alert-1", key="delete"),
    }


def _alert_view(folder: Path) -> object:
    book = alert_file(folder).latest()
    alerts = [(each.id, each.settings, each.fired) for each in book.alerts]
    return alerts, [each.alert for each in book.firings]


def _logged(number: int) -> Callable[[BotLog], None]:
    def log(opened: BotLog) -> None:
        opened.add("bot-1", "Name", "state", f"words {number}")
        opened.save()

    return log


def flip(name: str, line: int) -> Callable[[Path], None]:
    """Make an amount in a line of the file another one."""

    def flip(folder: Path) -> None:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        lines[line] = lines[line].replace(b".00", b".90", 1)
        (folder / name).write_bytes(b"".join(lines))

    return flip


def cut(name: str) -> Callable[[Path], None]:
    """Leave half of the file."""

    def cut(folder: Path) -> None:
        text = (folder / name).read_bytes()
        (folder / name).write_bytes(text[: len(text) // 2] + b"and something else\n")

    return cut


def without(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


LIVES: Final[Mapping[str, Callable[[], Life]]] = {
    "account": Account,
    "writers that die": lambda: Account(
        by_first=7,
        dies={
            "key-1": ("sync", LEDGER_FILE),
            "key-3": ("sync", ANSWER_FILE),
            "key-5": ("sync folder", "data"),
        },
    ),
    "compacted answers": lambda: Account(by_first=7, answers=2),
    "older account": lambda: Account(older=KEYS[-2:]),
    "settings": lambda: Kept(
        lambda folder, disk: SettingsFile(folder / "data", disk=disk),
        {f"to {places}": lambda it, n=places: it.change({"decimals": n}) for places in (3, 4, 5)},
        lambda folder: SettingsFile(folder / "data").settings,
    ),
    "bots": lambda: Kept(
        lambda folder, disk: ByHand(folder, disk=disk), _bot_steps(), _bot_view, tuple(_bot_steps())
    ),
    "alerts": lambda: Kept(
        lambda folder, disk: AlertsByHand(folder, disk=disk),
        _alert_steps(),
        _alert_view,
        ("create", "another", "delete"),
    ),
    "log": lambda: Kept(
        lambda folder, disk: BotLog(folder, disk),
        {str(number): _logged(number) for number in range(6)},
        lambda folder: list(dict.fromkeys(each["words"] for each in BotLog(folder).page().entries)),
    ),
    "prices": Prices,
    "restore": Restored,
    "repair without an account": lambda: Repair(without(ACCOUNT_FILE)),
    "repair of an account": lambda: Repair(cut(ACCOUNT_FILE)),
    "repair without a ledger": lambda: Repair(without(LEDGER_FILE)),
    "repair of an old line": lambda: Repair(flip(LEDGER_FILE, 1)),
    "repair of the newest line": lambda: Repair(flip(LEDGER_FILE, -1)),
    "repair of answers": lambda: Repair(cut(ANSWER_FILE)),
}


def lived(name: str, folder: Path) -> tuple[Life, PowerDisk]:
    """A life, and the disk on which it was lived."""
    life, power = LIVES[name](), PowerDisk(folder)
    life.live(power)
    power.close()
    return life, power


#: What was acknowledged, what was begun, and what is found.
State = tuple[tuple[str, ...], str | None, frozenset[tuple[str, bytes | None]]]


def distinct(crashes: Crashes) -> Iterator[State]:
    """Each state once."""
    seen: set[State] = set()
    for marks, tree in crashes:
        done = tuple(each.what for each in marks if each.acknowledged)
        pending = None if marks[-1].acknowledged else marks[-1].what
        state = done, pending, frozenset(tree.items())
        if state not in seen:
            seen.add(state)
            yield state


def fault_of(life: Life, state: State, place: Path) -> str:
    """What is wrong with ``state``; empty where nothing is."""
    done, pending, tree = state
    try:
        life.check(put(place, dict(tree)), done, pending)
    except Exception as fault:
        shown = {path: text and text[-200:] for path, text in tree}
        return f"{fault!r:.300} after {done}, during {pending}: {shown}"
    return ""


@pytest.mark.parametrize("name", LIVES)
def test_no_power_loss_takes_what_was_acknowledged(name: str, tmp_path: Path) -> None:
    life, power = lived(name, tmp_path / "disk")
    states = list(distinct(Crashes(power)))
    chosen = states if LONG else states[:: -(-len(states) // _MOST_OPENED)]
    print(f"\n{name}: {len(power.record)} events, {len(states)} states, {len(chosen)} opened")
    faults = [fault for each in chosen if (fault := fault_of(life, each, tmp_path / "found"))]
    assert not faults, f"{len(faults)} of {len(chosen)} states: {faults[0]}"


def test_there_are_as_many_states_as_the_manual_says(tmp_path: Path) -> None:
    found = [lived(name, tmp_path / f"disk-{number}")[1] for number, name in enumerate(LIVES)]
    assert len(LIVES) == 16
    assert sum(len(list(distinct(Crashes(power)))) for power in found) > 900


def test_a_sync_that_is_left_out_is_noticed(tmp_path: Path) -> None:
    sites, noticed, tried = set(NEEDLESS), set(NEEDLESS), 0
    for number, name in enumerate(LIVES):
        life, power = lived(name, tmp_path / f"disk-{number}")
        sound = set(distinct(Crashes(power)))
        found = {each.site for each in power.record if isinstance(each, Synced)} - {""}
        sites |= found
        for site in sorted(found - noticed):
            others = [each for each in distinct(Crashes(power, site)) if each not in sound]
            # Those that lack the sync most come last.
            for each in others[::-1][:: max(1, len(others) // _MOST_OPENED)]:
                tried += 1
                if fault_of(life, each, tmp_path / "found"):
                    noticed.add(site)
                    break
    print(f"\n{len(noticed)} of {len(sites)} places that sync are needed, {tried} states opened")
    assert sites == noticed
