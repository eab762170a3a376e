"""The grid of every price: ticks, steps, and the smallest and largest order of a symbol."""

from __future__ import annotations

import csv
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core.candles import quote_of_trade
from balance.core.errors import BalanceError, InvalidAmount, InvalidRequest
from balance.core.instrument import Instrument, bracket_of
from balance.core.instruments import KNOWN, LADDERS, MOST_LEVERAGE, STRICTEST, fits, instrument
from balance.core.market import Market
from balance.core.money import LIMIT, exact
from balance.core.orders import place_order
from balance.core.position import Position
from balance.core.ticket import Ticket
from balance.desk.desk import Desk
from balance.market.board import MARKET_FILE, FileBoard, LiveBoard, read_market, save_market
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT, account
from tests.kept import kept
from tests.markets import BTC, ETH, FREE, SOL, market, quote

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "market" / "brackets-2026.csv"
PRICES = st.builds(
    lambda digits, places: Decimal(digits).scaleb(places - len(str(digits))),
    st.integers(1, 10**12),
    st.integers(-9, 8),
).filter(lambda price: Decimal("1e-10") <= price <= Decimal("1e7"))
SYMBOLS = st.sampled_from([BTC, ETH, SOL, "DOGE/USDT", "SHIB/USDT", "NEW/USDT", "BTC/USDC"])


def at(price: Decimal, symbol: str) -> Market:
    """The market of ``symbol`` where only trades are known, the last one at ``price``."""
    rules = instrument(symbol, price)
    told = quote_of_trade(rules, MOMENT, rules.price(price))
    return market(told, instruments={symbol: rules}, terms=FREE)


def bought(price: str, symbol: str, balance: object = 10_000, **size: object) -> Position:
    """The position that an order at market opens where the last price is ``price``."""
    given = {name: Decimal(str(each)) for name, each in size.items()}
    ticket = Ticket(symbol=symbol, side="buy", **given)  # type: ignore[arg-type]
    change = place_order(account(balance), ticket, at(Decimal(price), symbol), "o-1", MOMENT)
    (position,) = change.account.positions
    return position


@settings(max_examples=500)
@given(PRICES, SYMBOLS)
def test_the_grid_fits_any_price(price: Decimal, symbol: str) -> None:
    rules = instrument(symbol, price)
    with exact():
        assert 0 < rules.tick_size <= price / 1_000
        assert abs(rules.price(price) - price) <= price / 1_000
        told = quote_of_trade(rules, MOMENT, rules.price(price))
        assert (told.ask - told.bid) / told.bid <= Decimal("0.0011")
        assert rules.max_quantity is None
        assert rules.min_notional == 5
        # no figure has an exponent where it is written as it is
        assert "E+" not in f"{rules.tick_size}{rules.step_size}"


@given(PRICES)
def test_of_an_unknown_symbol_all_comes_from_the_price(price: Decimal) -> None:
    rules = instrument("NEW/USDT", price)
    with exact():
        assert price / 100_000 <= rules.tick_size <= price / 10_000
        assert Decimal("0.1") <= rules.step_size * price <= 1
    assert rules.max_notional == 1_000_000


@settings(max_examples=200)
@given(PRICES, SYMBOLS, st.decimals(5, 20_000, places=2), st.sampled_from(["buy", "sell"]))
def test_whatever_a_coin_costs_an_order_is_worth_what_was_asked_for(
    price: Decimal, symbol: str, notional: Decimal, side: str
) -> None:
    where = at(price, symbol)
    rules = where.instrument(symbol)
    ticket = Ticket(symbol=symbol, side=side, notional=notional)  # type: ignore[arg-type]
    try:
        change = place_order(account(), ticket, where, "o-1", MOMENT)
    except InvalidAmount:
        # only where the cut to the step leaves less than 5 USDT
        assert notional < 5 + rules.step_size * price * Decimal("1.001")
        return
    (position,) = change.account.positions
    with exact():
        worth = position.quantity * position.entry_price
        step = rules.step_size * price
        assert notional - step * Decimal("1.01") <= worth <= notional
        assert abs(position.entry_price - price) <= price * Decimal("0.0021")


@pytest.mark.parametrize(
    ("symbol", "price"),
    [("SHIB/USDT", "0.00001234"), ("BTTC/USDT", "6.2e-7"), ("NEW/USDT", "1.2e-9")],
)
def test_coins_that_cost_next_to_nothing_can_be_ordered(symbol: str, price: str) -> None:
    held = bought(price, symbol, notional=20_000)
    assert abs(held.quantity * held.entry_price - 20_000) < 10
    assert bought(price, symbol, notional=1_000).quantity > 0
    with pytest.raises(InvalidAmount, match=r"smallest order of \S+ is (worth 5\.00 USDT|[\d,.]+)"):
        bought(price, symbol, notional=4)


def test_bitcoin_in_2012_fills_at_its_own_price() -> None:
    held = bought("4.39", BTC, notional=1_000)
    assert held.entry_price == Decimal("4.3901")
    # its brackets are those of Bitcoin all the same
    assert instrument(BTC, Decimal("4.39")).brackets == KNOWN[BTC].brackets


@pytest.mark.parametrize("symbol", KNOWN)
def test_known_symbols_have_their_own_grid_while_it_fits(symbol: str) -> None:
    tick = KNOWN[symbol].tick_size
    for price in (tick * 1_000, tick * 10**5, tick * 10**7):
        assert fits(tick, price)
        assert instrument(symbol, price) == KNOWN[symbol]
    for price in (tick * 999, tick * 10**7 * 2):
        assert not fits(tick, price)
        assert instrument(symbol, price).tick_size != tick
    assert instrument(symbol) == KNOWN[symbol]


def test_a_dollar_coin_has_the_rules_of_its_base() -> None:
    for symbol in ("BTC/USD", "BTC/USDC"):
        rules = instrument(symbol, Decimal(40_000))
        assert (rules.symbol, rules.tick_size) == (symbol, KNOWN[BTC].tick_size)
        assert rules.brackets == KNOWN[BTC].brackets


# the largest order


@pytest.mark.parametrize(
    ("symbol", "price", "cap"),
    [(BTC, "40000", 1_800_000_000), ("NEW/USDT", "0.0000012", 1_000_000)],
)
def test_the_largest_position_is_bounded_by_its_notional(symbol: str, price: str, cap: int) -> None:
    rich = LIMIT - 1
    held = bought(price, symbol, rich, notional=cap * Decimal("0.99"), leverage=1)
    assert held.quantity * held.entry_price > cap * Decimal("0.98")
    with pytest.raises(InvalidAmount, match=rf"worth at most {cap:,}\.00 USDT, not .*: order less"):
        bought(price, symbol, rich, notional=cap * Decimal("1.01"), leverage=1)


def test_what_is_held_counts_for_the_largest_position() -> None:
    where, symbol = at(Decimal("0.0000012"), "NEW/USDT"), "NEW/USDT"
    rich = account(10**9)
    ticket = Ticket(symbol=symbol, side="buy", notional=Decimal(600_000), leverage=Decimal(1))
    holding = place_order(rich, ticket, where, "o-1", MOMENT).account
    with pytest.raises(InvalidAmount, match=r"open orders counted, may be worth at most"):
        place_order(holding, ticket, where, "o-2", MOMENT)
    back = Ticket(symbol=symbol, side="sell", notional=Decimal(1_200_000), leverage=Decimal(1))
    assert place_order(holding, back, where, "o-2", MOMENT).account.positions[0].side == "short"


# quantities of more than 10^12 units


CHEAP = Decimal("1.2e-9")


def test_a_huge_quantity_is_kept_in_the_files(tmp_path: Path) -> None:
    board = LiveBoard()
    board.market = at(CHEAP, "NEW/USDT")
    desk = Desk(FileStore(tmp_path), board)
    desk.place_order(symbol="NEW/USDT", side="buy", quantity="16000000000000")
    desk.place_order(symbol="NEW/USDT", side="buy", type="limit", notional=1_000, price="1.1e-9")
    again = Desk(FileStore(tmp_path), board)
    (held,) = again.snapshot().positions
    assert held["quantity"] == 16 * 10**12
    assert held["entry_price"] == Decimal("1.2001e-9")
    (waiting,) = again.snapshot().open_orders
    assert waiting["quantity"] > 9 * 10**11
    again.close_position("NEW/USDT")
    assert Desk(FileStore(tmp_path), board).snapshot().positions == ()


def test_a_quantity_beyond_all_bounds_is_refused_without_a_currency() -> None:
    desk = Desk(MemoryStore(), _board(CHEAP))
    with pytest.raises(InvalidAmount, match=r"The quantity is too large: at most 1[,0]+\.$"):
        desk.place_order(symbol="NEW/USDT", side="buy", quantity="1e25")


def _board(price: Decimal) -> LiveBoard:
    board = LiveBoard()
    board.market = at(price, "NEW/USDT")
    return board


def test_the_file_of_the_market_has_the_grid_of_any_price(tmp_path: Path) -> None:
    for price in ("1e-13", "1e-10", "1.2e-9", "4.39", "1e7"):
        told = at(Decimal(price), "NEW/USDT")
        save_market(tmp_path, told, {})
        assert FileBoard(tmp_path).market.instruments == told.instruments


def test_a_market_file_of_an_older_version_can_be_read(tmp_path: Path) -> None:
    save_market(tmp_path, market(), {})
    document = kept(tmp_path / MARKET_FILE)
    for each in document["instruments"]:
        del each["max_notional"]
        each["max_quantity"] = "1000.00"
    (found,) = (
        each
        for each in read_market(json.dumps(document).encode()).instruments.values()
        if each.symbol == BTC
    )
    assert (found.max_quantity, found.max_notional) == (1_000, None)


# brackets


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the published figures are not on this machine")
def test_the_brackets_are_the_published_ones() -> None:
    with PUBLISHED.open(newline="") as file:
        rows = list(csv.DictReader(file))
    figures = ("notional_from", "maintenance_rate", "max_leverage")
    published = [(row["symbol"], *(Decimal(row[name]) for name in figures)) for row in rows]
    ours = [
        (f"{base}/USDT", each.floor, each.maintenance_rate, each.max_leverage)
        for base, ladder in LADDERS.items()
        for each in ladder.brackets
    ]
    assert sorted(ours) == sorted(published)
    # of each symbol, the last row that there is
    caps = {row["symbol"]: Decimal(row["notional_to"]) for row in rows}
    assert {f"{base}/USDT": ladder.cap for base, ladder in LADDERS.items()} == caps


@pytest.mark.parametrize("base", LADDERS)
def test_brackets_rise_without_a_step_in_the_maintenance_margin(base: str) -> None:
    ladder = LADDERS[base]
    assert ladder.brackets[0].floor == ladder.brackets[0].maintenance_amount == 0
    for below, above in pairwise(ladder.brackets):
        assert below.floor < above.floor < ladder.cap
        assert below.maintenance_rate < above.maintenance_rate
        assert below.max_leverage > above.max_leverage
        ends, begins = (
            above.floor * each.maintenance_rate - each.maintenance_amount for each in (below, above)
        )
        assert ends == begins


def test_an_unknown_symbol_is_held_stricter_than_any_known_one() -> None:
    floors = {each.floor for ladder in LADDERS.values() for each in ladder.brackets}
    floors |= {each.floor for each in STRICTEST.brackets}
    assert STRICTEST.cap < min(ladder.cap for ladder in LADDERS.values())
    for floor in sorted(each for each in floors if each < STRICTEST.cap):
        ours = bracket_of(STRICTEST.brackets, floor)
        for base, ladder in LADDERS.items():
            theirs = bracket_of(ladder.brackets, floor)
            assert ours.maintenance_rate > theirs.maintenance_rate
            # that was about to be delisted
            assert ours.max_leverage < theirs.max_leverage or base == "FTM"


@pytest.mark.parametrize(
    ("symbol", "price", "most"),
    [(BTC, "40000", 150), ("ADA/USDT", "0.5", 75), (SOL, "150", 100), ("NEW/USDT", "1", 10)],
)
def test_each_symbol_has_its_own_highest_leverage(symbol: str, price: str, most: int) -> None:
    assert bought(price, symbol, notional=1_000, leverage=most).leverage == most <= MOST_LEVERAGE
    with pytest.raises(InvalidRequest, match=rf"at most {most}x, not {most + 1}x"):
        bought(price, symbol, notional=1_000, leverage=most + 1)


def test_cardano_may_not_be_opened_at_100x() -> None:
    with pytest.raises(BalanceError, match="at most 75x, not 100x"):
        bought("0.5", "ADA/USDT", notional=1_000, leverage=100)


def test_an_exchanges_own_limit_in_units_stays() -> None:
    rules = Instrument(
        symbol=BTC,
        tick_size=Decimal("0.1"),
        step_size=Decimal("0.001"),
        min_quantity=Decimal("0.001"),
        max_quantity=Decimal(120),
        min_notional=Decimal(5),
        brackets=KNOWN[BTC].brackets,
    )
    where = market(quote(BTC, 40_000), instruments={BTC: rules}, terms=FREE)
    ticket = Ticket(symbol=BTC, side="buy", quantity=Decimal(121), leverage=Decimal(1))
    with pytest.raises(InvalidAmount, match=r"largest order of BTC/USDT is 120\.00 BTC"):
        place_order(account(10**9), ticket, where, "o-1", MOMENT)
