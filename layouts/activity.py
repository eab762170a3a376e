"""What bots did, as tables: their decisions, and their trades, which a backtest has too."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from dash import html
from dash.development.base_component import Component

from balance.bots.rows import signal_text
from layouts.live import tone
from layouts.parts import moment

_DECISIONS: Final = ("When", "Bot", "Signal", "Why", "What it did")
_NUMBERS: Final = frozenset({"Quantity", "Entry", "Exit", "Held", "P&L", "Fees"})
# Each column of a trade: what it is called, its text in the trade's display, its class.
_TRADES: Final = (
    ("Side", "side", "side"),
    ("Quantity", "quantity", "number"),
    ("Entry", "entry_price", "number"),
    ("Exit", "exit_price", "number"),
    ("Held", "duration", "number"),
    ("P&L", "pnl", "number pnl-figure"),
    ("Fees", "fees", "number"),
    ("Why opened", "opened_because", "why"),
    ("Why closed", "closed_because", "why"),
)

Row = Mapping[str, Any]


def decision_table(entries: Iterable[Row]) -> html.Table:
    """The ``entries`` of the bots' log, newest first."""
    return _table("decisions", _DECISIONS, [_decision(each) for each in entries])


def trade_table(
    trades: Iterable[Row],
    *,
    when: Callable[[str, str], Component] = moment,
    has_owner: bool = True,
) -> html.Table:
    """The ``trades``, newest first; ``when`` writes the time at which one was closed, by that and
    its symbol. One bot's need no columns that say whose they are."""
    owner = ("Bot", "Symbol") if has_owner else ()
    heads = ("Closed", *owner, *(head for head, _, _ in _TRADES))
    return _table("trades", heads, [_trade(each, when, has_owner) for each in trades])


def folded(text: str, summary: str = "", **more: str) -> html.Details:
    """A ``text`` of many lines, such as where a program failed: its last line, or the ``summary``,
    which opens to the whole. ``more`` is as of ``html.Details``."""
    return html.Details(
        [html.Summary(summary or last_line(text)), html.Pre(text, className="snippet", tabIndex=0)],
        className="folded",
        **more,
    )


def last_line(text: str) -> str:
    """The last line of ``text``."""
    return text.strip().rpartition("\n")[2]


def _decision(entry: Row) -> html.Tr:
    name = f"auto-activity-{entry['id']}"
    return html.Tr(
        [
            _cell("When", "when", moment(entry["time"])),
            _cell("Bot", "who", entry["name"]),
            _cell("Signal", "side", signal_text(entry["side"], entry["confidence"])),
            _cell("Why", "why", _shortened(entry["reason"], f"{name}-why")),
            _cell("What it did", "did", _shortened(entry["words"], f"{name}-did")),
        ],
        # by which it is found again where it is drawn anew
        id=name,
        key=name,
        role="row",
        **{"data-kind": entry["kind"], "data-entry": str(entry["id"])},
    )


def _trade(trade: Row, when: Callable[[str, str], Component], has_owner: bool) -> html.Tr:
    display = trade["display"]
    owner = [_cell("Bot", "who", trade["name"]), _cell("Symbol", "", trade["symbol"])]
    # Not the time: a replay that is played again has the same ones.
    key = {} if trade["place"] is None else {"key": trade["place"]}
    return html.Tr(
        [
            _cell("Closed", "when", when(trade["closed_at"], trade["symbol"])),
            *(owner if has_owner else ()),
            *(_cell(head, name, display[field]) for head, field, name in _TRADES),
        ],
        role="row",
        **key,
    )


def _cell(label: str, name: str, content: Component | str) -> html.Td:
    more = {"data-tone": tone(content)} if "pnl-figure" in name else {}
    return html.Td(content, className=name, role="cell", **{"data-label": label, **more})


def _shortened(text: str, id: str) -> Component | str:
    return folded(text, id=id) if "\n" in text.strip() else text


def _table(name: str, heads: Iterable[str], rows: list[html.Tr]) -> html.Table:
    # as cards they are no table by their style, so each part says its role
    columns = [
        html.Th(
            each,
            scope="col",
            role="columnheader",
            className="number" if each in _NUMBERS else "",
        )
        for each in heads
    ]
    return html.Table(
        [
            html.Thead(html.Tr(columns, role="row"), role="rowgroup"),
            html.Tbody(rows, role="rowgroup"),
        ],
        className=f"activity {name}",
        role="table",
    )
