"""The answers to keyed requests are kept, the newest at least; one that is lost is noticed."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.errors import StoreUnreadable
from balance.store.answer_file import AnswerFile
from balance.store.state import Keyed, Request, State, first_state, next_state
from tests.accounts import MOMENT
from tests.processes import ROOT
from tests.refusing import RefusingDisk


def answer(revision: int) -> State:
    """The state that answered the key ``k<revision>``."""
    state = first_state("a", operations.start_account(), MOMENT, "x")
    operation, request = partial(operations.adjust, amount=revision), Request(f"k{revision}", "f")
    state = next_state(state, operation, MOMENT, "x", request)
    entries = tuple(replace(entry, revision=revision) for entry in state.entries)
    return replace(state, revision=revision, entries=entries, previous_answered=revision - 1)


def keyed(revision: int) -> Keyed | None:
    """What the ledger has of that."""
    return Keyed(revision, Request(f"k{revision}", "f"), revision - 1)


def nothing(revision: int) -> Keyed | None:
    """What a ledger has without keys."""


@pytest.fixture
def answers(tmp_path: Path) -> AnswerFile:
    """A file that keeps at least five."""
    return AnswerFile(tmp_path / "answers.jsonl", kept=5)


def kept(answers: AnswerFile, last: int) -> list[int]:
    """The revisions whose answers are found without a ledger."""
    return [n for n in range(1, last + 1) if answers.find(f"k{n}", last, nothing) is not None]


def lines(answers: AnswerFile) -> list[bytes]:
    return answers.path.read_bytes().splitlines(keepends=True)


def test_each_answer_is_found_as_it_was(answers: AnswerFile) -> None:
    assert answers.find("k1", 0, nothing) is None
    for revision in (1, 2, 3):
        answers.append(answer(revision))
    found = [answers.find(f"k{n}", 3, nothing) for n in (1, 2, 3)]
    assert [each.state for each in found if each] == [answer(n) for n in (1, 2, 3)]
    assert answers.find("k", 3, nothing) is None
    assert answers.find('k1", "x', 3, nothing) is None


@pytest.mark.parametrize("count", [5, 9, 10, 11, 15, 40])
def test_the_newest_are_kept_and_the_file_stays_short(answers: AnswerFile, count: int) -> None:
    for revision in range(1, count + 1):
        answers.append(answer(revision))
        found = kept(answers, revision)
        assert found == list(range(revision - len(found) + 1, revision + 1))
        assert min(revision, 5) <= len(found) <= 10
        assert len(lines(answers)) == len(found)
        assert list(answers.faults(revision)) == []
        # That of the newest commit may not be there yet, also where it cut the file back.
        assert list(answers.faults(revision - 1)) == []


def test_a_torn_line_is_no_answer_and_is_dropped_by_the_next(answers: AnswerFile) -> None:
    answers.append(answer(1))
    whole = answers.path.read_bytes()
    answers.append(answer(2))
    torn = answers.path.read_bytes()
    for end in [*range(len(whole) + 1, len(torn), 50), len(torn) - 1]:
        answers.path.write_bytes(torn[:end])
        assert kept(answers, 1) == [1]
        assert list(answers.faults(1)) == []
        answers.append(answer(2))
        assert kept(answers, 2) == [1, 2]
        assert answers.path.read_bytes() == torn


def test_a_lost_answer_of_the_newest_change_is_written_again_and_once(
    answers: AnswerFile,
) -> None:
    answers.append(answer(1))
    for _ in range(3):
        answers.mend(answer(2))
    assert kept(answers, 2) == [1, 2]
    assert len(lines(answers)) == 2


def test_a_change_without_a_key_has_no_answer_to_keep(answers: AnswerFile) -> None:
    answers.mend(first_state("a", operations.start_account(), MOMENT, "x"))
    assert not answers.path.exists()


def test_what_another_program_appends_is_known_at_once(answers: AnswerFile) -> None:
    other = AnswerFile(answers.path, kept=5)
    for revision in range(1, 30):
        (answers, other)[revision % 2].append(answer(revision))
        for each in (answers, other):
            assert each.find(f"k{revision}", revision, nothing) is not None
            assert revision - 4 in [0, -1, -2, -3, *kept(each, revision)]


DAMAGE = {
    "gone": lambda path: path.unlink(),
    "emptied": lambda path: path.write_bytes(b""),
    "all garbage": lambda path: path.write_bytes(b"garbage\n\xff\0\n\n"),
    "first lines gone": lambda path: keep(path, slice(2, None)),
    "last lines gone": lambda path: keep(path, slice(None, -2)),
    "lines gone within": lambda path: keep(path, slice(None, None, 2)),
    "digit changed": lambda path: replace_in(path, b'"balance": "10002.00"', b'"balance": "10003"'),
    "key changed": lambda path: replace_in(path, b'"key": "k2"', b'"key": "k9"'),
    "fingerprint changed": lambda path: replace_in(
        path, b'"fingerprint": "f"', b'"fingerprint": "g"'
    ),
}


def keep(path: Path, part: slice) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[part]))


def replace_in(path: Path, old: bytes, new: bytes) -> None:
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new, 1))


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
@pytest.mark.parametrize("opened", ["opened before", "opened after"])
def test_a_lost_answer_is_noticed_and_its_key_taken_from_the_ledger(
    answers: AnswerFile, damage: object, opened: str
) -> None:
    for revision in range(1, 5):
        answers.append(answer(revision))
    if opened == "opened before":
        assert kept(answers, 4) == [1, 2, 3, 4]
    else:
        answers = AnswerFile(answers.path, kept=5)
    sound = set(lines(answers))
    damage(answers.path)  # type: ignore[operator]
    before = answers.path.read_bytes() if answers.path.exists() else b""
    left = [text in before for text in sorted(sound)]
    assert list(answers.faults(4))
    with pytest.raises(StoreUnreadable, match="lacks the answer of revision"):
        answers.find(f"k{left.index(False) + 1}", 4, nothing)
    found = [answers.find(f"k{n}", 4, keyed) for n in range(1, 5)]
    assert [(each.revision, each.request.key) for each in found if each] == [
        (n, f"k{n}") for n in range(1, 5)
    ]
    assert [each.state for each in found if each] == [
        answer(n) if is_left else None for n, is_left in enumerate(left, start=1)
    ]
    assert answers.find("k9", 4, nothing) is None
    assert list(answers.faults(4)) == []
    # The file as it was is beside it, and the next answer is kept as ever.
    copies = answers.path.parent.glob("answers.damaged-*.jsonl")
    assert [path.read_bytes() for path in copies] == ([] if damage is DAMAGE["gone"] else [before])
    answers.append(answer(5))
    assert kept(AnswerFile(answers.path, kept=5), 5) == [1, 2, 3, 4, 5]


def test_a_byte_that_changes_under_a_running_program_is_never_answered(
    answers: AnswerFile,
) -> None:
    for revision in (1, 2, 3):
        answers.append(answer(revision))
    text = answers.path.read_bytes()
    for place in range(0, len(text), 7):
        answers.path.write_bytes(text)
        assert kept(answers, 3) == [1, 2, 3]
        changed = bytearray(text)
        changed[place] ^= 1
        answers.path.write_bytes(changed)
        for n in (1, 2, 3):
            found = answers.find(f"k{n}", 3, keyed)
            assert found is not None
            assert found.revision == n
            assert found.state in (answer(n), None)
        for copy in answers.path.parent.glob("answers.damaged-*.jsonl"):
            copy.unlink()


def test_only_as_many_are_taken_from_the_ledger_as_are_kept(answers: AnswerFile) -> None:
    for revision in range(1, 31):
        answers.append(answer(revision))
    answers.path.unlink()
    assert answers.find("k26", 30, keyed) is not None
    assert kept(answers, 30) == [26, 27, 28, 29, 30]
    assert list(answers.faults(30)) == []


def test_answers_of_another_account_are_not_found(answers: AnswerFile) -> None:
    for revision in range(1, 8):
        answers.append(answer(revision))
    # The account and its ledger were put back to revision 3, and went on with another request.
    other = replace(answer(4), request=Request("other", "f"))
    answers.append(other)
    assert [each for each in kept(answers, 4) if each > 3] == []
    found = answers.find("other", 4, nothing)
    assert found is not None
    assert found.state == other


@pytest.mark.parametrize("in_the_way", ["folder", "loop"])
def test_a_file_that_can_not_be_read_is_told(answers: AnswerFile, in_the_way: str) -> None:
    if in_the_way == "folder":
        answers.path.mkdir()
    else:
        answers.path.symlink_to(answers.path)
    assert all("can't be read: " in fault for fault in answers.faults(1))
    for act in (lambda: answers.find("k1", 1, nothing), lambda: answers.mend(answer(1))):
        with pytest.raises(StoreUnreadable, match=r"answers\.jsonl can't be read"):
            act()


def test_an_answer_that_the_disk_refused_is_written_by_the_next(tmp_path: Path) -> None:
    disk = RefusingDisk()
    answers = AnswerFile(tmp_path / "answers.jsonl", disk=disk)
    answers.append(answer(1))
    for call in ("write", "sync"):
        with disk.refusing(call), pytest.raises(OSError, match="No space"):
            answers.append(answer(2))
        assert kept(answers, 1) == [1]
    answers.mend(answer(2))
    assert kept(answers, 2) == [1, 2]
    assert list(answers.faults(2)) == []


def test_the_lines_of_an_older_version_are_taken_over_once(answers: AnswerFile) -> None:
    shutil.copy(ROOT / "tests" / "schema_1" / "answers.jsonl", answers.path)
    old = {text: json.loads(text) for text in lines(answers)}
    revisions = [each["state"]["revision"] for each in old.values()]
    answers = AnswerFile(answers.path)
    assert list(answers.faults(0)) == []
    assert answers.take_over(10**9) == revisions[-1]
    taken = answers.path.read_bytes()
    for document in old.values():
        found = answers.find(document["key"], revisions[-1], nothing)
        assert found is not None
        assert found.state is not None
        assert found.state.request == found.request
        assert found.revision == document["state"]["revision"]
    assert answers.take_over(10**9) == revisions[-1]
    assert answers.path.read_bytes() == taken
    assert list(answers.faults(revisions[-1])) == []


def test_the_answers_of_a_repaired_ledger_are_linked_anew(answers: AnswerFile) -> None:
    for revision in range(1, 5):
        answers.append(answer(revision))
    keep(answers.path, slice(1, 3))
    booked = {n: each for n in (1, 4) if (each := keyed(n))}
    assert answers.link(booked) == 2
    assert kept(answers, 4) == [1, 2, 3, 4]
    found = [answers.find(f"k{n}", 4, nothing) for n in range(1, 5)]
    assert [each is not None and each.state is not None for each in found] == [
        *(False, True, True, False),
    ]
