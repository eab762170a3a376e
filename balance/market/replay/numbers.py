"""Numbers as files write them: with decimal points or commas, thousands, and K for thousand."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final, Literal

#: What stands before the decimals.
Mark = Literal[".", ","]

_MISSING: Final = frozenset(
    ("", "nan", "null", "none", "n/a", "na", "-", "--", "#n/a", "<na>", "nat")
)
_FACTORS: Final = {"K": 10**3, "M": 10**6, "B": 10**9, "T": 10**12}
_SPACES: Final = r"'\u2019\u00a0\u202f "
_SHAPES: Final = {
    mark: re.compile(
        rf"([+-]?)[$\u20ac\u00a3]?(\d{{1,3}}(?:[{_SPACES}{group}]\d{{3}})+|\d*)"
        rf"(?:{re.escape(mark)}(\d*))?(e[+-]?\d+)?\s?([KMBT]?)",
        re.ASCII | re.IGNORECASE,
    )
    for mark, group in ((".", ","), (",", "."))
}
_GROUPS: Final = re.compile(rf"[{_SPACES},.]")


def is_missing(cell: str) -> bool:
    """Whether ``cell`` says that there is no number."""
    return cell.strip().casefold() in _MISSING


def decimal(cell: str, mark: Mark) -> Decimal:
    """The number in ``cell``, exactly, where decimals stand after ``mark``.

    Raises:
        InvalidOperation: it is none.
    """
    if mark == "." and "," not in cell:
        with contextlib.suppress(InvalidOperation):
            return Decimal(cell)
    found = _SHAPES[mark].fullmatch(cell.strip())
    if found is None or not (found[2] or found[3]):
        raise InvalidOperation(cell)
    sign, whole, decimals, exponent, unit = found.groups()
    number = Decimal(f"{sign}{_GROUPS.sub('', whole)}.{decimals or '0'}{exponent or ''}")
    return number * _FACTORS[unit.upper()] if unit else number


def mark_in(cells: Iterable[str]) -> Mark | None:
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
