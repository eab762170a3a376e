"""Signals from outside: who acts on them, how, and what those who send them are told."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.bots.signals import signal_of
from balance.core.errors import BalanceError, InvalidAmount, InvalidRequest, StoreFailed
from tests.bots_by_hand import ByHand
from tests.markets import BTC, ETH, market

BUY = {"symbol": BTC, "side": "buy"}


@pytest.fixture
def desk(folder: Path) -> ByHand:
    """Bots of a new account, of which there are none yet."""
    return ByHand(folder)


def listener(desk: ByHand, **members: Any) -> str:
    """The id of a running bot that takes signals on Bitcoin."""
    return desk.create(**{"name": "Ear", "strategy": "signals", **members})


def actions(desk: ByHand, **members: Any) -> list[str]:
    """What came of a signal, by default to buy, at each bot that took it."""
    results = desk.bots.signal({**BUY, **members}).members["results"]
    return [each["action"] for each in results]


@pytest.mark.parametrize(
    ("told", "side"),
    [
        *(("buy", "long"), ("LONG", "long"), ("sell", "short"), ("Short", "short")),
        *(("close", ""), ("flat", "")),
    ],
)
def test_a_signal_is_acted_on_at_once(desk: ByHand, told: str, side: str) -> None:
    bot = listener(desk)
    done = desk.bots.signal({**BUY, "side": told, "source": "my alert"})
    assert desk.side() == side
    (result,) = done.members["results"]
    assert (result["bot"], result["name"]) == (bot, "Ear")
    assert result["action"] == ("opened" if side else "none")
    assert done.message == f"Ear: {result['words']}."
    signal = desk.row(bot)["signal"]
    assert (signal["candle"], signal["reason"]) == (None, "Signal of my alert")
    assert (signal["confidence"], signal["words"]) == (1, result["words"])
    (entry,) = [each for each in desk.bots.log().entries if each["kind"] in ("trade", "ignored")]
    assert (entry["words"], entry["reason"]) == (result["words"], "Signal of my alert")


def test_signals_turn_and_close_and_are_summed_up(desk: ByHand) -> None:
    bot = listener(desk)
    assert actions(desk) == ["opened"]
    assert actions(desk) == ["none"]
    assert actions(desk, side="sell") == ["flipped"]
    desk.price(39_000)
    assert actions(desk, side="close") == ["closed"]
    assert (desk.row(bot)["trades"], desk.row(bot)["realized"]) == (2, 100)


def test_a_signal_may_name_a_size_and_how_sure_it_is(desk: ByHand) -> None:
    bot = listener(desk, min_confidence=0.5)
    assert actions(desk, confidence=0.49) == ["ignored"]
    assert actions(desk, confidence="0.5", size=0.0123) == ["opened"]
    held = desk.held()
    assert held is not None
    assert held.quantity == Decimal("0.012")
    assert desk.row(bot)["signal"]["confidence"] == 0.5


def test_only_running_bots_that_take_signals_on_the_symbol_act(desk: ByHand) -> None:
    assert desk.bots.signal(BUY).message == (
        "Nobody acts on it: make a bot on BTC/USDT with the strategy Signals from outside, and "
        "start it."
    )
    desk.create(name="Not asked")
    ether = listener(desk, name="Ether", symbol=ETH)
    idle = listener(desk, name="Idle", start=False)
    done = desk.bots.signal(BUY)
    assert done.message == "Nobody acts on it: no bot that takes signals on BTC/USDT is running."
    assert done.members == {"results": []}
    assert actions(desk, symbol="ethusdt", side="sell") == ["opened"]
    assert desk.row(ether)["position"]["side"] == "short"
    desk.bots.start(idle)
    assert actions(desk) == ["opened"]


def test_each_of_several_bots_has_its_own_answer(desk: ByHand) -> None:
    listener(desk)
    listener(desk, name="Second ear")
    done = desk.bots.signal(BUY)
    first, second = done.members["results"]
    assert first["action"] == "opened"
    assert second["action"] in ("ignored", "refused")
    assert done.message == f"Ear: {first['words']}. Second ear: {second['words']}."
    assert ".." not in done.message


def test_a_paused_bot_only_closes(desk: ByHand) -> None:
    bot = listener(desk)
    actions(desk)
    desk.bots.pause(bot)
    assert actions(desk, side="sell") == ["closed"]
    assert actions(desk) == ["ignored"]


def test_without_a_live_price_a_signal_is_refused_and_told(desk: ByHand) -> None:
    bot = listener(desk)
    before = desk.revision()
    live = desk.market.live
    desk.board.market = replace(desk.market, live=frozenset({ETH}))
    done = desk.bots.signal(BUY)
    assert done.message == "Ear: BTC/USDT has no live price now."
    assert desk.row(bot)["signal"]["action"] == "refused"
    desk.board.market = replace(desk.market, quotes={})
    assert actions(desk) == ["refused"]
    assert desk.revision() == before
    assert live


def test_a_bot_that_takes_signals_decides_nothing_itself_but_trails_its_stop(desk: ByHand) -> None:
    listener(desk, trailing_stop=1)
    desk.close(40_000)
    actions(desk)
    desk.close(41_000, 42_000)
    (stop,) = desk.desk.snapshot().open_orders
    assert stop["trigger_price"] == 41_580
    assert desk.log(kind="hold") == []


def test_a_limit_that_a_signal_meets_stops_the_bot_at_once(desk: ByHand) -> None:
    bot = listener(desk, max_drawdown=50)
    desk.close(40_000)
    actions(desk)
    desk.price(39_000)
    assert actions(desk) == ["closed"]
    row = desk.row(bot)
    assert (row["status"], desk.side()) == ("stopped", "")
    assert row["stopped_because"].startswith("Is 100.00 USDT below its best")
    assert actions(desk) == []


def test_a_repeated_signal_is_acted_on_once_whatever_has_come_between(desk: ByHand) -> None:
    bot = listener(desk)
    first = desk.bots.signal(BUY, key="alert 1")
    desk.desk.close_position(BTC)
    again = desk.bots.signal(BUY, key="alert 1")
    assert (again.replayed, again.members, desk.side()) == (True, first.members, "")
    # that it was answered may be lost with a crash; that it was traded is not
    (desk.folder / "bots.json").unlink()
    later = desk.again()
    made = listener(later)
    assert made == bot
    assert later.bots.signal(BUY, key="alert 1").members["results"][0]["action"] == "none"
    assert later.side() == ""


def test_a_signal_that_can_not_be_written_may_be_sent_again(desk: ByHand) -> None:
    listener(desk)
    with desk.disk.full(), pytest.raises(StoreFailed):
        desk.bots.signal(BUY, key="alert 1")
    assert desk.side() == ""
    done = desk.bots.signal(BUY, key="alert 1")
    assert (done.replayed, desk.side()) == (False, "long")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"side": "hold"}, "side must be one of buy, sell"),
        ({"side": None}, "side must be one of"),
        ({"side": 7}, "side must be one of"),
        ({"symbol": None}, "symbol must be a text"),
        ({"symbol": "XYZ/USDT"}, "no symbol 'XYZ/USDT'"),
        ({"confidence": 1.1}, "confidence must be from 0 to 1"),
        ({"confidence": True}, "confidence must be a number"),
        ({"confidence": float("nan")}, "confidence must be a finite number"),
        ({"size": 0}, "size must be above zero"),
        ({"size": "many"}, "size must be a number"),
        ({"source": "a\nb"}, "source must be a printable text"),
        ({"source": "x" * 61}, "at most 60"),
        ({"source": 7}, "source must be"),
        ({"pirce": 40_000}, "but not 'pirce'"),
    ],
)
def test_what_is_no_signal_is_refused(members: dict[str, Any], words: str) -> None:
    with pytest.raises((InvalidRequest, InvalidAmount), match=words):
        signal_of({**BUY, **members}, market())


def test_none_is_as_good_as_not_given() -> None:
    wanted = signal_of({**BUY, "confidence": None, "size": None, "source": None}, market())
    assert (wanted.signal.confidence, wanted.size) == (1, None)
    assert wanted.signal.reason == signal_of({**BUY, "source": ""}, market()).signal.reason


def test_a_refused_signal_is_in_the_log_and_may_be_repeated(desk: ByHand) -> None:
    listener(desk)
    before = desk.log()
    with pytest.raises(BalanceError):
        desk.bots.signal({**BUY, "side": "up"}, key="alert 1")
    *earlier, (_, message) = desk.log()
    assert message.startswith("A signal from outside was refused: side must be one of")
    assert earlier == before
    assert not desk.bots.signal(BUY, key="alert 1").replayed


def test_a_secret_is_needed_where_there_is_one(folder: Path) -> None:
    open_to_all, guarded = ByHand(folder), ByHand(folder, secret="swordfish")
    assert (open_to_all.bots.needs_secret, guarded.bots.needs_secret) == (False, True)
    assert open_to_all.bots.check_secret("anything")
    assert guarded.bots.check_secret("swordfish")
    for wrong in ("", "Swordfish", "swordfish ", "sword\u00ffish", "\ud800", None, 7):
        assert not guarded.bots.check_secret(wrong)
