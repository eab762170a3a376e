"""The equity over time: the panel of Overview, and the small curve of the last day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from dash import html

from balance.core.moments import from_iso, milliseconds
from balance.core.rows import Row
from balance.performance.curve import RANGES
from balance.performance.even_points import even_points
from layouts.curve import Line, curve, spark
from layouts.live import derivable, live_figure, tone
from layouts.parts import choice, empty_state, needs_server

#: The curve of the panel, the choice of its range, and where the page fetches what is drawn of it.
PANEL: Final = "overview-equity"
RANGE: Final = "overview-range"
DRAWN_AT: Final = "/equity/drawn"
#: The small curve of the sidebar.
DAY: Final = "sidebar-equity"
#: The range that a page begins with.
USUAL: Final = "day"

# New points are drawn every so many seconds while the equity moves.
_PANEL_SECONDS, _DAY_SECONDS = 10, 60
_LABELS = dict(zip(RANGES, ("1D", "1W", "1M", "3M", "1Y", "All"), strict=True))
_LINES = (
    Line("equity", "Equity", style="area", live="portfolio_value"),
    Line("pnl", "P&L, all time", "gain", style="none", live="pnl_all_time"),
    Line("drawdown", "Drawdown", "percent", style="depth", color="loss", falls_with="equity"),
)
_EMPTY = (
    "graph-up",
    "The curve begins here",
    "The equity is recorded from now on, about every 5 s while prices move and at each change, "
    "whether a browser is open or not. In a few seconds there is something to draw.",
)
_FIGURES = (
    ("equity_low", "Lowest", "The lowest equity in this range"),
    ("equity_high", "Highest", "The highest equity in this range"),
    ("pnl", "P&L", "Gained or lost in this range, whatever was put in or taken out"),
    (
        "return_percent",
        "Return",
        "Time-weighted: the returns between deposits, withdrawals and resets, multiplied",
    ),
    ("max_drawdown_percent", "Drawdown", "The furthest below the best before, of the same epoch"),
)
_IN_A_ROW = "d-flex flex-wrap row-gap-1 column-gap-3 align-items-baseline"
_MUTED = "text-body-secondary"
# Those that say how they come about.
_DERIVED = ("pnl", "return_percent")
# What a flag shows of each kind of entry; its shape is in curves.css.
_LETTERS = {"deposit": "D", "withdrawal": "W", "reset": "R", "undo": "U", "liquidation": "L"}


def equity_panel() -> html.Section:
    """The curve of the equity and of its drawdown, with what is read off it."""
    ranges = choice(RANGE, (), USUAL, label="Range", small=True)
    ranges.children.options = [
        {"label": label, "value": name, "input_id": f"{RANGE}-{name}"}
        for name, label in _LABELS.items()
    ]
    head = [html.H2("Equity", className="panel-title m-0"), needs_server([ranges])]
    return html.Section(
        [
            html.Div(head, className=f"{_IN_A_ROW} justify-content-between"),
            curve(
                PANEL,
                "Equity over time",
                _LINES,
                refresh=_PANEL_SECONDS,
                empty=[empty_state(*_EMPTY)],
                below=[
                    html.Div(
                        [_figure(*each) for each in _FIGURES],
                        id="overview-equity-figures",
                        className=f"equity-figures {_IN_A_ROW}",
                    ),
                    html.Div(id="overview-equity-note", className=_MUTED, role="status"),
                ],
            ),
        ],
        className="panel equity-panel vstack gap-2",
        style={"--span": 8},
    )


def day_curve() -> html.Div:
    """The equity of the last day, drawn small."""
    return spark(DAY, refresh=_DAY_SECONDS)


def _distinct(row: Mapping[str, Any]) -> Iterator[str]:
    """The ranges that show something else than the next shorter one does."""
    now, since = from_iso(row["to"]), from_iso(row["since"] or row["to"])
    shorter = timedelta(-1)
    for name, length in RANGES.items():
        if length is None or now - since > shorter:
            yield name
        shorter = length or shorter


def equity_range(row: Mapping[str, Any]) -> Row:
    """What the panel shows of a range, from a ``row`` of the equity: the points of its curve, the
    texts of its figures, what is said of it, and the ranges that show more than a shorter one."""
    return {
        "points": {
            **even_points(row["points"], [line.name for line in _LINES]),
            "marks": [_mark(each) for each in row["marks"]],
        },
        "display": row["figures"]["display"],
        "words": row["words"],
        "ranges": list(_distinct(row)),
    }


def day_points(row: Mapping[str, Any]) -> Row:
    """The points of the small curve, from a ``row`` of the equity."""
    text = row["figures"]["display"]
    return {
        **even_points(row["points"], ["values"]),
        "tone": tone(text["pnl"]),
        "label": f"Equity of the last day: P&L {text['pnl']}, between {text['equity_low']} and "
        f"{text['equity_high']}",
    }


def _mark(mark: Mapping[str, Any]) -> Row:
    time = from_iso(mark["time"])
    return {
        "time": milliseconds(time),
        "key": mark["place"],
        "kind": mark["kind"],
        "letter": _LETTERS.get(mark["kind"], "\N{BULLET}"),
        "title": f"{mark['display']['words']}, {time:%d %b %Y %H:%M:%S UTC}",
        "href": f"/history?{urlencode({'entry': mark['place']})}",
    }


def _figure(name: str, label: str, title: str) -> html.Span:
    """A figure of the range below its curve."""
    derivation = f"range:{USUAL}:{name}" if name in _DERIVED else ""
    figure = live_figure("ranges", PANEL, name, "value pnl-figure", **derivable(derivation))
    return html.Span([html.Span(f"{label} ", className=_MUTED), figure], title=title)
