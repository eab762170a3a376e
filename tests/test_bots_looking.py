"""Bots that look at the market minute by minute: each closed candle is decided on once, what is
traded is summed up whoever did it, and whatever fails, nothing is lost or done twice."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from balance.bots import bots as bots_module
from balance.bots import runner as runner_module
from balance.bots.state import BOTS_FILE
from balance.core.errors import InvalidRequest, StoreUnreadable
from balance.core.moments import iso
from balance.core.orders import place_order
from balance.core.ticket import Ticket
from balance.desk.desk import Desk
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, FileStore
from balance.strategies.own import Guarded
from tests.bots_by_hand import MINUTE, NOON, ByHand
from tests.markets import BTC, ETH


@pytest.fixture
def desk(folder: Path) -> ByHand:
    """Bots of a new account, of which there are none yet."""
    return ByHand(folder)


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets time pass for those who tell and save, for whom it otherwise stands still."""
    now = [1_000.0]

    def pass_by(seconds: float) -> None:
        now[0] += seconds

    clock = SimpleNamespace(monotonic=lambda: now[0], time=lambda: 1_000.0)
    monkeypatch.setattr(bots_module, "time", clock)
    return pass_by


def test_what_had_closed_before_the_first_look_is_no_news(desk: ByHand) -> None:
    desk.close(42_000, 42_000)
    bot = desk.create()
    desk.price(42_000)
    assert (desk.row(bot)["signal"], desk.side()) == (None, "")
    desk.close(42_000)
    assert desk.side() == "long"


def test_every_closed_candle_is_decided_on_once(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000)
    for mark in (40_000, 40_100, 40_000):
        desk.price(mark, seconds=15)
    assert len(desk.log(kind="hold")) == 0
    desk.close(40_000, 40_200)
    signal = desk.row(bot)["signal"]
    assert (signal["side"], signal["action"], signal["reason"]) == (
        "hold",
        "none",
        "Nothing to say",
    )
    assert len(desk.log(kind="hold")) == 2
    assert signal["candle"] == iso(desk.now - MINUTE)
    assert signal["time"] == iso(desk.now)


def test_a_bot_decides_when_a_candle_of_its_own_timeframe_closes(desk: ByHand) -> None:
    desk.create(timeframe="5m")
    desk.close(*[41_500] * 5)
    assert desk.log(kind="hold") == desk.log(kind="trade") == []
    desk.close(*[41_500] * 4)
    assert desk.side() == ""
    desk.close(41_500)
    assert desk.side() == "long"
    held = desk.held()
    assert held is not None
    assert held.opened_at == NOON + timedelta(minutes=10)


def test_candles_are_asked_for_only_when_one_of_the_timeframe_has_closed(desk: ByHand) -> None:
    asked: list[str] = []
    candles = desk.candles

    def counted(symbol: str, seconds: int, limit: int) -> Any:
        asked.append(symbol)
        return candles(symbol, seconds, limit)

    desk.board.candles = counted
    desk.create(timeframe="5m", trailing_stop=1)
    desk.close(*[40_000] * 11)
    assert len(asked) == 3


def test_an_edit_counts_from_the_next_candle_on(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 40_000)
    desk.bots.edit(bot, {"strategy": "buy_and_hold"})
    desk.price(40_000)
    assert desk.side() == ""
    desk.close(40_000)
    assert (desk.side(), desk.row(bot)["display"]["strategy"]) == ("long", "Buy and hold")
    desk.bots.edit(bot, {"strategy": "own_levels", "direction": "short"})
    desk.close(39_000)
    assert desk.side() == "short"


def test_of_candles_that_were_missed_the_newest_alone_is_decided_on(desk: ByHand) -> None:
    desk.create()
    desk.close(40_000)
    market = desk.market
    desk.board.market = replace(market, live=frozenset())
    desk.close(42_000, 42_000, 38_000)
    assert desk.side() == ""
    desk.board.market = replace(desk.market, live=market.live)
    desk.price(40_000)
    assert desk.side() == "short"


def test_a_trade_is_told_by_row_log_and_trades_alike(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000)
    row = desk.row(bot)
    assert row["position"]["side"] == "long"
    assert (row["display"]["position"], row["display"]["confidence"]) == ("Long 0.097", "90%")
    assert row["signal"]["action"] == "opened"
    desk.price(42_000, seconds=10)
    assert (desk.row(bot)["pnl"], desk.row(bot)["realized"]) == (97, 0)
    desk.close(40_500)
    row = desk.row(bot)
    assert (row["pnl"], row["realized"], row["trades"], row["wins"]) == (-48.5, -48.5, 1, 0)
    assert (row["win_rate"], row["curve"], row["position"]) == (0, [Decimal("-48.5")], None)
    (trade,) = desk.bots.trades()
    assert (trade["bot"], trade["name"], trade["pnl"]) == (bot, "Levels", Decimal("-48.5"))
    assert (trade["opened_because"], trade["closed_because"]) == ("41,000 is high", "Flat")
    opened, closed = desk.bots.log(kind="trade").entries[::-1]
    assert (opened["side"], opened["confidence"], opened["reason"]) == (
        "buy",
        0.9,
        "41,000 is high",
    )
    assert (closed["side"], closed["symbol"], closed["name"]) == ("close", BTC, "Levels")
    assert "40,500" in closed["words"]


def test_a_turn_is_one_change_of_the_account(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000)
    before = desk.revision()
    desk.close(39_000)
    assert (desk.side(), desk.row(bot)["signal"]["action"]) == ("short", "flipped")
    assert desk.revision() == before + 1


def test_a_paused_bot_closes_and_a_stopped_one_does_nothing(desk: ByHand) -> None:
    bot = desk.create(stop_loss=50)
    desk.close(40_000, 41_000)
    desk.bots.pause(bot)
    desk.close(40_500, 41_000)
    assert (desk.side(), desk.row(bot)["signal"]["action"]) == ("", "ignored")
    desk.bots.resume(bot)
    desk.close(41_000)
    desk.bots.stop(bot)
    before = desk.revision()
    desk.close(40_500, 39_000)
    assert (desk.side(), desk.revision()) == ("long", before)


def test_two_bots_on_one_symbol_do_not_touch_each_other(desk: ByHand) -> None:
    first = desk.create()
    second = desk.create(name="Second")
    desk.close(40_000, 41_000)
    held = desk.held()
    assert held is not None
    assert held.owner == first
    assert desk.row(second)["signal"]["action"] in ("ignored", "refused")
    assert desk.row(second)["position"] is None
    desk.close(40_500)
    assert (desk.row(first)["trades"], desk.row(second)["trades"]) == (1, 0)


def test_nothing_is_decided_twice_over_a_restart(desk: ByHand) -> None:
    desk.create()
    desk.close(40_000, 40_000)
    desk.price(41_000)
    desk.bots.rest()
    before = len(desk.log())
    later = desk.again()
    later.price(41_000)
    assert (later.side(), len(later.log())) == ("", before)
    later.close(41_000)
    assert later.side() == "long"


def test_a_candle_that_was_traded_is_not_traded_again_though_that_was_not_kept(
    desk: ByHand, tmp_path: Path
) -> None:
    bot = desk.create(stop_loss=1)
    desk.close(40_000, 40_000)
    desk.bots.rest()
    shutil.copy(desk.folder / BOTS_FILE, tmp_path / "older")
    desk.close(41_000)
    assert desk.side() == "long"
    # stopped out within the minute: nothing in the account tells of the candle any more
    desk.price(40_000, seconds=2)
    assert desk.side() == ""
    before = desk.revision()
    shutil.copy(tmp_path / "older", desk.folder / BOTS_FILE)
    later = desk.again()
    later.price(41_000)
    assert (later.side(), later.revision()) == ("", before)
    assert later.row(bot)["trades"] == 1
    later.close(41_000)
    assert later.side() == "long"


def test_the_first_look_after_a_start_decides_nothing_over_a_restart_either(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000, 40_500)
    assert desk.row(bot)["trades"] == 1
    desk.bots.stop(bot)
    desk.close(41_000, 41_000)
    desk.bots.start(bot)
    later = desk.again()
    later.price(41_000)
    assert (later.side(), later.row(bot)["signal"]["side"]) == ("", "close")
    later.close(41_000)
    assert later.side() == "long"


def test_a_bot_on_another_timeframe_decides_on_a_candle_that_began_when_an_older_one_did(
    desk: ByHand,
) -> None:
    bot = desk.create()
    desk.close(*[40_000] * 5, 41_000)
    assert desk.side() == "long"
    desk.desk.close_position(BTC)
    # the minute of 12:05 was traded on; these are the five of it
    desk.bots.edit(bot, {"timeframe": "5m"})
    desk.close(*[41_000] * 4)
    assert (desk.side(), desk.row(bot)["signal"]["action"]) == ("long", "opened")


def test_a_strategy_that_fails_stops_its_bot_alone_with_its_lines_in_the_log(desk: ByHand) -> None:
    first, second = desk.create(), desk.create(name="Other", symbol=ETH, strategy="buy_and_hold")
    desk.close(40_000, 13_000)
    row = desk.row(first)
    assert (row["status"], row["stopped_because"]) == (
        "stopped",
        "Its strategy failed: ValueError: thirteen",
    )
    (words,) = [words for kind, words in desk.log(bot=first) if kind == "error"]
    assert 'File "levels.py", line' in words
    assert "raise ValueError" in words
    assert str(desk.folder.parent) not in words
    assert desk.row(second)["status"] == "running"
    assert desk.side(ETH) == "long"
    desk.bots.start(first)
    desk.close(40_000, 41_000)
    assert desk.side() == "long"


def test_a_strategy_that_hangs_stops_its_bot_alone(
    desk: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner_module, "Guarded", partial(Guarded, timeout=0.05))
    first, second = desk.create(), desk.create(name="Other", symbol=ETH, strategy="buy_and_hold")
    desk.close(40_000, 14_000)
    row = desk.row(first)
    assert (row["status"], row["stopped_because"]) == (
        "stopped",
        "Its strategy failed: took longer than 0.05 s",
    )
    assert (desk.row(second)["status"], desk.side(ETH)) == ("running", "long")


def test_a_fault_of_the_program_stops_one_bot_and_shows_no_path(
    desk: ByHand, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bot = desk.create()
    desk.close(40_000)

    def fail(_: Any) -> Any:
        raise RuntimeError("unthinkable")

    monkeypatch.setattr(runner_module, "evaluate", fail)
    desk.close(41_000)
    assert desk.row(bot)["stopped_because"] == "RuntimeError: unthinkable"
    assert desk.log()[-1] == ("error", "RuntimeError: unthinkable")
    assert "the bot levels-1 failed" in caplog.text


def test_candles_that_can_not_be_had_stop_the_bot_with_words(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000)

    def refuse(*_: Any) -> Any:
        raise InvalidRequest("There are no candles of BTC/USDT here.")

    desk.board.candles = refuse
    desk.close(40_000)
    row = desk.row(bot)
    assert (row["status"], row["stopped_because"]) == (
        "stopped",
        "There are no candles of BTC/USDT here",
    )


def test_what_can_not_be_written_is_tried_again_and_nothing_is_lost(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 40_000)
    with desk.disk.full():
        desk.close(41_000)
        for _ in range(5):
            desk.price(41_000)
        assert (desk.side(), desk.row(bot)["status"]) == ("", "running")
    errors = [words for kind, words in desk.log() if kind == "error"]
    assert len(errors) == 1
    assert errors[0].startswith("Could not be written, and is tried again: The disk did not")
    desk.price(41_000)
    assert desk.side() == "long"
    assert desk.row(bot)["signal"]["reason"] == "41,000 is high"
    desk.bots.rest()
    assert desk.again().row(bot)["signal"]["action"] == "opened"


def test_what_was_written_though_the_disk_did_not_say_so_is_not_done_again(
    desk: ByHand,
) -> None:
    bot = desk.create(stop_loss=1)
    desk.close(40_000, 40_000)

    with desk.disk.refusing("sync_folder"):
        desk.close(41_000)
    # what it has bought is sold again before it tries again
    desk.price(40_000)
    desk.price(41_000)
    assert (desk.side(), desk.row(bot)["trades"]) == ("", 1)
    assert desk.row(bot)["signal"]["words"] == "Was done already"


def test_a_disk_that_is_full_is_complained_of_once(
    desk: ByHand, caplog: pytest.LogCaptureFixture, pass_time: Callable[[float], None]
) -> None:
    desk.create()
    desk.close(40_000)
    caplog.set_level(logging.ERROR)
    for _ in range(2):
        caplog.clear()
        with desk.disk.full(BOTS_FILE):
            for _ in range(4):
                pass_time(2)
                desk.close(40_000)
        assert [each.message for each in caplog.records if "could not be saved" in each.message]
        assert len(caplog.records) == 1
        pass_time(2)
        desk.close(40_000)


def test_an_account_that_can_not_be_read_holds_its_bots_up(
    desk: ByHand, caplog: pytest.LogCaptureFixture
) -> None:
    bot = desk.create()
    desk.close(40_000, 40_000)
    file = desk.folder / ACCOUNT_FILE
    good = file.read_bytes()
    file.write_bytes(b"{")
    moment = desk.now + timedelta(minutes=1)
    quotes = {name: replace(each, time=moment) for name, each in desk.market.quotes.items()}
    desk.board.market = replace(desk.market, quotes=quotes)
    for _ in range(5):
        desk.bots.look(desk.market)
        desk.bots.show()
    # the engine, every tab and the bot's own log say so
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    assert [kind for kind, _ in desk.log()].count("error") == 1
    with pytest.raises(StoreUnreadable):
        desk.bots.listed()
    file.write_bytes(good)
    desk.close(41_000)
    assert (desk.side(), desk.row(bot)["status"]) == ("long", "running")


def test_a_ledger_that_can_not_be_read_stops_nobody(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000)
    ledger = desk.folder / LEDGER_FILE
    good = ledger.read_bytes()
    ledger.write_bytes(good[:-20].rpartition(b"\n")[0] + b"\nnonsense\n")
    desk.close(40_500)
    ledger.write_bytes(good)
    desk.close(40_500, 40_500)
    row = desk.row(bot)
    assert (row["status"], row["trades"], desk.side()) == ("running", 1, "")


def test_a_reset_begins_the_sums_anew_and_keeps_the_trades(desk: ByHand) -> None:
    bot = desk.create(max_drawdown=500)
    desk.close(40_000, 41_000, 40_500, 41_000)
    assert desk.row(bot)["trades"] == 1
    desk.desk.reset()
    row = desk.row(bot)
    assert (row["trades"], row["pnl"], row["position"], row["curve"]) == (0, 0, None, [])
    assert (row["status"], row["fees"]) == ("running", 0)
    epochs = [each["epoch"] for each in desk.bots.trades()]
    assert epochs == [1, 1]
    desk.bots.rest()
    later = desk.again()
    assert [each["revision"] for each in later.bots.trades()] == [
        each["revision"] for each in desk.bots.trades()
    ]
    later.close(41_000, 42_000, 40_500)
    assert later.row(bot)["trades"] == 1
    assert later.row(bot)["pnl"] != 0


def test_an_undone_reset_gives_a_bot_its_sums_back_and_counts_no_trade_twice(
    desk: ByHand,
) -> None:
    bot = desk.create(max_drawdown=500)
    desk.close(40_000, 41_000, 40_500, 41_000)
    desk.price(41_200)
    before, log = desk.row(bot), len(desk.log())
    assert (before["trades"], before["position"]["side"]) == (1, "long")
    desk.desk.reset()
    assert desk.row(bot)["trades"] == 0
    desk.close(41_200)
    assert desk.side() == "long", "it trades in the epoch of the reset, too"
    desk.desk.undo_reset()
    names = ("trades", "wins", "realized", "pnl", "fees", "curve", "position")
    back = desk.row(bot)
    assert [back[name] for name in names] == [before[name] for name in names]
    # each was told when it ended; what the reset and its undo closed is in the list as well
    assert [each["closed_because"] for each in desk.bots.trades()] == ["Undo", "Reset", "Flat"]
    assert len([each for each in desk.log()[log:] if each[0] == "trade"]) == 1
    desk.bots.rest()
    later = desk.again()
    assert [later.row(bot)[name] for name in names] == [before[name] for name in names]
    later.price(40_500)
    later.close(40_500, 40_500)
    assert (later.side(), later.row(bot)["trades"]) == ("", 2)


def test_sums_come_back_where_nobody_looked_between_the_reset_and_its_undo(
    desk: ByHand,
) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000, 40_500)
    before = desk.row(bot)
    desk.bots.rest()
    for _ in range(2):
        desk.desk.reset()
        desk.desk.undo_reset()
    later = desk.again()
    for name in ("trades", "realized", "pnl", "curve"):
        assert later.row(bot)[name] == before[name]


def test_what_a_person_or_the_market_closes_is_the_bots_trade(desk: ByHand) -> None:
    bot = desk.create(stop_loss=2)
    desk.close(40_000, 41_000)
    desk.desk.close_position(BTC)
    row = desk.row(bot)
    assert (row["trades"], row["position"]) == (1, None)
    desk.close(41_000)
    assert desk.side() == "long"
    desk.price(40_100, seconds=5)
    assert (desk.side(), desk.row(bot)["trades"]) == ("", 2)
    words = [words for kind, words in desk.log(bot=bot) if kind == "trade"]
    assert any(each.startswith("Closed by hand: ") for each in words)
    assert any(each.startswith("Stop-loss: ") for each in words)
    assert desk.bots.trades(bot=bot, limit=1)[0]["closed_because"] == "Stop-loss"
    assert desk.bots.trades(bot="other-9") == []


def test_what_another_process_does_is_summed_up_too(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000)
    other = Desk(FileStore(desk.folder), desk.board)
    other.close_position(BTC, percent=50)
    assert desk.row(bot)["position"]["quantity"] < Decimal("0.097")
    other.close_position(BTC)
    assert (desk.row(bot)["trades"], desk.row(bot)["position"]) == (1, None)


def test_a_trade_that_ends_while_the_program_is_off_is_summed_up_at_the_next_start(
    desk: ByHand,
) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000)
    desk.bots.rest()
    Desk(FileStore(desk.folder), desk.board).close_position(BTC)
    later = desk.again()
    assert (later.row(bot)["trades"], len(later.bots.trades())) == (1, 1)
    later.bots.rest()
    assert later.again().row(bot)["trades"] == 1


def test_another_account_in_the_folder_is_summed_up_from_its_own_beginning(
    desk: ByHand, tmp_path: Path
) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000, 40_500)
    assert desk.row(bot)["trades"] == 1
    fresh = tmp_path / "fresh"
    FileStore(fresh)
    for name in (ACCOUNT_FILE, LEDGER_FILE):
        shutil.copy(fresh / name, desk.folder / name)
    assert (desk.row(bot)["trades"], desk.bots.trades()) == (0, [])


def test_a_bot_that_another_one_makes_news_of_keeps_its_sums(
    desk: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = desk.create(symbol=ETH, strategy="buy_and_hold")
    second = desk.create(name="Second")
    desk.close(40_000, 41_000)
    assert (desk.side(ETH), desk.side()) == ("long", "long")
    desk.price(40_000, seconds=59)
    desk.desk.close_position(ETH)
    # so that it looks for the first time right after the other one has bought
    desk.bots.stop(second)
    desk.bots.start(second)
    step = runner_module.evaluate

    def meanwhile(look: Any) -> Any:
        # while the first one looks, somebody closes what the second one holds
        if look.owner == first and desk.side():
            desk.desk.close_position(BTC)
        return step(look)

    monkeypatch.setattr(runner_module, "evaluate", meanwhile)
    desk.price(40_000)
    assert (desk.side(), desk.side(ETH)) == ("", "long")
    assert (desk.row(first)["trades"], desk.row(second)["trades"]) == (1, 1)


def test_a_limit_stops_its_bot_which_says_so_once(desk: ByHand) -> None:
    bot = desk.create(max_daily_loss=50)
    desk.close(40_000, 41_000)
    desk.price(40_400, seconds=5)
    assert desk.side() == "long"
    desk.close(40_400)
    row = desk.row(bot)
    because = "Lost 58.20 USDT today, with at most 50.00 allowed"
    assert (row["status"], row["stopped_because"], desk.side()) == ("stopped", because, "")
    assert row["trades"] == 1
    (words,) = [each for kind, each in desk.log(bot=bot) if "Stopped itself" in each]
    assert words.startswith(f"Stopped itself: {because}.")
    assert words.endswith(".")
    assert ".." not in words
    desk.bots.start(bot)
    assert desk.row(bot)["stopped_because"] == ""


def test_a_limit_that_is_broken_with_nothing_held_is_told_once(desk: ByHand) -> None:
    bot = desk.create(max_daily_loss=50)
    desk.close(40_000, 41_000)
    desk.price(40_000, seconds=5)
    desk.desk.close_position(BTC)
    desk.close(40_000)
    (words,) = [each for _, each in desk.log(bot=bot) if "Stopped itself" in each]
    assert words == "Stopped itself: Lost 97.00 USDT today, with at most 50.00 allowed."


def test_a_trailing_stop_follows_each_price_without_an_entry(desk: ByHand) -> None:
    desk.create(trailing_stop=1)
    desk.close(40_000, 41_000)
    before = desk.revision()
    for price, level in ((42_000, 41_580), (41_900, 41_580), (42_500, 42_075)):
        desk.price(price)
        (stop,) = desk.desk.snapshot().open_orders
        assert stop["trigger_price"] == level
    assert desk.revision() == before


def test_a_restart_on_another_feed_begins_with_a_first_look(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000, 41_000, 40_500)
    desk.close(40_000)
    desk.price(41_000, seconds=10)
    desk.bots.rest()
    later = desk.again(feed="replay:BTC/USDT=x.csv")
    assert (later.row(bot)["status"], later.row(bot)["trades"]) == ("running", 1)
    # what closed there is no news here
    later.minutes = {BTC: [], ETH: []}
    later.close(41_000)
    assert later.side() == ""
    later.close(41_000)
    assert later.side() == "long"


def test_a_replay_that_begins_anew_trades_its_candles_anew(desk: ByHand) -> None:
    desk.create()
    desk.close(40_000, 41_000)
    desk.desk.close_position(BTC)
    desk.bots.rest()
    later = ByHand(desk.folder)
    later.bots.begin(anew=True)
    later.close(40_000, 41_000)
    assert later.side() == "long"


def test_listeners_hear_of_refused_signals_however_many_there_are(
    desk: ByHand, pass_time: Callable[[float], None]
) -> None:
    desk.create(strategy="signals", params={})
    desk.heard.clear()
    for number in range(50):
        desk.bots.refuse_signal(f"fault {number}")
    pass_time(5)
    desk.bots.show()
    (heard,) = desk.heard
    assert heard["bots"][0]["refused_signal"]["count"] == 50
    assert heard["bots"][0]["refused_signal"]["reason"] == "fault 49"


def test_listeners_hear_what_has_changed_and_nothing_twice(
    desk: ByHand, pass_time: Callable[[float], None]
) -> None:
    def heard() -> list[int]:
        pass_time(5)
        desk.bots.show()
        versions = [each["version"] for each in desk.heard]
        desk.heard.clear()
        return versions

    assert heard() == []
    bot = desk.create()
    first, second = (each["version"] for each in desk.heard)
    assert first < second
    desk.heard.clear()
    desk.close(40_000, 41_000)
    (third,) = heard()
    assert second < third
    assert heard() == []
    # what follows the prices has no version of its own
    desk.price(41_100)
    assert heard() == [third]
    assert heard() == []
    desk.desk.close_position(BTC)
    (fourth,) = heard()
    assert third < fourth
    desk.price(41_100)
    assert heard() == []
    desk.desk.deposit(5)
    desk.bots.trades()
    assert desk.row(bot)["trades"] == 1
    assert len(heard()) <= 1
    desk.board.market = replace(desk.market, live=frozenset(), state="stale")
    pass_time(5)
    desk.bots.show()
    (listed,) = desk.heard
    assert listed["bots"][0]["display"]["status"] == "Waits for prices"
    assert listed["version"] > fourth


def test_listeners_are_told_no_more_often_than_they_can_read(
    desk: ByHand, pass_time: Callable[[float], None]
) -> None:
    desk.create()
    desk.close(40_000, 41_000)
    desk.heard.clear()
    for _ in range(40):
        pass_time(0.1)
        desk.price(41_000)
        desk.bots.show()
    # at once, and then once a second; a minute has gone by once
    assert 3 <= len(desk.heard) <= 6


def test_a_listener_that_fails_keeps_nobody_from_hearing(
    desk: ByHand, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Any) -> None:
        raise RuntimeError("deaf")

    desk.bots.subscribe(fail)
    desk.bots.subscribe(desk.heard.append)
    desk.create()
    assert len(desk.heard) == 4
    assert "a listener of the bots failed" in caplog.text


def test_trades_are_asked_for_within_limits(desk: ByHand) -> None:
    for wrong in (0, -1, 1_001):
        with pytest.raises(ValueError, match="limit must be from 1 to 1,000"):
            desk.bots.trades(limit=wrong)


def test_a_person_who_trades_the_symbol_keeps_the_bot_out_until_they_are_done(desk: ByHand) -> None:
    desk.create()
    desk.desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    desk.close(40_000, 39_000)
    assert desk.side() == "long"
    desk.desk.close_position(BTC)
    desk.close(39_000)
    assert desk.side() == "short"


def test_a_bots_order_is_its_own_in_the_account(desk: ByHand) -> None:
    bot = desk.create(stop_loss=5, take_profit=5)
    desk.close(40_000, 41_000)
    account = desk.desk.account()
    assert {each.owner for each in account.orders} == {bot}
    ticket = Ticket(symbol=BTC, side="buy", quantity=Decimal("0.01"))
    with pytest.raises(ValueError, match="traded by levels-1 now"):
        place_order(account.marked(desk.market), ticket, desk.market, "p-1", desk.now)
