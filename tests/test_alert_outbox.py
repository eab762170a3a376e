"""What is posted of firings: once to the address that a person has named, and nowhere else."""

from __future__ import annotations

import json
import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from balance.alerts import delivery as delivery_module
from balance.alerts.alerts import Alerts
from balance.alerts.delivery import CANCELLED, Outbox
from balance.alerts.settings import origin
from balance.alerts.state import ALERTS_FILE, Delivery
from tests.alerts_by_hand import AlertsByHand, drips, receiver
from tests.kept import kept
from tests.patience import patience
from tests.screen import wait_for


@pytest.fixture
def there(folder: Path) -> Iterator[AlertsByHand]:
    """No alerts yet, and Bitcoin at 40,000."""
    found = AlertsByHand(folder)
    yield found
    found.alerts.rest()


def ended(there: AlertsByHand, state: str) -> dict[str, Any]:
    """What came of posting the newest firing, once it has ended as ``state``."""
    wait_for(lambda: there.delivered()["state"] == state, f"a delivery that {state}")
    return dict(there.delivered())


def test_a_firing_is_posted_with_its_figures(there: AlertsByHand) -> None:
    with receiver() as taker:
        there.create(url=taker.url, note="Sell.")
        there.price(45_010)
        headers, body = taker.next()
        assert ended(there, "answered") == {
            "url": origin(taker.url), "state": "answered", "words": "Answered 200", "tries": 1,
        }  # fmt: skip
        assert taker.posts.empty()
    assert (headers["User-Agent"], headers["Content-Type"]) == (
        "virtual-balance",
        "application/json",
    )
    assert not {"Cookie", "Authorization"} & set(headers)
    (firing,) = there.alerts.listed(1)["firings"]
    assert body == {
        "id": 1,
        "alert": "alert-1",
        "what": "price",
        "symbol": "BTC/USDT",
        "direction": "above",
        "threshold": 45_000,
        "value": 45_010,
        "time": firing["time"],
        "words": "BTC/USDT has risen to 45,010.00; the alert was at 45,000.00. Sell.",
        "test": False,
    }


def test_it_is_tried_three_times_and_told_how_it_went(there: AlertsByHand) -> None:
    with receiver(503, 500) as taker:
        there.create(url=taker.url)
        there.price(45_010)
        assert ended(there, "answered")["tries"] == 3
        assert taker.posts.qsize() == 3
    with receiver(*[503] * 4) as taker:
        there.create(url=taker.url)
        there.price(44_000, 45_010)
        assert ended(there, "failed")["words"] == "Gave up after 3 tries: Answered 503"
        assert taker.posts.qsize() == 3


def test_a_redirect_is_not_followed(there: AlertsByHand) -> None:
    with receiver() as elsewhere, receiver(307, location=elsewhere.url) as taker:
        there.create(url=taker.url)
        there.price(45_010)
        words = ended(there, "refused")["words"]
        assert words == "Answered 307, a redirect, which is not followed"
        assert (taker.posts.qsize(), elsewhere.posts.qsize()) == (1, 0)


def test_what_is_refused_is_not_tried_again(there: AlertsByHand) -> None:
    with receiver(404) as taker:
        there.create(url=taker.url)
        there.price(45_010)
        assert ended(there, "refused") == {
            "url": origin(taker.url), "state": "refused", "words": "Refused: answered 404",
            "tries": 1,
        }  # fmt: skip


def test_where_nobody_answers_it_gives_up(there: AlertsByHand) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    there.create(url=f"http://127.0.0.1:{port}/")
    there.price(45_010)
    assert ended(there, "failed")["words"] == "Gave up after 3 tries: Nobody answers there"


class Outcomes:
    """What an outbox tells, one after the other."""

    def __init__(self) -> None:
        self._told: queue.Queue[tuple[int, Delivery]] = queue.Queue()

    def __call__(self, firing: int, delivery: Delivery) -> None:
        self._told.put((firing, delivery))

    def next(self) -> tuple[int, str]:
        """The firing that was told next, and the words."""
        firing, delivery = self._told.get(timeout=patience())
        return firing, delivery.words


def wanted(_firing: int, _url: str) -> bool:
    """Whether it is still to be posted: of these all are."""
    return True


@contextmanager
def silent() -> Iterator[str]:
    """The URL of a receiver that listens, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"


NO_ANSWER = "Gave up after 1 try: No answer within 0.2 s"


def test_one_that_says_nothing_is_given_up() -> None:
    outcomes = Outcomes()
    with silent() as url:
        outbox = Outbox(outcomes, wanted, pauses=(), timeout=0.2)
        outbox.put(1, url, {})
        assert outcomes.next() == (1, NO_ANSWER)
        outbox.stop()


def test_one_that_says_nothing_holds_up_no_other_host() -> None:
    outcomes = Outcomes()
    outbox = Outbox(outcomes, wanted, pauses=(), timeout=10 * patience())
    with silent() as url, receiver() as taker:
        for number in range(1, 7):
            outbox.put(number, url, {})
        outbox.put(7, taker.url, {})
        assert outcomes.next() == (7, "Answered 200")
    outbox.stop()


def test_one_that_answers_byte_by_byte_holds_up_no_other_host() -> None:
    outcomes = Outcomes()
    outbox = Outbox(outcomes, wanted, pauses=(), timeout=10 * patience())
    with drips() as url, receiver() as taker:
        outbox.put(1, url, {})
        outbox.put(2, taker.url, {})
        assert outcomes.next() == (2, "Answered 200")
    outbox.stop()


def test_one_that_answers_byte_by_byte_is_given_up_in_time_and_asked_no_more() -> None:
    outcomes = Outcomes()
    with drips() as url:
        outbox = Outbox(outcomes, wanted, pauses=(), timeout=0.2)
        for number in (1, 2):
            outbox.put(number, url, {})
        assert outcomes.next() == (1, NO_ANSWER)
        assert outcomes.next() == (
            2,
            "Gave up after 1 try: The answer to the one before has not ended yet",
        )
        outbox.stop()


def test_a_name_that_is_looked_up_for_long_is_given_up_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    outcomes, found = Outcomes(), threading.Event()

    def look_up(*_: Any, **__: Any) -> Any:
        found.wait()
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    outbox = Outbox(outcomes, wanted, pauses=(), timeout=0.2)
    outbox.put(1, "http://example.org/", {})
    assert outcomes.next() == (1, NO_ANSWER)
    found.set()
    outbox.stop()


def test_what_waits_to_be_tried_again_lets_others_by(there: AlertsByHand, folder: Path) -> None:
    slow = AlertsByHand(folder.with_name("slow"), pauses=(1e6, 1e6))
    with receiver(503) as busy, receiver() as taker:
        slow.create(url=busy.url, threshold=44_000)
        slow.create(url=taker.url)
        slow.price(44_500)
        busy.next()
        slow.price(45_010)
        assert taker.next()[1]["alert"] == "alert-2"
        slow.alerts.rest()


def test_more_than_may_wait_are_not_sent_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery_module, "MOST_WAITING", 2)
    outcomes = Outcomes()
    with receiver(*[503] * 2) as taker, receiver() as other:
        outbox = Outbox(outcomes, wanted, pauses=(1e6,))
        for number in (1, 2):
            assert outbox.put(number, taker.url, {}).state == "sending"
            assert outcomes.next() == (number, "Answered 503")
        assert outbox.put(3, taker.url, {}) == Delivery(
            url=origin(taker.url), state="failed", words="Not sent: 2 others wait to be"
        )
        # which is no other host's fault
        assert outbox.put(4, other.url, {}).state == "sending"
        assert outcomes.next() == (4, "Answered 200")
        outbox.stop()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/secret", "http://[nonsense/secret", "http://.x./secret"]
)
def test_an_address_that_can_not_be_asked_is_said(url: str) -> None:
    told: queue.Queue[Delivery] = queue.Queue()
    outbox = Outbox(lambda _, delivery: told.put(delivery), wanted, pauses=())
    outbox.put(1, url, {})
    outcome = told.get(timeout=patience())
    outbox.stop()
    assert outcome.state in ("refused", "failed")
    assert outcome.words
    assert "secret" not in outcome.words


def test_what_this_machine_would_send_along_is_left_out(
    there: AlertsByHand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with receiver() as taker:
        there.create(url=taker.url)
        there.price(45_010)
        headers, _ = taker.next()
        assert "Authorization" not in headers


def test_a_test_is_posted_and_says_that_it_is_one(there: AlertsByHand) -> None:
    with receiver() as taker:
        alert = there.create(url=taker.url)
        assert f"It is posted to {origin(taker.url)}." in there.alerts.test(alert).message
        _, body = taker.next()
        assert (body["test"], body["value"]) == (True, 40_000)
        ended(there, "answered")


@pytest.mark.parametrize(
    "change",
    [
        lambda alerts: alerts.delete("alert-1"),
        lambda alerts: alerts.edit("alert-1", {"url": None}),
        lambda alerts: alerts.edit("alert-1", {"url": "http://127.0.0.1:1/other"}),
    ],
    ids=["deleted", "posted nowhere", "posted elsewhere"],
)
def test_what_nobody_wants_posted_there_any_more_is_not_tried_again(
    there: AlertsByHand, change: Callable[[Alerts], object]
) -> None:
    with receiver(503) as taker:
        taker.may_answer.clear()
        there.create(url=taker.url)
        there.price(45_010)
        taker.next()
        change(there.alerts)
        taker.may_answer.set()
        found = ended(there, "failed")
        assert (found["words"], found["tries"]) == (
            "Given up: its alert was deleted, or has another address by now",
            1,
        )
        assert taker.posts.empty()


def test_the_secret_of_an_address_stays_with_its_alert(there: AlertsByHand) -> None:
    with receiver() as taker:
        alert = there.create(url=f"{taker.url}/secret?key=secret", once=False)
        there.price(45_010)
        ended(there, "answered")
        there.alerts.test(alert, key="a")
        wait_for(lambda: there.delivered()["state"] == "answered", "the outcome of the test")
        assert taker.posts.qsize() == 2
        there.alerts.delete(alert)
    for each in (there.alerts.listed(200), there.heard[-1]):
        assert [firing["delivery"]["url"] for firing in each["firings"]] == [origin(taker.url)] * 2
        assert "secret" not in str(each)
    assert b"secret" not in (there.folder / ALERTS_FILE).read_bytes()


class TestOverARestart:
    """What was not posted before the server stopped."""

    def test_what_is_under_way_is_waited_for_and_not_posted_again(
        self, there: AlertsByHand
    ) -> None:
        with receiver() as taker:
            taker.may_answer.clear()
            there.create(url=taker.url)
            there.price(45_010)
            taker.next()
            stopping = threading.Thread(target=there.alerts.rest)
            stopping.start()
            wait_for(lambda: there.alerts._deliveries._outbox.is_stopped, "the stop")
            taker.may_answer.set()
            stopping.join()
            assert there.delivered()["words"] == "Answered 200"
            other = there.again()
            assert other.delivered()["state"] == "answered"
            other.alerts.rest()
            assert taker.posts.empty()

    def test_it_is_posted_after_the_next_start(self, there: AlertsByHand) -> None:
        with receiver(503) as taker:
            slow = AlertsByHand(there.folder, pauses=(1e6,))
            slow.create(url=taker.url)
            slow.price(45_010)
            taker.next()
            other = slow.again()
            assert taker.next()[1]["id"] == 1
            ended(other, "answered")
            other.alerts.rest()

    @pytest.mark.parametrize("url", [None, "http://127.0.0.1:1/"])
    def test_it_is_not_where_its_alert_has_another_address_by_now(
        self, there: AlertsByHand, url: str | None
    ) -> None:
        with receiver(503) as taker:
            slow = AlertsByHand(there.folder, pauses=(1e6,))
            alert = slow.create(url=taker.url)
            slow.price(45_010)
            taker.next()
            slow.alerts.edit(alert, {"url": url})
            other = slow.again()
            assert ended(other, "failed")["words"] == CANCELLED
            other.alerts.rest()
            assert taker.posts.empty()

    def test_of_an_older_file_only_the_server_is_kept(self, there: AlertsByHand) -> None:
        with receiver() as taker:
            there.alerts.test(there.create(url=taker.url))
            ended(there, "answered")
        file = there.folder / ALERTS_FILE
        told = kept(file)
        told["firings"][0]["delivery"]["url"] = "http://me:secret@example.org/secret"
        file.write_text(json.dumps(told))
        assert there.again().delivered()["url"] == "http://example.org"

    def test_after_an_hour_it_is_not_and_that_is_said(
        self, there: AlertsByHand, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with receiver(503) as taker:
            slow = AlertsByHand(there.folder, pauses=(1e6,))
            slow.create(url=taker.url)
            slow.price(45_010)
            taker.next()
            wait_for(lambda: slow.delivered()["tries"] == 1, "the first try")
            monkeypatch.setattr(delivery_module, "_STILL_NEWS", timedelta(0))
            other = slow.again()
            assert other.delivered()["words"] == "Not sent: the server was off"
            assert taker.posts.empty()
            told = kept(there.folder / ALERTS_FILE)
            assert told["firings"][0]["delivery"]["state"] == "failed"
            other.alerts.rest()

    def test_what_fires_while_the_server_stops_is_left_for_the_next_start(
        self, there: AlertsByHand
    ) -> None:
        with receiver() as taker:
            there.create(url=taker.url)
            there.alerts.rest()
            there.price(45_010)
            assert there.delivered()["state"] == "sending"
            assert taker.posts.empty()
            other = there.again()
            assert taker.next()[1]["id"] == 1
            ended(other, "answered")
            other.alerts.rest()
