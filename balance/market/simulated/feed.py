"""The simulated market: it needs no network, and goes on where it stopped."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from balance.background.clock import BelievedClock
from balance.core.candles import MINUTE, interval_of
from balance.core.funding import next_settlement
from balance.core.instrument import Instrument
from balance.core.instruments import KNOWN
from balance.core.quote import Candle, Quote, Settlement
from balance.market.chart import Chart
from balance.market.feed import FeedFault, FeedState
from balance.market.simulated.packed_candles import Packer
from balance.market.simulated.walk import (
    CHARACTERS,
    Move,
    Walk,
    exact_volume,
    funding_rate,
    past_candles,
    quote_of,
)

#: Whose market has the id ``simulated``.
DEFAULT_SEED: Final = 1
#: The time between two moments.
STEP: Final = timedelta(milliseconds=250)
# After so long without a moment, the market has stood still meanwhile.
_LAPSE: Final = timedelta(seconds=5)
_DAY: Final = timedelta(days=1)
# A clock that is further ahead of the saved market than this may be wrong.
_LONGEST_REST: Final = _DAY
_PAST_MINUTES: Final = 3 * 24 * 60


def simulated_id(seed: int) -> str:
    """The id of the simulated market that grows from ``seed``."""
    return "simulated" if seed == DEFAULT_SEED else f"simulated:{seed}"


def simulated_seed(feed_id: str) -> int | None:
    """The seed of the simulated market with the id ``feed_id``; None where it is of another
    feed."""
    kind, _, seed = feed_id.partition(":")
    if kind != "simulated":
        return None
    return int(seed) if re.fullmatch(r"-?\d{1,18}", seed) else DEFAULT_SEED


class SimulatedFeed:
    """Bitcoin, Ether and Solana as a random walk, four quotes a second each. Its time is the wall
    clock's, of which a leap is believed only after it lasted; while the program does not run, it
    stands still."""

    def __init__(
        self,
        seed: int = DEFAULT_SEED,
        saved: Mapping[str, Any] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Callable[[float], object] | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``saved`` is what :meth:`saved` returned; without it the market begins with three days of
        candles behind it. ``wait`` waits for some seconds, or until :meth:`stop`; ``steady`` counts
        seconds whatever becomes of the ``clock``.

        Raises:
            FeedFault: ``saved`` is damaged or of another market.
        """
        self.id = simulated_id(seed)
        self.label = "SIMULATED"
        self.notes: Sequence[str] = ()
        self.instruments: Mapping[str, Instrument] = {
            symbol: KNOWN[symbol] for symbol in CHARACTERS
        }
        self._seed = seed
        self._clock = BelievedClock(clock, steady)
        self._stopped = threading.Event()
        self._wait = wait or self._stopped.wait
        self._guard = threading.Lock()
        self._packers = {s: Packer(each, _PAST_MINUTES) for s, each in self.instruments.items()}
        self._walk = Walk(seed)
        self._charts: dict[str, Chart] = {}
        # The last moment that was quoted, or at which the past ends.
        self._moment = interval_of(self._clock(), MINUTE)
        self._waited = 0.0
        self._live = False
        if saved is None:
            self._make_past()
        else:
            self._restore(saved)
            if self._clock() - self._moment > _LONGEST_REST:
                self._clock.go_on_from(self._moment)

    def start(self) -> None:
        """Nothing: there is nothing to connect to."""

    def next(self, timeout: float) -> Sequence[Quote]:
        """The quotes of all symbols at the next quarter of a second."""
        due = self._due(timeout)
        if due is None:
            return ()
        passed = due - self._moment
        seconds = (passed if passed <= _LAPSE else STEP).total_seconds()
        with self._guard:
            self._moment = due
            self._live = True
            return [self._quote(symbol, move) for symbol, move in self._walk.step(seconds).items()]

    @property
    def state(self) -> FeedState:
        """``waiting`` before the first quotes, then ``live``."""
        return "live" if self._live else "waiting"

    @property
    def message(self) -> str:
        """That the clock is not believed, where it has made a leap; else empty."""
        return self._clock.message

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest candles; none while the program did not run."""
        with self._guard:
            return self._charts[symbol].newest(seconds, limit)

    def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """The settlement at ``instant``, at the last price before it; None where that is not known,
        or still to come."""
        with self._guard:
            mark = self._charts[symbol].close_by(instant)
            present = max(self._moment, self._clock())
        if mark is None or instant > present:
            return None
        return Settlement(rate=funding_rate(self._seed, symbol, instant), mark=mark)

    def missed(self, since: datetime) -> Iterator[Sequence[Quote]]:  # noqa: ARG002
        """Nothing: the market stood still."""
        return iter(())

    def saved(self, *, lightly: bool = False) -> dict[str, Any]:
        """The generator, the prices and, but for ``lightly``, three days of candles: 200 kB."""
        with self._guard:
            state = {
                "seed": self._seed,
                "time": self._moment.isoformat(),
                "walk": self._walk.saved(),
            }
            if lightly:
                return state
            return {
                **state,
                "candles": {
                    symbol: self._packers[symbol].packed(chart.candles)
                    for symbol, chart in self._charts.items()
                },
            }

    def stop(self) -> None:
        """Wake whoever waits for a quote."""
        self._stopped.set()

    def _due(self, timeout: float) -> datetime | None:
        """The next moment, once it has come; None if it has not within ``timeout`` seconds."""
        due = self._moment + STEP
        # After the clock was set back, the market's time goes on from where it was.
        left = STEP.total_seconds() - self._waited
        ahead = min((due - self._clock()).total_seconds(), left)
        if ahead > 0:
            self._waited += min(ahead, timeout)
            self._wait(min(ahead, timeout))
        if ahead > timeout or self._stopped.is_set():
            return None
        self._waited = 0.0
        now = self._clock()
        return max(due, now.replace(microsecond=now.microsecond // 250_000 * 250_000))

    def _quote(self, symbol: str, move: Move) -> Quote:
        instrument, chart = self.instruments[symbol], self._charts[symbol]
        quote = quote_of(
            instrument,
            move,
            self._moment,
            funding_rate=funding_rate(self._seed, symbol, next_settlement(self._moment)),
            day_open=chart.close_by(self._moment - _DAY),
        )
        volume = exact_volume(instrument, move.volume)
        chart.add(interval_of(self._moment, MINUTE), quote.last, volume)
        return quote

    def _make_past(self) -> None:
        begin = self._moment - timedelta(minutes=_PAST_MINUTES)
        candles = past_candles(self._walk, self.instruments, begin, _PAST_MINUTES)
        for symbol, packer in self._packers.items():
            self._charts[symbol] = Chart(candles[symbol], keep=_PAST_MINUTES)
            # The first call takes longest, and no caller waits for a quote yet.
            packer.packed(candles[symbol])

    def _restore(self, saved: Mapping[str, Any]) -> None:
        try:
            if saved["seed"] != self._seed:
                raise ValueError(f"it grew from the seed {saved['seed']!r}, not {self._seed}")
            self._walk.restore(saved["walk"])
            self._moment = datetime.fromisoformat(saved["time"]).astimezone(UTC)
            # Where they are missing, the chart starts anew.
            known = "candles" in saved
            for symbol, packer in self._packers.items():
                candles = packer.unpacked(saved["candles"][symbol]) if known else []
                self._charts[symbol] = Chart(candles, keep=_PAST_MINUTES)
        except (ValueError, TypeError, KeyError, OverflowError, AttributeError) as fault:
            raise FeedFault(
                f"The simulated market can't go on where it stopped: what was saved of it is "
                f"damaged ({fault}). Start it with another --seed, or without what was saved."
            ) from fault
