"""The keys of an account: who trades it from outside, and what each of them does."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast, get_args

from balance.background.listeners import Listeners
from balance.core.account import Account
from balance.core.errors import (
    BalanceError,
    InvalidRequest,
    StoreError,
    UnknownOrder,
    UnknownPosition,
)
from balance.core.market import Market
from balance.core.request import one_of
from balance.desk.desk import Desk
from balance.desk.transactions import Conditions
from balance.keys.addresses import Addresses, AddressFile
from balance.keys.key import LENGTH, Activity, Key, Kind, RefusedRequest, check_name
from balance.keys.rows import key_row, open_message, signature
from balance.keys.seen import AgentFile, Seen
from balance.keys.state import KEYS_FILE, KeyBook, key_file
from balance.keys.sums import NOTHING, Sums
from balance.store.damage import Damage
from balance.store.disk import DISK, Disk
from balance.store.file_store import LOCK_FILE
from balance.store.kept_file import Done
from balance.store.lock import account_lock

#: The key that the first start of a server makes.
FIRST_KEY: Final = "bot"
#: How many keys there may be.
MOST_KEYS: Final = 100

# How often what has changed is published at most, in seconds.
_PUBLISH_SECONDS: Final = 0.25
# The same of what programs do, and of figures that follow the prices: a page that shows many keys
# takes a tenth of a second for it.
_FIGURE_SECONDS: Final = 1.0

#: Changes the keys: what it makes of them, the name that it is about, and the message.
_Operation = Callable[[KeyBook], tuple[KeyBook, str, str]]


class Keys:
    """All keys of an account. Safe to use from many threads, and beside other programs on the
    folder. Changes take an ``idempotency_key``: a repeated one gets the first answer and changes
    nothing.

    Raises:
        StoreError: wherever the keys are read or changed, their file is damaged or can't be
            written.
    """

    def __init__(
        self,
        desk: Desk,
        folder: Path | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        disk: Disk = DISK,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """``folder`` None keeps them nowhere; ``clock`` tells the time, ``seconds`` counts them."""
        self._desk, self._folder, self._clock, self._disk = desk, folder, clock, disk
        #: Since when this program has them.
        self.since = clock()
        self._file = key_file(folder, disk)
        self._addresses = AddressFile(folder, disk)
        self._agents = AgentFile(folder, disk)
        # The keys as they were read last, by the texts of their requests.
        self._by_text: tuple[KeyBook, Mapping[str, Key]] = KeyBook(), {}
        # What was seen of each key, by its name, and how often any of it has changed.
        self._seen: dict[str, Seen] = {}
        self._seen_guard = threading.Lock()
        self._version = int(time.time() * 1_000)
        self._listeners = Listeners[Mapping[str, Any]]("keys")
        # Why the keys could not be read when that was listed last; None: it never was.
        self._fault: str | None = None
        self._sums = Sums(desk)
        # What was published last, with the version that it got, and when.
        self._noticed: tuple[object, object, Market | None] = None, None, None
        self._seconds = seconds
        self._published, self._published_at = self._version, -_FIGURE_SECONDS
        # Whether a request was made since.
        self._is_used = False

    @property
    def folder(self) -> Path | None:
        """The folder of the account that they trade; None where it is in no files."""
        return self._folder

    @property
    def addresses(self) -> Addresses:
        """Where the server is reached that leads, or led last."""
        return self._addresses.latest

    def serve_at(self, addresses: Addresses) -> None:
        """Have the server reached at ``addresses``, for every program on the folder."""
        self._addresses.write(addresses)

    def begin(self) -> None:
        """Make the first key, where there was never any."""
        if self._has_begun():
            return
        with self._lock(), self._file.guard:
            if not self._has_begun():
                first = self._made(FIRST_KEY, "key")
                self._file.change(lambda: self._file.put(KeyBook((first,))))

    def _has_begun(self) -> bool:
        """Whether there was ever a key."""
        return bool(self._book().keys or self._file.changed)

    def find(self, key: str) -> Key | None:
        """The key that requests show as ``key``; None where there is none, or no longer."""
        book = self._book()
        if self._by_text[0] is not book:
            self._by_text = book, {each.key: each for each in book.keys if each.key}
        return self._by_text[1].get(key)

    def named(self, name: str) -> Key | None:
        """The key called ``name``; None where there is none."""
        return self._book().named(name)

    def get(self, name: str) -> Key:
        """The key called ``name``.

        Raises:
            UnknownKey: there is none.
        """
        return self._book().key(name)

    def all(self) -> Sequence[Key]:
        """All keys, in the order in which they were made."""
        return self._book().keys

    def add(self, name: object, kind: object = "key", idempotency_key: str | None = None) -> Done:
        """Make a key called ``name``, or an agent.

        Raises:
            InvalidRequest: it can't be called so.
        """

        called, sort = check_name(name), cast(Kind, one_of(kind, "kind", get_args(Kind)))

        def add(book: KeyBook) -> tuple[KeyBook, str, str]:
            if book.named(called) is not None:
                raise InvalidRequest(f"There is a key called {called} already.")
            if len(book.keys) >= MOST_KEYS:
                raise InvalidRequest(f"There are {MOST_KEYS} keys; revoke one first.")
            return book.with_key(self._made(called, sort)), called, f"Made the {sort} {called}."

        return self._changed(["add", called, sort], idempotency_key, add)

    def pause(self, name: str, idempotency_key: str | None = None) -> Done:
        """Let the key called ``name`` order nothing more that opens; it still reads, cancels and
        closes. What it ordered before stays.

        Raises:
            UnknownKey: there is none.
            InvalidRequest: it is paused already.
        """
        message = f"Paused {name}. It opens nothing, and still cancels and closes."
        return self._switched(name, "pause", message, idempotency_key, is_paused=True)

    def resume(self, name: str, idempotency_key: str | None = None) -> Done:
        """Let the paused key called ``name`` open again.

        Raises:
            UnknownKey: there is none.
            InvalidRequest: it is not paused.
        """
        return self._switched(name, "resume", f"Resumed {name}.", idempotency_key, is_paused=False)

    def revoke(self, name: str, *, close: bool = False, idempotency_key: str | None = None) -> Done:
        """Delete the key called ``name``: nothing is taken from it any more. With something open it
        is refused, unless ``close`` cancels its orders and closes its positions first.

        Raises:
            UnknownKey: there is none.
            InvalidRequest: it has something open.
            NoLivePrice: what it holds has no live price now; it is not revoked.
        """
        request = ["revoke", name, close]
        with self._file.guard:
            self._file.latest()
            earlier = self._earlier(request, idempotency_key)
        if earlier is not None:
            return earlier
        closed = self._close(self.get(name)) if close else ""

        def drop(book: KeyBook) -> tuple[KeyBook, str, str]:
            book.key(name)
            holding = open_message(self._desk.account(), name)
            if holding:
                raise InvalidRequest(
                    f"{name} has {holding} open. Revoke it with close=true, which cancels and "
                    "closes that first."
                )
            return book.without(name), name, f"Revoked {name}. {closed}".strip()

        return self._changed(request, idempotency_key, drop)

    def record(self, name: str, request: Activity) -> None:
        """Note that the key called ``name`` made ``request``, kept in memory."""
        with self._seen_guard:
            self._seen[name] = self._seen_of(name).after(request)
            self._is_used = True

    def refuse(self, name: str, what: str, reason: str) -> None:
        """Note that ``what`` the key called ``name`` requested was refused for that ``reason``; the
        newest are kept, in memory."""
        with self._seen_guard:
            refused = RefusedRequest(self._clock(), what, reason)
            self._seen[name] = self._seen_of(name).refused(refused)
            self._version += 1

    def share(self, name: str) -> None:
        """Have the server of the folder, another program than this one, show what the agent called
        ``name`` requested last."""
        with self._seen_guard:
            seen = self._seen.get(name)
        if seen is not None:
            with self._lock():
                self._agents.write(name, seen, {each.name for each in self._known()[0].keys})

    def _seen_of(self, name: str) -> Seen:
        """What was seen of that name here or, of an agent, in its sessions before."""
        return self._seen.get(name) or self._agents.latest.get(name, Seen())

    def listed(self) -> Mapping[str, Any]:
        """All keys as rows, with a ``version`` that changes with everything they do, and the
        ``fault`` for which they can't be read; empty for none.

        Raises:
            StoreUnreadable: the account can't be read.
        """
        book, fault = self._known()
        with self._seen_guard:
            seen, version = {**self._agents.latest, **self._seen}, self._version
        market = self._desk.market
        account, sums = self._desk.account().marked(market), self._sums.latest()
        rows = []
        for key in book.keys:
            own = seen.get(key.name, Seen())
            of_key = sums.get(key.name, NOTHING), own.activity, own.refusals
            rows.append(key_row(key, account, market, *of_key))
        return {"version": version, "fault": fault, "drawn": signature(rows), "keys": rows}

    def subscribe(self, listener: Callable[[Mapping[str, Any]], None]) -> None:
        """Have ``listener`` called with the result of :meth:`listed` when that has changed."""
        self._listeners.add(listener)

    def check(self) -> None:
        """Publish what is new, also what other programs have changed, but not too often."""
        since = self._seconds() - self._published_at
        if since >= _PUBLISH_SECONDS:
            self._list_damage()
            with suppress(StoreError):  # Every tab says so.
                self._publish(is_due=since >= _FIGURE_SECONDS)

    def _list_damage(self) -> None:
        """Have the damage of the folder say whether the keys can be read now."""
        _, fault = self._known()
        if fault != self._fault:
            self._fault = fault
            found = [Damage(KEYS_FILE, None, fault)] if fault else []
            self._desk.ledger.damages.settle(KEYS_FILE, found)

    def _publish(self, *, is_due: bool = True) -> None:
        """Have the listeners hear how the keys stand, where that is news or, where it ``is_due``,
        they made a request, the account changed, or they follow the prices."""
        known, account = (*self._known(), self._agents.latest), self._desk.account()
        names = {each.name for each in known[0].keys}
        is_holding = any(each.owner in names for each in account.positions)
        market = self._desk.market if is_holding and is_due else None
        with self._seen_guard:
            before = self._noticed
            is_news = known != before[0] or self._version != self._published
            is_other = account != before[1] or self._is_used
            is_priced = market is not None and market is not before[2]
            if not is_news and not (is_due and (is_other or is_priced)):
                return
            self._noticed = known, account, market
            self._version += 1
            self._published, self._is_used = self._version, False
        self._published_at = self._seconds()
        self._listeners.publish(self.listed())

    def _book(self) -> KeyBook:
        # A thread that writes holds the guard until the file is what it wrote.
        with self._file.guard:
            return self._file.latest()

    def _known(self) -> tuple[KeyBook, str]:
        """The keys, and why they can't be read; empty where they can."""
        try:
            return self._book(), ""
        except StoreError as fault:
            return KeyBook(), str(fault)

    def _lock(self) -> AbstractContextManager[None]:
        if self._folder is None:
            return nullcontext()
        self._disk.make_folder(self._folder)
        return account_lock(self._folder / LOCK_FILE)

    def _made(self, name: str, kind: Kind) -> Key:
        key, secret = (secrets.token_hex(LENGTH // 2) if kind == "key" else "" for _ in range(2))
        return Key(name=name, kind=kind, key=key, secret=secret, created_at=self._clock())

    def _switched(
        self, name: str, verb: str, message: str, idempotency_key: str | None, *, is_paused: bool
    ) -> Done:
        def switch(book: KeyBook) -> tuple[KeyBook, str, str]:
            key = book.key(name)
            if key.is_paused == is_paused:
                state = "paused already" if is_paused else "not paused"
                raise InvalidRequest(f"{name} is {state}.")
            left = _resting_message(self._desk.account(), name) if is_paused else ""
            changed = book.with_key(replace(key, is_paused=is_paused))
            return changed, name, f"{message} {left}".strip()

        return self._changed([verb, name], idempotency_key, switch)

    def _close(self, key: Key) -> str:
        """Cancel what ``key`` has ordered and close what it holds; a message about it. Meanwhile
        it is paused, so that nothing comes after."""
        holding = open_message(self._desk.account(), key.name)
        if not holding:
            return ""
        if not key.is_paused:
            self.pause(key.name)
        how = Conditions(owner=key.name, note=f"The key {key.name} is revoked")
        try:
            with suppress(UnknownOrder):
                self._desk.cancel_orders(**how)
            with suppress(UnknownPosition):
                self._desk.close_positions(**how)
        except BalanceError:
            if not key.is_paused:
                self.resume(key.name)
            raise
        return f"Cancelled and closed {holding}."

    def _changed(
        self, request: Sequence[Any], idempotency_key: str | None, operation: _Operation
    ) -> Done:
        with self._lock(), self._file.guard:
            book = self._file.latest()
            earlier = self._earlier(request, idempotency_key)
            if earlier is not None:
                return earlier

            def change() -> tuple[str, str]:
                changed, name, message = operation(book)
                self._file.put(changed)
                self._file.remember(idempotency_key, request, message, name=name)
                return name, message

            name, message = self._file.change(change)
        with suppress(StoreError):  # Every tab says so.
            self._publish()
        return Done(message, self._members(name))

    def _earlier(self, request: Sequence[Any], idempotency_key: str | None) -> Done | None:
        answer = self._file.answer(idempotency_key, request)
        if answer is None:
            return None
        return Done(answer.message, self._members(answer.members["name"]), replayed=True)

    def _members(self, name: str) -> Mapping[str, Any]:
        """The row of the key for an answer; of one that is gone there is none, nor while the
        account can't be read."""
        with suppress(StoreError):
            for row in self.listed()["keys"]:
                if row["name"] == name:
                    return {"key": row}
        return {}


def _resting_message(account: Account, name: str) -> str:
    """That orders of the owner ``name`` are open that may open something; empty: none is."""
    count = sum(each.owner == name and not each.reduce_only for each in account.orders)
    if not count:
        return ""
    orders, them = ("1 open order", "it") if count == 1 else (f"{count} open orders", "them")
    return f"Its {orders} can still fill: cancel {them} where nothing more is to be opened."
