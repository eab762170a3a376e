"""The equity is sampled by the running product, without a browser, through crashes and restarts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from balance.performance.sample_rows import EQUITY_FILE
from tests.patience import wait_for
from tests.serving import Server


def curve(server: Server) -> Any:
    told = server.get("/equity").json()
    assert told["status"] == "success"
    return told


def test_it_is_sampled_without_a_browser_survives_a_crash_and_goes_on(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first = start_server("--seed", "7")
    wait_for(lambda: curve(first)["since"], "the first sample")
    first.post({"deposit": 500})
    order = {"symbol": "BTC/USDT", "side": "buy", "notional": 4_000, "leverage": 10}
    wait_for(lambda: first.post(order, "/orders").ok, "a price")
    # what is open moves with the prices, and nobody looks
    wait_for(lambda: len({round(e[1], 2) for e in curve(first)["points"]}) >= 5, "some samples")
    before = curve(first)
    first.kill()
    assert (folder / EQUITY_FILE).exists()

    again = start_server("--seed", "7")
    wait_for(lambda: again.get().json()["pnl_today"] is not None, "the P&L of the day")
    after = curve(again)
    assert after["since"] == before["since"]
    # what was there, but for its last second and the live point at its end; a minute that is over
    # keeps its extremes
    equities = [point[1] for point in before["points"][:-3]]
    kept = {point[1] for point in after["points"] if point}
    assert {min(equities), max(equities)} <= kept
    snapshot, told = again.get().json(), again.get("/performance").json()
    assert told["figures"]["pnl_today"] is not None
    assert snapshot["pnl_all_time"] == snapshot["pnl_week"]

    # another server on the same folder tells it too, and takes no samples
    second = start_server("--seed", "7")
    assert curve(second)["since"] == before["since"]
    assert second.get().json()["pnl_today"] is not None
    reset = second.post({"balance": 700}, "/virtual_balance/reset").json()
    assert reset["pnl_today"] is not None

    # the first has sampled what the second did
    def epochs() -> Any:
        figures = again.get("/performance").json()["figures"]
        return figures["pnl_epoch"] == 0 and figures["pnl_all_time"] is not None

    wait_for(epochs, "what the second server did")
    assert again.stop() == 0
    assert not (folder / f"{EQUITY_FILE}-wal").exists()
