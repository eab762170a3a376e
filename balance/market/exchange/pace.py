"""How often an exchange is asked, and how a round that failed is tried again."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, TypeVar

from balance.market.exchange.public import PublicExchange
from balance.market.feed import FeedFault

#: Takes what a word is about, and the words; empty ones take back what was said of it.
Tell = Callable[[str, str], None]

_T = TypeVar("_T")

_STATUS: Final = re.compile(r"(?:https?://\S+|^\S+) ([45]\d\d) ")
_NOT_SERVED: Final = frozenset({401, 403, 451})


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Seconds between one round and the next."""

    # of prices, where there is no stream
    poll: float = 1.0
    # of funding rates, and of mark prices with them
    funding: float = 10.0
    # of the newest candles
    candles: float = 60.0
    # after this long a stream is taken for dead
    silence: float = 10.0
    # for this long prices are asked for after a stream has failed again and again
    rest: float = 300.0
    # after a failure, doubled with each further one
    first_wait: float = 1.0
    longest_wait: float = 60.0


PACE: Final = Pace()


def wait_after(failures: int, pace: Pace, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: 1, 2, 4 ... 60, less up to a quarter by
    chance, so that many programs don't come back at once."""
    whole = min(pace.longest_wait, pace.first_wait * 2.0 ** min(failures - 1, 20))
    return whole * (1 - chance() / 4)


async def keep_at(
    step: Callable[[], Awaitable[object]],
    *,
    about: str,
    exchange: PublicExchange,
    tell: Tell,
    pace: Pace,
) -> None:
    """Do ``step`` again and again, each time until it succeeds."""
    while True:
        await persist(step, about=about, exchange=exchange, tell=tell, pace=pace)


async def persist(
    step: Callable[[], Awaitable[_T]],
    *,
    about: str,
    exchange: PublicExchange,
    tell: Tell,
    pace: Pace,
) -> _T:
    """What ``step`` comes to; where it fails, say so and try again after a while.

    Raises:
        FeedFault: ``step`` does; trying again would not help.
    """
    failures = 0
    while True:
        try:
            result = await step()
        except FeedFault:
            raise
        except Exception as error:
            failures += 1
            wait = wait_after(failures, pace)
            if asks_for_less(error):
                wait = max(wait, exchange.plea)
            again = f"Trying again in {math.ceil(wait)} s."
            tell(about, f"{plain(exchange.id, error)} {again}")
            await asyncio.sleep(wait)
        else:
            tell(about, "")
            return result


def asks_for_less(error: Exception) -> bool:
    """Whether the exchange complains of too many requests."""
    ccxt = import_module("ccxt")
    return isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded)


def plain(name: str, error: Exception) -> str:
    """What is wrong with the exchange ``name``, in a sentence without addresses and paths."""
    ccxt = import_module("ccxt")
    found = _STATUS.search(str(error))
    status = int(found[1]) if found else None
    if isinstance(error, TimeoutError | ccxt.RequestTimeout):
        return f"{name} does not answer: timeout."
    if asks_for_less(error):
        return f"{name} asks for fewer requests{f' ({status})' if status else ''}."
    if isinstance(error, ccxt.OnMaintenance):
        return f"{name} is under maintenance."
    if status in _NOT_SERVED:
        return f"{name} refuses to serve this computer ({status}); some don't serve every country."
    if status:
        return f"{name} answers with an error ({status})."
    if isinstance(error, ccxt.NetworkError | OSError):
        return f"{name} can't be reached: no connection."
    if isinstance(error, ccxt.NotSupported):
        return f"{name} does not offer this."
    return f"{name} sent an answer that can't be read."
