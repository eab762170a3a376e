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
from layouts.history import HISTORY, empty_list
from layouts.history_columns import COLUMNS, definitions, exact_moment, grid_row, short_moment
from layouts.history_filters import NUMBER_AT, chips, fields_of, filter_bar, options
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


def listed(search: str = "", **more: Any) -> dict[str, Any]:
    """A list as the page lists it."""
    return {"search": search, "until": None, "isOfFields": False, "isRedrawn": False, **more}


def answered(
    client: FlaskClient, search: str = "", first: int = 0, *, shown: Any = None, **more: Any
) -> tuple[Any, dict[str, Any]]:
    """The block of rows from ``first`` on of the list that ``search`` says, and all else that the
    answer changes, by the ids of the components."""
    known = client.get("/_dash-dependencies").json
    assert sum("history-grid.getRowsResponse" in each["output"] for each in known) == 1
    request = {"startRow": first, "endRow": first + 100}
    values = {"history_list": listed(search, **more), "history_shown": shown}
    body = asked(client.get, "history-grid", history_grid=request, **values)
    response = client.post(UPDATE, json=body).json["response"]
    changed = {part: next(iter(props.values())) for part, props in response.items()}
    return changed.pop("history-grid"), changed


def drawn(client: FlaskClient, woken: str, **values: Any) -> Any:
    """What the callback that ``woken`` wakes answers."""
    return client.post(UPDATE, json=asked(client.get, woken, **values)).json["response"]


@pytest.mark.parametrize("table", TABLES)
def test_the_grid_is_given_the_rows_of_the_route_with_a_text_for_each_column(
    client: FlaskClient, table: Listed
) -> None:
    rows = client.get(f"/history/{table}").json
    block, changed = answered(client, f"?table={table}")
    assert block["rowCount"] == rows["total"]
    assert (changed["history-instead"], changed["history-words"]) == ([], "")
    for given, row in zip(block["rowData"], rows["rows"], strict=True):
        assert given["id"] == str(row["epoch"] if table == "epochs" else row["place"])
        assert list(given["texts"]) == [each.id for each in COLUMNS[table]]
        assert all(isinstance(each, str) for each in given["texts"].values())
        for column in COLUMNS[table]:
            if column.text is None and column.name in row["display"]:
                assert given["texts"][column.id] == row["display"][column.name]


def test_a_block_is_of_the_list_that_is_wanted_and_of_its_revision(client: FlaskClient) -> None:
    search = "?kind=fee&until=900&sort=amount"
    rows = client.get("/history/ledger?kind=fee&until=300&sort=amount&offset=10&limit=100").json
    shown = {"search": search, "until": 300, "state": "rows"}
    block, changed = answered(client, search, 10, shown=shown, until=300)
    assert [each["id"] for each in block["rowData"]] == [each["place"] for each in rows["rows"]]
    # What is shown already is not drawn again.
    assert changed == {"history-words": ""}


def test_the_fields_show_what_is_listed(client: FlaskClient, monkeypatch: Any) -> None:
    shown = {"search": "?table=fills&side=buy", "until": None, "state": "rows"}
    filled: dict[str, Any] = {}
    monkeypatch.setattr(
        callbacks, "set_props", lambda part, props: filled.update({part["name"]: props["value"]})
    )

    def drawn_fields(search: str, **more: bool) -> Any:
        filled.clear()
        return answered(client, search, shown=shown, **more)[1].get("history-fields")

    # Those of another list are drawn, or where a request for them may have failed.
    for search, more in (("?side=buy", False), ("?table=fills&side=buy", True)):
        assert drawn_fields(search, isRedrawn=more) == search
    assert drawn_fields("?table=fills&reason=order&from=2026-01-02T03:04:05Z&sort=fee") is None
    assert filled == {
        "side": [],
        "reason": ["order"],
        "from": "2026-01-02T03:04",
        "sort": "heading",
    }
    # What was chosen in them, they show.
    assert drawn_fields("?table=fills&side=sell", isOfFields=True) is None
    assert filled == {}


def problem_of(changed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """What is said in the place of rows that could not be read, and the button under it."""
    text, fieldset = changed["history-instead"][0]["props"]["children"]
    (again,) = fieldset["props"]["children"]
    return "".join(text["props"]["children"]), again["props"]


@pytest.mark.parametrize(
    ("search", "problem", "again"),
    [
        ("?sort=colour", "sort must be one of", '{"sort": ""}'),
        ("?from=yesterday", "from must be a time", None),
    ],
)
def test_a_list_that_makes_no_sense_says_so(
    client: FlaskClient, search: str, problem: str, again: str | None
) -> None:
    block, changed = answered(client, search)
    assert block == {"rowData": [], "rowCount": None}
    message, button = problem_of(changed)
    assert message.startswith(problem)
    # It is tried again without its order, and not by itself.
    assert button.get("data-set") == again
    assert "data-busy" not in button


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
    block, changed = answered(client)
    assert block == {"rowData": [], "rowCount": None}
    message, button = problem_of(changed)
    assert (message, "data-busy" not in button) == (problem, is_refused)


def test_what_came_since_is_counted(client: FlaskClient, desk: Desk) -> None:
    before = desk.snapshot().revision
    for amount in (1, 2):
        desk.deposit(amount)

    def news(search: str = "") -> Any:
        since = {**listed(search, until=before), "at": 1}
        return drawn(client, "history-since", history_since=since)

    (button,) = news()["history-newer-place"]["children"]
    assert button["props"]["children"] == "2 new entries"
    assert news()["history-words"]["children"] == ""
    assert news("?kind=fee")["history-newer-place"]["children"] == []


def test_the_view_says_which_table_it_is_and_what_is_filtered(client: FlaskClient) -> None:
    search = "?table=trades&symbol=NONE/USDT&outcome=win&sort=-pnl"
    _, shown = answered(client, search)
    links = shown["history-tables"]
    (active,) = (each["props"] for each in links if "aria-current" in each["props"])
    assert active["href"] == "/history?table=trades&outcome=win&symbol=NONE/USDT&sort=-pnl"
    assert links[0]["props"]["href"] == "/history?symbol=NONE/USDT"
    first, second, clear = (each["props"] for each in shown["history-chips"])
    assert first["children"] == "Outcome: Wins"
    assert second["aria-label"] == "Remove the filter Symbol: NONE/USDT"
    assert second["data-set"] == '{"symbol": ""}'
    assert clear["data-set"] == '{"outcome": "", "symbol": ""}'
    assert "Nothing fits these filters" in str(shown["history-instead"])


def test_a_list_without_rows_says_why() -> None:
    texts = {
        is_indexed: str(empty_list(View("trades"), is_indexed=is_indexed))
        for is_indexed in (True, False)
    }
    assert "No closed trades yet" in texts[True]
    assert "Nothing found yet" in texts[False]


def test_the_address_of_a_view_says_all_of_it_and_nothing_else() -> None:
    """An address that was made is read as what it was made of; what no table has is left out."""
    searches = [
        "",
        "?table=ledger",
        "?table=nonsense&colour=red",
        "?table=fills&side=buy&outcome=win&text=a b%26c",
        "?kind=fee&kind=funding&reason=order&table=trades&outcome=win&least=-5&sort=-pnl",
        "?from=2026-01-02T03:04:05Z&entry=42.3",
        "?table=epochs&compare=3,x,3,2,-1,5,6,7&symbol=BTC/USDT",
    ]
    assert [View.parse(each).href for each in searches] == [
        "/history",
        "/history",
        "/history",
        "/history?table=fills&side=buy&text=a+b%26c",
        "/history?table=trades&outcome=win&kind=fee,funding&least=-5&sort=-pnl",
        "/history?from=2026-01-02T03:04:05Z&entry=42.3",
        "/history?table=epochs&compare=3,2,5,6",
    ]


def test_moments_of_an_address_are_shown_in_utc() -> None:
    searches = [
        "?from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:59.999Z",
        "?from=2026-01-02T03:04:05%2B02:00&to=2026-01-02T03:04:05-0130",
        "?to=2026-01-01T00:30:00.250+02:00",
        "?from=yesterday",
    ]
    assert [View.parse(each).href for each in searches] == [
        "/history?from=2026-01-02T03:04:05Z&to=2026-01-02T03:04:59.999Z",
        "/history?from=2026-01-02T01:04:05Z&to=2026-01-02T04:34:05Z",
        "/history?to=2025-12-31T22:30:00.250Z",
        "/history?from=yesterday",
    ]


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
    fields = [each for each in everything(bar) if type(each).__name__ == "Details"]
    counts = {getattr(each, "data-field"): each.children[0].children[1].children for each in fields}
    assert (counts["kind"], counts["time"], counts["symbol"]) == (" 2", " 1", "")


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
    assert grid_row(View("ledger"), row, "2026")["texts"]["note"] == note
    assert note in grid_row(View("ledger"), row, "2026")["card"]["parts"]


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


@pytest.mark.parametrize(
    ("name", "typed", "number", "fault"),
    [
        ("least", "2,500.00", "2500.00", ""),
        ("most", "0.00000001", "0.00000001", ""),
        ("least", " ", "", ""),
        ("least", "2,5", "", "more than one way"),
        ("epoch", "1,012", "1012", ""),
        ("epoch", "1.5", "1.5", "numbered from 1"),
        ("epoch", "1k", "", "more than one way"),
    ],
)
def test_a_number_of_a_filter_is_read_as_the_address_has_it(
    client: FlaskClient, name: str, typed: str, number: str, fault: str
) -> None:
    found = client.post(NUMBER_AT, json={"name": name, "typed": typed}).get_json()
    assert found["number"] == number
    assert fault in found["fault"] if fault else found["fault"] == ""


@pytest.mark.parametrize("body", [[], {}, 1, {"name": "least"}])
def test_what_no_field_of_a_filter_sends_is_refused(client: FlaskClient, body: object) -> None:
    assert client.post(NUMBER_AT, json=body).status_code == 400
