"""The dialog of a backtest: what it runs on, how far it is, and what came of it."""

from collections.abc import Mapping
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from balance.core.instruments import label as symbol_label
from balance.performance.even_points import even_points
from layouts.activity import folded, trade_table
from layouts.curve import Line, curve
from layouts.dialogs import CLOSES, dialog
from layouts.live import tone
from layouts.parts import button, choice, field, number_entry, select, unit_field

#: The store of what is tested, which opens the dialog: the ``settings`` of a bot, and its strategy
#: in ``words``.
TESTED: Final = "backtest-request"
#: The store of the file that was sent, as ``POST /candles`` answers it, and that of the id of what
#: runs now, which is empty while it is being started.
CANDLES: Final = "backtest-candles"
RUNNING: Final = "backtest-running"
#: Counts while something runs: how far it is is read then.
INTERVAL: Final = "backtest-interval"

_POLL_MILLISECONDS: Final = 300
_SOURCES: Final = (("This feed's past", "feed"), ("A file", "file"))
_HOURS: Final = {
    "6": "the last 6 hours",
    "24": "the last 24 hours",
    "72": "the last 3 days",
    "all": "all there is",
}
_USUAL_HOURS: Final = "24"
_DATES: Final = {
    "file": "as the file says",
    "DD/MM/YYYY": "the day first",
    "MM/DD/YYYY": "the month first",
}
_LINES: Final = (
    Line("equity", "Equity"),
    Line("hold", "Buy and hold", color="muted"),
)

Row = Mapping[str, Any]


def backtest_dialog() -> dbc.Modal:
    """Runs the settings of a bot over the past of the market, or over a file of candles."""
    return dialog(
        "backtest",
        "Backtest",
        [
            html.P(id="backtest-what", className="dialog-words"),
            html.Div(
                [
                    choice("backtest-source", _SOURCES, "feed", label="Candles", small=True),
                    _select("hours", "How much of it", _HOURS, _USUAL_HOURS),
                    html.Div(
                        [
                            dbc.Label("File", html_for="backtest-file"),
                            # the page puts its field for a file here
                            html.Div(id="backtest-file-place"),
                            html.Div(id="backtest-file-words", className="hint", role="status"),
                        ],
                        id="backtest-file-field",
                        className="field words",
                        hidden=True,
                    ),
                    _select("dates", "Dates such as 03/02/2025", _DATES, "file", hidden=True),
                    unit_field(
                        "Starting balance", number_entry("backtest-balance", value="10,000"), "USDT"
                    ),
                    html.Div(
                        [
                            button(
                                "Run", "backtest-run", "play-fill", color="primary", outline=False
                            ),
                            button("Cancel", "backtest-cancel", "x-circle"),
                        ],
                        id="backtest-buttons",
                    ),
                ],
                className="backtest-choices d-flex flex-wrap align-items-end gap-3",
            ),
            html.Div(
                [
                    html.Progress(id="backtest-bar", max=1, value=0, **{"aria-label": "Progress"}),
                    html.Span(id="backtest-percent"),
                ],
                id="backtest-progress",
                className="hstack gap-3",
                hidden=True,
            ),
            html.P(id="backtest-words", className="dialog-words", role="status"),
            html.Div(id="backtest-result", className="stack"),
            dcc.Store(id=CANDLES),
            dcc.Store(id=RUNNING),
            dcc.Interval(id=INTERVAL, interval=_POLL_MILLISECONDS, disabled=True),
        ],
        [
            button("Close", "backtest-close", **{CLOSES: "backtest-dialog"}),
        ],
        size="xl",
    )


def subject_text(settings: Row, strategy: str) -> str:
    """What is tested, in a sentence: the ``settings`` of a bot, and its ``strategy`` in words."""
    size = f"{settings['stake']}{'%' if settings['stake_unit'] == 'percent' else ' USDT'}"
    return (
        f"{settings['name']}: {strategy} on {symbol_label(settings['symbol'])}, candles of "
        f"{settings['timeframe']}, {size} at {settings['leverage']}x."
    )


def file_text(file: Row) -> str:
    """What is in a ``file`` of candles, in sentences."""
    of_symbol = f" of {symbol_label(file['symbol'])}" if file["symbol"] else ""
    span = f"{_minute(file['from'])} to {_minute(file['to'])} UTC."
    length = f"{file['seconds'] / 60:g} min, {span}"
    text = f"{file['name']}: {file['candles']:,} candles{of_symbol} of {length}"
    return " ".join([text, *file["notes"]])


def span_text(result: Row) -> str:
    """What a backtest went through, in a sentence."""
    span = f"{_minute(result['from'])} to {_minute(result['to'])} UTC."
    return f"{result['candles']:,} candles, {span}"


def report(result: Row) -> list[Component]:
    """What came of a backtest: its figures, its curve and its trades."""
    parts: list[Component] = [
        html.Dl(
            [_metric(each, result["display"][each["name"]]) for each in result["figures"]],
            className="metrics",
        )
    ]
    if len(result["curve"]) > 1:
        points = even_points(result["curve"], [each.name for each in _LINES])
        parts.append(
            curve("backtest-curve", "Equity of the backtest", _LINES, points=points, level=True)
        )
    if result["rows"]:
        title = html.H3(
            _trades_title(len(result["rows"]), result["trades"]), className="part-title"
        )
        table = trade_table(result["rows"], when=_when, has_owner=False)
        list_of_trades = html.Div(
            table,
            className="backtest-trades",
            tabIndex=0,
            role="region",
            **{"aria-label": "Trades"},
        )
        parts += [title, list_of_trades]
    return parts


def failure(text: str) -> list[Component]:
    """Where a strategy has failed, where ``text`` says more than that."""
    return [folded(text, "Where it failed")] if "\n" in text else []


def _select(
    name: str, label: str, labels: Mapping[str, str], value: str, *, hidden: bool = False
) -> html.Div:
    control = select(f"backtest-{name}", labels, value=value)
    return field(label, control, className="words", hidden=hidden)


def _metric(figure: Row, text: str) -> html.Div:
    more = {"className": "pnl-figure", "data-tone": tone(text)} if figure["is_signed"] else {}
    return html.Div([html.Dt(figure["label"]), html.Dd(text, **more)])


def _trades_title(count: int, whole: int) -> str:
    trades = "1 trade" if whole == 1 else f"{whole:,} trades"
    return f"The newest {count} of {trades}" if count < whole else f"{trades}, newest first"


def _when(time: str, _symbol: str) -> html.Time:
    return html.Time(_minute(time), dateTime=time, title=f"{time[:19].replace('T', ' ')} UTC")


def _minute(time: str) -> str:
    return f"{time[:10]} {time[11:16]}"
