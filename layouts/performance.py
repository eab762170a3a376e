"""The panels of how the account went and what is at risk; what is drawn is drawn by the page."""

from typing import Any

from dash import html

from balance.core.figures import NONE
from balance.performance.account_figures import ACCOUNT_FIGURES
from balance.performance.figures import FIGURES, Figure
from layouts.live import derivable, live_text
from layouts.parts import card

# what it is called, the live figure, and its derivation
_PERIODS = (
    ("Today", "pnl_today", "pnl_today"),
    ("This week", "pnl_week", "pnl_week"),
    ("This epoch", "current_pnl", "pnl_epoch"),
    ("All time", "pnl_all_time", "pnl_all_time"),
)
_EXPOSURES = (
    ("Long", "long_exposure"),
    ("Short", "short_exposure"),
    ("Net", "net_exposure"),
    ("Gross, of equity", "exposure_percent"),
)


def performance_panel() -> html.Section:
    """P&L by period, and how well the trades of this epoch went."""
    return card(
        "Performance",
        html.Dl([_period(*each) for each in _PERIODS], className="periods"),
        html.Dl(
            [_figure(each) for each in (*FIGURES, *ACCOUNT_FIGURES) if each.is_shown],
            className="performance",
        ),
        html.P(id="overview-performance-note", className="equity-note", role="status"),
        className="four",
    )


def _period(name: str, field: str, derivation: str) -> html.Div:
    place = f"overview-period-{field.replace('_', '-')}"
    figure = live_text(field, id=place, className="pnl-figure", derive=derivation)
    return html.Div([html.Dt(name), html.Dd(figure)])


def _figure(figure: Figure[Any]) -> html.Div:
    text = html.Span(
        NONE,
        id=f"overview-performance-{figure.name.replace('_', '-')}",
        className="pnl-figure",
        **{"data-performance": figure.name, "data-tone": "flat", **derivable(figure.name)},
    )
    return html.Div([html.Dt(figure.label), html.Dd(text)])


def exposure_panel() -> html.Section:
    """What is held long and short, in all and by symbol."""
    return card(
        "Exposure",
        html.Dl([_exposure(*each) for each in _EXPOSURES], className="exposures"),
        html.Ul(id="overview-exposure-bars", className="exposure-bars", hidden=True),
        html.Div(id="overview-exposure-bars-empty", hidden=True),
        className="four",
    )


def _exposure(name: str, field: str) -> html.Div:
    place = f"overview-{field.replace('_', '-')}"
    return html.Div([html.Dt(name), html.Dd(live_text(field, id=place, derive=field))])


def glance_panel() -> html.Section:
    """The open positions in a line each, and how many orders wait."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Positions", className="panel-title"),
                    html.A(
                        ["Open orders ", live_text("order_count", id="overview-order-count")],
                        id="overview-orders",
                        href="/futures",
                        **{"data-choice": "futures-book", "data-value": "orders"},
                    ),
                ],
                className="equity-head",
            ),
            html.Ul(id="overview-glance", className="glances", hidden=True),
            html.Div(id="overview-glance-empty", hidden=True),
        ],
        className="panel eight",
    )
