"""``/equity`` and ``/performance``: as described, exact, and adding up to what the snapshot has."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from balance.api.performance import USUAL_RANGE
from balance.api.problems import answer_with_problems
from balance.api.routes import create_api
from balance.api.stream import Stream
from balance.core.entry import Booking, Entry
from balance.core.snapshot import DISPLAYED
from balance.desk.desk import Desk
from balance.history.history import History
from balance.performance.curve import MOST_POINTS, RANGES
from balance.performance.derivations.derivation import Derivation, Term
from balance.performance.performance import Equity
from balance.performance.results import Results
from balance.performance.sample import Sample
from balance.performance.sample_reader import Placed, SampleReader
from balance.performance.sampler import Sampler
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from tests.answers import exactly, problem
from tests.boards import board as a_board
from tests.boards import priced
from tests.described import check
from tests.markets import BTC
from tests.samples import percents, write_a_year
from tests.test_derivations import Epoch, sums_over, total


def deposit(time: datetime) -> Entry:
    """A deposit of 500."""
    booking = Booking(epoch=1, kind="deposit", amount=Decimal(500), balance=Decimal(10_500))
    return Entry(revision=7, line=2, time=time, source="http", booking=booking)


class Told:
    """A history that knows of one epoch with three trades, and of one mark."""

    def epoch(self, _number: int) -> None:
        return None

    def epochs(self, _most: int = 1_000) -> list[Epoch]:
        trades = sums_over([Decimal(80), Decimal(10), Decimal(-30)])
        return [Epoch(1, Decimal(0), Decimal(0), trades=trades)]

    def marks(self, begin: datetime, end: datetime, _most: int) -> list[Entry]:
        return [deposit(begin + (end - begin) / 2)]


class Asked:
    """An account in memory whose samples are in ``folder``, and what answers about it."""

    def __init__(self, folder: Path, history: Any = None) -> None:
        self.now = datetime.now(UTC)
        self.board = a_board()
        self.store = MemoryStore(clock=lambda: self.now)
        self.desk = Desk(self.store, self.board)
        self.sampler = Sampler(self.desk, folder, lambda _: None, clock=lambda: self.now)
        self.equity = Equity(self.desk, folder, history, clock=lambda: self.now)
        self.serve()

    def serve(self) -> None:
        """Let the routes answer."""
        stream = Stream(1)
        services = replace(services_alone(self.desk, stream), equity=self.equity)
        server = Flask(__name__)
        answer_with_problems(server)
        server.register_blueprint(create_api(self.desk, stream, services))
        self.client = server.test_client()

    def look(self, seconds: float = 10) -> None:
        self.now += timedelta(seconds=seconds)
        self.sampler.sample()

    def told(self, path: str) -> Any:
        answer = self.client.get(path)
        check(answer, "GET", path)
        assert answer.status_code == 200, answer.text
        return exactly(answer)


@pytest.fixture
def asked(tmp_path: Path) -> Asked:
    """One whose ledger is not read yet."""
    return Asked(tmp_path)


def derivation(row: Any) -> Derivation:
    """A derivation as it is answered."""
    terms = tuple(Term(**{**each, "amount": Decimal(each["amount"])}) for each in row["terms"])
    return Derivation(row["title"], row["words"], terms)


def traded(asked: Asked) -> None:
    """A day on which much happened."""
    asked.look()
    asked.desk.deposit(500)
    asked.desk.place_order(symbol=BTC, side="buy", quantity="0.2", leverage=5)
    asked.look()
    priced(asked.board, 40_400)
    asked.look()
    asked.desk.close_position(BTC, percent=30)
    asked.desk.withdraw(100)
    asked.desk.adjust("-12.34")
    priced(asked.board, 40_100)
    asked.look()


def test_of_an_account_that_nobody_samples_there_is_what_is_now(tmp_path: Path) -> None:
    asked = Asked(tmp_path / "nothing")
    for wanted in RANGES:
        told = asked.told(f"/equity?range={wanted}")
        ((_, equity, pnl, fall),) = told["points"]
        assert (equity, pnl, fall) == (10_000, 0, 0)
        assert (told["since"], told["marks"], told["words"]) == (None, [], "")
    told = asked.told("/performance")
    assert told["figures"]["pnl_today"] is None
    assert told["figures"]["pnl_all_time"] == 0
    assert not (tmp_path / "nothing").exists()


def test_the_curve_has_what_happened_with_its_figures(asked: Asked) -> None:
    traded(asked)
    told = asked.told("/equity")
    assert told["range"] == USUAL_RANGE
    snapshot = asked.desk.snapshot()
    time, equity, pnl, _ = told["points"][-1]
    assert time == told["to"]
    assert (equity, pnl) == (
        round(snapshot.portfolio_value, 4),
        round(snapshot.current_pnl, 4),
    )
    figures = told["figures"]
    for name, row in told["derivations"].items():
        assert total(derivation(row)) == figures[name]
    assert figures["pnl"] == snapshot.current_pnl
    assert figures["display"]["pnl"] == snapshot.display["current_pnl"]
    equities = [point[1] for point in told["points"]]
    assert min(equities) == figures["equity_low"] == 10_000
    assert round(figures["equity_high"], 4) == max(equities)
    falls = [point[3] for point in told["points"]]
    assert min(falls) == round(figures["max_drawdown_percent"], 4) < 0


def test_every_figure_adds_up_from_its_terms_to_what_the_snapshot_has(tmp_path: Path) -> None:
    asked = Asked(tmp_path, Told())
    traded(asked)
    snapshot = asked.desk.snapshot()
    told = asked.told("/performance")
    shown = {**snapshot, **told["figures"]}
    rows = {each["symbol"]: each for each in snapshot.positions}
    for name, row in told["derivations"].items():
        figure, _, symbol = name.partition(":")
        wanted = (rows[symbol] if symbol else shown)[figure]
        assert (total(derivation(row)) if row["terms"] else None) == wanted, name
    counted = {"revision", "epoch", "position_count", "order_count"}
    explained = set(told["derivations"])
    assert set(told["figures"]) | {f"roe_percent:{BTC}"} <= explained
    assert {"balance", "portfolio_value", "long_exposure", "pnl_week"} <= explained & set(DISPLAYED)
    assert not counted & explained
    # what the snapshot has too is the same
    for name in ("pnl_today", "pnl_today_percent", "pnl_week", "pnl_all_time", "fees_paid"):
        assert told["figures"][name] == snapshot[name]
        assert told["display"][name] == snapshot.display[name]
    assert (told["figures"]["trades"], told["display"]["win_rate"]) == (3, "66.67%")
    assert told["display"]["profit_factor"] == "3.00"


def test_money_is_shown_with_the_decimals_that_are_wanted(asked: Asked) -> None:
    asked.look()
    asked.board.market = replace(asked.board.market, decimals=4)
    assert asked.told("/performance")["display"]["pnl_epoch"] == "$0.0000"
    assert asked.told("/equity")["figures"]["display"]["equity_low"] == "$10,000.0000"


def test_a_period_over_a_reset_has_its_epochs(asked: Asked) -> None:
    asked.look()
    asked.desk.adjust(80)
    asked.desk.reset(1_000)
    asked.desk.adjust(-5)
    asked.look()
    told = asked.told("/performance")
    assert told["figures"]["pnl_today"] == 75
    assert total(derivation(told["derivations"]["pnl_today"])) == 75
    curve = asked.told("/equity?range=week")
    # 0.8 % and then -0.5 %
    assert curve["figures"]["return_percent"] == Decimal("0.296")
    assert curve["figures"]["pnl"] == 75


def test_the_ledger_and_the_samples_agree_on_every_epoch(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    history = History(asked.store)
    asked.equity = Equity(asked.desk, tmp_path, history, clock=lambda: asked.now)
    asked.serve()
    traded(asked)
    asked.desk.close_position(BTC)
    asked.desk.reset(1_000)
    asked.desk.adjust(-5)
    asked.look()
    asked.desk.undo_reset()
    asked.desk.reset(300)
    asked.look()
    snapshot, told = asked.desk.snapshot(), asked.told("/performance")
    running = history.epoch(4)
    assert running is not None
    assert snapshot.pnl_all_time == running.carried == told["figures"]["pnl_all_time"]
    shown = {**snapshot, **told["figures"]}
    for name, row in told["derivations"].items():
        if shown[name] is not None:
            assert total(derivation(row)) == shown[name], name
    lines = [term["label"] for term in told["derivations"]["pnl_today"]["terms"]]
    # the first is in the third's, which goes on with it
    assert [line for line in lines if "P&L of epoch" in line][:3] == [
        *("P&L of epoch 4, so far", "P&L of epoch 3", "P&L of epoch 2"),
    ]
    marks = asked.told("/equity")["marks"]
    assert [each["kind"] for each in marks] == [
        *("deposit", "withdrawal", "reset", "undo", "reset"),
    ]
    assert marks[-2]["display"]["words"].startswith("Reset undone")
    history.index.database.close()


def test_the_return_of_a_range_leaves_out_what_an_undone_reset_took_away(asked: Asked) -> None:
    asked.look()
    asked.desk.adjust(20_000)
    asked.look(86_400 * 3)
    asked.desk.reset()
    asked.look()
    asked.desk.adjust(1_000)
    asked.look(86_400 * 2)
    asked.desk.undo_reset()
    asked.look()
    asked.desk.adjust(3_000)
    asked.look(600)
    day, week = (asked.told(f"/equity?range={each}")["figures"] for each in ("day", "week"))
    assert (day["pnl"], day["return_percent"]) == (3_000, 10)
    # thrice, 1.1 times in the epoch between, and 1.1 times again
    assert (week["pnl"], week["return_percent"]) == (24_000, 263)
    for wanted in ("day", "week"):
        told = asked.told(f"/equity?range={wanted}")
        for name, row in told["derivations"].items():
            assert total(derivation(row)) == told["figures"][name]
    factors = [term["label"] for term in told["derivations"]["return_percent"]["terms"][:3]]
    assert factors[1:] == [
        "Growth of epoch 2, or what goes on with it",
        "Growth of epoch 1, or what goes on with it",
    ]


def test_a_drawdown_is_from_the_best_before_of_the_epoch_in_every_range(asked: Asked) -> None:
    asked.look()
    asked.desk.adjust(5_000)
    asked.look()
    asked.desk.adjust(-5_000)
    for _ in range(30):
        asked.look(3_600)
    for wanted in ("day", "all"):
        told = asked.told(f"/equity?range={wanted}")
        assert told["points"][-1][3] == Decimal("-33.3333")
        assert round(told["figures"]["max_drawdown_percent"], 4) == Decimal("-33.3333")


def test_a_fall_that_nobody_may_have_seen_is_not_told(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    asked.desk.deposit(1_000)
    asked.desk.adjust(-8_000)
    asked.desk.reset()
    asked.desk.undo_reset()
    asked.look()
    told = asked.told("/performance")
    assert (told["figures"]["max_drawdown_percent"], told["figures"]["max_drawdown"]) == (
        None,
        None,
    )
    assert told["display"]["max_drawdown_percent"] == "\N{EN DASH}"
    assert "not known" in told["derivations"]["max_drawdown"]["words"]
    assert percents(asked.equity.of_epoch(3)) == (None, None)


def test_what_is_sampled_while_it_is_answered_changes_no_figure(
    asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked.look()
    asked.desk.deposit(1_000)
    asked.look()
    asked.desk.adjust(11_000)
    asked.look()
    newest, points = SampleReader.newest, SampleReader.points

    def change() -> None:
        monkeypatch.setattr(SampleReader, "newest", newest)
        monkeypatch.setattr(SampleReader, "points", points)
        asked.desk.adjust(1)
        asked.look(60)

    def newest_meanwhile(self: SampleReader) -> Sample | None:
        change()
        return newest(self)

    def points_meanwhile(self: SampleReader, begin: datetime, end: datetime) -> list[Placed]:
        found = points(self, begin, end)
        change()
        return found

    for name, meanwhile in (("newest", newest_meanwhile), ("points", points_meanwhile)):
        monkeypatch.setattr(SampleReader, name, meanwhile)
        figures = asked.told("/performance")["figures"]
        assert round(figures["return_percent"]) == 100
        assert figures["max_drawdown_percent"] == 0
        monkeypatch.setattr(SampleReader, name, meanwhile)
        told = asked.told("/equity")
        assert round(told["figures"]["return_percent"]) == 100
        assert told["figures"]["max_drawdown_percent"] == 0


def test_marks_say_what_they_are(tmp_path: Path) -> None:
    asked = Asked(tmp_path, Told())
    (mark,) = asked.told("/equity")["marks"]
    assert (mark["place"], mark["kind"], mark["amount"]) == ("7.2", "deposit", 500)
    assert mark["display"] == {
        "kind": "Deposit",
        "amount": "+$500.00",
        "words": "Deposited 500.00 USDT",
    }


def test_where_there_are_more_events_than_flags_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.performance.performance.MOST_MARKS", 3)
    asked = Asked(tmp_path)
    history = History(asked.store)
    asked.equity = Equity(asked.desk, tmp_path, history, clock=lambda: asked.now)
    asked.serve()
    for amount, words in ((1, ""), (2, ""), (3, ""), (4, "newest")):
        asked.desk.deposit(amount)
        told = asked.told("/equity")
        assert words in told["words"]
        assert bool(words) == bool(told["words"])
    assert [each["amount"] for each in told["marks"]] == [2, 3, 4]


def test_a_gain_from_nothing_and_one_beyond_all_reason_are_no_return(asked: Asked) -> None:
    asked.desk.reset(0)
    asked.look()
    asked.desk.adjust(500)
    asked.look()
    assert asked.told("/performance")["figures"]["return_percent"] is None
    assert asked.told("/equity")["figures"]["return_percent"] is None
    asked.desk.reset("0.00000001")
    for _ in range(3):
        asked.look()
        asked.desk.set_balance(10**12)
        asked.desk.withdraw(Decimal(10**12) - Decimal("0.00000001"))
    asked.look()
    told = asked.told("/performance")
    assert told["figures"]["return_percent"] is None
    assert told["display"]["return_percent"] == "\N{EN DASH}"
    assert percents(asked.equity.of_epoch(3))[0] is None
    asked.desk.reset()
    asked.look()
    assert asked.told("/equity")["figures"]["return_percent"] is None


def test_a_range_that_there_is_not_is_refused(asked: Asked) -> None:
    answer = asked.client.get("/equity?range=decade")
    check(answer, "GET", "/equity")
    assert "day, week, month" in problem(answer, 422)["detail"]


def test_the_performance_of_an_epoch_that_has_ended_is_remembered(asked: Asked) -> None:
    asked.look()
    asked.desk.adjust(-1_000)
    asked.desk.adjust(500)
    asked.look()
    asked.desk.reset(100)
    asked.look()
    assert percents(asked.equity.of_epoch(1)) == (-5, -10)
    assert asked.equity.of_epoch(1) is asked.equity.of_epoch(1)
    assert percents(asked.equity.of_epoch(2)) == (0, 0)
    assert percents(asked.equity.of_epoch(9)) == (None, None)


def test_a_year_is_answered_with_few_points(tmp_path: Path) -> None:
    asked = Asked(tmp_path)
    write_a_year(tmp_path, "memory", asked.now)
    for wanted in RANGES:
        told = asked.told(f"/equity?range={wanted}")
        assert 200 < len(told["points"]) <= MOST_POINTS
        assert None not in told["points"]
    assert asked.told("/performance")["figures"]["max_drawdown_percent"] < 0


def test_an_ended_epoch_that_nobody_followed_is_looked_for_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked(tmp_path)
    for _ in range(3):
        asked.desk.reset(500)
    asked.look()
    looked: list[int] = []
    look = SampleReader.newest_of

    def noted(reader: SampleReader, epoch: int) -> Sample | None:
        looked.append(epoch)
        return look(reader, epoch)

    monkeypatch.setattr(SampleReader, "newest_of", noted)
    assert asked.equity.of_epoch(2) == asked.equity.of_epoch(2) == Results()
    assert looked == [2]
