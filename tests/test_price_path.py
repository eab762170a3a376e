"""Between two prices the price passes through every one in between: what lies there happens at its
own price, the nearest first. A jump makes everything that it passed happen where it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.backtests.backtest import run_backtest
from balance.core.account import Account
from balance.core.candles import moves
from balance.core.change import Change
from balance.core.errors import BalanceError, InvalidRequest
from balance.core.funding import due
from balance.core.instruments import KNOWN
from balance.core.market import Market
from balance.core.matching import advance, is_due
from balance.core.money import exact
from balance.core.orders import place_order
from balance.core.quote import Leg, MarkPrices, Quote, Settlement
from balance.core.ticket import Ticket
from balance.core.trade import Fill
from tests.accounts import MOMENT, account
from tests.backtesting import bodies, candle, past, plan, script
from tests.markets import BTC, FREE, market, quote
from tests.screen import wait_for
from tests.serving import Server

MINUTE = timedelta(minutes=1)
#: Of the account of these tests: no bracket of Bitcoin forbids any of its orders.
RICH = account(1_000_000)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def place(of: Account, side: str, type: str = "market", id: str = "o-1", **members: Any) -> Account:
    """``of`` after an order of Bitcoin at 40,000, where trading costs nothing."""
    numbers = {
        name: value if isinstance(value, bool) else d(value) for name, value in members.items()
    }
    ticket = Ticket(symbol=BTC, side=side, type=type, **numbers)  # type: ignore[arg-type]
    return place_order(of, ticket, market(terms=FREE), id, MOMENT).account


def on_the_way(*prices: object, spread: object = 0) -> list[Market]:
    """The markets of Bitcoin whose price moves from the first of ``prices`` to each of the others,
    a minute each; the ask is ``spread`` above the mark."""
    quotes: list[Quote] = []
    for number, price in enumerate(prices):
        made = quote(BTC, price, ask=d(price) + d(spread), time=MOMENT + number * MINUTE)
        before = replace(quotes[-1], moved_from=None) if quotes else None
        quotes.append(replace(made, moved_from=before))
    return [market(each, terms=FREE) for each in quotes[1:]]


def jump(price: object) -> Market:
    """The market of Bitcoin after its price jumped."""
    return market(quote(BTC, price, time=MOMENT + MINUTE), terms=FREE)


def after(of: Account, *markets: Market, rate: str | None = None) -> Change:
    """``of`` after ``markets``, one after the other."""
    change = Change(of)
    for each in markets:
        told = {
            (symbol, instant): Settlement(rate=d(rate), mark=d(40_000))
            for symbol, instant in due(change.account, each)
            if rate is not None
        }
        step = advance(change.account, each, told)
        assert is_due(change.account, each) or not step.bookings
        change = change.then(step)
    return change


def fills(change: Change) -> list[Fill]:
    return [booking.fill for booking in change.bookings if booking.fill]


def happened(change: Change) -> list[tuple[str, str, Decimal]]:
    """What filled: the order, why, and at which price."""
    return [(each.order_id.split("-")[0], each.reason, each.price) for each in fills(change)]


@pytest.mark.parametrize(
    ("side", "exit", "level", "end"),
    [
        ("buy", "take_profit", 40_400, 44_000),
        ("buy", "stop_loss", 39_600, 37_000),
        ("sell", "take_profit", 39_600, 37_000),
        ("sell", "stop_loss", 40_400, 44_000),
    ],
)
class TestExits:
    """Take-profit and stop-loss, long and short."""

    def test_on_the_way_it_fills_at_its_own_price(
        self, side: str, exit: str, level: int, end: int
    ) -> None:
        held = place(RICH, side, quantity=1, leverage=5, **{exit: level})
        (fill,) = fills(after(held, *on_the_way(40_000, end)))
        assert (fill.reason, fill.price) == (exit, level)
        # A tenth or so of the way, and of its minute.
        share = d(level - 40_000) / d(end - 40_000)
        assert fill.filled_at is not None
        passed = d((fill.filled_at - MOMENT).total_seconds())
        assert abs(passed - 60 * share) <= d("0.001")

    def test_jumped_over_it_fills_where_the_jump_ends(
        self, side: str, exit: str, level: int, end: int
    ) -> None:
        held = place(RICH, side, quantity=1, leverage=5, **{exit: level})
        assert happened(after(held, jump(end)))[0][1:] == (exit, end)

    def test_it_comes_before_a_liquidation_that_is_further_away_and_on_a_jump_after_it(
        self, side: str, exit: str, level: int, end: int
    ) -> None:
        held = place(RICH, side, quantity=1, leverage=20, **{exit: level})
        assert happened(after(held, *on_the_way(40_000, end)))[0][1:] == (exit, level)
        if exit == "stop_loss":
            assert happened(after(held, jump(end)))[0][1] == "liquidation"


@pytest.mark.parametrize(("side", "beyond"), [("buy", 30_000), ("sell", 50_000)])
def test_a_liquidation_that_is_nearer_than_the_stop_comes_first(side: str, beyond: int) -> None:
    stop = 35_000 if side == "buy" else 45_000
    held = place(RICH, side, quantity=1, leverage=50, stop_loss=stop)
    change = after(held, *on_the_way(40_000, beyond))
    assert [each[1] for each in happened(change)] == ["liquidation"]
    position = held.position(BTC)
    assert position is not None
    assert position.liquidation_price is not None
    (entry,) = (each for each in change.bookings if each.kind == "liquidation")
    assert f"mark {position.liquidation_price:,.1f}"[:11] in entry.note
    assert entry.amount == -position.isolated_margin


@pytest.mark.parametrize(("side", "sign"), [("buy", -1), ("sell", 1)])
def test_a_limit_is_met_by_ask_or_bid_at_its_own_price(side: str, sign: int) -> None:
    waiting = place(RICH, side, "limit", quantity=1, price=40_000 + sign * 500)
    change = after(waiting, *on_the_way(40_000, 40_000 + sign * 900, spread=10))
    (fill,) = fills(change)
    assert (fill.price, fill.liquidity) == (40_000 + sign * 500, "maker")
    # A buyer waits until the ask, above the mark, has come down to it.
    not_yet = on_the_way(40_000, 40_000 + sign * (505 if side == "buy" else 499), spread=10)
    assert fills(after(waiting, *not_yet)) == []


def test_what_lies_on_the_way_happens_nearest_first_whatever_was_placed_first() -> None:
    waiting = place(RICH, "buy", "limit", quantity=1, price=38_000, id="far")
    waiting = place(waiting, "buy", "limit", quantity=1, price=39_000, id="near")
    waiting = place(waiting, "sell", "stop_market", quantity=1, trigger_price=38_500, id="stop")
    assert happened(after(waiting, *on_the_way(40_000, 37_000))) == [
        ("near", "order", 39_000),
        ("stop", "order", 38_500),
        ("far", "order", 38_000),
    ]
    # The stop closes what was bought at 39,000; what was bought at 38,000 is still held.
    position = after(waiting, *on_the_way(40_000, 37_000)).account.position(BTC)
    assert position is not None
    assert (position.quantity, position.entry_price) == (1, 38_000)


def test_exits_of_a_position_that_opens_on_the_way_count_from_there_on() -> None:
    waiting = place(
        RICH, "buy", "limit", quantity=1, price=39_000, take_profit=40_500, stop_loss=38_000
    )
    change = after(waiting, *on_the_way(40_000, 37_000))
    assert [each[1:] for each in happened(change)] == [
        ("order", 39_000),
        ("stop_loss", 38_000),
    ]
    # The take-profit was passed before there was anything to take.
    change = after(waiting, *on_the_way(40_000, 41_000, 38_900))
    assert [each[1:] for each in happened(change)] == [("order", 39_000)]


def test_an_exit_that_is_met_where_a_jump_opens_the_position_fills_there_at_once() -> None:
    waiting = place(RICH, "buy", "limit", quantity=1, price=39_000, stop_loss=38_000)
    change = after(waiting, jump(37_500))
    assert [each[1:] for each in happened(change)] == [
        ("order", 37_500),
        ("stop_loss", 37_500),
    ]
    assert not is_due(change.account, jump(37_500))


@pytest.mark.parametrize("ways", [on_the_way(40_000, 39_000), [jump(39_000)]])
def test_on_one_price_reduce_only_comes_first_and_the_adverse_before_the_favourable(
    ways: list[Market],
) -> None:
    held = place(RICH, "sell", quantity=1, leverage=5)
    held = place(held, "buy", "limit", quantity=2, price=39_000, id="opens")
    held = place(held, "buy", "limit", quantity=1, price=39_000, reduce_only=True, id="closes")
    assert [each[0] for each in happened(after(held, *ways))] == ["closes", "opens"]
    flat = place(RICH, "buy", "limit", quantity=1, price=39_000, id="favourable")
    flat = place(flat, "sell", "stop_market", quantity=1, trigger_price=39_000, id="adverse")
    assert [each[0] for each in happened(after(flat, *ways))] == ["adverse", "favourable"]


def test_funding_on_the_way_is_charged_on_what_is_open_at_its_instant() -> None:
    eight = MOMENT.replace(hour=8, minute=0, second=0)
    start = quote(BTC, 40_000, time=eight - timedelta(hours=1))
    end = quote(BTC, 38_000, time=eight + timedelta(hours=1))
    leg = market(replace(end, moved_from=start), terms=FREE)
    # At eight the price is 39,000: the stop above is met before, the one below after.
    for stop, paid in ((39_500, []), (38_500, [-4])):
        held = place(RICH, "buy", quantity=1, leverage=5, stop_loss=stop)
        change = after(held, leg, rate="0.0001")
        assert [each.amount for each in change.bookings if each.kind == "funding"] == paid
    # Opened on the way, it pays from there on.
    for price, paid in ((39_500, [-4]), (38_500, [])):
        waiting = place(RICH, "buy", "limit", quantity=1, price=price)
        change = after(waiting, leg, rate="0.0001")
        assert [each.amount for each in change.bookings if each.kind == "funding"] == paid


_PRICE = st.integers(36_000, 44_000)
_ORDER = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["buy", "sell"]),
        "type": st.sampled_from(["limit", "stop_market", "take_profit_market"]),
        "level": _PRICE,
        "quantity": st.integers(1, 4),
        "reduce_only": st.booleans(),
        "stop": st.none() | st.integers(1, 2_000),
        "target": st.none() | st.integers(1, 2_000),
    }
)


def _waiting(held: tuple[str, int, int] | None, orders: list[dict[str, Any]]) -> Account:
    made = RICH
    if held is not None:
        side, leverage, quantity = held
        made = place(made, side, quantity=quantity, leverage=leverage)
    for number, each in enumerate(orders):
        sign = 1 if each["side"] == "buy" else -1
        level = "price" if each["type"] == "limit" else "trigger_price"
        exits = {
            name: each["level"] + way * sign * each[away]
            for name, away, way in (("take_profit", "target", 1), ("stop_loss", "stop", -1))
            if each[away] is not None and not each["reduce_only"]
        }
        members = {"quantity": each["quantity"], level: each["level"], **exits}
        try:
            made = place(
                *(made, each["side"], each["type"], f"o{number}"),
                reduce_only=each["reduce_only"],
                **members,
            )
        except BalanceError:
            continue  # such as a trigger that is reached already
    return made


@given(
    held=st.none()
    | st.tuples(st.sampled_from(["buy", "sell"]), st.sampled_from([3, 20, 50]), st.integers(1, 4)),
    orders=st.lists(_ORDER, max_size=6),
    end=_PRICE,
    between=st.lists(st.integers(1, 99), max_size=5),
    spread=st.sampled_from([0, 10]),
)
def test_a_move_that_is_seen_in_parts_does_the_same(
    held: tuple[str, int, int] | None,
    orders: list[dict[str, Any]],
    end: int,
    between: list[int],
    spread: int,
) -> None:
    with exact():
        waiting = _waiting(held, orders)
        parts = [40_000 + d(end - 40_000) * each / 100 for each in sorted(set(between))]
        whole = after(waiting, *on_the_way(40_000, end, spread=spread))
        parted = after(waiting, *on_the_way(40_000, *parts, end, spread=spread))
        assert happened(whole) == happened(parted)
        assert whole.account.wallet == parted.account.wallet
        assert [each.id for each in whole.account.orders] == [
            each.id for each in parted.account.orders
        ]
        assert whole.account.equity == parted.account.equity


@pytest.mark.parametrize(("side", "sign"), [("buy", 1), ("sell", -1)])
def test_exits_of_a_limit_that_crosses_count_from_the_market(side: str, sign: int) -> None:
    crossing = {"type": "limit", "quantity": 1, "price": 40_000 + sign * 1_000}
    with pytest.raises(InvalidRequest, match=r"stop-loss .* must be (below|above) 40,000, not"):
        place(RICH, side, **crossing, stop_loss=40_000 + sign * 500)
    held = place(RICH, side, **crossing, take_profit=40_000 + sign * 500)
    change = after(held, *on_the_way(40_000, 40_000 + sign * 900))
    assert happened(change) == [("o", "take_profit", 40_000 + sign * 500)]


def test_a_leg_has_its_ends_and_what_is_on_neither_side_is_not_on_it() -> None:
    start = quote(BTC, 40_000, ask=40_010, time=MOMENT)
    end = quote(BTC, 38_000, ask=38_030, time=MOMENT + MINUTE)
    leg = Leg(start, end)
    assert leg.at_price("mark", d(41_000), above=True) is None
    assert leg.at_price("mark", d(37_999), above=False) is None
    at_start = leg.at_price("mark", d(40_000), above=False)
    assert at_start is not None
    assert at_start.quote == start
    half = leg.at_price("ask", d(39_020), above=False)
    assert half is not None
    assert (half.quote.mark, half.quote.ask, half.quote.bid) == (39_000, 39_020, 39_000)
    assert half.quote.time == MOMENT + MINUTE / 2
    assert leg.at_time(MOMENT - MINUTE).share == 0
    assert leg.at_time(MOMENT + MINUTE / 4).quote.mark == 39_500
    assert leg.at_time(MOMENT + 9 * MINUTE).share == 1


def test_the_mark_of_a_candle_goes_its_own_way_beside_the_price() -> None:
    rising = candle(0, 100, 120, 90, 110)
    marks = MarkPrices(open=d(100), high=d(105), low=d(98), close=d(104))
    quotes = list(moves(KNOWN[BTC], rising, 60, marks))
    assert [(each.last, each.mark) for each in quotes] == [
        (100, 100),
        (90, 98),
        (120, 105),
        (110, 104),
    ]
    assert [each.moved_from and each.moved_from.last for each in quotes] == [None, 100, 90, 120]


class TestBacktest:
    """The cases of a long at 40,000 or 100, and their neighbours."""

    @pytest.mark.parametrize(
        ("prices", "exits", "price"),
        [
            ((40_000, 44_000, 40_000, 44_000), {"take_profit": 1}, "40404"),
            ((40_000, 40_000, 39_000, 39_000), {"stop_loss": 1}, "39600"),
            # A gap: the candle opens beyond the trigger.
            ((44_000, 44_000, 43_000, 43_500), {"take_profit": 1}, "43995.6"),
            ((39_000, 39_500, 38_000, 39_200), {"stop_loss": 1}, "38996.1"),
        ],
    )
    @pytest.mark.parametrize("side", ["buy", "sell"])
    @pytest.mark.parametrize("seconds", [60, 900, 3600])
    def test_an_exit_within_a_candle_fills_at_its_own_price(
        self,
        prices: tuple[int, int, int, int],
        exits: dict[str, int],
        price: str,
        side: str,
        seconds: int,
    ) -> None:
        if side == "sell":
            # The same, upside down.
            opened, high, low, close = (80_000 - each for each in prices)
            prices = (opened, low, high, close)
        before = [candle(n, 40_000, 40_000, 40_000, 40_000, seconds=seconds) for n in (0, 1)]
        made = past([*before, candle(2, *prices, seconds=seconds)], seconds=seconds)
        percent = {name: Decimal(value) for name, value in exits.items()}
        tested = run_backtest(plan(made, script(side), leverage=Decimal(5), **percent))
        (trade,) = tested.trades
        wanted = Decimal(price) if side == "buy" else 80_000 - Decimal(price)
        # Tick, spread and slippage, which a jump has as well.
        assert abs(trade.exit_price - wanted) <= 9
        assert tested.ambiguous_trades == 0

    def test_a_stop_at_20x_saves_from_the_liquidation_behind_it(self) -> None:
        flat = [candle(n, 40_000, 40_000, 40_000, 40_000) for n in (0, 1)]
        for prices, side in (
            ((40_000, 40_000, 37_000, 37_500), "buy"),
            ((40_000, 43_000, 40_000, 42_500), "sell"),
        ):
            made = [*flat, candle(2, *prices)]
            tested = run_backtest(
                plan(
                    made,
                    script(side),
                    leverage=Decimal(20),
                    stake=Decimal(1_000),
                    stop_loss=Decimal(1),
                )
            )
            (trade,) = tested.trades
            assert trade.closed_because == "Stop-loss"
            assert -220 < trade.gross < -195

    @pytest.mark.parametrize(
        ("wick", "exits", "exit_price", "pnl"),
        [
            ((100, 110, 100, 100), {"take_profit": 2}, "102.02", 94),
            ((100, 100, 90, 100), {"stop_loss": 2}, "98.02", -105),
        ],
    )
    def test_a_wick_among_still_candles_pays_what_the_exit_says(
        self, wick: tuple[int, int, int, int], exits: dict[str, int], exit_price: str, pnl: int
    ) -> None:
        flat = [candle(n, 100, 100, 100, 100) for n in range(20)]
        rest = [candle(n, 100, 100, 100, 100) for n in range(21, 40)]
        percent = {name: Decimal(value) for name, value in exits.items()}
        tested = run_backtest(
            plan([*flat, candle(20, *wick), *rest], script("buy"), stake=Decimal(5_000), **percent)
        )
        (trade,) = tested.trades
        assert abs(trade.exit_price - Decimal(exit_price)) <= Decimal("0.11")
        assert abs(trade.pnl - pnl) < 6

    @pytest.mark.parametrize("rising", [True, False])
    @pytest.mark.parametrize("side", ["buy", "sell"])
    def test_stop_and_target_in_one_candle_are_counted_and_each_is_at_its_own_price(
        self, *, rising: bool, side: str
    ) -> None:
        both = candle(2, 1_000, 1_100, 900, 1_001 if rising else 999)
        made = [*bodies(1_000, 1_000, 1_000), both]
        tested = run_backtest(
            plan(made, script(side), stop_loss=Decimal(2), take_profit=Decimal(3))
        )
        (trade,) = tested.trades
        # Down first where it rises.
        is_stopped = rising == (side == "buy")
        away = -20 if is_stopped else 30
        price = 1_000 + (away if side == "buy" else -away)
        assert abs(trade.exit_price - price) < 1
        assert tested.ambiguous_trades == 1

    def test_what_a_jump_to_the_open_ended_is_certain(self) -> None:
        made = [*bodies(1_000, 1_000, 1_000), candle(2, 1_040, 1_100, 900, 1_050)]
        tested = run_backtest(
            plan(made, script("buy"), stop_loss=Decimal(2), take_profit=Decimal(3))
        )
        (trade,) = tested.trades
        assert abs(trade.exit_price - 1_040) < 1
        assert tested.ambiguous_trades == 0

    def test_liquidation_and_target_in_one_candle_are_counted_too(self) -> None:
        made = [*bodies(1_000, 1_000, 1_000), candle(2, 1_000, 1_100, 900, 1_050)]
        fast = {"leverage": Decimal(50), "stake": Decimal(100), "take_profit": Decimal(3)}
        tested = run_backtest(plan(made, script("buy"), **fast))
        assert [each.closed_because for each in tested.trades] == ["Liquidation"]
        assert tested.ambiguous_trades == 1


def test_a_stop_in_a_running_replay_fills_before_the_liquidation_behind_it(
    start_server: Callable[..., Server], tmp_path: Path
) -> None:
    # Every fourth minute it falls to 37,000 and comes back, whenever the order gets there.
    still, wick = ",".join(["40000"] * 4), "40000,40100,37000,40050"
    rows = [
        f"2022-01-01 {n // 60:02}:{n % 60:02},{wick if n % 4 == 3 else still},1" for n in range(600)
    ]
    file = tmp_path / "btcusdt.csv"
    file.write_text("\n".join(["time,open,high,low,close,volume", *rows]))
    server = start_server("--feed", f"replay:{file}", "--speed", "60")
    body = {"symbol": BTC, "side": "buy", "quantity": 0.1, "leverage": 20, "stop_loss": 39_600}
    # Refused before there is a price, and while that is below the stop.
    wait_for(lambda: server.post(body, "/orders").status_code == 200, "an order")
    wait_for(lambda: not server.get("/positions").json()["positions"], "its end")
    newest = server.get("/fills").json()["fills"][0]
    assert (newest["reason"], newest["price"]) == ("stop_loss", 39_596)
