"""The screen as components: what is on it, what it shows first, and how a tab is added."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import dash_bootstrap_components as dbc
import pytest
from dash import dcc, html
from dash.development.base_component import Component

from app import create_app
from balance.api.encoding import answer
from balance.api.stream import Stream
from balance.core.figures import NONE
from balance.core.settings import RULES, Settings, value_text
from balance.core.snapshot import DISPLAYED
from balance.desk.desk import Desk
from balance.desk.settings import SETTINGS_FILE, SettingsFile
from balance.keys.keys import Keys
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from layouts.auto import AUTO, auto_dialogs
from layouts.auto_keys import key_dialog, key_rows
from layouts.bundle import styles
from layouts.dialogs import close_button, dialog
from layouts.grids import fills_grid, orders_grid, positions_grid
from layouts.help import help_button, shortcuts
from layouts.live import (
    LIVE,
    OF,
    filled,
    ids_ending,
    live_components,
    live_figure,
    live_price,
    live_text,
)
from layouts.settings import GROUPS, id_of, settings_dialog
from layouts.shell import shell
from layouts.tab import Place, Tab
from layouts.tabs import TABS
from layouts.ticker import ticker
from tests.serving import ROOT

MOMENT = "2026-11-30T12:00:00Z"
# what outside programs rely on
IDS = (
    *("live-price-interval", "balance-store", "virtual-balance"),
    *("auto-balance-display", "auto-pnl-display", "futures-virtual-balance"),
    *("futures-pnl-display", "futures-total-balance", "futures-available-balance"),
    *(
        f"{place}-{button}-balance-btn"
        for place in ("futures", "sidebar", "auto", "overview")
        for button in ("reset", "sync")
    ),
)
FIELDS = {
    "virtual-balance": "balance",
    "auto-balance-display": "balance",
    "auto-pnl-display": "current_pnl",
    "futures-virtual-balance": "balance",
    "futures-pnl-display": "current_pnl",
    "futures-total-balance": "portfolio_value",
    "futures-available-balance": "available_balance",
}


def everything(component: object) -> Iterator[Component]:
    """All components in ``component``, each property that holds some looked into."""
    if isinstance(component, list | tuple):
        for each in component:
            yield from everything(each)
    elif isinstance(component, Component):
        yield component
        for name in component._prop_names:
            yield from everything(getattr(component, name, None))


def page(desk: Desk | None = None, tabs: tuple[Tab, ...] = TABS) -> Component:
    store = answer(desk.snapshot()) if desk is not None else {"fault": "can't be read"}
    return shell(tabs, store, starting_balance="10000.00")


def desk_after(*changes: tuple[str, Any]) -> Desk:
    desk = Desk(MemoryStore())
    for action, amount in changes:
        getattr(desk, action)(amount)
    return desk


class TestLiveText:
    """``live_text``: a figure of the account on a tab, with one line."""

    def test_refuses_a_field_that_is_not_there_and_names_those_that_are(self) -> None:
        with pytest.raises(ValueError, match="'equity'") as refusal:
            live_text("equity", id="my-equity")
        assert all(field in str(refusal.value) for field in DISPLAYED)

    @pytest.mark.parametrize("field", DISPLAYED)
    def test_takes_every_field_that_a_snapshot_displays(self, field: str) -> None:
        text = live_text(field, id="my-text", className="mine")
        assert getattr(text, LIVE) == field
        assert text.id == "my-text"
        assert text.children == NONE
        assert set(text.className.split()) == {"live", "mine"}

    def test_is_found_wherever_it_is_in_a_layout(self) -> None:
        deep = html.Div([html.P("x"), [html.B(html.I(live_text("epoch", id="deep")))]])
        both = html.Div([deep, live_text("balance", id="flat"), "text", None])
        assert [each.id for each in live_components(both)] == ["deep", "flat"]

    def test_shows_what_is_known_and_a_dash_where_nothing_is(self) -> None:
        texts = html.Div(
            [live_text("current_pnl", id="a"), live_text("balance", id="b"), html.B("$1.00")]
        )
        first, second, other = filled(texts, {"display": {"current_pnl": "-$12.30"}}).children
        assert (first.children, getattr(first, "data-tone")) == ("-$12.30", "loss")
        assert (second.children, getattr(second, "data-tone")) == (NONE, "flat")
        assert other.children == "$1.00"

    @pytest.mark.parametrize(
        ("text", "tone"),
        [("+$1.00", "gain"), ("-0.01%", "loss"), ("$0.00", "flat"), (NONE, "flat"), ("", "flat")],
    )
    def test_has_the_tone_of_its_sign(self, text: str, tone: str) -> None:
        (component,) = live_components(
            filled(live_text("epoch", id="x"), {"display": {"epoch": text}})
        )
        assert getattr(component, "data-tone") == tone


class TestLivePrice:
    def test_shows_a_symbols_price_and_a_dash_where_it_is_not_known(self) -> None:
        texts = html.Div(
            [
                live_price("last", "BTC/USDT", id="a"),
                live_price("change_percent", "BTC/USDT", id="b"),
                live_price("last", "ETH/USDT", id="c"),
            ]
        )
        told = {"display": {"last": "43,812.40", "change_percent": "-0.40%"}}
        known = filled(texts, {"market": {"prices": {"BTC/USDT": told}}})
        assert [each.children for each in known.children] == ["43,812.40", "-0.40%", NONE]
        assert [getattr(each, "data-tone") for each in known.children] == ["flat", "loss", "flat"]

    def test_of_what_no_price_has_can_not_be_shown(self) -> None:
        with pytest.raises(ValueError, match="can't show 'volume'; it can show bid, ask, last"):
            live_price("volume", "BTC/USDT", id="x")

    def test_of_every_symbol_is_on_the_strip_of_every_page(self) -> None:
        symbols = ("BTC/USDT", "ETH/USDT")
        strip = [getattr(each, "id", "") for each in everything(ticker(symbols))]
        assert {"ticker-BTC-USDT-last", "ticker-ETH-USDT-change", "market-label"} <= set(strip)
        shown = [getattr(each, "id", "") for each in everything(page())]
        assert "ticker" in shown


class TestThePage:
    """The shell with its four tabs."""

    def test_has_every_id_that_others_rely_on(self) -> None:
        ids = {str(getattr(each, "id", None)) for each in everything(page())}
        assert set(IDS) <= ids

    def test_has_no_id_twice(self) -> None:
        ids = Counter(
            str(each.id) for each in everything(page()) if getattr(each, "id", None) is not None
        )
        assert [name for name, count in ids.items() if count > 1] == []

    def test_shows_under_the_agreed_ids_what_they_stand_for(self) -> None:
        shown = {each.id: getattr(each, LIVE) for each in live_components(page())}
        assert {name: shown[name] for name in FIELDS} == FIELDS

    def test_has_the_four_tabs_in_their_order_each_with_ids_of_its_own(self) -> None:
        assert [tab.label for tab in TABS] == [
            *("Overview", "Auto Trading", "Futures Trading", "History")
        ]
        links = [each for each in everything(page()) if type(each).__name__ == "NavLink"]
        names = ["".join(getattr(p, "children", p) for p in each.children) for each in links]
        assert names == [tab.label for tab in TABS]
        for tab in TABS:
            ids = [getattr(each, "id", None) for each in everything(tab.build(Place()))]
            ids = [each["curve"] if isinstance(each, dict) else each for each in ids]
            assert all(name.startswith(f"{tab.id}-") for name in ids if name is not None)

    def test_starts_with_the_snapshot_in_its_store_and_looks_every_two_seconds(self) -> None:
        desk = desk_after(("deposit", 5))
        (store,) = (e for e in everything(page(desk)) if getattr(e, "id", "") == "balance-store")
        # all others rest until something runs
        (interval,) = (
            e
            for e in everything(page(desk))
            if isinstance(e, dcc.Interval) and not getattr(e, "disabled", False)
        )
        assert store.data["balance"] == Decimal("10005")
        assert (interval.id, interval.interval) == ("live-price-interval", 2_000)

    @pytest.mark.parametrize(
        "changes",
        [
            (),
            (("adjust", "-12.30"), ("deposit", 500)),
            (("set_balance", "999999999999.12345678"),),
            (("reset", 0),),
        ],
    )
    def test_shows_every_figure_right_from_the_first_paint_on(
        self, changes: tuple[tuple[str, Any], ...]
    ) -> None:
        desk = desk_after(*changes)
        display = desk.snapshot().display
        shown = list(live_components(page(desk)))
        assert len(shown) > 20
        for each in shown:
            if not hasattr(each, "data-symbol"):
                assert each.children == display[getattr(each, LIVE)], each.id

    def test_shows_dashes_and_no_number_where_the_account_can_not_be_read(self) -> None:
        shown = list(live_components(page(None)))
        assert {each.children for each in shown} == {NONE}
        texts = [each.children for each in everything(page(None)) if hasattr(each, "children")]
        assert not [text for text in texts if isinstance(text, str) and "$" in text]

    def test_is_permanently_marked_as_paper(self) -> None:
        assert "PAPER" in [getattr(each, "children", None) for each in everything(page())]

    def test_names_every_button_and_every_picture_in_words(self) -> None:
        for each in everything(page()):
            if type(each).__name__ in ("Button", "NavLink", "A"):
                words = [getattr(each, name, None) for name in ("children", "title", "aria-label")]
                assert any(isinstance(part, str | list) and part for part in words), each


class TestTheSettings:
    def test_have_a_field_each_with_its_label_its_default_and_a_place_for_what_is_wrong(
        self,
    ) -> None:
        dialog = settings_dialog()
        by_id = {each.id: each for each in everything(dialog) if getattr(each, "id", None)}
        labelled = {getattr(each, "html_for", None) for each in everything(dialog)}
        for name, rule in RULES.items():
            field = id_of(name)
            assert {field, f"{field}-hint", f"{field}-error"} <= set(by_id)
            assert value_text(name, Settings()) in by_id[f"{field}-hint"].children
            if rule.kind not in ("switch", "word"):
                assert field in labelled
        assert [name for _, names, _ in GROUPS for name in names] == list(RULES)

    def test_can_be_shown_with_any_number_of_decimals_that_may_be_chosen(self) -> None:
        (field,) = (
            each
            for each in everything(settings_dialog())
            if getattr(each, "id", "") == "settings-decimals"
        )
        assert [each["label"] for each in field.options][:2] == ["2: 1,234.57", "3: 1,234.568"]
        assert [each["value"] for each in field.options] == list("2345678")

    def test_are_in_the_page_before_its_first_script(self) -> None:
        settings = SettingsFile()
        settings.change({"theme": "dark"})
        desk, stream = Desk(MemoryStore()), Stream(1)
        app = create_app(desk, stream, services=services_alone(desk, stream, settings))
        head = app.server.test_client().get("/").text.split("<script>")[0]
        (told,) = re.findall(
            r'<script type="application/json" id="settings-now">(.*?)</script>', head
        )
        assert json.loads(told)["theme"] == "dark"

    def test_nothing_in_a_damaged_file_ends_the_script_that_they_are_in(
        self, tmp_path: Path
    ) -> None:
        settings = SettingsFile(tmp_path)
        (tmp_path / SETTINGS_FILE).write_text('{"theme": "</script><b>"}')
        desk, stream = Desk(MemoryStore()), Stream(1)
        app = create_app(desk, stream, services=services_alone(desk, stream, settings))
        page = app.server.test_client().get("/").text
        assert "<b>" not in page
        assert "\\u003c/script>" in page


class TestANewTab:
    """A tab that a developer adds with one line in the tuple of tabs."""

    MINE = Tab(
        id="mine",
        label="Mine",
        path="/mine",
        build=lambda _: html.Div(
            [
                live_text("portfolio_value", id="mine-equity"),
                html.Button("Sync", id="mine-sync-balance-btn"),
                html.Button("Reset", id="mine-reset-balance-btn"),
            ]
        ),
    )

    def test_shows_the_figure_from_the_first_paint_on(self) -> None:
        desk = desk_after(("adjust", 7))
        shown = {each.id: each.children for each in live_components(page(desk, (*TABS, self.MINE)))}
        assert shown["mine-equity"] == "$10,007.00"

    def test_has_its_buttons_found(self) -> None:
        layout = page(tabs=(*TABS, self.MINE))
        places = {"futures", "sidebar", "auto", "overview", "mine"}
        for button in ("sync", "reset"):
            ending = f"-{button}-balance-btn"
            assert set(ids_ending(layout, ending)) == {f"{place}{ending}" for place in places}

    def test_is_served_and_synced_without_an_edit_anywhere_else(self) -> None:
        app = create_app(desk_after(("adjust", 7)), Stream(1), tabs=(*TABS, self.MINE))
        client = app.server.test_client()
        assert client.get("/mine").status_code == 200
        sent = client.get("/_dash-layout").text
        # by what it declares, the page finds it
        assert re.search(
            r'"\$10,007\.00","id":"mine-equity"[^}]*"data-live":"portfolio_value"', sent
        )
        callbacks = client.get("/_dash-dependencies").get_json()
        (writer,) = (each for each in callbacks if each["output"] == "balance-store.data")
        assert "mine-sync-balance-btn" in [each["id"] for each in writer["inputs"]]

    def test_has_its_buttons_found_only_by_their_whole_ending(self) -> None:
        layout = html.Div([html.B(id="a-sync-balance-btn-2"), html.B(id={"a": "-x"}), html.B()])
        assert ids_ending(layout, "-sync-balance-btn") == []


class TestAutoTrading:
    """The places that the page draws the bots in, and the lines to copy."""

    def test_has_a_place_for_bots_activity_and_every_snippet(self) -> None:
        ids = {getattr(each, "id", None) for each in everything(AUTO.build(Place()))}
        places = {"auto-bots", "auto-bots-summary", "auto-bots-words", "auto-bots-list"}
        activity = {"auto-activity", "auto-activity-list", "auto-activity-older"}
        names = ("signal", "order", "http", "python", "shell")
        assert {*places, *activity, "auto-new-bot", "auto-stop-all"} <= ids
        assert {f"auto-snippet-{name}" for name in names} <= ids

    def test_offers_a_bot_what_it_may_trade_in_its_order(self) -> None:
        place = Place(symbols=("ETH/USDT", "BTC/USDT"))
        parts = {getattr(each, "id", ""): each for each in everything(auto_dialogs(place))}
        offered = [each["value"] for each in parts["bot-symbol"].options]
        assert offered == ["ETH/USDT", "BTC/USDT"]

    @pytest.mark.parametrize(
        ("place", "has", "has_not"),
        [
            (Place(), "/signals", "TOKEN"),
            (Place(symbols=("ETH/USDT",)), '"ETH/USDT"', "BTC"),
            (Place(needs_token=True), "Bearer TOKEN", "SECRET"),
            # a service that sends signals knows the secret, and no token
            (Place(needs_token=True, needs_secret=True), '"secret": "SECRET"', "TOKEN"),
        ],
    )
    def test_a_signal_is_sent_with_what_the_server_asks_for(
        self, place: Place, has: str, has_not: str
    ) -> None:
        (snippet,) = (
            each
            for each in everything(AUTO.build(place))
            if getattr(each, "id", None) == "auto-snippet-signal"
        )
        assert has in snippet.children
        assert has_not not in snippet.children


class TestOutsideBots:
    """The rows of the keys, whose figures are live."""

    def _listed(self, *names: str) -> Any:
        """The keys called ``names``, as they are listed."""
        keys = Keys(desk_after())
        for name in names:
            keys.add(name)
        return keys.listed()

    def test_without_a_key_it_is_said_what_they_are_for(self) -> None:
        assert "freqtrade" in key_rows(self._listed()).children

    def test_what_keeps_them_from_being_read_is_said(self) -> None:
        found = key_rows({**self._listed("grid"), "fault": "keys.json is damaged."})
        assert found.children == "keys.json is damaged."

    def test_a_row_has_its_buttons_and_live_figures(self) -> None:
        parts = [*everything(key_rows(self._listed("bot", "grid")))]
        ids = [getattr(each, "id", None) for each in parts]
        figures = {
            (getattr(each, OF), getattr(each, LIVE)): each for each in parts if hasattr(each, OF)
        }
        for name in ("bot", "grid"):
            for do in ("connect", "switch", "revoke"):
                assert ids.count(f"key-{do}-{name}") == 1
            for field in ("positions", "orders", "pnl", "fills", "client", "request"):
                assert (f"keys/{name}", field) in figures
        assert figures["keys/bot", "pnl"].children == "$0.00"
        assert figures["keys/bot", "request_time"].dateTime == ""

    def test_the_refusals_before_the_newest_are_folded(self) -> None:
        (row,) = self._listed("bot")["keys"]
        refusals = [{"time": MOMENT, "what": "POST /x", "reason": each} for each in "abc"]
        found = key_rows({"fault": "", "keys": [{**row, "refusals": refusals}]})
        (folded,) = (each for each in everything(found) if isinstance(each, html.Details))
        assert folded.id == "key-refusals-bot"
        assert len(folded.children[1].children) == 2

    def test_the_dialog_shows_no_secret_before_it_is_asked_to(self) -> None:
        parts = {getattr(each, "id", None): each for each in everything(key_dialog())}
        for name in ("api", "secret", "rest", "stream"):
            assert parts[f"key-{name}-text"].hidden
            assert parts[f"key-{name}-text-copy"]


@pytest.mark.parametrize("grid", [positions_grid, orders_grid, fills_grid])
def test_each_table_of_the_futures_tab_says_whose_its_rows_are(grid: Callable[[], Any]) -> None:
    assert "owner" in [each.get("field") for each in grid().columnDefs]


@pytest.mark.parametrize(
    ("table", "grid"), [("positions", positions_grid), ("orders", orders_grid)]
)
def test_each_number_of_a_row_follows_the_prices(table: str, grid: Callable[[], Any]) -> None:
    numbers = {
        each["field"]: each
        for each in grid().columnDefs
        if "type" in each and each["field"] != "exits"
    }
    assert len(numbers) >= 3
    for field, column in numbers.items():
        assert column["cellRenderer"] == "RowPair"
        params = column["cellRendererParams"]
        assert (params["table"], params["above"]) == (table, field)


CODE = [
    *(ROOT / "layouts").glob("*.py"),
    *(ROOT / "callbacks").glob("*.py"),
    ROOT / "app.py",
]
ASSETS = [file for file in (ROOT / "layouts" / "assets").rglob("*") if file.is_file()]


@pytest.mark.parametrize("file", CODE, ids=lambda file: file.name)
def test_colours_are_named_in_the_style_sheet_only(file: Any) -> None:
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|\b(?:rgb|hsl)a?\(", file.read_text()) == []


@pytest.mark.parametrize("file", ASSETS, ids=lambda file: file.name)
def test_assets_fetch_nothing_from_elsewhere(file: Any) -> None:
    text = re.sub(r"/\*.*?\*/|<!--.*?-->|xmlns(:\w+)?=\"[^\"]*\"", "", file.read_text(), flags=re.S)
    assert re.findall(r"(?:https?:|wss?:)?//[\w-]+\.[\w.-]+", text) == []
    assert "@import" not in text


def test_a_page_names_nothing_that_is_elsewhere() -> None:
    text = create_app(Desk(MemoryStore()), Stream(1)).server.test_client().get("/").text
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//[^\"]*", text) == []
    assert f'"/page.css?v={styles().version}"' in text


def test_what_opens_is_there_at_once() -> None:
    dialogs = [each for each in everything(page()) if isinstance(each, dbc.Modal)]
    assert len(dialogs) >= 4
    assert {each.fade for each in dialogs} == {False}


def test_no_two_shortcuts_have_the_same_keys_and_what_they_press_is_there() -> None:
    table = shortcuts(TABS)
    keys = [key for each in table for key in each.keys]
    assert len(set(keys)) == len(keys)
    assert not {key[0] for key in keys if " " in key} & {*keys}, "or the second is never waited for"
    ids = {str(getattr(each, "id", None)) for each in everything(page())}
    named = {each.target[1:].split()[0] for each in table if each.target.startswith("#")}
    assert named <= ids
    assert json.loads(getattr(help_button(TABS), "data-shortcuts")) == [
        {**asdict(each), "keys": [*each.keys]} for each in table
    ]


def test_what_closes_a_dialog_is_all_of_it_that_works_without_the_server() -> None:
    made = dialog(
        "mine",
        "Mine",
        [dbc.Input(id="mine-name")],
        [close_button("mine"), html.Button("Save", id="mine-save")],
        fields={"mine-name": "trend"},
    )
    parts = {each.id: each for each in everything(made) if getattr(each, "id", None) is not None}
    assert {"mine-dialog", "mine-title", "mine-error", "mine-key"} <= parts.keys()
    assert parts["mine-fields"].data == {"mine-name": "trend"}
    (again,) = (
        each
        for each in everything(dialog("mine", "", [], []))
        if getattr(each, "id", "") == "mine-key"
    )
    assert len({again.data, parts["mine-key"].data}) == 2, "a key is that of one page"
    assert getattr(parts["mine-cancel"], "data-close") == "mine-dialog"
    off = [
        each for each in everything(made) if "needs-server" in str(getattr(each, "className", ""))
    ]
    assert all(isinstance(each, html.Fieldset) for each in off)
    within = {getattr(each, "id", None) for whole in off for each in everything(whole.children)}
    assert {"mine-name", "mine-save"} <= within
    assert not {"mine-cancel", "mine-error"} & within


class TestLiveFigure:
    """``live_figure``: a figure of one row, which the page keeps up to date."""

    def test_says_whose_figure_it_is_and_shows_its_text_from_the_first_paint_on(self) -> None:
        figure = live_figure("bots", "trend-1", "pnl", "pnl-figure", text="-$3.20")
        assert (getattr(figure, LIVE), getattr(figure, OF)) == ("pnl", "bots/trend-1")
        assert (figure.children, getattr(figure, "data-tone")) == ("-$3.20", "loss")
        assert figure.className == "live pnl-figure"

    def test_is_none_of_the_account(self) -> None:
        figure = live_figure("bots", "trend-1", "balance", text="$5.00")
        assert list(live_components(figure)) == []
        assert filled(figure, {"display": {"balance": "$9.00"}}).children == "$5.00"
