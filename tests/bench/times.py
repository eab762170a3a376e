"""How long single things take that nobody should have to wait for.

    .venv/bin/python tests/bench/times.py

A change until the last of 20 and of 150 listeners has heard of it, a request beside 150 listeners,
a change by another program until it is told, and a simulated market's start and state.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.market.simulated.feed import SimulatedFeed
from balance.open_account import open_account
from tests.listening import Listener
from tests.standing import StandingServer

_TRIES = 20


def _measured(what: str, act: Callable[[], object]) -> None:
    times = []
    for _ in range(_TRIES):
        begin = time.perf_counter()
        act()
        times.append((time.perf_counter() - begin) * 1_000)
    print(f"{what}: median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms")


def _heard(many: list[Listener], change: Callable[[], int]) -> None:
    revision = change()
    for listener in many:
        listener.until(revision)


def _listeners(server: StandingServer, count: int) -> Iterator[list[Listener]]:
    with ExitStack() as stack:
        many = [stack.enter_context(Listener(server.port)) for _ in range(count)]
        for each in many:
            each.next()
        yield many


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as place, StandingServer(Path(place) / "account") as server:

        def by_request() -> int:
            return int(server.post({"adjust": 1}).json()["revision"])

        def by_program() -> int:
            return open_account(server.folder).adjust(1).revision

        for count in (20, 150):
            for many in _listeners(server, count):
                _measured(f"a change to {count} listeners", lambda m=many: _heard(m, by_request))
                _measured(f"a request beside {count} listeners", server.get)
        for many in _listeners(server, 1):
            _measured("a change by a program", lambda m=many: _heard(m, by_program))
    _measured("the start of a simulated market", lambda: SimulatedFeed().next(0))
    feed = SimulatedFeed()
    feed.next(0)
    _measured("what is kept of it", feed.saved)


if __name__ == "__main__":
    main()
