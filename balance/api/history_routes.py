"""The routes of the history: the lists of its entries, and one entry whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flask import Blueprint, Response, request

from balance.api.answers import json_answer
from balance.api.bots import AnyBots
from balance.api.downloads import FORMATS, download
from balance.api.problems import Problem
from balance.core.entry import Place, cursor, place_of
from balance.core.errors import BalanceError, InvalidRequest
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.history import History
from balance.history.index import Progress
from balance.history.question import MANY, Listed, Question, parse_question
from balance.history.rows import Record, Table, history_row, whole_entry
from balance.performance.epochs import EPOCH_SORTS

_TABLES: Final[tuple[Table, ...]] = ("ledger", "fills", "trades")


def add_history_routes(api: Blueprint, desk: Desk, history: History, bots: AnyBots) -> None:
    """Let ``api`` serve ``history``; ``bots`` know their names."""
    for table in _TABLES:
        _add_list(api, desk, history, bots, table)
    _add_entry(api, desk, history, bots)


def _add_list(api: Blueprint, desk: Desk, history: History, bots: AnyBots, table: Table) -> None:
    @api.get(f"/history/{table}", endpoint=f"history_{table}")
    def listed() -> Response:
        asked, form = asked_of(table)
        names = _names(bots) if table == "trades" else {}
        market = desk.market

        def row(record: Record) -> Row:
            return history_row(table, record, market, names)

        if form is not None:
            return download(table, form, map(row, history.records(asked)))
        answer = history.answer(asked)
        return json_answer(
            {
                "status": "success",
                "rows": [row(each) for each in answer.rows],
                "total": answer.total,
                "offset": asked.offset,
                **indexed(answer.progress),
            }
        )


def _add_entry(api: Blueprint, desk: Desk, history: History, bots: AnyBots) -> None:
    @api.get("/history/entries/<place>")
    def entry(place: str) -> Response:
        found = history.entry(_place_wanted(place))
        if found is None:
            raise Problem(
                404, f"There is no entry {place[:40]}. The ledger lists those that there are."
            )
        row = whole_entry(found.record, desk.market, _names(bots))
        return json_answer(
            {
                "status": "success",
                "entry": row,
                "before": _place(found.before),
                "after": _place(found.after),
                "offset": found.offset,
                **indexed(history.progress),
            }
        )


def asked_of(table: Listed) -> tuple[Question, str | None]:
    """The question that the query puts, and as which file it wants the answer."""
    texts = {name: _one_text(name, values) for name, values in request.args.lists()}
    form = texts.pop("format", None)
    if form is not None and form not in FORMATS:
        raise InvalidRequest(f"format must be {' or '.join(FORMATS)}, not {form[:40]!r}.")
    sorts = EPOCH_SORTS if table == "epochs" else None
    return parse_question(table, texts, sorts), form


def _place_wanted(text: str) -> Place:
    try:
        return place_of(text)
    except InvalidRequest as fault:
        raise InvalidRequest(
            "An entry is called by its revision, such as 42, or 42.3 for its third line, "
            f"not {text[:40]!r}."
        ) from fault


def _one_text(name: str, values: Sequence[str]) -> str:
    if len(values) > 1 and name not in MANY:
        raise InvalidRequest(f"{name[:40]} may be named only once.")
    return ",".join(values)


def _names(bots: AnyBots) -> Mapping[str, str]:
    """What the bots that there still are are called, by id."""
    try:
        return {each["id"]: each["name"] for each in bots.listed()["bots"]}
    except BalanceError:
        return {}  # the Auto Trading tab says so


def indexed(progress: Progress) -> dict[str, Any]:
    """How much of the ledger is indexed, as a part of an answer."""
    index = {"is_complete": progress.is_complete, "percent": progress.percent}
    return {"index": index}


def _place(place: Place | None) -> str | None:
    return None if place is None else cursor(place)
