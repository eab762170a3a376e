"""OCO: two orders of one group, of which at most one fills."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balance.core import operations
from balance.core.account import Account
from balance.core.amendment import amend_order
from balance.core.change import Change
from balance.core.entry import Entry, replay
from balance.core.errors import (
    BalanceError,
    InsufficientBalance,
    InvalidRequest,
    UnknownOrder,
    UnknownPosition,
)
from balance.core.market import Market
from balance.core.matching import regrid
from balance.core.money import exact
from balance.core.oco import OcoPreview, place_oco, preview_oco, read_oco
from balance.core.order import NUMBERS, Order, sum_by_group
from balance.core.orders import cancel_order, cancel_orders, close_position
from balance.core.rows import order_rows
from balance.core.ticket import Ticket
from balance.store.codec import decode_state, encode_state
from balance.store.state import first_state, next_state
from tests.accounts import MOMENT, account, order
from tests.markets import BTC, ETH, market, quote
from tests.test_order_kinds import (
    MARKET,
    MINUTE,
    after,
    booked,
    d,
    filled,
    fills,
    jumps,
    path,
    place,
    ticket,
)

#: An order of each side of the market, by the side that closes: for a long's end, a short's end,
#: and an entry wherever the price goes.
LONG_END = (
    {"side": "sell", "type": "limit", "price": 42_000, "reduce_only": True},
    {"side": "sell", "type": "stop_market", "trigger_price": 39_000, "reduce_only": True},
)
SHORT_END = (
    {"side": "buy", "type": "limit", "price": 38_000, "reduce_only": True},
    {"side": "buy", "type": "stop_market", "trigger_price": 41_000, "reduce_only": True},
)
BREAKOUT = (
    {"side": "buy", "type": "stop_market", "trigger_price": 41_000},
    {"side": "sell", "type": "stop_market", "trigger_price": 39_000},
)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def tickets(*orders: dict[str, Any]) -> list[Ticket]:
    usual = [{"quantity": "0.1", **each} for each in orders]
    return [ticket(**each) for each in usual]


def grouped(of: Account, *orders: dict[str, Any], at: Market = MARKET, id: str = "g") -> Change:
    return place_oco(of, tickets(*orders), at, id, MOMENT)


def previewed(of: Account, *orders: dict[str, Any]) -> OcoPreview:
    return preview_oco(of, tickets(*orders), MARKET, MOMENT)


def long() -> Account:
    """10,000 USDT, of which 400 are the margin of 0.1 BTC bought at 40,000.1."""
    return place(account(), "buy", quantity="0.1", id="o-0").account


def short() -> Account:
    return place(account(), "sell", quantity="0.1", id="o-0").account


def ended(change: Change) -> list[tuple[str, str]]:
    """The ids of the orders that were cancelled, and why."""
    return [
        (each.effect.closed[0], each.note.split(": ")[-1])
        for each in change.bookings
        if each.kind == "cancel" and each.effect
    ]


class TestPlacing:
    """Both at once, in one entry, and only where both wait."""

    def test_both_are_in_one_entry_and_one_group(self) -> None:
        change = grouped(long(), *LONG_END)
        assert booked(change) == [
            (
                "order",
                "OCO: Sell 0.1 BTC/USDT, limit 42,000, reduce-only; or "
                "Sell 0.1 BTC/USDT, stop 39,000, reduce-only",
            )
        ]
        assert [(each.id, each.group) for each in change.account.orders] == [
            ("g-1", "g-1"),
            ("g-2", "g-1"),
        ]

    @pytest.mark.parametrize(
        ("orders", "words"),
        [
            (
                ({"side": "buy", "type": "limit", "price": 40_200}, BREAKOUT[1]),
                r"wait, and this one would fill at once at 40,000\.1: Buy 0\.1 BTC/USDT, limit",
            ),
            ((BREAKOUT[0], {"side": "sell", "type": "market"}), "would fill at once at 39,999.9"),
            (
                ({"side": "buy", "type": "stop_market", "trigger_price": 39_000}, BREAKOUT[1]),
                "reached already: the mark price is 40,000",
            ),
            (
                (
                    {"side": "buy", "type": "limit", "price": 39_000, "time_in_force": "IOC"},
                    BREAKOUT[0],
                ),
                "one that is IOC, immediate or cancel, does not. Leave its time_in_force out",
            ),
            (
                (
                    BREAKOUT[0],
                    {"side": "buy", "type": "limit", "price": 39_000, "time_in_force": "FOK"},
                ),
                "one that is FOK, fill or kill, does not",
            ),
            (
                (BREAKOUT[0], {**BREAKOUT[1], "leverage": 5}),
                "BTC/USDT is traded at 10x now",
            ),
        ],
    )
    def test_what_would_not_wait_places_nothing(
        self, orders: tuple[dict[str, Any], ...], words: str
    ) -> None:
        with pytest.raises(InvalidRequest, match=words):
            grouped(account(), *orders)
        with pytest.raises(InvalidRequest, match=words):
            previewed(account(), *orders)

    def test_a_time_in_force_that_counts_from_the_trigger_on_is_taken(self) -> None:
        stop = {"side": "sell", "type": "stop_limit", "trigger_price": 39_000, "price": 38_900}
        stop |= {"reduce_only": True, "time_in_force": "IOC"}
        assert len(grouped(long(), LONG_END[0], stop).account.orders) == 2

    def test_a_position_has_no_two_exits_of_a_kind_for_the_whole_of_it(self) -> None:
        of = [replace(each, quantity=None) for each in tickets(LONG_END[1], LONG_END[1])]
        with pytest.raises(InvalidRequest, match="has one stop-loss for the whole of it"):
            place_oco(long(), of, MARKET, "g", MOMENT)

    def test_it_is_of_two_orders_of_one_symbol(self) -> None:
        first = {"symbol": BTC, "side": "buy", "quantity": 1, "type": "limit", "price": 1}
        for orders, words in (
            ([first], "has two orders"),
            ([first] * 3, "has two orders"),
            ("ab", "has two orders"),
            ([first, 5], "must be an object"),
            ([first, {**first, "symbol": ETH}], "one symbol, not of BTC/USDT and ETH/USDT"),
        ):
            with pytest.raises(InvalidRequest, match=words):
                read_oco(orders, market(quote(BTC, 40_000), quote(ETH, 1_500)))  # type: ignore[arg-type]

    def test_a_leverage_that_one_names_is_that_of_both(self) -> None:
        first = {"symbol": BTC, "side": "buy", "quantity": 1, "type": "limit", "price": 1}
        read = read_oco([first, {**first, "leverage": 7}], MARKET)
        assert [each.leverage for each in read] == [7, 7]

    def test_a_share_of_what_is_available_is_of_all_of_it_for_both(self) -> None:
        both = [{**each, "quantity": None, "percent": 50} for each in BREAKOUT]
        of = [
            ticket(**{name: value for name, value in each.items() if value is not None})
            for each in both
        ]
        orders = place_oco(account(), of, MARKET, "g", MOMENT).account.orders
        # 50,000 USDT are 1.219 BTC at 41,000 and 1.282 at 39,000.
        assert [each.quantity for each in orders] == [d("1.219"), d("1.282")]

    def test_at_the_most_that_a_symbol_may_have_there_is_no_room_for_two(self) -> None:
        crowd = tuple(
            order(id=f"o-{n}", symbol=BTC, price=d(1), leverage=d(10), reserved_margin=d(0))
            for n in range(199)
        )
        with pytest.raises(InvalidRequest, match="has 200 open orders"):
            grouped(account(orders=crowd), *BREAKOUT)


class TestMargin:
    """A group keeps back what that order does which needs more."""

    def test_the_larger_of_both_is_kept_back(self) -> None:
        change = grouped(account(), *BREAKOUT)
        assert [each.reserved_margin for each in change.account.orders] == [410, 390]
        assert change.account.used_margin == 410
        assert cancel_order(change.account, "g-2").account.available_balance == 10_000

    def test_the_sum_counts_each_group_once(self) -> None:
        amounts = [("", d(1)), ("a", d(2)), ("b", d(5)), ("a", d(3)), ("", d(1))]
        assert sum_by_group(amounts) == 10
        assert sum_by_group([]) == 0

    def test_what_is_enough_for_either_is_enough(self) -> None:
        found = previewed(account(411), *BREAKOUT)
        assert (found.cost, found.affordable, found.available_after) == (410, True, 1)
        assert found.display["cost"] == "$410.00"
        assert grouped(account(411), *BREAKOUT).account.available_balance == 1

    def test_too_little_for_one_of_them_is_too_little(self) -> None:
        found = previewed(account(400), *BREAKOUT)
        assert (found.affordable, [each.affordable for each in found.orders]) == (
            *(False, [False, True]),
        )
        with pytest.raises(InsufficientBalance):
            grouped(account(400), *BREAKOUT)

    def test_what_the_other_kept_back_pays_for_the_one_that_fills(self) -> None:
        """The stop is jumped over by 1,000: its margin is 420 instead of 410."""
        large = BREAKOUT[1] | {"quantity": "0.2"}
        change = grouped(account(780), BREAKOUT[0], large)
        assert change.account.available_balance == 0
        done = after(change.account, *jumps(42_000))
        assert filled(done) == [("g-1", d(42_000), "taker")]
        assert done.account.used_margin == 420

    def test_the_largest_position_counts_a_group_once(self) -> None:
        """Above 100x a position may be worth 300,000 USDT: each of a group may be worth 205,000."""
        both = (
            {"side": "buy", "type": "limit", "price": 39_000, "quantity": 5, "leverage": 125},
            {"side": "buy", "type": "stop_market", "trigger_price": 41_000, "quantity": 5},
        )
        of = [replace(each, leverage=d(125)) for each in tickets(*both)]
        change = place_oco(account(), of, MARKET, "g", MOMENT)
        assert len(change.account.orders) == 2
        more = place(*(change.account, "buy", "limit"), quantity="0.1", price=39_500, leverage=125)
        assert len(more.account.orders) == 3


class TestWhatTheMarketReaches:
    """The first that is reached ends the other, in the same commit."""

    @pytest.mark.parametrize(
        ("held", "orders", "markets", "expected"),
        [
            # A candle that rises, and one that falls.
            ("long", LONG_END, path(40_000, 43_000), ("g-1", 42_000, "maker")),
            ("long", LONG_END, path(40_000, 38_000), ("g-2", 39_000, "taker")),
            ("short", SHORT_END, path(40_000, 37_000), ("g-1", 38_000, "maker")),
            ("short", SHORT_END, path(40_000, 43_000), ("g-2", 41_000, "taker")),
            # Both are on the way: the nearer one.
            ("long", LONG_END, path(40_000, 38_000, 43_000), ("g-2", 39_000, "taker")),
            ("long", LONG_END, path(40_000, 43_000, 38_000), ("g-1", 42_000, "maker")),
            ("short", SHORT_END, path(40_000, 43_000, 37_000), ("g-2", 41_000, "taker")),
            # Jumps.
            ("long", LONG_END, jumps(43_000), ("g-1", 43_000, "maker")),
            ("long", LONG_END, jumps(38_000), ("g-2", 38_000, "taker")),
            ("short", SHORT_END, jumps(37_000, 43_000), ("g-1", 37_000, "maker")),
            ("short", SHORT_END, jumps(43_000, 37_000), ("g-2", 43_000, "taker")),
            ("none", BREAKOUT, path(40_000, 42_000, 38_000), ("g-1", 41_000, "taker")),
            ("none", BREAKOUT, path(40_000, 38_000, 42_000), ("g-2", 39_000, "taker")),
            ("none", BREAKOUT, jumps(42_000, 38_900), ("g-1", 42_000, "taker")),
        ],
    )
    def test_one_fills_and_the_other_is_cancelled(
        self, held: str, orders: tuple[dict[str, Any], ...], markets: list[Market], expected: Any
    ) -> None:
        before = {"long": long, "short": short, "none": account}[held]()
        done = after(grouped(before, *orders).account, *markets)
        first, price, liquidity = expected
        other = "g-2" if first == "g-1" else "g-1"
        assert filled(done) == [(first, d(price), liquidity)]
        assert ended(done) == [(other, "the other order of its OCO filled")]
        assert done.account.orders == ()

    def test_a_trailing_stop_is_one_of_a_group_too(self) -> None:
        trail = {"side": "sell", "type": "trailing_stop", "callback_percent": 5}
        waiting = grouped(long(), LONG_END[0], {**trail, "reduce_only": True}).account
        # 5 % below 41,500.
        down = after(waiting, *path(40_000, 41_500, 38_000))
        assert filled(down) == [("g-2", d(39_425), "taker")]
        up = after(waiting, *path(40_000, 43_000, 38_000))
        assert filled(up) == [("g-1", d(42_000), "maker")]
        for each, other in ((down, "g-1"), (up, "g-2")):
            assert ended(each) == [(other, "the other order of its OCO filled")]

    def test_a_quote_that_meets_both_fills_the_stop(self) -> None:
        """The spread is so wide that the bid is at the limit while the mark is at the stop."""
        waiting = grouped(
            long(),
            {**LONG_END[0], "price": 40_500},
            {**LONG_END[1], "trigger_price": 39_900},
        ).account
        wild = market(
            quote(BTC, 39_800, bid=40_600, ask=40_700, time=MOMENT + MINUTE), terms=MARKET.terms
        )
        done = after(waiting, wild)
        assert [each for each, _, _ in filled(done)] == ["g-2"]

    def test_a_part_of_a_position_stays(self) -> None:
        half = [{**each, "quantity": "0.04"} for each in LONG_END]
        done = after(grouped(long(), *half).account, *path(40_000, 43_000))
        assert [each.quantity for each in done.account.positions] == [d("0.06")]
        assert done.account.orders == ()

    def test_a_trigger_ends_the_other_though_its_limit_waits(self) -> None:
        stop = {"side": "sell", "type": "stop_limit", "trigger_price": 39_000, "price": 39_500}
        waiting = grouped(long(), LONG_END[0], {**stop, "reduce_only": True}).account
        done = after(waiting, *path(40_000, 38_500))
        assert [kind for kind, _ in booked(done)] == ["order", "cancel"]
        assert ended(done) == [("g-1", "the other order of its OCO was triggered")]
        (left,) = done.account.orders
        assert (left.id, left.type, left.group) == ("g-2", "limit", "")
        # From here on it stands alone.
        assert filled(after(done.account, *path(38_500, 43_000))) == [("g-2", d(39_500), "maker")]

    def test_one_that_can_not_pay_ends_both(self) -> None:
        waiting = grouped(account(410), *BREAKOUT).account
        dear = [
            replace(each, terms=replace(each.terms, taker_fee=d("0.1"))) for each in jumps(41_000)
        ]
        done = after(waiting, *dear)
        assert [kind for kind, _ in booked(done)] == ["cancel", "cancel"]
        assert "could not fill, needs" in done.bookings[0].note
        assert ended(done)[1] == ("g-2", "the other order of its OCO expired")
        effects = [each.effect.ended for each in done.bookings if each.effect]
        assert effects == ["expired", "canceled"]
        assert done.account.orders == ()

    def test_a_liquidation_ends_both(self) -> None:
        far = [LONG_END[0], {**LONG_END[1], "trigger_price": 30_000}]
        done = after(grouped(long(), *far).account, *path(40_000, 31_000))
        assert [each.reason for each in fills(done)] == ["liquidation"]
        assert (done.account.orders, done.account.positions) == ((), ())


class TestEnds:
    """What ends one of a group ends both."""

    def test_cancelling_one_cancels_both(self) -> None:
        waiting = grouped(long(), *LONG_END).account
        for one, other in (("g-1", "g-2"), ("g-2", "g-1")):
            done = cancel_order(waiting, one)
            assert done.account.orders == ()
            assert ended(done)[1] == (other, "the other order of its OCO was cancelled")
            with pytest.raises(UnknownOrder):
                cancel_order(done.account, other)

    def test_cancelling_all_cancels_each_once(self) -> None:
        alone = place(long(), "buy", "limit", quantity="0.1", price=30_000).account
        done = cancel_orders(grouped(alone, *LONG_END).account)
        assert sorted(each for each, _ in ended(done)) == ["g-1", "g-2", "o-1"]
        assert done.account.orders == ()

    def test_closing_the_position_ends_both(self) -> None:
        waiting = grouped(long(), *LONG_END).account
        done = close_position(waiting, BTC, MARKET, "c", MOMENT)
        assert done.account.orders == ()
        effect = done.bookings[0].effect
        assert effect is not None
        assert effect.closed == ("g-1", "g-2")

    def test_with_what_only_reduces_goes_the_entry_of_its_group(self) -> None:
        mixed = [LONG_END[0], BREAKOUT[1]]
        done = close_position(grouped(long(), *mixed).account, BTC, MARKET, "c", MOMENT)
        assert done.account.orders == ()

    def test_a_new_exit_for_the_whole_position_ends_the_group_of_the_one_before(self) -> None:
        whole = [replace(tickets(LONG_END[1])[0], quantity=None), *tickets(LONG_END[0])]
        waiting = place_oco(long(), whole, MARKET, "g", MOMENT).account
        request = replace(whole[0], trigger_price=d(38_000))
        done = place_oco(waiting, [request, *tickets(LONG_END[0])], MARKET, "h", MOMENT)
        assert [each.id for each in done.account.orders] == ["h-1", "h-2"]

    def test_a_reset_ends_both_and_undoing_it_brings_both_back(self) -> None:
        waiting = grouped(long(), *LONG_END).account
        reset = operations.reset(waiting)
        assert reset.account.orders == ()
        back = operations.undo_reset(reset.account, reset.bookings[-1], MARKET).account
        assert back.orders == waiting.orders

    def test_on_a_new_grid_a_group_ends_where_one_needs_too_much(self) -> None:
        rules = MARKET.instruments[BTC]
        waiting = grouped(account(411), *BREAKOUT).account
        coarse = replace(rules, tick_size=d(800))
        done = regrid(waiting, coarse)
        assert done.account.orders == ()
        assert ended(done)[1] == ("g-2", "the other order of its OCO expired")
        fine = regrid(replace(waiting, wallet=account(500).wallet), coarse)
        assert [each.trigger_price for each in fine.account.orders] == [41_600, 38_400]
        assert {each.group for each in fine.account.orders} == {"g-1"}


class TestAmending:
    """One of a group is amended as any order is, and stays in it."""

    def test_it_stays_in_its_group(self) -> None:
        waiting = grouped(long(), *LONG_END).account
        change = amend_order(waiting, "g-2", {"trigger_price": d(39_500)}, MARKET, MOMENT)
        assert [(each.group, each.named_price) for each in change.account.orders] == [
            *(("g-1", 42_000), ("g-1", 39_500)),
        ]
        done = after(change.account, *path(40_000, 39_400, 43_000))
        assert filled(done) == [("g-2", d(39_500), "taker")]
        assert done.account.orders == ()

    def test_what_crosses_then_ends_the_other(self) -> None:
        waiting = grouped(long(), *LONG_END).account
        change = amend_order(waiting, "g-1", {"price": d(39_500)}, MARKET, MOMENT)
        assert filled(change) == [("g-1", d("39999.9"), "taker")]
        assert ended(change) == [("g-2", "the other order of its OCO filled")]

    def test_it_needs_only_what_the_group_did_not_keep_back(self) -> None:
        waiting = grouped(account(411), *BREAKOUT).account
        for quantity in ("0.104", "0.105"):  # 405.6 and 409.5 at 39,000
            change = amend_order(waiting, "g-2", {"quantity": d(quantity)}, MARKET, MOMENT)
            assert change.account.used_margin == 410
        with pytest.raises(InsufficientBalance) as refused:
            amend_order(waiting, "g-2", {"quantity": d("0.106")}, MARKET, MOMENT)
        assert (refused.value.required, refused.value.available) == (d("413.4"), 411)


def test_a_row_says_what_cancels_it() -> None:
    first, second = order_rows(grouped(long(), *LONG_END).account, MARKET)
    assert (first["group"], second["group"]) == ("g-1", "g-1")
    assert first["display"]["type"] == "Limit OCO, reduce-only"
    assert first["display"]["group"] == (
        "One cancels the other: Sell 0.1 BTC/USDT, stop 39,000, reduce-only"
    )
    (alone,) = order_rows(place(long(), "buy", "limit", quantity=1, price=100).account, MARKET)
    assert (alone["group"], alone["display"]["group"], alone["display"]["type"]) == (
        *("", "", "Limit"),
    )


def test_what_is_to_reduce_nothing_is_refused() -> None:
    with pytest.raises(UnknownPosition):
        grouped(account(), *LONG_END)


def test_files_keep_the_group() -> None:
    start = first_state("a", operations.start_account(), MOMENT, "program")
    state = next_state(start, lambda of: grouped(of, *BREAKOUT), MOMENT, "http")
    assert decode_state(encode_state(state)) == (state, True)
    (placed,) = state.entries
    assert placed.booking.effect is not None
    assert {each.group for each in placed.booking.effect.opened} == {"2000001"}
    assert replay([*start.entries, *state.entries]) == state.account


# the law


PRICES = st.integers(38_000, 42_000)
REQUESTS = st.one_of(
    st.fixed_dictionaries({"type": st.just("limit"), "price": PRICES}),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["stop_market", "take_profit_market"]),
            "trigger_price": PRICES,
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["stop_limit", "take_profit_limit"]),
            "price": PRICES,
            "trigger_price": PRICES,
            "time_in_force": st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
        }
    ),
    st.fixed_dictionaries(
        {"type": st.just("trailing_stop"), "callback_percent": st.sampled_from([1, 3])},
        optional={"activation_price": PRICES},
    ),
)
PAIRS = st.tuples(
    *[st.tuples(st.sampled_from(["buy", "sell"]), st.booleans(), REQUESTS) for _ in range(2)]
)
MOVES = st.tuples(st.just("move"), st.booleans(), st.integers(37_000, 43_000))
PLACED = st.tuples(st.just("oco"), PAIRS)
CANCELS = st.tuples(st.just("cancel"), st.integers(0, 9))
AMENDED = st.tuples(st.just("amend"), st.integers(0, 9), st.integers(95, 105))
CLOSES = st.tuples(st.just("close"), st.integers(1, 100))
BOUGHT = st.tuples(st.just("trade"), st.sampled_from(["buy", "sell"]))
ACTIONS = st.one_of(*[PLACED, MOVES, AMENDED] * 2, CANCELS, CLOSES, BOUGHT)


@settings(max_examples=60)
@given(
    st.lists(st.one_of(PLACED, PLACED, MOVES, MOVES, AMENDED, CANCELS, CLOSES, BOUGHT), max_size=25)
)
def test_of_a_group_at_most_one_ever_fills(actions: list[tuple[Any, ...]]) -> None:
    """Whatever is placed, cancelled and closed, and wherever the price goes: of a group both are
    open or none is, the account keeps its laws, and its ledger tells the same."""
    with exact():
        last = quote(BTC, 40_000, ask="40000.1")
        change = Change(account(3_000))
        groups: dict[str, str] = {}
        for number, (what, *values) in enumerate(actions):
            at = market(last)
            of = change.account.marked(at)
            try:
                step = _step(of, what, values, at, f"a{number}")
            except BalanceError:
                continue
            if what == "move":
                is_jump, price = values
                last = replace(last, moved_from=None)
                now = quote(BTC, price, ask=price + d("0.1"), time=last.time + MINUTE)
                last = now if is_jump else replace(now, moved_from=last)
                step = after(of, market(last))
            change = change.then(step)
            change.account.check()
            groups |= {each.id: each.group for each in _opened(step) if each.group}
            open_groups = [each.group for each in change.account.orders if each.group]
            assert all(open_groups.count(each) == 2 for each in open_groups)
        done = [each.order_id for each in fills(change) if each.order_id in groups]
        assert len({groups[each] for each in done}) == len(done)
        entries = [
            Entry(revision=1, line=line, time=MOMENT, source="x", booking=booking)
            for line, booking in enumerate(change.bookings, 1)
        ]
        told = replay(entries, account(3_000))
        assert told is not None
        assert told.orders == change.account.orders


def _step(of: Account, what: str, values: list[Any], at: Market, id: str) -> Change:
    time = at.quotes[BTC].time
    if what == "oco":
        pair = [
            ticket(side, quantity="0.05", reduce_only=reduces, **members)
            for side, reduces, members in values[0]
        ]
        return place_oco(of, pair, at, id, time)
    if what == "cancel":
        open_orders = of.orders or (order(id="none"),)
        return cancel_order(of, open_orders[values[0] % len(open_orders)].id)
    if what == "amend":
        open_orders = of.orders or (order(id="none"),)
        which, percent = values
        amended = open_orders[which % len(open_orders)]
        named = next(name for name in NUMBERS if getattr(amended, name))
        price = getattr(amended, named) * percent / 100
        return amend_order(of, amended.id, {named: d(price)}, at, time)
    if what == "close":
        return close_position(of, BTC, at, id, time, percent=Decimal(values[0]))
    if what == "trade":
        return place(of, values[0], quantity="0.03", at=at, id=id)
    return Change(of)


def _opened(change: Change) -> list[Order]:
    return [each for booking in change.bookings if booking.effect for each in booking.effect.opened]
