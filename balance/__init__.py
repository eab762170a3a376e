"""One virtual balance, shared by every program on this machine.

>>> import tempfile
>>> from balance import open_account
>>> account = open_account(tempfile.mkdtemp())
>>> account.snapshot().display["balance"]
'$10,000.00'
>>> after = account.adjust("-12.30", note="my bot lost a trade")
>>> after.balance, after["current_pnl"], after.revision
(Decimal('9987.70000000'), Decimal('-12.30000000'), 2)
>>> [entry["kind"] for entry in account.history(limit=1).entries]
['adjustment']
"""

from importlib import import_module
from typing import TYPE_CHECKING

from balance.core.errors import (
    AccountingError,
    AnswerLost,
    BalanceError,
    InsufficientBalance,
    InvalidAmount,
    InvalidRequest,
    KeyInFlight,
    KeyReused,
    NoLivePrice,
    NothingToUndo,
    OrderRejected,
    StaleRevision,
    StoreBusy,
    StoreError,
    StoreFailed,
    StoreUnreadable,
    UnknownOrder,
    UnknownPosition,
)
from balance.core.snapshot import Snapshot
from balance.core.version import VERSION
from balance.desk.desk import Desk
from balance.desk.transactions import Outcome
from balance.history.history import Page
from balance.open_account import open_account

if TYPE_CHECKING:
    from balance.strategies.strategy import Signal, parameter, strategy

__version__ = VERSION

__all__ = [
    "AccountingError",
    "AnswerLost",
    "BalanceError",
    "Desk",
    "InsufficientBalance",
    "InvalidAmount",
    "InvalidRequest",
    "KeyInFlight",
    "KeyReused",
    "NoLivePrice",
    "NothingToUndo",
    "OrderRejected",
    "Outcome",
    "Page",
    "Signal",
    "Snapshot",
    "StaleRevision",
    "StoreBusy",
    "StoreError",
    "StoreFailed",
    "StoreUnreadable",
    "UnknownOrder",
    "UnknownPosition",
    "open_account",
    "parameter",
    "strategy",
]


def __getattr__(name: str) -> object:
    # with numpy all of this takes a third longer to load, and only strategies need it
    if name in ("Signal", "parameter", "strategy"):
        return getattr(import_module("balance.strategies.strategy"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
