"""Every derivation adds up: its own terms, reckoned anew, come to the figure that it explains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balance.core.money import exact, quantized
from balance.core.snapshot import Snapshot
from balance.core.trade_sums import TradeSums
from balance.core.wallet import Wallet
from balance.desk.desk import Desk
from balance.performance.derivations.account import (
    Books,
    Past,
    Stage,
    account_derivations,
    past_of,
    position_derivations,
)
from balance.performance.derivations.derivation import Derivation, link
from balance.performance.derivations.period import (
    all_time_derivation,
    counted,
    period_derivation,
)
from balance.performance.derivations.returns import growth_terms
from balance.performance.figures import FIGURES, values_of
from balance.performance.results import Moment, Results, Span
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
    derivations = account_derivations(Books(snapshot, Past(), 2))
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
    derivations = account_derivations(Books(seen(replace(account(), wallet=now)), past, 2))
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
    past = past_of(desk.ledger.lineage(), desk.ledger.opening)
    assert [stage.epoch for stage in past.stages] == [5, 3, 1]
    ledger = list(desk.ledger.rows())
    derivations = account_derivations(Books(desk.snapshot(), past, 2))
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
    derivations = account_derivations(Books(seen(account(positions=(position(),))), Past(), 2))
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
    derivations = account_derivations(Books(seen(account(0)), Past(), 2))
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
    derivation = account_derivations(Books(seen(account()), Past(), 2))["balance"]
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


def derived(name: str, results: Results) -> Derivation:
    """How the figure with ``name`` comes about."""
    (figure,) = (each for each in FIGURES if each.name == name)
    derivation = figure.derivation(results)
    value = figure.value(results)
    if value is None:
        assert (derivation.terms, len(derivation.words) > 40) == ((), True), name
    else:
        assert total(derivation) == value, name
        assert derivation.terms[-1].display == figure.unit.write(value)
    return derivation


def of_return(now: Sample, flows: Sequence[Sample] = ()) -> Derivation:
    """How the return up to ``now`` comes about."""
    growth = now.growth if now.is_whole else None
    results = Results(growth=growth, growth_terms=growth_terms(now, flows, 2))
    return derived("return_percent", results)


def test_a_return_without_flows_is_the_end_over_the_start() -> None:
    derivation = of_return(moved(opening(), at(1), 250))
    assert total(derivation) == Decimal("2.5")
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
    derivation = of_return(moved(sample, at(count), 500), flows)
    assert len(derivation.terms) == min(count, 12) + 4


def test_a_return_that_was_not_seen_from_the_start_is_unknown() -> None:
    assert of_return(opening(is_whole=False)).terms == ()


def test_a_return_beyond_all_reason_is_unknown() -> None:
    assert of_return(opening(growth=Decimal("1E+70"))).terms == ()


def test_a_total_loss_is_a_return_of_minus_a_hundred_percent() -> None:
    assert total(derived("return_percent", Results(growth=Decimal(0)))) == -100


def test_a_return_whose_flows_came_to_nothing_is_not_the_end_over_the_start() -> None:
    first = booked(opening(), at(1), "adjustment", 10_000)
    full = booked(first, at(2), "deposit", 80_000)
    then = booked(booked(full, at(3), "adjustment", 50_000), at(4), "withdrawal", -80_000)
    for flows in ([], [first]):
        assert total(of_return(then, flows)) == 200


def test_a_fall_goes_from_its_peak_to_its_trough() -> None:
    def span(begin: Sample, end: Sample) -> Span:
        return Span(*(Moment(each.time, each.growth, each.pnl) for each in (begin, end)))

    peak = moved(opening(), at(1), 1_000)
    trough = moved(peak, at(2), -1_200)
    fall = span(peak, trough)
    assert total(derived("max_drawdown_percent", Results(drawdown=fall))) == -20
    assert total(derived("max_drawdown", Results(pnl_drawdown=fall))) == -2_200
    assert total(derived("longest_drawdown_seconds", Results(longest_drawdown=fall))) == 3_600
    derivation = derived("max_drawdown_percent", Results(drawdown=fall))
    assert "2026-11-23 02:00:00 UTC" in derivation.terms[0].label
    ruined = moved(peak, at(3), -10_000)
    for end, percent in ((ruined, -100), (peak, 0)):
        assert total(derived("max_drawdown_percent", Results(drawdown=span(peak, end)))) == percent
    nothing = Results(drawdown=span(ruined, ruined))
    assert total(derived("max_drawdown_percent", nothing)) == 0


@given(st.lists(st.decimals(min_value="-0.5", max_value=2, places=8), max_size=40))
def test_ratios_come_from_the_daily_returns(returns: list[Decimal]) -> None:
    for name in ("sharpe_ratio", "sortino_ratio"):
        derived(name, Results(returns=returns))


def test_the_time_in_the_market_is_a_share_of_what_was_seen() -> None:
    results = Results(open_time=timedelta(hours=1), time=timedelta(hours=3))
    assert derived("time_in_market_percent", results).terms[-1].display == "33.33%"
    assert derived("time_in_market_percent", Results()).terms == ()


# trades


def sums_over(pnls: list[Decimal]) -> TradeSums:
    """What trades with ``pnls`` add up to."""
    sums = TradeSums()
    for pnl in pnls:
        sums = sums.with_pnl(pnl)
    return sums


@given(st.lists(st.decimals(min_value=-500, max_value=500, places=8), max_size=12))
def test_the_figures_of_trades_come_from_their_sums(pnls: list[Decimal]) -> None:
    with exact():
        results = Results(trades=sums_over(pnls), epochs="1")
    for figure in FIGURES:
        derived(figure.name, results)


def test_that_the_lists_of_trades_have_what_an_undone_reset_closed_is_said() -> None:
    for epochs, is_said in (("3,1", True), ("1", False)):
        words = derived("trades", Results(trades=sums_over([Decimal(5)]), epochs=epochs)).words
        assert ("undone reset" in words) == is_said


def test_what_is_not_known_has_no_figures() -> None:
    assert set(values_of(FIGURES, Results()).values()) == {None}
    assert all(not derived(each.name, Results()).terms for each in FIGURES)
