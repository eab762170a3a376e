"""Signals from outside over HTTP: who may send them, in what form, and what comes of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from balance.api.guards import Guards
from balance.api.requests import LARGEST_BODY
from balance.bots.refused_signals import MOST_LISTED, RefusedSignals
from tests.bots_by_hand import ByHand
from tests.interface import Interface
from tests.markets import BTC, ETH
from tests.serving import ROOT

SECRET = "a-secret-of-signals-that-is-longer-than-a-message-quotes"
TOKEN = "a-token-of-some-length"
BUY = {"symbol": BTC, "side": "buy"}
TAKING = {"strategy": "signals", "params": {}}


@pytest.fixture
def by_hand(folder: Path) -> ByHand:
    """Bots of a new account, of which one takes signals on Bitcoin."""
    made = ByHand(folder)
    made.create(**TAKING, name="Taker")
    return made


@pytest.fixture
def guarded(folder: Path) -> Interface:
    """An interface with a token, and a secret for signals."""
    made = ByHand(folder, secret=SECRET)
    made.create(**TAKING, name="Taker")
    guards = Guards(token=TOKEN, open_paths=frozenset({"/signals"}))
    return Interface(made, guards)


def test_a_signal_is_acted_on_and_what_came_of_it_is_told(api: Interface, by_hand: ByHand) -> None:
    told = api.told("POST", "/signals", {**BUY, "source": "TradingView", "confidence": 0.8})
    (result,) = told["results"]
    assert (result["bot"], result["name"], result["action"]) == ("taker-1", "Taker", "opened")
    assert "0.1" in result["words"]
    assert "40,000" in result["words"]
    assert told["message"] == f"Taker: {result['words']}."
    assert by_hand.side() == "long"
    assert by_hand.row("taker-1")["signal"]["reason"] == "Signal of TradingView"
    assert by_hand.row("taker-1")["signal"]["confidence"] == 0.8


@pytest.mark.parametrize(
    ("sides", "side"),
    [
        (["buy"], "long"),
        (["LONG"], "long"),
        (["sell"], "short"),
        (["short"], "short"),
        (["buy", "close"], ""),
        (["sell", "flat"], ""),
        (["buy", "Short"], "short"),
    ],
)
def test_a_side_has_several_words(
    api: Interface, by_hand: ByHand, sides: list[str], side: str
) -> None:
    for each in sides:
        api.told("POST", "/signals", {"symbol": "btcusdt", "side": each})
    assert by_hand.side() == side


def test_a_size_counts_in_place_of_the_stake(api: Interface, by_hand: ByHand) -> None:
    api.told("POST", "/signals", {**BUY, "size": 0.025})
    held = by_hand.held()
    assert held is not None
    assert float(held.quantity) == 0.025


def test_members_that_are_null_count_as_not_given(api: Interface, by_hand: ByHand) -> None:
    api.told("POST", "/signals", {**BUY, "size": None, "confidence": None, "source": None})
    assert by_hand.row("taker-1")["signal"]["reason"] == "Signal from outside"


def test_a_signal_that_nobody_takes_says_so(api: Interface) -> None:
    told = api.told("POST", "/signals", {"symbol": ETH, "side": "buy"})
    assert told["results"] == []
    assert told["message"].startswith("Nobody acts on it: make a bot on ETH/USDT with")


def test_a_signal_below_what_a_bot_asks_for_is_left_alone(folder: Path) -> None:
    by_hand = ByHand(folder)
    by_hand.create(**TAKING, min_confidence=0.7)
    told = Interface(by_hand).told("POST", "/signals", {**BUY, "confidence": 0.5})
    assert told["results"][0]["action"] == "ignored"
    assert by_hand.side() == ""


def test_a_repeated_key_trades_once(api: Interface, by_hand: ByHand) -> None:
    headers = {"Idempotency-Key": "alert-7"}
    api.told("POST", "/signals", BUY, headers=headers)
    api.told("POST", "/signals", {**BUY, "side": "close"})
    revision = by_hand.revision()
    api.ask("POST", "/signals", BUY, headers=headers)
    assert (by_hand.side(), by_hand.revision()) == ("", revision)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"side": "buy"}, "symbol must be a text such as BTC/USDT."),
        ({"symbol": BTC}, "side must be one of buy, sell, close, long, short, flat"),
        ({**BUY, "side": "hold"}, "side must be one of buy"),
        ({**BUY, "side": 1}, "side must be one of buy"),
        ({**BUY, "symbol": "DOGE/USDT"}, "There is no symbol 'DOGE/USDT' here."),
        ({**BUY, "confidence": 1.5}, "The confidence must be from 0 to 1, not 1.50."),
        ({**BUY, "confidence": "high"}, "confidence must be a number such as 250 or 12.30"),
        ({**BUY, "action": "sell"}, "side says buy, but action says sell: send one of them."),
        ({"symbol": BTC, "action": "hodl"}, "action must be one of buy, sell, close"),
        (
            {"symbol": BTC, "side": "{{strategy.market_position}}"},
            "side must be one of buy, sell, close, long, short, flat, not '{{strategy.market_pos",
        ),
        ({**BUY, "size": "{{strategy.order.contracts}}"}, "size must be a number such as"),
        ({**BUY, "size": 0}, "The size must be above zero"),
        ({**BUY, "source": "x" * 61}, "source must be a printable text"),
        (
            {**BUY, "sise": 5},
            "The body may have symbol, ticker, market_position, side, action, confidence, size,",
        ),
        ([], "The body must be an object"),
    ],
)
def test_what_is_no_signal_is_refused(
    api: Interface, by_hand: ByHand, body: Any, words: str
) -> None:
    assert api.refused(422, "POST", "/signals", body).startswith(words)
    assert by_hand.side() == ""


@pytest.mark.parametrize(
    ("members", "side"),
    [
        ({"ticker": "BTCUSDT.P", "action": "buy"}, "long"),
        ({"symbol": "BINANCE:BTCUSDT", "action": "SELL", "market_position": None}, "short"),
        ({"ticker": "BTCUSDT", "action": "sell", "market_position": "flat", "size": "0"}, ""),
        ({"ticker": "BTCUSDT", "side": "sell", "market_position": "long"}, "long"),
        ({"ticker": "BTCUSDT", "strategy": {"order_action": "sell", "order_id": "x"}}, "short"),
        (
            {"symbol": BTC, "strategy": {"order_action": "sell", "market_position": "flat"}},
            "",
        ),
        (
            {
                "symbol": BTC,
                "action": "buy",
                "strategy": "Golden cross",
                "contracts": "0.5",
                "price": "41,000.5",
                "time": "2026-01-01T00:00:00Z",
                "comment": "Long",
                "interval": "5",
                "exchange": "BINANCE",
                "bar": {"open": 1},
                "timenow": "",
            },
            "long",
        ),
    ],
)
def test_alerts_may_say_it_otherwise(
    api: Interface, by_hand: ByHand, members: dict[str, Any], side: str
) -> None:
    api.told("POST", "/signals", members)
    assert by_hand.side() == side
    held = by_hand.held()
    # Nothing that is ignored has become a size.
    assert held is None or float(held.quantity) == 0.1


def test_a_strategy_is_the_source_of_a_signal(api: Interface, by_hand: ByHand) -> None:
    api.told("POST", "/signals", {**BUY, "strategy": "Golden cross" + "!" * 60})
    reason = by_hand.row("taker-1")["signal"]["reason"]
    assert reason == "Signal of Golden cross" + "!" * 48


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain; charset=utf-8"])
def test_the_alert_of_the_manual_works_as_it_is(guarded: Interface, kind: str) -> None:
    manual = (ROOT / "docs" / "bots.md").read_text()
    (message,) = re.findall(r"```json\n(.*?)\n```", manual[manual.index("### An alert") :], re.S)
    for position, action in (("long", "opened"), ("short", "flipped"), ("flat", "closed")):
        filled = message.replace("{{ticker}}", "BTCUSDT.P").replace("SECRET", SECRET)
        filled = filled.replace("{{strategy.market_position}}", position)
        answer = guarded.client.post("/signals", data=filled, content_type=kind)
        assert answer.get_json()["results"][0]["action"] == action, answer.text


class TestRefused:
    """What is refused leaves a trace, as its sender sees no answer."""

    def test_it_is_in_the_log_on_the_row_and_in_the_health(
        self, api: Interface, by_hand: ByHand, caplog: pytest.LogCaptureFixture
    ) -> None:
        by_hand.create(name="Trend")
        reason = api.refused(422, "POST", "/signals", {"symbol": "DOGE", "side": "buy"})
        (entry, *_) = api.told("GET", "/bots/log?kind=error")["entries"]
        assert entry["words"] == f"A signal from outside was refused: {reason}"
        assert (entry["name"], entry["bot"]) == ("Signals", "")
        assert entry["words"] in caplog.messages
        taker, trend = api.told("GET", "/bots")["bots"]
        assert (taker["refused_signal"]["reason"], taker["refused_signal"]["count"]) == (reason, 1)
        assert taker["display"]["refused_signal"] == f"A signal was refused: {reason}"
        assert trend["refused_signal"] is None
        assert api.told("GET", "/health")["refused_signals"] == 1
        api.refused(422, "POST", "/signals", {"symbol": BTC})
        shown = by_hand.row("taker-1")["display"]["refused_signal"]
        assert shown.startswith("2 signals were refused, the last one: side must be")

    def test_the_mark_ends_with_the_next_good_one(self, api: Interface, by_hand: ByHand) -> None:
        api.refused(422, "POST", "/signals", {"symbol": BTC})
        api.told("POST", "/signals", BUY)
        assert by_hand.row("taker-1")["refused_signal"] is None
        assert api.told("GET", "/health")["refused_signals"] == 1

    @pytest.mark.parametrize(
        ("status", "data", "reason"),
        [
            (400, b"buy BTC", "The body is not JSON"),
            (413, b" " * (LARGEST_BODY + 1), ""),
            (403, json.dumps({**BUY, "secret": SECRET[:-1]}).encode(), "Signals need their secret"),
            (422, json.dumps({"secret": SECRET, "symbol": SECRET}).encode(), "side must be one of"),
            (422, json.dumps({"secret": SECRET, **BUY, "symbol": SECRET}).encode(), "There is no"),
            (422, json.dumps({"secret": SECRET, **BUY, "size": SECRET}).encode(), "size must be"),
        ],
    )
    def test_whatever_is_wrong_with_it_but_never_its_secret(
        self, guarded: Interface, folder: Path, status: int, data: bytes, reason: str
    ) -> None:
        answer = guarded.client.post("/signals", data=data, content_type="text/plain")
        assert answer.status_code == status
        shown = {"Authorization": f"Bearer {TOKEN}"}
        (entry, *_) = guarded.told("GET", "/bots/log?kind=error", headers=shown)["entries"]
        assert entry["words"].startswith(f"A signal from outside was refused: {reason}")
        kept = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
        assert b"was refused" in kept
        assert SECRET[:8].encode() not in kept

    def test_many_are_counted_and_few_listed(self) -> None:
        now = 0.0
        refused = RefusedSignals(clock=lambda: now)
        messages = [refused.add(f"fault {number}") for number in range(500)]
        assert sum(map(bool, messages)) == MOST_LISTED
        assert messages[MOST_LISTED - 1].endswith("More of this minute are only counted.")
        assert refused.total == 500
        now = 61.0
        assert refused.add("later").endswith("later 490 more were refused before it.")

    def test_a_reason_is_one_printable_line(self) -> None:
        refused = RefusedSignals()
        message = refused.add("a\nb\x1b[31m" + "x" * 1_000)
        assert message.isprintable()
        assert len(message) < 400


class TestForm:
    """Alerts are sent as JSON, or as text where the sender can't say that it is JSON."""

    @pytest.mark.parametrize(
        "kind",
        ["application/json", "text/plain", "text/plain; charset=utf-8", "application/x+json"],
    )
    def test_json_is_taken_as_text_too(self, api: Interface, by_hand: ByHand, kind: str) -> None:
        answer = api.client.post("/signals", data=json.dumps(BUY), content_type=kind)
        assert answer.status_code == 200, answer.text
        assert by_hand.side() == "long"

    @pytest.mark.parametrize(
        ("status", "data", "kind"),
        [
            (400, b"buy BTC", "text/plain"),
            (400, b"", "text/plain"),
            (400, b'{"symbol": "BTC/USDT", "symbol": "ETH/USDT"}', "text/plain"),
            (413, b" " * (LARGEST_BODY + 1), "text/plain"),
            (415, b"symbol=BTC/USDT", "application/x-www-form-urlencoded"),
            (415, json.dumps(BUY).encode(), "text/html"),
            (415, json.dumps(BUY).encode(), ""),
        ],
    )
    def test_other_forms_are_refused(
        self, api: Interface, by_hand: ByHand, status: int, data: bytes, kind: str
    ) -> None:
        api.refused(status, "POST", "/signals", data=data, content_type=kind)
        assert by_hand.side() == ""

    def test_text_is_taken_nowhere_else(self, api: Interface) -> None:
        body = json.dumps({"name": "A", "symbol": BTC, "strategy": "signals"})
        api.refused(415, "POST", "/bots", data=body, content_type="text/plain")

    @pytest.mark.parametrize("kind", ["application/json", "text/plain"])
    def test_pages_of_other_sites_send_none(
        self, api: Interface, by_hand: ByHand, kind: str
    ) -> None:
        for headers in ({"Origin": "https://evil.com"}, {"Sec-Fetch-Site": "cross-site"}):
            api.refused(
                403, "POST", "/signals", data=json.dumps(BUY), content_type=kind, headers=headers
            )
        assert by_hand.side() == ""


class TestSecret:
    """Where the server has one, signals must show it, and need no token."""

    @pytest.mark.parametrize("kind", ["application/json", "text/plain"])
    def test_it_may_be_in_the_body_or_in_a_header(self, guarded: Interface, kind: str) -> None:
        body = json.dumps({**BUY, "secret": SECRET})
        answer = guarded.client.post("/signals", data=body, content_type=kind)
        assert answer.get_json()["results"][0]["action"] == "opened"
        headers = {"X-Signal-Secret": SECRET}
        told = guarded.told("POST", "/signals", {**BUY, "side": "close"}, headers=headers)
        assert told["results"][0]["action"] == "closed"

    @pytest.mark.parametrize(
        ("secret", "headers"),
        [
            (None, {}),
            ("", {}),
            (SECRET[:-1], {}),
            (SECRET.upper(), {}),
            (5, {}),
            ([SECRET], {}),
            (None, {"X-Signal-Secret": "wrong"}),
            (None, {"X-Signal-Secret": ""}),
            (SECRET, {"X-Signal-Secret": "wrong"}),
            (None, {"Authorization": f"Bearer {TOKEN}"}),
        ],
    )
    def test_without_it_nothing_is_done_and_nothing_told(
        self, guarded: Interface, secret: Any, headers: dict[str, str]
    ) -> None:
        body = {**BUY} if secret is None else {**BUY, "secret": secret}
        words = guarded.refused(403, "POST", "/signals", body, headers=headers)
        assert words.startswith("Signals need their secret here")
        assert SECRET not in words
        # not even what is wrong with it
        assert guarded.refused(403, "POST", "/signals", {"nonsense": 1}) == words
        shown = {"Authorization": f"Bearer {TOKEN}"}
        (row,) = guarded.told("GET", "/bots", headers=shown)["bots"]
        assert row["position"] is None

    def test_it_is_kept_nowhere(self, guarded: Interface, folder: Path) -> None:
        headers = {"Idempotency-Key": "alert-1"}
        guarded.told("POST", "/signals", {**BUY, "secret": SECRET}, headers=headers)
        kept = b"".join(each.read_bytes() for each in folder.rglob("*") if each.is_file())
        assert b"taker-1" in kept
        assert SECRET.encode() not in kept

    def test_it_opens_nothing_else(self, guarded: Interface) -> None:
        shown = {"X-Signal-Secret": SECRET}
        for method, path in (("GET", "/bots"), ("POST", "/bots"), ("POST", "/bots/stop")):
            guarded.refused(401, method, path, headers=shown)
        answer = guarded.client.get("/signals", headers=shown)
        assert answer.status_code == 401

    def test_without_one_the_token_is_needed(self, by_hand: ByHand) -> None:
        api = Interface(by_hand, Guards(token=TOKEN))
        api.refused(401, "POST", "/signals", BUY)
        api.told("POST", "/signals", BUY, headers={"Authorization": f"Bearer {TOKEN}"})

    def test_where_none_is_needed_one_does_no_harm(self, api: Interface) -> None:
        told = api.told("POST", "/signals", {**BUY, "secret": "whatever"})
        assert told["results"][0]["action"] == "opened"
