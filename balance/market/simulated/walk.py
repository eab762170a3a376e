"""The random walk of the simulated market.

Log prices move by a factor that all symbols share and one of their own. How much they move follows
a slow wave (quiet and restless hours) and jumps, after which the market calms down within minutes.
They are drawn back to where they began, but over months. Floats do here: what comes out of the
simulation becomes exact money, on the tick, before anyone sees it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_YEAR: Final = 365 * 86400.0
# unrest is the logarithm of the volatility against its mean: its standard deviation, and the time
# in seconds over which it is forgotten
_UNREST: Final = 0.35
_UNREST_TIME: Final = 3 * 3600.0
# jumps a second, what one adds to volatility (1 doubles it) and how fast that fades, in seconds
_JUMPS: Final = 3.0 / 86400
_HEAT: Final = 2.0
_HEAT_TIME: Final = 480.0
_SMALLEST_JUMP: Final = 0.003
_LARGEST_JUMP: Final = 0.015
_RETURN_TIME: Final = 60 * 86400.0
# how far the mark lags behind the price, in seconds
_MARK_TIME: Final = 2.0


@dataclass(frozen=True, slots=True)
class Character:
    """What is typical of one symbol."""

    # where the price begins and is drawn back to, in the quote currency
    start: float
    # a year, as a fraction, without jumps
    volatility: float
    # how much of its moves the symbols share: the correlation of two is the product of theirs
    shared: float
    # its jumps against those of the first symbol
    jumpiness: float
    # base units traded in a quiet second
    volume: float
    # ticks that the spread is wider than one, on average, while the market is quiet
    width: float


CHARACTERS: Final[Mapping[str, Character]] = {
    "BTC/USDT": Character(64_000, 0.50, 0.90, 1.0, 0.55, 0.4),
    "ETH/USDT": Character(3_400, 0.63, 0.88, 1.15, 7.0, 0.5),
    "SOL/USDT": Character(150, 0.82, 0.80, 1.3, 60.0, 1.0),
}


class Move(NamedTuple):
    """What one step did to one symbol."""

    # in the middle between bid and ask, before and after the step
    before: float
    price: float
    mark: float
    # the standard deviation of the logarithm's diffusion over the step
    deviation: float
    # ticks between bid and ask, at least one
    spread: int
    # traded in the step, in base units
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
        kept = math.exp(-seconds / _UNREST_TIME)
        self._unrest = self._unrest * kept + gauss(0, _UNREST) * math.sqrt(1 - kept * kept)
        self._heat *= math.exp(-seconds / _HEAT_TIME)
        jump = self._jump(seconds)
        # the mean of the square is one: unrest leaves the volatility of a year as it is
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
        """Stand where :meth:`saved` was called.

        Raises:
            ValueError, TypeError, KeyError: that is not what it returned.
        """
        version, numbers, spare = saved["chance"]
        self.chance.setstate((version, tuple(numbers), spare))
        self._unrest, self._heat = _finite(saved["unrest"]), _finite(saved["heat"])
        self._logs = {symbol: _finite(saved["logs"][symbol]) for symbol in CHARACTERS}
        self._marks = {symbol: _finite(saved["marks"][symbol]) for symbol in CHARACTERS}

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


def _finite(number: Any) -> float:
    if not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError(f"{number!r} is not a number")
    return float(number)
