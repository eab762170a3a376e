"""Backtests as jobs: one at a time, each to its report, its fault or its end."""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from balance import InvalidRequest
from balance.background import pace
from balance.backtests.candle_files import MOST_FILES
from balance.backtests.jobs import MOST_KEPT, MOST_WAITING, Backtests
from balance.core.errors import BalanceError, UnknownBacktest
from balance.core.quote import Candle, Settlement
from balance.strategies.own import Catalogue, OwnStrategies
from tests.backtesting import bodies, csv_of
from tests.markets import BTC, market
from tests.patience import patience, wait_for

#: A day of minutes, up and down in waves.
WAVES = bodies(*(40_000 + abs(number % 240 - 120) * 10 for number in range(1_442)))
EMA: dict[str, Any] = {
    "symbol": "btcusdt",
    "timeframe": "1m",
    "strategy": "ema_crossover",
    "params": {"fast": 3, "slow": 8},
}
_OWN = '''"""For the tests."""
import time

from balance import Signal


def decide(candles, position):
    {}
'''


def candles(symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
    """The waves, and none of another symbol."""
    assert seconds == 60
    return WAVES[-limit:] if symbol == BTC else ()


def settle(symbol: str, _instant: object) -> Settlement:
    """A thousandth, at 40,000."""
    assert symbol == BTC
    return Settlement(rate=Decimal("0.001"), mark=Decimal(40_000))


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., str]:
    """Writes a strategy whose ``decide`` does this; its id."""

    def write(name: str, does: str) -> str:
        (tmp_path / f"{name}.py").write_text(_OWN.format(does))
        return f"own_{name}"

    return write


@pytest.fixture
def backtests(tmp_path: Path) -> Backtests:
    """On a market that stands still after a day of waves."""
    return Backtests(market, candles, settle, Catalogue(OwnStrategies(tmp_path)))


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Keeps the thread from beginning with a backtest until it is set."""
    opened = threading.Event()

    def planned(*given: Any, **named: Any) -> Any:
        assert opened.wait(patience())
        return before(*given, **named)

    module = sys.modules[Backtests.__module__]
    before = module.plan_backtest
    monkeypatch.setattr(module, "plan_backtest", planned)
    yield opened
    opened.set()


def ended(backtests: Backtests, row: Any) -> Any:
    """How the backtest of ``row`` stands once it has ended."""

    def found() -> Any:
        now = backtests.row(row["id"])
        return now["state"] != "running" and now

    return wait_for(found, "the end of the backtest")


def refused(call: Callable[..., Any], *given: Any) -> str:
    """The words with which ``call`` is refused."""
    with pytest.raises(BalanceError) as fault:
        call(*given)
    return str(fault.value)


class TestOnTheMarket:
    """Of the past that the feed has at hand."""

    def test_a_backtest_goes_from_its_start_to_its_report(self, backtests: Backtests) -> None:
        begun = backtests.start({**EMA, "name": "Waves"})
        assert (begun["state"], begun["result"], begun["words"]) == ("running", None, "")
        assert 0 <= begun["progress"] < 1
        done = ended(backtests, begun)
        assert (done["id"], done["state"], done["progress"]) == (begun["id"], "done", 1)
        told = done["result"]
        # the newest candle still grows
        assert told["candles"] == len(WAVES) - 1
        assert told["trades"] > 5
        assert told["starting_balance"] == 10_000
        assert {row["name"] for row in told["rows"]} == {"Waves"}
        # something is held at 08:00 and 16:00
        assert told["funding"] != 0
        assert "still holds" in done["words"]

    def test_the_same_again_comes_to_the_same(self, backtests: Backtests) -> None:
        one, other = (ended(backtests, backtests.start(EMA)) for _ in range(2))
        assert one["result"] == other["result"]

    def test_only_the_newest_hours_are_tested_with_what_was_before_them(
        self, backtests: Backtests, own: Any
    ) -> None:
        counts = own("counts", "return Signal('close' if position else 'buy', 1, len(candles))")
        wanted = {**EMA, "strategy": counts, "params": {}, "hours": 2, "balance": 500}
        failed = ended(backtests, backtests.start(wanted))
        assert "reason must be a text" in failed["words"]
        counts = own(
            "counts", "return Signal('close' if position else 'buy', 1, f'{len(candles)}')"
        )
        told = ended(backtests, backtests.start(wanted))["result"]
        assert told["candles"] == 120
        assert told["starting_balance"] == 500
        assert told["rows"][-1]["opened_at"] == "2022-01-03T22:02:00.000Z"
        # what a strategy is given that says nothing of it
        assert told["rows"][-1]["opened_because"] == "200"

    @pytest.mark.parametrize(
        ("members", "words"),
        [
            ({"strategy": "nonsense"}, "There is no strategy 'nonsense'. There are ema_crossover,"),
            ({"strategy": None}, "A bot needs a strategy."),
            ({"symbol": None}, "A bot needs a symbol."),
            ({"symbol": "DOGE/USDT"}, "There is no symbol 'DOGE/USDT' here."),
            ({"symbol": "ETH/USDT"}, "No past prices of ETH/USDT are at hand here."),
            ({"params": {"fast": 9, "slow": 8}}, "EMA crossover: the fast EMA (9) must have"),
            ({"params": {"fast": 1}}, "Fast EMA (fast) must be a whole number from 2 to 100"),
            ({"leverage": 500}, "The leverage must be at most 150, not 500."),
            ({"hours": 0}, "The hours must be above zero"),
            ({"hours": True}, "The hours must be a number"),
            ({"balance": Decimal("0.5")}, "The balance must be at least 1.00, not 0.50."),
            ({"file": "nonsense"}, "The file 'nonsense' is not here: the newest 5 are kept"),
            ({"file": 5}, "The file 5 is not here"),
        ],
    )
    def test_what_makes_no_sense_is_refused_at_once(
        self, backtests: Backtests, members: dict[str, Any], words: str
    ) -> None:
        assert refused(backtests.start, {**EMA, **members}).startswith(words)


class TestOnFiles:
    """Of files that were sent."""

    def test_a_file_is_told_and_tested_on(self, backtests: Backtests) -> None:
        told = backtests.add_file("C:\\mine\\BTCUSDT-1m.csv", csv_of(WAVES).encode())
        assert told == {
            "id": told["id"],
            "name": "BTCUSDT-1m.csv",
            "symbol": BTC,
            "candles": len(WAVES),
            "seconds": 60,
            "from": "2022-01-03T00:01:00.000Z",
            "to": "2022-01-04T00:02:00.000Z",
            "notes": [],
        }
        wanted = {name: value for name, value in EMA.items() if name != "symbol"}
        done = ended(backtests, backtests.start({**wanted, "file": told["id"]}))
        assert done["result"]["candles"] == len(WAVES)
        assert {row["symbol"] for row in done["result"]["rows"]} == {BTC}
        assert "Funding was left out" in done["words"]

    def test_a_file_may_be_of_a_symbol_that_the_market_does_not_have(
        self, backtests: Backtests
    ) -> None:
        small = bodies(*(0.1 + abs(number % 40 - 20) / 1_000 for number in range(600)))
        told = backtests.add_file("mine.csv", csv_of(small).encode())
        assert told["symbol"] is None
        words = refused(backtests.start, {**EMA, "symbol": None, "file": told["id"]})
        assert words.startswith("The name of mine.csv does not say of which symbol")
        done = ended(backtests, backtests.start({**EMA, "symbol": "doge/usdt", "file": told["id"]}))
        assert done["state"] == "done"
        assert {row["symbol"] for row in done["result"]["rows"]} == {"DOGE/USDT"}

    def test_a_file_of_another_symbol_is_refused(self, backtests: Backtests) -> None:
        told = backtests.add_file("ETHUSDT.csv", csv_of(WAVES).encode())
        words = refused(backtests.start, {**EMA, "file": told["id"]})
        assert words.startswith("ETHUSDT.csv has candles of ETH/USDT, not of BTC/USDT.")

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "mine.csv is empty."),
            ("time,open\n", "mine.csv has no column for high, low, close; it has time"),
            ("time,open,high,low,close,volume\n2022-01-01,5,4,3,2,1\n", "mine.csv line 2: open 5"),
            ("time,open,high,low,close,volume\n", "mine.csv has no candles, only a header."),
        ],
    )
    def test_a_file_that_is_wrong_says_where(
        self, backtests: Backtests, text: str, words: str
    ) -> None:
        assert refused(backtests.add_file, "/somewhere/mine.csv", text.encode()).startswith(words)

    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            ("", "candles.csv"),
            ("../../x.csv", "x.csv"),
            ("a\nb\x00.csv", "ab.csv"),
            ("x" * 99 + ".csv", "x" * 76 + ".csv"),
        ],
    )
    def test_a_name_is_shown_without_its_folder_and_without_harm(
        self, backtests: Backtests, name: str, shown: str
    ) -> None:
        assert backtests.add_file(name, csv_of(WAVES[:5]).encode())["name"] == shown

    def test_the_newest_files_are_kept(self, backtests: Backtests) -> None:
        data = csv_of(WAVES).encode()
        ids = [backtests.add_file("BTCUSDT.csv", data)["id"] for _ in range(MOST_FILES + 1)]
        assert "is not here" in refused(backtests.start, {**EMA, "file": ids[0]})
        assert ended(backtests, backtests.start({**EMA, "file": ids[1]}))["state"] == "done"

    def test_a_file_that_is_gone_meanwhile_is_tested_on_all_the_same(
        self, backtests: Backtests, gate: threading.Event
    ) -> None:
        told = backtests.add_file("BTCUSDT.csv", csv_of(WAVES).encode())
        begun = backtests.start({**EMA, "file": told["id"]})
        for _ in range(MOST_FILES):
            backtests.add_file("BTCUSDT.csv", csv_of(WAVES[:5]).encode())
        gate.set()
        assert ended(backtests, begun)["result"]["candles"] == len(WAVES)


class TestQueue:
    """One runs, some wait, the newest are remembered."""

    def test_one_runs_and_the_others_wait_their_turn(
        self, backtests: Backtests, gate: threading.Event
    ) -> None:
        first = backtests.start(EMA)
        waiting = [backtests.start(EMA) for _ in range(MOST_WAITING)]
        assert [row["words"] for row in waiting[:2]] == [
            "Waits for 1 other backtest.",
            "Waits for 2 other backtests.",
        ]
        assert {row["state"] for row in waiting} == {"running"}
        assert refused(backtests.start, EMA) == (
            "5 backtests are not done yet. Wait for them, or cancel one."
        )
        # who leaves makes room
        assert backtests.cancel(waiting[0]["id"])["state"] == "cancelled"
        assert backtests.row(waiting[1]["id"])["words"] == "Waits for 1 other backtest."
        last = backtests.start(EMA)
        gate.set()
        states = [ended(backtests, each)["state"] for each in (first, *waiting, last)]
        assert states == ["done", "cancelled", "done", "done", "done", "done"]

    def test_one_that_runs_can_be_cancelled(
        self, backtests: Backtests, own: Any, tmp_path: Path
    ) -> None:
        log = tmp_path / "log"
        # a day of it takes minutes
        writes = f"with open({str(log)!r}, 'a') as log:\n        log.write('x')"
        slow = own("slow", f"{writes}\n    time.sleep(0.1)")
        begun = backtests.start({**EMA, "strategy": slow, "params": {}})
        wait_for(lambda: backtests.row(begun["id"])["progress"], "some progress")
        told = backtests.cancel(begun["id"])
        assert (told["state"], told["words"], told["result"]) == ("cancelled", "Cancelled.", None)
        assert 0 < told["progress"] < 1
        # the thread is free again, before it has come to the end
        assert ended(backtests, backtests.start(EMA))["state"] == "done"
        assert len(log.read_text()) < len(WAVES) / 2
        assert backtests.row(begun["id"])["state"] == "cancelled"

    def test_what_has_ended_stays_as_it_is(self, backtests: Backtests) -> None:
        done = ended(backtests, backtests.start(EMA))
        assert backtests.cancel(done["id"]) == done

    def test_what_is_not_known_is_not_there(self, backtests: Backtests) -> None:
        for call in (backtests.row, backtests.cancel):
            with pytest.raises(UnknownBacktest, match="There is no backtest 'nonsense'"):
                call("nonsense")

    def test_the_newest_results_are_kept(self, backtests: Backtests) -> None:
        ids = []
        for _ in range(MOST_KEPT + 2):
            row = ended(backtests, backtests.start({**EMA, "hours": 1}))
            ids.append(row["id"])
        assert "There is no backtest" in refused(backtests.row, ids[0])
        assert "There is no backtest" in refused(backtests.row, ids[1])
        assert backtests.row(ids[2])["state"] == "done"

    def test_many_threads_may_ask_at_once(self, backtests: Backtests) -> None:
        rows: list[Any] = []
        faults: list[str] = []

        def ask() -> None:
            try:
                rows.append(backtests.start({**EMA, "hours": 1}))
            except InvalidRequest as fault:
                faults.append(str(fault))

        # no more than are remembered, however soon each is done
        threads = [threading.Thread(target=ask) for _ in range(MOST_KEPT)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert len(rows) + len(faults) == MOST_KEPT
        assert len(rows) >= MOST_WAITING
        assert {ended(backtests, row)["state"] for row in rows} == {"done"}


class TestFaults:
    """A strategy that fails ends its backtest and nothing else."""

    def test_the_fault_is_told_with_the_line(self, backtests: Backtests, own: Any) -> None:
        wrong = own("wrong", "return 1 / (len(candles) - 20)")
        done = ended(backtests, backtests.start({**EMA, "strategy": wrong, "params": {}}))
        assert (done["state"], done["result"]) == ("failed", None)
        assert done["words"].startswith("The strategy Wrong failed:\n")
        assert "ZeroDivisionError" in done["words"] or "must return a Signal" in done["words"]
        assert ended(backtests, backtests.start(EMA))["state"] == "done"

    @pytest.mark.parametrize(
        ("does", "words"),
        [
            ("return 5", "must return a Signal or None"),
            ("raise SystemExit(3)", "SystemExit: 3"),
            ("return Signal('buy', 2)", "confidence must be from 0 to 1, not 2"),
            ("return decide(candles, position)", "RecursionError"),
            ("candles.close[-1] = 1", "read-only"),
        ],
    )
    def test_whatever_it_does_wrong(
        self, backtests: Backtests, own: Any, does: str, words: str
    ) -> None:
        done = ended(
            backtests, backtests.start({**EMA, "strategy": own("wrong", does), "params": {}})
        )
        assert done["state"] == "failed"
        assert words in done["words"]
        assert "/tmp" not in done["words"]

    def test_one_that_hangs_ends_alone(
        self, backtests: Backtests, own: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        module = sys.modules[Backtests.__module__]
        guarded = module.Guarded
        hangs = own("hangs", "time.sleep(30)")
        with monkeypatch.context() as patch:
            patch.setattr(module, "Guarded", lambda chosen: guarded(chosen, timeout=0.2))
            done = ended(backtests, backtests.start({**EMA, "strategy": hangs, "params": {}}))
        assert (done["state"], done["words"]) == (
            "failed",
            "The strategy Hangs failed:\ntook longer than 0.2 s",
        )
        assert ended(backtests, backtests.start(EMA))["state"] == "done"

    def test_a_mistake_of_the_program_is_told_as_one(
        self, backtests: Backtests, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(*_: object) -> None:
            raise KeyError("inside")

        monkeypatch.setattr(sys.modules[Backtests.__module__], "report", broken)
        done = ended(backtests, backtests.start(EMA))
        assert done["state"] == "failed"
        assert done["words"] == "The server has made a mistake; its log tells more."

    def test_a_time_without_candles_is_told(self, backtests: Backtests) -> None:
        # shorter than a candle: known when the file has been read
        told = backtests.add_file("BTCUSDT.csv", csv_of(WAVES).encode())
        done = ended(
            backtests, backtests.start({**EMA, "file": told["id"], "hours": Decimal("0.001")})
        )
        assert done["state"] == "failed"
        assert done["words"].startswith("There are no candles in that time: they are from")


def test_others_get_to_the_processor_while_it_works(
    backtests: Backtests, monkeypatch: pytest.MonkeyPatch
) -> None:
    # each look at the clock is a while later
    rests: list[float] = []
    clock = itertools.count(step=25)
    monkeypatch.setattr(
        pace, "time", SimpleNamespace(monotonic=lambda: next(clock) / 1_000, sleep=rests.append)
    )
    assert ended(backtests, backtests.start(EMA))["state"] == "done"
    assert len(rests) >= 10
