"""The live prices of an exchange as a feed, for which no key is needed; nothing here can trade."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from balance.core.instrument import Instrument
from balance.core.instruments import KNOWN, instrument
from balance.core.quote import Candle, Quote, Settlement
from balance.market.exchange.candles import CandleCache, fetch_moments
from balance.market.exchange.public import PublicExchange, known, raw_exchange
from balance.market.exchange.retry import TIMING, Retry, Timing, error_message
from balance.market.exchange.session import Session
from balance.market.feed import Feed, FeedFault, FeedState

_T = TypeVar("_T")

# Timeouts in seconds: of the start, the stop, the requests under way then, a settlement, and what
# was missed.
_OPENING: Final = 15.0
_STOPPING: Final = 8.0
_ENDING: Final = 2.0
_SETTLING: Final = 5.0
_LOOKING_BACK: Final = 40.0
_FURTHEST_BACK: Final = timedelta(days=3)
# Of several messages only the first in this order is shown, by the beginning of its subject: one
# fault causes others.
_FIRST: Final = ("rules", "prices", "nonsense", "missing", "stream")
# The message of what was missed is shown besides, as it does not pass by itself.
_MISSED: Final = "missed"


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _others_ended() -> None:
    # A request of ccxt that is still on its way would open a connection after the last was closed.
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for each in others:
        each.cancel()
    if others:
        await asyncio.wait(others, timeout=_ENDING)


def open_exchange(
    exchange_id: str,
    symbols: tuple[str, ...] = (),
    *,
    make: Callable[[str], Any] = raw_exchange,
    seconds: float = _OPENING,
) -> Feed:
    """The live prices of ``symbols``, such as BTC/USDT, of the exchange that ccxt knows as
    ``exchange_id``; of Bitcoin, Ether and Solana, as far as it has them, if none are named.

    Waits up to ``seconds`` for its rules. If it does not answer by then, the rules are those that
    are known without it, and it is tried again; there are no quotes before it has answered.

    Raises:
        FeedFault: there is no such exchange, or it has not got one of the symbols.
    """
    named = tuple(each.strip().upper() for each in symbols)
    feed = ExchangeFeed(known(exchange_id), named, make=make)
    feed.start()
    try:
        feed.wait_for_rules(seconds)
    except FeedFault:
        feed.stop()
        raise
    return feed


class LatestQuotes:
    """The newest quote of each symbol that has not been fetched yet, and the messages on what is
    wrong: written by the thread of the exchange, read by others."""

    def __init__(self, name: str, stale_after: float, clock: Callable[[], float]) -> None:
        """``stale_after`` is in seconds of ``clock``, a monotonic one."""
        self._name: Final = name
        self._stale_after: Final = stale_after
        self._clock: Final = clock
        self._changed: Final = threading.Condition()
        self._waiting: dict[str, Quote] = {}
        # By subject, in the order in which they were reported.
        self._messages: dict[str, str] = {}
        self._latest: datetime | None = None
        self._accepted: float | None = None
        self._is_closed = False

    def put(self, quote: Quote) -> None:
        """Add ``quote``, in place of one of the same symbol that nobody has fetched."""
        with self._changed:
            self._waiting[quote.symbol] = quote
            self._accepted = self._clock()
            self._changed.notify_all()

    def next(self, timeout: float) -> Sequence[Quote]:
        """The quotes that :meth:`balance.market.feed.Feed.next` returns."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed, timeout)
            quotes = sorted(self._waiting.values(), key=lambda each: each.time)
            self._waiting = {}
            # The clocks of an exchange's markets differ by a moment; a feed's time never goes back.
            latest = self._latest
            if latest is not None:
                quotes = [replace(each, time=max(each.time, latest)) for each in quotes]
            if quotes:
                self._latest = quotes[-1].time
            return tuple(quotes)

    def report(self, subject: str, message: str) -> None:
        """Show ``message`` until another one on ``subject`` is reported; an empty one takes it
        back."""
        with self._changed:
            self._messages.pop(subject, None)
            if message:
                self._messages[subject] = message

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def state(self) -> FeedState:
        """Whether quotes are coming."""
        accepted = self._accepted
        if accepted is None:
            return "waiting"
        return "stale" if self._clock() - accepted > self._stale_after else "live"

    @property
    def message(self) -> str:
        """The worst of what was reported and not taken back; without it, why there are no
        quotes."""
        with self._changed:
            faults = sorted((each for each in self._messages if each != _MISSED), key=_rank)
            shown = [*faults[:1], *(each for each in self._messages if each == _MISSED)]
            if shown:
                return " ".join(self._messages[each] for each in shown)
            if self._accepted is None:
                return f"Waiting for the first prices of {self._name}."
            if self.state == "stale":
                seconds = int(self._clock() - self._accepted)
                return f"{self._name} has sent no prices for {seconds} s."
            return ""


def _rank(subject: str) -> int:
    ranks = (rank for rank, first in enumerate(_FIRST) if subject.startswith(first))
    return next(ranks, len(_FIRST))


class ExchangeFeed:
    """A feed of live prices; a thread of its own talks to the exchange."""

    def __init__(
        self,
        exchange_id: str,
        symbols: tuple[str, ...] = (),
        *,
        make: Callable[[str], Any] = raw_exchange,
        timing: Timing = TIMING,
        stale_after: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = _utc_now,
    ) -> None:
        """``make`` gives ccxt's exchange of an id, ``stale_after`` is in seconds of ``clock``."""
        self.id = exchange_id
        self.label = exchange_id
        self.notes: Sequence[str] = ()
        self._named: Final = bool(symbols)
        self._symbols: Final = tuple(dict.fromkeys(symbols)) or tuple(KNOWN)
        self._rules = {each: instrument(each) for each in self._symbols}
        self.instruments: Mapping[str, Instrument] = MappingProxyType(self._rules)
        self._make: Final = make
        self._timing: Final = timing
        self._now: Final = now
        self._clock: Final = clock
        self._quotes: Final = LatestQuotes(exchange_id, stale_after, clock)
        self._cache: Final = CandleCache(clock)
        self._thread: Final = threading.Thread(
            target=self._live, name=f"feed {exchange_id}", daemon=True
        )
        self._lock: Final = threading.Lock()
        self._ruled: Final = threading.Event()
        self._fault: FeedFault | None = None
        # Whether others may have seen the symbols, so that none is taken away any more.
        self._shown = False
        self._stopping = False
        self._session: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Start to talk to the exchange; returns at once."""
        if not self._thread.ident and not self._stopping:
            self._thread.start()

    def wait_for_rules(self, seconds: float) -> None:
        """Wait up to ``seconds`` for the rules of the exchange.

        Raises:
            FeedFault: it has not got one of the symbols.
        """
        self._ruled.wait(seconds)
        with self._lock:
            self._shown = True
        if self._fault is not None:
            raise self._fault

    def next(self, timeout: float) -> Sequence[Quote]:
        """The newest quotes, of each symbol that has a new one."""
        quotes = self._quotes.next(timeout)
        if self._session is not None:
            for quote in quotes:
                self._rules[quote.symbol] = self._session.instruments[quote.symbol]
        return quotes

    @property
    def state(self) -> FeedState:
        """Whether quotes are coming."""
        return self._quotes.state

    @property
    def message(self) -> str:
        """What is wrong; empty while all is well."""
        return self._quotes.message

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest candles that are cached; a request for longer ones has more of them fetched
        for the next one."""
        session, loop = self._session, self._loop
        if session and loop and self._cache.needs_fetching(symbol, seconds, limit):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(session.request_candles, symbol, seconds)
        return self._cache.newest(symbol, seconds, limit)

    def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """The settlement by the exchange's own answer; None if none comes within 5 seconds."""
        session = self._session
        if session is None or not self._ruled.is_set():
            return None
        try:
            return self._result(session.settlement(symbol, instant), _SETTLING)
        except Exception:
            return None

    def missed(self, since: datetime) -> Iterator[Sequence[Quote]]:
        """What the market did from ``since``, at most 3 days ago, by its candles of a minute."""
        session, until = self._session, self._now()
        begin = max(since, until - _FURTHEST_BACK)
        self._quotes.report(_MISSED, "")
        try:
            if session is None or not self._ruled.is_set():
                raise ConnectionError("no rules yet")
            found = self._result(
                fetch_moments(session.exchange, session.markets, self.instruments, begin, until),
                _LOOKING_BACK,
            )
        except Exception as error:
            lost = f"What the market did since {since:%Y-%m-%d %H:%M} UTC could not be looked up."
            self._quotes.report(_MISSED, f"{error_message(self.id, error)} {lost}")
            return iter(())
        return iter(found)

    def saved(self, *, lightly: bool = False) -> dict[str, Any]:  # noqa: ARG002
        """Nothing: the market goes on by itself."""
        return {}

    def stop(self) -> None:
        """Close all connections and end the thread; takes less than a second as a rule."""
        with self._lock:
            self._stopping = True
            loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(task.cancel)
        self._quotes.close()
        if self._thread.ident:
            self._thread.join(_STOPPING)

    def _result(self, work: Coroutine[Any, Any, _T], seconds: float) -> _T:
        """What ``work`` comes to in the thread of the exchange, if it does within ``seconds``."""
        if self._loop is None or not self._loop.is_running():
            work.close()
            raise ConnectionError("not running")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result(seconds)
        except CancelledError:
            raise ConnectionError("stopped") from None
        finally:
            future.cancel()

    def _live(self) -> None:
        try:
            asyncio.run(self._talk())
        except asyncio.CancelledError:
            return
        except Exception as error:
            self._quotes.report("rules", error_message(self.id, error))

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        # ccxt leaves errors of closed streams behind, which the rounds have dealt with.
        loop.set_exception_handler(lambda _loop, _context: None)
        with self._lock:
            if self._stopping:
                return
            self._loop, self._task = loop, asyncio.current_task()
        exchange = PublicExchange(self._make(self.id))
        retry = Retry(exchange, self._quotes.report, self._timing)
        session = Session(retry, self._quotes.put, self._cache, self._now, self._clock)
        try:
            rules = await retry.until_done(
                lambda: session.rules(self._symbols, all_of_them=self._named), "rules"
            )
            self._use(rules, session)
            await session.run()
        except FeedFault as fault:
            self._fault = fault
            self._quotes.report("rules", str(fault))
            self._ruled.set()
        finally:
            await _others_ended()
            await exchange.close()

    def _use(self, rules: Mapping[str, Instrument], session: Session) -> None:
        with self._lock:
            for symbol in () if self._shown else set(self._rules) - set(rules):
                del self._rules[symbol]
            self._rules.update(rules)
        self._session = session
        self._ruled.set()
