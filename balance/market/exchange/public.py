"""The part of an exchange that anyone may ask without a key, and no other.

Nothing here can trade: there are no keys, whatever goes out passes one guard, and only the methods
that are named here can be called.
"""

from __future__ import annotations

import asyncio
import contextlib
import difflib
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final

from balance.market.exchange.streams import Streams
from balance.market.feed import FeedFault

#: The methods of ccxt that may be called.
PUBLIC: Final = frozenset(
    {
        "load_markets",
        "fetch_ticker",
        "fetch_tickers",
        "fetch_bids_asks",
        "fetch_mark_prices",
        "fetch_ohlcv",
        "fetch_funding_rate",
        "fetch_funding_rates",
        "fetch_funding_rate_history",
        "fetch_funding_intervals",
        "fetch_market_leverage_tiers",
        "watch_ticker",
        "watch_tickers",
        "watch_bids_asks",
        "watch_mark_prices",
        "close",
    }
)
_FACTS: Final = frozenset(
    {"has", "precisionMode", "timeframes", "rateLimit", "last_response_headers"}
)
_KEYS: Final = (
    *("apiKey", "secret", "password", "uid", "login", "token", "twofa"),
    *("privateKey", "walletAddress", "accountId"),
)
# Other kinds of markets are of no use, and make the start slow.
_KINDS: Final = frozenset({"spot", "linear", "swap"})
# The timeout of one request, in milliseconds.
_TIMEOUT: Final = 10_000
_LONGEST_RETRY_AFTER: Final = 600.0


class PublicExchange:
    """The public methods of an exchange; the object of ccxt itself can't be had from it."""

    def __init__(self, raw: Any) -> None:
        """Take ``raw``, an exchange of ccxt, and put the guard into it."""
        _guarded(raw)
        methods = {name: getattr(raw, name) for name in PUBLIC if hasattr(raw, name)}
        self.id: Final = str(raw.id)
        self._method: Callable[[str], Any] = lambda name: methods[_allowed(name, PUBLIC)]
        self._fact: Callable[[str], Any] = lambda name: getattr(raw, _allowed(name, _FACTS), None)
        self._streams: Final = Streams(raw)

    async def ask(self, name: str, *arguments: Any, **more: Any) -> Any:
        """The answer of the exchange to the public method ``name`` of ccxt.

        Raises:
            PermissionError: it is not one of ``PUBLIC``.
        """
        method = self._method(name)
        try:
            return await method(*arguments, **more)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            # When a stream is closed, ccxt cancels those who wait for it.
            raise ConnectionError("the stream was closed") from None

    async def watch(self, name: str, symbols: list[str] | str) -> list[tuple[str, Any]]:
        """What came by the streams since they were last watched, with ccxt's symbol, in that order;
        waits until something comes by the stream ``name``."""
        answer = await self.ask(name, symbols)
        return self._streams.new(
            [(symbols, answer)] if isinstance(symbols, str) else list(answer.items())
        )

    def has(self, feature: str) -> bool:
        """Whether the exchange itself offers ``feature``, in ccxt's spelling: ``fetchTickers``."""
        return self._fact("has").get(feature) is True

    @property
    def precision_mode(self) -> int:
        """How ccxt writes ticks and steps of this exchange."""
        return int(self._fact("precisionMode"))

    @property
    def timeframes(self) -> frozenset[str]:
        """The lengths of candles that there are: ``1m``, ``1h``."""
        return frozenset(self._fact("timeframes") or ())

    @property
    def spacing(self) -> float:
        """Seconds between two requests that the exchange allows."""
        return float(self._fact("rateLimit") or 1000) / 1000

    @property
    def retry_after(self) -> float:
        """Seconds to wait as the last answer requires, at most 600; mostly none."""
        headers = self._fact("last_response_headers") or {}
        seconds = next((headers[each] for each in headers if each.lower() == "retry-after"), "0")
        return min(float(seconds), _LONGEST_RETRY_AFTER) if str(seconds).isdigit() else 0.0

    async def close_streams(self) -> None:
        """Close the websockets; the next one who watches opens new ones."""
        await self._streams.renew()

    async def close(self) -> None:
        """Close all connections."""
        await self._streams.close()
        with contextlib.suppress(Exception):
            # Without True, ccxt leaves its HTTP session open.
            await self.ask("close", True)


def exchange_ids() -> tuple[str, ...]:
    """The exchanges that ccxt knows."""
    return tuple(import_module("ccxt").exchanges)


def known(exchange_id: str) -> str:
    """``exchange_id`` as ccxt writes it.

    Raises:
        FeedFault: ccxt does not know it.
    """
    ids = exchange_ids()
    found = exchange_id.strip().lower()
    if found in ids:
        return found
    close = difflib.get_close_matches(found, ids, n=3, cutoff=0.5) or ["binance", "kraken"]
    raise FeedFault(
        f"There is no exchange {exchange_id!r:.40}. Is it one of {', '.join(close)}? "
        "Without an exchange, use --feed simulated."
    )


def raw_exchange(exchange_id: str) -> Any:
    """The exchange of ccxt, with streams where it has them, without keys and with rate limits."""
    # Imported by name: ccxt takes over a second, and a type checker would read all of its sources.
    streaming = import_module("ccxt.pro")
    module = (
        streaming if exchange_id in streaming.exchanges else import_module("ccxt.async_support")
    )
    raw = getattr(module, exchange_id)({"enableRateLimit": True, "timeout": _TIMEOUT})
    kinds = raw.options.get("fetchMarkets")
    if isinstance(kinds, dict) and isinstance(kinds.get("types"), list):
        kinds["types"] = [each for each in kinds["types"] if each in _KINDS] or kinds["types"]
    return raw


def _allowed(name: str, names: Iterable[str]) -> str:
    if name not in names:
        raise PermissionError(f"{name} is not among what may be asked of an exchange.")
    return name


def _guarded(raw: Any) -> None:
    for name in (*_KEYS, *raw.requiredCredentials):
        setattr(raw, name, "")
    # Neither proxies nor a .netrc with passwords are used.
    raw.aiohttp_trust_env = False
    sign, denied = raw.sign, import_module("ccxt").PermissionDenied

    def public_only(path: str, api: Any = "public", *how: Any, **more: Any) -> Any:
        if "private" in str(api).lower():
            raise denied("Only what is public may be asked.")
        return sign(path, api, *how, **more)

    def no_keys(error: bool = True) -> bool:
        if error:
            raise denied("There are no keys.")
        return False

    # Every request is built by the one, and the other is called before every signature.
    raw.sign = public_only
    raw.check_required_credentials = raw.checkRequiredCredentials = no_keys
