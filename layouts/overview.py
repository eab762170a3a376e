"""Overview: what there is, how it went, what is at risk, how it came about, what happened last."""

from dash import html
from dash.development.base_component import Component

from layouts.cards import summary_row
from layouts.equity import equity_panel
from layouts.first import first_minute
from layouts.live import live_text
from layouts.parts import card
from layouts.performance import exposure_panel, glance_panel, performance_panel
from layouts.tab import Place, Tab

# each row: the sign before it, what it is called, the field, and how it stands out
_EQUATION = (
    ("", "Starting balance", "starting_balance", ""),
    ("+", "Deposits", "deposits", ""),
    ("\N{MINUS SIGN}", "Withdrawals", "withdrawals", ""),
    ("+", "Adjustments", "adjustments", "signed"),
    ("+", "Realised P&L", "realized_pnl", "signed"),
    ("\N{MINUS SIGN}", "Fees paid", "fees_paid", ""),
    ("\N{MINUS SIGN}", "Funding paid", "funding_paid", ""),
    ("=", "Wallet balance", "balance", "sum"),
    ("+", "Unrealised P&L", "unrealized_pnl", "signed"),
    ("=", "Portfolio value", "portfolio_value", "sum"),
)
_EXPLAINED = {
    "adjustments": "Gains and losses booked from outside: your own bot, a script, or by hand",
    "realized_pnl": "Closed positions, before fees",
    "unrealized_pnl": "Open positions at their last known mark price",
}


def _build(place: Place) -> Component:
    return html.Div(
        [
            summary_row(
                "overview",
                balance_id="overview-balance",
                pnl_id="overview-pnl",
                equity_id="overview-portfolio-value",
                available_id="overview-available-balance",
            ),
            first_minute(place),
            html.Div(
                [
                    equity_panel(),
                    performance_panel(),
                    exposure_panel(),
                    glance_panel(),
                    card("How the balance comes about", _equation(), className="five"),
                    card(
                        "Newest entries",
                        # drawn by the page
                        html.Div(id="overview-ledger", className="scroller"),
                        className="seven",
                    ),
                ],
                className="overview-grid",
            ),
        ],
        className="tab-body",
    )


def _equation() -> html.Ul:
    return html.Ul([_term(*row) for row in _EQUATION], className="equation")


def _term(sign: str, name: str, field: str, manner: str) -> html.Li:
    figure = {"signed": "pnl-figure", "sum": "balance-figure"}.get(manner, "")
    return html.Li(
        [name, live_text(field, id=f"overview-equation-{field}", className=figure, derive=field)],
        className=manner,
        title=_EXPLAINED.get(field),
        **{"data-sign": sign},
    )


OVERVIEW = Tab(id="overview", label="Overview", path="/", build=_build)
