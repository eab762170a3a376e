"""State in a JSON file: whole whatever happens, damaged never replaced, followed by others."""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from balance.core.errors import InvalidRequest, KeyReused, StoreFailed
from balance.store.checksum import sealed
from balance.store.disk import DISK, Disk
from balance.store.kept_file import FileUnreadable, KeptFile
from tests.power import EIO, PowerDisk
from tests.refusing import RefusingDisk

NAME = "notes.json"
Notes = tuple[str, ...]


def notes(folder: Path | None, *, answers: int = 3, disk: Disk = DISK) -> KeptFile[Notes]:
    return KeptFile(
        folder,
        NAME,
        (),
        lambda value: {"notes": list(value)},
        lambda document: tuple(map(str.upper, document["notes"])),
        remedy="Move it away.",
        answers=answers,
        disk=disk,
    )


def add(file: KeptFile[Notes], note: str, key: str | None = None) -> None:
    def change() -> None:
        file.put((*file.value, note))
        file.remember(key, [note], f"Added {note}.", place=len(file.value))

    if file.answer(key, [note]) is None:
        file.change(change)


def test_without_a_file_there_is_the_empty_state_and_none_is_made(tmp_path: Path) -> None:
    file = notes(tmp_path)
    assert (file.latest(), file.changed) == ((), 0)
    file.save()
    assert not (tmp_path / NAME).exists()


def test_what_was_saved_is_in_the_file_with_its_schema_and_the_answers(tmp_path: Path) -> None:
    add(notes(tmp_path), "A", "key-1")
    (answer,) = json.loads((tmp_path / NAME).read_bytes())["answers"]
    assert answer.pop("fingerprint")
    assert answer == {"key": "key-1", "message": "Added A.", "place": 1}
    text = (tmp_path / NAME).read_text()
    assert text.startswith('{"schema": 1, "notes": ["A"], "answers": [{"key": "key-1"')
    other = notes(tmp_path)
    assert other.latest() == ("A",)
    assert other.changed == (tmp_path / NAME).stat().st_mtime_ns // 1_000_000
    found = other.answer("key-1", ["A"])
    assert found is not None
    assert (found.message, found.members) == ("Added A.", {"place": 1})


def test_a_file_without_answers_has_no_member_for_them(tmp_path: Path) -> None:
    file = notes(tmp_path, answers=0)
    file.put(("A",))
    file.save()
    text = (tmp_path / NAME).read_bytes()
    assert text == sealed(b'{"schema": 1, "notes": ["A"]}')
    assert notes(tmp_path, answers=0).latest() == ("A",)


def test_nothing_is_kept_without_a_folder() -> None:
    file = notes(None)
    add(file, "A", "key-1")
    assert file.latest() == ("A",)
    assert file.answer("key-1", ["A"]) is not None


DAMAGED = {
    b"": "is no JSON",
    b'{"notes": [': "is no JSON",
    b"[" * 100_000: "is no JSON",
    b"\xff": "is no JSON",
    b"[]": "is no object",
    b'{"schema": 2}': "has the schema 2, not 1",
    b'{"notes": [], "notes": []}': "names 'notes' twice",
    b'{"notes": [1], "answers": []}': "is damaged (TypeError(",
    b'{"notes": []}': "is damaged (KeyError('answers'))",
    b'{"notes": [], "answers": [{"key": "k"}]}': "is damaged (KeyError('fingerprint'))",
}


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_refused_in_words_and_stays(tmp_path: Path, text: bytes) -> None:
    file, fresh = notes(tmp_path), notes(tmp_path)
    add(file, "A")
    assert file.latest() == ("A",)
    (tmp_path / NAME).write_bytes(text)
    for reader, known in ((file, ("A",)), (fresh, ())):
        for _ in range(2):
            with pytest.raises(FileUnreadable) as refused:
                reader.latest()
            assert str(refused.value).startswith(f"notes.json {DAMAGED[text]}")
            assert str(refused.value).endswith(". Move it away.")
            assert reader.latest_known() == known
    assert (tmp_path / NAME).read_bytes() == text
    (tmp_path / NAME).write_text('{"notes": ["b"], "answers": []}')
    assert file.latest() == fresh.latest() == ("B",)


def test_whatever_byte_is_another_nothing_is_shown_that_was_not_written(tmp_path: Path) -> None:
    file = notes(tmp_path)
    for note in ("A 1", "B 2"):
        add(file, note, f"key {note}")
    text = (tmp_path / NAME).read_bytes()
    for place, byte in enumerate(text):
        for other in (byte ^ 1, byte ^ 128, 0x20):
            if other != byte:
                (tmp_path / NAME).write_bytes(text[:place] + bytes([other]) + text[place + 1 :])
                # the same notes, where only the name of the checksum is another one
                with suppress(FileUnreadable):
                    assert notes(tmp_path).latest() == ("A 1", "B 2")
        (tmp_path / NAME).write_bytes(text[:place])
        with pytest.raises(FileUnreadable):
            notes(tmp_path).latest()


def test_a_file_that_was_changed_says_what_to_do_and_is_taken_without_its_checksum(
    tmp_path: Path,
) -> None:
    add(notes(tmp_path), "A")
    path = tmp_path / NAME
    changed = path.read_text().replace('"A"', '"B"')
    path.write_text(changed)
    with pytest.raises(FileUnreadable, match=r'changed or damaged .* delete its member "checksum"'):
        notes(tmp_path).latest()
    path.write_text(changed.split(',"checksum"')[0] + "}")
    file = notes(tmp_path)
    assert file.latest() == ("B",)
    add(file, "C")
    assert "checksum" in json.loads(path.read_bytes())


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(FileUnreadable, match="can't be read: Is a directory"):
        notes(tmp_path).latest()


def test_who_follows_reads_each_change_and_only_then(tmp_path: Path) -> None:
    owner, follower = notes(tmp_path), notes(tmp_path)
    for note in "ABCDEFGH":
        add(owner, note)
        assert follower.latest() == owner.value
    # the file is older than one tick of its clock: it was read for good
    os.utime(tmp_path / NAME, ns=(1, 1))
    seen = follower.latest()
    assert follower.latest() is seen
    (tmp_path / NAME).unlink()
    assert follower.latest() == ()


def test_a_change_within_one_tick_of_the_clock_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("balance.store.disk._RACY_NANOSECONDS", 3_600 * 10**9)
    owner, follower = notes(tmp_path), notes(tmp_path)
    add(owner, "A")
    assert follower.latest() == ("A",)
    status = (tmp_path / NAME).stat()
    text = sealed(b'{"schema": 1, "notes": ["B"], "answers": []}')
    (tmp_path / NAME).write_bytes(text)
    assert (tmp_path / NAME).stat().st_size == status.st_size
    os.utime(tmp_path / NAME, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert follower.latest() == ("B",)


def test_a_change_that_fails_leaves_nothing(tmp_path: Path) -> None:
    disk = RefusingDisk()
    file = notes(tmp_path, disk=disk)
    add(file, "A", "key-1")
    before = (tmp_path / NAME).read_bytes()
    with disk.full(), pytest.raises(StoreFailed, match="No space left on device"):
        add(file, "B", "key-2")
    assert (file.value, file.answer("key-2", ["B"])) == (("A",), None)

    def fail() -> None:
        file.put(("C",))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        file.change(fail)
    assert file.value == ("A",)
    assert (tmp_path / NAME).read_bytes() == before
    add(file, "B", "key-2")
    assert notes(tmp_path).latest() == ("A", "B")


def test_what_the_disk_refuses_is_tried_again_and_complained_of_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = RefusingDisk()
    file = notes(tmp_path, disk=disk)
    for turn in range(2):
        caplog.clear()
        file.put((f"{turn}",))
        with disk.full():
            assert [file.try_save() for _ in range(3)] == [False] * 3
        assert file.is_refused
        assert [each.levelno for each in caplog.records] == [logging.ERROR]
        assert "notes.json could not be saved: " in caplog.text
        assert (file.try_save(), file.is_refused) == (True, False)
        assert notes(tmp_path).latest() == (f"{turn}",)


def test_what_need_not_be_durable_becomes_so_with_the_next_that_is(
    power: PowerDisk, tmp_path: Path
) -> None:
    file = notes(power.folder, disk=power)
    file.put(("A",))
    file.save(durable=False)
    assert notes(power.after_power_loss(tmp_path / "before")).latest() == ()
    for _ in range(2):
        file.save()
    assert notes(power.after_power_loss(tmp_path / "after")).latest() == ("A",)
    assert power.calls.count(("replace", NAME)) == power.calls.count(("sync folder", "")) == 1


def test_what_another_process_wrote_is_durable_before_it_is_answered_for(
    power: PowerDisk, tmp_path: Path
) -> None:
    power.fault = lambda _: EIO if power.calls[-1][0] == "sync folder" else None
    with pytest.raises(StoreFailed):
        add(notes(power.folder, disk=power), "A", "key-1")
    other = notes(power.folder, disk=power)
    assert other.latest() == ("A",)
    with pytest.raises(StoreFailed):
        other.answer("key-1", ["A"])
    power.fault = lambda _: None
    assert other.answer("key-1", ["A"]) is not None
    assert notes(power.after_power_loss(tmp_path / "found")).latest() == ("A",)


def test_a_request_with_a_key_is_answered_once(tmp_path: Path) -> None:
    file = notes(tmp_path)
    for _ in range(2):
        add(file, "A", "key-1")
    assert file.value == ("A",)
    with pytest.raises(KeyReused):
        file.answer("key-1", ["B"])
    with pytest.raises(InvalidRequest):
        file.answer("", ["A"])
    file.forget("key-1")
    assert file.answer("key-1", ["A"]) is None
    for number in range(5):
        add(file, "A", f"key-{number}")
    known = [file.answer(f"key-{number}", ["A"]) is not None for number in range(5)]
    assert known == [False, False, True, True, True]


@pytest.fixture
def power(tmp_path: Path) -> Iterator[PowerDisk]:
    """A disk without anything on it."""
    found = PowerDisk(tmp_path / "data")
    yield found
    found.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("lasting", [1, 2, 4])
@pytest.mark.parametrize("first", range(1, 10))
def test_whatever_call_of_the_disk_fails_what_was_acknowledged_is_there_once(
    power: PowerDisk, tmp_path: Path, first: int, lasting: int
) -> None:
    power.fault = lambda number: EIO if first <= number < first + lasting else None
    file = notes(power.folder, disk=power)
    for number in range(3):
        for _ in range(6):
            try:
                add(file, f"NOTE {number}", f"key-{number}")
            except StoreFailed:
                continue
            break
        else:
            raise AssertionError("the disk is well again")
        for renamed in (False, True):
            place = tmp_path / f"found-{number}-{renamed}"
            found = notes(power.after_power_loss(place, renamed=renamed)).latest()
            assert found == tuple(f"NOTE {each}" for each in range(number + 1))
    assert len(power.calls) >= first
