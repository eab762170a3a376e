"""What a client believes of the account beside what the desk answers itself, after every step.

It runs in the environment of each client, so it needs the standard library alone."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Protocol

# A row in the desk's own terms; a member that a client has no word for is None.
Row = Mapping[str, Any]
Rows = Mapping[str, Row]

# What a client's text of eight decimals may differ from an exact amount of the desk.
_TOLERANCE: Final = Decimal("0.00000002")
# How often a reading is repeated where the account or the market has moved meanwhile.
_READINGS: Final = 200
# How often an order is placed next to the market until one has filled.
_TRIES: Final = 30
#: Seconds that a client may take until it has heard of what it did.
PATIENCE: Final = 60.0
# Seconds after which what an event does not bring is taken for missing.
_SETTLED: Final = 20.0


class Client(Protocol):
    """One client's belief, by the names of rows: symbols as the desk writes them, ids as texts."""

    def account(self) -> Rows:
        """Row ``USDT`` of ``total``, ``available``, ``used`` and ``wallet`` in USDT."""

    def positions(self) -> Rows:
        """By symbol: signed ``quantity``, ``entry``, ``leverage``, ``liquidation``, ``pnl``."""

    def orders(self) -> Rows:
        """By id what is open: ``symbol``, ``side``, ``price``, ``trigger``, ``quantity``,
        ``reduce_only``, ``client_id``."""

    def fills(self) -> Rows:
        """By trade id: ``symbol``, ``side``, ``price``, ``quantity``, ``fee``, ``pnl``,
        ``maker``."""


@dataclass(frozen=True)
class Access:
    """Where a desk is and the key of a client: what ``keys --json`` prints, and its own address."""

    url: str
    name: str
    key: str
    secret: str
    rest: str
    stream: str

    @classmethod
    def parse(cls, text: str) -> Access:
        """The access in a JSON text."""
        return cls(**json.loads(text))

    def snippet(self, client: str) -> str:
        """What the desk tells the users of a client."""
        snippets = Desk(self.url).read(f"/keys/{self.name}")["snippets"]
        return str(next(each["text"] for each in snippets if each["client"] == client))

    def run_snippet(self, client: str) -> dict[str, Any]:
        """The names that the snippet of a Python client defines."""
        names: dict[str, Any] = {}
        exec(self.snippet(client), names)
        return names


class Desk:
    """The desk by its own HTTP API, with exact numbers."""

    def __init__(self, url: str) -> None:
        self.url = url

    def read(self, path: str) -> Any:
        """The answer to a GET."""
        return self.send("GET", path)

    def send(self, method: str, path: str, body: object = None) -> Any:
        """The answer to a request with ``body`` as JSON."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.loads(answer.read(), parse_float=Decimal, parse_int=Decimal)
        except urllib.error.HTTPError as fault:
            raise RuntimeError(f"{method} {path}: {fault.code} {fault.read().decode()}") from None

    def price(self, symbol: str) -> Any:
        """The prices of a symbol, as the desk writes it."""
        return self.read("/prices")["prices"][symbol]

    def near(self, symbol: str, percent: float) -> Decimal:
        """A price that many percent above the mark price, on the tick."""
        price = self.price(symbol)
        tick: Decimal = price["tick_size"]
        exact_price = price["mark"] * (1 + Decimal(str(percent)) / 100)
        return Decimal((exact_price / tick).quantize(Decimal(1)) * tick)

    def snapshot(self) -> Any:
        """The whole account as it is now."""
        return self.read("/virtual_balance")

    def account(self, snapshot: Any) -> Rows:
        """As :meth:`Client.account`."""
        return {
            "USDT": {
                "total": snapshot["portfolio_value"],
                "available": max(Decimal(0), snapshot["available_balance"]),
                "used": snapshot["used_margin"],
                "wallet": snapshot["balance"],
            }
        }

    def positions(self, snapshot: Any) -> Rows:
        """As :meth:`Client.positions`."""
        return {
            each["symbol"]: {
                "quantity": each["quantity"] * (1 if each["side"] == "long" else -1),
                "entry": each["entry_price"],
                "leverage": each["leverage"],
                "liquidation": each["liquidation_price"],
                "pnl": each["unrealized_pnl"],
            }
            for each in snapshot["positions"]
        }

    def orders(self, snapshot: Any) -> Rows:
        """As :meth:`Client.orders`."""
        return {
            each["id"]: {
                "symbol": each["symbol"],
                "side": each["side"],
                "price": each["price"],
                "trigger": each["trigger_price"],
                "quantity": each["quantity"],
                "reduce_only": each["reduce_only"],
                # What has none was placed by the page or another program of the desk.
                "client_id": each["client_id"] or f"web_{each['id']}",
            }
            for each in snapshot["open_orders"]
        }

    def fills(self) -> Rows:
        """As :meth:`Client.fills`."""
        rows = self.read("/history/fills?limit=1000")["rows"]
        return {
            f"{each['revision'] * 1_000_000 + each['line']}": {
                "symbol": each["symbol"],
                "side": each["side"],
                "price": each["price"],
                "quantity": each["quantity"],
                "fee": each["fee"],
                "pnl": each["realized_pnl"],
                "maker": each["liquidity"] == "maker",
            }
            for each in rows
        }


def same(believed: Any, true: Any) -> bool:
    """Whether a client's value is the desk's; one that the client has no word for always is."""
    if believed is None:
        return True
    if isinstance(true, Decimal):
        return abs(exact(believed) - true) <= max(_TOLERANCE, abs(true) * Decimal("1e-12"))
    if true is None:
        return believed in ("", 0) or exact(believed) == 0
    return bool(believed == true)


def exact(value: Any) -> Decimal:
    """The number that a client wrote or holds; a float as it is printed."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def signed(value: Any, side: str) -> Decimal:
    """A quantity that is negative at a short or a sell."""
    return exact(value) * (-1 if side.lower() in ("short", "sell") else 1)


def differences(part: str, believed: Rows, true: Rows) -> list[str]:
    """Each difference between what a client believes and what is, in a sentence."""
    found = [
        f"{part}: the client does not know {name}: {true[name]}" for name in true.keys() - believed
    ]
    found += [
        f"{part}: the desk does not know {name}: {believed[name]}"
        for name in believed.keys() - true
    ]
    for name in believed.keys() & true.keys():
        found += [
            f"{part} {name}: {member} is {value} at the client, {true[name][member]} at the desk"
            for member, value in believed[name].items()
            if not same(value, true[name][member])
        ]
    return found


def compare(client: Client, desk: Desk) -> list[str]:
    """Every difference in account, positions, open orders and fills."""
    return [
        *_steady("account", client.account, desk.snapshot, desk.account, _moment),
        *_steady("position", client.positions, desk.snapshot, desk.positions, _moment),
        *_steady("order", client.orders, desk.snapshot, desk.orders, _revision),
        *_steady("fill", client.fills, desk.snapshot, lambda _: desk.fills(), _revision),
    ]


def _moment(snapshot: Any) -> Any:
    return snapshot["revision"], snapshot["tick"], snapshot["market"]["as_of"]


def _revision(snapshot: Any) -> Any:
    return snapshot["revision"]


def _steady(
    part: str,
    believe: Callable[[], Rows],
    snapshot: Callable[[], Any],
    rows: Callable[[Any], Rows],
    at: Callable[[Any], Any],
) -> list[str]:
    """The differences of one part, read while neither the account nor the market moved."""
    for _ in range(_READINGS):
        before = snapshot()
        believed, true = believe(), rows(before)
        if at(snapshot()) == at(before):
            return differences(part, believed, true)
    return [f"{part}: the desk moved during each of {_READINGS} readings"]


def steady(believe: Callable[[], Any], true: Callable[[], Any]) -> tuple[Any, Any]:
    """What a client reads and what the desk answers, of one moment of the market."""
    for _ in range(_READINGS):
        before = true()
        believed = believe()
        if true() == before:
            return believed, before
    raise TimeoutError(f"The market moved during each of {_READINGS} readings.")


def settle(client: Client, desk: Desk) -> list[str]:
    """The differences that stay after what has just happened has reached the client."""
    start = time.monotonic()
    while (found := compare(client, desk)) and time.monotonic() - start < _SETTLED:
        time.sleep(0.1)
    return found


class Steps:
    """Counts steps, compares after each, and keeps what went wrong."""

    def __init__(
        self,
        name: str,
        client: Client,
        desk: Desk,
        compare: Callable[[Client, Desk], list[str]] = compare,
    ) -> None:
        self.name = name
        self._compare = lambda: compare(client, desk)
        self.steps = 0
        self.faults: list[str] = []

    def walk(self, *parts: Callable[[], None]) -> int:
        """Take every one of ``parts``, also after one that breaks off; the exit code."""
        for part in parts:
            try:
                part()
            except Exception as fault:
                with self.step(f"the rest of {part.__name__}"):
                    raise fault
        return self.end()

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """One step: what the block does, then the comparison."""
        self.steps += 1
        start = time.monotonic()
        found = []
        try:
            yield
            found = self._compare()
        except Exception as fault:
            found = [f"{type(fault).__name__}: {str(fault)[:600]}"]
        self._note(what, found, start)

    @contextmanager
    def refused(self, what: str, kind: type[BaseException], text: str = "") -> Iterator[None]:
        """One step that must end in ``kind``, with ``text`` in its message, and change nothing."""
        self.steps += 1
        start = time.monotonic()
        try:
            yield
            found = [f"it was not refused; {kind.__name__} was expected"]
        except Exception as fault:
            found = self._compare()
            # A subclass is another message to a program that catches the exact class.
            if type(fault) is not kind or text not in str(fault):
                found.append(
                    f"{kind.__name__} with {text!r} was expected, but it was "
                    f"{type(fault).__name__}: {str(fault)[:400]}"
                )
        self._note(what, found, start)

    async def reach(self, what: str, acted: Awaitable[Any]) -> Any:
        """One step of a program that listens: what is done, then the comparison beside it."""
        self.steps += 1
        start = time.monotonic()
        result = None
        try:
            result = await acted
            found = await asyncio.to_thread(self._compare)
        except Exception as fault:
            found = [f"{type(fault).__name__}: {str(fault)[:600]}"]
        self._note(what, found, start)
        return result

    def equal(self, what: str, believed: object, true: object) -> None:
        """One step that compares two values of the market or of a record."""
        self.steps += 1
        good = same(believed, true)
        self._note(
            what, [] if good else [f"{believed!r} at the client, {true!r} at the desk"], None
        )

    def _note(self, what: str, found: list[str], start: float | None) -> None:
        took = "" if start is None else f" ({time.monotonic() - start:.1f} s)"
        print(f"{'FAULT' if found else 'ok':5} {self.name}: {what}{took}", flush=True)
        for each in found:
            print(f"        {each}", flush=True)
        self.faults += [f"{what}: {each}" for each in found]

    def end(self) -> int:
        """Print the counts; the exit code."""
        print(f"{self.name}: {self.steps} steps, {len(self.faults)} differences", flush=True)
        return 1 if self.faults else 0


def fire(desk: Desk, place: Callable[[], str], cancel: Callable[[str], Any]) -> str:
    """Place an order next to the market, and again where the market has gone, until it has filled.

    ``place`` answers its id."""

    def is_open(number: str) -> bool:
        return number in desk.orders(desk.snapshot())

    for _ in range(_TRIES):
        number = place()
        try:
            wait_for(lambda number=number: not is_open(number), "its fill", seconds=8)
            return number
        except TimeoutError:
            with suppress(Exception):
                cancel(number)
                continue
            # It has filled at the last moment.
            return number
    raise TimeoutError(f"None of {_TRIES} orders next to the market has filled.")


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until ``condition`` holds, for ``seconds`` at most; what it is then.

    Raises:
        TimeoutError: It does not come about.
    """
    start = time.monotonic()
    while not (found := condition()):
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"{what} did not come about within {seconds:.0f} s")
        time.sleep(0.1)
    return found
