"""What strategies are given, answer and are made with: nothing wrong gets in, nothing leaks out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import FrozenInstanceError, asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

import balance
from balance.core.errors import InvalidRequest
from balance.core.quote import Candle
from balance.strategies.series import CandleBuffer, Candles
from balance.strategies.strategy import (
    Holding,
    Signal,
    enough_of,
    hold,
    kind_of,
    lookback_of,
    parameter,
    strategy,
)

BEGIN = datetime(2022, 1, 1, tzinfo=UTC)


def closing(closes: Sequence[float], spread: float = 0.0) -> list[Candle]:
    """Candles of a minute with these closes, each from the close before, and as much as ``spread``
    of the price higher and lower."""
    opens = [closes[0], *closes[:-1]] if closes else []
    return [
        Candle(
            time=BEGIN + place * timedelta(minutes=1),
            open=Decimal(repr(opened)),
            high=Decimal(repr(max(opened, close) * (1 + spread))),
            low=Decimal(repr(min(opened, close) * (1 - spread))),
            close=Decimal(repr(close)),
            volume=Decimal(place + 1),
        )
        for place, (opened, close) in enumerate(zip(opens, closes, strict=True))
    ]


@strategy("Ramp", "Buys where the close is high enough.")
class Ramp:
    """For tests."""

    count: int = parameter(3, least=1, most=20, label="Count", words="of candles")
    above: float = parameter(1.5, least=0.5, most=1e6, label="Above", step=0.5)
    enough = 2

    def decide(self, candles: Candles, position: Holding | None) -> Signal | None:
        return Signal("buy", 0.5, "high") if candles.close[-1] > self.above else None

    def check(self) -> str:
        return "that is one too many" if self.count == 13 else ""


RAMP: Any = kind_of(Ramp)


@pytest.mark.parametrize("side", ["buy", "sell", "close", "hold"])
def test_a_signal_has_one_of_four_sides(side: Any) -> None:
    assert Signal(side, 0.5, "why").side == side


@pytest.mark.parametrize("side", ["Buy", "long", "", None, 1, ["buy"]])
def test_a_signal_has_no_other_side(side: Any) -> None:
    with pytest.raises(ValueError, match="side must be one of buy, sell, close, hold, not"):
        Signal(side, 0.5, "why")


@pytest.mark.parametrize("sure", [0, 1, 0.25, Decimal("0.25"), np.float64(1), np.int64(1)])
def test_a_confidence_becomes_a_plain_float(sure: Any) -> None:
    signal = Signal("buy", sure, "why")
    assert type(signal.confidence) is float
    assert signal.confidence == sure


@pytest.mark.parametrize(
    ("sure", "error"),
    [
        *((sure, TypeError) for sure in (True, False, "1", None, 1j, np.bool_(True))),
        *((sure, ValueError) for sure in (-0.1, 1.01, math.nan, math.inf, 10**400)),
        *((sure, ValueError) for sure in (Decimal("NaN"), Decimal("sNaN"), Decimal("1e999"))),
    ],
)
def test_a_confidence_is_a_number_from_0_to_1(sure: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="confidence must be"):
        Signal("buy", sure, "why")


def test_a_reason_is_one_line_of_at_most_300_characters() -> None:
    assert Signal("buy", 1, "one\r\n two\x00\ud800\u2028three").reason == "one two three"
    assert Signal("buy", 1, "x" * 999).reason == "x" * 300
    for wrong in (None, 1, b"why"):
        with pytest.raises(TypeError, match="reason must be a text"):
            Signal("buy", 1, wrong)  # type: ignore[arg-type]


def test_a_signal_cannot_be_changed_and_hold_is_never_sure() -> None:
    with pytest.raises(FrozenInstanceError):
        hold("why").side = "buy"  # type: ignore[misc]
    assert hold("why") == Signal("hold", 0, "why")


def test_candles_are_numbers_oldest_first() -> None:
    candles = Candles.of(closing([10, 12, 11], spread=0.1))
    assert candles.close.tolist() == [10, 12, 11]
    assert candles.open.tolist() == [10, 10, 12]
    assert candles.high.tolist() == pytest.approx([11, 13.2, 13.2])
    assert candles.low.tolist() == pytest.approx([9, 9, 9.9])
    assert candles.volume.tolist() == [1, 2, 3]
    assert candles.times.tolist() == [int(BEGIN.timestamp()) + 60 * each for each in range(3)]
    assert candles.close.dtype == np.float64
    assert candles.times.dtype == np.int64
    assert candles.close.flags.c_contiguous


def test_a_candle_is_taken_by_its_place_and_several_by_a_slice() -> None:
    candles = Candles.of(closing([10, 12, 11]))
    assert candles[-1].close == 11
    assert type(candles[-1].close) is float
    assert candles[0].time == BEGIN
    assert [bar.close for bar in candles] == [10, 12, 11]
    assert candles[-2:].close.tolist() == [12, 11]
    assert isinstance(candles[-2:], Candles)
    assert len(candles[-9:]) == 3
    assert len(Candles.of([])) == 0
    assert "newest" in repr(candles)
    with pytest.raises(IndexError):
        candles[3]
    with pytest.raises(ValueError, match="no step"):
        candles[::-1]


@pytest.mark.parametrize("name", ["times", "open", "high", "low", "close", "volume"])
def test_candles_are_read_only_and_stay_so(name: str) -> None:
    for candles in (Candles.of(closing([1, 2, 3])), Candles.of(closing([1, 2, 3]))[1:]):
        array = getattr(candles, name)
        for each in (array, array.base):
            with pytest.raises(ValueError, match="read-only"):
                each[0] = 7
            with pytest.raises(ValueError, match="cannot set WRITEABLE"):
                each.setflags(write=True)
        with pytest.raises(AttributeError):
            setattr(candles, name, array)


def test_a_window_has_the_newest_candles_and_stays_as_it_was() -> None:
    given = closing([float(1 + place) for place in range(3000)])
    buffer = CandleBuffer()
    windows = []
    for candle in given:
        buffer.add(candle)
        windows.append(buffer.window(20))
    assert len(buffer) == 3000
    assert len(buffer.window(0)) == len(buffer.window(-1)) == 0
    assert len(buffer.window(9999)) == 3000
    for place, window in enumerate(windows):
        wanted = Candles.of(given[max(0, place - 19) : place + 1])
        assert window.times.tolist() == wanted.times.tolist()
        assert window.close.tolist() == wanted.close.tolist()


def test_not_even_the_memory_behind_a_window_tells_of_later_candles() -> None:
    buffer = CandleBuffer()
    for place, candle in enumerate(closing([float(1 + place) for place in range(1500)])):
        buffer.add(candle)
        if place % 300 == 299:
            behind = buffer.window(10).close.base
            assert behind is not None
            assert np.nanmax(behind[:4]) == place + 1
            assert np.isnan(behind[:, place + 1 :]).all()


def test_a_parameter_is_told_with_its_kind_and_its_range() -> None:
    assert [asdict(each) for each in RAMP.parameters] == [
        {
            "name": "count",
            "label": "Count",
            "words": "of candles",
            "kind": "int",
            "default": 3,
            "least": 1,
            "most": 20,
            "step": 1,
        },
        {
            "name": "above",
            "label": "Above",
            "words": "",
            "kind": "float",
            "default": 1.5,
            "least": 0.5,
            "most": 1e6,
            "step": 0.5,
        },
    ]
    assert (RAMP.id, RAMP.name, RAMP.own) == ("ramp", "Ramp", False)


@pytest.mark.parametrize(
    ("name", "made"),
    [("RSIReversion", "rsi_reversion"), ("EmaCrossover", "ema_crossover"), ("Top10", "top10")],
)
def test_an_id_is_the_name_of_the_class_in_small_letters(name: str, made: str) -> None:
    kind = kind_of(strategy("A name")(type(name, (), {"decide": lambda self, c, p: None})))
    assert kind is not None
    assert kind.id == made


@pytest.mark.parametrize("count", [5, 5.0, Decimal(5), Decimal("5.00")])
def test_a_number_is_taken_however_it_is_written(count: Any) -> None:
    made: Any = RAMP.make({"count": count, "above": Decimal("2.5")})
    assert (made.count, made.above) == (5, 2.5)
    assert type(made.count) is int
    assert type(made.above) is float
    assert RAMP.values({"above": 1}) == {"count": 3, "above": 1.0}


@pytest.mark.parametrize(
    "count",
    [0, 21, 2.5, Decimal("2.5"), True, "5", None, [5], math.nan, math.inf, 10**400]
    + [Decimal(text) for text in ("NaN", "sNaN", "Infinity", "1e999")],
)
def test_a_number_that_does_not_fit_is_refused_with_name_and_range(count: Any) -> None:
    words = r"Count \(count\) must be a whole number from 1 to 20, not "
    with pytest.raises(InvalidRequest, match=words):
        RAMP.make({"count": count})
    with pytest.raises(InvalidRequest, match=r"a number from 0\.5 to 1,000,000, not 0\.25"):
        RAMP.make({"above": 0.25})


def test_unknown_parameters_and_those_that_do_not_fit_together_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="Ramp has no parameter 'size', only count, above"):
        RAMP.make({"size": 1})
    with pytest.raises(InvalidRequest, match="Ramp: that is one too many"):
        RAMP.make({"count": 13})


def test_a_strategy_holds_until_it_has_enough_candles() -> None:
    ramp = RAMP.make({})
    assert ramp.decide(Candles.of(closing([9])), None) == hold("Needs 2 candles, has 1")
    assert ramp.decide(Candles.of(closing([9, 9])), None).side == "buy"
    assert enough_of(ramp) == 2
    assert lookback_of(ramp) == 200


@pytest.mark.parametrize(("asked", "given"), [(50, 50), (5000, 2500), (0, 1)])
def test_a_strategy_looks_back_on_1_to_2500_candles(asked: int, given: int) -> None:
    assert lookback_of(_kind(lookback=asked).make({})) == given


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"lookback": 2.5}, "lookback must be a whole number, not 2.5"),
        ({"enough": True}, "enough must be a whole number, not True"),
        ({"lookback": 5, "enough": 6}, "needs 6 candles, but is given 5 at most"),
        ({"check": lambda self: 1 / 0}, "cannot be made with these: division by zero"),
    ],
)
def test_a_strategy_that_cannot_work_is_not_made(members: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        _kind(**members).make({})


def _kind(**members: Any) -> Any:
    members = {"decide": lambda self, candles, position: None, **members}
    return kind_of(strategy("Odd")(type("Odd", (), members)))


@pytest.mark.parametrize(
    ("default", "least", "most", "step"),
    [(0, 1, 9, 1), (True, 0, 9, 1), (3, 1, 9.5, 1), ("3", 1, 9, 1), (3.0, 1.0, 9.0, -1.0)],
)
def test_a_parameter_with_a_wrong_default_makes_no_strategy(
    default: Any, least: Any, most: Any, step: Any
) -> None:
    count = parameter(default, least=least, most=most, label="Count", step=step)
    with pytest.raises((TypeError, ValueError), match=r"count: .* (is not|has no)"):
        _kind(count=count, __annotations__={"count": int})


def test_a_field_that_is_no_parameter_makes_no_strategy() -> None:
    with pytest.raises(TypeError, match=r"Odd\.lookback is not made with parameter\(\)"):
        _kind(lookback=50, __annotations__={"lookback": int})


def test_a_class_that_does_not_decide_or_has_no_name_is_no_strategy() -> None:
    with pytest.raises(TypeError, match="Odd has no method decide"):
        _kind(decide=None)
    for name in ("", " ", Ramp):
        with pytest.raises(TypeError, match="a strategy has a name and words"):
            strategy(name)  # type: ignore[arg-type]
    assert kind_of(type("Heir", (Ramp,), {})) is None


def test_a_strategy_cannot_be_changed_and_is_equal_to_its_like() -> None:
    ramp: Any = RAMP.make({"count": 4})
    with pytest.raises(FrozenInstanceError):
        ramp.count = 5
    assert ramp == RAMP.make({"count": 4}) != RAMP.make({"count": 5})


def test_what_a_strategy_is_written_with_comes_from_the_package() -> None:
    assert (balance.Signal, balance.parameter, balance.strategy) == (Signal, parameter, strategy)
    assert {"Signal", "parameter", "strategy"} <= set(balance.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        balance.nothing  # noqa: B018
