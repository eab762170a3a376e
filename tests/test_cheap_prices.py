"""The price of a coin that costs next to nothing is written with every digit of its tick: in
messages, ledger notes, lists, files and bots' words, at entries and exits, long and short."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance.alerts.messages import condition, firing_message
from balance.alerts.rules import AlertSettings
from balance.api.stream import Stream
from balance.bots.rules import fill_message
from balance.core import orders
from balance.core.change import Change
from balance.core.entry import Entry
from balance.core.errors import InvalidRequest
from balance.core.fills import fill_text
from balance.core.instrument import Instrument
from balance.core.market import Market
from balance.core.matching import advance
from balance.core.messages import change_message
from balance.core.money import exact
from balance.core.orders import order_text, place_order, preview
from balance.core.rows import order_rows, position_rows
from balance.core.ticket import Ticket
from balance.desk.desk import Desk
from balance.history.rows import fill_row, trade_row
from balance.performance.derivations.account import position_derivations
from balance.store.memory_store import MemoryStore
from balance.store.state import State
from tests.accounts import MOMENT, account, order, position
from tests.answers import exactly
from tests.boards import board
from tests.markets import FREE, market, quote, unlimited

# as exchanges have them: a price, its tick, and a trigger below it
PEPE = ("PEPE/USDT", Decimal("0.0000092111"), Decimal("1e-10"), Decimal("0.0000090007"))
BTTC = ("BTTC/USDT", Decimal("0.00000059901"), Decimal("1e-11"), Decimal("0.00000059876"))
BABY = ("BABY/USDT", Decimal("0.0000000012345"), Decimal("1e-13"), Decimal("0.0000000011"))
COINS = pytest.mark.parametrize("coin", [PEPE, BTTC, BABY], ids=lambda coin: coin[0])
Coin = tuple[str, Decimal, Decimal, Decimal]
EXPONENT = re.compile(r"\d[eE][+-]?\d")


def rules(coin: Coin) -> Instrument:
    return replace(
        unlimited(coin[0]),
        tick_size=coin[2],
        step_size=Decimal(1),
        min_quantity=Decimal(1),
        max_quantity=Decimal(10) ** 15,
    )


def at(coin: Coin, mark: Decimal | None = None) -> Market:
    """A market where ``coin`` costs ``mark``, or what it costs."""
    seen = market(quote(coin[0], mark or coin[1]), terms=FREE)
    return replace(seen, instruments={**seen.instruments, coin[0]: rules(coin)})


def bought(coin: Coin, side: Any = "buy", quantity: object = 10**13, **members: Any) -> Change:
    ticket = Ticket(
        symbol=coin[0], side=side, quantity=Decimal(str(quantity)), leverage=Decimal(2), **members
    )
    return place_order(account(10**9), ticket, at(coin), "o-1", MOMENT)


def notes(change: Change) -> list[str]:
    return [booking.note for booking in change.bookings]


def entries(change: Change) -> tuple[Entry, ...]:
    return tuple(
        Entry(revision=2, line=line, time=MOMENT, source="http", booking=booking)
        for line, booking in enumerate(change.bookings, 1)
    )


def has(texts: Sequence[str] | str, number: Decimal) -> bool:
    """Whether each of ``texts`` has all of ``number``, and none an exponent."""
    texts = [texts] if isinstance(texts, str) else texts
    end = re.compile(rf"(?<![\d.]){re.escape(f'{number:,f}')}0*(?![\d])")
    return all(end.search(each) and not EXPONENT.search(each) for each in texts)


@COINS
@pytest.mark.parametrize("side", ["buy", "sell"])
def test_the_note_and_the_message_of_a_fill_have_its_price_and_quantity(
    coin: Coin, side: str
) -> None:
    change = bought(coin, side)
    (note,) = notes(change)
    message = change_message(entries(change))
    for text in (note, message):
        assert has(text, coin[1])
        assert "10,000,000,000,000 " in text


@COINS
def test_the_note_of_a_close_has_its_price(coin: Coin) -> None:
    held = bought(coin).account
    change = orders.close_position(held, coin[0], at(coin, coin[3]), "o-2", MOMENT)
    assert has(notes(change), coin[3])
    (fill,) = [booking.fill for booking in change.bookings if booking.fill is not None]
    assert has([fill_text(fill), fill_message(fill)], coin[3])
    assert fill.trade is not None
    row = trade_row(fill.trade, at(coin))
    assert has(row["display"]["exit_price"], coin[3])
    assert has(row["display"]["entry_price"], coin[1])
    assert row["display"]["quantity"] == "10,000,000,000,000"


@COINS
def test_an_order_is_written_with_its_prices(coin: Coin) -> None:
    change = bought(coin, "buy", type="limit", price=coin[3])
    (note,) = notes(change)
    assert has([note, change_message(entries(change))], coin[3])
    (row,) = order_rows(change.account, at(coin))
    assert has(row["display"]["price"], coin[3])
    stop = order(symbol=coin[0], type="stop_market", price=None, trigger_price=coin[3])
    assert has(order_text(stop), coin[3])


@COINS
def test_a_refused_trigger_is_named_with_its_price(coin: Coin) -> None:
    held = bought(coin).account
    ticket = Ticket(
        symbol=coin[0],
        side="sell",
        type="stop_market",
        quantity=Decimal(1),
        trigger_price=coin[1] + coin[2],
        reduce_only=True,
    )
    with pytest.raises(InvalidRequest) as refused:
        place_order(held, ticket, at(coin), "o-2", MOMENT)
    assert has(str(refused.value), coin[1] + coin[2])
    assert has(str(refused.value), coin[1])
    with pytest.raises(InvalidRequest) as refused:
        bought(coin, "sell", stop_loss=coin[3])
    assert has(str(refused.value), coin[3])


@COINS
def test_a_preview_has_the_price_and_the_quantity(coin: Coin) -> None:
    ticket = Ticket(symbol=coin[0], side="buy", quantity=Decimal(10**13), leverage=Decimal(2))
    seen = preview(account(10**9), ticket, at(coin), MOMENT)
    assert has(seen.display["price"], coin[1])
    assert seen.display["quantity"].startswith("10,000,000,000,000 ")


@COINS
def test_a_position_its_exits_and_its_derivations_have_their_prices(coin: Coin) -> None:
    held = bought(coin, stop_loss=coin[3]).account
    (row,) = position_rows(held, at(coin))
    for name in ("entry_price", "mark_price"):
        assert has(row["display"][name], coin[1])
    assert has(row["display"]["stop_loss"], coin[3])
    state = State(account_id="a", revision=2, changed_at=MOMENT, account=held, entries=())
    derivations = position_derivations(state.snapshot(market=at(coin)))
    terms = derivations[f"notional:{coin[0]}"].terms
    assert has(terms[1].display, coin[1])
    assert not EXPONENT.search(" ".join(term.display for term in terms))


@COINS
def test_a_stop_that_fills_is_written_with_its_price(coin: Coin) -> None:
    held = bought(coin, stop_loss=coin[3]).account
    change = advance(held, at(coin, coin[3]), {})
    assert change.bookings
    assert has([booking.note for booking in change.bookings if booking.fill], coin[3])


@COINS
@pytest.mark.parametrize("side", ["long", "short"])
def test_a_liquidation_has_its_prices_with_eight_digits_that_count(coin: Coin, side: str) -> None:
    price = coin[1]
    held = position(
        symbol=coin[0],
        side=side,
        quantity=Decimal(10**13),
        entry_price=price,
        mark_price=price,
        isolated_margin=Decimal(10**12) * price * 7,
        liquidation_price=price * (Decimal("0.5") if side == "long" else 2),
    )
    mark = price * (Decimal("0.4") if side == "long" else 3)
    change = advance(account(10**9, positions=(held,)), at(coin, mark), {})
    note = next(booking.note for booking in change.bookings if booking.kind == "liquidation")
    assert not EXPONENT.search(note)
    told_price = Decimal(note.rpartition("bankruptcy price ")[2])
    with exact():
        assert abs(told_price - held.bankruptcy_price) <= held.bankruptcy_price * Decimal("1e-7")


@COINS
@pytest.mark.parametrize("direction", ["above", "below"])
def test_an_alert_is_written_with_every_digit_of_its_threshold(coin: Coin, direction: Any) -> None:
    threshold = coin[3] + coin[2] / 4
    alert = AlertSettings(
        what="price", symbol=coin[0], direction=direction, threshold=threshold, note="Look"
    )
    assert has(condition(alert, at(coin)), threshold)
    fired = firing_message(alert, coin[1], at(coin))
    assert has(fired, threshold)
    assert has(fired, coin[1])


def test_an_old_fill_is_written_with_its_digits_where_the_tick_has_grown() -> None:
    (entry,) = entries(bought(PEPE))
    seen = at(PEPE, Decimal(80))
    coarse = replace(rules(PEPE), tick_size=Decimal("0.001"))
    grown = replace(seen, instruments={**seen.instruments, PEPE[0]: coarse})
    assert fill_row(entry, grown)["display"]["price"] == "0.0000092111"


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """Asks about PEPE that was bought, and a stop below it."""
    prices = board(terms=FREE)
    prices.market = at(PEPE)
    desk = Desk(MemoryStore(), prices)
    desk.reset(10**9)
    desk.place_order(symbol=PEPE[0], side="buy", quantity="1234567890123", stop_loss="0.0000090007")
    found: FlaskClient = create_app(desk, Stream(1)).server.test_client()
    return found


def test_a_file_has_the_price_and_the_quantity(client: FlaskClient) -> None:
    (row,) = csv.DictReader(io.StringIO(client.get("/history/fills?format=csv").text))
    assert (row["price"], row["quantity"]) == ("0.0000092111", "1234567890123.00")


def test_json_has_no_exponent(client: FlaskClient) -> None:
    for path in ("/fills", "/positions", "/orders", "/prices", "/history/fills?format=json"):
        text = client.get(path).text
        assert "0.0000092111" in text or "0.0000090007" in text
        assert not re.search(r'[:\[]\s*"?-?\d+(\.\d+)?[eE][+-]?\d', text), path
        json.loads(text)
    (fill,) = exactly(client.get("/fills"))["fills"]
    assert fill["price"] == PEPE[1]
