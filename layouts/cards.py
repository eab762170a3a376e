"""The balance cards: wallet balance with Reset and Sync, P&L, total equity, available."""

from dash import html
from dash.development.base_component import Component

from layouts.live import live_text
from layouts.parts import button


def summary_row(
    prefix: str,
    *,
    balance_id: str,
    pnl_id: str,
    equity_id: str,
    available_id: str,
) -> html.Div:
    """The four cards of a tab, whose further ids begin with ``prefix``."""
    return html.Div(
        [
            _metric(
                "Wallet balance",
                live_text("balance", id=balance_id, className="figure balance-figure"),
                *balance_buttons(prefix),
            ),
            _metric(
                "P&L",
                live_text("current_pnl", id=pnl_id, className="figure pnl-figure"),
                live_text("pnl_percent", id=f"{prefix}-pnl-percent", className="pnl-figure"),
                " in epoch ",
                live_text("epoch", id=f"{prefix}-epoch"),
            ),
            _metric(
                "Total equity",
                live_text("portfolio_value", id=equity_id, className="figure balance-figure"),
                "unrealised ",
                live_text("unrealized_pnl", id=f"{prefix}-unrealized-pnl", className="pnl-figure"),
            ),
            _metric(
                "Available",
                live_text("available_balance", id=available_id, className="figure balance-figure"),
                "margin in use ",
                live_text("used_margin", id=f"{prefix}-used-margin"),
            ),
        ],
        className="summary-row",
    )


def balance_buttons(prefix: str) -> tuple[Component, Component]:
    """Sync and Reset, as every place that shows the balance has them."""
    return (
        button(
            "Sync",
            f"{prefix}-sync-balance-btn",
            "arrow-repeat",
            title="Fetch the balance now",
        ),
        button(
            "Reset",
            f"{prefix}-reset-balance-btn",
            "arrow-counterclockwise",
            color="danger",
            title="Begin anew with a starting balance",
        ),
    )


def _metric(label: str, figure: Component, *below: Component | str) -> html.Div:
    return html.Div(
        [label, figure, html.Div(list(below), className="metric-below")],
        className="panel metric",
    )
