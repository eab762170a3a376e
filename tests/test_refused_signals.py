"""A backtest says how many of its signals were refused, and why."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.backtests.backtest import run_backtest
from balance.backtests.report import notes, report
from balance.shell.main import main
from tests.backtesting import bodies, csv_of, plan, script

#: A tenth of what is available, at 3x.
TENTH: dict[str, Any] = {
    "timeframe": "1m",
    "stake": Decimal(10),
    "stake_unit": "percent",
    "leverage": Decimal(3),
}
STILL = bodies(*(40_000 for _ in range(60)))
WAVES = bodies(*(40_000 + abs(number % 40 - 20) * 100 for number in range(400)))


def test_why_nothing_was_traded_is_said_with_figures() -> None:
    # 10 % of 10 at 3x is worth 3 USDT
    made = plan(STILL, script("buy", "sell", "buy"), balance=10, **TENTH)
    tested = run_backtest(made)
    why = "The smallest order of BTC/USDT is 0.001 BTC, in steps of 0.001"
    assert notes(made, tested).startswith(f"It never traded. 3 signals were refused: {why}.")
    assert report(made, tested)["refused"] == [{"count": 3, "reason": why}]


def test_one_refused_signal_is_one() -> None:
    made = plan(STILL, script("sell"), balance=10, **TENTH)
    assert "1 signal was refused: The smallest order" in notes(made, run_backtest(made))


def test_the_opening_that_a_turn_was_refused_counts() -> None:
    # 95 % of 20 at 3x buys a step; what is left of it at 27,000 buys none
    made = plan(
        bodies(40_000, 40_000, 40_000, *(27_000 for _ in range(20))),
        script("buy", *["hold"] * 9, "sell"),
        balance=20,
        **{**TENTH, "stake": Decimal(95)},
    )
    tested = run_backtest(made)
    assert len(tested.trades) == 1
    assert len(tested.refused) == 1
    assert "It never traded" not in notes(made, tested)
    assert "1 signal was refused: The smallest order" in notes(made, tested)


def test_nothing_is_said_where_nothing_was_refused() -> None:
    made = plan(STILL, script("buy", "sell"), timeframe="1m")
    tested = run_backtest(made)
    assert tested.refused == ()
    assert report(made, tested)["refused"] == []
    assert "refused" not in notes(made, tested)


def test_reasons_that_differ_in_figures_are_one() -> None:
    made = plan(STILL, script("buy"), timeframe="1m")
    tested = run_backtest(made)
    several = (
        "This needs 1,000.00 USDT, but only 20 are available",
        "Is paused",
        "This needs 99.5 USDT, but only 1 are available",
    )
    told = replace(tested, refused=several)
    assert report(made, told)["refused"] == [
        {"count": 2, "reason": several[0]},
        {"count": 1, "reason": "Is paused"},
    ]
    assert (
        notes(made, told)
        .split(". ", 1)[1]
        .startswith(f"3 signals were refused. 2 of them: {several[0]}. 1 of them: Is paused.")
    )


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_the_command_says_it_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    file = tmp_path / "BTCUSDT.csv"
    file.write_text(csv_of(WAVES))
    told = ["backtest", "--data-dir", str(tmp_path), "--csv", str(file), "--balance", "10"]
    more = ["--timeframe", "1m", "--set", "fast=3", "--set", "slow=8"]
    assert main([*told, *more, *words]) == 0
    out = capsys.readouterr().out
    assert "signals were refused: The smallest order of BTC/USDT" in out
    if words:
        (reason,) = json.loads(out)["result"]["refused"]
        assert reason["count"] > 1
