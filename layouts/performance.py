"""The panels of how the account went: its equity over time, and its performance in figures."""

from typing import Any

from dash import html

from balance.performance.account_figures import ACCOUNT_FIGURES
from balance.performance.figures import FIGURES, Figure
from layouts.elements import Elements
from layouts.live import derivable, live_figure, live_text
from layouts.parts import card

# what it is called, the live figure, and its derivation
_PERIODS = (
    ("Today", "pnl_today", "pnl_today"),
    ("This week", "pnl_week", "pnl_week"),
    ("This epoch", "current_pnl", "pnl_epoch"),
    ("All time", "pnl_all_time", "pnl_all_time"),
)


def performance_panel() -> html.Section:
    """P&L by period, and how well the trades of this epoch went."""
    return card(
        "Performance",
        Elements(
            html.Dl([_period(*each) for each in _PERIODS], className="periods"),
            html.Dl(
                [_figure(each) for each in (*FIGURES, *ACCOUNT_FIGURES) if each.is_shown],
                className="performance m-0",
            ),
        ),
        style={"--span": 4},
    )


def _period(name: str, field: str, derivation: str) -> html.Div:
    place = f"overview-period-{field.replace('_', '-')}"
    figure = live_text(field, id=place, className="pnl-figure", derive=derivation)
    return html.Div([html.Dt(name), html.Dd(figure)])


def _figure(figure: Figure[Any]) -> html.Div:
    name = figure.name
    text = live_figure(
        *("performance", "account", name),
        "pnl-figure",
        id=f"overview-performance-{name.replace('_', '-')}",
        **derivable(name),
    )
    return html.Div(
        [html.Dt(figure.label), html.Dd(text)],
        className="d-flex align-items-center justify-content-between gap-3 text-end",
    )
