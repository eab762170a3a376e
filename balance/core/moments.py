"""Moments in UTC, written as ISO 8601 with milliseconds and ``Z``, or as Unix time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

#: Where Unix time begins.
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_MILLISECOND: Final = timedelta(milliseconds=1)


def iso(moment: datetime) -> str:
    """``moment`` as text: ``2026-01-02T03:04:05.678Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> datetime:
    """The moment that ``text`` names.

    Raises:
        ValueError: not ISO 8601, or without an offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} does not say which time zone it is in")
    return moment.astimezone(UTC)


def utc_text(moment: datetime) -> str:
    """``moment`` for a sentence: ``2026-01-02 03:04:05 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def milliseconds(moment: datetime) -> int:
    """``moment`` as Unix time in whole milliseconds, cut; no float is on the way."""
    return (moment - EPOCH) // _MILLISECOND


def from_milliseconds(number: int) -> datetime:
    """The moment of the Unix time ``number``, in milliseconds."""
    return EPOCH + number * _MILLISECOND
