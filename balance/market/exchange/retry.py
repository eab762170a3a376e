"""Rounds that go on whatever the exchange does: how often, and what is said of a failure."""

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

#: Takes a subject and a message about it; an empty message takes back what was reported of it.
Report = Callable[[str, str], None]

_T = TypeVar("_T")

_STATUS: Final = re.compile(r"(?:https?://\S+|^\S+) ([45]\d\d) ")
_NOT_SERVED: Final = frozenset({401, 403, 451})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds from one round to the next."""

    # Between requests for prices, where there is no stream.
    poll: float = 1.0
    # Between requests for funding rates, and mark prices with them.
    funding: float = 10.0
    # Between requests for the newest candles.
    candles: float = 60.0
    # A stream that is silent for so long is closed.
    silence: float = 10.0
    # How long prices are polled after a stream has failed again and again.
    rest: float = 300.0
    # The wait after a failure, doubled with each further one.
    first_wait: float = 1.0
    longest_wait: float = 60.0


TIMING: Final = Timing()


@dataclass(frozen=True, slots=True)
class Retry:
    """Repeats what fails at ``exchange``, and reports why it did."""

    exchange: PublicExchange
    report: Report
    timing: Timing = TIMING

    async def forever(self, step: Callable[[], Awaitable[object]], subject: str) -> None:
        """Do ``step`` again and again, each time until it succeeds."""
        while True:
            await self.until_done(step, subject)

    async def until_done(self, step: Callable[[], Awaitable[_T]], subject: str) -> _T:
        """The result of ``step``, which is tried again after a while where it fails; the failure is
        reported under ``subject``.

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
                wait = wait_after(failures, self.timing)
                if _is_rate_limit(error):
                    wait = max(wait, self.exchange.retry_after)
                again = f"Trying again in {math.ceil(wait)} s."
                self.report(subject, f"{error_message(self.exchange.id, error)} {again}")
                await asyncio.sleep(wait)
            else:
                self.report(subject, "")
                return result


def wait_after(failures: int, timing: Timing, chance: Callable[[], float] = random.random) -> float:
    """Seconds to wait after so many failures in a row: 1, 2, 4 ... 60, less up to a quarter by
    chance, so that many programs don't come back at once."""
    whole = min(timing.longest_wait, timing.first_wait * 2.0 ** min(failures - 1, 20))
    return whole * (1 - chance() / 4)


def error_message(name: str, error: Exception) -> str:
    """What is wrong with the exchange ``name``, in a sentence without addresses and paths."""
    ccxt = import_module("ccxt")
    found = _STATUS.search(str(error))
    status = int(found[1]) if found else None
    if isinstance(error, TimeoutError | ccxt.RequestTimeout):
        return f"{name} does not answer: timeout."
    if _is_rate_limit(error):
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


def _is_rate_limit(error: Exception) -> bool:
    ccxt = import_module("ccxt")
    return isinstance(error, ccxt.DDoSProtection | ccxt.RateLimitExceeded)
