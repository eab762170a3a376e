"""Ledger entries as rows: their figures, and their texts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from balance.core.figures import NONE
from balance.core.rows import Row
from balance.core.wallet import EVENTS, KINDS
from balance.desk.desk import Desk
from balance.history.rows import KIND_LABELS, SOURCE_LABELS, LedgerRecord, ledger_row
from balance.store.memory_store import MemoryStore


def rows_after(*changes: tuple[str, Any]) -> list[Row]:
    """The ledger after ``changes`` of a new account, newest first."""
    store = MemoryStore()
    desk = Desk(store)
    for action, amount in changes:
        getattr(desk, action)(amount)
    return [ledger_row(LedgerRecord(entry, None, None)) for entry in store.entries()]


def test_there_are_words_for_every_kind_of_entry() -> None:
    assert set(KIND_LABELS) == set(KINDS)
    assert len(set(KIND_LABELS.values())) == len(KINDS)
    assert SOURCE_LABELS["bot"] == "Bot"


def test_amounts_have_signs_but_those_that_begin_an_epoch() -> None:
    rows = rows_after(("deposit", 500), ("adjust", "-12.30"), ("withdraw", 100), ("reset", 50))
    names = ("kind", "amount", "balance")
    assert [tuple(row["display"][name] for name in names) for row in rows] == [
        ("Reset", "$50.00", "$50.00"),
        ("Withdrawal", "-$100.00", "$10,387.70"),
        ("Adjustment", "-$12.30", "$10,487.70"),
        ("Deposit", "+$500.00", "$10,500.00"),
        ("Start", "$10,000.00", "$10,000.00"),
    ]
    assert {row["display"]["source"] for row in rows} == {SOURCE_LABELS["program"]}
    assert [row["place"] for row in rows] == ["5", "4", "3", "2", "1"]


def test_results_alone_are_gains_and_losses_not_money_in_or_out() -> None:
    rows = rows_after(("deposit", 5), ("adjust", -1), ("adjust", 1), ("withdraw", 5))
    assert [(row["display"]["kind"], row["display"]["tone"]) for row in rows] == [
        *(("Withdrawal", "flat"), ("Adjustment", "gain"), ("Adjustment", "loss")),
        *(("Deposit", "flat"), ("Start", "flat")),
    ]


def test_no_event_is_a_gain_or_a_loss() -> None:
    store = MemoryStore()
    Desk(store).deposit(0.5)
    entry = next(iter(store.entries()))
    for kind in EVENTS:
        booking = replace(entry.booking, kind=kind)
        display = ledger_row(LedgerRecord(replace(entry, booking=booking), None, None))["display"]
        assert (display["amount"], display["tone"]) == (NONE, "flat")
