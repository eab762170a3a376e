"""The snapshot: what every reader sees of the account at one moment.

Its fields are those of the HTTP answer, and of what ``open_account(...).snapshot()`` returns:
money in the quote currency as Decimal, times in UTC. It can be read by attribute or, as the JSON
would be, by name: ``snapshot.balance == snapshot["balance"]``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final

from balance.core.account import Account, exposures
from balance.core.figures import dollars, exposure, gain, percent, share, short
from balance.core.market import NO_MARKET, Market
from balance.core.messages import MOST_NEWS, News
from balance.core.moments import iso
from balance.core.money import CURRENCY, quantized
from balance.core.periods import NO_BASELINES, Baselines, period_percent, period_pnl
from balance.core.rows import (
    LeverageRow,
    MarketRow,
    OrderRow,
    PositionRow,
    leverage_rows,
    market_row,
    order_rows,
    position_rows,
)
from balance.core.shape import Count, Doc, Money, Texts, Time, text_names

#: How each live field is written for people; the keys are what ``live_text`` may show.
DISPLAYED: Final[Mapping[str, Callable[[Any], str]]] = MappingProxyType(
    {
        "balance": dollars,
        # for a place with no room, such as the icon of the page
        "balance_short": short,
        "portfolio_value": dollars,
        "available_balance": dollars,
        "free_equity": dollars,
        "used_margin": dollars,
        "maintenance_margin": dollars,
        "starting_balance": dollars,
        "deposits": dollars,
        "withdrawals": dollars,
        "fees_paid": dollars,
        "funding_paid": dollars,
        "unrealized_pnl": gain,
        "current_pnl": gain,
        "realized_pnl": gain,
        "adjustments": gain,
        "pnl_percent": percent,
        "pnl_today": gain,
        "pnl_today_percent": percent,
        "pnl_week": gain,
        "pnl_all_time": gain,
        "long_exposure": dollars,
        "short_exposure": dollars,
        "net_exposure": exposure,
        "exposure_percent": share,
        "revision": str,
        "epoch": str,
        "position_count": str,
        "order_count": str,
    }
)

_UNKNOWN: Final = "null where the past is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Mapping[str, Any]):
    """The account at one revision and one tick of the prices."""

    account: Annotated[str, Doc("Another account counts its revisions anew.")]
    revision: Annotated[Count, Doc("Counts committed changes; never goes back.")]
    tick: Annotated[int, Doc("Counts price moves, and new days, within one instance.")]
    instance: Annotated[str, Doc("Which server process answered.")]
    epoch: Annotated[Count, Doc("Counts resets, from 1.")]
    currency: Annotated[str, Doc(const=CURRENCY)]
    as_of: Annotated[Time, Doc("When the account or a price last changed.")]
    balance: Annotated[Money, Doc("Wallet balance: settled money.")]
    unrealized_pnl: Annotated[Money, Doc("Sum over the positions at mark price.")]
    portfolio_value: Annotated[Money, Doc("Equity: wallet balance + unrealised P&L.")]
    used_margin: Annotated[Money, Doc("Margin of positions and open orders.")]
    available_balance: Annotated[Money, Doc("Wallet balance - used margin.")]
    free_equity: Annotated[
        Money, Doc("Equity - used margin: what is available if unrealised P&L counts.")
    ]
    maintenance_margin: Annotated[Money, Doc("Sum over the positions at mark price.")]
    current_pnl: Annotated[Money, Doc("Equity - (starting balance + deposits - withdrawals).")]
    pnl_percent: Annotated[
        Decimal | None,
        Doc("P&L in percent of the capital put in; null where none is left in."),
    ]
    pnl_today: Annotated[Money | None, Doc(f"P&L since 00:00 UTC; {_UNKNOWN}.")]
    pnl_today_percent: Annotated[
        Decimal | None, Doc("pnl_today in percent of what the equity would be without it.")
    ]
    pnl_week: Annotated[Money | None, Doc(f"P&L since Monday 00:00 UTC; {_UNKNOWN}.")]
    pnl_all_time: Annotated[Money | None, Doc(f"P&L of all epochs; {_UNKNOWN}.")]
    long_exposure: Annotated[Money, Doc("Long positions at mark price.")]
    short_exposure: Annotated[Money, Doc("Short positions at mark price, above zero.")]
    net_exposure: Annotated[Money, Doc("Longs - shorts.")]
    exposure_percent: Annotated[
        Decimal | None,
        Doc("Longs + shorts in percent of the equity; null where that is nothing."),
    ]
    starting_balance: Annotated[Money, Doc("What the epoch began with.")]
    deposits: Annotated[Money, Doc("Put in since.")]
    withdrawals: Annotated[Money, Doc("Taken out since.")]
    adjustments: Annotated[Money, Doc("Gains less losses booked from outside.")]
    realized_pnl: Annotated[Money, Doc("Closed P&L before fees.")]
    fees_paid: Annotated[Money, Doc("Trading fees.")]
    funding_paid: Annotated[Money, Doc("Funding paid less funding received.")]
    positions: tuple[PositionRow, ...]
    open_orders: tuple[OrderRow, ...]
    leverages: tuple[LeverageRow, ...]
    market: MarketRow
    can_undo_reset: Annotated[
        bool, Doc("Whether the epoch began with a reset that can be undone now.")
    ]
    news: Annotated[
        str,
        Doc("What the newest change did that nobody requested: fills, liquidations, edits."),
    ]
    recent_news: Annotated[tuple[News, ...], Doc(f"The newest {MOST_NEWS} of these, oldest first.")]
    display: Annotated[Texts, text_names(DISPLAYED)]

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


_NAMES: Final = tuple(field.name for field in fields(Snapshot))

# what writes money, which is shown with as many decimals as a person wants
_MONEY: Final = (dollars, gain, exposure)


def _text(write: Callable[[Any], str], value: Any, decimals: int) -> str:
    for each in _MONEY:
        if write is each:
            return each(value, decimals)
    return write(value)


def snapshot(
    account: Account,
    *,
    account_id: str,
    revision: int,
    as_of: datetime,
    instance: str = "",
    market: Market = NO_MARKET,
    can_undo_reset: bool = False,
    news: str = "",
    recent_news: Sequence[News] = (),
    baselines: Baselines = NO_BASELINES,
) -> Snapshot:
    """What readers see of ``account``, at the prices of ``market``; ``baselines`` tell its past."""
    account = account.marked(market)
    wallet, unrealized = account.wallet, quantized(account.unrealized_pnl)
    equity, percentage = wallet.balance + unrealized, account.pnl_percent
    known = baselines if baselines.fits(account_id, wallet.epoch) else NO_BASELINES
    values: dict[str, Any] = {
        "account": account_id,
        "revision": revision,
        "tick": market.tick + baselines.number,
        "instance": instance,
        "epoch": wallet.epoch,
        "currency": CURRENCY,
        "as_of": iso(max(as_of, market.as_of or as_of)),
        "balance": wallet.balance,
        "unrealized_pnl": unrealized,
        "portfolio_value": equity,
        "used_margin": account.used_margin,
        "available_balance": account.available_balance,
        "free_equity": account.free_equity,
        "maintenance_margin": quantized(account.maintenance_margin),
        "current_pnl": equity - wallet.capital,
        "pnl_percent": _quantized(percentage),
        **_periods(known, equity - wallet.capital, equity),
        **exposures(account),
        "starting_balance": wallet.starting_balance,
        "deposits": wallet.deposits,
        "withdrawals": wallet.withdrawals,
        "adjustments": wallet.adjustments,
        "realized_pnl": wallet.realized_pnl,
        "fees_paid": wallet.fees_paid,
        "funding_paid": -wallet.funding,
        "positions": position_rows(account, market),
        "open_orders": order_rows(account, market),
        "leverages": leverage_rows(account, market),
        "market": market_row(market),
        "can_undo_reset": can_undo_reset,
        "news": news,
        "recent_news": tuple(recent_news),
    }
    more = {
        "position_count": len(account.positions),
        "order_count": len(account.orders),
        "balance_short": wallet.balance,
    }
    shown, decimals = {**values, **more}, market.decimals
    display = {name: _text(write, shown[name], decimals) for name, write in DISPLAYED.items()}
    return Snapshot(**values, display=display)


def _periods(baselines: Baselines, pnl: Decimal, equity: Decimal) -> dict[str, Decimal | None]:
    of_day = period_pnl(pnl, baselines.day)
    return {
        "pnl_today": of_day,
        "pnl_today_percent": _quantized(period_percent(of_day, equity)),
        "pnl_week": period_pnl(pnl, baselines.week),
        "pnl_all_time": period_pnl(pnl, baselines.all_time),
    }


def _quantized(number: Decimal | None) -> Decimal | None:
    return None if number is None else quantized(number)
