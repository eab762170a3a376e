"""What the page says when a callback in Python fails; nothing else on it changes then."""

import logging
import traceback

from balance.core.errors import BalanceError
from callbacks.toasts import show_toast

_LOG = logging.getLogger(__name__)
_UNKNOWN = (
    "That failed by a fault of the program, and nothing was changed on this page. Try again; the "
    "log of the server says what it was."
)


def show_fault(fault: Exception) -> None:
    """Show what a callback has raised in a toast: the message of a refusal, and of any other
    exception that it is in the log."""
    if isinstance(fault, BalanceError):
        show_toast(str(fault), "error")
        return
    frames = traceback.extract_tb(fault.__traceback__)
    way = " > ".join(each.name for each in frames)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "no place"
    _LOG.error("A callback of the page failed: %.300r in %s (%s).", fault, way, where)
    _LOG.debug("How that came about:", exc_info=fault)
    show_toast(_UNKNOWN, "error")
