"""A trade as readers see it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from balance.api.encoding import encoded
from balance.core.entry import Booking, Entry
from balance.core.trade import Trade
from balance.history.rows import duration, trade_row
from tests.accounts import MOMENT
from tests.markets import BTC, market

TRADE = Trade(
    owner="ema-btc-1",
    symbol=BTC,
    side="long",
    quantity=Decimal("0.0120"),
    entry_price=Decimal("40000.05"),
    exit_price=Decimal("40500"),
    opened_at=MOMENT,
    closed_at=MOMENT + timedelta(hours=2, minutes=5, seconds=7),
    gross=Decimal("5.9994"),
    fees=Decimal("0.48300030"),
    funding=Decimal("-0.048"),
    opened_because="EMA 12 crossed above EMA 26",
    closed_because="Take-profit",
)


def test_a_row_has_the_figures_of_the_trade_and_their_texts() -> None:
    booking = Booking(epoch=2, kind="fill", amount=Decimal(0), balance=Decimal(500))
    ended = MOMENT + timedelta(days=1)
    entry = Entry(revision=42, line=3, time=ended, source="bot", booking=booking)
    row = trade_row(TRADE, market(), entry, name="EMA BTC")
    assert (row["revision"], row["line"], row["place"], row["epoch"]) == (42, 3, "42.3", 2)
    assert (row["time"], row["outcome"]) == ("2026-01-03T03:04:05.678Z", "win")
    assert (row["bot"], row["name"], row["side"]) == ("ema-btc-1", "EMA BTC", "long")
    assert row["pnl"] == Decimal("5.9994") - Decimal("0.4830003") - Decimal("0.048")
    assert row["seconds"] == 7_507
    assert row["opened_at"] == "2026-01-02T03:04:05.678Z"
    assert row["display"] == {
        "symbol": BTC,
        "side": "Long",
        "outcome": "Win",
        "quantity": "0.012",
        "entry_price": "40,000.05",
        "exit_price": "40,500.00",
        "pnl": "+$5.47",
        "fees": "$0.48",
        "funding": "-$0.05",
        "duration": "2 h 5 min",
        "opened_because": "EMA 12 crossed above EMA 26",
        "closed_because": "Take-profit",
    }


def test_a_trade_of_a_person_has_no_reasons_and_an_unknown_symbol_no_tick() -> None:
    trade = replace(TRADE, owner="", symbol="X/USDT", opened_because="", closed_because="")
    row = trade_row(trade, market())
    assert (row["bot"], row["name"]) == ("", "")
    assert [row[each] for each in ("revision", "line", "place", "time", "epoch")] == [None] * 5
    assert row["display"]["entry_price"] == "40,000.05"
    assert row["display"]["exit_price"] == "40,500"
    assert row["display"]["opened_because"] == row["display"]["closed_because"] == "By hand"
    assert '"pnl":5.4683997' in encoded(row)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (45, "45 s"),
        (60, "1 min"),
        (61, "1 min 1 s"),
        (3_600, "1 h"),
        (3_659, "1 h"),
        (7_500, "2 h 5 min"),
        (86_400, "1 d"),
        (86_460, "1 d"),
        (273_605, "3 d 4 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words
