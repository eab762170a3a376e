"""The ledger in words: entries as rows of texts, as the page lists them."""

from collections.abc import Iterable, Mapping
from typing import Any

from balance.core.figures import CENTS, NONE, dollars, gain
from balance.core.wallet import EVENTS, OPENINGS
from layouts.live import tone

#: What a kind of entry and a source are called on the screen.
KIND_WORDS = {
    "start": "Start",
    "reset": "Reset",
    "undo": "Reset undone",
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "adjustment": "Adjustment",
    "external_edit": "File edited",
    "repair": "Repair",
    "realized_pnl": "Realised P&L",
    "liquidation": "Liquidation",
    "fee": "Fee",
    "funding": "Funding",
    "order": "Order placed",
    "cancel": "Order cancelled",
    "fill": "Fill",
}
SOURCE_WORDS = {
    "screen": "Screen",
    "http": "HTTP",
    "shell": "Shell",
    "program": "Program",
    "file": "File",
    "market": "Market",
    "bot": "Bot",
    "offline": "Market, while off",
}
# money that begins an epoch, or goes in or out, is no gain and no loss, and an event moves none
_NO_RESULT = frozenset({*OPENINGS, *EVENTS, "deposit", "withdrawal"})


def ledger_rows(
    entries: Iterable[Mapping[str, Any]], decimals: int = CENTS
) -> list[dict[str, str]]:
    """``entries``, as the history gives them, as the texts of their rows, money with
    ``decimals``."""
    return [_row(entry, decimals) for entry in entries]


def _row(entry: Mapping[str, Any], decimals: int) -> dict[str, str]:
    kind = entry["kind"]
    write = dollars if kind in OPENINGS else gain
    amount = NONE if kind in EVENTS else write(entry["amount"], decimals)
    return {
        "revision": str(entry["revision"]),
        "time": entry["time"],
        "kind": KIND_WORDS[kind],
        "amount": amount,
        "tone": "flat" if kind in _NO_RESULT else tone(amount),
        "balance": dollars(entry["balance"], decimals),
        "source": SOURCE_WORDS.get(entry["source"], entry["source"]),
        "note": entry["note"],
        "epoch": str(entry["epoch"]),
    }
