"""A developer's own tab follows the balance with one line, as docs/your-own-tab.md shows."""

from __future__ import annotations

from typing import Any

from dash import Input, Output, html
from selenium.webdriver.common.keys import Keys

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from layouts.cards import balance_buttons
from layouts.curve import Line, curve, due_of, points_of
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


def _painted(browser: Any, color: str) -> bool:
    """Whether the curve has a point in a colour of the theme."""
    found: bool = browser.driver.execute_script(
        """
        const [name] = arguments;
        const wanted = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
        const rgb = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
        return [...document.querySelectorAll("#later-curve canvas")].some((canvas) => {
            const { width, height } = canvas;
            const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
            for (let at = 0; at < data.length; at += 4) {
                if (data[at + 3] === 255 && rgb.every((each, part) => data[at + part] === each)) {
                    return true;
                }
            }
            return false;
        });
        """,
        color,
    )
    return found


def test_what_comes_later_is_right_from_its_first_moment(dash_duo: Any) -> None:
    build = Tab(
        id="later",
        label="Later",
        path="/later",
        build=lambda _: html.Div([html.Button("Show", id="later-btn"), html.Div(id="later-place")]),
    )
    desk = Desk(MemoryStore())
    tabs = (*TABS, build)
    stream = Stream(10)
    desk.deposit(5)
    stream.publish(desk.snapshot())
    app = create_app(desk, stream, tabs=tabs)
    app.config.suppress_callback_exceptions = True

    @app.callback(
        Output("later-place", "children"),
        Input("later-btn", "n_clicks"),
        prevent_initial_call=True,
    )
    def show(_: int) -> Any:
        made = Line("values", "Balance made", style="area")
        return [
            live_text("balance", id="later-balance"),
            curve("later-curve", "What was made", (made,), refresh=5),
        ]

    @app.callback(
        Output(points_of("later-curve"), "data"),
        Input(due_of("later-curve"), "data"),
        prevent_initial_call=True,
    )
    def draw(_: int) -> Any:
        values = [10_000, None, 10_002, desk.snapshot().balance]
        return {"start": 1_767_323_040_000, "step": 60_000, "values": values}

    dash_duo.start_server(app, start_timeout=patience())
    dash_duo.find_element('.tab-row a[href="/later"]').click()
    dash_duo.wait_for_element("#later-btn").click()
    dash_duo.wait_for_text_to_equal("#later-balance", "$10,005.00")
    # the curve is drawn, and read by keyboard; in a gap there is nothing to read
    dash_duo.wait_for_element("#later-curve [data-points] canvas")
    slider = dash_duo.find_element("#later-curve .slider")
    words = []
    for key in (Keys.END, Keys.ARROW_LEFT, Keys.ARROW_LEFT):
        slider.send_keys(key)
        words.append(slider.get_attribute("aria-valuetext"))
    assert words == [
        "2 Jan 2026 03:07:00 UTC: balance made $10,005.00",
        "2 Jan 2026 03:06:00 UTC: balance made $10,002.00",
        "2 Jan 2026 03:04:00 UTC: balance made $10,000.00",
    ]
    # both follow the account
    desk.deposit(5)
    dash_duo.wait_for_text_to_equal("#later-balance", "$10,010.00")
    slider.send_keys(Keys.END)
    newest = "2 Jan 2026 03:07:00 UTC: balance made $10,010.00"
    wait_for(lambda: slider.get_attribute("aria-valuetext") == newest, "the new points")
    # and the theme, without the server
    for theme in ("dark", "light"):
        dash_duo.driver.execute_script(
            "document.documentElement.dataset.bsTheme = arguments[0]", theme
        )
        wait_for(lambda: _painted(dash_duo, "--accent"), f"a curve that is {theme}")
    assert dash_duo.get_logs() == []
    stream.close()
