"""The tables of what bots did: their decisions and their trades."""

from __future__ import annotations

from typing import Any

from dash import html

from layouts.activity import decision_table, trade_table
from tests.test_layouts import everything

ENTRY = {
    "id": 7,
    "time": "2026-01-02T03:04:05Z",
    "name": "Trend",
    "kind": "error",
    "side": "buy",
    "confidence": 0.625,
    "reason": "EMA 5 crossed EMA 20",
    "words": "It failed:\n  line 3\nValueError: no",
}
DISPLAY = {
    "side": "Long",
    "quantity": "0.5",
    "entry_price": "100",
    "exit_price": "90",
    "duration": "3 min",
    "pnl": "-$5.10",
    "fees": "$0.10",
    "opened_because": "up",
    "closed_because": "stop-loss",
}
TRADE = {
    "place": "7",
    "name": "Trend",
    "symbol": "BTC/USDT",
    "closed_at": "2026-01-02T03:04:05Z",
    "display": DISPLAY,
}


def cells(table: html.Table) -> dict[str, Any]:
    """The contents of the only row of ``table``, by their labels."""
    (row,) = table.children[1].children
    return {getattr(each, "data-label"): each.children for each in row.children}


def test_a_decision_says_when_who_what_and_why() -> None:
    shown = cells(decision_table([ENTRY]))
    assert shown["When"].dateTime == ENTRY["time"]
    assert (shown["Bot"], shown["Signal"], shown["Why"]) == (
        *("Trend", "Buy 63%", "EMA 5 crossed EMA 20"),
    )
    summary, whole = shown["What it did"].children
    assert (summary.children, whole.children) == ("ValueError: no", ENTRY["words"])


def test_a_trade_says_whose_it_is_where_there_are_several() -> None:
    shown = cells(trade_table([TRADE]))
    assert {each: shown[each] for each in ("Bot", "Symbol")} == {
        "Bot": "Trend",
        "Symbol": "BTC/USDT",
    }
    assert getattr(shown["Closed"], "data-market") == "BTC/USDT"
    alone = cells(trade_table([TRADE], when=lambda time, _: html.Time(time), has_owner=False))
    assert set(shown) - set(alone) == {"Bot", "Symbol"}
    assert alone["Closed"].children == TRADE["closed_at"]


def test_trades_that_ended_at_one_moment_of_a_replay_are_rows_of_their_own() -> None:
    rows = trade_table([TRADE, {**TRADE, "place": "9.2"}]).children[1].children
    assert [row.key for row in rows] == ["7", "9.2"]
    # those of a backtest never move
    (row,) = trade_table([{**TRADE, "place": None}]).children[1].children
    assert not hasattr(row, "key")


def test_figures_of_a_trade_have_the_tone_of_their_sign() -> None:
    (pnl,) = (each for each in everything(trade_table([TRADE])) if each.children == "-$5.10")
    assert getattr(pnl, "data-tone") == "loss"


def test_a_table_that_is_shown_as_cards_says_what_its_parts_are() -> None:
    roles = {each.role for each in everything(trade_table([TRADE])) if hasattr(each, "role")}
    assert roles == {"table", "rowgroup", "row", "columnheader", "cell"}
