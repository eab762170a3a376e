"""Cells of a file as values: times and numbers as vendors, programs and people write them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

#: What stands before the decimals of a number.
Mark = Literal[".", ","]
#: The date formats of which one is chosen where digits alone don't show the order.
DATE_FORMATS: Final = ("DD/MM/YYYY", "MM/DD/YYYY", "YYYY/MM/DD")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STAMP: Final = re.compile(r"\d{9,20}(\.\d*)?", re.ASCII)
# 202502031530 and 20250203153000: as a Unix time they would be far from any market.
_DIGITS: Final = re.compile(r"(?:19|20)\d{2}[01]\d[0-3]\d[0-2]\d[0-5]\d(?:[0-5]\d)?", re.ASCII)
# A stamp below a limit counts in units of that many microseconds; seconds reach the year 5138.
_UNITS: Final = (
    (10**11, Decimal(10**6)),
    (10**14, Decimal(10**3)),
    (10**17, Decimal(1)),
    (10**20, Decimal("0.001")),
)
_MONTHS: Final = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
]
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
_MISSING: Final = frozenset(
    ("", "nan", "null", "none", "n/a", "na", "-", "--", "#n/a", "<na>", "nat")
)
_FACTORS: Final = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_SPACES: Final = r"'\u2019\u00a0\u202f "
_NUMBERS: Final = {
    mark: re.compile(
        rf"([+-]?)[$\u20ac\u00a3]?(\d{{1,3}}(?:[{_SPACES}{group}]\d{{3}})+|\d*)"
        rf"(?:{re.escape(mark)}(\d*))?(e[+-]?\d+)?\s?([KMBT]?)",
        re.ASCII | re.IGNORECASE,
    )
    for mark, group in ((".", ","), (",", "."))
}
_GROUPS: Final = re.compile(rf"[{_SPACES},.]")


class UnclearDate(ValueError):
    """A date that does not show which is its day and which its month."""


def parse_time(text: str, order: str | None = None) -> datetime:
    """The moment that ``text`` names: a date, or a date and a time, in UTC unless it has a zone, or
    a Unix time in seconds, milliseconds, microseconds or nanoseconds. ``order`` is that of a date
    such as 03/02/2025: ``dmy``, ``mdy`` or ``ymd``.

    Raises:
        UnclearDate: it is such a date, and there is no ``order``.
        ValueError: it names none.
    """
    if _STAMP.fullmatch(text):
        if _DIGITS.fullmatch(text):
            return parse_iso_time(f"{text[:8]}T{text[8:]}")
        number = Decimal(text)
        unit = next((unit for limit, unit in _UNITS if number < limit), None)
        if unit is None:
            raise ValueError(f"{number} is out of range")
        return _EPOCH + timedelta(microseconds=int(number * unit))
    try:
        return parse_iso_time(text)
    except ValueError:
        return _parse_calendar_time(text.strip(), order)


def parse_iso_time(text: str) -> datetime:
    """The moment that ``text`` names in ISO 8601, as a date or a date and a time; in UTC unless it
    has a zone.

    Raises:
        ValueError: it names none.
    """
    moment = datetime.fromisoformat(text.removesuffix("UTC").rstrip().replace("/", "-"))
    return _in_utc(moment, text)


def parse_date_format(date_format: str) -> str:
    """``dmy``, ``mdy`` or ``ymd``, as the ``date_format`` has it: DD/MM/YYYY, %d.%m.%Y or dmy.

    Raises:
        ValueError: it has none of these.
    """
    order = "".join(dict.fromkeys(each for each in date_format.lower() if each in "dmy"))
    if order not in ("dmy", "mdy", "ymd"):
        raise ValueError(f"The date format must be {_formats_text()}, not {date_format!r:.40}.")
    return order


def find_date_order(texts: Iterable[str]) -> str | None:
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


def time_text(moment: datetime) -> str:
    """``moment`` for people: ``2022-01-31 22:59 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def length_text(length: timedelta) -> str:
    """``length`` for people, in the largest unit that it is whole in: ``4 hours``."""
    seconds = int(length.total_seconds())
    units = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
    unit = next(each for each, size in units.items() if seconds % size == 0)
    count = seconds // units[unit]
    return f"{count} {unit}{'s' if count > 1 else ''}"


def is_missing(cell: str) -> bool:
    """Whether ``cell`` says that there is no number."""
    return cell.strip().casefold() in _MISSING


def parse_number(cell: str, mark: Mark) -> Decimal:
    """The number in ``cell``, exactly, where decimals stand after ``mark``: with or without
    separated thousands, and K, M, B or T for thousand and so on.

    Raises:
        InvalidOperation: it is none.
    """
    if mark == "." and "," not in cell:
        with contextlib.suppress(InvalidOperation):
            return Decimal(cell)
    found = _NUMBERS[mark].fullmatch(cell.strip())
    if found is None or not (found[2] or found[3]):
        raise InvalidOperation(cell)
    sign, whole, decimals, exponent, unit = found.groups()
    number = Decimal(f"{sign}{_GROUPS.sub('', whole)}.{decimals or '0'}{exponent or ''}")
    return number * _FACTORS[unit.upper()] if unit else number


def find_decimal_mark(cells: Iterable[str]) -> Mark | None:
    """What stands before the decimals of the numbers ``cells`` of one file; None where some could
    be read either way, as 41,000 could."""
    is_unclear = False
    for cell in cells:
        text = cell.strip().rstrip("KMBTkmbt ")
        point, comma = text.rfind("."), text.rfind(",")
        if point >= 0 and comma >= 0:
            return "." if point > comma else ","
        last = max(point, comma)
        if last < 0:
            continue
        mark: Mark = "." if point >= 0 else ","
        if text.count(mark) > 1:
            return "," if mark == "." else "."
        if len(text) - last - 1 != 3 or not 1 <= last <= 3 or text.startswith("0"):
            return mark
        is_unclear = is_unclear or mark == ","
    return None if is_unclear else "."


def _parse_calendar_time(text: str, order: str | None) -> datetime:
    if found := _NUMERIC.fullmatch(text):
        day = _parse_date(text, (found["a"], found["b"], found["c"]), order)
    elif found := next((each for form in _NAMED if (each := form.fullmatch(text))), None):
        # Raises ValueError where there is no such month.
        month = 1 + _MONTHS.index(found["month"][:3].lower())
        day = datetime(int(found["year"]), month, int(found["day"]), tzinfo=UTC)
    else:
        raise ValueError(f"{text} is no time")
    return _in_utc(_at(day, found["daytime"]), text)


def _parse_date(text: str, three: tuple[str, str, str], order: str | None) -> datetime:
    if len(three[0]) == 4:
        order = "ymd"
    elif order is None:
        raise UnclearDate(
            f'which is the day and which the month of "{text}" is not clear: choose the date '
            f"format (--date-format), {_formats_text()}"
        )
    parts = dict(zip(order, three, strict=True))
    if len(parts["y"]) not in (2, 4):
        raise ValueError(f"{parts['y']} is no year")
    century = 2000 if len(parts["y"]) == 2 else 0
    return datetime(century + int(parts["y"]), int(parts["m"]), int(parts["d"]), tzinfo=UTC)


def _at(day: datetime, daytime: str | None) -> datetime:
    if not daytime:
        return day
    found = _DAYTIME.fullmatch(daytime.strip())
    hour, half = (int(found["hour"]), (found["half"] or "").upper()) if found else (0, "")
    if found is None or (half and not 1 <= hour <= 12):
        raise ValueError(f"{daytime} is no time of day")
    moment = day.replace(
        hour=hour % 12 + (12 if half == "PM" else 0) if half else hour,
        minute=int(found["minute"] or 0),
        second=int(found["second"] or 0),
        microsecond=int((found["fraction"] or "")[:6].ljust(6, "0")),
    )
    zone = found["zone"]
    return datetime.fromisoformat(f"{moment:%Y-%m-%dT%H:%M:%S.%f}{zone}") if zone else moment


def _in_utc(moment: datetime, text: str) -> datetime:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError as fault:
        raise ValueError(f"{text} is out of range") from fault


def _formats_text() -> str:
    return f"{', '.join(DATE_FORMATS[:-1])} or {DATE_FORMATS[-1]}"
