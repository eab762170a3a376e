"""The wallet and ledger entries as JSON objects and back: money as decimal strings.

What is read is checked, as :mod:`balance.store.members` does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from balance.core.account import Account
from balance.core.entry import Booking, Entry
from balance.core.figures import plain
from balance.core.moments import iso
from balance.core.wallet import KINDS, Wallet
from balance.store.members import amount, count, moment, one_of, text
from balance.store.trade_documents import (
    effect_document,
    fill_document,
    order_document,
    position_document,
    read_effect,
    read_fill,
    read_order,
    read_position,
)

_WALLET_MONEY: Final = tuple(field.name for field in fields(Wallet) if field.name != "epoch")


def wallet_document(wallet: Wallet) -> dict[str, Any]:
    """``wallet`` as members; the balance first, as a person who opens the file looks for it."""
    amounts = {name: plain(getattr(wallet, name)) for name in _WALLET_MONEY}
    return {"balance": amounts.pop("balance"), "epoch": wallet.epoch, **amounts}


def read_wallet(document: Mapping[str, Any]) -> Wallet:
    """The wallet that ``document`` tells."""
    amounts = {name: amount(document, name) for name in _WALLET_MONEY}
    return Wallet(epoch=count(document, "epoch"), **amounts)


def holdings_document(account: Account) -> dict[str, Any]:
    """The positions and orders of ``account`` as members."""
    return {
        "positions": [position_document(position) for position in account.positions],
        "orders": [order_document(order) for order in account.orders],
    }


def read_account(wallet: Wallet, document: Mapping[str, Any]) -> Account:
    """The account of ``wallet`` with the positions and orders that ``document`` tells."""
    return Account(
        wallet=wallet,
        positions=tuple(read_position(each) for each in document["positions"]),
        orders=tuple(read_order(each) for each in document["orders"]),
    )


def entry_document(entry: Entry) -> dict[str, Any]:
    """``entry`` as an object."""
    booking = entry.booking
    document = {
        "revision": entry.revision,
        "line": entry.line,
        "time": iso(entry.time),
        "epoch": booking.epoch,
        "kind": booking.kind,
        "amount": plain(booking.amount),
        "balance": plain(booking.balance),
        "source": entry.source,
        "note": booking.note,
    }
    if booking.restated is not None:
        document["wallet"] = wallet_document(booking.restated.wallet)
        document.update(holdings_document(booking.restated))
    if booking.ended is not None:
        wallet = wallet_document(booking.ended.wallet)
        document["ended"] = {"wallet": wallet, **holdings_document(booking.ended)}
    if booking.continues is not None:
        document["continues"] = booking.continues
    if booking.effect is not None:
        document["effect"] = effect_document(booking.effect)
    if booking.fill is not None:
        document["fill"] = fill_document(booking.fill)
    return document


def read_entry(document: Mapping[str, Any], *, whole: bool = True) -> Entry:
    """The entry that ``document`` tells; unless ``whole``, without the positions and orders of the
    account that it leaves behind, which take longest to read."""
    kept = document if whole else {}
    effect, ended, fill = kept.get("effect"), kept.get("ended"), document.get("fill")
    booking = Booking(
        epoch=count(document, "epoch"),
        kind=one_of(document, "kind", KINDS),
        amount=amount(document, "amount"),
        balance=amount(document, "balance"),
        note=text(document, "note", empty=True),
        restated=_read_restated(kept),
        effect=None if effect is None else read_effect(effect),
        fill=None if fill is None else read_fill(fill),
        ended=None if ended is None else read_account(read_wallet(ended["wallet"]), ended),
        continues=_read_continued(document),
    )
    return Entry(
        revision=count(document, "revision"),
        line=count(document, "line"),
        time=moment(document, "time"),
        source=text(document, "source"),
        booking=booking,
    )


def _read_restated(document: Mapping[str, Any]) -> Account | None:
    wallet = document.get("wallet")
    if wallet is None:
        return None
    # entries of before there was trading have no holdings
    return read_account(read_wallet(wallet), {"positions": [], "orders": [], **document})


def _read_continued(document: Mapping[str, Any]) -> int | None:
    # without what it brings back, an undo would read as a reset
    if document["kind"] == "undo" and not {"wallet", "continues"} <= document.keys():
        raise ValueError("an undo must tell what it brings back")
    if document.get("continues") is None:
        return None
    continued = count(document, "continues")
    if continued >= count(document, "epoch"):
        raise ValueError(f"epoch {document['epoch']} can't continue epoch {continued}")
    return continued
