"""Whatever byte of the ledger or the account changes: it is refused, or read as it was written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from balance.core import operations
from balance.core.errors import StoreUnreadable
from balance.store.checksum import TAIL_BYTES
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.ledger_file import CHECKSUM_FILE, LedgerFile
from balance.store.memory_store import MemoryStore
from balance.store.state import Request
from tests.accounts import MOMENT
from tests.ledgers import as_schema_1
from tests.test_store import trade

MASKS = (0x01, 0x10, 0x80, 0x2A)
deposit = partial(operations.deposit, amount=5)


def lived(folder: Path) -> FileStore:
    """An account with an entry of most shapes: a keyed one, a trade, a reset that keeps it."""
    store = FileStore(folder, clock=lambda: MOMENT)
    store.commit(deposit, source="http", request=Request("k", "f"))
    store.commit(trade, source="x")
    store.commit(operations.reset, source="x")
    store.commit(deposit, source="x")
    return store


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sound") / "account"
    lived(folder)
    return folder


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An account of schema 1 that has gone on with this version."""
    folder = tmp_path_factory.mktemp("older") / "account"
    lived(folder)
    store = FileStore(as_schema_1(folder), clock=lambda: MOMENT)
    store.commit(deposit, source="x")
    store.commit(operations.reset, source="x")
    return folder


def copied(source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in (ACCOUNT_FILE, LEDGER_FILE, CHECKSUM_FILE, ANSWER_FILE):
        (folder / name).unlink(missing_ok=True)
        if (source / name).exists():
            (folder / name).write_bytes((source / name).read_bytes())
    return folder


def flips(text: bytes, step: int = 1) -> Iterator[tuple[int, bytes]]:
    """``text`` with a byte changed, and where; each byte, or every ``step``-th, in several ways.
    Without its last newline, the newest line is one that is being written."""
    for place in range(0, len(text) - 1, step):
        for mask in MASKS:
            yield place, text[:place] + bytes([text[place] ^ mask]) + text[place + 1 :]


def prefix_of_truth(read: Callable[[], Iterator[Any]], truth: list[Any]) -> int:
    """How many of ``truth`` were read before it was refused, if it was: none is another one."""
    found = []
    with suppress(StoreUnreadable):
        found.extend(read())
    assert found == truth[: len(found)]
    return len(found)


@pytest.mark.parametrize("which", ["sound", "older"])
def test_no_changed_byte_of_the_ledger_is_shown(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    folder = copied(request.getfixturevalue(which), tmp_path / "account")
    file = folder / LEDGER_FILE
    text = file.read_bytes()
    whole = LedgerFile(file)
    entries = list(whole.newest_first())
    lines = list(whole.lines())
    spots = [(line.start, line.end) for line in lines]
    epochs = sorted({each.booking.epoch for each in entries})
    places = [entry.place for entry in entries[:: max(1, len(entries) // 5)]]
    for place, changed in flips(text, 7):
        file.write_bytes(changed)
        ledger = LedgerFile(file)
        ledger.is_chained = True
        assert prefix_of_truth(ledger.newest_first, entries) < len(entries), place
        for before in places:
            older = [entry for entry in entries if entry.place < before]
            prefix_of_truth(partial(ledger.newest_first, before), older)
        for epoch in epochs:
            ours = [entry for entry in reversed(entries) if entry.booking.epoch == epoch]
            prefix_of_truth(partial(ledger.epoch, epoch), ours)
        damaged = [each for each in ledger.lines() if each.fault]
        assert damaged, place
        sound = [each for each in ledger.lines() if not each.fault]
        assert set(sound) <= set(lines), place
        # One line is named, or two where their newline is gone, or one is cut in two.
        assert len(lines) - len(sound) <= 2, place
        for spot, line in zip(spots, lines, strict=True):
            with suppress(StoreUnreadable):
                ((_, found),) = ledger.texts([spot])
                # What is no line there is not the one that is looked for.
                is_line = found.endswith(b"\n") and found.count(b"\n") == 1
                assert found == line.text or not is_line or spot[0] > place - 1, place


def test_the_number_of_the_damaged_line_is_named(sound: Path, tmp_path: Path) -> None:
    folder = copied(sound, tmp_path / "account")
    file = folder / LEDGER_FILE
    lines = file.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, start=1):
        damaged = line.replace(b'"epoch":', b'"epoch": ')
        file.write_bytes(b"".join([*lines[: number - 1], damaged, *lines[number:]]))
        (fault,) = [each.fault for each in LedgerFile(file).lines() if each.fault]
        assert fault == f"line {number} does not match its checksum"


def test_a_line_behind_a_damaged_checksum_is_not_blamed(sound: Path, tmp_path: Path) -> None:
    folder = copied(sound, tmp_path / "account")
    file = folder / LEDGER_FILE
    text = file.read_bytes()
    spots = [(line.start, line.end) for line in LedgerFile(file).lines()]
    for damaged, behind in pairwise(spots):
        for place in range(damaged[1] - TAIL_BYTES, damaged[1] - 1):
            file.write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
            faults = [(line.start, line.end) for line in LedgerFile(file).lines() if line.fault]
            assert faults == [damaged]
            assert list(LedgerFile(file).texts([behind])) == [(behind, text[slice(*behind)])]


@pytest.mark.parametrize("which", ["sound", "older"])
def test_a_change_is_booked_on_the_truth_or_refused(
    which: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    source = request.getfixturevalue(which)
    folder = copied(source, tmp_path / "account")
    text = (folder / LEDGER_FILE).read_bytes()
    state = FileStore(folder).read()
    newest = len(text) - sum(map(len, state.lines))
    refused = booked = 0
    steps = flips(text, 97)
    last = ((place, each) for place, each in flips(text, 29) if place >= newest)
    for place, changed in (*steps, *last):
        copied(source, folder)
        (folder / LEDGER_FILE).write_bytes(changed)
        store = FileStore(folder)
        assert store.read() == state
        try:
            after = store.commit(deposit, source="x").state
        except StoreUnreadable:
            assert (folder / LEDGER_FILE).read_bytes() == changed
            refused += 1
            continue
        booked += 1
        assert after.revision == state.revision + 1
        assert after.account.wallet.balance == state.account.wallet.balance + 5
        # What was torn is mended, what is older stays.
        assert place < newest - TAIL_BYTES or (folder / LEDGER_FILE).read_bytes()[:-1] != changed
    assert refused
    assert booked


def test_no_changed_byte_of_the_account_is_shown(sound: Path, tmp_path: Path) -> None:
    folder = copied(sound, tmp_path / "account")
    text = (folder / ACCOUNT_FILE).read_bytes()
    state = FileStore(folder).read()
    refused = same = edited = 0
    for place, changed in flips(text, 11):
        copied(sound, folder)
        (folder / ACCOUNT_FILE).write_bytes(changed)
        store = FileStore(folder, clock=lambda: MOMENT)
        try:
            found = store.read()
        except StoreUnreadable:
            refused += 1
            continue
        if found == state:
            same += 1
            continue
        edited += 1
        entry = found.entries[0]
        assert (entry.booking.kind, found.revision) == ("external_edit", state.revision + 1), place
        assert found.account_id == state.account_id
        assert found.answered == state.answered
        wallet = replace(found.account.wallet, adjustments=state.account.wallet.adjustments)
        if wallet != state.account.wallet:
            assert "->" in entry.booking.note, place
        assert prefix_of_truth(store.entries, list(store.entries())) == found.revision + 2
    assert min(refused, edited) > 0, (refused, same, edited)
    assert same < edited, "white space alone"


def swapped(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[4], lines[3], *lines[5:]]


def doubled(lines: list[bytes]) -> list[bytes]:
    return [*lines[:4], *lines[3:]]


def left_out(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], *lines[4:]]


def let_in(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], b"{}\n", *lines[3:]]


def empty_line(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], b"\n", *lines[3:]]


def joined(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3][:-1] + lines[4], *lines[5:]]


@pytest.mark.parametrize("change", [swapped, doubled, left_out, let_in, empty_line, joined])
def test_lines_that_do_not_stand_where_they_were_written_are_named(
    sound: Path, tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    folder = copied(sound, tmp_path / "account")
    file = folder / LEDGER_FILE
    truth = list(LedgerFile(file).newest_first())
    file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))
    faults = [line.fault for line in LedgerFile(file).lines() if line.fault]
    assert 1 <= len(faults) <= 3
    assert faults[0].startswith(("line 4 ", "line 5 "))
    assert prefix_of_truth(LedgerFile(file).newest_first, truth) <= 3
    store = FileStore(folder)
    assert store.commit(deposit, source="x").state.revision == 6


def test_an_account_that_the_ledger_does_not_know_is_never_taken_over(
    sound: Path, tmp_path: Path
) -> None:
    ours, fork = copied(sound, tmp_path / "ours"), copied(sound, tmp_path / "fork")
    another = tmp_path / "another"
    lived(another)
    for folder, times in ((ours, 3), (fork, 1)):
        for _ in range(times):
            amount = 7 if folder is fork else 5
            FileStore(folder).commit(partial(operations.deposit, amount=amount), source="x")
    ledger = (ours / LEDGER_FILE).read_bytes()
    for folder in (fork, another):
        (ours / ACCOUNT_FILE).write_bytes((folder / ACCOUNT_FILE).read_bytes())
        store = FileStore(ours)
        with pytest.raises(StoreUnreadable, match="has other entries of revision"):
            store.commit(deposit, source="x")
        assert store.read() == FileStore(folder).read(), "a sealed account is believed"
        assert "has other entries of revision" in str(store.disagreement())
        assert (ours / LEDGER_FILE).read_bytes() == ledger
    (ours / ACCOUNT_FILE).write_bytes((sound / ACCOUNT_FILE).read_bytes())
    (entry, *_) = FileStore(ours).read().entries
    assert (entry.revision, entry.booking.kind) == (9, "external_edit")
    assert entry.booking.note.startswith("An older virtual_balance.json was put back: balance ")


def test_what_is_found_by_bisection_is_found_past_a_damaged_line(tmp_path: Path) -> None:
    store = MemoryStore()
    for number in range(1_200):
        store.commit(operations.reset if number % 100 == 50 else deposit, source="x")
    entries, file = list(store.entries()), LedgerFile(tmp_path / LEDGER_FILE)
    lines = [line.text for line in store.lines()]
    middle = next(
        number
        for number, _ in enumerate(lines)
        if sum(map(len, lines[: number + 1])) > sum(map(len, lines)) // 2
    )
    for number in range(middle, middle + 3):
        lines[number] = lines[number].replace(b'"kind":"', b'"kind":"x')
    file.path.write_bytes(b"".join(lines))
    damaged = {entries[::-1][number].place for number in range(middle, middle + 3)}
    for entry in entries[::50]:
        found = file.newest_first(entry.place)
        older = [each for each in entries if each.place < entry.place]
        prefix_of_truth(lambda found=found: found, older)
        if older and older[0].place not in damaged:
            assert next(file.newest_first(entry.place)) == older[0]
    for epoch in range(1, 13):
        opening = store.opening(epoch)
        assert opening is not None
        if opening.place in damaged:
            with pytest.raises(StoreUnreadable):
                file.opening(epoch)
        else:
            assert file.opening(epoch) == opening
