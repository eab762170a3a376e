"""The worker: turns in a thread of its own, whatever goes wrong in one of them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from balance.background.worker import Worker
from tests.patience import patience

#: Longer than any test waits: a turn that comes earlier came for another reason.
LONG = 3_600.0


class Turns:
    """Turns that are scripted: each returns, or raises, the next result; later ones return None."""

    def __init__(self, *results: float | Exception | None) -> None:
        self._results = list(results)
        self._taken: queue.Queue[threading.Thread] = queue.Queue()

    def __call__(self) -> float | None:
        self._taken.put(threading.current_thread())
        result = self._results.pop(0) if self._results else None
        if isinstance(result, Exception):
            raise result
        return result

    def next(self) -> threading.Thread:
        """The thread of the next turn; waits for it."""
        return self._taken.get(timeout=patience())

    @property
    def is_over(self) -> bool:
        """Whether there was no further turn."""
        return self._taken.empty()


@pytest.fixture
def run() -> Iterator[Callable[..., Worker]]:
    """Starts workers, and stops them after the test."""
    workers = []

    def started(turns: Turns, **options: float | Callable[[], None]) -> Worker:
        worker = Worker("tested", turns, "it did not work", **options)  # type: ignore[arg-type]
        workers.append(worker)
        worker.start()
        return worker

    yield started
    for worker in workers:
        worker.stop()


def test_turns_are_taken_in_one_thread_of_their_own(run: Callable[..., Worker]) -> None:
    turns = Turns()
    run(turns, every=0.001)
    first = turns.next()
    assert (first.name, first.daemon) == ("tested", True)
    assert turns.next() is first is not threading.current_thread()


def test_a_turn_says_when_the_next_one_is_due(run: Callable[..., Worker]) -> None:
    turns = Turns(0.0, 0.001, None)
    worker = run(turns)
    for _ in range(3):
        turns.next()
    worker.stop()
    assert turns.is_over


def test_a_worker_that_is_woken_takes_its_turn_at_once(run: Callable[..., Worker]) -> None:
    turns = Turns(LONG, LONG)
    worker = run(turns)
    turns.next()
    worker.wake("news", 1)
    turns.next()


def test_turns_that_are_due_at_once_do_not_wait_until_all_is_settled(
    run: Callable[..., Worker],
) -> None:
    turns = Turns(0, 0, LONG)
    worker = run(turns, settle=LONG)
    worker.wake()
    for _ in range(3):
        turns.next()


def test_many_calls_cost_one_turn_once_all_is_settled(run: Callable[..., Worker]) -> None:
    turns = Turns()
    worker = run(turns, settle=LONG)
    turns.next()
    for _ in range(5):
        worker.wake()
    worker.stop()
    assert turns.is_over


def test_a_failure_is_logged_once_until_a_turn_has_succeeded(
    run: Callable[..., Worker], caplog: pytest.LogCaptureFixture
) -> None:
    fault = ZeroDivisionError("zero")
    turns = Turns(fault, fault, None, fault, LONG)
    worker = run(turns, every=0.0)
    for _ in range(5):
        turns.next()
    worker.stop()
    assert caplog.messages == ["it did not work"] * 2
    assert "ZeroDivisionError: zero" in caplog.text


def test_a_stopped_worker_has_done_what_comes_last(run: Callable[..., Worker]) -> None:
    turns, last = Turns(), Turns()
    worker = run(turns, last=last)
    thread = turns.next()
    worker.stop()
    assert last.next() is thread
    worker.stop()
    worker.start()
    assert turns.is_over
    assert last.is_over


def test_a_worker_that_was_not_started_can_be_stopped() -> None:
    turns = Turns()
    worker = Worker("tested", turns, "it did not work")
    worker.stop()
    worker.start()
    assert turns.is_over


def test_a_stop_need_not_wait_for_the_turn_under_way() -> None:
    is_due, ended = threading.Event(), threading.Event()

    def turn() -> None:
        is_due.wait(patience())
        ended.set()

    worker = Worker("tested", turn, "it did not work")
    worker.start()
    worker.stop(wait=False)
    assert not ended.is_set()
    is_due.set()
    worker.stop()
    assert ended.is_set()
