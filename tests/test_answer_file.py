"""The answers to keyed requests are kept, the newest at least, whatever a writer came to."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from balance.core import operations
from balance.core.errors import StoreUnreadable
from balance.store.answer_file import AnswerFile
from balance.store.state import Request, State, first_state, next_state
from tests.accounts import MOMENT


def answer(revision: int) -> State:
    """The state that answered the key ``k<revision>``."""
    state = first_state("a", operations.start_account(), MOMENT, "x")
    operation, request = partial(operations.adjust, amount=revision), Request(f"k{revision}", "f")
    state = next_state(state, operation, MOMENT, "x", request)
    entries = tuple(
        type(entry)(
            revision=revision, line=entry.line, time=MOMENT, source="x", booking=entry.booking
        )
        for entry in state.entries
    )
    return State(
        account_id="a",
        revision=revision,
        changed_at=MOMENT,
        account=state.account,
        entries=entries,
        request=request,
    )


@pytest.fixture
def answers(tmp_path: Path) -> AnswerFile:
    """A file that keeps at least five."""
    return AnswerFile(tmp_path / "answers.jsonl", kept=5)


def found(answers: AnswerFile, last: int) -> list[int]:
    return [n for n in range(1, last + 1) if answers.find(f"k{n}") is not None]


def test_each_answer_is_found_as_it_was(answers: AnswerFile) -> None:
    assert answers.find("k1") is None
    for revision in (1, 2, 3):
        answers.append(answer(revision))
    assert [answers.find(f"k{n}") for n in (1, 2, 3)] == [answer(n) for n in (1, 2, 3)]
    assert answers.find("k") is None
    assert answers.find('k1", "x') is None


@pytest.mark.parametrize("count", [5, 9, 10, 11, 15, 40])
def test_the_newest_are_kept_and_the_file_stays_short(answers: AnswerFile, count: int) -> None:
    for revision in range(1, count + 1):
        answers.append(answer(revision))
        kept = found(answers, revision)
        assert kept == list(range(revision - len(kept) + 1, revision + 1))
        assert min(revision, 5) <= len(kept) <= 10
        assert len(answers.path.read_bytes().splitlines()) == len(kept)


def test_a_torn_line_is_no_answer_and_is_dropped_by_the_next(answers: AnswerFile) -> None:
    answers.append(answer(1))
    whole = answers.path.read_bytes()
    answers.append(answer(2))
    torn = answers.path.read_bytes()
    for end in [*range(len(whole), len(torn), 50), len(torn) - 1]:
        answers.path.write_bytes(torn[:end])
        assert found(answers, 2) == [1]
        assert answers.faults() == []
        answers.append(answer(3))
        assert found(answers, 3) == [1, 3]


def test_a_lost_answer_of_the_newest_change_is_written_again_and_once(
    answers: AnswerFile,
) -> None:
    answers.append(answer(1))
    for _ in range(3):
        answers.mend(answer(2))
    assert found(answers, 2) == [1, 2]
    assert len(answers.path.read_bytes().splitlines()) == 2


def test_a_change_without_a_key_has_no_answer_to_keep(answers: AnswerFile) -> None:
    answers.mend(first_state("a", operations.start_account(), MOMENT, "x"))
    assert not answers.path.exists()


def test_a_damaged_answer_is_an_error_for_its_key_only(answers: AnswerFile) -> None:
    for revision in (1, 2, 3):
        answers.append(answer(revision))
    text = answers.path.read_bytes()
    answers.path.write_bytes(text.replace(b'"revision": 2', b'"revision": []'))
    with pytest.raises(StoreUnreadable, match="is damaged"):
        answers.find("k2")
    assert (answers.find("k1"), answers.find("k3")) == (answer(1), answer(3))
    assert [fault.partition(" does")[0] for fault in answers.faults()] == ["answers.jsonl line 2"]
    answers.drop_damaged()
    assert found(answers, 3) == [1, 3]
    assert answers.faults() == []
