"""The bots of another server on the folder: shown as they are there, and changed nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from balance.api.routes import description
from balance.bots import followed as followed_module
from balance.bots.followed import FollowedBots
from balance.bots.state import BOTS_FILE
from balance.core.errors import InvalidRequest, StoreUnreadable
from balance.desk.desk import Desk
from balance.store.file_store import ACCOUNT_FILE, FileStore
from tests.boards import board
from tests.bots_by_hand import USUAL, ByHand
from tests.markets import BTC


@pytest.fixture
def there(folder: Path) -> ByHand:
    """The bots where they run: one that has traded and one that holds."""
    desk = ByHand(folder)
    desk.create()
    desk.close(40_000, 41_000, 40_500, 41_000)
    desk.bots.rest()
    return desk


@pytest.fixture
def here(there: ByHand) -> FollowedBots:
    """The same, seen from another process."""
    return FollowedBots(Desk(FileStore(there.folder), there.board), there.folder)


def test_rows_trades_and_log_are_those_of_the_other_server(
    there: ByHand, here: FollowedBots
) -> None:
    listed, seen = there.bots.listed(), here.listed()
    names = {"strategy_name", "display"}
    for row, other in zip(listed["bots"], seen["bots"], strict=True):
        assert {k: v for k, v in row.items() if k not in names} == {
            k: v for k, v in other.items() if k not in names
        }
    assert (seen["can_change"], listed["can_change"]) == (False, True)
    assert "change them there" in seen["words"]
    assert here.log().entries == there.bots.log().entries
    assert here.log(kind="trade", limit=1).entries == there.bots.log(kind="trade", limit=1).entries
    assert here.trades() == there.bots.trades()
    assert here.trades(bot="ghost-1") == []
    assert here.strategies() == [each for each in there.bots.strategies() if not each["own"]]


def test_where_no_bots_were_ever_made_the_list_is_as_described(folder: Path) -> None:
    listed = FollowedBots(Desk(FileStore(folder), board()), folder).listed()
    schema = description()["components"]["schemas"]["BotList"]["properties"]["version"]
    Draft202012Validator(schema).validate(listed["version"])
    assert listed["version"] == 0


def test_nothing_can_be_changed_from_here(there: ByHand, here: FollowedBots) -> None:
    before = (there.folder / BOTS_FILE).read_bytes()
    for verb, arguments in (
        ("create", (USUAL,)),
        ("edit", ("levels-1", {"stake": 5})),
        *((each, ("levels-1",)) for each in ("duplicate", "start", "pause", "resume", "stop")),
        ("delete", ("levels-1",)),
        ("stop_all", ()),
        ("signal", ({"symbol": BTC, "side": "buy"},)),
    ):
        with pytest.raises(InvalidRequest, match="that brings the prices: change them there"):
            getattr(here, verb)(*arguments, key="key")
    assert (there.folder / BOTS_FILE).read_bytes() == before
    assert (here.needs_secret, here.check_secret("any")) == (False, True)


def test_a_signal_needs_the_secret_that_it_will_need_once_bots_run_here(there: ByHand) -> None:
    here = FollowedBots(there.desk, there.folder, secret="twelve letters")
    assert here.needs_secret
    assert (here.check_secret("twelve letters"), here.check_secret("other")) == (True, False)


def test_trades_and_log_are_asked_for_within_the_same_limits(here: FollowedBots) -> None:
    for wrong in (0, -1, 1_001):
        with pytest.raises(InvalidRequest, match="limit must be from 1 to 1,000"):
            here.trades(limit=wrong)
    with pytest.raises(InvalidRequest):
        here.log(kind="all")


def test_what_changes_there_is_told_here(
    there: ByHand, here: FollowedBots, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[Any] = []
    here.subscribe(heard.append)
    here.show()
    here.show()
    assert len(heard) == 1
    monkeypatch.setattr(followed_module, "_PUBLISH_SECONDS", 0)
    here.show()
    assert len(heard) == 1
    there.bots.stop("levels-1", close=True)
    here.show()
    assert heard[-1]["bots"][0]["status"] == "stopped"
    assert heard[-1]["version"] >= heard[0]["version"]
    there.price(41_500)
    here.show()
    assert len(heard) == 3


def test_without_a_file_there_are_no_bots(folder: Path) -> None:
    desk = Desk(FileStore(folder))
    heard: list[Any] = []
    here = FollowedBots(desk, folder)
    here.subscribe(heard.append)
    assert (here.listed()["bots"], here.trades(), here.log().entries) == ([], [], ())
    here.show()
    here.show()
    assert len(heard) <= 1


def test_a_file_that_is_damaged_meanwhile_leaves_what_was_seen(
    there: ByHand, here: FollowedBots
) -> None:
    before = here.listed()["bots"]
    file = there.folder / BOTS_FILE
    file.write_bytes(b"{")
    os.utime(file, (1, 1))
    assert here.listed()["bots"] == before
    file.unlink()
    assert here.listed()["bots"] == before


def test_an_account_that_can_not_be_read_is_told_as_that(there: ByHand, here: FollowedBots) -> None:
    (there.folder / ACCOUNT_FILE).write_bytes(b"{")
    with pytest.raises(StoreUnreadable):
        here.listed()
