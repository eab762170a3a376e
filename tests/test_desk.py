"""The desk: pages of the history, keys, notes and listeners, for whoever asks."""

from __future__ import annotations

import doctest
import threading
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import balance
from balance import (
    Desk,
    InvalidAmount,
    InvalidRequest,
    KeyInFlight,
    KeyReused,
    Snapshot,
    StaleRevision,
    StoreUnreadable,
    open_account,
)
from balance.core.errors import HistoryUnavailable
from balance.core.leverage import set_leverage
from balance.core.money import quantized
from balance.history.history import History
from balance.history.index import INDEX_FILE
from balance.store.file_store import ACCOUNT_FILE, FileStore
from balance.store.memory_store import MemoryStore
from balance.store.state import Commit
from tests.boards import board
from tests.markets import BTC, ETH, quote
from tests.patience import patience
from tests.test_store import trade


@pytest.fixture
def desk() -> Desk:
    """A desk with 10,000."""
    return Desk(MemoryStore())


def _long_lived() -> tuple[Desk, list[dict[str, Any]]]:
    """A desk with three epochs of changes, some with several entries, and all of its ledger."""
    store = MemoryStore()
    desk = Desk(store)
    for number in range(1, 40):
        if number % 13 == 0:
            desk.reset()
        elif number % 3 == 0:
            store.commit(trade, source="program")
        elif number % 4 == 0:
            desk.deposit(number, source="http")
        else:
            desk.adjust(number, source="shell")
    return desk, [dict(row) for row in desk.ledger.rows()]


DESK, LEDGER = _long_lived()
INDEXED = Desk(DESK.store)
# One whose index nobody has made yet.
READ = Desk(DESK.store, history=History(DESK.store, Path("/nowhere/history.db")))


@pytest.mark.parametrize("desk", [READ, INDEXED], ids=["read", "looked up"])
@given(
    limit=st.integers(1, 70),
    kind=st.none() | st.sampled_from(["fee", "deposit", "adjustment", "reset", "start", "repair"]),
    epoch=st.none() | st.integers(1, 6),
)
def test_pages_lead_through_every_entry_exactly_once(
    desk: Desk, limit: int, kind: str | None, epoch: int | None
) -> None:
    expected = [
        row
        for row in LEDGER
        if kind in (None, row["kind"]) and (epoch is None or row["epoch"] == epoch)
    ]
    seen: list[Any] = []
    before = None
    while True:
        page = desk.history(limit=limit, before=before, kind=kind, epoch=epoch)
        seen += page.entries
        assert len(page.entries) <= limit
        if page.next is None:
            break
        assert len(page.entries) == limit
        before = page.next
    assert seen == expected == list(desk.ledger.rows(kind=kind, epoch=epoch))


def test_what_is_rare_is_found_without_reading_the_ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    starts, fills = READ.history(kind="start"), READ.fills(limit=2)
    second = list(READ.ledger.rows(epoch=2))
    rest = READ.fills(limit=2, before=fills.next)
    INDEXED.history(kind="start")
    monkeypatch.setattr(MemoryStore, "entries", _fail)
    assert INDEXED.history(kind="start") == starts
    assert INDEXED.history(kind="liquidation").entries == ()
    assert list(INDEXED.ledger.rows(epoch=2)) == second
    assert INDEXED.history(epoch=10**30).entries == ()
    assert INDEXED.fills(limit=2) == fills
    assert INDEXED.fills(limit=2, before=fills.next) == rest


def _fail(*_: object, **__: object) -> None:
    raise AssertionError("the ledger was read")


def test_the_index_of_a_server_is_used_beside_it_and_none_is_begun(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = open_account(folder)
    account.deposit(5)
    assert len(account.history(kind="deposit").entries) == 1
    assert not (folder / INDEX_FILE).exists()
    assert History(account.store, folder / INDEX_FILE).index.catch_up()
    account.deposit(6)
    monkeypatch.setattr(FileStore, "entries", _fail)
    assert [row["amount"] for row in account.history(kind="deposit").entries] == [6, 5]


@pytest.mark.parametrize("fault", [HistoryUnavailable("it is being indexed"), None])
def test_the_ledger_is_read_where_it_can_not_be_searched(
    fault: Exception | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(DESK.store)

    def unfinished(*_: object) -> bool:
        if fault is not None:
            raise fault
        return False

    monkeypatch.setattr("balance.history.index.Index.catch_up", unfinished)
    assert desk.history(kind="fee") == READ.history(kind="fee")
    assert list(desk.ledger.rows(epoch=1)) == list(READ.ledger.rows(epoch=1))
    assert desk.fills() == READ.fills()


def test_a_change_of_several_entries_may_be_split_over_pages(desk: Desk) -> None:
    store = MemoryStore()
    store.commit(trade, source="x")
    page = Desk(store).history(limit=2)
    assert [(row["revision"], row["line"]) for row in page.entries] == [(2, 3), (2, 2)]
    assert page.next == "2.2"
    rest = Desk(store).history(limit=2, before=page.next)
    assert [(row["revision"], row["line"]) for row in rest.entries] == [(2, 1), (1, 1)]
    assert rest.next is None


def test_an_entry_has_the_designs_fields(desk: Desk) -> None:
    desk.adjust("-12.30", note="a loss", source="http")
    row = desk.history(limit=1).entries[0]
    assert {**row, "time": ""} == {
        "revision": 2,
        "line": 1,
        "time": "",
        "epoch": 1,
        "kind": "adjustment",
        "amount": Decimal("-12.3"),
        "balance": Decimal("9987.7"),
        "source": "http",
        "note": "a loss",
    }
    assert row["time"].endswith("Z")


@pytest.mark.parametrize(
    "wrong",
    [
        {"limit": 0},
        {"limit": -1},
        {"limit": 1_001},
        {"limit": True},
        {"before": ""},
        {"before": "x"},
        {"before": "-1"},
        {"before": "1."},
        {"before": "1.2.3"},
        {"before": "\u0661"},
        {"before": "9" * 5_000},
        {"kind": ""},
        {"kind": "nonsense"},
        {"epoch": 0},
        {"epoch": -3},
        {"limit": "5"},
        {"limit": 2.5},
        {"before": [5]},
        {"kind": {}},
        {"kind": 7},
        {"epoch": "z"},
        {"epoch": 1.5},
        {"epoch": True},
    ],
    ids=str,
)
def test_a_page_that_can_not_be_is_refused(desk: Desk, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as refused:
        desk.history(**wrong)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("action", "amount", "balance", "said"),
    [
        ("set_balance", 9_500, 9_500, "Booked a loss of 500.00 USDT. Balance 9,500.00."),
        ("set_balance", 10_000, 10_000, "Nothing to adjust. Balance 10,000.00."),
        ("adjust", "0.5", "10000.5", "Booked a gain of 0.50 USDT. Balance 10,000.50."),
        ("deposit", 500, 10_500, "Deposited 500.00 USDT. Balance 10,500.00."),
        ("withdraw", 500, 9_500, "Withdrew 500.00 USDT. Balance 9,500.00."),
        ("reset", 7, 7, "Reset to 7.00 USDT. Epoch 2 begins; the history is kept."),
    ],
)
def test_each_change_is_told_with_its_figures(
    desk: Desk, action: Any, amount: object, balance: object, said: str
) -> None:
    outcome = desk.execute(action, amount)
    assert outcome.message == said
    assert outcome.snapshot == desk.snapshot()
    assert outcome.snapshot.balance == Decimal(str(balance))


def test_a_repeated_key_answers_as_the_first_time(desk: Desk) -> None:
    first = desk.execute("adjust", 5, idempotency_key="k", note="n")
    desk.deposit(1)
    again = desk.execute("adjust", "5.00", idempotency_key="k", note="n")
    assert (again.replayed, again.message) == (True, first.message)
    assert again.snapshot == first.snapshot
    assert desk.snapshot().balance == 10_006


@pytest.mark.parametrize(
    "other",
    [("adjust", 6, "n"), ("adjust", 5, "m"), ("deposit", 5, "n"), ("adjust", True, "n")],
)
def test_a_key_belongs_to_one_request(desk: Desk, other: tuple[Any, object, str]) -> None:
    desk.adjust(5, idempotency_key="k", note="n")
    action, amount, note = other
    with pytest.raises(KeyReused):
        desk.execute(action, amount, idempotency_key="k", note=note)
    assert desk.snapshot().balance == 10_005


@pytest.mark.parametrize("text", ["a\nb", "\0", "\x1b[31m", "\ud800", "x" * 201, 5, None])
def test_what_can_not_be_printed_is_no_note_and_no_key(desk: Desk, text: Any) -> None:
    with pytest.raises(InvalidRequest, match="The note must be a printable text of at most 200"):
        desk.adjust(5, note=text)
    if text is not None:
        with pytest.raises(InvalidRequest, match="The Idempotency-Key must be a printable text"):
            desk.adjust(5, idempotency_key=text)
    with pytest.raises(InvalidRequest):
        desk.adjust(5, idempotency_key="")
    assert desk.snapshot().revision == 1


def test_the_longest_note_and_key_are_kept(desk: Desk) -> None:
    note = "\U0001f4c8" * 200
    desk.adjust(5, note=note, idempotency_key="k" * 200)
    assert desk.history(limit=1).entries[0]["note"] == note


class SlowStore(MemoryStore):
    """Commits only after it was let."""

    def __init__(self) -> None:
        super().__init__()
        self.entered, self.let = threading.Event(), threading.Event()

    def commit(self, *args: Any, **how: Any) -> Commit:
        self.entered.set()
        self.let.wait()
        return super().commit(*args, **how)


def test_a_key_whose_request_is_under_way_is_refused() -> None:
    store, seen = SlowStore(), []
    desk = Desk(store)
    thread = threading.Thread(target=lambda: seen.append(desk.adjust(5, idempotency_key="k")))
    thread.start()
    assert store.entered.wait(patience())
    with pytest.raises(KeyInFlight, match="'k' is still being worked on") as refused:
        desk.adjust(5, idempotency_key="k")
    assert refused.value.key == "k"
    store.let.set()
    thread.join()
    assert desk.adjust(5, idempotency_key="k") == seen[0]
    assert desk.snapshot().revision == 2


def test_a_key_is_free_again_after_a_refusal(desk: Desk) -> None:
    for _ in range(2):
        with pytest.raises(InvalidAmount):
            desk.adjust(0, idempotency_key="k")
    with pytest.raises(StaleRevision):
        desk.adjust(5, idempotency_key="k", if_match=7)
    assert desk.adjust(5, idempotency_key="k").balance == 10_005


def test_listeners_hear_each_change_once_before_its_maker(desk: Desk) -> None:
    heard: list[Snapshot] = []
    desk.subscribe(heard.append)
    answers = [desk.adjust(5, idempotency_key="k"), desk.reset(), desk.deposit(1)]
    assert heard == answers
    desk.adjust(5, idempotency_key="k")
    with pytest.raises(InvalidAmount):
        desk.withdraw(-1)
    assert len(heard) == 3


def test_a_snapshot_is_made_once_for_all_who_ask(desk: Desk) -> None:
    assert desk.snapshot() is desk.snapshot()
    before = desk.snapshot()
    assert desk.adjust(1) is desk.snapshot()
    assert desk.snapshot() is not before


def test_desks_of_two_programs_agree_and_are_told_apart(folder: Path) -> None:
    one, other = open_account(folder), open_account(str(folder))
    seen = one.withdraw("0.01")
    assert {**other.snapshot(), "instance": ""} == {**seen, "instance": ""}
    assert seen.instance != other.snapshot().instance


def test_a_damaged_account_is_never_a_default(folder: Path) -> None:
    account = open_account(folder)
    (folder / ACCOUNT_FILE).write_text("{")
    calls: list[Callable[[], object]] = [
        account.snapshot,
        account.history,
        lambda: account.set_balance(10_000),
        lambda: account.reset(),
        lambda: open_account(folder).snapshot(),
    ]
    for call in calls:
        with pytest.raises(StoreUnreadable):
            call()
    assert (folder / ACCOUNT_FILE).read_text() == "{"


@pytest.mark.parametrize("name", ["balance", "balance.open_account"])
def test_the_examples_in_the_documentation_run(name: str) -> None:
    # the package has a function of the module's name
    module = import_module(name)
    results = doctest.testmod(module)
    assert results.attempted > 0
    assert results.failed == 0


def test_all_that_is_exported_exists() -> None:
    assert all(hasattr(balance, name) for name in balance.__all__)


def test_a_listener_that_fails_does_not_deny_the_change(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def fail(_: Snapshot) -> None:
        raise RuntimeError("no ears")

    desk.subscribe(fail)
    desk.subscribe(lambda snapshot: heard.append(snapshot.revision))
    assert desk.deposit(5).balance == 10_005
    assert heard == [2]
    assert "a listener failed at revision 2" in caplog.text


def test_a_revision_may_be_given_as_a_number(desk: Desk) -> None:
    desk.deposit(5)
    assert [row["revision"] for row in desk.history(before=2).entries] == [1]


def test_the_account_now_has_the_figures_of_the_snapshot_also_at_prices_that_just_filled() -> None:
    moving = board(40_000)
    desk, seen = Desk(MemoryStore(), moving), []
    desk.place_order(symbol=BTC, side="buy", quantity="0.1", leverage=5, stop_loss=39_000)

    def figures() -> list[object]:
        now, shown = desk.now(), desk.snapshot()
        assert (now.id, now.revision) == (shown.account, shown.revision)
        assert now.changed_at == desk.store.read().changed_at
        account = now.account
        assert quantized(account.unrealized_pnl) == shown.unrealized_pnl
        marks = [each.mark_price for each in account.positions]
        assert marks == [each["mark_price"] for each in shown.positions]
        return [shown.balance, *marks]

    before = figures()
    # The board still has the old price when listeners see what the new one did.
    desk.subscribe(lambda _: seen.append(figures()))
    ahead = replace(moving.market.at(quote(BTC, 39_500)), tick=moving.market.tick + 1)
    desk.step(
        lambda account: set_leverage(account.marked(ahead), ETH, Decimal(3), ahead),
        "market",
        market=ahead,
    )
    assert seen == [[before[0], Decimal(39_500)]]
