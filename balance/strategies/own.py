"""Strategies that a person wrote, from a folder; and the decision of a strategy that may fail or
hang."""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from dataclasses import dataclass, replace
from functools import partial
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from queue import SimpleQueue
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
# The files of which a traceback need not show the lines that come first.
_OURS: Final = (
    __file__,
    balance.strategies.strategy.__file__,
    balance.strategies.series.__file__,
    Future.result.__code__.co_filename,
)
_NOTHING: Final = hold("Nothing to say")

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Broken:
    """A file without a usable strategy; ``error`` says why, with the lines that led there."""

    id: str
    name: str
    error: str


class OwnStrategies:
    """The strategies in a folder; None, or a folder that is not there, has none.

    Every ``*.py`` file whose name does not begin with ``_`` or ``.`` is loaded, and loaded again
    when it has changed. Each class made with ``@strategy`` is one, and so is a plain function
    ``decide(candles, position)``. Safe to use from many threads.
    """

    def __init__(self, folder: Path | None, timeout: float = LOAD_TIMEOUT) -> None:
        self._folder = None if folder is None else folder.absolute()
        self._timeout = timeout
        self._lock = Lock()
        self._known: dict[Path, tuple[tuple[int, ...], tuple[Kind | Broken, ...]]] = {}

    def kinds(self) -> tuple[Kind | Broken, ...]:
        """The strategies in the folder now, by the names of their files."""
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

    def kind(self, strategy_id: str) -> Kind:
        """The one with the id ``strategy_id``.

        Raises:
            InvalidRequest: there is none, or its file is broken; the message says which.
        """
        every = self.all()
        kinds = {each.id: each for each in every if isinstance(each, Kind)}
        if strategy_id in kinds:
            return kinds[strategy_id]
        for each in every:
            # How many strategies a broken file would have is not known.
            if isinstance(each, Broken) and f"{strategy_id}_".startswith(f"{each.id}_"):
                why = each.error.rpartition("\n")[2].rstrip(".")
                raise InvalidRequest(
                    f"The strategy {each.name} cannot be used: {why:.200}. Mend its file."
                )
        known = ", ".join(kinds)
        raise InvalidRequest(f"There is no strategy {strategy_id!r:.60}. There are {known}.")


def ask_strategy(chosen: Strategy, candles: Candles, position: Holding | None) -> Signal:
    """The decision of ``chosen``; None counts as hold.

    Raises:
        StrategyFault: it failed, or returned no signal.
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
    """Has one strategy decide in a thread of its own, so that one that hangs stops nothing else."""

    def __init__(self, chosen: Strategy, timeout: float = TIMEOUT) -> None:
        #: The strategy that decides.
        self.strategy = chosen
        self._timeout = timeout
        self._lock = Lock()
        self._thread: _TaskThread | None = None
        self._hangs = False

    def decide(self, candles: Candles, position: Holding | None) -> Signal:
        """The decision of the strategy.

        Raises:
            StrategyFault: as :func:`ask_strategy`; or it took too long, and is never called again.
        """
        with self._lock:
            too_long = f"took longer than {self._timeout:g} s"
            if self._hangs:
                raise StrategyFault(f"{too_long} before, and is not asked again")
            self._thread = self._thread or _TaskThread()
            try:
                return self._thread.result(
                    partial(ask_strategy, self.strategy, candles, position), self._timeout
                )
            except _TooLong:
                self._hangs = True
                raise StrategyFault(too_long) from None


class _TooLong(Exception):
    """A task was not done in time."""


_Tasks = SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None]


class _TaskThread:
    """A thread that does one task after another, and ends when no more can come. The threads of an
    executor would do, if the program could end while one of them hangs."""

    def __init__(self) -> None:
        self._tasks: _Tasks = SimpleQueue()
        Thread(target=_do_tasks, args=(self._tasks,), name="strategy", daemon=True).start()
        weakref.finalize(self, self._tasks.put, None)

    def result(self, task: Callable[[], _Result], timeout: float) -> _Result:
        """The result of ``task``; raises what it raises, and _TooLong after ``timeout`` seconds."""
        future: Future[_Result] = Future()
        self._tasks.put((future, task))
        if not wait([future], timeout).done:
            raise _TooLong
        return future.result()


def _do_tasks(tasks: _Tasks) -> None:
    while (given := tasks.get()) is not None:
        future, task = given
        try:
            future.set_result(task())
        except KeyboardInterrupt as error:
            # Nobody at the keyboard interrupts this thread.
            future.set_exception(StrategyFault(_traceback(error)))
        except BaseException as error:
            future.set_exception(error)


def _files(folder: Path | None) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """The files of strategies in ``folder``, each with the version of its content."""
    try:
        files = sorted(folder.glob("*.py")) if folder is not None else []
    except OSError:
        return
    for file in files:
        try:
            status = file.stat()
        except OSError:
            continue  # The file was deleted meanwhile.
        if not file.name.startswith(("_", ".")) and not file.is_dir():
            yield file, (status.st_mtime_ns, status.st_size, status.st_ino)


def _loaded(file: Path, timeout: float) -> tuple[Kind | Broken, ...]:
    stem = file.stem.encode("utf-8", "replace").decode()
    name = stem.replace("_", " ").strip().capitalize() or stem
    own = f"own_{stem}"
    try:
        found = _TaskThread().result(partial(_found, file, name), timeout)
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
    """Loads what is in the file now: cached compiled code may be older by up to a second."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def _found(file: Path, name: str) -> list[Kind]:
    """The strategies in ``file``; ``name`` is for one that has no name of its own."""
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
    # Where annotations are texts, dataclasses looks a module up by its name.
    sys.modules[name] = module
    loader.exec_module(module)
    return module


def _traceback(error: BaseException, *folders: str) -> str:
    """The traceback of ``error`` from the first line on that is not the product's; files by their
    names, without ``folders``."""
    shown = TracebackException.from_exception(error)
    hidden = set(folders)
    pending = [shown]
    while pending:
        each = pending.pop()
        frames = _not_ours(each.stack)
        hidden.update(os.path.dirname(frame.filename) for frame in frames)
        each.stack = StackSummary.from_list(
            FrameSummary(Path(frame.filename).name, frame.lineno, frame.name, line=frame.line)
            for frame in frames
        )
        pending.extend(other for other in (each.__cause__, each.__context__) if other is not None)
    text = "".join(shown.format()).strip()
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
