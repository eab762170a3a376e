"""Closed candles as a strategy gets them: arrays of prices, and nothing of what comes later."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, overload

import numpy as np
from numpy.typing import NDArray

from balance.core.quote import Candle

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_FIRST_CAPACITY: Final = 1024
_PRICES: Final = ("open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One closed candle as a strategy sees it; ``time`` is when it began, in UTC."""

    time: datetime
    open: float
    high: float
    low: float
    close: float
    volume: float


class Candles:
    """Closed candles, oldest first; read-only, and nothing leads from them to later ones.

    ``candles[-1]`` is the newest as a :class:`Bar`, ``candles[-5:]`` are the newest five.
    """

    # The arrays of single prices are views made at each access, as a backtest makes many windows.
    __slots__ = ("_rows", "_times")

    def __init__(self, times: Integers, rows: Floats) -> None:
        self._times = times
        self._rows = rows

    @classmethod
    def of(cls, candles: Iterable[Candle]) -> Candles:
        """The given candles, oldest first."""
        buffer = CandleBuffer()
        for candle in candles:
            buffer.add(candle)
        return buffer.window(len(buffer))

    @property
    def times(self) -> Integers:
        """When each began, in Unix seconds."""
        return self._times

    @property
    def open(self) -> Floats:
        """The first price of each, in the quote currency."""
        return self._row(0)

    @property
    def high(self) -> Floats:
        """The highest price of each, in the quote currency."""
        return self._row(1)

    @property
    def low(self) -> Floats:
        """The lowest price of each, in the quote currency."""
        return self._row(2)

    @property
    def close(self) -> Floats:
        """The last price of each, in the quote currency."""
        return self._row(3)

    @property
    def volume(self) -> Floats:
        """What was traded in each, in base units."""
        return self._row(4)

    def _row(self, place: int) -> Floats:
        row: Floats = self._rows[place]
        return row

    def __len__(self) -> int:
        return len(self._times)

    @overload
    def __getitem__(self, place: int) -> Bar: ...
    @overload
    def __getitem__(self, place: slice) -> Candles: ...
    def __getitem__(self, place: int | slice) -> Bar | Candles:
        if isinstance(place, slice):
            if place.step not in (None, 1):
                raise ValueError("candles are taken in their order: a slice has no step")
            return Candles(self._times[place], self._rows[:, place])
        time = datetime.fromtimestamp(int(self._times[place]), UTC)
        return Bar(time=time, **dict(zip(_PRICES, self._rows[:, place].tolist(), strict=True)))

    def __iter__(self) -> Iterator[Bar]:
        return (self[place] for place in range(len(self)))

    def __repr__(self) -> str:
        return f"<Candles: {len(self)}{f', newest {self[-1]}' if len(self) else ''}>"


class CandleBuffer:
    """Candles that come one by one, and windows on the newest of them; both cost little.

    A window stays as it is when more are added. What is not known yet is NaN, so that not even the
    memory behind a window has later candles when it is made.
    """

    def __init__(self) -> None:
        self._count = 0
        self._room(_FIRST_CAPACITY)

    def __len__(self) -> int:
        return self._count

    def add(self, candle: Candle) -> None:
        """Add ``candle``, which is newer than all before."""
        place = self._count
        if place == len(self._times):
            times, prices = self._times, self._prices
            self._room(2 * place)
            self._times[:place] = times
            self._prices[:, :place] = prices
        self._times[place] = int(candle.time.timestamp())
        prices = self._prices
        prices[0, place] = float(candle.open)
        prices[1, place] = float(candle.high)
        prices[2, place] = float(candle.low)
        prices[3, place] = float(candle.close)
        prices[4, place] = float(candle.volume)
        self._count += 1

    def window(self, count: int) -> Candles:
        """The newest ``count`` candles, or all where there are fewer."""
        end = self._count
        begin = max(0, end - max(0, count))
        return Candles(self._shown_times[begin:end], self._shown_prices[:, begin:end])

    def _room(self, capacity: int) -> None:
        self._times = np.zeros(capacity, np.int64)
        self._prices = np.full((len(_PRICES), capacity), np.nan)
        # Views of a read-only memory can't be made writeable.
        self._shown_times = np.asarray(self._times.data.toreadonly())
        self._shown_prices = np.asarray(self._prices.data.toreadonly())
