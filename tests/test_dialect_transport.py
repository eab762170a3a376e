"""The dialect's transport: who may ask, how a request is read, and the form of every error."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from app import create_app
from balance.api.guards import Guards
from balance.api.problems import answer_with_problems
from balance.api.stream import Stream
from balance.binance.call import MOST_PARAMETERS, Call, Params, parsed
from balance.binance.endpoints import Json, signed
from balance.binance.errors import FAULTS, Refusal, refusal_of
from balance.binance.numbers import amount_text, price_text, quantity_text, unit_text
from balance.binance.routes import LARGEST, PREFIXES, blueprint_of
from balance.binance.signature import KEY_HEADER
from balance.core import errors
from balance.core.instruments import KNOWN
from balance.core.moments import EPOCH, milliseconds
from balance.desk.desk import Desk
from balance.keys.keys import Keys
from balance.keys.state import KEYS_FILE
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT
from tests.boards import board
from tests.dialect import Dialect, refusal, served, signature, signed_query
from tests.markets import BTC, market
from tests.patience import patience
from tests.serving import ROOT, Server

ECHO = "/fapi/v1/echo"
FORM = "application/x-www-form-urlencoded"
NOT_SIGNED = (-1022, "Signature for this request is not valid.")
OUTSIDE = (-1021, "Timestamp for this request is outside of the recvWindow.")
NO_KEY = (-2014, "API-key format invalid.")
FOREIGN_KEY = (-2015, "Invalid API-key, IP, or permissions for action.")


class Echo:
    """Answers what was sent, and whose it was."""

    @signed("GET", ECHO)
    def get(self, call: Call) -> Json:
        return _sent(call)

    @signed("POST", ECHO)
    def post(self, call: Call) -> Json:
        return _sent(call)

    @signed("DELETE", ECHO)
    def delete(self, call: Call) -> Json:
        return _sent(call)

    @signed("PUT", ECHO)
    def crash(self, _: Call) -> Json:
        raise RuntimeError("a fault of the program")


def _sent(call: Call) -> Json:
    names = ("symbol", "side", "quantity", "batch", "signature")
    return {"owner": call.owner, **{name: call.params.text(name) for name in names}}


class Client:
    """Asks the echo at the moment ``MOMENT``."""

    def __init__(self) -> None:
        server = Flask(__name__)
        Guards(keyed_paths=PREFIXES).stand_before(server)
        answer_with_problems(server)
        self.keys = Keys(Desk(MemoryStore()))
        self.keys.add("bot")
        found = self.keys.named("bot")
        assert found is not None
        self.key = found
        server.register_blueprint(blueprint_of(self.keys, lambda: MOMENT, Echo()))
        self.client = server.test_client()

    def ask(
        self, method: str = "GET", text: str = "", body: str | bytes = "", **headers: str
    ) -> TestResponse:
        """The answer to a request with the query ``text`` and ``body``, as they are."""
        headers = {KEY_HEADER: self.key.key, **headers}
        return self.client.open(f"{ECHO}?{text}", method=method, data=body, headers=headers)

    def text(self, **sent: object) -> str:
        """``sent``, signed now."""
        return signed_query(self.key, sent, at=MOMENT)


@pytest.fixture(scope="module")
def client() -> Client:
    """With one key."""
    return Client()


def now(**shift: float) -> int:
    """The time in milliseconds, ``shift`` from now."""
    return milliseconds(MOMENT + timedelta(**shift))


class TestSignature:
    """Who signs with the secret of a key is its owner."""

    @pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
    @pytest.mark.parametrize("kind", [FORM, "application/json", "text/plain", ""])
    def test_parameters_may_be_in_query_and_body_whatever_the_method(
        self, client: Client, method: str, kind: str
    ) -> None:
        signed_text = client.text(symbol="BTCUSDT", side="BUY")
        sent = {"owner": "bot", "symbol": "BTCUSDT", "side": "BUY"}
        for answer in (
            client.ask(method, signed_text, Content_Type=kind),
            client.ask(method, "", signed_text, **{"Content-Type": kind}),
        ):
            assert answer.status_code == 200, answer.text
            assert answer.get_json().items() >= sent.items()

    def test_query_and_body_are_signed_as_one_text_with_nothing_between(
        self, client: Client
    ) -> None:
        first, second = "symbol=BTCUSDT&side=BUY", f"quantity=1&timestamp={now()}"
        mark = signature(client.key, first + second)
        for text, body in (
            (first, f"{second}&signature={mark}"),
            (f"{first}&signature={mark}", second),
            (f"signature={mark}&{first}", second),
            (f"symbol=BTCUSDT&signature={mark}&side=BUY", second),
        ):
            answer = client.ask("POST", text, body)
            assert answer.status_code == 200, answer.text
            assert answer.get_json()["quantity"] == "1"
        with_and = signature(client.key, f"{first}&{second}")
        answer = client.ask("POST", first, f"{second}&signature={with_and}")
        assert refusal(answer) == NOT_SIGNED

    @settings(max_examples=50)
    @given(
        st.dictionaries(
            st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8).filter(
                lambda name: name not in ("timestamp", "signature", "recvWindow")
            ),
            st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
            max_size=6,
        ),
        st.sampled_from([quote, lambda text, safe="": quote(text, safe="~()*!'[]\",:")]),
        st.booleans(),
    )
    def test_it_is_of_the_text_as_it_was_sent(
        self, client: Client, sent: dict[str, str], write: Callable[..., str], in_body: bool
    ) -> None:
        pairs = [*sent.items(), ("timestamp", str(now()))]
        text = "&".join(f"{write(name, safe='')}={write(value, safe='')}" for name, value in pairs)
        text += f"&signature={signature(client.key, text)}"
        answer = client.ask("POST", *(("", text) if in_body else (text, "")))
        assert answer.status_code == 200, answer.text

    def test_another_order_or_another_writing_is_another_signature(self, client: Client) -> None:
        text = client.text(symbol="BTCUSDT", batch='["a"]')
        for other in (
            text.replace("%5B", "%5b", 1),
            text.replace("%5B%22a%22%5D", '["a"]'),
            text.replace("symbol=BTCUSDT&", "").replace("timestamp", "symbol=BTCUSDT&timestamp"),
            text.replace("BTC", "ETH"),
        ):
            assert other != text
            assert refusal(client.ask(text=other)) == NOT_SIGNED

    def test_its_letters_may_be_large(self, client: Client) -> None:
        text, _, mark = client.text(symbol="BTCUSDT").rpartition("=")
        assert client.ask(text=f"{text}={mark.upper()}").status_code == 200

    @pytest.mark.parametrize(
        "mark", ["0" * 64, "zz", "\u017f" * 64, "%00", "a" * 10_000, "1e400", "%EF%BC%91"]
    )
    def test_any_other_is_refused(self, client: Client, mark: str) -> None:
        text = client.text(symbol="BTCUSDT").rpartition("=")[0]
        answer = client.ask(text=f"{text}={quote(mark, safe='%')}")
        expected = -1100 if mark == "%00" else -1022
        assert refusal(answer)[0] == expected

    def test_of_another_key_is_refused(self, client: Client) -> None:
        other = "c" * 64
        text = f"timestamp={now()}"
        mark = signature(replace(client.key, secret=other), text)
        assert refusal(client.ask(text=f"{text}&signature={mark}")) == NOT_SIGNED

    @pytest.mark.parametrize("missing", ["timestamp", "signature"])
    def test_it_and_the_time_must_be_sent(self, client: Client, missing: str) -> None:
        pairs = [each for each in client.text(side="BUY").split("&") if missing not in each]
        message = f"Mandatory parameter '{missing}' was not sent, was empty/null, or malformed."
        for text in ("&".join(pairs), "&".join([*pairs, f"{missing}="])):
            assert refusal(client.ask(text=text)) == (-1102, message)

    @pytest.mark.parametrize(
        ("shift", "window", "is_in_time"),
        [
            *((shift, None, True) for shift in (0, -5_000, 5_000)),
            *((shift, None, False) for shift in (-5_001, 5_001, -86_400_000)),
            *((shift, 60_000, True) for shift in (-60_000, 60_000)),
            *((shift, 60_000, False) for shift in (-60_001, 60_001)),
            *((0, 0, True), (1, 0, False), (-10, 9, False), (-10, 10, True)),
        ],
    )
    def test_it_is_good_for_the_window_around_now(
        self, client: Client, shift: int, window: int | None, is_in_time: bool
    ) -> None:
        text = client.text(timestamp=now(milliseconds=shift), recvWindow=window)
        answer = client.ask(text=text)
        if is_in_time:
            assert answer.status_code == 200, answer.text
        else:
            assert refusal(answer) == OUTSIDE

    def test_the_window_is_at_most_a_minute(self, client: Client) -> None:
        for window in (60_001, 10**19):
            assert refusal(client.ask(text=client.text(recvWindow=window))) == (
                -1131,
                "recvWindow must be less than 60000.",
            )

    @pytest.mark.parametrize(
        "wrong", ["-1", "1.5", "\uff11\uff17", "1e3", "NaN", "9" * 21, "x", "1\n"]
    )
    def test_its_numbers_are_of_plain_digits(self, client: Client, wrong: str) -> None:
        for name in ("timestamp", "recvWindow"):
            code, message = refusal(client.ask(text=client.text(**{name: wrong})))
            assert code == -1100
            assert message == (
                f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'."
            )

    def test_a_key_must_be_named_and_known(self, client: Client) -> None:
        text = client.text()
        assert refusal(client.ask(text=text, **{KEY_HEADER: ""}), 401) == NO_KEY
        bare = client.client.get(f"{ECHO}?{text}")
        assert refusal(bare, 401) == NO_KEY
        for key in ("f" * 64, "bot", client.key.key.upper(), client.key.key[:-1], "x" * 5_000):
            assert refusal(client.ask(text=text, **{KEY_HEADER: key}), 401) == FOREIGN_KEY

    def test_the_name_of_the_header_may_have_any_case(self, client: Client) -> None:
        answer = client.client.get(
            f"{ECHO}?{client.text()}", headers={"x-mbx-apikey": client.key.key}
        )
        assert answer.status_code == 200

    def test_what_was_asked_and_refused_is_known_to_the_keys(self, client: Client) -> None:
        class Recorded(Keys):
            def record(self, name: str, request: Any) -> None:
                seen.append((name, request))

            def refuse(self, name: str, what: str, reason: str) -> None:
                refused.append((name, what, reason))

        seen: list[Any] = []
        refused: list[Any] = []
        other = Client()
        other.keys.__class__ = Recorded
        other.ask(text=other.text(), **{"User-Agent": "ccxt/4"})
        ((name, activity),) = seen
        assert name == "bot"
        assert "ccxt/4" in repr(activity)
        assert ECHO in repr(activity)
        assert refused == []
        other.ask(text="timestamp=1&signature=x")
        ((name, what, reason),) = refused
        assert (name, what) == ("bot", f"GET {ECHO}")
        assert "recvWindow" in reason


class TestParameters:
    """A parameter is read as it was sent, or refused in the words of the exchange."""

    def test_too_many_are_refused(self, client: Client) -> None:
        many = {f"n{number}": number for number in range(1_000)}
        code, message = refusal(client.ask(text=client.text(**many)))
        assert (code, message) == (
            -1101,
            f"Too many parameters; expected '{MOST_PARAMETERS}' and received '1002'.",
        )

    @pytest.mark.parametrize("in_body", [False, True])
    def test_too_large_ones_are_refused(self, client: Client, in_body: bool) -> None:
        text = client.text(symbol="B" * (LARGEST + 1))
        answer = client.ask("POST", *(("", text) if in_body else (text, "")))
        assert refusal(answer, 413) == (
            -1101,
            "Too many parameters; expected at most 64 KiB of them.",
        )

    def test_one_that_has_two_values_is_refused(self, client: Client) -> None:
        text = client.text(symbol="BTCUSDT")
        answer = client.ask("POST", text, "symbol=ETHUSDT")
        assert refusal(answer) == (-1101, "Duplicate values for a parameter detected.")

    @pytest.mark.parametrize("value", ["%00", "BTC%00USDT", "%FF%FE", "%C3%28", "%1B", "%7F"])
    def test_one_with_other_characters_is_refused(self, client: Client, value: str) -> None:
        text = f"symbol={value}&timestamp={now()}"
        text += f"&signature={signature(client.key, text)}"
        expected = (-1100, "Illegal characters found in a parameter.")
        assert refusal(client.ask(text=text)) == expected
        assert refusal(client.ask("POST", "", text)) == expected
        assert refusal(client.ask("POST", "", b"symbol=\xff&timestamp=1")) == expected

    def test_nothing_sent_is_nothing(self) -> None:
        params = Params(parsed("a=&b&&c=x", ""))
        assert params.text("a") is params.text("b") is params.text("d") is None
        assert params.text("c") == "x"
        with pytest.raises(Refusal, match="Mandatory parameter 'a' was not sent") as raised:
            params.needed("a")
        assert raised.value.code == -1102

    @pytest.mark.parametrize("text", ["true", "True", "TRUE", "%22true%22", "tRuE"])
    def test_true_may_be_written_in_many_ways(self, text: str) -> None:
        assert Params(parsed(f"a={text}", "")).flag("a") is True
        assert Params(parsed(f"a={text.lower().replace('true', 'false')}", "")).flag("a") is False
        assert Params(parsed("b=1", "")).flag("a") is False

    @pytest.mark.parametrize("text", ["yes", "1", "tru", "%D1%82rue"])
    def test_what_is_neither_true_nor_false_is_refused(self, text: str) -> None:
        with pytest.raises(Refusal, match="Data sent for parameter 'a' is not valid") as raised:
            Params(parsed(f"a={text}", "")).flag("a")
        assert raised.value.code == -1130

    @pytest.mark.parametrize("text", ["0", "1", "0.001", "00.10", "9" * 20 + "." + "9" * 20])
    def test_a_number_has_all_its_digits(self, text: str) -> None:
        assert Params({"a": text}).number("a") == Decimal(text)

    @pytest.mark.parametrize(
        "text",
        [
            *("1e400", "1e-5", "NaN", "Infinity", "-1", "+1", ".5", "5.", "1,5", "\uff11", "0x1"),
            *("9" * 21, "0." + "1" * 21, "1_000", " 1", "1\n", "\u0967"),
        ],
    )
    def test_what_is_no_number_is_refused(self, text: str) -> None:
        with pytest.raises(Refusal, match="Illegal characters found in parameter 'a'") as raised:
            Params({"a": text}).number("a")
        assert raised.value.code == -1100
        assert raised.value.message.endswith(r"legal range is '^([0-9]{1,20})(\.[0-9]{1,20})?$'.")

    def test_a_whole_number_is_within_its_bounds(self) -> None:
        params = Params({"limit": "500", "most": "99999999999999999999"})
        assert params.whole("limit", 1, 1_000, 5) == 500
        assert params.whole("none", 1, 1_000, 5) == 5
        for name, most in (("limit", 499), ("most", 1_000)):
            with pytest.raises(Refusal) as raised:
                params.whole(name, 1, most, 5)
            assert raised.value.code == -1130
            assert raised.value.message == f"Data sent for parameter '{name}' is not valid."

    def test_a_time_is_in_milliseconds(self) -> None:
        assert Params({"startTime": str(now())}).time("startTime") == MOMENT
        assert Params({"startTime": "0"}).time("startTime") == EPOCH
        assert Params({}).time("startTime") is None
        with pytest.raises(Refusal, match="Data sent for parameter 'startTime'"):
            Params({"startTime": "9" * 20}).time("startTime")

    @pytest.mark.parametrize("text", ["BTCUSDT", "btcusdt", "BTC/USDT"])
    def test_a_symbol_is_that_of_the_market(self, text: str) -> None:
        assert Params({"symbol": text}).symbol(market()) == BTC
        assert Params({"symbol": text}).any_symbol(market()) == BTC

    def test_another_symbol_is_refused(self) -> None:
        for text in ("XYZUSDT", "B" * 50_000, "BTCUSDT'--", "\u202e"):
            for read in (Params({"symbol": text}).symbol, Params({"symbol": text}).any_symbol):
                with pytest.raises(Refusal, match=r"^Invalid symbol\.$") as raised:
                    read(market())
                assert raised.value.code == -1121
        assert Params({}).any_symbol(market()) is None
        with pytest.raises(Refusal) as raised:
            Params({}).symbol(market())
        assert raised.value.code == -1102

    @settings(max_examples=50)
    @given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), st.text(max_size=9)))
    def test_any_text_is_read_as_it_was_meant_or_refused(self, sent: dict[str, str]) -> None:
        encoded = {name: value for name, value in sent.items() if name}
        try:
            text = urlencode(encoded)
        except UnicodeEncodeError:
            return
        if any(
            ord(each) < 32 or ord(each) == 127 for each in "".join([*encoded, *encoded.values()])
        ):
            return
        assert parsed(text, "") == encoded


class TestErrors:
    """Whatever goes wrong below its paths has the dialect's form."""

    @pytest.mark.parametrize("prefix", PREFIXES)
    @pytest.mark.parametrize(
        "method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "TRACE"]
    )
    def test_what_is_not_served(self, client: Client, prefix: str, method: str) -> None:
        for path in (f"{prefix}v1/nothing", f"{prefix}", f"{prefix}v1/a/b%2fc"):
            answer = client.client.open(path, method=method)
            code, message = refusal(answer, 404)
            assert code == -5000
            plain = path.replace("%2f", "/")
            assert message == f"Path {plain}, Method {method} is invalid"

    def test_another_method_of_a_path_is_a_path_that_is_not_served(self, client: Client) -> None:
        answer = client.ask("PATCH")
        assert refusal(answer, 404) == (-5000, f"Path {ECHO}, Method PATCH is invalid")

    def test_another_host(self, client: Client) -> None:
        answer = client.ask(text=client.text(), Host="evil.example")
        code, message = refusal(answer, 400)
        assert code == -1106
        assert "host name" in message

    def test_a_page_of_another_site(self, client: Client) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            code, message = refusal(client.ask("POST", "", client.text(), **headers), 403)
            assert code == -1106
            assert "other sites" in message

    def test_an_origin_of_the_own_address_is_let_through(self, client: Client) -> None:
        answer = client.ask("POST", "", client.text(), Origin="http://localhost")
        assert answer.status_code == 200

    def test_a_fault_of_the_program(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        code, message = refusal(client.ask("PUT", "", client.text()), 500)
        assert code == -1000
        assert message.startswith("An unknown error occurred while processing the request.")
        assert "a fault of the program" not in message
        assert "a fault of the program" in caplog.text

    @pytest.mark.parametrize(
        ("fault", "code", "message", "status"),
        [
            (
                errors.InsufficientBalance(Decimal(2), Decimal(1)),
                -2019,
                "Account has insufficient balance for requested action.",
                400,
            ),
            (errors.NoLivePrice(BTC, "Wait."), -1001, None, 503),
            (errors.StoreBusy(5), -1001, None, 503),
            (errors.StoreFailed("full"), -1001, None, 503),
            (errors.HistoryUnavailable("it is made"), -1001, None, 503),
            (errors.StaleRevision(1, 2), -1001, None, 503),
            (errors.UnknownOrder("no"), -2013, "Order does not exist.", 400),
            (
                errors.UnknownPosition("no"),
                -2022,
                "ReduceOnly Order is rejected. [LOT_SIZE: no position to reduce]",
                400,
            ),
            (errors.TriggerReached("so"), -2021, "Stop price would trigger immediately.", 400),
            (errors.TooManyOrders("so"), -2025, "Reach max open order limit.", 400),
            *(
                (
                    kind("so"),
                    -2027,
                    "Exceeded the maximum allowable position at current leverage. [LOT_SIZE]",
                    400,
                )
                for kind in (errors.PositionTooLarge, errors.LeverageTooHigh)
            ),
            (errors.QuantityTooSmall("So small."), -4003, None, 400),
            (errors.QuantityTooLarge("So large."), -4005, None, 400),
            (errors.ClientIdInUse("so"), -4116, "ClientOrderId is duplicated. [LOT_SIZE]", 400),
            (errors.LeverageInUse("So not."), -4161, None, 400),
            (
                errors.NotionalTooSmall(BTC, Decimal("5"), Decimal("4.9")),
                -4164,
                "Order's notional must be no smaller than 5 (unless you choose reduce only). "
                "[LOT_SIZE]",
                400,
            ),
            (errors.OtherFeed("So not."), -2010, None, 400),
            (errors.MarketRefused("So not."), -2010, None, 400),
            (errors.InvalidAmount("So not."), -1106, None, 400),
            (errors.NotYours(BTC, "grid"), -2010, None, 400),
            (errors.InvalidRequest("So not."), -1106, None, 400),
            (errors.KeyReused("k"), -1106, None, 400),
        ],
    )
    def test_an_error_of_the_account(
        self, fault: errors.BalanceError, code: int, message: str | None, status: int
    ) -> None:
        found = refusal_of(fault)
        assert (found.code, found.message) == (code, message or str(fault))
        assert found.status == status

    def test_every_row_is_reached(self) -> None:
        kinds = [row.kind for row in FAULTS]
        assert len(set(kinds)) == len(kinds)
        for place, kind in enumerate(kinds):
            assert not any(issubclass(kind, before) for before in kinds[:place]), kind


class TestAnswers:
    """Numbers and headers as clients know them."""

    def test_the_limits_are_told(self, client: Client) -> None:
        for answer in (client.ask(text=client.text()), client.ask(), client.client.get("/fapi/x")):
            for name in ("X-MBX-USED-WEIGHT-1M", "X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1M"):
                assert answer.headers[name].isdigit()
            assert answer.headers["Cache-Control"] == "no-store"

    @pytest.mark.parametrize(
        ("price", "tick", "text"),
        [
            ("64671", "0.1", "64671.0"),
            ("64671.0", "0.10", "64671.0"),
            ("1E+4", "10", "10000"),
            ("0.0000092111", "1e-10", "0.0000092111"),
            ("9.2e-6", "1e-10", "0.0000092000"),
            ("40000.1234567891", "0.1", "40000.123456789"),
            ("0.000009211123456789", "1e-10", "0.000009211123456789"),
            ("40000.10000", "0.1", "40000.1"),
            ("1e-12", "1e-13", "0.0000000000010"),
            ("0", "0.01", "0.00"),
            ("-0.0", "0.01", "0.00"),
        ],
    )
    def test_a_price_has_the_decimals_of_its_tick(self, price: str, tick: str, text: str) -> None:
        rules = _with(tick_size=Decimal(tick), step_size=Decimal(tick))
        assert price_text(Decimal(price), rules) == text
        assert quantity_text(Decimal(price), rules) == text

    @pytest.mark.parametrize(
        ("amount", "text"),
        [
            ("12.3", "12.30000000"),
            ("-0.000000001", "0.00000000"),
            ("1e15", "1000000000000000.00000000"),
            ("-1.234567891", "-1.23456789"),
        ],
    )
    def test_an_amount_has_eight_decimals(self, amount: str, text: str) -> None:
        assert amount_text(Decimal(amount)) == text

    @pytest.mark.parametrize(
        ("unit", "text"), [("0.10", "0.1"), ("1e-8", "0.00000001"), ("1E+3", "1000"), ("10", "10")]
    )
    def test_a_tick_has_no_zeros_at_its_end(self, unit: str, text: str) -> None:
        assert unit_text(Decimal(unit)) == text


def _with(**changes: Any) -> Any:
    return replace(KNOWN[BTC], **changes)


class TestServer:
    """The dialect of the whole server."""

    def test_courtesies(self) -> None:
        client = Dialect(guards=Guards())
        assert client.get("/fapi/v1/ping") == {}
        assert client.get("/sapi/v1/system/status") == {"status": 0, "msg": "normal"}
        assert client.get("/sapi/v1/capital/config/getall") == []
        assert client.get("/sapi/v1/margin/allPairs", timestamp=1, signature="x") == []

    def test_it_needs_no_token_of_the_server_and_the_rest_does(self) -> None:
        guards = Guards(token="secret")
        app = create_app(Desk(MemoryStore(), board()), Stream(1), guards)
        client = app.server.test_client()
        assert client.get("/fapi/v1/ping").get_json() == {}
        assert refusal(client.post("/fapi/v1/order"), 401) == NO_KEY
        stale = {"Authorization": "Bearer of-yesterday"}
        assert client.get("/fapi/v1/ping", headers=stale).get_json() == {}
        assert client.get("/virtual_balance").status_code == 401
        for path in ("/fapi", "/fapix", "/FAPI/v1/ping", "/x/fapi/v1/ping"):
            assert client.get(path).status_code in (401, 308), path
        assert client.get("/fapi/../virtual_balance").status_code in (401, 404)

    def test_keys_that_can_t_be_read_are_tried_again(self, tmp_path: Path) -> None:
        desk = Desk(MemoryStore(), board())
        keys = Keys(desk, tmp_path)
        keys.add("bot")
        client = Dialect(desk, keys=keys)
        client.ask("GET", "/fapi/v1/positionSide/dual")
        (tmp_path / KEYS_FILE).write_text("{")
        code, message = client.refuses("GET", "/fapi/v1/positionSide/dual", status=503)
        assert code == -1001
        assert KEYS_FILE in message
        assert client.get("/fapi/v1/ping") == {}

    def test_a_key_that_is_revoked_is_foreign_at_once(self) -> None:
        client = Dialect()
        other = client.other("grid")
        client.ask("GET", "/fapi/v1/positionSide/dual", by=other)
        client.services.keys.revoke("grid")
        found = client.refuses("GET", "/fapi/v1/positionSide/dual", by=other, status=401)
        assert found == FOREIGN_KEY

    def test_an_agent_has_no_key(self) -> None:
        client = Dialect()
        client.services.keys.add("claude", "agent")
        answer = client.client.get("/fapi/v1/positionSide/dual", headers={KEY_HEADER: ""})
        assert refusal(answer, 401) == NO_KEY

    def test_what_the_server_itself_would_refuse_has_the_form_of_its_path(
        self, tmp_path: Path
    ) -> None:
        large = 20 * 1024 * 1024

        def posted(path: str, framing: str, body: bytes) -> tuple[bytes, bytes]:
            head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{framing}\r\n\r\n"
            with socket.create_connection(("127.0.0.1", server.port), patience()) as connection:
                connection.sendall(head.encode())
                # The server may have answered, and closed, before it is through.
                with suppress(OSError):
                    connection.sendall(body)
                answer = b""
                with suppress(ConnectionResetError):
                    while part := connection.recv(65_536):
                        answer += part
            return answer[:13], answer.partition(b"\r\n\r\n")[2]

        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        with Server(tmp_path / "account") as server:
            status, body = posted("/fapi/v1/listenKey", f"Content-Length: {large}", b"")
            assert status == b"HTTP/1.1 413 "
            assert json.loads(body)["code"] == -1101
            chunks = chunk * (large // 0x10000)
            status, _ = posted("/fapi/v1/listenKey", "Transfer-Encoding: chunked", chunks)
            # The answer is lost where the connection is reset while the body is still sent.
            assert status in (b"HTTP/1.1 413 ", b"")
            assert server.get("/fapi/v1/ping").json() == {}

    def test_the_own_interface_keeps_its_own_errors(self) -> None:
        answer = Dialect(guards=Guards()).client.get("/nothing")
        assert answer.mimetype == "application/problem+json"

    def test_the_manual_has_every_path_and_who_may_ask(self) -> None:
        who = {"public": "anyone", "keyed": "key", "signed": "signed"}
        manual = (ROOT / "docs" / "dialect.md").read_text()
        rows = re.findall(r"^\| `([A-Z]+ /\S+)` \| (\w+) \|$", manual, re.MULTILINE)
        assert sorted(rows) == sorted((route, who[each]) for route, each in served().items())


#: What any parameter may be sent as.
ANY_VALUE = st.one_of(
    st.sampled_from(
        [
            *("0", "1", "-1", "0.001", "1e400", "NaN", "9" * 20, "9" * 400, "0." + "0" * 19 + "1"),
            *("BTCUSDT", "ETHUSDT", "BTC/USDT", "XYZUSDT", "LIMIT", "MARKET", "STOP_MARKET", "BUY"),
            *("SELL", "GTC", "IOC", "FOK", "GTX", "true", "false", "ISOLATED", "CROSSED", "1m"),
            *("PERPETUAL", "CONDITIONAL", "bot", "", "[]", "{}", "null", "[1,2]", '["a"]', "[[]]"),
            '[{"symbol":"BTCUSDT"}]',
            '[{"symbol":"BTCUSDT","side":"BUY","type":"MARKET","quantity":1e400}]',
            *(
                "[" * 5_000,
                '{"a":' * 500,
                "\u0967",
                "\u202e",
                "'; DROP",
                "%00",
                "..",
                "\U0001f600",
            ),
        ]
    ),
    st.integers(-(10**22), 10**22).map(str),
    st.decimals(allow_nan=True, allow_infinity=True).map(str),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=20),
)
#: What goes well nearly everywhere, so that what is wrong behind it is reached too.
GOOD = dict(
    each.split("=")
    for each in (
        *("symbol=BTCUSDT", "pair=BTCUSDT", "contractType=PERPETUAL", "interval=1m", "side=BUY"),
        *("type=LIMIT", "quantity=0.001", "price=30000", "timeInForce=GTC", "leverage=7"),
        *("algoType=CONDITIONAL", "marginType=ISOLATED", "amount=1", "dualSidePosition=false"),
        *("multiAssetsMargin=false", "batchOrders=[{}]"),
    )
)
NAMES = (
    *("symbol", "pair", "side", "type", "quantity", "price", "stopPrice", "triggerPrice"),
    *("timeInForce", "reduceOnly", "closePosition", "newClientOrderId", "clientAlgoId", "algoId"),
    *("orderId", "origClientOrderId", "batchOrders", "orderIdList", "origClientOrderIdList"),
    *("startTime", "endTime", "fromId", "limit", "interval", "contractType", "leverage"),
    *("marginType", "dualSidePosition", "multiAssetsMargin", "amount", "incomeType", "algoType"),
    *("positionSide", "callbackRate", "activatePrice", "workingType", "recvWindow", "listenKey"),
    *("countdownTime", "page", "orderListId", "asset", "positionType", "unknown"),
)


class TestAnything:
    """No request makes the program fail."""

    @pytest.fixture(scope="class")
    def dialect(self) -> Dialect:
        """A program with a position, an open order, and a stop."""
        client = Dialect()
        order = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.1"}
        client.ask("POST", "/fapi/v1/order", type="MARKET", **order)
        client.ask(
            "POST", "/fapi/v1/order", type="LIMIT", price="30000", timeInForce="GTC", **order
        )
        return client

    @pytest.mark.parametrize("route", served())
    @settings(max_examples=25)
    @given(st.dictionaries(st.sampled_from(NAMES), ANY_VALUE, max_size=3), st.booleans())
    def test_is_answered_in_its_form(
        self, dialect: Dialect, route: str, wrong: dict[str, str], in_body: bool
    ) -> None:
        method, path = route.split()
        answer = dialect.signed(method, path, body=in_body, **{**GOOD, **wrong})
        assert answer.mimetype == "application/json"
        members = answer.get_json()
        if answer.status_code != 200:
            assert answer.status_code in (400, 413, 503), answer.text
            assert set(members) == {"code", "msg"}
            assert type(members["code"]) is int
            assert members["code"] < 0
            assert type(members["msg"]) is str
