"""Whether bots miss a candle, or the ledger drifts, while pages are open and time passes.

    .venv/bin/python tests/bench/soak.py

Ten bots run on the three symbols of the simulated market beside four open pages, for ten minutes.
Each bot must have decided once on every candle that closed, the ledger must explain the account to
the last digit, and every page must show what the server answers.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from balance.store.verification import verify
from tests.bench.some_bots import start_bots
from tests.conftest import started_browser
from tests.serving import Server

_PAGES = ("/", "/auto", "/futures", "/history")


def main() -> None:
    """Run, and print what was found; ends with 1 where something is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10, help="how long (10)")
    parser.add_argument("--bots", type=int, default=10, help="how many bots (10)")
    parser.add_argument("--pages", type=int, default=4, help="how many open pages (4)")
    options = parser.parse_args()
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory())) / "account"
        server = running.enter_context(Server(folder))
        pages = [
            running.enter_context(
                started_browser(
                    server.url + _PAGES[number % len(_PAGES)],
                    running.enter_context(tempfile.TemporaryDirectory()),
                )
            )
            for number in range(options.pages)
        ]
        ids = start_bots(server, options.bots)
        begun = time.monotonic()
        time.sleep(60 * options.minutes)
        candles = [_decided(server, each) for each in ids]
        # the switch stops the prices' work on the account, so that all can be compared
        stopped = server.post({"close": True}, "/bots/stop").json()
        time.sleep(1.5)
        shown = [page.find_element("#virtual-balance").text for page in pages]
        balance = server.get().json()["display"]["balance"]
        minutes = (time.monotonic() - begun) / 60
        server.stop()
        report = verify(folder)
    print(
        f"{options.bots} bots, {options.pages} pages, {minutes:.1f} minutes: {stopped['message']}"
    )
    print(f"Decisions a bot: {', '.join(str(len(each)) for each in candles)}.")
    wrong = [fault for each in candles for fault in _gaps(each)]
    wrong += [f"A page shows {each}, not {balance}." for each in shown if each != balance]
    wrong += list(report.faults)
    print(f"{report.entries} entries explain {report.balance} at revision {report.revision}.")
    print("\n".join(wrong) or "No candle missed or decided twice, no drift, all pages agree.")
    sys.exit(bool(wrong))


def _decided(server: Server, bot: str) -> list[str]:
    """The candles that ``bot`` decided on, oldest first."""
    entries: list[Any] = server.get(f"/bots/log?bot={bot}&limit=500").json()["entries"]
    return [each["candle"] for each in reversed(entries) if each["candle"]]


def _gaps(candles: list[str]) -> list[str]:
    """What is wrong with the candles of one bot."""
    found = [f"Decided {count} times on {each}." for each, count in _twice(candles)]
    times = [datetime.fromisoformat(each) for each in candles]
    for before, after in pairwise(times):
        if after - before != timedelta(minutes=1):
            found.append(f"Nothing between {before} and {after}.")
    return found if candles else ["It never decided."]


def _twice(candles: list[str]) -> list[tuple[str, int]]:
    return [(each, count) for each, count in Counter(candles).items() if count > 1]


if __name__ == "__main__":
    main()
