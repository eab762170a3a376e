"""Backtests from a shell: what is told, to people and to programs, and what is refused."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from balance.core.market import Market
from balance.core.moments import iso
from balance.market.board import save_market, save_past
from balance.market.replay.feed import ReplayFeed
from balance.market.simulated.feed import SimulatedFeed
from balance.shell.main import main
from tests.backtesting import bodies, csv_of
from tests.markets import BTC, ETH
from tests.patience import patience, wait_for
from tests.serving import ROOT

#: A day of minutes, up and down in waves.
WAVES = bodies(*(40_000 + abs(number % 240 - 120) * 10 for number in range(1_441)))
FAST = ("--timeframe", "1m", "--set", "fast=3", "--set", "slow=8")


class Said:
    """What one command printed, and its exit code."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


Call = Callable[..., Said]


@pytest.fixture
def call(folder: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    """Runs the command on the data in ``folder``."""

    def start(*words: object) -> Said:
        try:
            code = main(["backtest", "--data-dir", str(folder), *map(str, words)])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        return Said(code, *capsys.readouterr())

    return start


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of the waves."""
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text(csv_of(WAVES))
    return path


def leave(folder: Path, feed: SimulatedFeed | ReplayFeed, **changes: Any) -> None:
    """Leave in ``folder`` what a server with ``feed`` leaves."""
    folder.mkdir(exist_ok=True)
    market = Market(feed=feed.id, instruments=feed.instruments, **changes)
    save_market(folder, market, feed.saved(lightly=True))
    save_past(folder, market, feed.saved())


class TestOnFile:
    """``--csv``."""

    def test_the_report_is_a_short_table(self, call: Call, file: Path) -> None:
        done = call("--csv", file, *FAST, "--trades", 2)
        assert (done.code, done.err) == (0, "")
        lines = done.out.splitlines()
        assert lines[:2] == [
            "EMA crossover (fast 3, slow 8) on BTC/USDT 1m, long and short, 10% at 3x",
            "2022-01-03 00:01 to 2022-01-04 00:01 UTC, 1,440 candles",
        ]
        returned = r"Time-weighted return +[+-][\d.]+% +Buy and hold +[+-]?[\d.]+%"
        assert re.fullmatch(returned, lines[3])
        assert [line.split()[0] for line in lines[3:13]] == [
            *("Time-weighted", "Net", "Maximum", "Longest", "Sortino", "Trades", "Profit"),
            *("Average", "Best", "Fees"),
        ]
        assert lines[14].split() == [
            *("Closed", "(UTC)", "Side", "Quantity", "Entry", "Exit", "Time", "Fees", "P&L"),
            "Why",
        ]
        assert re.match(r"2022-01-03 \d\d:\d\d  (Long|Short) ", lines[15])
        assert " EMA 3 at 4" in lines[15]
        assert len(lines) == 19
        assert "still holds" in lines[18]

    def test_json_has_all_of_it(self, call: Call, file: Path) -> None:
        told = call("--csv", file, *FAST, "--json").json
        assert told["status"] == "success"
        assert told["settings"]["params"] == {"fast": 3, "slow": 8}
        assert told["settings"]["symbol"] == BTC
        result = told["result"]
        assert (result["candles"], result["seconds"]) == (1_440, 60)
        assert len(result["rows"]) == result["trades"] > 5
        assert "still holds" in told["words"]

    def test_every_setting_can_be_given(self, call: Call, file: Path) -> None:
        options = {
            "--strategy": "rsi_reversion",
            "--timeframe": "5m",
            "--stake": "250",
            "--stake-unit": "usdt",
            "--leverage": "7",
            "--direction": "long",
            "--min-confidence": "0.25",
            "--stop-loss": "1.5",
            "--take-profit": "120",
            "--trailing-stop": "0.5",
            "--cooldown": "15",
            "--max-daily-loss": "300",
            "--max-drawdown": "500",
            "--balance": "2500",
            "--symbol": "btcusdt",
            "--set": "period=7",
        }
        words = [word for pair in options.items() for word in pair]
        told = call("--csv", file, *words, "--json").json
        assert told["settings"] == {
            "name": "Backtest",
            "symbol": BTC,
            "timeframe": "5m",
            "strategy": "rsi_reversion",
            "params": {"period": 7, "lower": 30, "upper": 70},
            "direction": "long",
            "stake": 250,
            "stake_unit": "usdt",
            "leverage": 7,
            "min_confidence": 0.25,
            "stop_loss": 1.5,
            "take_profit": 120,
            "trailing_stop": 0.5,
            "cooldown": 15,
            "max_positions": None,
            "max_daily_loss": 300,
            "max_drawdown": 500,
        }
        assert told["result"]["starting_balance"] == 2_500

    def test_a_time_can_be_cut_out(self, call: Call, file: Path) -> None:
        cut = ("--from", "2022-01-03T10:00", "--to", "2022-01-03T12:00")
        told = call("--csv", file, *FAST, *cut, "--json").json["result"]
        assert (told["from"], told["to"]) == (
            "2022-01-03T10:00:00.000Z",
            "2022-01-03T12:00:00.000Z",
        )
        assert call("--csv", file, *FAST, "--hours", 3, "--json").json["result"]["candles"] == 180

    def test_a_funding_rate_counts_in_percent(self, call: Call, file: Path) -> None:
        hold = ("--csv", file, "--strategy", "buy_and_hold", "--json")
        without = call(*hold).json
        assert without["result"]["funding"] == 0
        assert "Funding was left out" in without["words"]
        paid = call(*hold, "--funding-rate", "0.01").json
        assert paid["result"]["funding"] < 0
        assert "Funding" not in paid["words"]
        got = call(*hold, "--funding-rate", "-0.01").json["result"]["funding"]
        assert got == pytest.approx(-paid["result"]["funding"])

    def test_own_strategies_can_be_tested(self, call: Call, file: Path, tmp_path: Path) -> None:
        own = tmp_path / "mine"
        own.mkdir()
        (own / "rising.py").write_text(
            '"""Buys what rises."""\nfrom balance import Signal\n\n\n'
            "def decide(candles, position):\n"
            "    rose = candles.close[-1] > candles.open[-1]\n"
            "    return Signal('buy' if rose else 'close', 1, 'Rose' if rose else 'Fell')\n"
        )
        (own / "broken.py").write_text("def decide(")
        options = ("--csv", file, "--strategies", own, "--timeframe", "1m")
        done = call(*options, "--strategy", "own_rising", "--trades", 1)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("Rising on BTC/USDT 1m, long and short, ")
        assert done.out.splitlines()[15].endswith("Fell")
        refused = call(*options, "--strategy", "own_broken")
        assert refused.code == 1
        assert "The strategy Broken cannot be used: SyntaxError" in refused.err
        listed = call("--list", "--strategies", own).out
        assert "own_rising  Rising\n    Buys what rises." in listed
        assert "own_broken  can't be loaded:" in listed

    def test_a_strategy_that_fails_says_where(self, call: Call, file: Path, tmp_path: Path) -> None:
        (tmp_path / "wrong.py").write_text("def decide(candles, position):\n    return 1 / 0\n")
        options = ("--strategies", tmp_path, "--strategy", "own_wrong")
        done = call("--csv", file, *options)
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("The strategy Wrong failed:\nTraceback")
        assert 'File "wrong.py", line 2, in decide' in done.err
        assert done.err.endswith("ZeroDivisionError: division by zero\n")
        assert call("--csv", file, *options, "--json").json["status"] == "error"


class TestOnTheMarket:
    """Without a file: the market that the server left."""

    def test_the_simulated_market_is_tested_on(self, call: Call, folder: Path) -> None:
        feed = SimulatedFeed(seed=7)
        leave(folder, feed)
        told = call("--json", "--hours", 24, "--symbol", "eth-usdt").json
        assert told["settings"]["symbol"] == ETH
        assert told["result"]["candles"] == 1_440
        # the candle that still grew is left out
        newest = feed.candles(ETH, 60, 2)[0]
        assert told["result"]["to"] == iso(newest.time + timedelta(minutes=1))
        # without a symbol it is the first
        assert call("--json", "--hours", 1).json["settings"]["symbol"] == BTC

    def test_nothing_of_the_account_is_needed_or_made(self, call: Call, folder: Path) -> None:
        leave(folder, SimulatedFeed())
        before = {each.name: each.read_bytes() for each in folder.iterdir()}
        assert call("--hours", 2).code == 0
        assert {each.name: each.read_bytes() for each in folder.iterdir()} == before

    def test_without_a_server_there_is_no_past(self, call: Call) -> None:
        done = call()
        assert (done.code, done.out) == (1, "")
        assert done.err.startswith("No server has run on this data folder yet")
        assert "--csv" in done.err

    def test_the_past_of_another_feed_is_in_its_file(
        self, call: Call, folder: Path, file: Path
    ) -> None:
        leave(folder, ReplayFeed({BTC: file}))
        done = call()
        assert done.code == 1
        assert done.err == (
            "The data folder keeps no past of replay:BTC/USDT=BTCUSDT-1m.csv: name a file of "
            "candles with --csv.\n"
        )

    def test_a_damaged_past_is_told(self, call: Call, folder: Path) -> None:
        folder.mkdir()
        document = {"feed": "simulated", "as_of": None, "saved": {"seed": 1, "time": "x"}}
        (folder / "feed.json").write_text(json.dumps(document))
        done = call()
        assert done.code == 1
        assert done.err.startswith("The simulated market can't go on where it stopped")

    def test_a_funding_rate_is_for_files(self, call: Call, folder: Path) -> None:
        leave(folder, SimulatedFeed())
        done = call("--funding-rate", "0.01")
        assert (done.code, done.err) == (
            1,
            "The market in the data folder has funding of its own.\n",
        )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--strategy nonsense", "There is no strategy 'nonsense'. There are ema_crossover,"),
        ("--set fast", "A parameter is set as NAME=VALUE, such as fast=12, not 'fast'."),
        ("--set fast=x", "The fast must be a number"),
        ("--set fast=1", "Fast EMA (fast) must be a whole number from 2 to 100, not 1."),
        ("--set nonsense=1", "EMA crossover has no parameter 'nonsense', only fast, slow."),
        ("--timeframe 2m", "timeframe must be one of 1m, 5m, 15m, 1h, 4h, 1d, not '2m'."),
        ("--leverage 500", "The leverage must be at most 150, not 500."),
        ("--stop-loss 100", "stop_loss must be above 0 and below 100, not 100"),
        ("--symbol ETH/USDT", "BTCUSDT-1m.csv has candles of BTC/USDT, not of ETH/USDT."),
        ("--from nonsense", '"nonsense" is no time: write a date such as 2022-01-31'),
        ("--from 2023-01-01", "There are no candles in that time: they are from 2022-01-03"),
        ("--hours 0", "The hours must be above zero"),
        ("--balance 0.5", "The balance must be at least 1.00, not 0.50."),
        ("--funding-rate x", "The funding rate must be a number"),
        ("--strategies nowhere", "There is no folder 'nowhere' to take strategies from."),
    ],
)
def test_what_makes_no_sense_is_refused(call: Call, file: Path, words: str, told: str) -> None:
    done = call("--csv", file, *words.split())
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(told)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("BTCUSDT.csv", None, "BTCUSDT.csv can't be read: No such file or directory."),
        ("BTCUSDT.csv", b"", "BTCUSDT.csv is empty."),
        ("BTCUSDT.csv", b"\xff\xfe\xfa", "BTCUSDT.csv is not text in UTF-8 or UTF-16."),
        ("mine.csv", csv_of(WAVES[:2]).encode(), "The name of mine.csv does not say of which"),
    ],
)
def test_a_file_that_is_of_no_use_says_why(
    call: Call, tmp_path: Path, name: str, text: bytes | None, words: str
) -> None:
    if text is not None:
        (tmp_path / name).write_bytes(text)
    done = call("--csv", tmp_path / name)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(words)


def test_months_are_put_together_and_their_notes_are_said(call: Call, tmp_path: Path) -> None:
    header, *lines = csv_of(WAVES).splitlines()
    halves = (lines[:700], [*lines[690:], f"{lines[-1][:16]}:30,,,,,"])
    files: list[object] = []
    for name, half in zip(("BTCUSDT-02", "BTCUSDT-01"), reversed(halves), strict=True):
        (tmp_path / f"{name}.csv").write_text("\n".join((header, *half)))
        files += ["--csv", tmp_path / f"{name}.csv"]
    whole = tmp_path / "BTCUSDT.csv"
    whole.write_text(csv_of(WAVES))
    together, alone = call(*files, *FAST, "--json").json, call("--csv", whole, *FAST, "--json").json
    assert together["result"] == alone["result"]
    assert "1 row without prices left out, as a gap." in together["words"]
    assert "The mark price is the last price: its past has no other." in alone["words"]
    (tmp_path / "ETHUSDT.csv").write_text(csv_of(WAVES))
    other = call(*files, "--csv", tmp_path / "ETHUSDT.csv")
    assert "has candles of BTC/USDT, ETH/USDT" in other.err or "not of" in other.err


def test_mark_prices_come_from_a_file(call: Call, file: Path, tmp_path: Path) -> None:
    header, *lines = csv_of(WAVES).splitlines()
    marks = tmp_path / "marks.csv"
    marks.write_text("\n".join((header, *lines[:-1])))
    words = call("--csv", file, "--mark", marks, *FAST, "--json").json["words"]
    assert "1 of 1,440 candles have no mark price: there it is the last price." in words
    assert "The mark price is the last price" not in words
    assert "--mark and --date-format are for a file of candles" in call("--mark", marks).err


def test_a_date_format_can_be_given(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT.csv"
    days = [f"0{day}/02/2025,100,101,99,100,1" for day in range(1, 6)]
    path.write_text("\n".join(("time,open,high,low,close,volume", *days)))
    assert "choose the date format (--date-format)" in call("--csv", path).err
    told = call("--csv", path, "--date-format", "DD/MM/YYYY", "--json").json
    assert told["result"]["from"] == "2025-02-01T00:00:00.000Z"


def test_the_strategies_are_listed_with_their_ranges(call: Call) -> None:
    done = call("--list")
    assert (done.code, done.err) == (0, "")
    assert "fast=12  Fast EMA: a whole number from 2 to 100" in done.out
    ids = [line.split()[0] for line in done.out.splitlines() if line and line[0] != " "]
    assert ids[:2] == ["ema_crossover", "rsi_reversion"]
    told = call("--list", "--json").json["strategies"]
    assert [each["id"] for each in told] == ids
    assert told[0]["parameters"][0]["least"] == 2


def test_an_unknown_option_is_a_mistake_of_the_command(call: Call) -> None:
    assert call("--nonsense").code == 2


def _command(*words: object) -> list[str]:
    return [sys.executable, "-m", "balance", "backtest", *map(str, words)]


def test_a_terminal_sees_how_far_it_is_and_nobody_else(file: Path) -> None:
    leader, follower = pty.openpty()
    try:
        done = subprocess.run(
            _command("--csv", file),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=follower,
            check=True,
            text=True,
        )
        seen = os.read(leader, 100_000).decode()
    finally:
        os.close(leader)
        os.close(follower)
    assert done.stdout.startswith("EMA crossover")
    assert re.search(r"\[\.{30}\]   0%", seen)
    assert "#" in seen
    # and then there is nothing of it left
    assert seen.endswith("\r")
    assert not seen.rpartition("\r")[0].rpartition("\r")[2].strip()


# what a program does when it is interrupted, it has from the one that has started it
_HANDLING = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_{})
os.execv(sys.argv[1], sys.argv[1:])
"""


def test_ctrl_c_ends_it_with_a_word_and_a_termination_without(tmp_path: Path) -> None:
    own = tmp_path / "slow.py"
    own.write_text(
        "import time, pathlib\n\n\ndef decide(candles, position):\n"
        f"    pathlib.Path({str(tmp_path / 'begun')!r}).touch()\n    time.sleep(0.05)\n"
    )
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text(csv_of(WAVES))
    words = ("--csv", path, "--strategies", tmp_path, "--strategy", "own_slow")
    for stops, ends in (
        ((signal.SIGINT,), (130, "\nInterrupted; nothing was changed.\n")),
        # who started it in the background of a script has Ctrl-C for something else
        ((signal.SIGINT, signal.SIGTERM), (-signal.SIGTERM, "")),
    ):
        handling = _HANDLING.format("DFL" if len(stops) == 1 else "IGN")
        with subprocess.Popen(
            [sys.executable, "-c", handling, *_command(*words)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            wait_for((tmp_path / "begun").exists, "the first decision")
            for each in stops:
                running.send_signal(each)
            out, err = running.communicate(timeout=patience())
        (tmp_path / "begun").unlink()
        assert (running.returncode, out, err) == (ends[0], "", ends[1])
