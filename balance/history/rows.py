"""The lists of the history as readers see them: ledger, fills and trades, and one entry whole."""

from __future__ import annotations

from collections.abc import Mapping

from balance.core.account import Account
from balance.core.entry import Entry, cursor
from balance.core.figures import NONE
from balance.core.market import NO_MARKET, Market
from balance.core.moments import iso
from balance.core.rows import Row, fill_row, order_rows, position_rows
from balance.core.trade import Effect, Trade
from balance.core.wallet import Wallet
from balance.history.ledger_rows import ledger_row
from balance.history.question import Table
from balance.history.trade_rows import trade_row

_NO_NAMES: Mapping[str, str] = {}


def history_row(
    table: Table,
    entry: Entry,
    symbol: str | None,
    owner: str | None,
    market: Market = NO_MARKET,
    names: Mapping[str, str] = _NO_NAMES,
) -> Row:
    """``entry`` as a row of ``table``; it tells of ``symbol`` and of what ``owner`` trades. Bots
    are called as ``names`` have them, by id."""
    match table:
        case "ledger":
            return ledger_row(entry, symbol, owner, market.decimals)
        case "fills":
            more = {"place": cursor(entry.place), "note": entry.booking.note}
            return {**fill_row(entry, market), **more}
        case "trades":
            return closed_trade_row(entry, market, names)


def closed_trade_row(
    entry: Entry, market: Market = NO_MARKET, names: Mapping[str, str] = _NO_NAMES
) -> Row:
    """The trade that ``entry`` ended: its outcome is win, loss or even."""
    trade = _trade(entry)
    if trade is None:
        raise ValueError("the entry ended no trade")
    row = trade_row(
        trade,
        market,
        revision=entry.revision,
        line=entry.line,
        epoch=entry.booking.epoch,
        name=names.get(trade.owner, trade.owner),
    )
    display = {**row["display"], "outcome": trade.outcome.capitalize()}
    return {
        **row,
        "place": cursor(entry.place),
        "time": iso(entry.time),
        "outcome": trade.outcome,
        "display": display,
    }


def entry_row(
    entry: Entry,
    symbol: str | None,
    owner: str | None,
    market: Market = NO_MARKET,
    names: Mapping[str, str] = _NO_NAMES,
) -> Row:
    """``entry`` whole: its row, its fill, the trade that it ended and its effect, where it has
    them."""
    booking = entry.booking
    return {
        **ledger_row(entry, symbol, owner, market.decimals),
        "fill": None if booking.fill is None else history_row("fills", entry, None, None, market),
        "trade": None if _trade(entry) is None else closed_trade_row(entry, market, names),
        "effect": None if booking.effect is None else _effect(booking.effect, entry, market),
    }


def _effect(effect: Effect, entry: Entry, market: Market) -> Row:
    """The position and the orders as the entry left them, whatever prices are now."""
    wallet = Wallet.opened(entry.booking.epoch, entry.booking.balance)
    held = () if effect.position is None else (effect.position,)
    account = Account(wallet, held, effect.opened)
    rows = position_rows(account, market)
    return {
        "symbol": effect.symbol,
        "position": _without_share(rows[0]) if rows else None,
        "opened": list(order_rows(account, market)),
        "closed": list(effect.closed),
    }


def _without_share(row: Row) -> Row:
    """The row of a position without its share of an equity that the entry does not tell."""
    name = "exposure_percent"
    return {**row, name: None, "display": {**row["display"], name: NONE}}


def _trade(entry: Entry) -> Trade | None:
    return None if entry.booking.fill is None else entry.booking.fill.trade
