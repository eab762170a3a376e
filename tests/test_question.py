"""Filters and the columns of the index follow from the marks of row classes."""

from __future__ import annotations

from decimal import Decimal
from operator import itemgetter

import pytest

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.history import question
from balance.history.columns import Column, Indexed
from balance.history.filling import reader
from balance.history.question import BOUNDS, FILTERS, SORTS, bounds_of, parse_question

SECOND = Column("notional", Indexed(kind="amount", bounded_as="notional"))
FIRST = Column("realized_pnl", Indexed(kind="amount", bounded_as="realised P&L"))


@pytest.mark.parametrize(
    ("table", "column"),
    [("ledger", "amount"), ("fills", "realized_pnl"), ("trades", "pnl"), ("epochs", "pnl")],
)
def test_least_and_most_bound_the_amount_that_they_always_did(table: str, column: str) -> None:
    first = BOUNDS[table][0]  # type: ignore[index]
    assert (first.column, first.least, first.most) == (column, "least", "most")


def test_a_further_amount_has_filters_with_its_name() -> None:
    fee = Column("fee", Indexed(kind="amount"))
    found = [(each.column, each.least, each.most) for each in bounds_of((FIRST, fee, SECOND))]
    assert found == [
        ("realized_pnl", "least", "most"),
        ("notional", "least_notional", "most_notional"),
    ]


def test_bounds_of_several_amounts_are_read_by_their_columns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = ("least", "most", "least_notional", "most_notional")
    monkeypatch.setattr(question, "BOUNDS", {"fills": bounds_of((FIRST, SECOND))})
    monkeypatch.setattr(question, "FILTERS", {"fills": names})
    params = {"least": "-1.5", "most_notional": "100", "least_notional": ""}
    found = parse_question("fills", params, SORTS["fills"])
    assert found.least == {"realized_pnl": Decimal("-1.5")}
    assert found.most == {"notional": Decimal(100)}
    assert found.is_filtered
    with pytest.raises(InvalidAmount, match="least_notional"):
        parse_question("fills", {"least_notional": "much"}, SORTS["fills"])


def test_a_list_knows_no_bounds_of_amounts_that_are_not_marked() -> None:
    with pytest.raises(InvalidRequest, match="least_fee"):
        parse_question("fills", {"least_fee": "1"}, SORTS["fills"])
    assert "least_fee" not in FILTERS["fills"]


def test_a_calculated_column_is_read_from_its_source() -> None:
    mark = Indexed(
        kind="number",
        bounded_as="notional",
        source=lambda fill: Decimal(fill["price"]) * Decimal(fill["quantity"]),
    )
    columns = [Column("side", Indexed(kind="name")), Column("notional", mark)]
    columns.append(Column("note", Indexed(kind="text")))
    read = reader(columns, {"side", "note"}, itemgetter)
    fill = {"side": "buy", "price": "2.5", "quantity": "4", "note": "RSI"}
    assert read(fill) == ["buy", 10.0, "rsi"]


def test_a_calculated_column_without_a_source_is_refused() -> None:
    columns = (Column("side", Indexed(kind="name")), SECOND)
    with pytest.raises(TypeError, match="notional is no member"):
        reader(columns, {"side", "note"}, itemgetter)
