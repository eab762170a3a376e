"""The History tab: the address says which list it shows; its rows, its filters and what is said of
them come from here."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from dash import MATCH, Dash, Input, Output, State, ctx, no_update, set_props
from dash.development.base_component import Component

from balance.api.history import history_page
from balance.api.problems import problem_of
from balance.api.services import Services
from balance.core.errors import BalanceError, InvalidAmount
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.question import PERSON, SORTS, Question, parse_question
from balance.performance.epochs import EPOCH_SORTS
from callbacks.amounts import is_empty, read_amount
from callbacks.guard import answer_page
from layouts.history import (
    BLOCK,
    FIELDS,
    GRID,
    LIST,
    NEWS,
    SHOWN,
    empty_list,
    file_address,
    newer_button,
    table_links,
    unread_list,
)
from layouts.history_columns import grid_row
from layouts.history_filters import (
    FIELD,
    FILTER,
    NUMBER_AT,
    Choices,
    chips,
    filter_bar,
    options,
    values_of,
)
from layouts.history_view import PATH, View

_LOG = logging.getLogger(__name__)
_FAILED: Final = (
    "The rows could not be read by a fault of the program; the log of the server says more."
)
# All that an answer to a request for rows may change in the page.
_OUTPUTS: Final = MappingProxyType(
    {
        "rows": Output(GRID, "getRowsResponse"),
        "instead": Output("history-instead", "children"),
        "indexing": Output("history-words", "children"),
        "newer": Output("history-newer-place", "children"),
        "csv": Output("history-csv", "href"),
        "json": Output("history-json", "href"),
        "tables": Output("history-tables", "children"),
        "chips": Output("history-chips", "children"),
        "fields": Output(FIELDS, "data"),
        "shown": Output(SHOWN, "data"),
    }
)


def register(app: Dash, desk: Desk, services: Services) -> None:
    """Let ``desk`` and ``services`` fill the list that the address says."""
    # The page puts it into the address, which no callback of Dash replaces.
    answer_page(app, NUMBER_AT, lambda typed: _number(typed["name"], typed["typed"]))
    _register_list(app, desk, services)
    _register_fields(app, desk, services)
    _register_news(app, desk, services)


def _register_list(app: Dash, desk: Desk, services: Services) -> None:
    path, root = app.get_relative_path(PATH), app.get_relative_path("/")

    # One answer has the rows and all that is said of them: neither is ever of another list.
    @app.callback(
        output=dict(_OUTPUTS),
        inputs={
            "request": Input(GRID, "getRowsRequest"),
            "listed": State(LIST, "data"),
            "shown": State(SHOWN, "data"),
        },
    )
    def fill(
        request: Mapping[str, Any] | None,
        listed: Mapping[str, Any] | None,
        shown: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        answer: dict[str, Any] = dict.fromkeys(_OUTPUTS, no_update)
        if request is None or listed is None:
            return answer
        view, first = View.parse(listed["search"], path), request["startRow"]
        params = _params(view, listed["until"])
        state, instead, rows = _read_rows(desk, services, view, params, first)
        answer |= rows
        now = {"search": listed["search"], "until": listed["until"], "state": state}
        before = shown or dict.fromkeys(now)
        # What is drawn anew costs the page time, so only what is another one is.
        changed = {name for name in now if now[name] != before[name]}
        if changed:
            answer["shown"] = now
        if changed & {"search", "state"}:
            answer["instead"] = instead
        if changed & {"search", "until"}:
            files = {form: file_address(form, view.table, params, root) for form in ("csv", "json")}
            answer |= {**files, "newer": []}
        if "search" in changed:
            choices = _choices(desk, services) if view.filters else {}
            answer |= {"tables": table_links(view), "chips": chips(view, choices)}
        last = View.parse(before["search"] or "")
        if listed["isRedrawn"] or shown is None or view.table != last.table:
            # The fields take longest: they follow the rows.
            answer["fields"] = listed["search"]
        elif not listed["isOfFields"]:
            _fill_in(last, view)
        return answer


def _read_rows(
    desk: Desk, services: Services, view: View, params: Mapping[str, str], first: int
) -> tuple[str, list[Component], dict[str, Any]]:
    """The block of rows of ``view`` from the place ``first`` on: what state the list is in, what
    stands in the place of rows, and the outputs that have the rows."""
    block = {"offset": str(first), "limit": str(BLOCK)}
    try:
        page = history_page(desk, services, _question(view, {**params, **block}))
    except Exception as fault:
        # Without an answer the grid would wait for ever.
        problem, is_refused = _problem(fault)
        nothing = {"rows": {"rowData": [], "rowCount": None}}
        return problem, unread_list(view, problem, is_refused=is_refused), nothing
    rows = {"rows": _block(view, page, first), "indexing": _indexing(page)}
    if page["rows"] or first > 0:
        return "rows", [], rows
    is_indexed = page["index"].is_complete
    state = "none" if is_indexed else "none yet"
    return state, empty_list(view, is_indexed=is_indexed), rows


def _register_fields(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(Output("history-filters", "children"), Input(FIELDS, "data"))
    def draw_filters(search: str) -> list[Component]:
        return filter_bar(View.parse(search), _choices(desk, services))

    @app.callback(
        Output({"type": FILTER, "name": MATCH}, "options"),
        Input({"type": FIELD, "name": MATCH}, "n_clicks"),
        State({"type": FILTER, "name": MATCH}, "value"),
    )
    def renew_choices(clicks: int | None, chosen: list[str]) -> Any:
        if not clicks:
            return no_update
        return options(ctx.triggered_id["name"], _choices(desk, services), chosen)


def _register_news(app: Dash, desk: Desk, services: Services) -> None:
    @app.callback(
        Output("history-newer-place", "children", allow_duplicate=True),
        Output("history-words", "children", allow_duplicate=True),
        Input(NEWS, "data"),
    )
    def count_newer(listed: Mapping[str, Any]) -> tuple[list[Component], str]:
        view = View.parse(listed["search"])
        after = max(int(view.filters.get("after") or 0), listed["until"] or 0)
        params = {**_params(view, None), "after": str(after), "limit": "1"}
        page = history_page(desk, services, _question(view, params))
        one, several = ("epoch", "epochs") if view.table == "epochs" else ("entry", "entries")
        count = page["total"] or 0
        text = f"1 new {one}" if count == 1 else f"{count:,} new {several}"
        return [newer_button(text)] if count else [], _indexing(page)


def _fill_in(last: View, view: View) -> None:
    """Have the fields of a list show ``view`` where they showed ``last``."""
    before = values_of(last)
    for name, value in values_of(view).items():
        if value != before[name]:
            set_props({"type": FILTER, "name": name}, {"value": value})


def _params(view: View, until: int | None) -> dict[str, str]:
    """The list of ``view`` up to a revision, as the parameters of its route."""
    ends = [int(each) for each in (view.filters.get("until"), until) if str(each).isdecimal()]
    return {
        **view.filters,
        **({"until": str(min(ends))} if ends else {}),
        **({"sort": view.sort} if view.sort else {}),
    }


def _question(view: View, params: Mapping[str, str]) -> Question:
    """The question for rows of the list of ``view``.

    Raises:
        InvalidRequest: the address says what makes no sense.
    """
    sorts = EPOCH_SORTS if view.table == "epochs" else SORTS[view.table]
    return parse_question(view.table, params, sorts)


def _block(view: View, page: Mapping[str, Any], first: int) -> dict[str, Any]:
    """The rows of ``page`` from the place ``first`` on, and how many there are in all where that is
    known, as the grid takes them."""
    year = str(datetime.now(UTC).year)
    rows = [grid_row(view, each, year) for each in page["rows"]]
    total = page["total"]
    if total is None and len(rows) < BLOCK:
        total = first + len(rows)
    return {"rowData": rows, "rowCount": total}


def _problem(fault: Exception) -> tuple[str, bool]:
    """What the page says of ``fault``, and whether the request was wrong: it is not sent again by
    itself then."""
    if isinstance(fault, BalanceError):
        problem = problem_of(fault)
        return problem["detail"], problem["status"] != 503
    _LOG.error("The rows of a list could not be read.", exc_info=fault)
    return _FAILED, True


def _indexing(page: Mapping[str, Any]) -> str:
    index = page["index"]
    text = f"Indexing {int(index.percent)} %: filters, orders and counts still miss newer entries."
    return "" if index.is_complete else text


def _choices(desk: Desk, services: Services) -> Choices:
    """The symbols and the owners that there are or were."""
    symbols, owners = dict.fromkeys(desk.market.instruments), {PERSON: "You"}
    with suppress(BalanceError):
        symbols |= dict.fromkeys(desk.ledger.values("symbol"))
        owners |= {each: each for each in desk.ledger.values("owner") if each != PERSON}
    owners |= services.bot_names()
    with suppress(BalanceError):
        owners |= {each["name"]: each["name"] for each in services.keys.listed()["keys"]}
    return {"symbol": {each: each for each in symbols}, "owner": owners}


def _number(name: str, typed: str) -> Row:
    """The number that is ``typed`` into the filter called ``name``, as the address has it, and what
    is wrong with it."""
    if is_empty(typed):
        return {"number": "", "fault": ""}
    is_epoch = name == "epoch"
    try:
        number = f"{read_amount(typed, 'plain' if is_epoch else 'money'):f}"
    except InvalidAmount as refusal:
        return {"number": "", "fault": str(refusal)}
    is_wrong = is_epoch and not (number.isdigit() and int(number))
    return {"number": number, "fault": "Epochs are numbered from 1 on." if is_wrong else ""}
