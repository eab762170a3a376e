"""The sidebar: the balance, how live it is, and what can be done with it, on every tab."""

import dash_bootstrap_components as dbc
from dash import html

from layouts.cards import balance_buttons
from layouts.live import live_text
from layouts.parts import icon


def sidebar() -> html.Aside:
    """The sidebar; on a narrow screen it is a bar on top, with the buttons in a menu."""
    return html.Aside(
        [
            html.Div(
                [
                    html.Div(
                        [
                            html.Span("◈", className="brand-mark", **{"aria-hidden": "true"}),
                            html.Span("Virtual Balance", className="brand-name"),
                        ],
                        className="brand",
                    ),
                    html.Span("PAPER", className="paper", title="Virtual money only"),
                ],
                className="sidebar-head",
            ),
            html.Div(
                [
                    html.Div("Wallet balance, USDT", className="metric-label"),
                    live_text("balance", id="virtual-balance", className="figure balance-figure"),
                    html.Div(
                        [
                            "P&L ",
                            live_text("current_pnl", id="sidebar-pnl", className="pnl-figure"),
                            live_text(
                                "pnl_percent", id="sidebar-pnl-percent", className="pnl-figure"
                            ),
                        ],
                        className="sidebar-pnl",
                    ),
                ],
                className="sidebar-balance",
            ),
            html.Div(
                [
                    html.Span(className="pill-dot", **{"aria-hidden": "true"}),
                    html.Span("Polling", id="link-state"),
                    # written by the page's clock
                    html.Span(id="link-age", className="pill-age"),
                ],
                id="link-pill",
                className="pill",
                title="How what is shown came here, and how long ago it was last confirmed",
                **{"data-link": "polling"},
            ),
            dbc.Button(
                [icon("list"), "Menu"],
                id="sidebar-menu-btn",
                color="secondary",
                outline=True,
                size="sm",
                className="sidebar-menu-btn",
            ),
            dbc.Collapse(
                [
                    balance_buttons("sidebar"),
                    dbc.Button(
                        [icon("plus-slash-minus"), "Deposit, withdraw…"],
                        id="sidebar-money-btn",
                        color="secondary",
                        outline=True,
                        size="sm",
                        className="w-100",
                    ),
                ],
                id="sidebar-actions",
                is_open=False,
                className="sidebar-actions",
            ),
        ],
        className="sidebar",
        **{"aria-label": "Account"},
    )
