"""A bot's settings: what may be asked for, what is usual, and what an edit leaves as it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from balance.bots.settings import (
    MEMBERS,
    TIMEFRAMES,
    BotSettings,
    Run,
    read_settings,
    settings_of,
)
from balance.core.errors import BalanceError, InvalidAmount, InvalidRequest
from balance.core.money import exact
from balance.strategies.own import Catalogue
from tests.markets import BTC, ETH, SOL, market

NEEDED = {"name": "Trend", "symbol": BTC, "strategy": "ema_crossover"}
KINDS = Catalogue()


def settings(before: BotSettings | None = None, **asked: Any) -> BotSettings:
    """The settings that ``asked`` tell; of a new bot, with what every one needs."""
    needed = NEEDED if before is None else {}
    return settings_of({**needed, **asked}, KINDS.kind, market(), before)


def test_what_is_left_out_is_as_usual() -> None:
    assert settings() == BotSettings(
        name="Trend",
        symbol=BTC,
        timeframe="5m",
        strategy="ema_crossover",
        params={"fast": 12, "slow": 26},
        direction="both",
        stake=Decimal(10),
        stake_unit="percent",
        leverage=Decimal(3),
    )
    assert settings().seconds == 300


def test_every_member_is_taken_over() -> None:
    asked = {
        "name": "  Short one ",
        "symbol": ETH,
        "timeframe": "4h",
        "strategy": "ema_crossover",
        "params": {"fast": 5, "slow": 9.0},
        "direction": "short",
        "stake": "250.5",
        "stake_unit": "usdt",
        "leverage": 7,
        "min_confidence": 0.65,
        "stop_loss": 1.5,
        "take_profit": 1_000,
        "trailing_stop": "0.5",
        "cooldown": 30,
        "max_positions": 2,
        "max_daily_loss": 50,
        "max_drawdown": 75.25,
    }
    assert set(asked) == set(MEMBERS)
    assert settings(**asked) == BotSettings(
        name="Short one",
        symbol=ETH,
        timeframe="4h",
        strategy="ema_crossover",
        params={"fast": 5, "slow": 9},
        direction="short",
        stake=Decimal("250.5"),
        stake_unit="usdt",
        leverage=Decimal(7),
        min_confidence=Decimal("0.65"),
        stop_loss=Decimal("1.5"),
        take_profit=Decimal(1_000),
        trailing_stop=Decimal("0.5"),
        cooldown=30,
        max_positions=2,
        max_daily_loss=Decimal(50),
        max_drawdown=Decimal("75.25"),
    )


NO_NUMBERS = (True, "many", [], {}, float("nan"), float("inf"), 10**400)
WRONG: dict[str, tuple[Any, ...]] = {
    "name": ("", "  ", "a\nb", "x" * 41, "\ud800", 7, None, True),
    "symbol": ("XYZ/USDT", "", 7, None, True, ["BTC/USDT"]),
    "timeframe": ("2m", "1M", 60, None, True, ["1m"]),
    "strategy": ("none", "", 7, None, ["ema_crossover"]),
    "params": (None, 7, "fast=3", [3], True, {"fast": None}, {"fast": "ten"}, {"fast": True}),
    "direction": ("up", "Long", None, True, ["long"]),
    "stake": (0, -1, "0", None, 10**13, *NO_NUMBERS),
    "stake_unit": ("USDT", "btc", None, True),
    "leverage": (0, -3, 2.5, 1_001, None, *NO_NUMBERS),
    "min_confidence": (-0.01, 1.01, None, *NO_NUMBERS),
    "stop_loss": (0, -1, 100, 250, *NO_NUMBERS),
    "take_profit": (0, -1, 1_000.01, *NO_NUMBERS),
    "trailing_stop": (0, -1, "0.009", 100, *NO_NUMBERS),
    "cooldown": (-1, 1.5, 525_601, None, *NO_NUMBERS),
    "max_positions": (0, -1, 1.5, 1_001, *NO_NUMBERS),
    "max_daily_loss": (0, -5, 10**13, *NO_NUMBERS),
    "max_drawdown": (0, -5, 10**13, *NO_NUMBERS),
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_what_makes_no_sense_is_refused_in_words_that_name_it(name: str, value: Any) -> None:
    with pytest.raises((InvalidRequest, InvalidAmount)) as refused:
        settings(**{name: value})
    words = str(refused.value)
    assert words.endswith(".")
    assert len(words) < 300
    known = {"params": "fast", "strategy": "strategy", "symbol": "symbol"}.get(name, name)
    assert known in words or "params" in words
    assert "Error" not in words


def test_every_member_has_wrong_values_here() -> None:
    assert set(WRONG) == set(MEMBERS)


@pytest.mark.parametrize("name", ["name", "symbol", "strategy"])
def test_what_every_bot_needs_is_asked_for(name: str) -> None:
    asked = {each: value for each, value in NEEDED.items() if each != name}
    with pytest.raises(InvalidRequest, match=f"A bot needs a {name}"):
        settings_of(asked, KINDS.kind, market())


def test_an_unknown_member_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequest, match=r"stake_unit.*, but not 'stoploss'"):
        settings(stoploss=5)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_a_bot_may_have_every_timeframe(timeframe: str) -> None:
    assert settings(timeframe=timeframe).seconds == TIMEFRAMES[timeframe]


@pytest.mark.parametrize("spelled", ["btc/usdt", "BTCUSDT", "btc-usdt", " BTC USDT "])
def test_a_symbol_may_be_spelled_differently(spelled: str) -> None:
    assert settings(symbol=spelled).symbol == BTC


def test_a_stake_in_percent_is_at_most_all_of_it_but_not_one_in_usdt() -> None:
    assert settings(stake=100).stake == 100
    with pytest.raises(InvalidAmount, match=r"at most 100 %, not 100\.01"):
        settings(stake=100.01)
    in_usdt = settings(stake=5_000, stake_unit="usdt")
    with pytest.raises(InvalidAmount, match=r"at most 100 %, not 5,000\.00"):
        settings(in_usdt, stake_unit="percent")


def test_the_leverage_is_at_most_what_the_symbol_allows() -> None:
    assert settings(leverage=150).leverage == 150
    with pytest.raises(InvalidAmount, match="at most 100, not 150"):
        settings(symbol=SOL, leverage=150)
    with pytest.raises(InvalidAmount, match="at most 100, not 101"):
        settings(settings(leverage=101), symbol=SOL)


def test_what_a_limit_may_be_is_said_as_it_is() -> None:
    with pytest.raises(InvalidAmount, match="take_profit must be above 0 and at most 1,000, not"):
        settings(take_profit=1_001)
    with pytest.raises(InvalidAmount, match="stop_loss must be above 0 and below 100, not 100"):
        settings(stop_loss=100)


def test_parameters_are_those_of_the_strategy_in_their_range_and_fit_together() -> None:
    assert settings(params={"slow": 50}).params == {"fast": 12, "slow": 50}
    for wrong, words in (
        ({"fast": 1}, "from 2 to 100"),
        ({"fast": 2.5}, "whole number"),
        ({"speed": 3}, "no parameter 'speed'"),
        ({"fast": 30, "slow": 30}, "fewer candles"),
    ):
        with pytest.raises(InvalidRequest, match=words):
            settings(params=wrong)
    assert settings(strategy="buy_and_hold").params == {}


def test_an_edit_keeps_what_it_leaves_out() -> None:
    before = settings(stop_loss=2, cooldown=5, params={"slow": 40}, leverage=9, min_confidence=0.3)
    assert settings(before) == before
    assert settings(before, name="Other") == replace(before, name="Other")
    assert settings(before, stop_loss=None) == replace(before, stop_loss=None)


def test_an_edit_of_one_parameter_keeps_the_others() -> None:
    before = settings(params={"fast": 5, "slow": 40})
    assert settings(before, params={"fast": 6}).params == {"fast": 6, "slow": 40}
    assert settings(before, params={}).params == {"fast": 5, "slow": 40}
    assert settings(before, strategy="ema_crossover", params={"slow": 41}).params["fast"] == 5


def test_another_strategy_begins_with_its_own_parameters() -> None:
    before = settings(params={"fast": 5})
    other = settings(before, strategy="donchian_breakout")
    assert other.params == KINDS.kind("donchian_breakout").values({})
    back = settings(other, strategy="ema_crossover", params={"slow": 30})
    assert back.params == {"fast": 12, "slow": 30}


def test_a_strategy_that_has_lost_a_parameter_can_still_be_edited() -> None:
    before = replace(settings(), params={"fast": 9, "slow": 26, "smooth": 4})
    assert settings(before, params={"slow": 30}).params == {"fast": 9, "slow": 30}


@pytest.mark.parametrize("name", MEMBERS)
def test_settings_that_were_kept_are_read_one_by_one(name: str) -> None:
    kept = {each: getattr(settings(), each) for each in MEMBERS}
    assert read_settings(kept) == settings()
    for wrong in (["x"], {"x": []}):
        with pytest.raises(BalanceError):
            read_settings({**kept, name: wrong})
    with pytest.raises(KeyError):
        read_settings({each: kept[each] for each in MEMBERS if each != name})


def at(day: int) -> datetime:
    return datetime(2026, 1, day, 12, tzinfo=UTC)


def test_a_day_begins_with_what_there_is_and_the_best_counts_since_the_start() -> None:
    with exact():
        first = Run().at(at(1), Decimal(-3))
        assert first == Run(day=date(2026, 1, 1), day_began=Decimal(-3), best=Decimal(-3))
        risen = first.at(at(1), Decimal(10))
        assert risen == replace(first, best=Decimal(10))
        assert risen.at(at(1), Decimal(4)) is risen
        next_day = risen.at(at(2), Decimal(4))
        assert next_day == Run(day=date(2026, 1, 2), day_began=Decimal(4), best=Decimal(10))


def test_a_limit_is_broken_from_its_own_figure_on() -> None:
    limited = settings(max_daily_loss=5, max_drawdown=8)
    run = Run(day=date(2026, 1, 1), day_began=Decimal(2), best=Decimal(3))
    with exact():
        assert run.broken(limited, Decimal("-2.99")) == ""
        daily = run.broken(limited, Decimal(-3))
        assert daily == "Lost 5.00 USDT today, with at most 5.00 allowed"
        down = run.broken(replace(limited, max_daily_loss=None), Decimal("-5.004"))
        assert down == "Is 8.00 USDT below its best, with at most 8.00 allowed"
        assert run.broken(settings(), Decimal(-9_999)) == ""
