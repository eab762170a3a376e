"""The equity over time: the panel of Overview, and the small curve of the last day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from dash import html
from dash.development.base_component import Component

from balance.core.moments import from_iso, milliseconds
from balance.core.rows import Row
from balance.performance.curve import RANGES
from balance.performance.even_points import even_points
from layouts.curve import Line, curve, spark
from layouts.live import derivable, tone
from layouts.parts import choice, empty_state, needs_server

#: The curve of the panel, the choice of its range, and what stands below it.
PANEL: Final = "overview-equity"
RANGE: Final = "overview-range"
FIGURES: Final = "overview-equity-figures"
NOTE: Final = "overview-equity-note"
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
_TOO_YOUNG = "The account is not that old"
# What a flag shows of each kind of entry; its shape is in curves.css.
_LETTERS = {"deposit": "D", "withdrawal": "W", "reset": "R", "undo": "U", "liquidation": "L"}


def equity_panel() -> html.Section:
    """The curve of the equity and of its drawdown, with what is read off it."""
    ranges = choice(RANGE, (), USUAL, label="Range", small=True)
    ranges.children.options = range_options(USUAL)
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
                    html.Div(id=FIGURES, className=f"equity-figures {_IN_A_ROW}"),
                    html.Div(id=NOTE, className=_MUTED, role="status"),
                ],
            ),
        ],
        className="panel equity-panel vstack gap-2",
        style={"--span": 8},
    )


def day_curve() -> html.Div:
    """The equity of the last day, drawn small."""
    return spark(DAY, refresh=_DAY_SECONDS)


def range_options(chosen: str, row: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """The ranges as they can be chosen: the ``chosen`` one, and those that show more of the account
    than a shorter one does, by its ``row`` of the equity; all where there is none."""
    shown = (chosen, *(_distinct(row) if row else RANGES))
    return [
        {
            "label": html.Span(label, title="" if name in shown else _TOO_YOUNG),
            "value": name,
            "disabled": name not in shown,
            "input_id": f"{RANGE}-{name}",
        }
        for name, label in _LABELS.items()
    ]


def _distinct(row: Mapping[str, Any]) -> Iterator[str]:
    """The ranges that show something else than the next shorter one does."""
    now, since = from_iso(row["to"]), from_iso(row["since"] or row["to"])
    shorter = timedelta(-1)
    for name, length in RANGES.items():
        if length is None or now - since > shorter:
            yield name
        shorter = length or shorter


def equity_points(row: Mapping[str, Any]) -> Row:
    """The points of the panel's curve, from a ``row`` of the equity."""
    return {
        **even_points(row["points"], [line.name for line in _LINES]),
        "marks": [_mark(each) for each in row["marks"]],
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
    return {
        "time": milliseconds(from_iso(mark["time"])),
        "key": mark["place"],
        "kind": mark["kind"],
        "letter": _LETTERS.get(mark["kind"], "\N{BULLET}"),
        "text": mark["display"]["words"],
        "href": f"/history?{urlencode({'entry': mark['place']})}",
    }


def range_figures(row: Mapping[str, Any]) -> Sequence[Component]:
    """What is said of a range below its curve, from a ``row`` of the equity."""
    return [
        html.Span(
            [html.Span(f"{label} ", className="text-body-secondary"), _figure(name, row)],
            title=title,
        )
        for name, label, title in _FIGURES
    ]


def _figure(name: str, row: Mapping[str, Any]) -> html.Span:
    text = row["figures"]["display"][name]
    derivation = f"range:{row['range']}:{name}" if name in row["derivations"] else ""
    color = "flat" if name.startswith("equity") else tone(text)
    return html.Span(
        text,
        className="value pnl-figure",
        **{"data-tone": color, **derivable(derivation)},
    )
