"""Kinds of orders beside market and limit: how long an order at a limit waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Entry
from balance.core.errors import BalanceError, InsufficientBalance, InvalidRequest
from balance.core.market import Market
from balance.core.matching import advance, is_due
from balance.core.money import exact
from balance.core.order import Order
from balance.core.orders import Preview, place_order, preview
from balance.core.quote import Quote
from balance.core.rows import order_result
from balance.core.ticket import Ticket, fingerprint, read_ticket
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

    def test_fill_or_kill_is_refused_where_it_can_not_fill(self) -> None:
        words = r"can't fill at once at 39,000: the ask is 40,000\.1\. Name that price"
        with pytest.raises(InvalidRequest, match=words):
            place(account(), "buy", "limit", quantity=1, price=39_000, time_in_force="FOK")

    @pytest.mark.parametrize(
        ("side", "price", "words"),
        [
            ("buy", "40000.1", r"at 40,000\.1: the ask is 40,000\.1\. Name a price below"),
            ("sell", 39_000, r"at 39,000: the bid is 39,999\.9\. Name a price above"),
        ],
    )
    def test_post_only_is_refused_where_it_would_take(
        self, side: str, price: object, words: str
    ) -> None:
        with pytest.raises(InvalidRequest, match=f"post-only order would fill at once {words}"):
            place(account(), side, "limit", quantity=1, price=price, time_in_force="GTX")

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


TICKETS = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("limit"),
            "price": st.integers(38_000, 42_000),
            "time_in_force": st.sampled_from(["GTC", "IOC", "FOK", "GTX"]),
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["stop_market", "take_profit_market"]),
            "trigger_price": st.integers(38_000, 42_000),
        }
    ),
    st.just({"type": "market"}),
)


@given(
    st.lists(st.tuples(st.sampled_from(["buy", "sell"]), st.booleans(), TICKETS), max_size=8),
    st.lists(st.tuples(st.booleans(), st.integers(37_000, 43_000)), max_size=8),
)
def test_all_kinds_together_keep_the_laws_of_the_account(
    requests: list[tuple[str, bool, dict[str, Any]]], points: list[tuple[bool, int]]
) -> None:
    """The account explains itself, no order fills twice, reduce-only opens nothing, and post-only
    never takes."""
    with exact():
        at = market(quote(BTC, 40_000, ask="40000.1"))
        change = Change(account(100_000).marked(at))
        known: dict[str, Ticket] = {}
        for number, (side, reduce_only, members) in enumerate(requests):
            given_members = {name: each for name, each in members.items() if each is not None}
            request = ticket(side, quantity="0.05", reduce_only=reduce_only, **given_members)
            try:
                placed = place_order(change.account, request, at, f"o-{number}", MOMENT)
            except BalanceError:
                continue
            known[f"o-{number}"] = request
            change = change.then(placed)
        last = at.quotes[BTC]
        for number, (is_jump, price) in enumerate(points, 1):
            now = quote(BTC, price, ask=d(price) + d("0.1"), time=MOMENT + number * MINUTE)
            now = now if is_jump else replace(now, moved_from=last)
            change = change.then(after(change.account, market(now)))
            last = replace(now, moved_from=None)
        change.account.check()
        done = [each.order_id for each in fills(change) if each.reason == "order"]
        assert len(done) == len(set(done))
        assert not set(done) & {each.id for each in change.account.orders}
        for fill in (each for each in fills(change) if each.reason != "liquidation"):
            request = known[fill.order_id]
            assert not request.reduce_only or fill.closed_quantity == fill.quantity
            assert request.time_in_force != "GTX" or fill.liquidity == "maker"
