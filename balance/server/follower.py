"""One market for one account: the first server on a folder lets it act, the others follow."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from balance.core.errors import BalanceError
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.market.board import FileBoard

MARKET_LOCK_FILE: Final = "market.lock"
_LOOK_SECONDS: Final = 0.25

_log = logging.getLogger(__name__)


def take_market(folder: Path) -> FileLock | None:
    """The lock of the one that lets the market act on the account in ``folder``, held until it is
    released or this process ends; None where another process has it."""
    lock = FileLock(folder / MARKET_LOCK_FILE, fallback_to_soft=False, preserve_lock_file=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock


class Follower:
    """Shows the prices of the server that lets the market act, from :meth:`start` to :meth:`stop`.
    It acts on nothing itself."""

    def __init__(
        self,
        desk: Desk,
        board: FileBoard,
        show: Callable[[Snapshot], None],
        also: Callable[[], None] = lambda: None,
    ) -> None:
        """``show`` is told the account at every new price, and ``also`` is called at every look."""
        self._desk = desk
        self._also = also
        self._board = board
        self._show = show
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until that is so."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        shown = None
        while not self._stopping.wait(_LOOK_SECONDS):
            market = self._board.market
            try:
                if market is not shown:
                    shown = market
                    self._show(self._desk.snapshot())
                self._also()
            except BalanceError:
                continue  # the watch on the account's file tells it
            except Exception:
                _log.exception("the newest prices could not be shown")
