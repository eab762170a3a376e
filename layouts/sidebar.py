"""The sidebar: the balance, how live it is, and what can be done with it, on every tab."""

import json
from typing import Final

from dash import html

from layouts.cards import balance_buttons
from layouts.equity import day_curve
from layouts.live import live_text
from layouts.parts import button

#: What the pill says, by the worst of the link, the account and the feed.
_PILL_TEXTS: Final = {
    "live": "Live",
    "polling": "Polling",
    "no-prices": "No prices",
    "unreadable": "Unreadable",
    "offline": "Offline",
}


def sidebar() -> html.Aside:
    """The sidebar; on a narrow screen it is a bar on top, with the buttons in a menu."""
    return html.Aside(
        [
            html.H1(
                [
                    "Virtual Balance",
                    html.Span("PAPER", className="paper", title="Virtual money only"),
                ],
                className="brand",
            ),
            html.Div(
                [
                    html.Div("Wallet balance, USDT", className="metric-label"),
                    live_text(
                        "balance",
                        id="virtual-balance",
                        className="figure balance-figure",
                        derive="balance",
                    ),
                    "P&L ",
                    live_text(
                        "current_pnl", id="sidebar-pnl", className="pnl-figure", derive="pnl_epoch"
                    ),
                    " ",
                    live_text(
                        "pnl_percent",
                        id="sidebar-pnl-percent",
                        className="pnl-figure",
                        derive="pnl_percent",
                    ),
                    day_curve(),
                ],
                className="sidebar-balance text-body-secondary",
            ),
            html.Div(
                [
                    # written by the page
                    html.Span(id="link-state"),
                    html.Span(id="link-age", className="pill-age"),
                ],
                id="link-pill",
                className="pill",
                title="How far what is shown can be relied on, and how old it is",
                **{"data-texts": json.dumps(_PILL_TEXTS)},
            ),
            button(
                *("Menu", "sidebar-menu-btn", "list"),
                **{"aria-controls": "sidebar-actions", "aria-expanded": "false"},
            ),
            html.Div(
                [
                    *balance_buttons("sidebar"),
                    button("Deposit, withdraw…", "sidebar-money-btn", "plus-slash-minus"),
                ],
                id="sidebar-actions",
                className="sidebar-actions",
            ),
        ],
        className="sidebar",
        **{"aria-label": "Account"},
    )
