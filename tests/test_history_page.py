"""What History shows, in Python: its addresses, fields, chips and columns, and the rows that a page
is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import pytest
from flask.testing import FlaskClient

from app import create_app
from balance.api.history import history_page
from balance.api.stream import Stream
from balance.core.errors import StoreBusy
from balance.core.order import Reason
from balance.core.trade import OUTCOMES
from balance.core.wallet import KINDS
from balance.desk.desk import Desk
from balance.history.question import FILTERS, SORTS, Listed, parse_question
from balance.history.rows import SOURCE_LABELS
from balance.performance.epochs import EPOCH_SORTS
from balance.server.assembly import services_alone
from callbacks import history as callbacks
from layouts.history import HISTORY
from layouts.history_columns import COLUMNS, definitions, exact_moment, grid_row, short_moment
from layouts.history_filters import chips, fields_of, filter_bar, options
from layouts.history_view import LISTS, View, filter_names
from layouts.live import everything
from layouts.tab import Place
from tests.boards import board
from tests.ledgers import lived, remembered
from tests.pages import UPDATE, asked

TABLES: tuple[Listed, ...] = tuple(LISTS)


@pytest.fixture(scope="module")
def desk() -> Desk:
    """An account that was traded on for a while, with some epochs."""
    return Desk(remembered(lived(500, 3, epochs_of=80)), board())


@pytest.fixture(scope="module")
def client(desk: Desk) -> FlaskClient:
    """Asks the product about it, as a page does."""
    found: FlaskClient = create_app(desk, Stream(1)).server.test_client()
    return found


def wanted(table: str = "ledger", **more: Any) -> dict[str, Any]:
    """A list as the page wants it."""
    return {"table": table, "filters": {}, "sort": "", "until": None, "number": 7, **more}


def answered(client: FlaskClient, first: int = 0, **more: Any) -> tuple[Any, Any]:
    """The block of rows from ``first`` on of the list with ``more``, and what is said of it."""
    known = client.get("/_dash-dependencies").json
    assert sum("history-grid.getRowsResponse" in each["output"] for each in known) == 1
    request = {"startRow": first, "endRow": first + 100}
    body = asked(client.get, "history-grid", history_grid=request, history_list=wanted(**more))
    whole = client.post(UPDATE, json=body).json
    found = whole.get("sideUpdate", {}).get("history-found", {}).get("data")
    return whole["response"]["history-grid"]["getRowsResponse"], found


def drawn(client: FlaskClient, woken: str, **values: Any) -> Any:
    """What the callback that ``woken`` wakes answers."""
    return client.post(UPDATE, json=asked(client.get, woken, **values)).json["response"]


@pytest.mark.parametrize("table", TABLES)
def test_the_grid_is_given_the_rows_of_the_route_with_a_text_for_each_column(
    client: FlaskClient, table: Listed
) -> None:
    rows = client.get(f"/history/{table}").json
    block, found = answered(client, table=table)
    assert block["rowCount"] == found["total"] == rows["total"]
    assert (found["number"], found["problem"], found["indexing"]) == (7, "", "")
    for given, row in zip(block["rowData"], rows["rows"], strict=True):
        assert given["id"] == str(row["epoch"] if table == "epochs" else row["place"])
        assert list(given["texts"]) == [each.id for each in COLUMNS[table]]
        assert all(isinstance(each, str) for each in given["texts"].values())
        for column in COLUMNS[table]:
            if column.text is None and column.name in row["display"]:
                assert given["texts"][column.id] == row["display"][column.name]


def test_a_block_is_of_the_list_that_is_wanted_and_of_its_revision(client: FlaskClient) -> None:
    filters = {"kind": "fee", "until": "900"}
    rows = client.get("/history/ledger?kind=fee&until=300&sort=amount&offset=10&limit=100").json
    block, found = answered(client, 10, filters=filters, sort="amount", until=300)
    assert [each["id"] for each in block["rowData"]] == [each["place"] for each in rows["rows"]]
    # Only the first block says what is known of the list.
    assert found is None


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"sort": "colour"}, "sort must be one of"),
        ({"filters": {"from": "yesterday"}}, "from must be a time"),
    ],
)
def test_a_list_that_makes_no_sense_says_so(
    client: FlaskClient, more: Mapping[str, Any], problem: str
) -> None:
    block, found = answered(client, **more)
    assert block == {"rowData": [], "rowCount": None}
    assert found["problem"].startswith(problem)
    assert found["is_refused"]


@pytest.mark.parametrize(
    ("fault", "problem", "is_refused"),
    [
        (StoreBusy(5), str(StoreBusy(5)), False),
        (RuntimeError("/home/me"), callbacks._FAILED, True),
    ],
)
def test_the_grid_is_answered_whatever_happens(
    client: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
    fault: Exception,
    problem: str,
    is_refused: bool,
) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(callbacks, "history_page", fail)
    block, found = answered(client)
    assert block == {"rowData": [], "rowCount": None}
    assert (found["problem"], found["is_refused"]) == (problem, is_refused)


def test_what_came_since_is_counted(client: FlaskClient, desk: Desk) -> None:
    before = desk.snapshot().revision
    for amount in (1, 2):
        desk.deposit(amount)
    since = {**wanted(until=before), "at": 1}
    news = drawn(client, "history-since", history_since=since)["history-newer-count"]["data"]
    assert (news["count"], news["text"]) == (2, "2 new entries")
    assert (news["number"], news["until"], news["indexing"]) == (7, before, "")
    since["filters"] = {"kind": "fee"}
    news = drawn(client, "history-since", history_since=since)["history-newer-count"]["data"]
    assert news["count"] == 0


def test_the_view_says_which_table_it_is_and_what_is_filtered(client: FlaskClient) -> None:
    view = {"table": "trades", "filters": {"symbol": "BTC/USDT", "outcome": "win"}, "sort": "-pnl"}
    shown = drawn(client, "history-view", history_view=view)
    links = shown["history-tables"]["children"]
    (active,) = (each["props"] for each in links if "aria-current" in each["props"])
    assert active["href"] == "/history?table=trades&outcome=win&symbol=BTC/USDT&sort=-pnl"
    assert links[0]["props"]["href"] == "/history?symbol=BTC/USDT"
    first, second, clear = (each["props"] for each in shown["history-chips"]["children"])
    assert first["children"] == "Outcome: Wins"
    assert second["aria-label"] == "Remove the filter Symbol: BTC/USDT"
    assert second["data-go"] == "/history?table=trades&outcome=win&sort=-pnl"
    assert clear["data-go"] == "/history?table=trades&sort=-pnl"
    assert "Nothing fits these filters" in str(shown["history-empty"])
    shown = drawn(client, "history-view", history_view={"table": "trades"})
    assert "No closed trades yet" in str(shown["history-empty"])


def test_owners_and_symbols_are_those_that_there_are_or_were(desk: Desk) -> None:
    choices = callbacks._choices(desk, services_alone(desk, Stream(1)))
    assert choices["owner"]["you"] == "You"
    assert set(desk.ledger.values("owner")) <= set(choices["owner"])
    assert set(desk.ledger.values("symbol")) <= set(choices["symbol"])
    assert {"value": "gone-1", "label": "gone-1"} in options("owner", choices, ["gone-1"])


@pytest.mark.parametrize("table", TABLES)
def test_each_list_has_the_filters_of_its_route(table: Listed) -> None:
    assert sorted(filter_names(table)) == sorted(FILTERS[table])
    shown = {name for each in fields_of(table) for name in each.filters}
    assert shown <= set(FILTERS[table])
    assert all(each.label for each in fields_of(table))


def test_offers_every_kind_source_and_reason_there_is_in_words() -> None:
    def labels(name: str) -> dict[str, str]:
        return {each["value"]: each["label"] for each in options(name, {})}

    assert set(labels("kind")) == set(KINDS)
    assert set(labels("reason")) == set(get_args(Reason))
    assert set(labels("outcome")) == set(OUTCOMES)
    assert labels("source") == SOURCE_LABELS
    assert labels("side") == {"buy": "Buy", "sell": "Sell", "long": "Long", "short": "Short"}


def test_the_fields_of_a_list_are_in_its_order() -> None:
    names = [each.name for each in fields_of("fills")]
    assert names == ["symbol", "side", "reason", "realized_pnl", "time", "owner", "epoch"]
    bounds = fields_of("fills")[3]
    assert (bounds.label, bounds.filters) == ("Realised P&L", ("least", "most"))


def test_the_fields_show_what_is_set() -> None:
    filters = {"kind": "fee,fill", "least": "5", "from": "2026-01-02T03:04:05Z", "text": "EMA"}
    bar = filter_bar(View("ledger", filters, "amount"), {"symbol": {}, "owner": {}})
    parts = [each for each in everything(bar) if isinstance(getattr(each, "id", None), dict)]
    values = {each.id["name"]: each.value for each in parts if each.id["type"] == "history-filter"}
    assert values["kind"] == ["fee", "fill"]
    assert (values["least"], values["from"]) == ("5", "2026-01-02T03:04")
    assert (values["text"], values["sort"]) == ("EMA", "amount")
    counts = {
        each.id["name"]: each.children for each in parts if each.id["type"] == "history-count"
    }
    assert (counts["kind"], counts["from,to"], counts["symbol"]) == (" 2", " 1", "")


def test_what_is_chosen_stays_in_its_place_among_the_choices() -> None:
    values = [each["value"] for each in options("kind", {}, ["fee", "of-an-older-version"])]
    assert values == [*(each["value"] for each in options("kind", {})), "of-an-older-version"]


def test_a_filter_reads_as_a_sentence() -> None:
    filters = {
        "source": "bot",
        "to": "2026-01-02T03:04:59.999Z",
        "most": "7",
        "until": "42",
        "text": "a",
    }
    texts = [each.children for each in chips(View("fills", filters), {})]
    assert texts == [
        *("From: Bot", "Text has “a”", "To 2026-01-02 03:04 UTC", "Realised P&L to 7"),
        *("Up to revision 42", "Clear"),
    ]


@pytest.mark.parametrize("table", TABLES)
def test_each_column_is_sorted_by_what_the_list_can_be_sorted_by(table: Listed) -> None:
    sorts = EPOCH_SORTS if table == "epochs" else SORTS[table]
    assert {each.id for each in COLUMNS[table] if each.is_sortable} <= set(sorts)
    *columns, card = definitions()[table]
    assert card["type"] == "card"
    assert [each["colId"] for each in columns] == [each.id for each in COLUMNS[table]]


def test_moments_are_as_short_as_they_can_be() -> None:
    time = "2026-11-23T02:43:07.500Z"
    assert short_moment(time, "2026") == "11-23 02:43:07"
    assert short_moment(time, "2027") == "2026-11-23 02:43"
    assert exact_moment(time) == "2026-11-23 02:43:07.500 UTC"
    assert short_moment(None, "2026") == exact_moment(None) == ""


def test_a_note_is_text_and_nothing_else(desk: Desk) -> None:
    note = "<img src=x onerror=alert(1)>"
    desk.deposit(3, note=note)
    question = parse_question("ledger", {"kind": "deposit", "limit": "1"}, SORTS["ledger"])
    (row,) = history_page(desk, services_alone(desk, Stream(1)), question)["rows"]
    assert grid_row("ledger", row, "2026")["texts"]["note"] == note
    assert note in grid_row("ledger", row, "2026")["card"]["parts"]


class TestLayout:
    """The places that the page draws the history in."""

    def test_has_a_link_to_each_table_and_files_of_what_is_listed(self) -> None:
        links = [e.href for e in everything(HISTORY.build(Place())) if type(e).__name__ == "A"]
        assert links == [
            "/history",
            *(f"/history?table={table}" for table in ("fills", "trades", "orders", "epochs")),
            *(f"/history/ledger?format={form}" for form in ("csv", "json")),
        ]

    def test_has_a_grid_that_asks_for_its_rows_block_by_block(self) -> None:
        later = "history-grid-place-later"
        (store,) = (e for e in everything(HISTORY.build(Place())) if getattr(e, "id", "") == later)
        grid = store.data["props"]
        assert (grid["id"], grid["rowModelType"]) == ("history-grid", "infinite")
        # no more of a million rows than this is ever in the page
        assert (
            grid["dashGridOptions"]["cacheBlockSize"] * grid["dashGridOptions"]["maxBlocksInCache"]
            <= 1_000
        )
