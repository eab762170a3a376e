"""What stands over the epochs of History: how to compare some of them, those side by side, and the
undo of the last reset."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from balance.performance.epochs import WALLET_FIGURES, EpochRow
from balance.performance.figures import TIME, Better, ShownFigure, screen_row
from layouts.account import UNDO
from layouts.elements import Elements
from layouts.history_view import MOST_COMPARED
from layouts.live import tone
from layouts.parts import button, pressing

#: The stores of the epochs that the address has side by side (None: another list is shown), of
#: those that are picked in their rows, and of what has those side by side read.
SHOWN: Final = "history-compare-shown"
PICKED: Final = "history-epochs-picked"
READ: Final = "history-compare-read"
_HEAD: Final = "d-flex flex-wrap align-items-center gap-2 text-body-secondary"
_HOW: Final = (
    f"An epoch is the account between two resets. Choose 2 to {MOST_COMPARED} to compare them."
)


def _wallet(name: str, label: str, better: Better = "") -> ShownFigure:
    return screen_row(name, label, WALLET_FIGURES[name].unit, better)


# The figures of the wallet, before and after those of performance.
_BEFORE: Final = (
    _wallet("starting_balance", "Starting balance"),
    _wallet("deposits", "Deposits"),
    _wallet("withdrawals", "Withdrawals"),
    _wallet("balance", "Wallet balance"),
    _wallet("pnl", "P&L", "greater"),
    _wallet("pnl_percent", "P&L, %", "greater"),
)
_AFTER: Final = (_wallet("fees_paid", "Fees"), _wallet("funding_paid", "Funding paid"))


def epochs_head() -> html.Div:
    """What stands over the rows of the epochs; the page shows it with them."""
    return html.Div(
        [
            html.Div(
                [
                    html.Span(_HOW, className="me-auto"),
                    button("Compare", "history-compare", "layout-three-columns", disabled=True),
                    # shown while there is a reset to undo
                    html.Span(
                        button(
                            *("Undo the last reset", "history-undo", "arrow-counterclockwise"),
                            **pressing(UNDO),
                        ),
                        id="history-undo-place",
                        hidden=True,
                    ),
                ],
                className=_HEAD,
            ),
            html.P(id="history-compared-words", className="mb-0", role="status"),
            html.Div(_comparison(), id="history-compared", hidden=True),
            *(dcc.Store(id=each) for each in (SHOWN, PICKED, READ)),
        ],
        id="history-epochs",
        className="vstack gap-2",
        hidden=True,
    )


def _comparison() -> list[Component]:
    title = html.H3(
        "Compared",
        id="history-compared-title",
        className="panel-title m-0 me-auto text-body",
        tabIndex=-1,
    )
    more = {"aria-label": "Close the comparison"}
    close = button("Close", "history-compare-close", "x-lg", **more)
    table = Elements(
        id="history-comparison",
        className="scroller",
        tabIndex=0,
        role="region",
        **{"aria-label": "Comparison"},
    )
    return [html.Div([title, close], className=_HEAD), table]


def comparison(rows: Sequence[EpochRow], figures: Sequence[ShownFigure]) -> html.Table:
    """``rows`` of epochs side by side, the ``figures`` of performance among those of the wallet."""
    heads = [html.Th(f"Epoch {each['epoch']}", scope="col", className="number") for each in rows]
    lasted = [html.Td(TIME.write(each["seconds"]), className="number") for each in rows]
    return html.Table(
        [
            html.Thead(html.Tr([html.Td(), *heads])),
            html.Tbody(
                [
                    *(_line(each, rows) for each in (*_BEFORE, *figures, *_AFTER)),
                    html.Tr([html.Th("Lasted", scope="row"), *lasted]),
                ]
            ),
        ],
        className="table w-auto mb-0 align-middle text-nowrap compared",
        **{"aria-label": "Epochs side by side"},
    )


def missing_text(numbers: Sequence[int], found: Sequence[int], *, is_indexed: bool) -> str:
    """Why not all the epochs with ``numbers`` stand side by side, of which those ``found`` do."""
    why = "There is no epoch {}." if is_indexed else "Epoch {} is not indexed yet."
    sentences = [why.format(each) for each in numbers if each not in found]
    if len(found) == 1:
        sentences.append(f"Choose another one to compare epoch {found[0]} with.")
    return " ".join(sentences)


def _line(figure: ShownFigure, rows: Sequence[Mapping[str, Any]]) -> html.Tr:
    values = [each[figure["name"]] for each in rows]
    best = best_of(values, figure["better"])
    texts = [each["display"][figure["name"]] for each in rows]
    cells = [
        _cell(text, figure["is_signed"], best is not None and value == best)
        for text, value in zip(texts, values, strict=True)
    ]
    return html.Tr([html.Th(figure["label"], scope="row"), *cells])


def best_of(values: Sequence[Decimal | int | None], better: Better) -> Decimal | int | None:
    """The best of ``values`` where they differ: the greatest, or the nearest to zero."""
    known = [each for each in values if each is not None]
    if not better or len(set(known)) < 2:
        return None
    return max(known) if better == "greater" else min(known, key=abs)


def _cell(text: str, is_signed: bool, is_best: bool) -> html.Td:
    mark = html.Span(
        # a phone has room for the star alone
        html.Span("best", className="d-none d-md-inline ms-1"),
        className="best bi-star-fill",
        role="img",
        **{"aria-label": "best"},
    )
    figure = html.Span(text, className="pnl-figure", **{"data-tone": tone(text)})
    content = figure if is_signed else text
    return html.Td([mark, content] if is_best else content, className="number")
