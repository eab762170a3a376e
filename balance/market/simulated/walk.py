"""The random walk of the simulated market, and its quotes and candles.

Log prices move by a factor that all symbols share and one of their own. How much they move follows
a slow wave (quiet and restless hours) and jumps, after which the market calms down within minutes.
They are drawn back to where they began, but over months. The walk is in floats; its prices become
exact, on the tick, before anyone sees them.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

from balance.core.candles import MINUTE
from balance.core.instrument import Instrument
from balance.core.quote import Candle, Quote

_YEAR: Final = 365 * 86400.0
# Unrest is the logarithm of the volatility against its mean: its standard deviation, and the time
# in seconds over which it fades.
_UNREST: Final = 0.35
_UNREST_TIME: Final = 3 * 3600.0
# Jumps a second, what one adds to volatility (1 doubles it) and how fast that fades, in seconds.
_JUMPS: Final = 3.0 / 86400
_HEAT: Final = 2.0
_HEAT_TIME: Final = 480.0
_SMALLEST_JUMP: Final = 0.003
_LARGEST_JUMP: Final = 0.015
_RETURN_TIME: Final = 60 * 86400.0
# How far the mark lags behind the price, in seconds.
_MARK_TIME: Final = 2.0
_MINUTE: Final = timedelta(seconds=MINUTE)
_USUAL_RATE: Final = 0.0001
_RATE_DEVIATION: Final = 0.00008
_HIGHEST_RATE: Final = 0.0005
# Further than this no logarithm of the walk, and no number by chance, ever is from its middle.
_FURTHEST: Final = 10.0


@dataclass(frozen=True, slots=True)
class Character:
    """What is typical of one symbol."""

    # The price that it begins at and is drawn back to, in the quote currency.
    start: float
    # The volatility of a year without jumps, as a fraction.
    volatility: float
    # How much of its moves the symbols share: the correlation of two is the product of theirs.
    shared: float
    # The size of its jumps against those of the first symbol.
    jumpiness: float
    # Base units traded in a quiet second.
    volume: float
    # By how many ticks the spread is wider than one, on average, while the market is quiet.
    width: float


CHARACTERS: Final[Mapping[str, Character]] = {
    "BTC/USDT": Character(64_000, 0.50, 0.90, 1.0, 0.55, 0.4),
    "ETH/USDT": Character(3_400, 0.63, 0.88, 1.15, 7.0, 0.5),
    "SOL/USDT": Character(150, 0.82, 0.80, 1.3, 60.0, 1.0),
}


class Move(NamedTuple):
    """What one step did to one symbol."""

    # The middle between bid and ask, before and after the step.
    before: float
    price: float
    mark: float
    # The standard deviation of the logarithm's diffusion over the step.
    deviation: float
    # Ticks between bid and ask, at least one.
    spread: int
    # Traded in the step, in base units.
    volume: float


class Walk:
    """Where the market stands; each step moves it on by some seconds."""

    def __init__(self, seed: int) -> None:
        self.chance: Final = random.Random(seed)  # noqa: S311 - no secret hangs on it
        self._unrest = self.chance.gauss(0, _UNREST)
        self._heat = 0.0
        self._logs = {symbol: math.log(each.start) for symbol, each in CHARACTERS.items()}
        self._marks = {symbol: each.start for symbol, each in CHARACTERS.items()}

    def step(self, seconds: float) -> dict[str, Move]:
        """Move on by ``seconds``: what that does to each symbol."""
        gauss = self.chance.gauss
        rest = math.exp(-seconds / _UNREST_TIME)
        self._unrest = self._unrest * rest + gauss(0, _UNREST) * math.sqrt(1 - rest * rest)
        self._heat *= math.exp(-seconds / _HEAT_TIME)
        jump = self._jump(seconds)
        # The mean of the square is one, so that unrest leaves the volatility of a year as it is.
        turbulence = math.exp(self._unrest - _UNREST**2) * (1 + self._heat)
        shared = gauss(0, 1)
        return {
            symbol: self._moved(symbol, each, seconds, turbulence, shared, jump)
            for symbol, each in CHARACTERS.items()
        }

    def saved(self) -> dict[str, Any]:
        """All of it, as JSON."""
        version, numbers, spare = self.chance.getstate()
        return {
            "chance": [version, list(numbers), spare],
            "unrest": self._unrest,
            "heat": self._heat,
            "logs": dict(self._logs),
            "marks": dict(self._marks),
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take the state that :meth:`saved` returned.

        Raises:
            ValueError, TypeError, KeyError: that is not what it returned.
        """
        version, numbers, spare = saved["chance"]
        known = None if spare is None else _near(spare, 0, _FURTHEST)
        self.chance.setstate((version, tuple(numbers), known))
        self._unrest = _near(saved["unrest"], 0, _FURTHEST)
        self._heat = _near(saved["heat"], _HEAT / 2, _HEAT / 2)
        for symbol, each in CHARACTERS.items():
            begun = math.log(each.start)
            self._logs[symbol] = _near(saved["logs"][symbol], begun, _FURTHEST)
            mark = _near(saved["marks"][symbol], each.start, each.start * math.exp(_FURTHEST))
            self._marks[symbol] = max(mark, 0.0)

    def _jump(self, seconds: float) -> float:
        if self.chance.random() >= _JUMPS * seconds:
            return 0.0
        self._heat = _HEAT
        return self.chance.choice((-1, 1)) * (_SMALLEST_JUMP + self.chance.expovariate(300))

    def _moved(
        self,
        symbol: str,
        character: Character,
        seconds: float,
        turbulence: float,
        shared: float,
        jump: float,
    ) -> Move:
        own = self.chance.gauss(0, 1)
        noise = character.shared * shared + math.sqrt(1 - character.shared**2) * own
        deviation = character.volatility * turbulence * math.sqrt(seconds / _YEAR)
        log = self._logs[symbol]
        drawn = (math.log(character.start) - log) * seconds / _RETURN_TIME
        sized = math.copysign(min(abs(jump) * character.jumpiness, _LARGEST_JUMP), jump)
        self._logs[symbol] = log + drawn + deviation * noise + sized
        price = math.exp(self._logs[symbol])
        lag = math.exp(-seconds / _MARK_TIME)
        self._marks[symbol] = price + (self._marks[symbol] - price) * lag
        wider = self.chance.expovariate(1) * character.width * turbulence
        busy = turbulence * (1 + 2 * self._heat) * (0.3 + noise * noise)
        volume = character.volume * seconds * busy * math.exp(self.chance.gauss(0, 0.5))
        return Move(
            before=math.exp(log),
            price=price,
            mark=self._marks[symbol],
            deviation=deviation,
            spread=1 + int(wider),
            volume=volume,
        )


def _near(number: Any, middle: float, most: float) -> float:
    """``number``, which is at most so far from the ``middle``."""
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not abs(number - middle) <= most:
        raise ValueError(f"{number!r:.40} is no number near {middle:g}")
    return float(number)


def _exact_price(instrument: Instrument, price: float) -> Decimal:
    """``price`` on the tick, at least one tick."""
    ticks = round(price / float(instrument.tick_size))
    return max(ticks, 1) * instrument.tick_size


def exact_volume(instrument: Instrument, volume: float) -> Decimal:
    """``volume`` in base units, cut to the step."""
    return int(volume / float(instrument.step_size)) * instrument.step_size


def quote_of(
    instrument: Instrument,
    move: Move,
    moment: datetime,
    *,
    funding_rate: Decimal,
    day_open: Decimal | None,
) -> Quote:
    """The quote after ``move``; the last trade took the ask if the price rose, else the bid."""
    tick = instrument.tick_size
    # Half of the spread lies below the price.
    bid = _exact_price(instrument, move.price - float(tick) * (move.spread - 1) / 2)
    ask = bid + tick * move.spread
    return Quote(
        symbol=instrument.symbol,
        bid=bid,
        ask=ask,
        last=ask if move.price > move.before else bid,
        mark=_exact_price(instrument, move.mark),
        time=moment,
        funding_rate=funding_rate,
        day_open=day_open,
    )


def past_candles(
    walk: Walk, instruments: Mapping[str, Instrument], begin: datetime, minutes: int
) -> dict[str, list[Candle]]:
    """The candles of the ``minutes`` from ``begin`` on, by symbol; moves ``walk`` to their end."""
    candles: dict[str, list[Candle]] = {symbol: [] for symbol in instruments}
    for minute in range(minutes):
        for symbol, move in walk.step(MINUTE).items():
            if symbol in instruments:
                instrument = instruments[symbol]
                candle = _candle(instrument, move, begin + minute * _MINUTE, walk.chance)
                candles[symbol].append(candle)
    return candles


@lru_cache(maxsize=64)
def funding_rate(seed: int, symbol: str, instant: datetime) -> Decimal:
    """The rate of the settlement at ``instant``, the same at every call: about 0.01 %, at most
    0.05 % either way."""
    # A text is hashed the same way in every process.
    chance = random.Random(f"{seed} {symbol} {instant.timestamp():.0f}")  # noqa: S311 - no secret hangs on it
    rate = chance.gauss(_USUAL_RATE, _RATE_DEVIATION)
    return Decimal(f"{max(-_HIGHEST_RATE, min(_HIGHEST_RATE, rate)):.6f}")


def _candle(instrument: Instrument, move: Move, begin: datetime, chance: random.Random) -> Candle:
    opened = _exact_price(instrument, move.before)
    closed = _exact_price(instrument, move.price)
    return Candle(
        time=begin,
        open=opened,
        high=max(opened, closed, _exact_price(instrument, _extreme(move, 1, chance))),
        low=min(opened, closed, _exact_price(instrument, _extreme(move, -1, chance))),
        close=closed,
        volume=exact_volume(instrument, move.volume),
    )


def _extreme(move: Move, side: int, chance: random.Random) -> float:
    # Of a Brownian bridge, P(max > m) = exp(-2 (m - a)(m - b) / variance); this is solved for m.
    change = math.log(move.price / move.before)
    reach = math.sqrt(change**2 - 2 * move.deviation**2 * math.log(1 - chance.random()))
    return move.before * math.exp((change + side * reach) / 2)
