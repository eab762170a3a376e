"""The bell, and the dialog behind it; what is in it is drawn by the page."""

import dash_bootstrap_components as dbc
from dash import html

from layouts.parts import icon_button
from layouts.tab import Place


def alerts_button(place: Place) -> html.Button:
    """The bell with the count of the firings that nobody has seen."""
    known = {
        # what may be watched, and what has fired before this page was opened
        "data-symbols": " ".join(place.symbols),
        "data-last": str(place.last_firing),
    }
    count = html.Span(className="alerts-count", **{"aria-hidden": "true"})
    return icon_button("alerts-btn", "bell", "Alerts", children=count, **known)


def alerts_dialog() -> dbc.Modal:
    """The alerts, their form and what has fired."""
    return dbc.Modal(
        [
            dbc.ModalHeader(dbc.ModalTitle("Alerts", id="alerts-title")),
            dbc.ModalBody(html.Div(id="alerts-place")),
        ],
        id="alerts-dialog",
        size="lg",
        scrollable=True,
        fade=False,
        is_open=False,
        labelledby="alerts-title",
    )
