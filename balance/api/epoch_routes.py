"""The route of the epochs: a list of the history as the others are."""

from __future__ import annotations

from flask import Blueprint, Response

from balance.api.answers import json_answer
from balance.api.downloads import download
from balance.api.history_routes import asked_of, indexed
from balance.core.moments import from_iso
from balance.core.rows import Row
from balance.desk.desk import Desk
from balance.history.epochs import EpochRow
from balance.history.history import History
from balance.performance.epochs import Measure, Present, epoch_row, fitting, in_order
from balance.performance.figures import FIGURES, listed


def add_epoch_route(api: Blueprint, desk: Desk, history: History, measure: Measure) -> None:
    """Let ``api`` serve the epochs of ``history``; ``measure`` gives the results of one."""

    @api.get("/history/epochs")
    def epochs() -> Response:
        asked, form = asked_of("epochs")
        found = fitting(history.epochs(), asked)
        # taken after them, so that none of them is of later than now
        snapshot = desk.snapshot()
        present = Present(snapshot.epoch, from_iso(snapshot.as_of), desk.market.decimals)

        def told(row: EpochRow) -> Row:
            return epoch_row(row, measure(row.epoch), present)

        ordered = in_order(found, asked, present, measure)
        if form is not None:
            return download("epochs", form, map(told, ordered))
        end = None if asked.limit is None else asked.offset + asked.limit
        return json_answer(
            {
                "status": "success",
                "rows": [told(each) for each in ordered[asked.offset : end]],
                "total": len(ordered),
                "offset": asked.offset,
                "figures": listed(FIGURES),
                **indexed(history.progress),
            }
        )
