"""Files of candles, played again as if they happened now."""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any, Final

from balance.core.instrument import Instrument
from balance.core.moments import from_iso
from balance.core.quote import Candle, Quote, Settlement
from balance.market.feed import FeedFault, FeedState
from balance.market.replay.candle_file import CandleFile, read_candles
from balance.market.replay.cells import time_text
from balance.market.replay.track import Moment, Track
from balance.market.symbols import check_column

_TIME: Final = attrgetter("time")
# A gap in the files takes no longer than this by the wall clock.
_GAP_SECONDS: Final = 1.0
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)


def replay_id(files: Mapping[str, Path | CandleFile]) -> str:
    """The id of a replay of ``files`` by symbol: ``replay:BTC/USDT=btc.csv,ETH/USDT=eth.csv``."""
    return "replay:" + ",".join(f"{symbol}={files[symbol].name}" for symbol in sorted(files))


class ReplayFeed:
    """Candles of several symbols in step on one market clock; each becomes four moments, none of
    which is ever left out."""

    def __init__(
        self,
        files: Mapping[str, Path | CandleFile],
        speed: Decimal | float | None = 1,
        start: datetime | None = None,
        funding_rate: Decimal | None = None,
        funding_interval: timedelta | None = None,
        saved: Mapping[str, Any] | None = None,
        last_trade: datetime | None = None,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] | None = None,
    ) -> None:
        """``speed`` is market time by wall time; None waits for nothing at all. The replay starts
        at ``start``, or else continues where ``saved`` was made, or else starts with the files.
        ``funding_rate`` and ``funding_interval`` count where a file has none. ``wait`` waits for
        some seconds, or until :meth:`stop`. The replay does not continue before ``last_trade``.

        Raises:
            FeedFault: a file can't be read, or ``speed``, ``start`` or ``saved`` can't be.
        """
        self.id = replay_id(files)
        self._slowness = None if speed is None else 1 / _checked(speed)
        self.label = "REPLAY" if speed in (None, 1) else f"REPLAY {_plain(speed)}x"
        read = {
            symbol: read_candles(file) if isinstance(file, Path) else file
            for symbol, file in files.items()
        }
        for symbol, file in read.items():
            check_column(file.name, file.symbol, symbol)
        #: What there is to know of the files, in sentences.
        self.notes = tuple(note for symbol, file in read.items() for note in _notes(symbol, file))
        self._tracks = [
            Track(number, symbol, file, funding_rate, funding_interval)
            for number, (symbol, file) in enumerate(read.items())
        ]
        self._by_symbol = dict(zip(files, self._tracks, strict=True))
        self._clock = clock
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._guard = threading.Lock()
        self._live = False
        # When the coming moment is due, by the wall clock; None until the first :meth:`next`.
        self._due: float | None = None
        # The time of the last moment that was played.
        self._position = self._first_position(start, saved, last_trade)
        after = [track.start_after(self._position) for track in self._tracks]
        self._batches: Iterator[tuple[datetime, list[Moment]]] = (
            (moment, list(batch)) for moment, batch in groupby(heapq.merge(*after), key=_TIME)
        )
        self._coming = next(self._batches, None)
        self._ended = self._coming is None

    def start(self) -> None:
        """Nothing: the clock runs from the first :meth:`next`."""

    def next(self, timeout: float) -> Sequence[Quote]:
        """The quotes of the next moment, of each symbol that has one then."""
        if self._coming is None:
            # Only now, so that what the last quotes caused was done while they were live.
            self._ended = True
            self._wait(timeout)
            return ()
        if not self._is_due(timeout):
            return ()
        moment, batch = self._coming
        with self._guard:
            self._position, self._live = moment, True
            quotes = [self._tracks[each.track].play(each) for each in batch]
            self._coming = next(self._batches, None)
        if self._coming is not None and self._due is not None:
            self._due += self._wall_seconds((self._coming[0] - moment).total_seconds())
        return quotes

    @property
    def instruments(self) -> Mapping[str, Instrument]:
        """By symbol; others once a price has left the grid of those from before."""
        return {symbol: track.instrument for symbol, track in self._by_symbol.items()}

    @property
    def state(self) -> FeedState:
        """``waiting`` before the first quotes, then ``live``; ``ended`` after the last ones."""
        if self._ended:
            return "ended"
        return "live" if self._live else "waiting"

    @property
    def message(self) -> str:
        """Which grids have changed on the way; once it has ended that, and how to see it again."""
        if not self._ended:
            return " ".join(filter(None, (each.message for each in self._tracks)))
        ended = time_text(self._position)
        return f"The replay has ended at {ended}. Start with --from to see it again."

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest candles as of the replay's present, with what the files have from before its
        beginning; those of the file where ``seconds`` is shorter than they are."""
        with self._guard:
            return self._by_symbol[symbol].chart.newest(seconds, limit)

    def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """The settlement at ``instant``, at the mark price of that instant or the last one before
        it. None without a rate, or while it is still to come."""
        with self._guard:
            known = instant <= self._position
            return self._by_symbol[symbol].settlement(instant) if known else None

    def missed(self, since: datetime) -> Iterator[Sequence[Quote]]:  # noqa: ARG002
        """Nothing: the market stood still."""
        return iter(())

    def saved(self, *, lightly: bool = False) -> dict[str, Any]:  # noqa: ARG002
        """The market time of the last moment that was played."""
        with self._guard:
            has_started = self._position > _BEFORE_ALL
            return {"time": self._position.isoformat() if has_started else None}

    def stop(self) -> None:
        """Wake whoever waits for a quote."""
        self._stopped.set()

    def _first_position(
        self, start: datetime | None, saved: Mapping[str, Any] | None, last_trade: datetime | None
    ) -> datetime:
        """The moment after which the replay starts."""
        if start is None:
            position = _position(saved) if saved else _BEFORE_ALL
            return position if last_trade is None else max(position, last_trade)
        end = max(track.last for track in self._tracks)
        if start > end:
            raise FeedFault(
                f"The replay can't begin at {time_text(start)}: its files end at {time_text(end)}. "
                f"Give --from a time before that."
            )
        if start <= min(track.first for track in self._tracks):
            return _BEFORE_ALL
        return start - datetime.resolution

    def _is_due(self, timeout: float) -> bool:
        if self._slowness is not None:
            now = self._clock()
            self._due = now if self._due is None else self._due
            ahead = self._due - now
            if ahead > 0:
                self._wait(min(ahead, timeout))
            if ahead > timeout:
                return False
        return not self._stopped.is_set()

    def _wall_seconds(self, market_seconds: float) -> float:
        wall = market_seconds * (self._slowness or 0)
        gap = market_seconds > max(track.seconds for track in self._tracks)
        return min(wall, _GAP_SECONDS) if gap else wall


def _notes(symbol: str, file: CandleFile) -> Iterator[str]:
    for note in file.notes:
        yield f"{file.name}: {note}"
    if not file.marks:
        yield f"The mark price of {symbol} is its last price."


def _checked(speed: Decimal | float) -> float:
    number = float(speed)
    if not 0 < number < math.inf:
        raise FeedFault(f"The speed of a replay is a number above 0, such as 60, not {speed}.")
    return number


def _plain(speed: Decimal | float | None) -> str:
    return f"{Decimal(str(speed)).normalize():f}"


def _position(saved: Mapping[str, Any]) -> datetime:
    try:
        return from_iso(saved["time"]) if saved["time"] is not None else _BEFORE_ALL
    except (ValueError, TypeError, KeyError, OverflowError) as fault:
        raise FeedFault(
            f"The replay can't go on where it stopped: its saved position is damaged "
            f"({fault!r}). Start it with --from, or in another data folder."
        ) from fault
