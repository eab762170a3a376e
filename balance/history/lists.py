"""The lists that the ledger is read as, and the columns that the index has of each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

from balance.core.market import NO_MARKET, Market
from balance.core.wallet import KINDS
from balance.history.columns import FAST_TIME, FILTER, Column, Indexed, columns_of
from balance.history.order_rows import OrderRecordRow
from balance.history.rows import (
    EntryRow,
    FillRow,
    LedgerRecord,
    TradeRow,
    closed_trade_row,
    fill_row,
    ledger_row,
)

#: The lists that the ledger is read as.
Table = Literal["ledger", "fills", "trades", "orders"]

#: The columns that every list of entries has in the index, for the entry that a row is made from.
SUBJECT: Final = (
    Column("time", FAST_TIME),
    Column("epoch", Indexed(kind="whole", is_fast=True, is_filter=True)),
    Column("kind", FILTER, KINDS),
    Column("source", FILTER),
    Column("symbol", Indexed(kind="name", is_fast=True, is_filter=True)),
    Column("owner", Indexed(kind="name", is_fast=True, is_filter=True)),
)
#: The further columns of each list.
COLUMNS: Final[Mapping[Table, tuple[Column, ...]]] = MappingProxyType(
    {
        "ledger": columns_of(EntryRow),
        "fills": columns_of(FillRow),
        "trades": columns_of(TradeRow),
        "orders": columns_of(OrderRecordRow),
    }
)
#: The columns before those: an order is of no kind of entry.
SUBJECTS: Final[Mapping[Table, tuple[Column, ...]]] = MappingProxyType(
    {
        table: tuple(each for each in SUBJECT if table != "orders" or each.name != "kind")
        for table in COLUMNS
    }
)


def history_row(
    table: Table,
    record: LedgerRecord,
    market: Market = NO_MARKET,
    names: Mapping[str, str] = MappingProxyType({}),
) -> Mapping[str, Any]:
    """``record`` as a row of ``table``. ``names`` are those of the bots, by id."""
    match table:
        case "ledger":
            return ledger_row(record, market.decimals)
        case "fills":
            return fill_row(record.entry, market)
        case "trades":
            return closed_trade_row(record.entry, market, names)
        case "orders":
            raise ValueError("an order has no entry of its own")
