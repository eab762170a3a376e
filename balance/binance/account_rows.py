"""The account in the dialect: rows of its money, positions, fills and income.

Each row is made here alone, for answers and for events. Money is in the quote currency and has
eight decimals; a row has the names that clients read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from balance.binance.ids import entry_number, order_number
from balance.binance.names import short
from balance.binance.numbers import amount_text, price_text, quantity_text, unit_text
from balance.core import margin
from balance.core.account import Account
from balance.core.entry import Entry, Place
from balance.core.instrument import Instrument
from balance.core.leverage import leverage_of
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.money import CURRENCY, ZERO, exactly, quantized
from balance.core.order import sum_by_group
from balance.core.position import Position
from balance.desk.transactions import AccountNow
from balance.history.rows import LedgerRecord

Row = dict[str, Any]

#: What an entry of a kind is as income; the others are none.
INCOME_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "realized_pnl": "REALIZED_PNL",
        "liquidation": "REALIZED_PNL",
        "fee": "COMMISSION",
        "funding": "FUNDING_FEE",
        "deposit": "TRANSFER",
        "withdrawal": "TRANSFER",
    }
)
#: Positions are one-way.
SIDE: Final = "BOTH"
# The notional that the last bracket goes up to where nothing else limits it: more than any account
# can hold, and exact in programs that read every number as a float.
_NO_LIMIT: Final = 10**15
# The totals of an account that are not those of its asset by the same name.
_TOTALS: Final = (
    *("initialMargin", "maintMargin", "walletBalance", "unrealizedProfit", "marginBalance"),
    *("positionInitialMargin", "openOrderInitialMargin", "crossWalletBalance", "crossUnPnl"),
)


@exactly
def account_row(now: AccountNow, *, every: bool, can_trade: bool = True) -> Row:
    """The account with its asset and its positions, those of ``every`` symbol or those that are
    open."""
    asset = asset_row(now)
    symbols = symbols_of(now) if every else [each.symbol for each in now.account.positions]
    return {
        **terms_row(now, can_trade=can_trade),
        "feeBurn": False,
        **{f"total{name[0].upper()}{name[1:]}": asset[name] for name in _TOTALS},
        "availableBalance": asset["availableBalance"],
        "maxWithdrawAmount": asset["maxWithdrawAmount"],
        "assets": [asset],
        "positions": [account_position_row(now, each) for each in symbols],
    }


def terms_row(now: AccountNow, *, can_trade: bool) -> Row:
    """How the account trades."""
    return {
        "feeTier": 0,
        "canTrade": can_trade,
        "canDeposit": True,
        "canWithdraw": True,
        "updateTime": milliseconds(now.changed_at),
        "multiAssetsMargin": False,
        "tradeGroupId": -1,
    }


@exactly
def asset_row(now: AccountNow) -> Row:
    """The account's money: what clients take as total, free and used is its equity, what is
    available, and the margin in use."""
    account = now.account
    balance, unrealized = account.wallet.balance, quantized(account.unrealized_pnl)
    isolated = sum((each.isolated_margin for each in account.positions), ZERO)
    available = max(ZERO, account.available_balance)
    return {
        "asset": CURRENCY,
        "walletBalance": amount_text(balance),
        "unrealizedProfit": amount_text(unrealized),
        "marginBalance": amount_text(balance + unrealized),
        "maintMargin": amount_text(account.maintenance_margin),
        "initialMargin": amount_text(account.used_margin),
        "positionInitialMargin": amount_text(isolated),
        "openOrderInitialMargin": amount_text(account.used_margin - isolated),
        "crossWalletBalance": amount_text(balance - isolated),
        "crossUnPnl": amount_text(ZERO),
        "availableBalance": amount_text(available),
        "maxWithdrawAmount": amount_text(available),
        "marginAvailable": True,
        "updateTime": milliseconds(now.changed_at),
    }


def balance_row(now: AccountNow) -> Row:
    """The account's money as a list of balances has it."""
    asset = asset_row(now)
    shared = ("asset", "crossWalletBalance", "crossUnPnl", "availableBalance")
    more = ("maxWithdrawAmount", "marginAvailable", "updateTime")
    return {
        "accountAlias": now.id,
        "balance": asset["walletBalance"],
        **{name: asset[name] for name in (*shared, *more)},
    }


def symbols_of(now: AccountNow) -> list[str]:
    """All that can be traded, and what of others is open, each once."""
    found = dict.fromkeys(now.market.instruments)
    found |= dict.fromkeys(each.symbol for each in now.account.positions)
    found |= dict.fromkeys(each.symbol for each in now.account.orders)
    return list(found)


@exactly
def account_position_row(now: AccountNow, symbol: str) -> Row:
    """What there is of ``symbol``, as an account lists it."""
    row = _position_row(now, symbol)
    return {
        **row,
        "maxNotional": row["maxNotionalValue"],
        "unrealizedProfit": _unrealized(now.account.position(symbol)),
    }


@exactly
def position_risk_row(now: AccountNow, symbol: str) -> Row:
    """What there is of ``symbol``, with its prices."""
    position, quote = now.account.position(symbol), now.market.quotes.get(symbol)
    mark = quote.mark if quote is not None else ZERO
    liquidation = None
    if position is not None:
        mark, liquidation = position.mark_price, position.liquidation_price
    instrument = now.market.instruments.get(symbol)
    return {
        **_position_row(now, symbol),
        "markPrice": price_text(mark, instrument),
        "unRealizedProfit": _unrealized(position),
        "liquidationPrice": "0" if liquidation is None else price_text(liquidation, instrument),
        "marginAsset": CURRENCY,
        "isAutoAddMargin": "false",
        "adl": 0,
    }


def _position_row(now: AccountNow, symbol: str) -> Row:
    """What all rows of ``symbol`` have."""
    account, market = now.account, now.market
    position, instrument = account.position(symbol), market.instruments.get(symbol)
    reserved = sum_by_group(
        (each.group, each.reserved_margin) for each in account.orders_of(symbol)
    )
    leverage = leverage_of(account, symbol, market)
    isolated = initial = maintenance = notional = ZERO
    if position is not None:
        isolated, maintenance = position.isolated_margin, position.maintenance_margin
        notional = margin.sign(position.side) * position.notional
        initial = abs(notional) / leverage
    return {
        "symbol": short(symbol),
        "positionSide": SIDE,
        "positionAmt": position_amount(position, instrument),
        "entryPrice": entry_price(position, instrument),
        "breakEvenPrice": break_even_price(position, instrument),
        "leverage": unit_text(leverage),
        "isolated": True,
        "marginType": "isolated",
        "isolatedMargin": amount_text(isolated + (position.unrealized_pnl if position else ZERO)),
        "isolatedWallet": amount_text(isolated),
        "notional": amount_text(notional),
        "initialMargin": amount_text(initial),
        "positionInitialMargin": amount_text(initial),
        "openOrderInitialMargin": amount_text(reserved),
        "maintMargin": amount_text(maintenance),
        "maxNotionalValue": str(max_notional(instrument, leverage)),
        # A position keeps no time of its own; an asset's is never 0, a symbol's is.
        "updateTime": milliseconds(now.changed_at) if position is not None else 0,
    }


def position_amount(position: Position | None, instrument: Instrument | None) -> str:
    """What is held, in base units, below zero where that is short."""
    amount = ZERO if position is None else margin.sign(position.side) * position.quantity
    return quantity_text(amount, instrument)


def entry_price(position: Position | None, instrument: Instrument | None) -> str:
    """The average of what opened the position; zero where there is none."""
    return price_text(ZERO if position is None else position.entry_price, instrument)


@exactly
def break_even_price(position: Position | None, instrument: Instrument | None) -> str:
    """Where what is open makes up for what the position has cost so far: its fees, its funding and
    the P&L of what was closed. The fee of closing it is not in it."""
    if position is None:
        return price_text(ZERO, instrument)
    share = position.net_pnl / position.quantity
    price = position.entry_price - margin.sign(position.side) * share
    return price_text(max(ZERO, price), instrument)


def _unrealized(position: Position | None) -> str:
    return amount_text(ZERO if position is None else position.unrealized_pnl)


def max_notional(instrument: Instrument | None, leverage: Decimal) -> int:
    """The largest notional that a position at ``leverage`` may have; a symbol that is not traded
    here has no limit."""
    if instrument is None:
        return _NO_LIMIT
    caps = _caps(instrument)
    held = zip(instrument.brackets, caps, strict=True)
    return max((cap for each, cap in held if each.max_leverage >= leverage), default=caps[0])


def _caps(instrument: Instrument) -> Sequence[int]:
    """Up to which notional each bracket goes."""
    limit = instrument.max_notional
    last = _NO_LIMIT if limit is None else int(limit)
    return [*(int(each.floor) for each in instrument.brackets[1:]), last]


def brackets_row(instrument: Instrument) -> Row:
    """The leverage brackets of a symbol. Rates and amounts are numbers, as clients expect them."""
    return {
        "symbol": short(instrument.symbol),
        "notionalCoef": 1,
        "brackets": [
            {
                "bracket": number,
                "initialLeverage": int(each.max_leverage),
                "notionalCap": cap,
                "notionalFloor": int(each.floor),
                "maintMarginRatio": each.maintenance_rate,
                "cum": each.maintenance_amount,
            }
            for number, (each, cap) in enumerate(
                zip(instrument.brackets, _caps(instrument), strict=True), 1
            )
        ],
    }


def symbol_row(account: Account, symbol: str, market: Market) -> Row:
    """How ``symbol`` is traded."""
    leverage = leverage_of(account, symbol, market)
    return {
        "symbol": short(symbol),
        "marginType": "ISOLATED",
        "isAutoAddMargin": False,
        "leverage": int(leverage),
        "maxNotionalValue": str(max_notional(market.instruments.get(symbol), leverage)),
    }


@exactly
def trade_row(entry: Entry, market: Market) -> Row:
    """The fill of ``entry``."""
    fill = entry.booking.fill
    if fill is None:
        raise ValueError("the entry has no fill")
    instrument = market.instruments.get(fill.symbol)
    quantity = fill.quantity
    return {
        "symbol": short(fill.symbol),
        "id": entry_number(entry.place),
        "orderId": order_number(fill.order_id),
        "side": fill.side.upper(),
        "positionSide": SIDE,
        "price": price_text(fill.price, instrument),
        "qty": quantity_text(quantity, instrument),
        "quoteQty": amount_text(quantity * fill.price),
        "realizedPnl": amount_text(fill.realized_pnl),
        "marginAsset": CURRENCY,
        "commission": amount_text(fill.fee),
        "commissionAsset": CURRENCY,
        "time": milliseconds(entry.time),
        "maker": fill.liquidity == "maker",
        "buyer": fill.side == "buy",
    }


def income_row(record: LedgerRecord, fill: Place | None) -> Row:
    """What the entry of ``record`` moved, where that is income, and the ``fill`` that it is of."""
    entry = record.entry
    if entry.booking.fill is not None:
        fill = entry.place
    return {
        "symbol": short(record.symbol or ""),
        "incomeType": INCOME_TYPES[entry.booking.kind],
        "income": amount_text(entry.booking.amount),
        "asset": CURRENCY,
        "info": entry.booking.note,
        "time": milliseconds(entry.time),
        "tranId": entry_number(entry.place),
        "tradeId": "" if fill is None else str(entry_number(fill)),
    }


def margin_row(entry: Entry, symbol: str, moved: Decimal) -> Row:
    """That ``entry`` added ``moved`` to the margin of the position of ``symbol`` or, below zero,
    removed it."""
    return {
        "symbol": short(symbol),
        "type": 1 if moved > 0 else 2,
        "deltaType": "USER_ADJUST",
        "amount": amount_text(abs(moved)),
        "asset": CURRENCY,
        "time": milliseconds(entry.time),
        "positionSide": SIDE,
        "clientTranId": "",
    }
