"""Overview as components: its panels, what opens a derivation, and the first minute."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

import pytest
from dash import html
from dash.development.base_component import Component

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from layouts.cards import summary_row
from layouts.exposure import exposure_bars, glances
from layouts.first import first_minute
from layouts.live import DERIVE, LIVE, OF, live_text
from layouts.overview import OVERVIEW, newest_entries
from layouts.shell import shell
from layouts.sidebar import sidebar
from layouts.tab import Place
from layouts.tabs import TABS
from tests.boards import board
from tests.test_layouts import everything


def found(component: Component, attribute: str) -> dict[str, str]:
    """The value of an attribute in all components that have it, by their ids."""
    return {
        each.id: getattr(each, attribute)
        for each in everything(component)
        if getattr(each, attribute, None) is not None and getattr(each, "id", None)
    }


def text(component: Component, wanted: str) -> Any:
    (one,) = (each for each in everything(component) if getattr(each, "id", None) == wanted)
    return one.children


class TestFigures:
    """What can be opened: how it comes about."""

    def test_a_live_text_opens_the_derivation_that_it_names_and_else_none(self) -> None:
        assert getattr(live_text("current_pnl", id="x", derive="pnl_epoch"), DERIVE) == "pnl_epoch"
        assert not hasattr(live_text("current_pnl", id="x"), DERIVE)

    def test_every_figure_of_the_account_on_overview_opens_how_it_comes_about(self) -> None:
        page = OVERVIEW.build(Place())
        closed = set(found(page, LIVE)) - set(found(page, DERIVE))
        assert closed == {"overview-epoch", "overview-order-count"}
        of_performance = {each: found(page, LIVE)[each] for each in found(page, OF)}
        assert {each: found(page, DERIVE)[each] for each in of_performance} == of_performance

    def test_the_server_tells_of_each_what_it_is_and_how_it_comes_about(self) -> None:
        page = shell(TABS, {}, starting_balance="10000.00")
        app = create_app(Desk(MemoryStore()), Stream(1))
        told = app.server.test_client().get("/performance").get_json()
        assert set(found(page, DERIVE).values()) <= set(told["derivations"])
        rows = found(page, OF).items()
        of_performance = {
            found(page, LIVE)[each] for each, row in rows if row == "performance/account"
        }
        assert of_performance <= set(told["display"])

    def test_the_figures_of_the_sidebar_open_the_same_as_those_of_the_cards(self) -> None:
        assert found(sidebar(), DERIVE) == {
            "virtual-balance": "balance",
            "sidebar-pnl": "pnl_epoch",
            "sidebar-pnl-percent": "pnl_percent",
        }

    def test_the_cards_of_every_tab_open_theirs(self) -> None:
        row = summary_row("my", balance_id="a", pnl_id="b", equity_id="c", available_id="d")
        assert found(row, DERIVE) == {
            "a": "balance",
            "b": "pnl_epoch",
            "c": "portfolio_value",
            "d": "available_balance",
            "my-pnl-today": "pnl_today",
            "my-pnl-today-percent": "pnl_today_percent",
            "my-pnl-percent": "pnl_percent",
            "my-unrealized-pnl": "unrealized_pnl",
            "my-used-margin": "used_margin",
        }


class TestTheFirstMinute:
    """Three things to try, the third with lines to copy."""

    def test_is_hidden_until_the_page_knows_the_account(self) -> None:
        panel = first_minute(Place(symbols=("ETH/USDT", "BTC/USDT")))
        assert panel.hidden is True

    def test_its_buttons_can_not_be_pressed_before_they_say_what_they_do(self) -> None:
        panel = first_minute(Place())
        for name in ("position", "bot"):
            (act,) = (
                each
                for each in everything(panel)
                if getattr(each, "id", None) == f"overview-first-{name}-btn"
            )
            assert act.disabled is True

    @pytest.mark.parametrize("token", [False, True])
    def test_the_line_for_a_shell_is_one_line_that_sends_what_it_says(self, token: bool) -> None:
        place = Place(address="http://127.0.0.1:9", needs_token=token)
        line = text(first_minute(place), "overview-first-curl")
        assert "\n" not in line
        command, address, *options = shlex.split(line)
        assert (command, address) == ("curl", "http://127.0.0.1:9/virtual_balance")
        assert ("Authorization: Bearer TOKEN" in options) == token
        assert json.loads(options[options.index("-d") + 1]) == {"adjust": 12.30}

    @pytest.mark.parametrize("folder", [None, '/a folder/it\'s "mine"'])
    def test_the_line_for_python_is_one_line_that_opens_this_account(
        self, folder: str | None
    ) -> None:
        line = text(first_minute(Place(data_dir=folder)), "overview-first-python")
        command, option, code = shlex.split(line)
        assert (command, option) == ("python", "-c")
        opened = "" if folder is None else json.dumps(folder)
        assert f"open_account({opened}).adjust(12.30)" in code
        compile(code, "line", "exec")


ROW = {
    "place": "42.3",
    "time": "2026-01-02T03:04:05Z",
    "note": "pocket money",
    "display": {"kind": "Deposit", "amount": "+$1.00", "balance": "$10,001.00", "tone": "gain"},
}


def positions(*changes: tuple[str, str, object]) -> Sequence[Any]:
    """The positions of an account after orders of these symbols, sides and notionals."""
    desk = Desk(MemoryStore(), board())
    for symbol, side, notional in changes:
        desk.place_order(symbol=symbol, side=side, notional=notional)
    return desk.snapshot().positions


class TestTheNewestEntries:
    def test_each_is_a_link_to_all_that_there_is_to_say_of_it(self) -> None:
        shown = newest_entries([ROW], "/bot/history")
        (link,) = (each for each in everything(shown) if isinstance(each, html.A))
        assert (link.children, link.href) == ("Deposit", "/bot/history?entry=42.3")
        assert text(shown, link.id) == "Deposit"

    def test_an_amount_has_its_tone(self) -> None:
        (amount,) = (
            each
            for each in everything(newest_entries([ROW]))
            if getattr(each, "children", None) == "+$1.00"
        )
        assert getattr(amount, "data-tone") == "gain"


class TestPositions:
    def test_figures_in_a_row_are_live_and_open_how_they_come_about(self) -> None:
        held = positions(("BTC/USDT", "buy", 1_000))
        shown = [*everything(exposure_bars(held)), *everything(glances(held, "/bot/futures"))]
        live = {getattr(each, LIVE) for each in shown if hasattr(each, LIVE)}
        assert live == {
            *("side", "notional", "exposure_percent", "unrealized_pnl", "roe_percent"),
            "liquidation_distance_percent",
        }
        assert {getattr(each, OF) for each in shown if hasattr(each, OF)} == {"positions/BTC/USDT"}
        assert {getattr(each, DERIVE) for each in shown if hasattr(each, DERIVE)} == {
            *("notional:BTC/USDT", "unrealized_pnl:BTC/USDT", "roe_percent:BTC/USDT"),
        }
        assert set(live) <= set(held[0]["display"])

    def test_a_line_leads_to_where_its_symbol_is_traded(self) -> None:
        held = positions(("BTC/USDT", "buy", 1_000), ("ETH/USDT", "sell", 500))
        links = [
            each for each in everything(glances(held, "/bot/futures")) if isinstance(each, html.A)
        ]
        assert [(each.href, getattr(each, "data-value")) for each in links] == [
            ("/bot/futures", "BTC/USDT"),
            ("/bot/futures", "ETH/USDT"),
        ]
        bars = [each for each in everything(exposure_bars(held)) if hasattr(each, "data-bar")]
        assert [getattr(each, "data-side") for each in bars] == ["long", "short"]

    def test_where_nothing_is_held_it_says_what_would_be_there(self) -> None:
        assert "Nothing is at risk" in str(exposure_bars(()))
        assert "No open positions" in str(glances(()))
