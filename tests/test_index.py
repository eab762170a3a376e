"""The index answers what the ledger itself would, whatever is asked and whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from functools import cache, partial
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from balance.core import operations
from balance.core.entry import Entry, Place, cursor
from balance.core.money import ZERO, exact
from balance.core.order_record import order_records
from balance.core.wallet import KINDS, MOVES, Wallet
from balance.history.history import History, newest_first
from balance.history.index import INDEX_FILE
from balance.history.lists import COLUMNS, SUBJECT, Table, history_row
from balance.history.order_rows import order_record_row
from balance.history.queries import MARKS
from balance.history.question import FILTERS, SORTS, Question
from balance.store.memory_store import MemoryStore
from balance.store.state import State
from tests.accounts import MOMENT
from tests.ledgers import NOTES, OWNERS, PRICES, WHY, entries_of, lived, remembered, written
from tests.length import rounds

TABLES: tuple[Table, ...] = ("ledger", "fills", "trades", "orders")
LIVES = {seed: lived(500, seed, epochs_of=40) for seed in (1, 2, 3)}
# One whose clock is set back now and then.
LIVES[4] = lived(500, 4, epochs_of=40, steps=(1, 20, 600, 600, 4_000, -1, -300, -2_500))
# What a list is searched for a text in.
_SEARCHED = {
    table: [each.name for each in columns if each.mark.kind == "text"]
    for table, columns in COLUMNS.items()
}
_KIND = {each.name: each.mark.kind for columns in COLUMNS.values() for each in columns} | {
    each.name: each.mark.kind for each in SUBJECT
}
_AS_TEXT = ("name", "time")
Row = dict[str, Any]


@cache
def rows_of(seed: int, table: Table) -> list[Row]:
    """The rows of a list of one of ``LIVES``, newest first, as the ledger itself tells them."""
    if table == "orders":
        records = order_records(entries_of(LIVES[seed])).values()
        orders = [{**order_record_row(each), "time": each.time, "record": each} for each in records]
        return sorted(orders, key=lambda row: (row["revision"], row["line"]), reverse=True)
    found = []
    for each in newest_first(remembered(LIVES[seed])):
        fill = each.entry.booking.fill
        if table == "ledger" or (fill and (table == "fills" or fill.trade)):
            row = history_row(table, each)
            subject = {"source": each.entry.source, "kind": each.entry.booking.kind}
            subject |= {"owner": each.owner, "symbol": each.symbol, "note": each.entry.booking.note}
            found.append({**subject, **row, "time": each.entry.time})
    return found


def sort_key(row: Row, name: str) -> Any:
    value = row[name] if name != "place" else (row["revision"], row["line"])
    if name == "revision":
        return row["revision"], row["line"]
    if name == "owner":
        return "" if value is None else value or "you"
    kind = _KIND.get(name)
    if kind == "text":
        return value.casefold()
    return value if value is not None else "" if kind in _AS_TEXT else Decimal("-Infinity")


def fits(row: Row, table: Table, asked: Question) -> bool:
    owner = {None: None, "": "you"}.get(row["owner"], row["owner"])
    for name, words in asked.one_of.items():
        value = owner if name == "owner" else row[name]
        if (str(value).lower() if name == "reduce_only" else value) not in words:
            return False
    said = "\n".join(row[name] for name in _SEARCHED[table])
    return (
        asked.text.casefold() in said.casefold()
        and (asked.begin is None or row["time"] >= asked.begin)
        and (asked.end is None or row["time"] <= asked.end)
        and all(row[name] is not None and row[name] >= least for name, least in asked.least.items())
        and all(row[name] is not None and row[name] <= most for name, most in asked.most.items())
        and (asked.after is None or row["revision"] > asked.after)
        and (asked.until is None or row["revision"] <= asked.until)
        and (asked.since is None or (row["revision"], row["line"]) >= asked.since)
        and (asked.before is None or (row["revision"], row["line"]) < asked.before)
    )


def expected(rows: Sequence[Row], asked: Question) -> list[Any]:
    """What is shown of all that is asked for, found by looking at each of ``rows``."""
    name, falls = asked.order
    # ties are in the ledger's order, turned round with it
    found = [row for row in rows[::-1] if fits(row, asked.table, asked)]
    found = sorted(found, key=lambda row: sort_key(row, name))
    return [row.get("record", row["place"]) for row in (found[::-1] if falls else found)]


_VALUES: dict[str, Any] = {
    "kind": st.sampled_from(KINDS),
    "epoch": st.integers(1, 9),
    "symbol": st.sampled_from([*PRICES, "XRP/USDT"]),
    "owner": st.sampled_from(["you", *OWNERS[1:], "nobody"]),
    "source": st.sampled_from(["bot", "screen", "http", "market", "program"]),
    "side": st.sampled_from(["buy", "sell", "long", "short"]),
    "reason": st.sampled_from(["order", "stop_loss", "liquidation", "reset"]),
    "outcome": st.sampled_from(["win", "loss"]),
    "state": st.sampled_from(["NEW", "FILLED", "CANCELED", "EXPIRED"]),
    "type": st.sampled_from(["market", "limit", "stop_market"]),
    "reduce_only": st.sampled_from(["true", "false"]),
}


@st.composite
def questions(draw: st.DrawFn) -> Question:
    table = draw(st.sampled_from(TABLES))
    names = [name for name in FILTERS[table] if name in _VALUES]
    chosen = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    one_of = {
        name: tuple(draw(st.lists(_VALUES[name], min_size=1, max_size=3, unique=True)))
        for name in chosen
    }
    days = st.none() | st.integers(0, 300).map(lambda tenth: MOMENT + timedelta(hours=tenth))
    columns = [each.name for each in COLUMNS[table] if each.mark.kind == "amount"]
    amounts = st.just({}) | st.dictionaries(
        st.sampled_from(columns), st.decimals(-50, 60, places=2), max_size=len(columns)
    )
    revisions = st.none() | st.integers(0, 400)
    places = st.none() | st.none() | st.tuples(st.integers(0, 400), st.integers(0, 4))
    return Question(
        table=table,
        one_of=one_of,
        text=draw(st.sampled_from(["", "", "", "RSI", "btc", "ÜBER", "%", "'", *WHY, *NOTES])),
        begin=draw(days),
        end=draw(days),
        least=draw(amounts),
        most=draw(amounts),
        after=draw(revisions),
        until=draw(revisions),
        since=draw(places),
        before=draw(places),
        sort=draw(st.sampled_from(["", "-"])) + draw(st.sampled_from(SORTS[table])),
        offset=draw(st.sampled_from([0, 0, 1, 7, 150])),
        limit=draw(st.sampled_from([1, 10, 1_000])),
    )


@pytest.fixture(scope="module")
def index_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], History]:
    """The whole index of one of ``LIVES``, in memory or in a file; made once."""

    @cache
    def made(kind: str, seed: int) -> History:
        folder = tmp_path_factory.mktemp("index")
        in_memory = kind == "memory"
        store = remembered(LIVES[seed]) if in_memory else written(folder, LIVES[seed])
        history = History(store, None if in_memory else folder / INDEX_FILE)
        assert history.index.catch_up()
        return history

    return made


@pytest.mark.parametrize("kind", ["memory", "file"])
@example(asked=Question(table="fills", after=300, until=100), seed=1)
@settings(max_examples=rounds(100, 1_000))
@given(asked=questions(), seed=st.sampled_from([*LIVES, 4]))
def test_it_answers_what_a_look_at_every_entry_would(
    index_of: Callable[[str, int], History], kind: str, asked: Question, seed: int
) -> None:
    history, wanted = index_of(kind, seed), expected(rows_of(seed, asked.table), asked)
    assert asked.limit is not None
    found, total, is_complete = answered(history, asked)
    assert found == wanted[asked.offset : asked.offset + asked.limit]
    assert (total, is_complete) == (len(wanted), True)
    assert whole(history, asked) == wanted


@pytest.mark.parametrize("table", TABLES)
def test_a_clock_that_was_set_back_hides_nothing(
    index_of: Callable[[str, int], History], table: Table
) -> None:
    times = sorted(each.time for each in entries_of(LIVES[4]))
    assert times != [each.time for each in entries_of(LIVES[4])]
    history, rows = index_of("memory", 4), rows_of(4, table)
    for begin, end in zip(times[::16], times[60::16], strict=False):
        for ends in ({"begin": begin}, {"end": end}, {"begin": begin, "end": end}):
            asked = Question(table=table, limit=1_000, **ends)
            found, total, _ = answered(history, asked)
            assert found == expected(rows, asked)
            assert total == len(found)


def answered(history: History, asked: Question) -> tuple[list[Any], int | None, bool]:
    """The page that is asked for, as ``expected`` has it: the orders, or where entries stand."""
    if asked.table == "orders":
        orders = history.orders.page(asked)
        return list(orders.rows), orders.total, orders.progress.is_complete
    answer = history.answer(asked)
    places = [cursor(each.entry.place) for each in answer.rows]
    return places, answer.total, answer.progress.is_complete


def whole(history: History, asked: Question) -> list[Any]:
    """The whole list that is asked for, likewise."""
    if asked.table == "orders":
        return list(history.orders.all(asked))
    return [cursor(each.entry.place) for each in history.records(asked)]


@pytest.mark.parametrize("seed", sorted(LIVES))
def test_what_was_realised_and_paid_leads_to_its_fill(
    index_of: Callable[[str, int], History], seed: int
) -> None:
    expected, last = dict[Place, Place](), None
    for entry in entries_of(LIVES[seed]):
        if entry.booking.fill is not None:
            last = entry.place
        elif entry.booking.kind in ("realized_pnl", "fee"):
            assert last is not None
            assert last[0] == entry.revision
            expected[entry.place] = last
    found = index_of("memory", seed).fills_of([*expected, (1, 1), (10**9, 1)])
    assert len(expected) > 100
    assert found == expected


class Lived:
    """What the epochs of a life come to, each added up anew from its entries."""

    def __init__(self, states: Sequence[State]) -> None:
        self.entries: dict[int, list[Entry]] = {}
        for entry in entries_of(states):
            self.entries.setdefault(entry.booking.epoch, []).append(entry)

    def wallet(self, epoch: int) -> Wallet:
        first, *others = (entry.booking for entry in self.entries[epoch])
        begin = first.restated.wallet if first.restated else Wallet.opened(epoch, first.amount)
        moved = {name: getattr(begin, name) for name, _ in MOVES.values()}
        for booking in others:
            if booking.kind in MOVES:
                name, sign = MOVES[booking.kind]
                moved[name] += sign * booking.amount
        return replace(begin, **moved, balance=self.entries[epoch][-1].booking.balance)

    def trades(self, epoch: int, before: int | None = None) -> list[Decimal]:
        """The P&L of its trades, of those before revision ``before`` if that is named."""
        own = self.entries[epoch]
        continued = own[0].booking.continues
        earlier = []
        if continued is not None:
            earlier = self.trades(continued, self.entries[continued + 1][0].revision)
        fills = [each.booking.fill for each in own if before is None or each.revision < before]
        return earlier + [fill.trade.pnl for fill in fills if fill and fill.trade]

    def pnl(self, epoch: int) -> Decimal:
        wallet = self.wallet(epoch)
        return wallet.balance - wallet.capital

    def carried(self, epoch: int) -> Decimal:
        continued = self.entries[epoch][0].booking.continues
        if continued is not None:
            between = [self.pnl(each) for each in range(continued + 1, epoch)]
            return self.carried(continued) + sum(between)
        return ZERO if epoch == 1 else self.carried(epoch - 1) + self.pnl(epoch - 1)


@pytest.mark.parametrize("kind", ["memory", "file"])
@pytest.mark.parametrize("seed", sorted(LIVES))
def test_the_sums_of_the_epochs_are_those_of_their_entries(
    index_of: Callable[[str, int], History], kind: str, seed: int
) -> None:
    life = Lived(LIVES[seed])
    history = index_of(kind, seed)
    with exact():
        assert [row.epoch for row in history.epochs()] == sorted(life.entries, reverse=True)
        for row in history.epochs():
            own, later = life.entries[row.epoch], life.entries.get(row.epoch + 1)
            assert row.wallet == life.wallet(row.epoch)
            assert row.wallet.balance == row.wallet.explained
            assert row.carried == life.carried(row.epoch)
            trades = life.trades(row.epoch)
            assert row.trades.trades == len(trades)
            assert row.trades.wins == len([pnl for pnl in trades if pnl > 0])
            assert row.trades.gained - row.trades.lost == sum(trades)
            assert row.trades.best == max(trades, default=None)
            assert row.trades.worst == min(trades, default=None)
            assert (row.opened_at, row.opened_by) == (own[0].time, own[0].booking.kind)
            assert row.ended_at == (later[0].time if later else None)
            assert (row.first_revision, row.last_revision) == (own[0].revision, own[-1].revision)
            assert (row.entries, row.continues) == (len(own), own[0].booking.continues)
            assert history.epoch(row.epoch) == row
    assert any(row.continues for row in history.epochs())
    assert history.epoch(99) is None


@pytest.mark.parametrize("column", ["symbol", "owner"])
@pytest.mark.parametrize("seed", LIVES)
def test_what_can_be_filtered_by_is_what_the_rows_have(
    index_of: Callable[[str, int], History], seed: int, column: Any
) -> None:
    history = index_of("memory", seed)
    there = {row[column] for row in rows_of(seed, "ledger")} - {None}
    assert list(history.values(column)) == sorted(each or "you" for each in there)


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_marks_are_the_newest_in_a_time(index_of: Callable[[str, int], History], kind: str) -> None:
    history = index_of(kind, 1)
    marked = [each for each in entries_of(LIVES[1]) if each.booking.kind in MARKS]
    begin, end = marked[2].time, marked[-3].time
    within = [each for each in marked if begin <= each.time <= end]
    for most in (3, 1_000):
        found = history.marks(begin, end, most)
        assert [(each.place, each.booking.amount) for each in found] == [
            (each.place, each.booking.amount) for each in within[-most:]
        ]
    kinds = {each.booking.kind for each in history.marks(begin, end, 1_000)}
    assert kinds > {"deposit", "reset", "undo"}


@pytest.mark.parametrize("kind", ["memory", "file"])
def test_an_entry_tells_what_stands_around_it(
    index_of: Callable[[str, int], History], kind: str
) -> None:
    history, entries = index_of(kind, 2), entries_of(LIVES[2])
    for number in (0, 1, 2, 33, len(entries) - 2, len(entries) - 1):
        found = history.entry(entries[number].place)
        assert found is not None
        assert found.record.entry == entries[number]
        assert found.before == (entries[number - 1].place if number else None)
        assert found.after == (entries[number + 1].place if number + 1 < len(entries) else None)
        assert found.offset == len(entries) - 1 - number
    assert history.entry((entries[-1].revision, 99)) is None


@pytest.mark.parametrize("has_trigrams", [True, False])
def test_a_text_is_found_whatever_letters_it_has(
    has_trigrams: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not has_trigrams:
        monkeypatch.setattr(
            "balance.history.trigrams._TABLE", "CREATE VIRTUAL TABLE texts USING missing(said)"
        )
    notes = [
        *("100% sure", "a_b*c", 'it\'s "quoted"', "AND OR NOT NEAR(", "be\0hind zero", "tab\there"),
        *(
            "Ma\u00dfe \u1e9etra\u00dfe",
            "\u0130stanbul",
            "e\u0301te\u0301",
            "\U0001f680\U0001f680 moon",
        ),
        "".join(chr(33 + each) for each in range(200)),
    ]
    store = MemoryStore()
    for note in (*notes, *["plain"] * 99):
        store.commit(partial(operations.deposit, amount=1, note=note), source="http")
    history = History(store)
    for note in notes:
        for text in (note, note[1:], note[:4], note[-3:], note[2:4]):
            answer = history.answer(Question(table="ledger", text=text))
            found = {row.entry.booking.note for row in answer.rows}
            known = {each for each in (*notes, "plain") if text.casefold() in each.casefold()}
            assert found == known
    assert history.answer(Question(table="ledger", text="lain", limit=1)).total == 99


def test_fees_and_results_tell_of_their_fill(index_of: Callable[[str, int], History]) -> None:
    rows = index_of("file", 1).answer(Question(table="ledger", sort="revision", limit=1_000)).rows
    fill = None
    for row in rows:
        booking = row.entry.booking
        fill = booking.fill or fill
        if booking.kind in ("fee", "realized_pnl"):
            assert fill is not None
            assert (row.symbol, row.owner) == (fill.symbol, fill.owner)
        if booking.kind in ("deposit", "reset", "start"):
            assert (row.symbol, row.owner) == (None, None)
