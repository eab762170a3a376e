"""Trades as readers see them: rows of figures, and of their texts."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Final, TypedDict

from balance.core.figures import dollars, gain, rounded
from balance.core.margin import Side
from balance.core.market import Market
from balance.core.moments import iso
from balance.core.money import exactly
from balance.core.rows import MarketTime, price_words
from balance.core.shape import (
    Count,
    Doc,
    Money,
    Price,
    Quantity,
    Texts,
    Whole,
    text_names,
)
from balance.core.trade import Trade

#: The texts of a trade, by name.
TRADE_TEXTS: Final = (
    *("symbol", "side", "quantity", "entry_price", "exit_price", "pnl", "fees", "funding"),
    *("duration", "opened_because", "closed_because"),
)
_BY_HAND: Final = "By hand"
# the two largest units that there is something of are told
_UNITS: Final = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


class TradeRow(TypedDict):
    """A position from its opening to its end."""

    revision: Annotated[Count | None, Doc("Of the ledger entry that ended it; null in a backtest.")]
    line: Count | None
    epoch: Count | None
    bot: Annotated[str, Doc("Its id; empty: the person's.")]
    name: str
    symbol: str
    side: Side
    quantity: Quantity
    entry_price: Annotated[Price, Doc("The average of all its entries, weighted by quantity.")]
    # A position that can lose no more is closed at nothing.
    exit_price: Annotated[Decimal, Doc("In the quote currency per base unit.")]
    opened_at: MarketTime
    closed_at: MarketTime
    seconds: Whole
    pnl: Annotated[Money, Doc("After fees and funding.")]
    gross: Annotated[Money, Doc("Before fees and funding.")]
    fees: Annotated[Money, Doc("Of opening and closing.")]
    funding: Annotated[Money, Doc("Received less paid.")]
    opened_because: str
    closed_because: str
    display: Annotated[Texts, text_names(TRADE_TEXTS)]


@exactly
def trade_row(
    trade: Trade,
    market: Market,
    *,
    revision: int | None = None,
    line: int | None = None,
    epoch: int | None = None,
    name: str = "",
) -> TradeRow:
    """``trade``: money in the quote currency, prices per base unit, the quantity in base units.
    ``revision`` and ``line`` say where in the ledger it ended, ``name`` what its bot is called."""
    return {
        "revision": revision,
        "line": line,
        "epoch": epoch,
        "bot": trade.owner,
        "name": name,
        "symbol": trade.symbol,
        "side": trade.side,
        "quantity": trade.quantity,
        "entry_price": trade.entry_price,
        "exit_price": trade.exit_price,
        "opened_at": iso(trade.opened_at),
        "closed_at": iso(trade.closed_at),
        "seconds": int((trade.closed_at - trade.opened_at).total_seconds()),
        "pnl": trade.pnl,
        "gross": trade.gross,
        "fees": trade.fees,
        "funding": trade.funding,
        "opened_because": trade.opened_because,
        "closed_because": trade.closed_because,
        "display": _texts(trade, market),
    }


def _texts(trade: Trade, market: Market) -> Texts:
    return {
        "symbol": trade.symbol,
        "side": trade.side.capitalize(),
        "quantity": rounded(trade.quantity),
        "entry_price": price_words(trade.entry_price, trade.symbol, market),
        "exit_price": price_words(trade.exit_price, trade.symbol, market),
        "pnl": gain(trade.pnl, market.decimals),
        "fees": dollars(trade.fees, market.decimals),
        "funding": gain(trade.funding, market.decimals),
        "duration": duration(trade.closed_at - trade.opened_at),
        "opened_because": trade.opened_because or _BY_HAND,
        "closed_because": trade.closed_because or _BY_HAND,
    }


def duration(time: timedelta) -> str:
    """``time`` for people, down to seconds: ``"2 h 5 min"``, ``"3 d"``, ``"45 s"``."""
    left, said = int(time.total_seconds()), list[str]()
    for unit, seconds in _UNITS:
        count, left = divmod(left, seconds)
        if count:
            said.append(f"{count} {unit}")
        if said and (not count or len(said) == 2):
            break
    return " ".join(said) or "0 s"
