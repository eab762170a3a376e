"""Bots as they are made, changed, started and stopped, by whoever asks, and what is kept of it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.bots import bots as bots_module
from balance.bots.bots import Bots
from balance.bots.followed import FollowedBots
from balance.bots.rows import signal_text
from balance.bots.state import BOTS_FILE
from balance.core.entry import Entry
from balance.core.errors import (
    BalanceError,
    InvalidAmount,
    InvalidRequest,
    KeyReused,
    NoLivePrice,
    StoreFailed,
    StoreUnreadable,
    UnknownBot,
)
from balance.core.moments import from_iso, iso
from balance.desk.desk import Desk
from balance.history.history import History
from balance.strategies.own import Catalogue
from tests.bots_by_hand import USUAL, ByHand
from tests.ledgers import lived, remembered, written
from tests.marked import Marked
from tests.markets import BTC, ETH


@pytest.fixture
def desk(folder: Path) -> ByHand:
    """Bots of a new account, of which there are none yet."""
    return ByHand(folder)


def kept(desk: ByHand) -> Any:
    """What the file of the bots has."""
    return json.loads((desk.folder / BOTS_FILE).read_bytes())


def test_a_new_bot_is_stopped_and_has_done_nothing(desk: ByHand) -> None:
    done = desk.bots.create({"name": "Trend", "symbol": "btcusdt", "strategy": "ema_crossover"})
    row = done.members["bot"]
    assert done.message == "Made the bot Trend. Start it when you like."
    assert (row["id"], row["name"], row["symbol"]) == ("trend-1", "Trend", BTC)
    assert (row["status"], row["display"]["status"]) == ("stopped", "Stopped")
    assert (row["pnl"], row["trades"], row["win_rate"], row["position"]) == (0, 0, None, None)
    assert (row["signal"], row["started_at"], row["curve"]) == (None, None, [])
    assert row["display"]["strategy"] == "EMA crossover 12, 26"
    assert row["display"]["stake"] == "10% at 3x"
    assert row["settings"]["params"] == {"fast": 12, "slow": 26}
    assert [row] == desk.bots.listed()["bots"]
    assert desk.log() == [("state", "Made the bot Trend. Start it when you like.")]


def test_what_is_drawn_changes_with_more_than_figures_and_with_who_has_a_symbol(
    desk: ByHand,
) -> None:
    seen = [desk.bots.listed()["drawn"]]

    def is_drawn_anew() -> bool:
        before = seen[-1]
        seen.append(desk.bots.listed()["drawn"])
        return before != seen[-1]

    bot = desk.create()
    assert is_drawn_anew()
    desk.close(41_000)
    assert not is_drawn_anew()
    # It opens something.
    desk.close(42_000, 42_000)
    assert desk.side() == "long"
    assert is_drawn_anew()
    desk.price(42_100)
    assert not is_drawn_anew()
    desk.bots.pause(bot)
    assert is_drawn_anew()
    desk.bots.edit(bot, {"stake": 5})
    assert is_drawn_anew()


def test_the_activity_is_another_one_after_an_entry_or_a_trade(desk: ByHand) -> None:
    bot = desk.create()
    before = desk.bots.listed()["activity"]
    assert desk.bots.listed()["activity"] == before
    desk.bots.pause(bot)
    after = desk.bots.listed()["activity"]
    assert after != before
    assert after == f"{desk.bots.log().entries[0]['id']}.0"


def test_a_row_says_what_the_bot_did_last(desk: ByHand) -> None:
    bot = desk.create()
    texts = desk.row(bot)["display"]
    assert (texts["signal"], texts["signal_time"], texts["did"]) == ("None yet", "", "")
    assert (texts["entry"], texts["open"], texts["record"]) == ("", "", "no trades")
    desk.close(42_000, 42_000)
    row = desk.row(bot)
    texts = row["display"]
    assert texts["signal"].startswith("Buy ")
    assert texts["signal"].endswith("%")
    assert (texts["reason"], texts["did"]) == (row["signal"]["reason"], row["signal"]["words"])
    assert texts["signal_time"] == row["signal"]["time"]
    assert texts["entry"] == f"at {texts['entry_price']}"
    assert texts["open"] == f"{texts['unrealized_pnl']} open"


@pytest.mark.parametrize(
    ("side", "confidence", "text"),
    [("buy", 0.625, "Buy 63%"), ("close", 1, "Close 100%"), ("hold", 0.5, "Hold"), ("", None, "")],
)
def test_a_signal_is_written_with_how_sure_it_is(
    side: str, confidence: float | None, text: str
) -> None:
    assert signal_text(side, confidence) == text


def test_bots_are_there_after_a_restart_as_they_were(desk: ByHand) -> None:
    desk.create(stop_loss=1.5, max_drawdown=100, params={})
    desk.create(name="Other", strategy="donchian_breakout", start=False)
    desk.close(41_000, 41_000)
    before = desk.bots.listed()["bots"]
    desk.bots.rest()
    assert desk.again().bots.listed()["bots"] == before


def test_names_are_unique_and_ids_are_never_used_again(desk: ByHand) -> None:
    first = desk.create(start=False)
    with pytest.raises(InvalidRequest, match="There is a bot called Levels already"):
        desk.create()
    second = desk.create(name="Two", start=False)
    with pytest.raises(InvalidRequest, match="called Levels already"):
        desk.bots.edit(second, {"name": " Levels "})
    assert desk.bots.edit(second, {"name": "Two"}).members["bot"]["name"] == "Two"
    desk.bots.delete(second)
    assert desk.again().create(name="Two", start=False) == "two-3"
    assert first == "levels-1"


@pytest.mark.parametrize("name", ["Ünï", "бот", "%&/", "x" * 40])
def test_a_bot_may_be_called_anything_that_can_be_printed(desk: ByHand, name: str) -> None:
    bot = desk.create(name=name)
    assert bot.isascii()
    assert bot.endswith("-1")
    assert desk.row(bot)["name"] == name


def test_what_makes_no_sense_is_refused_and_leaves_nothing(desk: ByHand) -> None:
    for members, fault in (
        ({"stake": -1}, InvalidAmount),
        ({"strategy": "own_none"}, InvalidRequest),
        ({"colour": "red"}, InvalidRequest),
    ):
        with pytest.raises(fault):
            desk.create(**members)
    assert desk.bots.listed()["bots"] == []
    assert desk.create() == "levels-1"


def test_there_is_an_end_to_how_many_bots_there_are(
    desk: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bots_module, "MOST_BOTS", 2)
    first = desk.create()
    assert desk.bots.duplicate(first).members["bot"]["id"] == "levels-2-2"
    for refused in (lambda: desk.create(name="3"), lambda: desk.bots.duplicate(first)):
        with pytest.raises(InvalidRequest, match="There are 2 bots; delete one first"):
            refused()


def test_an_edit_changes_what_it_names(desk: ByHand) -> None:
    bot = desk.create(stop_loss=2)
    done = desk.bots.edit(bot, {"stake": 500, "name": "New"})
    assert done.message == "Changed the bot New."
    row = done.members["bot"]
    assert (row["id"], row["name"], row["status"]) == (bot, "New", "running")
    assert (row["settings"]["stake"], row["settings"]["stop_loss"]) == (500, 2)
    desk.close(41_000, 41_000)
    held = desk.held()
    assert held is not None
    # 500 at 4x buys 0.0487 at 41,000
    assert held.quantity == Decimal("0.048")


def test_a_bot_that_holds_something_may_not_turn_to_another_symbol(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(41_000, 41_000)
    with pytest.raises(InvalidRequest, match="Levels holds BTC/USDT: close that before"):
        desk.bots.edit(bot, {"symbol": ETH})
    desk.bots.edit(bot, {"symbol": "BTCUSDT", "leverage": 5})
    desk.desk.close_position(BTC)
    assert desk.bots.edit(bot, {"symbol": ETH}).members["bot"]["symbol"] == ETH


def test_a_copy_is_stopped_and_has_a_name_of_its_own(desk: ByHand) -> None:
    first = desk.create(name="y" * 40, take_profit=3)
    copies = [desk.bots.duplicate(first).members["bot"] for _ in range(2)]
    assert [each["name"] for each in copies] == ["y" * 38 + " 2", "y" * 38 + " 3"]
    assert {each["status"] for each in copies} == {"stopped"}
    assert {each["settings"]["take_profit"] for each in copies} == {3}


def test_a_bot_goes_from_one_state_to_the_next_and_says_so(desk: ByHand) -> None:
    bot = desk.create(start=False)
    steps = [
        ("start", "running", "Started Levels. It decides when its next candle closes."),
        ("pause", "paused", "Paused Levels. It opens nothing, and still closes what it holds."),
        ("resume", "running", "Resumed Levels."),
        ("pause", "paused", None),
        ("stop", "stopped", "Stopped Levels."),
        ("start", "running", None),
    ]
    for verb, status, words in steps:
        done = getattr(desk.bots, verb)(bot)
        assert done.members["bot"]["status"] == status
        assert words in (None, done.message)
    assert desk.row(bot)["started_at"] is not None
    assert [words for _, words in desk.log(kind="state")][1:4] == [each[2] for each in steps[:3]]


@pytest.mark.parametrize(
    ("status", "wrong"),
    [
        ("stopped", ("pause", "resume", "stop")),
        ("running", ("start", "resume")),
        ("paused", ("start", "pause")),
    ],
)
def test_what_does_not_fit_a_state_is_refused(
    desk: ByHand, status: str, wrong: tuple[str, ...]
) -> None:
    bot = desk.create(start=status != "stopped")
    if status == "paused":
        desk.bots.pause(bot)
    for verb in wrong:
        with pytest.raises(InvalidRequest, match=f"Levels is {status}"):
            getattr(desk.bots, verb)(bot)
    assert desk.row(bot)["status"] == status


def test_of_a_bot_that_is_not_there_everything_is_refused(desk: ByHand) -> None:
    for verb in ("duplicate", "start", "pause", "resume", "stop", "delete"):
        with pytest.raises(UnknownBot, match="There is no bot 'ghost-1'"):
            getattr(desk.bots, verb)("ghost-1")
    with pytest.raises(UnknownBot):
        desk.bots.edit("ghost-1", {"name": "x"})


def test_a_stop_leaves_what_is_held_unless_it_is_to_be_closed(desk: ByHand) -> None:
    bot = desk.create(stop_loss=10)
    desk.close(41_000, 41_000)
    assert desk.bots.stop(bot).message == "Stopped Levels."
    assert desk.side() == "long"
    assert len(desk.desk.account().orders) == 1
    desk.price(42_000)
    done = desk.bots.stop(bot, close=True)
    assert done.message.startswith("Stopped Levels. levels-1: Sold 0.097 BTC/USDT at 42,000")
    assert desk.side() == ""
    row = done.members["bot"]
    assert (row["trades"], row["position"], row["pnl"]) == (1, None, row["realized"])
    assert row["pnl"] == 97
    with pytest.raises(InvalidRequest, match="Levels is stopped"):
        desk.bots.stop(bot, close=True)


def test_a_bot_that_can_not_close_is_stopped_all_the_same(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(41_000, 41_000)
    desk.board.market = market_without(desk, BTC)
    with pytest.raises(NoLivePrice):
        desk.bots.stop(bot, close=True, key="stop it")
    assert (desk.row(bot)["status"], desk.side()) == ("stopped", "long")
    desk.board.market = market_without(desk)
    # the same request is carried out by now
    assert not desk.bots.stop(bot, close=True, key="stop it").replayed
    assert desk.side() == ""


def market_without(desk: ByHand, *symbols: str) -> Any:
    """The market in which ``symbols`` have no live price."""
    return replace(desk.market, live=frozenset({BTC, ETH} - set(symbols)))


def test_a_bot_is_deleted_only_with_what_it_holds(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(41_000, 41_000)
    with pytest.raises(InvalidRequest, match=r"Levels holds BTC/USDT\. Delete it with close=true"):
        desk.bots.delete(bot)
    desk.board.market = market_without(desk, BTC)
    with pytest.raises(NoLivePrice):
        desk.bots.delete(bot, close=True)
    assert desk.row(bot)["status"] == "running"
    desk.board.market = market_without(desk)
    done = desk.bots.delete(bot, close=True)
    assert done.message.startswith("Deleted the bot Levels. levels-1: Sold 0.097 BTC/USDT")
    assert done.members == {}
    assert (desk.side(), desk.bots.listed()["bots"]) == ("", [])
    assert desk.log()[-1][1].startswith("Deleted the bot Levels.")
    # what it did can still be read, by its id
    assert [(each["bot"], each["name"]) for each in desk.bots.trades()] == [(bot, bot)]


def test_the_kill_switch_stops_all_and_closes_what_can_be_closed(desk: ByHand) -> None:
    first, second = desk.create(), desk.create(name="Ether", symbol=ETH, strategy="buy_and_hold")
    third = desk.create(name="Idle", start=False)
    desk.close(41_000, 41_000)
    assert (desk.side(BTC), desk.side(ETH)) == ("long", "long")
    desk.board.market = market_without(desk, ETH)
    done = desk.bots.stop_all(close=True, key="kill")
    assert done.message == (
        "Stopped 2 bots and closed 1 position. Ether still holds ETH/USDT: ETH/USDT has no live "
        "price now, and nothing fills on an old one. Try again when quotes come in."
    )
    assert done.members == {"stopped": 2, "closed": 1}
    assert {desk.row(each)["status"] for each in (first, second, third)} == {"stopped"}
    assert (desk.side(BTC), desk.side(ETH)) == ("", "long")
    assert desk.row(first)["trades"] == 1
    assert ("state", "Stopped with all others.") in desk.log(bot=first)
    assert ("state", "Stopped with all others.") not in desk.log(bot=third)
    again = desk.bots.stop_all(close=True, key="kill")
    assert (again.replayed, again.message, again.members) == (True, done.message, done.members)
    desk.board.market = market_without(desk)
    assert desk.bots.stop_all(close=True).members == {"stopped": 0, "closed": 1}
    assert desk.bots.stop_all().message == "Stopped 0 bots."


def changes(desk: ByHand) -> Any:
    """One of every change, with a key each."""
    bot = desk.create(start=False)
    return [
        ("create", ({**USUAL, "name": "Keyed"},), {}),
        ("edit", (bot, {"stake": 77}), {}),
        ("duplicate", (bot,), {}),
        ("start", (bot,), {}),
        ("pause", (bot,), {}),
        ("resume", (bot,), {}),
        ("stop", (bot,), {"close": False}),
        ("delete", (bot,), {"close": True}),
        ("stop_all", (), {"close": True}),
        ("signal", ({"symbol": BTC, "side": "buy"},), {}),
    ]


def test_a_repeated_key_gets_the_first_answer_and_changes_nothing_also_after_a_restart(
    desk: ByHand,
) -> None:
    answers = []
    for verb, arguments, how in changes(desk):
        done = getattr(desk.bots, verb)(*arguments, **how, key=f"key of {verb}")
        assert not done.replayed
        answers.append((verb, arguments, how, done))
        for _ in range(2):
            before = kept(desk)
            again = getattr(desk.bots, verb)(*arguments, **how, key=f"key of {verb}")
            assert (again.replayed, again.message) == (True, done.message)
            assert again.members == done.members
            assert kept(desk) == before
    later = desk.again()
    for verb, arguments, how, done in answers:
        again = getattr(later.bots, verb)(*arguments, **how, key=f"key of {verb}")
        assert (again.replayed, again.message) == (True, done.message)
        assert set(again.members) <= set(done.members)


def test_a_key_that_came_with_another_request_is_refused(desk: ByHand) -> None:
    for number, (verb, arguments, how) in enumerate(changes(desk)):
        desk.bots.create({**USUAL, "name": str(number)}, key=f"key {number}")
        with pytest.raises(KeyReused, match=f"'key {number}' was used before for another"):
            getattr(desk.bots, verb)(*arguments, **how, key=f"key {number}")
    with pytest.raises(KeyReused):
        desk.bots.create({**USUAL, "name": "9", "stake": 5}, key="key 9")


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_a_key_is_a_printable_text(desk: ByHand, key: str) -> None:
    for verb, arguments, how in changes(desk):
        with pytest.raises(InvalidRequest, match="Idempotency-Key must"):
            getattr(desk.bots, verb)(*arguments, **how, key=key)


def test_the_longest_key_is_as_good_as_any(desk: ByHand) -> None:
    for number, (verb, arguments, how) in enumerate(changes(desk)):
        key = f"{number}" + "x" * 199
        getattr(desk.bots, verb)(*arguments, **how, key=key)
        assert getattr(desk.bots, verb)(*arguments, **how, key=key).replayed


def test_a_change_that_can_not_be_kept_is_not_made(desk: ByHand) -> None:
    bot = desk.create(start=False)
    before, log = desk.bots.listed()["bots"], desk.log()
    with desk.disk.full(BOTS_FILE):
        for verb, arguments, how in changes_of(bot):
            with pytest.raises(StoreFailed, match="No space left"):
                getattr(desk.bots, verb)(*arguments, **how, key=verb)
    assert desk.bots.listed()["bots"] == before
    assert desk.log() == log
    assert desk.again().bots.listed()["bots"] == before
    # and can be asked for again
    for verb, arguments, how in changes_of(bot):
        assert not getattr(desk.bots, verb)(*arguments, **how, key=verb).replayed


def changes_of(bot: str) -> Any:
    """Changes of a bot that is stopped, in an order in which all can be made."""
    return [
        ("create", ({**USUAL, "name": "Keyed"},), {}),
        ("edit", (bot, {"stake": 77}), {}),
        ("duplicate", (bot,), {}),
        ("start", (bot,), {}),
        ("delete", (bot,), {}),
    ]


def test_a_running_bot_that_can_not_be_changed_goes_on_as_it_was(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(40_000)
    with desk.disk.full(BOTS_FILE):
        with pytest.raises(StoreFailed):
            desk.bots.edit(bot, {"strategy": "buy_and_hold"})
        with pytest.raises(StoreFailed):
            desk.bots.stop(bot)
    desk.close(40_000)
    # buy and hold would have bought
    assert (desk.side(), desk.row(bot)["status"]) == ("", "running")
    desk.close(41_000)
    assert desk.side() == "long"


def test_the_kill_switch_stops_all_whatever_the_disk_says(desk: ByHand) -> None:
    bot = desk.create()
    desk.close(41_000, 41_000)
    with desk.disk.full(BOTS_FILE):
        done = desk.bots.stop_all(close=True)
    assert "closed 1 position. The disk refuses to save that" in done.message
    assert (desk.side(), desk.row(bot)["status"]) == ("", "stopped")
    # it is kept as soon as it can be
    desk.bots.rest()
    assert desk.again().row(bot)["status"] == "stopped"


def test_bots_that_can_not_be_read_are_not_replaced(desk: ByHand) -> None:
    desk.create(max_positions=3)
    desk.close(41_000, 41_000)
    desk.bots.rest()
    good = kept(desk)
    del good["checksum"]
    file = desk.folder / BOTS_FILE
    bot = good["bots"][0]
    damaged = [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        *(json.dumps({**good, "bots": [{**bot, **wrong}]}).encode() for wrong in wrong_bots(bot)),
        *(json.dumps({**good, **wrong}).encode() for wrong in ({"schema": 2}, {"bots": [7]})),
    ]
    for content in damaged:
        file.write_bytes(content)
        with pytest.raises(StoreUnreadable) as refused:
            desk.again()
        words = str(refused.value)
        assert words.startswith(
            ("bots.json is damaged (", "bots.json is no ", "bots.json has the ")
        )
        assert words.endswith("or move it away to begin without bots.")
        assert "repair" not in words
        assert file.read_bytes() == content
    file.write_text(json.dumps(good))
    assert desk.again().row("levels-1")["settings"]["max_positions"] == 3


def wrong_bots(bot: Any) -> list[dict[str, Any]]:
    """What a bot in the file can't have."""
    settings = bot["settings"]
    return [
        {"id": 7},
        {"status": "asleep"},
        {"created_at": "yesterday"},
        {"tally": None},
        {"decision": {**bot["decision"], "action": "danced"}},
        {"decision": {**bot["decision"], "side": "up"}},
        *(
            {"settings": {**settings, **wrong}}
            for wrong in (
                {"timeframe": "7m"},
                {"direction": "up"},
                {"cooldown": "soon"},
                {"stake": "NaN"},
                {"name": ""},
                {"params": []},
                {"max_positions": 0},
            )
        ),
    ]


def test_a_file_that_can_not_be_opened_says_why(desk: ByHand) -> None:
    (desk.folder / BOTS_FILE).unlink(missing_ok=True)
    (desk.folder / BOTS_FILE).mkdir()
    with pytest.raises(StoreUnreadable, match="can't be read: Is a directory"):
        desk.again()


def test_a_strategy_that_is_gone_keeps_its_bot_from_starting_but_not_from_being_seen(
    desk: ByHand,
) -> None:
    bot = desk.create(start=False)
    (desk.folder.with_name("strategies") / "levels.py").unlink()
    later = desk.again()
    assert later.row(bot)["strategy_name"] == "own_levels"
    with pytest.raises(InvalidRequest, match="There is no strategy 'own_levels'"):
        later.bots.start(bot)
    later.bots.edit(bot, {"strategy": "buy_and_hold"})
    assert later.bots.start(bot).members["bot"]["strategy_name"] == "Buy and hold"


def test_what_may_be_chosen_is_told_with_its_parameters_and_its_faults(desk: ByHand) -> None:
    (desk.folder.with_name("strategies") / "broken.py").write_text("import nowhere")
    rows = {each["id"]: each for each in desk.bots.strategies()}
    assert [each["name"] for each in rows["ema_crossover"]["parameters"]] == ["fast", "slow"]
    assert (rows["own_levels"]["own"], rows["own_levels"]["error"]) == (True, None)
    assert rows["own_levels"]["words"] == "Does what the price says."
    assert "No module named 'nowhere'" in rows["own_broken"]["error"]
    with pytest.raises(BalanceError, match="Broken cannot be used"):
        desk.create(strategy="own_broken")


def test_a_strategys_new_name_is_seen_once_it_is_looked_for(desk: ByHand) -> None:
    bot = desk.create(start=False)
    assert desk.row(bot)["strategy_name"] == "Levels"
    file = desk.folder.with_name("strategies") / "levels.py"
    file.write_text(
        "from balance import strategy\n\n\n"
        '@strategy("Steps")\nclass Levels:\n'
        "    def decide(self, candles, position):\n        pass\n"
    )
    # rows are told while prices come: they wait for nobody's code to load
    assert desk.row(bot)["strategy_name"] == "Levels"
    desk.bots.strategies()
    assert desk.row(bot)["strategy_name"] == "Steps"


def test_bots_without_a_folder_are_kept_nowhere(folder: Path) -> None:
    desk = ByHand(folder)
    bots = Bots(desk.desk)
    assert bots.create({**USUAL, "strategy": "buy_and_hold"}).members["bot"]["id"] == "levels-1"
    assert bots.log().entries[0]["words"].startswith("Made the bot")
    assert not (folder / "bots.jsonl").exists()


def test_when_a_bot_was_made_and_started_is_told(desk: ByHand) -> None:
    row = desk.row(desk.create())
    assert row["created_at"] <= row["started_at"]
    assert all(iso(from_iso(row[name])) == row[name] for name in ("created_at", "started_at"))


def test_a_start_without_bots_sums_up_nothing_however_long_the_ledger_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    desk = Desk(remembered(lived(400, epochs_of=50)))
    asked: list[int] = []
    read = History.closings

    def closings(self: History, after: int) -> list[Entry]:
        asked.append(after)
        return read(self, after)

    monkeypatch.setattr(History, "closings", closings)
    bots = Bots(desk)
    bots.begin()
    # what is shown is looked for among the newest, and nothing else is read
    assert asked == [desk.version[1]]
    assert len(bots.trades()) > 50


def test_trades_before_a_damaged_line_are_refused_and_the_newer_ones_are_told(folder: Path) -> None:
    written(folder, lived(400, epochs_of=50))
    store = Marked(folder)
    desk = Desk(store)
    bots = Bots(desk)
    bots.begin()
    every = bots.trades()
    store.damage(200)
    bots, followed = Bots(desk), FollowedBots(desk, folder, Catalogue())
    bots.begin()
    for each in (bots, followed):
        assert each.trades(limit=10) == every[:10]
        with pytest.raises(StoreUnreadable, match="line 200 does not match"):
            each.trades()
