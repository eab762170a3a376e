"""A replay that is through: what is open can still be closed, also after a restart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from balance.store.verification import verify
from tests.screen import wait_for
from tests.serving import Server
from tests.standing import StandingServer


def test_a_position_outlives_the_end_of_its_replay_and_is_closed_at_its_last_price(
    start_server: Callable[..., Server], folder: Path
) -> None:
    with StandingServer(folder) as standing:
        for symbol_side in ("buy", "buy"):
            order = {"symbol": "BTC/USDT", "side": symbol_side, "quantity": 0.01}
            assert standing.post(order, "/orders").status_code == 200
        standing.stop()
    file = folder.with_name(f"{folder.name}-candles.csv")
    replay = ("--feed", f"replay:BTC/USDT={file}", "--speed", "100000")
    for quantity, left in ((0.005, [0.015]), (0.015, [])):
        server = start_server(*replay)
        wait_for(lambda s=server: s.get("/prices").json()["state"] == "ended", "the end")
        assert server.get("/prices").json()["prices"]["BTC/USDT"]["state"] == "stale"
        refused = server.post({"symbol": "BTC/USDT", "side": "buy", "quantity": 1}, "/orders")
        assert refused.status_code == 503
        closed = server.post({"quantity": quantity}, "/positions/BTC/USDT/close")
        assert closed.json()["order"]["price"] == 39_996
        assert [each["quantity"] for each in server.get("/positions").json()["positions"]] == left
        server.stop()
    assert verify(folder).faults == ()
