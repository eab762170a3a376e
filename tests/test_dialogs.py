"""What all dialogs do with what they send."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import NamedTuple

from callbacks.dialogs import send
from tests.patience import patience

KEY, OTHER = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"


class Done(NamedTuple):
    message: str = "It is done."
    replayed: bool = False


def test_only_what_is_sent_with_the_same_key_waits_for_a_slow_request() -> None:
    started, may_end, had_ended = Event(), Event(), []

    def slow() -> Done:
        started.set()
        assert may_end.wait(patience())
        return Done()

    def again() -> Done:
        had_ended.append(may_end.is_set())
        return Done()

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(send, KEY, slow, quiet=True)
        assert started.wait(patience())
        second = pool.submit(send, KEY, again, quiet=True)
        assert send(OTHER, Done, quiet=True)[:2] == (False, "")
        may_end.set()
        assert first.result(patience())[:2] == second.result(patience())[:2] == (False, "")
    assert had_ended == [True]
