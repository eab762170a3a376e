"""The stream over HTTP: every listener has the newest balance at once, and nothing holds it up."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from app import create_app
from balance.api.encoding import answer as answered
from balance.api.encoding import encoded
from balance.api.stream import HEARTBEAT_SECONDS, Stream
from balance.core.errors import StoreFailed
from balance.desk.desk import Desk
from balance.server.assembly import services_alone
from balance.store.damage import Damage
from balance.store.memory_store import MemoryStore
from tests.answers import problem
from tests.described import check
from tests.listening import Listener
from tests.patience import patience, wait_for
from tests.serving import ROOT, Server
from tests.standing import StandingServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all, on which nothing happens but what a test does."""
    with StandingServer(tmp_path_factory.mktemp("stream") / "account") as running:
        yield running


def listeners(server: Server) -> int:
    return int(server.get("/health").json()["streams"])


def test_a_listener_is_told_the_whole_snapshot_first(server: Server) -> None:
    server.post({"adjust": 0.00000001})
    with Listener(server.port) as listener:
        first = listener.next()
        assert listener.answer.headers["Content-Type"].startswith("text/event-stream")
        assert listener.answer.headers["Cache-Control"] == "no-store"
        snapshot = server.get().json()
        assert first.data == snapshot
        assert first.id == str(snapshot["revision"])


def test_a_change_comes_to_every_listener(server: Server) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(Listener(server.port)) for _ in range(20)]
        for listener in many:
            listener.next()
        for amount in (1, -2.5, 3):
            told = server.post({"adjust": amount}).json()
            del told["message"]
            for listener in many:
                event = listener.next()
                assert event.data == told
                assert event.id == str(told["revision"])


def test_known_damage_is_told_at_once_and_at_every_change() -> None:
    stream, desk = Stream(1), Desk(MemoryStore())
    services = services_alone(desk, stream)
    messages = stream.listen()

    def told() -> dict[str, Any]:
        named = next(each for each in messages if each.startswith(b"event: damage\n"))
        document: dict[str, Any] = json.loads(named.partition(b"data: ")[2])
        return document

    assert told() == {"status": "success", "version": 0, "damage": []}
    services.damages.report(Damage("ledger.jsonl", 17, "Line 17 does not match its checksum."))
    line = {"file": "ledger.jsonl", "line": 17, "message": "Line 17 does not match its checksum."}
    assert told() == {"status": "success", "version": 1, "damage": [line]}
    health = create_app(desk, stream, services=services).server.test_client().get("/health")
    check(health, "GET", "/health")
    assert health.get_json()["damage"] == [line]
    services.damages.clear("ledger.jsonl")
    assert told() == {"status": "success", "version": 2, "damage": []}


def test_a_listener_hears_something_every_five_seconds_when_nothing_happens(
    server: Server,
) -> None:
    assert HEARTBEAT_SECONDS < 5
    with Listener(server.port) as listener:
        revision = listener.next().data["revision"]
        beats = [listener.next("heartbeat"), listener.next("heartbeat")]
        assert [beat.data for beat in beats] == [{"revision": revision}] * 2


def test_a_listener_misses_nothing_and_hears_nothing_twice_of_many_changes(
    server: Server,
) -> None:
    with Listener(server.port) as listener:
        start = listener.next().data["revision"]
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: server.post({"adjust": 1}), range(40)))
        revisions = [event.data["revision"] for event in listener.until(start + 40)]
    # what a slow listener could not take in time is left out, never late
    assert revisions == sorted(set(revisions))
    assert revisions[-1] == start + 40


def test_prices_that_move_are_told(folder: Path) -> None:
    with Server(folder) as moving, Listener(moving.port) as listener:
        listener.next()
        events = [listener.next() for _ in range(6)]
    assert {event.data["revision"] for event in events} == {1}
    ticks = [event.data["tick"] for event in events]
    assert ticks == sorted(set(ticks))
    prices = {event.data["market"]["prices"]["BTC/USDT"]["last"] for event in events}
    assert len(prices) > 1


def test_a_change_by_another_program_comes_to_the_listeners(server: Server) -> None:
    with Listener(server.port) as listener:
        before = listener.next().data
        done = subprocess.run(
            [sys.executable, "-m", "balance", "deposit", "7", "--data-dir", server.folder],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        event = listener.next()
        assert b"Deposited 7.00" in done.stdout
        assert event.data["revision"] == before["revision"] + 1
        assert event.data["balance"] == before["balance"] + 7


def test_a_damaged_file_is_told_and_so_is_that_it_is_whole_again(server: Server) -> None:
    file = server.folder / "virtual_balance.json"
    whole = file.read_bytes()
    with Listener(server.port) as listener:
        before = listener.next().data
        file.write_bytes(b"{")
        try:
            fault = listener.next("fault")
            assert fault.data["status"] == 503
            assert "virtual_balance.json" in fault.data["detail"]
            assert "balance" not in fault.data
            with Listener(server.port) as late:
                assert late.next("fault", "message").data == fault.data
        finally:
            file.write_bytes(whole)
        assert listener.next().data["balance"] == before["balance"]
        assert server.post({"adjust": 1}).status_code == 200
        assert listener.next().data["balance"] == before["balance"] + 1


def test_a_listener_that_is_gone_gives_its_place_back(server: Server) -> None:
    wait_for(lambda: listeners(server) == 0, "the end of all others")
    with Listener(server.port) as one, Listener(server.port) as two:
        one.next()
        two.next()
        assert listeners(server) == 2
        one.close()
        wait_for(lambda: listeners(server) == 1, "the end of the one")
        # the other is still told
        server.post({"adjust": 1})
        two.next()
        assert listeners(server) == 1


def test_a_hundred_and_fifty_listeners_hold_nobody_up(server: Server) -> None:
    with ExitStack() as stack:
        many = [stack.enter_context(Listener(server.port)) for _ in range(150)]
        for listener in many:
            listener.next()
        assert listeners(server) >= 150

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: server.get(), range(80)))
        assert {answer.status_code for answer in answers} == {200}
        told = server.post({"adjust": 1}).json()
        assert told["status"] == "success"
        for listener in many:
            assert listener.until(told["revision"])[-1].data["balance"] == told["balance"]


def test_a_listener_that_reads_nothing_holds_nobody_up(server: Server) -> None:
    # its connection fills up and its messages wait for it, in the server's memory at most one
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=patience()) as deaf,
        Listener(server.port) as listener,
    ):
        deaf.sendall(b"GET /virtual_balance/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
        listener.next()
        for _ in range(50):
            revision = server.post({"adjust": 1}).json()["revision"]
        assert listener.until(revision)[-1].data["revision"] == revision


def test_more_listeners_than_there_are_places_for_are_told_to_ask_instead() -> None:
    desk, stream = Desk(MemoryStore()), Stream(most_listeners=2, heartbeat=0.05)
    client = create_app(desk, stream).server.test_client()
    path = "/virtual_balance/stream"
    first, second = client.get(path), client.get(path)
    refused = client.get(path)
    assert "request /virtual_balance instead" in problem(refused, 503)["detail"]
    assert int(refused.headers["Retry-After"]) >= 1
    assert client.get("/virtual_balance").status_code == 200
    assert client.get("/health").get_json()["streams"] == 2

    first.close()
    again = client.get(path)
    assert again.status_code == 200
    for answer in (second, again):
        answer.close()
    assert stream.listeners == 0


def test_a_server_that_is_stopping_takes_no_more_listeners() -> None:
    stream = Stream(most_listeners=2)
    client = create_app(Desk(MemoryStore()), stream).server.test_client()
    stream.close()
    answer = client.get("/virtual_balance/stream")
    problem(answer, 503)
    assert answer.headers["Retry-After"]


def test_a_message_is_whole_json_on_one_line() -> None:
    desk, stream = Desk(MemoryStore()), Stream(most_listeners=1)
    client = create_app(desk, stream).server.test_client()
    desk.deposit("0.00000001", note="a note")
    answer = client.get("/virtual_balance/stream")
    messages = iter(answer.response)
    retry, first = bytes(next(messages)), bytes(next(messages))
    answer.close()
    assert retry.startswith(b"retry: ")
    tag, data, *rest = first.decode().split("\n")
    assert tag == "id: 2"
    assert rest == ["", ""]
    assert json.loads(data.removeprefix("data: "))["deposits"] == 1e-8


class TestBots:
    """The bots are a second kind of message, beside the snapshots."""

    @pytest.fixture
    def stream(self) -> Stream:
        """One that nobody listens to yet."""
        return Stream(most_listeners=3, heartbeat=0.05)

    @pytest.fixture
    def desk(self, stream: Stream) -> Desk:
        """An account whose changes it tells."""
        desk = Desk(MemoryStore())
        desk.subscribe(stream.publish)
        return desk

    def test_a_new_listener_hears_the_newest_of_both_at_once(
        self, stream: Stream, desk: Desk
    ) -> None:
        for version in (1, 2):
            desk.deposit(1)
            stream.publish_bots(bots(version))
        heard = told(stream)
        assert next(heard)[0] == "retry"
        assert next(heard) == ("", "3", desk_answer(desk))
        assert next(heard) == ("bots", "", {"status": "success", **bots(2)})
        assert next(heard)[0] == "heartbeat"

    def test_a_fault_comes_before_the_bots(self, stream: Stream) -> None:
        stream.publish_fault(StoreFailed("full"))
        stream.publish_bots(bots(1))
        assert [name for name, _, _ in itertools.islice(told(stream), 3)] == [
            *("retry", "fault", "bots"),
        ]

    def test_each_is_told_without_the_other_and_once(self, stream: Stream, desk: Desk) -> None:
        heard = told(stream)
        next(heard)
        stream.publish_bots(bots(1))
        assert next(heard)[0] == "bots"
        desk.deposit(1)
        assert next(heard)[1] == "2"
        assert [next(heard)[0] for _ in range(2)] == ["heartbeat", "heartbeat"]
        stream.publish_bots(bots(1))
        # the prices have moved: they are news, though the bots have done nothing
        assert next(heard)[0] == "bots"

    def test_older_bots_are_no_news(self, stream: Stream) -> None:
        stream.publish_bots(bots(2))
        stream.publish_bots(bots(1))
        heard = told(stream)
        assert [next(heard)[2] for _ in range(2)][1]["version"] == 2
        assert next(heard)[0] == "heartbeat"

    def test_a_listener_who_is_slow_hears_the_newest_and_no_snapshot_late(
        self, stream: Stream, desk: Desk
    ) -> None:
        heard = told(stream)
        next(heard)
        revisions, versions = [], []
        for number in range(1, 60):
            desk.deposit(1)
            stream.publish_bots(bots(number))
            if number % 7:
                continue
            for name, tag, data in itertools.islice(heard, 2):
                (versions if name == "bots" else revisions).append(
                    data["version"] if name == "bots" else int(tag)
                )
        assert revisions == [number + 1 for number in range(7, 60, 7)]
        assert versions == list(range(7, 60, 7))

    def test_all_hear_the_same_bytes(self, stream: Stream) -> None:
        stream.publish_bots(bots(1))
        one, other = stream.listen(), stream.listen()
        for each in (one, other):
            next(each)
        assert next(one) is next(other)

    def test_many_who_tell_and_listen_at_once_get_nothing_out_of_order(
        self, stream: Stream, desk: Desk
    ) -> None:
        def listen(_: int) -> tuple[list[int], list[int]]:
            revisions: list[int] = []
            versions: list[int] = []
            for name, tag, data in told(stream):
                if name == "bots":
                    versions.append(data["version"])
                elif tag:
                    revisions.append(int(tag))
                if versions[-1:] == [300] and revisions[-1:] == [301]:
                    break
            return revisions, versions

        with ThreadPoolExecutor(4) as pool:
            heard = pool.map(listen, range(3))
            for number in range(1, 301):
                desk.deposit(1)
                stream.publish_bots(bots(number))
            for revisions, versions in heard:
                assert revisions == sorted(set(revisions))
                assert versions == sorted(set(versions))

    def test_a_running_server_tells_them(self, server: Server) -> None:
        with Listener(server.port) as listener:
            first = listener.next("bots")
            assert first.data == server.get("/bots").json()
            body = {"name": "Trend", "symbol": "BTC/USDT", "strategy": "signals"}
            made = server.post(body, "/bots").json()["bot"]
            event = listener.next("bots")
            assert [each["id"] for each in event.data["bots"]] == [made["id"]]
            assert event.data["version"] > first.data["version"]
            with Listener(server.port) as late:
                assert late.next("bots").data["bots"][0]["id"] == made["id"]
            server.post(path=f"/bots/{made['id']}/start")
            assert listener.next("bots").data["bots"][0]["status"] == "running"


def bots(version: int) -> dict[str, Any]:
    """What is told of no bots."""
    return {"version": version, "can_change": True, "words": "", "bots": [], "display": {}}


def desk_answer(desk: Desk) -> Any:
    """The snapshot as it is told."""
    return json.loads(encoded(answered(desk.snapshot())))


def told(stream: Stream) -> Iterator[tuple[str, str, Any]]:
    """What a new listener hears: the name of each message, its id and its data."""
    for message in stream.listen():
        lines = dict(line.split(": ", 1) for line in message.decode().splitlines() if line)
        name = "retry" if "retry" in lines else lines.get("event", "")
        yield name, lines.get("id", ""), json.loads(lines.get("data", "null"))
