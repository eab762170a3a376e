"""Times as people and files write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP: Final = re.compile(r"\d{9,20}(\.\d*)?", re.ASCII)
# 202502031530 and 20250203153000: as a Unix time they would be far from any market.
_DIGITS: Final = re.compile(r"(?:19|20)\d{2}[01]\d[0-3]\d[0-2]\d[0-5]\d(?:[0-5]\d)?", re.ASCII)
# a stamp below a limit counts in units of that many microseconds; seconds reach the year 5138
_UNITS: Final = (
    (10**11, Decimal(10**6)),
    (10**14, Decimal(10**3)),
    (10**17, Decimal(1)),
    (10**20, Decimal("0.001")),
)
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_REST: Final = r"(?:[T,\s]+(?P<daytime>.*))?"
_NUMERIC: Final = re.compile(
    rf"(?P<a>\d{{1,4}})(?P<mark>[./-])(?P<b>\d{{1,2}})(?P=mark)(?P<c>\d{{1,4}}){_REST}", re.ASCII
)
_NAMED: Final = tuple(
    re.compile(rf"(?:[A-Z]{{3,9}},?\s+)?{date}{_REST}", re.ASCII | re.IGNORECASE)
    for date in (
        r"(?P<month>[A-Z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
        r"(?P<day>\d{1,2})[\s-](?P<month>[A-Z]{3,9})\.?,?[\s-](?P<year>\d{4})",
    )
)
_DAYTIME: Final = re.compile(
    r"(?P<hour>\d{1,2})(?::?(?P<minute>\d{2}))?(?::?(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
    r"[\s-]*(?P<half>[AP]M)?\s*(?:UTC|GMT|Z)?\s*(?P<zone>[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
#: How the parts of a date may follow each other, where digits alone don't say it.
DATE_FORMATS: Final = ("DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD")


class UnclearDate(ValueError):
    """A date whose day and month can't be told apart."""


def parsed(text: str, order: str | None = None) -> datetime:
    """The moment that ``text`` names: a date, or a date and a time, in UTC unless it has a zone, or
    a Unix time in seconds, milliseconds, microseconds or nanoseconds. ``order`` is that of a date
    such as 03/02/2025: ``dmy``, ``mdy`` or ``ymd``.

    Raises:
        UnclearDate: it is such a date, and there is no ``order``.
        ValueError: it names none.
    """
    if _STAMP.fullmatch(text):
        return iso_time(f"{text[:8]}T{text[8:]}") if _DIGITS.fullmatch(text) else _stamped(text)
    try:
        return iso_time(text)
    except ValueError:
        return _of_calendar(text.strip(), order)


def iso_time(text: str) -> datetime:
    """The moment that ``text`` names in ISO 8601, as a date or a date and a time; in UTC unless it
    has a zone.

    Raises:
        ValueError: it names none.
    """
    moment = datetime.fromisoformat(text.removesuffix("UTC").rstrip().replace("/", "-"))
    return _in_utc(moment, text)


def order_of(date_format: str) -> str:
    """``dmy``, ``mdy`` or ``ymd``, as the ``date_format`` has it: DD/MM/YYYY, %d.%m.%Y or dmy.

    Raises:
        ValueError: it has none of these.
    """
    letters = [each for each in date_format.lower() if each in "dmy"]
    order = "".join(dict.fromkeys(letters))
    if order not in ("dmy", "mdy", "ymd"):
        raise ValueError(f"The date format must be {_either()}, not {date_format!r:.40}.")
    return order


def order_in(texts: Iterable[str]) -> str | None:
    """In which order day and month stand in dates such as 31/12/2025, of which ``texts`` are some;
    None where no day is above 12."""
    for text in texts:
        found = _NUMERIC.match(text.strip())
        if found and len(found["a"]) <= 2 and len(found["c"]) == 4:
            if int(found["a"]) > 12:
                return "dmy"
            if int(found["b"]) > 12:
                return "mdy"
    return None


def is_daytime(text: str) -> bool:
    """Whether ``text`` is a time of day, such as 23:59 or 235900."""
    text = text.strip()
    digits = text.isdigit() and len(text) in (4, 6)
    return digits or (":" in text and _DAYTIME.fullmatch(text) is not None)


def spelled(moment: datetime) -> str:
    """``moment`` for people: ``2022-01-31 22:59 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _stamped(text: str) -> datetime:
    number = int(text) if text.isdigit() else Decimal(text)
    unit = next((unit for limit, unit in _UNITS if number < limit), None)
    if unit is None:
        raise ValueError(f"{number} is out of range")
    return _EPOCH + timedelta(microseconds=int(number * unit))


def _of_calendar(text: str, order: str | None) -> datetime:
    if found := _NUMERIC.fullmatch(text):
        year, month, day = _date(text, (found["a"], found["b"], found["c"]), order)
    elif found := next((each for form in _NAMED if (each := form.fullmatch(text))), None):
        name = found["month"][:3].lower()
        # Raises ValueError where there is no such month.
        year, month, day = int(found["year"]), 1 + _MONTHS.index(name), int(found["day"])
    else:
        raise ValueError(f"{text} is no time")
    return _in_utc(_at(datetime(year, month, day, tzinfo=UTC), found["daytime"]), text)


def _date(text: str, three: tuple[str, str, str], order: str | None) -> tuple[int, int, int]:
    """Year, month and day."""
    if len(three[0]) == 4:
        order = "ymd"
    elif order is None:
        raise UnclearDate(
            f'which is the day and which the month of "{text}" is not clear: choose the date '
            f"format (--date-format), {_either()}"
        )
    parts = dict(zip(order, three, strict=True))
    if len(parts["y"]) not in (2, 4):
        raise ValueError(f"{parts['y']} is no year")
    century = 2000 if len(parts["y"]) == 2 else 0
    return century + int(parts["y"]), int(parts["m"]), int(parts["d"])


def _at(day: datetime, daytime: str | None) -> datetime:
    if not daytime:
        return day
    found = _DAYTIME.fullmatch(daytime.strip())
    if found is None:
        raise ValueError(f"{daytime} is no time of day")
    hour, half = int(found["hour"]), (found["half"] or "").upper()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(f"{daytime} is no time of day")
        hour = hour % 12 + (12 if half == "PM" else 0)
    moment = day.replace(
        hour=hour,
        minute=int(found["minute"] or 0),
        second=int(found["second"] or 0),
        microsecond=int((found["fraction"] or "")[:6].ljust(6, "0")),
    )
    zone = found["zone"]
    return (
        moment if zone is None else datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S.%f}{zone}")
    )


def _in_utc(moment: datetime, text: str) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError(f"{text} is out of range") from fault


def _either() -> str:
    return f"{', '.join(DATE_FORMATS[:-1])} or {DATE_FORMATS[-1]}"
