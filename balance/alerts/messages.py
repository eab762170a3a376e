"""What is said of alerts: what they wait for, how far that is, and what they fired on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.alerts.rules import AlertSettings, Reading, Sight, Status, What, margin
from balance.core.figures import NONE, dollars, gain, percent, rounded
from balance.core.market import Market
from balance.core.money import exactly
from balance.core.rows import price_words

_NAMES: Final = MappingProxyType[What, str](
    {
        "price": "",
        "pnl": "P&L",
        "pnl_today": "P&L today",
        "equity": "Total equity",
        "unrealized_pnl": "Unrealised P&L of",
    }
)
_STATUSES: Final[Mapping[Status, str]] = MappingProxyType(
    {
        "waiting": "Waiting",
        "beyond": "There already",
        "unknown": "Not known yet",
        "fired": "Fired",
        "off": "Off",
    }
)


def subject(settings: AlertSettings) -> str:
    """What an alert watches: ``"BTC/USDT"``, ``"P&L"``, ``"Unrealised P&L of BTC/USDT"``."""
    return f"{_NAMES[settings.what]} {settings.symbol or ''}".strip()


def figure(settings: AlertSettings, value: Decimal | None, market: Market) -> str:
    """``value`` as what ``settings`` watch is written."""
    if value is None:
        return NONE
    if settings.what == "price":
        return price_words(value, settings.symbol or "", market)
    write = dollars if settings.what == "equity" else gain
    return write(value, market.decimals)


def threshold_words(settings: AlertSettings, market: Market) -> str:
    """The threshold; of a price with every digit that was set, as it need not lie on the tick."""
    text = figure(settings, settings.threshold, market)
    return max(text, rounded(settings.threshold), key=len) if settings.what == "price" else text


def condition(settings: AlertSettings, market: Market) -> str:
    """What an alert waits for: ``"BTC/USDT rises to 45,000.00"``."""
    verb = "rises to" if settings.direction == "above" else "falls to"
    return f"{subject(settings)} {verb} {threshold_words(settings, market)}"


def status_words(status: Status, reading: Reading) -> str:
    """How an alert stands, in a word or two."""
    is_looking = status in ("waiting", "beyond")
    return "No live price" if is_looking and not reading.is_live else _STATUSES[status]


def begun_words(settings: AlertSettings, sight: Sight, reading: Reading, market: Market) -> str:
    """What is to be expected of an alert that has just begun to look, in a sentence."""
    now = figure(settings, reading.value, market)
    if sight.side == "beyond":
        back = "below" if settings.direction == "above" else "above"
        limit = figure(settings, back_at(settings), market)
        return f"It is at {now} already, so it fires only once it has been {back} {limit} again."
    if reading.value is None:
        return "Its figure is not known yet."
    return f"Now it is at {now}."


@exactly
def back_at(settings: AlertSettings) -> Decimal:
    """Where the figure must have been before the alert can fire again."""
    away = margin(settings)
    return settings.threshold - away if settings.direction == "above" else settings.threshold + away


def fired_words(settings: AlertSettings, value: Decimal, market: Market) -> str:
    """What an alert fired on: ``"BTC/USDT has risen to 45,010.20; the alert was at 45,000.00."``"""
    verb = "risen" if settings.direction == "above" else "fallen"
    at, threshold = figure(settings, value, market), threshold_words(settings, market)
    note = f" {settings.note}" if settings.note else ""
    return f"{subject(settings)} has {verb} to {at}; the alert was at {threshold}.{note}"


@exactly
def distance_percent(
    settings: AlertSettings, value: Decimal | None, equity: Decimal | None
) -> Decimal | None:
    """How far ``value`` has to go to the threshold: of a price in percent of it, of money in
    percent of the ``equity``; None where that is not known."""
    whole = value if settings.what == "price" else equity
    if value is None or whole is None or whole <= 0:
        return None
    return (settings.threshold - value) / whole * 100


def distance_words(away: Decimal | None) -> str:
    """``"+2.71% away"``."""
    return NONE if away is None else f"{percent(away)} away"
