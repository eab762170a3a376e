"""Two clients and a person trade the one balance at once, each on a symbol of its own, beside an
open page that shows it."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from tests.clients.comparison import Access, Desk, same
from tests.conftest import started_browser
from tests.screen import wait_for_balance

_HERE: Final = Path(__file__).resolve().parent


def trade_together(pythons: Mapping[str, Path], accesses: Mapping[str, Access]) -> int:
    """Run a client of each library on its own key; the exit code is 0 where all sums agree."""
    url = next(iter(accesses.values())).url
    with tempfile.TemporaryDirectory() as folder, started_browser(url, folder) as page:
        return _trade(pythons, accesses, page)


def _trade(pythons: Mapping[str, Path], accesses: Mapping[str, Access], page: Any) -> int:
    (first, ours), (second, theirs) = accesses.items()
    desk = Desk(ours.url)
    running = {
        owner: subprocess.Popen(
            [python, _HERE / "round_trips.py", _text(access), library, base],
            stdout=subprocess.PIPE,
            text=True,
        )
        for (library, python), owner, access, base in zip(
            pythons.items(), (first, second), (ours, theirs), ("BTC", "ETH"), strict=True
        )
    }
    person = 0
    while any(each.poll() is None for each in running.values()):
        desk.send("POST", "/orders", {"symbol": "SOL/USDT", "side": "buy", "quantity": 2})
        desk.send("POST", "/positions/SOL-USDT/close", {})
        person += 1
    printed = {owner: each.communicate()[0] for owner, each in running.items()}
    if any(each.returncode for each in running.values()):
        print("FAULT together: a client failed", printed)
        return 1
    believed = {owner: json.loads(text) for owner, text in printed.items()}
    believed[""] = _sums([r for r in _fills(desk) if r["owner"] == ""])
    faults = [] if int(believed[""]["fills"]) == 2 * person else [f"the person's: {believed['']}"]
    for owner, sums in believed.items():
        true = _sums([row for row in _fills(desk) if row["owner"] == owner])
        faults += [
            f"{owner or 'the person'}: {name} {sums[name]}, {true[name]} at the desk"
            for name in true
            if not same(sums[name], Decimal(str(true[name])))
        ]
    snapshot = desk.snapshot()
    fees = sum((Decimal(str(s["fees"])) for s in believed.values()), Decimal(0))
    gains = sum((Decimal(str(s["pnl"])) for s in believed.values()), Decimal(0))
    for what, sum_of_all, true in (
        ("fees", fees, snapshot["fees_paid"]),
        ("profits", gains, snapshot["realized_pnl"]),
        ("balance", snapshot["starting_balance"] + gains - fees, snapshot["balance"]),
    ):
        if not same(sum_of_all, true):
            faults.append(f"{what}: {sum_of_all} of all together, {true} at the desk")
    shown = str(snapshot["display"]["balance"])
    try:
        wait_for_balance(page, shown)
    except AssertionError as fault:
        faults.append(str(fault))
    for fault in faults:
        print(f"FAULT together: {fault}")
    counts = {owner or "person": sums["fills"] for owner, sums in believed.items()}
    print(f"together: fills {counts}, {len(faults)} differences", flush=True)
    return 1 if faults else 0


def _text(access: Access) -> str:
    return json.dumps(access.__dict__)


def _fills(desk: Desk) -> list[Any]:
    rows: list[Any] = desk.read("/history/fills?limit=1000")["rows"]
    return rows


def _sums(rows: list[Any]) -> dict[str, Any]:
    return {
        "fills": Decimal(len(rows)),
        "fees": sum((row["fee"] for row in rows), Decimal(0)),
        "pnl": sum((row["realized_pnl"] for row in rows), Decimal(0)),
    }
