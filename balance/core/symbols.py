"""Symbols as TradingView, ccxt, exchanges and people write them."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from typing import Final

from balance.core.errors import InvalidRequest
from balance.core.instruments import DOLLARS

# The exchange before a symbol of TradingView: BINANCE:BTCUSDT.
_EXCHANGE: Final = r"(?:[A-Z0-9_.-]+:)?"
# What may stand between the two currencies.
_BETWEEN: Final = "[-/_ .]?"
# What says that it is a perpetual: BTCUSDT.P, BTCUSDTPERP, BTC-USDT-SWAP. Not _PERP, which those
# contracts of Binance have that are paid in the coin.
_PERPETUAL: Final = r"(?:\.P|[-.]?PERP|-PERPETUAL|-SWAP)"
# Other names of a currency.
_ALSO: Final = {"BTC": "XBT"}
_LONGEST: Final = 80
_ALONE: Final = re.compile(
    rf"{_EXCHANGE}([A-Z0-9]{{1,20}})/([A-Z0-9]{{2,10}})(?::\2|{_PERPETUAL})?"
)
_IN_DOLLARS: Final = re.compile(
    rf"{_EXCHANGE}([A-Z0-9]{{1,20}}?){_BETWEEN}({'|'.join(DOLLARS)})(?::\2|{_PERPETUAL})?"
)


def symbol_among(name: str, symbols: Iterable[str]) -> str:
    """The one of ``symbols`` that ``name`` means: BTC/USDT, also written ``btc-usdt``,
    ``BTCUSDT.P``, ``BINANCE:BTCUSDT``, ``BTC/USDT:USDT``, ``BTC-USDT-SWAP`` or ``XBTUSDT``.

    Where only one of them is priced in dollars of any kind, ``BTCUSD`` and ``BTC-PERP`` mean that
    one. Amounts are never converted: ``PEPEUSDT`` is not 1000PEPE/USDT.

    Raises:
        InvalidRequest: it means none of them, or several.
    """
    known = tuple(symbols)
    text = name.strip().upper()
    if text in known:
        return text
    if len(text) <= _LONGEST:
        for spelling in (_spelling, _spelling_in_dollars):
            found = [each for each in known if _is_written(text, each, spelling)]
            if len(found) == 1:
                return found[0]
            if found:
                raise InvalidRequest(
                    f"{name!r:.40} may be {' or '.join(found)}: write the one that you mean."
                )
    raise no_symbol(name, known)


def symbol_alone(text: str) -> str | None:
    """The symbol that ``text`` writes where it is not known which there are: BTC/USDT of
    ``btc/usdt``, and of whatever :func:`symbol_among` takes for a price in dollars of any kind;
    None where it writes none."""
    if len(text) > _LONGEST:
        return None
    match = _ALONE.fullmatch(text.strip().upper()) or _IN_DOLLARS.fullmatch(text.strip().upper())
    return None if match is None else f"{match[1]}/{match[2]}"


def no_symbol(name: str, symbols: Iterable[str]) -> InvalidRequest:
    """The error that ``name`` means none of ``symbols``."""
    there = ", ".join(symbols) or "none, as no feed runs"
    return InvalidRequest(f"There is no symbol {name!r:.40} here. There are: {there}.")


def _is_written(text: str, symbol: str, spelling: Callable[[str], re.Pattern[str]]) -> bool:
    return spelling(symbol).fullmatch(text) is not None


@functools.cache
def _spelling(symbol: str) -> re.Pattern[str]:
    """How ``symbol`` itself may be written."""
    base, _, quote = map(re.escape, symbol.partition("/"))
    return re.compile(
        rf"{_EXCHANGE}(?:{base}|{_ALSO.get(base, base)}){_BETWEEN}{quote}(?::{quote}|{_PERPETUAL})?"
    )


@functools.cache
def _spelling_in_dollars(symbol: str) -> re.Pattern[str]:
    """How ``symbol`` may be written by those who do not say in which dollars it is priced."""
    base, _, quote = map(re.escape, symbol.partition("/"))
    if quote not in DOLLARS:
        return re.compile(r"(?!)")
    dollars = rf"{_BETWEEN}USD{_PERPETUAL}?|{_PERPETUAL}"
    return re.compile(rf"{_EXCHANGE}(?:{base}|{_ALSO.get(base, base)})(?:{dollars})")
