"""A developer's own tab follows the balance with one line, as docs/your-own-tab.md shows."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, html

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from layouts.cards import balance_buttons
from layouts.live import live_text
from layouts.tab import Tab
from layouts.tabs import TABS
from tests.patience import patience
from tests.screen import text, wait_for


def test_a_new_tab_follows_with_one_line(dash_duo: Any) -> None:
    mine = Tab(
        id="mine",
        label="Mine",
        path="/mine",
        build=lambda _: html.Div(
            ["Equity ", live_text("portfolio_value", id="mine-equity"), *balance_buttons("mine")]
        ),
    )
    desk = Desk(MemoryStore())
    tabs = (*TABS, mine)
    stream = Stream(10)
    stream.publish(desk.snapshot())
    dash_duo.start_server(create_app(desk, stream, tabs=tabs), start_timeout=patience())
    dash_duo.find_element('.tab-row a[href="/mine"]').click()
    dash_duo.wait_for_text_to_equal("#mine-equity", "$10,000.00")
    desk.deposit(250)
    dash_duo.wait_for_text_to_equal("#mine-equity", "$10,250.00")
    assert dash_duo.driver.current_url.endswith("/mine")
    # its buttons work like all others
    dash_duo.find_element("#mine-sync-balance-btn").click()
    wait_for(lambda: "In sync, revision 2" in text(dash_duo, "toasts"), "the toast")
    dash_duo.find_element("#mine-reset-balance-btn").click()
    dash_duo.wait_for_element("#reset-confirm").click()
    dash_duo.wait_for_text_to_equal("#mine-equity", "$10,000.00")
    assert dash_duo.get_logs() == []
    stream.close()


def test_a_live_text_that_comes_later_is_right_from_its_first_moment(dash_duo: Any) -> None:
    build = Tab(
        id="later",
        label="Later",
        path="/later",
        build=lambda _: html.Div([html.Button("Show", id="later-btn"), html.Div(id="later-place")]),
    )
    desk = Desk(MemoryStore())
    tabs = (*TABS, build)
    stream = Stream(10)
    stream.publish(desk.snapshot())
    app = create_app(desk, stream, tabs=tabs)
    app.config.suppress_callback_exceptions = True

    @app.callback(
        Output("later-place", "children"),
        Input("later-btn", "n_clicks"),
        prevent_initial_call=True,
    )
    def show(_: int) -> Any:
        return live_text("balance", id="later-balance")

    dash_duo.start_server(app, start_timeout=patience())
    dash_duo.find_element('.tab-row a[href="/later"]').click()
    desk.deposit(5)
    dash_duo.wait_for_element("#later-btn").click()
    dash_duo.wait_for_text_to_equal("#later-balance", "$10,005.00")
    desk.deposit(5)
    dash_duo.wait_for_text_to_equal("#later-balance", "$10,010.00")
    assert dash_duo.get_logs() == []
    stream.close()
