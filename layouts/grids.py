"""The grids: positions, open orders and fills on the Futures tab."""

from typing import Any, Final, NamedTuple

import dash_ag_grid as dag

# what a number looks like is in the row itself: the grid sorts by the number and shows the text
_SHOWN = {"function": "params.data.display[params.colDef.field] || ''"}
_TONE = {"function": "deskTone(params)"}
_CLOCK = {"function": "params.value && params.value.slice(5, 19).replace('T', ' ')"}
# The buttons of a cell are reached with the Tab key, as any others.
_KEYS = {"function": "['Tab', 'Enter', ' '].includes(params.event.key)"}
# What stands in a cell may have changed where its value has not.
_ALWAYS_ANOTHER = {"equals": {"function": "false"}}
#: How high a row is, in pixels: one of two lines, and one of one.
_TWO_LINES = 48
_ONE_LINE = 36
_HEADINGS = 32


class _Card(NamedTuple):
    """What a phone shows of a row: texts with fields of it in braces, each of which is left out
    where there is nothing in one of them."""

    # In pixels.
    height: int
    title: str
    # The first that there is.
    figure: tuple[str, ...]
    below: str
    # Each has dots between its texts; the first stands beside what is below the figure.
    lines: tuple[tuple[str, ...], ...]
    # What draws its buttons.
    actions: str = ""


_CARDS: Final = {
    "positions": _Card(
        128,
        "{symbol} {side_words}",
        ("{unrealized_pnl}",),
        "{roe_percent}",
        (
            ("{quantity} at {entry_price}", "mark {mark_price}"),
            ("Liquidation {liquidation_price}", "TP {take_profit}", "SL {stop_loss}"),
        ),
        "PositionActions",
    ),
    "orders": _Card(
        128,
        "{symbol} {side_words}",
        ("{price}", "{trigger_price}"),
        "Margin {reserved_margin}",
        (
            ("{quantity}", "{kind}"),
            ("Trigger {trigger_price}", "{details}", "TP {take_profit}", "SL {stop_loss}"),
        ),
        "OrderActions",
    ),
    "fills": _Card(
        60,
        "{side} {quantity} {symbol}",
        ("{price}",),
        "{realized_pnl}",
        (("{time}", "{why}", "fee {fee}"),),
    ),
}


def positions_grid() -> dag.AgGrid:
    """The open positions, with what can be done with each."""
    return _grid(
        "positions",
        "params.data.symbol",
        _live(
            "positions",
            _pair(_text("symbol", "Symbol", 88), "side_words"),
            _owner(64),
            _number("quantity", "Quantity", 72),
            _pair(
                _money(
                    "unrealized_pnl",
                    "P&L, ROE",
                    104,
                    "Unrealised P&L at the mark price, USDT; below, on the initial margin",
                ),
                "roe_percent",
            ),
            _pair(_number("entry_price", "Entry, mark", 88), "mark_price"),
            _number("liquidation_price", "Liquidation", 84),
            _money("isolated_margin", "Margin", 80, "Isolated margin, USDT"),
            _exits(),
            _actions("PositionActions", 168, "side"),
        ),
        _TWO_LINES,
    )


def orders_grid() -> dag.AgGrid:
    """The open orders, each with buttons that cancel and amend it."""
    return _grid(
        "orders",
        "params.data.id",
        _live(
            "orders",
            _pair(_text("symbol", "Symbol", 88), "side_words"),
            _owner(64),
            {
                **_pair(_text("type", "Type", 128), "details", "kind"),
                "tooltipValueGetter": {"function": "deskTerms(params)"},
            },
            _number("quantity", "Quantity", 72),
            _pair(
                _number("price", "Limit, trigger", 96, "Below, the mark price that sets it off"),
                "trigger_price",
            ),
            _money("reserved_margin", "Margin", 84, "Kept back for it, USDT"),
            _exits(),
            _moment("placed_at", "Placed"),
            _actions("OrderActions", 128, "quantity"),
        ),
        _TWO_LINES,
    )


def fills_grid() -> dag.AgGrid:
    """The newest fills, liquidations among them."""
    return _grid(
        "fills",
        "`${params.data.revision}.${params.data.line}`",
        [
            _moment("time", "When"),
            _text("symbol", "Symbol", 92),
            _text("side", "Side", 64),
            _text("why", "Type", 92),
            _owner(72),
            _number("quantity", "Quantity", 84),
            _number("price", "Price", 88),
            _text("liquidity", "Liquidity", 80),
            _money("fee", "Fee, USDT", 88),
            _result("realized_pnl", "Realised P&L", 108, "Before fees"),
        ],
    )


def _grid(
    table: str, row_id: str, columns: list[dict[str, Any]], row_height: int = _ONE_LINE
) -> dag.AgGrid:
    card = _CARDS[table]
    return dag.AgGrid(
        id=f"futures-{table}-grid",
        columnDefs=[*columns, _card_column(table, card)],
        rowData=[],
        getRowId=row_id,
        defaultColDef={
            "sortable": True,
            "resizable": True,
            "suppressHeaderMenuButton": True,
            "cellDataType": False,
        },
        dashGridOptions={
            "domLayout": "autoHeight",
            "suppressCellFocus": False,
            "animateRows": False,
            "enableCellTextSelection": True,
            "suppressNoRowsOverlay": True,
            "rowHeight": row_height,
            "headerHeight": _HEADINGS,
            # Of rows and headings, as a table and as cards.
            "context": {"heights": {"table": [row_height, _HEADINGS], "cards": [card.height, 0]}},
            "suppressColumnVirtualisation": True,
            "tabToNextCell": {"function": "deskTab(params)"},
        },
        className="desk-grid-table",
        style={"width": "100%", "height": None},
    )


def _text(field: str, name: str, width: int) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": name,
        "minWidth": width,
        "flex": 1,
        "valueFormatter": _SHOWN,
    }


def _live(table: str, *columns: dict[str, Any]) -> list[dict[str, Any]]:
    """The ``columns`` of ``table``. All numbers in them follow the prices, as do pairs: the rows
    themselves come only when the account has changed."""
    return [_following(table, each) for each in columns]


def _following(table: str, column: dict[str, Any]) -> dict[str, Any]:
    is_number = "type" in column and "cellRenderer" not in column
    if not is_number and column.get("cellRenderer") != "RowPair":
        return column
    params = {"table": table, "above": column["field"], **column.get("cellRendererParams", {})}
    return {**column, **_ALWAYS_ANOTHER, "cellRenderer": "RowPair", "cellRendererParams": params}


def _pair(column: dict[str, Any], below: str, above: str = "") -> dict[str, Any]:
    """``column`` with the figure ``below`` under its own, or under the one called ``above``."""
    params = {"above": above or column["field"], "below": below}
    return {
        **column,
        "cellRenderer": "RowPair",
        "cellRendererParams": params,
        **_ALWAYS_ANOTHER,
    }


def _card_column(table: str, card: _Card) -> dict[str, Any]:
    """The one column that there is on a phone, and only there."""
    return {
        "colId": "card",
        "headerName": table,
        "hide": True,
        "flex": 1,
        "sortable": False,
        "valueGetter": {"function": "params.data"},
        "cellRenderer": "RowCard",
        "cellRendererParams": {"table": table, **card._asdict()},
        "suppressKeyboardEvent": _KEYS,
        **_ALWAYS_ANOTHER,
    }


def _owner(width: int) -> dict[str, Any]:
    """Whose it is: yours, or the name of a bot or a key, which may be long."""
    return {**_text("owner", "Owner", width), "tooltipField": "owner"}


def _number(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    return {**_text(field, name, width), "type": "rightAligned", "headerTooltip": words or None}


def _money(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    """A number that is wider where money is shown with more decimals."""
    return {**_number(field, name, width, words), "context": {"least": width}}


def _result(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    return {**_money(field, name, width, words), "cellClass": _TONE}


def _moment(field: str, name: str) -> dict[str, Any]:
    return {**_text(field, name, 120), "headerTooltip": "UTC", "valueFormatter": _CLOCK}


def _actions(component: str, width: int, shown: str) -> dict[str, Any]:
    """Buttons, which are drawn anew where the text ``shown`` in their labels is another one."""
    return {
        "colId": "actions",
        "valueGetter": {"function": f"params.data.display.{shown}"},
        "headerName": "",
        "minWidth": width,
        "width": width,
        "sortable": False,
        "cellRenderer": component,
        "suppressKeyboardEvent": _KEYS,
    }


def _exits() -> dict[str, Any]:
    """The take-profit and the stop-loss, one below the other."""
    column = _number("exits", "TP, SL", 104, "Take-profit, stop-loss")
    return {**column, "cellRenderer": "RowExits", **_ALWAYS_ANOTHER}
