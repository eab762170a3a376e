"""One entry of the ledger, whole: what it moved, who made it, and what became of position and
orders."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from balance.core.figures import NONE
from balance.core.rows import OrderRow
from balance.history.rows import EffectRow, FillRow, WholeEntry
from layouts.history_view import View
from layouts.live import tone
from layouts.parts import Children, button, copy_button, moment
from layouts.reading import reading_dialog

#: The store that says which entry the address opens: its place, or None.
SHOWN: Final = "history-entry-shown"
# The texts of a fill, a trade and a position that are shown, with their labels.
_FILL: Final = {
    "side": "Side",
    "why": "Type",
    "quantity": "Quantity",
    "price": "Price",
    "fee": "Fee",
    "liquidity": "Liquidity",
    "realized_pnl": "Realised P&L",
}
_TRADE: Final = {
    "side": "Side",
    "quantity": "Quantity",
    "entry_price": "Entry price",
    "exit_price": "Exit price",
    "duration": "Held",
    "pnl": "P&L",
    "fees": "Fees",
    "funding": "Funding",
    "opened_because": "Why opened",
    "closed_because": "Why closed",
}
_POSITION: Final = {
    "side_words": "Side",
    "quantity": "Quantity",
    "entry_price": "Entry price",
    "isolated_margin": "Margin",
    "liquidation_price": "Liquidation price",
    "exits": "Take-profit / stop-loss",
}
_SIGNED: Final = frozenset({"pnl", "realized_pnl", "funding"})


def entry_dialog() -> dbc.Modal:
    """The entry that the address opens, with the ways to its neighbours."""
    return reading_dialog(
        "entry",
        "Entry",
        stores=(SHOWN,),
        foot=[
            # what is copied
            html.Span(id="entry-link", hidden=True),
            button("Earlier", "entry-before", "chevron-left"),
            button("Later", "entry-after", "chevron-right"),
            copy_button("entry-link", "the address of this entry", "Copy link"),
            button("Show in the ledger", "entry-show", "list-ul"),
        ],
        size="lg",
    )


def entry_body(entry: WholeEntry, view: View) -> list[Component]:
    """All that there is to say of ``entry``, with links to what it is about."""
    fill, trade, effect = entry["fill"], entry["trade"], entry["effect"]
    parts: list[Component] = []
    if entry["note"]:
        parts.append(html.P(entry["note"], className="entry-note m-0"))
    parts.append(_summary(entry, view))
    if fill is not None:
        parts.append(section("The fill", figures(_FILL, fill["display"])))
    if trade is not None:
        parts.append(section("The trade that it ended", figures(_TRADE, trade["display"])))
    if effect is not None:
        parts += _effect(effect, fill, view)
    return parts


def _summary(entry: WholeEntry, view: View) -> html.Dl:
    display, revision = entry["display"], entry["revision"]
    moved = display["amount"] if entry["amount"] else "No money"
    commit = view.link(str(revision), after=revision - 1, until=revision)
    terms: list[tuple[str, Children]] = [
        ("What it moved", _figure(moved, display["tone"])),
        ("Wallet balance after it", display["balance"]),
        ("When", html.Span(when(entry["time"]))),
        ("Asked for by", display["source"]),
        *([("Symbol", entry["symbol"])] if entry["symbol"] else ()),
        *([("Whose", display["owner"])] if entry["owner"] is not None else ()),
        ("Epoch", view.link(str(entry["epoch"]), epoch=entry["epoch"])),
        ("Revision", [commit, f", line {entry['line']}"]),
    ]
    return term_list(terms)


def _effect(effect: EffectRow, fill: FillRow | None, view: View) -> list[Component]:
    position, opened = effect["position"], effect["opened"]
    filled = None if fill is None else fill["order_id"]
    still_open = {each["id"] for each in opened}
    ended = [each for each in effect["closed"] if each not in still_open and each != filled]
    parts: list[Component] = []
    if filled is not None:
        arrived = effect["arrived"]
        item = _order(filled, "" if arrived is None else _order_text(arrived), view)
        parts.append(section("The order that it filled", _list([item])))
    held: Component = html.P(f"None is open in {effect['symbol']}.", className="dialog-words")
    if position is not None:
        held = figures(_POSITION, position["display"])
    parts.append(section("The position after it", held))
    if opened:
        items = [_order(each["id"], _order_text(each), view) for each in opened]
        parts.append(section("Orders that it placed", _list(items)))
    if ended:
        items = [_order(each, effect["why"], view) for each in ended]
        parts.append(section("Orders that it ended", _list(items)))
    return parts


def _order(id: str, text: str, view: View) -> html.Li:
    """An order that an entry is about, with what it is or why it ended."""
    link = view.over(id, order=id)
    return html.Li([link, f": {text}"] if text else [link])


def _order_text(order: OrderRow) -> str:
    display = order["display"]
    kind, limit, trigger = (
        "" if display[name] == NONE else display[name]
        for name in ("type", "price", "trigger_price")
    )
    text = f"{display['side']} {display['quantity']} {display['symbol']}, "
    text += f"{kind[:1].lower()}{kind[1:]}"
    if limit:
        return f"{text} at {limit}" + (f", triggered at {trigger}" if trigger else "")
    # a trailing stop that does not follow the price yet says from where on it does
    if trigger.startswith("from"):
        return f"{text}, {trigger} on"
    return f"{text} at {trigger}" if trigger else text


def _list(items: list[html.Li]) -> html.Ul:
    return html.Ul(items, className="dialog-list m-0")


def section(title: str, content: Component) -> html.Section:
    """A part of what is open, with its heading."""
    return html.Section([html.H3(title, className="part-title"), content])


def figures(labels: Mapping[str, str], display: Mapping[str, str]) -> html.Dl:
    """The texts of ``display`` that have ``labels`` and say something, with the colours of their
    signs where they are gains or losses."""
    shown = ((label, name, display.get(name, "")) for name, label in labels.items())
    return term_list(
        (label, _figure(text, tone(text)) if name in _SIGNED else text)
        for label, name, text in shown
        if text
    )


def term_list(terms: Iterable[tuple[str, Any]]) -> html.Dl:
    """``terms`` with what each of them is."""
    return html.Dl(
        [each for name, value in terms for each in (html.Dt(name), html.Dd(value))],
        className="entry-figures",
    )


def when(time: str) -> list[Component | str]:
    """A moment of the ledger to the last digit, and how long ago that is."""
    return [f"{time[:10]} {time[11:].removesuffix('Z')} UTC (", moment(time), ")"]


def _figure(text: str, tone: str) -> html.Span:
    return html.Span(text, className="pnl-figure", **{"data-tone": tone})
