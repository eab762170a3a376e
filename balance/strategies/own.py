"""Strategies that a person wrote, from a folder; and asking any strategy without trusting it."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from traceback import FrameSummary, StackSummary, TracebackException
from types import CodeType, ModuleType
from typing import Any, Final, TypeVar
from zlib import crc32

import balance.strategies.series
import balance.strategies.strategy
from balance.core.errors import InvalidRequest
from balance.strategies.catalogue import BUILT_IN
from balance.strategies.series import Candles
from balance.strategies.strategy import (
    Holding,
    Kind,
    Signal,
    Strategy,
    StrategyFault,
    hold,
    kind_of,
    strategy,
)

#: How long a strategy may take for a decision, and its file to load, in seconds.
TIMEOUT: Final = 5.0
LOAD_TIMEOUT: Final = 20.0
_LONGEST_TRACEBACK: Final = 4000
_OURS: Final = (__file__, balance.strategies.strategy.__file__, balance.strategies.series.__file__)
_NOTHING: Final = hold("Nothing to say")

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that gives no strategy; ``error`` says why, with the lines that led there."""

    id: str
    name: str
    error: str


class OwnStrategies:
    """The strategies in a folder; None, or a folder that is not there, has none.

    Every ``*.py`` file whose name does not begin with ``_`` or ``.`` is loaded, and loaded anew
    when it has changed. Each class made with ``@strategy`` is one, and so is a plain function
    ``decide(candles, position)``. May be used by several threads.
    """

    def __init__(self, folder: Path | None, timeout: float = LOAD_TIMEOUT) -> None:
        self._folder = None if folder is None else folder.absolute()
        self._timeout = timeout
        self._lock = Lock()
        self._known: dict[Path, tuple[tuple[int, ...], tuple[Kind | Broken, ...]]] = {}

    def kinds(self) -> tuple[Kind | Broken, ...]:
        """What the folder has now, by the names of its files."""
        with self._lock:
            known = {}
            for file, version in _files(self._folder):
                before = self._known.get(file)
                if before is not None and before[0] == version:
                    known[file] = before
                else:
                    known[file] = (version, _loaded(file, self._timeout))
            self._known = known
            return tuple(kind for _, kinds in known.values() for kind in kinds)


class Catalogue:
    """Every strategy there is: those that are built in, then a person's own."""

    def __init__(self, own: OwnStrategies | None = None) -> None:
        self._own = own or OwnStrategies(None)

    def all(self) -> tuple[Kind | Broken, ...]:
        """Every one, in the order in which they are offered."""
        return (*BUILT_IN, *self._own.kinds())

    def kind(self, wanted: str) -> Kind:
        """The one with that id.

        Raises:
            InvalidRequest: there is none, or its file is broken; the words say which.
        """
        every = self.all()
        kinds = {each.id: each for each in every if isinstance(each, Kind)}
        if wanted in kinds:
            return kinds[wanted]
        for each in every:
            # of a file that is broken, nobody knows how many strategies it has
            if isinstance(each, Broken) and f"{wanted}_".startswith(f"{each.id}_"):
                why = each.error.rpartition("\n")[2].rstrip(".")
                raise InvalidRequest(
                    f"The strategy {each.name} cannot be used: {why:.200}. Mend its file."
                )
        raise InvalidRequest(f"There is no strategy {wanted!r:.60}. There are {', '.join(kinds)}.")


def asked(chosen: Strategy, candles: Candles, position: Holding | None) -> Signal:
    """What ``chosen`` decides; None is as good as hold.

    Raises:
        StrategyFault: it failed, or what it returned is no signal.
    """
    try:
        answer: object = chosen.decide(candles, position)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise StrategyFault(_traceback(error)) from None
    if isinstance(answer, Signal):
        return answer
    if answer is None:
        return _NOTHING
    what = type(answer).__name__
    raise StrategyFault(f"decide must return a Signal or None, but returned something of {what}")


class Guarded:
    """Asks one strategy in a thread of its own, so that one that hangs stops nothing else.

    Attributes:
        strategy: the strategy that is asked.
    """

    def __init__(self, chosen: Strategy, timeout: float = TIMEOUT) -> None:
        self.strategy = chosen
        self._timeout = timeout
        self._lock = Lock()
        self._worker: _Worker | None = None
        self._hangs = False

    def asked(self, candles: Candles, position: Holding | None) -> Signal:
        """What the strategy decides.

        Raises:
            StrategyFault: as :func:`asked`; or it took too long, and is never asked again.
        """
        with self._lock:
            too_long = f"took longer than {self._timeout:g} s"
            if self._hangs:
                raise StrategyFault(f"{too_long} before, and is not asked again")
            self._worker = self._worker or _Worker()
            try:
                return self._worker.done(
                    partial(asked, self.strategy, candles, position), self._timeout
                )
            except _TooLong:
                self._hangs = True
                raise StrategyFault(too_long) from None


class _TooLong(Exception):
    """A task was not done in time."""


class _Worker:
    """A thread that does one task after another, and ends when nobody can give it more."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        Thread(target=_work, args=(self._tasks,), name="strategy", daemon=True).start()
        weakref.finalize(self, self._tasks.put, None)

    def done(self, task: Callable[[], _Answer], timeout: float) -> _Answer:
        """What ``task`` returns; raises what it raises, and _TooLong after ``timeout`` seconds."""
        answers: SimpleQueue[tuple[_Answer | None, BaseException | None]] = SimpleQueue()
        self._tasks.put((task, answers))
        try:
            answer, error = answers.get(timeout=timeout)
        except Empty:
            raise _TooLong from None
        if error is not None:
            raise error
        return answer  # type: ignore[return-value]  # no error: it is what the task returned


_Task = tuple[Callable[[], Any], "SimpleQueue[Any]"]


def _work(tasks: SimpleQueue[_Task | None]) -> None:
    while (given := tasks.get()) is not None:
        task, answers = given
        try:
            answers.put((task(), None))
        except KeyboardInterrupt as error:
            # nobody at the keyboard interrupts this thread
            answers.put((None, StrategyFault(_traceback(error))))
        except BaseException as error:
            answers.put((None, error))


def _files(folder: Path | None) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """The files of strategies in ``folder``, each with what changes when it does."""
    try:
        files = sorted(folder.glob("*.py")) if folder is not None else []
    except OSError:
        return
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue  # it has vanished meanwhile
        if not file.name.startswith(("_", ".")) and not file.is_dir():
            yield file, (status.st_mtime_ns, status.st_size, status.st_ino)


def _loaded(file: Path, timeout: float) -> tuple[Kind | Broken, ...]:
    stem = file.stem.encode("utf-8", "replace").decode()
    name = stem.replace("_", " ").strip().capitalize() or stem
    own = f"own_{stem}"
    try:
        found = _Worker().done(partial(_found, file, name), timeout)
    except _TooLong:
        return (Broken(own, name, f"{file.name} took longer than {timeout:g} s to load"),)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return (Broken(own, name, _traceback(error, str(file.parent))),)
    if not found:
        what = "a class made with @strategy, or a function decide(candles, position)"
        return (Broken(own, name, f"{file.name} has no strategy: {what}"),)
    return tuple(
        replace(kind, id=own if len(found) == 1 else f"{own}_{kind.id}", own=True) for kind in found
    )


class _Loader(SourceFileLoader):
    """Loads what the file holds now: compiled code that lies about may be as old as a second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _found(file: Path, name: str) -> list[Kind]:
    """The strategies in ``file``; ``name`` is for one that has none of its own."""
    module = _module(file)
    found: dict[str, Kind] = {}
    for value in vars(module).values():
        kind = kind_of(value) if isinstance(value, type) else None
        if kind is not None and value.__module__ == module.__name__:
            found[kind.id] = kind
    decide = vars(module).get("decide")
    if callable(decide) and not isinstance(decide, type):
        words = str(module.__doc__ or "").strip().partition("\n")[0]
        kind = kind_of(strategy(name, words)(_class_of(module, decide)))
        found |= {} if kind is None else {kind.id: kind}
    return list(found.values())


def _class_of(module: ModuleType, function: Callable[..., Signal | None]) -> type[Strategy]:
    class Decide:
        lookback = getattr(module, "lookback", balance.strategies.strategy.USUAL_LOOKBACK)
        enough = getattr(module, "enough", 1)

        def decide(self, candles: Candles, position: Holding | None) -> Signal | None:
            return function(candles, position)

    return Decide


def _module(file: Path) -> ModuleType:
    name = f"_own_strategy_{crc32(os.fsencode(file)):08x}"
    loader = _Loader(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader)
    if spec is None:
        raise ImportError(f"{file.name} cannot be loaded")
    module = module_from_spec(spec)
    # where annotations are texts, dataclasses looks a module up by its name
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _traceback(error: BaseException, *folders: str) -> str:
    """How ``error`` came about, from the first line on that is not ours; files by their names,
    and ``folders`` not named."""
    told = TracebackException.from_exception(error)
    hidden = set(folders)
    pending = [told]
    while pending:
        each = pending.pop()
        frames = _not_ours(each.stack)
        hidden.update(os.path.dirname(frame.filename) for frame in frames)
        each.stack = StackSummary.from_list(
            FrameSummary(Path(frame.filename).name, frame.lineno, frame.name, line=frame.line)
            for frame in frames
        )
        pending.extend(other for other in (each.__cause__, each.__context__) if other is not None)
    text = "".join(told.format()).strip()
    for folder in sorted(hidden - {""}, key=len, reverse=True):
        text = text.replace(f"{folder}{os.sep}", "")
    return text[-_LONGEST_TRACEBACK:].encode("utf-8", "replace").decode()


def _not_ours(frames: StackSummary) -> list[FrameSummary]:
    places = (
        place
        for place, frame in enumerate(frames)
        if frame.filename not in _OURS and not frame.filename.startswith("<frozen ")
    )
    return frames[next(places, len(frames)) :]
