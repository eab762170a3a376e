"""Times as people and files write them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP: Final = re.compile(r"\d{9,20}(\.\d*)?", re.ASCII)
# a stamp below a limit counts in units of that many microseconds; seconds reach the year 5138
_UNITS: Final = (
    (10**11, Decimal(10**6)),
    (10**14, Decimal(10**3)),
    (10**17, Decimal(1)),
    (10**20, Decimal("0.001")),
)


def parsed(text: str) -> datetime:
    """The moment that ``text`` names: ISO 8601 as a date or a date and a time, in UTC unless it has
    a zone, or a Unix time in seconds, milliseconds, microseconds or nanoseconds.

    Raises:
        ValueError: it names none.
    """
    stamp = _STAMP.fullmatch(text)
    return _stamped(Decimal(text)) if stamp else iso_time(text)


def iso_time(text: str) -> datetime:
    """The moment that ``text`` names in ISO 8601, as a date or a date and a time; in UTC unless it
    has a zone.

    Raises:
        ValueError: it names none.
    """
    moment = datetime.fromisoformat(text.removesuffix("UTC").rstrip().replace("/", "-"))
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError(f"{text} is out of range") from fault


def spelled(moment: datetime) -> str:
    """``moment`` for people: ``2022-01-31 22:59 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _stamped(number: Decimal) -> datetime:
    unit = next((unit for limit, unit in _UNITS if number < limit), None)
    if unit is None:
        raise ValueError(f"{number} is out of range")
    return _EPOCH + timedelta(microseconds=int(number * unit))
