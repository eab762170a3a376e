"""A digit that is changed in the ledger under a running server is never shown, and everybody hears
of it; what does not need that line goes on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from balance.market.board import MARKET_FILE
from balance.store.file_store import LEDGER_FILE
from tests.answers import problem
from tests.patience import wait_for
from tests.serving import ROOT, Server


def test_a_changed_digit_is_named_and_never_shown(folder: Path) -> None:
    ledger = folder / LEDGER_FILE
    with Server(folder) as server:
        for amount in (101, 102, 103, 104, 105):
            server.post({"deposit": amount})
        assert server.get("/history/ledger").json()["total"] == 6
        wait_for(lambda: server.get("/health").json()["checked"] == 100, "all to be checked")
        _change(ledger, b'"amount":"102', b'"amount":"902')
        for path in ("/history/ledger", "/virtual_balance/history", "/history/entries/3"):
            detail = problem(server.get(path), 503)["detail"]
            assert "ledger.jsonl line 3 does not match its checksum" in detail
            assert "python -m balance repair" in detail
        # The line was proved when it was counted.
        _goes_on(server, 6, total=7)
    # Also with an index that is made anew.
    for file in folder.glob("history.db*"):
        file.unlink()
    with Server(folder) as server:
        for path in ("/history/ledger?sort=-amount", "/history/epochs", "/history/entries/3"):
            detail = problem(server.get(path), 503)["detail"]
            assert "ledger.jsonl line 3 does not match its checksum" in detail
        _goes_on(server, 7, total=None)
        repair = [sys.executable, "-m", "balance", "repair", "--data-dir", str(folder)]
        subprocess.run(repair, cwd=ROOT, check=True, capture_output=True)
        wait_for(lambda: server.get("/health").json()["damage"] == [], "the repair to be noticed")
        assert server.get("/history/epochs").json()["index"]["is_complete"]
        whole = server.get("/history/ledger?sort=-amount").json()
        assert whole["total"] == server.get().json()["revision"]
        assert "repair" in [each["kind"] for each in whole["rows"]]


def _goes_on(server: Server, revision: int, total: int | None) -> None:
    """Everybody hears of line 3, and what does not need it goes on."""
    wait_for(lambda: server.get("/health").json()["damage"], "the damage to be known")
    (damage,) = server.get("/health").json()["damage"]
    assert (damage["file"], damage["line"]) == (LEDGER_FILE, 3)
    assert server.post({"deposit": 1}).json()["revision"] == revision + 1
    newest = server.get("/history/ledger?limit=2").json()
    assert [each["revision"] for each in newest["rows"]] == [revision + 1, revision]
    assert newest["total"] == total
    late = server.get("/history/ledger?after=4").json()
    assert (late["total"], late["index"]["is_complete"]) == (revision + 1 - 4, True)
    assert server.get("/performance").status_code == 200
    equity = server.get("/equity").json()
    if total is None:
        assert (equity["marks"], len(equity["points"]) > 0) == ([], True)
        assert "are not marked on it. ledger.jsonl line 3 does not match" in equity["words"]


def _change(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes()
    assert content.count(old) == 1
    with file.open("r+b") as opened:
        opened.write(content.replace(old, new))


def test_a_damaged_market_is_named_with_what_it_means_for_trailing_stops(folder: Path) -> None:
    with Server(folder) as server:
        order = {"symbol": "BTC/USDT", "side": "sell", "type": "trailing_stop", "quantity": 0.01}
        placed = server.post({**order, "callback_percent": 5}, "/orders").json()["order"]
    # What a server that was killed may leave.
    (folder / MARKET_FILE).write_bytes(b"{")
    with Server(folder) as server:
        (damage,) = server.get("/health").json()["damage"]
        assert (damage["file"], damage["line"]) == (MARKET_FILE, None)
        assert "1 trailing stop may stand further from the price" in damage["message"]
        assert server.get("/orders").json()["orders"][0]["best_price"] >= placed["best_price"]
    with Server(folder) as server:
        assert server.get("/health").json()["damage"] == []
