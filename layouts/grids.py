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
        [
            _pair("positions", _text("symbol", "Symbol", 88), "side_words"),
            _owner(64),
            _number("quantity", "Quantity", 72),
            _pair(
                "positions",
                _number(
                    "unrealized_pnl",
                    "P&L, ROE",
                    104,
                    "Unrealised P&L at the mark price, USDT; below, on the initial margin",
                ),
                "roe_percent",
            ),
            _pair("positions", _number("entry_price", "Entry, mark", 88), "mark_price"),
            _number("liquidation_price", "Liquidation", 84),
            _number("isolated_margin", "Margin", 80, "Isolated margin, USDT"),
            _exits(),
            _actions("PositionActions", 168, "side"),
        ],
        _TWO_LINES,
    )


def orders_grid() -> dag.AgGrid:
    """The open orders, each with buttons that cancel and amend it."""
    return _grid(
        "futures-orders-grid",
        "params.data.id",
        [
            _pair("orders", _text("symbol", "Symbol", 88), "side_words"),
            _owner(64),
            {
                **_pair("orders", _text("type", "Type", 128), "details", "kind"),
                "tooltipValueGetter": {"function": "deskTerms(params)"},
            },
            _number("quantity", "Quantity", 72),
            _pair(
                "orders",
                _number("price", "Limit, trigger", 96, "Below, the mark price that sets it off"),
                "trigger_price",
            ),
            _number("reserved_margin", "Margin", 84, "Kept back for it, USDT"),
            _exits(),
            _moment("placed_at", "Placed"),
            _actions("OrderActions", 128, "quantity"),
        ],
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
            _number("fee", "Fee, USDT", 88),
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


def _pair(table: str, column: dict[str, Any], below: str, above: str = "") -> dict[str, Any]:
    """``column`` of ``table`` with the figure ``below`` under its own, or under the one called
    ``above``; both follow the prices."""
    params = {"table": table, "above": above or column["field"], "below": below}
    return {**column, "cellRenderer": "RowPair", "cellRendererParams": params}


def _owner(width: int) -> dict[str, Any]:
    """Whose it is: yours, or the name of a bot or a key, which may be long."""
    return {**_text("owner", "Owner", width), "tooltipField": "owner"}


def _number(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    return {**_text(field, name, width), "type": "rightAligned", "headerTooltip": words or None}


def _result(field: str, name: str, width: int, words: str = "") -> dict[str, Any]:
    return {**_number(field, name, width, words), "cellClass": _TONE}


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
