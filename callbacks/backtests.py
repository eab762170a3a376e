"""Backtests: the dialog opens on the settings of a bot, runs them, and shows what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dash import ClientsideFunction, Dash, Input, Output, State, ctx, no_update

from balance.api.services import Services
from balance.backtests.jobs import BacktestRow
from balance.core.errors import BalanceError, UnknownBacktest
from callbacks.amounts import read_amount
from callbacks.focus import move_focus
from layouts.activity import last_line
from layouts.backtest import (
    CANDLES,
    INTERVAL,
    RUNNING,
    TESTED,
    failure,
    file_text,
    report,
    span_text,
    subject_text,
)

# How a backtest stands: what it is called while it runs, how far it is, what is said of it, what
# came of it, and what is wrong.
_SHOWN: Final = (
    (RUNNING, "data"),
    ("backtest-bar", "value"),
    ("backtest-percent", "children"),
    ("backtest-words", "children"),
    ("backtest-result", "children"),
    ("backtest-error", "children"),
)
#: Their values, in this order.
Shown = tuple[Any, ...]

_NOTHING: Final[Shown] = (None, 0, "", "", [], "")


def register(app: Dash, services: Services) -> None:
    """Let the dialog of backtests work."""
    _register_opening(app, services)
    _register_file(app)
    _register_run(app, services)


def _register_opening(app: Dash, services: Services) -> None:
    @app.callback(
        Output("backtest-dialog", "is_open"),
        Output("backtest-what", "children"),
        *(Output(*each) for each in _SHOWN),
        Input(TESTED, "data"),
    )
    def open_dialog(tested: Mapping[str, Any]) -> Shown:
        move_focus("backtest-run")
        return True, subject_text(tested["settings"], tested["words"]), *_NOTHING

    @app.callback(
        Output(RUNNING, "data", allow_duplicate=True),
        Input("backtest-dialog", "is_open"),
        State(RUNNING, "data"),
    )
    def leave(is_open: bool, running: str | None) -> Any:
        if is_open or not running:
            return no_update
        # Nobody waits for it any more.
        services.backtests.cancel(running)
        return None


def _register_file(app: Dash) -> None:
    app.clientside_callback(
        ClientsideFunction("desk", "showSource"),
        Output("backtest-hours-field", "hidden"),
        Output("backtest-file-field", "hidden"),
        Output("backtest-dates-field", "hidden"),
        Output("backtest-error", "children", allow_duplicate=True),
        Input("backtest-source", "value"),
    )
    app.clientside_callback(
        ClientsideFunction("desk", "sendCandles"),
        Output(CANDLES, "data"),
        Output("backtest-error", "children", allow_duplicate=True),
        Input("backtest-file-place", "data-chosen"),
        Input("backtest-dates", "value"),
        State(TESTED, "data"),
    )

    @app.callback(Output("backtest-file-words", "children"), Input(CANDLES, "data"))
    def describe(file: Mapping[str, Any] | None) -> Any:
        # what is said until one was read, the page writes
        return file_text(file) if file else no_update


def _register_run(app: Dash, services: Services) -> None:
    app.clientside_callback(
        ClientsideFunction("desk", "showRunning"),
        Output("backtest-buttons", "data-running"),
        Output("backtest-progress", "hidden"),
        Output(INTERVAL, "disabled"),
        Input(RUNNING, "data"),
    )

    @app.callback(
        *(Output(*each, allow_duplicate=True) for each in _SHOWN),
        Input("backtest-run", "n_clicks"),
        Input("backtest-balance", "n_submit"),
        State("backtest-balance", "value"),
        State("backtest-source", "value"),
        State("backtest-hours", "value"),
        State(CANDLES, "data"),
        State(TESTED, "data"),
        State(RUNNING, "data"),
        # the page sends it once until it is answered
        State("backtest-key", "data"),
    )
    def run(
        _: Any,
        __: Any,
        balance: str,
        source: str,
        hours: str,
        file: Mapping[str, Any] | None,
        tested: Mapping[str, Any],
        running: str | None,
        ___: Any,
    ) -> Shown:
        if running is not None:
            return (no_update,) * len(_SHOWN)
        same = (no_update,) * (len(_SHOWN) - 1)
        try:
            starting = read_amount(balance)
        except BalanceError as fault:
            return *same, f"Starting balance: {fault}"
        if source == "file" and file is None:
            return *same, "Choose a file of candles first."
        chosen = _of_file(file) if source == "file" and file else _of_feed(hours)
        members = {**tested["settings"], **chosen, "balance": starting}
        try:
            return _shown(services.backtests.start(members))
        except BalanceError as fault:
            return *_NOTHING[:-1], str(fault)

    @app.callback(
        *(Output(*each, allow_duplicate=True) for each in _SHOWN),
        Input(INTERVAL, "n_intervals"),
        Input("backtest-cancel", "n_clicks"),
        State(RUNNING, "data"),
        State("backtest-key", "data"),
    )
    def follow(_: Any, __: Any, running: str | None, ___: Any) -> Sequence[Any]:
        if not running:
            return (no_update,) * len(_SHOWN)
        # a press may come in one call with the look that was due
        is_cancelled = "backtest-cancel.n_clicks" in ctx.triggered_prop_ids
        act = services.backtests.cancel if is_cancelled else services.backtests.row
        try:
            return _shown(act(running))
        except UnknownBacktest as fault:
            return *_NOTHING[:-1], str(fault)


def _of_feed(hours: str) -> dict[str, Any]:
    return {} if hours == "all" else {"hours": int(hours)}


def _of_file(file: Mapping[str, Any]) -> dict[str, Any]:
    named = {"symbol": file["symbol"]} if file["symbol"] else {}
    return {"file": file["id"], **named}


def _shown(row: BacktestRow) -> Shown:
    state, words, result = row["state"], row["words"], row["result"]
    if state == "running":
        percent = words or f"{int(row['progress'] * 100)}%"
        return row["id"], row["progress"], percent, "", [], ""
    if state == "failed":
        return None, 0, "", "", failure(words), last_line(words)
    if state == "cancelled" or result is None:
        return None, 0, "", "Cancelled.", [], ""
    sentences = (span_text(result), words, result["stopped_because"])
    return None, 1, "", " ".join(filter(None, sentences)), report(result), ""
