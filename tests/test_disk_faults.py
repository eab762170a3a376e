"""Whatever call of the disk fails, how and for how long: nothing is acknowledged that is not there,
nothing is booked twice, the account can be read, and all goes on as soon as the disk is well.

    LONG=1 .venv/bin/python -m pytest -s tests/test_disk_faults.py

tries every call with every fault, and prints how many there are.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest

from balance.alerts.state import alert_file
from balance.bots.state import bot_file
from balance.core.errors import StoreError
from balance.desk.settings import SettingsFile
from balance.store.disk import Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.repair import repair
from balance.store.verification import verify
from tests.accounts import MOMENT
from tests.alerts_by_hand import ABOVE, AlertsByHand
from tests.bots_by_hand import USUAL, ByHand
from tests.length import LONG
from tests.power import Call, PowerDisk, Short
from tests.test_crash_states import QUICK, cut, deposit, flip

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="holds files open that are replaced"
)
FAULTS: Final[Mapping[str, OSError]] = {
    name: OSError(number, os.strerror(number))
    for name, number in (("EIO", errno.EIO), ("ENOSPC", errno.ENOSPC), ("EACCES", errno.EACCES))
} | {"short write": Short(errno.ENOSPC, os.strerror(errno.ENOSPC))}
# So many faults of each work are tried, spread over all, unless there is time for all of them.
_MOST_TRIED: Final = 20
OLDER: Final = Path(__file__).parent / "golden" / "data"


@dataclass(frozen=True)
class Work:
    """Something that is written. ``before`` makes what is in a folder at first; ``opened`` is the
    program that then takes the ``steps``, all of them again until that works; and ``found`` is what
    a reader sees in the folder."""

    before: Callable[[Path], object]
    opened: Callable[[Path, Disk], Any]
    found: Callable[[Path], object]
    steps: Sequence[Callable[[Any], object]]

    def do(self, opened: object) -> None:
        """Take all steps."""
        for step in self.steps:
            step(opened)


def store(folder: Path, disk: Disk = QUICK) -> FileStore:
    return FileStore(folder, clock=lambda: MOMENT, disk=disk)


def ledger(folder: Path) -> object:
    """The entries of an account, all of which agree."""
    if not (folder / ACCOUNT_FILE).exists():
        return None
    found = store(folder)
    return found.read().account, list(found.entries())


def sound(folder: Path) -> object:
    """The balance of an account, or that it is damaged."""
    return "damaged" if verify(folder).faults else store(folder).read().account.wallet.balance


def adopted(folder: Path) -> object:
    """The revision of an account, and its balance."""
    document = json.loads((folder / ACCOUNT_FILE).read_bytes())
    return document["revision"], document["balance"]


def deposited(
    *keys: int, damage: Callable[[Path], None] = lambda _: None
) -> Callable[[Path], None]:
    def before(folder: Path) -> None:
        opened = store(folder)
        for key in keys:
            deposit(opened, f"key-{key}")
        damage(folder)

    return before


def left_by_a_dead_writer(folder: Path) -> None:
    """The account is one commit ahead, and of its ledger's line there is a part."""
    deposited(0)(folder)
    names = (LEDGER_FILE, ANSWER_FILE)
    written = [(folder / name).read_bytes() for name in names]
    deposited(1)(folder)
    for name, text in zip(names, written, strict=True):
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(text) + 9])


def edited(folder: Path) -> None:
    deposited(0)(folder)
    text = (folder / ACCOUNT_FILE).read_text()
    (folder / ACCOUNT_FILE).write_text(text.replace('"10001.00"', '"9001.00"', 1))


def both(folder: Path, disk: Disk) -> tuple[Path, Disk]:
    return folder, disk


def compacting(folder: Path, disk: Disk) -> FileStore:
    found = store(folder, disk)
    found._answers._kept = 2
    return found


def repaired(opened: tuple[Path, Disk]) -> None:
    folder, disk = opened
    repair(folder, lambda: MOMENT, disk)


def opened_anew(opened: tuple[Path, Disk]) -> None:
    store(*opened).read()


def deposited_anew(opened: tuple[Path, Disk]) -> None:
    deposit(store(*opened), "key-2")


WORKS: Final[Mapping[str, Work]] = {
    "start": Work(Path.mkdir, both, ledger, (opened_anew, deposited_anew)),
    "commit": Work(deposited(0, 1), store, ledger, (partial(deposit, key="key-2"),)),
    "compaction": Work(deposited(0, 1, 2), compacting, ledger, (partial(deposit, key="key-4"),)),
    "recovery": Work(left_by_a_dead_writer, store, ledger, (partial(deposit, key="key-2"),)),
    "outside edit": Work(edited, both, adopted, (opened_anew, deposited_anew)),
    "older version": Work(
        partial(shutil.copytree, OLDER), both, ledger, (opened_anew, deposited_anew)
    ),
    "repair of an account": Work(
        deposited(0, 1, damage=cut(ACCOUNT_FILE)), both, sound, (repaired,)
    ),
    "repair of a line": Work(
        deposited(0, 1, damage=flip(LEDGER_FILE, 1)), both, sound, (repaired,)
    ),
    "settings": Work(
        Path.mkdir,
        lambda folder, disk: SettingsFile(folder, disk=disk),
        lambda folder: SettingsFile(folder).settings,
        (lambda opened: opened.change({"decimals": 4}),),
    ),
    "bots": Work(
        lambda folder: ByHand(folder, disk=QUICK).create(),
        lambda folder, disk: ByHand(folder, disk=disk),
        lambda folder: [bot.settings for bot in bot_file(folder).latest().bots.values()],
        (lambda opened: opened.bots.create({**USUAL, "name": "Other"}, key="key-1"),),
    ),
    "alerts": Work(
        lambda folder: AlertsByHand(folder, disk=QUICK).create(),
        lambda folder, disk: AlertsByHand(folder, disk=disk),
        lambda folder: [each.settings for each in alert_file(folder).latest().alerts],
        (lambda opened: opened.alerts.create(ABOVE, key="key-1"),),
    ),
}


class Trial:
    """One work on a disk of its own."""

    def __init__(self, work: Work, place: Path) -> None:
        self._work, self._place = work, place
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        work.before(place / "data")
        self.power = PowerDisk(place / "data")
        self._opened = work.opened(self.power.folder, self.power)
        self._opening = len(self.power.calls)

    def succeed(self) -> tuple[list[Call], list[object]]:
        """The calls that the work takes where nothing fails, and what is found before it and after
        each step."""
        states = [self._found()]
        for step in self._work.steps:
            step(self._opened)
            states.append(self._found())
        self.power.close()
        return self.power.calls[self._opening :], states

    def fail(
        self, states: list[object], first: int, fault: OSError, *, lasts: bool, dies: bool
    ) -> None:
        """Have the call numbered ``first`` fail and, if it ``lasts``, all behind it; where the
        program ``dies`` of that, another one goes on. What is found is one of ``states``."""
        power, work, after = self.power, self._work, states[-1]
        first += self._opening

        def raised(number: int) -> OSError | None:
            is_due = number >= first if lasts else number == first
            # A file is cut in memory alone; what one process could not cut no other one knows of.
            is_left_out = power.calls[-1][0] == "cut" and (dies or work.opened is both)
            return fault if is_due and not is_left_out else None

        power.fault = raised
        allowed = states
        with suppress(StoreError, OSError):
            work.do(self._opened)
            allowed = [after]
        assert len(power.calls) >= first, "the fault is among the calls"
        assert self._found() in allowed
        for renamed in (False, True):
            found = power.after_power_loss(self._place / "found", renamed=renamed)
            assert work.found(found) in allowed
            work.do(work.opened(found, QUICK))
            assert work.found(found) == after
        power.fault = lambda _: None
        if dies:
            power.restart()
            self._opened = work.opened(power.folder, power)
        work.do(self._opened)
        assert self._found() == after
        for renamed in (False, True):
            found = power.after_power_loss(self._place / "found", renamed=renamed)
            assert work.found(found) == after
        power.close()

    def _found(self) -> object:
        """What a reader sees; it looks at a copy, as it may mend what it finds."""
        place = self._place / "look"
        shutil.rmtree(place, ignore_errors=True)
        return self._work.found(shutil.copytree(self.power.folder, place))


#: A call by its number, what is called of which file, the fault, and how it comes.
Fault = tuple[int, Call, str, bool, bool]


def faults_of(calls: Sequence[Call]) -> list[Fault]:
    """Each fault of each of ``calls``, once and for ever, with a program that goes on or dies."""
    return [
        (number, call, fault, lasts, dies)
        for number, call in enumerate(calls, start=1)
        for fault, lasts, dies in product(FAULTS, (False, True), (False, True))
        if fault != "short write" or call[0] == "write"
    ]


def test_there_are_as_many_faults_as_the_manual_says(tmp_path: Path) -> None:
    assert len(WORKS) == 11
    calls = [Trial(work, tmp_path / "trial").succeed()[0] for work in WORKS.values()]
    assert sum(len(faults_of(each)) for each in calls) > 2_000


@pytest.mark.parametrize("name", WORKS)
def test_a_call_that_fails_is_no_loss(name: str, tmp_path: Path) -> None:
    work = WORKS[name]
    calls, states = Trial(work, tmp_path / "trial").succeed()
    assert states[0] != states[-1]
    every = faults_of(calls)
    chosen = every if LONG else every[:: -(-len(every) // _MOST_TRIED)]
    print(f"\n{name}: {len(calls)} calls, {len(every)} faults, {len(chosen)} tried")
    wrong = []
    for number, (what, file), fault, lasts, dies in chosen:
        how = f"{fault} {'for ever' if lasts else 'once'}{', it dies' if dies else ''}"
        try:
            Trial(work, tmp_path / "trial").fail(
                states, number, FAULTS[fault], lasts=lasts, dies=dies
            )
        except Exception as error:
            wrong.append(f"call {number}, {what} of {file}, {how}: {error!r:.300}")
    assert not wrong, f"{len(wrong)} of {len(chosen)}: {wrong[0]}"
