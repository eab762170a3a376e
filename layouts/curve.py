"""Curves over time: a component, and a callback that returns points into it.

``curve("mine-equity", "Equity of mine", (Line("values", "Equity"),))`` is what a tab needs in its
layout. ``Output(points_of("mine-equity"), "data")`` draws what a callback returns::

    {"start": 1767323040000, "step": 60000, "values": [100, 101.5, None, 99]}

the first point's time and the way to the next one in milliseconds, and the values by the names of
the lines; None where nothing is known, which is drawn as a gap. ``even_points`` makes this of
points at any times. ``Input(due_of("mine-equity"), "data")`` calls the callback when a curve with
``refresh`` comes into sight, and again when the account has changed since.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from balance.core.figures import NONE
from balance.core.snapshot import DISPLAYED
from layouts.elements import Elements
from layouts.live import OF
from layouts.reading import AGAIN, FOLLOWS, PACE

_PLOT, _POINTS = "curve-plot", "curve-points"
# As long as there are not enough points, they are due again after so many milliseconds.
_AGAIN_MILLISECONDS = 4_000


@dataclass(frozen=True)
class Line:
    """One line of a curve, or a figure of its points."""

    # What its values are called in the points.
    name: str
    label: str
    # How a value is written: "$1.00", "+$1.00" or "1.00%".
    unit: Literal["money", "gain", "percent"] = "money"
    # A line, one that is filled down to the axis, one from zero downwards in a drawing of its own
    # below, or none: its values are only read.
    style: Literal["line", "area", "depth", "none"] = "line"
    # A colour of the theme.
    color: str = "accent"
    # The figure of the account, if any, that the newest point follows while prices move.
    live: str = ""
    # The line, if any, in whose proportion the newest value of this one, a drawdown, moves.
    falls_with: str = ""

    @property
    def spoken(self) -> str:
        """What it is called within a sentence, where an abbreviation stays as it is."""
        first, rest = self.label[:1], self.label[1:]
        return (first.lower() if rest[:1].islower() else first) + rest

    def __post_init__(self) -> None:
        if self.live and self.live not in DISPLAYED:
            raise ValueError(f"A line can't follow {self.live!r}: the account has no such figure.")


class _Series(NamedTuple):
    """How Lightweight Charts draws a line."""

    kind: str = ""
    # Its options that are the colour of the line, and those that are a shade of it.
    colors: tuple[str, ...] = ()
    shades: tuple[str, ...] = ()
    pane: int = 0


# By the style of the line.
_SERIES: Final = {
    "line": _Series("LineSeries", ("color",)),
    "area": _Series("AreaSeries", ("lineColor",), ("topColor", "bottomColor")),
    "depth": _Series(
        "BaselineSeries",
        ("topLineColor", "bottomLineColor"),
        ("bottomFillColor1", "bottomFillColor2"),
        pane=1,
    ),
    "none": _Series(),
}
# When the point is of that is read.
_TIME = Line("time", "Time", style="none")


def curve(
    id: str,
    label: str,
    lines: Sequence[Line],
    *,
    points: Mapping[str, Any] | None = None,
    refresh: int | None = None,
    level: bool = False,
    empty: Sequence[Component] = (),
    below: Sequence[Component] = (),
) -> html.Div:
    """The ``lines`` over time, with what is read off them at a moment: by pointer, arrow keys, and
    as a table. It begins with ``points``. Points are due again every ``refresh`` seconds while the
    equity moves. ``level`` is a line at the first value; ``empty`` stands there before two points
    are known, ``below`` under it."""
    plot = html.Div(
        [
            html.Div(className="curve-chart h-100"),
            html.Div(
                className="slider",
                role="slider",
                tabIndex=0,
                **{"aria-label": f"{label}, by arrow keys", "aria-valuenow": 0},
            ),
            html.Div(className="flags position-absolute start-0"),
            *([html.Div(list(empty), className="curve-empty")] if empty else []),
        ],
        id=_id(_PLOT, id),
        className="curve-plot",
        **_declared(lines, level),
        **_following(id, refresh),
    )
    seen = [each for each in lines if each.style == "line"]
    readings = [_reading(each, has_key=len(seen) > 1 and each in seen) for each in lines]
    return html.Div(
        [
            Elements(
                html.Dl(
                    [_reading(_TIME), *readings],
                    className="readout d-flex flex-wrap row-gap-1 column-gap-3 m-0",
                )
            ),
            plot,
            *below,
            html.Details(
                [
                    html.Summary("As a table"),
                    html.Div(
                        _table(lines),
                        className="scroller rows overflow-y-auto",
                        tabIndex=0,
                        role="region",
                        **{"aria-label": f"{label}, newest first"},
                    ),
                ],
                className="curve-table text-body-secondary",
            ),
            *_stores(id, points, refresh),
        ],
        id=id,
        className="curve vstack gap-2",
    )


def spark(
    id: str, points: Mapping[str, Any] | None = None, *, refresh: int | None = None
) -> html.Div:
    """A small curve of the ``values`` among ``points``, with a line at its first one. Beside them
    the points have a ``label``, which says in words what is seen, and a ``tone`` as figures do."""
    label = "" if points is None else points["label"]
    return html.Div(
        [
            _small(label, id=_id(_PLOT, id), **_following(id, refresh)),
            *_stores(id, points, refresh),
        ],
        id=id,
        className="spark-place",
    )


def row_spark(kind: str, key: str, label: str) -> html.Div:
    """A small curve of what the row ``key`` of ``kind`` has as its ``curve``: the P&L after each of
    its trades. It follows the row as a live figure does, without a callback; ``label`` says in
    words what is seen."""
    return _small(label, **{OF: f"{kind}/{key}"})


def _small(label: str, **more: Any) -> html.Div:
    return html.Div(
        className="spark",
        role="img",
        title=label,
        **{"aria-label": label or "No curve yet"},
        **_declared((Line("values", ""),), True, is_small=True),
        **more,
    )


def points_of(id: Any) -> dict[str, Any]:
    """The id of the store of the points of the curve ``id``; the property is ``data``."""
    return _id(_POINTS, id)


def due_of(id: str) -> str:
    """The id of the store that changes when points of the curve ``id`` are due."""
    return f"{id}-due"


def plot_of(id: Any) -> dict[str, Any]:
    """The id of what the curve ``id`` is drawn in."""
    return _id(_PLOT, id)


def _id(kind: str, id: Any) -> dict[str, Any]:
    return {"type": kind, "curve": id}


def _declared(lines: Sequence[Line], level: bool, *, is_small: bool = False) -> dict[str, str]:
    """What the page reads off an element to draw in it."""
    declared = {
        "lines": [
            asdict(each) | {"spoken": each.spoken} | _SERIES[each.style]._asdict() for each in lines
        ],
        "options": _options(is_small=is_small),
        "level": level,
        "small": is_small,
    }
    return {"data-curve": json.dumps(declared)}


def _options(*, is_small: bool) -> dict[str, Any]:
    """The options of Lightweight Charts, but for colours. Nothing is dragged, as all is shown; of a
    small curve, only its line is."""
    is_shown = {"visible": not is_small}
    scale = {**is_shown, "borderVisible": False}
    times = {"timeVisible": True, "allowBoldLabels": False}
    # However many points there are, and however wide it becomes.
    fitting = {"minBarSpacing": 0.001, "lockVisibleTimeRangeOnResize": True}
    return {
        "autoSize": True,
        "handleScroll": False,
        "handleScale": False,
        "layout": {"attributionLogo": not is_small, "panes": {"enableResize": False}},
        "grid": {"vertLines": {"visible": False}, "horzLines": is_shown},
        "rightPriceScale": scale,
        "timeScale": {**scale, **times, **fitting},
        "crosshair": {
            "vertLine": {**is_shown, "labelVisible": False},
            "horzLine": {"visible": False, "labelVisible": False},
        },
    }


def _following(id: str, refresh: int | None) -> dict[str, str | int]:
    """What has points of the curve ``id`` become due every ``refresh`` seconds, if any."""
    if not refresh:
        return {}
    return {FOLLOWS: due_of(id), PACE: refresh * 1_000, AGAIN: _AGAIN_MILLISECONDS}


def _stores(id: str, points: Mapping[str, Any] | None, refresh: int | None) -> list[dcc.Store]:
    due = [dcc.Store(id=due_of(id))] if refresh else []
    return [dcc.Store(id=points_of(id), data=points), *due]


def _reading(line: Line, *, has_key: bool = False) -> html.Div:
    """What is read of a line; where it has a key, in the colour of the line."""
    key = {"className": "key", "style": {"--key": f"var(--{line.color})"}} if has_key else {}
    figure = html.Dd(NONE, className="pnl-figure", **{"data-field": line.name})
    return html.Div([html.Dt(line.label, **key), figure])


def _table(lines: Sequence[Line]) -> html.Table:
    """The table of the points, without its rows."""
    heads = [html.Th(each.label, scope="col", className="number") for each in lines]
    head = html.Thead(html.Tr([html.Th("Time", scope="col"), *heads]))
    return html.Table([head, html.Tbody()], className="ledger")
