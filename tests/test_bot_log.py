"""The log of the bots: newest first, page by page, whole again whatever cut it off."""

from __future__ import annotations

import itertools
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from balance.api.encoding import encoded
from balance.bots import log as bot_log
from balance.bots.bots import Bots
from balance.bots.log import LOG_FILE, BotLog
from balance.core.errors import InvalidRequest
from balance.desk.desk import Desk
from balance.store.memory_store import MemoryStore
from tests.accounts import MOMENT
from tests.boards import board
from tests.refusing import RefusingDisk

#: What is no number in JSON, or no sensible one.
ODD_NUMBERS = (b"1e999", b"-1e999", b"1e999999999", b"NaN", b"Infinity", b"true", b'"1"', b"-1")


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


def older_line(**changes: Any) -> bytes:
    """The line of an entry as versions before the checksums wrote it."""
    entry = {"id": 1, "time": "2026-01-02T03:04:05.678Z", "bot": "a-1", "name": "A"}
    entry |= {"kind": "trade", "candle": None, "symbol": "BTC/USDT", "side": "buy"}
    return json.dumps({**entry, "confidence": 0.5, "reason": "", "words": "", **changes}).encode()


def read_back(folder: Path, *lines: bytes) -> BotLog:
    """The log in a file with ``lines``, whose pages can be answered over HTTP."""
    (folder / LOG_FILE).write_bytes(b"".join(line + b"\n" for line in lines))
    log = BotLog(folder)
    encoded({"entries": log.page().entries})
    return log


def test_an_entry_of_an_older_version_is_read_as_it_is(tmp_path: Path) -> None:
    log = read_back(tmp_path, older_line(), older_line(id=2, confidence=1))
    assert ids(log) == [2, 1]
    assert log.left_out == 0


@pytest.mark.parametrize(
    "wrong",
    [
        *(older_line(confidence=0.5).replace(b"0.5", each) for each in ODD_NUMBERS),
        *(
            older_line().replace(b'"id": 1', b'"id": ' + each)
            for each in (*ODD_NUMBERS, b"1.0", b"1" * 10)
        ),
        *(older_line(**{name: 7}) for name in ("time", "bot", "name", "kind", "candle", "words")),
        *(older_line(**{name: None}) for name in ("id", "time", "symbol", "side", "reason")),
        *(older_line(time=each) for each in ("", "2026-13-01T00:00:00Z", "2026-01-01T00:00:00")),
        *(older_line(kind="other"), older_line(id=0), older_line(id=True), older_line(more=1)),
        *(b"\xff" + older_line(), b"[" * 99_999, b"null", b"[]", b"{}", b""),
    ],
)
def test_what_is_no_entry_is_left_out_and_counted(tmp_path: Path, wrong: bytes) -> None:
    log = read_back(tmp_path, wrong, older_line(id=9))
    assert ids(log) == [9]
    assert log.page(limit=1).left_out == 1


def test_a_changed_byte_is_never_shown(tmp_path: Path) -> None:
    known = {each["id"]: each for each in filled(tmp_path, 3).page().entries}
    sound = (tmp_path / LOG_FILE).read_bytes()
    for place, bit in itertools.product(range(len(sound)), (0, 2, 5)):
        changed = bytearray(sound)
        changed[place] ^= 1 << bit
        (tmp_path / LOG_FILE).write_bytes(changed)
        log = BotLog(tmp_path)
        shown = log.page().entries
        assert all(known[each["id"]] == each for each in shown)
        # A line without its newline is taken for one that a crash has cut off.
        assert len(shown) + log.left_out >= 2
        assert len(shown) < 3


def test_of_a_file_that_was_cut_off_anywhere_all_whole_lines_are_shown(tmp_path: Path) -> None:
    filled(tmp_path, 3)
    sound = (tmp_path / LOG_FILE).read_bytes()
    for size in range(len(sound)):
        (tmp_path / LOG_FILE).write_bytes(sound[:size])
        log = BotLog(tmp_path)
        assert len(log.page().entries) == sound[:size].count(b"\n")
        assert log.left_out == 0
        log.add("bot-1", "Name", "state", "after it")
        log.save()
        assert BotLog(tmp_path).page().entries == log.page().entries


def test_lines_that_are_left_out_are_known_damage(tmp_path: Path) -> None:
    desk = Desk(MemoryStore(), board())
    Bots(desk, folder=tmp_path)
    assert desk.ledger.damages.listed == ()
    filled(tmp_path)
    with (tmp_path / LOG_FILE).open("ab") as file:
        file.write(b"{}\n" * 2)
    Bots(desk, folder=tmp_path)
    (damage,) = desk.ledger.damages.listed
    assert (damage.file, damage.line) == (LOG_FILE, None)
    assert damage.message.startswith("2 lines of bots.jsonl can't be read, and are not in the log")


def test_one_line_that_is_left_out_is_one(tmp_path: Path) -> None:
    (tmp_path / LOG_FILE).write_bytes(b"{}\n")
    message = BotLog(tmp_path).message
    assert message.startswith("1 line of bots.jsonl can't be read, and is not in the log")
