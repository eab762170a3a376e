"""One server on a folder leads, however the one before it ends: never two, never none for long."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TextIO

import pytest
from filelock import FileLock

from balance.server.market_lock import MARKET_LOCK_FILE
from balance.store.file_store import FileStore
from balance.store.verification import verify
from tests.bots_alone import BOTS
from tests.length import rounds
from tests.listening import Listener
from tests.patience import wait_for
from tests.processes import PROCESSES, serve
from tests.serving import Server
from tests.test_bots_crash import check, feed, strategies  # noqa: F401 - fixtures among them

Start = Callable[..., Server]

HANDOVERS = rounds(4, 20)
FOLLOWERS = rounds(4, 10)
_BUY = {"symbol": "BTC/USDT", "side": "buy", "quantity": 0.01}


def _leads(server: Server) -> bool:
    return bool(server.get("/health").json()["leads"])


def _is_live(server: Server) -> bool:
    return bool(server.get("/prices").json()["state"] == "live")


def _wait_until_leading(server: Server) -> None:
    wait_for(lambda: _leads(server) and _is_live(server), "a server that leads")


def test_bots_trade_no_candle_twice_while_their_servers_are_killed(
    start_server: Start,
    folder: Path,
    feed: list[str],  # noqa: F811
    strategies: Path,  # noqa: F811
) -> None:
    options = [*feed, "--strategies", str(strategies)]
    chance = random.Random(7)
    leader = start_server(*options)
    for members in BOTS:
        made = leader.post(members, "/bots", headers={"Idempotency-Key": members["name"]})
        leader.post(path=f"/bots/{made.json()['bot']['id']}/start")
    for _ in range(HANDOVERS):
        follower = start_server(*options)
        before = FileStore(folder).read().revision
        time.sleep(chance.uniform(0, 0.4))
        leader.kill()
        _wait_until_leading(follower)
        check(folder, list(FileStore(folder).entries())[::-1])
        wait_for(
            lambda before=before: FileStore(folder).read().revision > before, "what the bots do"
        )
        leader = follower
    # what was answered by the first is known to the last
    again = leader.post(BOTS[0], "/bots", headers={"Idempotency-Key": str(BOTS[0]["name"])})
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(leader.get("/bots").json()["bots"]) == len(BOTS)
    assert leader.stop() == 0
    check(folder, list(FileStore(folder).entries())[::-1])


def test_a_server_that_is_stopped_keeps_the_lead(start_server: Start, folder: Path) -> None:
    first, second, third = (start_server() for _ in range(3))
    wait_for(lambda: _is_live(second), "prices")
    bought = first.post(_BUY, "/orders").json()
    os.kill(first.pid, signal.SIGSTOP)
    try:
        for each in (second, third):
            wait_for(lambda each=each: not _is_live(each), "stale prices")
            refused = each.post(_BUY, "/orders")
            assert refused.status_code == 503
            assert "This one takes over as soon as that one ends." in refused.json()["detail"]
        assert not _leads(second)
        assert not _leads(third)
    finally:
        os.kill(first.pid, signal.SIGCONT)
    for each in (second, third):
        wait_for(lambda each=each: _is_live(each), "live prices again")
    assert [_leads(each) for each in (first, second, third)] == [True, False, False]
    assert second.get("/positions").json()["positions"][0]["quantity"] == 0.01
    assert first.get().json()["revision"] == bought["revision"]
    assert verify(folder).faults == ()


def test_of_many_that_follow_exactly_one_leads(start_server: Start, folder: Path) -> None:
    leader, *others = [start_server() for _ in range(1 + FOLLOWERS)]
    while others:
        assert not any(_leads(each) for each in others)
        leader.kill()
        wait_for(lambda: any(_leads(each) for each in others), "one that leads")
        for each in others:
            wait_for(lambda each=each: _is_live(each), "prices that go on")
        (leader,) = [each for each in others if _leads(each)]
        others.remove(leader)
    assert verify(folder).faults == ()


def test_one_that_dies_while_it_takes_over_leaves_it_to_the_next(
    start_server: Start, folder: Path
) -> None:
    chance = random.Random(3)
    leader, second = start_server(), start_server()
    for _ in range(HANDOVERS):
        third = start_server()
        leader.post(_BUY, "/orders")
        leader.kill()
        time.sleep(chance.uniform(0, 0.35))
        second.kill()
        servers = third, start_server()
        wait_for(lambda servers=servers: any(map(_leads, servers)), "a server that leads")
        leader, second = sorted(servers, key=_leads, reverse=True)
        _wait_until_leading(leader)
        assert leader.post(_BUY, "/orders").status_code == 200
        assert verify(folder).faults == ()


def test_a_lock_file_that_is_deleted_lets_nobody_in(start_server: Start, folder: Path) -> None:
    first, second = start_server(), start_server()
    wait_for(lambda: _is_live(second), "prices")
    (folder / MARKET_LOCK_FILE).unlink()
    third = start_server()
    assert "Another server runs here already" in "".join(third.said)
    wait_for((folder / MARKET_LOCK_FILE).exists, "the lock file")
    with Listener(second.port) as listener:
        for _ in range(8):
            listener.next()
    assert [_leads(each) for each in (first, second, third)] == [True, False, False]


def test_a_server_that_has_lost_the_lock_ends(start_server: Start, folder: Path) -> None:
    server = start_server()
    older = FileLock(folder / MARKET_LOCK_FILE)

    def is_taken() -> bool:
        # the server makes it anew at once: who comes between has it
        (folder / MARKET_LOCK_FILE).unlink(missing_ok=True)
        return older.acquire(timeout=0).lock.is_locked

    wait_for(is_taken, "the lock of an older program")
    code = server.ended()
    older.release()
    assert code == 1
    assert "market.lock was taken from this server" in server.said[-1]


def _market_time(server: Server) -> str:
    return str(server.get("/prices").json()["prices"]["BTC/USDT"]["time"])


@pytest.mark.parametrize("names_it", [True, False])
def test_a_replay_goes_on_from_where_the_first_server_was(
    start_server: Start, tmp_path: Path, names_it: bool
) -> None:
    candles = ["time,open,high,low,close,volume"]
    for number in range(6_000):
        moment = f"2022-01-{1 + number // 1440:02} {number // 60 % 24:02}:{number % 60:02}"
        candles.append(f"{moment}:00,{100 + number},{101 + number},{100 + number},{101 + number},5")
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(candles))
    options = ("--feed", f"replay:BTC/USDT={file}", "--speed", "600", "--from", "2022-01-01T10:00")
    first = start_server(*options)
    # one that names no feed has that of the first
    second = start_server(*options if names_it else ())
    first.post(_BUY, "/orders")
    wait_for(lambda: _is_live(second) and _market_time(second) > "2022-01-01T10:20", "20 minutes")
    seen = _market_time(second)
    first.kill()
    _wait_until_leading(second)
    wait_for(lambda: _market_time(second) > seen, "prices that go on")
    assert _market_time(second) < "2022-01-02"
    assert second.get("/prices").json()["label"] == "REPLAY 600x"
    assert second.get("/positions").json()["positions"]


class _OnSlowDisk(Server):
    """A server whose disk confirms nothing while it is told so."""

    def _begin(self, arguments: Sequence[str]) -> TextIO:
        said, saying = PROCESSES.Pipe(duplex=False)
        self.is_slow = PROCESSES.Event()
        self.waits = PROCESSES.Event()
        self._process = PROCESSES.Process(
            target=_serve_slowly, args=(arguments, saying, self.is_slow, self.waits)
        )
        self._process.start()
        saying.close()
        return os.fdopen(os.dup(said.fileno()))


def _serve_slowly(arguments: Sequence[str], saying: Connection, is_slow: Any, waits: Any) -> None:
    confirm = os.fsync

    def slow(descriptor: int) -> None:
        while is_slow.is_set():
            waits.set()
            time.sleep(0.01)
        confirm(descriptor)

    os.fsync = slow
    serve(arguments, saying)


def test_a_server_whose_disk_is_slow_keeps_the_lead(
    start_server: Start, folder: Path, request: pytest.FixtureRequest
) -> None:
    first = _OnSlowDisk(folder)
    request.addfinalizer(first.kill)
    second = start_server()
    wait_for(lambda: _is_live(second), "prices")
    first.is_slow.set()
    wait_for(first.waits.is_set, "a write that waits")
    wait_for(lambda: not _is_live(second), "stale prices")
    assert not _leads(second)
    first.is_slow.clear()
    wait_for(lambda: _is_live(second), "prices that go on")
    assert (_leads(first), _leads(second)) == (True, False)
    assert second.post(_BUY, "/orders").status_code == 200
    first.kill()
    _wait_until_leading(second)
    assert verify(folder).faults == ()
