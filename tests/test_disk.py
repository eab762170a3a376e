"""The disk: regular files alone, their owner's alone, whole whatever the system takes at a time."""

from __future__ import annotations

import errno
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from balance.store.disk import DISK, AppendedFile, Disk
from tests.refusing import FULL

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="has no modes, links and pipes")

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
#: What may stand in the place of a file, and what the system says about it.
OBSTACLES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a folder": (Path.mkdir, "Is a directory"),
    "a pipe": (os.mkfifo, "Not a regular file|No such device or address"),
    "a full device": (lambda path: path.symlink_to("/dev/full"), "Not a regular file"),
    "a link to itself": (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
}


@pytest.fixture(params=[0, 0o022, 0o077])
def _umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_no_regular_file_is_refused_and_not_waited_for(
    tmp_path: Path, obstacle: str
) -> None:
    place, reason = OBSTACLES[obstacle]
    path = tmp_path / "file"
    place(path)
    calls: list[Callable[[], object]] = [
        lambda: DISK.read(path),
        lambda: AppendedFile(path).append(b"text"),
        lambda: DISK.cut(path, 0),
    ]
    for call in calls:
        with pytest.raises(OSError, match=reason):
            call()
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_what_is_no_regular_file_is_moved_beside(tmp_path: Path, obstacle: str) -> None:
    path = tmp_path / "file.json"
    OBSTACLES[obstacle][0](path)
    before = path.lstat().st_ino
    assert DISK.keep_damaged(path, NOW) == "file.damaged-20260102T030405000000.json"
    (moved,) = tmp_path.iterdir()
    assert (moved.name, moved.lstat().st_ino) == ("file.damaged-20260102T030405000000.json", before)
    assert DISK.keep_damaged(path, NOW) is None


@pytest.mark.parametrize("obstacle", ["a folder", "a pipe", "a link to itself"])
def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path, obstacle: str) -> None:
    path, other = tmp_path / "file", tmp_path / "link"
    place, reason = OBSTACLES[obstacle]
    place(path)
    other.symlink_to(path)
    before = path.lstat().st_mode
    for each in (path, other):
        with pytest.raises(OSError, match=reason):
            DISK.replace_file(each, b"text")
    assert path.lstat().st_mode == before
    assert {each.name for each in tmp_path.iterdir()} == {"file", "link"}


def test_a_link_to_nothing_is_made_one_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.symlink_to(tmp_path / "other")
    DISK.replace_file(path, b"text")
    assert path.is_symlink()
    assert (tmp_path / "other").read_bytes() == b"text"


@pytest.mark.usefixtures("_umask")
def test_a_file_is_its_owners_alone_from_the_first_byte_on(tmp_path: Path) -> None:
    seen = []

    class WatchedDisk(Disk):
        def write(self, descriptor: int, text: bytes) -> None:
            seen.append(os.fstat(descriptor).st_mode & 0o777)
            super().write(descriptor, text)

    disk = WatchedDisk()
    (tmp_path / "old.json").write_bytes(b"old")
    (tmp_path / "old.json").chmod(0o644)
    for name in ("new.json", "old.json"):
        disk.replace_file(tmp_path / name, b"text")
    AppendedFile(tmp_path / "lines.jsonl", disk).append(b"text")
    copy = disk.keep_damaged(tmp_path / "lines.jsonl", NOW)
    assert copy == "lines.damaged-20260102T030405000000.jsonl"
    assert (tmp_path / copy).read_bytes() == b"text"
    assert seen == [0o600] * 4
    assert {mode(each) for each in tmp_path.iterdir()} == {0o600}


@pytest.mark.usefixtures("_umask")
def test_a_folder_is_its_owners_alone_and_durable_with_those_above_it(tmp_path: Path) -> None:
    synced = []

    class WatchedDisk(Disk):
        def sync_folder(self, folder: Path) -> None:
            synced.append(folder)
            super().sync_folder(folder)

    tmp_path.chmod(0o755)
    for _ in range(2):
        WatchedDisk().make_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / each) for each in ("", "a", "a/b")] == [0o755, 0o700, 0o700]
    # Who made it may have died before it was durable.
    assert synced == [tmp_path / "a", tmp_path, tmp_path / "a"]


def test_a_folder_whose_sync_failed_is_synced_when_it_is_made_again(tmp_path: Path) -> None:
    refused = [tmp_path]

    class RefusingDisk(Disk):
        def sync(self, descriptor: int) -> None:
            if refused and os.path.samestat(os.fstat(descriptor), refused[0].stat()):
                refused.pop()
                raise FULL
            super().sync(descriptor)

    disk = RefusingDisk()
    with pytest.raises(OSError, match="No space left"):
        disk.make_folder(tmp_path / "a" / "b")
    refused.append(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        disk.make_folder(tmp_path / "a" / "b")
    disk.make_folder(tmp_path / "a" / "b")


def test_files_of_older_versions_are_narrowed_and_those_of_others_not(tmp_path: Path) -> None:
    ours = ["equity.db", "equity.db-wal", "equity.db-shm", "equity.damaged-1.db", "bots.json"]
    theirs = ["candles.csv", "equity.csv", "bots.jsonl", "my-bots.json"]
    for name in (*ours, *theirs):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o664)
    (tmp_path / "bots.json").chmod(0o555)
    DISK.narrow(tmp_path, "equity.db", "bots.json", "missing.json")
    assert {name: mode(tmp_path / name) for name in ours} == {
        **dict.fromkeys(ours, 0o600),
        "bots.json": 0o500,
    }
    assert {mode(tmp_path / name) for name in theirs} == {0o664}


@pytest.mark.parametrize("refused", [True, False])
def test_what_can_not_be_narrowed_is_a_warning_once(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    refused: bool,
) -> None:
    for name in ("bots.json", "bots.jsonl"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o644)

    def chmod(_path: Path, _mode: int) -> None:
        if refused:
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", chmod)
    disk = Disk()
    for _ in range(2):
        disk.narrow(tmp_path, "bots.json", "bots.jsonl")
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert (
        "Other users of this machine may read bots.json, bots.jsonl, which" in record.getMessage()
    )
    assert ("Operation not permitted" in record.getMessage()) == refused


@pytest.mark.usefixtures("_umask")
def test_a_database_is_its_owners_alone_with_what_is_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "test.db"
    for number in range(2):
        DISK.reserve(path)
        connection = sqlite3.connect(path)
        connection.execute("pragma journal_mode = wal")
        connection.execute(f"create table t{number} (x)")
    assert {each.name: mode(each) for each in tmp_path.iterdir()} == dict.fromkeys(
        ("test.db", "test.db-wal", "test.db-shm"), 0o600
    )


def test_what_dead_writers_left_of_a_file_goes_when_it_is_replaced(tmp_path: Path) -> None:
    for name in (".bots.json.1.tmp", ".bots.jsonl.1.tmp", ".bots.json.2", "bots.json.tmp"):
        (tmp_path / name).touch()
    DISK.replace_file(tmp_path / "bots.json", b"text")
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        ".bots.json.2",
        ".bots.jsonl.1.tmp",
        "bots.json",
        "bots.json.tmp",
    ]
    DISK.sweep(tmp_path, "other", "bots.jsonl")
    assert not (tmp_path / ".bots.jsonl.1.tmp").exists()


def test_what_the_system_takes_in_parts_is_written_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:3]))
    DISK.replace_file(tmp_path / "whole", b"0123456789")
    assert AppendedFile(tmp_path / "lines").append(b"0123456789\n") == 11
    assert (tmp_path / "whole").read_bytes() == b"0123456789"
    assert (tmp_path / "lines").read_bytes() == b"0123456789\n"


@pytest.mark.parametrize("taken", range(12))
def test_a_disk_that_is_full_in_the_middle_of_a_line_leaves_nothing_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    """Whole files and appended ones, with a system that takes some bytes before it refuses."""
    left = [taken]
    write = os.write

    def write_some(descriptor: int, text: memoryview) -> int:
        if not left[0]:
            raise FULL
        count = write(descriptor, text[: left[0]])
        left[0] -= count
        return count

    lines = AppendedFile(tmp_path / "lines")
    for name in ("lines", "whole"):
        (tmp_path / name).write_bytes(b"before\n")
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", write_some)
        with pytest.raises(OSError, match="No space left"):
            lines.append(b"0123456789ab\n")
        left[0] = taken
        with pytest.raises(OSError, match="No space left"):
            DISK.replace_file(tmp_path / "whole", b"0123456789ab\n")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == dict.fromkeys(
        ("lines", "whole"), b"before\n"
    )
    lines.append(b"after\n")
    assert (tmp_path / "lines").read_bytes() == b"before\nafter\n"
