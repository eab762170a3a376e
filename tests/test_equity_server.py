"""The equity is sampled by the running product, without a browser, through crashes and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from balance.equity.sample_file import EQUITY_FILE
from tests.serving import Server

PATIENCE_SECONDS = 30


def until(found: Callable[[], Any]) -> Any:
    """What ``found`` gives once that is something."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (there := found()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return there


def curve(server: Server) -> Any:
    told = server.get("/equity").json()
    assert told["status"] == "success"
    return told


def test_it_is_sampled_without_a_browser_survives_a_crash_and_goes_on(
    start_server: Callable[..., Server], folder: Path
) -> None:
    first = start_server("--seed", "7")
    until(lambda: curve(first)["since"])
    first.post({"deposit": 500})
    order = {"symbol": "BTC/USDT", "side": "buy", "notional": 4_000, "leverage": 10}
    until(lambda: first.post(order, "/orders").ok)
    # what is open moves with the prices, and nobody looks
    until(lambda: len({round(each[1], 2) for each in curve(first)["points"]}) >= 5)
    before = curve(first)
    first.kill()
    assert (folder / EQUITY_FILE).exists()

    again = start_server("--seed", "7")
    until(lambda: again.get().json()["pnl_today"] is not None)
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

    until(epochs)
    assert again.stop() == 0
    assert not (folder / f"{EQUITY_FILE}-wal").exists()
