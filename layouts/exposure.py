"""What is held of each symbol: how much of it is at risk, and the positions at a glance."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from layouts.elements import Elements
from layouts.live import derivable, live_figure, live_text
from layouts.parts import card, empty_state

#: Where both are drawn, and the store whose change has them drawn anew.
BARS: Final = "overview-exposure-bars"
GLANCES: Final = "overview-glance"
DRAWN: Final = "overview-positions-drawn"

_EXPOSURES: Final = (
    ("Long", "long_exposure"),
    ("Short", "short_exposure"),
    ("Net", "net_exposure"),
    ("Gross, of equity", "exposure_percent"),
)
_NOTHING: Final = (
    "circle-half",
    "Nothing is at risk",
    "What you hold long or short is shown here against your equity. Open a position on Futures "
    "Trading.",
)
_NONE_OPEN: Final = (
    "graph-up-arrow",
    "No open positions",
    "Your positions are listed here with their profit or loss, and how far away liquidation is.",
)

Row = Mapping[str, Any]


def exposure_panel() -> html.Section:
    """What is held long and short, in all and by symbol."""
    return card(
        "Exposure",
        Elements(html.Dl([_exposure(*each) for each in _EXPOSURES], className="exposures")),
        Elements(id=BARS),
        dcc.Store(id=DRAWN),
        style={"--span": 4},
    )


def glance_panel() -> html.Section:
    """The open positions in a line each, and how many orders wait."""
    return html.Section(
        [
            html.Div(
                [
                    html.H2("Positions", className="panel-title m-0"),
                    _choosing(
                        ["Open orders ", live_text("order_count", id="overview-order-count")],
                        *("futures-book", "orders"),
                        id="overview-orders",
                        className="text-reset lh-lg",
                    ),
                ],
                className="d-flex flex-wrap column-gap-3 justify-content-between",
            ),
            Elements(id=GLANCES),
        ],
        className="panel",
        style={"--span": 8},
    )


def exposure_bars(positions: Iterable[Row]) -> Component:
    """How much is held of each symbol, in the order of ``positions``; the page draws the bars."""
    rows = [_bar(each) for each in positions]
    return (
        html.Ul(rows, className="exposure-bars list-unstyled m-0")
        if rows
        else empty_state(*_NOTHING)
    )


def glances(positions: Iterable[Row], path: str = "/futures") -> Component:
    """The ``positions`` in a line each; ``path`` is where they are traded."""
    rows = [_glance(each, path) for each in positions]
    return html.Ul(rows, className="list-unstyled m-0") if rows else empty_state(*_NONE_OPEN)


def _exposure(name: str, field: str) -> html.Div:
    place = f"overview-{field.replace('_', '-')}"
    return html.Div([html.Dt(name), html.Dd(live_text(field, id=place, derive=field))])


def _bar(position: Row) -> html.Li:
    symbol = position["symbol"]
    words = [live_figure("positions", symbol, "side"), " ", _figure(position, "notional")]
    if position["exposure_percent"] is not None:
        words += [", ", _figure(position, "exposure_percent")]
    bar = html.Span(className="bar", **{"data-side": position["side"], "data-bar": symbol})
    return html.Li(
        [
            html.Span(symbol, className="fw-semibold"),
            html.Span(
                words,
                className="exposure-words text-body-secondary",
                **derivable(f"notional:{symbol}"),
            ),
            html.Span(bar, className="scale", **{"aria-hidden": "true"}),
        ],
        key=symbol,
    )


def _glance(position: Row, path: str) -> html.Li:
    symbol, price = position["symbol"], position["display"]["liquidation_price"]
    distance: list[Component | str] = ["no liquidation"]
    title = ""
    if position["liquidation_price"] is not None:
        distance = [_figure(position, "liquidation_distance_percent"), " to liquidation"]
        title = f"Liquidated at a mark price of {price}"
    return html.Li(
        [
            _choosing(
                symbol,
                "futures-symbol",
                symbol,
                href=path,
                id=f"overview-glance-{symbol}",
                className="symbol text-body fw-semibold text-decoration-none stretched-link",
            ),
            html.Span(
                position["display"]["side_words"],
                className="side",
                **{"data-side": position["side"]},
            ),
            _figure(position, "unrealized_pnl", "pnl pnl-figure", derive="unrealized_pnl"),
            _figure(position, "roe_percent", "roe pnl-figure", derive="roe_percent"),
            html.Span(distance, className="distance text-end text-body-secondary", title=title),
        ],
        className="glance position-relative",
        key=symbol,
    )


def _figure(position: Row, field: str, className: str = "", *, derive: str = "") -> html.Span:
    symbol = position["symbol"]
    more = derivable(f"{derive}:{symbol}") if derive else {}
    text = position["display"][field]
    return live_figure("positions", symbol, field, className, text=text, **more)


def _choosing(
    words: Component | str | list[Component | str],
    choice: str,
    value: str,
    *,
    href: str = "/futures",
    **more: object,
) -> html.A:
    """A link to Futures Trading that makes one of its choices."""
    return html.A(words, href=href, **{"data-choice": choice, "data-value": value, **more})
