"""The account of a folder, put together for programs that run no server."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from balance.desk.desk import Desk
from balance.desk.settings import SettingsFile
from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.market.board import FileBoard
from balance.performance.baselines import FilePast
from balance.store.advice import DEFAULT_DATA_DIR
from balance.store.file_store import FileStore


def open_account(data_dir: str | PathLike[str] = DEFAULT_DATA_DIR) -> Desk:
    """The account in ``data_dir``, the same for every program that opens it; a folder without one
    gets a new account of 10,000.00 unless its settings say otherwise. It trades at the prices of
    the server that runs there, and on the terms of the folder's settings.

    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> bot, person = open_account(folder), open_account(folder)
    >>> seen = bot.deposit(250, idempotency_key="monthly-2026-01")
    >>> person.snapshot().balance == seen.balance == 10250
    True

    Raises:
        StoreError: the account or its settings are damaged, or the folder is not writable.
    """
    folder = Path(data_dir)
    settings = SettingsFile(folder)
    store = FileStore(folder, settings.starting_balance())
    board = FileBoard(folder, settings.ruled)
    history = History(store, folder / INDEX_FILE)
    desk = Desk(store, board, settings.starting_balance, history)
    desk.use_baselines(FilePast(folder))
    return desk
