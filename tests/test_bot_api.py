"""Bots, strategies and backtests over HTTP: what each route does, and what it refuses."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from balance.api.backtests import FILE_TYPES, LARGEST_FILE
from balance.api.guards import Guards
from balance.api.requests import LARGEST_BODY
from balance.core.errors import StoreFailed
from tests.backtesting import bodies, csv_of
from tests.bots_by_hand import USUAL, ByHand
from tests.interface import Interface
from tests.markets import BTC, ETH

TREND = {"name": "Trend", "symbol": "btcusdt", "strategy": "ema_crossover", "stop_loss": 1.5}
JSON = "application/json"
WAVES = bodies(*(40_000 + abs(number % 240 - 120) * 10 for number in range(722)))
TEST = {"strategy": "ema_crossover", "timeframe": "1m", "params": {"fast": 3, "slow": 8}}
#: Every request that changes something, of a bot with the id BOT.
CHANGES: list[tuple[str, str, Any]] = [
    ("POST", "/bots", TREND),
    ("PUT", "/bots/BOT", {"stake": 5}),
    *(("POST", f"/bots/BOT/{verb}", None) for verb in ("start", "stop", "duplicate")),
    *(("POST", f"/bots/BOT/{verb}", None) for verb in ("pause", "resume")),
    ("POST", "/bots/stop", None),
    ("DELETE", "/bots/BOT", None),
]


@pytest.fixture
def bot(by_hand: ByHand) -> str:
    """A bot that runs and holds a long of Bitcoin since 12:01."""
    bot = by_hand.create()
    by_hand.close(41_000)
    by_hand.close(41_000)
    assert by_hand.side() == "long"
    return bot


class TestReaders:
    """What there is to see."""

    def test_strategies_come_with_their_parameters(self, api: Interface) -> None:
        told = api.told("GET", "/strategies")["strategies"]
        ids = [each["id"] for each in told]
        assert ids[:2] == ["ema_crossover", "rsi_reversion"]
        assert ids[-1] == "own_levels"
        (fast, _) = told[0]["parameters"]
        assert (fast["name"], fast["kind"], fast["least"], fast["most"]) == ("fast", "int", 2, 100)
        assert (told[-1]["own"], told[-1]["error"], told[0]["own"]) == (True, None, False)

    def test_a_strategy_that_is_broken_says_why(self, api: Interface, by_hand: ByHand) -> None:
        folder = by_hand.folder.with_name("strategies")
        (folder / "broken.py").write_text("def decide(")
        (broken,) = (each for each in api.told("GET", "/strategies")["strategies"] if each["error"])
        assert broken["id"] == "own_broken"
        assert "SyntaxError" in broken["error"]
        assert str(folder) not in broken["error"]

    def test_without_bots_there_is_an_empty_list(self, api: Interface) -> None:
        told = api.told("GET", "/bots")
        assert (told["bots"], told["can_change"], told["words"]) == ([], True, "")
        assert api.told("GET", "/bots/log")["entries"] == []
        assert api.told("GET", "/bots/trades")["trades"] == []

    def test_a_bot_is_told_with_what_it_holds_and_why(
        self, api: Interface, by_hand: ByHand, bot: str
    ) -> None:
        by_hand.price(41_500)
        (row,) = api.told("GET", "/bots")["bots"]
        assert (row["id"], row["status"], row["position"]["side"]) == (bot, "running", "long")
        # 4,000 at 41,000, cut to the step
        assert row["pnl"] == Decimal("0.097") * 500
        assert (row["signal"]["side"], float(row["signal"]["confidence"])) == ("buy", 0.9)
        by_hand.close(40_500)
        by_hand.close(40_500)
        (row,) = api.told("GET", "/bots")["bots"]
        assert (row["trades"], row["position"]) == (1, None)

    def test_trades_and_the_log_can_be_asked_for_in_part(
        self, api: Interface, by_hand: ByHand, bot: str
    ) -> None:
        by_hand.close(39_000, 39_000, 40_500, 40_500)
        other = by_hand.create(name="Other", symbol=ETH, start=False)
        newest, first = api.told("GET", "/bots/trades")["trades"]
        assert (newest["side"], first["side"]) == ("short", "long")
        assert newest["bot"] == bot
        assert api.told("GET", "/bots/trades?limit=1")["trades"] == [newest]
        assert api.told("GET", f"/bots/trades?bot={bot}")["trades"] == [newest, first]
        assert api.told("GET", f"/bots/trades?bot={other}")["trades"] == []
        entries = api.told("GET", "/bots/log")["entries"]
        ids = [each["id"] for each in entries]
        assert ids == sorted(ids, reverse=True)
        page = api.told("GET", "/bots/log?limit=2")
        assert [each["id"] for each in page["entries"]] == ids[:2]
        rest = api.told("GET", f"/bots/log?before={page['next']}")["entries"]
        assert [each["id"] for each in rest] == ids[2:]
        traded = api.told("GET", "/bots/log?kind=trade")["entries"]
        assert {each["kind"] for each in traded} == {"trade"}
        assert {each["bot"] for each in api.told("GET", f"/bots/log?bot={other}")["entries"]} == {
            other
        }

    @pytest.mark.parametrize(
        "path",
        [
            *(f"/bots/log?{query}" for query in ("limit=0", "limit=501", "limit=x", "kind=x")),
            *("/bots/log?before=x", "/bots/log?before=-1", "/bots/log?limit=-1"),
            *(f"/bots/trades?limit={limit}" for limit in ("0", "1001", "x")),
        ],
    )
    def test_what_can_not_be_asked_for_is_refused(self, api: Interface, path: str) -> None:
        assert "must be" in api.refused(422, "GET", path)


class TestChanges:
    """From a bot's making to its end."""

    def test_a_bot_goes_through_its_life(self, api: Interface) -> None:
        made = api.told("POST", "/bots", TREND)
        bot = made["bot"]["id"]
        assert made["message"] == "Made the bot Trend. Start it when you like."
        assert made["bot"]["symbol"] == BTC
        for verb, status, words in (
            ("start", "running", "Started Trend."),
            ("pause", "paused", "Paused Trend."),
            ("resume", "running", "Resumed Trend."),
            ("stop", "stopped", "Stopped Trend."),
        ):
            told = api.told("POST", f"/bots/{bot}/{verb}")
            assert told["bot"]["status"] == status
            assert told["message"].startswith(words)
        copy = api.told("POST", f"/bots/{bot}/duplicate")["bot"]
        assert (copy["name"], copy["status"]) == ("Trend 2", "stopped")
        changed = api.told("PUT", f"/bots/{bot}", {"name": "Other", "stop_loss": None})["bot"]
        assert (changed["name"], changed["settings"]["stop_loss"]) == ("Other", None)
        assert changed["settings"]["strategy"] == "ema_crossover"
        assert api.told("DELETE", f"/bots/{bot}")["message"].startswith("Deleted the bot Other.")
        assert [each["id"] for each in api.told("GET", "/bots")["bots"]] == [copy["id"]]

    def test_the_body_of_a_stop_says_whether_to_close(
        self, api: Interface, by_hand: ByHand, bot: str
    ) -> None:
        api.told("POST", f"/bots/{bot}/stop", {"close": False})
        assert by_hand.side() == "long"
        told = api.told("POST", f"/bots/{bot}/stop", {"close": True})
        assert "0.097" in told["message"]
        assert by_hand.side() == ""

    def test_the_query_of_a_delete_says_whether_to_close(
        self, api: Interface, by_hand: ByHand, bot: str
    ) -> None:
        for query in ("", "?close=false"):
            assert "close=true" in api.refused(422, "DELETE", f"/bots/{bot}{query}")
        assert "close must be true or" in api.refused(422, "DELETE", f"/bots/{bot}?close=yes")
        assert "0.097" in api.told("DELETE", f"/bots/{bot}?close=true")["message"]
        assert (by_hand.side(), api.told("GET", "/bots")["bots"]) == ("", [])

    def test_all_are_stopped_at_once(self, api: Interface, by_hand: ByHand, bot: str) -> None:
        by_hand.create(name="Other", symbol=ETH)
        told = api.told("POST", "/bots/stop", {"close": True})
        assert (told["stopped"], told["closed"]) == (2, 1)
        assert told["message"] == "Stopped 2 bots and closed 1 position."
        assert {each["status"] for each in api.told("GET", "/bots")["bots"]} == {"stopped"}
        assert api.told("POST", "/bots/stop")["stopped"] == 0

    @pytest.mark.parametrize(("method", "path", "body"), CHANGES)
    def test_a_repeated_key_gets_the_first_answer(
        self, api: Interface, by_hand: ByHand, method: str, path: str, body: Any
    ) -> None:
        bot = by_hand.create(start=path.endswith(("stop", "pause", "resume")))
        if path.endswith("resume"):
            by_hand.bots.pause(bot)
        path, headers = path.replace("BOT", bot), {"Idempotency-Key": "once"}
        first = api.ask(method, path, body, headers=headers)
        assert first.status_code == 200, first.text
        assert "Idempotency-Replayed" not in first.headers
        entries = api.told("GET", "/bots/log")["entries"]
        again = api.ask(method, path, body, headers=headers)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert again.get_json()["message"] == first.get_json()["message"]
        assert api.told("GET", "/bots/log")["entries"] == entries

    def test_a_key_of_another_request_is_refused(self, api: Interface, by_hand: ByHand) -> None:
        headers = {"Idempotency-Key": "once"}
        api.told("POST", "/bots", TREND, headers=headers)
        words = api.refused(422, "POST", "/bots", {**TREND, "name": "Other"}, headers=headers)
        assert "was used before for another request" in words
        assert "Idempotency-Key" in api.refused(
            422, "POST", "/bots", TREND, headers={"Idempotency-Key": ""}
        )

    @pytest.mark.parametrize(("method", "path", "body"), CHANGES)
    def test_of_a_bot_that_is_not_there_everything_is_refused(
        self, api: Interface, method: str, path: str, body: Any
    ) -> None:
        if "BOT" in path:
            assert "bot" in api.refused(404, method, path.replace("BOT", "nobody-7"), body)

    def test_a_state_that_does_not_fit_is_refused(self, api: Interface) -> None:
        bot = api.told("POST", "/bots", TREND)["bot"]["id"]
        for verb in ("pause", "resume", "stop"):
            assert "Trend is stopped" in api.refused(422, "POST", f"/bots/{bot}/{verb}")

    def test_a_change_that_can_not_be_kept_is_told(self, api: Interface, by_hand: ByHand) -> None:
        with by_hand.disk.full():
            words = api.refused(503, "POST", "/bots", TREND)
        assert words.startswith(str(StoreFailed("x"))[:20])
        assert api.told("GET", "/bots")["bots"] == []

    def test_a_market_without_a_live_price_closes_nothing(
        self, api: Interface, by_hand: ByHand, bot: str
    ) -> None:
        before = by_hand.board.market
        by_hand.board.market = type(before)(
            **{**{name: getattr(before, name) for name in before.__slots__}, "live": frozenset()}
        )
        assert "no live price" in api.refused(503, "DELETE", f"/bots/{bot}?close=true")
        assert by_hand.side() == "long"


class TestBodies:
    """What a body may be."""

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"nonsense": 1}, "The body may have name, symbol, timeframe,"),
            ({"name": None}, "A bot needs a name."),
            ({"name": ""}, "The name must be a printable text of 1 to 40 characters."),
            ({"symbol": "DOGE/USDT"}, "There is no symbol 'DOGE/USDT' here."),
            ({"strategy": "nonsense"}, "There is no strategy 'nonsense'."),
            ({"timeframe": "2m"}, "timeframe must be one of 1m, 5m, 15m, 1h, 4h, 1d"),
            ({"params": {"fast": 200}}, "Fast EMA (fast) must be a whole number from 2 to 100"),
            ({"params": {"fast": "x"}}, 'fast must be a number such as 250 or 12.30, not "x".'),
            ({"params": [12]}, "params must be an object of the strategy's parameters."),
            ({"stake": "1,0"}, 'stake must be a number such as 250 or 12.30, not "1,0".'),
            ({"stake": 101}, "The stake must be at most 100 %, not 101.00."),
            ({"stake": True}, "The stake must be a number"),
            ({"stake": 0}, "stake must be above 0, not 0.00."),
            ({"leverage": 2.5}, "leverage must be a whole number from 1 to 1,000, not 2.50."),
            ({"leverage": 500}, "The leverage must be at most 150, not 500."),
            ({"min_confidence": 1.1}, "min_confidence must be from 0 to 1, not 1.10."),
            ({"stop_loss": 100}, "stop_loss must be above 0 and below 100, not 100.00."),
            ({"direction": "up"}, "direction must be one of both, long, short, not 'up'."),
        ],
    )
    def test_settings_that_make_no_sense_are_refused(
        self, api: Interface, changes: dict[str, Any], words: str
    ) -> None:
        bot = api.told("POST", "/bots", {**TREND, "name": "There"})["bot"]["id"]
        assert api.refused(422, "POST", "/bots", {**TREND, **changes}).startswith(words)
        if changes != {"name": None}:
            assert api.refused(422, "PUT", f"/bots/{bot}", changes).startswith(words)
        assert len(api.told("GET", "/bots")["bots"]) == 1

    @pytest.mark.parametrize(
        ("status", "data", "kind"),
        [
            (400, b"", JSON),
            (400, b"{", JSON),
            (400, b'{"name": "a", "name": "b"}', JSON),
            (400, b'{"stake": NaN}', JSON),
            (400, b'{"stake": 1e400}', JSON),
            (400, b'{"name": "\xff"}', JSON),
            (422, b"[]", JSON),
            (422, b"null", JSON),
            (413, b" " * (LARGEST_BODY + 1), JSON),
            (415, b"name=x", "application/x-www-form-urlencoded"),
            (415, b"{}", "text/plain"),
            (415, b"{}", ""),
        ],
    )
    def test_what_is_no_body_is_refused(
        self, api: Interface, by_hand: ByHand, status: int, data: bytes, kind: str
    ) -> None:
        bot = by_hand.create(start=False)
        for method, path in (
            *(("POST", "/bots"), ("PUT", f"/bots/{bot}"), ("POST", "/backtests")),
            *((("POST", f"/bots/{bot}/start"), ("POST", "/bots/stop")) if data else ()),
        ):
            api.refused(status, method, path, data=data, content_type=kind)

    @pytest.mark.parametrize("verb", ["start", "pause", "resume", "duplicate"])
    def test_what_takes_nothing_takes_an_empty_object_too(
        self, api: Interface, by_hand: ByHand, verb: str
    ) -> None:
        bot = by_hand.create(start=verb in ("pause", "resume"))
        if verb == "resume":
            by_hand.bots.pause(bot)
        words = api.refused(422, "POST", f"/bots/{bot}/{verb}", {"close": True})
        assert words == "The body may have nothing, but not 'close'."
        api.told("POST", f"/bots/{bot}/{verb}", {})

    @pytest.mark.parametrize("close", [0, 1, "true", None, [], {}])
    def test_whether_to_close_is_true_or_false(
        self, api: Interface, by_hand: ByHand, close: Any
    ) -> None:
        bot = by_hand.create()
        for path in (f"/bots/{bot}/stop", "/bots/stop"):
            assert api.refused(422, "POST", path, {"close": close}) == (
                "close must be true or false."
            )
        assert by_hand.row(bot)["status"] == "running"


class TestGuards:
    """They stand before these routes as before all others."""

    @pytest.mark.parametrize(
        ("method", "path"),
        [
            *((method, path) for method, path, _ in CHANGES),
            *(("POST", "/backtests"), ("DELETE", "/backtests/x"), ("POST", "/candles")),
            ("POST", "/signals"),
        ],
    )
    def test_pages_of_other_sites_change_nothing(
        self, api: Interface, method: str, path: str
    ) -> None:
        for headers in ({"Origin": "https://evil.com"}, {"Sec-Fetch-Site": "cross-site"}):
            assert "other sites" in api.refused(403, method, path, {}, headers=headers)
        assert "host" in api.refused(400, method, path, headers={"Host": "evil.com"})

    def test_with_a_token_everyone_must_show_it(self, by_hand: ByHand) -> None:
        api = Interface(by_hand, Guards(token="a-token-of-some-length"))
        for path in ("/bots", "/strategies", "/bots/log", "/bots/trades", "/backtests/x"):
            assert "token" in api.refused(401, "GET", path)
        for method, path, body in CHANGES:
            assert "token" in api.refused(401, method, path, body)
        shown = {"Authorization": "Bearer a-token-of-some-length"}
        assert api.told("GET", "/bots", headers=shown)["bots"] == []

    def test_another_method_is_not_possible(self, api: Interface) -> None:
        answer = api.client.patch("/bots/x")
        assert answer.status_code == 405
        assert {"PUT", "DELETE"} <= set(answer.headers["Allow"].split(", "))


class TestBacktests:
    """``/backtests`` and ``/candles``."""

    def send(self, api: Interface, name: str = "BTCUSDT-1m.csv", text: str | None = None) -> Any:
        """What is told of a file that was sent."""
        data = (csv_of(WAVES) if text is None else text).encode()
        return api.told("POST", f"/candles?name={name}", data=data, content_type="text/csv")["file"]

    def test_one_goes_to_its_report(self, api: Interface) -> None:
        file = self.send(api)
        assert (file["name"], file["symbol"], file["candles"]) == ("BTCUSDT-1m.csv", BTC, 721)
        answer = api.ask("POST", "/backtests", {**TEST, "file": file["id"], "balance": 2_500})
        assert answer.status_code == 202
        done = api.ended(answer.get_json()["backtest"])
        assert (done["state"], done["progress"]) == ("done", 1)
        assert done["result"]["starting_balance"] == 2_500
        assert done["result"]["rows"]
        assert api.told("DELETE", f"/backtests/{done['id']}")["backtest"] == done

    def test_the_past_of_the_market_is_tested_on(self, api: Interface, by_hand: ByHand) -> None:
        by_hand.close(*(40_000 + number for number in range(40)))
        begun = api.told("POST", "/backtests", {**TEST, "symbol": "btc-usdt", "hours": 0.5})
        told = api.ended(begun["backtest"])
        assert told["result"]["candles"] == 30

    def test_one_that_fails_says_why(self, api: Interface) -> None:
        file = self.send(api)
        begun = api.told("POST", "/backtests", {**TEST, "file": file["id"], "hours": 0.001})
        done = api.ended(begun["backtest"])
        assert (done["state"], done["result"]) == ("failed", None)
        assert "There are no candles in that time" in done["words"]

    @pytest.mark.parametrize(
        ("members", "words"),
        [
            ({"symbol": BTC}, "No past prices of BTC/USDT are at hand here."),
            ({}, "A bot needs a symbol."),
            ({"file": "x"}, "The file 'x' is not here"),
            ({"file": 5}, "The file"),
            ({"symbol": BTC, "hours": "five"}, "hours must be a number such as 250 or 12.30"),
            ({"symbol": BTC, "strategy": "x"}, "There is no strategy 'x'."),
            ({"symbol": BTC, "fee": 5}, "The body may have name, symbol,"),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, api: Interface, members: dict[str, Any], words: str
    ) -> None:
        assert api.refused(422, "POST", "/backtests", {**TEST, **members}).startswith(words)

    def test_one_that_is_not_there_is_not_found(self, api: Interface) -> None:
        for method in ("GET", "DELETE"):
            assert "no backtest 'x'" in api.refused(404, method, "/backtests/x")

    @pytest.mark.parametrize(
        ("status", "data", "kind", "words"),
        [
            (415, b"time,open\n", "text/plain", "Content-Type: text/csv"),
            (415, b"time,open\n", "", "Content-Type: text/csv"),
            (422, b"\xff\xfe\x00", "text/csv", "not text in UTF-8"),
            (422, b"ARROW1\0\0", "text/csv", "candles.csv is a feather file: save it as CSV"),
            (422, b"", "text/csv", "candles.csv is empty."),
            (422, b"time,open\n", "text/csv", "candles.csv has no column for high, low"),
            (422, b"a" * 200_000, "text/csv", "line 1: it has 200,000 bytes; a line of candles"),
            (413, b"1" * (LARGEST_FILE + 1), "text/csv", "too large"),
        ],
    )
    def test_what_is_no_file_of_candles_is_refused(
        self, api: Interface, status: int, data: bytes, kind: str, words: str
    ) -> None:
        assert words in api.refused(status, "POST", "/candles", data=data, content_type=kind)

    def test_a_file_may_begin_with_a_mark_and_be_large(self, api: Interface) -> None:
        assert self.send(api, text="\ufeff" + csv_of(WAVES))["candles"] == 721
        assert self.send(api, name="", text=csv_of(WAVES))["name"] == "candles.csv"
        assert len(csv_of(WAVES)) < LARGEST_BODY
        many = csv_of(bodies(*range(1_000, 3_000)))
        assert len(many) > LARGEST_BODY
        assert self.send(api, text=many)["candles"] == 1_999


class TestFiles:
    """``POST /candles``: what may be sent, and what is told of it."""

    def send(self, api: Interface, data: bytes, kind: str = "text/csv", **query: str) -> Any:
        """What is told of ``data``."""
        path = f"/candles?{urlencode(query)}"
        return api.told("POST", path, data=data, content_type=kind)["file"]

    @pytest.mark.parametrize("kind", FILE_TYPES)
    def test_it_is_read_by_what_it_is(self, api: Interface, kind: str) -> None:
        text = csv_of(WAVES).encode()
        memory = io.BytesIO()
        with zipfile.ZipFile(memory, "w") as archive:
            archive.writestr("BTCUSDT.csv", text)
        for data in (text, gzip.compress(text), memory.getvalue(), text.decode().encode("utf-16")):
            assert self.send(api, data, kind)["candles"] == len(WAVES)
        rows = b"[[1640995200000,5,6,4,5,1],[1640995260000,5,6,4,5,1]]"
        assert self.send(api, rows, kind)["candles"] == 2

    def test_what_there_is_to_know_of_it_is_told(self, api: Interface) -> None:
        lines = ["time,open,high,low,close", "2022-01-03,5,6,4,5", "2022-01-04,,,,"]
        told = self.send(api, "\n".join(lines).encode(), name="btcusdt.csv")
        assert told["notes"] == [
            "It has no volume column: volume is 0.",
            "1 row without prices left out, as a gap.",
        ]
        begun = api.told("POST", "/backtests", {**TEST, "file": told["id"]})
        assert api.ended(begun["backtest"])["words"].startswith("It has no volume column")

    def test_of_two_markets_the_one_that_is_named_is_tested(self, api: Interface) -> None:
        header, *lines = csv_of(WAVES).splitlines()
        of_both = [f"{line},{each}USDT" for each in ("BTC", "ETH") for line in lines]
        data = "\n".join((f"{header},symbol", *of_both)).encode()
        words = api.refused(422, "POST", "/candles?name=x.csv", data=data, content_type="text/csv")
        assert words == (
            "x.csv has candles of 2 markets, BTCUSDT, ETHUSDT: name one of them as the symbol."
        )
        told = self.send(api, data, name="x.csv", symbol="eth/usdt")
        assert (told["symbol"], told["candles"]) == ("ETH/USDT", len(WAVES))
        begun = api.told("POST", "/backtests", {**TEST, "file": told["id"]})
        assert api.ended(begun["backtest"])["result"]["candles"] == len(WAVES)
        other = {**TEST, "file": told["id"], "symbol": BTC}
        assert "not of BTC/USDT" in api.refused(422, "POST", "/backtests", other)

    def test_the_format_of_dates_can_be_given(self, api: Interface) -> None:
        lines = ["time,open,high,low,close,volume"]
        lines += [f"0{day}/02/2025,5,6,4,5,1" for day in range(1, 6)]
        data = "\n".join(lines).encode()
        words = api.refused(422, "POST", "/candles", data=data, content_type="text/csv")
        assert "choose the date format" in words
        told = self.send(api, data, date_format="DD/MM/YYYY", name="btcusdt.csv")
        assert told["from"] == "2025-02-01T00:00:00.000Z"
        begun = api.told("POST", "/backtests", {**TEST, "file": told["id"]})
        assert api.ended(begun["backtest"])["result"]["from"] == "2025-02-01T00:00:00.000Z"
        wrong = api.refused(
            422, "POST", "/candles?date_format=x", data=data, content_type="text/csv"
        )
        assert wrong.startswith("The date format must be DD/MM/YYYY")

    @pytest.mark.parametrize(
        "data",
        [
            b"a,b,c," * 1_475_000,
            b"[[" + b"1," * 4_400_000 + b"1]]",
            b"time,open,high,low,close\n" + b"x" * 9_999,
            ("sym," * 2_000).encode(),
        ],
        ids=["one line", "one row", "a long cell", "many names"],
    )
    def test_the_answer_to_a_wrong_file_is_short(self, api: Interface, data: bytes) -> None:
        words = api.refused(422, "POST", "/candles", data=data, content_type="text/csv")
        assert len(words) < 400


def test_numbers_are_exact(api: Interface) -> None:
    body = b'{"name": "Exact", "symbol": "BTC/USDT", "strategy": "signals", "stake": 0.12345678}'
    told = api.told("POST", "/bots", data=body, content_type=JSON)
    assert str(told["bot"]["settings"]["stake"]) == "0.12345678"


def test_what_a_bot_is_told_is_what_it_tells(api: Interface) -> None:
    told = api.told("POST", "/bots", {**USUAL, "max_positions": 3, "max_drawdown": 12.5})["bot"]
    settings = json.loads(json.dumps(told["settings"], default=float))
    again = api.told("POST", "/bots", {**settings, "name": "Again"})["bot"]
    assert {**again["settings"], "name": ""} == {**told["settings"], "name": ""}
