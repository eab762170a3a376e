"""What the bots decided and traded: read again when there is more of it, or another filter."""

from __future__ import annotations

from typing import Any, Final

from dash import Dash, Input, Output, State, ctx, no_update
from dash.development.base_component import Component

from balance.api.services import Services
from balance.bots.log import ACTION
from layouts.activity import decision_table, trade_table
from layouts.auto import DECISIONS, EVERYTHING
from layouts.elements import CONTENT
from layouts.parts import empty_state

#: How many entries are listed, and how many more a press on Older brings.
_PAGE: Final = 50
#: How many trades are listed, at first and at most.
_TRADES: Final = (50, 500)
_EMPTY: Final = {
    "decisions": (
        "journal-text",
        "Nothing yet",
        "What a running bot decides at each closed candle is listed here, with its reason and "
        "what it did.",
    ),
    "trades": (
        "receipt",
        "No trades yet",
        "Each position that a bot opened and closed is listed here, with what it made and why.",
    ),
}
_UNFIT: Final = ("search", "Nothing of that kind", "Nothing fits these filters.")


def register(app: Dash, services: Services) -> None:
    """Have the list on ``app`` show what ``services`` know of the bots' activity."""

    @app.callback(
        Output("auto-activity-list", CONTENT),
        Output("auto-activity-pager", "hidden"),
        Output("auto-activity-pages", "data"),
        Output("auto-activity-kinds", "hidden"),
        Input("bots-activity", "data"),
        Input("auto-activity-view", "value"),
        Input("auto-activity-bot", "value"),
        Input("auto-activity-kind", "value"),
        Input("auto-activity-older", "n_clicks"),
        State("auto-activity-pages", "data"),
    )
    def draw(seen: str | None, view: str, bot: str, kind: str, _: int, pages: int) -> Any:
        if seen is None:
            return (no_update,) * 4
        # a press may come in one call with what the bots did
        triggered = ctx.triggered_prop_ids
        if "auto-activity-older.n_clicks" in triggered:
            pages += 1
        elif triggered.keys() != {"bots-activity.data"}:
            pages = 1
        found, is_more = draw_activity(services, view, bot, kind, pages)
        return found, not is_more, pages, view != DECISIONS


def draw_activity(
    services: Services, view: str, bot: str, kind: str, pages: int
) -> tuple[Component, bool]:
    """The newest ``pages`` of the ``view``, of one ``bot`` and ``kind`` or of all; whether there is
    more."""
    one = None if bot == EVERYTHING else bot
    if view == DECISIONS:
        rows, is_more = _entries(services, one, None if kind == EVERYTHING else kind, pages)
    else:
        limit = _TRADES[min(pages, len(_TRADES)) - 1]
        rows = services.bots.trades(bot=one, limit=limit)
        is_more = len(rows) == limit and limit < _TRADES[-1]
    if rows:
        return (decision_table(rows) if view == DECISIONS else trade_table(rows)), is_more
    is_filtered = one is not None or (view == DECISIONS and kind != ACTION)
    return empty_state(*(_UNFIT if is_filtered else _EMPTY[view])), False


def _entries(
    services: Services, bot: str | None, kind: str | None, pages: int
) -> tuple[list[Any], bool]:
    """The newest ``pages`` of the log, and whether there is more."""
    rows: list[Any] = []
    before = None
    for _ in range(pages):
        page = services.bots.log(bot=bot, kind=kind, limit=_PAGE, before=before)
        rows += page.entries
        if page.next is None:
            return rows, False
        before = int(page.next)
    return rows, True
