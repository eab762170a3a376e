"""A disk that records what is done to it, may fail, and may lose its power at any moment.

It is as unkind as systems are. What is written comes to the disk by a sync of the file alone, a
name by a sync of its folder. Before that, any of it may be there and any may not, whatever came
first; a write may be there in part, with zeros or nothing in the place of the rest. After a failed
sync of a file the system takes for clean what may never have come there, so that no later sync
writes it either.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from itertools import chain, combinations, product
from pathlib import Path
from typing import Any, Final

from balance.store.disk import Disk

EIO = OSError(errno.EIO, os.strerror(errno.EIO))
#: A call of the system: what was done, and to which file.
Call = tuple[str, str]
#: What is in a folder: the bytes of each file by its path from there, and None for a folder.
Tree = Mapping[str, bytes | None]

# What a power loss may leave of these is another test's subject: locks go with their holders,
# temporary files are found by their names alone, and SQLite looks after its own.
_PASSING: Final = (".tmp", ".lock", ".db", ".db-shm", ".db-wal")
_SECTOR: Final = 512
# From so many changes on that may or may not be there, not all of their combinations are tried.
_MOST_CHANGES: Final = 6


@dataclass(frozen=True)
class Named:
    """The name ``name`` in ``folder`` stands for ``inode`` now (None: for nothing), and the name
    ``source`` there that this had before, if any, for nothing."""

    folder: int
    name: str
    inode: int | None
    source: str = ""


@dataclass(frozen=True)
class Written:
    """``text`` was written into a file, ``start`` bytes behind its beginning."""

    inode: int
    start: int
    text: bytes


@dataclass(frozen=True)
class Cut:
    """A file was cut off, or made longer with zeros."""

    inode: int
    size: int


@dataclass(frozen=True)
class Synced:
    """A file or folder was synced, or was not as the sync failed; ``site`` is where in the code."""

    inode: int
    site: str = ""
    failed: bool = False


@dataclass(frozen=True)
class Marked:
    """Something that a client did begins, or is acknowledged."""

    what: str
    acknowledged: bool


Change = Named | Written | Cut
Event = Change | Synced | Marked


class Killed(BaseException):
    """The process has died."""


class Short(OSError):
    """A write that comes half as far."""


class PowerDisk(Disk):
    """The disk behind ``folder``, of which all that is there at first is on the disk. ``fault``
    says what a call of it raises, by its number from 1. What is done past it, to the same folder,
    is recorded too."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.calls: list[Call] = []
        self.fault: Callable[[int], BaseException | None] = lambda _number: None
        self.record: list[Event] = []
        # As they were looked at last: where each name is, by its path, and what is in each file.
        self._names: dict[str, int] = {}
        self._contents: dict[int, bytes] = {}
        # One more descriptor of each file, so that no inode is used for another one.
        self._open: dict[int, int] = {}
        folder.mkdir(parents=True, exist_ok=True)
        self.folders: set[int] = set()
        self.root = self._held(folder)
        self.settle()

    def settle(self) -> None:
        """Have all that is there on the disk."""
        self._watch()
        self.record += [Synced(inode) for inode in self._open]

    def restart(self) -> None:
        """Have another process use it, which knows of no sync that failed."""
        self._unsynced.clear()

    def close(self) -> None:
        """Let go of the files."""
        for descriptor in self._open.values():
            os.close(descriptor)

    def begin(self, what: str) -> None:
        """Note that a client begins ``what``."""
        self._watch()
        self.record.append(Marked(what, acknowledged=False))

    def acknowledge(self, what: str) -> None:
        """Note that ``what`` was acknowledged."""
        self._watch()
        self.record.append(Marked(what, acknowledged=True))

    def after_power_loss(self, place: Path, *, renamed: bool = False) -> Path:
        """The folder as it is found again where nothing came to the disk without a sync, made at
        ``place``; with ``renamed`` all names did."""
        self._watch()
        known = _known(self.record)
        names = {
            inode: journal.names(journal.changes if renamed else journal.sure, self.folders)
            for inode, journal in known.items()
        }
        return put(
            place,
            {
                path: None if inode in self.folders else known[inode].content(known[inode].sure)
                for path, inode in _paths(self.root, names)
            },
        )

    def create(self, target: Path) -> tuple[int, str]:
        """A temporary file, unless there is a fault."""
        self._called("create", target.name)
        made = super().create(target)
        self._watch()
        return made

    def write(self, descriptor: int, text: bytes) -> None:
        """Write ``text``, unless there is a fault."""
        self._watch()
        try:
            self._called("write", self._name(os.fstat(descriptor).st_ino))
        except Short:
            super().write(descriptor, text[: len(text) // 2])
            raise
        finally:
            self._watch()
        super().write(descriptor, text)
        self._watch()

    def sync(self, descriptor: int) -> None:
        """Sync what is behind ``descriptor``, unless there is a fault."""
        self._watch()
        inode = os.fstat(descriptor).st_ino
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        name = self._name(inode)
        site = f"{'folder' if is_folder else name}: {_site()}"
        try:
            self._called("sync folder" if is_folder else "sync", name)
        except BaseException as fault:
            self.record += [Synced(inode, site, failed=True)] * isinstance(fault, OSError)
            raise
        self.record.append(Synced(inode, site))

    def rename(self, source: str, target: Path) -> None:
        """Put ``source`` in the place of ``target``, unless there is a fault."""
        self._watch()
        self._called("replace", target.name)
        super().rename(source, target)
        inode = self._names.pop(self._path(Path(source)))
        self._names[self._path(target)] = inode
        folder = os.stat(target.parent).st_ino
        # From another folder its name may go sooner or later: nobody looks for it there.
        is_same = Path(source).parent == target.parent
        self.record.append(Named(folder, target.name, inode, Path(source).name if is_same else ""))

    def truncate(self, descriptor: int, size: int) -> None:
        """Cut the file behind ``descriptor`` off at ``size``, unless there is a fault."""
        self._watch()
        self._called("cut", self._name(os.fstat(descriptor).st_ino))
        super().truncate(descriptor, size)
        self._watch()

    def _called(self, what: str, name: str) -> None:
        self.calls.append((what, name))
        if fault := self.fault(len(self.calls)):
            raise fault

    def _watch(self) -> None:
        """Record what has changed since the last time."""
        found = {
            self._path(path): self._held(path)
            for path in sorted(self.folder.rglob("*"))
            if not path.name.endswith(_PASSING[1:])
        }
        for path in self._names.keys() - found.keys():
            self._have_name(path, None)
        for path, inode in found.items():
            if self._names.get(path) != inode:
                self._have_name(path, inode)
            if inode in self._contents:
                now = _content(self._open[inode])
                self.record += _steps(inode, self._contents[inode], now)
                self._contents[inode] = now

    def _have_name(self, path: str, inode: int | None) -> None:
        folder, _, name = path.rpartition("/")
        self.record.append(Named(self._names.get(folder, self.root), name, inode))
        if inode is None:
            del self._names[path]
        else:
            self._names[path] = inode

    def _held(self, path: Path) -> int:
        inode = os.stat(path).st_ino
        if inode not in self._open:
            self._open[inode] = os.open(path, os.O_RDONLY)
            if path.is_dir():
                self.folders.add(inode)
            else:
                self._contents[inode] = b""
        return inode

    def _path(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _name(self, inode: int) -> str:
        found = next((path for path, each in self._names.items() if each == inode), "")
        name = found.rpartition("/")[2]
        # A temporary file is called as the one whose place it takes.
        return name[1:].rsplit(".", 2)[0] if name.endswith(".tmp") else name


def _content(descriptor: int) -> bytes:
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)


def _steps(inode: int, before: bytes, now: bytes) -> Iterator[Change]:
    """How a file may have come from one content to the other."""
    if now == before:
        return
    if before.startswith(now):
        yield Cut(inode, len(now))
        return
    pairs = zip(before, now, strict=False)
    same = next((at for at, (old, new) in enumerate(pairs) if old != new), len(before))
    if same < len(before):
        yield Cut(inode, same)
    yield Written(inode, same, now[same:])


def _site() -> str:
    """Which functions of the product had something synced, the nearest first."""
    frame, found = sys._getframe(1), []
    while frame is not None and len(found) < 3:
        name = frame.f_code.co_qualname
        if "/balance/" in frame.f_code.co_filename and not name.startswith("Disk."):
            found.append(name)
        frame = frame.f_back
    return " < ".join(found)


@dataclass(frozen=True)
class _Journal:
    """What was done to one file or folder, oldest first, and how sure each change is on the
    disk."""

    changes: tuple[Change, ...] = ()
    # "sure", "open" until the next sync, or "stuck" where a sync failed: no later one helps.
    fates: tuple[str, ...] = ()

    @property
    def sure(self) -> tuple[Change, ...]:
        return tuple(self._with("sure"))

    def _with(self, *fates: str) -> Iterator[Change]:
        return (each for each, fate in zip(self.changes, self.fates, strict=True) if fate in fates)

    def added(self, change: Change) -> _Journal:
        return _Journal((*self.changes, change), (*self.fates, "open"))

    def synced(self, failed: bool) -> _Journal:
        # A folder is synced again after it failed; what is in a file would have to be written.
        is_folder = any(isinstance(each, Named) for each in self.changes)
        fate = ("open" if is_folder else "stuck") if failed else "sure"
        fates = (fate if each == "open" else each for each in self.fates)
        return replace(self, fates=tuple(fates))

    def subsets(self) -> Iterator[tuple[int, ...]]:
        """Which of the changes may be there, by their places."""
        sure = [at for at, fate in enumerate(self.fates) if fate == "sure"]
        loose = [at for at, fate in enumerate(self.fates) if fate != "sure"]
        for chosen in _subsets(loose):
            yield tuple(sorted((*sure, *chosen)))

    def possible_names(self, folders: Set[int]) -> set[frozenset[tuple[str, int]]]:
        """What the names in a folder may be, some of which are those of ``folders``."""
        chosen = ([self.changes[at] for at in subset] for subset in self.subsets())
        return {frozenset(self.names(changes, folders).items()) for changes in chosen}

    def possible_contents(self) -> dict[bytes, None]:
        """What may be in a file, what is worst first."""
        found: dict[bytes, None] = {}
        for subset in self.subsets():
            chosen = [self.changes[at] for at in subset]
            found[self.content(chosen)] = None
            for place, at in enumerate(subset):
                each = self.changes[at]
                if isinstance(each, Written) and self.fates[at] != "sure":
                    for torn in _torn(each):
                        found[self.content([*chosen[:place], torn, *chosen[place + 1 :]])] = None
        return found

    @staticmethod
    def names(changes: Iterable[Change], folders: Set[int]) -> dict[str, int]:
        found: dict[str, int] = {}
        for each in changes:
            if isinstance(each, Named):
                found.pop(each.source, None)
                found.pop(each.name, None)
                if each.inode is not None:
                    found[each.name] = each.inode
        return {
            name: inode
            for name, inode in found.items()
            if inode in folders or not name.endswith(_PASSING)
        }

    @staticmethod
    def content(changes: Iterable[Change]) -> bytes:
        found = bytearray()
        for each in changes:
            if isinstance(each, Cut):
                found = found[: each.size].ljust(each.size, b"\0")
            elif isinstance(each, Written):
                end = each.start + len(each.text)
                found = found.ljust(end, b"\0")
                found[each.start : end] = each.text
        return bytes(found)


def _subsets(places: list[int]) -> Iterator[tuple[int, ...]]:
    if len(places) <= _MOST_CHANGES:
        yield from chain.from_iterable(
            combinations(places, count) for count in range(len(places) + 1)
        )
        return
    for end in range(len(places) + 1):
        yield tuple(places[:end])
    for left_out in places:
        yield tuple(each for each in places if each != left_out)
        yield (left_out,)


def _torn(write: Written) -> Iterator[Written]:
    """Parts of ``write`` that may be there: up to a few places, with zeros or nothing in the place
    of the rest, and from a sector on with zeros before it."""
    size = len(write.text)
    sectors = range(_SECTOR - write.start % _SECTOR, size, _SECTOR)
    ends = {*sectors[:1], *sectors[-1:]}
    for end in sorted({0, 1, size // 2, size - 1, *ends}):
        head, tail = write.text[:end], write.text[end:]
        yield replace(write, text=head)
        yield replace(write, text=head + bytes(len(tail)))
        if end in ends:
            yield replace(write, text=bytes(end) + tail)


def _apply(known: dict[int, _Journal], event: Change | Synced) -> None:
    inode = event.folder if isinstance(event, Named) else event.inode
    journal = known.get(inode, _Journal())
    is_sync = isinstance(event, Synced)
    known[inode] = journal.synced(event.failed) if is_sync else journal.added(event)
    if isinstance(event, Named) and event.inode is not None:
        known.setdefault(event.inode, _Journal())


def _known(record: Iterable[Event]) -> dict[int, _Journal]:
    known: dict[int, _Journal] = {}
    for event in record:
        if not isinstance(event, Marked):
            _apply(known, event)
    return known


def _paths(
    folder: int, names: Mapping[int, Mapping[str, int]], before: str = ""
) -> Iterator[tuple[str, int]]:
    """All paths below ``folder`` with what they stand for."""
    for name, inode in names[folder].items():
        yield before + name, inode
        yield from _paths(inode, names, f"{before}{name}/")


def put(place: Path, tree: Tree) -> Path:
    """``place`` as a folder that has what is in ``tree``, and nothing else."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    for path, text in sorted(tree.items()):
        if text is None:
            (place / path).mkdir()
        else:
            (place / path).write_bytes(text)
    return place


class Crashes:
    """Every state in which a power loss may leave the folder of a :class:`PowerDisk`, behind each
    event of its record from the first mark on; without the syncs of the site ``left_out``."""

    def __init__(self, power: PowerDisk, left_out: str | None = None) -> None:
        self._record, self._left_out = power.record, left_out
        self._root, self._folders = power.root, power.folders
        self._known: dict[int, _Journal] = {}
        # What was found of a journal, as most stay the same from event to event.
        self._found: dict[int, tuple[_Journal, tuple[Any, ...]]] = {}

    def __iter__(self) -> Iterator[tuple[tuple[Marked, ...], Tree]]:
        """The marks up to the power loss, and what is found afterwards; the same may come often."""
        marks: tuple[Marked, ...] = ()
        for event in self._record:
            if isinstance(event, Marked):
                marks = (*marks, event)
            elif isinstance(event, Synced) and event.site == self._left_out:
                continue
            else:
                _apply(self._known, event)
            if marks:
                yield from ((marks, tree) for tree in self._trees())

    def _trees(self) -> Iterator[Tree]:
        folders = [inode for inode in self._known if inode in self._folders]
        for chosen in product(*map(self._possible, folders)):
            names: dict[int, dict[str, int]] = {inode: {} for inode in self._known}
            names |= zip(folders, map(dict, chosen), strict=True)
            paths = dict(_paths(self._root, names))
            files = [path for path, inode in paths.items() if inode not in self._folders]
            for texts in product(*(self._possible(paths[path]) for path in files)):
                yield dict.fromkeys(paths) | dict(zip(files, texts, strict=True))

    def _possible(self, inode: int) -> tuple[Any, ...]:
        journal = self._known[inode]
        found = self._found.get(inode)
        if found is None or found[0] is not journal:
            is_folder = inode in self._folders
            every = (
                journal.possible_names(self._folders) if is_folder else journal.possible_contents()
            )
            found = self._found[inode] = journal, tuple(every)
        return found[1]
