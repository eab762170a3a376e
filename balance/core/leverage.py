"""The leverage of a symbol: of what is open, else as it was set, else as the terms have it."""

from __future__ import annotations

from decimal import Decimal

from balance.core.account import Account, is_leverage
from balance.core.change import Change
from balance.core.errors import InvalidAmount, InvalidRequest, LeverageInUse, NotYours
from balance.core.figures import plain, rounded
from balance.core.market import Market
from balance.core.money import ZERO
from balance.core.trade import Effect


def leverage_of(account: Account, symbol: str, market: Market) -> Decimal:
    """The leverage of an order of ``symbol`` that names none: where nothing is open, at most what
    the smallest positions of the symbol may have."""
    used, rules = account.used_leverage(symbol), market.instruments.get(symbol)
    if used is not None:
        return used
    usual = account.set_leverage(symbol) or market.terms.default_leverage
    return usual if rules is None else min(usual, rules.brackets[0].max_leverage)


def set_leverage(
    account: Account, symbol: str, leverage: Decimal, market: Market, owner: str = ""
) -> Change:
    """The account whose orders of ``symbol`` that name no leverage have ``leverage`` from now on;
    ``owner`` sets it (empty: the person, who may always).

    Raises:
        InvalidAmount: it is no whole number from 1 to 1,000.
        InvalidRequest: the symbol is not traded here, or allows less.
        LeverageInUse: the symbol has something open at another leverage.
        NotYours: another than ``owner`` has something open of it.
    """
    most = market.instrument(symbol).brackets[0].max_leverage
    check_leverage(leverage)
    if leverage > most:
        raise InvalidRequest(
            f"{symbol} may be traded at {rounded(most)}x at most, not {rounded(leverage)}x."
        )
    other = account.other_owner(symbol, owner)
    if owner and other is not None:
        raise NotYours(symbol, other, owner)
    used = account.used_leverage(symbol)
    if used is not None and used != leverage:
        raise LeverageInUse(
            f"{symbol} is traded at {rounded(used)}x now. First close its position and cancel its "
            f"orders, then set {rounded(leverage)}x."
        )
    effect = Effect(symbol=symbol, position=account.position(symbol), leverage=leverage)
    note = f"Leverage of {symbol}: {rounded(leverage)}x"
    return Change(account).booked("leverage", ZERO, note, effect=effect)


def check_leverage(leverage: Decimal) -> None:
    """Prove that ``leverage`` may be one, of some symbol.

    Raises:
        InvalidAmount: it is no whole number from 1 to 1,000.
    """
    if not is_leverage(leverage):
        raise InvalidAmount(
            f"The leverage must be a whole number from 1 to 1,000, not {plain(leverage)}."
        )
