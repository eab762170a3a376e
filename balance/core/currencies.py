"""Which currencies prices may be in: USDT, and dollars that are taken for as much."""

from __future__ import annotations

from typing import Final

from balance.core.errors import InvalidRequest
from balance.core.money import CURRENCY

#: What is taken 1:1 for USDT, with USDT itself.
DOLLARS: Final = (
    *(CURRENCY, "USD", "USDC", "BUSD", "FDUSD", "TUSD", "DAI", "USDD", "USDP", "PYUSD"),
    *("GUSD", "USDE", "USDS", "USD1", "RLUSD"),
)


def check_dollars(symbol: str) -> None:
    """Prove that ``symbol``, such as ETH/USDT, is priced in dollars.

    Raises:
        InvalidRequest: it is not, so that its prices would be no amounts of USDT.
    """
    base, _, quote = symbol.partition(":")[0].partition("/")
    if quote not in DOLLARS:
        raise InvalidRequest(
            f"{symbol} is priced in {quote}, but the balance is in {CURRENCY}: "
            f"only prices in {CURRENCY} or a dollar coin ({', '.join(DOLLARS[1:4])} and the like) "
            f"can be traded here. Choose {base}/{CURRENCY} instead."
        )


def is_same_but_for_dollars(symbol: str, other: str) -> bool:
    """Whether both are of one base currency and each is priced in some dollar."""
    (base, _, quote), (other_base, _, other_quote) = symbol.partition("/"), other.partition("/")
    return base == other_base and {quote, other_quote} <= set(DOLLARS)


def label(symbol: str) -> str:
    """``symbol`` as it is offered to be chosen: ``"BTC/USDC (1:1 USDT)"``."""
    return f"{symbol} (1:1 {CURRENCY})" if dollar_note(symbol) else symbol


def dollar_note(symbol: str) -> str:
    """What there is to say of the currency of ``symbol``; empty where that is USDT."""
    quote = symbol.partition("/")[2]
    return "" if quote == CURRENCY else f"{symbol}: 1 {quote} is taken as 1 {CURRENCY}."
