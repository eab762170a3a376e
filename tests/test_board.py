"""The board: the newest prices, for this process and through a file for the others."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance import Desk, NoLivePrice
from balance.core.errors import BalanceError
from balance.core.instruments import KNOWN
from balance.core.market import Market
from balance.market import board as board_module
from balance.market.board import (
    FEED_FILE,
    MARKET_FILE,
    FileBoard,
    LiveBoard,
    read_market,
    save_market,
    save_past,
    saved_feed,
)
from balance.market.simulated.feed import SimulatedFeed
from balance.store.memory_store import MemoryStore
from tests.boards import board
from tests.kept import kept
from tests.markets import BTC, ETH, market, quote, unlimited


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with the file of a server that runs."""
    save_market(tmp_path, board().market, {})
    return tmp_path


#: Of the board; a test that takes as long must not make a file stale.
STALE_SECONDS = board_module._STALE_SECONDS


@pytest.fixture(autouse=True)
def _days_for_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is stale after as many days as it is after seconds elsewhere."""
    monkeypatch.setattr(board_module, "_STALE_SECONDS", STALE_SECONDS * 86_400)


def aged(folder: Path, days: float) -> None:
    """Let the file in ``folder`` be of so many days ago."""
    then = time.time() - days * 86_400
    os.utime(folder / MARKET_FILE, (then, then))


@pytest.mark.parametrize(
    "told",
    [
        board().market,
        Market(feed="simulated", label="SIMULATED", state="waiting", instruments=KNOWN),
        market(
            quote(BTC, "0.00000001", bid="1e-8", funding_rate="-0.00012345"),
            quote("A1/USDT", "123456789012.12345678", day_open="1e-7"),
            state="stale",
            message="The exchange is silent: \N{ROCKET}.",
            live=frozenset({BTC}),
            bests={"1000001": Decimal("42123.45"), "af-sl": Decimal("1e-8")},
            instruments={BTC: KNOWN[BTC], "A1/USDT": unlimited("A1/USDT")},
        ),
    ],
    ids=lambda told: told.state,
)
def test_what_was_written_is_read_again(tmp_path: Path, told: Market) -> None:
    save_market(tmp_path, told, {})
    read = FileBoard(tmp_path).market
    # counted and charged by the server that has them
    assert replace(read, tick=told.tick, terms=told.terms) == told
    assert list(read.instruments) == list(told.instruments)


def test_a_new_price_is_seen_at_once(here: Path) -> None:
    reader = FileBoard(here)
    assert reader.market.quotes[BTC].mark == 40_000
    for price in range(40_001, 40_020):
        save_market(here, board(btc=price).market, {})
        assert reader.market.quotes[BTC].mark == price


def test_a_price_that_is_written_within_one_tick_of_the_clock_is_seen(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.store.disk._RACY_NANOSECONDS", 3_600 * 10**9)
    reader, file = FileBoard(here), here / MARKET_FILE
    before = reader.market
    assert reader.market is before
    status = file.stat()
    save_market(here, board(btc=41_000).market, {})
    text = file.read_bytes()
    save_market(here, board(btc=40_000).market, {})
    # in place, at the same time, and of the same length
    file.write_bytes(text)
    os.utime(file, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert reader.market.quotes[BTC].mark == 41_000


def test_whatever_byte_is_another_no_price_is_shown_that_was_not_written(here: Path) -> None:
    text, before = (here / MARKET_FILE).read_bytes(), FileBoard(here).market.quotes
    save_past(here, board().market, {"seed": 7, "time": 1_234_567})
    past = (here / FEED_FILE).read_bytes()
    state = saved_feed(here)[1]
    for file, whole in ((MARKET_FILE, text), (FEED_FILE, past)):
        for place in range(0, len(whole), 1 + len(whole) // 400):
            for bit in (1, 64):
                other = bytes([whole[place] ^ bit])
                (here / file).write_bytes(whole[:place] + other + whole[place + 1 :])
                assert FileBoard(here).market.quotes in ({}, before)
                assert saved_feed(here)[1] in ({}, state), (file, place, bit)
        (here / file).write_bytes(whole)


def test_a_file_that_was_not_written_again_is_not_read_again(here: Path) -> None:
    reader = FileBoard(here)
    assert reader.market is reader.market


def test_prices_of_a_server_that_has_stopped_are_known_but_not_live(here: Path) -> None:
    assert STALE_SECONDS == 5
    reader = FileBoard(here)
    aged(here, 3)
    assert reader.market.live == {BTC, ETH}
    for days in (6, 3_600, -3_600):
        aged(here, days)
        read = reader.market
        assert (read.state, read.live) == ("stale", frozenset())
        assert read.quotes[BTC].mark == 40_000
        assert "start it with python app.py" in read.message
        with pytest.raises(NoLivePrice, match="start it with"):
            read.quote(BTC)
    save_market(here, board().market, {})
    assert reader.market.live == {BTC, ETH}


@pytest.mark.parametrize("text", [None, b"", b"{", b"[]", b"null", b"\xff", b"{}", b"[" * 100_000])
def test_where_no_prices_can_be_read_the_words_say_what_to_do(
    tmp_path: Path, text: bytes | None
) -> None:
    if text is not None:
        (tmp_path / MARKET_FILE).write_bytes(text)
    read = FileBoard(tmp_path).market
    assert (read.feed, read.state, read.quotes) == (None, "none", {})
    with pytest.raises(NoLivePrice, match="start it with"):
        read.quote(BTC)


def test_the_account_does_not_depend_on_the_prices_file(tmp_path: Path) -> None:
    save_market(tmp_path, board().market, {})
    desk = Desk(MemoryStore(), FileBoard(tmp_path))
    desk.place_order(symbol=BTC, side="buy", quantity="0.01")
    (tmp_path / MARKET_FILE).write_bytes(b"{")
    assert desk.snapshot().positions[0]["mark_price"] == 40_004
    assert desk.deposit(5).balance == Decimal("10004.79998")


def test_only_the_server_has_candles(here: Path) -> None:
    assert FileBoard(here).candles(BTC, 60, 10) == LiveBoard().candles(BTC, 60, 10) == ()


def test_a_file_is_never_seen_half_written(here: Path) -> None:
    assert [each.name for each in here.iterdir()] == [MARKET_FILE]


class TestWhatTheLastServerLeft:
    """The feed's id and state, and when it was seen last."""

    def test_is_there_for_the_next_start(self, tmp_path: Path) -> None:
        feed = SimulatedFeed()
        feed.next(0)
        told = board().market
        save_past(tmp_path, told, feed.saved())
        feed_id, state, seen = saved_feed(tmp_path)
        assert (feed_id, seen) == ("simulated", told.as_of)
        again = SimulatedFeed(saved=state)
        assert again.candles(BTC, 60, 5) == feed.candles(BTC, 60, 5)

    @pytest.mark.parametrize(
        "text", [None, b"{", b"[]", b"5", b'{"feed": 5}', b"\xff", b"[" * 100_000]
    )
    def test_is_nothing_where_it_can_not_be_read(self, tmp_path: Path, text: bytes | None) -> None:
        if text is not None:
            (tmp_path / MARKET_FILE).write_bytes(text)
            (tmp_path / FEED_FILE).write_bytes(text)
        feed_id, state, seen = saved_feed(tmp_path)
        assert (feed_id, state, seen) == (None, {}, None)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places in ``value``, all the way down."""
    yield path
    names = range(len(value)) if isinstance(value, list) else value
    for name in names if isinstance(value, dict | list) else ():
        yield from _paths(value[name], (*path, name))


WHOLE = replace(board().market, bests={"1000001": Decimal("42123.45")})
#: What is no number of a market in any of its fields.
NO_NUMBERS = (
    *("1e999999", "1e-999999", "-1e-999999", "1e25", "1e-25", "-2", "NaN", "sNaN", "Infinity"),
    *("-Infinity", "", "x", "1_0", " 1", "1." + "1" * 10_000, 1, 1.5, True, [], {}),
)
NONSENSE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        [
            "",
            "x",
            "NaN",
            "-1",
            "0",
            "1e999999",
            "1e-999999",
            "Infinity",
            "sNaN",
            BTC,
            "DOGE/USDT",
            [],
            {},
            [[]],
        ]
    ),
)


@pytest.fixture(scope="module")
def mangled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose file gets damaged."""
    folder = tmp_path_factory.mktemp("mangled")
    save_market(folder, WHOLE, {})
    return folder


def _changed(document: Any, path: Sequence[Any], value: Any) -> Any:
    """``document`` with ``value`` at ``path``."""
    changed = copy.deepcopy(document)
    place = changed
    for name in path[:-1]:
        place = place[name]
    place[path[-1]] = value
    return changed


def _check_no_market_or_a_sound_one(folder: Path, document: Any) -> bool:
    """Whether ``document`` is a market; whoever trades on what it is gets an answer."""
    text = json.dumps(document).encode()
    (folder / MARKET_FILE).write_bytes(text)
    desk = Desk(MemoryStore(), FileBoard(folder))
    try:
        read = read_market(text)
    except ValueError:
        assert desk.snapshot().market["feed"] is None
        return False
    assert read.live <= set(read.quotes) <= set(read.instruments)
    for each in read.quotes.values():
        assert all(price.is_finite() for price in (each.bid, each.ask, each.last, each.mark))
    for symbol, side in itertools.product((BTC, ETH), ("buy", "sell")):
        order = {"symbol": symbol, "side": side, "leverage": 1}
        for how in ({}, {"type": "limit", "price": "30000"}):
            with suppress(BalanceError):
                desk.place_order(**order, **how, quantity="0.01")
    assert desk.snapshot().market["prices"].keys() == read.quotes.keys()
    return True


@given(data=st.data(), nonsense=NONSENSE)
@settings(max_examples=150)
def test_a_file_that_somebody_has_damaged_is_no_market_or_a_sound_one(
    mangled: Path, data: st.DataObject, nonsense: Any
) -> None:
    save_market(mangled, WHOLE, {})
    document = kept(mangled / MARKET_FILE)
    path = data.draw(st.sampled_from([each for each in _paths(document) if each]))
    changed = _changed(document, path, nonsense)
    if data.draw(st.booleans()):
        place = changed
        for name in path[:-1]:
            place = place[name]
        del place[path[-1]]
    _check_no_market_or_a_sound_one(mangled, changed)


@pytest.mark.parametrize("number", [*NO_NUMBERS, "0", "1e-24", "999999999999", "1e24"])
def test_whatever_number_stands_in_the_file_it_is_no_market_or_a_sound_one(
    mangled: Path, number: Any
) -> None:
    save_market(mangled, WHOLE, {})
    document = kept(mangled / MARKET_FILE)
    for path in _paths(document):
        # each field of the quotes and instruments, and the first and last bracket of each
        if not _is_number(document, path) or (len(path) == 5 and 0 < path[3] < 9):
            continue
        is_market = _check_no_market_or_a_sound_one(mangled, _changed(document, path, number))
        assert not (is_market and number in NO_NUMBERS), (path, number)


def _is_number(document: Any, path: Sequence[Any]) -> bool:
    for name in path:
        document = document[name]
    return path[:1] in (("quotes",), ("instruments",)) and bool(
        isinstance(document, str) and re.fullmatch(r"-?\d+(\.\d+)?", document)
    )


def test_a_board_that_rests_has_nothing_live_until_its_file_is_written(tmp_path: Path) -> None:
    save_market(tmp_path, board().market, {})
    here = FileBoard(tmp_path)
    assert here.market.live
    here.rest("It has ended.")
    assert here.rests
    assert (here.market.live, here.market.message) == (frozenset(), "It has ended.")
    assert here.market.quotes.keys() == board().market.quotes.keys()
    save_market(tmp_path, board().market, {})
    assert not here.rests
    assert here.market.live


def test_a_board_that_has_ended_shows_its_last_market(tmp_path: Path) -> None:
    save_market(tmp_path, board().market, {})
    here = FileBoard(tmp_path)
    last = here.end()
    assert last.live
    save_market(tmp_path, board(btc=41_000).market, {})
    assert here.market is last
    # the board after it counts on
    assert LiveBoard(market=last).market.tick == last.tick
