"""Symbols as the dialect writes them: ``BTCUSDT`` of ``BTC/USDT``."""

from __future__ import annotations

from balance.core.market import Market


def short(symbol: str) -> str:
    """``symbol`` in the dialect: ``"BTCUSDT"`` of ``"BTC/USDT"``."""
    return symbol.replace("/", "")


def symbol_of(text: str, market: Market) -> str | None:
    """The symbol of ``market`` that ``text`` means, such as ``"BTCUSDT"``; None where there is
    none."""
    name = short(text.upper())
    return next((each for each in market.instruments if short(each) == name), None)
