"""Ids as the dialect has them: whole numbers, and a client id for each order.

An order has one number for ever, also where it waits for a trigger and after it was set off: so its
``algoId``, its ``orderId`` and its ``actualOrderId`` are the same. Numbers stay below 2 ** 53.
"""

from __future__ import annotations

import re
import zlib
from typing import Final

from balance.core.entry import Place
from balance.core.order import Reason
from balance.core.order_ids import REVISION_STEP

#: What the client id of an order begins with that whoever placed it gave none.
NAMELESS: Final = "web_"
#: What the client id of a liquidation begins with.
LIQUIDATION: Final = "autoclose-"

# Orders of older versions have hexadecimal ids, some with one of these suffixes. Their numbers are
# beyond those of revisions.
_OLDER: Final = 1 << 52
_SUFFIXES: Final = ("", "-close", "-tp", "-sl")
_OLDER_ID: Final = re.compile(f"([0-9a-f]{{10}})({'|'.join(_SUFFIXES)})", re.ASCII)
# Beyond all of those: names that are shared by several fills, such as "liquidation".
_SHARED: Final = _OLDER + (1 << 44)
_MADE: Final = re.compile(f"(?:{NAMELESS}|{LIQUIDATION})([0-9]{{1,16}})", re.ASCII)


def order_number(order_id: str) -> int:
    """The number of the order whose id in the account is ``order_id``."""
    if order_id.isascii() and order_id.isdecimal() and order_id == str(int(order_id)):
        return int(order_id)
    older = _OLDER_ID.fullmatch(order_id)
    if older is None:
        return _SHARED + zlib.crc32(order_id.encode())
    return _OLDER + int(older[1], 16) * len(_SUFFIXES) + _SUFFIXES.index(older[2])


def order_id_of(number: int) -> str:
    """The id in the account of the order with ``number``."""
    if not _OLDER <= number < _SHARED:
        return str(number)
    digits, suffix = divmod(number - _OLDER, len(_SUFFIXES))
    return f"{digits:010x}{_SUFFIXES[suffix]}"


def entry_number(place: Place) -> int:
    """The number of the entry of the ledger at ``place``: the id of a fill as a trade, and of what
    moved the balance. It rises with the ledger."""
    revision, line = place
    return revision * REVISION_STEP + line


def place_of(number: int) -> Place:
    """Where the entry with ``number``, or a later one if there is none, stands in the ledger."""
    return divmod(number, REVISION_STEP)


def client_id_of(order_id: str, own: str, reason: Reason = "order") -> str:
    """The client id of the order ``order_id``: its ``own`` or, where that is empty, one that is
    made of its number; ``reason`` is why it fills."""
    if own:
        return own
    return f"{LIQUIDATION if reason == 'liquidation' else NAMELESS}{order_number(order_id)}"


def order_id_in(client_id: str) -> str | None:
    """The id in the account of the order that ``client_id`` was made for; None where it is one of a
    client's own."""
    made = _MADE.fullmatch(client_id)
    return None if made is None else order_id_of(int(made[1]))
