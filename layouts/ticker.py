"""The ticker strip: the newest price of every symbol, and where it comes from, on every tab."""

from collections.abc import Sequence

from dash import html

from layouts.elements import Elements
from layouts.live import live_price


def ticker(symbols: Sequence[str]) -> html.Div:
    """The strip over the tabs for ``symbols``; what the feed is and says is written by the page."""
    return html.Div(
        [
            html.Div(
                Elements(*map(_item, symbols)),
                className="ticker-items",
                role="group",
                **{"aria-label": "All symbols"},
            ),
            html.Span(id="market-label", className="market-label"),
        ],
        id="ticker",
        className="ticker",
        **{"aria-label": "Prices", "role": "region"},
    )


def _item(symbol: str) -> html.Span:
    name = symbol.replace("/", "-")
    return html.Span(
        [
            symbol,
            live_price("last", symbol, id=f"ticker-{name}-last", className="ticker-price"),
            live_price(
                "change_percent", symbol, id=f"ticker-{name}-change", className="pnl-figure"
            ),
        ],
        className="ticker-item d-flex gap-2 text-body-secondary",
        title="Last price, and its change within a day",
    )
