"""Symbols as the names of files, their columns and people write them."""

from __future__ import annotations

import re
from typing import Final

from balance.core.instruments import DOLLARS, LADDERS, is_same_but_for_dollars
from balance.core.symbols import symbol_alone
from balance.market.feed import FeedFault

# Such as BTCUSDT-1m-2022-01, Binance_ETH_USDT_1h and btc-usdt.
_IN_A_NAME: Final = re.compile(r"(?<![A-Z0-9])([A-Z0-9]{1,15}?)[-_ ]?USDT")
# Other quote currencies: with these, only symbols whose base is known are seen in a name.
_QUOTES: Final = (
    *DOLLARS[1:],
    *("BTC", "ETH", "BNB", "EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "AUD", "CAD", "CHF", "RUB"),
    *("UAH", "PLN", "INR", "IDR", "ZAR", "MXN", "ARS", "NGN", "THB", "VND"),
)
_BASES: Final = sorted({*LADDERS, *(each.removeprefix("1000") for each in LADDERS)})
_OTHERS_IN_A_NAME: Final = re.compile(
    rf"(?<![A-Z0-9])({'|'.join(_BASES)})[-_ ]?({'|'.join(_QUOTES)})(?![A-Z0-9])"
)


def symbol_in(name: str) -> str | None:
    """The symbol that the ``name`` of a file, or a person, means: ``BTC/USDT`` of
    ``BTCUSDT-1m-2022-01``; None where it means none."""
    written = symbol_alone(name) if "/" in name else None
    if written is not None:
        return written
    guess = _IN_A_NAME.search(name.upper())
    if guess is not None:
        return f"{guess[1]}/USDT"
    other = _OTHERS_IN_A_NAME.search(name.upper())
    return None if other is None else f"{other[1]}/{other[2]}"


def check_column(name: str, column: str | None, symbol: str) -> None:
    """Prove that the file called ``name``, whose ``column`` of symbols may say one, is of
    ``symbol``.

    Raises:
        FeedFault: it is of another one.
    """
    named = symbol_in(column or "") or symbol
    if named != symbol and not is_same_but_for_dollars(named, symbol):
        raise FeedFault(f"{name} has candles of {named}, not of {symbol}: give a file of {symbol}.")
