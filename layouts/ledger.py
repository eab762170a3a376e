"""The ledger in words: entries as rows of texts, as the page lists them."""

from collections.abc import Iterable, Mapping
from typing import Any

from balance.core.figures import CENTS, dollars
from balance.core.ledger_rows import KIND_WORDS, SOURCE_WORDS, amount_words, tone


def ledger_rows(
    entries: Iterable[Mapping[str, Any]], decimals: int = CENTS
) -> list[dict[str, str]]:
    """``entries``, as the history gives them, as the texts of their rows, money with
    ``decimals``."""
    return [_row(entry, decimals) for entry in entries]


def _row(entry: Mapping[str, Any], decimals: int) -> dict[str, str]:
    kind = entry["kind"]
    amount = amount_words(kind, entry["amount"], decimals)
    return {
        "revision": str(entry["revision"]),
        "time": entry["time"],
        "kind": KIND_WORDS[kind],
        "amount": amount,
        "tone": tone(kind, amount),
        "balance": dollars(entry["balance"], decimals),
        "source": SOURCE_WORDS.get(entry["source"], entry["source"]),
        "note": entry["note"],
        "epoch": str(entry["epoch"]),
    }
