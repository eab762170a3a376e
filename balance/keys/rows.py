"""Keys as readers see them: rows without their secrets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2s
from typing import Annotated, Final, TypedDict

from balance.core.account import Account
from balance.core.figures import NONE, gain, rounded
from balance.core.margin import Side
from balance.core.market import Market
from balance.core.moments import iso
from balance.core.money import ZERO, exactly, quantized
from balance.core.position import Position
from balance.core.rows import Row
from balance.core.shape import (
    Count,
    Doc,
    Money,
    Price,
    Quantity,
    Symbol,
    Texts,
    Time,
    Whole,
    text_names,
)
from balance.keys.key import NAME, Activity, Key, Kind, RefusedRequest
from balance.keys.sums import OwnerSums

#: How many refusals of a key are listed.
MOST_REFUSALS: Final = 20

# How much of what a client calls itself a row has.
_LONGEST_CLIENT: Final = 40

KeyName = Annotated[str, Doc("The owner of what it trades.", pattern=NAME)]


class RequestRow(TypedDict):
    """A request that a program made."""

    time: Time
    what: Annotated[str, Doc("Such as GET /fapi/v1/order.")]


class HeldRow(TypedDict):
    """A position of a key."""

    symbol: Symbol
    side: Side
    quantity: Quantity
    entry_price: Price
    unrealized_pnl: Annotated[Money, Doc("At mark price, before fees.")]


class RefusalRow(TypedDict):
    """A request that was refused."""

    time: Time
    what: str
    reason: Annotated[str, Doc("As the program was answered.")]


class KeyRow(TypedDict):
    """A key, or an agent, as it stands; without its secret."""

    name: KeyName
    kind: Annotated[Kind, Doc("key: of a program that signs; agent: of one that needs no key.")]
    is_paused: Annotated[bool, Doc("Whether it may open nothing.")]
    created_at: Time
    client: Annotated[
        str, Doc("The program that uses it, as that calls itself; empty: not known yet.")
    ]
    positions: list[HeldRow]
    orders: Annotated[Whole, Doc("How many it has open.")]
    pnl: Annotated[Money, Doc("Of this epoch, after fees, with what it holds.")]
    realized: Annotated[Money, Doc("Of its closed trades of this epoch, after fees and funding.")]
    trades: Annotated[Whole, Doc("How many it closed in this epoch.")]
    fills: Annotated[Whole, Doc("How many of its orders filled in this epoch.")]
    last_request: Annotated[
        RequestRow | None, Doc("With a key, since the server was started; null: none.")
    ]
    refusals: Annotated[
        list[RefusalRow],
        Doc(f"The newest {MOST_REFUSALS}, newest first; of a key, since the server was started."),
    ]
    display: Annotated[
        Texts,
        text_names(
            (
                *("status", "client", "position", "orders", "open", "pnl", "realized", "trades"),
                *("fills", "positions", "request", "request_time"),
            )
        ),
    ]


class SnippetRow(TypedDict):
    """The configuration of one client to trade with a key."""

    client: Annotated[str, Doc("Short, such as freqtrade.")]
    label: Annotated[str, Doc("The client's name.")]
    language: Annotated[str, Doc("Of the text.", enum=["python", "json"])]
    words: Annotated[str, Doc("Where the text belongs, and what else to know.")]
    text: Annotated[str, Doc("Filled in, to be copied.")]


class KeyDetails(TypedDict):
    """A key with all that a program needs to use it; of an agent, key and secret are empty."""

    name: KeyName
    kind: Kind
    is_paused: bool
    created_at: Time
    key: Annotated[str, Doc("What requests show: the header X-MBX-APIKEY.")]
    secret: Annotated[str, Doc("What requests are signed with.")]
    rest: Annotated[str, Doc("The address of requests.")]
    stream: Annotated[str, Doc("The address of the streams; empty: there are none.")]
    snippets: list[SnippetRow]


class KeyList(TypedDict):
    """All keys and agents."""

    version: Annotated[Count, Doc("Another one: something about the keys has changed.")]
    fault: Annotated[str, Doc("Why they can't be read; empty: they are listed.")]
    drawn: Annotated[str, Doc("Another one: more than figures of the rows has changed.")]
    keys: list[KeyRow]


@exactly
def key_row(
    key: Key,
    account: Account,
    market: Market,
    sums: OwnerSums,
    activity: Activity | None = None,
    refusals: Sequence[RefusedRequest] = (),
) -> Row:
    """``key`` with what it has open in ``account``, which is at the prices of ``market``, with its
    ``sums``, its newest ``activity`` and its ``refusals``, oldest first."""
    held = [each for each in account.positions if each.owner == key.name]
    count = sum(each.owner == key.name for each in account.orders)
    realized = sums.trades.pnl
    pnl = realized + sum((each.net_pnl + each.unrealized_pnl for each in held), ZERO)
    decimals = market.decimals
    return {
        "name": key.name,
        "kind": key.kind,
        "is_paused": key.is_paused,
        "created_at": iso(key.created_at),
        "client": "" if activity is None else activity.client,
        "positions": [_held(each) for each in held],
        "orders": count,
        "pnl": quantized(pnl),
        "realized": quantized(realized),
        "trades": sums.trades.trades,
        "fills": sums.fills,
        "last_request": activity and {"time": iso(activity.time), "what": activity.what},
        "refusals": [
            {"time": iso(each.time), "what": each.what, "reason": each.reason}
            for each in reversed(refusals)
        ],
        "display": {
            "status": "Paused" if key.is_paused else "Active" if activity else "Ready",
            "client": _client_text(key, activity),
            "position": _capital(_positions_text(held)) or NONE,
            "positions": "\n".join(_capital(_positions_text([each])) for each in held) or NONE,
            "orders": _orders_text(count),
            "open": open_message(account, key.name),
            "pnl": gain(pnl, decimals),
            "realized": gain(realized, decimals),
            "trades": f"{sums.trades.trades:,}",
            "fills": f"{sums.fills:,}",
            "request": "None yet" if activity is None else activity.what,
            "request_time": "" if activity is None else iso(activity.time),
        },
    }


def signature(rows: Iterable[Row]) -> str:
    """A short text that is another one when ``rows`` look different but for their figures."""
    seen = [(row["name"], row["display"]["status"], row["client"], row["refusals"]) for row in rows]
    return blake2s(repr(seen).encode(), digest_size=8).hexdigest()


def open_message(account: Account, name: str) -> str:
    """What the owner ``name`` has open: ``"long 0.1 BTC/USDT and 2 orders"``; empty: nothing."""
    held = [each for each in account.positions if each.owner == name]
    count = sum(each.owner == name for each in account.orders)
    return " and ".join(filter(None, (_positions_text(held), _orders_text(count))))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _client_text(key: Key, activity: Activity | None) -> str:
    """What uses ``key``: ``"ccxt 4.5.60"``."""
    if activity is None:
        return "Not seen yet"
    product = activity.client.partition(" ")[0]
    if not product:
        return "An agent" if key.kind == "agent" else "A program"
    # Of the known clients, python-binance calls itself so.
    if product.startswith("Mozilla/"):
        return "Calls itself a browser"
    return product.replace("/", " ")[:_LONGEST_CLIENT]


def _orders_text(count: int) -> str:
    return "" if not count else "1 order" if count == 1 else f"{count} orders"


def _positions_text(held: Sequence[Position]) -> str:
    return ", ".join(f"{each.side} {rounded(each.quantity)} {each.symbol}" for each in held)


def _held(held: Position) -> HeldRow:
    return {
        "symbol": held.symbol,
        "side": held.side,
        "quantity": held.quantity,
        "entry_price": held.entry_price,
        "unrealized_pnl": quantized(held.unrealized_pnl),
    }
