"""Signals from outside, such as an alert of TradingView or an own model, as requests have them."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any, Final, NotRequired, TypedDict

from balance.core.errors import InvalidAmount, InvalidRequest
from balance.core.figures import grouped
from balance.core.market import Market
from balance.core.money import number
from balance.core.request import check_names, positive, symbol
from balance.core.shape import Doc
from balance.strategies.strategy import Side, Signal

#: The strategy of the bots that act on them.
SIGNALS: Final = "signals"
#: What a side may be called.
SIDES: Final[Mapping[str, Side]] = MappingProxyType(
    {
        "buy": "buy",
        "sell": "sell",
        "close": "close",
        "long": "buy",
        "short": "sell",
        "flat": "close",
    }
)
_LONGEST_SOURCE: Final = 60
# Any of the sides, in letters of either case.
_SIDES: Final = "|".join("".join(f"[{each.upper()}{each}]" for each in side) for side in SIDES)


class SignalRequest(TypedDict):
    """A signal as it is requested."""

    symbol: Annotated[str, Doc("Such as BTC/USDT, also written btc-usdt or BTCUSDT.P.")]
    side: Annotated[str, Doc("buy or long, sell or short, close or flat.", pattern=f"^({_SIDES})$")]
    confidence: NotRequired[
        Annotated[
            float | None,
            Doc("What min_confidence of a bot compares.", minimum=0, maximum=1, default=1),
        ]
    ]
    size: NotRequired[
        Annotated[
            Decimal | None,
            Doc("In base units; by default each bot's own stake.", exclusiveMinimum=0),
        ]
    ]
    source: NotRequired[Annotated[str | None, Doc("Who gives it.", maxLength=_LONGEST_SOURCE)]]


def is_secret(shown: object, secret: str | None) -> bool:
    """Whether ``shown`` is the ``secret`` that signals from outside must show; None: any is."""
    if secret is None:
        return True
    # Half a pair of surrogates is a text that could not be encoded otherwise.
    return isinstance(shown, str) and hmac.compare_digest(
        shown.encode(errors="surrogatepass"), secret.encode()
    )


#: What a signal may have.
MEMBERS: Final = tuple(SignalRequest.__annotations__)


@dataclass(frozen=True, slots=True)
class OutsideSignal:
    """A signal for the bots of a symbol."""

    symbol: str
    signal: Signal
    # In base units; None: by the stake of each bot.
    size: Decimal | None


def signal_of(members: Mapping[str, Any], market: Market) -> OutsideSignal:
    """The signal in ``members``; None is the same as a missing one.

    Raises:
        InvalidRequest: a member is missing, unknown or none of its values.
        InvalidAmount: a number is none, or out of its range.
    """
    check_names(members, MEMBERS, "A signal")
    side = members.get("side")
    if not isinstance(side, str) or side.lower() not in SIDES:
        raise InvalidRequest(f"side must be one of {', '.join(SIDES)}, not {side!r:.40}.")
    size = members.get("size")
    return OutsideSignal(
        symbol=symbol(members.get("symbol"), market),
        signal=Signal(
            SIDES[side.lower()], _confidence(members.get("confidence")), _reason(members)
        ),
        size=None if size is None else positive(size, "size"),
    )


def _confidence(value: object) -> float:
    if value is None:
        return 1.0
    confidence = number(value, "confidence")
    if not 0 <= confidence <= 1:
        raise InvalidAmount(f"The confidence must be from 0 to 1, not {grouped(confidence):.40}.")
    return float(confidence)


def _reason(members: Mapping[str, Any]) -> str:
    source = members.get("source")
    if source is None:
        return "Signal from outside"
    if not isinstance(source, str) or not source.isprintable() or len(source) > _LONGEST_SOURCE:
        raise InvalidRequest(f"source must be a printable text of at most {_LONGEST_SOURCE}.")
    return f"Signal of {source}" if source else "Signal from outside"
