"""What alerts look at: the figures of one moment, each with the series that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.alerts.rules import AlertSettings, Reading, What
from balance.core.account import Account
from balance.core.market import Market
from balance.core.money import exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The market and the account at one moment."""

    market: Market
    # marked at the market; None where it can't be read
    account: Account | None = None
    account_id: str = ""
    # in the quote currency; None where it is not known
    pnl_today: Decimal | None = None
    # the P&L of the epoch when the day began, which tells one day from another
    pnl_before: Decimal | None = None


@exactly
def reading(settings: AlertSettings, moment: Moment) -> Reading:
    """What an alert with ``settings`` sees at ``moment``. Figures of the account go by the mark
    prices of its positions, and are live where all of those are."""
    return _READINGS[settings.what](settings, moment)


def reader(moment: Moment) -> Callable[[AlertSettings], Reading]:
    """:func:`reading` at ``moment``, which reckons each figure once, however many alerts see it."""
    known: dict[tuple[What, str | None], Reading] = {}

    def read(settings: AlertSettings) -> Reading:
        figure = settings.what, settings.symbol
        if figure not in known:
            known[figure] = reading(settings, moment)
        return known[figure]

    return read


def _price(settings: AlertSettings, moment: Moment) -> Reading:
    market, symbol = moment.market, settings.symbol or ""
    quote = market.quotes.get(symbol)
    return Reading(
        series=f"feed {market.feed}",
        value=None if quote is None else quote.mark,
        is_live=symbol in market.live,
    )


def _of_epoch(figure: Callable[[Account], Decimal]) -> Callable[[AlertSettings, Moment], Reading]:
    def read(_: AlertSettings, moment: Moment) -> Reading:
        account = moment.account
        if account is None:
            return Reading(series="", value=None)
        return Reading(series=_epoch(moment), value=figure(account), is_live=_is_live(moment))

    return read


def _pnl_today(_: AlertSettings, moment: Moment) -> Reading:
    # where the day has ended, so has this: it begins again at nothing, and no loss was made by that
    series = f"{_epoch(moment)} from {moment.pnl_before}"
    return Reading(series=series, value=moment.pnl_today, is_live=_is_live(moment))


def _unrealized_pnl(settings: AlertSettings, moment: Moment) -> Reading:
    account = moment.account
    position = None if account is None else account.position(settings.symbol or "")
    if position is None:
        return Reading(series="no position", value=None)
    return Reading(
        series=f"{position.side} since {position.opened_at.isoformat()}",
        value=position.unrealized_pnl,
        is_live=_is_marked_live(position.feed, position.symbol, moment.market),
    )


def _epoch(moment: Moment) -> str:
    epoch = None if moment.account is None else moment.account.wallet.epoch
    return f"account {moment.account_id} epoch {epoch}"


def _is_live(moment: Moment) -> bool:
    positions = () if moment.account is None else moment.account.positions
    return all(_is_marked_live(each.feed, each.symbol, moment.market) for each in positions)


def _is_marked_live(feed: str, symbol: str, market: Market) -> bool:
    # what was opened on another feed is not marked by this one
    return feed == market.feed and symbol in market.live


_READINGS: Final = MappingProxyType[What, Callable[[AlertSettings, Moment], Reading]](
    {
        "price": _price,
        "pnl": _of_epoch(lambda account: account.pnl),
        "pnl_today": _pnl_today,
        "equity": _of_epoch(lambda account: account.equity),
        "unrealized_pnl": _unrealized_pnl,
    }
)
