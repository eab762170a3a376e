"""An entry of the ledger as lists of it need it: without the account that it left behind.

To read the positions and orders after each of many entries takes most of the time, and no list
shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from balance.core.entry import Entry, Place
from balance.store.codec import FAULTS, Unreadable, parsed, reason
from balance.store.documents import read_entry

# what a fill brings and costs is booked right behind it, in the same commit
_OF_A_FILL: Final = ("realized_pnl", "fee")


@dataclass(frozen=True, slots=True)
class Outline:
    """The document of an entry, and of what and whom it tells."""

    document: Mapping[str, Any]
    # None: of no symbol
    symbol: str | None
    # the id of a bot; empty: the person; None: of nobody's trading
    owner: str | None

    @property
    def place(self) -> Place:
        """Where the entry stands in the ledger."""
        return self.document["revision"], self.document["line"]

    @property
    def entry(self) -> Entry:
        """The entry without its effect.

        Raises:
            Unreadable: it is none.
        """
        try:
            return read_entry(self.document, whole=False)
        except FAULTS as fault:
            raise Unreadable(f"does not hold a valid entry: {reason(fault)}") from fault


def outline(line: bytes, last: Outline | None = None) -> Outline:
    """The outline of ``line``, which stands right behind ``last``.

    Raises:
        Unreadable: the line is no entry.
    """
    document = parsed(line)
    try:
        effect, fill = document.get("effect"), document.get("fill")
        if fill is not None:
            return Outline(document, fill["symbol"], fill.get("owner", ""))
        if effect is not None:
            return Outline(document, effect["symbol"], _owner(effect))
        if last is not None and _belongs(document, last.document):
            return Outline(document, last.symbol, last.owner)
        return Outline(document, None, None)
    except FAULTS as fault:
        raise Unreadable(f"does not hold a valid entry: {reason(fault)}") from fault


def outlined(lines: Iterable[bytes]) -> Iterator[Outline]:
    """The outlines of ``lines``, oldest first.

    Raises:
        Unreadable: a line is no entry.
    """
    last = None
    for line in lines:
        last = outline(line, last)
        yield last


def _belongs(document: Mapping[str, Any], last: Mapping[str, Any]) -> bool:
    """Whether ``document`` tells of what the one right before it tells of."""
    return document["kind"] in _OF_A_FILL and document["revision"] == last["revision"]


def _owner(effect: Mapping[str, Any]) -> str | None:
    """Whose order or position ``effect`` tells of, as far as it does."""
    for each in (*effect["opened"], effect["position"]):
        if each is not None:
            owner: str = each.get("owner", "")
            return owner
    return None
