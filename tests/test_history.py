"""The ledger over HTTP: page by page, filtered, and as a file for a spreadsheet."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
import requests

from balance import open_account
from balance.api.history import ENTRY_COLUMNS
from balance.desk.desk import Desk
from balance.store.codec import encode_state
from balance.store.memory_store import MemoryStore
from tests.answers import exactly
from tests.serving import Server

HISTORY = "/virtual_balance/history"
CSV = "/virtual_balance/history?format=csv"
MANY = 2_300


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Three epochs: twelve entries, then three of which a reset, then the start of the third."""
    folder = tmp_path_factory.mktemp("history") / "account"
    account = open_account(folder)
    for step in range(1, 12):
        (account.deposit if step % 3 else account.adjust)(step, note=f"step {step}")
    account.reset(500)
    account.withdraw("0.00000001")
    account.adjust(-5, note='with "quotes", a comma and = signs')
    account.reset()
    with Server(folder) as running:
        yield running


def read(server: Server, query: str = "") -> Any:
    return exactly(server.get(HISTORY + query))


def rows(answer: requests.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode())))


def test_the_newest_entry_comes_first_and_each_tells_the_balance_after_it(server: Server) -> None:
    told = read(server)
    entries = told["entries"]
    assert told["status"] == "success"
    assert told["next"] is None
    assert [entry["revision"] for entry in entries] == list(range(16, 0, -1))
    assert entries[-1]["kind"] == "start"
    for entry, earlier in itertools.pairwise(entries):
        if entry["kind"] != "reset":
            assert entry["balance"] == earlier["balance"] + entry["amount"]
    assert set(entries[0]) == set(ENTRY_COLUMNS)


@pytest.mark.parametrize("limit", [1, 3, 5, 15, 16, 1_000])
def test_the_pages_together_are_the_whole_ledger(server: Server, limit: int) -> None:
    pages, found, before = 0, [], ""
    while True:
        page = read(server, f"?limit={limit}{before}")
        assert 1 <= len(page["entries"]) <= limit
        found += page["entries"]
        pages += 1
        if page["next"] is None:
            break
        before = f"&before={page['next']}"
    assert found == read(server)["entries"]
    assert pages == -(-16 // limit)


def test_a_page_stays_the_same_while_newer_entries_come(server: Server) -> None:
    page = read(server, "?limit=4&before=10")
    assert [entry["revision"] for entry in page["entries"]] == [9, 8, 7, 6]
    assert page["next"] == "6"
    assert read(server, "?before=1")["entries"] == []
    assert read(server, "?before=999999")["entries"] == read(server)["entries"]


def test_a_kind_an_epoch_or_both_can_be_asked_for(server: Server) -> None:
    kinds = [entry["kind"] for entry in read(server, "?kind=reset")["entries"]]
    assert kinds == ["reset", "reset"]
    assert [e["revision"] for e in read(server, "?epoch=2")["entries"]] == [15, 14, 13]
    both = read(server, "?epoch=1&kind=adjustment&limit=2")
    assert [entry["note"] for entry in both["entries"]] == ["step 9", "step 6"]
    assert both["next"] is not None
    rest = read(server, f"?epoch=1&kind=adjustment&before={both['next']}")
    assert [entry["note"] for entry in rest["entries"]] == ["step 3"]
    assert rest["next"] is None
    assert read(server, "?kind=liquidation") == {"status": "success", "entries": [], "next": None}
    assert read(server, "?epoch=999999999")["entries"] == []


def test_a_csv_comes_to_whom_it_is_told_or_who_accepts_nothing_better(server: Server) -> None:
    for answer in (server.get(CSV), server.get(HISTORY, headers={"Accept": "text/csv"})):
        assert answer.headers["Content-Type"].split(";")[0] == "text/csv"
        assert answer.headers["Content-Disposition"] == (
            "attachment; filename=virtual-balance-ledger.csv"
        )
        assert len(rows(answer)) == 16
    for accept in ("*/*", "application/json", "text/html,*/*;q=0.8", "text/csv;q=0.5,*/*", ""):
        answer = server.get(HISTORY, headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/json", accept
    asked = server.get(f"{HISTORY}?format=json", headers={"Accept": "text/csv"})
    assert asked.headers["Content-Type"] == "application/json"


def test_the_csv_says_what_the_json_says(server: Server) -> None:
    entries = read(server)["entries"]
    answer = server.get(CSV)
    assert answer.content.splitlines()[0].decode() == ",".join(ENTRY_COLUMNS)
    for row, entry in zip(rows(answer), entries, strict=True):
        for name in ("amount", "balance"):
            assert Decimal(row.pop(name)) == entry.pop(name)
        assert row == {name: str(value) for name, value in entry.items()}
    assert "-0.00000001" in answer.text


def test_the_csv_can_be_filtered_and_limited_as_the_pages_can(server: Server) -> None:
    assert [row["revision"] for row in rows(server.get(f"{CSV}&epoch=2"))] == ["15", "14", "13"]
    assert len(rows(server.get(f"{CSV}&kind=deposit"))) == 8
    assert [row["revision"] for row in rows(server.get(f"{CSV}&limit=2&before=9"))] == ["8", "7"]
    nothing = server.get(f"{CSV}&kind=liquidation")
    assert nothing.content.decode() == ",".join(ENTRY_COLUMNS) + "\r\n"


def test_no_text_of_the_csv_is_a_formula(start_server: Any) -> None:
    server = start_server()
    for note in ("=cmd()", "@SUM(A1)", "-5 for rent", "plain"):
        server.post({"adjust": -1, "note": note})
    found = rows(server.get(f"{CSV}&kind=adjustment"))
    assert [row["note"] for row in found] == ["plain", "'-5 for rent", "'@SUM(A1)", "'=cmd()"]
    assert {row["amount"] for row in found} == {"-1.00"}


class TestALongLedger:
    """More entries than a page may hold."""

    @pytest.fixture(scope="class")
    def server(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
        folder = tmp_path_factory.mktemp("long") / "account"
        folder.mkdir()
        # in memory, as to sync each of them to the disk takes most of the time
        store = MemoryStore()
        account = Desk(store)
        for _ in range(MANY - 2):
            account.deposit("0.01")
        (folder / "ledger.jsonl").write_bytes(b"".join(line.text for line in store.lines()))
        (folder / "virtual_balance.json").write_bytes(encode_state(store.read()))
        open_account(folder).deposit("0.01")
        with Server(folder) as running:
            yield running

    def test_is_whole_in_the_csv(self, server: Server) -> None:
        found = [int(row["revision"]) for row in rows(server.get(CSV))]
        assert found == list(range(MANY, 0, -1))

    def test_is_whole_in_its_pages(self, server: Server) -> None:
        found, query = [], "?limit=1000"
        while query:
            page = read(server, query)
            found += [entry["revision"] for entry in page["entries"]]
            query = page["next"] and f"?limit=1000&before={page['next']}"
        assert found == list(range(MANY, 0, -1))

    def test_breaks_off_in_the_csv_where_it_is_damaged(self, server: Server) -> None:
        file = server.folder / "ledger.jsonl"
        whole = file.read_bytes()
        file.write_bytes(b"nonsense\n" + whole)
        try:
            # nobody may take half a ledger for the whole of it
            with pytest.raises(requests.exceptions.ChunkedEncodingError):
                server.get(CSV)
        finally:
            file.write_bytes(whole)
