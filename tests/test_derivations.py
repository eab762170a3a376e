"""Every derivation adds up: its own terms, reckoned anew, come to the figure that it explains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.money import exact, quantized
from balance.core.snapshot import Snapshot
from balance.core.wallet import Wallet
from balance.desk.desk import Desk
from balance.performance.derivations.account import account_derivations
from balance.performance.derivations.derivation import Derivation, link
from balance.performance.derivations.period import all_time_derivation, period_derivation
from balance.performance.derivations.position import position_derivations
from balance.performance.derivations.returns import (
    fall_derivation,
    fall_percent,
    lost_derivation,
    return_derivation,
    return_percent,
)
from balance.performance.derivations.trades import trade_derivations, trade_figures
from balance.performance.derivations.wallet import Past, Stage, past_of
from balance.performance.past_epochs import counted
from balance.performance.sample import Sample
from balance.store.memory_store import MemoryStore
from balance.store.state import State
from tests.accounts import MOMENT, account, order, position
from tests.boards import board as a_board
from tests.markets import BTC
from tests.samples import at, booked, moved, opening


def reckoned(derivation: Derivation) -> list[Decimal]:
    """What the terms come to at each line that says so, next to what it says."""
    with exact():
        result, found = Decimal(0), list[Decimal]()
        for number, term in enumerate(derivation.terms):
            match term.sign:
                case "=":
                    assert quantized(result) == quantized(term.amount), (derivation.title, number)
                    found.append(term.amount)
                case " ":
                    assert number == 0, "only the first has no sign"
                    result = term.amount
                case "+":
                    result += term.amount
                case "\N{MINUS SIGN}":
                    result -= term.amount
                case "\N{MULTIPLICATION SIGN}":
                    result *= term.amount
                case "\N{DIVISION SIGN}":
                    result /= term.amount
    return found


def total(derivation: Derivation) -> Decimal:
    """What it comes to in the end."""
    assert derivation.terms[-1].sign == "="
    return reckoned(derivation)[-1]


def seen(of: Any) -> Snapshot:
    return State(account_id="a1", revision=7, changed_at=MOMENT, account=of, entries=()).snapshot()


@dataclass
class Trades:
    """What trades add up to."""

    trades: int = 0
    wins: int = 0
    losses: int = 0
    gained: Decimal = Decimal(0)
    lost: Decimal = Decimal(0)
    best: Decimal | None = None
    worst: Decimal | None = None

    @property
    def even(self) -> int:
        return self.trades - self.wins - self.losses

    @property
    def win_rate(self) -> Decimal | None:
        return Decimal(self.wins) / self.trades * 100 if self.trades else None

    @property
    def profit_factor(self) -> Decimal | None:
        return self.gained / self.lost if self.lost else None


@dataclass
class Epoch:
    """One of the past."""

    epoch: int
    pnl: Decimal
    carried: Decimal
    continues: int | None = None
    trades: Any = None


def epochs(*pnls: int, **continues: int) -> Mapping[int, Epoch]:
    """Epochs that brought ``pnls``; ``continues`` says ``e3=1`` where the third goes on with the
    first."""
    rows: dict[int, Epoch] = {}
    for number, pnl in enumerate(pnls, start=1):
        row = Epoch(number, Decimal(pnl), Decimal(0), continues.get(f"e{number}"))
        rows[number] = row
        row.carried = sum((rows[each].pnl for each in counted(number, rows) or ()), Decimal(0))
    return rows


# the account


amounts = st.decimals(min_value=0, max_value=10**6, places=8)
prices = st.decimals(min_value="0.01", max_value=10**5, places=8)
sizes = st.decimals(min_value="0.00000001", max_value=10, places=8)


@given(
    moves=st.lists(
        st.tuples(
            st.sampled_from(["deposit", "adjustment", "realized_pnl", "fee", "funding"]), amounts
        ),
        max_size=6,
    ),
    trades=st.lists(
        st.tuples(st.sampled_from(["long", "short"]), sizes, prices, prices), max_size=3
    ),
)
def test_every_figure_of_an_account_is_the_sum_of_its_terms(
    moves: list[tuple[str, Decimal]], trades: list[tuple[Any, Decimal, Decimal, Decimal]]
) -> None:
    held = tuple(
        position(symbol=f"C{number}/USDT", side=side, quantity=q, entry_price=a, mark_price=b)
        for number, (side, q, a, b) in enumerate(trades)
    )
    with exact():
        wallet = Wallet.opened(1, Decimal(10**7))
        for kind, amount in moves:
            wallet = wallet.booked(kind, -amount if kind == "fee" else amount)
        snapshot = seen(replace(account(positions=held, orders=(order(),)), wallet=wallet))
    derivations = account_derivations(snapshot, Past(), 2)
    for name, derivation in derivations.items():
        assert total(derivation) == snapshot[name], name
        assert derivation.terms[-1].display == snapshot.display[name]
        assert derivation.title
        assert derivation.words.endswith(".")
    assert {"balance", "portfolio_value", "current_pnl", "net_exposure"} <= set(derivations)


def test_what_an_undo_brought_back_is_told_apart_from_what_came_since() -> None:
    first = Wallet.opened(1, Decimal(10_000)).booked("deposit", Decimal(500))
    second = first.booked("fee", Decimal(-40))
    now = replace(second.booked("fee", Decimal(-2)), epoch=5)
    past = Past((Stage(3, second, 18), Stage(1, first, 9)))
    derivations = account_derivations(seen(replace(account(), wallet=now)), past, 2)
    assert [(term.label, term.amount, term.href) for term in derivations["fees_paid"].terms] == [
        (
            "In epoch 3, brought back by an undo",
            40,
            "/history?table=ledger&kind=fee&epoch=3&until=18",
        ),
        ("In epoch 5", 2, "/history?table=ledger&kind=fee&epoch=5"),
        ("Fees", 42, None),
    ]
    opened = "/history?table=ledger&kind=start,reset,undo&epoch=1"
    balance, pnl = derivations["balance"], derivations["current_pnl"]
    assert (total(balance), total(pnl)) == (10_458, -42)
    assert balance.terms[0].href == pnl.terms[1].href == opened
    told = {term.label: term.href for term in balance.terms}
    assert told["Fees in epoch 5"] == "/history?table=ledger&kind=fee&epoch=5"
    deposits = "/history?table=ledger&kind=deposit&epoch=1&until=9"
    label = "Deposits in epoch 1, brought back by an undo"
    assert {each.label: each.href for each in pnl.terms}[label] == told[label] == deposits


def test_the_entries_of_every_term_come_to_its_amount_after_undone_resets() -> None:
    desk = Desk(MemoryStore(), a_board())
    for amount in (500, 70, 3):
        desk.deposit(amount)
        desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=5)
        desk.close_position(BTC, percent=50)
        desk.reset()
        desk.adjust(-9)
        desk.undo_reset()
        desk.close_position(BTC)
    desk.adjust(1)
    past = past_of(desk.lineage(), desk.opening)
    assert [stage.epoch for stage in past.stages] == [5, 3, 1]
    ledger = list(desk.whole_history())
    derivations = account_derivations(desk.snapshot(), past, 2)
    for name in ("balance", "fees_paid", "realized_pnl", "deposits"):
        assert total(derivations[name]) == desk.snapshot()[name]
        for term in (each for each in derivations[name].terms if each.href is not None):
            asked = {key: value for key, (value,) in parse_qs(urlsplit(term.href).query).items()}
            listed = [
                entry["amount"]
                for entry in ledger
                if entry["kind"] in asked["kind"].split(",")
                and str(entry["epoch"]) == asked["epoch"]
                and entry["revision"] <= int(asked.get("until", 10**9))
            ]
            # what was paid is told without its sign
            assert abs(sum(listed)) == abs(term.amount), (name, term.label)


def test_the_terms_that_are_figures_themselves_lead_to_how_those_come_about() -> None:
    derivations = account_derivations(seen(account(positions=(position(),))), Past(), 2)
    for name in ("portfolio_value", "available_balance", "current_pnl", "net_exposure"):
        led = [term for term in derivations[name].terms if term.sign != "="]
        assert all(term.href or term.derive in derivations for term in led), name
    (margin,) = derivations["used_margin"].terms[:1]
    assert margin.href == "/history?table=fills&symbol=BTC%2FUSDT"


@given(st.sampled_from(["long", "short"]), sizes, prices, prices)
def test_the_figures_of_a_position_come_from_its_quantity_and_prices(
    side: Any, quantity: Decimal, entry: Decimal, mark: Decimal
) -> None:
    held = position(side=side, quantity=quantity, entry_price=entry, mark_price=mark)
    snapshot = seen(account(positions=(held,)))
    derivations = position_derivations(snapshot)
    assert {name.partition(":")[2] for name in derivations} == {held.symbol}
    for name, derivation in derivations.items():
        figure, (row,) = name.partition(":")[0], snapshot.positions
        assert total(derivation) == row[figure]
        assert derivation.terms[-1].display == row["display"][figure]


def test_where_nothing_is_open_and_nothing_is_in_that_is_said() -> None:
    derivations = account_derivations(seen(account(0)), Past(), 2)
    assert [each.label for each in derivations["used_margin"].terms] == [
        "Nothing is open",
        "Margin in use",
    ]
    for name in ("pnl_percent", "exposure_percent"):
        assert derivations[name].terms == ()


def test_a_term_leads_to_the_entries_that_make_it_up() -> None:
    assert link("ledger", kind="deposit", epoch=2) == "/history?table=ledger&kind=deposit&epoch=2"
    assert link("trades", epoch="3,1", outcome=None, sort="-pnl") == (
        "/history?table=trades&epoch=3,1&sort=-pnl"
    )
    derivation = account_derivations(seen(account()), Past(), 2)["balance"]
    hrefs = [term.href for term in derivation.terms]
    assert "/history?table=ledger&kind=realized_pnl,liquidation&epoch=1" in hrefs


# periods


def day(base: Sample | None, now: Sample, rows: Any = None) -> Derivation:
    return period_derivation("P&L today", base, now, rows or {}, 2)


def test_the_pnl_of_a_day_goes_from_the_equity_then_to_that_of_now() -> None:
    base = moved(opening(revision=5), at(-1), 40)
    now = base
    for hour, (kind, amount) in enumerate(
        [("deposit", 500), ("fee", -3), ("realized_pnl", 70), ("withdrawal", -20), ("funding", -1)]
    ):
        now = booked(now, at(hour), kind, amount)
    now = moved(now, at(6), 15)
    derivation = day(base, now)
    assert reckoned(derivation) == [now.equity, 70 - 3 - 1 + 15 - 40]
    told = {(term.sign, term.label): term.amount for term in derivation.terms}
    assert told[("+", "Change of unrealised P&L")] == -25
    assert told[("\N{MINUS SIGN}", "Withdrawals")] == 20
    # taken away again, as it is no loss
    assert told[("+", "Withdrawals")] == 20
    assert "2026-11-22 23:00:00 UTC" in derivation.words
    (fees,) = (term for term in derivation.terms if term.label == "Fees")
    assert fees.href == "/history?table=ledger&kind=fee&after=5&until=10"


def test_of_a_younger_account_the_day_begins_with_it() -> None:
    derivation = day(opening(), moved(opening(), at(1), -5))
    assert total(derivation) == -5
    assert "when the account was made" in derivation.words


def test_without_a_beginning_nothing_is_told() -> None:
    late = opening(carried=None)
    elsewhere = replace(late, wallet=replace(late.wallet, epoch=2))
    for derivation in (day(None, late), day(late, elsewhere), all_time_derivation(late, {}, 2)):
        assert derivation.terms == ()
        assert "not known" in derivation.words


def in_epoch(number: int, rows: Mapping[int, Epoch], open_pnl: int, revision: int = 9) -> Sample:
    wallet = Wallet.opened(number, Decimal(1_000))
    first = opening(wallet=wallet, carried=rows[number].carried, revision=revision)
    return moved(first, at(number), open_pnl)


ROWS = epochs(100, -30, 7, 0, 0)
UNDONE = epochs(100, -30, 0, 0, e3=1)
TWICE = epochs(100, -30, 5, -7, 0, e3=1, e5=3)


@pytest.mark.parametrize(
    ("rows", "number", "members"),
    [
        (ROWS, 1, set()),
        (ROWS, 4, {1, 2, 3}),
        # the third has the first's P&L in its own
        (UNDONE, 3, {2}),
        (UNDONE, 4, {2, 3}),
        (TWICE, 5, {2, 4}),
    ],
)
def test_an_epoch_that_another_goes_on_with_is_counted_once(
    rows: Mapping[int, Epoch], number: int, members: set[int]
) -> None:
    assert counted(number, rows) == members
    assert counted(number, {}) == (frozenset() if number == 1 else None)


@pytest.mark.parametrize("rows", [ROWS, UNDONE, TWICE])
def test_a_period_over_resets_has_a_line_for_each_epoch(rows: Mapping[int, Epoch]) -> None:
    for base_number in rows:
        for number in range(base_number + 1, len(rows) + 1):
            base, now = in_epoch(base_number, rows, 40), in_epoch(number, rows, 11)
            derivation = day(base, now, rows)
            assert total(derivation) == 11 + rows[number].carried - 40 - rows[base_number].carried
            # where the ledger is not read that far it is one line
            assert total(day(base, now)) == total(derivation)
    everything = all_time_derivation(in_epoch(len(rows), rows, 11), rows, 2)
    assert total(everything) == rows[len(rows)].carried + 11


def test_many_epochs_are_told_in_few_lines() -> None:
    rows = epochs(*range(40))
    derivation = all_time_derivation(in_epoch(40, rows, 1), rows, 2)
    assert total(derivation) == sum(range(39)) + 1
    assert len(derivation.terms) == 13
    assert derivation.terms[-2].label == "P&L of epochs before those"


# return and falls


def test_a_return_without_flows_is_the_end_over_the_start() -> None:
    now = moved(opening(), at(1), 250)
    derivation = return_derivation(now, [], 2)
    assert total(derivation) == return_percent(now) == Decimal("2.5")
    assert [term.display for term in derivation.terms] == [
        *("$10,250.00", "$10,000.00", "1", "100", "+2.50%"),
    ]


@pytest.mark.parametrize("count", [1, 3, 30])
def test_a_return_with_flows_is_the_product_of_what_is_between_them(count: int) -> None:
    sample, flows = opening(), list[Sample]()
    for number in range(count):
        sample = moved(sample, at(number), (-1) ** number * 70 * number)
        flows.append(sample)
        sample = booked(sample, at(number), "deposit", 333)
    sample = moved(sample, at(count), 500)
    derivation = return_derivation(sample, flows, 2)
    assert total(derivation) == return_percent(sample)
    assert len(derivation.terms) == min(count, 12) + 4


def test_a_return_that_was_not_seen_from_the_start_is_not_told() -> None:
    late = opening(is_whole=False)
    assert (return_percent(late), return_derivation(late, [], 2).terms) == (None, ())


def test_a_return_beyond_all_reason_is_not_told() -> None:
    now = opening(growth=Decimal("1E+70"))
    assert return_percent(now) is None
    assert return_derivation(now, [], 2).terms == ()


def test_a_return_whose_flows_came_to_nothing_is_not_the_end_over_the_start() -> None:
    first = booked(opening(), at(1), "adjustment", 10_000)
    full = booked(first, at(2), "deposit", 80_000)
    then = booked(booked(full, at(3), "adjustment", 50_000), at(4), "withdrawal", -80_000)
    for flows in ([], [first]):
        derivation = return_derivation(then, flows, 2)
        assert total(derivation) == return_percent(then) == 200


def test_a_fall_goes_from_its_peak_to_its_trough() -> None:
    peak = moved(opening(), at(1), 1_000)
    trough = moved(peak, at(2), -1_200)
    assert total(fall_derivation(peak, trough)) == fall_percent(peak, trough) == -20
    assert total(lost_derivation(peak, trough, 2)) == -2_200
    assert "2026-11-23 02:00:00 UTC" in fall_derivation(peak, trough).terms[0].label
    ruined = moved(peak, at(3), -10_000)
    assert total(fall_derivation(peak, ruined)) == -100
    assert total(fall_derivation(ruined, ruined)) == 0


# trades


@given(st.lists(st.decimals(min_value=-500, max_value=500, places=8), max_size=12))
def test_the_figures_of_trades_come_from_their_sums(pnls: list[Decimal]) -> None:
    with exact():
        trades = Trades(
            trades=len(pnls),
            wins=sum(pnl > 0 for pnl in pnls),
            losses=sum(pnl < 0 for pnl in pnls),
            gained=sum((pnl for pnl in pnls if pnl > 0), Decimal(0)),
            lost=-sum((pnl for pnl in pnls if pnl < 0), Decimal(0)),
            best=max(pnls, default=None),
            worst=min(pnls, default=None),
        )
    figures, derivations = trade_figures(trades), trade_derivations(trades, "1", 2)
    assert set(figures) == set(derivations)
    for name, derivation in derivations.items():
        if figures[name] is None:
            assert (derivation.terms, len(derivation.words) > 40) == ((), True)
        else:
            assert total(derivation) == figures[name], name


def test_that_the_lists_of_trades_have_what_an_undone_reset_closed_is_said() -> None:
    trades = Trades(1, 1, 0, Decimal(5), Decimal(0), Decimal(5), Decimal(5))
    for epochs, is_said in (("3,1", True), ("1", False)):
        words = trade_derivations(trades, epochs, 2)["trades"].words
        assert ("undone reset" in words) == is_said


def test_trades_that_are_not_read_yet_have_no_figures() -> None:
    assert set(trade_figures(None).values()) == {None}
    assert all(not each.terms for each in trade_derivations(None, "1", 2).values())
