"""Ledgers of any length, as years of trading leave them, written without the years."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from balance.core.account import Account
from balance.core.change import Change
from balance.core.entry import Booking, Entry
from balance.core.fills import completed_trade, fill_text
from balance.core.margin import unrealized_pnl
from balance.core.moments import iso
from balance.core.money import exact, quantized
from balance.core.operations import start_account
from balance.core.order import Order, OrderSide, Reason, closing_side
from balance.core.position import Position
from balance.core.trade import Effect, Fill
from balance.core.wallet import Wallet
from balance.store import codec
from balance.store.checksum import START, sealed, stated
from balance.store.codec import chained, decode_entry, decode_state, encode_entry, encode_state
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, FileStore
from balance.store.memory_store import MemoryStore
from balance.store.state import State
from tests.accounts import MOMENT

PRICES = {"BTC/USDT": 40_000, "ETH/USDT": 2_000, "SOL/USDT": 20}
OWNERS = ("", "trend-1", "rsi-2", "breakout-3")
WHY = ("", "EMA 9 crossed above EMA 21", "RSI 28.4 is below 30", "Price broke the high of 20")
NOTES = ("", "my salary", "= not a formula", "Übertrag", "monthly, 12.50")


class Life:
    """An account that somebody and some bots trade on; the same with the same ``seed``."""

    def __init__(
        self,
        seed: int = 7,
        epochs_of: int = 60_000,
        begin: State | None = None,
        steps: Sequence[int] = (1, 20, 600),
    ) -> None:
        """A reset comes about every ``epochs_of`` commits. It goes on from ``begin``, where nothing
        is open, or is that of a new account. From commit to commit pass some of ``steps``, in
        seconds; below zero, the clock is set back."""
        self._chance = random.Random(seed)
        self._steps = steps
        self._epochs_of = epochs_of
        self._time = begin.changed_at if begin is not None else MOMENT
        self._number = 0
        self.state = begin or _stamped(1, MOMENT, start_account(Decimal(10_000)), "program")
        self._ended: Account | None = None

    def commits(self) -> Iterator[State]:
        """The state after each commit, the first one included, without an end."""
        yield self.state
        while True:
            with exact():
                yield self._after(*self._next(self.state.account))

    def reset(self) -> State:
        """The state after a reset."""
        with exact():
            return self._after(self._reset(Change(self.state.account)), "screen")

    def _after(self, change: Change, source: str) -> State:
        self._time += timedelta(seconds=self._chance.choice(self._steps))
        self.state = _stamped(
            self.state.revision + 1, self._time, change, source, self.state.checksum
        )
        return self.state

    def _next(self, account: Account) -> tuple[Change, str]:
        chance, change = self._chance, Change(account)
        if chance.randrange(self._epochs_of) == 0:
            return self._reset(change), "screen"
        if self._ended is not None and chance.randrange(min(200, self._epochs_of // 2)) == 0:
            return self._undone(change), "screen"
        if chance.random() < 0.06 or account.wallet.balance < 2_000:
            kind, sign = chance.choice((("deposit", 1), ("adjustment", 1), ("adjustment", -1)))
            amount = sign * self._money(1, 90) + (2_000 if account.wallet.balance < 2_000 else 0)
            source = chance.choice(("http", "screen"))
            return change.booked(kind, amount, chance.choice(NOTES)), source
        symbol = chance.choice(list(PRICES))
        held = account.position(symbol)
        if held is None:
            owner = chance.choice(OWNERS)
            return self._opened(change, symbol, owner), "bot" if owner else "screen"
        if chance.random() < 0.15:
            return self._funded(change, held), "market"
        if chance.random() < 0.2:
            return self._ordered(change, held), "http"
        if chance.random() < 0.02:
            return self._closed(change, held, "liquidation"), "market"
        reason: Reason = chance.choice(("order", "stop_loss", "take_profit"))
        source = "market" if reason != "order" else "bot" if held.owner else "screen"
        return self._closed(change, held, reason), source

    def _opened(self, change: Change, symbol: str, owner: str) -> Change:
        quantity, price = self._money(1, 9) / PRICES[symbol] * 50, self._price(symbol)
        side = self._chance.choice(("long", "short"))
        why, fee = self._chance.choice(WHY), quantized(quantity * price / 2_000)
        self._number += 1
        position = Position(
            symbol=symbol,
            feed="simulated",
            owner=owner,
            side=side,
            quantity=quantity,
            entry_price=price,
            leverage=Decimal(5),
            isolated_margin=quantized(quantity * price / 5),
            maintenance_rate=Decimal("0.004"),
            maintenance_amount=Decimal(0),
            liquidation_price=None,
            mark_price=price,
            marked_at=self._time,
            opened_at=self._time,
            funded_at=self._time,
            fees_paid=fee,
            opened_because=why,
        )
        order_side: OrderSide = "buy" if side == "long" else "sell"
        fill = self._fill(position, order_side, price, "order", fee)
        return _with_fill(change, Effect(symbol=symbol, position=position), fill, why)

    def _closed(self, change: Change, held: Position, reason: Reason) -> Change:
        price = self._price(held.symbol)
        gross = quantized(unrealized_pnl(held.side, held.quantity, held.entry_price, price))
        gross = max(gross, -held.isolated_margin)
        is_free = reason in ("liquidation", "reset", "undo")
        fee = Decimal(0) if is_free else quantized(held.quantity * price / 2_000)
        why = reason.replace("_", "-").capitalize()
        trade = completed_trade(held, price, self._time, gross, fee, why)
        fill = replace(
            self._fill(held, closing_side(held.side), price, reason, fee),
            closed_quantity=held.quantity,
            realized_pnl=gross,
            position_pnl=trade.pnl,
            trade=trade,
        )
        gone = tuple(each.id for each in change.account.orders_of(held.symbol))
        effect = Effect(symbol=held.symbol, position=None, closed=gone)
        if reason == "liquidation":
            return change.booked("liquidation", gross, "Liquidated", effect=effect, fill=fill)
        return _with_fill(change, effect, fill, "")

    def _funded(self, change: Change, held: Position) -> Change:
        amount = self._money(-3, 3)
        held = replace(held, funding=held.funding + amount, funded_at=self._time)
        effect = Effect(symbol=held.symbol, position=held)
        return change.booked("funding", amount, f"Funding of {held.symbol}", effect=effect)

    def _ordered(self, change: Change, held: Position) -> Change:
        waiting = change.account.orders_of(held.symbol)
        if waiting:
            effect = Effect(symbol=held.symbol, position=held, closed=(waiting[0].id,))
            return change.booked("cancel", Decimal(0), f"Order {waiting[0].id}", effect=effect)
        self._number += 1
        order = Order(
            id=f"o{self._number}",
            symbol=held.symbol,
            feed="simulated",
            side=closing_side(held.side),
            type="limit",
            quantity=held.quantity,
            price=self._price(held.symbol),
            leverage=Decimal(5),
            reduce_only=True,
            placed_at=self._time,
            owner=held.owner,
        )
        effect = Effect(symbol=held.symbol, position=held, opened=(order,))
        return change.booked("order", Decimal(0), "Limit order", effect=effect)

    def _reset(self, change: Change) -> Change:
        self._ended = change.account
        wallet = Wallet.opened(change.account.wallet.epoch + 1, Decimal(10_000))
        opening = replace(_moved(wallet, "reset", wallet.balance), ended=self._ended)
        closed = self._all_closed(change, "reset")
        return Change(Account(wallet), (*closed.bookings, opening))

    def _undone(self, change: Change) -> Change:
        assert self._ended is not None
        ended_epoch, epoch = self._ended.wallet.epoch, change.account.wallet.epoch + 1
        back = replace(self._ended, wallet=replace(self._ended.wallet, epoch=epoch))
        opening = replace(
            _moved(back.wallet, "undo", back.wallet.balance), restated=back, continues=ended_epoch
        )
        closed = self._all_closed(change, "undo")
        self._ended = None
        return Change(back, (*closed.bookings, opening))

    def _all_closed(self, change: Change, reason: Reason) -> Change:
        for held in change.account.positions:
            change = self._closed(change, held, reason)
        return change

    def _fill(
        self, held: Position, side: OrderSide, price: Decimal, reason: Reason, fee: Decimal
    ) -> Fill:
        self._number += 1
        return Fill(
            order_id=f"o{self._number}",
            symbol=held.symbol,
            side=side,
            type="market",
            reason=reason,
            liquidity=self._chance.choice(("maker", "taker")),
            quantity=held.quantity,
            price=price,
            fee=fee,
            closed_quantity=Decimal(0),
            realized_pnl=Decimal(0),
            position_pnl=None,
            owner=held.owner,
            filled_at=self._time,
            feed="simulated",
        )

    def _price(self, symbol: str) -> Decimal:
        return PRICES[symbol] * Decimal(self._chance.randrange(9_500, 10_500)) / 10_000

    def _money(self, low: int, high: int) -> Decimal:
        return Decimal(self._chance.randrange(low * 100, high * 100) or 1) / 100


def lived(entries: int, seed: int = 7, epochs_of: int = 60_000, **how: Any) -> list[State]:
    """The states of a life whose ledger has at least so many entries; ``how`` as Life has it."""
    return list(_until(Life(seed, epochs_of, **how).commits(), entries))


def entries_of(states: Iterable[State]) -> list[Entry]:
    """The ledger of ``states``, oldest first."""
    return [entry for state in states for entry in state.entries]


def lines_of(states: Iterable[State]) -> list[bytes]:
    """The lines of the ledger of ``states``, oldest first."""
    return [line for state in states for line in state.lines]


def written(folder: Path, states: Sequence[State]) -> FileStore:
    """A store in ``folder`` that has lived through ``states``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LEDGER_FILE).write_bytes(b"".join(lines_of(states)))
    (folder / ACCOUNT_FILE).write_bytes(encode_state(states[-1]))
    return FileStore(folder)


def rewrite(folder: Path, lines: Iterable[bytes]) -> None:
    """Make ``lines`` the ledger in ``folder`` as if each had been written so, behind the one before
    it: their checksums are made anew, and the account is one that ends with them."""
    written, account = [], folder / ACCOUNT_FILE
    for line in lines:
        document = json.loads(line)
        document.pop("checksum", None)
        text = json.dumps(document, separators=(",", ":")).encode()
        written.append(sealed(text, stated(written[-1]) if written else START))
    (folder / LEDGER_FILE).write_bytes(b"".join(written))
    if account.exists():
        state, _ = decode_state(account.read_bytes())
        before = written[: -len(state.entries)]
        previous = stated(before[-1]) if before else START
        account.write_bytes(encode_state(replace(state, previous_checksum=previous)))


def as_schema_1(folder: Path) -> Path:
    """Make the account in ``folder`` one as the last version without checksums left it."""

    def older(document: Any) -> Any:
        newer = ("previous_checksum", "previous_answered", "seal")
        return {name: value for name, value in document.items() if name not in newer} | {
            "schema": 1
        }

    ledger, account, answers = (folder / name for name in (LEDGER_FILE, ACCOUNT_FILE, ANSWER_FILE))
    ledger.write_bytes(
        b"".join(encode_entry(decode_entry(line)) for line in ledger.read_bytes().splitlines())
    )
    document = older(json.loads(account.read_bytes()))
    text = json.dumps({**document, "seal": codec._seal(document)}, indent=2)
    account.write_bytes(text.encode() + b"\n")
    if answers.exists():
        found = map(json.loads, answers.read_bytes().splitlines())
        lines = [json.dumps({"key": each["key"], "state": older(each["state"])}) for each in found]
        answers.write_text("".join(f"{line}\n" for line in lines))
    return folder


def remembered(states: Iterable[State]) -> MemoryStore:
    """A store in memory that has lived through ``states``."""
    store = MemoryStore()
    found = list(states)
    store._state = found[-1]
    store._ledger = tuple(entries_of(found))
    store._lines = tuple(lines_of(found))
    return store


def write_ledger(folder: Path, entries: int, seed: int = 7) -> int:
    """Make an account in ``folder`` whose ledger has at least so many entries; how many it has.

    To live through a million takes minutes: a chapter from reset to reset is lived through, and
    told again with other numbers and times, as each begins with the same balance. The end is new.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chapter = _Chapter(max(500, min(20_000, entries // 12)), seed)
    count, newest = 0, chapter.newest
    with (folder / LEDGER_FILE).open("wb") as file:
        for number in range(max(1, (entries - chapter.length // 2) // chapter.length)):
            lines, newest = chapter.told(number, newest.checksum if number else START)
            file.write(b"".join(lines))
            count += len(lines)
        life = Life(seed + 1, 300, newest)
        coming = life.commits()
        next(coming)  # it is written
        while count < entries or newest.account != Account(newest.account.wallet):
            # what is open at the end would wait for the market of today
            newest = next(coming) if count < entries else life.reset()
            file.write(b"".join(newest.lines))
            count += len(newest.entries)
    (folder / ACCOUNT_FILE).write_bytes(encode_state(newest))
    return count


class _Chapter:
    """The ledger of one epoch, up to the reset that ends it, to be told again and again."""

    def __init__(self, length: int, seed: int) -> None:
        life = Life(seed, epochs_of=10**9)
        states = list(_until(life.commits(), length))
        self.newest = life.reset()
        self._entries = [entry for state in (*states, self.newest) for entry in state.entries]
        # all but what is told otherwise each time
        self._tails = [encode_entry(each).partition(b',"kind":')[2] for each in self._entries]
        self._lasts = self.newest.changed_at - MOMENT + timedelta(hours=1)

    @property
    def length(self) -> int:
        """How many entries it has, at most."""
        return len(self._entries)

    def told(self, number: int, previous: str) -> tuple[list[bytes], State]:
        """Its lines as those of the ``number``-th epoch, from 0, behind a line with the checksum
        ``previous``, and the state after them."""
        later, epochs = self._lasts * number, number
        # only the first one has the start of the account; the others begin behind a reset
        revisions = number * (self.newest.revision - 1)
        begin = 1 if number else 0
        lines = [
            b'{"revision":%d,"line":%d,"time":"%s","epoch":%d,"kind":%s'
            % (
                *(each.revision + revisions, each.line, iso(each.time + later).encode()),
                *(each.booking.epoch + epochs, tail),
            )
            for each, tail in zip(self._entries[begin:], self._tails[begin:], strict=True)
        ]
        entries = tuple(map(_retold, lines[-len(self.newest.entries) :]))
        if not number:
            lines[0] = lines[0][:-2] + b',"account":"account"}\n'
        for place, line in enumerate(lines[: -len(entries)]):
            lines[place] = sealed(line, previous)
            previous = stated(lines[place])
        wallet = replace(self.newest.account.wallet, epoch=entries[-1].booking.epoch)
        state = replace(
            self.newest,
            revision=entries[-1].revision,
            changed_at=entries[-1].time,
            account=Account(wallet),
            entries=entries,
            previous_checksum=previous,
        )
        state = chained(state)
        return [*lines[: -len(entries)], *state.lines], state


def _retold(line: bytes) -> Entry:
    """The entry in ``line``; a reset keeps the account of the epoch before its own."""
    entry = decode_entry(line)
    booking = entry.booking
    if booking.ended is None:
        return entry
    wallet = replace(booking.ended.wallet, epoch=booking.epoch - 1)
    return replace(entry, booking=replace(booking, ended=replace(booking.ended, wallet=wallet)))


def _until(states: Iterable[State], entries: int) -> Iterator[State]:
    """``states`` until they have so many entries."""
    count = 0
    for state in states:
        yield state
        count += len(state.entries)
        if count >= entries:
            return


def _with_fill(change: Change, effect: Effect, fill: Fill, why: str) -> Change:
    words = fill_text(fill)
    note = f"{words}: {why}" if why else words
    change = change.booked("fill", Decimal(0), note, effect=effect, fill=fill)
    if fill.closed_quantity:
        change = change.booked("realized_pnl", fill.realized_pnl, f"Closed {fill.symbol}")
    return change.booked("fee", -fill.fee, f"Taker fee. {words}") if fill.fee else change


def _moved(wallet: Wallet, kind: str, amount: Decimal) -> Booking:
    return Booking(epoch=wallet.epoch, kind=kind, amount=amount, balance=wallet.balance)


def _stamped(
    revision: int, time: datetime, change: Change, source: str, previous: str = START
) -> State:
    entries = tuple(
        Entry(revision=revision, line=line, time=time, source=source, booking=booking)
        for line, booking in enumerate(change.bookings, start=1)
    )
    return chained(
        State(
            account_id="account",
            revision=revision,
            changed_at=time,
            account=change.account,
            entries=entries,
            previous_checksum=previous,
        )
    )
