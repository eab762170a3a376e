"""The product on a market that stands still, for what would be blurred by prices that move."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tests.patience import wait_for
from tests.serving import Server

# two minutes of Bitcoin at 40,000, the second of which never comes
_CANDLES: Final = """\
time,open,high,low,close,volume
2026-01-02T03:04:00Z,40000,40000,40000,40000,1
2026-01-02T03:05:00Z,40000,40000,40000,40000,1
"""
_OF_THE_MARKET: Final = ("instance", "tick", "as_of", "market")


class StandingServer(Server):
    """A running server on ``folder`` with one price, that of Bitcoin, which it has told."""

    def __init__(self, folder: Path, *options: str, port: int = 0) -> None:
        file = folder.with_name(f"{folder.name}-candles.csv")
        file.write_text(_CANDLES)
        feed = ("--feed", f"replay:BTC/USDT={file}", "--speed", "0.0001")
        super().__init__(folder, *feed, *options, port=port)
        wait_for(lambda: self.get("/prices").json()["state"] == "live", "the price")


def of_the_account(told: dict[str, Any]) -> dict[str, Any]:
    """What a snapshot tells of the account itself, whatever the market does meanwhile."""
    return {name: value for name, value in told.items() if name not in _OF_THE_MARKET}
