"""A bot whose symbol somebody else has says so: in its row, when it is started, once in the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bots_by_hand import ByHand
from tests.markets import BTC, ETH

PERSON = f"{BTC} is traded by you now: it opens nothing until that is closed."
LEVELS = f"{BTC} is traded by Levels now: it opens nothing until that is closed."
FREE = f"{BTC} is free again: it may open positions."


@pytest.fixture
def desk(folder: Path) -> ByHand:
    """No bots yet, Bitcoin at 40,000."""
    return ByHand(folder)


def shown(desk: ByHand, bot: str) -> tuple[object, str, str]:
    row = desk.row(bot)
    return row["held_by"], row["display"]["status"], row["display"]["held_by"]


def test_a_row_says_that_the_person_has_the_symbol(desk: ByHand) -> None:
    bot = desk.create()
    assert shown(desk, bot) == (None, "Running", "")
    desk.desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    assert shown(desk, bot) == ("", "Symbol in use", PERSON)
    assert desk.row(bot)["status"] == "running"
    desk.bots.pause(bot)
    assert shown(desk, bot) == ("", "Symbol in use", PERSON)
    # one that is stopped waits for nothing
    desk.bots.stop(bot)
    assert shown(desk, bot) == ("", "Stopped", PERSON)
    desk.desk.close_position(BTC)
    assert shown(desk, bot) == (None, "Stopped", "")


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_order_that_waits_to_open_counts_and_one_that_reduces_does_not(
    desk: ByHand, side: str
) -> None:
    bot = desk.create()
    price = 30_000 if side == "buy" else 50_000
    desk.desk.place_order(symbol=BTC, side=side, type="limit", price=price, quantity="0.01")
    assert shown(desk, bot)[0] == ""
    desk.desk.cancel_orders()
    assert shown(desk, bot)[0] is None
    desk.close(40_000, 42_000)
    assert desk.side() == "long"
    stop = {"type": "stop_market", "trigger_price": 39_500, "reduce_only": True}
    desk.desk.place_order(symbol=BTC, side="sell", **stop)
    assert shown(desk, bot) == (None, "Running", "")


def test_another_bot_is_called_by_its_name(desk: ByHand) -> None:
    first = desk.create()
    second = desk.create(name="Second")
    other = desk.create(name="Other", symbol=ETH)
    desk.close(40_000, 42_000)
    assert shown(desk, first) == (None, "Running", "")
    assert shown(desk, second) == (first, "Symbol in use", LEVELS)
    assert shown(desk, other)[0] is None


def test_who_starts_it_is_told(desk: ByHand) -> None:
    bot = desk.create(start=False)
    assert "traded by" not in desk.bots.start(bot).message
    desk.bots.stop(bot)
    desk.desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    done = desk.bots.start(bot)
    assert done.message == f"Started Levels. It decides when its next candle closes. {PERSON}"
    assert done.members["bot"]["display"]["status"] == "Symbol in use"


def test_the_log_says_once_that_it_begins_and_once_that_it_ends(desk: ByHand) -> None:
    bot = desk.create()
    desk.desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    # wanted at each candle, and refused
    desk.close(40_000, *[42_000] * 6)
    assert desk.row(bot)["signal"]["action"] == "refused"
    assert [words for kind, words in desk.log() if kind == "ignored"] == [PERSON]
    desk.desk.close_position(BTC)
    desk.close(42_000)
    assert [words for kind, words in desk.log() if kind == "ignored"] == [PERSON, FREE]
    assert desk.side() == "long"


def test_two_bots_on_one_symbol_do_not_flood_the_log(desk: ByHand) -> None:
    desk.create()
    second = desk.create(name="Second")
    desk.close(40_000, *[42_000] * 20)
    of_second = [words for kind, words in desk.log(bot=second) if kind == "ignored"]
    assert of_second == [LEVELS]
    # the first one closes, and the second is not shut out any longer
    desk.close(40_500, 40_000)
    desk.close(*[40_000] * 3)
    of_second = [words for kind, words in desk.log(bot=second) if kind == "ignored"]
    assert of_second[:2] == [LEVELS, FREE]
    assert len(of_second) <= 4


def test_other_reasons_why_nothing_was_done_are_told_each_time(desk: ByHand) -> None:
    desk.create(stake=1_000_000)
    desk.close(40_000, 42_000, 42_000)
    refused = [words for kind, words in desk.log() if kind == "ignored"]
    assert len(refused) == 2
    assert all("available" in each for each in refused)
