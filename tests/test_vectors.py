"""Published figures of others come out of the product's own functions.

The cases are those of ``vectors.json`` beside this file, or of the file that the environment
variable ``VECTORS`` names. Nothing is calculated here that the product calculates: a case becomes
calls of its functions, and what they give is compared, exactly, within the case's tolerance.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import reduce
from pathlib import Path
from typing import Any, Final

import pytest

from balance.core import funding, margin, matching, operations
from balance.core.account import Account
from balance.core.change import Change
from balance.core.errors import BalanceError
from balance.core.fills import Execution, apply_fill
from balance.core.instrument import Bracket, maintenance_amount
from balance.core.instruments import KNOWN
from balance.core.margin import Side
from balance.core.money import ZERO, exactly
from balance.core.order import Order, OrderSide
from balance.core.orders import cancel_order, place_order
from balance.core.position import Position
from balance.core.quote import Settlement
from balance.core.ticket import Ticket
from balance.core.trade import Fill
from balance.core.wallet import Wallet
from tests.accounts import MOMENT, account, order, position
from tests.markets import FREE, market, quote, unlimited
from tests.serving import ROOT

OURS: Final = Path(__file__).with_name("vectors.json")
#: More than any case needs, where it does not say what there is.
AMPLE: Final = Decimal(10) ** 11

NEVER: Final = datetime.max.replace(tzinfo=UTC)

Case = Mapping[str, Any]
Figure = Callable[[str], Decimal | None]


class Differs(AssertionError):
    """A case that does not come out, or that this runner does not know how to run."""


class Inputs:
    """The inputs of a case or of one of its events, by name: the first of several that is there."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def value(self, *names: str) -> Any:
        for name in names:
            if name in self:
                return self._values[name]
        raise Differs(f"the input {' or '.join(names)} is missing")

    def number(self, *names: str, default: Decimal | None = None) -> Decimal:
        if default is not None and not any(name in self for name in names):
            return default
        return _decimal(self.value(*names))

    def but(self, **defaults: Any) -> Inputs:
        """The same, with ``defaults`` for what is not among them."""
        return Inputs({**defaults, **self._values})

    def moment(self, *names: str, default: datetime) -> datetime:
        if not any(name in self for name in names):
            return default
        moment = datetime.fromisoformat(self.value(*names))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)

    def each(self, *names: str) -> list[Inputs]:
        return [Inputs(each) for each in self.value(*names)]

    @property
    def side(self) -> Side:
        return "short" if self.value("side") in ("short", "sell") else "long"

    @property
    def order_side(self) -> OrderSide:
        return "sell" if self.value("side") in ("short", "sell") else "buy"

    @property
    def symbol(self) -> str:
        return str(self.value("symbol")) if "symbol" in self else "BTCUSDT"

    @property
    def legs(self) -> list[Inputs]:
        return self.each("entries", "adds") if "entries" in self or "adds" in self else []

    @property
    def quantity(self) -> Decimal:
        if self.legs:
            return sum((leg.quantity for leg in self.legs), ZERO)
        return self.number("qty", "quantity")

    @property
    def entry(self) -> Decimal:
        if not self.legs:
            return self.number("entry_price", "price", "order_price")

        def joined(so_far: tuple[Decimal, Decimal], leg: Inputs) -> tuple[Decimal, Decimal]:
            price = margin.average_entry(*so_far, leg.quantity, leg.entry)
            return so_far[0] + leg.quantity, price

        return reduce(joined, self.legs, (ZERO, ZERO))[1]

    @property
    def exit(self) -> Decimal:
        return self.number("exit_price", "close_price")

    @property
    def leverage(self) -> Decimal:
        return self.number("leverage", default=Decimal(1))

    @property
    def open_rate(self) -> Decimal:
        return self.number("fee_rate_open", "fee_rate", default=ZERO)

    @property
    def close_rate(self) -> Decimal:
        return self.number("fee_rate_close", "fee_rate", default=ZERO)

    @property
    def funding(self) -> Decimal:
        return self.number("funding_received", default=ZERO)

    @property
    def isolated_wallet(self) -> Decimal:
        if self._values.get("margin_mode", "isolated") != "isolated":
            raise Differs(f"the product has no {self.value('margin_mode')} margin")
        if "isolated_wallet" in self:
            return self.number("isolated_wallet")
        return margin.initial_margin(self.quantity, self.entry, self.leverage)

    @property
    def maintenance_rate(self) -> Decimal:
        return self.number("maintenance_margin_rate", "maintenance_rate", "mmr")

    @property
    def brackets(self) -> tuple[Bracket, ...]:
        """Those that the case gives: a list, one rate with its amount, or the symbol's."""
        if "brackets" in self:
            return tuple(
                replace(bracket, floor=each.number("floor", "bracket_floor", "notional_floor"))
                for each in self.each("brackets")
                for bracket in each.brackets
            )
        if not any(name in self for name in ("maintenance_margin_rate", "mmr")):
            known = {symbol.replace("/", ""): each.brackets for symbol, each in KNOWN.items()}
            if self.symbol not in known:
                raise Differs(f"there are no brackets of {self.symbol}")
            return known[self.symbol]
        return (
            Bracket(
                floor=ZERO,
                maintenance_rate=self.maintenance_rate,
                maintenance_amount=self.number("maintenance_amount", default=ZERO),
                max_leverage=Decimal(1_000),
            ),
        )


def _decimal(value: Any) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise Differs(f"{value!r} is no number") from None


# figures of a trade that the functions of the core tell on their own


def _fees(x: Inputs) -> Decimal:
    return margin.trading_fee(x.quantity, x.entry, x.open_rate) + margin.trading_fee(
        x.quantity, x.exit, x.close_rate
    )


def _net_pnl(x: Inputs) -> Decimal:
    return margin.net_pnl(x.side, x.quantity, x.entry, x.exit, x.open_rate, x.close_rate, x.funding)


def _open_value(x: Inputs) -> Decimal:
    return margin.open_value(x.side, x.quantity, x.entry, x.open_rate)


def _marked(x: Inputs) -> Position:
    """The position that the inputs tell, at their mark price."""
    held = _opened(x).positions[0]
    instrument = unlimited(x.symbol)
    return held.marked(quote(x.symbol, x.number("mark_price", "exit_price")), instrument)


def _liquidation_price(x: Inputs) -> Decimal | None:
    return margin.liquidation_price(x.side, x.quantity, x.entry, x.isolated_wallet, x.brackets)


def _bankruptcy_price(x: Inputs) -> Decimal:
    # without extra margin it is the same for any quantity
    x = x.but(qty=1)
    return margin.bankruptcy_price(x.side, x.quantity, x.entry, x.isolated_wallet)


def _opened(x: Inputs, starting: Decimal = AMPLE) -> Account:
    """An account that holds what the inputs tell, bought or sold in one fill."""
    wanted = order(
        symbol=x.symbol,
        side=x.order_side,
        type="market",
        quantity=x.quantity,
        price=None,
        leverage=x.leverage,
        reserved_margin=ZERO,
    )
    execution = Execution(
        order=wanted,
        quantity=x.quantity,
        price=x.entry,
        fee=margin.trading_fee(x.quantity, x.entry, x.open_rate),
        liquidity="taker",
        time=x.moment("opened_at", "open_time", "entry_time", default=MOMENT),
    )
    return apply_fill(account(starting), execution).account


def _liquidated(x: Inputs) -> Account:
    holding = _opened(x, x.number("wallet_before", "starting_wallet"))
    return matching.liquidate(holding, holding.positions[0]).account


def _with_gain(x: Inputs) -> Account:
    """An account with the wallet balance and the unrealised P&L that the inputs tell."""
    gain = x.number("unrealized_pnl")
    entry = Decimal(1) + abs(gain)
    held = position(quantity=Decimal(1), entry_price=entry, mark_price=entry + gain)
    return Account(Wallet.opened(1, x.number("wallet_balance")), positions=(held,))


def _settled(x: Inputs) -> Decimal:
    """What a position has received after the settlements that it was open at."""
    holding = _opened(x.but(price=1))
    opened = holding.positions[0].opened_at
    closed = x.moment("closed_at", "close_time", "exit_time", default=opened + timedelta(days=365))
    due = list(funding.settlements_between(holding.positions[0].funded_at, closed))
    following = iter(due)
    for each in x.each("settlements"):
        # those without a time are one after the other
        instant = each.moment("time", "timestamp", default=next(following, NEVER))
        if instant in due:
            settlement = Settlement(
                rate=each.number("funding_rate", "rate"), mark=each.number("mark_price", "price")
            )
            holding = funding.settle(
                holding, x.symbol, unlimited(x.symbol), instant, settlement
            ).account
    return holding.positions[0].funding


PLAIN: Final[Mapping[str, Callable[[Inputs], Decimal | None]]] = {
    "avg_entry_price": lambda x: x.entry,
    "position_qty": lambda x: x.quantity,
    "fee": lambda x: margin.trading_fee(x.quantity, x.entry, x.open_rate),
    "fee_open": lambda x: margin.trading_fee(x.quantity, x.entry, x.open_rate),
    "fee_close": lambda x: margin.trading_fee(x.quantity, x.exit, x.close_rate),
    "total_fee": _fees,
    "break_even_price": lambda x: margin.break_even_price(x.side, x.entry, x.open_rate),
    "open_value_after_fee": _open_value,
    "close_value_after_fee": lambda x: margin.close_value(x.side, x.quantity, x.exit, x.close_rate),
    "close_value_after_fee_and_funding": lambda x: margin.close_value(
        x.side, x.quantity, x.exit, x.close_rate, x.funding
    ),
    "gross_pnl": lambda x: margin.unrealized_pnl(x.side, x.quantity, x.entry, x.exit),
    "net_pnl": _net_pnl,
    "net_roe": lambda x: _net_pnl(x) / margin.initial_margin(x.quantity, x.entry, x.leverage),
    "return_on_fee_inclusive_cost": lambda x: _net_pnl(x) / _open_value(x),
    "initial_margin": lambda x: margin.initial_margin(x.quantity, x.entry, x.leverage),
    "open_loss": lambda x: margin.open_loss(x.side, x.quantity, x.entry, x.number("mark_price")),
    "maintenance_amount": lambda x: maintenance_amount(
        x.number("bracket_floor", "floor"),
        x.maintenance_rate,
        x.number("previous_mmr", "previous_maintenance_rate"),
        x.number("previous_amount", "previous_maintenance_amount"),
    ),
    "maintenance_margin": lambda x: margin.maintenance_margin(
        x.number("notional", default=x.quantity * x.number("mark_price", "notional")),
        x.maintenance_rate,
        x.number("maintenance_amount", default=ZERO),
    ),
    "unrealized_pnl": lambda x: _marked(x).unrealized_pnl,
    "roe": lambda x: _marked(x).roe,
    "notional": lambda x: _marked(x).notional,
    "liquidation_price": _liquidation_price,
    "bankruptcy_price": _bankruptcy_price,
    "funding_received": _settled,
    "margin_balance": lambda x: _with_gain(x).equity,
    "equity": lambda x: _with_gain(x).equity,
    "position_margin": lambda x: _opened(x).positions[0].isolated_margin,
    "wallet_after_liquidation": lambda x: _liquidated(x).wallet.balance,
}


# figures of an account that went through events


@dataclass(frozen=True)
class Step:
    """The account after an event, and the fills up to then."""

    account: Account
    symbol: str
    brackets: tuple[Bracket, ...]
    marked: bool = False
    fills: tuple[Fill, ...] = ()
    # of what the last fill closed and of all before: P&L less both fees of it
    net: Decimal | None = None
    net_in_all: Decimal = ZERO

    @property
    def position(self) -> Position | None:
        return self.account.position(self.symbol)

    @property
    def held(self) -> Position:
        if self.position is None:
            raise Differs("there is no position")
        return self.position

    def after(self, change: Change) -> Step:
        """The step after ``change``, with its fills."""
        fills = tuple(booking.fill for booking in change.bookings if booking.fill)
        return replace(self, account=change.account, fills=self.fills + fills, net=None)

    def at(self, mark: Decimal) -> Step:
        """The step at the mark price ``mark``."""
        at = market(
            quote(self.symbol, mark),
            instruments={self.symbol: unlimited(self.symbol, self.brackets)},
        )
        return replace(self, account=self.account.marked(at))


def _fill(step: Step, event: Inputs, case: Inputs) -> Step:
    price, quantity, rate = event.number("price"), event.quantity, _rate(event, case)
    fee = event.number("fee", default=margin.trading_fee(quantity, price, rate))
    resting = {each.id: each for each in step.account.orders}
    name = str(event.value("order_id")) if "order_id" in event else f"fill-{len(step.fills)}"
    wanted = resting.get(name) or Order(
        id=name,
        symbol=step.symbol,
        feed="simulated",
        side=event.order_side,
        type="market",
        quantity=quantity,
        leverage=event.number("leverage", default=case.leverage),
        reduce_only="reduce_only" in event and bool(event.value("reduce_only")),
        placed_at=MOMENT,
    )
    execution = Execution(
        order=wanted, quantity=quantity, price=price, fee=fee, liquidity="taker", time=MOMENT
    )
    held, after = step.position, step.after(apply_fill(step.account, execution, step.brackets))
    if not step.marked:
        after = after.at(price)
    if held is None or not (closed := after.fills[-1].closed_quantity):
        return after
    net = margin.net_pnl(held.side, closed, held.entry_price, price, rate, rate)
    return replace(after, net=net, net_in_all=step.net_in_all + net)


def _rate(event: Inputs, case: Inputs) -> Decimal:
    return event.number("fee_rate", default=case.number("fee_rate", default=ZERO))


def _order_open(step: Step, event: Inputs, case: Inputs) -> Step:
    price, name = event.number("price"), str(event.value("order_id"))
    ticket = Ticket(
        symbol=step.symbol,
        side=_side_of(step, event, name, case),
        type="limit",
        price=price,
        quantity=event.number("qty", "quantity"),
        leverage=event.number("leverage", default=case.leverage),
        reduce_only="reduce_only" in event and bool(event.value("reduce_only")),
    )
    # with a spread that no limit price crosses
    at = market(
        quote(step.symbol, price, bid=price / 2, ask=price * 2),
        instruments={step.symbol: unlimited(step.symbol)},
        terms=FREE,
    )
    return step.after(place_order(step.account, ticket, at, name, MOMENT))


def _side_of(step: Step, event: Inputs, name: str, case: Inputs) -> OrderSide:
    """The order's side: as given, or as it fills, or as what is held was opened, or buy."""
    if "side" in event:
        return event.order_side
    for other in case.each("events"):
        if "side" in other and "order_id" in other and str(other.value("order_id")) == name:
            return other.order_side
    return "sell" if step.position is not None and step.position.side == "short" else "buy"


def _order_cancel(step: Step, event: Inputs, case: Inputs) -> Step:
    return step.after(cancel_order(step.account, str(event.value("order_id"))))


def _mark(step: Step, event: Inputs, case: Inputs) -> Step:
    return replace(step.at(event.number("mark_price", "price")), marked=True, net=None)


def _funding(step: Step, event: Inputs, case: Inputs) -> Step:
    settlement = Settlement(
        rate=event.number("rate", "funding_rate"), mark=event.number("mark_price", "price")
    )
    since = step.position.funded_at if step.position is not None else MOMENT
    return step.after(
        funding.settle(
            step.account,
            step.symbol,
            unlimited(step.symbol, step.brackets),
            funding.next_settlement(since),
            settlement,
        )
    )


def _liquidation(step: Step, event: Inputs, case: Inputs) -> Step:
    if "mark_price" in event:
        step = step.at(event.number("mark_price"))
    return step.after(matching.liquidate(step.account, step.held))


def _deposit(step: Step, event: Inputs, case: Inputs) -> Step:
    return step.after(operations.deposit(step.account, event.number("amount")))


def _withdrawal(step: Step, event: Inputs, case: Inputs) -> Step:
    return step.after(operations.withdraw(step.account, event.number("amount")))


EVENTS: Final[Mapping[str, Callable[[Step, Inputs, Inputs], Step]]] = {
    "fill": _fill,
    "order_open": _order_open,
    "order_cancel": _order_cancel,
    "mark": _mark,
    "funding": _funding,
    "liquidation": _liquidation,
    "deposit": _deposit,
    "withdrawal": _withdrawal,
    "withdraw": _withdrawal,
}


def _signed_quantity(step: Step) -> Decimal:
    if step.position is None:
        return ZERO
    return margin.sign(step.position.side) * step.position.quantity


def _realized_net(step: Step) -> Decimal | None:
    if step.position is not None:
        return step.position.net_pnl
    return step.fills[-1].position_pnl if step.fills else ZERO


def _last_close(step: Step) -> Decimal:
    closing = [fill for fill in step.fills if fill.closed_quantity]
    if not closing:
        raise Differs("nothing was closed")
    return closing[-1].realized_pnl


def _position_margin(step: Step) -> Decimal:
    return sum((each.isolated_margin for each in step.account.positions), ZERO)


AFTER: Final[Mapping[str, Callable[[Step], Decimal | None]]] = {
    "wallet_balance": lambda step: step.account.wallet.balance,
    "available_excl_upnl": lambda step: step.account.available_balance,
    "available_incl_upnl": lambda step: step.account.free_equity,
    "equity": lambda step: step.account.equity,
    "margin_balance": lambda step: step.account.equity,
    "used_margin": lambda step: step.account.used_margin,
    "order_margin": lambda step: sum((o.reserved_margin for o in step.account.orders), ZERO),
    "position_margin": _position_margin,
    "isolated_wallet": _position_margin,
    "unrealized_pnl": lambda step: step.account.unrealized_pnl,
    "maintenance_margin": lambda step: step.account.maintenance_margin,
    "realized_pnl": lambda step: step.account.wallet.realized_pnl,
    "fees_paid": lambda step: step.account.wallet.fees_paid,
    "funding_received": lambda step: step.account.wallet.funding,
    "position_qty": _signed_quantity,
    "avg_entry_price": lambda step: step.held.entry_price,
    "roe": lambda step: step.held.roe,
    "liquidation_price": lambda step: step.held.liquidation_price,
    "bankruptcy_price": lambda step: step.held.bankruptcy_price,
    "realized_net": _realized_net,
    "last_close_gross_pnl": _last_close,
    "step_profit_prorata_fee": lambda step: step.net,
    "cum_realized_prorata_fee": lambda step: step.net_in_all,
}


# a case


def _steps(case: Inputs) -> Iterator[Step]:
    """The account after each of the case's events."""
    starting = case.number("starting_wallet", "wallet_before", default=AMPLE)
    brackets = case.brackets if "maintenance_margin_rate" in case or "brackets" in case else ()
    step = Step(Account(Wallet.opened(1, starting)), case.symbol, brackets)
    for event in case.each("events", "fills"):
        kind = event.value("type") if "type" in event else "fill"
        if kind not in EVENTS:
            raise Differs(f"an event of type {kind!r} is not known")
        step = EVENTS[kind](step, event, case)
        yield step


def _of_events(case: Inputs) -> Figure:
    steps = list(_steps(case))

    def figure(name: str) -> Decimal | None:
        when, _, field = name.rpartition(".")
        known = {f"after_{number}": step for number, step in enumerate(steps, start=1)}
        step = known.get(when) if when else steps[-1]
        if step is None:
            raise Differs(f"there is no moment {when!r}")
        return _known(AFTER, field)(step)

    return figure


def _of_inputs(case: Inputs) -> Figure:
    return lambda name: _known(PLAIN, name)(case)


def _of_adds(case: Inputs) -> Figure:
    """Figures of one position that each of the inputs' fills added to, whatever its side."""
    fills = _of_events(case.but(fills=[{"side": case.side, **add} for add in case.value("adds")]))
    return lambda name: abs(fills(name) or ZERO) if name == "position_qty" else fills(name)


def _of_either(case: Inputs) -> Figure:
    return _of_events(case) if "events" in case or "fills" in case else _of_inputs(case)


KINDS: Final[Mapping[str, Callable[[Inputs], Figure]]] = {
    "average_entry": lambda case: _of_adds(case) if "adds" in case else _of_either(case),
    "balance_after_sequence": _of_either,
    "fees": _of_either,
    "flip": _of_either,
    "funding": _of_either,
    "initial_margin": _of_either,
    "liquidation_price": _of_either,
    "open_close_pnl": _of_either,
    "partial_close": _of_either,
    "unrealized_pnl": _of_either,
}


def _known(table: Mapping[str, Any], field: str) -> Any:
    if field not in table:
        raise Differs(f"the expected field {field!r} is not known")
    return table[field]


@exactly
def check(case: Case) -> None:
    """Run one case.

    Raises:
        Differs: one of its figures does not come out, or it is not known how to run it.
    """
    kind, expected = case.get("kind"), case.get("expected")
    if kind not in KINDS:
        raise Differs(f"{case.get('id')}: the kind {kind!r} is not known")
    if not expected:
        raise Differs(f"{case.get('id')}: nothing is expected")
    try:
        figure = KINDS[kind](Inputs(case["inputs"]))
        faults = [fault for name in expected if (fault := _difference(case, name, figure(name)))]
    except (Differs, BalanceError) as fault:
        raise Differs(f"{case.get('id')}: {fault}") from None
    if faults:
        raise Differs(f"{case.get('id')}: {'; '.join(faults)}")


def _difference(case: Case, name: str, got: Decimal | None) -> str | None:
    told, by_field = case["expected"][name], case.get("tolerance_by_field") or {}
    tolerance = by_field.get(name, by_field.get(name.rpartition(".")[2], case.get("tolerance")))
    if told is None or got is None:
        same = told is None and got is None
    else:
        same = abs(got - _decimal(told)) <= _decimal(tolerance or 0)
    return None if same else f"{name} is {got}, expected {told} within {tolerance or 0}"


def cases_of(file: Path) -> list[Case]:
    """The cases in ``file``: a list of them, or an object with that list as ``cases``."""
    told = json.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
    cases: list[Case] = told["cases"] if isinstance(told, dict) else told
    assert cases, f"there are no cases in {file.name}"
    return cases


CASES: Final = cases_of(Path(os.environ.get("VECTORS") or OURS))


@pytest.mark.parametrize("case", CASES, ids=[str(case["id"]) for case in CASES])
def test_a_published_case_comes_out(case: Case) -> None:
    check(case)


# the runner itself, always on the file that is kept here

KEPT: Final = cases_of(OURS)
ONE_OF_EACH: Final = {str(case["kind"]): case for case in KEPT}


def _changed(case: Case, name: str) -> Case:
    moved = Decimal(case["expected"][name]) + 2 * Decimal(case["tolerance"]) + Decimal("1e-7")
    return {**case, "expected": {**case["expected"], name: str(moved)}}


def test_the_kept_cases_are_of_every_kind_and_none_is_there_twice() -> None:
    assert len({case["id"] for case in KEPT}) == len(KEPT) == 105
    assert set(ONE_OF_EACH) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_figure_that_is_off_fails_a_case_of_any_kind(kind: str) -> None:
    case = ONE_OF_EACH[kind]
    for name in case["expected"]:
        with pytest.raises(Differs, match=rf"^{case['id']}: {name} is .*, expected "):
            check(_changed(case, name))


def test_a_figure_within_its_tolerance_passes_and_one_beyond_does_not() -> None:
    case = {
        "id": "x",
        "kind": "fees",
        "inputs": {"qty": "2", "price": "100", "fee_rate": "0.001"},
        "expected": {"fee": "0.21"},
        "tolerance": "0.01",
    }
    check(case)
    with pytest.raises(Differs, match=r"fee is 0\.200, expected 0\.21 within 0\.009"):
        check({**case, "tolerance": "0.009"})
    with pytest.raises(Differs, match=r"within 0\.009"):
        check({**case, "tolerance_by_field": {"fee": "0.009"}})


def test_a_settlement_counts_only_where_the_position_was_open_at_it() -> None:
    settlements = [
        {"time": f"2024-01-01T{hour}:00:00Z", "mark_price": "100", "funding_rate": rate}
        for hour, rate in (("00", "0.01"), ("08", "0.02"), ("16", "0.04"))
    ]
    case = {
        "id": "x",
        "kind": "funding",
        "inputs": {
            "side": "long",
            "qty": "1",
            "settlements": settlements,
            "opened_at": "2024-01-01T00:00:15Z",
            "closed_at": "2024-01-01 15:59:59",
        },
        "expected": {"funding_received": "-2"},
    }
    check(case)
    late = {**case["inputs"], "closed_at": "2024-01-01T16:00:00Z"}
    check({**case, "inputs": late, "expected": {"funding_received": "-6"}})


def _with(case: Case, **changes: Any) -> Case:
    return {**case, **changes}


_SEQUENCE: Final = ONE_OF_EACH["flip"]
_FEES: Final = ONE_OF_EACH["fees"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        (_with(_FEES, kind="wishes"), "kind 'wishes' is not known"),
        (_with(_FEES, expected={"luck": "7"}), "field 'luck' is not known"),
        (_with(_FEES, expected={}), "nothing is expected"),
        (_with(_FEES, inputs={}), "input fee_rate|input entry_price|input side|input qty"),
        (_with(_FEES, expected={"fee": "many"}), "'many' is no number"),
        (_with(_FEES, expected={"fee": None}), "expected None"),
        (_with(_SEQUENCE, expected={"after_2.luck": "7"}), "field 'luck' is not known"),
        (_with(_SEQUENCE, expected={"after_9.equity": "7"}), "no moment 'after_9'"),
        (
            _with(_SEQUENCE, inputs={"symbol": "X", "events": [{"type": "rain"}]}),
            "event of type 'rain' is not known",
        ),
    ],
)
def test_what_the_runner_does_not_know_fails_the_case(case: Case, words: str) -> None:
    with pytest.raises(Differs, match=rf"^{case['id']}: .*({words})"):
        check(case)


def test_another_file_of_the_same_form_runs_case_by_case(tmp_path: Path) -> None:
    chosen: Sequence[Case] = list(ONE_OF_EACH.values())
    broken = _with(_changed(_FEES, next(iter(_FEES["expected"]))), id="broken")
    file = tmp_path / "other.json"
    file.write_text(json.dumps([*chosen, broken]), encoding="utf-8")
    test = f"{Path(__file__).relative_to(ROOT)}::{test_a_published_case_comes_out.__name__}"
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", test],
        cwd=ROOT,
        env={**os.environ, "VECTORS": str(file)},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line.split() for line in ran.stdout.splitlines() if line.startswith(f"{test}[")]
    assert {line[0].removeprefix(test).strip("[]"): line[1] for line in lines} == {
        **{str(case["id"]): "PASSED" for case in chosen},
        "broken": "FAILED",
    }
    assert ran.returncode == 1
