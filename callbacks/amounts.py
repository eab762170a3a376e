"""Numbers as they are typed, in every field of every form: as figures are shown (``1,000.50``), in
groups of three (``2 500.00``) or shortened (``12.5k``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, Literal, NamedTuple

from balance.core.errors import InvalidAmount

#: What a field is for: money (prices, too), a quantity, or something plain such as minutes.
AmountKind = Literal["money", "quantity", "plain"]

_SHAPE: Final = re.compile(r"([+-]?)(\$?) ?([\d.,' ]*[\d.]) ?([kKmM]?)", re.ASCII)
_GROUPED: Final = tuple(
    re.compile(shape, re.ASCII)
    for shape in (
        r"\d+\.?\d*|\.\d+",
        r"[1-9]\d{0,2}(,\d{3})+(\.\d*)?",
        r"[1-9]\d{0,2}( \d{3})+(\.\d*)?",
    )
)
#: Spaces of other widths, and the minus sign of figures, as they are on a keyboard.
_TYPED: Final = {**dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f"), " "), 0x2212: "-"}
_ZEROS: Final = {"": 0, "k": 3, "m": 6}


class _Rule(NamedTuple):
    letters: str
    dollars: bool


#: What may stand with the digits: "m" of a quantity may be meant as a thousandth, and of minutes or
#: percent nothing is in dollars or in thousands.
_RULES: Final[Mapping[AmountKind, _Rule]] = {
    "money": _Rule("km", dollars=True),
    "quantity": _Rule("k", dollars=False),
    "plain": _Rule("", dollars=False),
}


def read_amount(typed: object, kind: AmountKind = "money") -> Decimal:
    """The number that was ``typed`` into a field of its ``kind``, exactly.

    Raises:
        InvalidAmount: nothing was typed, or no number, or one that can be read in more than one
            way; the message says how to write it.
    """
    if is_empty(typed):
        raise InvalidAmount("Enter a number, such as 1234.56.")
    letters, dollars = _RULES[kind]
    text = str(typed).strip().translate(_TYPED)
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise InvalidAmount(
            f"{text} is no number: write it with digits and a point, such as 1234.56."
        )
    sign, dollar, digits, letter = found.groups()
    if not any(shape.fullmatch(digits) for shape in _GROUPED):
        raise InvalidAmount(
            f"{text} can be read in more than one way: write decimals behind a point, such as "
            "1234.56, and commas only between thousands, such as 1,234.56."
        )
    if dollar and not dollars:
        raise InvalidAmount(
            f"{text} is in dollars, which this field is not: write the number alone."
        )
    short = letter.lower()
    if short not in {"", *letters}:
        raise InvalidAmount(
            f"{text} can be read in more than one way: write it in full, such as 1500 or 0.0015."
        )
    ungrouped = digits.replace(",", "").replace(" ", "")
    # Of 12.5k all zeros are written, as of 12,500.
    return Decimal(format(Decimal(f"{sign}{ungrouped}e{_ZEROS[short]}"), "f"))


def is_empty(typed: object) -> bool:
    """Whether nothing was ``typed``."""
    return typed is None or not str(typed).strip()
