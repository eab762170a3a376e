"""Live text: how a figure of the account gets onto a tab, with one line.

``live_text("portfolio_value", id="my-tab-equity")`` is all that a tab needs. The layout itself is
the registry: whatever carries ``data-live`` is found in it, filled for the first paint and fed
from ``balance-store`` from then on, also where it comes into the page later.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from dash import html
from dash.development.base_component import Component

from balance.core.figures import NONE
from balance.core.rows import PRICE_FIELDS
from balance.core.snapshot import DISPLAYED

LIVE = "data-live"
#: The row whose figure is shown, as ``bots/trend-1``; without it, it is the account's or a price.
OF = "data-of"
#: What opens the derivation that it names.
DERIVE = "data-derive"

# a figure of many letters is written smaller; as in assets/live.js
_LONG, _LONGEST = 13, 17


def live_text(field: str, id: str, className: str = "", *, derive: str = "") -> html.Span:
    """The text of ``field``, always as the account has it; where ``derive`` names a derivation, a
    button that opens it.

    ``field`` is a name in the snapshot's ``display``: ``balance``, ``portfolio_value``,
    ``current_pnl``, ``pnl_percent``, ``available_balance``, ``revision`` and so on.

    Raises:
        ValueError: there is no such field.
    """
    if field not in DISPLAYED:
        known = ", ".join(DISPLAYED)
        raise ValueError(f"live_text can't show {field!r}; it can show {known}.")
    return html.Span(
        NONE,
        id=id,
        className=f"live {className}".strip(),
        **{LIVE: field, "data-tone": "flat", **derivable(derive)},
    )


def derivable(name: str) -> dict[str, str]:
    """What lets a figure open how it comes about, by the ``name`` of its derivation, as a button
    does; nothing where it is empty."""
    if not name:
        return {}
    return {DERIVE: name, "role": "button", "tabIndex": "0", "title": "How this comes about"}


def live_price(field: str, symbol: str, id: str, className: str = "") -> html.Span:
    """The text of one of a symbol's prices, always as the feed has it.

    ``field`` is ``last``, ``mark``, ``mark_source``, ``bid``, ``ask``, ``change_percent`` or
    ``funding_rate``.

    Raises:
        ValueError: there is no such field.
    """
    if field not in PRICE_FIELDS:
        raise ValueError(f"live_price can't show {field!r}; it can show {', '.join(PRICE_FIELDS)}.")
    return html.Span(
        NONE,
        id=id,
        className=f"live {className}".strip(),
        **{LIVE: field, "data-symbol": symbol, "data-tone": "flat"},
    )


def live_figure(
    kind: str, key: str, field: str, className: str = "", *, text: str = NONE, **more: object
) -> html.Span:
    """The text ``field`` in the ``display`` of one row, always as the server has it: ``kind`` is
    what the rows are, such as ``bots`` or ``positions``, and ``key`` which of them it is. ``text``
    is what it shows first."""
    return html.Span(
        text,
        className=f"live {className}".strip(),
        **{
            LIVE: field,
            OF: f"{kind}/{key}",
            "data-tone": tone(text),
            "data-length": length(text),
            **more,
        },
    )


def live_moment(kind: str, key: str, field: str, time: str, symbol: str = "") -> html.Time:
    """How long ago the time ``field`` in the ``display`` of one row is, as :func:`live_figure`
    shows a text; ``time`` is what it is first, and empty where there is none. With a ``symbol`` it
    is by the time of its market."""
    market = {"data-market": symbol} if symbol else {}
    live = {LIVE: field, OF: f"{kind}/{key}"}
    return html.Time(className="moment", dateTime=time, **market, **live)


def live_components(layout: Component) -> Iterator[Component]:
    """Every component in ``layout`` that shows a figure of the account or a price."""
    return (
        each
        for each in everything(layout)
        if getattr(each, LIVE, None) is not None and getattr(each, OF, None) is None
    )


def ids_ending(layout: Component, ending: str) -> list[str]:
    """The ids in ``layout`` that end with ``ending``, such as those of all Sync buttons."""
    ids = (getattr(each, "id", None) for each in everything(layout))
    return [each for each in ids if isinstance(each, str) and each.endswith(ending)]


def filled(layout: Component, snapshot: Mapping[str, Any]) -> Component:
    """``layout`` with its live components showing ``snapshot``, for a first paint that is right;
    what it does not know stays a dash."""
    prices = snapshot.get("market", {}).get("prices", {})
    for component in live_components(layout):
        symbol = getattr(component, "data-symbol", None)
        values = snapshot if symbol is None else prices.get(symbol, {})
        component.children = values.get("display", {}).get(getattr(component, LIVE), NONE)
        setattr(component, "data-tone", tone(component.children))
        setattr(component, "data-length", length(component.children))
    return layout


def tone(text: str) -> str:
    """``gain``, ``loss`` or ``flat``: what the sign of a figure's text says."""
    return {"+": "gain", "-": "loss"}.get(text[:1], "flat")


def length(text: str) -> str:
    """``short``, ``long`` or ``longest``: how much room a figure's text needs."""
    return "short" if len(text) <= _LONG else "long" if len(text) <= _LONGEST else "longest"


def everything(component: object) -> Iterator[Component]:
    if isinstance(component, list | tuple):
        for each in component:
            yield from everything(each)
    elif isinstance(component, Component):
        yield component
        yield from everything(getattr(component, "children", None))
        # of plain elements
        yield from everything(getattr(component, "content", None))
        # what a choice offers may be words with a figure in them
        yield from everything(
            [each.get("label") for each in getattr(component, "options", None) or ()]
        )
