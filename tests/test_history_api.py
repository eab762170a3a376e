"""The history over HTTP: its lists, its epochs, single entries, and whole lists as files."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance.api.downloads import FORMATS, download
from balance.api.history import FILE_COLUMNS
from balance.api.routes import description
from balance.api.stream import Stream
from balance.core.errors import HistoryUnavailable
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.epochs import Epoch
from balance.history.filling import read_epochs
from balance.history.lists import Table
from balance.history.question import FILTERS, MOST_ROWS, SORTS, USUAL_ROWS, Listed
from balance.history.rows import fill_row
from balance.performance.epochs import EPOCH_SORTS
from balance.store.file_store import FileStore
from balance.store.memory_store import MemoryStore
from tests.answers import exactly, problem
from tests.boards import board
from tests.described import check
from tests.ledgers import lived, remembered
from tests.markets import BTC, ETH
from tests.serving import Server

TABLES: tuple[Table, ...] = ("ledger", "fills", "trades", "orders")
LISTS: tuple[Listed, ...] = (*TABLES, "epochs")


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account that was traded on, reset, and brought back."""
    desk = Desk(MemoryStore(), board())
    for note in ("=SUM(A1)", "-5 for rent", "plain", 'Über, "quoted"'):
        desk.deposit("12.5", note=note, source="http")
    desk.place_order(
        symbol=BTC, side="buy", quantity="0.01", leverage=10, take_profit=50_000, stop_loss=30_000
    )
    desk.place_order(symbol=ETH, side="buy", type="limit", quantity="0.5", price=1_900)
    desk.close_position(BTC)
    desk.place_order(symbol=ETH, side="sell", quantity="0.5")
    desk.adjust("-0.00000001")
    desk.reset(500)
    desk.undo_reset()
    return desk


@pytest.fixture(scope="module")
def client(desk: Desk) -> FlaskClient:
    """Asks the product about it."""
    server = create_app(desk, Stream(1)).server
    found: FlaskClient = server.test_client()
    return found


def told(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    check(answer, "GET", path)
    assert answer.status_code == 200, answer.text
    return exactly(answer)


def refused(client: FlaskClient, path: str, status: int = 422) -> str:
    answer = client.get(path)
    check(answer, "GET", path)
    detail: str = problem(answer, status)["detail"]
    return detail


def test_the_ledger_tells_what_the_older_route_tells_and_more(client: FlaskClient) -> None:
    listed = told(client, "/history/ledger?limit=1000")
    entries = told(client, "/virtual_balance/history?limit=1000")["entries"]
    assert [{name: row[name] for name in entries[0]} for row in listed["rows"]] == entries
    assert (listed["total"], listed["offset"]) == (len(entries), 0)
    assert listed["index"] == {"is_complete": True, "percent": 100}
    fee = next(row for row in listed["rows"] if row["kind"] == "fee")
    assert (fee["symbol"], fee["owner"], fee["display"]["owner"]) == (ETH, "", "You")
    opening = listed["rows"][0]
    assert opening["display"] == {
        "kind": "Reset undone",
        "amount": opening["display"]["balance"],
        "balance": opening["display"]["balance"],
        "source": "Program",
        "owner": "\N{EN DASH}",
        "tone": "flat",
    }


def test_a_page_has_what_is_asked_for(client: FlaskClient) -> None:
    whole = told(client, "/history/ledger?limit=1000")["rows"]
    page = told(client, "/history/ledger?offset=3&limit=2")
    assert (page["rows"], page["offset"], page["total"]) == (whole[3:5], 3, len(whole))
    assert told(client, "/history/ledger?offset=999")["rows"] == []
    deposits = told(client, "/history/ledger?kind=deposit,withdrawal&sort=note&text=E")
    assert [row["note"] for row in deposits["rows"]] == ["-5 for rent", 'Über, "quoted"']
    cheap = told(client, "/history/ledger?least=-1&most=-0.00000001&epoch=1")
    assert {row["kind"] for row in cheap["rows"]} == {"fee", "realized_pnl", "adjustment"}
    assert told(client, "/history/ledger?to=2020-01-01T00:00:00Z")["total"] == 0
    assert told(client, "/history/ledger?from=2020-01-01T00:00:00Z&after=3&until=5")["total"] == 2


def test_fills_and_trades_are_those_of_the_other_routes_with_their_place(
    client: FlaskClient, desk: Desk
) -> None:
    fills = told(client, "/history/fills")
    older = told(client, "/fills")["fills"]
    assert [{name: row[name] for name in older[0]} for row in fills["rows"]] == older
    entries = [entry for entry in desk.store.entries() if entry.booking.fill]
    assert fills["total"] == len(entries)
    assert fills["rows"][0]["display"] == fill_row(entries[0], desk.market)["display"]
    trades = told(client, "/history/trades?symbol=BTC/USDT&side=long&outcome=loss&owner=you")
    (trade,) = trades["rows"]
    assert (trade["outcome"], trade["display"]["outcome"]) == ("loss", "Loss")
    (entry,) = [entry for entry in entries if str(entry.revision) == trade["place"]]
    assert entry.booking.fill is not None
    assert entry.booking.fill.trade is not None
    assert trade["pnl"] == entry.booking.fill.trade.pnl < 0
    assert told(client, "/history/trades?outcome=win&symbol=BTC/USDT")["total"] == 0


def test_the_epochs_tell_their_sums(client: FlaskClient, desk: Desk) -> None:
    listed = told(client, "/history/epochs")
    newest, second, first = listed["rows"]
    assert (listed["total"], listed["offset"]) == (3, 0)
    snapshot = desk.snapshot()
    assert [each["epoch"] for each in (newest, second, first)] == [3, 2, 1]
    assert [each["opened_by"] for each in (newest, second, first)] == ["undo", "reset", "start"]
    assert (newest["continues"], newest["is_current"], newest["ended_at"]) == (1, True, None)
    for name in ("balance", "realized_pnl", "fees_paid", "deposits", "starting_balance"):
        assert newest[name] == snapshot[name]
    assert first["trades"] == 2
    assert newest["trades"] == 1
    assert (second["pnl"], second["display"]["pnl"], second["win_rate"]) == (0, "$0.00", None)
    # nobody has followed its equity
    assert first["return_percent"] is first["max_drawdown_percent"] is None
    assert first["display"]["return_percent"] == "\N{EN DASH}"
    assert [each["is_current"] for each in (newest, second, first)] == [True, False, False]
    assert newest["seconds"] is not None


def test_epochs_are_filtered_sorted_and_paged_as_the_other_lists_are(client: FlaskClient) -> None:
    def epochs(query: str) -> list[int]:
        return [each["epoch"] for each in told(client, f"/history/epochs?{query}")["rows"]]

    first = told(client, "/history/epochs?epoch=1")["rows"][0]
    assert epochs("limit=1") == [3]
    assert epochs("limit=1&offset=1&sort=epoch") == [2]
    assert epochs("epoch=3,1,9") == [3, 1]
    assert epochs("sort=balance&limit=1") == [2]
    assert epochs(f"from={first['opened_at']}&to={first['opened_at']}&sort=epoch")[0] == 1
    assert epochs(f"least={first['pnl']}&most={first['pnl']}") == [1]
    assert epochs(f"after={first['first_revision']}") == [3, 2]
    assert epochs(f"until={first['first_revision']}") == [1]
    assert told(client, "/history/epochs?least=1000000")["total"] == 0


def test_however_many_epochs_there_are_the_oldest_are_listed_too() -> None:
    desk = Desk(remembered(lived(2_500, epochs_of=2)), board())
    client = create_app(desk, Stream(1)).server.test_client()
    newest = told(client, "/history/epochs?limit=1")
    assert newest["total"] == newest["rows"][0]["epoch"] == desk.snapshot().epoch > MOST_ROWS
    oldest = told(client, f"/history/epochs?offset={newest['total'] - 2}")["rows"]
    assert [each["epoch"] for each in oldest] == [2, 1]
    assert told(client, "/history/epochs?epoch=2")["rows"] == oldest[:1]


def test_no_other_epoch_is_told_as_the_running_one_while_the_index_is_behind(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = create_app(desk, Stream(1)).server.test_client()
    whole = told(client, "/history/epochs")["rows"]
    assert whole[0]["is_current"]
    read = read_epochs

    def behind(connection: Any, *_: Any, **__: Any) -> list[Epoch]:
        return [replace(each, ended_at=None) for each in read(connection)[2:]]

    monkeypatch.setattr("balance.history.history.read_epochs", behind)
    (first,) = told(client, "/history/epochs")["rows"]
    assert (first["is_current"], first["ended_at"], first["seconds"]) == (False, None, None)


@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("is_open", [False, True])
def test_a_reset_that_is_undone_loses_no_trade(count: int, is_open: bool) -> None:
    desk = Desk(MemoryStore(), board())
    client = create_app(desk, Stream(1)).server.test_client()
    for _ in range(count):
        desk.place_order(symbol=BTC, side="buy", quantity="0.01")
        desk.close_position(BTC)
    if is_open:
        desk.place_order(symbol=ETH, side="buy", quantity="0.5")
    desk.reset(500)
    desk.undo_reset()
    epochs = told(client, "/history/epochs")["rows"]
    assert [each["trades"] for each in epochs] == [count, 0, count + is_open]


def test_an_entry_is_told_whole(client: FlaskClient) -> None:
    rows = told(client, "/history/ledger?limit=1000")["rows"]
    for offset, row in enumerate(rows):
        story = told(client, f"/history/entries/{row['place']}")
        whole = story["entry"]
        assert {name: whole[name] for name in row} == row
        assert story["offset"] == offset
        assert story["before"] == (rows[offset + 1]["place"] if offset + 1 < len(rows) else None)
        assert story["after"] == (rows[offset - 1]["place"] if offset else None)
    opened = next(row for row in rows[::-1] if row["kind"] == "fill")
    whole = told(client, f"/history/entries/{opened['place']}")["entry"]
    assert whole["effect"]["position"]["symbol"] == BTC
    assert whole["effect"]["position"]["exposure_percent"] is None
    assert [each["type"] for each in whole["effect"]["opened"]] == [
        "take_profit_market",
        "stop_market",
    ]
    assert (whole["fill"]["symbol"], whole["trade"]) == (BTC, None)
    closed = next(row for row in rows[::-1] if "Sold 0.01" in row["note"] and row["kind"] == "fill")
    whole = told(client, f"/history/entries/{closed['place']}")["entry"]
    assert whole["trade"]["outcome"] == "loss"
    assert (whole["effect"]["position"], len(whole["effect"]["closed"])) == (None, 2)


def test_a_file_of_the_epochs_has_exact_figures(client: FlaskClient) -> None:
    listed = told(client, "/history/epochs?sort=pnl")["rows"]
    text = client.get("/history/epochs?sort=pnl&format=csv&limit=1").text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == FILE_COLUMNS["epochs"]
    assert [row["epoch"] for row in rows] == [str(each["epoch"]) for each in listed]
    for row, wanted in zip(rows, listed, strict=True):
        assert Decimal(row["pnl"]) == wanted["pnl"]
        assert Decimal(row["fees_paid"]) == wanted["fees_paid"]
        assert row["win_rate"] == "" or Decimal(row["win_rate"]) == wanted["win_rate"]
    answer = client.get("/history/epochs?epoch=2&format=json")
    assert answer.headers["Content-Disposition"].endswith("virtual-balance-epochs.json")
    (row,) = json.loads(answer.text, parse_float=Decimal)["rows"]
    (wanted,) = (each for each in listed if each["epoch"] == 2)
    assert row == {name: wanted[name] for name in FILE_COLUMNS["epochs"]}


@pytest.mark.parametrize(
    ("again", "together"),
    [
        ("ledger?kind=fee&kind=deposit", "ledger?kind=fee,deposit"),
        ("ledger?kind=fee&kind=deposit,reset&kind=", "ledger?kind=fee,deposit,reset"),
        ("ledger?epoch=1&epoch=3&limit=5", "ledger?epoch=1,3&limit=5"),
        ("fills?reason=order&reason=reset&side=buy&side=sell", "fills?reason=order,reset"),
        ("trades?symbol=BTC/USDT&symbol=ETH/USDT", "trades?symbol=BTC/USDT,ETH/USDT"),
    ],
)
def test_a_filter_that_is_named_again_has_more_values(
    client: FlaskClient, again: str, together: str
) -> None:
    found = told(client, f"/history/{again}")
    assert found == told(client, f"/history/{together}")
    assert found["total"] > 1


@pytest.mark.parametrize("table", TABLES)
def test_a_file_has_all_that_is_filtered_in_its_order(client: FlaskClient, table: Table) -> None:
    listed = told(client, f"/history/{table}?limit=1000&symbol=BTC/USDT&sort=revision")["rows"]
    path = f"/history/{table}?symbol=BTC/USDT&sort=revision&limit=1&offset=1"
    answer = client.get(f"{path}&format=csv")
    assert answer.headers["Content-Type"].split(";")[0] == "text/csv"
    name = f"attachment; filename=virtual-balance-{table}.csv"
    assert answer.headers["Content-Disposition"] == name
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert tuple(rows[0]) == FILE_COLUMNS[table]
    assert len(rows) == len(listed) > 0
    for row, wanted in zip(rows, listed, strict=True):
        for column, cell in row.items():
            value = wanted[column]
            if isinstance(value, Decimal):
                assert Decimal(cell) == value
            elif column == "owner":
                assert cell == {None: "", "": "you"}.get(value, value)
            else:
                assert cell == ("" if value is None else str(value))
    as_json = client.get(f"{path}&format=json")
    assert as_json.headers["Content-Type"].split(";")[0] == "application/json"
    wanted = [{name: row[name] for name in FILE_COLUMNS[table]} for row in listed]
    assert json.loads(as_json.text, parse_float=Decimal) == {"status": "success", "rows": wanted}


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_nobody_waits_for_is_closed(form: str) -> None:
    closed = []

    def rows() -> Iterator[Row]:
        try:
            while True:
                yield dict.fromkeys(FILE_COLUMNS["ledger"])
        finally:
            closed.append(True)

    response = download("ledger", form, FILE_COLUMNS["ledger"], rows())
    assert next(iter(response.response))
    response.close()
    assert closed


def test_a_csv_file_tells_a_person_from_nobody(client: FlaskClient) -> None:
    text = client.get("/history/ledger?kind=fee,deposit&format=csv").text
    owners = {row["kind"]: row["owner"] for row in csv.DictReader(io.StringIO(text))}
    assert owners == {"fee": "you", "deposit": ""}
    fills = list(csv.DictReader(io.StringIO(client.get("/history/fills?format=csv").text)))
    assert {fill["owner"] for fill in fills} == {"you"}


def test_fills_tell_the_note_that_they_are_searched_by(client: FlaskClient) -> None:
    for row in told(client, "/history/fills?text=sold")["rows"]:
        assert "sold" in row["note"].casefold()
    text = client.get("/history/fills?text=sold&format=csv").text
    assert all("Sold" in row["note"] for row in csv.DictReader(io.StringIO(text)))
    (entry,) = told(client, "/history/ledger?kind=fill&text=sold&limit=1")["rows"]
    whole = told(client, f"/history/entries/{entry['place']}")["entry"]
    assert whole["fill"]["note"] == entry["note"]


def test_an_empty_file_is_whole_too(client: FlaskClient) -> None:
    path = "/history/trades?symbol=XRP/USDT&format="
    assert client.get(f"{path}csv").text.splitlines() == [",".join(FILE_COLUMNS["trades"])]
    assert client.get(f"{path}json").get_json() == {"status": "success", "rows": []}


def test_no_text_of_a_csv_file_is_a_formula(client: FlaskClient) -> None:
    text = client.get("/history/ledger?kind=deposit,adjustment&sort=revision&format=csv").text
    notes = [row["note"] for row in csv.DictReader(io.StringIO(text))]
    assert notes == ["'=SUM(A1)", "'-5 for rent", "plain", 'Über, "quoted"', ""]
    amounts = [row["amount"] for row in csv.DictReader(io.StringIO(text))]
    assert amounts[-1] == "-0.00000001"


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("ledger?sort=colour", "sort must be one of revision"),
        ("ledger?side=buy", "ledger has no parameter 'side'"),
        ("fills?outcome=win", "has no parameter 'outcome'"),
        ("ledger?kind=gift", "kind must be of start"),
        ("trades?outcome=draw", "outcome must be of win, loss"),
        ("ledger?limit=0", "limit must be from 1 to 1,000"),
        ("ledger?limit=1001", "limit must be at most 1,000"),
        ("ledger?offset=-1", "offset must be a whole number"),
        ("ledger?epoch=two", "epoch must be a whole number"),
        ("ledger?from=yesterday", "from must be a time such as"),
        ("ledger?least=many", "least must be a number"),
        ("ledger?format=xml", "format must be csv or json"),
        ("ledger?limit=5&limit=6", "limit may be named only once"),
        ("fills?text=a&text=b", "text may be named only once"),
        ("trades?format=csv&format=json", "format may be named only once"),
        ("ledger?until=5&until=6", "until may be named only once"),
        ("epochs?limit=0", "limit must be from 1"),
        ("epochs?sort=place", "sort must be one of epoch"),
        ("epochs?nonsense=1", "epochs has no parameter 'nonsense'. There are: epoch, from"),
        ("epochs?limit=1&limit=2", "limit may be named only once"),
        ("entries/abc", "An entry is named by its revision, such as 42, or 42.3"),
    ],
)
def test_what_makes_no_sense_is_refused_with_words(
    client: FlaskClient, query: str, said: str
) -> None:
    assert said in refused(client, f"/history/{query}")


def test_an_entry_that_is_not_there_is_not_found(client: FlaskClient) -> None:
    assert "There is no entry 9999.2" in refused(client, "/history/entries/9999.2", 404)


def test_a_file_of_json_is_as_described() -> None:
    rows = ("LedgerRow", "FillRow", "TradeRow", "OrderRecordRow", "EpochRow")
    for table, row in zip(LISTS, rows, strict=True):
        schema = description()["components"]["schemas"][row]
        assert set(schema["required"]) <= set(FILE_COLUMNS[table]) <= set(schema["properties"])


def test_it_says_what_can_be_asked(client: FlaskClient) -> None:
    for table in LISTS:
        described = description()["paths"][f"/history/{table}"]["get"]["parameters"]
        schemas = {each["name"]: each["schema"] for each in described}
        assert set(schemas) == {*FILTERS[table], "sort", "offset", "limit", "format"}
        sorts = EPOCH_SORTS if table == "epochs" else SORTS[table]
        assert {each.removeprefix("-") for each in schemas["sort"]["enum"]} == set(sorts)
        assert (schemas["limit"]["maximum"], schemas["limit"]["default"]) == (MOST_ROWS, USUAL_ROWS)
        for name in sorts:
            told(client, f"/history/{table}?sort={name}")


def test_what_can_not_be_searched_is_a_problem_and_the_newest_are_still_told(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = create_app(Desk(desk.store, board()), Stream(1)).server.test_client()

    def fail(*_: object) -> None:
        raise HistoryUnavailable("the disk is full: make room on it")

    monkeypatch.setattr("balance.history.index.Index.catch_up", fail)
    assert "make room" in refused(client, "/history/ledger?kind=fee", 503)
    assert "make room" in refused(client, "/history/fills", 503)
    answer = told(client, "/history/ledger?limit=2")
    assert (len(answer["rows"]), answer["total"]) == (2, None)
    assert answer["index"] == {"is_complete": False, "percent": 0}


@pytest.fixture
def two(start_server: Any) -> tuple[Server, Server]:
    """Two servers on one folder."""
    return start_server(), start_server()


def test_two_servers_on_one_folder_tell_the_same_history(two: tuple[Server, Server]) -> None:
    first, second = two
    for number in range(1, 13):
        server = two[number % 2]
        assert server.post({"deposit": number}).ok
        for each in two:
            page = each.get("/history/ledger?kind=deposit&limit=1").json()
            assert (page["total"], page["rows"][0]["amount"]) == (number, number)
    whole = [each.get("/history/ledger?sort=revision&limit=1000").json()["rows"] for each in two]
    assert whole[0] == whole[1]
    assert [row["revision"] for row in whole[0]] == list(range(1, 14))
    assert first.stop() == second.stop() == 0
    assert [entry.revision for entry in FileStore(first.folder).entries()] == list(range(13, 0, -1))
