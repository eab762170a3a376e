"""A question looks at as little of the index as it can, however it is put."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.history.question import BOUNDS, Question
from balance.history.search import Answer
from balance.store.memory_store import MemoryStore
from tests.ledgers import entries_of, lived, remembered, written

LIFE = lived(3_000, seed=4, epochs_of=60)
LEDGER, FILLS, TRADES = (Question(table=table) for table in ("ledger", "fills", "trades"))
ORDERS = Question(table="orders")
#: What an index has in its order.
SORTED = [
    *(replace(LEDGER, sort=name) for name in ("time", "kind", "owner", "amount", "balance")),
    replace(LEDGER, sort="note"),
    *(replace(FILLS, sort=name) for name in ("time", "symbol", "realized_pnl")),
    *(replace(FILLS, sort=name) for name in ("quantity", "price", "fee")),
    *(replace(TRADES, sort=name) for name in ("epoch", "pnl", "seconds")),
    *(replace(LEDGER, one_of={"kind": ("fee",)}, sort=name) for name in ("revision", "amount")),
    replace(FILLS, one_of={"symbol": ("BTC/USDT",)}, sort="revision"),
    *(replace(ORDERS, sort=name) for name in ("time", "ended_at", "quantity", "realized_pnl")),
    *(replace(ORDERS, sort=name) for name in ("price", "average_price")),
    *(replace(ORDERS, one_of={"state": (each,)}, sort="revision") for each in ("NEW", "FILLED")),
]
#: A text that few rows have.
RARE = next(each for each in entries_of(LIFE[999:]) if each.booking.fill).booking.note[7:30]
#: What several indexes could answer.
MIXED = [
    replace(table, one_of={first: (1,) if first == "epoch" else (value,), "owner": ("you",)}, **how)
    for table in (LEDGER, FILLS, TRADES)
    for first, value in (("kind", "fee"), ("symbol", "BTC/USDT"), ("epoch", ""), ("source", "bot"))
    for how in ({}, {"sort": "time"}, {"least": {BOUNDS[table.table][0].column: Decimal(5)}})
]


@pytest.fixture(scope="module")
def store() -> MemoryStore:
    """An account with three thousand entries."""
    return remembered(LIFE)


@pytest.fixture(scope="module")
def history(store: MemoryStore) -> History:
    """Its whole index."""
    history = History(store)
    assert history.index.catch_up()
    return history


def statements(history: History, asked: Question) -> list[str]:
    """What is asked of SQLite to answer ``asked``."""
    said: list[str] = []
    # the one that is given back is the next to be taken
    with history.index.database.connection() as connection:
        connection.set_trace_callback(said.append)
    _answer(history, asked)
    with history.index.database.connection() as connection:
        connection.set_trace_callback(None)
    return [each for each in said if each.startswith("SELECT")]


def _answer(history: History, asked: Question) -> Answer[Any]:
    return history.orders.page(asked) if asked.table == "orders" else history.answer(asked)


def plan(history: History, asked: Question) -> str:
    """How SQLite goes about to answer ``asked``."""
    asked_of_sqlite = statements(history, asked)
    with history.index.database.connection() as connection:
        return "\n".join(
            step
            for statement in asked_of_sqlite
            for *_, step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
        )


def name_of(asked: Question) -> str:
    """What ``asked`` is called among the tests."""
    return f"{asked.table} {asked.sort} {', '.join(asked.one_of)}".strip()


@pytest.mark.parametrize("asked", SORTED, ids=name_of)
@pytest.mark.parametrize("way", ["", "-"])
@pytest.mark.parametrize("back", [None, 0, 7])
def test_a_list_that_an_index_has_in_order_is_not_sorted(
    history: History, asked: Question, way: str, back: int | None
) -> None:
    until = None if back is None else LIFE[-1].revision - back
    assert "TEMP B-TREE" not in plan(
        history, replace(asked, sort=way + asked.sort, until=until, limit=20, offset=1_000)
    )


def test_a_few_rows_are_looked_up_and_sorted(history: History) -> None:
    asked = replace(LEDGER, sort="amount", after=LIFE[-20].revision, until=LIFE[-1].revision)
    assert "USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)" in plan(history, asked)


@pytest.mark.parametrize("asked", SORTED, ids=name_of)
def test_what_was_counted_is_not_counted_again(history: History, asked: Question) -> None:
    pinned = replace(asked, until=LIFE[-1].revision - 3)
    total = _answer(history, pinned).total
    for offset in (0, 50, 500):
        again = replace(pinned, offset=offset)
        assert not [each for each in statements(history, again) if "count(*)" in each]
        assert _answer(history, again).total == total


@pytest.mark.parametrize("name", ["symbol", "owner", "source"])
def test_orders_beside_damage_are_looked_for_among_themselves(history: History, name: str) -> None:
    value = {"symbol": "BTC/USDT", "owner": "you", "source": "bot"}[name]
    asked = [
        each
        for each in statements(history, replace(ORDERS, one_of={name: (value,)}))
        if "damaged > 0" in each
    ]
    with history.index.database.connection() as connection:
        (step,) = connection.execute(f"EXPLAIN QUERY PLAN {asked[0]}")
    assert "USING INDEX orders_damaged" in step[-1]


def test_a_count_is_right_whatever_was_counted_before(history: History) -> None:
    asked = replace(FILLS, one_of={"owner": ("you",)})
    fills = [entry for state in LIFE for entry in state.entries if entry.booking.fill]
    for until in (LIFE[-1].revision, 900, 2, 901, LIFE[-1].revision - 1, 30, 10**9):
        known = [
            each
            for each in fills
            if each.revision <= until and each.booking.fill and not each.booking.fill.owner
        ]
        assert history.answer(replace(asked, until=until)).total == len(known)


@pytest.mark.parametrize("table", [LEDGER, FILLS, TRADES], ids=name_of)
@pytest.mark.parametrize("sort", ["revision", "-revision", "time", "-side"])
@pytest.mark.parametrize("back", [None, 7])
@pytest.mark.parametrize("text", ["nowhere", RARE])
def test_a_rare_text_is_not_looked_for_in_every_row(
    history: History, table: Question, sort: str, back: int | None, text: str
) -> None:
    until = None if back is None else LIFE[-1].revision - back
    sort = sort.replace("side", "amount") if table is LEDGER else sort
    steps = plan(history, replace(table, text=text, sort=sort, until=until)).splitlines()
    assert not [step for step in steps if step.startswith(f"SCAN {table.table}")]


def test_an_index_that_grew_is_searched_as_one_that_was_made_of_as_much(folder: Path) -> None:
    young = written(folder, LIFE[:1])
    history, beside = (History(young, folder / INDEX_FILE) for _ in range(2))
    for each in (history, beside):
        assert each.index.catch_up()
        each.answer(LEDGER)
    grown = written(folder, LIFE)
    assert history.index.catch_up()
    whole = History(grown)
    assert whole.index.catch_up()
    wanted = [plan(whole, asked) for asked in MIXED]
    # and by a connection that was open before
    for each in (history, beside):
        assert each.answer(LEDGER).progress.is_complete
        assert [plan(each, asked) for asked in MIXED] == wanted


def test_a_query_plan_is_told(history: History) -> None:
    # or the other tests would prove nothing
    assert "TEMP B-TREE" in plan(history, replace(FILLS, sort="reason"))


@pytest.mark.parametrize("table", ["ledger", "fills", "orders"])
def test_what_is_new_is_found_without_passing_what_is_old(history: History, table: str) -> None:
    newest = replace(
        Question(table=table),  # type: ignore[arg-type]
        one_of={"symbol": ("BTC/USDT",)},
        begin=LIFE[-20].changed_at,
        sort="revision",
    )
    steps = [each for each in plan(history, newest).splitlines() if f"SEARCH {table}" in each]
    assert any("rowid>? AND rowid<?" in each for each in steps)
    ahead = replace(newest, begin=LIFE[-1].changed_at + timedelta(days=1))
    assert _answer(history, ahead).rows == ()


def test_who_needs_no_total_counts_nothing(history: History) -> None:
    asked = replace(FILLS, one_of={"symbol": ("ETH/USDT",)}, begin=LIFE[7].changed_at, limit=9)
    counted, alone = _answer(history, asked), replace(asked, is_counted=False)
    assert not [
        each for each in statements(history, alone) if each.startswith("SELECT count(*) FR")
    ]
    assert _answer(history, alone) == replace(counted, total=None)
