"""One market for one account: the first server on a folder lets it act, the others follow."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from balance.background.worker import Worker
from balance.core.errors import BalanceError
from balance.core.market import Market
from balance.core.snapshot import Snapshot
from balance.desk.desk import Desk
from balance.market.board import FileBoard
from balance.store.disk import DISK, FILE_MODE

MARKET_LOCK_FILE: Final = "market.lock"
_CHECK_SECONDS: Final = 0.25


def take_market(folder: Path) -> FileLock | None:
    """The lock of the one that lets the market act on the account in ``folder``, held until it is
    released or this process ends; None where another process has it."""
    DISK.narrow(folder, MARKET_LOCK_FILE)
    lock = FileLock(
        folder / MARKET_LOCK_FILE,
        mode=FILE_MODE,
        fallback_to_soft=False,
        preserve_lock_file=True,
    )
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
        show_others: Callable[[], None] = lambda: None,
    ) -> None:
        """``show`` is called with the account at every new price, ``show_others`` at every check:
        it shows what else the other server has changed."""
        self._desk = desk
        self._show_others = show_others
        self._board = board
        self._show = show
        self._shown: Market | None = None
        self._worker = Worker(
            "follower", self._turn, "the newest prices could not be shown", _CHECK_SECONDS
        )

    def start(self) -> None:
        """Start to follow."""
        self._worker.start()

    def stop(self) -> None:
        """Stop following, and wait until that is so."""
        self._worker.stop()

    def _turn(self) -> None:
        market = self._board.market
        # An account that can't be read is reported by the watch on its file.
        with suppress(BalanceError):
            if market is not self._shown:
                self._shown = market
                self._show(self._desk.snapshot())
            self._show_others()
