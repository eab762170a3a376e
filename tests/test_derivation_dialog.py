"""How a figure comes about, as components: its terms, their links, and where the focus goes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from dash.development.base_component import Component

from layouts.derivation import derivation_table
from layouts.live import DERIVE, everything

TERMS = (
    {
        "sign": " ",
        "label": "Starting balance",
        "display": "$10,000.00",
        "amount": Decimal("10000"),
        "href": "/history?table=ledger&kind=start",
        "derive": None,
    },
    {
        "sign": "+",
        "label": "Unrealised P&L",
        "display": "+$0.00",
        "amount": Decimal("0.001"),
        "href": None,
        "derive": "unrealized_pnl",
    },
    {
        "sign": "=",
        "label": "Total equity",
        "display": "$10,000.00",
        "amount": Decimal("10000.001"),
        "href": None,
        "derive": None,
    },
)


def drawn(kind: str, **options: Any) -> list[Component]:
    """The components of ``kind`` that are drawn of the terms."""
    table = derivation_table("balance", TERMS, options.pop("trail", ()), "/bot/", **options)
    return [each for each in everything(table) if type(each).__name__ == kind]


def test_each_term_has_its_sign_its_amount_and_all_of_its_digits() -> None:
    rows = [[cell.children for cell in row.children] for row in drawn("Tr")]
    assert [(sign, amount) for sign, _, amount in rows] == [
        *((" ", "$10,000.00"), ("+", "+$0.00"), ("=", "$10,000.00"))
    ]
    assert [cell.title for cell in drawn("Td") if cell.className == "number"] == [
        *("Exactly 10000.00", "Exactly 0.001", "Exactly 10000.001")
    ]


def test_a_term_leads_to_its_entries_or_opens_in_turn() -> None:
    (link,) = drawn("A")
    assert link.href == "/bot/history?table=ledger&kind=start"
    (opener,) = drawn("Button")
    assert getattr(opener, DERIVE) == "unrealized_pnl"


def test_what_led_to_a_figure_is_come_back_to() -> None:
    back, _ = drawn("Button", trail=("balance", "portfolio_value"))
    assert (back.children, getattr(back, DERIVE)) == ("Back", "portfolio_value")


def test_the_focus_goes_on_only_where_it_was_on_what_is_replaced() -> None:
    assert not any(each.autoFocus for each in drawn("Button", trail=("balance",)))
    back, opener = drawn("Button", trail=("balance",), takes_focus=True)
    assert (back.autoFocus, opener.autoFocus) == (True, False)
    (opener,) = drawn("Button", takes_focus=True)
    assert opener.autoFocus
