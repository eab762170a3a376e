"""Errors in the dialect: a code that programs react to, and a message."""

from __future__ import annotations

from typing import Final, NamedTuple

from balance.api.problems import Problem
from balance.core.errors import (
    BalanceError,
    ClientIdInUse,
    InsufficientBalance,
    LeverageInUse,
    LeverageTooHigh,
    MarketRefused,
    NoLivePrice,
    NotionalTooSmall,
    NotYours,
    OtherFeed,
    PositionTooLarge,
    QuantityTooLarge,
    QuantityTooSmall,
    StaleRevision,
    StoreError,
    TooManyOrders,
    TriggerReached,
    UnknownOrder,
    UnknownPosition,
)

# ccxt goes by the text before it looks at the code, and knows the codes of futures only at the
# exchange's own addresses: the words in brackets make it raise the right error here.
INSUFFICIENT_BALANCE: Final = "Account has insufficient balance for requested action."
NOTHING_TO_REDUCE: Final = "ReduceOnly Order is rejected. [LOT_SIZE: no position to reduce]"
TRIGGER_REACHED: Final = "Stop price would trigger immediately."
TOO_LARGE: Final = "Exceeded the maximum allowable position at current leverage. [LOT_SIZE]"
NOTIONAL_TOO_SMALL: Final = (
    "Order's notional must be no smaller than {fault.least:f} (unless you choose reduce only). "
    "[LOT_SIZE]"
)
CLIENT_ID_IN_USE: Final = "ClientOrderId is duplicated. [LOT_SIZE]"
TOO_MANY_ORDERS: Final = "Reach max open order limit."
NO_SUCH_ORDER: Final = "Order does not exist."
NO_OPEN_ORDER: Final = "Unknown order sent."


class Refusal(Exception):
    """A request that is answered with the ``code`` of an error and ``message``."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class _Row(NamedTuple):
    """What one kind of error of the account is in the dialect."""

    kind: type[BalanceError]
    code: int
    # By default its own.
    message: str = "{fault}"
    status: int = 400


#: The errors of the account; the first that fits counts.
FAULTS: Final = (
    _Row(InsufficientBalance, -2019, INSUFFICIENT_BALANCE),
    _Row(NoLivePrice, -1001, status=503),
    _Row(StoreError, -1001, status=503),
    _Row(StaleRevision, -1001, status=503),
    _Row(UnknownOrder, -2013, NO_SUCH_ORDER),
    _Row(UnknownPosition, -2022, NOTHING_TO_REDUCE),
    _Row(TriggerReached, -2021, TRIGGER_REACHED),
    _Row(TooManyOrders, -2025, TOO_MANY_ORDERS),
    _Row(PositionTooLarge, -2027, TOO_LARGE),
    _Row(LeverageTooHigh, -2027, TOO_LARGE),
    _Row(QuantityTooSmall, -4003),
    _Row(QuantityTooLarge, -4005),
    _Row(ClientIdInUse, -4116, CLIENT_ID_IN_USE),
    _Row(LeverageInUse, -4161),
    _Row(NotionalTooSmall, -4164, NOTIONAL_TOO_SMALL),
    _Row(NotYours, -2010),
    _Row(OtherFeed, -2010),
    _Row(MarketRefused, -2010),
    _Row(BalanceError, -1106),
)


def refusal_of(fault: Refusal | BalanceError | Problem) -> Refusal:
    """What ``fault`` is in the dialect."""
    if isinstance(fault, Refusal):
        return fault
    if isinstance(fault, Problem):
        # A guard's: another host name, a page of another site.
        return Refusal(-1106, str(fault), fault.status)
    row = next(row for row in FAULTS if isinstance(fault, row.kind))
    return Refusal(row.code, row.message.format(fault=fault), row.status)


def paused() -> Refusal:
    """That a paused key may not do it, as it may only read, cancel and close."""
    return Refusal(-2010, "This key is paused.")


def other_side() -> Refusal:
    """That there is no such side of a position, as positions are one-way."""
    return Refusal(-4061, "Order's position side does not match user's setting.")


def missing(name: str) -> Refusal:
    """That the parameter ``name`` is needed."""
    return Refusal(
        -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."
    )


def illegal(name: str, legal: str) -> Refusal:
    """That the parameter ``name`` is not as the pattern ``legal`` says."""
    return Refusal(
        -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
    )


def invalid(name: str) -> Refusal:
    """That the value of the parameter ``name`` is not one of those that it may have."""
    return Refusal(-1130, f"Data sent for parameter '{name}' is not valid.")


def no_listen_key() -> Refusal:
    """That a listen key is not open."""
    return Refusal(-1125, "This listenKey does not exist.")


def unknown_path(method: str, path: str) -> Refusal:
    """That nothing is served at ``path`` for ``method``."""
    return Refusal(-5000, f"Path {path[:100]}, Method {method[:20]} is invalid", status=404)
