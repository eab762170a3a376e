"""A backup: one ZIP file with a consistent copy of an account, and the way back from it.

The account is proved before it is copied, and the copy before it counts. What is restored is
unpacked in a folder inside the new one, and the account's own file is moved out of it last: until
then there is no account. A manifest in the ZIP file has the size and the SHA-256 of each file.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import sqlite3
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from glob import escape
from pathlib import Path
from typing import IO, Any, BinaryIO, Final
from urllib.parse import quote

from balance.core.errors import BackupFailed, BackupRefused, StoreUnreadable
from balance.core.figures import grouped
from balance.core.shape import Count, Money, Name, Whole
from balance.core.version import VERSION
from balance.store.advice import command, option
from balance.store.codec import FAULTS, Unreadable, decode_state, parsed
from balance.store.disk import DISK, Disk
from balance.store.file_store import ACCOUNT_FILE, ANSWER_FILE, LEDGER_FILE, LOCK_FILE, FileStore
from balance.store.ledger_file import CHECKSUM_FILE
from balance.store.lock import account_lock
from balance.store.records import Record, count
from balance.store.state import State
from balance.store.verification import Report, verify

#: The form of the backups that this version makes.
SCHEMA: Final = 1
MANIFEST_FILE: Final = "manifest.json"
#: The samples of the equity: a database that may be written while it is copied.
SAMPLES_FILE: Final = "equity.db"
#: What may be in a backup beside its manifest, in the order in which it is restored.
FILES: Final = (
    *("market.json", "feed.json", SAMPLES_FILE, "bots.jsonl", "bots.json", "alerts.json"),
    *("keys.json", "settings.json", ANSWER_FILE, CHECKSUM_FILE, LEDGER_FILE, ACCOUNT_FILE),
)
#: What is left out: it is made anew, or means something only while a program runs.
LEFT_OUT: Final = ("history.db", LOCK_FILE, "market.lock", "server.json", "agents.json")

# What a folder without an account may have: from a clone, or from who opens it.
_NOTHING: Final = frozenset({".gitkeep", LOCK_FILE})
_UNPACKING: Final = ".restore."
_BLOCK: Final = 1024 * 1024
_LARGEST_MANIFEST: Final = 64 * 1024
# A ledger is packed to a tenth or so. What says that it is far more would only fill the disk.
_MOST_EXPANDED: Final = 200
# What reading a damaged or a hostile ZIP file raises.
_ZIP_FAULTS: Final = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError),
)


@dataclass(frozen=True, slots=True)
class CopiedFile:
    """A file in a backup."""

    name: Name
    # In bytes.
    size: Whole
    sha256: Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    # The version of the program that made it.
    version: Name
    made_at: datetime
    account_id: Name
    revision: Count
    # The wallet balance.
    balance: Money
    files: tuple[CopiedFile, ...] = ()
    # What could not be copied, and why, in a sentence; empty where all was.
    note: str = ""


_MANIFEST: Final = Record(Manifest)
# Files by name: where each is read from, and how many bytes of it.
_Contents = dict[str, tuple[BinaryIO, int]]


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, and what :func:`~balance.store.verification.verify` found in it."""

    manifest: Manifest
    report: Report


def back_up(
    folder: Path,
    target: Path,
    *,
    overwrite: bool = False,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    disk: Disk = DISK,
) -> Manifest:
    """Write a backup of the account in ``folder`` to ``target``. Other programs may trade
    meanwhile: the lock is held only while short files are read.

    Raises:
        BackupRefused: ``target`` is there already, and is not to be overwritten.
        BackupFailed: the account is damaged, or the disk refused; no file is left then.
        StoreError: the account can't be read or locked.
    """
    if not (folder / ACCOUNT_FILE).exists():
        raise StoreUnreadable(ACCOUNT_FILE, "is missing", option(folder))
    target = target.resolve()
    _refuse_taken(target, overwrite)
    with reported("The backup was not made"), ExitStack() as work:
        _prove(folder)
        place = work.enter_context(work_folder(target.parent, f".{target.name}."))
        # First of all, so that no sample is newer than the account.
        samples, note = _copied_samples(folder / SAMPLES_FILE, place / SAMPLES_FILE)
        state, files = _held_still(folder, work)
        if samples is not None:
            files[SAMPLES_FILE] = work.enter_context(samples.open("rb")), samples.stat().st_size
        manifest = Manifest(
            version=VERSION,
            made_at=clock(),
            account_id=state.account_id,
            revision=state.revision,
            balance=state.account.wallet.balance,
            note=note,
        )
        manifest = _write(place / target.name, manifest, files, disk)
        _refuse_taken(target, overwrite)
        disk.rename(str(place / target.name), target)
        try:
            disk.sync_folder(target.parent)
        except OSError:
            target.unlink()
            raise
        return manifest


def restore(archive: Path, folder: Path, *, disk: Disk = DISK) -> Restored:
    """Unpack the backup ``archive`` into ``folder``, which is empty or is made. All of it is proved
    before it is an account; a restore that died can be repeated.

    Raises:
        BackupRefused: it is no whole backup, or one of a newer version; or ``folder`` holds files.
        StoreBusy: another program holds the lock of ``folder``.
        BackupFailed: the disk refused. Nothing is left of it then, as with any other error.
    """
    if not archive.is_file():
        raise _refused("there is no such file")
    with reported("The backup was not restored"):
        is_new = not folder.exists()
        _refuse_used(folder)
        try:
            disk.make_folder(folder)
            with work_folder(folder, _UNPACKING) as place:
                manifest = _unpack(archive, place, disk)
                report = _proved(place, manifest)
                with account_lock(folder / LOCK_FILE):
                    # Who opened the empty folder meanwhile has an account there.
                    _refuse_used(folder)
                    _move(place, folder, manifest, disk)
        except BaseException:
            if is_new and {each.name for each in folder.glob("*")} <= {LOCK_FILE}:
                shutil.rmtree(folder, ignore_errors=True)
            raise
        return Restored(manifest, report)


def _refuse_taken(target: Path, overwrite: bool) -> None:
    if target.is_dir():
        raise BackupRefused("A folder has that name already. Name a file that is not there yet.")
    if target.exists() and not overwrite:
        raise BackupRefused(
            "A file has that name already, and nothing was written over it. Name another one, or "
            "add --force."
        )


def _prove(folder: Path) -> None:
    """Refuse to make a backup that could not be restored."""
    # An edit by hand is adopted, and an older form of the files is brought up to date.
    FileStore(folder).read()
    if faults := verify(folder).faults:
        raise BackupFailed(
            f"The backup was not made, as the account is damaged: {_first(faults)} Run "
            f"`{command('repair', folder)}`, then back up again. To have the damaged files too, "
            "stop the server and copy the folder."
        )


def _first(faults: tuple[str, ...]) -> str:
    """The first of ``faults``, and how many more there are."""
    return faults[0] + (f" (And {len(faults) - 1} more.)" if len(faults) > 1 else "")


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Have an error of the disk say ``what`` did not happen because of it."""
    try:
        yield
    except OSError as fault:
        raise BackupFailed(
            f"{what}: the disk says {fault.strerror or type(fault).__name__}. Nothing is left of "
            "it. Make room or name another place, and try again."
        ) from fault


@contextmanager
def work_folder(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder in ``parent`` for what is not whole yet; what dead programs left there is removed,
    and so is this one in the end."""
    for leftover in parent.glob(f"{escape(prefix)}*.tmp"):
        shutil.rmtree(leftover, ignore_errors=True)
    made = tempfile.TemporaryDirectory(
        prefix=prefix, suffix=".tmp", dir=parent, ignore_cleanup_errors=True
    )
    with made as place:
        yield Path(place)


def _copied_samples(file: Path, copy: Path) -> tuple[Path | None, str]:
    """The samples in ``file``, copied to ``copy``, or why they can't be; nothing where there are
    none."""
    if not file.exists():
        return None, ""
    try:
        # Not "ro": the last one to close the file would leave its log behind.
        where = f"file:{quote(str(file.absolute()))}?mode=rw"
        with closing(sqlite3.connect(where, uri=True, timeout=10)) as connection:
            connection.execute("vacuum into ?", (str(copy),))
    except sqlite3.Error as fault:
        return None, f"{file.name} can't be read ({fault}), so the equity's past is not in it."
    return copy, ""


def _held_still(folder: Path, work: ExitStack) -> tuple[State, _Contents]:
    """The account in ``folder`` and its files, each with its size, as they were at one moment; the
    files are open while ``work`` lasts."""
    while True:
        with account_lock(folder / LOCK_FILE):
            texts = {
                name: text
                for name in FILES
                if name not in (LEDGER_FILE, SAMPLES_FILE)
                and (text := _text(folder / name)) is not None
            }
            state, sealed = _decoded(folder, texts.get(ACCOUNT_FILE))
            if sealed:
                # Only appended to, so what it holds now can be read without the lock.
                ledger = work.enter_context(DISK.open(folder / LEDGER_FILE))
                files: _Contents = {
                    name: (io.BytesIO(each), len(each)) for name, each in texts.items()
                }
                files[LEDGER_FILE] = ledger, os.fstat(ledger.fileno()).st_size
                return state, files
        # An edit by hand of this moment: it is adopted, and the copy begins again.
        FileStore(folder).read()


def _text(file: Path) -> bytes | None:
    try:
        return DISK.read(file)
    except FileNotFoundError:
        return None


def _decoded(folder: Path, text: bytes | None) -> tuple[State, bool]:
    try:
        if text is not None:
            return decode_state(text)
    except Unreadable as fault:
        raise StoreUnreadable(ACCOUNT_FILE, str(fault), option(folder)) from fault
    raise StoreUnreadable(ACCOUNT_FILE, "is missing", option(folder))


class _Output(io.RawIOBase):
    """A file that is written through a disk."""

    def __init__(self, descriptor: int, disk: Disk) -> None:
        self._descriptor, self._disk = descriptor, disk

    def writable(self) -> bool:
        return True

    def write(self, text: Any) -> int:
        self._disk.write(self._descriptor, text)
        return len(text)


@contextmanager
def _created(file: Path, disk: Disk) -> Iterator[BinaryIO]:
    """The new ``file``, which is on the disk in the end."""
    descriptor = os.open(
        file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
    )
    try:
        with io.BufferedWriter(_Output(descriptor, disk), _BLOCK) as output:
            yield output
        disk.sync(descriptor)
    finally:
        os.close(descriptor)


def _write(file: Path, manifest: Manifest, contents: _Contents, disk: Disk) -> Manifest:
    """Pack ``contents`` into the new ``file``, with ``manifest``, which names them then."""
    with _created(file, disk) as output, zipfile.ZipFile(output, "w") as packed:
        files = tuple(
            CopiedFile(name, size, _pack(packed, name, source, size, manifest.made_at))
            for name, (source, size) in contents.items()
        )
        manifest = replace(manifest, files=files)
        text = json.dumps({"schema": SCHEMA, **_MANIFEST.encode(manifest)}, indent=2).encode()
        _pack(packed, MANIFEST_FILE, io.BytesIO(text), len(text), manifest.made_at)
    return manifest


def _pack(
    packed: zipfile.ZipFile, name: str, source: BinaryIO, size: int, made_at: datetime
) -> str:
    """Add the first ``size`` bytes of ``source`` to ``packed`` as ``name``; their SHA-256."""
    info = zipfile.ZipInfo(name, made_at.timetuple()[:6])
    info.compress_type, info.file_size = zipfile.ZIP_DEFLATED, size
    info.external_attr = (stat.S_IFREG | 0o600) << 16
    with packed.open(info, "w") as output:
        return _copy(source, output, size)


def _copy(source: IO[bytes], output: IO[bytes], size: int) -> str:
    """Copy ``size`` bytes, which must be there; their SHA-256."""
    digest = hashlib.sha256()
    while size:
        block = source.read(min(size, _BLOCK))
        if not block:
            raise EOFError
        output.write(block)
        digest.update(block)
        size -= len(block)
    return digest.hexdigest()


def _refuse_used(folder: Path) -> None:
    """Refuse a folder that holds anything but what a clone or a restore that died left there."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise BackupRefused("A file has the folder's name. Name another folder with --data-dir.")
    unfinished = {each.name for each in folder.glob(f"{_UNPACKING}*.tmp")}
    names = {each.name for each in folder.iterdir()} - _NOTHING - unfinished
    if unfinished and ACCOUNT_FILE not in names:
        names -= {*FILES}
    if names:
        raise BackupRefused(
            f"The folder holds {len(names)} files or folders already, such as {min(names)}, and a "
            "backup is restored into an empty one. Name another folder with --data-dir."
        )


def _unpack(archive: Path, place: Path, disk: Disk) -> Manifest:
    """Write the files of ``archive`` into ``place``, each as its manifest says it is."""
    try:
        with zipfile.ZipFile(archive) as packed:
            manifest = _manifest(packed)
            _refuse_large(packed, place)
            for each in manifest.files:
                with packed.open(each.name) as source, _created(place / each.name, disk) as output:
                    found = _copy(source, output, each.size)
                    if found != each.sha256 or source.read(1):
                        raise _refused(f"{each.name} in it does not match its checksum")
    except (*_ZIP_FAULTS, OSError) as fault:
        # Where the file says that something begins before it does, seeking there is refused.
        if isinstance(fault, OSError) and fault.errno != errno.EINVAL:
            raise
        raise _refused("it is no ZIP file, or a damaged one") from fault
    # By the name of ``place`` a restore that died is known, also when files were moved from it.
    disk.sync_folder(place.parent)
    return manifest


def _manifest(packed: zipfile.ZipFile) -> Manifest:
    """What ``packed`` says that it holds, which is what it holds."""
    names = [each.filename for each in packed.infolist()]
    for each in packed.infolist():
        _check_member(each, names)
    if MANIFEST_FILE not in names:
        raise _refused(f"it has no {MANIFEST_FILE}, so this program did not make it")
    if packed.getinfo(MANIFEST_FILE).file_size > _LARGEST_MANIFEST:
        raise _refused(f"its {MANIFEST_FILE} is too large")
    manifest = _decoded_manifest(packed.read(MANIFEST_FILE))
    listed = [each.name for each in manifest.files]
    if sorted([*listed, MANIFEST_FILE]) != sorted(names):
        raise _refused(f"its {MANIFEST_FILE} names other files than it holds")
    if missing := {ACCOUNT_FILE, LEDGER_FILE}.difference(listed):
        raise _refused(f"it has no {min(missing)}")
    return manifest


def _decoded_manifest(text: bytes) -> Manifest:
    try:
        document = parsed(text)
        schema = count(document["schema"], "schema")
        manifest = None if schema > SCHEMA else _MANIFEST.decode(document)
    except (Unreadable, *FAULTS) as fault:
        raise _refused(f"its {MANIFEST_FILE} can't be read") from fault
    if manifest is None:
        version = str(document.get("version"))[:40]
        raise _refused(f"the newer version {version} of this program made it. Use that one")
    return manifest


def _check_member(member: zipfile.ZipInfo, names: list[str]) -> None:
    name = member.filename
    if name not in (*FILES, MANIFEST_FILE):
        raise _refused(f"it holds {name[:40]!r}, which is no file of an account")
    if names.count(name) > 1:
        raise _refused(f"it holds {name} twice")
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise _refused(f"its {name} is no plain file")


def _refuse_large(packed: zipfile.ZipFile, place: Path) -> None:
    members = packed.infolist()
    size, room = sum(each.file_size for each in members), shutil.disk_usage(place).free
    if size > room:
        raise _refused(f"it needs {size:,} bytes, and the disk has room for {room:,}. Make room")
    for each in members:
        if each.file_size > max(_BLOCK, _MOST_EXPANDED * each.compress_size):
            raise _refused(f"its {each.filename} claims {each.file_size:,} bytes in far too few")


def _proved(place: Path, manifest: Manifest) -> Report:
    report = verify(place)
    if report.faults:
        raise _refused(f"the account in it is damaged. {_first(report.faults)}")
    if (report.revision, report.balance) != (manifest.revision, grouped(manifest.balance)):
        raise _refused(f"its {MANIFEST_FILE} is that of another account")
    return report


def _move(place: Path, folder: Path, manifest: Manifest, disk: Disk) -> None:
    """Move what was unpacked to where it counts; the account comes last, when all else is there."""
    _remove(folder)
    listed = {each.name for each in manifest.files}
    try:
        for name in FILES:
            if name == ACCOUNT_FILE:
                disk.sync_folder(folder)
            if name in listed:
                disk.rename(str(place / name), folder / name)
        disk.sync_folder(folder)
    except OSError:
        _remove(folder)
        raise


def _remove(folder: Path) -> None:
    """Remove what a restore that failed or died left, the account first."""
    for name in reversed(FILES):
        (folder / name).unlink(missing_ok=True)


def _refused(reason: str) -> BackupRefused:
    return BackupRefused(f"This backup can't be restored: {reason}. Nothing was changed.")
