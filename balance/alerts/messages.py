"""Sentences about alerts: what they wait for, how far that is, and what they fired on."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from balance.alerts.readings import Reading
from balance.alerts.rules import AlertSettings, AlertState, Status, back_at
from balance.core.figures import NONE, percent
from balance.core.market import Market

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
    return settings.figure.subject(settings.symbol or "")


def figure_text(settings: AlertSettings, value: Decimal | None, market: Market) -> str:
    """``value`` as the figure that ``settings`` watch is written."""
    if value is None:
        return NONE
    return settings.figure.unit.write(value, settings.symbol or "", market)


def threshold_text(settings: AlertSettings, market: Market) -> str:
    """The threshold as its unit writes it."""
    unit = settings.figure.unit
    return unit.threshold_text(settings.threshold, settings.symbol or "", market)


def condition(settings: AlertSettings, market: Market) -> str:
    """What an alert waits for: ``"BTC/USDT rises to 45,000.00"``."""
    verb = "rises to" if settings.direction == "above" else "falls to"
    return f"{subject(settings)} {verb} {threshold_text(settings, market)}"


def status_text(status: Status, reading: Reading) -> str:
    """How an alert stands: ``"Waiting"``."""
    is_evaluated = status in ("waiting", "beyond")
    return "No live price" if is_evaluated and not reading.is_live else _STATUSES[status]


def start_message(
    settings: AlertSettings, state: AlertState, reading: Reading, market: Market
) -> str:
    """What to expect of an alert that has just started, in a sentence."""
    now = figure_text(settings, reading.value, market)
    if state.side == "beyond":
        back = "below" if settings.direction == "above" else "above"
        limit = figure_text(settings, back_at(settings), market)
        return f"It is at {now} already, so it fires only once it has been {back} {limit} again."
    if reading.value is None:
        return "Its figure is not known yet."
    return f"Now it is at {now}."


def firing_message(settings: AlertSettings, value: Decimal, market: Market) -> str:
    """What an alert fired on: ``"BTC/USDT has risen to 45,010.20; the alert was at 45,000.00."``"""
    verb = "risen" if settings.direction == "above" else "fallen"
    at, threshold = figure_text(settings, value, market), threshold_text(settings, market)
    note = f" {settings.note}" if settings.note else ""
    return f"{subject(settings)} has {verb} to {at}; the alert was at {threshold}.{note}"


def distance_text(away: Decimal | None) -> str:
    """``"+2.71% away"``."""
    return NONE if away is None else f"{percent(away)} away"
