"""Kinds of orders beside market, limit, stop and take-profit: how long an order at a limit waits,
triggers that place a limit order, and stops that follow the price."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.backtests.quiet_band import quiet_band
from balance.core.account import Account
from balance.core.amendment import amend_order, read_amendment
from balance.core.change import Change
from balance.core.entry import Entry
from balance.core.errors import InsufficientBalance, InvalidAmount, InvalidRequest
from balance.core.market import Market
from balance.core.matching import advance, is_due, regrid
from balance.core.money import exact
from balance.core.order import Order
from balance.core.orders import Preview, place_order, preview
from balance.core.quote import Quote
from balance.core.rows import order_result, order_rows, position_rows
from balance.core.ticket import Ticket, fingerprint, read_ticket, refusal_message
from balance.core.trade import Fill
from tests.accounts import MOMENT, account
from tests.markets import BTC, FREE, market, quote

MINUTE = timedelta(minutes=1)
#: Bitcoin at 40,000 with a spread of 0.2.
MARKET = market(quote(BTC, 40_000, bid="39999.9", ask="40000.1"), terms=FREE)


@pytest.fixture(autouse=True)
def _exact_sums() -> Iterator[None]:
    with exact():
        yield


def d(number: object) -> Decimal:
    return Decimal(str(number))


def ticket(side: str, type: str, **members: Any) -> Ticket:
    texts = ("time_in_force",)
    numbers = {
        name: value if name in texts or isinstance(value, bool) else d(value)
        for name, value in members.items()
    }
    return Ticket(symbol=BTC, side=side, type=type, **numbers)  # type: ignore[arg-type]


def place(
    of: Account, side: str, type: str = "market", id: str = "o-1", at: Market = MARKET, **more: Any
) -> Change:
    return place_order(of, ticket(side, type, **more), at, id, MOMENT)


def previewed(side: str, type: str, **members: Any) -> Preview:
    return preview(account(), ticket(side, type, **members), MARKET, MOMENT)


def amended(of: Account, price: object, **members: Any) -> Change:
    """``of`` with its order ``o-1`` amended at ``price``."""
    now = MOMENT + 9 * MINUTE
    at = market(quote(BTC, price, time=now), terms=FREE)
    return amend_order(of, "o-1", read_amendment(members), at, now)


def path(*prices: object) -> list[Market]:
    """The markets of Bitcoin whose price moves from the first of ``prices`` through the others."""
    quotes: list[Quote] = []
    for number, price in enumerate(prices):
        before = replace(quotes[-1], moved_from=None) if quotes else None
        now = quote(BTC, price, time=MOMENT + number * MINUTE)
        quotes.append(replace(now, moved_from=before))
    return [market(each, terms=FREE) for each in quotes[1:]]


def jumps(*prices: object, spread: object = 0) -> list[Market]:
    """The markets of Bitcoin whose price jumps to each of ``prices``."""
    return [
        market(
            quote(BTC, price, ask=d(price) + d(spread), time=MOMENT + number * MINUTE), terms=FREE
        )
        for number, price in enumerate(prices, 1)
    ]


def after(of: Account, *markets: Market) -> Change:
    change = Change(of)
    for each in markets:
        step = advance(change.account, each, {})
        assert is_due(change.account, each) or not step.bookings
        change = change.then(step)
        change.account.check()
    return change


def fills(change: Change) -> list[Fill]:
    return [booking.fill for booking in change.bookings if booking.fill]


def filled(change: Change) -> list[tuple[str, Decimal, str]]:
    return [(each.order_id, each.price, each.liquidity) for each in fills(change)]


def booked(change: Change) -> list[tuple[str, str]]:
    return [(booking.kind, booking.note) for booking in change.bookings]


def the_order(change: Change) -> Order:
    (order,) = change.account.orders
    return order


def result(change: Change) -> Any:
    entries = [
        Entry(revision=2, line=line, time=MOMENT, source="http", booking=booking)
        for line, booking in enumerate(change.bookings, 1)
    ]
    return order_result(entries)


class TestTimeInForce:
    """What an order at a limit may do as it arrives."""

    @pytest.mark.parametrize("force", ["IOC", "FOK"])
    def test_what_crosses_the_market_fills_at_once_as_a_taker(self, force: str) -> None:
        change = place(account(), "buy", "limit", quantity=1, price=40_500, time_in_force=force)
        assert filled(change) == [("o-1", d("40000.1"), "taker")]

    @pytest.mark.parametrize(
        ("side", "price", "market_price"),
        [("buy", 39_000, "the ask is 40,000.1"), ("sell", 41_000, "the bid is 39,999.9")],
    )
    def test_immediate_or_cancel_ends_without_a_fill(
        self, side: str, price: int, market_price: str
    ) -> None:
        change = place(account(), side, "limit", quantity=1, price=price, time_in_force="IOC")
        text = f"{side.capitalize()} 1 BTC/USDT, limit {price:,}, immediate or cancel"
        note = f"{text}: it can't fill at once, {market_price}"
        assert booked(change) == [("order", text), ("cancel", note)]
        assert change.account == account()
        answer = result(change)
        assert (answer["status"], answer["why"], answer["time_in_force"]) == (
            "expired",
            note,
            "IOC",
        )
        placed, ended = (each.effect for each in change.bookings)
        assert placed is not None
        assert ended is not None
        assert (placed.opened[0].id, ended.closed, ended.ended) == ("o-1", ("o-1",), "expired")

    def test_immediate_or_cancel_needs_what_it_would_cost(self) -> None:
        with pytest.raises(InsufficientBalance):
            place(account(10), "buy", "limit", quantity=1, price=39_000, time_in_force="IOC")

    @pytest.mark.parametrize(
        ("force", "side", "price", "why", "advice"),
        [
            (
                *("FOK", "buy", 39_000),
                "order can't fill at once at 39,000: the ask is 40,000.1",
                "Name that price, or another time in force.",
            ),
            (
                *("GTX", "buy", "40000.1"),
                "post-only order would fill at once at 40,000.1: the ask is 40,000.1",
                "Name a price below that, or another time in force.",
            ),
            (
                *("GTX", "sell", 39_000),
                "post-only order would fill at once at 39,000: the bid is 39,999.9",
                "Name a price above that, or another time in force.",
            ),
        ],
    )
    def test_what_the_market_refuses_is_booked_as_rejected(
        self, force: str, side: str, price: object, why: str, advice: str
    ) -> None:
        terms = {"quantity": 1, "price": price, "time_in_force": force}
        change = place(account(), side, "limit", **terms)
        assert change.account == account()
        placed, ended = (each.effect for each in change.bookings)
        assert placed is not None
        assert ended is not None
        (order,) = placed.opened
        assert (ended.closed, ended.ended, ended.why) == ((order.id,), "rejected", f"the {why}")
        assert refusal_message(order, ended.why) == f"The {why}. {advice}"
        with pytest.raises(InvalidRequest, match=re.escape(f"The {why}. {advice}")):
            previewed(side, "limit", **terms)

    def test_what_lacks_funds_or_makes_no_sense_is_no_rejected_order(self) -> None:
        with pytest.raises(InsufficientBalance):
            place(account(10), "buy", "limit", quantity=1, price=39_000, time_in_force="FOK")
        with pytest.raises(InvalidRequest, match="take-profit of this order must be above"):
            place(
                *(account(), "buy", "limit"),
                quantity=1,
                price=39_000,
                time_in_force="FOK",
                take_profit=38_000,
            )

    def test_post_only_waits_and_fills_as_a_maker(self) -> None:
        change = place(account(), "buy", "limit", quantity=1, price=40_000, time_in_force="GTX")
        assert result(change)["status"] == "open"
        done = after(change.account, *path(40_100, 39_000))
        assert filled(done) == [("o-1", d(40_000), "maker")]

    def test_only_orders_at_a_limit_have_one(self) -> None:
        with pytest.raises(InvalidRequest, match="A market order has no time_in_force"):
            place(account(), "buy", quantity=1, time_in_force="IOC")
        assert fills(place(account(), "buy", quantity=1, time_in_force="GTC"))

    def test_a_preview_says_that_it_would_end(self) -> None:
        waiting = previewed("buy", "limit", quantity=1, price=39_000, time_in_force="IOC")
        assert waiting.warning == (
            "It ends without a fill: it can't fill at once, the ask is 40,000.1."
        )
        with pytest.raises(InvalidRequest, match="can't fill at once"):
            previewed("buy", "limit", quantity=1, price=39_000, time_in_force="FOK")

    def test_a_request_that_names_the_usual_one_is_the_same_request(self) -> None:
        members = {"symbol": "btc-usdt", "side": "buy", "type": "limit", "price": 5, "quantity": 1}
        usual = fingerprint(members)
        assert fingerprint({**members, "time_in_force": "GTC"}) == usual
        assert fingerprint({**members, "time_in_force": "IOC"}) != usual

    def test_an_unknown_one_is_refused_with_those_there_are(self) -> None:
        members = {"symbol": BTC, "side": "buy", "quantity": 1, "time_in_force": "GTD"}
        with pytest.raises(InvalidRequest, match="one of GTC, IOC, FOK, GTX, not 'GTD'"):
            read_ticket(members, MARKET)


class TestLimitAtATrigger:
    """Orders that become a limit order at their trigger."""

    @pytest.mark.parametrize(
        ("side", "type", "trigger", "price", "end", "expected"),
        [
            # Through the market: at the trigger, as a taker.
            ("sell", "stop_limit", 39_000, 38_900, 38_000, [(39_000, "taker")]),
            ("buy", "stop_limit", 41_000, 41_100, 42_000, [(41_000, "taker")]),
            ("sell", "take_profit_limit", 41_000, 40_900, 42_000, [(41_000, "taker")]),
            ("buy", "take_profit_limit", 39_000, 39_100, 38_000, [(39_000, "taker")]),
            # Behind the trigger: it waits, and fills further on as a maker.
            ("sell", "take_profit_limit", 41_000, 41_500, 42_000, [(41_500, "maker")]),
            ("buy", "take_profit_limit", 39_000, 38_500, 38_000, [(38_500, "maker")]),
            ("sell", "take_profit_limit", 41_000, 42_500, 42_000, []),
            # On the other side: it waits.
            ("sell", "stop_limit", 39_000, 39_100, 38_000, []),
            ("buy", "stop_limit", 41_000, 40_900, 42_000, []),
        ],
    )
    def test_on_the_way_it_is_triggered_at_its_trigger_price(
        self, side: str, type: str, trigger: int, price: int, end: int, expected: list[Any]
    ) -> None:
        waiting = place(account(), side, type, quantity="0.1", trigger_price=trigger, price=price)
        assert the_order(waiting).type == type
        done = after(waiting.account, *path(40_000, end))
        verb, level = side.capitalize(), f"{price:,}"
        assert booked(done)[0] == (
            *(
                "order",
                f"Triggered at the mark price {trigger:,}: {verb} 0.1 BTC/USDT, limit {level}",
            ),
        )
        assert filled(done) == [("o-1", d(at), how) for at, how in expected]
        if not expected:
            order = the_order(done)
            assert (order.id, order.type, order.price) == ("o-1", "limit", price)
            assert (order.trigger_price, order.reserved_margin) == (None, d(price) / 100)

    @pytest.mark.parametrize(
        ("side", "type", "trigger", "price", "end", "expected"),
        [
            # Beyond the limit of a stop: it waits there.
            ("sell", "stop_limit", 39_000, 38_900, 38_000, []),
            ("buy", "stop_limit", 41_000, 41_100, 42_000, []),
            # Between trigger and limit, and beyond a target: at the price of the market.
            ("sell", "stop_limit", 39_000, 38_000, 38_500, [(38_500, "taker")]),
            ("sell", "take_profit_limit", 41_000, 41_500, 42_000, [(42_000, "taker")]),
            ("buy", "take_profit_limit", 39_000, 38_500, 38_000, [(38_000, "taker")]),
        ],
    )
    def test_on_a_jump_it_arrives_where_that_ends(
        self, side: str, type: str, trigger: int, price: int, end: int, expected: list[Any]
    ) -> None:
        waiting = place(account(), side, type, quantity="0.1", trigger_price=trigger, price=price)
        done = after(waiting.account, *jumps(end))
        assert filled(done) == [("o-1", d(at), how) for at, how in expected]

    def test_a_stop_that_was_jumped_over_fills_when_the_price_comes_back(self) -> None:
        held = place(account(), "buy", quantity="0.1", id="o-0").account
        waiting = place(
            held,
            *("sell", "stop_limit"),
            quantity="0.1",
            trigger_price=39_000,
            price=38_900,
            reduce_only=True,
        ).account
        done = after(waiting, *jumps(38_000), *path(38_000, 39_500))
        assert filled(done) == [("o-1", d(38_900), "maker")]
        assert (done.account.positions, done.account.orders) == ((), ())

    @pytest.mark.parametrize(
        ("force", "price", "kinds", "why"),
        [
            ("IOC", 39_100, ["order", "expired"], "it can't fill at once, the bid is 39,000"),
            ("FOK", 39_100, ["order", "rejected"], "it can't fill at once, the bid is 39,000"),
            ("GTX", 38_900, ["order", "rejected"], "it would fill at once, the bid is 39,000"),
            ("IOC", 38_900, ["order", "fill"], ""),
            ("GTX", 39_100, ["order"], ""),
        ],
    )
    def test_its_time_in_force_counts_from_the_trigger_on(
        self, force: str, price: int, kinds: list[str], why: str
    ) -> None:
        waiting = place(
            account(),
            *("sell", "stop_limit"),
            quantity="0.1",
            trigger_price=39_000,
            price=price,
            time_in_force=force,
        )
        assert the_order(waiting).time_in_force == force
        done = after(waiting.account, *path(40_000, 39_000))
        last = done.bookings[-1]
        assert last.effect is not None
        end = last.effect.ended if last.kind == "cancel" else last.kind
        assert [*(each.kind for each in done.bookings[:-1]), end] == kinds
        assert last.note.endswith(why)
        assert last.effect.why == why
        if why:
            assert done.account == account()

    def test_what_it_can_not_pay_at_the_trigger_is_cancelled(self) -> None:
        waiting = place(
            account(420), "buy", "stop_limit", quantity="0.1", trigger_price=41_000, price=41_500
        ).account
        dear = replace(jumps(41_000)[0].terms, taker_fee=d("0.1"))
        done = after(waiting, replace(jumps(41_000)[0], terms=dear))
        assert [kind for kind, _ in booked(done)] == ["order", "cancel"]
        assert "could not fill, needs" in done.bookings[-1].note

    def test_it_needs_both_prices(self) -> None:
        for named, missing in (("price", "trigger_price"), ("trigger_price", "price")):
            with pytest.raises(InvalidRequest, match=f"A stop-limit order needs a {missing}"):
                place(account(), "sell", "stop_limit", quantity=1, **{named: 39_000})

    def test_a_trigger_that_is_reached_already_is_refused(self) -> None:
        with pytest.raises(InvalidRequest, match="reached already: the mark price is 40,000"):
            place(account(), "buy", "stop_limit", quantity=1, trigger_price=39_000, price=39_500)

    def test_without_a_size_it_says_what_closes_the_whole_position(self) -> None:
        of = place(account(), "buy", quantity="0.1").account
        prices = {"trigger_price": 39_000, "price": 38_900, "reduce_only": True}
        with pytest.raises(InvalidRequest) as refused:
            place(of, "sell", "stop_limit", **prices)
        assert str(refused.value) == (
            "A stop-limit order needs a size; only these close the whole position without one: "
            "stop, take-profit, trailing stop. For all that is open now, name a percent of 100."
        )
        whole = place(of, "sell", "stop_limit", **prices, percent=100).account.orders[-1]
        assert (whole.quantity, whole.reserved_margin) == (d("0.1"), 0)

    @pytest.mark.parametrize(
        ("side", "trigger", "price", "beyond"),
        [
            ("buy", 41_000, 51_250, 25),
            ("sell", 39_000, 35_100, 10),
            ("buy", 41_000, 41_000, 0),
            ("buy", 41_000, 40_900, None),
            ("sell", 39_000, 39_100, None),
        ],
    )
    def test_a_preview_says_how_far_the_limit_is_through_the_trigger(
        self, side: str, trigger: int, price: int, beyond: int | None
    ) -> None:
        found = previewed(side, "stop_limit", quantity="0.1", trigger_price=trigger, price=price)
        assert found.beyond_percent == beyond

    @pytest.mark.parametrize(
        ("price", "liquidity", "fee"), [(38_900, "taker", "1.945"), (39_100, "maker", "0.782")]
    )
    def test_a_preview_expects_what_the_limit_will_do(
        self, price: int, liquidity: str, fee: str
    ) -> None:
        request = ticket("sell", "stop_limit", quantity="0.1", trigger_price=39_000, price=price)
        found = preview(account(), request, market(quote(BTC, 40_000)), MOMENT)
        assert (found.price, found.liquidity, found.fills_at_once) == (price, liquidity, False)
        assert found.fee == d(fee)

    def test_a_row_has_both_prices(self) -> None:
        waiting = place(
            account(), "sell", "stop_limit", quantity="0.1", trigger_price=39_000, price=38_900
        )
        (row,) = order_rows(waiting.account, MARKET)
        assert (row["type"], row["price"], row["trigger_price"]) == ("stop_limit", 38_900, 39_000)
        shown = row["display"]
        assert (shown["type"], shown["price"], shown["trigger_price"]) == (
            *("Stop-limit", "38,900.00", "39,000.00"),
        )
        assert booked(waiting)[0][1] == (
            "Sell 0.1 BTC/USDT, stop-limit 38,900, triggered at 39,000"
        )


def trail(side: str, percent: object = 1, of: Account | None = None, **more: Any) -> Account:
    """An account with a trailing stop that was placed at 40,000."""
    more = {"quantity": "0.1", **more}
    more = {name: value for name, value in more.items() if value is not None}
    at = market(quote(BTC, 40_000), terms=FREE)
    of = account(100_000) if of is None else of
    return place(of, side, "trailing_stop", at=at, callback_percent=percent, **more).account


class TestTrailingStop:
    """Stops that follow the price."""

    @pytest.mark.parametrize(
        ("side", "prices", "level", "expected"),
        [
            # Falling, rising, rising and back, and back twice.
            ("sell", (40_000, 39_000), None, 39_600),
            ("sell", (40_000, 42_000), 41_580, None),
            ("sell", (40_000, 42_000, 41_000), None, 41_580),
            ("sell", (40_000, 42_000, 41_600, 43_000, 42_000), None, 42_570),
            ("buy", (40_000, 41_000), None, 40_400),
            ("buy", (40_000, 38_000), 38_380, None),
            ("buy", (40_000, 38_000, 39_000), None, 38_380),
            ("buy", (40_000, 38_000, 38_300, 37_000, 38_000), None, 37_370),
        ],
    )
    def test_on_the_way_it_follows_and_fills_where_it_came_to(
        self, side: str, prices: tuple[int, ...], level: int | None, expected: int | None
    ) -> None:
        done = after(trail(side), *path(*prices))
        assert [each.price for each in fills(done)] == ([] if expected is None else [expected])
        assert [each.trigger_level for each in done.account.orders] == (
            [] if level is None else [level]
        )

    @pytest.mark.parametrize(
        ("side", "prices", "expected"),
        [
            ("sell", (42_000, 41_000), 41_000),
            ("sell", (41_600, 41_300, 41_184), 41_184),
            ("buy", (38_000, 39_000), 39_000),
            ("buy", (39_500,), None),
        ],
    )
    def test_on_a_jump_it_fills_where_that_ends(
        self, side: str, prices: tuple[int, ...], expected: int | None
    ) -> None:
        done = after(trail(side), *jumps(*prices))
        assert [each.price for each in fills(done)] == ([] if expected is None else [expected])

    @pytest.mark.parametrize(
        ("side", "start", "before", "reached", "level"),
        [("sell", 42_000, 41_900, 42_100, 41_679), ("buy", 38_000, 38_100, 37_900, 38_279)],
    )
    def test_it_does_nothing_before_its_activation_price(
        self, side: str, start: int, before: int, reached: int, level: int
    ) -> None:
        waiting = trail(side, activation_price=start)
        (order,) = waiting.orders
        assert (order.trigger_level, order.named_price) == (None, start)
        far = 30_000 if side == "sell" else 50_000
        still = after(waiting, *path(40_000, before, far))
        assert (still.bookings, still.account.orders) == ((), (order,))
        active = after(waiting, *path(40_000, reached))
        assert the_order(active).trigger_level == level
        (row,) = order_rows(waiting, MARKET)
        assert (row["display"]["type"], row["display"]["trigger_price"]) == (
            *("Trailing stop 1 %", f"from {start:,}.00"),
        )
        assert [each.price for each in fills(after(active.account, *path(reached, far)))] == [level]

    def test_an_activation_price_that_is_reached_counts_at_once(self) -> None:
        (order,) = trail("sell", activation_price=39_000).orders
        assert order.trigger_level == 39_600

    def test_it_closes_a_whole_position_beside_a_stop_loss(self) -> None:
        held = place(account(), "buy", quantity="0.1", id="o-0", stop_loss=39_000).account
        both = trail("sell", of=held, quantity=None, reduce_only=True)
        assert [each.reason for each in both.orders] == ["stop_loss", "trailing_stop"]
        (row,) = position_rows(both, MARKET)
        assert row["stop_loss"] == 39_000
        # Another one replaces the first.
        (_, nearer) = trail(
            "sell", "0.5", of=both, id="o-2", quantity=None, reduce_only=True
        ).orders
        assert (nearer.id, nearer.trigger_level) == ("o-2", 39_800)
        done = after(both, *path(40_000, 41_000, 40_000))
        (fill,) = fills(done)
        assert (fill.reason, fill.price, fill.type) == ("trailing_stop", 40_590, "trailing_stop")
        assert (done.account.positions, done.account.orders) == ((), ())
        assert fill.trade is not None
        assert fill.trade.closed_because == "Trailing stop"

    def test_it_moves_without_an_entry(self) -> None:
        of = trail("sell")
        (step, *_) = path(40_000, 41_000)
        assert not is_due(of, step)
        change = advance(of, step, {})
        assert (change.bookings, the_order(change).best_price) == ((), 41_000)
        # What it opens is paid for at the price that it fills at.
        assert the_order(change).reserved_margin == of.orders[0].reserved_margin

    @pytest.mark.parametrize(
        ("side", "prices", "note"),
        [
            (
                *("sell", (40_000, 41_000, 40_000)),
                "Sold 0.1 BTC/USDT at 40,590 (trailing stop, 1 % below 41,000)",
            ),
            (
                *("buy", (40_000, 39_000, 40_000)),
                "Bought 0.1 BTC/USDT at 39,390 (trailing stop, 1 % above 39,000)",
            ),
        ],
    )
    def test_its_fill_says_what_it_followed(
        self, side: str, prices: tuple[int, ...], note: str
    ) -> None:
        done = after(trail(side), *path(*prices))
        assert done.bookings[0].note == note
        (fill,) = fills(done)
        assert (fill.best_price, fill.callback_percent) == (prices[1], 1)

    def test_it_fills_at_its_own_place_among_others_on_the_way(self) -> None:
        of = trail("sell", 3, of=account(1_000_000))
        for order_id, price in (("o-2", 39_800), ("o-3", 39_700)):
            stop = {"quantity": "0.1", "trigger_price": price}
            of = place(of, "sell", "stop_market", id=order_id, **stop).account
        # It is at 39,770 by then.
        done = after(of, *path(40_000, 41_000, 39_000))
        assert [each.order_id for each in fills(done)] == ["o-2", "o-1", "o-3"]

    # The files hold no numbers as near to zero as the last one.
    @pytest.mark.parametrize("percent", ["0", "-1", "100", "250", "0.009", "1e-30"])
    def test_a_distance_is_from_a_hundredth_on_and_below_a_hundred(self, percent: str) -> None:
        words = r"callback_percent must be from 0\.01 on and below 100"
        with pytest.raises(InvalidAmount, match=words):
            trail("sell", percent)

    def test_it_needs_a_distance_and_no_price(self) -> None:
        with pytest.raises(InvalidRequest, match="A trailing stop order needs a callback_percent"):
            place(account(), "sell", "trailing_stop", quantity=1)
        with pytest.raises(InvalidRequest, match="A trailing stop order has no trigger_price"):
            trail("sell", trigger_price=39_000)
        with pytest.raises(InvalidRequest, match="A limit order has no activation_price"):
            place(account(), "buy", "limit", quantity=1, price=5, activation_price=5)

    def test_a_preview_says_what_it_follows(self) -> None:
        found = previewed("sell", "trailing_stop", quantity="0.1", callback_percent="1.5")
        assert found.warning == "Trailing stop 1.5 %, at 39,400, by the mark price."
        found = previewed(
            "sell", "trailing_stop", quantity="0.1", callback_percent=1, activation_price=42_000
        )
        assert found.warning == "Trailing stop 1 % from 42,000 on, by the mark price."

    def test_it_follows_no_quote_that_is_older_or_of_another_feed(self) -> None:
        waiting = trail("sell")
        for now in (
            market(quote(BTC, 42_000, time=MOMENT - timedelta(seconds=1)), terms=FREE),
            market(quote(BTC, 42_000), terms=FREE, feed="binance"),
        ):
            assert not is_due(waiting, now)
            assert after(waiting, now).account.orders == waiting.orders

    @pytest.mark.parametrize(
        ("side", "start", "quiet", "edges"),
        [
            ("sell", None, [39_601, 39_999], [39_600, 40_000]),
            ("buy", None, [40_001, 40_399], [40_000, 40_400]),
            ("sell", 42_000, [100, 41_999], [42_000]),
            ("buy", 38_000, [38_001, 90_000], [38_000]),
        ],
    )
    def test_between_its_trigger_and_its_best_price_nothing_happens(
        self,
        side: str,
        start: int | None,
        quiet: list[int],
        edges: list[int],
    ) -> None:
        band = quiet_band(trail(side, activation_price=start), BTC, timedelta(hours=8))
        assert band.holds(d(quiet[0]), d(quiet[1]), MOMENT)
        for edge in edges:
            assert not band.holds(d(edge), d(edge), MOMENT)

    def test_amended_it_goes_on_from_its_best_price(self) -> None:
        moved = after(trail("sell", 5), *path(40_000, 42_000)).account
        change = amended(moved, 41_500, callback_percent=2, quantity="0.2")
        order = the_order(change)
        assert (order.best_price, order.trigger_level, order.quantity) == (42_000, 41_160, d("0.2"))
        assert change.bookings[0].note == (
            "Amended: Sell 0.1 BTC/USDT, trailing stop 5 %, at 39,900: callback percent 5 -> 2, "
            "quantity 0.1 -> 0.2"
        )
        with pytest.raises(InvalidRequest, match="41,580 is reached already"):
            amended(moved, 41_500, callback_percent=1)
        with pytest.raises(InvalidRequest, match="follows the price already"):
            amended(moved, 41_500, activation_price=43_000)

    def test_amended_it_may_follow_from_another_price_on(self) -> None:
        waiting = trail("sell", activation_price=42_000)
        later = amended(waiting, 40_000, activation_price=43_000)
        assert later.bookings[0].note.endswith("activation price 42,000 -> 43,000")
        assert the_order(later).best_price is None
        assert the_order(amended(waiting, 40_000, activation_price=39_000)).best_price == 40_000

    def test_on_a_new_grid_its_activation_price_is_on_the_tick(self) -> None:
        waiting = trail("sell", activation_price="42000.3")
        rules = replace(MARKET.instruments[BTC], tick_size=d(10))
        assert the_order(regrid(waiting, rules)).activation_price == 42_010


prices = st.lists(st.integers(30_000, 50_000), min_size=1, max_size=12)


def traced(side: str, percent: Decimal, points: list[int]) -> Decimal | None:
    """Where a trailing stop fills on a path, written out once more in the simplest way."""
    best, sells = d(points[0]), side == "sell"

    def level() -> Decimal:
        return best * (1 - percent / 100 if sells else 1 + percent / 100)

    def on_tick() -> Decimal:
        return level().quantize(d("0.1"), ROUND_FLOOR if sells else ROUND_CEILING)

    for point in points[1:]:
        if d(point) <= level() if sells else d(point) >= level():
            return on_tick()
        best = max(best, d(point)) if sells else min(best, d(point))
    return None


@given(st.sampled_from(["sell", "buy"]), st.decimals(d("0.1"), d(20), places=1), prices)
def test_a_trailing_stop_fills_where_a_second_calculation_says(
    side: str, percent: Decimal, points: list[int]
) -> None:
    with exact():
        points = [40_000, *points]
        done = after(trail(side, percent, account(1_000_000)), *path(*points))
        expected = traced(side, percent, points)
        stopped = [each.price for each in fills(done) if each.reason == "order"]
        assert stopped == ([] if expected is None else [expected])


@given(
    st.sampled_from(["sell", "buy"]),
    st.decimals(d("0.1"), d(20), places=1),
    st.none() | st.integers(35_000, 45_000),
    st.lists(st.tuples(st.booleans(), st.integers(30_000, 50_000)), max_size=12),
)
def test_a_trailing_stop_never_moves_back(
    side: str, percent: Decimal, start: int | None, points: list[tuple[bool, int]]
) -> None:
    with exact():
        of = trail(side, percent, account(1_000_000), activation_price=start)
        last, level = quote(BTC, 40_000), of.orders[0].trigger_level
        for number, (is_jump, price) in enumerate(points, 1):
            now = quote(BTC, price, time=MOMENT + number * MINUTE)
            now = now if is_jump else replace(now, moved_from=last)
            of = after(of, market(now, terms=FREE)).account
            last = replace(now, moved_from=None)
            if not of.orders:
                break
            (order,) = of.orders
            if level is not None:
                assert order.trigger_level is not None
                sense = 1 if side == "sell" else -1
                assert (order.trigger_level - level) * sense >= 0
            level = order.trigger_level


@given(
    st.sampled_from(["sell", "buy"]),
    st.decimals(d("0.1"), d(20), places=1),
    st.none() | st.integers(35_000, 45_000),
    st.lists(st.tuples(st.booleans(), st.integers(30_000, 50_000)), max_size=12),
)
def test_a_market_carries_the_best_prices_from_quote_to_quote(
    side: str, percent: Decimal, start: int | None, points: list[tuple[bool, int]]
) -> None:
    """As the engine does it: the account is committed only where something is due."""
    with exact():
        of = committed = trail(side, percent, account(1_000_000), activation_price=start)
        last, before = quote(BTC, 40_000), MARKET
        for number, (is_jump, price) in enumerate(points, 1):
            now = quote(BTC, price, time=MOMENT + number * MINUTE)
            now = now if is_jump else replace(now, moved_from=last)
            of = after(of, market(now, terms=FREE)).account
            before = replace(market(now, terms=FREE), bests=committed.bests(before))
            if is_due(committed, before):
                committed = advance(committed, before, {}).account
            assert committed.marked(before).orders == of.orders
            last = replace(now, moved_from=None)
