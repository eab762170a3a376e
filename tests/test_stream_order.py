"""What a stream tells: the newest message, none twice, none out of order, until it is closed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from balance.api.stream import Stream, StreamClosed, StreamFull
from balance.core.errors import StoreUnreadable
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from tests.patience import patience, wait_for

FIRST = Desk(MemoryStore()).snapshot()
FAULT = StoreUnreadable("virtual_balance.json", "is damaged")


def at(revision: int, tick: int = 0, account: str = FIRST.account) -> Snapshot:
    return replace(FIRST, revision=revision, tick=tick, account=account)


def listening(stream: Stream) -> Iterator[bytes]:
    """The messages of ``stream``, after the one that says how soon to connect again."""
    messages = stream.listen()
    assert next(messages).startswith(b"retry: ")
    return messages


def told(message: bytes) -> tuple[int, int]:
    """The revision and the tick that a snapshot's message tells."""
    lines = dict(line.split(": ", 1) for line in message.decode().strip().split("\n"))
    snapshot = json.loads(lines["data"])
    assert lines["id"] == str(snapshot["revision"])
    return snapshot["revision"], snapshot["tick"]


@pytest.fixture
def stream() -> Stream:
    """A stream of which each listener soon hears a heartbeat."""
    return Stream(most_listeners=50, heartbeat=0.02)


def test_a_new_listener_hears_the_newest_message_only(stream: Stream) -> None:
    for revision in (1, 2, 3):
        stream.publish(at(revision))
    assert told(next(listening(stream))) == (3, 0)


@pytest.mark.parametrize(
    "late",
    [at(3), at(2), at(1, tick=9), at(3, tick=1)],
    ids=["the same", "an older revision", "an older revision's price", "an older price"],
)
def test_what_is_not_newer_is_not_told(stream: Stream, late: Snapshot) -> None:
    messages = listening(stream)
    stream.publish(at(3, tick=1) if late.tick == 1 else at(3))
    assert told(next(messages))[0] == 3
    stream.publish(late)
    assert b"heartbeat" in next(messages)


def test_a_price_move_is_news_though_the_revision_is_the_same(stream: Stream) -> None:
    messages = listening(stream)
    for tick in (1, 2):
        stream.publish(at(3, tick))
        assert told(next(messages)) == (3, tick)


def test_another_account_is_news_whatever_its_revision(stream: Stream) -> None:
    messages = listening(stream)
    stream.publish(at(30))
    assert told(next(messages)) == (30, 0)
    stream.publish(at(1, account="another"))
    assert told(next(messages)) == (1, 0)


def test_a_heartbeat_tells_the_newest_revision(stream: Stream) -> None:
    messages = listening(stream)
    assert b'{"revision":0}' in next(messages)
    stream.publish(at(7))
    next(messages)
    assert b'{"revision":7}' in next(messages)


def test_a_fault_is_told_once_and_what_comes_after_it_though_it_is_not_newer(
    stream: Stream,
) -> None:
    messages = listening(stream)
    stream.publish(at(3))
    assert told(next(messages)) == (3, 0)
    stream.publish_fault(FAULT)
    assert next(messages).startswith(b"event: fault\ndata: {")
    stream.publish_fault(FAULT)
    assert b"heartbeat" in next(messages)
    stream.publish(at(3))
    assert told(next(messages)) == (3, 0)


def test_a_place_is_taken_at_once_and_given_back_once(stream: Stream) -> None:
    full = Stream(most_listeners=1)
    full.listen()
    with pytest.raises(StreamFull):
        full.listen()
    full.leave()
    full.listen()
    assert full.listeners == 1


def test_no_listener_hears_anything_twice_or_out_of_order(stream: Stream) -> None:
    heard: list[list[tuple[int, int]]] = [[] for _ in range(8)]

    def listen(mine: list[tuple[int, int]]) -> None:
        mine.extend(told(each) for each in listening(stream) if each.startswith(b"id"))

    def publish(start: int) -> None:
        # each thread is late with what the others have told already
        for revision in range(start, 400, 4):
            stream.publish(at(revision))
            stream.publish(at(revision, tick=1))

    listeners = [threading.Thread(target=listen, args=(mine,)) for mine in heard]
    publishers = [threading.Thread(target=publish, args=(start,)) for start in (1, 2, 3, 4)]
    for thread in (*listeners, *publishers):
        thread.start()
    for thread in publishers:
        thread.join()
    stream.publish(at(1_000))
    wait_for(lambda: all(mine and mine[-1] == (1_000, 0) for mine in heard), "the newest")
    stream.close()
    for thread in listeners:
        thread.join(patience())
        assert not thread.is_alive()
    for mine in heard:
        assert mine == sorted(set(mine))


def test_closing_lets_everyone_go_at_once_and_nobody_in() -> None:
    stream = Stream(most_listeners=50, heartbeat=10 * patience())
    threads = [threading.Thread(target=list, args=(stream.listen(),)) for _ in range(20)]
    for thread in threads:
        thread.start()
    stream.close()
    for thread in threads:
        thread.join(patience())
        assert not thread.is_alive()
    with pytest.raises(StreamClosed):
        stream.listen()
