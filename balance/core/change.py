"""A step of the account: its next state, and the entries that explain it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal

from balance.core.account import Account
from balance.core.entry import Booking
from balance.core.trade import Effect, Fill


@dataclass(frozen=True, slots=True)
class Change:
    """An account's next state and the entries that lead to it, which may still be none."""

    account: Account
    bookings: tuple[Booking, ...] = ()

    def booked(
        self,
        kind: str,
        amount: Decimal,
        note: str = "",
        *,
        effect: Effect | None = None,
        fill: Fill | None = None,
    ) -> Change:
        """The change with one more entry, which moves the balance by ``amount``, in the quote
        currency, and has ``effect`` on positions and orders."""
        wallet = self.account.wallet.booked(kind, amount)
        account = replace(self.account, wallet=wallet)
        booking = Booking(
            epoch=wallet.epoch,
            kind=kind,
            amount=amount,
            balance=wallet.balance,
            note=note,
            effect=effect,
            fill=fill,
        )
        return Change(account if effect is None else effect.on(account), (*self.bookings, booking))

    def noted(self, note: str) -> Change:
        """The change with ``note`` of the one who requested it, behind its first entry's own."""
        if not note or not self.bookings:
            return self
        first, *others = self.bookings
        first = replace(first, note=f"{first.note}. {note}" if first.note else note)
        return Change(self.account, (first, *others))

    def then(self, following: Change) -> Change:
        """The change and, after it, one that was made from the account that it leads to."""
        return Change(following.account, (*self.bookings, *following.bookings))


Operation = Callable[[Account], Change]
