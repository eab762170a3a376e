"""Overview: what there is, how it went, what is at risk, how it came about, what happened last."""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode

from dash import dcc, html
from dash.development.base_component import Component

from layouts.cards import summary_row
from layouts.elements import Elements
from layouts.equity import equity_panel
from layouts.exposure import exposure_panel, glance_panel
from layouts.first import first_minute
from layouts.live import live_text
from layouts.parts import card, moment
from layouts.performance import performance_panel
from layouts.tab import Place, Tab

#: Where the newest entries are drawn, and the store whose change has them drawn anew.
LEDGER: Final = "overview-ledger"
DRAWN: Final = "overview-ledger-drawn"
#: How many of them there are.
NEWEST: Final = 9
# Each column of theirs: what it is called, and its class.
_COLUMNS: Final = (
    ("When", ""),
    ("What", ""),
    ("Note", "note"),
    ("Amount", "number"),
    ("Balance after", "number after"),
)

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
                    card("How the balance comes about", Elements(_equation()), style={"--span": 5}),
                    card(
                        "Newest entries",
                        Elements(id=LEDGER, className="scroller"),
                        dcc.Store(id=DRAWN),
                        style={"--span": 7},
                    ),
                ],
                className="overview-grid",
            ),
        ],
        className="tab-body",
    )


def newest_entries(rows: Iterable[Mapping[str, Any]], path: str = "/history") -> html.Table:
    """The newest entries of the ledger, each a link to all that there is to say of it; ``path`` is
    where the history is."""
    heads = [html.Th(head, scope="col", className=name) for head, name in _COLUMNS]
    return html.Table(
        [html.Thead(html.Tr(heads)), html.Tbody([_entry(each, path) for each in rows])],
        className="ledger",
    )


def _entry(row: Mapping[str, Any], path: str) -> html.Tr:
    place, display = row["place"], row["display"]
    link = html.A(
        display["kind"],
        id=f"overview-entry-{place}".replace(".", "-"),
        href=f"{path}?{urlencode({'entry': place})}",
    )
    tone = {"data-tone": display["tone"]}
    return html.Tr(
        [
            html.Td(moment(row["time"]), className="when"),
            html.Td(link, className="what"),
            html.Td(row["note"], className="note", title=row["note"]),
            html.Td(display["amount"], className="number pnl-figure", **tone),
            html.Td(display["balance"], className="number after"),
        ],
        key=place,
    )


def _equation() -> html.Ul:
    return html.Ul([_term(*row) for row in _EQUATION], className="equation list-unstyled m-0")


def _term(sign: str, name: str, field: str, manner: str) -> html.Li:
    figure = {"signed": "pnl-figure", "sum": "balance-figure"}.get(manner, "")
    return html.Li(
        [name, live_text(field, id=f"overview-equation-{field}", className=figure, derive=field)],
        className=manner,
        title=_EXPLAINED.get(field),
        **{"data-sign": sign},
    )


OVERVIEW = Tab(id="overview", label="Overview", path="/", build=_build)
