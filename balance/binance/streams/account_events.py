"""What a commit does to the account, as events of the private streams.

An event has the rows that answers have, under the short names of events, so that who folds all
events has what the next answer says. All of them have the time of their commit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from balance.binance.account_rows import (
    SIDE,
    break_even_price,
    entry_price,
    position_amount,
)
from balance.binance.ids import entry_number
from balance.binance.names import short
from balance.binance.numbers import amount_text, quantity_text
from balance.binance.order_rows import (
    NO_NUMBER,
    algo_row,
    conditional_order,
    is_set_off,
    open_record,
    order_of,
    order_row,
    price_or_none,
)
from balance.core.account import Account
from balance.core.entry import Entry, replay
from balance.core.market import Market
from balance.core.moments import milliseconds
from balance.core.money import CURRENCY, ZERO, exactly
from balance.core.order_record import OrderRecord, changed_records
from balance.core.position import Position
from balance.core.wallet import OF_A_FILL, OPENINGS

Event = Mapping[str, Any]

ORDER_EVENT: Final = "ORDER_TRADE_UPDATE"
ALGO_EVENT: Final = "ALGO_UPDATE"
ACCOUNT_EVENT: Final = "ACCOUNT_UPDATE"
LEVERAGE_EVENT: Final = "ACCOUNT_CONFIG_UPDATE"

#: Why the balance or a position changed, by the kind of the entry; the others change neither.
REASONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("fill", *OF_A_FILL, "liquidation"), "ORDER"),
        **dict.fromkeys(OPENINGS, "ADJUSTMENT"),
        **dict.fromkeys(("adjustment", "external_edit", "repair"), "ADJUSTMENT"),
        "funding": "FUNDING_FEE",
        "deposit": "DEPOSIT",
        "withdrawal": "WITHDRAW",
        "margin": "MARGIN_TRANSFER",
    }
)
# The names in an event of an order, by those in its row.
_ORDER: Final = MappingProxyType(
    {
        "s": "symbol",
        "c": "clientOrderId",
        "S": "side",
        "o": "type",
        "f": "timeInForce",
        "q": "origQty",
        "p": "price",
        "ap": "avgPrice",
        "sp": "stopPrice",
        "X": "status",
        "i": "orderId",
        "z": "executedQty",
        "R": "reduceOnly",
        "wt": "workingType",
        "ot": "origType",
        "ps": "positionSide",
        "cp": "closePosition",
        "pP": "priceProtect",
        "V": "selfTradePreventionMode",
        "pm": "priceMatch",
        "gtd": "goodTillDate",
        "AP": "activatePrice",
        "cr": "priceRate",
    }
)
# The same of a conditional order.
_ALGO: Final = MappingProxyType(
    {
        "caid": "clientAlgoId",
        "aid": "algoId",
        "at": "algoType",
        "o": "orderType",
        "s": "symbol",
        "S": "side",
        "ps": "positionSide",
        "f": "timeInForce",
        "q": "quantity",
        "X": "algoStatus",
        "ai": "actualOrderId",
        "ap": "actualPrice",
        "tp": "triggerPrice",
        "p": "price",
        "V": "selfTradePreventionMode",
        "wt": "workingType",
        "pm": "priceMatch",
        "cp": "closePosition",
        "pP": "priceProtect",
        "R": "reduceOnly",
        "tt": "triggerTime",
        "gtd": "goodTillDate",
        "AP": "activatePrice",
        "cr": "callbackRate",
    }
)


@dataclass(frozen=True, slots=True)
class Followed:
    """The account up to a commit, and the records of its open orders."""

    account: Account
    records: Mapping[str, OrderRecord]

    @classmethod
    def of(cls, account: Account) -> Followed:
        """To follow ``account`` from now on."""
        return cls(account, {each.id: open_record(each.unmarked()) for each in account.orders})


@exactly
def follow(
    before: Followed, entries: Sequence[Entry], market: Market
) -> tuple[Followed, Sequence[Event]]:
    """The account after ``entries``, those of one commit or more, oldest first, and their events
    with the decimals of ``market``.

    Raises:
        AccountingError: they do not follow from ``before``.
    """
    account, records, events = before.account, dict(before.records), list[Event]()
    for step in _steps(entries):
        after = replay(step, account) or account
        arrivals, outcomes, others = list[Event](), list[Event](), list[Event]()
        for entry in step:
            for record in changed_records(records, entry):
                known, is_filled = records.get(record.id), record.fill is not None
                records[record.id] = record
                (arrivals if is_filled else others).extend(_arrival(known, record, entry, market))
                (outcomes if is_filled else others).extend(_outcome(record, entry, market))
        changes = _account_events(account, after, step, market)
        # What an order closes or opens is there before anybody hears that it has filled.
        events += [*arrivals, *changes, *outcomes, *others]
        account = after
    open_ids = {each.id for each in account.orders}
    left = {name: record for name, record in records.items() if name in open_ids}
    return Followed(account, left), events


def _steps(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries that make an event together: a fill with its P&L and its fee; each other one
    alone."""
    step = list[Entry]()
    for entry in entries:
        if step and not (step[0].booking.kind == "fill" and entry.booking.kind in OF_A_FILL):
            yield step
            step = []
        step.append(entry)
    if step:
        yield step


def _arrival(
    known: OrderRecord | None, record: OrderRecord, entry: Entry, market: Market
) -> Iterator[Event]:
    """How the order of ``record``, which was as ``known`` before ``entry``, None: there was none,
    came to be open as it is."""
    is_new = known is None or known.state != "NEW"
    if is_new and _waits(record):
        yield _algo_event(record, entry, market, X="NEW")
    elif is_new:
        yield _new_order_event(record, entry, market)
    elif known is not None and _waits(known) and is_set_off(record):
        yield _algo_event(known, entry, market, X="TRIGGERING")
        if record.fill is None:
            yield _algo_event(record, entry, market)
        yield _new_order_event(record, entry, market)
    elif known is not None and record.state == "NEW" and known.order != record.order:
        if _waits(record):
            yield _algo_event(record, entry, market)
        else:
            yield _order_event(record, entry, market, x="AMENDMENT")


def _outcome(record: OrderRecord, entry: Entry, market: Market) -> Iterator[Event]:
    """What became of the order of ``record`` in ``entry``, where it is not open any more."""
    fill = record.fill
    if record.state == "NEW":
        return
    if fill is not None:
        rules = market.instruments.get(fill.symbol)
        yield _order_event(
            record,
            entry,
            market,
            x="TRADE",
            l=quantity_text(fill.quantity, rules),
            L=price_or_none(fill.price, rules),
            n=amount_text(fill.fee),
            t=entry_number(entry.place),
            m=fill.liquidity == "maker",
            rp=amount_text(fill.realized_pnl),
        )
    elif not _waits(record):
        yield _order_event(
            record, entry, market, x="CANCELED" if record.state == "CANCELED" else "EXPIRED"
        )
    if conditional_order(record) is not None:
        yield _algo_event(record, entry, market)


def _waits(record: OrderRecord) -> bool:
    """Whether the order of ``record`` waits for its trigger, or did so until its end."""
    return conditional_order(record) is not None and not is_set_off(record)


def _new_order_event(record: OrderRecord, entry: Entry, market: Market) -> Event:
    """That the order of ``record`` is open, also where it has filled at once."""
    nothing = quantity_text(ZERO, market.instruments.get(order_of(record).symbol))
    return _order_event(record, entry, market, x="NEW", X="NEW", ap=NO_NUMBER, z=nothing)


def _order_event(record: OrderRecord, entry: Entry, market: Market, **fields: Any) -> Event:
    """The event of an order, with ``fields`` in place of those that say that nothing has filled."""
    row, time = order_row(record, market), milliseconds(entry.time)
    nothing = quantity_text(ZERO, market.instruments.get(order_of(record).symbol))
    order = {
        **_named(row, _ORDER),
        "l": nothing,
        "L": NO_NUMBER,
        "N": CURRENCY,
        "n": NO_NUMBER,
        "T": time,
        "t": 0,
        "b": NO_NUMBER,
        "a": NO_NUMBER,
        "m": False,
        "rp": NO_NUMBER,
        "si": 0,
        "ss": 0,
        **fields,
    }
    return {"e": ORDER_EVENT, "E": time, "T": time, "o": order}


def _algo_event(record: OrderRecord, entry: Entry, market: Market, **fields: Any) -> Event:
    """The event of a conditional order, with ``fields`` in place of what its row says."""
    row, time, fill = algo_row(record, market), milliseconds(entry.time), record.fill
    rules = market.instruments.get(order_of(record).symbol)
    order = {
        **_named(row, _ALGO),
        "aq": quantity_text(ZERO if fill is None else fill.quantity, rules),
        "act": order_row(record, market)["type"] if is_set_off(record) else NO_NUMBER,
        "rm": record.why,
        **fields,
    }
    return {"e": ALGO_EVENT, "E": time, "T": time, "o": order}


def _named(row: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """The members of ``row`` under their short names; some rows lack some of them."""
    return {short_name: row[name] for short_name, name in names.items() if name in row}


def _account_events(
    before: Account, after: Account, step: Sequence[Entry], market: Market
) -> Iterator[Event]:
    """What the entries of ``step`` did to the balance, the positions and the leverages."""
    booking, time = step[0].booking, milliseconds(step[0].time)
    effect, reason = booking.effect, REASONS.get(booking.kind)
    if reason is not None:
        changed = _changed_symbols(before, after)
        symbols = [*changed] if effect is None else [*dict.fromkeys((effect.symbol, *changed))]
        moved = after.wallet.balance - before.wallet.balance
        isolated = sum((each.isolated_margin for each in after.positions), ZERO)
        balance = {
            "a": CURRENCY,
            "wb": amount_text(after.wallet.balance),
            "cw": amount_text(after.wallet.balance - isolated),
            "bc": amount_text(ZERO if reason == "ORDER" else moved),
        }
        positions = [_position(after, symbol, market) for symbol in symbols]
        yield {
            "e": ACCOUNT_EVENT,
            "E": time,
            "T": time,
            "a": {"m": reason, "B": [balance], "P": positions},
        }
    if effect is not None and effect.leverage is not None:
        leverage = {"s": short(effect.symbol), "l": int(effect.leverage)}
        yield {"e": LEVERAGE_EVENT, "E": time, "T": time, "ac": leverage}


def _changed_symbols(before: Account, after: Account) -> Sequence[str]:
    """The symbols of the positions that are other ones in ``after``, or gone."""
    known = {each.symbol: each for each in before.positions}
    left = {each.symbol: each for each in after.positions}
    return [
        symbol
        for symbol in dict.fromkeys((*known, *left))
        if _held(known.get(symbol)) != _held(left.get(symbol))
    ]


def _held(position: Position | None) -> object:
    """What of ``position`` is not its price now."""
    if position is None:
        return None
    return position.side, position.quantity, position.entry_price, position.isolated_margin


def _position(account: Account, symbol: str, market: Market) -> Mapping[str, Any]:
    position, rules = account.position(symbol), market.instruments.get(symbol)
    return {
        "s": short(symbol),
        "pa": position_amount(position, rules),
        "ep": entry_price(position, rules),
        "bep": break_even_price(position, rules),
        "cr": amount_text(ZERO if position is None else position.realized_pnl),
        "up": amount_text(ZERO if position is None else position.unrealized_pnl),
        "mt": "isolated",
        "iw": amount_text(ZERO if position is None else position.isolated_margin),
        "ps": SIDE,
        "ma": CURRENCY,
    }
