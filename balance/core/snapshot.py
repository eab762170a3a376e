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
from typing import Any, Final

from balance.core.account import Account, exposures
from balance.core.figures import dollars, exposure, gain, percent, share, short
from balance.core.market import NO_MARKET, Market
from balance.core.messages import News
from balance.core.moments import iso
from balance.core.money import CURRENCY, quantized
from balance.core.periods import NO_BASELINES, Baselines, period_percent, period_pnl
from balance.core.rows import market_row, order_rows, position_rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot(Mapping[str, Any]):
    """The account at one revision and one tick of the prices."""

    # which account this is: another one starts to count its revisions anew
    account: str
    # counts committed changes; never goes back
    revision: int
    # counts price moves, and what is found out anew of the past, within one instance
    tick: int
    instance: str
    epoch: int
    currency: str
    # when the account or a price last changed
    as_of: str
    balance: Decimal
    unrealized_pnl: Decimal
    portfolio_value: Decimal
    used_margin: Decimal
    available_balance: Decimal
    # equity - used margin: what would be available if unrealised P&L counted
    free_equity: Decimal
    maintenance_margin: Decimal
    current_pnl: Decimal
    # in percent of the capital put in; None where none is left in
    pnl_percent: Decimal | None
    # since 00:00 UTC, Monday 00:00 UTC and ever; None where the past is not known
    pnl_today: Decimal | None
    # in percent of what the equity would be without it
    pnl_today_percent: Decimal | None
    pnl_week: Decimal | None
    pnl_all_time: Decimal | None
    # what is held at mark price: of longs, of shorts (above zero too), longs - shorts
    long_exposure: Decimal
    short_exposure: Decimal
    net_exposure: Decimal
    # longs + shorts in percent of the equity; None where that is nothing
    exposure_percent: Decimal | None
    starting_balance: Decimal
    deposits: Decimal
    withdrawals: Decimal
    adjustments: Decimal
    realized_pnl: Decimal
    fees_paid: Decimal
    # net: above zero where more was paid than received
    funding_paid: Decimal
    positions: tuple[Mapping[str, Any], ...]
    open_orders: tuple[Mapping[str, Any], ...]
    market: Mapping[str, Any]
    # whether a reset opened the epoch that can be undone now
    can_undo_reset: bool
    # what the newest commit tells that nobody asked for: fills and liquidations; else empty
    news: str
    # the newest of these, oldest first, for those who were away while they came
    recent_news: tuple[Mapping[str, Any], ...]
    # the same figures as the dashboard shows them, by field name
    display: Mapping[str, str]

    def __getitem__(self, name: str) -> Any:
        if name not in _NAMES:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(_NAMES)

    def __len__(self) -> int:
        return len(_NAMES)


_NAMES: Final = tuple(field.name for field in fields(Snapshot))

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
        "free_equity": equity - account.used_margin,
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
        "market": market_row(market),
        "can_undo_reset": can_undo_reset,
        "news": news,
        "recent_news": tuple(each.row for each in recent_news),
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
