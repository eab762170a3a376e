"""The balance cards: wallet balance with Reset and Sync, P&L, total equity, available."""

from dash import html
from dash.development.base_component import Component

from layouts.elements import Elements
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
                _figure("balance", balance_id, "balance-figure"),
                *balance_buttons(prefix),
            ),
            Elements(
                _metric(
                    "P&L",
                    _figure("current_pnl", pnl_id, "pnl-figure", derive="pnl_epoch"),
                    _words(
                        live_text(
                            "pnl_today",
                            id=f"{prefix}-pnl-today",
                            className="pnl-figure",
                            derive="pnl_today",
                        ),
                        " ",
                        live_text(
                            "pnl_today_percent",
                            id=f"{prefix}-pnl-today-percent",
                            className="pnl-figure",
                            derive="pnl_today_percent",
                        ),
                        " today",
                    ),
                    _words(
                        live_text(
                            "pnl_percent",
                            id=f"{prefix}-pnl-percent",
                            className="pnl-figure",
                            derive="pnl_percent",
                        ),
                        " in epoch ",
                        live_text("epoch", id=f"{prefix}-epoch"),
                    ),
                ),
                _metric(
                    "Total equity",
                    _figure("portfolio_value", equity_id, "balance-figure"),
                    _words(
                        live_text(
                            "unrealized_pnl",
                            id=f"{prefix}-unrealized-pnl",
                            className="pnl-figure",
                            derive="unrealized_pnl",
                        ),
                        " unrealised",
                    ),
                ),
                _metric(
                    "Available",
                    _figure("available_balance", available_id, "balance-figure"),
                    _words(
                        live_text("used_margin", id=f"{prefix}-used-margin", derive="used_margin"),
                        " margin in use",
                    ),
                ),
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


def _figure(field: str, id: str, manner: str, derive: str = "") -> html.Span:
    return live_text(field, id=id, className=f"figure {manner}", derive=derive or field)


def _words(*parts: Component | str) -> html.Span:
    return html.Span(list(parts), className="metric-words")


def _metric(label: str, figure: Component, *below: Component | str) -> html.Div:
    return html.Div(
        [label, figure, html.Div(list(below), className="metric-below")],
        className="panel metric",
    )
