"""The log of the bots: newest first, page by page, whole again whatever cut it off."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest

from balance.bots import log as bot_log
from balance.bots.log import LOG_FILE, BotLog
from balance.core.errors import InvalidRequest
from tests.accounts import MOMENT
from tests.refusing import RefusingDisk


def filled(folder: Path | None, count: int = 6) -> BotLog:
    """A log of two bots: every second entry is of each, every third one a hold."""
    log = BotLog(folder)
    for number in range(1, count + 1):
        kind: Any = "hold" if number % 3 == 0 else "trade"
        log.add(f"bot-{number % 2}", "Name", kind, f"words {number}", symbol="BTC/USDT")
    log.save()
    return log


def ids(log: BotLog, **asked: Any) -> list[int]:
    """The ids on a page of ``log``."""
    return [each["id"] for each in log.page(**asked).entries]


def test_an_entry_is_read_back_as_it_was_added(tmp_path: Path) -> None:
    log = BotLog(tmp_path)
    log.add(
        "trend-1",
        "Trend",
        "trade",
        "Opened",
        symbol="BTC/USDT",
        candle=MOMENT,
        side="buy",
        confidence=0.7,
        reason="Zeile eins \u2028 und é",
    )
    log.add("trend-1", "Trend", "error", "Line\nby line")
    log.save()
    assert BotLog(tmp_path).page().entries == log.page().entries
    newest, oldest = log.page().entries
    assert (newest["kind"], newest["candle"], newest["confidence"]) == ("error", None, None)
    assert oldest["candle"] == "2026-01-02T03:04:05.678Z"
    assert oldest["reason"] == "Zeile eins \u2028 und é"


def test_pages_follow_each_other_without_a_gap(tmp_path: Path) -> None:
    log = filled(tmp_path)
    first = log.page(limit=4)
    assert [each["id"] for each in first.entries] == [6, 5, 4, 3]
    assert first.next == "3"
    second = log.page(limit=4, before=int(first.next))
    assert [each["id"] for each in second.entries] == [2, 1]
    assert second.next is None
    assert log.page(limit=6).next is None
    assert log.page(before=1).entries == ()


def test_a_page_has_what_was_asked_for(tmp_path: Path) -> None:
    log = filled(tmp_path)
    assert ids(log, bot="bot-1") == [5, 3, 1]
    assert ids(log, kind="hold") == [6, 3]
    assert ids(log, kind="action") == [5, 4, 2, 1]
    assert ids(log, bot="bot-1", kind="action", limit=1) == [5]
    assert log.page(bot="bot-1", kind="action", limit=1).next == "5"
    assert ids(log, bot="none") == []


@pytest.mark.parametrize(
    "wrong", [{"limit": 0}, {"limit": 501}, {"limit": -1}, {"kind": "all"}, {"kind": ""}]
)
def test_a_page_that_can_not_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="must be"):
        filled(None).page(**wrong)


@pytest.mark.parametrize(
    "ending",
    [b'{"id": 7, "time', b"\n\n", b"[]\n", b'{"id": 7}\n', b"\xff\xfe\n", b"null", b"[" * 99_999],
)
def test_what_a_crash_has_cut_off_is_passed_over_and_nothing_after_it_is_lost(
    tmp_path: Path, ending: bytes
) -> None:
    filled(tmp_path)
    with (tmp_path / LOG_FILE).open("ab") as file:
        file.write(ending)
    log = BotLog(tmp_path)
    assert ids(log) == [6, 5, 4, 3, 2, 1]
    log.add("bot-1", "Name", "state", "after it")
    log.save()
    assert ids(BotLog(tmp_path)) == [7, 6, 5, 4, 3, 2, 1]


def test_what_the_disk_refuses_is_written_later_and_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = filled(tmp_path, 1)
    kept = (tmp_path / LOG_FILE).read_bytes()
    (tmp_path / LOG_FILE).unlink()
    (tmp_path / LOG_FILE).mkdir()
    for number in range(3):
        log.add("bot-1", "Name", "state", f"later {number}")
        log.save()
    assert [each.levelno for each in caplog.records] == [logging.ERROR]
    (tmp_path / LOG_FILE).rmdir()
    # what was being written was cut off in the middle of its line
    (tmp_path / LOG_FILE).write_bytes(kept + b'{"id": 2, "ti')
    log.save()
    assert ids(BotLog(tmp_path)) == [4, 3, 2, 1]


def test_a_log_that_has_grown_large_is_begun_anew_with_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bot_log, "_LARGEST_FILE", 2_000)
    monkeypatch.setattr(bot_log, "_MOST_LINES", 5)
    disk = RefusingDisk()
    log = BotLog(tmp_path, disk)
    for number in range(40):
        log.add("bot-1", "Name", "state", f"words {number}")
        log.save()
        assert (tmp_path / LOG_FILE).stat().st_size < 2_500
    assert ids(log) == ids(BotLog(tmp_path)) == [40, 39, 38, 37, 36]
    with disk.full(LOG_FILE):
        for number in range(40):
            log.add("bot-1", "Name", "state", f"words {number}")
            log.save()
    assert ids(BotLog(tmp_path)) == [80, 79, 78, 77, 76]


def test_without_a_folder_it_is_in_memory_alone() -> None:
    log = filled(None)
    assert ids(log) == [6, 5, 4, 3, 2, 1]


def test_every_line_of_the_file_is_one_object(tmp_path: Path) -> None:
    filled(tmp_path)
    lines = (tmp_path / LOG_FILE).read_text().splitlines()
    assert [json.loads(line)["words"] for line in lines] == [f"words {n}" for n in range(1, 7)]
