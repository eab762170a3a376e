"""Auto Trading: the bots, those of others, what they did and why."""

from dash import html
from dash.development.base_component import Component

from layouts.auto_keys import outside_bots
from layouts.cards import summary_row
from layouts.parts import button
from layouts.tab import Place, Tab


def _build(place: Place) -> Component:
    return html.Div(
        [
            summary_row(
                "auto",
                balance_id="auto-balance-display",
                pnl_id="auto-pnl-display",
                equity_id="auto-total-balance",
                available_id="auto-available-balance",
            ),
            _bots(place),
            outside_bots(place),
            _activity(),
        ],
        className="tab-body",
    )


def _bots(place: Place) -> html.Section:
    """The bots; their list is drawn by the page."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Bots", className="panel-title"),
                    # how many run, and what they made
                    html.Span(id="auto-bots-summary", className="bots-summary"),
                    button("New bot", "auto-new-bot", "plus-lg", color="primary", outline=False),
                    button("Stop all", "auto-stop-all", "stop-circle", color="danger"),
                ],
                className="bots-head",
            ),
            html.P(id="auto-bots-words", className="bots-words", role="status"),
            html.Div(id="auto-bots-list", className="bots-place"),
        ],
        id="auto-bots",
        className="panel bots-panel",
        # what a bot may trade
        **{"data-symbols": " ".join(place.symbols)},
    )


def _activity() -> html.Section:
    """What the bots decided and traded; drawn by the page."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Activity", className="panel-title"),
                    html.Div(id="auto-activity-filters", className="activity-filters"),
                ],
                className="bots-head",
            ),
            html.Div(
                id="auto-activity-list",
                className="bots-place",
                tabIndex=0,
                role="region",
                **{"aria-label": "What happened, newest first"},
            ),
            html.Div(
                button("Older", "auto-activity-older", "chevron-right"),
                id="auto-activity-pager",
                className="pager",
                hidden=True,
            ),
        ],
        id="auto-activity",
        className="panel bots-panel",
    )


AUTO = Tab(id="auto", label="Auto Trading", path="/auto", build=_build)
