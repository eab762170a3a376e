"""Overview: the newest entries and the open positions are drawn anew when the page says so."""

from dash import Dash, Input, Output
from dash.development.base_component import Component

from balance.desk.desk import Desk
from balance.history.lists import history_row
from balance.history.question import SORTS, parse_question
from layouts import exposure, overview
from layouts.elements import CONTENT
from layouts.exposure import exposure_bars, glances
from layouts.overview import newest_entries


def register(app: Dash, desk: Desk) -> None:
    """Let the page have drawn anew what is more than figures, when that looks different."""

    @app.callback(Output(overview.LEDGER, CONTENT), Input(overview.DRAWN, "data"))
    def draw_entries(_: str) -> Component:
        params = {"limit": str(overview.NEWEST)}
        found = desk.ledger.answer(parse_question("ledger", params, SORTS["ledger"]))
        rows = [history_row("ledger", each, desk.market) for each in found.rows]
        return newest_entries(rows, app.get_relative_path("/history"))

    @app.callback(
        Output(exposure.BARS, CONTENT),
        Output(exposure.GLANCES, CONTENT),
        Input(exposure.DRAWN, "data"),
    )
    def draw_positions(_: str) -> tuple[Component, Component]:
        held = sorted(desk.snapshot().positions, key=lambda each: each["notional"], reverse=True)
        path = app.get_relative_path("/futures")
        return exposure_bars(held), glances(held, path)
