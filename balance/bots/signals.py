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
from balance.core.shape import Doc, fields_of
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


_Symbol = Annotated[str | None, Doc("Such as BTC/USDT, also written btc-usdt or BTCUSDT.P.")]
_Side = Annotated[
    str | None, Doc("buy or long, sell or short, close or flat.", pattern=f"^({_SIDES})$")
]
_Ignored = Annotated[Any, Doc("Ignored.")]


class AlertMembers(TypedDict, total=False):
    """What alerts carry beside a signal, which changes nothing."""

    bar: _Ignored
    close: _Ignored
    comment: _Ignored
    # In a turn from long to short, TradingView counts what it closes as well.
    contracts: _Ignored
    exchange: _Ignored
    interval: _Ignored
    market_position_size: _Ignored
    position_size: _Ignored
    prev_market_position: _Ignored
    prev_market_position_size: _Ignored
    price: _Ignored
    time: _Ignored
    timenow: _Ignored
    volume: _Ignored


class SignalRequest(TypedDict):
    """A signal as it is requested."""

    symbol: NotRequired[_Symbol]
    ticker: NotRequired[_Symbol]
    market_position: NotRequired[_Side]
    side: NotRequired[_Side]
    action: NotRequired[_Side]
    confidence: NotRequired[
        Annotated[
            float | None,
            Doc("What min_confidence of a bot compares.", minimum=0, maximum=1, default=1),
        ]
    ]
    size: NotRequired[
        Annotated[
            Decimal | None,
            Doc("In base units; by default each bot's own stake. A close has none.", minimum=0),
        ]
    ]
    source: NotRequired[Annotated[str | None, Doc("Who gives it.", maxLength=_LONGEST_SOURCE)]]
    strategy: NotRequired[
        Annotated[
            Any,
            Doc(
                "A name, which is the source where that is missing; or an object with "
                "market_position and order_action, which are the side where that is missing."
            ),
        ]
    ]


def is_secret(shown: object, secret: str | None) -> bool:
    """Whether ``shown`` is the ``secret`` that signals from outside must show; None: any is."""
    if secret is None:
        return True
    # Half a pair of surrogates is a text that could not be encoded otherwise.
    return isinstance(shown, str) and hmac.compare_digest(
        shown.encode(errors="surrogatepass"), secret.encode()
    )


#: What a signal may have.
MEMBERS: Final = (*fields_of(SignalRequest), *fields_of(AlertMembers))


@dataclass(frozen=True, slots=True)
class OutsideSignal:
    """A signal for the bots of a symbol."""

    symbol: str
    signal: Signal
    # In base units; None: by the stake of each bot.
    size: Decimal | None


def signal_of(members: Mapping[str, Any], market: Market) -> OutsideSignal:
    """The signal in ``members``; None is the same as a missing one.

    A ``ticker`` is a symbol, an ``action`` a side. A ``market_position`` is the side whatever the
    other two say: an alert that sells to go flat closes, and opens nothing.

    Raises:
        InvalidRequest: a member is missing, unknown or none of its values.
        InvalidAmount: a number is none, or out of its range.
    """
    check_names(members, MEMBERS, "A signal")
    given = {name: value for name, value in members.items() if value is not None}
    side, size = _side(given), given.get("size")
    return OutsideSignal(
        symbol=symbol(given.get("symbol", given.get("ticker")), market),
        signal=Signal(side, _confidence(given.get("confidence")), _reason(given)),
        # Alerts of a strategy that went flat have the size 0.
        size=None if size is None or side == "close" else positive(size, "size"),
    )


def _side(given: Mapping[str, Any]) -> Side:
    strategy = given.get("strategy")
    nested = strategy if isinstance(strategy, Mapping) else {}
    named = [
        ("market_position", given.get("market_position", nested.get("market_position"))),
        ("side", given.get("side")),
        ("action", given.get("action", nested.get("order_action"))),
    ]
    found = [(name, value) for name, value in named if value is not None] or [("side", None)]
    sides = []
    for name, value in found:
        if not isinstance(value, str) or value.lower() not in SIDES:
            raise InvalidRequest(f"{name} must be one of {', '.join(SIDES)}, not {value!r:.40}.")
        sides.append(SIDES[value.lower()])
    if found[0][0] == "side" and len(set(sides)) > 1:
        raise InvalidRequest(
            f"side says {found[0][1]}, but action says {found[1][1]}: send one of them."
        )
    return sides[0]


def _confidence(value: object) -> float:
    if value is None:
        return 1.0
    confidence = number(value, "confidence")
    if not 0 <= confidence <= 1:
        raise InvalidAmount(f"The confidence must be from 0 to 1, not {grouped(confidence):.40}.")
    return float(confidence)


def _reason(given: Mapping[str, Any]) -> str:
    source, strategy = given.get("source"), given.get("strategy")
    if source is None and isinstance(strategy, str) and strategy.isprintable():
        source = strategy[:_LONGEST_SOURCE]
    if source is None:
        return "Signal from outside"
    if not isinstance(source, str) or not source.isprintable() or len(source) > _LONGEST_SOURCE:
        raise InvalidRequest(f"source must be a printable text of at most {_LONGEST_SOURCE}.")
    return f"Signal of {source}" if source else "Signal from outside"
