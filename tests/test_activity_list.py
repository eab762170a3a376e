"""The list of what the bots did: filtered, and read further back page by page."""

from __future__ import annotations

from typing import Any

import pytest

from app import create_app
from balance.api.stream import Stream
from balance.desk.desk import Desk
from balance.server.assembly import services_alone
from balance.store.memory_store import MemoryStore
from callbacks.activity import draw_activity
from layouts.auto import DECISIONS, EVERYTHING
from tests.boards import board
from tests.markets import BTC
from tests.test_layouts import everything


@pytest.fixture
def services() -> Any:
    """Those of a server with one bot, which was paused and resumed 30 times."""
    desk = Desk(MemoryStore(), board())
    stream = Stream(1)
    found = services_alone(desk, stream)
    create_app(desk, stream, services=found)
    made = found.bots.create({"name": "Trend", "symbol": BTC, "strategy": "signals"})
    bot = made.members["bot"]["id"]
    found.bots.start(bot)
    for _ in range(30):
        found.bots.pause(bot)
        found.bots.resume(bot)
    return found


def rows(table: Any) -> list[str]:
    """The ids of the rows of ``table``."""
    return [
        each.id
        for each in everything(table)
        if getattr(each, "id", "").endswith(tuple("0123456789"))
    ]


def test_the_newest_are_listed_and_the_older_page_by_page(services: Any) -> None:
    table, is_more = draw_activity(services, DECISIONS, EVERYTHING, EVERYTHING, 1)
    assert (len(rows(table)), is_more) == (50, True)
    assert rows(table)[0] == "auto-activity-62"
    table, is_more = draw_activity(services, DECISIONS, EVERYTHING, EVERYTHING, 2)
    assert (len(rows(table)), is_more) == (62, False)


@pytest.mark.parametrize(
    ("view", "bot", "kind", "title"),
    [
        (DECISIONS, EVERYTHING, "error", "Nothing of that kind"),
        (DECISIONS, "other-9", EVERYTHING, "Nothing of that kind"),
        ("trades", EVERYTHING, "action", "No trades yet"),
        ("trades", "trend-1", "action", "Nothing of that kind"),
    ],
)
def test_where_nothing_is_it_is_said_why(
    services: Any, view: str, bot: str, kind: str, title: str
) -> None:
    found, is_more = draw_activity(services, view, bot, kind, 1)
    assert (found.children[0].children, is_more) == (title, False)
