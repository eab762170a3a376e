"""Auto Trading: the bots, those of others, what they did and why."""

from collections.abc import Mapping
from typing import Final
from uuid import uuid4

from dash import dcc, html
from dash.development.base_component import Component

from balance.bots.log import ACTION
from layouts.auto_keys import key_dialog, outside_bots, revoke_dialog
from layouts.backtest import TESTED, backtest_dialog
from layouts.bot_form import bot_dialog
from layouts.bots import EDITED, PRESSED, question_dialog
from layouts.cards import summary_row
from layouts.elements import Elements
from layouts.live import live_figure
from layouts.parts import button, choice, needs_server, pressing, select, unseen_label
from layouts.tab import Place, Tab

#: The view of the activity that is not the trades.
DECISIONS: Final = "decisions"
#: What a filter is that lets all through.
EVERYTHING: Final = "all"

_VIEWS: Final = (("Decisions", DECISIONS), ("Trades", "trades"))
_KINDS: Final = {
    ACTION: "Actions",
    EVERYTHING: "Everything",
    "trade": "Trades",
    "ignored": "Ignored",
    "error": "Errors",
    "state": "State",
}


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
            _bots(),
            outside_bots(place),
            _activity(),
        ],
        className="tab-body",
    )


def _bots() -> html.Section:
    """The bots; their rows are drawn once they are known."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Bots", className="panel-title"),
                    # how many run, and what they made
                    html.Span(
                        [
                            live_figure("bots-together", "all", "summary", text=""),
                            " ",
                            live_figure("bots-together", "all", "total", "pnl-figure", text=""),
                        ],
                        id="auto-bots-summary",
                        className="bots-summary",
                    ),
                    needs_server(
                        [
                            button(
                                "New bot", "auto-new-bot", "plus-lg", color="primary", outline=False
                            ),
                            button(
                                "Stop all",
                                "auto-stop-all",
                                "stop-circle",
                                color="danger",
                                **pressing(PRESSED, verb="stop_all", bot=""),
                            ),
                        ],
                    ),
                ],
                className="panel-head",
            ),
            html.P(id="auto-bots-words", className="warning mb-2", role="status"),
            Elements(id="auto-bots-list", className="bots-place"),
            # what separates one request of this page's from another
            dcc.Store(id="auto-bots-request", data=uuid4().hex),
            dcc.Store(id=PRESSED),
            dcc.Store(id=EDITED),
        ],
        id="auto-bots",
        className="panel bots-panel",
    )


def _activity() -> html.Section:
    """What the bots decided and traded."""
    return html.Section(
        [
            needs_server(
                [
                    html.H2("Activity", className="panel-title"),
                    html.Span(className="bots-summary"),
                    choice("auto-activity-view", _VIEWS, DECISIONS, label="What is listed"),
                    _select("auto-activity-bot", "Bot", {EVERYTHING: "All bots"}, EVERYTHING),
                    html.Div(
                        _select("auto-activity-kind", "Kind", _KINDS, ACTION),
                        id="auto-activity-kinds",
                    ),
                ],
                "panel-head",
            ),
            Elements(
                id="auto-activity-list",
                className="bots-place",
                tabIndex=0,
                role="region",
                **{"aria-label": "What happened, newest first"},
            ),
            needs_server(
                [
                    html.Div(
                        button("Older", "auto-activity-older", "chevron-right"),
                        id="auto-activity-pager",
                        className="hstack justify-content-end mt-3",
                        hidden=True,
                    )
                ]
            ),
            dcc.Store(id="auto-activity-pages", data=1),
        ],
        id="auto-activity",
        className="panel bots-panel",
    )


def _select(id: str, label: str, labels: Mapping[str, str], value: str) -> html.Div:
    return html.Div([unseen_label(label, id), select(id, labels, value=value, size="sm")])


def auto_dialogs(place: Place) -> list[Component]:
    """What the tab opens, and the stores of what it draws anew."""
    return [
        bot_dialog(place.symbols),
        question_dialog(),
        key_dialog(),
        revoke_dialog(),
        backtest_dialog(),
        dcc.Store(id="bots-drawn"),
        dcc.Store(id="keys-drawn"),
        dcc.Store(id="bots-activity"),
        dcc.Store(id=TESTED),
    ]


AUTO = Tab(id="auto", label="Auto Trading", path="/auto", build=_build)
