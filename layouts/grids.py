"""The grids: positions, open orders and fills on the Futures tab."""

from typing import Any

import dash_ag_grid as dag

# what a number looks like is in the row itself: the grid sorts by the number and shows the text
_SHOWN = {"function": "deskText(params)"}
_TONE = {"function": "deskTone(params)"}
#: How high a row is, in pixels: one of two lines, and one of one.
_TWO_LINES = 48
_ONE_LINE = 36


def positions_grid() -> dag.AgGrid:
    """The open positions, with what can be done with each."""
    return _grid(
        "futures-positions-grid",
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
        "futures-orders-grid",
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
        "futures-fills-grid",
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
    id: str, row_id: str, columns: list[dict[str, Any]], row_height: int = _ONE_LINE
) -> dag.AgGrid:
    return dag.AgGrid(
        id=id,
        columnDefs=columns,
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
            "headerHeight": 32,
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
    return {**column, "cellRenderer": "RowPair", "cellRendererParams": params}


def _pair(column: dict[str, Any], below: str, above: str = "") -> dict[str, Any]:
    """``column`` with the figure ``below`` under its own, or under the one called ``above``."""
    params = {"above": above or column["field"], "below": below}
    return {**column, "cellRenderer": "RowPair", "cellRendererParams": params}


def _owner(width: int) -> dict[str, Any]:
    """Whose it is: yours, or the name of a bot or a key, which may be long."""
    return {**_text("owner", "Owner", width), "tooltipField": "owner"}


def _number(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    return {**_text(field, name, width), "type": "rightAligned", "headerTooltip": words or None}


def _money(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    """A number that is wider where money is shown with more decimals."""
    return {**_number(field, name, width, words), "context": {"isMoney": True}}


def _result(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    return {**_money(field, name, width, words), "cellClass": _TONE}


def _moment(field: str, name: str) -> dict[str, Any]:
    clock = {"function": "deskMoment(params)"}
    return {
        "field": field,
        "headerName": name,
        "headerTooltip": "UTC",
        "minWidth": 120,
        "flex": 1,
        "valueFormatter": clock,
    }


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
        "suppressKeyboardEvent": {"function": "deskKeys(params)"},
    }


def _exits() -> dict[str, Any]:
    """The take-profit and the stop-loss, one below the other."""
    column = _number("exits", "TP, SL", 104, "Take-profit, stop-loss")
    return {**column, "cellRenderer": "RowExits"}
