"""History: the whole ledger, page by page, and as a file."""

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.core.ledger_rows import KIND_WORDS
from layouts.parts import button, card
from layouts.tab import Place, Tab

ALL = "all"


def _build(_: Place) -> Component:
    return html.Div(
        card(
            "Ledger",
            _filters(),
            html.Div(id="history-ledger", className="scroller"),
            _pager(),
            # what the page is to be in step with, and what is on it
            dcc.Store(id="history-revision"),
            dcc.Store(id="history-entries"),
            # where the shown page begins, behind where the pages before it do
            dcc.Store(id="history-cursors", data=[]),
            # where the page after the shown one begins
            dcc.Store(id="history-next"),
        ),
        className="tab-body",
    )


def _filters() -> html.Div:
    kinds = [("Everything", ALL), *((word, kind) for kind, word in KIND_WORDS.items())]
    epoch = dbc.Input(
        id="history-epoch",
        type="number",
        min=1,
        step=1,
        placeholder="All",
        size="sm",
        debounce=True,
    )
    return html.Div(
        [
            _select("history-kind", "What", kinds),
            html.Div([dbc.Label("Epoch", html_for="history-epoch"), epoch], className="filter"),
            html.A(
                "Download CSV",
                id="history-download",
                href="/virtual_balance/history?format=csv",
                className="btn btn-sm btn-outline-secondary bi-download",
            ),
        ],
        className="filters",
    )


def _pager() -> html.Div:
    return html.Div(
        [
            button("Newer", "history-newer-btn", "chevron-left", disabled=True),
            html.Span("Page 1", id="history-page"),
            button("Older", "history-older-btn", "chevron-right", disabled=True),
        ],
        className="pager",
    )


def _select(id: str, label: str, options: list[tuple[str, str]]) -> html.Div:
    return html.Div(
        [
            dbc.Label(label, html_for=id),
            dbc.Select(
                id=id,
                options=[{"label": word, "value": value} for word, value in options],
                value=ALL,
                size="sm",
            ),
        ],
        className="filter",
    )


HISTORY = Tab(id="history", label="History", path="/history", build=_build)
