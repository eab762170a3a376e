"""A backup is one moment of the account, whole or not there; what is restored is it, or nothing."""

from __future__ import annotations

import errno
import hashlib
import importlib
import itertools
import json
import os
import shutil
import sqlite3
import stat
import zipfile
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from balance.core.errors import BackupFailed, BackupRefused, StoreBusy, StoreUnreadable
from balance.core.figures import grouped
from balance.core.version import VERSION
from balance.keys.keys import Keys
from balance.open_account import open_account
from balance.store import backup
from balance.store.backup import FILES, LEFT_OUT, MANIFEST_FILE, back_up, restore
from balance.store.disk import Disk
from balance.store.file_store import ACCOUNT_FILE, LEDGER_FILE, LOCK_FILE
from balance.store.lock import AccountLock
from balance.store.verification import Report, verify
from tests.golden.server import golden_copy
from tests.length import rounds
from tests.processes import PROCESSES, ROOT
from tests.writers import DEAD, commit_forever, shell

FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class CountingDisk(Disk):
    """A disk that refuses its ``nth`` call, and all after it where that is ``for_ever``; or ends
    the program before it, where it ``dies``."""

    def __init__(self, nth: int = 0, *, for_ever: bool = False, dies: bool = False) -> None:
        super().__init__()
        self.calls, self.nth, self.for_ever, self.dies = 0, nth, for_ever, dies

    def _call(self) -> None:
        self.calls += 1
        if self.calls == self.nth or (self.for_ever and 0 < self.nth < self.calls):
            if self.dies:
                os._exit(DEAD)
            raise FULL

    def write(self, descriptor: int, text: bytes) -> None:
        self._call()
        super().write(descriptor, text)

    def sync(self, descriptor: int) -> None:
        self._call()
        super().sync(descriptor)

    def rename(self, source: str, target: Path) -> None:
        self._call()
        super().rename(source, target)


def restore_and_die(archive: Path, folder: Path, nth: int) -> None:
    """Restore ``archive``, and die right before the ``nth`` call of the disk."""
    restore(archive, folder, disk=CountingDisk(nth, dies=True))


@pytest.fixture
def whole_folder(tmp_path: Path) -> Path:
    """A folder with every kind of file, brought up to date by an opening."""
    folder = golden_copy(tmp_path / "whole")
    desk = open_account(folder)
    desk.snapshot()
    Keys(desk, folder).begin()
    return folder


@pytest.fixture
def archive(folder: Path, tmp_path: Path) -> Path:
    """A backup of a small account."""
    open_account(folder).deposit(12)
    back_up(folder, tmp_path / "small.zip")
    return tmp_path / "small.zip"


def repacked(archive: Path, change: Callable[[dict[str, Any]], None], **more: bytes) -> Path:
    """``archive`` with files of ``more`` and a manifest after ``change``, as a hostile program
    would make it: everything else fits."""
    with zipfile.ZipFile(archive) as packed:
        texts = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(texts.pop(MANIFEST_FILE))
    texts.update({name.replace("__", "."): text for name, text in more.items()})
    manifest["files"] = [
        {"name": name, "size": len(text), "sha256": hashlib.sha256(text).hexdigest()}
        for name, text in texts.items()
    ]
    change(manifest)
    target = archive.with_name("repacked.zip")
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in {**texts, MANIFEST_FILE: json.dumps(manifest).encode()}.items():
            packed.writestr(name, text)
    return target


def left_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir()) if folder.exists() else []


def test_what_is_restored_is_the_same_account_in_every_file(
    whole_folder: Path, tmp_path: Path
) -> None:
    before = open_account(whole_folder).snapshot()
    manifest = back_up(whole_folder, tmp_path / "backup.zip")
    done = restore(tmp_path / "backup.zip", tmp_path / "restored")
    assert done.report.faults == ()
    assert (manifest.version, manifest.note) == (VERSION, "")
    after = open_account(tmp_path / "restored").snapshot()
    assert (after["account"], after["revision"]) == (before["account"], before["revision"])
    assert after.display == before.display
    names = [each.name for each in manifest.files]
    assert set(names) == {each.name for each in whole_folder.iterdir()} - {*LEFT_OUT}
    assert {*names} == {*FILES}
    for name in names:
        text = (tmp_path / "restored" / name).read_bytes()
        assert name == "equity.db" or text == (whole_folder / name).read_bytes()
    with (
        closing(sqlite3.connect(whole_folder / "equity.db")) as old,
        closing(sqlite3.connect(tmp_path / "restored" / "equity.db")) as new,
    ):
        samples = "select * from samples order by id"
        assert new.execute(samples).fetchall() == old.execute(samples).fetchall() != []


def test_every_file_of_a_data_folder_is_in_a_backup_or_named_as_left_out() -> None:
    modules = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for file in (ROOT / "balance").rglob("*.py")
        if "_FILE: Final = " in file.read_text()
    ]
    known = {
        value
        for module in modules
        for name, value in vars(importlib.import_module(module)).items()
        if name.endswith("_FILE") and isinstance(value, str)
    }
    assert known - {MANIFEST_FILE} <= {*FILES, *LEFT_OUT}


def test_backups_made_while_programs_write_are_each_one_moment(
    folder: Path, tmp_path: Path
) -> None:
    open_account(folder)
    pipe, theirs = PROCESSES.Pipe()
    writer = PROCESSES.Process(target=commit_forever, args=(folder, theirs, 1))
    writer.start()
    try:
        revisions = []
        for number in range(rounds(5, 20)):
            while pipe.recv()[0] != "done" or pipe.poll():
                pass
            archive = tmp_path / f"{number}.zip"
            manifest = back_up(folder, archive)
            revisions.append(manifest.revision)
            report = restore(archive, tmp_path / str(number)).report
            assert report.faults == ()
            assert (report.revision, report.balance) == (
                manifest.revision,
                grouped(manifest.balance),
            )
            # What was deposited until then: 0.01, 0.02, and so on.
            commits = manifest.revision - 1
            assert manifest.balance == 10_000 + Decimal(commits * (commits + 1)) / 200
    finally:
        writer.kill()
        writer.join()
    assert revisions == sorted(set(revisions))


def test_an_edit_by_hand_is_adopted_before_it_is_backed_up(folder: Path, tmp_path: Path) -> None:
    open_account(folder)
    file = folder / ACCOUNT_FILE
    file.write_text(file.read_text().replace('"balance": "10000.00"', '"balance": "10500.00"', 1))
    back_up(folder, tmp_path / "backup.zip")
    report = restore(tmp_path / "backup.zip", tmp_path / "restored").report
    assert (report.balance, report.revision) == ("10,500.00", 2)


def test_a_damaged_account_is_not_backed_up_and_the_message_says_what_to_do(
    folder: Path, tmp_path: Path
) -> None:
    account = open_account(folder)
    for _ in range(3):
        account.deposit(5)
    ledger = folder / LEDGER_FILE
    ledger.write_bytes(ledger.read_bytes().replace(b'"amount":"5.00"', b'"amount":"7.00"', 1))
    with pytest.raises(BackupFailed, match=r"ledger\.jsonl.*Run `python -m balance repair --data-"):
        back_up(folder, tmp_path / "backup.zip")
    assert left_in(tmp_path) == [folder.name]


def test_a_folder_without_an_account_is_not_backed_up_and_stays_without_one(
    folder: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreUnreadable, match=r"virtual_balance\.json is missing"):
        back_up(folder, tmp_path / "backup.zip")
    assert left_in(tmp_path) == []


def test_a_file_that_is_there_is_overwritten_only_on_demand(archive: Path, folder: Path) -> None:
    before = archive.read_bytes()
    open_account(folder).deposit(1)
    with pytest.raises(BackupRefused, match="add --force"):
        back_up(folder, archive)
    assert archive.read_bytes() == before
    assert back_up(folder, archive, overwrite=True).revision == 3
    with pytest.raises(BackupRefused, match="Name a file"):
        back_up(folder, archive.parent, overwrite=True)


def test_samples_that_cannot_be_read_are_left_out_and_that_is_said(
    folder: Path, tmp_path: Path
) -> None:
    open_account(folder)
    (folder / "equity.db").write_bytes(b"no database" * 1_000)
    manifest = back_up(folder, tmp_path / "backup.zip")
    assert manifest.note.startswith("equity.db can't be read (")
    assert "equity.db" not in [each.name for each in manifest.files]
    assert restore(tmp_path / "backup.zip", tmp_path / "restored").manifest.note == manifest.note


def test_only_the_owner_can_read_a_backup_and_what_is_restored(
    archive: Path, tmp_path: Path
) -> None:
    restore(archive, tmp_path / "restored")
    found = [archive, *(tmp_path / "restored").iterdir()]
    assert {stat.S_IMODE(each.stat().st_mode) for each in found} == {0o600}
    assert stat.S_IMODE((tmp_path / "restored").stat().st_mode) == 0o700


def reason(action: Callable[[Disk], object], nth: int, for_ever: bool) -> str:
    """Why ``action`` fails on a disk that refuses its ``nth`` call, or all from it on; empty: it
    does not."""
    try:
        action(CountingDisk(nth, for_ever=for_ever))
    except BackupFailed as fault:
        return str(fault)
    return ""


@pytest.mark.parametrize("for_ever", [False, True])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_backup_that_fails_at_any_call_of_the_disk_leaves_no_part_of_it(
    folder: Path, tmp_path: Path, overwrite: bool, for_ever: bool
) -> None:
    open_account(folder)
    target = tmp_path / "there" / "backup.zip"
    target.parent.mkdir()
    for nth in itertools.count(1):
        if overwrite:
            target.write_text("older")
        failed = reason(
            lambda disk: back_up(folder, target, overwrite=overwrite, disk=disk), nth, for_ever
        )
        if not failed:
            break
        assert "The backup was not made: the disk says No space left on device." in failed
        assert left_in(target.parent) in ([], [target.name] * overwrite)
        assert not target.exists() or target.read_text() == "older"
    assert nth > 4
    assert zipfile.ZipFile(target).testzip() is None


@pytest.mark.parametrize("for_ever", [False, True])
def test_a_restore_that_fails_at_any_call_of_the_disk_leaves_nothing(
    archive: Path, tmp_path: Path, for_ever: bool
) -> None:
    folder = tmp_path / "restored"
    for nth in itertools.count(1):
        failed = reason(lambda disk: restore(archive, folder, disk=disk), nth, for_ever)
        if not failed:
            break
        assert "The backup was not restored: the disk says No space left on device." in failed
        assert not folder.exists()
    assert nth > 8
    assert verify(folder).faults == ()


class RecordingDisk(Disk):
    """A disk that notes what is synced and what is renamed, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, str]] = []

    def sync(self, descriptor: int) -> None:
        self.calls.append(("sync", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))
        super().sync(descriptor)

    def rename(self, source: str, target: Path) -> None:
        self.calls.append(("rename", target.name))
        super().rename(source, target)


def test_nothing_gets_its_name_before_it_is_on_the_disk(folder: Path, tmp_path: Path) -> None:
    open_account(folder).deposit(12)
    there = tmp_path / "there"
    there.mkdir()
    disk = RecordingDisk()
    back_up(folder, there / "backup.zip", disk=disk)
    assert disk.calls == [("sync", "backup.zip"), ("rename", "backup.zip"), ("sync", "there")]
    disk = RecordingDisk()
    restore(there / "backup.zip", tmp_path / "restored", disk=disk)
    assert disk.calls == [
        # The name of the new folder.
        ("sync", tmp_path.name),
        ("sync", ACCOUNT_FILE),
        ("sync", LEDGER_FILE),
        # The folder that they are unpacked in, by which a restore that died is known.
        ("sync", "restored"),
        ("rename", LEDGER_FILE),
        # All else is there for good before the account is.
        ("sync", "restored"),
        ("rename", ACCOUNT_FILE),
        ("sync", "restored"),
    ]


@pytest.mark.parametrize("is_there", [False, True])
def test_a_restore_that_dies_anywhere_is_no_account_or_the_whole_one_and_can_be_repeated(
    archive: Path, tmp_path: Path, is_there: bool
) -> None:
    for nth in itertools.count(1):
        folder = tmp_path / f"restored-{nth}"
        if is_there:
            folder.mkdir()
            (folder / ".gitkeep").touch()
        program = PROCESSES.Process(target=restore_and_die, args=(archive, folder, nth))
        program.start()
        program.join()
        if (folder / ACCOUNT_FILE).exists():
            assert verify(folder).faults == ()
            assert verify(folder).balance == "10,012.00"
            if program.exitcode == 0:
                break
            # It died when all was done but to remove the empty folder.
            next(folder.glob(".restore.*.tmp")).rmdir()
        else:
            assert program.exitcode == DEAD
            restore(archive, folder)
        assert set(left_in(folder)) - {LOCK_FILE, ".gitkeep"} == {LEDGER_FILE, ACCOUNT_FILE}
    assert nth > 8


def test_a_folder_with_anything_in_it_is_refused_and_stays_as_it_is(
    archive: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "used"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(
        BackupRefused, match=r"holds 1 files or folders already, such as notes\.txt"
    ):
        restore(archive, folder)
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("notes.txt", "mine")]
    with pytest.raises(BackupRefused, match="A file has the folder's name"):
        restore(archive, folder / "notes.txt")
    # An account that began where a restore had died is an account.
    other = tmp_path / "other"
    (other / ".restore.died.tmp").mkdir(parents=True)
    open_account(other)
    with pytest.raises(BackupRefused, match="such as"):
        restore(archive, other)
    assert open_account(other).snapshot()["balance"] == 10_000


def test_an_account_that_begins_in_the_folder_meanwhile_stays(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "restored"

    def prove(place: Path) -> Report:
        open_account(folder).deposit(1)
        return verify(place)

    monkeypatch.setattr(backup, "verify", prove)
    with pytest.raises(BackupRefused, match="holds 2 files or folders already"):
        restore(archive, folder)
    assert open_account(folder).snapshot()["balance"] == 10_001
    assert verify(folder).faults == ()


def test_a_program_that_writes_into_the_folder_is_waited_for(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "restored"
    folder.mkdir()
    monkeypatch.setattr(backup, "account_lock", lambda path: AccountLock(path, timeout=0.1))
    with FileLock(folder / LOCK_FILE), pytest.raises(StoreBusy):
        restore(archive, folder)
    assert left_in(folder) == [LOCK_FILE]
    restore(archive, folder)
    assert left_in(folder) == [LEDGER_FILE, ACCOUNT_FILE, LOCK_FILE]


def test_an_account_that_grows_while_it_is_restored_elsewhere_is_not_touched(
    archive: Path, folder: Path, tmp_path: Path
) -> None:
    before = {each.name: each.read_bytes() for each in folder.iterdir()}
    restore(archive, tmp_path / "restored")
    open_account(tmp_path / "restored").deposit(7)
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == before


def without(name: str) -> Callable[[dict[str, Any]], None]:
    """A change of the manifest that names no ``name``."""

    def change(manifest: dict[str, Any]) -> None:
        manifest["files"] = [each for each in manifest["files"] if each["name"] != name]

    return change


@pytest.mark.parametrize(
    ("change", "more", "reason"),
    [
        (dict, {"history__db": b"x"}, "it holds 'history.db', which is no file of an account"),
        (without(LEDGER_FILE), {}, "names other files than it holds"),
        (lambda manifest: manifest.pop("files"), {}, "manifest.json can't be read"),
        (lambda manifest: manifest["files"][0].update(sha256="0" * 64), {}, "its checksum"),
        (lambda manifest: manifest["files"][0].update(size=3), {}, "its checksum"),
        (lambda manifest: manifest["files"][0].update(size=10**9), {}, "a damaged one"),
        (lambda manifest: manifest["files"][0].update(size=-1), {}, "can't be read"),
        (lambda manifest: manifest["files"].append(manifest["files"][0]), {}, "other files"),
        (
            lambda manifest: manifest.update(schema=2),
            {},
            f"the newer version {VERSION} of this program",
        ),
        (lambda manifest: manifest.update(schema=2, files=7), {}, "Use that one"),
        (lambda manifest: manifest.update(schema=True), {}, "can't be read"),
        (lambda manifest: manifest.update(revision="2"), {}, "can't be read"),
        (lambda manifest: manifest.update(revision=3), {}, "that of another account"),
        (lambda manifest: manifest.update(balance="9.00"), {}, "that of another account"),
        (dict, {"ledger__jsonl": b""}, "the account in it is damaged"),
        (dict, {"virtual_balance__json": b"{}"}, "the account in it is damaged"),
        (dict, {"equity__db": bytes(2 * 1024 * 1024)}, "in far too few"),
    ],
)
def test_what_is_no_whole_backup_is_refused_with_words_and_nothing_is_left(
    archive: Path,
    tmp_path: Path,
    change: Callable[[dict[str, Any]], None],
    more: dict[str, bytes],
    reason: str,
) -> None:
    hostile = repacked(archive, change, **more)
    with pytest.raises(BackupRefused, match=reason) as refused:
        restore(hostile, tmp_path / "restored")
    assert str(refused.value).startswith("This backup can't be restored: ")
    assert str(refused.value).endswith(" Nothing was changed.")
    assert not (tmp_path / "restored").exists()


@pytest.mark.parametrize(
    ("name", "mode", "reason"),
    [
        ("../virtual_balance.json", stat.S_IFREG, "which is no file of an account"),
        ("/etc/passwd", stat.S_IFREG, "which is no file of an account"),
        ("..\\ledger.jsonl", stat.S_IFREG, "which is no file of an account"),
        ("bots.json/", stat.S_IFDIR, "which is no file of an account"),
        ("bots.json", stat.S_IFLNK, "its bots.json is no plain file"),
        ("bots.json", stat.S_IFIFO, "its bots.json is no plain file"),
        (LEDGER_FILE, stat.S_IFREG, "it holds ledger.jsonl twice"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_would_be_written_elsewhere_is_refused(
    archive: Path, tmp_path: Path, name: str, mode: int, reason: str
) -> None:
    with zipfile.ZipFile(archive, "a") as packed:
        member = zipfile.ZipInfo(name)
        member.external_attr = (mode | 0o777) << 16
        packed.writestr(member, "/etc/passwd")
    with pytest.raises(BackupRefused, match=reason):
        restore(archive, tmp_path / "there" / "restored")
    assert left_in(tmp_path / "there") == []
    assert left_in(tmp_path) == ["account", archive.name, "there"]


def test_a_backup_that_needs_more_than_the_disk_has_is_refused(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 0, 9))
    with pytest.raises(BackupRefused, match=r"needs [\d,]+ bytes, and the disk has room for 9\."):
        restore(archive, tmp_path / "restored")


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, bytes]]:
    """A backup, and the files that come out of it."""
    place = tmp_path_factory.mktemp("sound")
    account = open_account(place / "account")
    account.deposit(12)
    back_up(place / "account", place / "backup.zip")
    return (place / "backup.zip").read_bytes(), restored(place / "backup.zip", place / "restored")


def restored(archive: Path, folder: Path) -> dict[str, bytes]:
    restore(archive, folder)
    return {each.name: each.read_bytes() for each in folder.iterdir()}


def test_a_backup_cut_off_anywhere_is_refused(
    sound: tuple[bytes, dict[str, bytes]], tmp_path: Path
) -> None:
    text, _ = sound
    file = tmp_path / "cut.zip"
    for size in range(0, len(text), rounds(7, 1)):
        file.write_bytes(text[:size])
        with pytest.raises(BackupRefused):
            restore(file, tmp_path / "restored")
        assert left_in(tmp_path) == [file.name]


def test_a_backup_with_any_byte_changed_is_refused_or_restored_as_it_was(
    sound: tuple[bytes, dict[str, bytes]], tmp_path: Path
) -> None:
    text, files = sound
    file, folder = tmp_path / "changed.zip", tmp_path / "restored"
    outcomes = {"refused": 0, "the same": 0}
    for place in range(0, len(text), rounds(3, 1)):
        changed = bytearray(text)
        changed[place] ^= 0xFF
        file.write_bytes(changed)
        try:
            assert restored(file, folder) == files
        except BackupRefused:
            outcomes["refused"] += 1
            assert left_in(tmp_path) == [file.name]
        else:
            outcomes["the same"] += 1
            shutil.rmtree(folder)
    print(outcomes)
    assert outcomes["refused"] > outcomes["the same"]


@given(data=st.data())
def test_no_file_at_all_makes_anything_but_a_refusal(
    sound: tuple[bytes, dict[str, bytes]], tmp_path: Path, data: st.DataObject
) -> None:
    text, files = sound
    file, folder = tmp_path / "any.zip", tmp_path / "restored"
    first, last = (data.draw(st.integers(0, len(text))) for _ in range(2))
    file.write_bytes(text[:first] + data.draw(st.binary(max_size=64)) + text[last:])
    try:
        assert restored(file, folder) == files
    except BackupRefused:
        assert not folder.exists()
    else:
        shutil.rmtree(folder)


def test_the_shell_backs_up_restores_and_says_what_is_there(folder: Path, tmp_path: Path) -> None:
    open_account(folder).deposit(Decimal("2500.50"))
    file, place = tmp_path / "my backup.zip", tmp_path / "new desk"
    done = shell(folder, "backup", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    size = f"{file.stat().st_size:,}"
    assert done.stdout == (
        f"Backed up: balance 12,500.50 USDT at revision 2, 2 files in {size} bytes.\n"
    )
    done = shell(place, "restore", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "Restored: 2 entries explain the balance of 12,500.50 USDT at revision 2. "
        f"Start on it: python app.py --data-dir '{place}'\n"
    )
    again = shell(place, "restore", str(file), "--json")
    assert again.returncode == 1
    assert json.loads(again.stdout)["detail"].startswith("The folder holds 2 files or folders")
    over = shell(folder, "backup", str(file), "--force", "--json")
    members = json.loads(over.stdout)
    assert (members["status"], members["revision"]) == ("success", 2)
    assert (members["balance"], members["files"]) == (12_500.5, [ACCOUNT_FILE, LEDGER_FILE])


def test_the_shell_says_what_keeps_it_from_a_backup(folder: Path, tmp_path: Path) -> None:
    missing = shell(folder, "backup", str(tmp_path / "backup.zip"))
    assert missing.returncode == 3
    assert "virtual_balance.json is missing" in missing.stderr
    none = shell(folder, "restore", str(tmp_path / "backup.zip"))
    assert none.returncode == 1
    assert "there is no such file" in none.stderr
    open_account(folder)
    nowhere = shell(folder, "backup", str(tmp_path / "no" / "backup.zip"))
    assert nowhere.returncode == 3
    assert "The backup was not made: the disk says No such file or directory." in nowhere.stderr
