"""The live prices of an exchange, for which no key is needed; nothing here can trade."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from balance.core.instrument import Instrument
from balance.core.instruments import KNOWN, instrument
from balance.core.quote import Candle, Quote, Settlement
from balance.market.exchange.candles import CandleShelf
from balance.market.exchange.inbox import MISSED, Inbox
from balance.market.exchange.pace import PACE, Pace, persist, plain
from balance.market.exchange.past import moments
from balance.market.exchange.public import PublicExchange, known, raw_exchange
from balance.market.exchange.session import Session
from balance.market.feed import Feed, FeedFault, FeedState

_T = TypeVar("_T")

# seconds
_OPENING: Final = 15.0
_STOPPING: Final = 8.0
_ENDING: Final = 2.0
_SETTLING: Final = 5.0
_LOOKING_BACK: Final = 40.0
_FURTHEST_BACK: Final = timedelta(days=3)


def _utc_now() -> datetime:
    return datetime.now(UTC)


async def _others_ended() -> None:
    # a request of ccxt that is still on its way would open a new connection after the last closed
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
    are known without it, and it is tried on; there are no quotes before it has answered.

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


class ExchangeFeed:
    """A feed of live prices; a thread of its own talks to the exchange."""

    def __init__(
        self,
        exchange_id: str,
        symbols: tuple[str, ...] = (),
        *,
        make: Callable[[str], Any] = raw_exchange,
        pace: Pace = PACE,
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
        self._pace: Final = pace
        self._now: Final = now
        self._clock: Final = clock
        self._inbox: Final = Inbox(exchange_id, stale_after, clock)
        self._shelf: Final = CandleShelf(clock)
        self._thread: Final = threading.Thread(
            target=self._live, name=f"feed {exchange_id}", daemon=True
        )
        self._lock: Final = threading.Lock()
        self._ruled: Final = threading.Event()
        self._fault: FeedFault | None = None
        # others may have seen the symbols: then none of them is taken away any more
        self._shown = False
        self._stopping = False
        self._session: Session | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    def start(self) -> None:
        """Begin to talk to the exchange; returns at once."""
        if not self._thread.ident and not self._stopping:
            self._thread.start()

    def wait_for_rules(self, seconds: float) -> None:
        """Wait up to ``seconds`` until the exchange has told its rules.

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
        quotes = self._inbox.next(timeout)
        if self._session is not None:
            for quote in quotes:
                self._rules[quote.symbol] = self._session.instruments[quote.symbol]
        return quotes

    @property
    def state(self) -> FeedState:
        """Whether quotes are coming."""
        return self._inbox.state

    @property
    def message(self) -> str:
        """What is wrong; empty while all is well."""
        return self._inbox.message

    def candles(self, symbol: str, seconds: int, limit: int) -> Sequence[Candle]:
        """The newest candles that are at hand; longer ones get more history once asked for."""
        session, loop = self._session, self._loop
        if session is not None and loop is not None and self._shelf.wants(symbol, seconds, limit):
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(session.want, symbol, seconds)
        return self._shelf.newest(symbol, seconds, limit)

    def settlement(self, symbol: str, instant: datetime) -> Settlement | None:
        """The settlement as the exchange tells it; None if it does not within 5 seconds."""
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
        self._inbox.tell(MISSED, "")
        try:
            if session is None or not self._ruled.is_set():
                raise ConnectionError("no rules yet")
            found = self._result(
                moments(session.exchange, session.markets, self.instruments, begin, until),
                _LOOKING_BACK,
            )
        except Exception as error:
            why = plain(self.id, error)
            lost = f"What the market did since {since:%Y-%m-%d %H:%M} UTC could not be looked up."
            self._inbox.tell(MISSED, f"{why} {lost}")
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
        self._inbox.close()
        if self._thread.ident:
            self._thread.join(_STOPPING)

    def _result(self, work: Coroutine[Any, Any, _T], seconds: float) -> _T:
        """What ``work`` comes to in the thread of the exchange, if it does within ``seconds``."""
        if self._loop is None or not self._loop.is_running():
            work.close()
            raise ConnectionError("not running")
        asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return asked.result(seconds)
        except CancelledError:
            raise ConnectionError("stopped") from None
        finally:
            asked.cancel()

    def _live(self) -> None:
        try:
            asyncio.run(self._talk())
        except asyncio.CancelledError:
            return
        except Exception as error:
            self._inbox.tell("rules", plain(self.id, error))

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        # ccxt leaves errors of closed streams behind, which the rounds have dealt with
        loop.set_exception_handler(lambda _loop, _context: None)
        with self._lock:
            if self._stopping:
                return
            self._loop, self._task = loop, asyncio.current_task()
        exchange = PublicExchange(self._make(self.id))
        tell, pace = self._inbox.tell, self._pace
        session = Session(exchange, self._inbox, self._shelf, pace, self._now, self._clock)
        try:
            rules = await persist(
                lambda: session.rules(self._symbols, all_of_them=self._named),
                about="rules",
                exchange=exchange,
                tell=tell,
                pace=pace,
            )
            self._have(rules, session)
            await session.run()
        except FeedFault as fault:
            self._fault = fault
            tell("rules", str(fault))
            self._ruled.set()
        finally:
            await _others_ended()
            await exchange.close()

    def _have(self, rules: Mapping[str, Instrument], session: Session) -> None:
        with self._lock:
            for symbol in () if self._shown else set(self._rules) - set(rules):
                del self._rules[symbol]
            self._rules.update(rules)
        self._session = session
        self._ruled.set()
