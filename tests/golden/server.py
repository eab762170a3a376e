"""The product on a copy of the golden folder, in a market that stands still."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient

from app import create_app
from balance.api.stream import Stream
from balance.server.assembly import Running
from balance.server.options import server_parser
from tests.golden.clock import Clock
from tests.patience import wait_for

HERE: Final = Path(__file__).parent
ANSWERS: Final = HERE / "answers.json"
#: Five minutes after the last sample of the folder, and after the replay's last moment.
NOW: Final = datetime(2026, 3, 5, 15, 5, tzinfo=UTC)
_FILES: Final = {"BTC/USDT": "btc.csv", "ETH/USDT": "eth.csv", "SOL/USDT": "sol.csv"}


def golden_copy(folder: Path) -> Path:
    """A copy of the golden folder in ``folder``, which may be changed."""
    return Path(shutil.copytree(HERE / "data", folder / "data"))


@contextmanager
def served(folder: Path, clock: Clock) -> Iterator[FlaskClient]:
    """A client of a server on ``folder``, whose wall clock is ``clock`` and whose replay has one
    moment and then waits for hours; once the server knows all that the folder tells."""
    feeds = [f"--feed=replay:{symbol}={HERE / name}" for symbol, name in _FILES.items()]
    strategies = f"--strategies={HERE / 'strategies'}"
    options = [f"--data-dir={folder}", *feeds, "--speed=0.0001", "--funding-rate=0.01", strategies]
    arguments, stream = server_parser().parse_args(options), Stream(1)
    with clock.stopped():
        running = Running(arguments, stream)
        app = create_app(running.desk, stream, data_dir=folder, services=running.services)
        client: FlaskClient = app.server.test_client()
        running.start()
        try:
            wait_for(lambda: _is_settled(client), "the golden market")
            yield client
        finally:
            running.stop()
            stream.close()


def _is_settled(client: FlaskClient) -> bool:
    account: Any = client.get("/virtual_balance").get_json()
    history: Any = client.get("/history/ledger?kind=fill").get_json()
    prices: Any = client.get("/prices").get_json()
    is_live = all(each["state"] == "live" for each in prices["prices"].values())
    return is_live and account["pnl_today"] is not None and history["index"]["is_complete"]
