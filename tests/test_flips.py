"""A byte that changes in a file, or a file that ends too early, is refused, proved to be sound, or
booked as an outside edit: no reader ever shows a number that was not written.

    LONG=1 .venv/bin/python -m pytest -s tests/test_flips.py

tries all of them, and prints how many there are.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from flask import Flask

from balance.alerts.alerts import Alerts
from balance.alerts.state import ALERTS_FILE, alert_file
from balance.api.problems import answer_with_problems
from balance.api.routes import create_api
from balance.api.services import Services
from balance.api.stream import Stream
from balance.backtests.jobs import Backtests
from balance.bots.bots import Bots
from balance.bots.log import LOG_FILE, BotLog
from balance.bots.state import BOTS_FILE, bot_file
from balance.core.errors import AnswerLost, StoreError
from balance.core.figures import NONE, grouped
from balance.desk.desk import Desk
from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.keys.keys import Keys
from balance.market.board import (
    FEED_FILE,
    MARKET_FILE,
    FileBoard,
    save_market,
    save_past,
    saved_feed,
)
from balance.performance.performance import Equity
from balance.performance.sample_store import EQUITY_FILE
from balance.store.codec import decode_state
from balance.store.damage import Damages
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.state import State as AccountState
from balance.store.verification import verify
from balance.strategies.own import Catalogue
from tests.accounts import MOMENT
from tests.alerts_by_hand import AlertsByHand
from tests.boards import board
from tests.bots_by_hand import ByHand
from tests.ledgers import lived, write_ledger, written
from tests.length import LONG, rounds
from tests.power import put
from tests.test_crash_states import KEYS, QUICK, contents, deposit

_T = TypeVar("_T")

#: What is asked of a server.
QUESTIONS: Final = (
    "/virtual_balance",
    "/virtual_balance/history",
    "/virtual_balance/history?format=csv",
    "/history/ledger",
    "/history/ledger?sort=amount",
    "/history/ledger?format=csv",
    "/history/fills",
    "/history/trades",
    "/history/epochs",
    "/history/entries/2.1",
    "/fills",
    "/positions",
    "/performance",
)
#: What is asked of the samples.
CURVES: Final = ("/equity?range=day", "/equity?range=year", "/equity?range=all", "/performance")
#: The data folder of an account that has lived.
LIVED: Final = Path(__file__).parent / "golden" / "data"
#: When that is read.
LATER: Final = datetime(2026, 3, 6, tzinfo=UTC)
#: Members of answers that differ from server to server.
PASSING: Final = ("instance",)
MASKS: Final = (0x01, 0x02, 0x04, 0x10, 0x20, 0x80, 0xFF)


class Reader:
    """A server on a folder, without a market that moves, bots and alerts."""

    def __init__(self, folder: Path) -> None:
        self.store = FileStore(folder, clock=lambda: MOMENT, disk=QUICK)
        self.history = History(self.store, folder / INDEX_FILE)
        desk = Desk(self.store, board(), history=self.history)
        server = Flask(__name__)
        answer_with_problems(server)
        services = Services(
            bots=Bots(desk, Catalogue(), None),
            backtests=Backtests(lambda: desk.market, lambda *_: [], lambda *_: None, Catalogue()),
            settings=SettingsFile(),
            alerts=Alerts(desk),
            keys=Keys(desk, clock=lambda: LATER),
            equity=Equity(desk, folder, self.history, clock=lambda: LATER),
            damages=Damages(),
        )
        server.register_blueprint(create_api(desk, Stream(1), services))
        self.client = server.test_client()

    def answers(self, questions: Iterable[str] = QUESTIONS) -> dict[str, tuple[int, Any]]:
        """The status and the content of each answer."""
        with suppress(StoreError):
            self.history.index.catch_up()
        return dict(map(self._answer, questions))

    def _answer(self, question: str) -> tuple[str, tuple[int, Any]]:
        found = self.client.get(question)
        try:
            content: Any = found.text
        except StoreError:
            # What is downloaded breaks off, and the client sees that.
            return question, (503, "")
        if found.mimetype == "application/json":
            content = {key: value for key, value in found.json.items() if key not in PASSING}
        return question, (found.status_code, content)


class Trials:
    """A folder in which files are changed, again and again, and what came of it."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.files = contents(folder)
        self.place = place
        self.found: Counter[str] = Counter()
        self.true = Reader(self.changed()).answers()
        assert {status for status, _ in self.true.values()} == {200}

    def changed(self, name: str = "", text: bytes = b"") -> Path:
        """The folder as it was at first, but for the file ``name``, which has ``text``."""
        return put(self.place, {**self.files, **({name: text} if name else {})})

    def compare(self, found: Mapping[str, tuple[int, Any]]) -> list[str]:
        """Count what was answered: the questions whose answers are neither the true ones, nor a
        503, nor leave out what is not known, and say so, are wrong."""
        wrong = []
        for question, answer in found.items():
            status, content = answer
            what = "WRONG"
            if answer == self.true[question]:
                what = "true"
            elif status == 503:
                what = "refused"
            elif question in CURVES and EQUITY_FILE in content.get("words", ""):
                what = "without what was lost"
            elif is_part(content, self.true[question][1]):
                what = "with dashes"
            else:
                wrong.append(f"{question} answers {answer!r:.300}")
            self.found[what] += 1
        return wrong

    def report(self, of: str) -> None:
        """Print how often there was what."""
        counts = ", ".join(f"{count:,} {what}" for what, count in sorted(self.found.items()))
        print(f"\n{of}: {counts}")


def is_part(found: Any, true: Any, name: str = "") -> bool:
    """Whether ``found`` is ``true`` but for what is not known: null, a dash, or a sentence that
    says so. A list of rows has all of them."""
    if found == true or found in (None, NONE):
        return True
    if isinstance(found, dict) and isinstance(true, dict):
        return found.keys() == true.keys() and all(
            is_part(value, true[key], key) for key, value in found.items()
        )
    if name in ("terms", "recent_news"):
        return all(each in true for each in found)
    if name == "index":
        return not found["is_complete"]
    if isinstance(found, list) and isinstance(true, list) and len(found) == len(true):
        return all(map(is_part, found, true))
    return isinstance(found, str) and "damaged" in found


def sampled(every: Sequence[_T], usual: int) -> Sequence[_T]:
    """About ``usual`` of them, spread over all; all where there is time."""
    return every if LONG else every[:: max(1, len(every) // usual)]


def flips(text: bytes, masks: Sequence[int] = MASKS, step: int = 1) -> list[tuple[int, int]]:
    """Each ``step``-th byte of ``text``, by its place, with each of the masks that change it."""
    return [(place, mask) for place in range(0, len(text), step) for mask in masks]


def flipped(text: bytes, place: int, mask: int) -> bytes:
    """``text`` with one other byte."""
    return text[:place] + bytes([text[place] ^ mask]) + text[place + 1 :]


def lines_behind(text: bytes, place: int) -> int:
    """How many lines of ``text`` begin behind the one with the byte at ``place``."""
    return text[place:].count(b"\n") - 1


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """An account of a few commits, the newest of which has two lines."""
    return written(tmp_path / "small", lived(9, seed=4)).folder


class TestLedger:
    """``ledger.jsonl``, line by line."""

    def test_a_byte_that_changed_is_never_shown(self, small: Path, tmp_path: Path) -> None:
        trials = Trials(small, tmp_path / "found")
        text = trials.files[LEDGER_FILE]
        newest = len(decode_state(trials.files[ACCOUNT_FILE])[0].entries)
        for place, mask in sampled(flips(text), 60):
            damaged = flipped(text, place, mask)
            folder = trials.changed(LEDGER_FILE, damaged)
            how = f"byte {place} ^ {mask:#x}"
            assert verify(folder).faults, how
            reader = Reader(folder)
            assert not trials.compare(reader.answers()), how
            assert contents(folder)[ACCOUNT_FILE] == trials.files[ACCOUNT_FILE], how
            assert contents(folder)[LEDGER_FILE] == damaged, how
            answer = reader.client.post("/virtual_balance", json={"deposit": 1})
            trials.found[f"deposits {answer.status_code}"] += 1
            behind = lines_behind(text, place)
            # The checksum of the line before them proves the lines of the newest commit.
            if behind != newest:
                assert answer.status_code == (503 if behind < newest else 200), how
        trials.report("flips of a small ledger")

    def test_lines_that_are_joined_are_never_counted(self, small: Path, tmp_path: Path) -> None:
        trials = Trials(small, tmp_path / "found")
        text = trials.files[LEDGER_FILE]
        for place in [place for place, byte in enumerate(text) if byte == 0x0A]:
            reader = Reader(trials.changed(LEDGER_FILE, flipped(text, place, 0x01)))
            assert not trials.compare(reader.answers()), f"byte {place}"
        trials.report("joined lines of a small ledger")

    def test_a_server_that_runs_never_shows_it(self, small: Path, tmp_path: Path) -> None:
        trials = Trials(small, tmp_path / "found")
        text = trials.files[LEDGER_FILE]
        reader = Reader(trials.changed())
        reader.answers()
        for place, mask in sampled(flips(text), 60):
            (trials.place / LEDGER_FILE).write_bytes(flipped(text, place, mask))
            assert not trials.compare(reader.answers()), f"byte {place} ^ {mask:#x}"
        (trials.place / LEDGER_FILE).write_bytes(text)
        assert reader.answers() == trials.true
        trials.report("flips below a running server")

    def test_a_byte_of_a_long_one_is_never_shown(self, tmp_path: Path) -> None:
        folder = tmp_path / "long"
        write_ledger(folder, rounds(1_500, 20_000))
        trials = Trials(folder, tmp_path / "found")
        text, chance = trials.files[LEDGER_FILE], random.Random(5)
        for _ in range(rounds(6, 200)):
            place, mask = chance.randrange(len(text)), chance.choice(MASKS)
            folder = trials.changed(LEDGER_FILE, flipped(text, place, mask))
            assert not trials.compare(Reader(folder).answers()), f"byte {place} ^ {mask:#x}"
        trials.report("flips of a long ledger")

    def test_one_that_ends_too_early_is_refused_or_completed(
        self, small: Path, tmp_path: Path
    ) -> None:
        trials = Trials(small, tmp_path / "found")
        text = trials.files[LEDGER_FILE]
        newest = len(decode_state(trials.files[ACCOUNT_FILE])[0].entries)
        complete = len(b"".join(text.splitlines(keepends=True)[:-newest]))
        for end in sampled(range(len(text)), 40):
            reader = Reader(trials.changed(LEDGER_FILE, text[:end]))
            assert not trials.compare(reader.answers()), f"{end} bytes"
            answer = reader.client.post("/virtual_balance", json={"deposit": 1})
            trials.found[f"deposits {answer.status_code}"] += 1
            assert answer.status_code == (200 if end >= complete else 503), f"{end} bytes"
        trials.report("ends of a small ledger")


class TestAccount:
    """``virtual_balance.json``."""

    @pytest.fixture
    def trials(self, small: Path, tmp_path: Path) -> Trials:
        return Trials(small, tmp_path / "found")

    def test_a_byte_that_changed_is_refused_or_sound_or_an_outside_edit(
        self, trials: Trials
    ) -> None:
        text = trials.files[ACCOUNT_FILE]
        known, _ = decode_state(text)
        for place, mask in sampled(flips(text), 300):
            folder = trials.changed(ACCOUNT_FILE, flipped(text, place, mask))
            self.prove(folder, known, trials.found, f"byte {place} ^ {mask:#x}")
        trials.report("flips of an account")

    def test_a_digit_that_changed_is_refused_or_an_outside_edit(self, trials: Trials) -> None:
        text = trials.files[ACCOUNT_FILE]
        known, _ = decode_state(text)
        digits = [place for place, byte in enumerate(text) if byte in b"0123456789"]
        others = [(place, digit) for place in digits for digit in b"0123456789"]
        for place, digit in sampled(others, 300):
            folder = trials.changed(ACCOUNT_FILE, text[:place] + bytes([digit]) + text[place + 1 :])
            self.prove(folder, known, trials.found, f"byte {place} = {chr(digit)}")
        trials.report("digits of an account")

    def prove(self, folder: Path, known: AccountState, found: Counter[str], how: str) -> None:
        """Prove what becomes of an account with one other byte."""
        store = FileStore(folder, clock=lambda: MOMENT, disk=QUICK)
        try:
            state = store.read()
        except StoreError:
            found["refused"] += 1
            assert contents(folder)[LEDGER_FILE] == contents(folder.parent / "small")[LEDGER_FILE]
            return
        if state.revision == known.revision:
            assert (state.account, state.entries) == (known.account, known.entries), how
            found["sound"] += 1
            return
        booking, before = state.entries[-1].booking, known.account.wallet.balance
        assert booking.kind == "external_edit", how
        assert booking.amount == booking.balance - before, how
        if booking.amount:
            figures = f"balance {grouped(before)} -> {grouped(booking.balance)}"
            assert figures in booking.note, how
        assert (state.account_id, state.revision) == (known.account_id, known.revision + 1), how
        assert verify(folder).faults == (), how
        found["outside edits"] += 1

    def test_one_that_ends_too_early_is_refused(self, trials: Trials) -> None:
        text = trials.files[ACCOUNT_FILE]
        for end in sampled(range(len(text) - 1), 60):
            folder = trials.changed(ACCOUNT_FILE, text[:end])
            assert {status for status, _ in Reader(folder).answers().values()} == {503}
            trials.found["refused"] += 1
        trials.report("ends of an account")


class TestDatabases:
    """The files that SQLite writes, of an account that has lived: what can't be made anew is what
    a server said at the time, not money."""

    @pytest.fixture
    def trials(self, tmp_path: Path) -> Trials:
        folder = tmp_path / "lived"
        shutil.copytree(LIVED, folder)
        Reader(folder).answers()
        return Trials(folder, tmp_path / "found")

    def test_no_byte_of_the_index_can_change_what_is_shown(self, trials: Trials) -> None:
        text = trials.files[INDEX_FILE]
        places = range(0, len(text), 997)
        for place, mask in sampled(
            [(place, mask) for place in places for mask in (0xFF, 0x04)], 30
        ):
            reader = Reader(trials.changed(INDEX_FILE, flipped(text, place, mask)))
            assert not trials.compare(reader.answers()), f"byte {place} ^ {mask:#x}"
            # Whatever was found there, it is made anew.
            assert not trials.compare(reader.answers()), f"byte {place} ^ {mask:#x}"
        trials.report("flips of the index")

    def test_an_index_that_ends_too_early_is_made_anew(self, trials: Trials) -> None:
        text = trials.files[INDEX_FILE]
        for end in sampled(range(0, len(text), 997), 15):
            assert not trials.compare(Reader(trials.changed(INDEX_FILE, text[:end])).answers())
        trials.report("ends of the index")

    def test_no_byte_of_the_samples_can_change_what_is_shown(self, trials: Trials) -> None:
        text = trials.files[EQUITY_FILE]
        trials.true |= Reader(trials.changed()).answers(CURVES)
        places = range(0, len(text), 997)
        for place, mask in sampled(
            [(place, mask) for place in places for mask in (0xFF, 0x04)], 30
        ):
            reader = Reader(trials.changed(EQUITY_FILE, flipped(text, place, mask)))
            assert not trials.compare(reader.answers(CURVES)), f"byte {place} ^ {mask:#x}"
        trials.report("flips of the samples")

    def test_samples_that_end_too_early_are_refused(self, trials: Trials) -> None:
        text = trials.files[EQUITY_FILE]
        trials.true |= Reader(trials.changed()).answers(CURVES)
        for end in sampled(range(1, len(text), 997), 15):
            reader = Reader(trials.changed(EQUITY_FILE, text[:end]))
            assert not trials.compare(reader.answers(CURVES)), f"{end} bytes"
        trials.report("ends of the samples")


def answered(folder: Path, keys: Sequence[str]) -> list[bool | None]:
    """Whether each request was booked before; None where that is refused."""
    store = FileStore(folder, clock=lambda: MOMENT, disk=QUICK)
    found: list[bool | None] = []
    for key in keys:
        try:
            found.append(deposit(store, key))
        except (StoreError, AnswerLost):
            found.append(None)
    return found


def test_no_key_is_booked_again_whatever_becomes_of_the_answers(tmp_path: Path) -> None:
    folder = tmp_path / "keyed"
    assert answered(folder, KEYS) == [False] * len(KEYS)
    files, found = contents(folder), Counter[str]()
    text = files[ANSWER_FILE]
    changed = [
        *(text[:end] for end in sampled(range(len(text)), 30)),
        *(flipped(text, place, mask) for place, mask in sampled(flips(text), 60)),
    ]
    for each in changed:
        put(folder, {**files, ANSWER_FILE: each})
        outcomes = answered(folder, KEYS)
        assert False not in outcomes, each
        found.update("replayed" if each else "refused" for each in outcomes)
    print(f"\nanswers: {len(changed):,} files, {dict(found)}")


@dataclass(frozen=True)
class State:
    """A file of state: ``read`` is what is known of it in a folder. Of what ``may_lack`` something,
    there is some of the list or, of what is no list, nothing."""

    name: str
    read: Callable[[Path], Any]
    may_lack: bool = False


STATES: Final = (
    State(SETTINGS_FILE, lambda folder: SettingsFile(folder).settings),
    State(BOTS_FILE, lambda folder: bot_file(folder).latest()),
    State(ALERTS_FILE, lambda folder: alert_file(folder).latest()),
    State(LOG_FILE, lambda folder: BotLog(folder).page(limit=500).entries, may_lack=True),
    State(MARKET_FILE, lambda folder: FileBoard(folder).market, may_lack=True),
    State(FEED_FILE, saved_feed, may_lack=True),
)


@pytest.fixture
def states(tmp_path: Path) -> Mapping[str, bytes]:
    """All files of state, by their names."""
    folder = tmp_path / "states"
    SettingsFile(folder, disk=QUICK).change({"decimals": 4})
    bots = ByHand(folder, disk=QUICK)
    bots.create()
    bots.close(40_000, 41_000, 40_500)
    alerts = AlertsByHand(folder, disk=QUICK)
    alerts.create()
    alerts.price(44_000, 45_010)
    save_market(folder, bots.market, {"seed": 7}, QUICK)
    save_past(folder, bots.market, {"seed": 7}, QUICK)
    return contents(folder)


@pytest.mark.parametrize("state", STATES, ids=[state.name for state in STATES])
def test_no_file_of_state_is_taken_for_another(
    state: State, states: Mapping[str, bytes], tmp_path: Path
) -> None:
    folder = tmp_path / "found"
    text, found = states[state.name], Counter[str]()
    nothing = state.read(put(folder, {}))
    true = state.read(put(folder, {state.name: text}))
    changed = [text[:end] for end in sampled(range(len(text)), 60)]
    if state.name != SETTINGS_FILE:  # which is for people to edit
        changed += [flipped(text, place, mask) for place, mask in sampled(flips(text), 120)]
    for each in changed:
        try:
            now = state.read(put(folder, {state.name: each}))
        except StoreError:
            found["refused"] += 1
            continue
        if now == true:
            found["true"] += 1
            continue
        found["less"] += 1
        assert state.may_lack, each
        assert now == nothing or (state.name == LOG_FILE and all(entry in true for entry in now))
    print(f"\n{state.name}: {len(changed):,} files, {dict(found)}")
