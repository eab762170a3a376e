"""The whole ledger is proved in the background: what is damaged is listed, and no longer when it is
sound again."""

from __future__ import annotations

import itertools
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.errors import StoreUnreadable
from balance.history.ledger_check import MOST_LISTED, LedgerCheck, ledger_checker
from balance.store.answer_file import AnswerFile
from balance.store.damage import Damages
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.repair import repair
from balance.store.state import Request
from tests.ledgers import entries_of, lived, written
from tests.marked import Marked
from tests.patience import wait_for

LIFE = lived(300, seed=1, epochs_of=40)
COUNT = len(entries_of(LIFE))


@pytest.fixture
def store(folder: Path) -> Marked:
    written(folder, LIFE)
    return Marked(folder)


def lines_of(damages: Damages) -> list[int | None]:
    assert all(each.file == LEDGER_FILE for each in damages.listed)
    return [each.line for each in damages.listed]


def test_a_sound_ledger_is_proved_once_and_what_is_added_with_it(store: Marked) -> None:
    damages = Damages()
    check = LedgerCheck(store, damages)
    assert check.percent == 0
    for _ in range(3):
        assert check.check()
        assert (check.percent, damages.listed, store.reads) == (100, (), 1)
    store.damaged = frozenset({3, COUNT + 1})
    store.commit(partial(operations.deposit, amount=5), source="http")
    assert check.check()
    # Only what was added has been read.
    assert lines_of(damages) == [COUNT + 1]
    assert store.reads == 2


def test_a_ledger_that_does_not_lead_up_to_the_account_is_listed_until_it_does(
    store: Marked,
) -> None:
    damages, file = Damages(), store.folder / LEDGER_FILE
    check, whole = LedgerCheck(store, damages), file.read_bytes()
    lines = whole.splitlines(keepends=True)
    newest = len(lines) - len(store.read().entries)
    for damaged, reason in (
        (whole.replace(b'"time"', b'"tame"'), f"line {len(lines)} does not match its checksum"),
        (b"".join(lines[: newest - 1]), "ends with revision"),
        (whole + b"garbage", "ends with a broken line"),
        (b"", "has no entries"),
    ):
        file.write_bytes(damaged)
        # Where its end is lost, it can't be read to the end.
        with suppress(StoreUnreadable):
            check.check()
        (found,) = [each for each in damages.listed if each.file == ACCOUNT_FILE]
        assert found.message.startswith(f"ledger.jsonl {reason}")
        assert "changes are refused" in found.message
    file.write_bytes(whole)
    check.check()
    assert damages.listed == ()
    # What a writer that died has not come to is no damage.
    file.write_bytes(b"".join(lines[:newest]))
    check.check()
    assert damages.listed == ()


def test_a_damaged_newest_line_says_that_changes_are_refused_as_long_as_they_are(
    store: Marked,
) -> None:
    damages, file = Damages(), store.folder / LEDGER_FILE
    check, whole = LedgerCheck(store, damages), file.read_bytes()
    file.write_bytes(whole[:-20] + b"x" + whole[-19:])
    # Whoever reads it may find it before the check does.
    check.report(StoreUnreadable(LEDGER_FILE, "does not match its checksum", line=COUNT))
    assert check.check()
    assert {each.file for each in damages.listed} == {ACCOUNT_FILE, LEDGER_FILE}
    assert not any("everything else goes on" in each.message for each in damages.listed)
    file.write_bytes(whole)
    store.damage(COUNT - 5)
    assert check.check()
    (found,) = damages.listed
    assert "everything else goes on" in found.message


def test_a_ledger_that_is_no_file_is_listed(store: Marked) -> None:
    damages, file = Damages(), store.folder / LEDGER_FILE
    check = LedgerCheck(FileStore(store.folder), damages)
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreUnreadable):
        check.check()
    (found,) = damages.listed
    assert found.message.startswith("ledger.jsonl can't be read: Is a directory")
    assert "changes are refused" in found.message


@pytest.mark.parametrize("damage", ["missing", "emptied", "a folder", "a changed digit"])
def test_answers_that_are_lost_are_listed_until_they_are_mended(folder: Path, damage: str) -> None:
    damages, file, store = Damages(), folder / ANSWER_FILE, FileStore(folder)
    check, deposit = LedgerCheck(store, damages), partial(operations.deposit, amount=5)
    for key in ("a", "b", "c"):
        store.commit(deposit, source="http", request=Request(key, "f"))
        check.check()
        assert damages.listed == ()
    content = file.read_bytes()
    file.unlink()
    if damage == "a folder":
        file.mkdir()
    elif damage != "missing":
        file.write_bytes(b"" if damage == "emptied" else content.replace(b"2,", b"8,", 1))
    for _ in range(2):
        check.check()
        (found,) = damages.listed
        assert (found.file, found.line) == (ANSWER_FILE, None)
        assert f"repair --data-dir {folder}` mends it." in found.message
    repair(folder)
    check.check()
    assert damages.listed == ()


def test_answers_that_are_cut_back_meanwhile_are_not_lost(
    store: Marked, monkeypatch: pytest.MonkeyPatch
) -> None:
    damages, deposit = Damages(), partial(operations.deposit, amount=5)
    check = LedgerCheck(store, damages)
    for key in ("a", "b"):
        store.commit(deposit, source="http", request=Request(key, "f"))
    faults = AnswerFile.faults

    def late(answers: AnswerFile, newest: int) -> list[str]:
        store.commit(deposit, source="http", request=Request("c", "f"))
        monkeypatch.setattr(AnswerFile, "faults", faults)
        return ["answers.jsonl lacks an answer."]

    monkeypatch.setattr(AnswerFile, "faults", late)
    check.check()
    assert damages.listed == ()


def test_a_damaged_line_is_listed_with_its_number_and_what_to_do(store: Marked) -> None:
    damages = Damages()
    store.damage(17, COUNT)
    assert LedgerCheck(store, damages).check()
    assert lines_of(damages) == [17, COUNT]
    message = damages.listed[0].message
    assert message.startswith("ledger.jsonl line 17 does not match its checksum. ")
    assert f"`python -m balance repair --data-dir {store.folder}` mends it." in message


def test_many_damaged_lines_are_counted(store: Marked) -> None:
    damages = Damages()
    store.damage(*range(2, 202))
    check = LedgerCheck(store, damages)
    assert check.check()
    assert lines_of(damages) == [*range(2, MOST_LISTED + 2), None]
    assert damages.listed[-1].message.startswith("ledger.jsonl has 180 more damaged lines. ")
    # One of those is no news.
    check.report(StoreUnreadable(LEDGER_FILE, "is damaged", line=100))
    assert check.check()
    assert store.reads == 1


def test_what_others_change_is_proved_again(store: Marked) -> None:
    damages = Damages()
    check = LedgerCheck(store, damages)
    for numbers in [(5, 9), (9, 11), ()]:
        store.damage(*numbers)
        assert check.check()
        assert lines_of(damages) == list(numbers)


def test_what_somebody_reads_is_listed_at_once_and_the_rest_is_proved_again(store: Marked) -> None:
    damages = Damages()
    check = LedgerCheck(store, damages)
    assert check.check()
    store.damaged = frozenset({4, 8})
    for _ in range(2):
        check.report(StoreUnreadable(LEDGER_FILE, "is damaged", line=8))
        check.report(StoreUnreadable("virtual_balance.json", "is damaged"))
    assert lines_of(damages) == [8]
    assert check.check()
    assert lines_of(damages) == [4, 8]
    assert store.reads == 2


def test_it_gives_way_after_a_while_and_says_how_far_it_has_come(store: Marked) -> None:
    damages = Damages()
    store.damage(1, COUNT)
    check, percents = LedgerCheck(store, damages), []
    while not check.check(0):
        percents.append(check.percent)
        assert lines_of(damages) == [1]
    assert len(percents) > 3
    assert all(earlier < later for earlier, later in itertools.pairwise(percents))
    assert (check.percent, lines_of(damages)) == (100, [1, COUNT])


def test_an_account_that_is_unreadable_for_a_while_is_checked_later(store: Marked) -> None:
    damages = Damages()
    check = LedgerCheck(store, damages)
    account = store.folder / "virtual_balance.json"
    content = account.read_bytes()
    account.write_bytes(b"{")
    with pytest.raises(StoreUnreadable):
        check.check()
    account.write_bytes(content)
    assert check.check()


def test_a_worker_does_it_in_the_background(store: Marked) -> None:
    damages = Damages()
    store.damage(2)
    worker = ledger_checker(LedgerCheck(store, damages))
    worker.start()
    wait_for(lambda: damages.listed, "the damaged line")
    worker.stop()
    assert lines_of(damages) == [2]
