"""What can go wrong with the account, as errors that carry their figures.

Every error a caller may want to handle is a :class:`BalanceError`; its text is a sentence a
person can act on; it holds a path only in a command that needs it.
"""

from __future__ import annotations

from decimal import Decimal

from balance.core.figures import grouped


class BalanceError(Exception):
    """The base of every error that this package raises on purpose."""


class InvalidAmount(BalanceError, ValueError):
    """An amount that is not a number, or not one that makes sense here."""


class InvalidRequest(BalanceError, ValueError):
    """A request that makes no sense for another reason than an amount."""


class QuantityTooSmall(InvalidAmount):
    """An order is for less than the smallest quantity of its symbol."""


class QuantityTooLarge(InvalidAmount):
    """An order is for more than the largest quantity that one of its symbol may have."""


class NotionalTooSmall(InvalidAmount):
    """An order of ``symbol`` that may open a position is worth ``notional``, less than ``least``,
    both in the quote currency."""

    def __init__(self, symbol: str, least: Decimal, notional: Decimal) -> None:
        super().__init__(
            f"The smallest order of {symbol} is worth {grouped(least)} USDT; this one is worth "
            f"{grouped(notional)}."
        )
        self.symbol = symbol
        self.least = least
        self.notional = notional


class PositionTooLarge(InvalidAmount):
    """A position would be worth more than its symbol allows."""


class LeverageTooHigh(InvalidRequest):
    """A position would have more leverage than its symbol allows for what it is worth."""


class LeverageInUse(InvalidRequest):
    """What is open of a symbol has another leverage than the one that is to be set."""


class TooManyOrders(InvalidRequest):
    """As many orders of the symbol are open as may be."""


class ClientIdInUse(InvalidRequest):
    """An open order has the client id that another one is to get."""


class TriggerReached(InvalidRequest):
    """The market has already come to the trigger price of an order."""


class OtherFeed(InvalidRequest):
    """What is open of a symbol was opened at the prices of another feed."""


class MarketRefused(InvalidRequest):
    """An order may not do what it would do as it arrives, by its time in force."""


class OrderRejected(MarketRefused):
    """The market refused the order ``order_id`` as it arrived, by its time in force; the ledger has
    it and its end."""

    def __init__(self, message: str, order_id: str) -> None:
        super().__init__(message)
        self.order_id = order_id


class BackupRefused(BalanceError):
    """A backup that can't be made there, or can't be restored, for a reason that lies in it."""


class InsufficientBalance(BalanceError):
    """A change needs ``required``, but only ``available`` is there, in the quote currency."""

    def __init__(self, required: Decimal, available: Decimal) -> None:
        super().__init__(
            f"This needs {grouped(required)} USDT, but only {grouped(available)} are available."
        )
        self.required = required
        self.available = available


class NoLivePrice(BalanceError):
    """``symbol`` has no live price now, so nothing can fill on it."""

    def __init__(self, symbol: str, message: str = "") -> None:
        """``message`` says why, and what to do."""
        super().__init__(
            f"{symbol} has no live price now, and nothing fills on an old one. "
            + (message or "Try again when quotes come in.")
        )
        self.symbol = symbol


class NotYours(InvalidRequest):
    """What is open of ``symbol`` belongs to ``owner``: a bot by its id, a key or an agent by its
    name; empty: the person. ``by`` is likewise who wanted to change it."""

    def __init__(self, symbol: str, owner: str, by: str = "") -> None:
        advice = (
            f"{by} may change only what is its own: wait until that is closed, or trade another "
            "symbol."
            if by
            else f"Stop or pause {owner} and close its position first, or make the order "
            "reduce-only: you may close what others hold."
        )
        super().__init__(f"{symbol} is traded by {owner or 'the person'} now. {advice}")
        self.symbol = symbol
        self.owner = owner


class NothingToUndo(BalanceError):
    """The running epoch was not opened by a reset that can be undone."""


class UnknownOrder(BalanceError):
    """There is no open order with that id."""


class UnknownEntry(BalanceError):
    """There is no entry of the ledger at that place."""


class UnknownBot(BalanceError):
    """There is no bot with that id."""


class UnknownKey(BalanceError):
    """There is no key with that name."""


class UnknownAlert(BalanceError):
    """There is no alert with that id."""


class UnknownBacktest(BalanceError):
    """There is no backtest with that id."""


class UnknownPosition(BalanceError):
    """There is no such position."""


class StaleRevision(BalanceError):
    """The account is at the revision ``actual``, not at ``expected`` as the caller required."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(
            f"The account is at revision {actual}, not {expected}. "
            "Read the balance again and decide anew."
        )
        self.expected = expected
        self.actual = actual


class KeyReused(BalanceError):
    """The idempotency ``key`` came again with another request."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"The Idempotency-Key {key!r} was used before for another request. Use a new key."
        )
        self.key = key


class KeyInFlight(BalanceError):
    """A request with the same idempotency ``key`` has not been answered yet."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"A request with the Idempotency-Key {key!r} is still being worked on. "
            "Wait for its answer."
        )
        self.key = key


class AnswerLost(BalanceError):
    """The request with the idempotency ``key`` was booked before, as ``revision``, and what it was
    answered is lost."""

    def __init__(self, key: str, revision: int) -> None:
        super().__init__(
            f"The request with the Idempotency-Key {key!r} was booked before, as revision "
            f"{revision}, but its answer is lost. Nothing was booked now. Look at the balance and "
            "the history, and use a new key for another request."
        )
        self.key = key
        self.revision = revision


class AccountingError(BalanceError):
    """The account would not explain itself: a fault of the program, so nothing is written."""


class StoreError(BalanceError):
    """The account cannot be read or written now."""


class StoreUnreadable(StoreError):
    """``file``, a file of the account, is missing or damaged, as ``reason`` says; nothing is put
    in its place."""

    def __init__(
        self, file: str, reason: str, option: str = "", *, line: int | None = None
    ) -> None:
        """``option`` names the folder in the commands that are advised, where it must be named.
        ``line`` is the number of the damaged line, where the rest of the file is of use."""
        super().__init__(
            f"{file} {reason}. Run `python -m balance verify{option}` to see more, and "
            f"`python -m balance repair{option}` to mend it."
        )
        self.file = file
        self.reason = reason
        self.line = line


class StoreNewer(StoreUnreadable):
    """``file`` was written by a newer version of the program, as ``reason`` says, which this one
    leaves alone."""

    def __init__(self, file: str, reason: str) -> None:
        Exception.__init__(
            self,
            f"{file} {reason}: a newer version of the program wrote it. "
            "Start that version again, or update this one: python -m pip install --upgrade .",
        )
        self.file = file
        self.reason = reason


class StoreFailed(StoreError):
    """The disk did not confirm a write, for the ``reason`` that it gave."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The disk did not confirm the change: {reason}. Look at the balance before you try "
            "again, or repeat the request with the same Idempotency-Key."
        )
        self.reason = reason


class LockUnusable(StoreFailed):
    """The lock ``file`` can't be opened, for the ``reason`` that the disk gave."""

    def __init__(self, file: str, reason: str) -> None:
        Exception.__init__(
            self,
            f"{file} can't be opened: {reason}. Nothing was changed. End every program that uses "
            "the data folder, and move the file away, or give yourself the right to write it.",
        )
        self.reason = reason


class StoreBusy(StoreError):
    """Another program held the lock of the account for all the ``seconds`` that this one waited."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"Another program has held the account's lock for {seconds:g} s. "
            "Nothing was changed; try again."
        )
        self.seconds = seconds


class BackupFailed(StoreError):
    """A backup was not made or restored, as the account is damaged or the disk refused."""


class HistoryUnavailable(StoreError):
    """The history can't be searched now; the account is not concerned. ``reason`` says why, and
    what to do about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The history can't be searched or sorted now: {reason}. Without filters, the newest "
            "entries are still listed."
        )
        self.reason = reason
